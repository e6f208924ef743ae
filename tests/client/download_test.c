/* SPDX-License-Identifier: Apache-2.0 */
/* Downloads over CoAP from a host that is no server of ours: URIs, pieces, continuing, and who is let in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/uri.h"
#include "tests/client/rig.h"

#define NO         (-1)
#define SECOND     1000ull
#define FILE_SIZE  10240u /* ends with a block */
#define BLOCK      1024u
#define URI        "coap://other:5683/files/a%20b.bin?v=1&x"
#define EVERYTHING UINT64_MAX

/* The host of the files, and what the application has got. */
typedef struct {
    rig r;
    dn_coap *coap;
    dn_peer address;
    dn_seeded seed;
    _Alignas(16) uint8_t arena[2 * RIG_ARENA_MAX];
    bool mute;
    uint8_t etag; /* 0: it gives none */
    uint8_t code; /* of its answers */
    char path[64], query[64], host[64];
    unsigned requests;

    uint8_t got[FILE_SIZE];
    uint64_t count, first, size;
    uint64_t stop_at; /* `take` refuses what comes from here on */
    bool last;
    unsigned ended;
    dunlin_status status;
    uint8_t end_code;
} world;

static world w;

static uint8_t byte_at(uint64_t offset)
{
    return (uint8_t)(offset * 7 + offset / 251);
}

static bool read_file(void *context, uint64_t offset, void *out, size_t len)
{
    uint8_t *bytes = out;
    (void)context;
    for (size_t i = 0; i < len; i++) {
        bytes[i] = byte_at(offset + i);
    }
    return true;
}

static void join(char *out, size_t cap, dn_coap_options options, uint16_t number)
{
    dunlin_slice value;
    size_t len = 0;
    out[0] = '\0';
    while (dn_coap_option_find(&options, number, &value) == DUNLIN_OK && len + value.len + 2 < cap) {
        out[len++] = '|';
        memcpy(out + len, value.data, value.len);
        len += value.len;
        out[len] = '\0';
    }
}

static dn_coap_answered on_request(void *context, const dn_coap_incoming *request, dunlin_buf *body,
                                   dn_coap_reply *reply)
{
    static const dn_coap_source source = {FILE_SIZE, read_file, NULL};
    static dn_coap_option etag;
    (void)context;
    (void)body;
    w.requests++;
    join(w.path, sizeof w.path, request->options, DN_OPTION_URI_PATH);
    join(w.query, sizeof w.query, request->options, DN_OPTION_URI_QUERY);
    join(w.host, sizeof w.host, request->options, DN_OPTION_URI_HOST);
    reply->code = w.code;
    if (w.code == DN_COAP_CONTENT) {
        etag = (dn_coap_option){DN_OPTION_ETAG, dunlin_slice_make(&w.etag, 1)};
        reply->options = &etag;
        reply->option_count = w.etag == 0 ? 0 : 1;
        reply->source = &source;
    }
    return DN_COAP_ANSWERED;
}

static void on_send(void *context, const dn_peer *peer, dunlin_slice datagram)
{
    (void)context;
    dn_simlink_send(w.r.link, &w.address, peer, datagram);
}

static bool on_notification(void *context, const dn_peer *peer, const dn_coap_response *notification)
{
    (void)context;
    (void)peer;
    (void)notification;
    return false;
}

static void on_receive(void *context, const dn_peer *from, dunlin_slice datagram, uint64_t now_ms)
{
    (void)context;
    if (!w.mute) {
        dn_coap_receive(w.coap, from, datagram, now_ms);
    }
}

static uint64_t on_deadline(void *context)
{
    (void)context;
    return dn_coap_deadline(w.coap);
}

static void on_expire(void *context, uint64_t now_ms)
{
    (void)context;
    dn_coap_expire(w.coap, now_ms);
}

static void open_world(void)
{
    const dn_coap_callbacks callbacks = {
        .send = on_send, .request = on_request, .notification = on_notification};
    const dn_simlink_endpoint endpoint = {on_receive, on_deadline, on_expire, NULL};
    const dn_coap_config config = dn_coap_config_default();
    memset(&w, 0, sizeof w);
    rig_register(&w.r, DUNLIN_LWM2M_1_1);
    w.code = DN_COAP_CONTENT;
    w.etag = 'A';
    w.stop_at = EVERYTHING;
    dn_seeded_init(&w.seed, 99);
    const dn_random random = dn_seeded_random(&w.seed);
    w.coap = dn_coap_create(w.arena, sizeof w.arena, &config, &callbacks, &random, NULL, 0);
    assert_non_null(w.coap);
    assert_int_equal(dn_simlink_attach(w.r.link, &endpoint, &w.address), DUNLIN_OK);
    w.r.other_address = w.address;
}

