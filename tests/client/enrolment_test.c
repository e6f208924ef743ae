/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Enrolment from end to end in virtual time (Transport 1.1.1 section 5.2.4, RFC 9148): a client that is bootstrapped with an account of mode EST asks
 * the enrolment of the bootstrap server for its certificate, by the cryptography of the POSIX port, and registers with it. The link is simulated and
 * carries no DTLS: that the way is asked for with the certificate, and what that is, is looked at here.
 */
#include "bootstrap/est.h"
#include "port/enroll.h"
#include "security/enroll.h"
#include "security/issue.h"
#include "tests/client/sequence.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NAME       "client-1"
#define NOW_S      INT64_C(1700000000)
#define DAY_S      UINT64_C(86400)
#define ASKED_MAX  64u
#define FORMAT_SET 281u

typedef struct {
    sequence s;
    dn_enrolling *enrolling;
    dn_est *est;
    uint8_t ca_key[DN_KEY_DER_MAX], ca[DN_CERTIFICATE_DER_MAX];
    size_t ca_key_len, ca_len;
    dn_identity identity; /* of the device, as the bootstrap server sees it */
    dn_seeded seed;

    uint8_t code;       /* not 0: what it answers to /sen and /sren, in place of what there is */
    uint32_t max_age_s; /* of that */
    unsigned times;     /* how often; 0: always */
    const uint8_t *lie; /* not NULL: the payload of a success */
    size_t lie_len;
    uint16_t lie_format;
    char asked[ASKED_MAX * 8]; /* "crts sen sren" */
    uint64_t asked_s[ASKED_MAX];
    unsigned asked_count;
    uint8_t request[DN_ENROLL_REQUEST_MAX]; /* the last one */
    size_t request_len;
    bool differs; /* from the one before it */
    dn_coap_option max_age;
    uint8_t max_age_bytes[4];

    dunlin_security way; /* of the last way to the server */
    uint8_t certificate[2048], key[DN_KEY_DER_MAX];
    unsigned ways, anew;
    char issued_to[64];
    int64_t ahead_s; /* of the authority's clock and the cryptography's, the client's is */
} world;

/* ---- the bootstrap server's enrolment ---- */

static int64_t wall_ms(void *context)
{
    const world *w = context;
    return (w->s.unix_s - w->ahead_s) * 1000 + (int64_t)dn_simlink_now(w->s.r.link);
}

static int64_t wall_s(void *context)
{
    return wall_ms(context) / 1000;
}

static dunlin_status issued(void *context, dunlin_slice endpoint, dunlin_slice certificate)
{
    world *w = context;
    assert_true(certificate.len > 0);
    (void)snprintf(w->issued_to, sizeof w->issued_to, "%.*s", (int)endpoint.len, (const char *)endpoint.data);
    return DUNLIN_OK;
}

static void write_down(world *w, const dn_coap_incoming *request)
{
    dn_coap_options walk = request->options;
    dunlin_slice segment, last = {NULL, 0};
    const size_t len = strlen(w->asked);
    while (dn_coap_option_find(&walk, DN_OPTION_URI_PATH, &segment) == DUNLIN_OK) {
        last = segment;
    }
    (void)snprintf(w->asked + len, sizeof w->asked - len, "%s%.*s", len > 0 ? " " : "", (int)last.len,
                   (const char *)last.data);
    if (w->asked_count < ASKED_MAX) {
        w->asked_s[w->asked_count++] = dn_simlink_now(w->s.r.link) / 1000;
    }
    if (request->code == DN_COAP_POST) {
        w->differs = !dunlin_slice_equal(request->payload, dunlin_slice_make(w->request, w->request_len));
        memcpy(w->request, request->payload.data, request->payload.len);
        w->request_len = request->payload.len;
    }
}

static void tell_max_age(world *w, uint32_t max_age_s, dn_coap_reply *reply)
{
    w->max_age = (dn_coap_option){DN_OPTION_MAX_AGE, dn_coap_option_from_uint(max_age_s, w->max_age_bytes)};
    reply->options = &w->max_age;
    reply->option_count = 1;
}

