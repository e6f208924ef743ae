/* SPDX-License-Identifier: Apache-2.0 */
/* Our bootstrap server in its cycle, or one that is led by hand. */
#include "ets/bootstrap_side.h"

#include "bootstrap/memory_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVERY_DEVICE "*"
#define EXCHANGES    32u
#define TRANSFERS    8u
#define CONNECTIONS  4u
#define BODY_MAX     65536u
#define STREAM_MAX   8192u
#define PATH_DEPTHS  4u
#define SEGMENT_MAX  6u
#define DEDUP_SLOTS  256u
#define DEDUP_REPLY  1152u

typedef struct waiting {
    struct waiting *next;
    dn_peer peer;
    size_t len;
    uint8_t bytes[];
} waiting;

struct dn_ets_bootstrap_side {
    dn_ets_bootstrap_config config;
    dn_ets_operator operator;
    /* Ours. */
    dn_bs *bs;
    dn_bs_store *store;
    waiting *first, **last; /* until the commit */
    /* By hand. */
    void *arena;
    dn_coap *coap;
    dn_peer device; /* who has asked last; len 0: nobody */
};

static uint64_t now_of(const dn_ets_bootstrap_side *side)
{
    return side->config.clock_ms(side->config.context);
}

/* ---- ours ---- */

static void keep(void *context, const dn_peer *peer, dunlin_slice datagram)
{
    dn_ets_bootstrap_side *side = context;
    waiting *one = malloc(sizeof *one + datagram.len);
    if (one == NULL) {
        return; /* lost, as on a network */
    }
    *one = (waiting){.peer = *peer, .len = datagram.len};
    if (datagram.len > 0) {
        memcpy(one->bytes, datagram.data, datagram.len);
    }
    *side->last = one;
    side->last = &one->next;
}

static void let_go(dn_ets_bootstrap_side *side, bool send)
{
    waiting *one = side->first;
    side->first = NULL;
    side->last = &side->first;
    while (one != NULL) {
        waiting *next = one->next;
        if (send) {
            side->config.send(side->config.context, &one->peer, dunlin_slice_make(one->bytes, one->len));
        }
        free(one);
        one = next;
    }
}

static void settle(dn_ets_bootstrap_side *side)
{
    dn_bs_work(side->bs);
    dn_bs_commit(side->bs);
    let_go(side, true);
}

static const dn_identity *identity_of(void *context, const dn_peer *peer)
{
    const dn_ets_bootstrap_side *side = context;
    return side->config.identity != NULL ? side->config.identity(side->config.context, peer) : NULL;
}

static bool reaches(void *context, const dn_peer *peer)
{
    const dn_ets_bootstrap_side *side = context;
    return side->config.reaches == NULL || side->config.reaches(side->config.context, peer);
}

static void end_peer(void *context, const dn_peer *peer)
{
    const dn_ets_bootstrap_side *side = context;
    if (side->config.end_peer != NULL) {
        side->config.end_peer(side->config.context, peer);
    }
}

static uint64_t clock_ms(void *context)
{
    return now_of(context);
}

static int64_t wall_ms(void *context)
{
    dn_ets_bootstrap_side *side = context;
    return side->config.wall_ms(side->config.context);
}

static bool make_engine(dn_ets_bootstrap_side *side, char *error, size_t error_size)
{
    dn_bs_engine_config config = dn_bs_engine_config_default();
    if (dn_bs_memory_store_open(NULL, NULL, &side->store) != DUNLIN_OK) {
        return false;
    }
    const dunlin_status taken = side->store->ops->put(side->store, dunlin_slice_of(EVERY_DEVICE),
                                                      dunlin_slice_of(side->config.document), 0, NULL);
    if (taken != DUNLIN_OK) {
        (void)snprintf(error, error_size, "the configuration is not taken: %s", dunlin_status_text(taken));
        return false;
    }
    config.store = side->store;
    config.own = side->config.own;
    config.est = side->config.est;
    config.coap.connections = CONNECTIONS;
    config.coap.dedup_slots = DEDUP_SLOTS;
    config.random = side->config.random;
    config.clock_ms = clock_ms;
    config.wall_ms = wall_ms;
    config.clock_context = side;
    config.send = keep;
    config.identity = identity_of;
    config.reaches = reaches;
    config.end_peer = end_peer;
    config.is_loopback = side->config.is_loopback;
    config.peer_text = side->config.peer_text;
    config.context = side;
    const dunlin_status status = dn_bs_create(&config, &side->bs);
    if (status != DUNLIN_OK) {
        (void)snprintf(error, error_size, "the bootstrap server: %s", dunlin_status_text(status));
    }
    return status == DUNLIN_OK;
}

/* ---- by hand ---- */

static void send_now(void *context, const dn_peer *peer, dunlin_slice datagram)
{
    const dn_ets_bootstrap_side *side = context;
    side->config.send(side->config.context, peer, datagram);
}

