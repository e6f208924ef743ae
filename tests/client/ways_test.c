/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ways to servers: what comes of their coming and going in every state of a registration (Transport 1.1.1 sections 5.2.9 and
 * 6.4.3; Object 1 resources 7, 8, 11, 16 to 20 and 22).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/client/ways.h"

#define SECOND 1000ull

typedef struct {
    const char *name;
    ways_account account;
    const char *script;
    const char *log;
} way_row;

static void play_rows(const way_row *rows, size_t count)
{
    ways *w = malloc(sizeof *w);
    unsigned bad = 0;
    assert_non_null(w);
    for (size_t i = 0; i < count; i++) {
        ways_open(w, &rows[i].account, 1);
        ways_play(w, rows[i].script);
        if (strcmp(w->log, rows[i].log) != 0) {
            print_error("%s:\n  %s\n  instead of\n  %s\n", rows[i].name, w->log, rows[i].log);
            bad++;
        }
        ways_close(w);
    }
    free(w);
    assert_int_equal(bad, 0);
}

#define PLAY(rows) play_rows(rows, sizeof(rows) / sizeof(rows)[0])

#define TCP .uri = "coap+tcp://server"
#define TLS .uri = "coaps+tcp://server"
#define UDP .uri = "coap://server"

/* ---- before there is a registration ---- */

static void connecting_by_table(void **state)
{
    static const way_row rows[] = {
        {"at once", {0}, "0 start; 1 run", "0c 0C 0R"},
        {"at once over UDP, which is no session", {UDP}, "0 start; 1 run", "0c 0R"},
        {"at once over TCP", {TCP}, "0 start; 1 run", "0c 0C 0R"},
        {"at once over TLS", {TLS}, "0 start; 1 run", "0c 0C 0R"},
        {"later", {0}, "0 later; 0 start; 7 up; 9 run", "0c 7C 7R"},
        {"later over TLS", {TLS}, "0 later; 0 start; 7 up; 9 run", "0c 7C 7R"},
        {"later over UDP", {UDP}, "0 later; 0 start; 7 up; 9 run", "0c 7R"},
        {"never: given up by our own clock, and tried again",
         {0},
         "0 later; 0 start; 119 run; 131 run",
         "0c 120N 120d 130c"},
        {"it does not come about", {0}, "0 later; 0 start; 2 cut; 13 run", "0c 2N 12c"},
        {"the server says goodbye instead", {0}, "0 later; 0 start; 2 end 0; 13 run", "0c 2N 12c"},
        {"there is none now", {0}, "0 none; 0 start; 11 run", "0c 0N 10c 10N"},
        {"all tries are used up", {0}, "0 none; 0 start; 100 run", "0c 0N 10c 10N 30c 30N 30F 30B"},
        {"and no bootstrap is wanted",
         {.no_bootstrap = true},
         "0 none; 0 start; 100 run",
         "0c 0N 10c 10N 30c 30N 30F"},
        {"it comes at the second try", {0}, "0 none; 0 start; 5 ok; 15 run", "0c 0N 10c 10C 10R"},
        {"stop while it is awaited", {0}, "0 later; 0 start; 3 stop; 5 run", "0c 3D 3d"},
        {"what comes after stop is given back", {0}, "0 later; 0 start; 3 stop; 5 up; 6 run", "0c 3D 3d 5d"},
        {"what goes after stop is no news", {0}, "0 later; 0 start; 3 stop; 5 cut 42; 6 run", "0c 3D 3d"},
        {"what comes too late is given back", {0}, "0 later; 0 start; 125 up; 126 run", "0c 120N 120d 125d"},
        {"restart while it is awaited", {0}, "0 later; 0 start; 3 restart; 5 up; 6 run", "0c 3d 3c 5C 5R"},
        {"start does nothing while it is awaited", {0}, "0 later; 0 start; 3 start; 5 up", "0c 5C 5R"},
        {"a Register that is refused keeps the way",
         {0},
         "0 refuse; 0 start; 5 accept; 11 run",
         "0c 0C 0X 10c 10R"},
        {"a Register that is not answered does not: it may be of no use",
         {.retries = 2},
         "0 mute; 0 start; 90 hear; 110 run",
         "0c 0C 85N 85d 95c 95C 95R"},
        {"over UDP there is nothing to distrust",
         {UDP, .retries = 2},
         "0 mute; 0 start; 90 hear; 110 run",
         "0c 85N 95c 95R"},
        {"it goes during the Register",
         {0},
         "0 mute; 0 start; 1 cut; 12 hear; 20 run",
         "0c 0C 1L 1N 11c 11C 13R"},
        {"a stream goes during the Register",
         {TLS},
         "0 mute; 0 start; 1 cut; 2 hear; 20 run",
         "0c 0C 1L 1N 11c 11C 11R"},
        {"it goes while a refused Register waits for its time",
         {0},
         "0 refuse; 0 start; 2 cut; 5 accept; 12 run",
         "0c 0C 0X 2L 10c 10C 10R"},
        {"stop during the Register", {0}, "0 mute; 0 start; 1 stop; 2 run", "0c 0C 1D 1d"},
        {"another way takes the place of the first during the Register",
         {0},
         "0 mute; 0 start; 1 move; 1 hear; 1 up; 2 run",
         "0c 0C 1C 1R"},
        {"the same once more is no news", {0}, "0 start; 1 up; 2 run", "0c 0C 0R"},
    };
    (void)state;
    PLAY(rows);
}