static dunlin_status take(void *context, uint64_t offset, uint64_t size, dunlin_slice piece, bool more)
{
    (void)context;
    if (offset >= w.stop_at) {
        return DUNLIN_ERR_SPACE;
    }
    if (w.count == 0) {
        w.first = offset;
    }
    assert_int_equal(offset, w.first + w.count); /* in order, none twice */
    assert_false(w.last);
    for (size_t i = 0; i < piece.len; i++) {
        assert_int_equal(piece.data[i], byte_at(offset + i));
    }
    w.count += piece.len;
    w.size = size;
    w.last = !more;
    return DUNLIN_OK;
}

static void ended(void *context, dunlin_status status, uint8_t code)
{
    (void)context;
    w.ended++;
    w.status = status;
    w.end_code = code;
}

static const dunlin_download calls = {take, ended, NULL};

/* rig's resolve knows "coap://other" only, so the port is left out in most tests. */
static dunlin_status resolve(void *context, const char *uri, dunlin_peer *peer)
{
    (void)context;
    const bool other = strncmp(uri, "coap://other", strlen("coap://other")) == 0;
    if (!other && strcmp(uri, "coap://server") != 0) {
        return DUNLIN_ERR_NOT_FOUND;
    }
    const dn_peer *address = other ? &w.address : &w.r.server_address;
    peer->len = address->len;
    memcpy(peer->bytes, address->bytes, sizeof peer->bytes);
    return DUNLIN_OK;
}

static void open_with_resolve(void)
{
    open_world();
    dunlin_server server = dunlin_server_default();
    w.r.config.call.resolve = resolve;
    rig_remake(&w.r);
    strcpy(server.uri, "coap://server");
    assert_int_equal(dunlin_client_add_server(w.r.client, &server), DUNLIN_OK);
    dunlin_client_start(w.r.client, dn_simlink_now(w.r.link));
    rig_run(&w.r, SECOND);
    assert_true(dunlin_client_registered(w.r.client));
}

static dunlin_status download(const char *uri, uint64_t from, const char *etag)
{
    return dunlin_client_download(w.r.client, uri, from, (const uint8_t *)etag,
                                  etag == NULL ? 0 : strlen(etag), &calls);
}

static void assert_ended(dunlin_status status, uint8_t code)
{
    assert_int_equal(w.ended, 1);
    assert_int_equal(w.status, status);
    assert_int_equal(w.end_code, code);
}

static void a_file_in_pieces(void **state)
{
    uint8_t etag[8];
    (void)state;
    open_with_resolve();
    assert_int_equal(download(URI, 0, NULL), DUNLIN_OK);
    assert_int_equal(download(URI, 0, NULL), DUNLIN_ERR_STATE);
    rig_run(&w.r, 10 * SECOND);
    assert_ended(DUNLIN_OK, DN_COAP_CONTENT);
    assert_int_equal(w.count, FILE_SIZE);
    assert_true(w.last);
    assert_int_equal(w.size, FILE_SIZE);
    assert_string_equal(w.path, "|files|a b.bin");
    assert_string_equal(w.query, "|v=1|x");
    assert_string_equal(w.host, "|other");
    assert_int_equal(dunlin_client_download_etag(w.r.client, etag), 1);
    assert_int_equal(etag[0], 'A');
    assert_int_equal(dunlin_client_count(w.r.client).strangers, 0);
    /* another one may follow */
    w.count = 0;
    w.last = false;
    w.ended = 0;
    assert_int_equal(download(URI, 0, NULL), DUNLIN_OK);
    rig_run(&w.r, 10 * SECOND);
    assert_ended(DUNLIN_OK, DN_COAP_CONTENT);
    rig_close(&w.r);
}

static void continued_where_it_ended(void **state)
{
    static const uint64_t froms[] = {1, BLOCK - 1, BLOCK, BLOCK + 1, 5 * BLOCK, 9999, FILE_SIZE};
    (void)state;
    for (size_t i = 0; i < sizeof froms / sizeof froms[0]; i++) {
        open_with_resolve();
        assert_int_equal(download(URI, froms[i], "A"), DUNLIN_OK);
        rig_run(&w.r, 10 * SECOND);
        assert_ended(DUNLIN_OK, DN_COAP_CONTENT);
        assert_int_equal(w.first, froms[i]);
        assert_int_equal(w.first + w.count, FILE_SIZE);
        assert_true(w.requests <= (FILE_SIZE - froms[i]) / BLOCK + 2);
        rig_close(&w.r);
    }
}

