/* SPDX-License-Identifier: Apache-2.0 */
/* The rig: callbacks that log, and the player of conversations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/sim/coap_rig.h"
#include <stdio.h>
#include <stdlib.h>

static void add_log(coap_rig *rig, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add_log(coap_rig *rig, const char *format, ...)
{
    va_list arguments;
    assert_true(rig->log_count < RIG_LOG);
    va_start(arguments, format);
    (void)vsnprintf(rig->log[rig->log_count++], RIG_LINE, format, arguments);
    va_end(arguments);
}

/* What "#L" and "@L" stand for: of a message that was sent. */
static void note_last(coap_rig *rig, size_t at)
{
    const uint8_t *bytes = rig->sent[at].bytes;
    unsigned nibble = bytes[0] >> 4;
    size_t head = !rig->sent[at].framed ? 4 : nibble < 13 ? 2 : 2 + ((size_t)1 << (nibble - 13));
    rig->last_mid = rig->sent[at].framed ? 0 : (uint16_t)(bytes[2] << 8 | bytes[3]);
    rig->last_token_len = bytes[0] & 15u;
    memcpy(rig->last_token, bytes + head, rig->last_token_len);
}

/* The line for a message that was sent. */
static void describe_sent(const coap_rig *rig, size_t at, char out[COAP_TEXT_MAX])
{
    dunlin_slice bytes = dunlin_slice_make(rig->sent[at].bytes, rig->sent[at].len);
    (rig->sent[at].framed ? coap_text_write_framed : coap_text_write)(bytes, out);
}

static void on_send(void *context, const dn_peer *peer, dunlin_slice datagram)
{
    coap_rig *rig = context;
    assert_true(rig->sent_count < RIG_QUEUE);
    bool framed = dn_coap_is_open(rig->coap, peer);
    assert_true(datagram.len <= sizeof rig->sent[0].bytes && datagram.len >= (framed ? 2 : 4));
    rig->sent[rig->sent_count].len = datagram.len;
    rig->sent[rig->sent_count].to = peer->bytes[0];
    rig->sent[rig->sent_count].framed = framed;
    memcpy(rig->sent[rig->sent_count].bytes, datagram.data, datagram.len);
    note_last(rig, rig->sent_count++);
}

static const char *method_name(uint8_t code)
{
    static const char *const names[] = {"?", "GET", "POST", "PUT", "DELETE", "FETCH", "PATCH", "iPATCH"};
    return code < 8 ? names[code] : "?";
}

static void path_of(dn_coap_options walk, char *out, size_t cap)
{
    dunlin_slice segment;
    size_t used = 0;
    out[0] = '\0';
    while (dn_coap_option_find(&walk, DN_OPTION_URI_PATH, &segment) == DUNLIN_OK) {
        int written = snprintf(out + used, cap - used, "%s%.*s", used == 0 ? "" : "/", (int)segment.len,
                               (const char *)segment.data);
        used += written > 0 ? (size_t)written : 0;
        assert_true(used < cap);
    }
}

static bool is_pattern_at(dunlin_slice bytes, uint64_t offset)
{
    for (size_t i = 0; i < bytes.len; i++) {
        if (bytes.data[i] != sim_pattern((size_t)offset + i)) {
            return false;
        }
    }
    return true;
}

static bool is_pattern(dunlin_slice bytes)
{
    return is_pattern_at(bytes, 0);
}

static void describe_payload(dunlin_slice payload, char out[64])
{
    if (payload.len >= 16 && is_pattern(payload)) {
        (void)snprintf(out, 64, " ~%zu", payload.len);
    } else if (payload.len > 40) {
        (void)snprintf(out, 64, " %zu other bytes", payload.len);
    } else {
        (void)snprintf(out, 64, "%s%.*s", payload.len > 0 ? " " : "", (int)payload.len,
                       (const char *)payload.data);
    }
}

