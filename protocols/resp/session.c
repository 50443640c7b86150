/* SPDX-License-Identifier: MIT */
/*
 * session.c: the life of one session, a task: whatever a read brings, an answer
 * to each command in it, and one write.
 */
#include "server.h"

#include <sill/error.h>
#include <sill/hooks.h>
#include <sill/task.h>

#include <string.h>

#define LINGER_TIME (2 * SILL_SECOND)

struct sill_resp_session *
sill_resp_session_open(struct sill_resp_server *server)
{
    struct sill_resp_session *s =
        sill_alloc(sizeof(*s) + server->session_size + IN_SIZE);
    if (s == NULL)
        return NULL;
    memset(s, 0, sizeof(*s) + server->session_size);
    s->server = server;
    s->in = s->first_in = (char *)s->data + server->session_size;
    s->in_size = IN_SIZE;
    sill_resp_command_init(&s->command, s->few, ARGS_SIZE, &server->limits);
    sill_resp_output_init(s);
    return s;
}

/* ---- memory for commands ---- */

static void use_in(struct sill_resp_session *s, char *data, size_t size)
{
    memcpy(data, s->in + s->begin, s->end - s->begin);
    if (s->in != s->first_in)
        sill_free(s->in);
    s->in = data;
    s->in_size = size;
    s->end -= s->begin;
    s->begin = 0;
}

static void lend_in(struct sill_resp_session *s)
{
    struct sill_resp_server *server = s->server;
    char *data = s->in;
    s->in = s->first_in;
    s->in_size = IN_SIZE;
    if (server->spare_in == NULL)
        server->spare_in = data;
    else
        sill_free(data);
}

static void take_in(struct sill_resp_session *s)
{
    struct sill_resp_server *server = s->server;
    char *data =
        server->spare_in != NULL ? server->spare_in : sill_alloc(IN_LARGE);
    server->spare_in = NULL;
    if (data == NULL)
        return;
    s->in = data;
    s->in_size = IN_LARGE;
}

static void use_args(struct sill_resp_session *s, struct sill_resp_view *args,
                     size_t room)
{
    struct sill_resp_command *c = &s->command;
    memcpy(args, c->args, c->count * sizeof(*args));
    if (c->args != s->few)
        sill_free(c->args);
    c->args = args;
    c->room = room;
}

/* Gives back what a session that is idle does not need. */
static void shrink(struct sill_resp_session *s)
{
    s->begin = s->end = 0;
    if (s->in_size > IN_LARGE || (s->in_size > IN_SIZE && s->got <= IN_SIZE))
        use_in(s, s->first_in, IN_SIZE);
    if (s->command.room > ARGS_LARGE)
        use_args(s, s->few, ARGS_SIZE);
}

void sill_resp_session_close(struct sill_resp_session *s)
{
    sill_stream_close(&s->base.stream);
    shrink(s);
    if (s->in != s->first_in)
        sill_free(s->in);
    if (s->command.args != s->few)
        sill_free(s->command.args);
    sill_free(s);
}

static int grow(struct sill_resp_session *s)
{
    uint64_t most = s->server->limits.message;
    size_t size = s->in_size < IN_LARGE ? IN_LARGE : 2 * s->in_size;
    if (size > most && s->in_size < most)
        size = (size_t)most;
    char *data = sill_alloc(size);
    if (data == NULL)
        return SILL_ENOMEM;
    use_in(s, data, size);
    return 0;
}

/* Makes room for bytes behind those that are there. */
static int make_room(struct sill_resp_session *s)
{
    if (s->end < s->in_size)
        return 0;
    if (s->begin < s->in_size / 2 &&
        (s->begin == 0 || s->in_size < s->server->limits.message))
        return grow(s);
    memmove(s->in, s->in + s->begin, s->end - s->begin);
    s->end -= s->begin;
    s->begin = 0;
    return 0;
}

static int make_room_for_args(struct sill_resp_session *s)
{
    size_t room = 2 * s->command.room;
    struct sill_resp_view *args = sill_alloc(room * sizeof(*args));
    if (args == NULL)
        return SILL_ENOMEM;
    use_args(s, args, room);
    return 0;
}

/* ---- commands ---- */

/* Returns the size of the next command, 0 when it is not complete, or an
 * error. */
static ssize_t parse(struct sill_resp_session *s)
{
    ssize_t size;
    int rc = 0;
    while (rc == 0) {
        size = sill_resp_command_parse(&s->command, s->in + s->begin,
                                       s->end - s->begin);
        if (size != SILL_RESP_EROOM)
            return size;
        rc = make_room_for_args(s);
    }
    return rc;
}

/* Answers what was no command, and ends the session. */
static void refuse(struct sill_resp_session *s, int error)
{
    if (error == SILL_ENOMEM) {
        s->server->stats.exhausted++;
        sill_resp_output_break(s, error);
        return;
    }
    s->server->stats.rejected++;
    s->ending = true;
    sill_resp_encode_refusal(&s->out, &s->command, error);
}

/* The arguments of a command are not needed any more. */
static void release_held(struct sill_resp_session *s)
{
    if (s->held == NULL)
        return;
    if (s->held != s->first_in)
        sill_free(s->held);
    s->held = NULL;
    s->held_size = 0;
}

static void answer(struct sill_resp_session *s)
{
    if (s->command.count == 0)
        return;
    s->handling = true;
    s->answered = sill_resp_output_position(s);
    int rc = sill_resp_verb_answer(s);
    sill_resp_output_release(s);
    release_held(s);
    if (rc < 0)
        sill_resp_output_break(s, rc);
    if (s->out.used > GATHERED_MAX || s->out.error != 0)
        (void)sill_resp_output_send(s);
}

