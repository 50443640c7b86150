/* SPDX-License-Identifier: MIT */
/*
 * A configuration for nginx, written anew for each run.
 */
#include "nginx.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[256];

static const char config[] = "daemon off;\n"
                             "master_process off;\n"
                             "worker_processes 1;\n"
                             "pid pid;\n"
                             "error_log error.log crit;\n"
                             "events { worker_connections 4096; }\n"
                             "http {\n"
                             "    access_log off;\n"
                             "    keepalive_requests 1000000000;\n"
                             "    keepalive_timeout 600s;\n"
                             "    default_type text/plain;\n"
                             "    client_body_temp_path body;\n"
                             "    proxy_temp_path proxy;\n"
                             "    fastcgi_temp_path fastcgi;\n"
                             "    uwsgi_temp_path uwsgi;\n"
                             "    scgi_temp_path scgi;\n"
                             "    server {\n"
                             "        listen 127.0.0.1:%d;\n"
                             "        return 200 \"Hello, World!\";\n"
                             "    }\n"
                             "}\n";

/* Debian keeps it where only root's PATH leads. */
static const char *find_program(void)
{
    static const char *const places[] = {
        "/usr/sbin/nginx",
        "/usr/local/sbin/nginx",
        "/usr/bin/nginx",
        "/usr/local/bin/nginx",
    };
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        if (access(places[i], X_OK) == 0)
            return places[i];
    }
    return NULL;
}

static bool is_present(void)
{
    return find_program() != NULL;
}

static int write_config(int port)
{
    char path[sizeof folder + 16];
    snprintf(path, sizeof path, "%s/nginx.conf", folder);
    FILE *file = fopen(path, "w");
    if (!file)
        return -1;
    fprintf(file, config, port);
    return fclose(file);
}

static int make_folder(void)
{
    snprintf(folder, sizeof folder, "/tmp/sill-bench-XXXXXX");
    if (mkdtemp(folder))
        return 0;
    folder[0] = '\0';
    return -1;
}

/* All that nginx and write_config leave there. */
void nginx_clean_up(void)
{
    static const char *const files[] = {"nginx.conf", "error.log", "pid"};
    static const char *const folders[] = {"body", "proxy", "fastcgi", "uwsgi",
                                          "scgi"};
    if (!folder[0])
        return;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        (void)unlinkat(fd, files[i], 0);
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
        (void)unlinkat(fd, folders[i], AT_REMOVEDIR);
    if (fd >= 0)
        (void)close(fd);
    (void)rmdir(folder);
    folder[0] = '\0';
}

static void stop(struct child *child)
{
    child_stop(child);
    nginx_clean_up();
}

static int start(struct child *child, int cpu)
{
    char conf[] = "nginx.conf", log[] = "error.log";
    char *argv[] = {
        (char *)find_program(), (char *)"-p", folder, (char *)"-c", conf,
        (char *)"-e",           log,          NULL};
    int port = child_free_port();

    memset(child, 0, sizeof *child);
    if (!argv[0] || port < 0 || make_folder() < 0)
        return -1;
    if (write_config(port) < 0 || child_start(child, argv, cpu) < 0) {
        nginx_clean_up();
        return -1;
    }
    if (child_listens(port))
        return port;
    stop(child);
    return -1;
}

const struct service nginx = {"nginx", is_present, start, stop};