static bool serve(void *context, const dn_coap_incoming *request, dunlin_buf *body, dn_coap_reply *reply)
{
    world *w = context;
    dn_est_reply answer;
    (void)body;
    if (!dn_est_is_for(request->options)) {
        return false;
    }
    write_down(w, request);
    if (request->code == DN_COAP_POST && w->code != 0) {
        reply->code = w->code;
        if (w->max_age_s > 0) {
            tell_max_age(w, w->max_age_s, reply);
        }
        w->code = w->times > 0 && --w->times == 0 ? 0 : w->code;
        return true;
    }
    const dn_est_request asked = {request->code, request->options, request->content_format, request->accept,
                                  request->payload};
    dn_est_handle(w->est, &asked, &w->identity, dn_simlink_now(w->s.r.link), &answer);
    reply->code = answer.code;
    if (answer.code < DN_COAP_BAD_REQUEST) {
        reply->content_format = answer.format;
        reply->payload = answer.payload;
    }
    if (request->code == DN_COAP_POST && w->lie_format != 0) {
        reply->content_format = w->lie_format;
    }
    if (request->code == DN_COAP_POST && w->lie != NULL) {
        reply->payload = dunlin_slice_make(w->lie, w->lie_len);
    }
    return true;
}

/* ---- the client's ways ---- */

static dunlin_slice keep(uint8_t *out, size_t size, dunlin_slice bytes)
{
    assert_true(bytes.len <= size);
    memcpy(out, bytes.data, bytes.len);
    return dunlin_slice_make(out, bytes.len);
}

static dunlin_status on_connect(void *context, const dunlin_way *way, dunlin_peer *peer)
{
    world *w = context;
    const bool other = strcmp(way->uri, "coap://other") == 0;
    const dn_peer *to = other ? &w->s.r.other_address : &w->s.r.server_address;
    peer->len = to->len;
    memcpy(peer->bytes, to->bytes, to->len);
    if (strcmp(way->uri, "coap://server") == 0) { /* of an account without security */
        assert_int_equal(way->security->mode, DUNLIN_NOSEC);
    } else if (!other) {
        assert_string_equal(way->uri, "coaps://server");
        w->way = *way->security;
        w->way.identity = keep(w->certificate, sizeof w->certificate, way->security->identity);
        w->way.secret = keep(w->key, sizeof w->key, way->security->secret);
        w->ways++;
        w->anew += way->anew ? 1 : 0;
    }
    return DUNLIN_OK;
}

/* ---- the world ---- */

static void make_client(world *w, bool with_account)
{
    sequence_make(&w->s, with_account ? 0 : -1);
}

static int make_world(void **state)
{
    world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    dn_seeded_init(&w->seed, 7);
    assert_int_equal(dn_authority_make("Dunlin CA", NOW_S - 1000, NOW_S + INT64_C(400000000), w->ca_key,
                                       &w->ca_key_len, w->ca, &w->ca_len),
                     DUNLIN_OK);
    dn_est_config config = dn_est_config_default();
    config.authority = dunlin_slice_make(w->ca, w->ca_len);
    config.authority_key = dunlin_slice_make(w->ca_key, w->ca_key_len);
    config.takes_psk = true;
    config.issued = issued;
    config.issued_context = config.clock_context = w;
    config.random = dn_seeded_random(&w->seed);
    config.wall_ms = wall_ms;
    char error[128] = "";
    assert_int_equal(dn_est_create(&config, &w->est, error, sizeof error), DUNLIN_OK);
    w->identity.mode = DN_SECURITY_PSK;
    w->identity.endpoint_len = sizeof NAME - 1;
    memcpy(w->identity.endpoint, NAME, sizeof NAME - 1);
    w->enrolling = dn_enrolling_create(wall_s, w);
    assert_non_null(w->enrolling);
    sequence_open(&w->s, DUNLIN_LWM2M_1_1);
    w->s.serve = serve;
    w->s.serve_context = w;
    dunlin_client_config *client = &w->s.r.config;
    client->endpoint = NAME;
    client->credential_max = 640;
    client->image_max = 4096;
    client->max_body = 2048;
    client->enroll = dn_enrolling_callbacks(w->enrolling);
    client->call.connect = on_connect;
    make_client(w, true);
    *state = w;
    return 0;
}

