/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The durable queue of a shard: requests that wait until their device can be asked, and for a while those that
 * have ended. In memory and in the store at once, as with registrations. When and how they are delivered is in
 * delivery.c.
 *
 * A "line" is an endpoint with at least one request, ended ones included: its requests in the order of their
 * ids. Lines go by endpoint name, since requests outlive registrations. Devices without requests cost nothing.
 *
 * Times are the shard's monotonic clock in ms; the store and views have wall times. Threads: one table belongs
 * to one thread.
 */
#ifndef DN_SERVER_QUEUE_H
#define DN_SERVER_QUEUE_H

#include "base/deadline.h"
#include "server/durable.h"
#include "server/fleet.h"
#include "server/ids.h"
#include "server/index.h"
#include "server/slab.h"
#include "server/strings.h"

#define DN_QUEUE_NONE        UINT32_MAX
#define DN_QUEUE_QUERY_MAX   4096u
#define DN_QUEUE_PACKAGE_MAX 64u

struct dn_command;

typedef struct {
    uint32_t line;                            /* first: the slab's while free */
    uint32_t next, prev;                      /* of the same line, by id */
    uint32_t next_ended;                      /* in the order of their ends */
    uint64_t id;                              /* 0: free */
    dn_deadline expiry;                       /* while not ended */
    uint64_t drop_at_ms;                      /* once ended */
    int64_t created_ms, expires_ms, ended_ms; /* wall time; ended 0: not */
    struct dn_command *delivery;              /* DELIVERING: under way. The delivery's own to clear */
    struct dn_command *awaiting;              /* AWAITs, in no order */
    uint8_t *texts;                           /* query, package, body */
    uint8_t *answer;                          /* location, payload; NULL: empty */
    uint32_t body_len, answer_len;
    uint16_t query_len;
    uint8_t package_len, location_len;
    uint8_t state; /* dn_queued_state */
    uint8_t method;
    bool auto_accept;
    uint8_t code;
    uint16_t content_format, accept, format;
    dunlin_path path;
    uint32_t attempts;
    dunlin_status status;
} dn_queued;

typedef struct {
    uint32_t next; /* among the ready; the slab's while free */
    uint32_t name;
    uint32_t slot;        /* of the endpoint's registration, or DN_SLOT_NONE */
    uint32_t first, last; /* requests; DN_QUEUE_NONE: the line is free */
    uint32_t up;          /* the first that has not ended, or DN_QUEUE_NONE */
    uint32_t waiting;     /* not ended */
    uint8_t name_len;
    bool ready;   /* among the ready */
    bool retries; /* its retry came due: deliver although the device is unreachable */
    bool heard;   /* its device has spoken since the line was looked at */
    dn_deadline retry;
} dn_line;

typedef struct {
    dn_slab slab;  /* of dn_queued */
    dn_slab lines; /* of dn_line */
    dn_strings names;
    dn_index by_endpoint; /* lines */
    dn_hash_key key;
    dn_durable *durable;
    uint32_t per_line;
    uint64_t max_bytes;
    uint64_t bytes;             /* of texts and answers */
    dn_ids ids;                 /* of all requests */
    uint64_t next_id, id_bound; /* ids below the bound are reserved in the store */
    uint32_t first_ended, last_ended;
    uint32_t first_ready, last_ready; /* lines */
    uint32_t waiting;                 /* not ended */
    dn_wheel expiries;                /* of dn_queued.expiry */
    dn_wheel retries;                 /* of dn_line.retry */
} dn_queue;

/* False: no memory. `durable` must outlive the queue. */
bool dn_queue_init(dn_queue *queue, uint32_t max, uint32_t per_line, uint64_t max_bytes, dn_durable *durable,
                   const dn_random *random, uint64_t now_ms);
void dn_queue_free(dn_queue *queue);

static inline dn_queued *dn_queue_at(const dn_queue *queue, uint32_t number)
{
    return dn_slab_at(&queue->slab, number);
}
static inline dn_line *dn_queue_line(const dn_queue *queue, uint32_t line)
{
    return dn_slab_at(&queue->lines, line);
}
dunlin_slice dn_line_endpoint(const dn_queue *queue, const dn_line *line);
/* DN_QUEUE_NONE: there is none. */
uint32_t dn_queue_find(const dn_queue *queue, uint64_t id);
uint32_t dn_queue_find_line(const dn_queue *queue, dunlin_slice endpoint);

/*
 * A new one at the end of its line; `slot` is the endpoint's. `expires_at_ms` and `expires_ms` are the same
 * moment by both clocks. When the queue is full, the request that ended first gives way. LIMIT: all of them,
 * or the line's, wait; MEMORY; ARGUMENT: endpoint, query or package is too long.
 */
dunlin_status dn_queue_add(dn_queue *queue, const dn_device_request *ask, uint32_t slot, int64_t created_ms,
                           int64_t expires_ms, uint64_t expires_at_ms, uint32_t *number);
/* It waits, or is being delivered: from the one to the other and back. */
void dn_queue_set_state(dn_queue *queue, uint32_t number, dn_queued_state state);
/* It has ended so, and is dropped at `drop_at_ms`. `outcome` NULL: no answer. */
void dn_queue_end(dn_queue *queue, uint32_t number, dn_queued_state state, const dn_device_response *outcome,
                  int64_t wall_ms, uint64_t drop_at_ms);
static inline bool dn_queued_has_ended(const dn_queued *request)
{
    return request->state > DN_QUEUED_DELIVERING;
}
/* Drops those whose time is over, `budget` at the most. */
void dn_queue_drop_old(dn_queue *queue, uint64_t now_ms, uint32_t budget);
/* When to call it next; DN_NEVER. */
uint64_t dn_queue_drop_deadline(const dn_queue *queue);

/* The lines whose turn it is to be looked at, first come, first served. A line may go while it is ready. */
void dn_queue_make_ready(dn_queue *queue, uint32_t line);
uint32_t dn_queue_next_ready(dn_queue *queue); /* takes it out; DN_QUEUE_NONE: there is none */

/* What is asked: views into the request. */
void dn_queue_ask(const dn_queue *queue, const dn_queued *request, dn_device_request *ask);
/* As it is shown: views into the queue. */
void dn_queue_view(const dn_queue *queue, uint32_t number, dn_queued_view *view);
/* The requests after id `after` in order, of one line or (DN_QUEUE_NONE) of all: at most `limit` views without
 * payloads into `views`. */
size_t dn_queue_page(const dn_queue *queue, uint32_t line, uint64_t after, size_t limit,
                     dn_queued_view *views);

/* Loading, after the registrations. ERR_STORE: the record cannot be; LIMIT; MEMORY. */
dunlin_status dn_queue_load(dn_queue *queue, const dn_store_request *record);
dunlin_status dn_queue_load_ids(dn_queue *queue, uint64_t bound);
/* When all are there: makes the lines. `slot_of` gives an endpoint's slot. MEMORY. */
dunlin_status dn_queue_loaded(dn_queue *queue, uint32_t (*slot_of)(void *context, dunlin_slice endpoint),
                              void *context, uint64_t now_ms, int64_t wall_ms, uint64_t keeps_ms);

#endif
