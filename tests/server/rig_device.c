/* SPDX-License-Identifier: Apache-2.0 */
/* The rig's devices: CoAP engines that register when told, answer what they are asked and notify what is observed. */
#include "tests/server/rig_device.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define OPTIONS_MAX 32
#define SETTLE_MS   400000u

static const char ordinary_links[] = "</>;rt=\"oma.lwm2m\";ct=110,</1/0>,</3/0>,</3303/0>";

static void on_send(void *context, const dn_peer *peer, dunlin_slice datagram)
{
    rig_device *device = context;
    dn_peer to = *peer;
    dn_peer_set_transport(&to, DN_TRANSPORT_UDP); /* as the network knows it */
    if (!device->gone) {
        dn_simlink_send(device->owner->link, &device->address, &to, datagram);
    }
}

static void join(dn_coap_options options, uint16_t number, char separator, char *out, size_t size)
{
    size_t len = 0;
    dunlin_slice value;
    out[0] = '\0';
    while (dn_coap_option_find(&options, number, &value) == DUNLIN_OK) {
        assert_true(len + value.len + 2 < size);
        if (len > 0 || separator == '/') {
            out[len++] = separator;
        }
        memcpy(out + len, value.data, value.len);
        len += value.len;
        out[len] = '\0';
    }
}

static void remember(rig_device *device, const char *path, const dn_coap_token *token)
{
    size_t at = 0;
    while (at < device->watched_count && strcmp(device->watched[at].path, path) != 0) {
        at++;
    }
    assert_true(at < RIG_WATCHED_MAX);
    device->watched_count += at == device->watched_count;
    (void)snprintf(device->watched[at].path, sizeof device->watched[at].path, "%s", path);
    device->watched[at].token = *token;
    device->watched[at].sequence = 1;
}

static void forget(rig_device *device, size_t at)
{
    memmove(&device->watched[at], &device->watched[at + 1],
            (device->watched_count - at - 1) * sizeof device->watched[0]);
    device->watched_count--;
}

static void answer_observe(rig_device *device, const dn_coap_incoming *request, dn_coap_reply *reply)
{
    const char *name = request->code == DN_COAP_FETCH ? device->asked_text : device->asked_path;
    if (request->observe == 0 && !device->refuses_observe && reply->code == DN_COAP_CONTENT) {
        remember(device, name, &request->token);
        reply->observe = 1;
    }
    for (size_t i = 0; request->observe == 1 && i < device->watched_count; i++) {
        if (strcmp(device->watched[i].path, name) == 0) {
            forget(device, i);
        }
    }
}

static const char *echo(rig_device *device)
{
    size_t len = 0;
    for (unsigned i = 0; i < device->echoes; i++) {
        len += (size_t)snprintf(device->echoed + len, sizeof device->echoed - len, "%s", device->asked_text);
        assert_true(len < sizeof device->echoed);
    }
    return device->echoed;
}