static int free_world(void **state)
{
    world *w = *state;
    sequence_close(&w->s);
    dn_enrolling_destroy(w->enrolling);
    dn_est_destroy(w->est);
    free(w);
    return 0;
}

#define ACCOUNT(usage)                                                                                  \
    {                                                                                                   \
        DN_COAP_PUT, "/0/0",                                                                            \
            "[{\"bn\":\"/0/0/\",\"n\":\"0\",\"vs\":\"coaps://"                                          \
            "server\"},{\"n\":\"1\",\"vb\":false},{\"n\":\"2\",\"v\":4},"                               \
            "{\"n\":\"3\",\"vd\":\"\"},{\"n\":\"4\",\"vd\":\"AQID\"},{\"n\":\"5\",\"vd\":\"\"},{\"n\":" \
            "\"10\",\"v\":1}" usage "]",                                                                \
            0                                                                                           \
    }
#define SERVER                                                                                              \
    {                                                                                                       \
        DN_COAP_PUT, "/1/0",                                                                                \
            "[{\"bn\":\"/1/0/\",\"n\":\"0\",\"v\":1},{\"n\":\"1\",\"v\":86400},{\"n\":\"6\",\"vb\":false}," \
            "{\"n\":\"7\",\"vs\":\"U\"},{\"n\":\"17\",\"v\":1},{\"n\":\"18\",\"v\":10}]",                   \
            0                                                                                               \
    }
#define FINISH                       \
    {                                \
        DN_COAP_POST, "/bs", NULL, 0 \
    }
static const sequence_step steps[] = {ACCOUNT(""), SERVER, FINISH};
static const sequence_step by_trust_store[] = {ACCOUNT(",{\"n\":\"15\",\"v\":1}"), SERVER, FINISH};

static void bootstrap_with(world *w, const sequence_step *list)
{
    w->s.steps = list;
    w->s.step_count = 3;
    sequence_start(&w->s);
    sequence_run(&w->s, 5);
}

static void certificate_is_of_the_key(const world *w)
{
    uint8_t found[2048];
    dunlin_buf out = dunlin_buf_make(found, sizeof found);
    int64_t from_s, until_s;
    assert_int_equal(w->way.mode, DUNLIN_X509);
    assert_int_equal(dn_enroll_find(w->way.identity, w->way.secret, NAME, &out, &from_s, &until_s),
                     DUNLIN_OK);
    assert_int_equal(w->way.server_key.len, 3);
}

/* ---- the tests ---- */

static void a_certificate_is_asked_for_and_used(void **state)
{
    world *w = *state;
    bootstrap_with(w, steps);
    assert_string_equal(w->s.codes, "2.04 2.04 2.04");
    assert_string_equal(w->asked, "crts sen");
    assert_string_equal(w->s.log, "0B 0b 0+ 0E1 0R1");
    assert_string_equal(w->issued_to, NAME);
    assert_true(w->ways == 1 && w->anew == 1);
    certificate_is_of_the_key(w);
    assert_int_equal(dunlin_client_count(w->s.r.client).enrolments, 1);
    /* What was issued is nothing that the device's own Object shows a secret of. */
    assert_string_equal(sequence_value(&w->s, "/0/0/2"), "4");
    assert_string_equal(sequence_value(&w->s, "/0/0/5"), "-");
}

static void it_outlives_a_restart(void **state)
{
    world *w = *state;
    bootstrap_with(w, steps);
    const dunlin_security before = w->way;
    uint8_t certificate[2048], key[DN_KEY_DER_MAX];
    const dunlin_slice was = keep(certificate, sizeof certificate, before.identity);
    const dunlin_slice was_key = keep(key, sizeof key, before.secret);
    w->asked[0] = w->s.log[0] = '\0';
    make_client(w, false);
    assert_int_equal(dunlin_client_restore(w->s.r.client, dunlin_slice_make(w->s.saved, w->s.saved_len)),
                     DUNLIN_OK);
    sequence_start(&w->s);
    sequence_run(&w->s, 5);
    assert_string_equal(w->asked, "");
    assert_string_equal(w->s.log, "5R1");
    assert_true(dunlin_slice_equal(w->way.identity, was) && dunlin_slice_equal(w->way.secret, was_key));
}

