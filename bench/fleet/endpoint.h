/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One UDP socket that speaks for all devices, each from a loopback address of its own (127.1.0.0 onwards), in batches of system
 * calls. So a hundred thousand peers cost the generator no more than one.
 */
#ifndef BENCH_FLEET_ENDPOINT_H
#define BENCH_FLEET_ENDPOINT_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define ENDPOINT_BATCH       32
#define ENDPOINT_MESSAGE_MAX 1500
#define ENDPOINT_CONTROL_MAX 64

typedef struct {
    struct mmsghdr messages[ENDPOINT_BATCH];
    struct iovec vectors[ENDPOINT_BATCH];
    struct sockaddr_in peers[ENDPOINT_BATCH];
    _Alignas(8) uint8_t controls[ENDPOINT_BATCH][ENDPOINT_CONTROL_MAX];
    uint8_t bytes[ENDPOINT_BATCH][ENDPOINT_MESSAGE_MAX];
    unsigned count;
} endpoint_batch;

typedef struct {
    int fd;
    endpoint_batch in, out;
} endpoint;

/* Opens it on any free port; says why not and ends the program if it can't. It is 100 KiB: allocate it statically. */
void endpoint_open(endpoint *e);
void endpoint_close(endpoint *e);

/* Where the next datagram is to be written (ENDPOINT_MESSAGE_MAX bytes); endpoint_send then queues it, and sends when a batch is full. */
uint8_t *endpoint_next(endpoint *e);
void endpoint_send(endpoint *e, size_t len, uint32_t device, const struct sockaddr_in *to);
void endpoint_flush(endpoint *e);

/* Receives up to a batch into e->in; waits up to 100 ms for the first if `wait`. Returns how many. */
unsigned endpoint_receive(endpoint *e, bool wait);
/* The device that received datagram `i` was sent to. */
uint32_t endpoint_device(const endpoint *e, unsigned i);

#endif
