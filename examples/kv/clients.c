/* SPDX-License-Identifier: MIT */
/*
 * clients.c: commands about the connection. See kv.h.
 */
#include "kv.h"

#include <stdio.h>
#include <string.h>

struct kv_client *kv_client(struct sill_resp_session *session)
{
    return sill_resp_session_data(session);
}

KV_HANDLER(ping)
{
    bool hears = kv_client(session)->subscriptions != NULL &&
                 sill_resp_session_version(session) == 2;
    if (count > 2) {
        sill_resp_reply_error(
            session, "ERR wrong number of arguments for 'ping' command");
    } else if (hears) {
        sill_resp_reply_array(session, 2);
        sill_resp_reply_string(session, SILL_RESP_VIEW("pong"));
        sill_resp_reply_string(session,
                               count == 2 ? args[1] : SILL_RESP_VIEW(""));
    } else if (count == 2) {
        sill_resp_reply_string(session, args[1]);
    } else {
        sill_resp_reply_simple(session, "PONG");
    }
    return 0;
}

KV_HANDLER(echo)
{
    sill_resp_reply_string(session, args[1]);
    return 0;
}

KV_HANDLER(select_db)
{
    int64_t number;
    if (!kv_read_integer(session, args[1], &number))
        return 0;
    return number == 0 ? kv_ok(session)
                       : kv_error(session, "ERR DB index is out of range");
}

KV_HANDLER(quit)
{
    sill_resp_session_end(session);
    return kv_ok(session);
}

KV_HANDLER(reset)
{
    struct kv_client *client = kv_client(session);
    kv_discard(client);
    kv_unsubscribe_all(client);
    client->name[0] = '\0';
    sill_resp_session_set_version(session, 2);
    sill_resp_reply_simple(session, "RESET");
    return 0;
}

KV_HANDLER(auth)
{
    return kv_error(session,
                    "ERR AUTH <password> called without any password "
                    "configured for the default user. Are you sure your "
                    "configuration is correct?");
}

/* ---- CLIENT ---- */

static bool set_name(struct sill_resp_session *session,
                     struct sill_resp_view name)
{
    struct kv_client *client = kv_client(session);
    bool good = name.size < sizeof(client->name);
    for (size_t i = 0; good && i < name.size; i++)
        good = name.at[i] > ' ' && name.at[i] <= '~';
    if (!good) {
        kv_error(session, "ERR Client names cannot contain spaces, newlines "
                          "or special characters.");
        return false;
    }
    memcpy(client->name, name.at, name.size);
    client->name[name.size] = '\0';
    return true;
}

static void peer_text(const struct sill_resp_session *session, char *text,
                      size_t size)
{
    struct sill_address peer = {.family = SILL_FAMILY_NONE};
    if (sill_resp_session_peer(session, &peer) != 0)
        peer.family = SILL_FAMILY_NONE;
    sill_address_format(&peer, text, size);
}

/* Returns for how many seconds it sent no command. */
static long long idle_time(struct sill_resp_session *session)
{
    int64_t heard = kv_client(session)->heard;
    sill_time since = sill_resp_session_since(session);
    return heard != 0 ? (kv_now() - heard) / 1000
                      : (sill_now() - since) / SILL_SECOND;
}

static int describe(struct sill_resp_session *session, char *line, size_t size)
{
    const struct kv_client *client = kv_client(session);
    struct sill_resp_usage usage = sill_resp_session_usage(session);
    char peer[SILL_ADDRESS_TEXT_MAX];
    peer_text(session, peer, sizeof(peer));
    return snprintf(
        line, size,
        "id=%llu addr=%s name=%s age=%lld idle=%lld db=0 sub=%zu psub=%zu "
        "multi=%lld watch=%zu qbuf=%zu qbuf-free=%zu argv-mem=0 obl=0 oll=%d "
        "omem=%zu tot-mem=%zu cmd=%s resp=%d\n",
        (unsigned long long)sill_resp_session_id(session), peer, client->name,
        (long long)((sill_now() - sill_resp_session_since(session)) /
                    SILL_SECOND),
        idle_time(session), client->channels, client->patterns,
        client->in_multi ? (long long)client->queued : -1LL, client->watched,
        usage.unread, usage.room, usage.unsent > 0, usage.unsent, usage.memory,
        client->last != NULL ? client->last->name : "NULL",
        sill_resp_session_version(session));
}

static int client_info(struct sill_resp_session *session)
{
    char line[512];
    int size = describe(session, line, sizeof(line));
    sill_resp_reply_verbatim(session, "txt",
                             (struct sill_resp_view){line, (size_t)size});
    return 0;
}

static int client_list(struct sill_resp_session *session)
{
    struct sill_resp_server *server = sill_resp_session_server(session);
    struct sill_resp_session *s = NULL;
    struct kv_text text = {0};
    char line[512];
    while ((s = sill_resp_session_next(server, s)) != NULL) {
        describe(s, line, sizeof(line));
        kv_print(&text, "%s", line);
    }
    return kv_reply_text(session, &text);
}

/* Ends those that (is_meant) by id or address. Returns how many. */
static int64_t kill_all(struct sill_resp_session *session,
                        struct sill_resp_view filter,
                        struct sill_resp_view value)
{
    struct sill_resp_server *server = sill_resp_session_server(session);
    struct sill_resp_session *s = NULL;
    int64_t killed = 0;
    while ((s = sill_resp_session_next(server, s)) != NULL) {
        char text[SILL_ADDRESS_TEXT_MAX];
        if (kv_is(filter, "id"))
            snprintf(text, sizeof(text), "%llu",
                     (unsigned long long)sill_resp_session_id(s));
        else
            peer_text(s, text, sizeof(text));
        if (!sill_resp_view_is_equal(value, sill_resp_view(text)))
            continue;
        killed++;
        if (s == session)
            sill_resp_session_end(s);
        else
            sill_resp_session_kill(s);
    }
    return killed;
}

