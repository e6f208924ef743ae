/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two small engines over a bad link, driven by the input: requests both ways, bodies from sources, to sinks
 * and in pieces, notifications, late answers, cancelling, forgetting, time, loss, and datagrams replayed with
 * changes. Whatever happens: each request ends exactly once, pieces come in order and end exactly once, and
 * when time has passed and the link is good again, nothing is left in any table.
 */
#include "bearer/simlink.h"
#include "coap/core.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TRACKS   256 /* requests and notifications of one run */
#define CAPTURES 16
#define LATER    8
#define BODY_MAX 600
#define STREAMS  4

typedef struct {
    const uint8_t *data;
    size_t left;
} input;

typedef struct world world;

typedef struct {
    unsigned ended;
    world *world;
    dn_coap *coap;
    uint64_t id;
    dn_coap_source source;
    dn_coap_sink sink;
    uint64_t taken; /* by the sink */
    bool complete;
} track;

/* A body that comes in pieces. */
typedef struct {
    bool open;
    uint64_t key, taken;
} stream;

typedef struct {
    world *world;
    dn_coap *coap;
    void *arena;
    dn_peer address;
    dn_seeded seeded;
    uint64_t later[LATER];
    size_t later_count;
    uint64_t last_exchange;
    stream streams[STREAMS];
    dn_coap_source source;
} node;

struct world {
    dn_simlink *link;
    node node[2];
    track tracks[TRACKS];
    size_t track_count;
    struct {
        size_t len;
        int to;
        uint8_t bytes[256];
    } captures[CAPTURES];
    size_t capture_count;
    uint8_t body[BODY_MAX];
    unsigned choice; /* what handlers do */
};

static void require(bool holds)
{
    if (!holds) {
        abort();
    }
}

static uint8_t take(input *in)
{
    if (in->left == 0) {
        return 0;
    }
    in->left--;
    return *in->data++;
}

static void on_send(void *context, const dn_peer *peer, dunlin_slice datagram)
{
    node *from = context;
    require(datagram.len >= 4 && datagram.len <= from->coap->config.max_message);
    dn_coap_message message;
    require(dn_coap_message_read(&message, datagram) == DUNLIN_OK); /* what we send is sound */
    dn_simlink_send(from->world->link, &from->address, peer, datagram);
}

/* A source or a sink does what it is asked, but now and then. */
static bool agrees(world *of)
{
    return of->choice++ % 61 != 0;
}

static bool on_read(void *context, uint64_t offset, void *out, size_t len)
{
    track *of = context;
    require(len > 0 && len <= 1024 && offset + len <= of->source.size && of->ended == 0);
    memset(out, (int)offset, len);
    return agrees(of->world);
}

static bool on_reply_read(void *context, uint64_t offset, void *out, size_t len)
{
    node *at = context;
    require(len > 0 && len <= 1024 && offset + len <= at->source.size);
    memset(out, (int)offset, len);
    return agrees(at->world);
}

static bool on_take(void *context, const dn_coap_response *head, uint64_t offset, uint64_t size, bool more)
{
    track *of = context;
    (void)size;
    require(head->code == DN_COAP_CONTENT && of->ended == 0 && !of->complete);
    require(offset == of->taken && (!more || head->payload.len >= 16));
    of->taken += head->payload.len;
    of->complete = !more;
    if (of->world->choice++ % 67 == 0) {
        (void)dn_coap_cancel(of->coap, of->id);
    }
    return agrees(of->world);
}

static stream *find_stream(node *at, uint64_t key)
{
    for (size_t i = 0; i < STREAMS; i++) {
        if (at->streams[i].open && at->streams[i].key == key) {
            return &at->streams[i];
        }
    }
    return NULL;
}

static bool on_streams(void *context, const dn_coap_incoming *request)
{
    node *at = context;
    require(request->payload.len >= 16);
    if (at->world->choice++ % 71 == 0) {
        dn_coap_forget(at->coap, &request->peer);
    }
    return request->code % 2 == 1;
}

