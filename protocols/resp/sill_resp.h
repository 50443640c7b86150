/* SPDX-License-Identifier: MIT */
/*
 * sill_resp.h: what Redis and its clients speak, in direct style, on whatever
 * scheduler is linked. Here is a server:
 *
 *     static int echo(struct sill_resp_session *session,
 *                     const struct sill_resp_view *args, size_t count)
 *     {
 *         (void)count;
 *         sill_resp_reply_string(session, args[1]);
 *         return 0;
 *     }
 *     static const struct sill_resp_verb verbs[] = {{"echo", echo, 2}};
 *     ...
 *     struct sill_resp_server server = {.verbs = verbs, .verb_count = 1};
 *     rc = sill_resp_serve(&server, &listener, SILL_NEVER);
 *
 * As everywhere in sill, a call with a deadline may suspend the current task,
 * a call without one never does, and failures are the codes of <sill/error.h>.
 *
 * Source   The Redis serialization protocol specification (RESP2 and RESP3).
 */
#ifndef SILL_RESP_H
#define SILL_RESP_H

#include "sill_resp_message.h"

#include <sill/address.h>
#include <sill/attributes.h>
#include <sill/listener.h>
#include <sill/service.h>
#include <sill/stream.h>
#include <sill/time.h>
#include <sill/trigger.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

SILL_BEGIN

/* ------------------------------------------------------------------------
 * Server: verbs
 *
 * A verb is what a command begins with. Its handler is called once for each
 * command, in the order in which they came, and answers with one reply; what
 * the peer does wrong before that never reaches it: malformed commands, unknown
 * verbs and wrong numbers of arguments are answered by the server, in the words
 * of redis-server.
 */

struct sill_resp_server;

/* One client, from its connection to its end. */
struct sill_resp_session;

/*
 * Answers the command of (count) arguments in (args), of which the first is the
 * verb as it was sent. They live until this returns. It runs in the session's
 * task and may suspend: what came after this command waits.
 *
 * Returns 0 or more; or a SILL_E code, which ends the session at once, with
 * nothing more sent.
 */
typedef int sill_resp_handler(struct sill_resp_session *session,
                              const struct sill_resp_view *args, size_t count);

struct sill_resp_verb {
    const char *name; /* in lower case; found in any */
    sill_resp_handler *handler;
    int arity;      /* arguments with the verb; negative: -arity or more */
    unsigned flags; /* yours */
};

/*
 * Returns the verb called (name), in any case, while (server) serves; NULL for
 * none. Never suspends.
 */
SILL_API const struct sill_resp_verb *
sill_resp_verb_find(const struct sill_resp_server *server,
                    struct sill_resp_view name);

/* ------------------------------------------------------------------------
 * Server: replies
 *
 * They are copied and gathered: all the commands that one read brought are
 * answered with one write, or one for each 64 KiB. An aggregate is its head
 * and then as many replies as it says, pairs of them for a map. Types that the
 * session's version of RESP does not have are written as redis-server would.
 *
 * They never suspend and never fail: a reply for which there is no memory, or
 * which makes more than server->output_max bytes wait, ends the session when
 * the handler returns.
 */

SILL_API void sill_resp_reply_simple(struct sill_resp_session *session,
                                     const char *text);

/* Replies with an error; its first word is the kind, as in "ERR no such key".
 * CR and LF become blanks; cut at 511 bytes. */
SILL_API void sill_resp_reply_error(struct sill_resp_session *session,
                                    const char *format, ...) SILL_PRINTF(2, 3);

SILL_API void sill_resp_reply_integer(struct sill_resp_session *session,
                                      int64_t number);
SILL_API void sill_resp_reply_string(struct sill_resp_session *session,
                                     struct sill_resp_view bytes);

/* (format): three letters, such as "txt". */
SILL_API void sill_resp_reply_verbatim(struct sill_resp_session *session,
                                       const char *format,
                                       struct sill_resp_view text);
