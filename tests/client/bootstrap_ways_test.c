/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ways of a bootstrap: that to the bootstrap server, which is made, lost and given back, and those that the accounts which it has written
 * lead to (Transport 1.1.1 sections 5.2 and 6.4.2).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "tests/client/sequence.h"

#define PUT(path, json)            \
    {                              \
        DN_COAP_PUT, path, json, 0 \
    }
#define FINISH                       \
    {                                \
        DN_COAP_POST, "/bs", NULL, 0 \
    }
#define DELETE(path)                  \
    {                                 \
        DN_COAP_DELETE, path, NULL, 0 \
    }
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The account 1, with a PSK, at `uri`. */
#define SECURITY(uri, secret)                                                                              \
    "[{\"bn\":\"/0/0/\",\"n\":\"0\",\"vs\":\"" uri "\"},{\"n\":\"1\",\"vb\":false},{\"n\":\"2\",\"v\":0}," \
    "{\"n\":\"3\",\"vd\":\"aWQ\"},{\"n\":\"4\",\"vd\":\"\"},{\"n\":\"5\",\"vd\":\"" secret                 \
    "\"},{\"n\":\"10\",\"v\":1}]"
#define SERVER         \
    "[{\"bn\":\"/1/0/" \
    "\",\"n\":\"0\",\"v\":1},{\"n\":\"1\",\"v\":300},{\"n\":\"6\",\"vb\":true},{\"n\":\"7\",\"vs\":\"U\"}]"
#define ONE_SECRET   "c2VjcmV0LW9uZQ"
#define OTHER_SECRET "c2VjcmV0LXR3bw"

static const sequence_step whole[] = {PUT("/0", SECURITY("coaps://server", ONE_SECRET)), PUT("/1", SERVER),
                                      FINISH};
static const sequence_step unfinished[] = {PUT("/0", SECURITY("coaps://server", ONE_SECRET)),
                                           PUT("/1", SERVER)};

static void expect(const char *what, const char *is, const char *should_be)
{
    if (strcmp(is, should_be) != 0) {
        fail_msg("%s: \"%s\" instead of \"%s\"", what, is, should_be);
    }
}

static sequence *opened(const sequence_step *steps, size_t count)
{
    sequence *s = malloc(sizeof *s);
    assert_non_null(s);
    sequence_open(s, DUNLIN_LWM2M_1_1);
    s->steps = steps;
    s->step_count = count;
    s->ways = true;
    s->r.config.stream_message = 1152;
    sequence_make(s, 0);
    return s;
}

static void closed(sequence *s)
{
    sequence_close(s);
    free(s);
}

static void cut(sequence *s, int alert)
{
    dunlin_client_disconnected(s->r.client, DUNLIN_BOOTSTRAP_SERVER, DUNLIN_ERR_IO, alert,
                               dn_simlink_now(s->r.link));
}

static void each_server_has_its_own_way(void **state)
{
    sequence *s = opened(whole, COUNT(whole));
    (void)state;
    sequence_start(s);
    assert_true(dunlin_slice_equal(s->security.identity, dunlin_slice_of("factory")));
    sequence_run(s, 100);
    expect("ways", s->asked, "0c65535 coaps://other 0c1 coaps://server! 93d65535");
    expect("events", s->log, "0B 0b 0+ 0R1");
    assert_int_equal(s->security.mode, DUNLIN_PSK);
    assert_true(dunlin_slice_equal(s->security.identity, dunlin_slice_of("id")));
    assert_true(dunlin_slice_equal(s->security.secret, dunlin_slice_of("secret-one")));
    closed(s);
}

static void a_way_that_stays(void **state)
{
    sequence *s = opened(whole, COUNT(whole));
    (void)state;
    s->r.config.bootstrap_stays = true;
    sequence_make(s, 0);
    sequence_start(s);
    sequence_run(s, 10000);
    assert_null(strstr(s->asked, "d65535"));
    s->asked[0] = '\0';
    dunlin_client_stop(s->r.client, dn_simlink_now(s->r.link));
    sequence_run(s, 1);
    expect("with the stop it goes", s->asked, "10000d65535 10000d1");
    assert_true(dunlin_client_stopped(s->r.client));
    closed(s);
}

