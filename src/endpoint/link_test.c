/* SPDX-License-Identifier: Apache-2.0 */
/* The states of a link, with sessions that do what a letter says: what they do for real is in link_tls_test.c. */
#include "endpoint/link.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- sessions: 'h' opens, 'd' + bytes is data, 'p' the same in two pieces, 'a' + byte an alert, 'c' goodbye, 't' gives a ticket ---- */

struct dn_tls_context {
    int owners, opened;
    dunlin_status send; /* what dn_tls_send gives; not OK: the session has ended */
    char resumed[8];    /* what the last one was opened with */
    bool no_memory;
};

struct dn_tls_session {
    dn_tls_context *context;
    dn_tls_callbacks call;
    dn_tls_state state;
    dn_tls_ending ending;
    char ticket[8];
    uint64_t deadline_ms;
    bool is_resumed;
};

dn_tls_context *dn_tls_context_keep(dn_tls_context *context)
{
    context->owners++;
    return context;
}

void dn_tls_context_give_up(dn_tls_context *context)
{
    if (context != NULL) {
        context->owners--;
    }
}

dn_tls_session *dn_tls_open(dn_tls_context *context, const dn_tls_opening *opening, uint64_t now_ms)
{
    if (context->no_memory) {
        return NULL;
    }
    dn_tls_session *s = calloc(1, sizeof *s);
    s->context = dn_tls_context_keep(context);
    s->call = opening->call;
    s->deadline_ms = now_ms + 1000;
    s->is_resumed = opening->resume.len > 0;
    memset(context->resumed, 0, sizeof context->resumed);
    memcpy(context->resumed, opening->resume.data, opening->resume.len);
    context->opened++;
    s->call.output(s->call.context, dunlin_slice_of(opening->datagram ? "hello" : "stream hello"));
    return s;
}

void dn_tls_free(dn_tls_session *s)
{
    if (s != NULL) {
        dn_tls_context_give_up(s->context);
        free(s);
    }
}

static void end(dn_tls_session *s, dunlin_status status, int alert)
{
    s->state = DN_TLS_ENDED;
    s->ending = (dn_tls_ending){.status = status, .alert = alert, .received = true};
    (void)snprintf(s->ending.why, sizeof s->ending.why, "ended with %d", alert);
}

void dn_tls_receive(dn_tls_session *s, dunlin_slice bytes, uint64_t now_ms)
{
    (void)now_ms;
    const dunlin_slice rest = dunlin_slice_make(bytes.data + 1, bytes.len - 1);
    switch (bytes.data[0]) {
    case 'h':
        s->state = DN_TLS_OPEN;
        memcpy(s->ticket, "id", 3);
        if (rest.len > 0) {
            s->call.input(s->call.context, rest);
        }
        break;
    case 'd':
        s->call.input(s->call.context, rest);
        break;
    case 'p':
        s->call.input(s->call.context, dunlin_slice_make(rest.data, rest.len / 2));
        s->call.input(s->call.context, dunlin_slice_make(rest.data + rest.len / 2, rest.len - rest.len / 2));
        break;
    case 'a':
        end(s, DUNLIN_ERR_REJECTED, rest.data[0]);
        break;
    case 'b': /* data, and a goodbye right behind it */
        s->call.input(s->call.context, rest);
        end(s, DUNLIN_END, 0);
        break;
    case 'c':
        end(s, DUNLIN_END, 0);
        break;
    default:
        memcpy(s->ticket, "late", 5);
    }
}

dunlin_status dn_tls_send(dn_tls_session *s, dunlin_slice plain, uint64_t now_ms)
{
    (void)now_ms;
    if (s->context->send != DUNLIN_OK) {
        end(s, DUNLIN_ERR_IO, DN_TLS_NO_ALERT);
        return s->context->send;
    }
    s->call.output(s->call.context, plain);
    return DUNLIN_OK;
}

void dn_tls_close(dn_tls_session *s, uint64_t now_ms)
{
    (void)now_ms;
    s->call.output(s->call.context, dunlin_slice_of("goodbye"));
    s->state = DN_TLS_ENDED;
}

void dn_tls_expire(dn_tls_session *s, uint64_t now_ms)
{
    if (now_ms >= s->deadline_ms && s->state == DN_TLS_HANDSHAKE) {
        end(s, DUNLIN_ERR_TIMEOUT, DN_TLS_NO_ALERT);
    }
}

uint64_t dn_tls_deadline(const dn_tls_session *s)
{
    return s->state == DN_TLS_HANDSHAKE ? s->deadline_ms : UINT64_MAX;
}

dn_tls_state dn_tls_state_of(const dn_tls_session *s)
{
    return s->state;
}