/* RFC 9148 section 4.7: the same request once more, when Max-Age is over. */
static void it_waits_as_it_is_told(void **state)
{
    world *w = *state;
    w->code = DN_COAP_UNAVAILABLE;
    w->max_age_s = 30;
    w->times = 3;
    bootstrap_with(w, steps);
    w->differs = false;
    sequence_run(&w->s, 100);
    assert_string_equal(w->asked, "crts sen sen sen sen");
    assert_false(w->differs);
    assert_true(w->asked_s[2] == 30 && w->asked_s[3] == 60 && w->asked_s[4] == 90);
    assert_string_equal(w->s.log, "0B 0b 0+ 90E1 90R1");
    certificate_is_of_the_key(w);
}

static void patience_has_an_end(void **state)
{
    world *w = *state;
    w->code = DN_COAP_UNAVAILABLE; /* without Max-Age: 60 s */
    bootstrap_with(w, steps);
    sequence_run(&w->s, 16 * 60 - 6);
    assert_int_equal(w->asked_count, 1 + 16);
    sequence_run(&w->s, 2);
    assert_int_equal(w->asked_count, 1 + 17);
    assert_null(strchr(w->s.log, 'E'));
    assert_null(strchr(w->s.log, 'R'));
}

static void refusals(void **state)
{
    static const uint8_t codes[] = {DN_COAP_BAD_REQUEST, DN_COAP_FORBIDDEN, DN_COAP_NOT_FOUND,
                                    DN_COAP_INTERNAL_ERROR};
    world *w = *state;
    for (size_t i = 0; i < sizeof codes; i++) {
        make_client(w, true);
        w->asked[0] = w->s.log[0] = '\0';
        w->code = codes[i];
        bootstrap_with(w, steps);
        assert_string_equal(w->asked, "crts sen");
        assert_null(strchr(w->s.log, 'E'));
        assert_null(strchr(w->s.log, 'R'));
        assert_int_equal(w->ways, 0);
    }
}

static void what_is_not_ours_is_not_taken(void **state)
{
    world *w = *state;
    uint8_t key[DN_KEY_DER_MAX], request[DN_ENROLL_REQUEST_MAX], other[2048];
    size_t key_len = 0;
    dunlin_buf out = dunlin_buf_make(request, sizeof request),
               certificate = dunlin_buf_make(other, sizeof other);
    assert_int_equal(dn_key_generate(key, &key_len), DUNLIN_OK);
    assert_int_equal(dn_enroll_request(dunlin_slice_make(key, key_len), NAME, &out), DUNLIN_OK);
    const dn_enroll_terms terms = {.authority = dunlin_slice_make(w->ca, w->ca_len),
                                   .authority_key = dunlin_slice_make(w->ca_key, w->ca_key_len),
                                   .request = dunlin_buf_view(&out),
                                   .common_name = NAME,
                                   .from_s = NOW_S,
                                   .until_s = NOW_S + 1000};
    assert_int_equal(dn_enroll_issue(&terms, &certificate), DUNLIN_OK);
    const struct {
        dunlin_slice bytes;
        uint16_t format;
    } lies[] = {{dunlin_buf_view(&certificate), 287}, /* another's key */
                {dunlin_slice_make(w->ca, w->ca_len), 287},
                {dunlin_slice_of("nonsense"), 281},
                {dunlin_slice_of(""), 281},
                {dunlin_slice_make(NULL, 0), 284}}; /* as it should be, but said to be something else */
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        make_client(w, true);
        w->asked[0] = w->s.log[0] = '\0';
        w->lie = lies[i].bytes.data;
        w->lie_len = lies[i].bytes.len;
        w->lie_format = lies[i].format;
        bootstrap_with(w, steps);
        assert_string_equal(w->asked, "crts sen");
        assert_null(strchr(w->s.log, 'E'));
        assert_int_equal(w->ways, 0);
    }
}

