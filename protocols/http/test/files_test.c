/* SPDX-License-Identifier: MIT */
/*
 * files_test.c: serving a folder: what is found, what is not, conditions,
 * ranges, and that no path leads out.
 */
#include "server_kit.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { LARGE = 8000000 };

static char place[64]; /* holds "root", which is served, and "secret" */
static struct sill_http_files files;

/* What was made in it, in order. */
static const char *made[32];
static int made_count;

/* Returns the path of (name) in the place; one at a time. */
static const char *in_place(const char *name)
{
    static char path[256];
    snprintf(path, sizeof(path), "%s/%s", place, name);
    return path;
}

/* Returns its path, and remembers to remove it. */
static const char *make(const char *name)
{
    ck_assert_int_lt(made_count, 32);
    made[made_count++] = name;
    return in_place(name);
}

static void make_file(const char *name, const char *text)
{
    FILE *file = fopen(make(name), "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    ck_assert_int_eq(fclose(file), 0);
}

static void make_folder(const char *name)
{
    ck_assert_int_eq(mkdir(make(name), 0755), 0);
}

static void make_link(const char *name, const char *target)
{
    ck_assert_int_eq(symlink(target, make(name)), 0);
}

/* At a round second, so that dates are exact: 2020-02-02 02:02:02. */
static void set_time(const char *name)
{
    struct timespec times[2] = {{1580608922, 0}, {1580608922, 0}};
    ck_assert_int_eq(utimensat(AT_FDCWD, in_place(name), times, 0), 0);
}

static void make_socket(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int size =
        snprintf(address.sun_path, sizeof(address.sun_path), "%s", make(name));
    ck_assert_int_lt(size, (int)sizeof(address.sun_path));
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    close(fd);
}

static void make_place(void)
{
    strcpy(place, "/tmp/sill-files-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(place));
    make_folder("root");
    make_folder("secret");
    make_file("secret/key.txt", "secret");
    make_file("root/index.html", "<p>index</p>");
    make_file("root/a.txt", "0123456789");
    make_file("root/empty", "");
    make_file("root/back\\slash.txt", "backslash");
    make_file("root/..dots", "dots");
    make_file("root/with space.txt", "space");
    make_folder("root/sub");
    make_folder("root/sub/deep");
    make_file("root/sub/index.html", "<p>sub</p>");
    make_file("root/sub/deep/b.json", "{}");
    make_folder("root/bare");
    make_folder("root/odd");
    make_folder("root/odd/index.html");
    make_link("root/link.txt", "a.txt");
    make_link("root/out.txt", "../secret/key.txt");
    make_link("root/out", "../secret");
    make_link("root/loop", "loop");
    ck_assert_int_eq(mkfifo(make("root/pipe"), 0666), 0);
    make_socket("root/socket");
    set_time("root/a.txt");
    ck_assert_int_eq(sill_http_files_open(&files, in_place("root")), 0);
}

static void remove_place(void)
{
    sill_http_files_close(&files);
    remove(in_place("root/large.bin")); /* some cases make it */
    while (made_count > 0)
        ck_assert_int_eq(remove(in_place(made[--made_count])), 0);
    ck_assert_int_eq(rmdir(place), 0);
}

/* Asks for (path) with more (headers), each with its CR LF. */
static char *ask(const struct kit *kit, const char *method, const char *path,
                 const char *headers)
{
    char request[4096];
    snprintf(request, sizeof(request),
             "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s\r\n", method,
             path, headers);
    return peer_ask(kit, request);
}

CASE(files_are_served_with_type_tag_and_date)
{
    struct kit kit = {0};
    kit_start(&kit, sill_http_files_handle, &files);
    char *text = ask(&kit, "GET", "/a.txt", "");
    ck_assert_int_eq(status_of(text), 200);
    ck_assert(has_line(text, "Content-Type: text/plain; charset=utf-8"));
    ck_assert(has_line(text, "Content-Length: 10"));
    ck_assert(has_line(text, "Last-Modified: Sun, 02 Feb 2020 02:02:02 GMT"));
    ck_assert(has_line(text, "ETag: \"5e362d9a-0-a\""));
    ck_assert(has_line(text, "Accept-Ranges: bytes"));
    ck_assert_str_eq(body_of(text), "0123456789");
    free(text);

    text = ask(&kit, "HEAD", "/a.txt", "");
    ck_assert(has_line(text, "Content-Length: 10"));
    ck_assert_str_eq(body_of(text), "");
    free(text);
    text = ask(&kit, "GET", "/empty", "");
    ck_assert(has_line(text, "Content-Length: 0"));
    ck_assert(has_line(text, "Content-Type: application/octet-stream"));
    free(text);
    return kit_stop(&kit);
}

CASE(other_methods_are_refused)
{
    struct kit kit = {0};
    kit_start(&kit, sill_http_files_handle, &files);

    static const struct {
        const char *name;
        int status;
    } methods[] = {{"POST", 405},  {"PUT", 405},   {"DELETE", 405},
                   {"TRACE", 405}, {"PATCH", 405}, {"OPTIONS", 204},
                   {"BREW", 501},  {"get", 501}};

    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        char *text = ask(&kit, methods[i].name, "/a.txt", "");
        ck_assert_int_eq(status_of(text), methods[i].status);
        ck_assert(has_line(text, "Allow: GET, HEAD, OPTIONS") ==
                  (methods[i].status != 501));
        free(text);
    }
    char *text = ask(&kit, "OPTIONS", "*", "");
    ck_assert_int_eq(status_of(text), 204);
    free(text);
    return kit_stop(&kit);
}

static const struct {
    const char *path;
    int status;
    const char *body; /* or where it is redirected to; NULL: not compared */
} paths[] = {
    {"/", 200, "<p>index</p>"},
    {"/?query", 200, "<p>index</p>"},
    {"/a.txt?query", 200, "0123456789"},
    {"//a.txt", 200, "0123456789"},
    {"/%61.txt", 200, "0123456789"},
    {"/a%2etxt", 200, "0123456789"},
    {"/with%20space.txt", 200, "space"},
    {"/back\\slash.txt", 200, "backslash"},
    {"/back%5Cslash.txt", 200, "backslash"},
    {"/..dots", 200, "dots"},
    {"/sub/", 200, "<p>sub</p>"},
    {"/sub//deep///b.json", 200, "{}"},
    {"/sub", 301, "Location: /sub/"},
    {"/sub?a=b", 301, "Location: /sub/?a=b"},
    {"//sub", 301, "Location: /sub/"},
    {"///sub/deep", 301, "Location: /sub/deep/"},
    {"/bare", 301, "Location: /bare/"},
    {"/bare/", 404, NULL},
    {"/odd/", 403, NULL},
    {"/pipe", 403, NULL},
    {"/socket", 403, NULL},
    {"/none", 404, NULL},
    {"/.x", 404, NULL},
    {"/xy", 404, NULL},
    {"/none/none", 404, NULL},
    {"/a.txt/", 404, NULL},
    {"/a.txt/b", 404, NULL},
    {"/..", 404, NULL},
    {"/../", 404, NULL},
    {"/../secret/key.txt", 404, NULL},
    {"/sub/../a.txt", 404, NULL},
    {"/sub/../../secret/key.txt", 404, NULL},
    {"/./a.txt", 404, NULL},
    {"/%2e%2e/secret/key.txt", 404, NULL},
    {"/%2E%2E/secret/key.txt", 404, NULL},
    {"/.%2e/secret/key.txt", 404, NULL},
    {"/sub/%2e%2e/%2e%2e/secret/key.txt", 404, NULL},
    {"/..%2fsecret/key.txt", 404, NULL},
    {"/..%2Fsecret%2Fkey.txt", 404, NULL},
    {"/sub%2fdeep/b.json", 404, NULL},
    {"/%2fetc/passwd", 404, NULL},
    {"//etc/passwd", 404, NULL},
    {"/..\\secret\\key.txt", 404, NULL},
    {"/..%5csecret%5ckey.txt", 404, NULL},
    {"/%252e%252e/secret/key.txt", 404, NULL},
    {"/a.txt%00", 400, NULL},
    {"/a.txt%00.html", 400, NULL},
    {"/%00", 400, NULL},
    {"/%", 400, NULL},
    {"/%4", 400, NULL},
    {"/%zz", 400, NULL},
    {"/link.txt", 404, NULL},
    {"/out.txt", 404, NULL},
    {"/out", 404, NULL},
    {"/out/", 404, NULL},
    {"/out/key.txt", 404, NULL},
    {"/loop", 404, NULL},
    {"/loop/a.txt", 404, NULL},
    {"/pipe/a.txt", 404, NULL},
};

static void check_paths(void)
{
    struct kit kit = {0};
    kit_start(&kit, sill_http_files_handle, &files);
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        char *text = ask(&kit, "GET", paths[i].path, "");
        ck_assert_msg(status_of(text) == paths[i].status, "%s gave %s",
                      paths[i].path, text);
        if (paths[i].status == 301)
            ck_assert_msg(has_line(text, paths[i].body), "%s", text);
        else if (paths[i].body != NULL)
            ck_assert_str_eq(body_of(text), paths[i].body);
        ck_assert(strstr(body_of(text), "secret") == NULL);
        free(text);
    }
    ck_assert_uint_eq(kit.server.stats.failed, 0);
    ck_assert_int_eq(kit_stop(&kit), 0);
}

