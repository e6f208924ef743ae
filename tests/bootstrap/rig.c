/* SPDX-License-Identifier: Apache-2.0 */
/* See rig.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/bootstrap/rig.h"

#include "codec/format.h"
#include "codec/objlnk.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEEPER_ROOM 64

static const char *const own_uris[4] = {"coap://server:5683", "coaps://server:5684", NULL,
                                        "coaps+tcp://server:5684"};

static void append(char *text, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void append(char *text, size_t size, const char *format, ...)
{
    size_t len = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text + len, size - len, format, arguments);
    va_end(arguments);
}

/* ---- the server's side ---- */

static uint64_t clock_ms(void *context)
{
    const rig *r = context;
    return r->link != NULL ? dn_simlink_now(r->link) : RIG_START_MS;
}

static int64_t wall_ms(void *context)
{
    return RIG_EPOCH_MS + (int64_t)(clock_ms(context) - RIG_START_MS);
}

/* The device behind an address of the network. */
static rig_device *device_at(rig *r, const dn_peer *address)
{
    dn_peer plain = *address;
    dn_peer_set_transport(&plain, DN_TRANSPORT_UDP);
    for (size_t i = 0; i < RIG_DEVICES; i++) {
        if (dn_peer_equal(&r->devices[i].address, &plain)) {
            return &r->devices[i];
        }
    }
    return NULL;
}

static dn_peer peer_of(const rig_device *device)
{
    dn_peer peer = device->address;
    dn_peer_set_transport(&peer, device->transport);
    return peer;
}

static bool reaches(void *context, const dn_peer *peer)
{
    const rig_device *device = device_at(context, peer);
    return device != NULL && dn_peer_transport(peer) == device->transport &&
           (device->transport == DN_TRANSPORT_UDP || device->is_open);
}

static const dn_identity *identity_of(void *context, const dn_peer *peer)
{
    const rig_device *device = device_at(context, peer);
    return reaches(context, peer) && device->has_proved ? &device->identity : NULL;
}

static bool is_loopback(const dn_peer *peer)
{
    (void)peer;
    return true;
}

static void end_peer(void *context, const dn_peer *peer)
{
    rig *r = context;
    device_at(r, peer)->is_open = false;
    r->peers_ended++;
}

static void peer_text(const dn_peer *peer, char *out, size_t size)
{
    (void)peer;
    (void)snprintf(out, size, "device");
}

static void on_send(void *context, const dn_peer *peer, dunlin_slice datagram)
{
    rig *r = context;
    assert_true(r->waiting < sizeof r->wait / sizeof r->wait[0]);
    assert_true(datagram.len <= sizeof r->wait[0].bytes);
    r->wait[r->waiting].peer = *peer;
    r->wait[r->waiting].len = datagram.len;
    memcpy(r->wait[r->waiting++].bytes, datagram.data, datagram.len);
}

static void on_event(void *context, const dn_bs_event *event)
{
    static const char *const kinds[] = {"REFUSED",  "REQUESTED", "STEP",     "REPAIRING",
                                        "FINISHED", "FAILED",    "ENROLLED", "NOT_ENROLLED"};
    static const char *const operations[] = {"Discover", "Read", "Write", "Delete", "Finish"};
    rig *r = context;
    char path[DUNLIN_PATH_TEXT_MAX + 1];
    (void)dunlin_path_format(event->path, path);
    append(r->events, sizeof r->events, "%s %.*s", kinds[event->kind], (int)event->endpoint.len,
           (const char *)event->endpoint.data);
    if (event->kind == DN_BS_STEP) {
        append(r->events, sizeof r->events, " %u/%u %s %s %u.%02u", event->step, event->steps,
               operations[event->operation], path, event->code >> 5, event->code & 31u);
    }
    append(r->events, sizeof r->events, "\n");
    append(r->whys, sizeof r->whys, "%s|%.*s|", event->why, (int)event->found.len,
           event->found.data != NULL ? (const char *)event->found.data : "");
    assert_int_equal(event->at_ms, wall_ms(r));
}

