/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A shard's thread: it waits for datagrams, commands and deadlines, and drives the shard's cycle. Nothing on
 * the way of a packet takes a lock. When the store fails, nothing more leaves: the loop says so and serves no
 * longer, since what is in memory is not what is on disk.
 *
 * Threads: every function may be called from any thread; create and stop from one.
 */
#ifndef DN_SERVER_LOOP_H
#define DN_SERVER_LOOP_H

#include "server/events.h"
#include "server/fleet.h"

#include "server/command.h"

typedef struct dn_loop dn_loop;

/* Makes the shard, binds the sockets, starts the thread. On failure `error` says what, and the store is
 * closed. `events` must outlive it. */
dunlin_status dn_loop_create(const dn_fleet_config *config, dn_events *events, dn_loop **loop, char *error,
                             size_t error_size);
/* Lets requests under way finish for `grace_ms`, ends the rest, commits, ends the thread, closes the store,
 * frees. */
void dn_loop_stop(dn_loop *loop, uint32_t grace_ms);
/* Takes the command. LIMIT: too many wait; STATE: it is stopping. Then the command is the caller's. */
dunlin_status dn_loop_post(dn_loop *loop, dn_command *command);

const char *dn_loop_address(const dn_loop *loop, dn_transport transport, size_t index); /* NULL: no such */
void dn_loop_use_tls(dn_loop *loop, dn_tls_context *tls);
bool dn_loop_healthy(const dn_loop *loop, const char **detail);
void dn_loop_on_failure(dn_loop *loop, void (*failed)(void *context, const char *detail), void *context);
void dn_loop_on_completed(dn_loop *loop, void (*completed)(void *context), void *context);
void dn_loop_count(const dn_loop *loop, dn_fleet_counters *out);

/* dn_peer_text for peers of the ports. */
void dn_loop_peer_text(const dn_peer *peer, char *out, size_t size);

#endif