CASE(no_path_leads_out)
{
    int before = descriptors();
    check_paths();
    ck_assert_int_eq(descriptors(), before);
    return 0;
}

CASE(no_path_leads_out_step_by_step)
{
    int before = descriptors();
    files.step_by_step = true;
    check_paths();
    ck_assert_int_eq(descriptors(), before);
    return 0;
}

CASE(links_are_followed_where_that_is_allowed)
{
    struct kit kit = {0};
    files.links_are_allowed = true;
    kit_start(&kit, sill_http_files_handle, &files);
    char *text = ask(&kit, "GET", "/out/key.txt", "");
    ck_assert_str_eq(body_of(text), "secret");
    free(text);
    text = ask(&kit, "GET", "/link.txt", "");
    ck_assert_str_eq(body_of(text), "0123456789");
    free(text);
    text = ask(&kit, "GET", "/out/../secret/key.txt", "");
    ck_assert_int_eq(status_of(text), 404);
    free(text);
    text = ask(&kit, "GET", "/loop", "");
    ck_assert_int_eq(status_of(text), 404);
    free(text);
    return kit_stop(&kit);
}

CASE(another_index_can_be_chosen)
{
    struct kit kit = {0};
    files.index = "b.json";
    kit_start(&kit, sill_http_files_handle, &files);
    char *text = ask(&kit, "GET", "/sub/deep/", "");
    ck_assert_str_eq(body_of(text), "{}");
    ck_assert(has_line(text, "Content-Type: application/json"));
    free(text);
    return kit_stop(&kit);
}

