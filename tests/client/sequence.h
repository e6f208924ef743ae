/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client that knows a bootstrap server, and that server, on the rig's link in virtual time: it answers a Bootstrap-Request and then asks
 * for one operation after another, each when the one before it was answered. The rig's own server is what the client
 * registers with: "coap://server". What happens is written down, second by second.
 */
#ifndef TESTS_CLIENT_SEQUENCE_H
#define TESTS_CLIENT_SEQUENCE_H

#include "tests/client/rig.h"
#include <dunlin/client_access.h>

#define SEQUENCE_LOG_MAX   1024
#define SEQUENCE_ACCESS    8
#define SEQUENCE_IMAGE_MAX 8192
#define SEQUENCE_ASKED_MAX 32

/* One operation; a payload is SenML JSON. */
typedef struct {
    uint8_t method;
    const char *path;
    const char *json;
    int accept; /* 0: none */
} sequence_step;

typedef struct {
    rig r;
    dn_coap *coap;
    dn_peer address;
    dn_seeded seed;
    _Alignas(16) uint8_t arena[4 * RIG_ARENA_MAX];
    dunlin_access access[SEQUENCE_ACCESS];

    const sequence_step *steps; /* what to ask; the same again after each request */
    size_t step_count, next;
    uint8_t request_code; /* [2.04] of the answer to a Bootstrap-Request; 0: none */
    uint8_t other_code;   /* the same while the client tells a format; 0: as above */
    bool mute;            /* it hears nothing */
    size_t mute_after;    /* [never] it is gone after so many answers */
    unsigned requests;
    uint64_t asked_s[SEQUENCE_ASKED_MAX]; /* when each of the first requests came */
    char query[RIG_TEXT_MAX];             /* of the last request */
    char codes[SEQUENCE_LOG_MAX];         /* "2.04 4.06": what the client has answered */
    char answer[RIG_TEXT_MAX];            /* payload of the last answer */
    /* "0B 1b 2R": the second and what; B bootstrap needed, b it begins, + done, - failed, R registered, U updated, N unreachable, X refused,
       F failed, D de-registered, P purged, K card, E enrolled. Of server 65535 unless followed by its id: "2R1". */
    char log[SEQUENCE_LOG_MAX];
    uint64_t retry_ms; /* of the last failure */

    /* With `ways` the client asks for ways: "0c65535 coaps://other 5d65535": the second, which server, and where; '!' behind it: with
       other credentials than before. */
    bool ways;
    bool tcp; /* with `ways`: the bootstrap server's account is "coap+tcp://other" */
    dn_peer stream;
    char asked[SEQUENCE_LOG_MAX];
    dunlin_security security; /* of the last one; its slices are views of what the client holds */

    dunlin_status save_status; /* [OK] what `save` answers */
    uint8_t saved[SEQUENCE_IMAGE_MAX];
    size_t saved_len;
    unsigned saves;
    int64_t unix_s;      /* at the start; negative: not known */
    const uint8_t *card; /* what the smartcard holds; NULL: there is none */
    size_t card_len;
    dunlin_status card_status;
    unsigned card_reads;
    /* NULL, or what answers other requests than for a bootstrap; false: it is one. */
    bool (*serve)(void *context, const dn_coap_incoming *request, dunlin_buf *body, dn_coap_reply *reply);
    void *serve_context;
} sequence;

/* Makes both ends. The client has no account; the configuration may be changed before sequence_make. */
void sequence_open(sequence *s, dunlin_lwm2m lwm2m);
/* Makes the client (anew) by s->r.config, with the account of the bootstrap server if `hold_off_s` is not negative. */
void sequence_make(sequence *s, int hold_off_s);
/* Adds the account 1, of "coap://server", or of a server that is not there. Two tries, 10 s apart. */
void sequence_add(sequence *s, const char *uri);
void sequence_start(sequence *s);
void sequence_run(sequence *s, uint64_t seconds);
void sequence_close(sequence *s);
/* The bootstrap server asks for these, beginning now. */
void sequence_ask(sequence *s, const sequence_step *steps, size_t count);
/* A value as text: "coap://server", "1"; "-": it is not there. */
const char *sequence_value(sequence *s, const char *path);

#endif