static dn_coap_answered on_request(void *context, const dn_coap_incoming *request, dunlin_buf *body,
                                   dn_coap_reply *reply)
{
    static dn_coap_option location[2];
    rig_device *device = context;
    (void)body;
    device->asked++;
    device->asked_method = request->code;
    device->asked_accept = request->accept;
    device->asked_format = request->content_format;
    join(request->options, DN_OPTION_URI_PATH, '/', device->asked_path, sizeof device->asked_path);
    join(request->options, DN_OPTION_URI_QUERY, '&', device->asked_query, sizeof device->asked_query);
    size_t logged = strlen(device->asked_log);
    (void)snprintf(device->asked_log + logged, sizeof device->asked_log - logged, "%u%s ", request->code,
                   device->asked_path);
    assert_true(request->payload.len < sizeof device->asked_text);
    if (request->payload.len > 0) {
        memcpy(device->asked_text, request->payload.data, request->payload.len);
    }
    device->asked_text[request->payload.len] = '\0';
    if (device->mute) {
        return DN_COAP_LATER;
    }
    bool is_read = request->code == DN_COAP_GET || request->code == DN_COAP_FETCH;
    dn_coap_reply_init(reply, is_read ? DN_COAP_CONTENT : DN_COAP_CHANGED);
    if (device->reply_code != 0) {
        reply->code = device->reply_code;
    }
    if (reply->code == DN_COAP_CONTENT) {
        reply->content_format = device->reply_format;
        reply->payload = dunlin_slice_of(device->echoes > 0 ? echo(device) : device->value);
    }
    if (device->reply_location != NULL) {
        const char *slash = strchr(device->reply_location, '/');
        location[0] = (dn_coap_option){
            DN_OPTION_LOCATION_PATH,
            dunlin_slice_make(device->reply_location, (size_t)(slash - device->reply_location))};
        location[1] = (dn_coap_option){DN_OPTION_LOCATION_PATH, dunlin_slice_of(slash + 1)};
        reply->options = location;
        reply->option_count = 2;
    }
    answer_observe(device, request, reply);
    return DN_COAP_ANSWERED;
}

static bool on_notification(void *context, const dn_peer *peer, const dn_coap_response *notification)
{
    (void)context;
    (void)peer;
    (void)notification;
    return false;
}

uint64_t rig_piece_hash(uint64_t hash, dunlin_slice bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        hash = (hash + bytes.data[i] + 1) * UINT64_C(0x100000001b3);
    }
    return hash;
}

static void take_piece(rig_device *device, uint64_t offset, dunlin_slice piece)
{
    device->taken_hash = offset == 0 ? 0 : device->taken_hash;
    assert_true(offset == 0 || offset == device->taken);
    device->taken = offset + piece.len;
    device->taken_hash = rig_piece_hash(device->taken_hash, piece);
    device->gone = device->ends_at > 0 && device->taken >= device->ends_at && device->ends_with == 0;
}

static bool on_streams(void *context, const dn_coap_incoming *request)
{
    (void)request;
    return ((rig_device *)context)->takes_pieces;
}

static void on_piece(void *context, const dn_coap_incoming *request, uint64_t offset, bool more,
                     dunlin_buf *body, dn_coap_reply *reply)
{
    rig_device *device = context;
    (void)body;
    (void)more;
    device->asked++;
    device->asked_method = request->code;
    device->asked_format = request->content_format;
    join(request->options, DN_OPTION_URI_PATH, '/', device->asked_path, sizeof device->asked_path);
    take_piece(device, offset, request->payload);
    if (device->ends_at > 0 && device->taken >= device->ends_at && device->ends_with != 0) {
        reply->code = device->ends_with;
    }
}

static void on_piece_lost(void *context, const dn_peer *peer, uint64_t key)
{
    (void)peer;
    (void)key;
    ((rig_device *)context)->pieces_lost++;
}

static bool on_taken(void *context, const dn_coap_response *head, uint64_t offset, uint64_t size, bool more)
{
    rig_device *device = context;
    dn_coap_options options = head->options;
    dunlin_slice etag;
    (void)more;
    take_piece(device, offset, head->payload);
    device->taken_size = offset == 0 ? size : device->taken_size;
    if (dn_coap_option_find(&options, DN_OPTION_ETAG, &etag) == DUNLIN_OK && etag.len == 8) {
        memcpy(device->taken_etag, etag.data, etag.len);
    }
    return true;
}

static void on_observer_gone(void *context, const dn_peer *peer, const dn_coap_token *token)
{
    rig_device *device = context;
    (void)peer;
    for (size_t i = 0; i < device->watched_count; i++) {
        if (memcmp(&device->watched[i].token, token, sizeof *token) == 0) {
            forget(device, i);
            return;
        }
    }
}

static void on_stream_ended(void *context, const dn_peer *peer, dunlin_status status, dunlin_slice detail)
{
    rig_device *device = context;
    (void)peer;
    (void)detail;
    device->stream_ended = status;
}