static void a_way_lost_is_a_bootstrap_failed(void **state)
{
    sequence *s = opened(unfinished, COUNT(unfinished));
    (void)state;
    sequence_start(s);
    sequence_run(s, 2);
    expect("written", sequence_value(s, "/1/0/1"), "300");
    cut(s, -1);
    sequence_run(s, 1);
    expect("taken back at once", sequence_value(s, "/1/0/1"), "-");
    s->steps = whole;
    s->step_count = COUNT(whole);
    sequence_run(s, 61);
    expect("events", s->log, "0B 0b 2- 62b 62+ 62R1");
    expect("ways", s->asked, "0c65535 coaps://other 62c65535 coaps://other 62c1 coaps://server!");
    closed(s);
}

/* It hangs up as soon as its Finish was taken, and before anything else could be done: that is no failure. */
static void a_way_lost_after_finish(void **state)
{
    static const uint8_t finish[] = {0x40, DN_COAP_POST, 0x77, 0x77, 0xB2, 'b', 's'};
    sequence *s = opened(unfinished, COUNT(unfinished));
    dunlin_peer peer = {.len = s->address.len};
    (void)state;
    sequence_start(s);
    sequence_run(s, 2);
    memcpy(peer.bytes, s->address.bytes, sizeof peer.bytes);
    dunlin_client_receive(s->r.client, &peer, dunlin_slice_make(finish, sizeof finish), 2000);
    cut(s, -1);
    sequence_run(s, 1);
    expect("events", s->log, "0B 0b 2+ 2R1");
    expect("the account stays", sequence_value(s, "/1/0/1"), "300");
    closed(s);
}

/* An alert that forbids to try again leaves the longest wait. */
static void an_alert_puts_it_off(void **state)
{
    enum { BAD_CERTIFICATE = 42 };
    sequence *s = opened(whole, COUNT(whole));
    (void)state;
    s->mute = true;
    sequence_start(s);
    sequence_run(s, 2);
    cut(s, BAD_CERTIFICATE);
    sequence_run(s, 1000);
    expect("events", s->log, "0B 2-");
    assert_int_equal(s->retry_ms, 3600000);
    expect("it is no server's alert", sequence_value(s, "/1/0/11"), "-");
    closed(s);
}

/* The way to where it was is of no use for the next time. */
static void new_credentials_of_the_bootstrap_server(void **state)
{
    static const sequence_step steps[] = {
        PUT("/0", SECURITY("coaps://server", ONE_SECRET)), PUT("/1", SERVER),
        PUT("/0/1/5", "[{\"n\":\"/0/1/5\",\"vd\":\"" OTHER_SECRET "\"}]"), FINISH};
    sequence *s = opened(steps, COUNT(steps));
    (void)state;
    s->r.config.bootstrap_stays = true;
    sequence_make(s, 0);
    sequence_start(s);
    sequence_run(s, 10);
    expect("the way is not that of its account any more", s->asked,
           "0c65535 coaps://other 0d65535 0c1 coaps://server!");
    assert_int_equal(dunlin_client_bootstrap(s->r.client, 10000), DUNLIN_OK);
    s->asked[0] = '\0';
    s->step_count = 0;
    sequence_run(s, 1);
    expect("the next one has the new ones", s->asked, "10c65535 coaps://other!");
    assert_true(dunlin_slice_equal(s->security.secret, dunlin_slice_of("secret-two")));
    closed(s);
}

/* The same server with other credentials is another one: the session is anew, and so is the registration. */
static void new_credentials_of_a_server(void **state)
{
    static const sequence_step steps[] = {PUT("/0/0/5", "[{\"n\":\"/0/0/5\",\"vd\":\"" OTHER_SECRET "\"}]"),
                                          FINISH};
    sequence *s = opened(whole, COUNT(whole));
    (void)state;
    sequence_start(s);
    sequence_run(s, 10);
    s->steps = steps;
    s->step_count = COUNT(steps);
    s->asked[0] = s->log[0] = '\0';
    assert_int_equal(dunlin_client_bootstrap(s->r.client, 10000), DUNLIN_OK);
    sequence_run(s, 2);
    expect("events", s->log, "10b 10D1 10+ 10R1");
    expect("ways", s->asked, "10c65535 coaps://other 10d1 10c1 coaps://server!");
    assert_true(dunlin_slice_equal(s->security.secret, dunlin_slice_of("secret-two")));
    closed(s);
}

