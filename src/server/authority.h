/* SPDX-License-Identifier: Apache-2.0 */
/*
 * On whose authority a peer speaks: what its handshake proved is compared with endpoint names and registrations, and who proved nothing is
 * held to the policy for NoSec (Transport 1.1.1 sections 5.2.6, 5.3, 6.4.3).
 *
 * A peer with an identity may act for each endpoint that its credential stands for; but one that is shared by a pattern of names
 * does not stand for a name that has a credential of its own. A peer without may act for endpoints that have no credential, if the
 * policy lets it speak at all. Nothing is remembered of a peer: it is asked for at each message, so that another device which has got
 * its address and port inherits nothing.
 */
#ifndef DN_SERVER_AUTHORITY_H
#define DN_SERVER_AUTHORITY_H

#include "security/identity.h"
#include "server/registrations.h"

typedef struct dn_shard dn_shard;

/* What a refusal is answered with; `why` is for the log, and with 4.03 for the device too. */
typedef struct {
    uint8_t code; /* 0: not refused */
    const char *why;
} dn_refusal;

/* Whether anything is taken from this peer. Counts a refusal. */
dn_refusal dn_authority_admit(dn_shard *shard, const dn_peer *peer);
/*
 * Whether it may register what `terms` says. Without `ep` the endpoint is the one that its credential stands for: it is copied
 * to `name`, which terms->endpoint then views. Counts a refusal.
 */
dn_refusal dn_authority_enrol(dn_shard *shard, const dn_peer *peer, dn_parameters *terms,
                              char name[DN_ENDPOINT_NAME_MAX]);
/* It has registered: a credential that a bootstrap has handed out, and that it has just proved itself by, holds from now on. */
void dn_authority_served(const dn_shard *shard, const dn_peer *peer);
/* How the peer has proved who it is: dn_security_mode. */
unsigned dn_authority_mode(const dn_shard *shard, const dn_peer *peer);
/* True when the peer may act for the registration in `slot`: by identity, or without one if it was made without. */
bool dn_authority_owns(const dn_shard *shard, const dn_peer *peer, uint32_t slot);
/* The same for a request by which a client names its registration: without security it must come from the host that registered. Counts a refusal. */
bool dn_authority_holds(dn_shard *shard, const dn_peer *peer, uint32_t slot);
/* The registration that was made or updated from this address and that it may act for, the newest of several; DN_SLOT_NONE. */
uint32_t dn_authority_registration(dn_shard *shard, const dn_peer *peer);
/* True when something can be sent to the device now, and who would get it is the device. */
bool dn_authority_reaches(const dn_shard *shard, uint32_t slot);

#endif
