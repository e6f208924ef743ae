/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Enrolment by an authority elsewhere: what dn_est hands on is asked of an EST server over HTTPS (RFC 7030), on a thread of its own with libcurl. This
 * server is a registration authority then: it has checked who asks, and proves itself to the authority by its certificate or by the name and
 * password in the URL. Renewals are asked for as new certificates (/simpleenroll), for /simplereenroll is for who has the former one as its own.
 *
 *     est_forward_open(&config, &forward, …);
 *     est_config.forward = est_forward_ask, .context = forward;
 *     dn_est_create(&est_config, &est, …);
 *     est_forward_start(forward, est, …);   …   est_forward_close(forward);   dn_est_destroy(est);
 *
 * Threads: est_forward_ask from that of the engine, the rest from that which owns it.
 */
#ifndef DUNLIND_EST_FORWARD_H
#define DUNLIND_EST_FORWARD_H

#include "bootstrap/est.h"

typedef struct est_forward est_forward;

typedef struct {
    const char *url;         /* "https://ca.example/.well-known/est", with a label behind it or without */
    const char *authorities; /* PEM file by which the server's certificate is judged; NULL: the system's */
    const char *certificate, *key; /* PEM files of this server's own; NULL: none */
    uint32_t timeout_s;            /* of an exchange; 0: 30 */
    const dn_log *log;
} est_forward_config;

/* Copies. False: `error` says why (no https:// URL, a file that cannot be read). */
bool est_forward_open(const est_forward_config *config, est_forward **out, char *error, size_t error_size);
/* From now on it asks, and answers by dn_est_answer. */
bool est_forward_start(est_forward *forward, dn_est *est, char *error, size_t error_size);
/* Breaks off what is under way; nothing is answered any more when it returns. May be NULL. */
void est_forward_close(est_forward *forward);
/* As dn_est_config.forward, with the est_forward as context. LIMIT: too many wait; STATE: it was not started. */
dunlin_status est_forward_ask(void *context, uint64_t number, bool is_crts, bool is_renewal,
                              dunlin_slice request);

#endif
