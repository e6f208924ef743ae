/* SPDX-License-Identifier: Apache-2.0 */
/* The bootstrap server of the tests, and what the client tells and keeps. */
#include "tests/client/sequence.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND      1000ull
#define BODY_MAX    8192
#define OPTIONS_MAX 8

static void must(bool so, const char *what)
{
    if (!so) {
        (void)fprintf(stderr, "sequence: %s\n", what);
        abort();
    }
}

static uint64_t now_s(const sequence *s)
{
    return dn_simlink_now(s->r.link) / SECOND;
}

/* ---- what the client tells ---- */

static void on_event(void *context, const dunlin_client_event *event)
{
    static const char letters[] = {
        [DUNLIN_CLIENT_REGISTERED] = 'R',   [DUNLIN_CLIENT_UPDATED] = 'U',
        [DUNLIN_CLIENT_REFUSED] = 'X',      [DUNLIN_CLIENT_UNREACHABLE] = 'N',
        [DUNLIN_CLIENT_FAILED] = 'F',       [DUNLIN_CLIENT_DEREGISTERED] = 'D',
        [DUNLIN_CLIENT_BOOTSTRAP] = 'B',    [DUNLIN_CLIENT_BOOTSTRAPPING] = 'b',
        [DUNLIN_CLIENT_BOOTSTRAPPED] = '+', [DUNLIN_CLIENT_BOOTSTRAP_FAILED] = '-',
        [DUNLIN_CLIENT_PURGED] = 'P',       [DUNLIN_CLIENT_CARD] = 'K',
        [DUNLIN_CLIENT_ENROLLED] = 'E',
    };
    sequence *s = context;
    const size_t len = strlen(s->log);
    char server[8] = "";
    if (event->kind >= sizeof letters || letters[event->kind] == 0) {
        return;
    }
    if (event->server != DUNLIN_BOOTSTRAP_SERVER) {
        (void)snprintf(server, sizeof server, "%u", event->server);
    }
    (void)snprintf(s->log + len, SEQUENCE_LOG_MAX - len, "%s%u%c%s", len > 0 ? " " : "", (unsigned)now_s(s),
                   letters[event->kind], server);
    if (event->kind == DUNLIN_CLIENT_BOOTSTRAP_FAILED) {
        s->retry_ms = event->retry_ms;
    }
}

/* For who looks for the reason of a failure. */
static void on_log(void *context, dunlin_log_level level, const char *area, const char *message)
{
    (void)level;
    if (getenv("SEQUENCE_LOG") != NULL) {
        (void)fprintf(stderr, "  %u %s: %s\n", (unsigned)now_s(context), area, message);
    }
}

static dunlin_status on_save(void *context, dunlin_slice image)
{
    sequence *s = context;
    s->saves++;
    must(image.len <= sizeof s->saved, "an image is too long");
    if (s->save_status == DUNLIN_OK) {
        memcpy(s->saved, image.data, image.len);
        s->saved_len = image.len;
    }
    return s->save_status;
}

static int64_t on_unix(void *context)
{
    const sequence *s = context;
    return s->unix_s < 0 ? -1 : s->unix_s + (int64_t)now_s(s);
}

static dunlin_status on_card(void *context, dunlin_buf *file)
{
    sequence *s = context;
    s->card_reads++;
    if (s->card_status != DUNLIN_OK) {
        return s->card_status;
    }
    if (s->card != NULL) {
        must(dunlin_buf_append(file, dunlin_slice_make(s->card, s->card_len)), "the card holds too much");
    }
    return s->card == NULL ? DUNLIN_ERR_NOT_FOUND : DUNLIN_OK;
}

/* ---- ways ---- */

/* "coaps://other:5684" and all its likes are the bootstrap server; the rest is the rig's own, or nobody. */
static dunlin_status on_connect(void *context, const dunlin_way *way, dunlin_peer *peer)
{
    sequence *s = context;
    const size_t len = strlen(s->asked);
    const bool stream = strcmp(way->uri, "coap+tcp://other") == 0;
    const dn_peer *at = stream                                 ? &s->stream
                        : strstr(way->uri, "//other") != NULL  ? &s->address
                        : strstr(way->uri, "//server") != NULL ? &s->r.server_address
                                                               : NULL;
    (void)snprintf(s->asked + len, SEQUENCE_LOG_MAX - len, "%s%uc%u %s%s", len > 0 ? " " : "",
                   (unsigned)now_s(s), way->server, way->uri, way->anew ? "!" : "");
    s->security = *way->security;
    if (at == NULL) {
        return DUNLIN_ERR_NOT_FOUND;
    }
    if (stream && !dn_coap_is_open(s->coap, &s->r.client_stream)) {
        must(dn_coap_open(s->coap, &s->r.client_stream, dn_simlink_now(s->r.link)) == DUNLIN_OK,
             "no stream is free");
    }
    peer->len = at->len;
    memcpy(peer->bytes, at->bytes, sizeof peer->bytes);
    return DUNLIN_OK;
}

