/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests to devices that are under way: those of callers and the server's own. Each is a dn_command; found
 * by its number, to cancel it, and by the registration's slot, to end it with that.
 *
 * Threads: one shard's.
 */
#ifndef DN_SERVER_REQUESTS_H
#define DN_SERVER_REQUESTS_H

#include "server/command.h"
#include "server/index.h"

#define DN_REQUESTS_OWN_MAX 256u /* the server's own at one time */
#define DN_REQUESTS_DELIVERIES_MAX \
    1024u /* and those of the durable queue: one that is not answered takes a place for long */

typedef struct {
    dn_command **active; /* by place */
    uint32_t *free_places;
    uint32_t free_count;
    uint32_t places;
    uint32_t max_asked;
    uint32_t asked, own, delivering; /* callers', the server's own, the durable queue's */
    dn_index by_number, by_slot;
} dn_requests;

/* False: no memory. */
bool dn_requests_init(dn_requests *requests, uint32_t max_asked);
void dn_requests_free(dn_requests *requests);

typedef struct dn_shard dn_shard;

/*
 * Sends command->ask to the device in `slot`, with `observe` (0, 1, DN_COAP_NO_OBSERVE) and, unless 0, with
 * `token`. From now on the command belongs to the table; its outcome goes to dn_shard_finish, for OBSERVE,
 * RENEW and FETCH to observe.c, for DELIVER to delivery.c. Anything but OK: not sent, the command is still the caller's. LIMIT: too many
 * are under way; TIMEOUT: it cannot be reached now; SPACE: path or query too long; NOT_FOUND: there is no such package; IO: it cannot be read; MEMORY.
 */
dunlin_status dn_requests_send(dn_shard *shard, dn_command *command, uint32_t slot, int32_t observe,
                               uint64_t token);
/* Writes a device's answer, or its failure, into the command. */
void dn_requests_outcome(dn_shard *shard, dn_command *command, dunlin_status status,
                         const dn_coap_response *response);
/* Each gets CANCELLED before these return. */
void dn_requests_cancel(dn_shard *shard, dn_command *command); /* one that is under way */
void dn_requests_cancel_slot(dn_shard *shard, uint32_t slot);
void dn_requests_cancel_number(dn_shard *shard, uint64_t number);
void dn_requests_cancel_all(dn_shard *shard);

#endif