static void reply_big(coap_rig *rig, const char *path, dunlin_buf *body, dn_coap_reply *reply)
{
    size_t len = strtoul(path + 4, NULL, 10);
    assert_true(len <= body->cap);
    sim_pattern_fill(body->data, len);
    if (rig->change_after > 0 && --rig->change_after == 0) {
        body->data[0] ^= 0xff;
    }
    body->len = len;
    reply->payload = dunlin_buf_view(body);
}

static bool on_read(void *context, uint64_t offset, void *out, size_t len)
{
    coap_rig *rig = context;
    assert_true(len > 0 && offset + len <= rig->source.size);
    rig->reads++;
    for (size_t i = 0; i < len; i++) {
        ((uint8_t *)out)[i] = sim_pattern((size_t)offset + i);
    }
    return offset + len <= rig->unreadable;
}

const dn_coap_source *rig_source(coap_rig *rig, uint64_t size)
{
    rig->source.size = size;
    return &rig->source;
}

/* "@OFFSET more ~LENGTH" */
static void describe_piece(dunlin_slice bytes, uint64_t offset, bool more, char out[64])
{
    (void)snprintf(out, 64, "@%llu%s %s%zu", (unsigned long long)offset, more ? " more" : "",
                   is_pattern_at(bytes, offset) ? "~" : "other ", bytes.len);
}

static bool on_take(void *context, const dn_coap_response *head, uint64_t offset, uint64_t size, bool more)
{
    coap_rig *rig = context;
    char piece[64], of[32] = "";
    describe_piece(head->payload, offset, more, piece);
    if (size > 0) {
        (void)snprintf(of, sizeof of, " of %llu", (unsigned long long)size);
    }
    assert_int_equal(head->code, DN_COAP_CONTENT);
    add_log(rig, "take %s%s", piece, of);
    if (rig->in_take != NULL) {
        rig->in_take(rig);
    }
    return rig->stop_after == 0 || --rig->stop_after > 0;
}

static bool on_streams(void *context, const dn_coap_incoming *request)
{
    coap_rig *rig = context;
    char path[64];
    path_of(request->options, path, sizeof path);
    if (strncmp(path, "pipe", 4) != 0) {
        return false;
    }
    add_log(rig, "streams %s %s", method_name(request->code), path);
    if (rig->in_request != NULL) {
        rig->in_request(rig);
    }
    return true;
}

static void on_piece(void *context, const dn_coap_incoming *request, uint64_t offset, bool more,
                     dunlin_buf *body, dn_coap_reply *reply)
{
    coap_rig *rig = context;
    char piece[64];
    assert_int_equal(body->cap, rig->config.max_body);
    describe_piece(request->payload, offset, more, piece);
    add_log(rig, "piece %s", piece);
    rig->last_key = request->key;
    if (rig->piece_code != 0) {
        reply->code = rig->piece_code;
    }
    if (rig->in_piece != NULL) {
        rig->in_piece(rig);
    }
}

static void on_lost(void *context, const dn_peer *peer, uint64_t key)
{
    coap_rig *rig = context;
    add_log(rig, "lost by %u%s", peer->bytes[0], key == rig->last_key ? "" : " another");
}

