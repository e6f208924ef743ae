/* SPDX-License-Identifier: Apache-2.0 */
/* The node's callbacks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/sim/coap_node.h"
#include <stdio.h>
#include <stdlib.h>

#define LATER_MS 700

bool coap_is_pattern(dunlin_slice bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        if (bytes.data[i] != sim_pattern(i)) {
            return false;
        }
    }
    return true;
}

static void on_send(void *context, const dn_peer *peer, dunlin_slice datagram)
{
    coap_node *node = context;
    if (node->carry != NULL) {
        node->carry(node, datagram);
    } else {
        dn_simlink_send(node->link, &node->address, peer, datagram);
    }
}

static dn_coap_answered count(coap_node *node, const dn_coap_incoming *request, dn_coap_reply *reply)
{
    uint32_t number;
    assert_int_equal(request->payload.len, sizeof number);
    memcpy(&number, request->payload.data, sizeof number);
    assert_true(number < NODE_COUNTS);
    node->counted[number]++;
    reply->code = DN_COAP_CHANGED;
    if (node->some_later && (number & 1) != 0 && node->later_count < NODE_LATER) {
        node->later[node->later_count].id = request->id;
        node->later[node->later_count++].at_ms = dn_simlink_now(node->link) + LATER_MS;
        return DN_COAP_LATER;
    }
    return DN_COAP_ANSWERED;
}

static bool is_pattern_at(dunlin_slice bytes, size_t offset)
{
    for (size_t i = 0; i < bytes.len; i++) {
        if (bytes.data[i] != sim_pattern(offset + i)) {
            return false;
        }
    }
    return true;
}

static bool on_read(void *context, uint64_t offset, void *out, size_t len)
{
    (void)context;
    for (size_t i = 0; i < len; i++) {
        ((uint8_t *)out)[i] = sim_pattern((size_t)offset + i);
    }
    return true;
}

static bool on_take(void *context, const dn_coap_response *head, uint64_t offset, uint64_t size, bool more)
{
    coap_node *node = context;
    dn_coap_options walk = head->options;
    dunlin_slice etag;
    (void)size;
    (void)more;
    assert_int_equal(offset, node->taken);
    assert_true(is_pattern_at(head->payload, node->taken));
    assert_int_equal(dn_coap_option_find(&walk, DN_OPTION_ETAG, &etag), DUNLIN_OK);
    node->taken += head->payload.len;
    node->taken_etag = etag.data[0];
    return true;
}

static bool on_streams(void *context, const dn_coap_incoming *request)
{
    dn_coap_options walk = request->options;
    dunlin_slice first;
    (void)context;
    return dn_coap_option_find(&walk, DN_OPTION_URI_PATH, &first) == DUNLIN_OK &&
           dunlin_slice_equal(first, dunlin_slice_of("pipe"));
}

static void on_piece(void *context, const dn_coap_incoming *request, uint64_t offset, bool more,
                     dunlin_buf *body, dn_coap_reply *reply)
{
    coap_node *node = context;
    (void)body;
    (void)reply;
    node->piped = offset == 0 ? 0 : node->piped;
    assert_int_equal(offset, node->piped);
    assert_true(is_pattern_at(request->payload, node->piped));
    node->piped += request->payload.len;
    node->piped_times += !more;
}

static void on_lost(void *context, const dn_peer *peer, uint64_t key)
{
    (void)peer;
    (void)key;
    ((coap_node *)context)->piped_lost++;
}

static void reply_source(coap_node *node, size_t size, dn_coap_reply *reply)
{
    node->source.size = size;
    node->source_option = (dn_coap_option){DN_OPTION_ETAG, {&node->source_etag, 1}};
    reply->source = &node->source;
    reply->options = &node->source_option;
    reply->option_count = 1;
}

static dn_coap_answered on_request(void *context, const dn_coap_incoming *request, dunlin_buf *body,
                                   dn_coap_reply *reply)
{
    coap_node *node = context;
    dn_coap_options walk = request->options;
    dunlin_slice first, second;
    char number[16] = "";
    assert_int_equal(dn_coap_option_find(&walk, DN_OPTION_URI_PATH, &first), DUNLIN_OK);
    if (dn_coap_option_find(&walk, DN_OPTION_URI_PATH, &second) == DUNLIN_OK && second.len < sizeof number) {
        memcpy(number, second.data, second.len);
    }
    if (dunlin_slice_equal(first, dunlin_slice_of("count"))) {
        return count(node, request, reply);
    }
    reply->code = DN_COAP_CONTENT;
    if (dunlin_slice_equal(first, dunlin_slice_of("big"))) {
        reply->payload = dunlin_slice_make(node->pattern, strtoul(number, NULL, 10));
    } else if (dunlin_slice_equal(first, dunlin_slice_of("source"))) {
        reply_source(node, strtoul(number, NULL, 10), reply);
    } else if (dunlin_slice_equal(first, dunlin_slice_of("pipe"))) {
        assert_true(coap_is_pattern(request->payload)); /* it fits a block */
        node->piped = request->payload.len;
        node->piped_times++;
        reply->code = DN_COAP_CHANGED;
    } else if (dunlin_slice_equal(first, dunlin_slice_of("mirror"))) {
        memcpy(body->data, request->payload.data, request->payload.len);
        reply->payload = dunlin_slice_make(body->data, request->payload.len);
    } else if (dunlin_slice_equal(first, dunlin_slice_of("store"))) {
        node->stored_length = request->payload.len;
        node->stored_is_pattern = coap_is_pattern(request->payload);
        node->stored_times++;
        reply->code = DN_COAP_CHANGED;
    } else {
        reply->code = DN_COAP_NOT_FOUND;
    }
    return DN_COAP_ANSWERED;
}

