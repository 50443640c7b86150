/* SPDX-License-Identifier: MIT */
/*
 * Peers that no client is like: one sends many commands before it reads a
 * reply, one does not end its command, one does not read, one does not speak
 * RESP.
 */
#include "scene.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { LETTERS = 300, ROOM = QUICK * (LETTERS + 100) };

/* Some bytes, with a NUL behind. */
struct text {
    size_t size;
    char at[ROOM];
};

__attribute__((format(printf, 2, 3))) static void add(struct text *text,
                                                      const char *format, ...)
{
    va_list args;

    va_start(args, format);
    text->size += (size_t)vsnprintf(text->at + text->size, ROOM - text->size,
                                    format, args);
    va_end(args);
}

/* Adds a command, in either of its two forms. */
static void add_command(struct text *text, const struct command *command)
{
    struct words words;
    bool is_inline = command->size > 0 && scene_chance(4);

    scene_put(command, &words);
    add(text, is_inline ? "" : "*3\r\n");
    for (int i = 0; i < 3; i++) {
        if (!is_inline)
            add(text, "$%zu\r\n", words.args[i].size);
        add(text, "%.*s%s", (int)words.args[i].size, words.args[i].at,
            is_inline && i < 2 ? " " : "\r\n");
    }
}

/* Adds the reply to it. */
static void add_reply(struct text *text, const struct command *command)
{
    struct sill_resp_view letters = scene_letters(command);

    if (command->kind == REFUSE) {
        add(text, "-NO %u %u\r\n", command->number, command->who);
        return;
    }
    add(text, "*3\r\n:%u\r\n:%u\r\n$%zu\r\n%.*s\r\n", command->number,
        command->who, letters.size, (int)letters.size, letters.at);
    if (command->kind == TELL)
        add(text, "*2\r\n$4\r\ntold\r\n$%d\r\n%u\r\n",
            snprintf(NULL, 0, "%u", command->number), command->number);
}

static struct command *draw_command(struct scene *scene, unsigned peer)
{
    static const enum kind kinds[] = {ECHO, GIVE, SLOW, TELL, REFUSE};
    struct command *command = scene_add(scene, kinds[sill_sim_random(5)],
                                        HOSTS * TASKS + TASKS * peer);

    command->size = sill_sim_random(LETTERS);
    return command;
}

/* Says how (count) commands ended, of which (answered) were answered. */
static int conclude(struct scene *scene, unsigned count, unsigned answered,
                    int rc)
{
    scene->run->answered += answered;
    scene->run->failed += count - answered;
    if (answered < count && scene->troubles == 0)
        sill_scenario_wrong(scene->run, "a raw peer got %u of %u answers: %s",
                            answered, count, sill_strerror(rc));
    return 0;
}

static int reach(struct scene *scene, struct sill_stream *stream,
                 sill_time deadline)
{
    struct sill_address address;

    sill_sim_host_address(scene->server.host, 6379, &address);
    return sill_stream_connect(stream, &address, NULL, deadline);
}

/* Sends the first (size) bytes of (text), at once or one by one. */
static int send(struct sill_stream *stream, const struct text *text,
                size_t size, sill_time deadline)
{
    size_t piece = scene_chance(2) ? size : 1;
    int rc = 0;

    for (size_t at = 0; at < size && rc == 0; at += piece) {
        rc =
            sill_stream_write_all(stream, text->at + at, piece, NULL, deadline);
        if (rc == 0 && scene_chance(64))
            rc = scene_rest(2 * SILL_MILLISECOND);
    }
    return rc;
}

/* Reads the bytes of (due), all of them. Returns SILL_EPROTO for others. */
static int expect(struct sill_stream *stream, const struct text *due,
                  sill_time deadline)
{
    struct text text;
    int rc = sill_stream_read_full(stream, text.at, due->size, NULL, deadline);

    if (rc == 0 && memcmp(text.at, due->at, due->size) != 0)
        rc = SILL_EPROTO;
    return rc;
}

/* Reads up to the end, with the number of bytes in (*sofar). */
static int read_all(struct sill_stream *stream, size_t *sofar,
                    sill_time deadline)
{
    char buffer[4096];
    ssize_t got;

    while ((got = sill_stream_read(stream, buffer, sizeof(buffer), deadline)) >
           0)
        *sofar += (size_t)got;
    return (int)got;
}

/* ---- the quick one ---- */

