/* SPDX-License-Identifier: MIT */
/*
 * resp-cli.h: the parts of resp-cli that know nothing of connections.
 */
#ifndef RESP_CLI_H
#define RESP_CLI_H

#include <sill_resp.h>

#include <stdbool.h>
#include <stddef.h>

/* print.c: prints a value as redis-cli does: for people, or raw. */
void cli_print(const struct sill_resp_value *value, bool raw);

/*
 * words.c: takes (line) apart, in place, into words, for each of which there
 * has to be room: one for every two bytes of the line. "Quotes" and 'quotes'
 * have the meaning that they have for redis-cli.
 *
 * Returns whether they match.
 */
bool cli_split(char *line, struct sill_resp_view *words, size_t *count);

#endif