static dn_coap_answered on_request(void *context, const dn_coap_incoming *request, dunlin_buf *body,
                                   dn_coap_reply *reply)
{
    static const uint8_t etag[] = {0xe1};
    static const dn_coap_option with_etag = {DN_OPTION_ETAG, {etag, 1}};
    static const uint8_t filler[1200];
    static const dn_coap_option too_long = {2048, {filler, sizeof filler}};
    coap_rig *rig = context;
    char path[64], payload[64], observe[32] = "";
    rig->last_key = request->key;
    rig->last_payload = request->payload;
    path_of(request->options, path, sizeof path);
    describe_payload(request->payload, payload);
    if (request->observe != DN_COAP_NO_OBSERVE) {
        (void)snprintf(observe, sizeof observe, " observe=%d", request->observe);
    }
    add_log(rig, "request %s %s%s%s", method_name(request->code), path, observe, payload);
    reply->code = DN_COAP_CONTENT;
    reply->content_format = 0;
    reply->payload = dunlin_slice_of("hello");
    if (strncmp(path, "big/", 4) == 0 && rig->big_from_source) {
        reply->source = rig_source(rig, strtoul(path + 4, NULL, 10));
    } else if (strncmp(path, "big/", 4) == 0) {
        reply_big(rig, path, body, reply);
    } else if (strncmp(path, "source/", 7) == 0) {
        reply->source = rig_source(rig, strtoul(path + 7, NULL, 10));
        reply->payload = dunlin_slice_make(NULL, 0);
        rig->source_option = (dn_coap_option){DN_OPTION_ETAG, {&rig->source_etag, 1}};
        reply->options = &rig->source_option;
        reply->option_count = 1;
    } else if (strcmp(path, "echo") == 0) {
        reply->code = DN_COAP_CHANGED;
        reply->payload = request->payload;
    } else if (strcmp(path, "later") == 0) {
        assert_true(rig->later_count < RIG_LATER);
        rig->later[rig->later_count++] = request->id;
    } else if (strcmp(path, "count") == 0) {
        reply->code = DN_COAP_CHANGED;
        reply->content_format = DN_COAP_NO_FORMAT;
        reply->payload = dunlin_slice_make(NULL, 0);
        rig->counted++;
    } else if (strcmp(path, "observe") == 0) {
        reply->observe = 1;
    } else if (strcmp(path, "watch") == 0) {
        reply->observe = 1;
        reply->payload = dunlin_slice_make(rig->body, 40);
    } else if (strcmp(path, "etag") == 0) {
        reply->options = &with_etag;
        reply->option_count = 1;
    } else if (strcmp(path, "fail") == 0) {
        dn_coap_reply_init(reply, DN_COAP_INTERNAL_ERROR);
    } else if (strcmp(path, "long") == 0) {
        reply->options = &too_long;
        reply->option_count = 1;
    }
    if (rig->in_request != NULL) {
        rig->in_request(rig);
    }
    return strcmp(path, "later") == 0 ? DN_COAP_LATER : DN_COAP_ANSWERED;
}

static void describe_response(const dn_coap_response *response, char *out, size_t cap)
{
    char payload[64], observe[32] = "", format[32] = "";
    describe_payload(response->payload, payload);
    if (response->observe != DN_COAP_NO_OBSERVE) {
        (void)snprintf(observe, sizeof observe, " observe=%d", response->observe);
    }
    if (response->content_format != DN_COAP_NO_FORMAT) {
        (void)snprintf(format, sizeof format, " cf=%u", response->content_format);
    }
    (void)snprintf(out, cap, "%u.%02u%s%s%s%s", response->code >> 5, response->code & 31u, format, observe,
                   response->more ? " more" : "", payload);
}

static bool on_notification(void *context, const dn_peer *peer, const dn_coap_response *notification)
{
    coap_rig *rig = context;
    char text[160];
    (void)peer;
    describe_response(notification, text, sizeof text);
    add_log(rig, "notification %s", text);
    return !rig->refuse_notifications;
}

static void on_observer_gone(void *context, const dn_peer *peer, const dn_coap_token *token)
{
    (void)peer;
    add_log(context, "gone %02x len=%u", token->bytes[0], token->len);
}

static void on_result(void *context, uint64_t exchange, dunlin_status status,
                      const dn_coap_response *response)
{
    coap_rig *rig = context;
    char text[160];
    (void)exchange;
    assert_true(response == NULL || status == DUNLIN_OK);
    if (response != NULL) {
        describe_response(response, text, sizeof text);
        add_log(rig, "result %s", text);
    } else {
        add_log(rig, "result %d", (int)status);
    }
    if (rig->in_result != NULL) {
        rig->in_result(rig);
    }
}

