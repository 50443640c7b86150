/* SPDX-License-Identifier: MIT */
/*
 * A configuration for nginx, written anew for each run.
 */
#include "nginx.h"

#include "files.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[256];

static const char hello[] = "return 200 \"Hello, World!\"";

static const char config[] = "daemon off;\n"
                             "master_process off;\n"
                             "worker_processes 1;\n"
                             "pid pid;\n"
                             "error_log error.log crit;\n"
                             "events { worker_connections 4096; }\n"
                             "http {\n"
                             "    access_log %s;\n"
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
                             "        %s%s;\n"
                             "    }\n"
                             "}\n";

/* Debian keeps it where only root's PATH leads. */
static const char *find_program(void)
{
    return find_file("nginx", "/usr/sbin:/usr/local/sbin");
}

static bool is_present(void)
{
    return find_program() != NULL;
}

/* What is served; with a root, as Debian configures it, and a line for each
 * request like httpd's. */
static int write_config(int port, const char *root)
{
    char path[sizeof folder + 16];
    snprintf(path, sizeof path, "%s/nginx.conf", folder);
    FILE *file = fopen(path, "w");
    if (!file)
        return -1;
    fprintf(file, config, root ? "/dev/null" : "off", port,
            root ? "sendfile on; tcp_nopush on; root " : hello,
            root ? root : "");
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
    static const char *const own[] = {"nginx.conf", "error.log", "pid"};
    static const char *const folders[] = {"body", "proxy", "fastcgi", "uwsgi",
                                          "scgi"};
    if (!folder[0])
        return;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        (void)unlinkat(fd, own[i], 0);
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

static int start_with(struct child *child, int cpu, const char *root)
{
    char conf[] = "nginx.conf", log[] = "error.log";
    char *argv[] = {
        (char *)find_program(), (char *)"-p", folder, (char *)"-c", conf,
        (char *)"-e",           log,          NULL};
    int port = child_free_port();

    memset(child, 0, sizeof *child);
    if (!argv[0] || port < 0 || make_folder() < 0)
        return -1;
    if (write_config(port, root) < 0 || child_start(child, argv, cpu) < 0) {
        nginx_clean_up();
        return -1;
    }
    if (child_listens(port))
        return port;
    stop(child);
    return -1;
}

static int start(struct child *child, int cpu)
{
    return start_with(child, cpu, NULL);
}

static int start_files(struct child *child, int cpu)
{
    return start_with(child, cpu, files_folder);
}

const struct service nginx = {"nginx", is_present, start, stop, 0};
const struct service nginx_files = {"nginx", is_present, start_files, stop, 0};