static void on_piece(void *context, const dn_coap_incoming *request, uint64_t offset, bool more,
                     dunlin_buf *body, dn_coap_reply *reply)
{
    node *at = context;
    stream *of = find_stream(at, request->key);
    require(request->code % 2 == 1 && (of != NULL) == (offset > 0));
    require(body->cap == at->coap->config.max_body);
    memset(body->data, 1, body->cap);
    for (size_t i = 0; of == NULL; i++) {
        require(i < STREAMS);
        of = at->streams[i].open ? NULL : &at->streams[i];
    }
    if (offset == 0) {
        *of = (stream){true, request->key, 0};
    }
    require(of->taken == offset && (!more || request->payload.len >= 16));
    of->taken += request->payload.len;
    if (agrees(at->world)) {
        of->open = more;
    } else {
        reply->code = DN_COAP_FORBIDDEN;
        reply->payload = dunlin_buf_view(body);
        of->open = false;
        return;
    }
    if (at->world->choice++ % 73 == 0) {
        dn_coap_forget(at->coap, &request->peer);
    }
}

static void on_lost(void *context, const dn_peer *peer, uint64_t key)
{
    stream *of = find_stream(context, key);
    (void)peer;
    require(of != NULL);
    of->open = false;
}

static dn_coap_answered on_request(void *context, const dn_coap_incoming *request, dunlin_buf *body,
                                   dn_coap_reply *reply)
{
    node *at = context;
    unsigned choice = at->world->choice++ + request->code;
    require(request->payload.len <= at->coap->config.max_body);
    require(body->cap == at->coap->config.max_body);
    memset(body->data, (int)choice, body->cap);
    reply->code = choice % 11 == 0 ? DN_COAP_NOT_FOUND : DN_COAP_CONTENT;
    reply->payload =
        choice % 3 == 0 ? request->payload : dunlin_slice_make(body->data, choice * 37 % body->cap);
    if (choice % 17 == 0) {
        at->source = (dn_coap_source){choice * 91 % 3000, on_reply_read, at};
        reply->source = &at->source;
    }
    reply->observe = choice % 5 == 0 ? (int32_t)choice : DN_COAP_NO_OBSERVE;
    reply->content_format = choice % 2 == 0 ? 0 : DN_COAP_NO_FORMAT;
    if (choice % 13 == 0) {
        dn_coap_forget(at->coap, &request->peer);
    }
    if (choice % 4 == 0 && at->later_count < LATER) {
        at->later[at->later_count++] = request->id;
        return DN_COAP_LATER;
    }
    return DN_COAP_ANSWERED;
}

static bool on_notification(void *context, const dn_peer *peer, const dn_coap_response *notification)
{
    node *at = context;
    (void)peer;
    return (at->world->choice++ + notification->code) % 3 != 0;
}

static void on_gone(void *context, const dn_peer *peer, const dn_coap_token *token)
{
    (void)context;
    (void)peer;
    require(token->len <= DN_COAP_TOKEN_MAX);
}

static void on_result(void *context, uint64_t exchange, dunlin_status status,
                      const dn_coap_response *response)
{
    track *of = context;
    require(exchange != 0);
    require(++of->ended == 1);
    require(response == NULL || status == DUNLIN_OK);
}

static void on_receive(void *context, const dn_peer *from, dunlin_slice datagram, uint64_t now_ms)
{
    dn_coap_receive(((node *)context)->coap, from, datagram, now_ms);
}

static uint64_t on_deadline(void *context)
{
    return dn_coap_deadline(((node *)context)->coap);
}

static void on_expire(void *context, uint64_t now_ms)
{
    dn_coap_expire(((node *)context)->coap, now_ms);
}

static void capture(void *context, uint64_t now_ms, const dn_peer *from, const dn_peer *to, uint64_t number,
                    dunlin_slice datagram, dn_simlink_fate fate)
{
    world *of = context;
    size_t at = of->capture_count++ % CAPTURES;
    (void)now_ms;
    (void)from;
    (void)number;
    (void)fate;
    of->captures[at].len =
        datagram.len < sizeof of->captures[at].bytes ? datagram.len : sizeof of->captures[at].bytes;
    of->captures[at].to = dn_peer_equal(to, &of->node[1].address);
    memcpy(of->captures[at].bytes, datagram.data, of->captures[at].len);
}

static void open_node(world *of, size_t index, const dn_coap_config *config)
{
    node *made = &of->node[index];
    dn_coap_callbacks callbacks = {.send = on_send,
                                   .request = on_request,
                                   .notification = on_notification,
                                   .observer_gone = on_gone,
                                   .streams = on_streams,
                                   .piece = on_piece,
                                   .piece_lost = on_lost,
                                   .context = made};
    dn_simlink_endpoint endpoint = {on_receive, on_deadline, on_expire, made};
    size_t size = dn_coap_arena_size(config);
    made->world = of;
    made->arena = malloc(size);
    require(size > 0 && made->arena != NULL);
    dn_seeded_init(&made->seeded, index + 1);
    dn_random random = dn_seeded_random(&made->seeded);
    made->coap =
        dn_coap_create(made->arena, size, config, &callbacks, &random, NULL, dn_simlink_now(of->link));
    require(made->coap != NULL && dn_simlink_attach(of->link, &endpoint, &made->address) == DUNLIN_OK);
}