static void on_stream_ended(void *context, const dn_peer *peer, dunlin_status status, dunlin_slice detail)
{
    coap_rig *rig = context;
    char of[8] = "";
    if (peer->bytes[0] != 1) {
        (void)snprintf(of, sizeof of, " of %u", peer->bytes[0]);
    }
    add_log(rig, "ended%s %d %.*s", of, (int)status, (int)detail.len, (const char *)detail.data);
}

coap_rig *rig_open(const dn_coap_config *config)
{
    coap_rig *rig = calloc(1, sizeof *rig);
    const dn_coap_callbacks callbacks = {.send = on_send,
                                         .request = on_request,
                                         .notification = on_notification,
                                         .observer_gone = on_observer_gone,
                                         .streams = on_streams,
                                         .piece = on_piece,
                                         .piece_lost = on_lost,
                                         .stream_ended = on_stream_ended,
                                         .context = rig};
    assert_non_null(rig);
    rig->config = config != NULL ? *config : dn_coap_config_default();
    if (config == NULL) {
        rig->config.max_body = 8192;
    }
    for (uint8_t i = 0; i < 3; i++) {
        rig->peer[i] = (dn_peer){.len = 1, .bytes = {i}};
    }
    dn_seeded_init(&rig->seeded, 42);
    dn_random random = dn_seeded_random(&rig->seeded);
    size_t size = dn_coap_arena_size(&rig->config);
    assert_true(size > 0);
    rig->arena = malloc(size);
    assert_non_null(rig->arena);
    rig->now_ms = 1000;
    rig->coap = dn_coap_create(rig->arena, size, &rig->config, &callbacks, &random, NULL, rig->now_ms);
    assert_non_null(rig->coap);
    sim_pattern_fill(rig->body, sizeof rig->body);
    rig->source = (dn_coap_source){0, on_read, rig};
    rig->sink = (dn_coap_sink){on_take, rig};
    rig->unreadable = UINT64_MAX;
    rig->source_etag = 0xe1;
    return rig;
}

void rig_close(coap_rig *rig)
{
    free(rig->arena);
    free(rig);
}

void rig_pass(coap_rig *rig, uint64_t ms)
{
    uint64_t until_ms = rig->now_ms + ms;
    uint64_t next_ms;
    while ((next_ms = dn_coap_deadline(rig->coap)) <= until_ms) {
        rig->now_ms = next_ms > rig->now_ms ? next_ms : rig->now_ms;
        dn_coap_expire(rig->coap, rig->now_ms);
    }
    rig->now_ms = until_ms;
}

static void feed(coap_rig *rig, const char *text, int from)
{
    uint8_t bytes[20480];
    size_t len = coap_text_read(text, rig->last_mid, dunlin_slice_make(rig->last_token, rig->last_token_len),
                                bytes, sizeof bytes);
    /* Exactly as long as it is, so that a sanitizer sees a read past its end. */
    uint8_t *exact = malloc(len > 0 ? len : 1);
    assert_non_null(exact);
    memcpy(exact, bytes, len);
    dn_coap_receive(rig->coap, &rig->peer[from], dunlin_slice_make(exact, len), rig->now_ms);
    free(exact);
}

static void expect_sent(coap_rig *rig, const char *text, int to)
{
    char actual[COAP_TEXT_MAX] = "nothing";
    bool same = false;
    if (rig->sent_read < rig->sent_count) {
        size_t at = rig->sent_read++;
        describe_sent(rig, at, actual);
        same = coap_text_matches(text, actual) && rig->sent[at].to == to;
        note_last(rig, at);
    }
    if (!same) {
        fail_msg("at %llu ms expected > %s\n                    sent > %s", (unsigned long long)rig->now_ms,
                 text, actual);
    }
}

static void expect_log(coap_rig *rig, const char *text)
{
    const char *actual = rig->log_read < rig->log_count ? rig->log[rig->log_read++] : "";
    if (strcmp(text, actual) != 0) {
        fail_msg("at %llu ms expected = %s\n                  logged = %s", (unsigned long long)rig->now_ms,
                 text, actual);
    }
}