static void receive(void *context, const dn_peer *from, dunlin_slice datagram, uint64_t now_ms)
{
    rig_device *device = context;
    const dn_peer server = rig_server(device);
    bool is_server = dn_peer_equal(from, &device->owner->address);
    if (!device->gone) {
        dn_coap_receive(device->coap, is_server ? &server : from, datagram, now_ms);
    }
}

static uint64_t deadline(void *context)
{
    return dn_coap_deadline(((rig_device *)context)->coap);
}

static void expire(void *context, uint64_t now_ms)
{
    dn_coap_expire(((rig_device *)context)->coap, now_ms);
}

void rig_device_make(rig *r, rig_device *device, uint64_t seed)
{
    dn_coap_config config = dn_coap_config_default();
    config.max_body = 16384;
    config.connections = 1;
    config.dedup_slots = 64;
    config.dedup_per_peer = 64;
    config.exchange_lifetime_ms = 10000; /* many requests from one peer, in virtual time */
    const dn_coap_callbacks callbacks = {.send = on_send,
                                         .request = on_request,
                                         .notification = on_notification,
                                         .observer_gone = on_observer_gone,
                                         .stream_ended = on_stream_ended,
                                         .streams = on_streams,
                                         .piece = on_piece,
                                         .piece_lost = on_piece_lost,
                                         .context = device};
    const dn_simlink_endpoint endpoint = {
        .receive = receive, .deadline = deadline, .expire = expire, .context = device};
    size_t size = dn_coap_arena_size(&config);
    device->owner = r;
    device->value = "value";
    device->reply_format = 112;
    dn_seeded_init(&device->seeded, seed + 1);
    device->random = dn_seeded_random(&device->seeded);
    device->arena = malloc(size);
    assert_non_null(device->arena);
    device->coap =
        dn_coap_create(device->arena, size, &config, &callbacks, &device->random, NULL, RIG_START_MS);
    assert_non_null(device->coap);
    assert_int_equal(dn_simlink_attach(r->link, &endpoint, &device->address), DUNLIN_OK);
}

void rig_device_unmake(rig_device *device)
{
    free(device->arena);
}

/* Talking to the server. */

static size_t split(const char *text, char separator, uint16_t number, dn_coap_option *options, size_t count)
{
    while (text != NULL) {
        const char *end = strchr(text, separator);
        assert_true(count < OPTIONS_MAX);
        options[count++] = (dn_coap_option){
            number, dunlin_slice_make(text, end != NULL ? (size_t)(end - text) : strlen(text))};
        text = end != NULL ? end + 1 : NULL;
    }
    return count;
}

static void on_result(void *context, uint64_t exchange, dunlin_status status,
                      const dn_coap_response *response)
{
    rig_device *device = context;
    (void)exchange;
    device->answered = true;
    device->status = status;
    device->code = 0;
    device->text_len = 0;
    if (status != DUNLIN_OK || response == NULL) {
        return; /* a notification that was acknowledged has no response */
    }
    device->code = response->code;
    if (response->code == DN_COAP_CREATED) {
        join(response->options, DN_OPTION_LOCATION_PATH, '/', device->location, sizeof device->location);
        memmove(device->location, device->location + 1, strlen(device->location));
    }
    device->text_len = response->payload.len;
    assert_true(response->payload.len < sizeof device->text);
    if (response->payload.len > 0) {
        memcpy(device->text, response->payload.data, response->payload.len);
    }
    device->text[response->payload.len] = '\0';
}

static bool is_answered(void *context)
{
    return ((rig_device *)context)->answered;
}

void rig_ask(rig *r, rig_device *device, uint8_t method, const char *path, const char *queries,
             uint16_t format, const char *payload)
{
    rig_ask_bytes(r, device, method, path, queries, format, dunlin_slice_of(payload));
}