static void on_log(void *context, dn_log_level level, const char *area, const char *message)
{
    rig *r = context;
    (void)level;
    append(r->logged, sizeof r->logged, "%s: %s\n", area, message);
}

static void flush(rig *r)
{
    for (size_t i = 0; i < r->waiting; i++) {
        const rig_device *device = device_at(r, &r->wait[i].peer);
        if (reaches(r, &r->wait[i].peer)) {
            dn_simlink_send(r->link, &r->address, &device->address,
                            dunlin_slice_make(r->wait[i].bytes, r->wait[i].len));
        }
    }
    r->waiting = 0;
}

static void settle(rig *r)
{
    dn_bs_work(r->bs);
    dn_bs_commit(r->bs);
    flush(r);
}

static void server_receive(void *context, const dn_peer *from, dunlin_slice datagram, uint64_t now_ms)
{
    rig *r = context;
    rig_device *device = device_at(r, from);
    const dn_peer peer = peer_of(device);
    (void)now_ms;
    if (!reaches(r, &peer)) {
        return;
    }
    dn_bs_begin(r->bs);
    dn_bs_receive(r->bs, &peer, datagram);
    settle(r);
}

static uint64_t server_deadline(void *context)
{
    return dn_bs_deadline(((rig *)context)->bs);
}

static void server_expire(void *context, uint64_t now_ms)
{
    (void)now_ms;
    dn_bs_begin(((rig *)context)->bs);
    settle(context);
}

/* ---- the device's side ---- */

static void device_send(void *context, const dn_peer *peer, dunlin_slice datagram)
{
    (void)peer;
    rig_send(context, datagram);
}

static const char *method_name(uint8_t code)
{
    static const char *const names[] = {"", "GET", "POST", "PUT", "DELETE"};
    return code <= 4 ? names[code] : "?";
}

/* What the test wants answered, or NULL. */
static rig_answer *scripted(rig_device *device, const char *ask)
{
    for (size_t i = 0; i < RIG_SCRIPT && device->script[i].ask != NULL; i++) {
        rig_answer *answer = &device->script[i];
        if (strcmp(answer->ask, ask) != 0) {
            continue;
        }
        if (answer->after > 0) {
            answer->after--;
            continue;
        }
        if (answer->times != 1) {
            answer->times -= answer->times > 0;
            return answer;
        }
        answer->ask = "done";
        return answer;
    }
    return NULL;
}

static void keep_put(rig_device *device, const char *path, const dn_coap_incoming *request)
{
    size_t i = 0;
    while (i < device->put_count && strcmp(device->puts[i].path, path) != 0) {
        i++;
    }
    assert_true(i < RIG_PUTS && request->payload.len <= sizeof device->puts[0].bytes);
    device->put_count += i == device->put_count;
    (void)snprintf(device->puts[i].path, sizeof device->puts[i].path, "%s", path);
    device->puts[i].format = request->content_format;
    device->puts[i].len = request->payload.len;
    memcpy(device->puts[i].bytes, request->payload.data, request->payload.len);
}

static void behave(rig_device *device, const dn_coap_incoming *request, const char *path,
                   dn_coap_reply *reply)
{
    switch (request->code) {
    case DN_COAP_GET:
        reply->code = DN_COAP_CONTENT;
        if (request->accept == DN_FORMAT_LINK) {
            reply->content_format = DN_FORMAT_LINK;
            reply->payload = dunlin_slice_of(device->is_written ? device->after : device->before);
        } else if (device->servers != NULL && strcmp(path, "/1") == 0) {
            reply->content_format = DN_FORMAT_SENML_JSON;
            reply->payload = dunlin_slice_of(device->servers);
        } else {
            reply->code = DN_COAP_METHOD_NOT_ALLOWED;
        }
        break;
    case DN_COAP_DELETE:
        reply->code = DN_COAP_DELETED;
        break;
    case DN_COAP_PUT:
        keep_put(device, path, request);
        device->is_written = true;
        reply->code = DN_COAP_CHANGED;
        break;
    default:
        reply->code = DN_COAP_CHANGED;
        break;
    }
}