static void on_disconnect(void *context, uint16_t server)
{
    sequence *s = context;
    const size_t len = strlen(s->asked);
    if (s->tcp && server == DUNLIN_BOOTSTRAP_SERVER) {
        dn_coap_close(s->coap, &s->r.client_stream);
    }
    (void)snprintf(s->asked + len, SEQUENCE_LOG_MAX - len, "%s%ud%u", len > 0 ? " " : "", (unsigned)now_s(s),
                   server);
}

/* ---- the bootstrap server ---- */

static void on_send(void *context, const dn_peer *peer, dunlin_slice datagram)
{
    sequence *s = context;
    const bool stream = dn_peer_equal(peer, &s->r.client_stream);
    dn_simlink_send(s->r.link, stream ? &s->stream : &s->address, peer, datagram);
}

static void on_stream_ended(void *context, const dn_peer *peer, dunlin_status status, dunlin_slice detail)
{
    (void)context, (void)peer, (void)status, (void)detail;
}

static void ask_next(sequence *s);

static void on_answer(void *context, uint64_t exchange, dunlin_status status,
                      const dn_coap_response *response)
{
    sequence *s = context;
    const size_t len = strlen(s->codes);
    (void)exchange;
    (void)snprintf(s->codes + len, SEQUENCE_LOG_MAX - len, "%s%s", len > 0 ? " " : "",
                   response == NULL ? dunlin_status_text(status) : rig_code(response->code));
    if (response == NULL) {
        return;
    }
    (void)snprintf(s->answer, sizeof s->answer, "%.*s", (int)response->payload.len,
                   response->payload.len == 0 ? "" : (const char *)response->payload.data);
    if (s->mute_after > 0 && --s->mute_after == 0) {
        s->mute = true;
    }
    if (!s->mute) {
        ask_next(s);
    }
}

static size_t path_options(dn_coap_option *options, const char *path)
{
    size_t count = 0;
    while (*path == '/' && path[1] != '\0') {
        const char *end = strchr(++path, '/');
        const size_t len = end == NULL ? strlen(path) : (size_t)(end - path);
        must(count < OPTIONS_MAX, "a path is too long");
        options[count++] = (dn_coap_option){DN_OPTION_URI_PATH, dunlin_slice_make(path, len)};
        path += len;
    }
    return count;
}

static void ask_next(sequence *s)
{
    dn_coap_option options[OPTIONS_MAX];
    dn_coap_outgoing outgoing;
    uint64_t exchange = 0;
    if (s->next >= s->step_count) {
        return;
    }
    const sequence_step *step = &s->steps[s->next++];
    dn_coap_outgoing_init(&outgoing, step->method);
    outgoing.confirmable = true;
    outgoing.options = options;
    outgoing.option_count = path_options(options, step->path);
    if (step->json != NULL) {
        outgoing.content_format = DN_FORMAT_SENML_JSON;
        outgoing.payload = dunlin_slice_of(step->json);
    }
    if (step->accept != 0) {
        outgoing.accept = (uint16_t)step->accept;
    }
    const dn_peer *to = s->tcp ? &s->r.client_stream : &s->r.client_address;
    const dunlin_status status =
        dn_coap_request(s->coap, to, &outgoing, on_answer, s, dn_simlink_now(s->r.link), &exchange);
    must(status == DUNLIN_OK, "the bootstrap server cannot ask");
}

void sequence_ask(sequence *s, const sequence_step *steps, size_t count)
{
    s->steps = steps;
    s->step_count = count;
    s->next = 0;
    ask_next(s);
}

static void join_query(sequence *s, dn_coap_options options)
{
    dunlin_slice part;
    s->query[0] = '\0';
    while (dn_coap_option_find(&options, DN_OPTION_URI_QUERY, &part) == DUNLIN_OK) {
        const size_t len = strlen(s->query);
        (void)snprintf(s->query + len, sizeof s->query - len, "%s%.*s", len > 0 ? "&" : "", (int)part.len,
                       (const char *)part.data);
    }
}

static dn_coap_answered on_request(void *context, const dn_coap_incoming *request, dunlin_buf *body,
                                   dn_coap_reply *reply)
{
    sequence *s = context;
    if (s->serve != NULL && s->serve(s->serve_context, request, body, reply)) {
        return reply->code == 0 ? DN_COAP_LATER : DN_COAP_ANSWERED;
    }
    if (s->requests < SEQUENCE_ASKED_MAX) {
        s->asked_s[s->requests] = now_s(s);
    }
    s->requests++;
    join_query(s, request->options);
    s->next = 0;
    reply->code = s->other_code != 0 && strstr(s->query, "pct=") != NULL ? s->other_code : s->request_code;
    return reply->code == 0 ? DN_COAP_LATER : DN_COAP_ANSWERED;
}

/* The operations begin once the answer to the request has left. */
static void on_receive(void *context, const dn_peer *from, dunlin_slice datagram, uint64_t now_ms)
{
    sequence *s = context;
    const unsigned before = s->requests;
    if (s->mute) {
        return;
    }
    dn_coap_receive(s->coap, from, datagram, now_ms);
    const bool taken =
        s->request_code == DN_COAP_CHANGED && (s->other_code == 0 || strstr(s->query, "pct=") == NULL);
    if (s->requests != before && taken) {
        ask_next(s);
    }
}

