/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What enrolment (dunlin_enroll of dunlin/client.h) takes of cryptography and memory on a POSIX system: keys and requests by GnuTLS, certificates
 * found and judged, and the authorities of each server, by which the certificates of usages 0 and 1 are judged (dn_ways_config.refine).
 *
 * Threads: one, that of the client.
 */
#ifndef DN_PORT_ENROLL_H
#define DN_PORT_ENROLL_H

#include "security/tls.h"

#include <dunlin/client.h>

typedef struct dn_enrolling dn_enrolling;

/* NULL: no memory. `wall_s` tells the time; NULL: the system's clock. */
dn_enrolling *dn_enrolling_create(int64_t (*wall_s)(void *context), void *context);
void dn_enrolling_destroy(dn_enrolling *enrolling); /* may be NULL */
/* For dunlin_client_config.enroll; it must outlive the client. */
dunlin_enroll dn_enrolling_callbacks(dn_enrolling *enrolling);
/* The authorities that were given for `server`, if there are any, in place of the system's or beside those that the configuration has.
   What it sets is valid until the next call. */
void dn_enrolling_refine(dn_enrolling *enrolling, uint16_t server, dn_tls_client_config *config);

#endif
