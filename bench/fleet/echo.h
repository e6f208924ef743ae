/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The yardstick: a server that sends each datagram back and does nothing else, on one thread, in batches of system calls. No UDP server of
 * one thread on this machine can be much faster.
 */
#ifndef BENCH_FLEET_ECHO_H
#define BENCH_FLEET_ECHO_H

#include <netinet/in.h>
#include <sys/types.h>

/* Starts it in a process of its own. Ends the program if it can't. */
pid_t echo_start(struct sockaddr_in *address);
void echo_stop(pid_t pid);

#endif