static uint64_t on_deadline(void *context)
{
    return dn_coap_deadline(((sequence *)context)->coap);
}

static void on_expire(void *context, uint64_t now_ms)
{
    dn_coap_expire(((sequence *)context)->coap, now_ms);
}

static void open_engine(sequence *s)
{
    const dn_coap_callbacks callbacks = {
        .send = on_send, .request = on_request, .stream_ended = on_stream_ended, .context = s};
    const dn_simlink_endpoint endpoint = {on_receive, on_deadline, on_expire, s};
    dn_coap_config config = dn_coap_config_default();
    config.max_body = BODY_MAX;
    config.response_timeout_ms = 500000;
    config.connections = 1;
    dn_seeded_init(&s->seed, 99);
    const dn_random random = dn_seeded_random(&s->seed);
    s->coap = dn_coap_create(s->arena, sizeof s->arena, &config, &callbacks, &random, NULL, 0);
    must(s->coap != NULL, "no engine");
    must(dn_simlink_attach(s->r.link, &endpoint, &s->address) == DUNLIN_OK, "no place on the link");
    rig_add_stream(&s->r);
    const dn_simlink_endpoint stream = {.receive = on_receive, .context = s};
    must(dn_simlink_attach(s->r.link, &stream, &s->stream) == DUNLIN_OK, "no place on the link");
    s->r.server_stream = s->stream; /* the other end of the client's one */
    s->r.other_address = s->address;
}

/* ---- the client ---- */

void sequence_open(sequence *s, dunlin_lwm2m lwm2m)
{
    memset(s, 0, sizeof *s);
    rig_open(&s->r, lwm2m, 3);
    open_engine(s);
    s->request_code = DN_COAP_CHANGED;
    s->unix_s = 1700000000;
    dunlin_client_config *config = &s->r.config;
    config->bootstrap = true;
    config->servers = 2;
    config->max_body = 4096;
    config->call.context = s; /* the rig's own callbacks get the rig, which is what `sequence` begins with */
    config->call.event = on_event;
    config->call.log = on_log;
    config->log_least = DUNLIN_LOG_DEBUG;
    config->call.save = on_save;
    config->call.unix_s = on_unix;
    config->call.smartcard = on_card;
    config->bootstrap_spread = 0; /* tries by the second */
    sequence_make(s, 0);
}

void sequence_make(sequence *s, int hold_off_s)
{
    if (s->ways) {
        s->r.config.call.connect = on_connect;
        s->r.config.call.disconnect = on_disconnect;
        s->r.config.credential_max = 64;
    }
    rig_remake(&s->r);
    memset(s->access, 0, sizeof s->access);
    must(dunlin_access_add(s->r.client, s->access, SEQUENCE_ACCESS, 0) == DUNLIN_OK, "no access control");
    if (hold_off_s < 0) {
        return;
    }
    dunlin_server server = dunlin_server_default();
    (void)snprintf(server.uri, sizeof server.uri, "%s",
                   s->tcp    ? "coap+tcp://other"
                   : s->ways ? "coaps://other"
                             : "coap://other");
    if (s->ways && !s->tcp) {
        server.security.mode = DUNLIN_PSK;
        server.security.identity = dunlin_slice_of("factory");
        server.security.secret = dunlin_slice_of("0123456789abcdef");
    }
    server.bootstrap = true;
    server.instance = 1;
    server.hold_off_s = (uint32_t)hold_off_s;
    must(dunlin_client_add_server(s->r.client, &server) == DUNLIN_OK, "the bootstrap server's account");
}

void sequence_add(sequence *s, const char *uri)
{
    dunlin_server server = dunlin_server_default();
    (void)snprintf(server.uri, sizeof server.uri, "%s", uri);
    server.policy.retry_count = 2;
    server.policy.retry_timer_s = 10;
    must(dunlin_client_add_server(s->r.client, &server) == DUNLIN_OK, "an account");
}

void sequence_start(sequence *s)
{
    dunlin_client_start(s->r.client, dn_simlink_now(s->r.link));
}

void sequence_run(sequence *s, uint64_t seconds)
{
    rig_run(&s->r, seconds * SECOND);
}

void sequence_close(sequence *s)
{
    rig_close(&s->r);
}

const char *sequence_value(sequence *s, const char *path)
{
    static char text[256];
    dunlin_path at;
    dunlin_value value;
    must(dunlin_path_parse(dunlin_slice_of(path), &at) == DUNLIN_OK, "a path");
    if (dunlin_client_get(s->r.client, at, &value) != DUNLIN_OK) {
        return "-";
    }
    dunlin_buf out = dunlin_buf_make(text, sizeof text - 1);
    must(dn_value_to_text(&value, &out) == DUNLIN_OK, "a value");
    text[out.len] = '\0';
    return text;
}
