/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A part of the fleet: some devices' registrations, requests and observations, and the store that keeps them.
 * A function of datagrams, commands and time: it opens no socket and starts no thread, so tests run it in
 * virtual time; loop.c puts a thread around it.
 *
 * One cycle is: begin; any number of receive and submit; work; commit; then, only if that was OK, let out
 * what `send` was given, and publish. What a device or a caller is told has been committed.
 *
 * Threads: one thread; the events have another one as their consumer.
 */
#ifndef DN_SERVER_SHARD_H
#define DN_SERVER_SHARD_H

#include "server/command.h"
#include "server/events.h"
#include "server/view.h"

typedef struct dn_shard dn_shard;

typedef struct {
    dn_fleet_config fleet; /* addresses and event_buffer_bytes are not used here */
    /* Takes a datagram, to be kept until the commit. */
    void (*send)(void *context, const dn_peer *peer, dunlin_slice datagram);
    void *context;
    dn_peer_text *peer_text;
    bool (*same_host)(const dn_peer *a, const dn_peer *b); /* ports may differ */
    bool (*is_loopback)(const dn_peer *peer);
    /* Who the peer has proved to be, NULL: nobody (asked of DTLS and TLS peers only); and whether anything can be sent to it now. NULL
       functions: all peers are plain UDP ones. Without is_loopback none is on this host. */
    const dn_identity *(*identity)(void *context, const dn_peer *peer);
    bool (*reaches)(void *context, const dn_peer *peer);
    void (*end_peer)(void *context,
                     const dn_peer *peer); /* a stream that broke the protocol, or is done with */
    dn_events *events;                     /* must outlive the shard */
} dn_shard_config;

/* Makes a shard and loads its store. On failure `error` says what; the store is the caller's again. */
dunlin_status dn_shard_create(const dn_shard_config *config, dn_shard **shard, char *error,
                              size_t error_size);
/* Closes the store. Nothing may be under way: see dn_shard_cancel. */
void dn_shard_destroy(dn_shard *shard);

void dn_shard_begin(dn_shard *shard); /* reads the clocks */
void dn_shard_receive(dn_shard *shard, const dn_peer *peer, dunlin_slice datagram);
/* A stream or a session of that peer is there, or is gone: what was under way over it ends. */
void dn_shard_opened(dn_shard *shard, const dn_peer *peer);
void dn_shard_closed(dn_shard *shard, const dn_peer *peer);
/* Credentials were added or removed. */
void dn_shard_credentials_changed(dn_shard *shard);
/* Takes the command; its completion runs in a later publish. */
void dn_shard_submit(dn_shard *shard, dn_command *command);
/* What is due: retransmissions, lifetimes, renewals, scans; a bounded piece of each. */
void dn_shard_work(dn_shard *shard);
/* STORE: nothing of this cycle may leave, and the shard must not be used on but for dn_shard_cancel, publish,
 * destroy. */
dunlin_status dn_shard_commit(dn_shard *shard);
/* True when a completion ran. */
bool dn_shard_publish(dn_shard *shard);

/* When dn_shard_work is to be called next, by the monotonic clock; 0: at once; DN_NEVER. */
uint64_t dn_shard_deadline(const dn_shard *shard);
/* From now on nothing new of the durable queue is delivered: the shard is to end. */
void dn_shard_drain(dn_shard *shard);
/* Requests under way and commands that wait, but for those that wait for a queued request. */
bool dn_shard_is_busy(const dn_shard *shard);
/* Ends them all with CANCELLED; publish runs their completions. */
void dn_shard_cancel(dn_shard *shard);
/* Ends commands that were not begun in the same way. */
void dn_shard_refuse(dn_shard *shard, dn_command_queue *queue);
const char *dn_shard_store_error(const dn_shard *shard);
/* All but the loop's: commit_us_total, batches, sends_failed. */
void dn_shard_count(const dn_shard *shard, dn_fleet_counters *out);

#endif
