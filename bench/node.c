/* SPDX-License-Identifier: MIT */
/*
 * A program of a few lines, on the command line; it is compiled while it runs.
 */
#include "node.h"

#include <stddef.h>

static const char script[] =
    "const server = require('http').createServer((request, response) => {\n"
    "    response.setHeader('Content-Type', 'text/plain');\n"
    "    response.setHeader('Content-Length', 13);\n"
    "    response.end('Hello, World!');\n"
    "});\n"
    "server.keepAliveTimeout = 600000;\n"
    "server.listen(0, '127.0.0.1', 1024, () => console.log(\n"
    "    'listening on 127.0.0.1:' + server.address().port));\n";

static const char *find_program(void)
{
    return find_file("node", NULL);
}

static bool is_present(void)
{
    return find_program() != NULL;
}

static int start(struct child *child, int cpu)
{
    char *argv[] = {(char *)find_program(), (char *)"-e", (char *)script, NULL};

    if (child_start(child, argv, cpu) < 0)
        return -1;
    int port = child_port(child);
    if (port < 0)
        child_stop(child);
    return port;
}

const struct service node = {"node", is_present, start, child_stop, 2000000000};
