/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a server gives out or keeps so that sessions can be resumed: the key that tickets are sealed with, and a table of sessions by
 * id for clients without tickets. The table is bounded: the oldest gives way.
 *
 * Threads: any; a lock inside.
 */
#ifndef DN_SECURITY_GNUTLS_RESUME_H
#define DN_SECURITY_GNUTLS_RESUME_H

#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct dn_resume dn_resume;

/* At most `limit` sessions by id, each for `lifetime_s`. NULL: no memory. */
dn_resume *dn_resume_create(uint32_t limit, uint32_t lifetime_s);
void dn_resume_free(dn_resume *resume);
/* All that was given out or kept is worth nothing any more. */
void dn_resume_drop(dn_resume *resume);
/* Makes a new library session of a server resume others. `*drops` gets what dn_resume_drops says now. False: no memory. */
bool dn_resume_enable(dn_resume *resume, gnutls_session_t session, uint64_t *drops);
/* How often all was dropped: a handshake that began before the last time must not resume anything. */
uint64_t dn_resume_drops(dn_resume *resume);

#endif
