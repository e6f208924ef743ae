/* SPDX-License-Identifier: Apache-2.0 */
/* A device for tests of a server's ports: a real socket of any transport, and a link on it. */
#ifndef TESTS_ENDPOINT_PORTS_CLIENT_H
#define TESTS_ENDPOINT_PORTS_CLIENT_H

#include "bearer/tcp.h"
#include "endpoint/link.h"

#include <poll.h>

typedef struct {
    dn_link *link;
    dn_peer server;
    dn_udp udp;            /* datagrams */
    dn_udp_outbox *outbox; /* NULL: it is a stream */
    dn_udp_batch *batch;
    dn_tcp *tcp;
    uint64_t now_ms;
    uint8_t got[16384]; /* messages, one behind the other */
    size_t got_len, messages;
    bool up, down;
    dunlin_status status;
    int alert;
} ports_client;

/* Towards that address; `tls` is counted, may be NULL without security. */
ports_client *ports_client_open(const char *address, dn_transport transport, dn_tls_context *tls,
                                uint64_t now_ms);
void ports_client_free(ports_client *client);
/* Again over the same link, after dn_link_close: with what resumes. A stream gets a new connection, datagrams a new port. */
void ports_client_reopen(ports_client *client, dn_tls_context *tls);
struct pollfd ports_client_fd(const ports_client *client);
/* Takes what has come, sends what waits. */
void ports_client_work(ports_client *client);
void ports_client_send(ports_client *client, dunlin_slice message);

#endif