bool dn_tls_is_resumed(const dn_tls_session *s)
{
    return s->is_resumed;
}

const char *dn_tls_suite(const dn_tls_session *s)
{
    return s->state == DN_TLS_OPEN ? "SUITE" : "";
}

const dn_tls_ending *dn_tls_ending_of(const dn_tls_session *s)
{
    return &s->ending;
}

size_t dn_tls_resumption(dn_tls_session *s, uint8_t *out, size_t size)
{
    assert_true(size >= sizeof s->ticket);
    memcpy(out, s->ticket, sizeof s->ticket);
    return strlen(s->ticket);
}

/* ---- who uses the link ---- */

typedef struct {
    dn_link *link;
    dn_tls_context tls;
    char log[512]; /* what happened, in order */
    bool close_on_message, reopen_on_down, answer;
} fixture;

static void note(fixture *f, const char *text)
{
    const size_t used = strlen(f->log);
    (void)snprintf(f->log + used, sizeof f->log - used, "%s%s", used == 0 ? "" : "|", text);
}

static void expect(fixture *f, const char *log)
{
    assert_string_equal(f->log, log);
    f->log[0] = '\0';
}

static void on_output(void *context, const dn_peer *peer, dunlin_slice bytes)
{
    char text[64];
    assert_int_equal(peer->len, 7);
    (void)snprintf(text, sizeof text, ">%.*s", (int)bytes.len, (const char *)bytes.data);
    note(context, text);
}

static void on_message(void *context, const dn_peer *peer, dunlin_slice message)
{
    fixture *f = context;
    char text[64];
    assert_int_equal(peer->len, 7);
    (void)snprintf(text, sizeof text, "<%.*s", (int)message.len, (const char *)message.data);
    note(f, text);
    if (f->answer) {
        assert_int_equal(dn_link_send(f->link, dunlin_slice_of("answer"), 0), DUNLIN_OK);
    }
    if (f->close_on_message) {
        dn_link_close(f->link, 0);
    }
}

static void on_up(void *context)
{
    note(context, "up");
}

static dn_peer peer_of(dn_transport transport)
{
    dn_peer peer = {.len = 7, .bytes = {1, 2, 3, 4, 5, 6, 7}};
    dn_peer_set_transport(&peer, transport);
    return peer;
}

static void on_down(void *context, dunlin_status status, int alert, const char *why)
{
    fixture *f = context;
    char text[96];
    (void)snprintf(text, sizeof text, "down %d %d %s", (int)status, alert, why);
    note(f, text);
    assert_int_equal(dn_link_state_of(f->link), DN_LINK_CLOSED);
    if (f->reopen_on_down) {
        const dn_peer peer = peer_of(DN_TRANSPORT_DTLS);
        assert_int_equal(dn_link_open(f->link, &peer, &f->tls, 0), DUNLIN_OK);
    }
}

static int set_up(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    const dn_link_config config = {.call = {on_output, on_message, on_up, on_down, f},
                                   .max_stream_message = 64};
    f->tls.owners = 1;
    f->link = dn_link_create(&config);
    *state = f;
    return f->link == NULL;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    dn_link_destroy(f->link);
    const int left = f->tls.owners;
    free(f);
    return left == 1 ? 0 : 1;
}

static void receive(fixture *f, const char *text)
{
    dn_link_receive(f->link, dunlin_slice_of(text), 5);
}

static void open_link(fixture *f, dn_transport transport)
{
    const dn_peer peer = peer_of(transport);
    assert_int_equal(dn_link_open(f->link, &peer, &f->tls, 0), DUNLIN_OK);
}

static void test_udp(void **state)
{
    fixture *f = *state;
    const dn_peer peer = peer_of(DN_TRANSPORT_UDP);
    receive(f, "before");
    assert_int_equal(dn_link_send(f->link, dunlin_slice_of("x"), 0), DUNLIN_ERR_STATE);
    assert_int_equal(dn_link_open(f->link, &peer, NULL, 0), DUNLIN_OK);
    assert_int_equal(dn_link_state_of(f->link), DN_LINK_UP);
    assert_int_equal(dn_link_open(f->link, &peer, NULL, 0), DUNLIN_ERR_STATE);
    assert_int_equal(dn_link_send(f->link, dunlin_slice_of("x"), 0), DUNLIN_OK);
    receive(f, "y");
    assert_true(dn_link_deadline(f->link) == UINT64_MAX);
    assert_string_equal(dn_link_suite(f->link), "");
    dn_link_close(f->link, 0);
    receive(f, "after");
    expect(f, ">x|<y");
}

