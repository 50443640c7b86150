/* SPDX-License-Identifier: MIT */
/*
 * Loads a module that has sill in it when the program has long begun, and lets
 * it run tasks, on the first thread and on another one.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static int (*run)(int children);

static void *run_in_thread(void *arg)
{
    *(int *)arg = run(3);
    return NULL;
}

int main(int argc, char **argv)
{
    void *module = argc == 2 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
    void *symbol = module ? dlsym(module, "late_run") : NULL;
    int result = 0;
    pthread_t thread;

    if (!symbol) {
        fprintf(stderr, "late: the module cannot be loaded\n");
        return 1;
    }
    memcpy(&run, &symbol, sizeof run);
    if (run(2) != 2 ||
        pthread_create(&thread, NULL, run_in_thread, &result) != 0)
        return 1;
    (void)pthread_join(thread, NULL);
    return result == 3 ? 0 : 1;
}
