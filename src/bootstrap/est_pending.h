/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests that were handed on to an authority elsewhere: the same request, coming again from the same device, finds what became of it. What was
 * answered is kept for a while, since the device may not have heard of it; who never comes back makes room for others.
 *
 * Threads: `answer` from any thread, the rest from one.
 */
#ifndef DN_BOOTSTRAP_EST_PENDING_H
#define DN_BOOTSTRAP_EST_PENDING_H

#include "security/enroll.h"

#define DN_EST_PENDING_MAX 1024u
/* Who asks for more than this has to wait, as long as the authority has not answered one of those: nobody takes the places of all. */
#define DN_EST_OF_NAME_MAX   2u
#define DN_EST_OF_SHARED_MAX (DN_EST_PENDING_MAX / 2u) /* of all that share a credential */
#define DN_EST_KEPT_MS       3600000u                  /* after the last time that it was asked for */
#define DN_EST_AUTHORITY_MS  3600000u                  /* how old the authority's own certificates may be */

typedef struct dn_est_pending dn_est_pending;

typedef enum {
    DN_EST_NEW,      /* to be handed on now */
    DN_EST_WAITING,  /* it was handed on, or is to be when its time comes: `wait_s` */
    DN_EST_ANSWERED, /* `status` and `payload` */
    DN_EST_FULL,
    DN_EST_ENOUGH /* not handed on: as many of the same device, or credential, wait as may */
} dn_est_standing;

/* What is asked for, and by whom; `endpoint` and `request` are empty for the authority's certificates. */
typedef struct {
    dunlin_slice endpoint, request;
    uint64_t
        shared; /* number of the credential by which the device has proved itself, if it stands for many; else 0 */
    bool is_renewal;
} dn_est_wanted;

typedef struct {
    dn_est_standing standing;
    uint64_t number;
    unsigned http_status;
    uint32_t wait_s;
    bool is_put_off;      /* the authority itself has said how long */
    dunlin_slice payload; /* valid until the next look */
} dn_est_look;

dn_est_pending *dn_est_pending_create(void);
void dn_est_pending_destroy(dn_est_pending *pending);
/* What is known of it; NEW: it is noted as handed on. */
void dn_est_pending_look(dn_est_pending *pending, const dn_est_wanted *wanted, uint64_t now_ms,
                         dn_est_look *out);
/* It could not be handed on, or is done with. */
void dn_est_pending_forget(dn_est_pending *pending, uint64_t number);
/* Its answer. 202: it is to be handed on again in `retry_s`. Unknown numbers are passed over. */
void dn_est_pending_answer(dn_est_pending *pending, uint64_t number, unsigned http_status, uint32_t retry_s,
                           dunlin_slice payload);

#endif
