/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Delivering the durable queue (Core 1.1.1 section 6.5, Transport 1.1.1 section 6.5): of each endpoint the first request
 * that waits, one at a time, when the device can be asked.
 *
 * - A client in queue mode is asked while it is awake; each of its messages makes it so. One that does not
 * answer is asked again after its next message; one whose message comes during a delivery gets that once more at once,
 * since its own awake time may be shorter than ours.
 * - Any other client is asked at once. One that does not answer is asked again when it speaks, or after a
 * pause that grows from 30 s to an hour.
 * - However often it was tried, a request waits until it expires. A device that registers anew, or from
 * elsewhere, finds it waiting; what was on its way to an address that the device has left is sent to the new one.
 * - An answer ends it, whatever its code. So does what another try would not mend: a Reset, an answer that
 * breaks CoAP or is too large, a path or query that CoAP cannot carry.
 * - What is being delivered is in the store as such before its datagram leaves. When the server is killed, or
 * the registration ends, before an answer came, a POST ends as UNKNOWN: it may have been done, and again would
 * be twice. The same when the device acknowledged it and never answered. All others wait again.
 */
#ifndef DN_SERVER_DELIVERY_H
#define DN_SERVER_DELIVERY_H

#include "server/command.h"
#include "server/queue.h"

typedef struct dn_shard dn_shard;

/* ENQUEUE, AWAIT, DEQUEUE, SETTLE; and their completions, with that of QUEUE, which looks at what is committed. */
void dn_delivery_submit(dn_shard *shard, dn_command *command);
void dn_delivery_complete(dn_shard *shard, dn_command *command, bool alive);

/* The device answered a DELIVER command, or did not. */
void dn_delivery_answered(dn_shard *shard, dn_command *command, dunlin_status status,
                          const dn_coap_response *response);

/* The registration in `slot` is new; its device has another address; it has spoken; it ends. */
void dn_delivery_registered(dn_shard *shard, uint32_t slot);
void dn_delivery_moved(dn_shard *shard, uint32_t slot);
void dn_delivery_heard(dn_shard *shard, uint32_t slot);
void dn_delivery_unregistered(dn_shard *shard, uint32_t slot);
/* Requests that wait for it. */
uint32_t dn_delivery_waiting(const dn_shard *shard, uint32_t slot);

/* What is due: ends, pauses, waits; and deliveries. A bounded piece of each. */
void dn_delivery_work(dn_shard *shard);
/* When to call it next; DN_NEVER. */
uint64_t dn_delivery_deadline(const dn_shard *shard);
/* Ends the waits for requests: each gets the request as it stands. */
void dn_delivery_cancel(dn_shard *shard);
/* Settles what the end of the last process left open, once everything is loaded and the store attached. MEMORY; ERR_STORE. */
dunlin_status dn_delivery_loaded(dn_shard *shard);

#endif
