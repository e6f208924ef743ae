/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The probe's server.
 *   GET  /small                "hello"
 *   GET  /large[?size=N]       N (10000) bytes of numbered lines, in blocks
 *   GET  /file?size=N          the same, as large as you like, in no memory
 *   PUT  /file                 a body that must be that text, taken in pieces
 *   GET  /got                  how many bytes of it came, and whether it was all text
 *   GET  /obs, /obs-large      a counter that goes up with each tick, to be observed; NON, each fifth CON; the
 *                              second one in blocks
 *   GET  /separate             "late", after a while: an empty ACK comes first
 *   PUT, GET, DELETE /store    keeps a body
 *   POST, FETCH /echo          gives the body back
 *   POST, GET /count           counts the POSTs
 *   GET  /query                the query, a line each
 *   GET  /.well-known/core     what there is
 */
#include "port/clock.h"
#include "tests/probe/pieces.h"
#include "tests/probe/probe.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OBSERVERS_MAX 64
#define LATE_MAX      64
#define OBS_LARGE_LEN 3000

typedef struct {
    bool used, large;
    dn_peer peer;
    dn_coap_token token;
    uint32_t sequence;
    uint64_t key;
} observer;

typedef struct {
    const probe_server_options *options;
    dn_loop loop;
    dn_loop_watch signal_watch;
    dn_coap_socket socket;
    bool stop;
    observer observers[OBSERVERS_MAX];
    struct {
        uint64_t id, at_ms;
    } late[LATE_MAX];
    size_t late_count;
    uint64_t next_tick_ms;
    uint32_t counter, posts;
    dn_coap_source source;
    dn_coap_option etag;
    uint8_t etag_bytes[4];
    uint64_t got;
    bool got_text, got_whole;
    size_t stored_len;
    uint16_t stored_format;
    uint8_t stored[PROBE_BODY_MAX];
    uint8_t work[PROBE_BODY_MAX];
} server;

/* "line 0000001 of the body\n" …, cut at `len`. */
static dunlin_slice numbered(uint8_t *out, size_t len, uint32_t first)
{
    char line[40];
    for (size_t at = 0; at < len;) {
        int written = snprintf(line, sizeof line, "line %07u of the body\n", first++);
        size_t part = (size_t)written < len - at ? (size_t)written : len - at;
        memcpy(out + at, line, part);
        at += part;
    }
    return dunlin_slice_make(out, len);
}

static dunlin_slice counter_text(server *self)
{
    int length = snprintf((char *)self->work, sizeof self->work, "%u", self->counter);
    return dunlin_slice_make(self->work, (size_t)length);
}

static observer *find_observer(server *self, const dn_peer *peer, const dn_coap_token *token)
{
    for (size_t i = 0; i < OBSERVERS_MAX; i++) {
        observer *at = &self->observers[i];
        if (at->used && dn_peer_equal(&at->peer, peer) && at->token.len == token->len &&
            memcmp(at->token.bytes, token->bytes, token->len) == 0) {
            return at;
        }
    }
    return NULL;
}

static void watch(server *self, const dn_coap_incoming *request, bool large, dn_coap_reply *reply)
{
    observer *known = find_observer(self, &request->peer, &request->token);
    if (request->observe == 1 && known != NULL) {
        known->used = false;
    }
    if (request->observe != 0) {
        return;
    }
    for (size_t i = 0; i < OBSERVERS_MAX && known == NULL; i++) {
        if (!self->observers[i].used) {
            known = &self->observers[i];
            *known = (observer){true, large, request->peer, request->token, 1, request->key};
        }
    }
    if (known != NULL) {
        reply->observe = (int32_t)++known->sequence;
    }
}

static dn_coap_answered get_obs(server *self, const dn_coap_incoming *request, dn_coap_reply *reply)
{
    watch(self, request, false, reply);
    reply->payload = counter_text(self);
    return DN_COAP_ANSWERED;
}

static dn_coap_answered get_obs_large(server *self, const dn_coap_incoming *request, dn_coap_reply *reply)
{
    watch(self, request, true, reply);
    reply->payload = numbered(self->work, OBS_LARGE_LEN, self->counter);
    return DN_COAP_ANSWERED;
}

static dn_coap_answered get_small(server *self, const dn_coap_incoming *request, dn_coap_reply *reply)
{
    (void)self;
    (void)request;
    reply->payload = dunlin_slice_of("hello");
    return DN_COAP_ANSWERED;
}