SILL_API void sill_resp_reply_boolean(struct sill_resp_session *session,
                                      bool truth);

/* (text): a number in decimal, "inf", "-inf" or "nan". */
SILL_API void sill_resp_reply_double(struct sill_resp_session *session,
                                     struct sill_resp_view text);

/* In RESP2 there are two nulls, where a string was expected and where an
 * array. */
SILL_API void sill_resp_reply_null(struct sill_resp_session *session);
SILL_API void sill_resp_reply_null_array(struct sill_resp_session *session);

SILL_API void sill_resp_reply_array(struct sill_resp_session *session,
                                    size_t count);
SILL_API void sill_resp_reply_map(struct sill_resp_session *session,
                                  size_t pairs);
SILL_API void sill_resp_reply_set(struct sill_resp_session *session,
                                  size_t count);

/* For what is answered as if it was pushed, such as SUBSCRIBE. */
SILL_API void sill_resp_reply_push(struct sill_resp_session *session,
                                   size_t count);

/*
 * Sends (count) strings that the client did not ask for: an array in RESP2, a
 * push in RESP3. From any task of the server's loop, to any of its sessions:
 * while that one is in a handler, the message comes after the reply; or at
 * once, where it waits in sill_resp_session_wait and has replied nothing yet.
 *
 * The caller never waits for a slow client. What a client does not take waits
 * in memory; one that has more than server->push_max bytes waiting is ended.
 *
 * Returns 0, or, with the session ended, SILL_EMSGSIZE or SILL_ENOMEM; or
 * SILL_ECLOSED when it was already. It is still there, until its task has run.
 * Never suspends.
 */
SILL_API int sill_resp_push(struct sill_resp_session *session,
                            const struct sill_resp_view *strings, size_t count);

/* ------------------------------------------------------------------------
 * Server: handlers that wait
 */

/*
 * Suspends the handler that calls it until (trigger) is resumed, but no longer
 * than its peer is there: for commands such as BLPOP. The replies to earlier
 * commands are sent meanwhile, once server->sends allows it. What the peer
 * sends is read ahead, and answered when the handler has returned;
 * (idle_timeout) does not count.
 *
 * Returns 0 when (trigger) was resumed before anything else happened, also when
 * it was before this was called; or
 *
 *   SILL_ECLOSED     the peer is gone or has ended its writing, the session was
 *                    killed, or the server drains
 *   SILL_ECANCELED, SILL_ETIMEDOUT   as sill_suspend
 *   SILL_ENOMEM      nothing was waited for
 *
 * After a failure the trigger counts as resumed: whoever resumes it then learns
 * that it was too late. A handler that replies all the same is heard where
 * somebody is left to hear, such as when the server drains.
 *
 * Of what comes behind a command, 16 KiB are read ahead; a peer that sent more
 * is seen to go only afterwards.
 */
SILL_API SILL_MUST_CHECK int
sill_resp_session_wait(struct sill_resp_session *session,
                       struct sill_trigger *trigger, sill_time deadline);

/* ------------------------------------------------------------------------
 * Server: sessions. None of these suspends.
 */

/* Returns the server, and a number that no other session of it has. */
SILL_API struct sill_resp_server *
sill_resp_session_server(const struct sill_resp_session *session);
SILL_API uint64_t sill_resp_session_id(const struct sill_resp_session *session);

/* Returns the server->session_size bytes that are the session's own; zeroed at
 * first. */
SILL_API void *sill_resp_session_data(struct sill_resp_session *session);

/* Returns the version of RESP that is spoken, 2 at first; sets it, to 2 or 3,
 * from the next reply on. */
SILL_API int sill_resp_session_version(const struct sill_resp_session *session);
SILL_API void sill_resp_session_set_version(struct sill_resp_session *session,
                                            int version);

/* Returns how many commands of the session the server answered itself, since
 * no handler could be asked. */
