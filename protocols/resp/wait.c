/* SPDX-License-Identifier: MIT */
/*
 * wait.c: a handler waits for something that is not its peer's. Meanwhile a
 * task beside it reads on, to see when the peer goes.
 */
#include "server.h"

#include <sill/error.h>
#include <sill/hooks.h>
#include <sill/task.h>

#include <string.h>

void sill_resp_session_wake(struct sill_resp_session *s)
{
    if (s->waiter != NULL && sill_resume(s->waiter, SILL_ECLOSED))
        s->woken = true;
}

/* Whether there is room behind what was read. The buffer that the handler's
 * arguments point into stays: once, another one takes its place. */
static bool has_room(struct sill_resp_session *s)
{
    size_t unread = s->end - s->begin;
    if (s->end < s->in_size)
        return true;
    char *data = s->held == NULL ? sill_alloc(unread + IN_LARGE) : NULL;
    if (data == NULL)
        return false;
    memcpy(data, s->in + s->begin, unread);
    s->held = s->in;
    s->held_size = s->in_size;
    s->in = data;
    s->in_size = unread + IN_LARGE;
    s->begin = 0;
    s->end = unread;
    return true;
}

static int read_ahead(void *arg)
{
    struct sill_resp_session *s = arg;

    sill_task_set_name("resp reading ahead");
    while (has_room(s)) {
        ssize_t got = sill_stream_read(&s->base.stream, s->in + s->end,
                                       s->in_size - s->end, SILL_NEVER);
        if (got == SILL_ECANCELED)
            return 0;
        if (got <= 0) {
            sill_resp_session_wake(s);
            return 0;
        }
        s->end += (size_t)got;
    }
    return 0;
}

/* Suspends as a session that sends what it is given, unless that would cut a
 * reply in two. */
static int suspend(struct sill_resp_session *s, struct sill_trigger *trigger,
                   sill_time deadline)
{
    bool between = sill_resp_output_position(s) == s->answered;
    if (between)
        sill_resp_output_release(s);
    s->waiter = trigger;
    int rc = sill_resp_output_ask(s);
    if (rc == 0) {
        s->waiting = true;
        sill_resp_output_nudge(s);
        rc = sill_suspend(trigger, deadline);
    }
    s->waiter = NULL;
    s->waiting = false;
    s->handling = true;
    if (between)
        s->answered = sill_resp_output_position(s);
    return rc;
}

int sill_resp_session_wait(struct sill_resp_session *session,
                           struct sill_trigger *trigger, sill_time deadline)
{
    struct sill_task *reader = NULL;
    int rc = SILL_ECLOSED;

    session->woken = false;
    if (session->broken == 0 && !session->server->service.draining)
        rc = sill_spawn(read_ahead, session, &reader);
    if (rc == 0)
        rc = suspend(session, trigger, deadline);
    if (reader != NULL)
        sill_cancel(reader, SILL_NEVER);
    /* It may have been resumed while this waited for the reader. */
    if (rc != 0 && !sill_resume(trigger, rc))
        rc = sill_suspend(trigger, SILL_PAST);
    return session->woken ? SILL_ECLOSED : rc;
}