static void interrupted_and_continued(void **state)
{
    uint8_t etag[8];
    (void)state;
    open_with_resolve();
    w.stop_at = 4 * BLOCK; /* no room */
    assert_int_equal(download(URI, 0, NULL), DUNLIN_OK);
    rig_run(&w.r, 10 * SECOND);
    assert_ended(DUNLIN_ERR_SPACE, 0);
    const size_t len = dunlin_client_download_etag(w.r.client, etag);
    w.stop_at = EVERYTHING;
    w.ended = 0;
    assert_int_equal(dunlin_client_download(w.r.client, URI, w.count, etag, len, &calls), DUNLIN_OK);
    rig_run(&w.r, 10 * SECOND);
    assert_ended(DUNLIN_OK, DN_COAP_CONTENT);
    assert_int_equal(w.first, 0);
    assert_int_equal(w.count, FILE_SIZE);
    rig_close(&w.r);
}

static void what_is_another_file_by_now_is_not_continued(void **state)
{
    static const uint8_t etags[] = {'B', 0};
    (void)state;
    for (size_t i = 0; i < sizeof etags; i++) {
        open_with_resolve();
        w.etag = etags[i];
        assert_int_equal(download(URI, 3 * BLOCK + 5, "A"), DUNLIN_OK);
        rig_run(&w.r, 10 * SECOND);
        assert_int_equal(w.ended, 1);
        assert_int_equal(w.status, DUNLIN_ERR_MALFORMED);
        assert_int_equal(w.count, 0);
        rig_close(&w.r);
    }
    open_with_resolve(); /* without an ETag it is taken from the start */
    assert_int_equal(download(URI, 3 * BLOCK, NULL), DUNLIN_OK);
    rig_run(&w.r, 10 * SECOND);
    assert_ended(DUNLIN_OK, DN_COAP_CONTENT);
    assert_int_equal(w.first, 0);
    rig_close(&w.r);
}

static void how_it_ends(void **state)
{
    static const struct {
        const char *name;
        uint8_t code;
        dunlin_status status;
    } rows[] = {
        {"not there", DN_COAP_NOT_FOUND, DUNLIN_ERR_NOT_FOUND},
        {"forbidden", DN_COAP_FORBIDDEN, DUNLIN_ERR_REJECTED},
        {"broken", DN_COAP_INTERNAL_ERROR, DUNLIN_ERR_REJECTED},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        open_with_resolve();
        w.code = rows[i].code;
        assert_int_equal(download(URI, 0, NULL), DUNLIN_OK);
        rig_run(&w.r, 10 * SECOND);
        assert_ended(rows[i].status, rows[i].code);
        assert_int_equal(w.count, 0);
        rig_close(&w.r);
    }
    open_with_resolve();
    w.mute = true;
    assert_int_equal(download(URI, 0, NULL), DUNLIN_OK);
    rig_run(&w.r, 200 * SECOND);
    assert_ended(DUNLIN_ERR_TIMEOUT, 0);
    rig_close(&w.r);
}

static void cancelled_without_a_word(void **state)
{
    (void)state;
    open_with_resolve();
    w.mute = true;
    assert_int_equal(download(URI, 0, NULL), DUNLIN_OK);
    rig_run(&w.r, SECOND);
    dunlin_client_download_cancel(w.r.client);
    dunlin_client_download_cancel(w.r.client);
    rig_run(&w.r, 200 * SECOND);
    assert_int_equal(w.ended, 0);
    w.mute = false;
    assert_int_equal(download(URI, 0, NULL), DUNLIN_OK);
    rig_run(&w.r, 10 * SECOND);
    assert_ended(DUNLIN_OK, DN_COAP_CONTENT);
    rig_close(&w.r);
}

static void over_a_bad_link(void **state)
{
    static const dn_simlink_rules bad = {.loss_permille = 200,
                                         .duplicate_permille = 100,
                                         .reorder_permille = 100,
                                         .delay_min_ms = 10,
                                         .delay_max_ms = 300};
    (void)state;
    open_with_resolve();
    dn_simlink_rule(w.r.link, &bad);
    uint8_t etag[8];
    size_t len = 0;
    for (unsigned tries = 0; tries < 20 && !w.last; tries++) {
        const uint64_t from = w.count;
        w.ended = 0;
        assert_int_equal(dunlin_client_download(w.r.client, URI, from, etag, len, &calls), DUNLIN_OK);
        rig_run(&w.r, 1000 * SECOND);
        assert_int_equal(w.ended, 1);
        len = dunlin_client_download_etag(w.r.client, etag);
    }
    assert_int_equal(w.count, FILE_SIZE);
    rig_close(&w.r);
}