SILL_API uint64_t
sill_resp_session_refused(const struct sill_resp_session *session);

/* Returns since when the session has been open. */
SILL_API sill_time
sill_resp_session_since(const struct sill_resp_session *session);

/* Writes the address of the peer to (address). Returns 0, SILL_ECLOSED, or
 * SILL_ENOTCONN when the peer is gone. */
SILL_API SILL_MUST_CHECK int
sill_resp_session_peer(const struct sill_resp_session *session,
                       struct sill_address *address);

/* What a session holds, in bytes. */
struct sill_resp_usage {
    size_t unread; /* that came behind the command that is being answered */
    size_t room;   /* for more to be read */
    size_t unsent; /* of replies and pushes: not yet taken by the system */
    size_t memory; /* in all, its data among it, its task not */
};

SILL_API struct sill_resp_usage
sill_resp_session_usage(const struct sill_resp_session *session);

/* Ends the session when the handler has returned and all replies are sent;
 * commands that came after this one are not answered. */
SILL_API void sill_resp_session_end(struct sill_resp_session *session);

/* Ends the session at once, from any task of the loop, its own among them. */
SILL_API void sill_resp_session_kill(struct sill_resp_session *session);

/* Returns the open session after (session), the first one after NULL, or NULL.
 * They are in no order. One that was killed stays until its task has run, so a
 * walk that does not suspend meets all. */
SILL_API struct sill_resp_session *
sill_resp_session_next(const struct sill_resp_server *server,
                       const struct sill_resp_session *session);

/* ------------------------------------------------------------------------
 * Server: all of them
 */

/* How much was done. */
struct sill_resp_stats {
    size_t open;       /* sessions right now */
    uint64_t sessions; /* accepted */
    uint64_t commands; /* given to a handler */
    uint64_t refused;  /* unknown verbs, wrong numbers of arguments */
    uint64_t rejected; /* sessions ended since they broke the protocol */
    uint64_t slow; /* sessions ended since they did not take their answers */
    uint64_t exhausted; /* times that memory or descriptors were missing */
};

/*
 * A server. Zero it, set the verbs and what else shall differ from the
 * defaults, and serve. It may serve again when that has returned.
 */
struct sill_resp_server {
    const struct sill_resp_verb *verbs;
    size_t verb_count;
    void *arg;           /* yours */
    size_t session_size; /* bytes of sill_resp_session_data */

    /* Called instead of (verb)->handler, which it may call in turn or keep for
     * later: transactions, access, statistics. May be NULL. */
    int (*call)(struct sill_resp_session *session,
                const struct sill_resp_verb *verb,
                const struct sill_resp_view *args, size_t count);

    /* Called before replies are sent, by the session's task. It may suspend,
     * until what was done is safe for example: the replies, and whatever the
     * session has to do next, wait. A SILL_E code that it returns ends the
     * session with nothing more sent. What others push to a session that waits
     * for a command does not ask it. May be NULL. */
    int (*sends)(struct sill_resp_session *session);

    /* Called when a session begins and ends. Must not suspend. May be NULL. */
    void (*opened)(struct sill_resp_session *session);
    void (*closed)(struct sill_resp_session *session);

    /* Ends the service when it is resumed, from a signal handler for example.
     * May be NULL. */
    struct sill_trigger *stop;

    /* 0 means the default, which is given behind. */
    sill_duration idle_timeout;     /* without a byte from the peer; never */
    sill_duration write_timeout;    /* without a byte taken by the peer; 60 s */
    sill_duration grace;            /* for commands in hand at the end; 10 s */
    size_t connections_max;         /* more wait to be accepted; 10 000 */
    size_t output_max;              /* bytes of replies that wait, 16 KiB
                                       or more; 1 GiB */
    size_t push_max;                /* bytes that wait behind a push, at most
                                       (output_max); 32 MiB */
    struct sill_resp_limits limits; /* each 0: as SILL_RESP_LIMITS_INIT */