/* ---- while registered ---- */

static void registered_by_table(void **state)
{
    static const way_row rows[] = {
        {"a session is not missed until there is something to send",
         {0},
         "0 start; 20 cut; 1000 update; 1001 run",
         "0c 0C 0R 20L 1000c 1000C 1000R"},
        {"nor is plain UDP", {UDP}, "0 start; 20 cut; 1000 update; 1001 run", "0c 0R 20L 1000c 1000R"},
        {"a Send needs it", {0}, "0 start; 20 cut; 50 send; 51 run", "0c 0C 0R 20L 50c 50C 50R 50S"},
        {"a Send waits for it",
         {0},
         "0 start; 20 cut; 30 later; 50 send; 80 up; 81 run",
         "0c 0C 0R 20L 50c 80C 80R 80S"},
        {"a Send ends with the last try",
         {0},
         "0 start; 20 cut; 30 none; 50 send; 200 run",
         "0c 0C 0R 20L 50c 50N 60c 60N 80c 80N 80F 80B 80s"},
        {"a stream is missed at once: the server cannot make one",
         {TLS},
         "0 start; 20 cut; 21 run",
         "0c 0C 0R 20L 20c 20C 20R"},
        {"so is one without security", {TCP}, "0 start; 20 end; 21 run", "0c 0C 0R 20L 20c 20C 20R"},
        {"one that was brief is a failed try",
         {TLS},
         "0 start; 3 cut; 12 cut; 31 run",
         "0c 0C 0R 3L 3N 13c 13C 13R"},
        {"again and again it uses them up",
         {TLS},
         "0 start; 3 cut; 15 cut; 37 cut; 60 run",
         "0c 0C 0R 3L 3N 13c 13C 13R 15L 15N 35c 35C 35R 37L 37N 37F 37B"},
        {"but one that has lasted clears the account",
         {TLS},
         "0 start; 3 cut; 15 cut; 100 cut; 103 cut; 114 run",
         "0c 0C 0R 3L 3N 13c 13C 13R 15L 15N 35c 35C 35R 100L 100c 100C 100R 103L 103N 113c 113C 113R"},
        {"a brief session is not missed either, but not asked for at once",
         {0},
         "0 start; 3 cut; 4 send; 20 run",
         "0c 0C 0R 3L 4N 14c 14C 14R 14S"},
        {"it goes during an Update",
         {0},
         "0 start; 20 mute; 20 update; 21 hear; 21 cut; 22 run",
         "0c 0C 0R 21L 21c 21C 21R"},
        {"an Update that is not answered makes a new one",
         {0},
         "0 start; 20 mute; 20 update; 90 hear; 120 run",
         "0c 0C 0R 95N 95d 95c 95C 95R"},
        {"stop without a way ends at once", {0}, "0 start; 20 cut; 30 stop; 31 run", "0c 0C 0R 20L 30D"},
        {"stop gives it back when the server has answered",
         {0},
         "0 start; 30 stop; 31 run",
         "0c 0C 0R 30D 30d"},
        {"it goes during the De-register",
         {0},
         "0 start; 20 mute; 20 stop; 22 cut; 23 run",
         "0c 0C 0R 22L 22D"},
        {"a server that disables itself is left", {0}, "0 start; 20 disable; 21 run", "0c 0C 0R 20D 20d"},
        {"and what becomes of its way does not matter",
         {0},
         "0 start; 20 disable; 21 cut 42; 22 run",
         "0c 0C 0R 20D 20d"},
        {"a stream goes while it says that it is disabled",
         {TLS},
         "0 start; 20 keep; 20 disable; 21 cut; 22 run",
         "0c 0C 0R 21L 21D"},
        {"restart while it says so",
         {TLS},
         "0 start; 20 keep; 20 disable; 21 restart; 22 run",
         "0c 0C 0R 21d 21c 21C 21R"},
        {"restart makes a new one", {0}, "0 start; 30 restart; 31 run", "0c 0C 0R 30d 30c 30C 30R"},
        {"a server that forgets us has not lost the way",
         {0},
         "0 start; 20 forget; 20 update; 21 run",
         "0c 0C 0R 20c 20R"},
        {"another way by itself: a Register", {0}, "0 start; 30 move; 30 up; 31 run", "0c 0C 0R 30C 30R"},
    };
    (void)state;
    PLAY(rows);
}

