/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A CoAP engine on a UDP socket in an event loop: datagrams go to the engine in batches, what it sends leaves
 * in batches, and its deadlines are kept. For clients and tools; also the pattern for a server shard, which
 * adds its own work per batch.
 *
 * Allocates its buffers (260 KiB) and the engine's arena. Threads: all calls on the loop's thread.
 */
#ifndef DN_PORT_COAP_SOCKET_H
#define DN_PORT_COAP_SOCKET_H

#include "bearer/udp.h"
#include "coap/engine.h"
#include "port/entropy.h"
#include "port/loop.h"

typedef struct {
    dn_udp udp;
    dn_coap *coap;
    dn_loop *loop;
    dn_loop_watch watch;
    dn_entropy entropy;
    dn_udp_batch *batch;
    dn_udp_outbox *outbox;
    void *arena;
    size_t batch_max;
    bool waits_to_write;
    dn_coap_callbacks callbacks;    /* the caller's */
    void (*batched)(void *context); /* after each batch of datagrams, before answers leave; may be NULL */
} dn_coap_socket;

/*
 * Binds to `address` (see dn_udp_open), makes an engine and adds it to `loop`. callbacks->send is not used.
 * The structure must not move. `batch_max`: datagrams per batch, 1..DN_UDP_BATCH. ERR_ARGUMENT: address or
 * config; ERR_IO: errno; ERR_MEMORY.
 */
dunlin_status dn_coap_socket_open(dn_coap_socket *socket, dn_loop *loop, const char *address,
                                  unsigned udp_flags, size_t batch_max, const dn_coap_config *config,
                                  const dn_coap_callbacks *callbacks, const dn_log *log);
void dn_coap_socket_close(dn_coap_socket *socket);
/* Sends what the engine queued since; call it after calls to the engine from outside of its callbacks. */
void dn_coap_socket_flush(dn_coap_socket *socket);
/* Does what is due now; gives the time of the next deadline, for dn_loop_turn. */
uint64_t dn_coap_socket_expire(dn_coap_socket *socket);

#endif