    struct sill_resp_stats stats; /* to be read at any time */

    /* private */
    struct sill_service service;
    struct sill_resp_session *pushed; /* of those with something to send */
    struct sill_trigger news;
    uint16_t *index;
    size_t index_size;
    char *spare, *spare_in;
};

/*
 * Serves the connections of (listener), one task for each, until the server's
 * (stop) is resumed or (deadline). Then it drains: connections that have
 * arrived are taken, up to (connections_max), and (listener) is closed;
 * handlers in sill_resp_session_wait are told; commands that have arrived are
 * answered; sessions that wait for a command are
 * ended as soon as all had time to look for one, some 20 ms; and what is left
 * after the grace is cancelled.
 *
 * A lack of descriptors or memory delays new connections and ends nothing. A
 * session that waits for a command holds no large buffer, where its stream can
 * tell that something came (sill_stream_wait).
 *
 * Returns 0 when all sessions have ended, or
 *
 *   SILL_ECANCELED   the caller was cancelled: so were all sessions
 *   SILL_ENOMEM      it could not begin
 *   SILL_EINVAL      no verbs, or more than 32 767
 *
 * In every case (listener) is closed.
 */
SILL_API SILL_MUST_CHECK int sill_resp_serve(struct sill_resp_server *server,
                                             struct sill_listener *listener,
                                             sill_time deadline);

/* ------------------------------------------------------------------------
 * Server: commands from elsewhere, such as a log that is replayed
 */

/*
 * Opens (*session), one of (server) that has no connection, while (server) does
 * not serve. No walk meets it, and of the statistics it changes (commands) and
 * (refused) alone; sill_resp_session_peer is SILL_ECLOSED.
 *
 * Returns 0 or, with NULL in (*session), SILL_ENOMEM, or SILL_EINVAL as
 * sill_resp_serve does. Never suspends.
 */
SILL_API SILL_MUST_CHECK int
sill_resp_local_open(struct sill_resp_server *server,
                     struct sill_resp_session **session);

/*
 * Has the command of (count) arguments, one at least, answered as if a client
 * had sent it, by (server)->call or the verb's handler, which may suspend.
 *
 * reply    receives the bytes of the reply, and lasts until the next call.
 *
 * Returns 0; or what the handler failed with, or SILL_ENOMEM or SILL_EMSGSIZE
 * for its reply, with (reply) empty. The session can be used on in any case.
 */
SILL_API SILL_MUST_CHECK int
sill_resp_local_call(struct sill_resp_session *session,
                     const struct sill_resp_view *args, size_t count,
                     struct sill_resp_view *reply);

/* Closes (session), which may be NULL, and frees it. Never suspends. */
SILL_API void sill_resp_local_close(struct sill_resp_session *session);

/* ------------------------------------------------------------------------
 * Client
 *
 * Many tasks of one loop share one connection. Each just calls and waits; what
 * they ask for at the same time leaves with one write, and the replies find
 * their way back in order. A task of its own keeps the connection:
 *
 *     struct sill_resp_client client = {.address = address};
 *     rc = sill_spawn(sill_resp_client_run, &client, &keeper);
 *     ...
 *     rc = sill_resp_client_call(&client, args, 2, 0, &answer, deadline);
 *     if (rc == 0)
 *         use answer.values[0];
 *     sill_resp_answer_free(&answer);
 *     ...
 *     sill_cancel(keeper, SILL_NEVER);
 */

/* A reply, with all that it points to; a zeroed one is empty. */
struct sill_resp_answer {
    const struct sill_resp_value *values; /* values[0] is the reply */
    size_t count;

    /* private */
    void *block;
};

/* Frees what (answer) holds, and zeroes it. Never suspends. */
SILL_API void sill_resp_answer_free(struct sill_resp_answer *answer);