static void what_is_told_from_within_is_known_already(void **state)
{
    static const char *const uris[] = {"coap://server", "coaps://server", "coaps+tcp://server"};
    static ways w;
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        const ways_account account = {.uri = uris[i]};
        ways_open(&w, &account, 1);
        w.chatty = true;
        ways_play(&w, "0 start; 20 restart; 21 run; 40 stop; 41 run");
        assert_string_equal(w.log, i == 0 ? "0c 0R 20d 20c 20R 40D 40d" : "0c 0C 0R 20d 20c 20C 20R 40D 40d");
        ways_close(&w);
    }
}

/* ---- the two ends of a stream ---- */

static void server_signals(ways *w, dunlin_slice message)
{
    dunlin_peer peer = {.len = w->r.server_stream.len};
    memcpy(peer.bytes, w->r.server_stream.bytes, sizeof peer.bytes);
    dunlin_client_receive(w->r.client, &peer, message, dn_simlink_now(w->r.link));
    rig_run(&w->r, 0);
}

static void streams_that_the_server_ends(void **state)
{
    static const uint8_t abort_[] = {0x00, 0xe5};
    static const uint8_t release[] = {0x00, 0xe4};
    static const uint8_t garbage[] = {0x0f, 0x01};
    static const struct {
        const char *name;
        dunlin_slice message;
        const char *before, *after;
        const char *log;
    } rows[] = {
        {"Abort", {abort_, 2}, "0 start; 20 run", "21 run", "0c 0C 0R 20d 20L 20c 20C 20R"},
        {"Release, when nothing is under way",
         {release, 2},
         "0 start; 20 run",
         "21 run",
         "0c 0C 0R 20d 20L 20c 20C 20R"},
        {"Release waits for the answer to an Update",
         {release, 2},
         "0 start; 20 mute; 20 update; 20 run",
         "21 hear; 30 run; 200 run",
         "0c 0C 0R 113N 113d 113c 113C 113R"},
        {"Release holds back what is new",
         {release, 2},
         "0 start; 20 mute; 20 send; 20 run",
         "21 hear; 22 send; 200 run",
         "0c 0C 0R 113s 113d 113L 113c 113C 113R 113S"},
        {"what breaks the protocol",
         {garbage, 2},
         "0 start; 19 later; 20 run",
         "21 up; 22 run",
         "0c 0C 0R 20d 20L 20c 21C 21R"},
        {"Abort of one that was brief",
         {abort_, 2},
         "0 start; 5 run",
         "16 run",
         "0c 0C 0R 5d 5L 5N 15c 15C 15R"},
    };
    static ways w;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const ways_account account = {TLS};
        ways_open(&w, &account, 1);
        ways_play(&w, rows[i].before);
        server_signals(&w, rows[i].message);
        ways_play(&w, rows[i].after);
        if (strcmp(w.log, rows[i].log) != 0) {
            fail_msg("%s: %s instead of %s", rows[i].name, w.log, rows[i].log);
        }
        ways_close(&w);
    }
}

