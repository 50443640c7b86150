/* SPDX-License-Identifier: MIT */
/*
 * Makes a process for a case and waits for it. See run.h.
 *
 * The case has a watchdog of its own, which shows the task tree; this side ends
 * it when even that does not help, and whatever it has forked in any event.
 */
#include "run.h"
#include "stage.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct stage_record *record;
static sigset_t child_ends, own_mask;

int run_init(void)
{
    record = mmap(NULL, sizeof(*record), PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (record == MAP_FAILED) {
        perror("mmap");
        return 2;
    }
    sigemptyset(&child_ends);
    sigaddset(&child_ends, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child_ends, &own_mask);
    return 0;
}

/* On the machine's clock: that of the backend may be a virtual one. */
static long milliseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void be_case(const struct suite_case *a_case,
                    const struct stage_options *options)
{
    sigprocmask(SIG_SETMASK, &own_mask, NULL);
    stage_run(a_case, options, record);
    exit(0); /* by way of the sanitizers' checks */
}

static pid_t start(const struct suite_case *a_case,
                   const struct stage_options *options)
{
    pid_t parent = getpid(), child = fork();

    if (child != 0)
        return child;
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() == parent)
        be_case(a_case, options);
    _exit(1);
}

/* Waits for (child) until (end). Returns whether it has ended. */
static bool has_ended(pid_t child, long end, int *status)
{
    while (waitpid(child, status, WNOHANG) == 0) {
        long left = end - milliseconds();
        struct timespec span = {left / 1000, left % 1000 * 1000000};

        if (left <= 0)
            return false;
        sigtimedwait(&child_ends, NULL, &span);
    }
    return true;
}

/* Returns how the process ended, as of waitpid. */
static int wait_for(pid_t child)
{
    int status = 0;
    long patience = suite_limit() * 1500L; /* ms: the watchdog comes first */

    if (!has_ended(child, milliseconds() + patience, &status)) {
        record->state = STAGE_HUNG;
        kill(child, SIGKILL);
        while (waitpid(child, &status, 0) < 0 && errno == EINTR)
            continue;
    }
    kill(-child, SIGKILL); /* what it has forked */
    return status;
}

static void say(const char *format, const char *how, int number)
{
    snprintf(record->message, sizeof(record->message), format, how, number);
}

static enum outcome judge(int status)
{
    if (record->state == STAGE_HUNG) {
        say("took longer than %s%d s, after this line", "", (int)suite_limit());
        return HUNG;
    }
    if (record->state == STAGE_FAILED)
        return FAILED;
    if (WIFSIGNALED(status)) {
        say("ended by %s (signal %d), after this line",
            strsignal(WTERMSIG(status)), WTERMSIG(status));
        return CRASHED;
    }
    if (record->state == STAGE_PASSED && WEXITSTATUS(status) == 0)
        return PASSED;
    say("ended with %s %d, after this line", "exit status",
        WEXITSTATUS(status));
    return CRASHED;
}

static enum outcome run_once(const struct suite_case *a_case,
                             const struct options *options, uint64_t seed)
{
    struct stage_options how = {options->guest, options->shuffle, seed,
                                options->batch};
    int status = 0;

    memset(record, 0, sizeof(*record));
    fflush(NULL);
    if (options->fork) {
        pid_t child = start(a_case, &how);

        status = child > 0 ? wait_for(child) : -1;
    } else {
        stage_run(a_case, &how, record);
    }
    return judge(status);
}

/* Copies what the record says, for reports that are written later. */
static void keep(struct result *result)
{
    char *message = NULL;

    result->file = record->file ? record->file : result->file;
    result->line = record->file ? record->line : result->line;
    if (asprintf(&message, "%s%s%s", record->message,
                 record->note[0] != '\0' ? ", with " : "", record->note) >= 0)
        result->message = text_keep(message);
    result->log = text_keep(strdup(record->log));
}

static const char *seed_text(uint64_t seed)
{
    char *text = NULL;

    return asprintf(&text, "%llu", (unsigned long long)seed) >= 0
               ? text_keep(text)
               : "";
}

/* Each run has the next seed, so that the last one can be had again alone. */
static enum outcome run_repeatedly(struct result *result,
                                   const struct suite_case *a_case,
                                   const struct options *options)
{
    enum outcome outcome = PASSED;
    uint64_t seed = options->seed;

    for (; result->runs < options->repeat && outcome == PASSED; seed++) {
        result->runs++;
        outcome = run_once(a_case, options, seed);
    }
    if (options->seeded)
        result->seed = seed_text(seed - 1);
    return outcome;
}

void run_choice(struct choice *choice, const struct options *options)
{
    struct result *result = choice->result;
    long begin = milliseconds();

    result->outcome = run_repeatedly(result, choice->a_case, options);
    result->ms = milliseconds() - begin;
    if (result->outcome != PASSED)
        keep(result);
    if (choice->is_expected)
        result->outcome = result->outcome == PASSED ? UNEXPECTED : EXPECTED;
}