/* The size that the query asks for. */
static size_t size_of(const dn_coap_incoming *request)
{
    dn_coap_options walk = request->options;
    dunlin_slice query;
    size_t size = 10000;
    while (dn_coap_option_find(&walk, DN_OPTION_URI_QUERY, &query) == DUNLIN_OK) {
        char text[16] = "";
        if (query.len > 5 && query.len - 5 < sizeof text && memcmp(query.data, "size=", 5) == 0) {
            memcpy(text, query.data + 5, query.len - 5);
            size = strtoul(text, NULL, 10);
        }
    }
    return size;
}

static dn_coap_answered get_large(server *self, const dn_coap_incoming *request, dn_coap_reply *reply)
{
    size_t size = size_of(request);
    reply->payload = numbered(self->work, size <= sizeof self->work ? size : sizeof self->work, 0);
    return DN_COAP_ANSWERED;
}

static dn_coap_answered on_file(server *self, const dn_coap_incoming *request, dn_coap_reply *reply)
{
    if (request->code == DN_COAP_PUT) { /* it fits a block */
        self->got = request->payload.len;
        self->got_text = probe_is_text(request->payload, 0);
        self->got_whole = true;
        dn_coap_reply_init(reply, DN_COAP_CHANGED);
        return DN_COAP_ANSWERED;
    }
    self->source = probe_text(size_of(request));
    for (size_t i = 0; i < sizeof self->etag_bytes; i++) {
        self->etag_bytes[i] = (uint8_t)(self->source.size >> (8 * i));
    }
    self->etag = (dn_coap_option){DN_OPTION_ETAG, {self->etag_bytes, sizeof self->etag_bytes}};
    reply->source = &self->source;
    reply->options = &self->etag;
    reply->option_count = 1;
    return DN_COAP_ANSWERED;
}

static dn_coap_answered get_got(server *self, const dn_coap_incoming *request, dn_coap_reply *reply)
{
    (void)request;
    int length = snprintf((char *)self->work, sizeof self->work, "%llu %s %s", (unsigned long long)self->got,
                          self->got_text ? "text" : "other", self->got_whole ? "whole" : "part");
    reply->payload = dunlin_slice_make(self->work, (size_t)length);
    return DN_COAP_ANSWERED;
}

static dn_coap_answered get_separate(server *self, const dn_coap_incoming *request, dn_coap_reply *reply)
{
    if (self->late_count == LATE_MAX) {
        dn_coap_reply_init(reply, DN_COAP_UNAVAILABLE);
        return DN_COAP_ANSWERED;
    }
    self->late[self->late_count].id = request->id;
    self->late[self->late_count++].at_ms = dn_clock_ms() + self->options->separate_ms;
    return DN_COAP_LATER;
}

static dn_coap_answered on_store(server *self, const dn_coap_incoming *request, dn_coap_reply *reply)
{
    switch (request->code) {
    case DN_COAP_GET:
        reply->payload = dunlin_slice_make(self->stored, self->stored_len);
        reply->content_format = self->stored_format;
        return DN_COAP_ANSWERED;
    case DN_COAP_DELETE:
        self->stored_len = 0;
        dn_coap_reply_init(reply, DN_COAP_DELETED);
        return DN_COAP_ANSWERED;
    default:
        self->stored_len = request->payload.len;
        self->stored_format = request->content_format;
        if (request->payload.len > 0) {
            memcpy(self->stored, request->payload.data, request->payload.len);
        }
        dn_coap_reply_init(reply, DN_COAP_CHANGED);
        return DN_COAP_ANSWERED;
    }
}

static dn_coap_answered on_echo(server *self, const dn_coap_incoming *request, dn_coap_reply *reply)
{
    (void)self;
    reply->code = request->code == DN_COAP_FETCH ? DN_COAP_CONTENT : DN_COAP_CHANGED;
    reply->content_format = request->content_format;
    reply->payload = request->payload;
    return DN_COAP_ANSWERED;
}

static dn_coap_answered on_count(server *self, const dn_coap_incoming *request, dn_coap_reply *reply)
{
    self->posts += request->code == DN_COAP_POST;
    int length = snprintf((char *)self->work, sizeof self->work, "%u", self->posts);
    reply->code = request->code == DN_COAP_POST ? DN_COAP_CHANGED : DN_COAP_CONTENT;
    reply->payload = dunlin_slice_make(self->work, (size_t)length);
    return DN_COAP_ANSWERED;
}

static dn_coap_answered get_query(server *self, const dn_coap_incoming *request, dn_coap_reply *reply)
{
    dn_coap_options walk = request->options;
    dunlin_slice query;
    dunlin_buf out = dunlin_buf_make(self->work, sizeof self->work);
    while (dn_coap_option_find(&walk, DN_OPTION_URI_QUERY, &query) == DUNLIN_OK) {
        (void)dunlin_buf_append(&out, query);
        (void)dunlin_buf_append(&out, dunlin_slice_of("\n"));
    }
    reply->payload = dunlin_buf_view(&out);
    return DN_COAP_ANSWERED;
}

