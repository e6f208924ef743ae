/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A piece of work for a shard, from the moment it is asked for until its completion has run. It travels from
 * a caller's thread through the mailbox, lives as a request to a device while one is under way, and waits for
 * the commit before its completion runs. Requests of the server's own, to renew observations, are commands
 * nobody waits for.
 */
#ifndef DN_SERVER_COMMAND_H
#define DN_SERVER_COMMAND_H

#include "base/deadline.h"
#include "server/fleet.h"

typedef enum {
    DN_COMMAND_REQUEST,
    DN_COMMAND_OBSERVE,
    DN_COMMAND_UNOBSERVE,
    DN_COMMAND_RENEW,   /* the server's own: Observe again after a Register */
    DN_COMMAND_FETCH,   /* the server's own: the rest of a long notification */
    DN_COMMAND_DELIVER, /* the server's own: a request of the durable queue */
    DN_COMMAND_CANCEL,
    DN_COMMAND_GET,
    DN_COMMAND_LIST,
    DN_COMMAND_OBSERVATIONS,
    DN_COMMAND_ENQUEUE,
    DN_COMMAND_AWAIT,
    DN_COMMAND_DEQUEUE,
    DN_COMMAND_QUEUE, /* a page of it */
    DN_COMMAND_SETTLE
} dn_command_kind;

typedef void dn_observe_done(void *context, const dn_device_response *response, bool existed);
typedef void dn_get_done(void *context, const dn_client_view *client);
typedef void dn_list_done(void *context, const dn_client_page *page);
typedef void dn_observations_done(void *context, bool registered, const dn_observation_view *list,
                                  size_t count);

typedef void dn_queued_done(void *context, dunlin_status status, const dn_queued_view *queued);
typedef void dn_queue_done(void *context, const dn_queued_page *page);
typedef void dn_settle(void *context, dn_device_request *request, uint8_t version_major,
                       uint8_t version_minor, dunlin_slice links);

/* One that a scan found; the registration is looked at again when the page is made. */
typedef struct {
    uint32_t slot;
    uint64_t id;
} dn_list_hit;

typedef struct dn_command {
    struct dn_command *next; /* of the queue it is in */
    dn_command_kind kind;
    uint64_t
        number; /* REQUEST: what dn_fleet_cancel names; CANCEL: the one to cancel; ENQUEUE, AWAIT, DEQUEUE:
                        the queued request's id */
    dn_device_request
        ask; /* its views go to copies behind this structure; the queries use ask.endpoint only */
    union {
        dn_device_done *request;
        dn_observe_done *observe;
        dn_get_done *get;
        dn_list_done *list;
        dn_observations_done *observations;
        dn_queued_done *queued; /* ENQUEUE, DEQUEUE */
        dn_queue_done *queue;
        dn_settle *settle; /* SETTLE */
    } done;
    void *context; /* of done */

    /* OBSERVE, UNOBSERVE. */
    dunlin_path *paths; /* of a composite, the command's own; else NULL */
    size_t path_count;
    bool silent; /* UNOBSERVE: the device is not asked */

    /* The durable queue. */
    uint32_t expires_s; /* ENQUEUE */
    dn_deadline wake;   /* AWAIT */
    uint64_t queued;    /* DELIVER: id */

    /* LIST; QUEUE: after and limit. */
    uint64_t after;
    uint32_t limit;
    uint32_t hit_count;
    dn_list_hit *hits;

    /* While a request to a device is under way. */
    struct dn_shard *shard;
    uint32_t place; /* among the shard's active requests */
    uint32_t slot;
    uint64_t exchange;
    bool by_stream;       /* without acknowledgements: once sent it may have been carried out */
    struct dn_push *push; /* of ask.package */
    uint32_t observation; /* OBSERVE, RENEW, FETCH */
    uint64_t token;       /* of that observation: its number may be another one's by now */
    uint32_t watch;       /* RENEW: the endpoint's */
    uint8_t szx;          /* FETCH: size exponent of the block that came, and its ETag */
    uint8_t etag_len;
    uint8_t etag[8];

    /* The outcome. */
    dn_device_response response; /* payload in `body`, location in `location` */
    uint8_t *carried;            /* a payload that was made here */
    uint8_t *body;
    char location[DUNLIN_PATH_TEXT_MAX + 1];
    bool existed;
} dn_command;

/* A command with its own copies of the views of `ask`. NULL: no memory. */
dn_command *dn_command_create(dn_command_kind kind, const dn_device_request *ask);
void dn_command_free(dn_command *command);
/* Another payload to send, or other paths to observe, as copies of its own. False: no memory. */
bool dn_command_carry(dn_command *command, dunlin_slice payload);
bool dn_command_observe(dn_command *command, const dunlin_path *paths, size_t count);
/* The outcome's payload as a copy of its own; for FETCH the block that came. False: no memory. */
bool dn_command_keep(dn_command *command, dunlin_slice payload);

/* A queue, first in first out. Zero-initialised: empty. */
typedef struct {
    dn_command *first, *last;
} dn_command_queue;
void dn_command_push(dn_command_queue *queue, dn_command *command);
dn_command *dn_command_pop(dn_command_queue *queue); /* NULL: empty */

#endif
