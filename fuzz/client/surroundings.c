/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/client/surroundings.h"

#include "fuzz/must.h"

#include <string.h>

#define ACK_CODE 0x60 /* an Acknowledgement's first byte, without the length of its token */

/* ---- callbacks ---- */

void surroundings_random(void *context, void *out, size_t len)
{
    surroundings *around = context;
    for (size_t i = 0; i < len; i++) {
        around->random = around->random * 1664525u + 1013904223u;
        ((uint8_t *)out)[i] = (uint8_t)(around->random >> 24);
    }
}

dunlin_status surroundings_never_resolve(void *context, const char *uri, dunlin_peer *peer)
{
    (void)context;
    (void)uri;
    (void)peer;
    abort();
}

static void send_nowhere(void *context, const dunlin_peer *peer, dunlin_slice datagram)
{
    (void)context;
    (void)peer;
    (void)datagram;
}

static void all_sevens(void *context, void *out, size_t len)
{
    (void)context;
    memset(out, 7, len);
}

static dunlin_status resolve_to_one(void *context, const char *uri, dunlin_peer *peer)
{
    (void)context;
    (void)uri;
    *peer = (dunlin_peer){.len = 2, .bytes = {1, 2}};
    return DUNLIN_OK;
}

dunlin_client_callbacks surroundings_of_nobody(void)
{
    return (dunlin_client_callbacks){.send = send_nowhere, .random = all_sevens, .resolve = resolve_to_one};
}

/* ---- ways ---- */

dunlin_peer way_peer(const surroundings *around, size_t at)
{
    const way *one = &around->ways[at];
    return (dunlin_peer){.len = 4,
                         .bytes = {(uint8_t)(one->is_stream ? 0x20 : 0x10), 1, (uint8_t)at, one->generation}};
}

dunlin_status way_connect(surroundings *around, size_t at, const dunlin_way *asked, dunlin_peer *peer)
{
    const bool is_secure = strncmp(asked->uri, "coaps", 5) == 0;
    const bool is_stream = strstr(asked->uri, "+tcp://") != NULL;
    must(!around->within && at < WAYS);
    must(is_secure == (asked->security->mode != DUNLIN_NOSEC));
    way *one = &around->ways[at];
    must(one->state == WAY_NONE || one->is_stream == is_stream); /* another one is given back first */
    const bool keeps = one->state == WAY_UP && !asked->anew;
    one->is_stream = is_stream;
    switch (around->connect) {
    case DUNLIN_OK:
        one->state = WAY_UP;
        one->generation = (uint8_t)(one->generation + (keeps ? 0 : 1));
        *peer = way_peer(around, at);
        break;
    case DUNLIN_END:
        one->state = WAY_ASKED;
        break;
    default:
        one->state = WAY_NONE;
        break;
    }
    return around->connect;
}

void way_connected(surroundings *around, size_t at, uint16_t server, bool anew)
{
    way *one = &around->ways[at];
    if (one->state == WAY_NONE) {
        return;
    }
    if (one->state == WAY_ASKED || anew) {
        one->generation++;
    }
    one->state = WAY_UP;
    const dunlin_peer peer = way_peer(around, at);
    around->within = true;
    dunlin_client_connected(around->client, server, &peer, around->now_ms);
    around->within = false;
}

void way_disconnected(surroundings *around, size_t at, uint16_t server, dunlin_status status, int alert)
{
    around->ways[at].state = WAY_NONE;
    around->within = true;
    dunlin_client_disconnected(around->client, server, status, alert, around->now_ms);
    around->within = false;
}

static void receive(surroundings *around, const dunlin_peer *from, dunlin_slice message)
{
    around->within = true;
    dunlin_client_receive(around->client, from, message, around->now_ms);
    around->within = false;
}

void way_receive(surroundings *around, size_t at, dunlin_slice message)
{
    const dunlin_peer peer = way_peer(around, at);
    receive(around, &peer, message);
}

/* ---- servers ---- */