/* The host may answer, and nothing else; when the download is over, not even that. */
static void the_host_may_only_answer(void **state)
{
    dn_coap_outgoing request;
    dn_coap_option path[] = {{DN_OPTION_URI_PATH, {(const uint8_t *)"3", 1}}};
    uint64_t exchange = 0;
    (void)state;
    open_with_resolve();
    w.mute = true;
    assert_int_equal(download(URI, 0, NULL), DUNLIN_OK);
    rig_run(&w.r, SECOND);
    dn_coap_outgoing_init(&request, DN_COAP_GET);
    request.confirmable = false; /* or the ping would wait for it */
    request.options = path;
    request.option_count = 1;
    const uint64_t sent = dunlin_client_count(w.r.client).datagrams_sent;
    assert_int_equal(dn_coap_request(w.coap, &w.r.client_address, &request, NULL, NULL,
                                     dn_simlink_now(w.r.link), &exchange),
                     DUNLIN_OK);
    rig_run(&w.r, 100);
    assert_int_equal(dunlin_client_count(w.r.client).strangers, 1);
    assert_int_equal(
        dn_coap_ping(w.coap, &w.r.client_address, NULL, NULL, dn_simlink_now(w.r.link), &exchange),
        DUNLIN_OK);
    rig_run(&w.r, 100);
    assert_int_equal(dunlin_client_count(w.r.client).strangers, 2);
    assert_int_equal(dunlin_client_count(w.r.client).requests, 0);
    assert_int_equal(dunlin_client_count(w.r.client).datagrams_sent, sent);
    /* and the server of the account goes on being served meanwhile */
    assert_int_equal(rig_get(&w.r, "/3/0/0", NO)->code, DN_COAP_CONTENT);
    w.mute = false;
    rig_run(&w.r, 100 * SECOND);
    assert_ended(DUNLIN_OK, DN_COAP_CONTENT);
    const uint64_t strangers = dunlin_client_count(w.r.client).strangers;
    static const uint8_t late[] = {0x60, 0x45, 0, 1};
    dn_simlink_send(w.r.link, &w.address, &w.r.client_address, dunlin_slice_make(late, sizeof late));
    rig_run(&w.r, 100);
    assert_int_equal(dunlin_client_count(w.r.client).strangers, strangers + 1);
    rig_close(&w.r);
}

static void bad_calls(void **state)
{
    static const struct {
        const char *uri;
        dunlin_status status;
    } rows[] = {
        {"", DUNLIN_ERR_ARGUMENT},
        {"files/x", DUNLIN_ERR_ARGUMENT},
        {"coap:/other/x", DUNLIN_ERR_ARGUMENT},
        {"coap://", DUNLIN_ERR_ARGUMENT},
        {"coap:///x", DUNLIN_ERR_ARGUMENT},
        {"coap://other:x/y", DUNLIN_ERR_ARGUMENT},
        {"coap://other:70000/y", DUNLIN_ERR_ARGUMENT},
        {"coap://other:0/y", DUNLIN_ERR_ARGUMENT},
        {"coap://[::1/y", DUNLIN_ERR_ARGUMENT},
        {"coap://[::1]x/y", DUNLIN_ERR_ARGUMENT},
        {"coap://user@other/y", DUNLIN_ERR_ARGUMENT},
        {"coap://other/y#z", DUNLIN_ERR_ARGUMENT},
        {"coap://other/%4", DUNLIN_ERR_ARGUMENT},
        {"coap://other/%zz", DUNLIN_ERR_ARGUMENT},
        {"coap://other/1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9/0/1/2/3/4/5", DUNLIN_ERR_ARGUMENT},
        {"1coap://other/y", DUNLIN_ERR_ARGUMENT},
        {"coaps://other/y", DUNLIN_ERR_UNSUPPORTED},
        {"coap+tcp://other/y", DUNLIN_ERR_UNSUPPORTED},
        {"coaps+tcp://other/y", DUNLIN_ERR_UNSUPPORTED},
        {"http://other/y", DUNLIN_ERR_UNSUPPORTED},
        {"coap://elsewhere/y", DUNLIN_ERR_NOT_FOUND},
    };
    char long_uri[DUNLIN_URI_MAX + 2];
    const dunlin_download none = {0};
    (void)state;
    open_with_resolve();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (download(rows[i].uri, 0, NULL) != rows[i].status) {
            fail_msg("\"%s\"", rows[i].uri);
        }
    }
    memset(long_uri, 'x', sizeof long_uri - 1);
    memcpy(long_uri, "coap://other/", strlen("coap://other/"));
    long_uri[sizeof long_uri - 1] = '\0';
    assert_int_equal(download(long_uri, 0, NULL), DUNLIN_ERR_ARGUMENT);
    assert_int_equal(download(URI, 1, "123456789"), DUNLIN_ERR_ARGUMENT);
    assert_int_equal(dunlin_client_download(w.r.client, URI, 0, NULL, 0, &none), DUNLIN_ERR_ARGUMENT);
    rig_run(&w.r, SECOND);
    assert_int_equal(w.requests, 0);
    assert_int_equal(w.ended, 0);
    rig_close(&w.r);
}

