/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One CoAP engine under the hand of a test: what it sends is kept as text, what it reports is logged, and
 * time is a number. A test plays a conversation, one line a step:
 *
 *   "< CON 0.01 #1 @a1 11='small'"          a datagram comes from the peer ("<2 …": from another one)
 *   "> ACK 2.05 #1 @a1 12= p='hello'"       the next thing the engine sends ("#*", "@*": any id, any token;
 * ">2 …": to the other peer)
 *   "."                                      it sends nothing more
 *   "+500"                                   so many milliseconds pass, deadlines being kept
 *   "= request GET small"                    the next entry of the log; "=" alone: the log has nothing more
 *
 * Lines of TCP are messages on a stream, after rig_connect or dn_coap_open of the peer.
 *
 * In "<" lines "#L" and "@L" are id and token of the last thing sent.
 *
 * Its resources: small ('hello'), big/N (N bytes of the pattern), echo (the request's payload), later
 * (answered by rig_answer), count (POST: counts), observe (answers with Observe 1), watch (the same, 40
 * bytes), etag (small with an ETag), fail (5.00), long (options too long), source/N (N bytes of the pattern
 * from a source, with an ETag). The body of a request to pipe is taken in pieces.
 */
#ifndef TESTS_SIM_COAP_RIG_H
#define TESTS_SIM_COAP_RIG_H

#include "base/random.h"
#include "coap/engine.h"
#include "tests/sim/coap_text.h"

#define RIG_QUEUE 64
#define RIG_LOG   64
#define RIG_LINE  256
#define RIG_LATER 16
#define RIG_BODY  65536

typedef struct {
    dn_coap *coap;
    dn_coap_config config;
    void *arena;
    dn_seeded seeded;
    uint64_t now_ms;
    dn_peer peer[3]; /* [1] is the one of plain lines */

    struct {
        size_t len;
        int to;
        bool framed;
        uint8_t bytes[8192];
    } sent[RIG_QUEUE];
    size_t sent_count, sent_read;
    uint16_t last_mid;
    size_t last_token_len;
    uint8_t last_token[8];

    char log[RIG_LOG][RIG_LINE];
    size_t log_count, log_read;

    uint64_t later[RIG_LATER];
    size_t later_count;
    unsigned counted;          /* POSTs to /count */
    uint64_t last_key;         /* of the last request that came */
    dunlin_slice last_payload; /* valid within its callback */
    bool refuse_notifications;
    uint64_t last_exchange;        /* of rig_request and the like */
    void (*in_request)(void *rig); /* called from within the request callback */
    void (*in_result)(void *rig);  /* and from within the result callback */
    uint8_t body[RIG_BODY];
    size_t change_after; /* big/…: after so many answers the pattern is shifted */

    dn_coap_source source; /* the pattern; for source/N, and for rig_source() */
    uint64_t unreadable;   /* reading fails from there on */
    uint8_t source_etag;
    bool big_from_source; /* big/… comes from the source as well */
    dn_coap_option source_option;
    dn_coap_sink sink;           /* logs what it takes */
    unsigned stop_after;         /* so many takes, if not 0 */
    uint8_t piece_code;          /* answer to pieces, if not 0 */
    void (*in_take)(void *rig);  /* called from within the sink */
    void (*in_piece)(void *rig); /* and from within the piece callback */
    unsigned reads;
} coap_rig;

/* With `config` NULL: the defaults, and 8 KiB bodies. */
coap_rig *rig_open(const dn_coap_config *config);
void rig_close(coap_rig *rig);
/* Plays lines up to NULL; a mismatch fails the test and shows both. */
void rig_play(coap_rig *rig, ...) __attribute__((sentinel));
/* Opens the stream to the peer of plain lines, whose CSM has these options (as in lines), and takes our CSM for read. */
void rig_connect(coap_rig *rig, const char *csm);
/* A confirmable request for /path with a payload of `len` bytes of the pattern. */
dunlin_status rig_request(coap_rig *rig, uint8_t code, const char *path, size_t len);
/* The same from a filled-in request; its options are replaced by the path. */
dunlin_status rig_request_with(coap_rig *rig, dn_coap_outgoing *request, const char *path);
/* A source of `size` bytes of the pattern. */
const dn_coap_source *rig_source(coap_rig *rig, uint64_t size);
/* Answers the oldest request to /later. */
dunlin_status rig_answer(coap_rig *rig, uint8_t code, size_t len);
dunlin_status rig_notify(coap_rig *rig, const char *token, bool confirmable, int32_t sequence, size_t len,
                         bool with_result);
void rig_pass(coap_rig *rig, uint64_t ms);

#endif
