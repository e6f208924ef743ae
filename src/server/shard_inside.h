/* SPDX-License-Identifier: Apache-2.0 */
/* What the files that make up a shard (shard.c, rd.c, requests.c, observe.c, delivery.c, presence.c,
 * queries.c, sessions.c, authority.c) know of each other.
 * For no one else. */
#ifndef DN_SERVER_SHARD_INSIDE_H
#define DN_SERVER_SHARD_INSIDE_H

#include "server/authority.h"
#include "server/delivery.h"
#include "server/observations.h"
#include "server/observe.h"
#include "server/packages.h"
#include "server/presence.h"
#include "server/push.h"
#include "server/registrations.h"
#include "server/sessions.h"
#include "server/shard.h"

#define DN_SHARD_AREA "server" /* in the log */

/* Counted by whoever it happens to. */
typedef struct {
    uint64_t registers, updates, deregisters, expiries;
    uint64_t refused_registers, refused_updates;
    uint64_t requests_sent, requests_ok, requests_failed, requests_timeout;
    uint64_t notifications, unknown_notifications;
    uint64_t sends_received, sends_refused;
    uint64_t queued_answered, queued_failed, queued_expired;
    uint64_t nosec_refused, identity_refused;
    uint64_t commits;
} dn_shard_counters;

struct dn_shard {
    dn_shard_config config;
    const dn_log *log;
    void *arena;
    dn_coap *coap;
    dn_durable durable;
    dn_registrations registrations;
    dn_observations observations;
    dn_requests requests;
    dn_packages packages;
    dn_pushes pushes;
    dn_command_queue finished; /* their completions wait for the commit */
    dn_command_queue scans;    /* lists being made, one slice of the first at a time */
    uint32_t waiting;          /* OBSERVE commands that wait for another one's answer */
    dn_queue queue;
    dn_wheel awaits;                /* of dn_command.wake */
    uint64_t deliver_not_before_ms; /* the engine had no room */
    dn_settle *settle;              /* for auto_accept */
    void *settle_context;
    dn_awake_list awake;
    dn_ended_streams ended;
    bool has_credentials; /* any at all: then NoSec clients are looked up */
    bool losing;          /* what is being ended now, ends with its session or stream: as unanswered */
    bool draining;        /* no new delivery begins */
    bool ending;          /* what is under way is being cancelled for the shard's end */
    uint32_t renew_first, renew_last; /* watches to renew */
    uint64_t renew_not_before_ms;     /* the engine had no room */
    uint64_t now_ms;
    int64_t wall_ms;
    int64_t wall_ahead_ms; /* of the monotonic clock; moved only when they have really come apart */
    uint64_t warned_ms;    /* the last refusal that was logged, so that strangers cannot fill the log */
    uint64_t unwarned;     /* refusals since */
    char location[DN_REGISTRATION_ID_TEXT + 1];
    dn_coap_option reply_options[2];
    dn_shard_counters counters;
};

/* rd.c: a request from a device. As dn_coap_callbacks.request. */
dn_coap_answered dn_rd_request(dn_shard *shard, const dn_coap_incoming *request, dunlin_buf *body,
                               dn_coap_reply *reply);

/* Logs a refusal of what strangers ask; at most once a second, with how many there were. */
void dn_shard_warn_refusal(dn_shard *shard, const dn_peer *peer, const char *operation, uint8_t code,
                           const char *why);
/* The command's outcome is complete. */
void dn_shard_finish(dn_shard *shard, dn_command *command);
void dn_shard_finish_with(dn_shard *shard, dn_command *command, dunlin_status status);
/* Raises an event about the registration in `slot`, with its object list. */
void dn_shard_tell(dn_shard *shard, uint32_t slot, dn_event_type type, uint8_t changed, bool replaced);
/* Ends what hangs on the registration in `slot`, and it, unless a new one takes its place (`replaced`). */
void dn_shard_end(dn_shard *shard, uint32_t slot, dn_event_type type, bool replaced);

/* queries.c: the next slice of the first scan; and the completions of GET, LIST and OBSERVATIONS, which look
   at what is committed. `alive` false: the shard is ending, say "nothing". */
void dn_queries_work(dn_shard *shard);
void dn_queries_complete(dn_shard *shard, dn_command *command, bool alive);

#endif