/* 365 days: thirty days before the end is later than nine tenths. */
static void it_is_renewed_in_time(void **state)
{
    world *w = *state;
    bootstrap_with(w, steps);
    uint8_t certificate[2048], key[DN_KEY_DER_MAX];
    const dunlin_slice was = keep(certificate, sizeof certificate, w->way.identity);
    const dunlin_slice was_key = keep(key, sizeof key, w->way.secret);
    sequence_run(&w->s, 334 * DAY_S);
    assert_string_equal(w->asked, "crts sen");
    sequence_run(&w->s, 2 * DAY_S);
    assert_string_equal(w->asked, "crts sen crts sren");
    assert_int_equal(dunlin_client_count(w->s.r.client).enrolments, 2);
    dunlin_client_restart(w->s.r.client, dn_simlink_now(w->s.r.link));
    sequence_run(&w->s, 5);
    certificate_is_of_the_key(w);
    assert_false(dunlin_slice_equal(w->way.identity, was));
    assert_true(dunlin_slice_equal(w->way.secret, was_key)); /* the same key */
}

/* Ten tries in what remains, and the registration goes on meanwhile. */
static void a_renewal_that_fails_is_tried_ten_times(void **state)
{
    world *w = *state;
    bootstrap_with(w, steps);
    w->code = DN_COAP_FORBIDDEN;
    w->asked[0] = '\0';
    w->asked_count = 0;
    sequence_run(&w->s, 364 * DAY_S);
    unsigned tries = 0;
    for (const char *at = w->asked; (at = strstr(at, "sren")) != NULL; at++) {
        tries++;
    }
    assert_int_equal(tries, 10);
    assert_true(w->asked_s[3] - w->asked_s[1] >= 3 * DAY_S && w->asked_s[3] - w->asked_s[1] <= 4 * DAY_S);
    assert_true(dunlin_client_registered(w->s.r.client));
    w->code = 0; /* it has ended: from then on it is asked for anew */
    sequence_run(&w->s, 5 * DAY_S);
    assert_non_null(strstr(w->asked, " sen"));
    assert_int_equal(dunlin_client_count(w->s.r.client).enrolments, 2);
}

/* Its server turns the device away while the certificate is being renewed, and then that fails too: only a bootstrap leads home. */
static void a_renewal_that_fails_does_not_keep_a_bootstrap_away(void **state)
{
    world *w = *state;
    bootstrap_with(w, steps);
    sequence_run(&w->s, 334 * DAY_S);
    w->asked[0] = w->s.log[0] = '\0';
    w->code = DN_COAP_UNAVAILABLE;
    w->max_age_s = 3000;
    for (unsigned i = 0; i < 2000 && strstr(w->asked, "sren") == NULL; i++) {
        sequence_run(&w->s, 100);
    }
    assert_string_equal(w->asked, "crts sren");
    assert_int_equal(w->s.requests, 1);
    w->s.r.register_code = DN_COAP_FORBIDDEN;
    w->s.r.update_code = DN_COAP_NOT_FOUND;
    dunlin_client_update(w->s.r.client);
    sequence_run(&w->s, 1000);
    assert_non_null(strstr(w->s.log, "F1"));
    assert_non_null(strstr(w->s.log, "B1"));
    w->code = DN_COAP_FORBIDDEN;
    w->times = 1;
    sequence_run(&w->s, 3 * 3600);
    assert_true(w->s.requests > 1);
}

/* The clock is ahead of the authority's: what comes is to be renewed at once, and must not be asked for without end. */
static void a_clock_that_is_ahead(void **state)
{
    world *w = *state;
    bootstrap_with(w, steps);
    w->ahead_s = 364 * (int64_t)DAY_S; /* the authority's clock is behind so far */
    w->s.unix_s += w->ahead_s;
    w->asked_count = 0;
    sequence_run(&w->s, DAY_S);
    assert_in_range(w->asked_count, 2, 2 * 25);
    assert_int_equal(dunlin_client_count(w->s.r.client).enrolments, 1 + w->asked_count / 2);
    assert_true(dunlin_client_registered(w->s.r.client));
    certificate_is_of_the_key(w);
}

