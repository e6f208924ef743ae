/* SPDX-License-Identifier: Apache-2.0 */
/* The owners' callbacks and calls. */
#include "fuzz/coap/world.h"
#include "fuzz/must.h"
#include <stdlib.h>

uint8_t take(input *in)
{
    if (in->left == 0) {
        return 0;
    }
    in->left--;
    return *in->data++;
}

/* A source or a sink does what it is asked, but now and then. */
static bool agrees(world *of)
{
    return of->choice++ % 61 != 0;
}

static bool on_read(void *context, uint64_t offset, void *out, size_t len)
{
    track *of = context;
    must(len > 0 && len <= of->world->largest_block && offset + len <= of->source.size && of->ended == 0);
    memset(out, (int)offset, len);
    return agrees(of->world);
}

static bool on_reply_read(void *context, uint64_t offset, void *out, size_t len)
{
    node *at = context;
    must(len > 0 && len <= at->world->largest_block && offset + len <= at->source.size);
    memset(out, (int)offset, len);
    return agrees(at->world);
}

static bool on_take(void *context, const dn_coap_response *head, uint64_t offset, uint64_t size, bool more)
{
    track *of = context;
    (void)size;
    must(head->code == DN_COAP_CONTENT && of->ended == 0 && !of->complete);
    must(offset == of->taken && (!more || head->payload.len >= 16));
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
    must(request->payload.len >= 16);
    if (at->world->choice++ % 71 == 0 && at->world->may_forget) {
        dn_coap_forget(at->coap, &request->peer);
    }
    return request->code % 2 == 1;
}

static void on_piece(void *context, const dn_coap_incoming *request, uint64_t offset, bool more,
                     dunlin_buf *body, dn_coap_reply *reply)
{
    node *at = context;
    stream *of = find_stream(at, request->key);
    must(request->code % 2 == 1 && (of != NULL) == (offset > 0));
    must(body->cap == at->coap->config.max_body);
    memset(body->data, 1, body->cap);
    for (size_t i = 0; of == NULL; i++) {
        must(i < STREAMS);
        of = at->streams[i].open ? NULL : &at->streams[i];
    }
    if (offset == 0) {
        *of = (stream){true, request->key, 0};
    }
    must(of->taken == offset && (!more || request->payload.len >= 16));
    of->taken += request->payload.len;
    if (agrees(at->world)) {
        of->open = more;
    } else {
        reply->code = DN_COAP_FORBIDDEN;
        reply->payload = dunlin_buf_view(body);
        of->open = false;
        return;
    }
    if (at->world->choice++ % 73 == 0 && at->world->may_forget) {
        dn_coap_forget(at->coap, &request->peer);
    }
}

static void on_lost(void *context, const dn_peer *peer, uint64_t key)
{
    stream *of = find_stream(context, key);
    (void)peer;
    must(of != NULL);
    of->open = false;
}

static dn_coap_answered on_request(void *context, const dn_coap_incoming *request, dunlin_buf *body,
                                   dn_coap_reply *reply)
{
    node *at = context;
    unsigned choice = at->world->choice++ + request->code;
    must(request->payload.len <= at->coap->config.max_body);
    must(body->cap == at->coap->config.max_body);
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
    if (choice % 13 == 0 && at->world->may_forget) {
        dn_coap_forget(at->coap, &request->peer);
    }
    if (choice % 19 == 0 && at->world->close != NULL) {
        at->world->close(at, &request->peer);
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
    must(token->len <= DN_COAP_TOKEN_MAX);
}

static void on_result(void *context, uint64_t exchange, dunlin_status status,
                      const dn_coap_response *response)
{
    track *of = context;
    must(exchange != 0);
    must(++of->ended == 1);
    must(response == NULL || status == DUNLIN_OK);
}

void world_open_node(world *of, size_t index, const dn_coap_config *config)
{
    node *made = &of->node[index];
    dn_coap_callbacks callbacks = {.send = of->send,
                                   .request = on_request,
                                   .notification = on_notification,
                                   .observer_gone = on_gone,
                                   .streams = on_streams,
                                   .piece = on_piece,
                                   .piece_lost = on_lost,
                                   .stream_ended = of->ended,
                                   .context = made};
    size_t size = dn_coap_arena_size(config);
    made->world = of;
    made->arena = malloc(size);
    must(size > 0 && made->arena != NULL);
    dn_seeded_init(&made->seeded, index + 1);
    dn_random random = dn_seeded_random(&made->seeded);
    made->coap = dn_coap_create(made->arena, size, config, &callbacks, &random, NULL, of->now(of));
    must(made->coap != NULL);
}

void world_close_node(node *at)
{
    free(at->arena);
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
        made->source = (dn_coap_source){(uint64_t)size * 11 * of->scale / 2, on_read, made};
        request->source = &made->source;
        request->payload.len = 0;
    }
    if (size % 8 == 3 || size % 8 == 5) {
        made->sink = (dn_coap_sink){on_take, made};
        made->taken = request->from = size % 16 == 13 ? size / 16 * 16u : 0;
        request->sink = &made->sink;
    }
}