static bool is_for_bs(dn_coap_options options)
{
    dunlin_slice first;
    dunlin_slice second;
    return dn_coap_option_find(&options, DN_OPTION_URI_PATH, &first) == DUNLIN_OK &&
           dunlin_slice_equal(first, dunlin_slice_of("bs")) &&
           dn_coap_option_find(&options, DN_OPTION_URI_PATH, &second) != DUNLIN_OK;
}

/* Bootstrap-Request is all that a device may ask. */
static dn_coap_answered on_request(void *context, const dn_coap_incoming *request, dunlin_buf *body,
                                   dn_coap_reply *reply)
{
    dn_ets_bootstrap_side *side = context;
    (void)body;
    if (request->code != DN_COAP_POST || !is_for_bs(request->options)) {
        reply->code = DN_COAP_NOT_FOUND;
        return DN_COAP_ANSWERED;
    }
    side->device = request->peer;
    reply->code = DN_COAP_CHANGED;
    return DN_COAP_ANSWERED;
}

static bool on_notification(void *context, const dn_peer *peer, const dn_coap_response *notification)
{
    (void)context;
    (void)peer;
    (void)notification;
    return false;
}

static void on_stream_ended(void *context, const dn_peer *peer, dunlin_status status, dunlin_slice detail)
{
    (void)status;
    (void)detail;
    end_peer(context, peer);
}

static bool make_hand(dn_ets_bootstrap_side *side)
{
    const dn_coap_callbacks callbacks = {.send = send_now,
                                         .request = on_request,
                                         .notification = on_notification,
                                         .stream_ended = on_stream_ended,
                                         .context = side};
    dn_coap_config config = dn_coap_config_default();
    config.exchanges = EXCHANGES;
    config.transfers = TRANSFERS;
    config.dedup_slots = config.dedup_per_peer = DEDUP_SLOTS;
    config.dedup_reply_max = DEDUP_REPLY;
    config.max_body = BODY_MAX;
    config.connections = CONNECTIONS;
    config.max_stream_message = STREAM_MAX;
    const size_t size = dn_coap_arena_size(&config);
    side->arena = size > 0 ? malloc(size) : NULL;
    side->coap = side->arena != NULL ? dn_coap_create(side->arena, size, &config, &callbacks,
                                                      &side->config.random, NULL, now_of(side))
                                     : NULL;
    return side->coap != NULL;
}

/* ---- the operator of the hand ---- */

typedef struct {
    dn_ets_answer *answer;
    dunlin_path base;
    bool links;
    uint8_t *payload; /* until the result */
} pending;

static void take_payload(dn_ets_answer *answer, const pending *p, const dn_coap_response *response)
{
    if (p->links) {
        answer->links = calloc(1, response->payload.len + 1);
        if (answer->links != NULL && response->payload.len > 0) {
            memcpy(answer->links, response->payload.data, response->payload.len);
        }
        return;
    }
    const dunlin_status status =
        dn_ets_values_decode(&answer->values, response->content_format, p->base, response->payload);
    answer->decoded = status == DUNLIN_OK;
    if (status != DUNLIN_OK) {
        (void)snprintf(answer->trouble, sizeof answer->trouble, "%s", dunlin_status_text(status));
    }
}

static void on_result(void *context, uint64_t exchange, dunlin_status status,
                      const dn_coap_response *response)
{
    pending *p = context;
    dn_ets_answer *answer = p->answer;
    (void)exchange;
    answer->status = status;
    if (response != NULL) {
        answer->code = response->code;
        answer->content_format = response->content_format;
        if (response->code == DN_COAP_CONTENT) {
            take_payload(answer, p, response);
        }
    }
    free(p->payload);
    free(p);
    atomic_store(&answer->done, true);
}

static bool method_of(const dn_ets_ask *ask, dn_coap_outgoing *request)
{
    switch (ask->operation) {
    case DN_ETS_READ:
        request->code = DN_COAP_GET;
        request->accept = ask->format;
        return true;
    case DN_ETS_DISCOVER:
        request->code = DN_COAP_GET;
        request->accept = DN_FORMAT_LINK;
        return true;
    case DN_ETS_WRITE:
        request->code = DN_COAP_PUT;
        request->content_format = ask->format;
        return true;
    case DN_ETS_DELETE:
        request->code = DN_COAP_DELETE;
        return true;
    case DN_ETS_FINISH:
        request->code = DN_COAP_POST;
        return true;
    default:
        return false;
    }
}