CASE(very_long_paths_are_not_found)
{
    struct kit kit = {0};
    char path[4000];
    kit_start(&kit, sill_http_files_handle, &files);
    for (size_t size = 200; size < 3900; size += 7) {
        memset(path, 'a', size);
        path[0] = '/';
        path[size] = '\0';
        char *text = ask(&kit, "GET", path, "");
        ck_assert_int_eq(status_of(text), 404);
        free(text);
        path[size - 1] = '/';
        text = ask(&kit, "GET", path, "");
        ck_assert_int_eq(status_of(text), 404);
        free(text);
    }
    /* Where to send the client to would be too long. */
    memset(path, 'a', 3000);
    memcpy(path, "/sub?", 5);
    path[3000] = '\0';
    char *text = ask(&kit, "GET", path, "");
    ck_assert_int_eq(status_of(text), 414);
    free(text);
    return kit_stop(&kit);
}

#define TAG   "\"5e362d9a-0-a\""
#define SAME  "Sun, 02 Feb 2020 02:02:02 GMT"
#define OLDER "Sun, 02 Feb 2020 02:02:01 GMT"
#define NEWER "Sun, 02 Feb 2020 02:02:03 GMT"

static const struct {
    const char *headers;
    int status;
} conditions[] = {
    {"If-Match: " TAG "\r\n", 200},
    {"If-Match: *\r\n", 200},
    {"If-Match: \"x\", " TAG "\r\n", 200},
    {"If-Match: \"x\"\r\nIf-Match: " TAG "\r\n", 200},
    {"If-Match: \"x\"\r\n", 412},
    {"If-Match: W/" TAG "\r\n", 412},
    {"If-Match: \"a," TAG "\r\n", 412},
    {"If-Unmodified-Since: " SAME "\r\n", 200},
    {"If-Unmodified-Since: " NEWER "\r\n", 200},
    {"If-Unmodified-Since: " OLDER "\r\n", 412},
    {"If-Unmodified-Since: nonsense\r\n", 200},
    /* If-Match makes If-Unmodified-Since void. */
    {"If-Match: " TAG "\r\nIf-Unmodified-Since: " OLDER "\r\n", 200},
    {"If-Match: \"x\"\r\nIf-Unmodified-Since: " NEWER "\r\n", 412},
    {"If-None-Match: " TAG "\r\n", 304},
    {"If-None-Match: W/" TAG "\r\n", 304},
    {"If-None-Match: *\r\n", 304},
    {"If-None-Match: \"x\", " TAG "\r\n", 304},
    {"If-None-Match: \"x\"\r\n", 200},
    {"If-None-Match: W\r\n", 200},
    {"If-None-Match: W-" TAG "\r\n", 200},
    {"If-Modified-Since: " SAME "\r\n", 304},
    {"If-Modified-Since: " NEWER "\r\n", 304},
    {"If-Modified-Since: " OLDER "\r\n", 200},
    {"If-Modified-Since: Sunday, 02-Feb-20 02:02:02 GMT\r\n", 304},
    {"If-Modified-Since: Sun Feb  2 02:02:02 2020\r\n", 304},
    {"If-Modified-Since: nonsense\r\n", 200},
    /* If-None-Match makes If-Modified-Since void. */
    {"If-None-Match: \"x\"\r\nIf-Modified-Since: " NEWER "\r\n", 200},
    {"If-None-Match: " TAG "\r\nIf-Modified-Since: " OLDER "\r\n", 304},
    /* 412 goes before 304, and 304 before 206 and 416. */
    {"If-Match: \"x\"\r\nIf-None-Match: " TAG "\r\n", 412},
    {"If-Match: " TAG "\r\nIf-None-Match: " TAG "\r\n", 304},
    {"Range: bytes=0-1\r\nIf-None-Match: " TAG "\r\n", 304},
    {"Range: bytes=90-\r\nIf-None-Match: " TAG "\r\n", 304},
    {"Range: bytes=0-1\r\nIf-Match: \"x\"\r\n", 412},
    {"Range: bytes=0-1\r\nIf-Match: " TAG "\r\n", 206},
    {"Range: bytes=0-1\r\nIf-Range: " TAG "\r\n", 206},
    {"Range: bytes=0-1\r\nIf-Range: \"x\"\r\n", 200},
    {"Range: bytes=0-1\r\nIf-Range: W/" TAG "\r\n", 200},
    {"Range: bytes=0-1\r\nIf-Range: " SAME "\r\n", 206},
    {"Range: bytes=0-1\r\nIf-Range: " NEWER "\r\n", 200},
    {"Range: bytes=0-1\r\nIf-Range: " OLDER "\r\n", 200},
    {"Range: bytes=90-\r\nIf-Range: \"x\"\r\n", 200},
    {"If-Range: \"x\"\r\n", 200},
};

