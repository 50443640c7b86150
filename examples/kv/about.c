/* SPDX-License-Identifier: MIT */
/*
 * about.c: commands about the server. See kv.h.
 */
#include "kv.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- text of any length ---- */

void kv_print(struct kv_text *text, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int size = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *data = realloc(text->data, text->size + (size_t)size + 1);
    if (data == NULL) {
        text->failed = true;
        return;
    }
    va_start(args, format);
    vsnprintf(data + text->size, (size_t)size + 1, format, args);
    va_end(args);
    text->data = data;
    text->size += (size_t)size;
}

int kv_reply_text(struct sill_resp_session *session, struct kv_text *text)
{
    if (text->failed)
        kv_no_memory(session);
    else
        sill_resp_reply_verbatim(
            session, "txt", (struct sill_resp_view){text->data, text->size});
    free(text->data);
    return 0;
}

/* ---- INFO ---- */

static void print_server(struct sill_resp_session *session,
                         struct kv_text *text)
{
    (void)session;
    kv_print(text,
             "# Server\r\nredis_version:" KV_REDIS_VERSION "\r\n"
             "redis_mode:standalone\r\nprocess_id:%d\r\ntcp_port:%d\r\n"
             "uptime_in_seconds:%lld\r\n",
             (int)getpid(), kv_options.port,
             (long long)((sill_now() - kv_started) / SILL_SECOND));
}

static void print_clients(struct sill_resp_session *session,
                          struct kv_text *text)
{
    const struct sill_resp_server *server = sill_resp_session_server(session);
    kv_print(text,
             "# Clients\r\nconnected_clients:%zu\r\nmaxclients:%zu\r\n"
             "blocked_clients:%zu\r\n",
             server->stats.open, server->connections_max, kv_blocked.count);
}

static void print_memory(struct sill_resp_session *session,
                         struct kv_text *text)
{
    (void)session;
    kv_print(text,
             "# Memory\r\nused_memory:%zu\r\nmaxmemory:%zu\r\n"
             "maxmemory_policy:noeviction\r\n",
             kv_memory, kv_options.memory_max);
}

static void print_persistence(struct sill_resp_session *session,
                              struct kv_text *text)
{
    (void)session;
    kv_print(text,
             "# Persistence\r\nloading:0\r\nrdb_bgsave_in_progress:0\r\n"
             "aof_enabled:%d\r\naof_rewrite_in_progress:%d\r\n"
             "aof_rewrite_scheduled:%d\r\naof_last_bgrewrite_status:%s\r\n"
             "aof_last_write_status:%s\r\n",
             kv_log.is_on, kv_log.is_rewriting, kv_log.is_rewrite_wanted,
             kv_log.rewrite_error == 0 ? "ok" : "err",
             kv_log.error == 0 ? "ok" : "err");
    if (kv_log.is_on)
        kv_print(text, "aof_current_size:%llu\r\naof_base_size:%llu\r\n",
                 (unsigned long long)kv_log.size,
                 (unsigned long long)kv_log.base_size);
}

static void print_stats(struct sill_resp_session *session, struct kv_text *text)
{
    const struct sill_resp_stats *stats =
        &sill_resp_session_server(session)->stats;
    kv_print(text,
             "# Stats\r\ntotal_connections_received:%llu\r\n"
             "total_commands_processed:%llu\r\nexpired_keys:%llu\r\n"
             "client_output_buffer_limit_disconnections:%llu\r\n",
             (unsigned long long)stats->sessions,
             (unsigned long long)stats->commands,
             (unsigned long long)kv_keys.expired,
             (unsigned long long)stats->slow);
}

static void print_replication(struct sill_resp_session *session,
                              struct kv_text *text)
{
    (void)session;
    kv_print(text, "# Replication\r\nrole:master\r\nconnected_slaves:0\r\n");
}

static void print_keyspace(struct sill_resp_session *session,
                           struct kv_text *text)
{
    (void)session;
    kv_print(text, "# Keyspace\r\n");
    if (kv_keys.table.count > 0)
        kv_print(text, "db0:keys=%zu,expires=%zu,avg_ttl=0\r\n",
                 kv_keys.table.count, kv_keys.heap_count);
}

