/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests only: two sessions, a client's and a server's, with a link in virtual time between them that loses, doubles and reorders
 * datagrams by a seed. The server's session is opened by the cookie, as in earnest.
 */
#ifndef DN_SECURITY_TESTPAIR_H
#define DN_SECURITY_TESTPAIR_H

#include "base/random.h"
#include "security/tls.h"

#define DN_TESTPAIR_QUEUE 256u
#define DN_TESTPAIR_BYTES 2048u /* of a datagram or a chunk of a stream */

typedef struct {
    bool to_server;
    uint64_t due_ms, number;
    size_t len;
    uint8_t bytes[DN_TESTPAIR_BYTES];
} dn_testpair_item;

/* One end. */
typedef struct {
    dn_tls_session *session;
    uint8_t got[65536]; /* plain bytes that have arrived */
    size_t got_len, got_count;
    uint64_t sent; /* datagrams or chunks */
    size_t longest;
    struct dn_testpair *pair;
} dn_testpair_end;

typedef struct dn_testpair {
    dn_tls_context *server_context, *client_context;
    bool datagram;
    uint32_t loss_permille, double_permille, reorder_permille;
    uint32_t delay_ms;
    uint32_t chunk; /* streams are cut into pieces of this; 0: as they come */
    dunlin_slice resume;
    const dn_log *log;
    dn_seeded seeded;
    uint64_t now_ms, numbers;
    dn_testpair_end server, client;
    dn_testpair_item *queue;
    size_t queued;
    uint8_t cookie_key[DN_TLS_COOKIE_KEY];
    /* Sees, and may change or drop (by making it empty), what is sent. May be NULL. */
    void (*tap)(void *context, bool to_server, uint8_t *bytes, size_t *len);
    void *tap_context;
} dn_testpair;

/* The contexts stay the caller's. Handshakes begin with dn_testpair_run. */
void dn_testpair_init(dn_testpair *pair, dn_tls_context *server, dn_tls_context *client, bool datagram,
                      uint64_t seed);
void dn_testpair_clear(dn_testpair *pair);
/* Opens the client's session if there is none, and goes on until both ends are open or ended, or nothing will happen any more. True: both
   are open. */
bool dn_testpair_run(dn_testpair *pair);
/* Delivers what is under way, without going on in time more than `ms`. */
void dn_testpair_settle(dn_testpair *pair, uint64_t ms);
/* Sends both ways and looks whether it arrives. */
bool dn_testpair_echo(dn_testpair *pair);
const dn_tls_ending *dn_testpair_ending(const dn_testpair_end *end);

#endif