static bool on_notification(void *context, const dn_peer *peer, const dn_coap_response *notification)
{
    coap_node *node = context;
    (void)peer;
    return node->notified != NULL && node->notified(node, notification);
}

static void on_gone(void *context, const dn_peer *peer, const dn_coap_token *token)
{
    coap_node *node = context;
    (void)peer;
    if (node->gone != NULL) {
        node->gone(node, token);
    }
}

static void on_ended(void *context, const dn_peer *peer, dunlin_status status, dunlin_slice detail)
{
    coap_node *node = context;
    (void)peer;
    (void)detail;
    if (node->ended != NULL) {
        node->ended(node, status);
    }
}

static void on_result(void *context, uint64_t exchange, dunlin_status status,
                      const dn_coap_response *response)
{
    coap_node_results *results = &((coap_node *)context)->results;
    (void)exchange;
    results->ended++;
    results->ok += status == DUNLIN_OK;
    results->timeouts += status == DUNLIN_ERR_TIMEOUT;
    results->other += status != DUNLIN_OK && status != DUNLIN_ERR_TIMEOUT;
    if (response != NULL) {
        results->last_code = response->code;
        results->last_length = response->payload.len;
        results->last_is_pattern = coap_is_pattern(response->payload);
    }
}

static void on_receive(void *context, const dn_peer *from, dunlin_slice datagram, uint64_t now_ms)
{
    dn_coap_receive(((coap_node *)context)->coap, from, datagram, now_ms);
}

static uint64_t on_deadline(void *context)
{
    coap_node *node = context;
    uint64_t next_ms = dn_coap_deadline(node->coap);
    return node->later_count > 0 && node->later[0].at_ms < next_ms ? node->later[0].at_ms : next_ms;
}

static void on_expire(void *context, uint64_t now_ms)
{
    coap_node *node = context;
    dn_coap_reply reply;
    dn_coap_reply_init(&reply, DN_COAP_CHANGED);
    while (node->later_count > 0 && node->later[0].at_ms <= now_ms) {
        (void)dn_coap_answer(node->coap, node->later[0].id, &reply, now_ms);
        memmove(node->later, node->later + 1, --node->later_count * sizeof node->later[0]);
    }
    dn_coap_expire(node->coap, now_ms);
}