static dn_coap_answered device_request(void *context, const dn_coap_incoming *request, dunlin_buf *body,
                                       dn_coap_reply *reply)
{
    rig_device *device = context;
    dn_coap_options options = request->options;
    dunlin_slice segment;
    char path[64] = "";
    char ask[80];
    (void)body;
    while (dn_coap_option_find(&options, DN_OPTION_URI_PATH, &segment) == DUNLIN_OK) {
        append(path, sizeof path, "/%.*s", (int)segment.len, (const char *)segment.data);
    }
    (void)snprintf(ask, sizeof ask, "%s %s", method_name(request->code), path[0] != '\0' ? path : "/");
    append(device->log, sizeof device->log, "%s;", ask);
    if (device->asked++ == 0) {
        device->first_asked_ms = dn_simlink_now(device->owner->link);
    }
    assert_true(request->confirmable || dn_transport_is_stream(device->transport));
    if (device->silent_from != 0 && device->asked >= device->silent_from) {
        return DN_COAP_LATER; /* and never */
    }
    dn_coap_reply_init(reply, DN_COAP_CHANGED);
    const rig_answer *answer = scripted(device, ask);
    if (answer == NULL) {
        behave(device, request, path, reply);
        return DN_COAP_ANSWERED;
    }
    reply->code = answer->code;
    if (answer->payload != NULL) {
        reply->payload = dunlin_slice_of(answer->payload);
        reply->content_format =
            answer->code == DN_COAP_CONTENT ? (uint16_t)DN_FORMAT_LINK : (uint16_t)DN_COAP_NO_FORMAT;
    }
    return DN_COAP_ANSWERED;
}

static bool device_notification(void *context, const dn_peer *peer, const dn_coap_response *notification)
{
    (void)context;
    (void)peer;
    (void)notification;
    return false;
}

static void device_receive(void *context, const dn_peer *from, dunlin_slice datagram, uint64_t now_ms)
{
    rig_device *device = context;
    if (device->stand_in != NULL) {
        device->stand_in->receive(device->stand_in->context, from, datagram, now_ms);
    } else {
        dn_coap_receive(device->coap, from, datagram, now_ms);
    }
}

static uint64_t device_deadline(void *context)
{
    const rig_device *device = context;
    return device->stand_in != NULL ? device->stand_in->deadline(device->stand_in->context)
                                    : dn_coap_deadline(device->coap);
}

static void device_expire(void *context, uint64_t now_ms)
{
    rig_device *device = context;
    if (device->stand_in != NULL) {
        device->stand_in->expire(device->stand_in->context, now_ms);
    } else {
        dn_coap_expire(device->coap, now_ms);
    }
}

void rig_send(rig_device *device, dunlin_slice datagram)
{
    dn_simlink_send(device->owner->link, &device->address, &device->owner->address, datagram);
}

static void make_device(rig *r, rig_device *device, uint64_t seed)
{
    dn_coap_config config = dn_coap_config_default();
    const dn_coap_callbacks callbacks = {.send = device_send,
                                         .request = device_request,
                                         .notification = device_notification,
                                         .context = device};
    const dn_simlink_endpoint endpoint = {device_receive, device_deadline, device_expire, device};
    config.max_body = 8192;
    config.exchanges = 64;
    config.nstart = 64;
    device->owner = r;
    device->before = "</>;lwm2m=1.1,</0/0>;uri=\"coaps://bs\",</1>,</3/0>";
    device->after = "</>;lwm2m=1.1,</0/0>,</0/1>;ssid=1,</1/0>;ssid=1,</3/0>";
    dn_seeded_init(&device->seeded, seed);
    device->random = dn_seeded_random(&device->seeded);
    size_t size = dn_coap_arena_size(&config);
    device->arena = malloc(size);
    device->coap =
        dn_coap_create(device->arena, size, &config, &callbacks, &device->random, NULL, RIG_START_MS);
    assert_non_null(device->coap);
    assert_int_equal(dn_simlink_attach(r->link, &endpoint, &device->address), DUNLIN_OK);
}

/* ---- the rig ---- */

