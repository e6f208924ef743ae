/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Enrollment over secure transport (Transport 1.1.1 section 5.2.4, RFC 9148): for accounts with security mode EST a key pair is made here, a
 * certificate for it is asked of the bootstrap server over its way, and held for the account: from then on it is one with mode X.509. Asked
 * again (/est/sren) before it ends: at nine tenths of its time or thirty days before the end, whichever is later.
 */
#ifndef DN_CLIENT_EST_H
#define DN_CLIENT_EST_H

#include "client/state.h"

#define DN_EST_REQUEST_MAX     512u  /* bytes of a request for a certificate */
#define DN_EST_AUTHORITIES_MAX 1536u /* of the authorities that are kept for an account */

typedef enum { DN_EST_NOTHING, DN_EST_BUSY, DN_EST_DONE, DN_EST_FAILED } dn_est_state;

/* Bytes of the arena, and taking them; none without config.enroll. False: the arena is too small. */
size_t dn_client_est_size(const dunlin_client_config *config);
bool dn_client_est_create(dunlin_client *client);
/* Whether a certificate was issued for the account, and still holds as far as the clock is known. */
bool dn_client_est_holds(const dunlin_client *client, const dn_security_instance *instance);
/* Whether an account has mode EST and no certificate that holds: to be asked after Finish, and at a start. */
bool dn_client_est_needed(dunlin_client *client);
/* Begins to enrol for all of those, over the open way to the bootstrap server at `peer`. UNSUPPORTED: config.enroll is empty. */
dunlin_status dn_client_est_start(dunlin_client *client, const dn_peer *peer);
void dn_client_est_cancel(dunlin_client *client);
/* A renewal could not be begun, for the bootstrap server was not to be reached: later, so that ten tries are in what remains. */
void dn_client_est_put_off(dunlin_client *client);
/* The authorities of `instance`, which usages 0 to 2 of its server's certificate go by: kept for the next start. */
void dn_client_est_keep_authorities(dunlin_client *client, dn_security_instance *instance, dunlin_slice set);
/* What is due: 5.03 with Max-Age waits, DONE and FAILED are told once; then NOTHING. `why`, may be NULL: of FAILED. */
dn_est_state dn_client_est_step(dunlin_client *client, dunlin_status *why);
uint64_t dn_client_est_deadline(const dunlin_client *client);
/* When a certificate is to be renewed next, as unix time; INT64_MAX: none, or the clock is not known. */
int64_t dn_client_est_renewal_s(dunlin_client *client);

#endif