static bool is_asked(const struct sill_resp_view *args, size_t count,
                     const char *section)
{
    bool found = count == 1;
    for (size_t i = 1; i < count; i++)
        found = found || kv_is(args[i], section) || kv_is(args[i], "all") ||
                kv_is(args[i], "default") || kv_is(args[i], "everything");
    return found;
}

KV_HANDLER(info)
{
    static const struct {
        const char *name;
        void (*print)(struct sill_resp_session *, struct kv_text *);
    } sections[] = {
        {"server", print_server},     {"clients", print_clients},
        {"memory", print_memory},     {"persistence", print_persistence},
        {"stats", print_stats},       {"replication", print_replication},
        {"keyspace", print_keyspace},
    };
    struct kv_text text = {0};
    for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
        if (!is_asked(args, count, sections[i].name))
            continue;
        if (text.size > 0)
            kv_print(&text, "\r\n");
        sections[i].print(session, &text);
    }
    return kv_reply_text(session, &text);
}

/* ---- CONFIG ---- */

struct parameter {
    const char *name;
    char value[256];
};

enum { PARAMETERS = 11 };

/* The last part of it. */
static const char *log_file_name(void)
{
    if (kv_options.log_name == NULL)
        return "appendonly.aof";
    const char *slash = strrchr(kv_options.log_name, '/');
    return slash == NULL ? kv_options.log_name : slash + 1;
}

static void read_config(struct parameter *parameters)
{
    static const struct parameter fixed[PARAMETERS] = {
        {"appendonly", ""},
        {"bind", ""},
        {"appendfilename", ""},
        {"maxmemory", ""},
        {"port", ""},
        {"appendfsync", ""},
        {"databases", "1"},
        {"maxmemory-policy", "noeviction"},
        {"proto-max-bulk-len", "536870912"},
        {"save", ""},
        {"timeout", "0"},
    };
    static const char *const fsyncs[] = {
        [KV_EVERYSEC] = "everysec", [KV_ALWAYS] = "always", [KV_NO] = "no"};
    for (int i = 0; i < PARAMETERS; i++)
        parameters[i] = fixed[i];
    snprintf(parameters[0].value, sizeof(parameters[0].value), "%s",
             kv_log.is_on ? "yes" : "no");
    snprintf(parameters[2].value, sizeof(parameters[2].value), "%s",
             log_file_name());
    snprintf(parameters[5].value, sizeof(parameters[5].value), "%s",
             fsyncs[kv_options.fsync]);
    snprintf(parameters[1].value, sizeof(parameters[1].value), "%s",
             kv_options.host);
    snprintf(parameters[3].value, sizeof(parameters[3].value), "%zu",
             kv_options.memory_max);
    snprintf(parameters[4].value, sizeof(parameters[4].value), "%d",
             kv_options.port);
}

static bool is_wanted(const struct sill_resp_view *args, size_t count,
                      const struct parameter *parameter)
{
    for (size_t i = 2; i < count; i++)
        if (kv_is_like(args[i], sill_resp_view(parameter->name)))
            return true;
    return false;
}

static int config_get(struct sill_resp_session *session,
                      const struct sill_resp_view *args, size_t count)
{
    struct parameter parameters[PARAMETERS];
    size_t found = 0;
    read_config(parameters);
    for (int i = 0; i < PARAMETERS; i++)
        if (is_wanted(args, count, &parameters[i]))
            parameters[found++] = parameters[i];
    sill_resp_reply_map(session, found);
    for (size_t i = 0; i < found; i++) {
        sill_resp_reply_string(session, sill_resp_view(parameters[i].name));
        sill_resp_reply_string(session, sill_resp_view(parameters[i].value));
    }
    return 0;
}

static int config_set(struct sill_resp_session *session,
                      const struct sill_resp_view *args)
{
    int64_t number;
    if (!kv_is(args[2], "maxmemory")) {
        sill_resp_reply_error(session,
                              "ERR Unknown option or number of arguments for "
                              "CONFIG SET - '%.*s'",
                              (int)(args[2].size < 64 ? args[2].size : 64),
                              args[2].at);
        return 0;
    }
    if (!sill_resp_integer(args[3], &number) || number < 0)
        return kv_error(session, "ERR CONFIG SET failed (possibly related to "
                                 "argument 'maxmemory') - argument must be a "
                                 "memory value");
    kv_options.memory_max = (size_t)number;
    return kv_ok(session);
}