static dn_coap_answered get_core(server *self, const dn_coap_incoming *request, dn_coap_reply *reply)
{
    (void)self;
    (void)request;
    reply->content_format = 40;
    reply->payload = dunlin_slice_of(
        "</small>,</large>;sz=10000,</file>,</got>,</obs>;obs,</obs-large>;obs,</separate>,</store>,</echo>,"
        "</count>,</query>");
    return DN_COAP_ANSWERED;
}

#define METHOD(code) (1u << (code))

static const struct {
    const char *path;
    unsigned methods;
    dn_coap_answered (*handle)(server *self, const dn_coap_incoming *request, dn_coap_reply *reply);
} resources[] = {
    {"small", METHOD(DN_COAP_GET), get_small},
    {"large", METHOD(DN_COAP_GET), get_large},
    {"file", METHOD(DN_COAP_GET) | METHOD(DN_COAP_PUT), on_file},
    {"got", METHOD(DN_COAP_GET), get_got},
    {"obs", METHOD(DN_COAP_GET), get_obs},
    {"obs-large", METHOD(DN_COAP_GET), get_obs_large},
    {"separate", METHOD(DN_COAP_GET), get_separate},
    {"store", METHOD(DN_COAP_GET) | METHOD(DN_COAP_PUT) | METHOD(DN_COAP_DELETE), on_store},
    {"echo", METHOD(DN_COAP_POST) | METHOD(DN_COAP_FETCH), on_echo},
    {"count", METHOD(DN_COAP_POST) | METHOD(DN_COAP_GET), on_count},
    {"query", METHOD(DN_COAP_GET), get_query},
    {".well-known/core", METHOD(DN_COAP_GET), get_core},
};

static void path_of(const dn_coap_incoming *request, dunlin_buf *out)
{
    dn_coap_options walk = request->options;
    dunlin_slice segment;
    while (dn_coap_option_find(&walk, DN_OPTION_URI_PATH, &segment) == DUNLIN_OK) {
        (void)(out->len > 0 && dunlin_buf_append(out, dunlin_slice_of("/")));
        (void)dunlin_buf_append(out, segment);
    }
}

static dn_coap_answered on_request(void *context, const dn_coap_incoming *request, dunlin_buf *body,
                                   dn_coap_reply *reply)
{
    server *self = context;
    uint8_t text[64];
    dunlin_buf path = dunlin_buf_make(text, sizeof text);
    (void)body;
    path_of(request, &path);
    for (size_t i = 0; i < sizeof resources / sizeof resources[0]; i++) {
        if (dunlin_slice_equal(dunlin_buf_view(&path), dunlin_slice_of(resources[i].path))) {
            if ((resources[i].methods & METHOD(request->code)) == 0) {
                dn_coap_reply_init(reply, DN_COAP_METHOD_NOT_ALLOWED);
                return DN_COAP_ANSWERED;
            }
            dn_coap_reply_init(reply, DN_COAP_CONTENT);
            reply->content_format = 0;
            return resources[i].handle(self, request, reply);
        }
    }
    dn_coap_reply_init(reply, DN_COAP_NOT_FOUND);
    return DN_COAP_ANSWERED;
}

static bool on_streams(void *context, const dn_coap_incoming *request)
{
    uint8_t text[64];
    dunlin_buf path = dunlin_buf_make(text, sizeof text);
    (void)context;
    path_of(request, &path);
    return request->code == DN_COAP_PUT &&
           dunlin_slice_equal(dunlin_buf_view(&path), dunlin_slice_of("file"));
}

static void on_piece(void *context, const dn_coap_incoming *request, uint64_t offset, bool more,
                     dunlin_buf *body, dn_coap_reply *reply)
{
    server *self = context;
    bool in_order = offset == 0 || offset == self->got;
    (void)body;
    (void)reply;
    self->got_text = probe_is_text(request->payload, offset) && in_order && (offset == 0 || self->got_text);
    self->got = offset + request->payload.len;
    self->got_whole = !more;
}

static void on_gone(void *context, const dn_peer *peer, const dn_coap_token *token)
{
    observer *known = find_observer(context, peer, token);
    if (known != NULL) {
        known->used = false;
    }
}

static void on_notified(void *context, uint64_t exchange, dunlin_status status,
                        const dn_coap_response *response)
{
    observer *of = context;
    (void)exchange;
    (void)response;
    if (status == DUNLIN_ERR_TIMEOUT) {
        of->used = false; /* RFC 7641 section 4.5: it does not answer any more */
    }
}