static track *new_track(world *of)
{
    return of->track_count < TRACKS ? &of->tracks[of->track_count++] : NULL;
}

/* Some requests have their bodies, or take the answer's, in pieces. */
static void in_pieces(world *of, node *from, track *made, uint8_t size, dn_coap_outgoing *request)
{
    made->world = of;
    made->coap = from->coap;
    if (size % 8 == 3) {
        made->source = (dn_coap_source){(uint64_t)size * 11, on_read, made};
        request->source = &made->source;
        request->payload.len = 0;
    }
    if (size % 8 == 3 || size % 8 == 5) {
        made->sink = (dn_coap_sink){on_take, made};
        made->taken = request->from = size % 16 == 13 ? size / 16 * 16u : 0;
        request->sink = &made->sink;
    }
}

static void do_request(world *of, node *from, const node *to, input *in)
{
    static const uint8_t segment[] = "abcdefgh";
    uint8_t flags = take(in), size = take(in);
    track *made = new_track(of);
    if (made == NULL) {
        return;
    }
    dn_coap_option path = {DN_OPTION_URI_PATH, dunlin_slice_make(segment, flags >> 6)};
    dn_coap_outgoing request;
    dn_coap_outgoing_init(&request, (uint8_t)(1 + (flags & 7u) % 7));
    request.confirmable = (flags & 8u) != 0;
    request.observe = (flags & 0x10u) != 0 ? size & 1 : DN_COAP_NO_OBSERVE;
    request.timeout_ms = (flags & 0x20u) != 0 ? 100u * size : 0;
    request.options = &path;
    request.option_count = 1;
    request.payload = dunlin_slice_make(of->body, (size_t)size * 2);
    if (size % 16 == 7) {
        request.first = dunlin_slice_make(of->body, 64);
        request.first_szx = size >> 6;
    }
    if (size % 16 == 9) {
        request.token = (dn_coap_token){1, {size}};
    }
    in_pieces(of, from, made, size, &request);
    if (dn_coap_request(from->coap, &to->address, &request, on_result, made, dn_simlink_now(of->link),
                        &made->id) != DUNLIN_OK) {
        *made = (track){0};
        of->track_count--;
        return;
    }
    from->last_exchange = made->id;
}

static void do_notify(world *of, node *from, const node *to, input *in)
{
    uint8_t flags = take(in), size = take(in);
    track *made = (flags & 1u) != 0 ? new_track(of) : NULL;
    dn_coap_token token = {(uint8_t)(flags >> 5), {flags}};
    dn_coap_reply reply;
    dn_coap_reply_init(&reply, (flags & 4u) != 0 ? DN_COAP_NOT_FOUND : DN_COAP_CONTENT);
    reply.observe = size;
    reply.payload = dunlin_slice_make(of->body, (size_t)size * 2);
    if (dn_coap_notify(from->coap, &to->address, &token, &reply, (flags & 2u) != 0,
                       made != NULL ? on_result : NULL, made, dn_simlink_now(of->link),
                       &from->last_exchange) != DUNLIN_OK &&
        made != NULL) {
        of->track_count--;
    }
}

static void do_answer(node *at, input *in)
{
    uint8_t size = take(in);
    dn_coap_reply reply;
    if (at->later_count == 0) {
        return;
    }
    dn_coap_reply_init(&reply, DN_COAP_CONTENT);
    reply.payload = dunlin_slice_make(at->world->body, (size_t)size * 2);
    (void)dn_coap_answer(at->coap, at->later[--at->later_count], &reply, dn_simlink_now(at->world->link));
}

/* Sends a captured datagram again, with bytes changed, cut or added. */
static void do_replay(world *of, input *in)
{
    uint8_t which = take(in), changes = take(in);
    if (of->capture_count == 0) {
        return;
    }
    size_t count = of->capture_count < CAPTURES ? of->capture_count : CAPTURES;
    uint8_t bytes[256];
    size_t index = which % count, len = of->captures[index].len;
    int to = (which & 0x80) != 0 ? 1 - of->captures[index].to : of->captures[index].to;
    memcpy(bytes, of->captures[index].bytes, len);
    for (unsigned i = 0; i < (changes & 3u); i++) {
        uint8_t at = take(in);
        bytes[at % sizeof bytes] = take(in);
    }
    if ((changes & 4u) != 0) {
        len = take(in);
    }
    dn_simlink_send(of->link, &of->node[1 - to].address, &of->node[to].address,
                    dunlin_slice_make(bytes, len));
}

