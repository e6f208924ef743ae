/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A CoAP engine as an endpoint of the simulated network, with a small server of its own:
 *   POST /count      counts each request by the number in its payload; 2.04, or after 700 ms if the number
 *                    is odd and `some_later`
 *   GET  /big/N      N bytes of the pattern
 *   PUT  /store      keeps the body in `stored`; 2.04
 *   FETCH /mirror    the body comes back
 *   PUT  /pipe       the body is taken in pieces, which must be the pattern, each once and in order
 *   GET  /source/N   N bytes of the pattern, read from a source, with an ETag
 */
#ifndef TESTS_SIM_COAP_NODE_H
#define TESTS_SIM_COAP_NODE_H

#include "bearer/simlink.h"
#include "coap/engine.h"
#include "tests/sim/coap_text.h"

#define NODE_BODY_MAX 65536
#define NODE_COUNTS   4096
#define NODE_LATER    64

typedef struct coap_node coap_node;

/* How requests of this node ended. */
typedef struct {
    uint64_t ended, ok, timeouts, other;
    uint8_t last_code;
    size_t last_length;
    bool last_is_pattern;
} coap_node_results;

struct coap_node {
    dn_simlink *link;
    dn_peer address;
    dn_coap *coap;
    dn_coap_config config;
    void *arena;
    dn_seeded seeded;
    coap_node_results results;
    uint16_t counted[NODE_COUNTS]; /* how often the handler ran for each number */
    size_t stored_length, stored_times;
    size_t piped, piped_times, piped_lost; /* /pipe: bytes of this body, whole bodies, lost ones */
    dn_coap_source source;
    uint8_t source_etag;
    dn_coap_option source_option;
    dn_coap_sink sink;
    size_t taken; /* bytes that came in order from a download */
    uint8_t taken_etag;
    bool stored_is_pattern;
    bool some_later;
    struct {
        uint64_t id, at_ms;
    } later[NODE_LATER];
    size_t later_count;
    bool (*notified)(coap_node *node, const dn_coap_response *notification); /* NULL: refuses */
    void (*gone)(coap_node *node, const dn_coap_token *token);
    void (*carry)(coap_node *node, dunlin_slice message); /* NULL: what it sends goes over the link */
    void (*ended)(coap_node *node, dunlin_status status); /* its stream */
    void *carrier;
    uint8_t pattern[NODE_BODY_MAX];
};

/* The defaults, with room for many exchanges and bodies of 64 KiB. */
dn_coap_config coap_node_config(void);
coap_node *coap_node_open(dn_simlink *link, const dn_coap_config *config, uint64_t seed);
void coap_node_close(coap_node *node);
/* Sends a request for /first or /first/second (`second` may be NULL) with `payload`; how it ends goes to
 * `results`. */
dunlin_status coap_node_request(coap_node *node, const coap_node *to, uint8_t code, bool confirmable,
                                const char *first, const char *second, dunlin_slice payload);
/* The same from a filled-in request; its options are replaced by the path. */
dunlin_status coap_node_request_with(coap_node *node, const coap_node *to, dn_coap_outgoing *request,
                                     const char *first, const char *second);
/* Sends `size` bytes of the pattern from a source to /pipe. */
dunlin_status coap_node_upload(coap_node *node, const coap_node *to, size_t size);
/* Gets /source/`size` from `taken` on. */
dunlin_status coap_node_download(coap_node *node, const coap_node *to, size_t size);
/* True when every request of this node has ended and it awaits nothing; for dn_simlink_run. */
bool coap_node_is_idle(const coap_node *node);
bool coap_is_pattern(dunlin_slice bytes);

#endif