/* Where the code stands in a message on a stream: behind the length, and what extends it (RFC 8323 section 3.2). */
static size_t code_of_frame(uint8_t first)
{
    static const uint8_t extended[16] = {[13] = 1, [14] = 2, [15] = 4};
    return 1u + extended[first >> 4];
}

bool client_request_read(client_request *out, dunlin_slice message, bool is_stream)
{
    const uint8_t *bytes = message.data;
    must(message.len >= 2);
    const size_t code_at = is_stream ? code_of_frame(bytes[0]) : 1;
    const size_t token_at = is_stream ? code_at + 1 : 4;
    const size_t token_len = bytes[0] & 15u;
    must(token_len <= 8 && message.len >= token_at + token_len);
    *out = (client_request){.code = bytes[code_at], .is_stream = is_stream};
    out->token = dunlin_slice_make(bytes + token_at, token_len);
    out->options = dunlin_slice_make(bytes + token_at + token_len, message.len - token_at - token_len);
    if (!is_stream) {
        memcpy(out->mid, bytes + 2, sizeof out->mid);
    }
    /* Register has no location in its path, but "rd" alone. */
    out->registers = out->code == POST && client_request_is_to(out, "rd") &&
                     (out->options.len == 3 || out->options.data[3] >> 4 != 0);
    return out->code > 0 && out->code >> 5 == 0;
}

bool client_request_is_to(const client_request *request, const char *path)
{
    const uint8_t head = (uint8_t)(0xB0 | strlen(path)); /* Uri-Path is option 11 */
    return request->options.len > strlen(path) && request->options.data[0] == head &&
           memcmp(request->options.data + 1, path, strlen(path)) == 0;
}

uint8_t client_request_success(const client_request *request)
{
    return request->registers ? CREATED : request->code == DELETE ? DELETED : CHANGED;
}

void client_request_answer(const client_request *request, surroundings *around, const dunlin_peer *to,
                           uint8_t code)
{
    static const uint8_t location[] = {0x82, 'r', 'd', 0x01, 'x'};
    const size_t options = code == CREATED ? sizeof location : 0;
    const uint8_t token_len = (uint8_t)request->token.len;
    const uint8_t datagram[] = {(uint8_t)(ACK_CODE | token_len), code, request->mid[0], request->mid[1]};
    const uint8_t frame[] = {(uint8_t)(options << 4 | token_len), code};
    const size_t head = request->is_stream ? sizeof frame : sizeof datagram;
    if (around->answer_count == ANSWERS) {
        return;
    }
    answer *out = &around->answers[around->answer_count++];
    out->to = *to;
    memcpy(out->bytes, request->is_stream ? frame : datagram, head);
    memcpy(out->bytes + head, request->token.data, token_len);
    memcpy(out->bytes + head + token_len, location, options);
    out->len = head + token_len + options;
}

/* ---- time ---- */

static void deliver(surroundings *around)
{
    while (around->answer_count > 0) {
        const answer first = around->answers[0];
        around->answer_count--;
        memmove(around->answers, around->answers + 1, around->answer_count * sizeof first);
        receive(around, &first.to, dunlin_slice_make(first.bytes, first.len));
    }
}

void surroundings_settle(surroundings *around)
{
    unsigned steps = 0;
    deliver(around);
    while (dunlin_client_deadline(around->client) <= around->now_ms) {
        must(steps++ < STEPS_MAX);
        dunlin_client_step(around->client, around->now_ms);
        deliver(around);
    }
}

void surroundings_stop(surroundings *around)
{
    dunlin_client_stop(around->client, around->now_ms);
    for (unsigned steps = 0; !dunlin_client_stopped(around->client); steps++) {
        const uint64_t due_ms = dunlin_client_deadline(around->client);
        must(steps < STEPS_MAX && due_ms != DUNLIN_NEVER);
        around->now_ms = due_ms > around->now_ms ? due_ms : around->now_ms;
        surroundings_settle(around);
    }
}