/* The same credentials, written once more, are the same account: it stays registered. */
static void the_same_once_more(void **state)
{
    static const sequence_step steps[] = {DELETE("/0"), DELETE("/1"),
                                          PUT("/0", SECURITY("coaps://server", ONE_SECRET)),
                                          PUT("/1", SERVER), FINISH};
    sequence *s = opened(whole, COUNT(whole));
    (void)state;
    sequence_start(s);
    sequence_run(s, 10);
    s->steps = steps;
    s->step_count = COUNT(steps);
    s->asked[0] = s->log[0] = '\0';
    assert_int_equal(dunlin_client_bootstrap(s->r.client, 10000), DUNLIN_OK);
    sequence_run(s, 2);
    expect("events", s->log, "10b 10+ 10U1");
    expect("ways", s->asked, "10c65535 coaps://other");
    closed(s);
}

/* What a bootstrap server writes about bindings does not outweigh the URI (it knows nothing of ours). */
static void the_uri_says_the_transport(void **state)
{
    static const sequence_step tcp[] = {PUT("/0", SECURITY("coaps+tcp://server", ONE_SECRET)),
                                        PUT("/1", SERVER), FINISH};
    static const char expected[] = "0c65535 coaps://other 0c1 coaps+tcp://server!";
    sequence *s = opened(tcp, COUNT(tcp));
    (void)state;
    sequence_start(s);
    sequence_run(s, 1);
    s->asked[sizeof expected - 1] = '\0'; /* nobody is there to answer over TCP: more tries follow */
    expect("ways", s->asked, expected);
    closed(s);
}

/* Over a stream nothing comes again: it is given back with Finish. */
static void over_tcp(void **state)
{
    static const sequence_step steps[] = {PUT("/0", SECURITY("coaps://server", ONE_SECRET)),
                                          PUT("/1", SERVER), FINISH};
    sequence *s = opened(steps, COUNT(steps));
    (void)state;
    s->tcp = true;
    sequence_make(s, 0);
    sequence_start(s);
    sequence_run(s, 5);
    expect("answers", s->codes, "2.04 2.04 2.04");
    expect("events", s->log, "0B 0b 0+ 0R1");
    expect("ways", s->asked, "0c65535 coap+tcp://other 0d65535 0c1 coaps://server!");
    closed(s);
}

static void a_stream_lost_is_a_bootstrap_failed(void **state)
{
    sequence *s = opened(unfinished, COUNT(unfinished));
    (void)state;
    s->tcp = true;
    sequence_make(s, 0);
    sequence_start(s);
    sequence_run(s, 5);
    dn_coap_close(s->coap, &s->r.client_stream);
    cut(s, -1);
    sequence_run(s, 1);
    expect("taken back", sequence_value(s, "/1/0/1"), "-");
    s->steps = whole;
    s->step_count = COUNT(whole);
    sequence_run(s, 60);
    expect("events", s->log, "0B 0b 5- 65b 65+ 65R1");
    closed(s);
}

/* A bootstrap server that cannot be reached as configured is a failure like others, not the end. */
static void a_scheme_that_cannot_be_served(void **state)
{
    static const char account[] = "[{\"bn\":\"/0/1/\",\"n\":\"0\",\"vs\":\"coap+sms://"
                                  "other\"},{\"n\":\"1\",\"vb\":true},{\"n\":\"2\",\"v\":3}]";
    sequence *s = opened(whole, COUNT(whole));
    (void)state;
    sequence_make(s, -1);
    const dunlin_status status = dunlin_client_provision(s->r.client, dunlin_path_root(),
                                                         DN_FORMAT_SENML_JSON, dunlin_slice_of(account));
    assert_int_equal(status, DUNLIN_OK);
    sequence_start(s);
    sequence_run(s, 3601);
    expect("events", s->log, "0B 0- 3600-");
    expect("ways", s->asked, "");
    closed(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_server_has_its_own_way),
        cmocka_unit_test(a_way_that_stays),
        cmocka_unit_test(a_way_lost_is_a_bootstrap_failed),
        cmocka_unit_test(a_way_lost_after_finish),
        cmocka_unit_test(an_alert_puts_it_off),
        cmocka_unit_test(new_credentials_of_the_bootstrap_server),
        cmocka_unit_test(new_credentials_of_a_server),
        cmocka_unit_test(the_same_once_more),
        cmocka_unit_test(the_uri_says_the_transport),
        cmocka_unit_test(over_tcp),
        cmocka_unit_test(a_stream_lost_is_a_bootstrap_failed),
        cmocka_unit_test(a_scheme_that_cannot_be_served),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
