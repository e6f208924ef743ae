/* SPDX-License-Identifier: Apache-2.0 */
/* Process handling for the bench. */
#include "fleet/daemon.h"

#include "fleet/stats.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define READY_TIMEOUT_NS 120000000000u
#define POLL_US          1000

static _Noreturn void stop(const daemon_process *d, const char *what)
{
    fprintf(stderr, "%s: %s; its log is %s/dunlind.log\n", d->program, what, d->dir);
    if (d->pid > 0) {
        kill(d->pid, SIGKILL);
    }
    exit(1);
}

/* "coap": "127.0.0.1:40000", with or without a scheme before the address. */
static int read_address(const char *json, const char *key, struct sockaddr_in *out)
{
    const char *at = strstr(json, key);
    unsigned a, b, c, e, port;
    at = at != NULL ? strchr(at + strlen(key), ':') : NULL;
    at = at != NULL ? strpbrk(at, "0123456789") : NULL;
    if (at == NULL || sscanf(at, "%u.%u.%u.%u:%u", &a, &b, &c, &e, &port) != 5) {
        return 0;
    }
    *out = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    out->sin_addr.s_addr = htonl(a << 24 | b << 16 | c << 8 | e);
    return 1;
}

static _Noreturn void run(const daemon_process *d, const char *ready)
{
    char data[DAEMON_PATH_MAX + 32];
    char log[DAEMON_PATH_MAX + 32];
    snprintf(data, sizeof data, "%s/data", d->dir);
    snprintf(log, sizeof log, "%s/dunlind.log", d->dir);
    const char *arguments[16] = {d->program, "--data",      data,           "--coap", "127.0.0.1:0",
                                 "--http",   "127.0.0.1:0", "--ready-file", ready};
    if (d->config != NULL) {
        arguments[9] = "--config";
        arguments[10] = d->config;
    }
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0644);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (fd >= 0) {
        dup2(fd, STDOUT_FILENO);
        dup2(fd, STDERR_FILENO);
    }
    execv(d->program, (char *const *)(uintptr_t)arguments);
    perror(d->program);
    _exit(127);
}

void daemon_start(daemon_process *d)
{
    char ready[DAEMON_PATH_MAX + 32];
    char text[1024];
    snprintf(ready, sizeof ready, "%s/ready.json", d->dir);
    unlink(ready);
    fflush(NULL);
    uint64_t start = stats_now_ns();
    d->pid = fork();
    if (d->pid == 0) {
        run(d, ready);
    }
    if (d->pid < 0) {
        stop(d, "cannot be started");
    }
    for (;;) {
        FILE *file = fopen(ready, "r");
        size_t len = 0;
        if (file != NULL) {
            len = fread(text, 1, sizeof text - 1, file);
            fclose(file);
        }
        text[len] = '\0';
        if (strchr(text, '}') != NULL) {
            break;
        }
        if (waitpid(d->pid, NULL, WNOHANG) == d->pid) {
            d->pid = 0;
            stop(d, "ended before it was ready");
        }
        if (stats_now_ns() - start > READY_TIMEOUT_NS) {
            stop(d, "was not ready in time");
        }
        usleep(POLL_US);
    }
    d->start_s = (double)(stats_now_ns() - start) / 1e9;
    if (!read_address(text, "\"coap\"", &d->coap) || !read_address(text, "\"http\"", &d->http)) {
        stop(d, "wrote no addresses into its ready file");
    }
    if (!read_address(text, "\"coaps\"", &d->coaps)) {
        d->coaps = (struct sockaddr_in){0};
    }
}

void daemon_kill(daemon_process *d)
{
    kill(d->pid, SIGKILL);
    waitpid(d->pid, NULL, 0);
    d->pid = 0;
}

void daemon_stop(daemon_process *d)
{
    int status = 0;
    kill(d->pid, SIGTERM);
    waitpid(d->pid, &status, 0);
    d->pid = 0;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        stop(d, "did not end cleanly after SIGTERM");
    }
}

uint64_t daemon_rss_bytes(pid_t pid)
{
    char path[64];
    char line[256];
    unsigned long long kib = 0;
    snprintf(path, sizeof path, "/proc/%ld/status", (long)pid);
    FILE *file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "VmRSS: %llu kB", &kib) == 1) {
            break;
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return kib * 1024u;
}

double daemon_cpu_us(pid_t pid)
{
    clockid_t clock;
    struct timespec used;
    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) != 0) {
        return 0;
    }
    return (double)used.tv_sec * 1e6 + (double)used.tv_nsec / 1e3;
}