/* A bootstrap that does not end takes nothing away. */
static void it_outlives_a_bootstrap_that_fails(void **state)
{
    world *w = *state;
    bootstrap_with(w, steps);
    w->asked[0] = w->s.log[0] = '\0';
    sequence_ask(&w->s, steps, 2); /* the account is written anew, and then nothing more comes */
    sequence_run(&w->s, 600);
    assert_non_null(strchr(w->s.log, '-'));
    assert_string_equal(w->asked, "");
    dunlin_client_restart(w->s.r.client, dn_simlink_now(w->s.r.link));
    sequence_run(&w->s, 5);
    certificate_is_of_the_key(w);
    assert_true(dunlin_client_registered(w->s.r.client));
}

/* Written anew the account has no certificate until it is issued one. */
static void a_new_bootstrap_enrols_anew(void **state)
{
    world *w = *state;
    bootstrap_with(w, steps);
    sequence_ask(&w->s, steps, 3);
    sequence_run(&w->s, 10);
    assert_string_equal(w->asked, "crts sen crts sen");
    certificate_is_of_the_key(w);
    assert_true(dunlin_client_registered(w->s.r.client));
}

/* Usages 0 and 1 of the server's certificate go by what /crts gave, over a restart too. */
static void the_authorities_are_trusted(void **state)
{
    world *w = *state;
    bootstrap_with(w, by_trust_store);
    dn_tls_client_config tls = {.mode = DN_SECURITY_X509};
    dn_enrolling_refine(w->enrolling, 1, &tls);
    assert_true(tls.roots.len > 0);
    dn_enrolling_destroy(w->enrolling);
    w->enrolling = dn_enrolling_create(wall_s, w);
    w->s.r.config.enroll = dn_enrolling_callbacks(w->enrolling);
    make_client(w, false);
    assert_int_equal(dunlin_client_restore(w->s.r.client, dunlin_slice_make(w->s.saved, w->s.saved_len)),
                     DUNLIN_OK);
    tls.roots = dunlin_slice_of("theirs\n");
    dn_enrolling_refine(w->enrolling, 2, &tls);
    assert_int_equal(tls.roots.len, 7);
    dn_enrolling_refine(w->enrolling, 1, &tls);
    assert_true(tls.roots.len > 7);
    assert_memory_equal(tls.roots.data, "theirs\n-----BEGIN CERTIFICATE-----", 34);
}

/* The device's own key is used where there is one. */
static void a_key_that_is_there_is_used(void **state)
{
    world *w = *state;
    uint8_t key[DN_KEY_DER_MAX];
    size_t len = 0;
    assert_int_equal(dn_key_generate(key, &len), DUNLIN_OK);
    dunlin_server server = dunlin_server_default();
    (void)snprintf(server.uri, sizeof server.uri, "coaps://server");
    server.security.mode = DUNLIN_EST;
    server.security.server_key = dunlin_slice_of("abc");
    server.security.secret = dunlin_slice_make(key, len);
    assert_int_equal(dunlin_client_add_server(w->s.r.client, &server), DUNLIN_OK);
    sequence_start(&w->s);
    sequence_run(&w->s, 5);
    assert_string_equal(w->asked, "crts sen");
    certificate_is_of_the_key(w);
    assert_true(dunlin_slice_equal(w->way.secret, dunlin_slice_make(key, len)));
}

/* In blocks of 64 bytes both ways, with a fifth of all datagrams lost. */
static void over_a_bad_link(void **state)
{
    world *w = *state;
    const dn_simlink_rules rules = {.loss_permille = 200, .duplicate_permille = 50, .delay_max_ms = 300};
    w->s.r.config.block_size = 64;
    make_client(w, true);
    dn_simlink_rule(w->s.r.link, &rules);
    bootstrap_with(w, steps);
    for (unsigned i = 0; i < 200 && !dunlin_client_registered(w->s.r.client); i++) {
        sequence_run(&w->s, 60);
    }
    assert_true(dunlin_client_registered(w->s.r.client));
    certificate_is_of_the_key(w);
}