KV_HANDLER(config)
{
    if (kv_is(args[1], "get") && count >= 3)
        return config_get(session, args, count);
    if (kv_is(args[1], "set") && count == 4)
        return config_set(session, args);
    return kv_unknown_subcommand(session, args);
}

/* ---- COMMAND ---- */

static void describe_verb(struct sill_resp_session *session,
                          const struct sill_resp_verb *verb)
{
    if (verb == NULL) {
        sill_resp_reply_null_array(session);
        return;
    }
    sill_resp_reply_array(session, 6);
    sill_resp_reply_string(session, sill_resp_view(verb->name));
    sill_resp_reply_integer(session, verb->arity);
    sill_resp_reply_set(session, 1);
    sill_resp_reply_simple(session,
                           verb->flags & KV_WRITES ? "write" : "readonly");
    for (int i = 0; i < 3; i++)
        sill_resp_reply_integer(session, 0);
}

static int command_info(struct sill_resp_session *session,
                        const struct sill_resp_view *names, size_t count)
{
    const struct sill_resp_server *server = sill_resp_session_server(session);
    sill_resp_reply_array(session, count == 0 ? server->verb_count : count);
    for (size_t i = 0; count == 0 && i < server->verb_count; i++)
        describe_verb(session, &server->verbs[i]);
    for (size_t i = 0; i < count; i++)
        describe_verb(session, sill_resp_verb_find(server, names[i]));
    return 0;
}

KV_HANDLER(command)
{
    const struct sill_resp_server *server = sill_resp_session_server(session);
    if (count == 1)
        return command_info(session, NULL, 0);
    if (kv_is(args[1], "info"))
        return command_info(session, args + 2, count - 2);
    if (kv_is(args[1], "count") && count == 2)
        return kv_integer(session, (int64_t)server->verb_count);
    if (kv_is(args[1], "docs")) {
        sill_resp_reply_map(session, 0);
        return 0;
    }
    if (!kv_is(args[1], "list") || count != 2)
        return kv_unknown_subcommand(session, args);
    sill_resp_reply_array(session, server->verb_count);
    for (size_t i = 0; i < server->verb_count; i++)
        sill_resp_reply_string(session, sill_resp_view(server->verbs[i].name));
    return 0;
}

/* ---- the rest ---- */

KV_HANDLER(tell_time)
{
    char text[32];
    int64_t now = kv_now();
    sill_resp_reply_array(session, 2);
    int size = snprintf(text, sizeof(text), "%lld", (long long)(now / 1000));
    sill_resp_reply_string(session,
                           (struct sill_resp_view){text, (size_t)size});
    size = snprintf(text, sizeof(text), "%lld", (long long)(now % 1000 * 1000));
    sill_resp_reply_string(session,
                           (struct sill_resp_view){text, (size_t)size});
    return 0;
}

/* The last thing that is answered. */
KV_HANDLER(shut_down)
{
    sill_resume(&kv_stop, 0);
    sill_resp_session_kill(session);
    return 0;
}

KV_HANDLER(rewrite)
{
    if (!kv_log.is_on)
        return kv_error(session, "ERR there is no append-only file");
    if (kv_log.is_rewriting)
        return kv_error(session, "ERR Background append only file rewriting "
                                 "already in progress");
    kv_log_want_rewrite();
    sill_resp_reply_simple(session,
                           "Background append only file rewriting started");
    return 0;
}

static const struct sill_resp_verb verbs[] = {
    {"bgrewriteaof", rewrite, 1, 0},
    {"command", command, -1, 0},
    {"config", config, -2, 0},
    {"info", info, -1, 0},
    {"shutdown", shut_down, -1, KV_ALONE},
    {"time", tell_time, 1, 0},
};

const struct kv_verbs kv_about_verbs = KV_VERBS(verbs);
