/* SPDX-License-Identifier: Apache-2.0 */
/* The trace: datagrams, kept and searched. */
#include "ets/trace.h"

#include "codec/link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void join(dn_coap_options options, uint16_t number, char separator, char *out, size_t size)
{
    size_t len = 0;
    dunlin_slice value;
    out[0] = '\0';
    while (dn_coap_option_find(&options, number, &value) == DUNLIN_OK && len + value.len + 2 < size) {
        if (len > 0 || separator == '/') {
            out[len++] = separator;
        }
        memcpy(out + len, value.data, value.len);
        len += value.len;
        out[len] = '\0';
    }
}

static bool is_framed(const dn_ets_message *message)
{
    return dn_transport_is_stream(dn_peer_transport(&message->device));
}

static void read_message(dn_ets_message *message)
{
    const dunlin_slice bytes = dunlin_slice_make(message->bytes, message->len);
    message->readable = (is_framed(message) ? dn_coap_message_read_framed(&message->is, bytes)
                                            : dn_coap_message_read(&message->is, bytes)) == DUNLIN_OK;
    if (message->readable && !dn_coap_is_signal(message->is.code)) {
        join(message->is.options, DN_OPTION_URI_PATH, '/', message->path, sizeof message->path);
        join(message->is.options, DN_OPTION_URI_QUERY, '&', message->query, sizeof message->query);
        join(message->is.options, DN_OPTION_LOCATION_PATH, '/', message->location, sizeof message->location);
        if (message->path[0] == '\0') {
            memcpy(message->path, "/", 2);
        }
    }
}