static bool is_open(const struct sill_resp_session *s)
{
    return s->broken == 0 && !s->ending;
}

/* Answers all commands that are there. */
static void answer_all(struct sill_resp_session *s)
{
    while (s->begin < s->end && is_open(s)) {
        ssize_t size = parse(s);
        if (size == 0)
            return;
        if (size < 0) {
            refuse(s, (int)size);
            return;
        }
        s->begin += (size_t)size;
        answer(s);
        sill_resp_command_init(&s->command, s->command.args, s->command.room,
                               &s->server->limits);
    }
}

static sill_time patience(const struct sill_resp_session *s)
{
    const struct sill_resp_server *server = s->server;
    if (s->base.idle && server->service.draining)
        return SILL_PAST;
    return server->idle_timeout == 0 ? SILL_NEVER
                                     : sill_after(server->idle_timeout);
}

static ssize_t fill(struct sill_resp_session *s, sill_time limit)
{
    ssize_t got = sill_stream_read(&s->base.stream, s->in + s->end,
                                   s->in_size - s->end, limit);
    if (got > 0)
        s->end += (size_t)got;
    return got;
}

/* Lends its large buffer to others while it waits, where its stream can tell
 * when something comes; without memory it goes on with the small one. */
static ssize_t fill_when_ready(struct sill_resp_session *s, sill_time limit)
{
    lend_in(s);
    int rc = sill_stream_wait(&s->base.stream, limit);
    if (rc != 0 && rc != SILL_EOPNOTSUPP)
        return rc;
    take_in(s);
    return fill(s, limit);
}

/* Sends the answers and reads once. Returns what sill_stream_read does. */
static ssize_t receive(struct sill_resp_session *s)
{
    bool is_full = s->end == s->in_size;
    int rc = sill_resp_output_send(s);
    if (rc != 0)
        return rc;
    s->base.idle = s->begin == s->end;
    if (s->base.idle)
        shrink(s);
    /* Who pipelines would cost two reads and two writes each time. */
    if (is_full && s->in_size == IN_SIZE)
        (void)grow(s);
    rc = make_room(s);
    if (rc != 0) {
        refuse(s, rc);
        return rc;
    }
    s->waiting = true;
    ssize_t got = s->base.idle && s->in_size == IN_LARGE
                      ? fill_when_ready(s, patience(s))
                      : fill(s, patience(s));
    s->waiting = s->base.idle = false;
    if (got > 0)
        s->got = (is_full ? s->got : 0) + (size_t)got;
    return got;
}

/*
 * A close with bytes unread resets the connection, and the peer might never
 * see the answer: reads on for a while.
 */
static void linger(struct sill_resp_session *s)
{
    sill_time limit = sill_after(LINGER_TIME);
    size_t total = 0;

    if (sill_stream_shutdown(&s->base.stream, limit) != 0)
        return;
    while (total < LINGERED_MAX) {
        ssize_t got =
            sill_stream_read(&s->base.stream, s->in, s->in_size, limit);
        if (got <= 0)
            return;
        total += (size_t)got;
    }
}

void sill_resp_session_run(struct sill_resp_session *s)
{
    sill_task_set_name("resp session");
    while (is_open(s) && receive(s) > 0)
        answer_all(s);
    if (s->ending && sill_resp_output_send(s) == 0)
        linger(s);
    sill_resp_output_fini(s);
}

/* ---- what others ask ---- */

struct sill_resp_server *
sill_resp_session_server(const struct sill_resp_session *session)
{
    return session->server;
}

uint64_t sill_resp_session_id(const struct sill_resp_session *session)
{
    return session->id;
}

void *sill_resp_session_data(struct sill_resp_session *session)
{
    return session->data;
}

int sill_resp_session_version(const struct sill_resp_session *session)
{
    return session->out.version;
}

void sill_resp_session_set_version(struct sill_resp_session *session,
                                   int version)
{
    session->out.version = version;
}

uint64_t sill_resp_session_refused(const struct sill_resp_session *session)
{
    return session->refused;
}

sill_time sill_resp_session_since(const struct sill_resp_session *session)
{
    return session->since;
}

int sill_resp_session_peer(const struct sill_resp_session *session,
                           struct sill_address *address)
{
    return sill_stream_peer(&session->base.stream, address);
}

struct sill_resp_usage
sill_resp_session_usage(const struct sill_resp_session *session)
{
    const struct sill_resp_session *s = session;
    size_t memory = sizeof(*s) + s->server->session_size + IN_SIZE;
    if (s->in != s->first_in)
        memory += s->in_size;
    if (s->held != NULL && s->held != s->first_in)
        memory += s->held_size;
    if (s->command.args != s->few)
        memory += s->command.room * sizeof(*s->few);
    memory += s->out.size + s->late.size + s->going.size;
    return (struct sill_resp_usage){
        .unread = s->end - s->begin,
        .room = s->in_size - s->end,
        .unsent = sill_resp_output_unsent(s),
        .memory = memory,
    };
}

void sill_resp_session_end(struct sill_resp_session *session)
{
    session->ending = true;
}

void sill_resp_session_kill(struct sill_resp_session *session)
{
    sill_resp_output_break(session, SILL_ECLOSED);
}

struct sill_resp_session *
sill_resp_session_next(const struct sill_resp_server *server,
                       const struct sill_resp_session *session)
{
    const struct sill_connection *c = session != NULL ? &session->base : NULL;
    return (struct sill_resp_session *)sill_service_next(&server->service, c);
}