/* RFC 8323 section 5.3: who says nothing of itself is left. */
static void a_server_without_csm_is_left(void **state)
{
    const ways_account account = {TCP, .retries = 2};
    static ways w;
    (void)state;
    ways_open(&w, &account, 1);
    w.dumb = true;
    ways_play(&w, "0 mute; 0 start; 29 run");
    assert_string_equal(w.log, "0c 0C");
    ways_play(&w, "35 run");
    assert_string_equal(w.log, "0c 0C 30d 30L 30N");
    ways_close(&w);
}

static void requests_come_over_streams(void **state)
{
    static const char *const uris[] = {"coap+tcp://server", "coaps+tcp://server"};
    static ways w;
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const ways_account account = {.uri = uris[i]};
        ways_open(&w, &account, 1);
        ways_play(&w, "0 start; 1 run");
        assert_string_equal(w.r.query, "ep=urn:dev:ops:rig-1&lt=86400&lwm2m=1.1&b=T");
        assert_string_equal(rig_code(rig_get(&w.r, "/3/0/0", -1)->code), "2.05");
        assert_string_equal(rig_code(rig_send(&w.r, DN_COAP_PUT, "/1/0/1", 0, "60")->code), "2.04");
        ways_play(&w, "2 run");
        assert_int_equal(w.r.updates, 1);
        assert_string_equal(w.r.query, "lt=60");
        ways_play(&w, "3 send; 4 run");
        assert_int_equal(w.send_status, DUNLIN_OK);
        assert_int_equal(w.r.sends, 1);
        ways_play(&w, "5 stop; 6 run");
        assert_int_equal(w.r.deregisters, 1);
        assert_true(dunlin_client_stopped(w.r.client));
        assert_string_equal(w.log, "0c 0C 0R 1U 3S 5D 5d");
        ways_close(&w);
    }
}

/* As over UDP: before a Register is acknowledged nobody is served (Core 1.1.1 section 6.2). */
static void requests_before_registration_are_ignored_on_streams(void **state)
{
    static const struct {
        const char *name;
        uint8_t bytes[24];
        size_t len;
        unsigned expected;
    } rows[] = {
        {"GET", {0x00, 0x01}, 2, 1},
        {"GET with a payload of 13 bytes", {0xd0, 0x01, 0x01, 0xff, 'a'}, 17, 1},
        {"a response", {0x00, 0x45}, 2, 0},
        {"Ping", {0x00, 0xe2}, 2, 0},
        {"the empty message", {0x00, 0x00}, 2, 0},
    };
    static ways w;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const ways_account account = {TCP};
        ways_open(&w, &account, 1);
        ways_play(&w, "0 mute; 0 start; 1 run");
        server_signals(&w, dunlin_slice_make(rows[i].bytes, rows[i].len));
        if (dunlin_client_count(w.r.client).not_expected != rows[i].expected) {
            fail_msg("%s", rows[i].name);
        }
        ways_close(&w);
    }
}

static const dunlin_client_event *last_event(const ways *w, dunlin_client_event_kind kind)
{
    const dunlin_client_event *found = NULL;
    for (size_t i = 0; i < w->r.event_count; i++) {
        found = w->r.events[i].kind == kind ? &w->r.events[i] : found;
    }
    assert_non_null(found);
    return found;
}

/* ---- reports ---- */

