/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The talk with devices about observations (RFC 7641; Core 1.1.1 section 6.4): starting and ending them,
 * taking notifications, and asking for them again after every Register, which makes a client forget them.
 *
 * Renewal goes endpoint by endpoint, one request at a time each; one that does not answer is left until it
 * next speaks to us. Threads: one shard's.
 */
#ifndef DN_SERVER_OBSERVE_H
#define DN_SERVER_OBSERVE_H

#include "server/requests.h"

/* Commands OBSERVE and UNOBSERVE; they belong to the shard from here on. */
void dn_observe_start(dn_shard *shard, dn_command *command);
void dn_observe_stop(dn_shard *shard, dn_command *command);
/* How a request of kind OBSERVE, RENEW or FETCH ended. */
void dn_observe_answered(dn_shard *shard, dn_command *command, dunlin_status status,
                         const dn_coap_response *response);
void dn_observe_fetched(dn_shard *shard, dn_command *command, dunlin_status status,
                        const dn_coap_response *response);
/* A notification, from whoever sent it. False: not one of ours. */
bool dn_observe_notified(dn_shard *shard, const dn_peer *peer, const dn_coap_response *notification);

/* The registration in `slot` is new: what its client was asked for is to be asked for again. */
void dn_observe_registered(dn_shard *shard, uint32_t slot);
/* It sent an Update. `moved`: from a new address, where notifications of the old one's observations would be
 * strangers'. */
void dn_observe_updated(dn_shard *shard, uint32_t slot, bool moved);
/* It ended. */
void dn_observe_unregistered(dn_shard *shard, uint32_t slot);
/* Sends what waits, as far as limits let it. */
void dn_observe_work(dn_shard *shard);
bool dn_observe_has_room(const dn_shard *shard);

#endif