void rig_start(rig *r, uint64_t seed, void (*tweak)(dn_bs_engine_config *config))
{
    memset(r, 0, sizeof *r);
    r->link = dn_simlink_create(seed, RIG_START_MS);
    assert_non_null(r->link);
    dn_seeded_init(&r->seeded, seed + 100);
    bs_keeper_init(&r->keeper, KEEPER_ROOM);
    dn_testkeeper_init(&r->own);
    assert_int_equal(dn_bs_memory_store_open(wall_ms, r, &r->store), DUNLIN_OK);
    r->log = (dn_log){on_log, r, DN_LOG_DEBUG};
    dn_bs_engine_config config = dn_bs_engine_config_default();
    config.store = r->store;
    config.credentials = &r->keeper.base;
    config.own_credentials = &r->own.base;
    memcpy(config.own.uris, own_uris, sizeof own_uris);
    config.max_runs = 8;
    config.max_ended = 8;
    config.coap.dedup_slots = 64;
    config.coap.connections = RIG_DEVICES;
    config.random = dn_seeded_random(&r->seeded);
    config.log = &r->log;
    config.wall_ms = wall_ms;
    config.clock_ms = clock_ms;
    config.clock_context = r;
    config.send = on_send;
    config.identity = identity_of;
    config.reaches = reaches;
    config.is_loopback = is_loopback;
    config.end_peer = end_peer;
    config.peer_text = peer_text;
    config.event = on_event;
    config.context = r;
    if (tweak != NULL) {
        tweak(&config);
    }
    r->config = config;
    assert_int_equal(dn_bs_create(&config, &r->bs), DUNLIN_OK);
    const dn_simlink_endpoint endpoint = {server_receive, server_deadline, server_expire, r};
    assert_int_equal(dn_simlink_attach(r->link, &endpoint, &r->address), DUNLIN_OK);
    for (size_t i = 0; i < RIG_DEVICES; i++) {
        make_device(r, &r->devices[i], seed + 200 + i);
    }
}

void rig_end(rig *r)
{
    for (size_t i = 0; i < RIG_DEVICES; i++) {
        free(r->devices[i].arena);
    }
    dn_bs_destroy(r->bs);
    r->store->ops->close(r->store);
    bs_keeper_free(&r->keeper);
    dn_simlink_destroy(r->link);
}

void rig_configure(rig *r, const char *endpoint, const char *document)
{
    char error[256] = "";
    dn_bs_config *config = NULL;
    if (!dn_bs_config_parse(dunlin_slice_of(document), &config, error, sizeof error)) {
        fail_msg("%s", error);
    }
    dn_bs_config_free(config);
    assert_int_equal(
        r->store->ops->put(r->store, dunlin_slice_of(endpoint), dunlin_slice_of(document), 0, NULL),
        DUNLIN_OK);
}

void rig_run(rig *r, uint64_t ms)
{
    (void)dn_simlink_run(r->link, dn_simlink_now(r->link) + ms, NULL, NULL);
}

static bool is_idle(void *context)
{
    const rig *r = context;
    for (size_t i = 0; i < RIG_DEVICES; i++) {
        if (r->devices[i].is_waiting) {
            return false;
        }
    }
    return !dn_bs_is_busy(r->bs);
}

void rig_settle(rig *r, uint64_t ms)
{
    rig_run(r, 1); /* what begins by itself has begun */
    (void)dn_simlink_run(r->link, dn_simlink_now(r->link) + ms, is_idle, r);
    rig_run(r, 5);
}

void rig_close(rig *r, rig_device *device)
{
    const dn_peer peer = peer_of(device);
    if (device->is_open) {
        device->is_open = false;
        dn_bs_begin(r->bs);
        dn_bs_closed(r->bs, &peer);
        settle(r);
    }
    if (dn_transport_is_stream(device->transport)) {
        dn_coap_close(device->coap, &r->address);
    }
}