static void what_is_to_be_told_makes_a_way(void **state)
{
    static const way_row rows[] = {
        {"a value", {0}, "0 start; 1 observe; 20 cut; 50 value; 51 run", "0c 0C 0R 20L 50c 50C 50R"},
        {"also when nothing is stored",
         {.no_store = true},
         "0 start; 1 observe; 20 cut; 50 value; 51 run",
         "0c 0C 0R 20L 50c 50C 50R"},
        {"a value that nobody observes", {0}, "0 start; 20 cut; 50 value; 51 run", "0c 0C 0R 20L"},
    };
    (void)state;
    PLAY(rows);
}

/* It is kept until the server observes again, with the time at which it was true. */
static void values_are_stored_while_there_is_no_way(void **state)
{
    static const char *const uris[] = {"coaps://server", "coaps+tcp://server"};
    static ways w;
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const ways_account account = {.uri = uris[i]};
        const rig_request request = {.method = DN_COAP_GET,
                                     .path = "/3303/0/5700",
                                     .observe = true,
                                     .token = 8,
                                     .has_accept = true,
                                     .accept = 110};
        ways_open(&w, &account, 1);
        ways_play(&w, "0 start; 1 observe; 2 later; 20 cut; 30 value; 40 value; 60 up; 61 run");
        assert_int_equal(dunlin_client_count(w.r.client).stored, 2);
        assert_int_equal(w.r.registers, 2);
        assert_int_equal(w.r.notify_count, 0);
        (void)rig_ask(&w.r, &request);
        ways_play(&w, "70 run");
        assert_int_equal(w.r.notify_count, 1);
        assert_non_null(strstr((const char *)w.r.notified[0].payload, "\"v\":22"));
        assert_non_null(strstr((const char *)w.r.notified[0].payload, "\"v\":23"));
        ways_close(&w);
    }
}

/* ---- transports ---- */

static void transports_by_table(void **state)
{
    static const struct {
        const char *name;
        ways_account account;
        const char *script;
        const char *uri, *binding;
    } rows[] = {
        {"the URI's own", {UDP}, "0 start; 1 run", "coap://server", "b=U"},
        {"TCP", {TCP}, "0 start; 1 run", "coap+tcp://server", "b=T"},
        {"TLS", {TLS}, "0 start; 1 run", "coaps+tcp://server", "b=T"},
        {"both, of which it is one", {.binding = "UT"}, "0 start; 1 run", "coaps://server", "b=UT"},
        {"both, the other way round", {TLS, .binding = "UT"}, "0 start; 1 run", "coaps+tcp://server", "b=UT"},
        {"a scheme in capitals",
         {.uri = "COAPS+TCP://server"},
         "0 start; 1 run",
         "coaps+tcp://server",
         "b=T"},
        {"TCP is preferred",
         {.preferred = "T", .binding = "UT"},
         "0 start; 1 run",
         "coaps+tcp://server",
         "b=UT"},
        {"UDP is preferred", {TLS, .preferred = "U"}, "0 start; 1 run", "coaps://server", "b=U"},
        {"the preferred one is tried first",
         {.preferred = "T"},
         "0 none; 0 start; 1 run",
         "coaps+tcp://server",
         ""},
        {"then the URI's", {.preferred = "T"}, "0 none; 0 start; 11 run", "coaps://server", ""},
        {"then the preferred one again",
         {.preferred = "T"},
         "0 none; 0 start; 31 run",
         "coaps+tcp://server",
         ""},
        {"a trigger moves to another one", {0}, "0 start; 20 trigger-t; 21 run", "coaps+tcp://server", "b=T"},
        {"which is for once", {0}, "0 start; 20 trigger-t; 40 cut; 41 run", "coaps://server", "b=U"},
        {"a trigger to what there is", {TLS}, "0 start; 20 trigger-t; 21 run", "coaps+tcp://server", ""},
    };
    static ways w;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ways_open(&w, &rows[i].account, 1);
        ways_play(&w, rows[i].script);
        const char *binding = strstr(w.r.query, "b=");
        if (strcmp(w.asked_uri, rows[i].uri) != 0 ||
            strcmp(binding == NULL ? "" : binding, rows[i].binding) != 0) {
            fail_msg("%s: %s, %s", rows[i].name, w.asked_uri, w.r.query);
        }
        ways_close(&w);
    }
}