void world_request(world *of, node *from, const node *to, input *in)
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
    request.payload = dunlin_slice_make(of->body, (size_t)size * of->scale);
    if (size % 16 == 7) {
        request.first = dunlin_slice_make(of->body, 64);
        request.first_szx = size >> 6;
        if (of->scale > 2 && (size & 0x10u) != 0) {
            request.first = dunlin_slice_make(of->body, (size_t)1024 << (size >> 7));
            request.first_szx = 6 + (size >> 6 & 1u);
        }
    }
    if (size % 16 == 9) {
        request.token = (dn_coap_token){1, {size}};
    }
    in_pieces(of, from, made, size, &request);
    if (dn_coap_request(from->coap, &to->address, &request, on_result, made, of->now(of), &made->id) !=
        DUNLIN_OK) {
        *made = (track){0};
        of->track_count--;
        return;
    }
    from->last_exchange = made->id;
}

void world_notify(world *of, node *from, const node *to, input *in)
{
    uint8_t flags = take(in), size = take(in);
    track *made = (flags & 1u) != 0 ? new_track(of) : NULL;
    dn_coap_token token = {(uint8_t)(flags >> 5), {flags}};
    dn_coap_reply reply;
    dn_coap_reply_init(&reply, (flags & 4u) != 0 ? DN_COAP_NOT_FOUND : DN_COAP_CONTENT);
    reply.observe = size;
    reply.payload = dunlin_slice_make(of->body, (size_t)size * of->scale);
    if (dn_coap_notify(from->coap, &to->address, &token, &reply, (flags & 2u) != 0,
                       made != NULL ? on_result : NULL, made, of->now(of),
                       &from->last_exchange) != DUNLIN_OK &&
        made != NULL) {
        of->track_count--;
    }
}

void world_answer(node *at, input *in)
{
    uint8_t size = take(in);
    dn_coap_reply reply;
    if (at->later_count == 0) {
        return;
    }
    dn_coap_reply_init(&reply, DN_COAP_CONTENT);
    reply.payload = dunlin_slice_make(at->world->body, (size_t)size * at->world->scale);
    (void)dn_coap_answer(at->coap, at->later[--at->later_count], &reply, at->world->now(at->world));
}

void world_ping(world *of, node *from, const node *to)
{
    track *made = new_track(of);
    if (made != NULL && dn_coap_ping(from->coap, &to->address, on_result, made, of->now(of),
                                     &from->last_exchange) != DUNLIN_OK) {
        of->track_count--;
    }
}

static void check_empty(const node *at)
{
    const dn_coap *coap = at->coap;
    must(coap->exchanges.in_use == 0 && coap->pendings.in_use == 0);
    must(coap->in.in_use == 0 && coap->out.in_use == 0 && coap->remotes.in_use == 0);
    for (uint32_t i = 0; i < coap->transfers.count; i++) {
        must(coap->transfers.at[i].role == DN_COAP_TRANSFER_FREE);
    }
    for (uint32_t i = 0; i < coap->streams.count; i++) {
        must(coap->streams.at[i].serial == 0);
    }
    for (size_t i = 0; i < STREAMS; i++) {
        must(!at->streams[i].open);
    }
    must(dn_coap_deadline(coap) == DN_NEVER);
}

void world_check_empty(const world *of)
{
    for (size_t i = 0; i < of->track_count; i++) {
        must(of->tracks[i].ended == 1);
    }
    check_empty(&of->node[0]);
    check_empty(&of->node[1]);
}