/* How a command may be treated; to be or-ed. */
enum sill_resp_flag {
    /* It may be done twice: when the connection is lost before the reply came,
     * it is sent again over the next one. */
    SILL_RESP_AGAIN = 1
};

struct sill_resp_call;
struct sill_resp_link;
struct sill_resp_waiter;

/* Private: a connection, and what was read of it. */
struct sill_resp_wire {
    struct sill_stream stream;
    const struct sill_resp_limits *limits;
    char *in;
    size_t in_size, in_begin, in_end;
    struct sill_resp_value *values;
    size_t room;
    uint64_t reads; /* that brought something */
};

/*
 * A client. Zero it, set the address and what else shall differ from the
 * defaults, and spawn sill_resp_client_run. It and what it points to stay in
 * their place until that has ended and no call is left.
 */
struct sill_resp_client {
    struct sill_address address;

    /* What is said first on each connection. */
    int version;          /* of RESP, 2 or 3; 0: 2 */
    const char *user;     /* NULL: "default" */
    const char *password; /* NULL: none is given; with (user), 1 900 bytes */
    int database;         /* selected when it is not 0 */

    /* Called for what the server pushes (RESP3), from the client's task, or
     * from one in sill_resp_link_call, with (values) as in sill_resp_answer.
     * Must not suspend. May be NULL. */
    void (*pushed)(void *arg, const struct sill_resp_value *values,
                   size_t count);
    void *arg; /* yours */

    /* 0 means the default, which is given behind. */
    sill_duration connect_timeout; /* until the first replies are there; 5 s */
    sill_duration reply_timeout;   /* of the shared connection, without a byte
                                      from the server or taken by it; 10 s */
    sill_duration pause_min; /* before a second attempt, then twice, ... ; 50
                                ms */
    sill_duration pause_max; /* ... as long each time, up to this; 5 s */
    size_t pending_max; /* bytes of commands that have no reply yet, 32 more for
                           each and for each argument; 16 MiB */
    size_t links_max;   /* that are lent and kept; 16 */
    struct sill_resp_limits limits; /* each 0: as SILL_RESP_LIMITS_INIT */

    /* How much was done; to be read at any time. */
    struct {
        bool connected;       /* right now */
        uint64_t connections; /* that were good for commands */
        uint64_t failures;    /* attempts that were not */
        int failure;          /* what the last attempt or connection ended with:
                                 a SILL_E code, or SILL_EOF */
        uint64_t calls;       /* sent, each time counted */
        uint64_t lost;        /* calls that a lost connection ended */
        uint64_t dropped;     /* replies that nobody waited for any more */
    } stats;

    /* private */
    struct sill_resp_call *first, **end, *unsent;
    size_t pending;
    struct sill_resp_wire wire;
    struct sill_trigger news;
    sill_time due;
    uint64_t heard;
    bool ended;
    size_t turns;
    struct sill_resp_waiter *waiter;
    struct sill_resp_link *idle;
};

/*
 * A task: keeps (client), a struct sill_resp_client *, connected, sends its
 * calls and reads the replies. An attempt that fails and a connection that is
 * lost are followed by the next attempt, after a pause that grows while none
 * succeeds. Runs until it is cancelled: that ends all calls, those that were
 * sent as a lost connection does, the others with SILL_ECLOSED. It may then be
 * spawned again; calls are SILL_ECLOSED until it runs.
 *
 * Returns SILL_ECANCELED, or SILL_EINVAL for a version other than 2 and 3.
 */
SILL_API int sill_resp_client_run(void *client);