/* The old way is given back before the new one is asked for. */
static void a_trigger_moves_from_one_way_to_the_other(void **state)
{
    const ways_account account = {0};
    static ways w;
    (void)state;
    ways_open(&w, &account, 1);
    ways_play(&w, "0 start; 20 trigger-t; 21 run");
    assert_string_equal(w.log, "0c 0C 0R 20d 20c 20C 20R");
    assert_string_equal(rig_code(rig_get(&w.r, "/3/0/0", -1)->code), "2.05");
    ways_close(&w);
}

static void bindings_that_can_be_written(void **state)
{
    static const struct {
        const char *path, *text, *code;
    } rows[] = {
        {"/1/0/7", "U", "2.04"},  {"/1/0/7", "T", "2.04"},  {"/1/0/7", "UT", "2.04"},
        {"/1/0/7", "TU", "2.04"}, {"/1/0/7", "TT", "4.00"}, {"/1/0/7", "S", "4.00"},
        {"/1/0/7", "US", "4.00"}, {"/1/0/7", "", "4.00"},   {"/1/0/22", "T", "2.04"},
        {"/1/0/22", "U", "2.04"}, {"/1/0/22", "S", "4.00"},
    };
    static ways w;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const ways_account account = {0};
        ways_open(&w, &account, 1);
        ways_play(&w, "0 start; 1 run");
        const uint8_t code = rig_send(&w.r, DN_COAP_PUT, rows[i].path, 0, rows[i].text)->code;
        if (strcmp(rig_code(code), rows[i].code) != 0) {
            fail_msg("%s = %s: %s", rows[i].path, rows[i].text, rig_code(code));
        }
        ways_close(&w);
    }
}

static void a_binding_is_told_and_holds_for_the_next_session(void **state)
{
    const ways_account account = {0};
    static ways w;
    (void)state;
    ways_open(&w, &account, 1);
    ways_play(&w, "0 start; 1 run");
    (void)rig_send(&w.r, DN_COAP_PUT, "/1/0/7", 0, "UT");
    ways_play(&w, "2 run");
    assert_string_equal(w.r.query, "b=UT");
    (void)rig_send(&w.r, DN_COAP_PUT, "/1/0/7", 0, "T");
    ways_play(&w, "3 run");
    assert_string_equal(w.log,
                        "0c 0C 0R 1U 2U"); /* by datagrams still, and that is what the server is told */
    ways_play(&w, "20 restart; 21 run");
    assert_string_equal(w.asked_uri, "coaps+tcp://server");
    assert_non_null(strstr(w.r.query, "b=T"));
    ways_close(&w);
}

static void what_cannot_be_reached_fails_at_once(void **state)
{
    static const way_row rows[] = {
        {"DTLS without anybody to make it", {.no_connect = true}, "0 start; 100 run", "0F 0B"},
        {"TCP without anybody to make it", {TCP, .no_connect = true}, "0 start; 100 run", "0F 0B"},
        {"plain UDP needs nobody", {UDP, .no_connect = true}, "0 start; 100 run", "0R"},
        {"TCP in LwM2M 1.0", {TCP, .lwm2m_1_0 = true}, "0 start; 100 run", "0F 0B"},
        {"no CoAP at all", {.uri = "http://server"}, "0 start; 100 run", "0F 0B"},
    };
    static ways w;
    (void)state;
    PLAY(rows);
    ways_open(&w, &rows[0].account, 1);
    ways_play(&w, "0 start; 1 run");
    assert_int_equal(last_event(&w, DUNLIN_CLIENT_FAILED)->status, DUNLIN_ERR_UNSUPPORTED);
    ways_close(&w);
}

/* ---- queue mode ---- */

static void queued(ways *w, const char *uri)
{
    const ways_account account = {.uri = uri};
    ways_open(w, &account, 1);
    w->r.config.queue_mode = true;
    ways_remake(w, &account, 1);
}

