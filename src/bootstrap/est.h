/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Enrollment over secure transport, the server's side (RFC 9148; Transport 1.1.1 section 5.2.4): /.well-known/est/crts, /sen and /sren, and the short form
 * /est/… of some clients. Certificates are issued by an authority of this server, or asked of one over EST-HTTPS (RFC 7030), which `forward` does elsewhere.
 *
 * Threads: one, that of the engine which owns the requests; `forward` may answer from another one by dn_est_answer.
 */
#ifndef DN_BOOTSTRAP_EST_H
#define DN_BOOTSTRAP_EST_H

#include "base/log.h"
#include "base/random.h"
#include "coap/message.h"
#include "security/identity.h"

#include <dunlin/status.h>
#include <stdbool.h>

/* What /.well-known/core says of it (RFC 9148 section 4.1). */
#define DN_EST_LINKS                                  \
    "</est/crts>;rt=\"ace.est.crts\";ct=\"281 287\"," \
    "</est/sen>;rt=\"ace.est.sen\";ct=\"281 287\","   \
    "</est/sren>;rt=\"ace.est.sren\";ct=\"281 287\""

typedef struct dn_est dn_est;

typedef struct {
    dunlin_slice authority;     /* the issuing certificate, DER; empty with `forward` */
    dunlin_slice authority_key; /* PKCS#8 DER, or "pkcs11:…" */
    uint32_t days;              /* [365] that a certificate holds */
    bool
        takes_psk; /* [false] devices that proved themselves by PSK or RPK may enrol too; else by a certificate alone */
    /* EST-HTTPS: hands a request on; NULL: the authority above issues. The answer comes by dn_est_answer with `number`. */
    dunlin_status (*forward)(void *context, uint64_t number, bool is_crts, bool is_renewal,
                             dunlin_slice request);
    void *context;
    /* A certificate for `endpoint` is about to leave: makes the LwM2M server know it. An error: 5.00. May be NULL. */
    dunlin_status (*issued)(void *context, dunlin_slice endpoint, dunlin_slice certificate);
    void *issued_context;
    dn_random random;
    int64_t (*wall_ms)(void *context);
    void *clock_context;
    const dn_log *log;
} dn_est_config;

dn_est_config dn_est_config_default(void);
/* ARGUMENT, MALFORMED: the authority's certificate or key cannot be used; `error` says what. Copies. */
dunlin_status dn_est_create(const dn_est_config *config, dn_est **out, char *error, size_t error_size);
void dn_est_destroy(dn_est *est); /* may be NULL */

/* Whom a shared credential does not stand for, as its identity is a pattern: whoever has one of its own. Without it: nobody is. */
void dn_est_guard(dn_est *est, bool (*has_own)(void *context, dunlin_slice endpoint), void *context);

/* What there is to answer: a code, and with a success a payload, valid until the next call. */
typedef struct {
    uint8_t code;
    uint16_t format; /* 281, 287 */
    dunlin_slice payload;
    uint32_t max_age_s; /* of 5.03: ask again then, with the same request */
    char why[128]; /* for log and event; "" after a success but an issue, which tells serial number and end */
    bool is_issue; /* a certificate was issued */
} dn_est_reply;

/* Whether the path of a request is one of EST's. */
bool dn_est_is_for(dn_coap_options options);
/* A whole request (blocks put together), as dn_coap_incoming has it. */
typedef struct {
    uint8_t method;
    dn_coap_options options;
    uint16_t content_format, accept; /* 65535: absent */
    dunlin_slice payload;
} dn_est_request;

/*
 * Answers it. `identity`: who the peer has proved to be; NULL: nobody, 4.01. The certificate will carry the name that this stands for (Common
 * Name) whatever the request says; a request whose own Common Name is another is 4.00. The request's signature is checked; keys other
 * than P-256 are 4.00. `now_ms`: monotonic.
 */
void dn_est_handle(dn_est *est, const dn_est_request *request, const dn_identity *identity, uint64_t now_ms,
                   dn_est_reply *reply);
/* `forward` has come to an end: HTTP status 200 with PKCS#7 in DER, 202 with `retry_s`, or what else. Any thread. */
void dn_est_answer(dn_est *est, uint64_t number, unsigned http_status, uint32_t retry_s,
                   dunlin_slice payload);
/* For a first start there is dn_authority_make (security/issue.h). */

#endif