CASE(conditions_are_met_in_the_order_of_the_rfc)
{
    struct kit kit = {0};
    kit_start(&kit, sill_http_files_handle, &files);
    for (size_t i = 0; i < sizeof(conditions) / sizeof(conditions[0]); i++) {
        char *text = ask(&kit, "GET", "/a.txt", conditions[i].headers);
        ck_assert_msg(status_of(text) == conditions[i].status, "%sgave %s",
                      conditions[i].headers, text);
        if (conditions[i].status == 304) {
            ck_assert(has_line(text, "ETag: " TAG));
            ck_assert_str_eq(body_of(text), "");
        }
        free(text);
    }
    return kit_stop(&kit);
}

static const struct {
    const char *path, *range;
    int status;
    const char *line, *body;
} ranges[] = {
    {"/a.txt", "bytes=0-0", 206, "Content-Range: bytes 0-0/10", "0"},
    {"/a.txt", "bytes=2-4", 206, "Content-Range: bytes 2-4/10", "234"},
    {"/a.txt", "bytes=7-", 206, "Content-Range: bytes 7-9/10", "789"},
    {"/a.txt", "bytes=-3", 206, "Content-Range: bytes 7-9/10", "789"},
    {"/a.txt", "bytes=-30", 206, "Content-Range: bytes 0-9/10", "0123456789"},
    {"/a.txt", "bytes=8-99", 206, "Content-Range: bytes 8-9/10", "89"},
    {"/a.txt", "BYTES=9-9", 206, "Content-Range: bytes 9-9/10", "9"},
    {"/a.txt", "bytes=1-99999999999999999999999", 206,
     "Content-Range: bytes 1-9/10", "123456789"},
    {"/a.txt", "bytes= 1-2 , 90-91", 206, "Content-Range: bytes 1-2/10", "12"},
    {"/a.txt", "bytes=10-", 416, "Content-Range: bytes */10", NULL},
    {"/a.txt", "bytes=10-20", 416, "Content-Range: bytes */10", NULL},
    {"/a.txt", "bytes=-0", 416, "Content-Range: bytes */10", NULL},
    {"/a.txt", "bytes=99999999999999999999999-", 416,
     "Content-Range: bytes */10", NULL},
    {"/empty", "bytes=0-", 416, "Content-Range: bytes */0", NULL},
    {"/empty", "bytes=-1", 416, "Content-Range: bytes */0", NULL},
    {"/a.txt", "bytes=4-2", 200, "Content-Length: 10", "0123456789"},
    {"/a.txt", "bytes=", 200, "Content-Length: 10", "0123456789"},
    {"/a.txt", "bytes=-", 200, "Content-Length: 10", "0123456789"},
    {"/a.txt", "bytes=1", 200, "Content-Length: 10", "0123456789"},
    {"/a.txt", "bytes=a-b", 200, "Content-Length: 10", "0123456789"},
    {"/a.txt", "bytes=1-2x", 200, "Content-Length: 10", "0123456789"},
    {"/a.txt", "bytes=1--2", 200, "Content-Length: 10", "0123456789"},
    {"/a.txt", "lines=1-2", 200, "Content-Length: 10", "0123456789"},
    {"/a.txt", "1-2", 200, "Content-Length: 10", "0123456789"},
    /* More than there is, or too many: all of it is the better answer. */
    {"/a.txt", "bytes=0-9,0-9", 200, "Content-Length: 10", "0123456789"},
    {"/a.txt",
     "bytes=0-0,1-1,2-2,3-3,4-4,5-5,6-6,0-0,1-1,2-2,3-3,4-4,5-5,6-6,7-7,8-8,"
     "9-9",
     200, "Content-Length: 10", "0123456789"},
};