/* It sleeps between messages with the way that it has, and neither while it waits for one. */
static void a_sleeper_keeps_its_way(void **state)
{
    static const struct {
        const char *name, *uri, *script, *log;
    } rows[] = {
        {"a session stays over its sleep", "coaps://server", "0 start; 200 update; 201 run; 300 run",
         "0c 0C 0R 93z 200a 200U 293z"},
        {"a lost session is missed when it wakes", "coaps://server", "0 start; 100 cut; 200 update; 201 run",
         "0c 0C 0R 93z 100L 200a 200c 200C 200R"},
        {"a lost stream at once", "coaps+tcp://server", "0 start; 100 cut; 101 run",
         "0c 0C 0R 93z 100L 100a 100c 100C 100R"},
        {"awake as long as a way is awaited", "coaps://server", "0 later; 0 start; 110 up; 111 run; 300 run",
         "0c 110C 110R 203z"},
    };
    static ways w;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        queued(&w, rows[i].uri);
        ways_play(&w, rows[i].script);
        if (strcmp(w.log, rows[i].log) != 0) {
            fail_msg("%s: %s instead of %s", rows[i].name, w.log, rows[i].log);
        }
        ways_close(&w);
    }
}

/* ---- several servers ---- */

static void several_servers_by_table(void **state)
{
    static const struct {
        const char *name;
        ways_account accounts[2];
        const char *script, *log;
    } rows[] = {
        {"one that fails for good lets the next one have its turn",
         {{.priority = 1}, {.priority = 2}},
         "0 later; 0 start; 3 cut@1 42; 4 ok; 5 run",
         "0:1c 3:1F 3:1B 3:2c"},
        {"unless it blocks",
         {{.priority = 1, .blocks = true}, {.priority = 2, .no_bootstrap = true}},
         "0 later; 0 start; 3 cut@1 42; 5 run",
         "0:1c 3:1F 3:1B 3:2F"},
        {"one that is tried again keeps its turn",
         {{.priority = 1}, {.priority = 2}},
         "0 later; 0 start; 3 cut@1 40; 12 run",
         "0:1c 3:1N"},
        {"on their own they do not mind each other",
         {{0}, {0}},
         "0 later; 0 start; 3 cut@2 42; 4 up@1; 5 run",
         "0:1c 0:2c 3:2F 3:2B 4:1C 4:1R"},
        {"one that is no server of ours",
         {{0}, {0}},
         "0 later; 0 start; 3 cut@9 42; 4 up@9; 5 run",
         "0:1c 0:2c"},
    };
    static ways w;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ways_open(&w, rows[i].accounts, 2);
        ways_play(&w, rows[i].script);
        if (strcmp(w.log, rows[i].log) != 0) {
            fail_msg("%s: %s instead of %s", rows[i].name, w.log, rows[i].log);
        }
        ways_close(&w);
    }
}

/* ---- one address, two transports ---- */

typedef struct {
    unsigned sent[4];   /* by transport */
    uint8_t last[4][8]; /* begin of the last message */
    uint16_t registered[4];
    unsigned count;
} by_hand;

static dunlin_status hand_connect(void *context, const dunlin_way *way, dunlin_peer *peer)
{
    (void)context;
    const bool tcp = strcmp(way->uri, "coap+tcp://server") == 0;
    *peer = (dunlin_peer){.len = 7, .bytes = {(uint8_t)(tcp ? 0x21 : 0x01), 127, 0, 0, 1, 0x16, 0x33}};
    return DUNLIN_OK;
}

static void hand_send(void *context, const dunlin_peer *peer, dunlin_slice message)
{
    by_hand *h = context;
    const size_t transport = peer->bytes[0] >> 4;
    h->sent[transport]++;
    memcpy(h->last[transport], message.data, message.len < 8 ? message.len : 8);
}

static void hand_random(void *context, void *out, size_t len)
{
    (void)context;
    memset(out, 0x55, len);
}

static dunlin_status hand_resolve(void *context, const char *uri, dunlin_peer *peer)
{
    (void)context;
    (void)uri;
    (void)peer;
    return DUNLIN_ERR_NOT_FOUND;
}

static void hand_event(void *context, const dunlin_client_event *event)
{
    by_hand *h = context;
    if (event->kind == DUNLIN_CLIENT_REGISTERED) {
        h->registered[h->count++] = event->server;
    }
}

