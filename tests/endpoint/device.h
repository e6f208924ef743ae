/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device over loopback: a socket, a link of any transport, an engine of CoAP. A test drives it from one thread, while a server runs in
 * another.
 */
#ifndef TESTS_ENDPOINT_DEVICE_H
#define TESTS_ENDPOINT_DEVICE_H

#include "coap/core.h"
#include "endpoint/link.h"

typedef struct device device;
typedef struct {
    dn_transport transport;
    const char *address;        /* of the server */
    const char *identity, *key; /* of a secure transport */
    /* Answers a request of the server. */
    void (*serve)(device *d, const dn_coap_incoming *request, dn_coap_reply *reply);
} device_config;

struct device {
    device_config config;
    int fd;
    dn_link *link;
    dn_tls_context *tls;
    dn_coap *coap;
    void *arena;
    dn_random random;
    dn_peer server;
    bool is_stream, is_up, is_down;
    int alert;                /* that has ended the session */
    unsigned asked, finished; /* requests that were answered; `finished` is the test's */
    /* The last answer to device_ask. */
    bool answered;
    dunlin_status status;
    uint8_t code;
    char location[64]; /* the last segment of it */
};

/* Its way is not up yet. */
void device_begin(device *d, const device_config *config);
void device_open(device *d, const device_config *config);
void device_close(device *d);

/* Reads what is there, and does what is due. */
void device_turn(device *d);
/* Fails with `name` when it takes too long. */
void device_turn_until(device *d, const bool *what, const char *name);
/* Posts, waits for the answer, and returns its code; 0: none came. */
uint8_t device_ask(device *d, const dn_coap_option *options, size_t count, const char *payload,
                   uint16_t content_format);

#endif