/* Asks, with what `p` keeps until the result. */
static dunlin_status request_by_hand(dn_ets_bootstrap_side *side, const dn_ets_ask *ask, pending *p,
                                     dn_coap_outgoing *request)
{
    dn_coap_option options[PATH_DEPTHS] = {{DN_OPTION_URI_PATH, dunlin_slice_of("bs")}};
    char segments[PATH_DEPTHS][SEGMENT_MAX];
    uint64_t exchange;
    request->options = options;
    request->option_count = ask->operation == DN_ETS_FINISH ? 1 : ask->path.depth;
    for (size_t i = 0; ask->operation != DN_ETS_FINISH && i < ask->path.depth; i++) {
        const int len = snprintf(segments[i], sizeof segments[i], "%u", (unsigned)ask->path.id[i]);
        options[i] = (dn_coap_option){DN_OPTION_URI_PATH, dunlin_slice_make(segments[i], (size_t)len)};
    }
    if (ask->operation == DN_ETS_WRITE) {
        dunlin_buf payload = dunlin_buf_make(p->payload, BODY_MAX);
        const dunlin_status status = dn_ets_values_encode(ask->values, ask->format, ask->path, &payload);
        if (status != DUNLIN_OK) {
            return status;
        }
        request->payload = dunlin_buf_view(&payload);
    }
    request->confirmable = true;
    request->timeout_ms = ask->timeout_ms;
    return dn_coap_request(side->coap, &side->device, request, on_result, p, now_of(side), &exchange);
}

static void ask_hand(void *context, const dn_ets_ask *ask, dn_ets_answer *answer)
{
    dn_ets_bootstrap_side *side = context;
    dn_coap_outgoing request;
    dn_coap_outgoing_init(&request, DN_COAP_GET);
    pending *p = calloc(1, sizeof *p);
    dunlin_status status = p != NULL ? DUNLIN_OK : DUNLIN_ERR_MEMORY;
    answer->unsupported = side->coap == NULL || !method_of(ask, &request);
    if (status == DUNLIN_OK && side->device.len == 0) {
        status = DUNLIN_ERR_NOT_FOUND;
    }
    if (status == DUNLIN_OK && !answer->unsupported) {
        *p = (pending){.answer = answer, .base = ask->path, .links = ask->operation == DN_ETS_DISCOVER};
        p->payload = malloc(BODY_MAX);
        status = p->payload != NULL ? request_by_hand(side, ask, p, &request) : DUNLIN_ERR_MEMORY;
        if (status == DUNLIN_OK) {
            return; /* on_result ends it */
        }
        free(p->payload);
    }
    free(p);
    answer->status = status;
    atomic_store(&answer->done, true);
}

/* ---- both ---- */

dn_ets_bootstrap_side *dn_ets_bootstrap_side_create(const dn_ets_bootstrap_config *config, char *error,
                                                    size_t error_size)
{
    dn_ets_bootstrap_side *side = calloc(1, sizeof *side);
    (void)snprintf(error, error_size, "no memory");
    if (side == NULL) {
        return NULL;
    }
    side->config = *config;
    side->last = &side->first;
    side->operator=(dn_ets_operator){.name = "the bootstrap server", .ask = ask_hand, .context = side};
    if (config->document != NULL ? !make_engine(side, error, error_size) : !make_hand(side)) {
        dn_ets_bootstrap_side_destroy(side);
        return NULL;
    }
    return side;
}

void dn_ets_bootstrap_side_destroy(dn_ets_bootstrap_side *side)
{
    if (side == NULL) {
        return;
    }
    if (side->coap != NULL && side->device.len > 0) {
        dn_coap_forget(side->coap, &side->device);
    }
    if (side->bs != NULL) {
        dn_bs_destroy(side->bs);
    }
    if (side->store != NULL) {
        side->store->ops->close(side->store);
    }
    let_go(side, false);
    free(side->arena);
    free(side);
}

void dn_ets_bootstrap_side_receive(dn_ets_bootstrap_side *side, const dn_peer *peer, dunlin_slice datagram)
{
    if (side->bs == NULL) {
        dn_coap_receive(side->coap, peer, datagram, now_of(side));
        return;
    }
    dn_bs_begin(side->bs);
    dn_bs_receive(side->bs, peer, datagram);
    settle(side);
}

void dn_ets_bootstrap_side_opened(dn_ets_bootstrap_side *side, const dn_peer *peer)
{
    if (side->bs != NULL) {
        dn_bs_begin(side->bs);
        dn_bs_opened(side->bs, peer);
        settle(side);
    } else if (dn_transport_is_stream(dn_peer_transport(peer))) {
        (void)dn_coap_open(side->coap, peer, now_of(side));
    }
}

void dn_ets_bootstrap_side_closed(dn_ets_bootstrap_side *side, const dn_peer *peer)
{
    if (side->bs != NULL) {
        dn_bs_begin(side->bs);
        dn_bs_closed(side->bs, peer);
        settle(side);
    } else if (dn_transport_is_stream(dn_peer_transport(peer))) {
        dn_coap_close(side->coap, peer);
    } else {
        dn_coap_forget(side->coap, peer);
    }
}

void dn_ets_bootstrap_side_expire(dn_ets_bootstrap_side *side)
{
    if (side->bs == NULL) {
        dn_coap_expire(side->coap, now_of(side));
        return;
    }
    dn_bs_begin(side->bs);
    settle(side);
}

uint64_t dn_ets_bootstrap_side_deadline(const dn_ets_bootstrap_side *side)
{
    return side->bs != NULL ? dn_bs_deadline(side->bs) : dn_coap_deadline(side->coap);
}

const dn_ets_operator *dn_ets_bootstrap_side_operator(dn_ets_bootstrap_side *side)
{
    return &side->operator;
}