void rig_secure(rig *r, rig_device *device, dn_transport transport, const char *endpoint)
{
    rig_close(r, device);
    device->transport = transport;
    device->is_open = true;
    device->has_proved = endpoint != NULL;
    device->identity = (dn_identity){.mode = DN_SECURITY_PSK};
    if (endpoint != NULL) {
        device->identity.endpoint_len = (uint8_t)strlen(endpoint);
        memcpy(device->identity.endpoint, endpoint, strlen(endpoint));
        device->identity.is_pattern = dn_endpoint_is_pattern(dunlin_slice_of(endpoint));
    }
    const dn_peer peer = peer_of(device);
    dn_bs_begin(r->bs);
    dn_bs_opened(r->bs, &peer);
    settle(r);
}

/* ---- what a device asks ---- */

static void on_answer(void *context, uint64_t exchange, dunlin_status status,
                      const dn_coap_response *response)
{
    rig_device *device = context;
    (void)exchange;
    device->is_answered = true;
    device->is_waiting = false;
    device->status = status;
    device->code = response != NULL ? response->code : 0;
    device->answered_ms = dn_simlink_now(device->owner->link);
    device->said[0] = '\0';
    device->max_age_s = 0;
    if (response != NULL) {
        dn_coap_options options = response->options;
        dunlin_slice age;
        if (dn_coap_option_find(&options, DN_OPTION_MAX_AGE, &age) == DUNLIN_OK && age.len == 1) {
            device->max_age_s = age.data[0];
        }
        (void)snprintf(device->said, sizeof device->said, "%.*s", (int)response->payload.len,
                       response->payload.data != NULL ? (const char *)response->payload.data : "");
    }
}

static void request_with(rig *r, rig_device *device, dn_coap_outgoing *request, const char *path,
                         const char *queries)
{
    dn_coap_option options[16];
    size_t count = 0;
    char copy[512];
    char *next;
    (void)snprintf(copy, sizeof copy, "%s&%s", path, queries);
    char *query = strchr(copy, '&');
    *query++ = '\0';
    for (char *at = strtok_r(copy, "/", &next); at != NULL; at = strtok_r(NULL, "/", &next)) {
        options[count++] = (dn_coap_option){DN_OPTION_URI_PATH, dunlin_slice_of(at)};
    }
    for (char *at = strtok_r(query, "&", &next); at != NULL; at = strtok_r(NULL, "&", &next)) {
        options[count++] = (dn_coap_option){DN_OPTION_URI_QUERY, dunlin_slice_of(at)};
    }
    request->confirmable = true;
    request->options = options;
    request->option_count = count;
    device->is_answered = false;
    device->is_waiting = true;
    uint64_t exchange;
    assert_int_equal(dn_coap_request(device->coap, &r->address, request, on_answer, device,
                                     dn_simlink_now(r->link), &exchange),
                     DUNLIN_OK);
}

void rig_request(rig *r, rig_device *device, uint8_t method, const char *path, const char *queries,
                 uint16_t accept)
{
    dn_coap_outgoing request;
    dn_coap_outgoing_init(&request, method);
    request.accept = accept;
    request_with(r, device, &request, path, queries);
}

void rig_post(rig *r, rig_device *device, const char *path, uint16_t format, dunlin_slice payload)
{
    dn_coap_outgoing request;
    dn_coap_outgoing_init(&request, DN_COAP_POST);
    request.content_format = format;
    request.payload = payload;
    request_with(r, device, &request, path, "");
}

void rig_ask(rig *r, rig_device *device, const char *queries)
{
    rig_request(r, device, DN_COAP_POST, "bs", queries, DN_COAP_NO_FORMAT);
}

/* ---- looking ---- */

const uint8_t *rig_put(const rig_device *device, const char *path, size_t *len, uint16_t *format)
{
    for (size_t i = 0; i < device->put_count; i++) {
        if (strcmp(device->puts[i].path, path) == 0) {
            *len = device->puts[i].len;
            *format = device->puts[i].format;
            return device->puts[i].bytes;
        }
    }
    return NULL;
}