CASE(ranges_are_served)
{
    struct kit kit = {0};
    kit_start(&kit, sill_http_files_handle, &files);
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        char headers[256];
        snprintf(headers, sizeof(headers), "Range: %s\r\n", ranges[i].range);
        char *text = ask(&kit, "GET", ranges[i].path, headers);
        ck_assert_msg(status_of(text) == ranges[i].status &&
                          has_line(text, ranges[i].line),
                      "%sgave %s", headers, text);
        if (ranges[i].body != NULL)
            ck_assert_str_eq(body_of(text), ranges[i].body);
        free(text);
        text = ask(&kit, "HEAD", ranges[i].path, headers);
        ck_assert_int_eq(status_of(text), 200);
        ck_assert_str_eq(body_of(text), "");
        free(text);
    }
    return kit_stop(&kit);
}

CASE(several_ranges_come_in_parts)
{
    struct kit kit = {0};
    char expected[512], boundary[64], line[64];
    kit_start(&kit, sill_http_files_handle, &files);
    char *text =
        ask(&kit, "GET", "/a.txt", "Range: bytes=1-2,50-60, -1,4-4\r\n");
    ck_assert_int_eq(status_of(text), 206);
    const char *at =
        strstr(text, "\r\nContent-Type: multipart/byteranges; boundary=");
    ck_assert_ptr_nonnull(at);
    ck_assert_int_eq(sscanf(at + 47, "%40[^\r]", boundary), 1);
    snprintf(expected, sizeof(expected),
             "\r\n--%s\r\nContent-Type: text/plain; charset=utf-8\r\n"
             "Content-Range: bytes 1-2/10\r\n\r\n12"
             "\r\n--%s\r\nContent-Type: text/plain; charset=utf-8\r\n"
             "Content-Range: bytes 9-9/10\r\n\r\n9"
             "\r\n--%s\r\nContent-Type: text/plain; charset=utf-8\r\n"
             "Content-Range: bytes 4-4/10\r\n\r\n4"
             "\r\n--%s--\r\n",
             boundary, boundary, boundary, boundary);
    ck_assert_str_eq(body_of(text), expected);
    snprintf(line, sizeof(line), "Content-Length: %zu", strlen(expected));
    ck_assert(has_line(text, line));
    free(text);
    return kit_stop(&kit);
}