static void do_ping(world *of, node *from, const node *to)
{
    track *made = new_track(of);
    if (made != NULL && dn_coap_ping(from->coap, &to->address, on_result, made, dn_simlink_now(of->link),
                                     &from->last_exchange) != DUNLIN_OK) {
        of->track_count--;
    }
}

static void do_rules(world *of, input *in)
{
    uint8_t loss = take(in), more = take(in);
    dn_simlink_rules rules = {.loss_permille = loss % 128u * 4u,
                              .duplicate_permille = (more & 15u) * 20u,
                              .reorder_permille = (more >> 4) * 20u,
                              .delay_max_ms = loss * 8u};
    dn_simlink_rule(of->link, &rules);
}

static void step(world *of, input *in)
{
    uint8_t operation = take(in);
    node *from = &of->node[operation >> 7], *to = &of->node[1 - (operation >> 7)];
    switch (operation % 10) {
    case 0:
    case 1:
        do_request(of, from, to, in);
        break;
    case 2:
        do_notify(of, from, to, in);
        break;
    case 3:
        (void)dn_simlink_run(of->link, dn_simlink_now(of->link) + take(in) * 200u, NULL, NULL);
        break;
    case 4:
        do_answer(from, in);
        break;
    case 5:
        do_replay(of, in);
        break;
    case 6:
        do_rules(of, in);
        break;
    case 7:
        (void)dn_coap_cancel(from->coap, from->last_exchange);
        break;
    case 8:
        dn_coap_forget(from->coap, &to->address);
        break;
    default:
        do_ping(of, from, to);
        break;
    }
}

static void check_empty(const node *at)
{
    const dn_coap *coap = at->coap;
    require(coap->exchanges.in_use == 0 && coap->pendings.in_use == 0);
    require(coap->in.in_use == 0 && coap->out.in_use == 0 && coap->remotes.in_use == 0);
    for (uint32_t i = 0; i < coap->transfers.count; i++) {
        require(coap->transfers.at[i].role == DN_COAP_TRANSFER_FREE);
    }
    for (uint32_t i = 0; i < coap->streams.count; i++) {
        require(coap->streams.at[i].serial == 0);
    }
    for (size_t i = 0; i < STREAMS; i++) {
        require(!at->streams[i].open);
    }
    require(dn_coap_deadline(coap) == DN_NEVER);
}

static void finish(world *of)
{
    static const dn_simlink_rules good;
    dn_simlink_rule(of->link, &good);
    for (int hour = 0; hour < 30; hour++) {
        (void)dn_simlink_run(of->link, dn_simlink_now(of->link) + 3600000u, NULL, NULL);
        for (size_t i = 0; i < 2; i++) {
            dn_coap_expire(of->node[i].coap, dn_simlink_now(of->link));
        }
    }
    for (size_t i = 0; i < of->track_count; i++) {
        require(of->tracks[i].ended == 1);
    }
    check_empty(&of->node[0]);
    check_empty(&of->node[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input in = {data, size};
    world *of = calloc(1, sizeof *of);
    uint8_t shape = take(&in);
    dn_coap_config config = dn_coap_config_default();
    config.exchanges = 1 + (shape & 7u);
    config.transfers = shape >> 6;
    config.nstart = 1 + (shape >> 5 & 1u);
    config.peers = (shape & 7u) == 5; /* there is but one, so it is enough */
    config.dedup_slots = 8;
    config.dedup_per_peer = 6;
    config.dedup_reply_max = 32;
    config.block_szx = shape >> 3 & 3u;
    config.max_message = 240;
    config.max_body = 400;
    require(of != NULL);
    of->link = dn_simlink_create(shape, 1000);
    require(of->link != NULL);
    open_node(of, 0, &config);
    open_node(of, 1, &config);
    dn_simlink_watch(of->link, capture, of);
    while (in.left > 0) {
        step(of, &in);
    }
    finish(of);
    free(of->node[0].arena);
    free(of->node[1].arena);
    dn_simlink_destroy(of->link);
    free(of);
    return 0;
}