static int client_kill(struct sill_resp_session *session,
                       const struct sill_resp_view *args, size_t count)
{
    if (count == 3)
        return kill_all(session, SILL_RESP_VIEW("addr"), args[2]) > 0
                   ? kv_ok(session)
                   : kv_error(session, "ERR No such client");
    if (count != 4 || (!kv_is(args[2], "id") && !kv_is(args[2], "addr")))
        return kv_syntax(session);
    return kv_integer(session, kill_all(session, args[2], args[3]));
}

static int client_unblock(struct sill_resp_session *session,
                          const struct sill_resp_view *args, size_t count)
{
    static const char unblocked[] =
        "UNBLOCKED client unblocked via CLIENT UNBLOCK";
    bool with_error = count == 4 && kv_is(args[3], "error");
    int64_t id;
    if (count == 4 && !with_error && !kv_is(args[3], "timeout"))
        return kv_error(session, "ERR CLIENT UNBLOCK reason should be TIMEOUT "
                                 "or ERROR");
    if (!sill_resp_integer(args[2], &id))
        return kv_error(session, "ERR value is not an integer or out of range");
    return kv_integer(session,
                      kv_unblock((uint64_t)id, with_error ? unblocked : NULL));
}

KV_HANDLER(client)
{
    if (kv_is(args[1], "id") && count == 2)
        return kv_integer(session, (int64_t)sill_resp_session_id(session));
    if (kv_is(args[1], "info") && count == 2)
        return client_info(session);
    if (kv_is(args[1], "list") && count == 2)
        return client_list(session);
    if (kv_is(args[1], "kill"))
        return client_kill(session, args, count);
    if (kv_is(args[1], "unblock") && (count == 3 || count == 4))
        return client_unblock(session, args, count);
    if (kv_is(args[1], "setname") && count == 3)
        return set_name(session, args[2]) ? kv_ok(session) : 0;
    if ((kv_is(args[1], "setinfo") && count == 4) ||
        (kv_is(args[1], "no-evict") && count == 3))
        return kv_ok(session);
    if (!kv_is(args[1], "getname") || count != 2)
        return kv_unknown_subcommand(session, args);
    if (kv_client(session)->name[0] == '\0')
        sill_resp_reply_null(session);
    else
        sill_resp_reply_string(session,
                               sill_resp_view(kv_client(session)->name));
    return 0;
}

/* ---- HELLO ---- */

/* Reads what comes behind the version. Replies with an error if need be. */
static bool read_hello(struct sill_resp_session *session,
                       const struct sill_resp_view *args, size_t count)
{
    for (size_t i = 2; i < count; i += 2) {
        if (kv_is(args[i], "setname") && i + 1 < count) {
            if (!set_name(session, args[i + 1]))
                return false;
        } else if (kv_is(args[i], "auth") && i + 2 < count) {
            kv_error(session, "WRONGPASS invalid username-password pair or "
                              "user is disabled.");
            return false;
        } else {
            sill_resp_reply_error(
                session, "ERR Syntax error in HELLO option '%.*s'",
                (int)(args[i].size < 64 ? args[i].size : 64), args[i].at);
            return false;
        }
    }
    return true;
}

static void reply_pair(struct sill_resp_session *session, const char *name,
                       const char *value)
{
    sill_resp_reply_string(session, sill_resp_view(name));
    sill_resp_reply_string(session, sill_resp_view(value));
}

KV_HANDLER(hello)
{
    int64_t version = sill_resp_session_version(session);
    if (count > 1 && !sill_resp_integer(args[1], &version))
        return kv_error(session, "ERR Protocol version is not an integer or "
                                 "out of range");
    if (version != 2 && version != 3)
        return kv_error(session, "NOPROTO unsupported protocol version");
    if (!read_hello(session, args, count))
        return 0;
    sill_resp_session_set_version(session, (int)version);
    sill_resp_reply_map(session, 7);
    reply_pair(session, "server", "redis");
    reply_pair(session, "version", KV_REDIS_VERSION);
    sill_resp_reply_string(session, SILL_RESP_VIEW("proto"));
    sill_resp_reply_integer(session, version);
    sill_resp_reply_string(session, SILL_RESP_VIEW("id"));
    sill_resp_reply_integer(session, (int64_t)sill_resp_session_id(session));
    reply_pair(session, "mode", "standalone");
    reply_pair(session, "role", "master");
    sill_resp_reply_string(session, SILL_RESP_VIEW("modules"));
    sill_resp_reply_array(session, 0);
    return 0;
}

static const struct sill_resp_verb verbs[] = {
    {"auth", auth, -2, KV_NOW},
    {"client", client, -2, 0},
    {"echo", echo, 2, 0},
    {"hello", hello, -1, KV_ALONE},
    {"ping", ping, -1, KV_HEARS},
    {"quit", quit, -1, KV_NOW | KV_HEARS},
    {"reset", reset, 1, KV_NOW | KV_HEARS},
    {"select", select_db, 2, 0},
};

const struct kv_verbs kv_client_verbs = KV_VERBS(verbs);