static void uris_taken_apart(void **state)
{
    static const struct {
        const char *uri, *server, *options;
    } rows[] = {
        {"coap://host", "coap://host", "3:host"},
        {"COAP://Host:99/", "COAP://Host:99", "3:host"},
        {"coap://192.0.2.1/a", "coap://192.0.2.1", "11:a"},
        {"coap://[2001:db8::1]:5683/a/b", "coap://[2001:db8::1]:5683", "11:a 11:b"},
        {"coap://h/a//b/", "coap://h", "3:h 11:a 11: 11:b 11:"},
        {"coap://h?q", "coap://h", "3:h 15:q"},
        {"coap://h/?a=1&b=%26", "coap://h", "3:h 15:a=1 15:b=&"},
        {"coap://h%41.x/%7Euser", "coap://h%41.x", "3:ha.x 11:~user"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        dn_uri uri;
        char text[128] = "";
        assert_int_equal(dn_client_uri_read(&uri, rows[i].uri), DUNLIN_OK);
        for (size_t o = 0; o < uri.option_count; o++) {
            const size_t len = strlen(text);
            (void)snprintf(text + len, sizeof text - len, "%s%u:%.*s", o > 0 ? " " : "",
                           uri.options[o].number, (int)uri.options[o].value.len,
                           (const char *)uri.options[o].value.data);
        }
        assert_string_equal(uri.server, rows[i].server);
        assert_string_equal(text, rows[i].options);
    }
}

static void places_compared(void **state)
{
    static const struct {
        const char *a, *b;
        bool same;
    } rows[] = {
        {"coap://h", "coap://h:5683/fw", true},
        {"coap://h", "coap+tcp://H/fw?x", true},
        {"COAPS://Host.example", "coaps+tcp://host.EXAMPLE:5684", true},
        {"coaps://[2001:db8::1]:5684", "coaps://[2001:DB8::1]/a:7", true},
        {"coaps://h:", "coaps://h/", true},
        {"coap://h", "coaps://h", false},
        {"coap://h:5684", "coaps://h:5684", false},
        {"coaps://h", "coaps://h:5683", false},
        {"coaps://h", "coaps://hh", false},
        {"coaps://h:568", "coaps://h:5684", false},
        {"coaps://h:5684", "coaps://h:05684", true},
        {"coaps://h:5684", "coaps://h:4294972980", false}, /* which is 5684 in 32 bits */
        {"coaps://[::1]", "coaps://[::2]", false},
        {"http://h", "http://h", false},
        {"coaps://", "coaps://", false},
        {"coaps://:5684", "coaps://", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (dn_client_uri_same_place(rows[i].a, rows[i].b) != rows[i].same ||
            dn_client_uri_same_place(rows[i].b, rows[i].a) != rows[i].same) {
            fail_msg("%s and %s", rows[i].a, rows[i].b);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_in_pieces),
        cmocka_unit_test(continued_where_it_ended),
        cmocka_unit_test(interrupted_and_continued),
        cmocka_unit_test(what_is_another_file_by_now_is_not_continued),
        cmocka_unit_test(how_it_ends),
        cmocka_unit_test(cancelled_without_a_word),
        cmocka_unit_test(over_a_bad_link),
        cmocka_unit_test(the_host_may_only_answer),
        cmocka_unit_test(bad_calls),
        cmocka_unit_test(uris_taken_apart),
        cmocka_unit_test(places_compared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
