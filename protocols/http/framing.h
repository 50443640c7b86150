/* SPDX-License-Identifier: MIT */
/*
 * framing.h: what the parser of heads asks about the headers that decide where
 * a message ends.
 */
#ifndef SILL_HTTP_FRAMING_H
#define SILL_HTTP_FRAMING_H

#include "sill_http_message.h"

/* Looks at a (header) of (head) that was just parsed. Returns 0, or an error
 * when it makes the message ambiguous or unsound. */
int sill_http_framing_note(struct sill_http_head *head,
                           const struct sill_http_header *header);

/* Decides about the complete (head). Returns 0 or an error. */
int sill_http_framing_decide(struct sill_http_head *head);

#endif