static void test_dtls(void **state)
{
    fixture *f = *state;
    const dn_peer peer = peer_of(DN_TRANSPORT_DTLS);
    assert_int_equal(dn_link_open(f->link, &peer, NULL, 0), DUNLIN_ERR_ARGUMENT);
    open_link(f, DN_TRANSPORT_DTLS);
    assert_int_equal(dn_link_state_of(f->link), DN_LINK_HANDSHAKE);
    assert_int_equal(dn_link_send(f->link, dunlin_slice_of("x"), 0), DUNLIN_ERR_STATE);
    assert_int_equal(dn_link_deadline(f->link), 1000);
    receive(f, "hfirst"); /* comes with the end of the handshake: told behind it */
    assert_int_equal(dn_link_state_of(f->link), DN_LINK_UP);
    assert_string_equal(dn_link_suite(f->link), "SUITE");
    assert_int_equal(dn_link_handshake_ms(f->link), 5);
    assert_false(dn_link_is_resumed(f->link));
    f->answer = true;
    receive(f, "pabcd");
    expect(f, ">hello|up|<first|<ab|>answer|<cd|>answer");
    dn_link_close(f->link, 0);
    expect(f, ">goodbye");
}

/* What resumes outlives openings, and dies with what makes it doubtful. */
static void test_resumption(void **state)
{
    fixture *f = *state;
    static const struct {
        const char *what; /* comes while it is up; NULL: closed by us */
        const char *then; /* what the next one is opened with */
    } rows[] = {{NULL, "id"}, {"c", "id"}, {"a\x28", ""}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        open_link(f, DN_TRANSPORT_DTLS);
        receive(f, "h");
        if (rows[i].what == NULL) {
            dn_link_close(f->link, 0);
        } else {
            receive(f, rows[i].what);
        }
        open_link(f, DN_TRANSPORT_DTLS);
        assert_string_equal(f->tls.resumed, rows[i].then);
        receive(f, "h");
        assert_int_equal(dn_link_is_resumed(f->link), rows[i].then[0] != '\0');
        dn_link_close(f->link, 0);
    }
    open_link(f, DN_TRANSPORT_DTLS);
    receive(f, "h");
    receive(f, "t");
    dn_link_lost(f->link, DUNLIN_ERR_IO); /* with a ticket that came late */
    open_link(f, DN_TRANSPORT_DTLS);
    assert_string_equal(f->tls.resumed, "late");
    dn_link_expire(f->link, 1000); /* silence says nothing against it */
    open_link(f, DN_TRANSPORT_DTLS);
    assert_string_equal(f->tls.resumed, "late");
    receive(f, "a\x33"); /* a handshake that fails does */
    open_link(f, DN_TRANSPORT_DTLS);
    assert_string_equal(f->tls.resumed, "");
    receive(f, "h");
    dn_link_close(f->link, 0);
    open_link(f, DN_TRANSPORT_TLS); /* a session of DTLS is none of TLS */
    dn_link_connected(f->link, 0);
    assert_string_equal(f->tls.resumed, "");
    receive(f, "h");
    dn_link_close(f->link, 0);
    dn_link_forget(f->link);
    open_link(f, DN_TRANSPORT_TLS);
    dn_link_connected(f->link, 0);
    assert_string_equal(f->tls.resumed, "");
}

static void test_ends(void **state)
{
    fixture *f = *state;
    open_link(f, DN_TRANSPORT_DTLS);
    receive(f, "a\x73");
    expect(f, ">hello|down -43 115 ended with 115");
    open_link(f, DN_TRANSPORT_DTLS);
    dn_link_expire(f->link, 999);
    dn_link_expire(f->link, 1000);
    expect(f, ">hello|down -23 -1 ended with -1");
    open_link(f, DN_TRANSPORT_DTLS);
    receive(f, "h");
    receive(f, "blast words");
    expect(f, ">hello|up|<last words|down 1 0 ended with 0");
    f->tls.no_memory = true;
    const dn_peer peer = peer_of(DN_TRANSPORT_DTLS);
    assert_int_equal(dn_link_open(f->link, &peer, &f->tls, 0), DUNLIN_ERR_MEMORY);
    assert_int_equal(dn_link_state_of(f->link), DN_LINK_CLOSED);
    expect(f, "");
}

/* It is told, but not from within the call that found out. */
static void test_sending_fails(void **state)
{
    fixture *f = *state;
    open_link(f, DN_TRANSPORT_DTLS);
    receive(f, "h");
    f->tls.send = DUNLIN_ERR_IO;
    assert_int_equal(dn_link_send(f->link, dunlin_slice_of("x"), 0), DUNLIN_ERR_IO);
    expect(f, ">hello|up");
    assert_int_equal(dn_link_deadline(f->link), 0);
    dn_link_expire(f->link, 0);
    expect(f, "down -60 -1 ended with -1");
}