/*
 * Sends a command of (count) arguments, and waits for its reply.
 *
 * flags    SILL_RESP_AGAIN, or 0.
 * answer   receives the reply, of any type, errors of the server among them;
 *          empty after a failure.
 *
 * Without a connection it waits for one. Commands leave in the order of the
 * calls, and nothing holds one back but (pending_max). A command that blocks in
 * the server keeps all others waiting, and one that does so for longer than
 * (reply_timeout) loses them the connection, as a server that has fallen asleep
 * does: BLPOP and its like belong on a link. Verbs that are about the
 * connection, which is everybody's, do not fit here: MULTI, EXEC, DISCARD,
 * WATCH, UNWATCH, SELECT, HELLO, AUTH, QUIT, RESET, READONLY, READWRITE,
 * ASKING, CLIENT REPLY, MONITOR, SYNC, PSYNC, and SUBSCRIBE and its kin.
 *
 * Returns 0 when there is a reply, or
 *
 *   SILL_ECANCELED, SILL_ETIMEDOUT
 *                     the task gave up: the command was not sent and never will
 *                     be, or it was, and its reply is dropped when it comes
 *   SILL_ECONNRESET   the connection was lost after it was sent: it was done or
 *                     it was not. Never with SILL_RESP_AGAIN
 *   SILL_EMSGSIZE     its reply passes one of (limits), and SILL_EPROTO: what
 *                     came in its place is none; the connection is lost with it
 *   SILL_EBUSY        more than (pending_max) bytes would wait
 *   SILL_ECLOSED      sill_resp_client_run has ended; with SILL_RESP_AGAIN, it
 *                     may have been done
 *   SILL_EINVAL       no argument, or a verb that does not fit
 *   SILL_ENOMEM       for the command, or for its reply, which is lost
 */
SILL_API SILL_MUST_CHECK int
sill_resp_client_call(struct sill_resp_client *client,
                      const struct sill_resp_view *args, size_t count,
                      unsigned flags, struct sill_resp_answer *answer,
                      sill_time deadline);

/* ------------------------------------------------------------------------
 * Links
 *
 * What is about the connection needs one of its own, and so does what blocks in
 * the server. A link is a connection of a client that one task has for itself:
 * it adds commands, and takes what the server says, in order. A transaction, as
 * one write and one wait:
 *
 *     rc = sill_resp_link_take(&link, &client, deadline);
 *     ...
 *     sill_resp_link_add(link, multi, 1);
 *     sill_resp_link_add(link, incr, 2);
 *     sill_resp_link_add(link, exec, 1);
 *     for (int i = 0; i < 3 && rc == 0; i++)
 *         rc = sill_resp_link_next(link, &answer, deadline);
 *     if (rc == 0)
 *         use answer.values[1], what INCR said;
 *     sill_resp_link_give(link);
 *
 * And what others publish:
 *
 *     sill_resp_link_add(link, subscribe, 2);
 *     while (sill_resp_link_next(link, &answer, SILL_NEVER) == 0)
 *         use answer.values;
 *
 * The client says where and as whom. sill_resp_client_run is not needed.
 */

struct sill_resp_link {
    /* private */
    struct sill_resp_client *client;
    struct sill_resp_link *next;
    struct sill_resp_wire wire;
    char *out;
    size_t out_size, out_begin, out_end;
    uint64_t owed;
    unsigned state;
    bool is_open;
};

/*
 * Opens (link), which is the caller's, as a connection of (client), which must
 * outlive it: connects, and says what is said first, in the client's
 * (connect_timeout).
 *
 * Returns 0, or, with (link) closed,
 *
 *   SILL_EACCES   the server refused one of the first words
 *   SILL_EINVAL   they are too long, or of a version other than 2 and 3
 *   SILL_EOF      it ended the connection; and errors of sill_stream_connect,
 *                 SILL_ETIMEDOUT among them, or of sill_resp_link_next
 */
SILL_API SILL_MUST_CHECK int
sill_resp_link_open(struct sill_resp_link *link,
                    struct sill_resp_client *client, sill_time deadline);

/* Closes (link); what was added and not sent never will be. Twice is harmless.
 * Never suspends. */
SILL_API void sill_resp_link_close(struct sill_resp_link *link);