/* Is answered in order, with what is pushed behind the reply. */
int scene_be_quick(void *arg)
{
    struct scene *scene = arg;
    struct command *commands[QUICK];
    struct sill_stream stream = {0};
    sill_time deadline = sill_after(20 * SILL_SECOND);
    unsigned count = 1 + (unsigned)sill_sim_random(QUICK), answered = 0;
    struct text text = {0};
    int rc = reach(scene, &stream, deadline);

    for (unsigned i = 0; i < count; i++) {
        commands[i] = draw_command(scene, 0);
        add_command(&text, commands[i]);
    }
    if (rc == 0)
        rc = send(&stream, &text, text.size, deadline);
    while (rc == 0 && answered < count) {
        struct text due = {0};

        add_reply(&due, commands[answered]);
        rc = expect(&stream, &due, deadline);
        if (rc == SILL_EPROTO)
            scene_wrong(scene, commands[answered], "a reply out of turn", 0);
        answered += rc == 0;
    }
    sill_stream_close(&stream);
    return conclude(scene, count, answered, rc);
}

/* ---- the slow one ---- */

/* Is not waited for, and not answered. */
int scene_be_slow(void *arg)
{
    struct scene *scene = arg;
    const struct command *command = draw_command(scene, 1);
    struct sill_stream stream = {0};
    sill_time deadline = sill_after(SILL_MINUTE);
    struct text text = {0};
    size_t sofar = 0;
    int rc = reach(scene, &stream, deadline);

    add_command(&text, command);
    if (rc == 0)
        rc = send(&stream, &text, 1 + sill_sim_random(text.size - 2), deadline);
    if (rc == 0)
        rc = read_all(&stream, &sofar, deadline);
    if (sofar > 0 || command->handled > 0)
        scene_wrong(scene, command, "half a command was answered", (long)sofar);
    sill_stream_close(&stream);
    return conclude(scene, 1, rc == 0, rc);
}

/* ---- the deaf one ---- */

/* Is not waited for either, be it that it asks for much, or is pushed much. */
int scene_be_deaf(void *arg)
{
    struct scene *scene = arg;
    struct command *command = scene_add(scene, GIVE, HOSTS * TASKS + TASKS * 2);
    struct sill_stream stream = {0};
    sill_time deadline = sill_after(5 * SILL_MINUTE);
    struct text text = {0};
    size_t sofar = 0;
    int rc = reach(scene, &stream, deadline);

    command->size = MUCH;
    if (scene_chance(2))
        add_command(&text, command);
    else
        add(&text, "HELLO 3 deaf\r\n");
    if (rc == 0)
        rc = send(&stream, &text, text.size, deadline);
    if (rc == 0)
        rc = sill_sleep(sill_after(2 * SILL_MINUTE));
    if (rc == 0)
        rc = read_all(&stream, &sofar, deadline);
    if (sofar >= MUCH)
        scene_wrong(scene, command, "a deaf peer was waited for", (long)sofar);
    sill_stream_close(&stream);
    return conclude(scene, 1, rc == 0 || rc == SILL_ECONNRESET, rc);
}

/* ---- the rude one ---- */

/* Is answered as long as it spoke RESP, told why that is all, and left. */
int scene_be_rude(void *arg)
{
    static const struct {
        const char *said, *answer;
    } rubbish[] = {{"*x\r\n", "invalid multibulk length"},
                   {"*3\r\n+what\r\n", "expected '$', got '+'"},
                   {"*1\r\n$-5\r\n", "invalid bulk length"},
                   {"echo \"no end\r\n", "unbalanced quotes in request"}};

    size_t which = sill_sim_random(sizeof(rubbish) / sizeof(*rubbish));
    struct scene *scene = arg;
    const struct command *before = draw_command(scene, 3);
    struct sill_stream stream = {0};
    sill_time deadline = sill_after(SILL_MINUTE);
    struct text text = {0}, due = {0};
    size_t sofar = 0;
    int rc = reach(scene, &stream, deadline);

    scene->rude++;
    add_command(&text, before);
    add(&text, "%s*1\r\n$4\r\nwhat\r\n", rubbish[which].said);
    add_reply(&due, before);
    add(&due, "-ERR Protocol error: %s\r\n", rubbish[which].answer);
    if (rc == 0)
        rc = send(&stream, &text, text.size, deadline);
    if (rc == 0 || rc == SILL_EPIPE)
        rc = expect(&stream, &due, deadline);
    if (rc == 0)
        rc = read_all(&stream, &sofar, deadline);
    if (rc == SILL_EPROTO || sofar > 0)
        scene_wrong(scene, before, "another answer to rubbish", (long)sofar);
    sill_stream_close(&stream);
    return conclude(scene, 1, rc == 0, rc);
}