static bool same_peer(const dn_peer *a, const dn_peer *b)
{
    return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

static bool is_again(const dn_ets_trace *trace, const dn_ets_message *message)
{
    for (size_t i = trace->count; i > 0; i--) {
        const dn_ets_message *one = trace->list[i - 1];
        if (one->at_ms + 247000 < message->at_ms) {
            return false; /* EXCHANGE_LIFETIME: the number may be used anew */
        }
        if (one->to_device == message->to_device && one->server == message->server &&
            one->len == message->len && same_peer(&one->device, &message->device) &&
            memcmp(one->bytes, message->bytes, one->len) == 0) {
            return true;
        }
    }
    return false;
}

void dn_ets_trace_add(dn_ets_trace *trace, uint64_t at_ms, bool to_device, unsigned server,
                      const dn_peer *device, bool lost, dunlin_slice datagram)
{
    if (trace->count == trace->capacity) {
        const size_t capacity = trace->capacity == 0 ? 64 : trace->capacity * 2;
        dn_ets_message **list = realloc(trace->list, capacity * sizeof(dn_ets_message *));
        if (list == NULL) {
            return;
        }
        trace->list = list;
        trace->capacity = capacity;
    }
    dn_ets_message *message = calloc(1, sizeof *message + datagram.len);
    if (message == NULL) {
        return;
    }
    message->at_ms = at_ms;
    message->to_device = to_device;
    message->server = server;
    message->device = *device;
    message->lost = lost;
    message->len = datagram.len;
    if (datagram.len > 0) {
        memcpy(message->bytes, datagram.data, datagram.len);
    }
    read_message(message);
    message->again = !is_framed(message) && is_again(trace, message);
    trace->list[trace->count++] = message;
    if (trace->added != NULL) {
        trace->added(trace->context, message);
    }
}

void dn_ets_trace_clear(dn_ets_trace *trace)
{
    for (size_t i = 0; i < trace->count; i++) {
        free(trace->list[i]);
    }
    free(trace->list);
    trace->list = NULL;
    trace->count = trace->capacity = 0;
}

const dn_ets_message *dn_ets_trace_answer(const dn_ets_trace *trace, size_t request)
{
    const dn_ets_message *asked = trace->list[request];
    for (size_t i = request + 1; i < trace->count; i++) {
        const dn_ets_message *one = trace->list[i];
        if (one->readable && one->to_device != asked->to_device && one->server == asked->server &&
            one->is.code >> 5 >= 2 && dn_coap_token_equal(&one->is.token, &asked->is.token) &&
            same_peer(&one->device, &asked->device)) {
            return one;
        }
    }
    return NULL;
}

size_t dn_ets_trace_request(const dn_ets_trace *trace, size_t from, unsigned server, bool to_device,
                            uint8_t method, const char *path)
{
    for (size_t i = from; i < trace->count; i++) {
        const dn_ets_message *one = trace->list[i];
        if (one->readable && !one->again && one->to_device == to_device && one->server == server &&
            one->is.code == method && (path == NULL || strcmp(one->path, path) == 0)) {
            return i;
        }
    }
    return SIZE_MAX;
}

bool dn_ets_query(const char *query, const char *name, char *out, size_t size)
{
    const size_t name_len = strlen(name);
    for (const char *at = query; *at != '\0';) {
        const size_t len = strcspn(at, "&");
        if (len >= name_len && strncmp(at, name, name_len) == 0 && (len == name_len || at[name_len] == '=')) {
            const size_t skip = len == name_len ? len : name_len + 1;
            (void)snprintf(out, size, "%.*s", (int)(len - skip), at + skip);
            return true;
        }
        at += len + (at[len] == '&');
    }
    return false;
}

/* ---- registrations ---- */

static void read_formats(dn_ets_registration *r, const dn_link *link)
{
    dn_link_param param;
    if (dn_link_param_find(link, "ct", &param) != DUNLIN_OK || !param.has_value) {
        return;
    }
    unsigned number = 0;
    bool any = false;
    for (size_t i = 0; i <= param.value.len; i++) {
        const uint8_t c = i < param.value.len ? param.value.data[i] : ' ';
        if (c >= '0' && c <= '9') {
            number = number * 10 + (unsigned)(c - '0');
            any = true;
        } else if (any && r->format_count < sizeof r->formats / sizeof r->formats[0]) {
            r->formats[r->format_count++] = (uint16_t)number;
            number = 0;
            any = false;
        }
    }
}

/* The link with rt="oma.lwm2m", or the one to "/", is the root (Core 1.1.1 section 6.2.1). */
static void read_links(dn_ets_registration *r, dunlin_slice links)
{
    dn_link_reader reader;
    dn_link link;
    dn_link_param param;
    r->links = links;
    r->format_count = 0;
    memcpy(r->root, "/", 2);
    dn_links_read(&reader, links);
    while (dn_links_next(&reader, &link) == DUNLIN_OK) {
        const bool root = dunlin_slice_equal(link.target, dunlin_slice_of("/"));
        const bool named = dn_link_param_find(&link, "rt", &param) == DUNLIN_OK &&
                           dunlin_slice_equal(param.value, dunlin_slice_of("oma.lwm2m"));
        if (named && !root && link.target.len < sizeof r->root) {
            memcpy(r->root, link.target.data, link.target.len);
            r->root[link.target.len] = '\0';
        }
        if (root || named) {
            read_formats(r, &link);
        }
    }
}

static void read_parameters(dn_ets_registration *r, const char *query)
{
    char text[64];
    if (dn_ets_query(query, "lt", text, sizeof text)) {
        r->lifetime_s = (uint32_t)strtoul(text, NULL, 10);
    }
    if (dn_ets_query(query, "lwm2m", text, sizeof text) && strncmp(text, "1.", 2) == 0) {
        r->minor = (unsigned)strtoul(text + 2, NULL, 10);
    }
    if (dn_ets_query(query, "b", text, sizeof text)) {
        (void)snprintf(r->binding, sizeof r->binding, "%.7s", text);
        r->queue_mode = strchr(text, 'Q') != NULL;
    }
    r->queue_mode = r->queue_mode || dn_ets_query(query, "Q", text, sizeof text);
}

static bool take_register(const dn_ets_trace *trace, size_t at, const char *endpoint, dn_ets_registration *r)
{
    const dn_ets_message *one = trace->list[at];
    const dn_ets_message *answer = dn_ets_trace_answer(trace, at);
    char name[sizeof r->endpoint] = "";
    (void)dn_ets_query(one->query, "ep", name, sizeof name);
    if (answer == NULL || answer->is.code != DN_COAP_CREATED ||
        (endpoint != NULL && strcmp(name, endpoint) != 0)) {
        return false;
    }
    *r = (dn_ets_registration){.registered = true, .request = at, .lifetime_s = 86400, .device = one->device};
    (void)snprintf(r->endpoint, sizeof r->endpoint, "%s", name);
    (void)snprintf(r->location, sizeof r->location, "%s", answer->location);
    read_parameters(r, one->query);
    read_links(r, one->is.payload);
    return true;
}

dn_ets_registration dn_ets_trace_registration(const dn_ets_trace *trace, unsigned server,
                                              const char *endpoint)
{
    dn_ets_registration r = {.registered = false};
    for (size_t i = 0; i < trace->count; i++) {
        const dn_ets_message *one = trace->list[i];
        if (!one->readable || one->again || one->to_device || one->server != server) {
            continue;
        }
        const bool post = one->is.code == DN_COAP_POST;
        if (post && strcmp(one->path, "/rd") == 0) {
            (void)take_register(trace, i, endpoint, &r);
            continue;
        }
        if (!r.registered || strcmp(one->path, r.location) != 0 ||
            (!post && one->is.code != DN_COAP_DELETE)) {
            continue;
        }
        const dn_ets_message *answer = dn_ets_trace_answer(trace, i);
        if (post && answer != NULL && answer->is.code == DN_COAP_CHANGED) {
            read_parameters(&r, one->query);
            r.device = one->device;
            if (one->is.payload.len > 0) {
                read_links(&r, one->is.payload);
            }
        } else if (answer != NULL && (!post || answer->is.code == DN_COAP_NOT_FOUND)) {
            r.registered = false;
        }
    }
    return r;
}

static bool link_path(const dn_ets_registration *r, const dn_link *link, dunlin_path *path)
{
    return dn_link_path(link, dunlin_slice_of(r->root), path) == DUNLIN_OK;
}

bool dn_ets_registration_lists(const dn_ets_registration *registration, dunlin_path path)
{
    dn_link_reader reader;
    dn_link link;
    dunlin_path target;
    dn_links_read(&reader, registration->links);
    while (dn_links_next(&reader, &link) == DUNLIN_OK) {
        if (link_path(registration, &link, &target) && target.depth > 0 && dunlin_path_within(target, path)) {
            return true;
        }
    }
    return false;
}

uint16_t dn_ets_registration_instance(const dn_ets_registration *registration, uint16_t object)
{
    uint16_t lowest = DUNLIN_ID_NONE;
    dn_link_reader reader;
    dn_link link;
    dunlin_path target;
    dn_links_read(&reader, registration->links);
    while (dn_links_next(&reader, &link) == DUNLIN_OK) {
        if (link_path(registration, &link, &target) && target.depth == 2 && target.id[0] == object &&
            target.id[1] < lowest) {
            lowest = target.id[1];
        }
    }
    return lowest;
}

/* ---- observations ---- */

size_t dn_ets_trace_observe(const dn_ets_trace *trace, size_t from, unsigned server, const char *path,
                            bool composite)
{
    size_t newest = SIZE_MAX;
    for (size_t i = from; i < trace->count; i++) {
        const dn_ets_message *one = trace->list[i];
        const uint8_t method = composite ? DN_COAP_FETCH : DN_COAP_GET;
        if (one->readable && !one->again && one->to_device && one->server == server &&
            one->is.code == method && one->is.observe == 0 && (composite || strcmp(one->path, path) == 0) &&
            dn_ets_trace_answer(trace, i) != NULL) {
            newest = i;
        }
    }
    return newest;
}

size_t dn_ets_trace_notification(const dn_ets_trace *trace, size_t after, size_t observe)
{
    const dn_ets_message *asked = trace->list[observe];
    const dn_ets_message *first = dn_ets_trace_answer(trace, observe);
    for (size_t i = after + 1; i < trace->count; i++) {
        const dn_ets_message *one = trace->list[i];
        if (one != first && one->readable && !one->again && !one->to_device && one->server == asked->server &&
            one->is.code >> 5 >= 2 && one->is.observe != DN_COAP_NO_OBSERVE &&
            dn_coap_token_equal(&one->is.token, &asked->is.token)) {
            return i;
        }
    }
    return SIZE_MAX;
}

dunlin_path dn_ets_trace_base(const dn_ets_trace *trace, const dn_ets_message *message)
{
    dunlin_path path = dunlin_path_root();
    const dn_ets_message *asked = message;
    for (size_t i = trace->count; !dn_coap_is_request(message->is.code) && i > 0; i--) {
        const dn_ets_message *one = trace->list[i - 1];
        if (one->readable && one->to_device != message->to_device && one->server == message->server &&
            dn_coap_is_request(one->is.code) && dn_coap_token_equal(&one->is.token, &message->is.token)) {
            asked = one;
            break;
        }
    }
    (void)dunlin_path_parse(dunlin_slice_of(asked->path), &path);
    return path;
}