static void make_large(void)
{
    char *bytes = malloc(LARGE);
    for (size_t i = 0; i < LARGE; i++)
        bytes[i] = (char)('a' + i % 23);
    FILE *file = fopen(in_place("root/large.bin"), "w");
    ck_assert_uint_eq(fwrite(bytes, 1, LARGE, file), LARGE);
    ck_assert_int_eq(fclose(file), 0);
    free(bytes);
}

static void check_large(const char *body, size_t first, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (body[i] != (char)('a' + (first + i) % 23))
            ck_abort_msg("byte %zu is wrong", first + i);
}

CASE(large_files_arrive_whole_and_in_pieces)
{
    struct kit kit = {0};
    struct peer peer;
    make_large();
    kit_start(&kit, sill_http_files_handle, &files);
    peer_open(&peer, &kit);
    peer_say(&peer, "GET /large.bin HTTP/1.1\r\nHost: x\r\n\r\n"
                    "GET /large.bin HTTP/1.1\r\nHost: x\r\n"
                    "Range: bytes=70001-200000\r\nConnection: close\r\n\r\n");
    peer_read_end(&peer);
    const char *body = body_of(peer.text);
    check_large(body, 0, LARGE);
    ck_assert_int_eq(status_of(body + LARGE), 206);
    body = body_of(body + LARGE);
    check_large(body, 70001, 130000);
    ck_assert_uint_eq((size_t)(peer.text + peer.size - body), 130000);
    peer_close(&peer);
    return kit_stop(&kit);
}