void rig_ask_bytes(rig *r, rig_device *device, uint8_t method, const char *path, const char *queries,
                   uint16_t format, dunlin_slice payload)
{
    dn_coap_option options[OPTIONS_MAX];
    uint64_t exchange;
    size_t count = split(path, '/', DN_OPTION_URI_PATH, options, 0);
    count = split(queries, '&', DN_OPTION_URI_QUERY, options, count);
    dn_coap_outgoing request;
    dn_coap_outgoing_init(&request, method);
    request.content_format = format;
    request.options = options;
    request.option_count = count;
    request.payload = payload;
    const dn_peer server = rig_server(device);
    device->answered = false;
    assert_int_equal(dn_coap_request(device->coap, &server, &request, on_result, device,
                                     dn_simlink_now(r->link), &exchange),
                     DUNLIN_OK);
    assert_true(dn_simlink_run(r->link, dn_simlink_now(r->link) + SETTLE_MS, is_answered, device));
}

void rig_begin_download(rig *r, rig_device *device, const char *path)
{
    const dn_coap_sink sink = {.take = on_taken, .context = device};
    dn_coap_option options[OPTIONS_MAX];
    uint64_t exchange;
    dn_coap_outgoing request;
    dn_coap_outgoing_init(&request, DN_COAP_GET);
    request.options = options;
    request.option_count = split(path, '/', DN_OPTION_URI_PATH, options, 0);
    device->sink = sink;
    request.sink = &device->sink;
    device->answered = false;
    device->taken = device->taken_hash = device->taken_size = 0;
    const dn_peer server = rig_server(device);
    assert_int_equal(dn_coap_request(device->coap, &server, &request, on_result, device,
                                     dn_simlink_now(r->link), &exchange),
                     DUNLIN_OK);
}

void rig_download(rig *r, rig_device *device, const char *path)
{
    rig_begin_download(r, device, path);
    assert_true(dn_simlink_run(r->link, dn_simlink_now(r->link) + 100 * SETTLE_MS, is_answered, device));
}

void rig_register(rig *r, rig_device *device, const char *name, unsigned lifetime_s)
{
    char queries[320];
    (void)snprintf(queries, sizeof queries, "ep=%s&lt=%u&lwm2m=1.1&b=U", name, lifetime_s);
    device->watched_count = 0; /* a client forgets its observations when it registers */
    rig_ask(r, device, DN_COAP_POST, "rd", queries, 40, ordinary_links);
    assert_int_equal(device->code, DN_COAP_CREATED);
}

dunlin_status rig_notify(rig *r, rig_device *device, const char *path, const char *value, bool confirmable)
{
    size_t at = 0;
    uint64_t exchange;
    while (at < device->watched_count && strcmp(device->watched[at].path, path) != 0) {
        at++;
    }
    assert_true(at < device->watched_count);
    device->value = value;
    dn_coap_reply reply;
    dn_coap_reply_init(&reply, device->reply_code != 0 ? device->reply_code : DN_COAP_CONTENT);
    reply.content_format = device->reply_format;
    reply.payload = dunlin_slice_of(value);
    if (reply.code == DN_COAP_CONTENT) {
        reply.observe = (int32_t)++device->watched[at].sequence;
    }
    const dn_peer server = rig_server(device);
    device->answered = false;
    assert_int_equal(dn_coap_notify(device->coap, &server, &device->watched[at].token, &reply, confirmable,
                                    on_result, device, dn_simlink_now(r->link), &exchange),
                     DUNLIN_OK);
    assert_true(dn_simlink_run(r->link, dn_simlink_now(r->link) + SETTLE_MS, is_answered, device));
    rig_run(r, 500); /* what follows from it, such as fetching the rest */
    return device->status;
}

void rig_throw(rig *r, rig_device *device, dunlin_slice datagram)
{
    dn_simlink_send(r->link, &device->address, &r->address, datagram);
    rig_run(r, 10);
}

void rig_rebind(rig *r, rig_device *device)
{
    assert_int_equal(dn_simlink_rebind(r->link, &device->address), DUNLIN_OK);
}