/*
 * Adds the command of (count) arguments, a copy, to what is sent when the next
 * reply is waited for. Any verb will do. Never suspends.
 *
 * Returns 0, or, with nothing added,
 *
 *   SILL_EBUSY    more than (pending_max) bytes would wait to be sent: take a
 *                 reply first
 *   SILL_EINVAL   no argument
 *   SILL_ECLOSED, SILL_ENOMEM
 */
SILL_API SILL_MUST_CHECK int
sill_resp_link_add(struct sill_resp_link *link,
                   const struct sill_resp_view *args, size_t count);

/*
 * Sends what was added, and waits for what the server says next: a reply, for
 * each command one and in their order; what it pushes; or, after SUBSCRIBE and
 * its kin or MONITOR, whatever it may be: their own replies and all that comes
 * later. In RESP3 what is pushed is a SILL_RESP_PUSH, in RESP2 an array.
 *
 * answer   lives until the next call on (link), and need not be freed; empty
 *          after a failure.
 *
 * No pipeline is too long for it: while the peer does not take more, replies
 * are. Returns 0, or
 *
 *   SILL_ECANCELED, SILL_ETIMEDOUT, SILL_ENOMEM
 *                   nothing was taken: what is due comes with the next call
 *   SILL_EOF, SILL_ECONNRESET, SILL_EPIPE
 *                   the server ended the connection; or it had to be ended,
 *                   since memory for sending was missing
 *   SILL_EMSGSIZE   a reply passes one of (limits)
 *   SILL_EPROTO     it is none, or nobody asked for it
 *   SILL_ECLOSED
 *
 * or another error of sill_stream_read or sill_stream_write. But for the first
 * three, (link) is of no use any more: close it, or give it back.
 */
SILL_API SILL_MUST_CHECK int
sill_resp_link_next(struct sill_resp_link *link,
                    struct sill_resp_answer *answer, sill_time deadline);

/*
 * Is sill_resp_link_add and sill_resp_link_next for one command. What is pushed
 * before the reply goes to the client's (pushed).
 *
 * Returns as these do, SILL_EINVAL also for SUBSCRIBE and its kin, MONITOR,
 * SYNC, PSYNC and CLIENT REPLY, which have not one reply; and SILL_EBUSY also
 * while replies are due or after one of these. So a call that was given up does
 * not leave its reply to the next one: take it with sill_resp_link_next, or
 * close (link).
 */
SILL_API SILL_MUST_CHECK int
sill_resp_link_call(struct sill_resp_link *link,
                    const struct sill_resp_view *args, size_t count,
                    struct sill_resp_answer *answer, sill_time deadline);

/*
 * Lends a link of (client): an idle one, or a new one, as long as there are not
 * more than (links_max). Else it waits until one is given back; who came first
 * is first.
 *
 * Returns 0, with (*link) to be given back; or, with NULL there, SILL_ECANCELED
 * or SILL_ETIMEDOUT, SILL_ENOMEM, or an error of sill_resp_link_open.
 */
SILL_API SILL_MUST_CHECK int
sill_resp_link_take(struct sill_resp_link **link,
                    struct sill_resp_client *client, sill_time deadline);

/*
 * Gives (link), a link that was taken, back. It is kept for the next one if it
 * is as new: open, with no reply due, in no transaction, with no watched keys,
 * and with no command of these in its past: SUBSCRIBE and its kin, MONITOR,
 * SYNC, PSYNC, SELECT, HELLO, AUTH, QUIT, RESET, READONLY, READWRITE, ASKING,
 * CLIENT. Else it is closed. Never suspends.
 */
SILL_API void sill_resp_link_give(struct sill_resp_link *link);

/* Closes the idle links of (client): before it goes, when all were given back.
 * Never suspends. */
SILL_API void sill_resp_links_close(struct sill_resp_client *client);

SILL_END

#endif