CASE(file_that_is_cut_while_it_is_sent_ends_the_connection)
{
    struct kit kit = {0};
    struct peer peer;
    make_large();
    kit_start(&kit, sill_http_files_handle, &files);
    peer_open(&peer, &kit);
    peer_say(&peer, "GET /large.bin HTTP/1.1\r\nHost: x\r\n\r\n");
    ck_assert_int_gt((int)peer_read(&peer), 0);
    ck_assert_int_eq(truncate(in_place("root/large.bin"), 10), 0);
    peer_read_end(&peer);
    ck_assert_uint_lt(peer.size, LARGE);
    ck_assert_uint_eq(kit.server.stats.failed, 1);
    peer_close(&peer);
    return kit_stop(&kit);
}

/* A handler of its own may add headers before it hands over. */
static int handle_with_header(void *arg, struct sill_http_exchange *x)
{
    int rc = sill_http_response_header(x, "X", arg);
    return rc == 0 ? sill_http_files_handle(&files, x) : rc;
}

CASE(headers_that_do_not_fit_are_500)
{
    static const char *const ways[] = {
        "", "Range: bytes=1-2\r\n", "Range: bytes=0-1,5-6\r\n",
        "Range: bytes=90-\r\n", "If-None-Match: *\r\n"};
    char value[SILL_HTTP_RESPONSE_MAX - 4];
    memset(value, 'x', sizeof(value));
    value[sizeof(value) - 1] = '\0'; /* with "X: " and CR LF all there is */
    struct kit kit = {0};
    kit_start(&kit, handle_with_header, value);
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        char *text = ask(&kit, "GET", "/a.txt", ways[i]);
        ck_assert_int_eq(status_of(text), 500);
        ck_assert_int_eq(count_of(text, "xxxx"), 0);
        free(text);
    }
    return kit_stop(&kit);
}

static struct sill_trigger arrived, go;

static int handle_late(void *arg, struct sill_http_exchange *x)
{
    sill_resume(&arrived, 0);
    int rc = sill_suspend(&go, SILL_NEVER);
    return rc == 0 ? sill_http_files_handle(arg, x) : rc;
}

CASE(client_that_is_gone_gets_no_file)
{
    static const char request[] = "GET /large.bin HTTP/1.1\r\nHost: x\r\n\r\n";
    struct kit kit = {0};
    struct linger harsh = {1, 0};
    struct sockaddr_in address = {.sin_family = AF_INET};
    make_large();
    kit_start(&kit, handle_late, &files);
    address.sin_port = htons(kit.address.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)),
                     0);
    ck_assert_int_eq(
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &harsh, sizeof(harsh)), 0);
    ck_assert_int_eq((int)send(fd, request, sizeof(request) - 1, 0),
                     (int)sizeof(request) - 1);
    ck_assert_int_eq(sill_suspend(&arrived, kit_soon()), 0);
    close(fd);
    sill_resume(&go, 0);
    while (kit.server.stats.open > 0)
        ck_assert_int_eq(sill_yield(), 0);
    return kit_stop(&kit);
}

CASE(lack_of_memory_is_500_and_leaves_nothing_open)
{
    struct kit kit = {0};
    struct peer peer;
    int before;
    static const char parts[] = "GET /a.txt HTTP/1.1\r\nHost: x\r\n"
                                "Range: bytes=1-2,4-5\r\n\r\n";
    blocks_watch();
    kit_start(&kit, sill_http_files_handle, &files);
    sill_yield();
    before = descriptors();
    peer_open(&peer, &kit);
    peer_say(&peer, "GET /sub/ HTTP/1.1\r\nHost: x\r\n\r\n");
    peer_read_until(&peer, "<p>sub</p>", 1);
    peer_forget(&peer);
    blocks_fail(1);
    peer_say(&peer, parts);
    peer_read_end(&peer);
    ck_assert(blocks_failed());
    blocks_fail(0);
    ck_assert_int_eq(status_of(peer.text), 500);
    peer_close(&peer);
    while (kit.server.stats.open > 0)
        sill_yield();
    ck_assert_int_eq(descriptors(), before);
    return kit_stop(&kit);
}