static void tick(server *self, uint64_t now_ms)
{
    self->counter++;
    self->next_tick_ms = now_ms + self->options->tick_ms;
    for (size_t i = 0; i < OBSERVERS_MAX; i++) {
        observer *to = &self->observers[i];
        if (to->used) {
            dn_coap_reply reply;
            dn_coap_reply_init(&reply, DN_COAP_CONTENT);
            reply.content_format = 0;
            reply.key = to->key;
            reply.observe = (int32_t)(++to->sequence & 0xffffffu);
            reply.payload =
                to->large ? numbered(self->work, OBS_LARGE_LEN, self->counter) : counter_text(self);
            (void)dn_coap_notify(self->socket.coap, &to->peer, &to->token, &reply, to->sequence % 5 == 0,
                                 on_notified, to, now_ms, NULL);
        }
    }
}

static void answer_late(server *self, uint64_t now_ms)
{
    dn_coap_reply reply;
    dn_coap_reply_init(&reply, DN_COAP_CONTENT);
    reply.content_format = 0;
    reply.payload = dunlin_slice_of("late");
    while (self->late_count > 0 && self->late[0].at_ms <= now_ms) {
        (void)dn_coap_answer(self->socket.coap, self->late[0].id, &reply, now_ms);
        memmove(self->late, self->late + 1, --self->late_count * sizeof self->late[0]);
    }
}

static void on_signal(void *context, unsigned events)
{
    server *self = context;
    (void)events;
    self->stop = dn_signals_take(self->signal_watch.fd) != 0 || self->stop;
}

static bool say_ready(const server *self)
{
    FILE *file = self->options->ready_file == NULL ? stdout : fopen(self->options->ready_file, "w");
    if (file == NULL) {
        perror(self->options->ready_file);
        return false;
    }
    (void)fprintf(file, "coap://%s\n", self->socket.udp.text);
    (void)fflush(file);
    return file == stdout || fclose(file) == 0;
}

static void run(server *self)
{
    while (!self->stop) {
        uint64_t now_ms = dn_clock_ms();
        if (now_ms >= self->next_tick_ms) {
            tick(self, now_ms);
        }
        answer_late(self, now_ms);
        dn_coap_socket_flush(&self->socket);
        uint64_t next_ms = dn_coap_socket_expire(&self->socket);
        next_ms = self->next_tick_ms < next_ms ? self->next_tick_ms : next_ms;
        if (self->late_count > 0 && self->late[0].at_ms < next_ms) {
            next_ms = self->late[0].at_ms;
        }
        if (dn_loop_turn(&self->loop, next_ms) == DUNLIN_ERR_IO) {
            return;
        }
    }
}

static dn_coap_config server_config(const probe_server_options *options)
{
    dn_coap_config config = dn_coap_config_default();
    config.exchanges = 256;
    config.dedup_slots = 1024;
    config.dedup_per_peer = 256;
    config.transfers = 16;
    config.max_body = PROBE_BODY_MAX;
    config.block_szx = options->szx;
    return config;
}

int probe_server(const probe_server_options *options)
{
    static const int signals[] = {SIGINT, SIGTERM};
    dn_coap_config config = server_config(options);
    server *self = calloc(1, sizeof *self);
    dn_coap_callbacks callbacks = {.request = on_request,
                                   .observer_gone = on_gone,
                                   .streams = on_streams,
                                   .piece = on_piece,
                                   .context = self};
    int exit_code = PROBE_SYSTEM;
    if (self == NULL) {
        return exit_code;
    }
    self->options = options;
    self->stored_format = DN_COAP_NO_FORMAT;
    self->signal_watch = (dn_loop_watch){dn_signals_open(signals, 2), on_signal, self};
    self->next_tick_ms = dn_clock_ms() + options->tick_ms;
    if (dn_loop_open(&self->loop, NULL, NULL) == DUNLIN_OK) {
        if (dn_loop_add(&self->loop, &self->signal_watch, DN_LOOP_READ) != DUNLIN_OK ||
            dn_coap_socket_open(&self->socket, &self->loop, options->listen, DN_UDP_LOCAL, 32, &config,
                                &callbacks, NULL) != DUNLIN_OK) {
            perror("coap_probe: listen");
        } else {
            if (say_ready(self)) {
                run(self);
                exit_code = PROBE_OK;
            }
            const dn_coap_counters *count = dn_coap_count(self->socket.coap);
            (void)printf(
                "{\"received\": %llu, \"malformed\": %llu, \"requests\": %llu, \"duplicates\": %llu}\n",
                (unsigned long long)count->received, (unsigned long long)count->malformed,
                (unsigned long long)count->requests, (unsigned long long)count->duplicates);
            dn_coap_socket_close(&self->socket);
        }
        dn_loop_close(&self->loop);
    }
    (void)close(self->signal_watch.fd);
    free(self);
    return exit_code;
}