/* What is under way when the client is stopped, or the bootstrap server falls silent, ends; and the next start begins anew. */
static void it_can_be_broken_off(void **state)
{
    world *w = *state;
    w->code = DN_COAP_UNAVAILABLE;
    w->max_age_s = 100;
    bootstrap_with(w, steps);
    dunlin_client_stop(w->s.r.client, dn_simlink_now(w->s.r.link));
    sequence_run(&w->s, 300);
    assert_true(dunlin_client_stopped(w->s.r.client));
    assert_string_equal(w->asked, "crts sen");
    w->code = 0;
    w->differs = false;
    sequence_start(&w->s);
    sequence_run(&w->s, 5);
    assert_string_equal(w->asked, "crts sen crts sen");
    assert_false(w->differs); /* it was put off: the server may still be at work on it */
    assert_true(dunlin_client_registered(w->s.r.client));
}

/* The tries are those of a bootstrap: 60 s, 120 s, … and the bootstrap itself is not done again. */
static void it_is_tried_again(void **state)
{
    world *w = *state;
    w->code = DN_COAP_INTERNAL_ERROR;
    w->times = 2;
    bootstrap_with(w, steps);
    assert_string_equal(w->asked, "crts sen");
    sequence_run(&w->s, 600);
    assert_string_equal(w->asked, "crts sen crts sen crts sen");
    assert_true(w->asked_s[2] == 60 && w->asked_s[4] == 180);
    assert_int_equal(w->s.requests, 1);
    assert_true(dunlin_client_registered(w->s.r.client));
}

static void silence_is_a_failure(void **state)
{
    world *w = *state;
    w->s.mute_after = 3; /* after Finish nothing is heard any more */
    bootstrap_with(w, steps);
    sequence_run(&w->s, 100);
    assert_non_null(strchr(w->s.log, '-'));
    assert_null(strchr(w->s.log, 'R'));
    w->s.mute = false;
    sequence_run(&w->s, 300);
    assert_true(dunlin_client_registered(w->s.r.client));
}

/* A bootstrap server that could be reached only by a certificate of its own is none: there would be no way home. */
static void not_for_the_bootstrap_server(void **state)
{
    static const sequence_step its_own[] = {ACCOUNT(""),
                                            SERVER,
                                            {DN_COAP_PUT, "/0/1",
                                             "[{\"bn\":\"/0/1/\",\"n\":\"0\",\"vs\":\"coaps://"
                                             "other\"},{\"n\":\"2\",\"v\":4},{\"n\":\"4\",\"vd\":\"AQID\"}]",
                                             0},
                                            FINISH};
    world *w = *state;
    w->s.steps = its_own;
    w->s.step_count = 4;
    sequence_start(&w->s);
    sequence_run(&w->s, 5);
    assert_string_equal(w->s.codes, "2.04 2.04 2.04 4.06");
    assert_string_equal(w->s.answer, "the bootstrap server's own account cannot be enrolled for");
    assert_string_equal(w->asked, "");
    dunlin_server server = dunlin_server_default();
    (void)snprintf(server.uri, sizeof server.uri, "coaps://other");
    server.bootstrap = true;
    server.security.mode = DUNLIN_EST;
    server.security.server_key = dunlin_slice_of("abc");
    make_client(w, false);
    assert_int_equal(dunlin_client_add_server(w->s.r.client, &server), DUNLIN_ERR_UNSUPPORTED);
}

static const sequence_step two[] = {
    ACCOUNT(""),
    {DN_COAP_PUT, "/0",
     "[{\"bn\":\"/0/5/\",\"n\":\"0\",\"vs\":\"coap://server\"},{\"n\":\"1\",\"vb\":false},"
     "{\"n\":\"2\",\"v\":3},{\"n\":\"3\",\"vd\":\"\"},{\"n\":\"4\",\"vd\":\"\"},"
     "{\"n\":\"5\",\"vd\":\"\"},{\"n\":\"10\",\"v\":2}]",
     0},
    {DN_COAP_PUT, "/1",
     "[{\"bn\":\"/1/0/\",\"n\":\"0\",\"v\":1},{\"n\":\"1\",\"v\":86400},{\"n\":\"6\",\"vb\":false},"
     "{\"n\":\"7\",\"vs\":\"U\"},{\"bn\":\"/1/1/\",\"n\":\"0\",\"v\":2},{\"n\":\"1\",\"v\":86400},"
     "{\"n\":\"6\",\"vb\":false},{\"n\":\"7\",\"vs\":\"U\"}]",
     0},
    FINISH};