CASE(lack_of_descriptors_is_503)
{
    struct kit kit = {0};
    struct peer peer;
    int held[256], count = 0;
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = 256;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    kit_start(&kit, sill_http_files_handle, &files);
    peer_open(&peer, &kit);
    peer_say(&peer, "GET /sub/ HTTP/1.1\r\nHost: x\r\n\r\n");
    peer_read_until(&peer, "<p>sub</p>", 1);
    peer_forget(&peer);
    while ((held[count] = dup(0)) >= 0)
        count++;
    peer_say(&peer, "GET /a.txt HTTP/1.1\r\nHost: x\r\n\r\n");
    peer_read_until(&peer, "\r\n\r\n", 1);
    ck_assert_int_eq(status_of(peer.text), 503);
    while (count > 0)
        close(held[--count]);
    peer_forget(&peer);
    peer_say(&peer, "GET /a.txt HTTP/1.1\r\nHost: x\r\n\r\n");
    peer_read_until(&peer, "0123456789", 1);
    peer_close(&peer);
    return kit_stop(&kit);
}

START_TEST(folder_must_be_one)
{
    struct sill_http_files other;
    ck_assert_int_eq(sill_http_files_open(&other, in_place("none")),
                     SILL_ENOENT);
    sill_http_files_close(&other);
    ck_assert_int_eq(sill_http_files_open(&other, in_place("root/a.txt")),
                     SILL_ENOENT);
    int before = descriptors();
    ck_assert_int_eq(sill_http_files_open(&other, place), 0);
    sill_http_files_close(&other);
    sill_http_files_close(&other);
    ck_assert_int_eq(descriptors(), before);
}

END_TEST

START_TEST(types_go_by_the_extension)
{
    static const struct {
        const char *name, *type;
    } types[] = {
        {"a.html", "text/html; charset=utf-8"},
        {"a.b/c.PNG", "image/png"},
        {"x.tar.gz", "application/gzip"},
        {"7.7z", "application/x-7z-compressed"},
        {"z.zst", "application/zstd"},
        {"app.wasm", "application/wasm"},
        {"font.woff2", "font/woff2"},
        {"m.mjs", "text/javascript; charset=utf-8"},
        {"png", "application/octet-stream"},
        {"a.png/b", "application/octet-stream"},
        {"a.", "application/octet-stream"},
        {"a.unknown", "application/octet-stream"},
    };

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        ck_assert_str_eq(sill_http_files_type(types[i].name), types[i].type);
}

END_TEST

int main(void)
{
    Suite *suite = suite_create("http files");
    TCase *cases = tcase_create("files");
    tcase_set_timeout(cases, 60);
    tcase_add_checked_fixture(cases, make_place, remove_place);
    tcase_add_test(cases, files_are_served_with_type_tag_and_date);
    tcase_add_test(cases, other_methods_are_refused);
    tcase_add_test(cases, no_path_leads_out);
    tcase_add_test(cases, no_path_leads_out_step_by_step);
    tcase_add_test(cases, links_are_followed_where_that_is_allowed);
    tcase_add_test(cases, another_index_can_be_chosen);
    tcase_add_test(cases, very_long_paths_are_not_found);
    tcase_add_test(cases, conditions_are_met_in_the_order_of_the_rfc);
    tcase_add_test(cases, ranges_are_served);
    tcase_add_test(cases, several_ranges_come_in_parts);
    tcase_add_test(cases, large_files_arrive_whole_and_in_pieces);
    tcase_add_test(cases,
                   file_that_is_cut_while_it_is_sent_ends_the_connection);
    tcase_add_test(cases, headers_that_do_not_fit_are_500);
    tcase_add_test(cases, client_that_is_gone_gets_no_file);
    tcase_add_test(cases, lack_of_memory_is_500_and_leaves_nothing_open);
    tcase_add_test(cases, lack_of_descriptors_is_503);
    tcase_add_test(cases, folder_must_be_one);
    tcase_add_test(cases, types_go_by_the_extension);
    suite_add_tcase(suite, cases);

    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