static void test_closing_from_within(void **state)
{
    fixture *f = *state;
    f->close_on_message = true;
    open_link(f, DN_TRANSPORT_DTLS);
    receive(f, "h");
    receive(f, "pabcd");
    expect(f, ">hello|up|<ab|>goodbye");
    f->close_on_message = false;
    f->reopen_on_down = true;
    open_link(f, DN_TRANSPORT_DTLS);
    receive(f, "c");
    expect(f, ">hello|down 1 0 ended with 0|>hello");
    assert_int_equal(dn_link_state_of(f->link), DN_LINK_HANDSHAKE);
    f->reopen_on_down = false;
}

/* Messages of RFC 8323: length and token length, code, payload. */
#define MESSAGE(text) "\x60\x45\xff" text /* of five bytes */

static void test_tcp(void **state)
{
    fixture *f = *state;
    open_link(f, DN_TRANSPORT_TCP);
    assert_int_equal(dn_link_state_of(f->link), DN_LINK_CONNECTING);
    receive(f, "too early");
    dn_link_connected(f->link, 7);
    dn_link_connected(f->link, 8);
    const char *stream = MESSAGE("abcde") MESSAGE("12345");
    for (size_t i = 0; i < strlen(stream); i++) {
        dn_link_receive(f->link, dunlin_slice_make(stream + i, 1), 9);
    }
    expect(f, "up|<" MESSAGE("abcde") "|<" MESSAGE("12345"));
    dn_link_lost(f->link, DUNLIN_END);
    expect(f, "down 1 -1 the connection was closed");
    open_link(f, DN_TRANSPORT_TCP);
    dn_link_lost(f->link, DUNLIN_ERR_TIMEOUT);
    dn_link_lost(f->link, DUNLIN_ERR_TIMEOUT);
    expect(f, "down -23 -1 no connection came about");
}

static void test_streams_that_are_none(void **state)
{
    fixture *f = *state;
    open_link(f, DN_TRANSPORT_TCP);
    dn_link_connected(f->link, 0);
    receive(f, "\x0f\x45"); /* a token of 15 bytes */
    expect(f, "up|down -1 -1 what comes is no CoAP over a stream");
    open_link(f, DN_TRANSPORT_TCP);
    dn_link_connected(f->link, 0);
    receive(f, "\xd0\x80"); /* 141 bytes of options and payload */
    receive(f, "xx");
    expect(f, "up|down -4 -1 a message is larger than can be taken");
    f->close_on_message = true;
    open_link(f, DN_TRANSPORT_TCP);
    dn_link_connected(f->link, 0);
    receive(f, MESSAGE("abcde") MESSAGE("fghij") "\x60");
    f->close_on_message = false;
    open_link(f, DN_TRANSPORT_TCP); /* with nothing left over */
    dn_link_connected(f->link, 0);
    receive(f, MESSAGE("12345"));
    expect(f, "up|<" MESSAGE("abcde") "|up|<" MESSAGE("12345"));
}

static void test_tls(void **state)
{
    fixture *f = *state;
    open_link(f, DN_TRANSPORT_TLS);
    assert_int_equal(f->tls.owners, 2);
    f->tls.no_memory = true;
    dn_link_connected(f->link, 0);
    expect(f, "down -22 -1 no memory for a session");
    f->tls.no_memory = false;
    open_link(f, DN_TRANSPORT_TLS);
    dn_link_connected(f->link, 0);
    receive(f, "h" MESSAGE("abcde"));
    receive(f, "p" MESSAGE("12345"));
    receive(f, "d\x0f");
    expect(f, ">stream hello|up|<" MESSAGE("abcde") "|<" MESSAGE(
                  "12345") "|down -1 -1 what comes is no CoAP over a stream");
}

static void test_no_streams(void **state)
{
    fixture *f = *state;
    const dn_link_config config = {.call = {on_output, on_message, on_up, on_down, f}};
    const dn_peer peer = peer_of(DN_TRANSPORT_TCP);
    dn_link_destroy(f->link);
    f->link = dn_link_create(&config);
    assert_int_equal(dn_link_open(f->link, &peer, NULL, 0), DUNLIN_ERR_UNSUPPORTED);
    assert_int_equal(dn_link_state_of(f->link), DN_LINK_CLOSED);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {TEST(test_udp),           TEST(test_dtls),
                                       TEST(test_resumption),    TEST(test_ends),
                                       TEST(test_sending_fails), TEST(test_closing_from_within),
                                       TEST(test_tcp),           TEST(test_streams_that_are_none),
                                       TEST(test_tls),           TEST(test_no_streams)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