dn_coap_config coap_node_config(void)
{
    dn_coap_config config = dn_coap_config_default();
    config.exchanges = 512;
    config.dedup_slots = 2048;
    config.dedup_per_peer = 2048;
    config.dedup_reply_max = 64;
    config.transfers = 8;
    config.max_body = NODE_BODY_MAX;
    config.nstart = 4;
    return config;
}

coap_node *coap_node_open(dn_simlink *link, const dn_coap_config *config, uint64_t seed)
{
    coap_node *node = calloc(1, sizeof *node);
    assert_non_null(node);
    dn_coap_callbacks callbacks = {.send = on_send,
                                   .request = on_request,
                                   .notification = on_notification,
                                   .observer_gone = on_gone,
                                   .streams = on_streams,
                                   .piece = on_piece,
                                   .piece_lost = on_lost,
                                   .stream_ended = on_ended,
                                   .context = node};
    dn_simlink_endpoint endpoint = {on_receive, on_deadline, on_expire, node};
    node->config = *config;
    node->link = link;
    node->source = (dn_coap_source){0, on_read, node};
    node->source_etag = 0xe1;
    node->sink = (dn_coap_sink){on_take, node};
    sim_pattern_fill(node->pattern, sizeof node->pattern);
    dn_seeded_init(&node->seeded, seed);
    dn_random random = dn_seeded_random(&node->seeded);
    size_t size = dn_coap_arena_size(config);
    node->arena = malloc(size);
    assert_non_null(node->arena);
    node->coap = dn_coap_create(node->arena, size, config, &callbacks, &random, NULL, dn_simlink_now(link));
    assert_non_null(node->coap);
    assert_int_equal(dn_simlink_attach(link, &endpoint, &node->address), DUNLIN_OK);
    return node;
}

void coap_node_close(coap_node *node)
{
    dn_simlink_detach(node->link, &node->address);
    free(node->arena);
    free(node);
}

dunlin_status coap_node_request_with(coap_node *node, const coap_node *to, dn_coap_outgoing *request,
                                     const char *first, const char *second)
{
    uint64_t id;
    dn_coap_option path[] = {{DN_OPTION_URI_PATH, dunlin_slice_of(first)},
                             {DN_OPTION_URI_PATH, dunlin_slice_of(second)}};
    request->options = path;
    request->option_count = second == NULL ? 1 : 2;
    return dn_coap_request(node->coap, &to->address, request, on_result, node, dn_simlink_now(node->link),
                           &id);
}

dunlin_status coap_node_upload(coap_node *node, const coap_node *to, size_t size)
{
    dn_coap_outgoing request;
    dn_coap_outgoing_init(&request, DN_COAP_PUT);
    node->source.size = size;
    request.source = &node->source;
    return coap_node_request_with(node, to, &request, "pipe", NULL);
}

dunlin_status coap_node_download(coap_node *node, const coap_node *to, size_t size)
{
    dn_coap_outgoing request;
    char number[16];
    (void)snprintf(number, sizeof number, "%zu", size);
    dn_coap_outgoing_init(&request, DN_COAP_GET);
    request.sink = &node->sink;
    request.from = node->taken;
    request.from_etag = dunlin_slice_make(&node->taken_etag, node->taken > 0 ? 1 : 0);
    return coap_node_request_with(node, to, &request, "source", number);
}

dunlin_status coap_node_request(coap_node *node, const coap_node *to, uint8_t code, bool confirmable,
                                const char *first, const char *second, dunlin_slice payload)
{
    dn_coap_outgoing request;
    dn_coap_outgoing_init(&request, code);
    request.confirmable = confirmable;
    request.payload = payload;
    return coap_node_request_with(node, to, &request, first, second);
}

bool coap_node_is_idle(const coap_node *node)
{
    return node->later_count == 0 && dn_coap_deadline(node->coap) == DN_NEVER;
}
