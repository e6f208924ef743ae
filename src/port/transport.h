/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The POSIX port of the client: the sockets, sessions and connections through which a device reaches its servers, over UDP, DTLS, TCP and TLS.
 * An application gives its functions to the client as callbacks, polls, and lets it work:
 *
 *     dn_ways *ways = dn_ways_create(&config);
 *     client_config.call.connect = dn_ways_connect;       … disconnect, send, resolve likewise; with call.context, or a context from
 *     client = dunlin_client_create(arena, size, &client_config, dn_clock_ms());   which the application finds `ways`
 *     dn_ways_attach(ways, client);
 *     dunlin_client_start(client, dn_clock_ms());
 *     for (;;) {
 *         struct pollfd fds[DN_WAYS_FDS_MAX];
 *         size_t count = dn_ways_fds(ways, fds);
 *         dn_ways_flush(ways);
 *         poll(fds, count, until the sooner of dunlin_client_deadline(client) and dn_ways_deadline(ways));
 *         dn_ways_work(ways);
 *         dunlin_client_step(client, dn_clock_ms());
 *     }
 *
 * What a way needs comes with it from the client: the URI and Object 0's credentials. A private key that begins with "pkcs11:" is the name of
 * one that stays in its token. Names are looked up with getaddrinfo, which blocks. While the client sleeps (queue mode), datagrams that come
 * are lost, and streams are not read. Time is dn_clock_ms.
 *
 * Two servers with the same address, port and transport cannot be told apart: the second one gets DUPLICATE.
 *
 * Threads: one, that of the client.
 */
#ifndef DN_PORT_TRANSPORT_H
#define DN_PORT_TRANSPORT_H

#include "base/log.h"
#include "security/tls.h"
#include <dunlin/client.h>

#include <poll.h>

#define DN_WAYS_FDS_MAX 3u

typedef struct dn_ways dn_ways;

typedef enum {
    DN_WAYS_UP,   /* `suite`, `is_resumed` and `handshake_ms` tell of its session; not told for UDP */
    DN_WAYS_DOWN, /* it is gone, or did not come about: `status`, `alert`, `why` */
    DN_WAYS_FAULT /* it cannot be begun: `status`, `why` (credentials that cannot be used, no address) */
} dn_ways_event_kind;

/* Views are valid during the call. */
typedef struct {
    dn_ways_event_kind kind;
    uint16_t server; /* Short Server ID */
    const char *uri;
    const char *suite; /* "" without security */
    bool is_resumed;
    uint64_t handshake_ms;
    dunlin_status status;
    int alert; /* DN_TLS_NO_ALERT */
    const char *why;
} dn_ways_event;

typedef struct {
    const char *local; /* NULL: any. Where UDP and DTLS are bound, as dn_udp_open takes it; copied */
    uint32_t max_stream_message; /* [8192] as dunlin_client_config has it; 0: neither TCP nor TLS */
    const dn_log *log;           /* may be NULL; must outlive it */
    /* All may be NULL. */
    /* Told before the client is. */
    void (*event)(void *context, const dn_ways_event *event);
    /* A message goes out or has come, of `len` bytes without what secures it. */
    void (*carried)(void *context, bool out, size_t len);
    /* Takes a message in place of the client, to which it is to be given then (dunlin_client_receive). */
    void (*message)(void *context, const dunlin_peer *from, dunlin_slice message);
    /* Last word on how a session is secured: suites, trust store, clock. Preset: CCM8 suites, the system's trust store and clock. */
    void (*refine)(void *context, uint16_t server, dn_tls_client_config *config);
    void *context;
} dn_ways_config;

dn_ways_config dn_ways_config_default(void);
/* Binds `local`, if there is one. ARGUMENT: no such address; IO: errno says why; MEMORY. */
dunlin_status dn_ways_create(const dn_ways_config *config, dn_ways **ways);
/* Says goodbye on each. May be NULL. The client must not be used with it any more. */
void dn_ways_destroy(dn_ways *ways);
/* Whom messages are for. Before the first of the client's callbacks. */
void dn_ways_attach(dn_ways *ways, dunlin_client *client);

/* As dunlin_client_callbacks wants them; `context` is the dn_ways. */
dunlin_status dn_ways_connect(void *context, const dunlin_way *way, dunlin_peer *peer);
void dn_ways_disconnect(void *context, uint16_t server);
void dn_ways_send(void *context, const dunlin_peer *peer, dunlin_slice message);
dunlin_status dn_ways_resolve(void *context, const char *uri, dunlin_peer *peer); /* coap:// alone */

/* What to poll for now; the number of entries. */
size_t dn_ways_fds(const dn_ways *ways, struct pollfd fds[DN_WAYS_FDS_MAX]);
/* Takes what has come and does what is due; the client is given its messages, and told of ways, from within. */
void dn_ways_work(dn_ways *ways);
/* Sends what was gathered. */
void dn_ways_flush(dn_ways *ways);
uint64_t dn_ways_deadline(const dn_ways *ways);

/* The bound address "127.0.0.1:40123" of UDP; "" while there is none. Of two, the one opened last. */
const char *dn_ways_address(const dn_ways *ways);
/*
 * As after a change of the network: sockets are closed without a word, and others take their place, with other ports unless `local` names
 * one. Sessions and connections are gone, and the client told so; what resumes them is kept. Status as dn_ways_create.
 */
dunlin_status dn_ways_roam(dn_ways *ways);
/* As after a loss of power: sessions and connections are gone without a word, and with them what resumes them; the client is told. */
void dn_ways_drop(dn_ways *ways);

#endif
