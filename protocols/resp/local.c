/* SPDX-License-Identifier: MIT */
/*
 * local.c: a session without a connection. Its replies are gathered as those of
 * all others are, and go nowhere.
 */
#include "server.h"

#include <sill/error.h>
#include <sill/hooks.h>

int sill_resp_local_open(struct sill_resp_server *server,
                         struct sill_resp_session **session)
{
    *session = NULL;
    int rc = sill_resp_verbs_open(server);
    if (rc != 0)
        return rc;
    *session = sill_resp_session_open(server);
    if (*session == NULL) {
        sill_resp_verbs_close(server);
        return SILL_ENOMEM;
    }
    sill_resp_server_settle(server);
    if (server->opened != NULL)
        server->opened(*session);
    return 0;
}

int sill_resp_local_call(struct sill_resp_session *session,
                         const struct sill_resp_view *args, size_t count,
                         struct sill_resp_view *reply)
{
    struct sill_resp_encoder *out = &session->out;
    *reply = (struct sill_resp_view){NULL, 0};
    out->used = 0;
    out->error = 0;
    session->handling = true;
    int rc = sill_resp_verb_answer_args(session, args, count);
    sill_resp_output_release(session);
    if (rc >= 0 && out->error != 0)
        rc = session->failure;
    if (rc < 0)
        return rc;
    *reply = (struct sill_resp_view){out->data, out->used};
    return 0;
}

void sill_resp_local_close(struct sill_resp_session *session)
{
    if (session == NULL)
        return;
    struct sill_resp_server *server = session->server;
    if (server->closed != NULL)
        server->closed(session);
    sill_resp_output_fini(session);
    sill_resp_session_close(session);
    sill_resp_verbs_close(server);
    sill_free(server->spare);
    server->spare = NULL;
}