/* Only accounts that want a certificate wait for one. */
static void other_accounts_do_not_wait(void **state)
{
    world *w = *state;
    w->code = DN_COAP_FORBIDDEN;
    w->s.steps = two;
    w->s.step_count = 4;
    sequence_start(&w->s);
    sequence_run(&w->s, 5);
    assert_string_equal(w->s.codes, "2.04 2.04 2.04 2.04");
    assert_non_null(strstr(w->asked, "crts sen"));
    assert_int_equal(w->ways, 0); /* not to server 1 */
    assert_null(strchr(w->s.log, 'E'));
    assert_non_null(strstr(w->s.log, "R2"));
    assert_null(strstr(w->s.log, "F1"));
}

/* The other server turns the device away meanwhile: what follows is more than the next try to get a certificate. */
static void a_bootstrap_that_is_needed_comes_before_the_next_try(void **state)
{
    world *w = *state;
    w->code = DN_COAP_UNAVAILABLE;
    w->max_age_s = 1000;
    w->s.r.register_code = DN_COAP_FORBIDDEN;
    w->s.steps = two;
    w->s.step_count = 4;
    sequence_start(&w->s);
    sequence_run(&w->s, 990);
    assert_non_null(strstr(w->s.log, "B2"));
    assert_string_equal(w->asked, "crts sen");
    assert_int_equal(w->s.requests, 1);
    w->code = DN_COAP_FORBIDDEN;
    w->s.r.register_code = DN_COAP_CREATED;
    sequence_run(&w->s, 100);
    assert_int_equal(w->s.requests, 2);
    assert_non_null(strstr(w->s.log, "R2"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_certificate_is_asked_for_and_used, make_world, free_world),
        cmocka_unit_test_setup_teardown(it_outlives_a_restart, make_world, free_world),
        cmocka_unit_test_setup_teardown(it_waits_as_it_is_told, make_world, free_world),
        cmocka_unit_test_setup_teardown(patience_has_an_end, make_world, free_world),
        cmocka_unit_test_setup_teardown(refusals, make_world, free_world),
        cmocka_unit_test_setup_teardown(what_is_not_ours_is_not_taken, make_world, free_world),
        cmocka_unit_test_setup_teardown(it_is_renewed_in_time, make_world, free_world),
        cmocka_unit_test_setup_teardown(a_renewal_that_fails_is_tried_ten_times, make_world, free_world),
        cmocka_unit_test_setup_teardown(a_renewal_that_fails_does_not_keep_a_bootstrap_away, make_world,
                                        free_world),
        cmocka_unit_test_setup_teardown(a_clock_that_is_ahead, make_world, free_world),
        cmocka_unit_test_setup_teardown(it_outlives_a_bootstrap_that_fails, make_world, free_world),
        cmocka_unit_test_setup_teardown(a_new_bootstrap_enrols_anew, make_world, free_world),
        cmocka_unit_test_setup_teardown(the_authorities_are_trusted, make_world, free_world),
        cmocka_unit_test_setup_teardown(a_key_that_is_there_is_used, make_world, free_world),
        cmocka_unit_test_setup_teardown(over_a_bad_link, make_world, free_world),
        cmocka_unit_test_setup_teardown(it_can_be_broken_off, make_world, free_world),
        cmocka_unit_test_setup_teardown(it_is_tried_again, make_world, free_world),
        cmocka_unit_test_setup_teardown(silence_is_a_failure, make_world, free_world),
        cmocka_unit_test_setup_teardown(not_for_the_bootstrap_server, make_world, free_world),
        cmocka_unit_test_setup_teardown(other_accounts_do_not_wait, make_world, free_world),
        cmocka_unit_test_setup_teardown(a_bootstrap_that_is_needed_comes_before_the_next_try, make_world,
                                        free_world),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
