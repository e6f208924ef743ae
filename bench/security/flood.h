/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread that attacks a server's DTLS port from many loopback addresses, as fast as one core sends. Failures end the program with a text.
 */
#ifndef BENCH_SECURITY_FLOOD_H
#define BENCH_SECURITY_FLOOD_H

#include "fleet/endpoint.h"
#include "security/tls.h"

#include <pthread.h>
#include <stdatomic.h>

typedef enum {
    FLOOD_HELLOS,    /* ClientHellos without cookie, each from another address and with another random */
    FLOOD_GARBAGE,   /* what looks like records, and what does not */
    FLOOD_HALF_OPEN, /* ClientHellos that bring their cookie, and then silence */
    FLOOD_KINDS
} flood_kind;

extern const char *const flood_names[FLOOD_KINDS];

typedef struct {
    flood_kind kind;
    struct sockaddr_in server;
    dn_tls_context *client; /* a device's, for its ClientHellos */
    atomic_bool stop;
    _Atomic uint64_t sent; /* datagrams */
    pthread_t thread;
    endpoint endpoint;
    uint64_t random;
    uint8_t hello[ENDPOINT_MESSAGE_MAX];
    size_t hello_len;
    uint32_t from; /* the last address */
} flood;

/* 200 KiB: allocate it statically. */
void flood_start(flood *f, flood_kind kind, const struct sockaddr_in *server, dn_tls_context *client);
void flood_end(flood *f);

#endif