static void expect_silence(coap_rig *rig)
{
    char actual[COAP_TEXT_MAX];
    if (rig->sent_read < rig->sent_count) {
        describe_sent(rig, rig->sent_read, actual);
        fail_msg("at %llu ms expected silence\n                    sent > %s",
                 (unsigned long long)rig->now_ms, actual);
    }
    rig->sent_count = rig->sent_read = 0;
}

void rig_play(coap_rig *rig, ...)
{
    va_list lines;
    const char *line;
    va_start(lines, rig);
    while ((line = va_arg(lines, const char *)) != NULL) {
        int peer = line[0] != '\0' && line[1] == '2' ? 2 : 1;
        const char *rest = line + (peer == 2 && line[0] != '+' ? 2 : 1);
        rest += strspn(rest, " ");
        switch (line[0]) {
        case '<':
            feed(rig, rest, peer);
            break;
        case '>':
            expect_sent(rig, rest, peer);
            break;
        case '.':
            expect_silence(rig);
            break;
        case '+':
            rig_pass(rig, strtoul(line + 1, NULL, 10));
            break;
        case '=':
            expect_log(rig, rest);
            break;
        default:
            fail_msg("not a step: %s", line);
        }
    }
    va_end(lines);
    if (rig->log_read == rig->log_count) {
        rig->log_read = rig->log_count = 0;
    }
    if (rig->sent_read == rig->sent_count) {
        rig->sent_read = rig->sent_count = 0;
    }
}

void rig_connect(coap_rig *rig, const char *csm)
{
    char line[64];
    (void)snprintf(line, sizeof line, "< TCP 7.01 @ %s", csm);
    assert_int_equal(dn_coap_open(rig->coap, &rig->peer[1], rig->now_ms), DUNLIN_OK);
    rig->sent_read = rig->sent_count;
    rig_play(rig, line, NULL);
}

dunlin_status rig_request_with(coap_rig *rig, dn_coap_outgoing *request, const char *path)
{
    char words[64];
    char *save = NULL;
    dn_coap_option options[8];
    size_t count = 0;
    (void)snprintf(words, sizeof words, "%s", path);
    for (char *word = strtok_r(words, "/", &save); word != NULL; word = strtok_r(NULL, "/", &save)) {
        assert_true(count < 8);
        options[count++] = (dn_coap_option){DN_OPTION_URI_PATH, dunlin_slice_of(word)};
    }
    request->options = options;
    request->option_count = count;
    return dn_coap_request(rig->coap, &rig->peer[1], request, on_result, rig, rig->now_ms,
                           &rig->last_exchange);
}

dunlin_status rig_request(coap_rig *rig, uint8_t code, const char *path, size_t len)
{
    dn_coap_outgoing request;
    dn_coap_outgoing_init(&request, code);
    request.payload = dunlin_slice_make(len > 0 ? rig->body : NULL, len);
    return rig_request_with(rig, &request, path);
}

dunlin_status rig_answer(coap_rig *rig, uint8_t code, size_t len)
{
    dn_coap_reply reply;
    assert_true(rig->later_count > 0);
    uint64_t id = rig->later[0];
    memmove(rig->later, rig->later + 1, --rig->later_count * sizeof rig->later[0]);
    dn_coap_reply_init(&reply, code);
    reply.payload = dunlin_slice_make(rig->body, len);
    return dn_coap_answer(rig->coap, id, &reply, rig->now_ms);
}

dunlin_status rig_notify(coap_rig *rig, const char *token, bool confirmable, int32_t sequence, size_t len,
                         bool with_result)
{
    dn_coap_reply reply;
    dn_coap_token name = {(uint8_t)strlen(token), {0}};
    memcpy(name.bytes, token, name.len);
    dn_coap_reply_init(&reply, DN_COAP_CONTENT);
    reply.observe = sequence;
    reply.payload = dunlin_slice_make(rig->body, len);
    return dn_coap_notify(rig->coap, &rig->peer[1], &name, &reply, confirmable,
                          with_result ? on_result : NULL, rig, rig->now_ms, &rig->last_exchange);
}