static dunlin_type type_of(void *context, dunlin_path resource, bool *multiple)
{
    static const dunlin_type security[] = {DUNLIN_TYPE_STRING, DUNLIN_TYPE_BOOLEAN, DUNLIN_TYPE_INTEGER,
                                           DUNLIN_TYPE_OPAQUE, DUNLIN_TYPE_OPAQUE,  DUNLIN_TYPE_OPAQUE};
    (void)context;
    *multiple = resource.id[0] == 2 && resource.id[2] == 2;
    if (resource.id[0] == 0) {
        return resource.id[2] < 6     ? security[resource.id[2]]
               : resource.id[2] == 14 ? DUNLIN_TYPE_STRING
                                      : DUNLIN_TYPE_INTEGER;
    }
    if (resource.id[0] == 1) {
        return resource.id[2] == 6 || resource.id[2] == 15 || resource.id[2] == 16 || resource.id[2] == 23
                   ? DUNLIN_TYPE_BOOLEAN
               : resource.id[2] == 7 || resource.id[2] == 22 ? DUNLIN_TYPE_STRING
                                                             : DUNLIN_TYPE_INTEGER;
    }
    return resource.id[0] == 2 ? DUNLIN_TYPE_INTEGER : DUNLIN_TYPE_NONE;
}

static void value_text(const dunlin_value *value, char out[2048])
{
    switch (value->type) {
    case DUNLIN_TYPE_INTEGER:
        (void)snprintf(out, 2048, "%" PRId64, value->as.integer);
        break;
    case DUNLIN_TYPE_UNSIGNED:
        (void)snprintf(out, 2048, "%" PRIu64, value->as.uinteger);
        break;
    case DUNLIN_TYPE_BOOLEAN:
        (void)snprintf(out, 2048, "%s", value->as.boolean ? "true" : "false");
        break;
    case DUNLIN_TYPE_STRING:
        (void)snprintf(out, 2048, "%.*s", (int)value->as.bytes.len, (const char *)value->as.bytes.data);
        break;
    case DUNLIN_TYPE_OPAQUE:
        out[0] = '\0';
        for (size_t i = 0; i < value->as.bytes.len && i < 1000; i++) {
            (void)snprintf(out + 2 * i, 3, "%02x", value->as.bytes.data[i]);
        }
        break;
    default:
        (void)snprintf(out, 2048, "a %s", dunlin_type_name(value->type));
        break;
    }
}

const char *rig_value(const rig_device *device, const char *put_path, const char *path, char out[2048])
{
    uint8_t scratch[8192];
    size_t len;
    uint16_t format;
    dunlin_path base;
    dunlin_path wanted;
    dn_decoder decoder;
    dn_record record;
    dunlin_status status;
    const uint8_t *bytes = rig_put(device, put_path, &len, &format);
    out[0] = '\0';
    if (bytes == NULL) {
        return out;
    }
    assert_int_equal(dunlin_path_parse(dunlin_slice_of(put_path), &base), DUNLIN_OK);
    assert_int_equal(dunlin_path_parse(dunlin_slice_of(path), &wanted), DUNLIN_OK);
    assert_int_equal(dn_decode(&decoder, format, base, dunlin_slice_make(bytes, len),
                               (dn_types){type_of, NULL}, dunlin_buf_make(scratch, sizeof scratch)),
                     DUNLIN_OK);
    while ((status = dn_decode_next(&decoder, &record)) == DUNLIN_OK) {
        if (dunlin_path_equal(record.path, wanted) && record.kind == DN_RECORD_VALUE) {
            value_text(&record.value, out);
        }
    }
    assert_int_equal(status, DUNLIN_END);
    return out;
}

static bool take_view(void *context, const dn_bs_run_view *view)
{
    rig_view *out = context;
    out->view = *view;
    assert_true(view->step_count <= 128);
    if (view->step_count > 0) {
        memcpy(out->steps, view->steps, view->step_count * sizeof *view->steps);
    }
    (void)snprintf(out->why, sizeof out->why, "%s", view->why);
    (void)snprintf(out->found, sizeof out->found, "%.*s", (int)view->found.len,
                   view->found.data != NULL ? (const char *)view->found.data : "");
    return false;
}

void rig_look(rig *r, const char *endpoint, rig_view *out)
{
    memset(out, 0, sizeof *out);
    dn_bs_runs(r->bs, dunlin_slice_of(endpoint), 0, 1, take_view, out);
    assert_true(out->view.run != 0);
}