static dunlin_client *hand_client(by_hand *h, void *arena, size_t size)
{
    static const char *const uris[] = {"coap://server", "coap+tcp://server"};
    static dunlin_access access[2];
    dunlin_client_config config = dunlin_client_config_default();
    config.endpoint = "by-hand";
    config.servers = 2;
    config.stream_message = 1152;
    config.call = (dunlin_client_callbacks){.send = hand_send,
                                            .random = hand_random,
                                            .resolve = hand_resolve,
                                            .connect = hand_connect,
                                            .event = hand_event,
                                            .context = h};
    dunlin_client *client = dunlin_client_create(arena, size, &config, 0);
    assert_non_null(client);
    assert_int_equal(dunlin_access_add(client, access, 2, 0), DUNLIN_OK);
    for (size_t i = 0; i < 2; i++) {
        dunlin_server server = dunlin_server_default();
        strcpy(server.uri, uris[i]);
        server.ssid = (int32_t)i + 1;
        assert_int_equal(dunlin_client_add_server(client, &server), DUNLIN_OK);
    }
    return client;
}

static void accounts_at_one_address_are_told_apart(void **state)
{
    static _Alignas(16) uint8_t arena[RIG_ARENA_MAX];
    static const dunlin_peer udp = {.len = 7, .bytes = {0x01, 127, 0, 0, 1, 0x16, 0x33}};
    static const dunlin_peer tcp = {.len = 7, .bytes = {0x21, 127, 0, 0, 1, 0x16, 0x33}};
    /* 2.01 to what has the token that the random bytes make, once by a stream, once as an acknowledgement */
    static const uint8_t csm[] = {0x00, 0xe1};
    static const uint8_t created_tcp[] = {0x58, 0x41, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55,
                                          0x55, 0x55, 0x82, 'r',  'd',  0x01, 'x'};
    uint8_t created_udp[] = {0x68, 0x41, 0,    0,    0x55, 0x55, 0x55, 0x55, 0x55,
                             0x55, 0x55, 0x55, 0x82, 'r',  'd',  0x01, 'x'};
    by_hand h;
    (void)state;
    memset(&h, 0, sizeof h);
    dunlin_client *client = hand_client(&h, arena, sizeof arena);
    dunlin_client_start(client, 0);
    assert_int_equal(h.sent[DN_TRANSPORT_UDP], 1);
    assert_int_equal(h.sent[DN_TRANSPORT_TCP], 2); /* and its CSM */
    dunlin_client_receive(client, &tcp, dunlin_slice_make(csm, sizeof csm), 1);
    dunlin_client_receive(client, &tcp, dunlin_slice_make(created_tcp, sizeof created_tcp), 1);
    assert_int_equal(h.count, 1);
    assert_int_equal(h.registered[0], 2);
    memcpy(created_udp + 2, h.last[DN_TRANSPORT_UDP] + 2, 2);
    dunlin_client_receive(client, &udp, dunlin_slice_make(created_udp, sizeof created_udp), 2);
    assert_int_equal(h.count, 2);
    assert_int_equal(h.registered[1], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connecting_by_table),
        cmocka_unit_test(registered_by_table),
        cmocka_unit_test(what_is_told_from_within_is_known_already),
        cmocka_unit_test(streams_that_the_server_ends),
        cmocka_unit_test(a_server_without_csm_is_left),
        cmocka_unit_test(requests_come_over_streams),
        cmocka_unit_test(requests_before_registration_are_ignored_on_streams),
        cmocka_unit_test(what_is_to_be_told_makes_a_way),
        cmocka_unit_test(values_are_stored_while_there_is_no_way),
        cmocka_unit_test(transports_by_table),
        cmocka_unit_test(a_trigger_moves_from_one_way_to_the_other),
        cmocka_unit_test(bindings_that_can_be_written),
        cmocka_unit_test(a_binding_is_told_and_holds_for_the_next_session),
        cmocka_unit_test(what_cannot_be_reached_fails_at_once),
        cmocka_unit_test(a_sleeper_keeps_its_way),
        cmocka_unit_test(several_servers_by_table),
        cmocka_unit_test(accounts_at_one_address_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
