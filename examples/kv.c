/* SPDX-License-Identifier: MIT */
/*
 * kv [--port N] [--host H] [--maxmemory BYTES] [--appendonly FILE]
 * [--fsync always|everysec|no]: a small Redis, for redis-cli, redis-benchmark
 * and whatever else speaks to one. Its commands are in kv/.
 *
 * With a file it survives its own end, however sudden. What that may cost is
 * for --fsync to say: nothing that was answered, one second, or what the kernel
 * had not written when the machine stopped.
 */
#include "kv/kv.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char usage[] =
    "usage: kv [--port N] [--host H] [--maxmemory BYTES]\n"
    "          [--appendonly FILE] [--fsync always|everysec|no]\n"
    "\n"
    "Keeps keys and values in memory, for clients of Redis, until SIGINT or\n"
    "SIGTERM; with a file, for the next time, too.\n"
    "\n"
    "  --port N            6379 by default; 0 picks a free one\n"
    "  --host H            the address to listen on, 127.0.0.1 by default\n"
    "  --maxmemory BYTES   of keys and values; beyond it, commands that may\n"
    "                      need more are refused; 0, the default: any\n"
    "  --appendonly FILE   where each change is written, as redis-server does\n"
    "                      without an RDB preamble, and read at the start; an\n"
    "                      unfinished command at its end is cut\n"
    "  --fsync WHEN        always: before a command is answered; everysec, "
    "the\n"
    "                      default: each second; no: as the system likes\n"
    "  --help              this text\n";

struct kv_options kv_options = {.host = "127.0.0.1", .port = 6379};
struct sill_trigger kv_stop = SILL_TRIGGER_INIT;
int64_t kv_epoch;
sill_time kv_started;

static struct sill_resp_verb verbs[256];

static size_t gather_verbs(void)
{
    const struct kv_verbs *const parts[] = {
        &kv_string_verbs,   &kv_hash_verbs,   &kv_list_verbs,
        &kv_set_verbs,      &kv_sorted_verbs, &kv_range_verbs,
        &kv_keyspace_verbs, &kv_client_verbs, &kv_about_verbs,
        &kv_multi_verbs,    &kv_pubsub_verbs, &kv_blocking_verbs};
    size_t count = 0;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        memcpy(verbs + count, parts[i]->verbs,
               parts[i]->count * sizeof(verbs[0]));
        count += parts[i]->count;
    }
    return count;
}

/* ---- the server ---- */

static void forget(struct sill_resp_session *session)
{
    kv_discard(kv_client(session));
    kv_unsubscribe_all(kv_client(session));
}

static int64_t milliseconds(void)
{
    struct timespec now;
    timespec_get(&now, TIME_UTC);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int listen_there(struct sill_listener *listener)
{
    struct sill_address address;
    char text[SILL_ADDRESS_TEXT_MAX];
    int rc = sill_address_ip(&address, kv_options.host, kv_options.port);
    if (rc == 0)
        rc = sill_listener_listen(listener, &address, NULL);
    if (rc == 0)
        rc = sill_listener_local(listener, &address);
    if (rc != 0)
        return rc;
    kv_options.port = address.port;
    printf("listening on %s\n",
           sill_address_format(&address, text, sizeof(text)));
    fflush(stdout);
    return 0;
}

static int serve(void *unused)
{
    struct sill_resp_server server = {
        .verbs = verbs,
        .verb_count = gather_verbs(),
        .session_size = sizeof(struct kv_client),
        .call = kv_call,
        .sends = kv_options.log_name != NULL ? kv_log_sends : NULL,
        .closed = forget,
        .stop = &kv_stop,
        .grace = 3 * SILL_SECOND,
    };
    struct sill_listener listener = {0};
    struct sill_task *expirer, *logger;
    (void)unused;

    kv_started = sill_now();
    kv_epoch = milliseconds() - kv_started / SILL_MILLISECOND;
    int rc = kv_table_seed();
    if (rc == 0)
        rc = kv_log_open(&server);
    if (rc == 0)
        rc = listen_there(&listener);
    if (rc == 0)
        rc = sill_spawn(kv_expirer, NULL, &expirer);
    if (rc == 0)
        rc = sill_spawn(kv_log_run, NULL, &logger);
    if (rc == 0) {
        rc = sill_resp_serve(&server, &listener, SILL_NEVER);
        sill_cancel(logger, SILL_NEVER);
        sill_cancel(expirer, SILL_NEVER);
    }
    sill_listener_close(&listener);
    int unwritten = kv_log_close();
    return rc == 0 ? unwritten : rc;
}

static void on_signal(int number)
{
    (void)number;
    sill_resume(&kv_stop, 0);
}

static bool read_number(const char *text, unsigned long long most,
                        unsigned long long *number)
{
    char *end;
    *number = strtoull(text, &end, 10);
    return end != text && *end == '\0' && text[0] != '-' && *number <= most;
}

static bool read_fsync(const char *text, enum kv_fsync *fsync)
{
    static const char *const names[] = {
        [KV_EVERYSEC] = "everysec", [KV_ALWAYS] = "always", [KV_NO] = "no"};
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(text, names[i]) != 0)
            continue;
        *fsync = (enum kv_fsync)i;
        return true;
    }
    return false;
}

/* Returns 0, 1 after --help, or 2 for what makes no sense. */
static int read_options(char **words)
{
    unsigned long long number;
    for (words++; *words != NULL; words += 2) {
        if (strcmp(*words, "--help") == 0)
            return 1;
        if (words[1] == NULL)
            return 2;
        if (strcmp(*words, "--host") == 0)
            kv_options.host = words[1];
        else if (strcmp(*words, "--port") == 0 &&
                 read_number(words[1], 65535, &number))
            kv_options.port = (uint16_t)number;
        else if (strcmp(*words, "--maxmemory") == 0 &&
                 read_number(words[1], SIZE_MAX, &number))
            kv_options.memory_max = (size_t)number;
        else if (strcmp(*words, "--appendonly") == 0)
            kv_options.log_name = words[1];
        else if (strcmp(*words, "--fsync") != 0 ||
                 !read_fsync(words[1], &kv_options.fsync))
            return 2;
    }
    return 0;
}

int main(int count, char **words)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    (void)count;

    int asked = read_options(words);
    if (asked != 0) {
        fputs(usage, asked == 1 ? stdout : stderr);
        return asked == 1 ? 0 : 2;
    }
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGXFSZ, SIG_IGN); /* a file at its limit is like a full disk */

    int rc = sill_run(serve, NULL);
    kv_keys_close();
    if (rc < 0)
        fprintf(stderr, "kv: %s\n", sill_strerror(rc));
    return rc == 0 ? 0 : 1;
}
