/* SPDX-License-Identifier: Apache-2.0 */
/* The dunlind under test: started, watched, killed. Every function ends the program with a text when it can't do its work. */
#ifndef BENCH_FLEET_DAEMON_H
#define BENCH_FLEET_DAEMON_H

#include <netinet/in.h>
#include <stdint.h>
#include <sys/types.h>

#define DAEMON_PATH_MAX 512

typedef struct {
    const char *program;
    const char *config;        /* --config, or NULL */
    char dir[DAEMON_PATH_MAX]; /* data, ready file and log are in here */
    pid_t pid;
    struct sockaddr_in coap, http;
    struct sockaddr_in coaps; /* zero: it serves no DTLS */
    double start_s;           /* from the start of the process to its ready file */
} daemon_process;

/* Starts it on free ports of 127.0.0.1 with the data in `dir` and waits until it is ready. */
void daemon_start(daemon_process *d);
/* SIGKILL. */
void daemon_kill(daemon_process *d);
/* SIGTERM, and a wait for its end. */
void daemon_stop(daemon_process *d);

uint64_t daemon_rss_bytes(pid_t pid);
/* Processor time used so far, user and system. */
double daemon_cpu_us(pid_t pid);

#endif
