/* SPDX-License-Identifier: Apache-2.0 */
/* How streams begin, are kept and end: CSM, Ping, Release, Abort (RFC 8323 section 5), opening and closing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "coap/core.h"
#include "tests/sim/coap_rig.h"
#include <stdio.h>
#include <stdlib.h>

#define CSM_8192   "2=2000 4="
#define STREAMS    10000u
#define NO_CSM     "> TCP 7.05 @ p=6e6f2043534d"
#define BAD_OPTION "p=756e6b6e6f776e20637269746963616c206f7074696f6e"
#define MALFORMED  "> TCP 7.05 @ p=6d616c666f726d6564206d657373616765"

static coap_rig *open_rig(void)
{
    dn_coap_config config = dn_coap_config_default();
    config.connections = 2;
    return rig_open(&config);
}

static coap_rig *open_connected(void)
{
    coap_rig *rig = open_rig();
    rig_connect(rig, CSM_8192);
    return rig;
}

static void close_rig(coap_rig *rig)
{
    rig_play(rig, ".", "=", NULL);
    rig_close(rig);
}

/* After each of these the stream has ended, and nothing comes or goes on it. */
static void what_ends_a_stream(void **state)
{
    static const struct {
        const char *what;
        bool greeted; /* a CSM came before */
        const char *comes;
        const char *abort; /* what is sent; NULL: nothing */
        const char *told;
    } rows[] = {
        {"a request before the CSM", false, "< TCP 0.01 @a1 11='small'", NO_CSM, "= ended -1 no CSM"},
        {"a response before it", false, "< TCP 2.05 @a1", NO_CSM, "= ended -1 no CSM"},
        {"a ping before it", false, "< TCP 7.02 @a1", NO_CSM, "= ended -1 no CSM"},
        {"a pong before it", false, "< TCP 7.03 @a1", NO_CSM, "= ended -1 no CSM"},
        {"Release before it", false, "< TCP 7.04 @", NO_CSM, "= ended -1 no CSM"},
        {"an unknown signal before it", false, "< TCP 7.31 @", NO_CSM, "= ended -1 no CSM"},
        {"a reserved class before it", false, "< TCP 1.00 @", NO_CSM, "= ended -1 no CSM"},
        {"Abort before it", false, "< TCP 7.05 @ p='bye'", NULL, "= ended -43 bye"},
        {"Abort", true, "< TCP 7.05 @ p='bye'", NULL, "= ended -43 bye"},
        {"Abort without a word", true, "< TCP 7.05 @", NULL, "= ended -43 "},
        {"Abort with an unknown critical option", true, "< TCP 7.05 @ 2=01 3=aa", NULL, "= ended -43 "},
        {"a first CSM with one", false, "< TCP 7.01 @ 1=", "> TCP 7.05 @ 2=01 " BAD_OPTION,
         "= ended -7 unknown critical option"},
        {"a later CSM with one", true, "< TCP 7.01 @ 2=2000 4= 1001=aa", "> TCP 7.05 @ 2=03e9 " BAD_OPTION,
         "= ended -7 unknown critical option"},
        {"a ping with one", true, "< TCP 7.02 @a1 3=", "> TCP 7.05 @ " BAD_OPTION,
         "= ended -7 unknown critical option"},
        {"a pong with one", true, "< TCP 7.03 @a1 3=", "> TCP 7.05 @ " BAD_OPTION,
         "= ended -7 unknown critical option"},
        {"Release with one", true, "< TCP 7.04 @ 4=05 5=", "> TCP 7.05 @ " BAD_OPTION,
         "= ended -7 unknown critical option"},
        {"no message at all", true, "< raw:", MALFORMED, "= ended -1 malformed message"},
        {"one that is shorter than it says", true, "< raw:2001b1", MALFORMED, "= ended -1 malformed message"},
        {"one that is longer", true, "< raw:000100", MALFORMED, "= ended -1 malformed message"},
        {"a token of 9", true, "< raw:0901010203040506070809", MALFORMED, "= ended -1 malformed message"},
        {"a marker without payload", true, "< raw:1001ff", MALFORMED, "= ended -1 malformed message"},
        {"a first CSM with one", false, "< raw:10e1ff", MALFORMED, "= ended -1 malformed message"},
        {"an option cut off", true, "< raw:1001b1", MALFORMED, "= ended -1 malformed message"},
        {"8193 bytes", true, "< TCP 0.02 @a1 p=~0+8187", "> TCP 7.05 @ p=6d65737361676520746f6f206c61726765",
         "= ended -4 message too large"},
        {"the head of more", true, "< raw:f0ffffffff02", "> TCP 7.05 @ p=6d65737361676520746f6f206c61726765",
         "= ended -4 message too large"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        coap_rig *rig = open_rig();
        print_message("%s\n", rows[i].what);
        assert_int_equal(dn_coap_open(rig->coap, &rig->peer[1], rig->now_ms), DUNLIN_OK);
        rig_play(rig, "> TCP 7.01 @ 2=2000 4=", rows[i].greeted ? "< TCP 7.01 @ " CSM_8192 : ".",
                 rows[i].comes, NULL);
        rig_play(rig, rows[i].abort == NULL ? "." : rows[i].abort, rows[i].told, NULL);
        rig_play(rig, "< TCP 7.01 @", "< TCP 0.01 @a1 11='small'", "< TCP 7.02 @a1", "< TCP 7.05 @",
                 "+100000", ".", "=", NULL);
        assert_int_equal(rig_request(rig, DN_COAP_GET, "x", 0), DUNLIN_ERR_STATE);
        assert_int_equal(rig_notify(rig, "t", true, 1, 1, false), DUNLIN_ERR_STATE);
        assert_int_equal(dn_coap_count(rig->coap)->aborts, 1);
        assert_true(dn_coap_is_open(rig->coap, &rig->peer[1]));
        assert_int_equal(dn_coap_deadline(rig->coap), DN_NEVER);
        close_rig(rig);
    }
}

static void what_does_not_end_a_stream(void **state)
{
    static const struct {
        const char *what, *comes;
        bool first; /* before any CSM */
    } rows[] = {
        {"an empty message, before anything", "< TCP 0.00 @", true},
        {"an empty message with a token", "< raw:0100a1", true},
        {"an empty message full of nonsense", "< raw:3000f0ffff", true},
        {"a CSM without options", "< TCP 7.01 @", true},
        {"a CSM with a token and a payload", "< TCP 7.01 @a1 p='hello'", true},
        {"a CSM with elective options", "< TCP 7.01 @ 2=2000 4= 6=aa 1000=bb", true},
        {"a size too long", "< TCP 7.01 @ 2=0000002000", true},
        {"two sizes", "< TCP 7.01 @ 2=2000 2=10", true},
        {"a CSM again", "< TCP 7.01 @ " CSM_8192, false},
        {"a signal that is not defined", "< TCP 7.06 @a1 3=aa", false},
        {"a pong for nobody", "< TCP 7.03 @a1 2=", false},
        {"a class that is not defined", "< TCP 6.01 @a1", false},
        {"8192 bytes", "< TCP 2.05 @ p=~0+8187", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        dn_coap_config config = dn_coap_config_default();
        config.connections = 1;
        config.max_body = 8192;
        coap_rig *rig = rig_open(&config);
        print_message("%s\n", rows[i].what);
        assert_int_equal(dn_coap_open(rig->coap, &rig->peer[1], rig->now_ms), DUNLIN_OK);
        rig_play(rig, "> TCP 7.01 @ 2=2000 4=", NULL);
        if (!rows[i].first) {
            rig_play(rig, "< TCP 7.01 @", NULL);
        }
        rig_play(rig, rows[i].comes, ".", NULL);
        rig->log_count = rig->log_read = 0;
        rig_play(rig, "< TCP 7.01 @", "< TCP 0.01 @a1 11='small'", "= request GET small",
                 "> TCP 2.05 @a1 12= p='hello'", NULL);
        assert_int_equal(dn_coap_count(rig->coap)->aborts, 0);
        close_rig(rig);
    }
}

/* The size of what goes out by what the other end has said so far: 0, no blocks. */
static size_t block_of_3000(coap_rig *rig)
{
    rig_play(rig, "< TCP 0.01 @a1 11='big' 11='3000'", "= request GET big/3000", NULL);
    assert_int_equal(rig->sent_count, 1);
    dn_coap_message message;
    assert_int_equal(
        dn_coap_message_read_framed(&message, dunlin_slice_make(rig->sent[0].bytes, rig->sent[0].len)),
        DUNLIN_OK);
    rig->sent_count = 0;
    return (message.has & DN_COAP_HAS_BLOCK2) == 0 ? 0 : message.block2.szx * 10000u + message.payload.len;
}

/* Section 5.3: each CSM changes what it names, and nothing else. */
static void capabilities_add_up(void **state)
{
    coap_rig *rig = open_rig();
    (void)state;
    rig_connect(rig, "");
    assert_int_equal(block_of_3000(rig), 61024);
    rig_play(rig, "< TCP 7.01 @ 4=", NULL);
    assert_int_equal(block_of_3000(rig), 61024);
    rig_play(rig, "< TCP 7.01 @ 2=0a00", NULL); /* 2560 */
    assert_int_equal(block_of_3000(rig), 72048);
    rig_play(rig, "< TCP 7.01 @ 2=2000", NULL);
    assert_int_equal(block_of_3000(rig), 0);
    rig_play(rig, "< TCP 7.01 @ 2=0480", NULL); /* 1152: no BERT any more (section 5.3.2) */
    assert_int_equal(block_of_3000(rig), 61024);
    rig_play(rig, "< TCP 7.01 @", NULL);
    assert_int_equal(block_of_3000(rig), 61024);
    rig_play(rig, "< TCP 7.01 @ 2=ffffffff", NULL); /* we send no more than we take */
    assert_int_equal(block_of_3000(rig), 0);
    close_rig(rig);
}

/* BERT is for those that said so. */
static void sizes_without_blocks(void **state)
{
    static const struct {
        const char *csm;
        size_t block;
    } rows[] = {
        {"2=0a00", 61024},           {"4=", 61024},        {"2=0a00 4=", 72048}, {"2=0a00 4=aa", 61024},
        {"2=0a00 2=2000 4=", 72048}, {"2=0200 4=", 40256}, {"2=0481 4=", 71024}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        coap_rig *rig = open_rig();
        print_message("%s\n", rows[i].csm);
        rig_connect(rig, rows[i].csm);
        assert_int_equal(block_of_3000(rig), rows[i].block);
        close_rig(rig);
    }
}

static void pings(void **state)
{
    coap_rig *rig = open_connected();
    (void)state;
    rig_play(rig, "< TCP 7.02 @a1b2c3d4e5f6a7b8", "> TCP 7.03 @a1b2c3d4e5f6a7b8", "< TCP 7.02 @",
             "> TCP 7.03 @", "< TCP 7.02 @a1 4=aa p='x'", "> TCP 7.03 @a1", ".", NULL);
    assert_int_equal(dn_coap_count(rig->coap)->signals, 4);
    close_rig(rig);
}

static void log_result(void *context, uint64_t exchange, dunlin_status status,
                       const dn_coap_response *response)
{
    coap_rig *rig = context;
    assert_int_equal(exchange, rig->last_exchange);
    assert_null(response);
    rig->counted = (unsigned)(1000 - (int)status);
}

static void ping(coap_rig *rig)
{
    rig->counted = 0;
    assert_int_equal(
        dn_coap_ping(rig->coap, &rig->peer[1], log_result, rig, rig->now_ms, &rig->last_exchange), DUNLIN_OK);
}

static void pings_of_ours(void **state)
{
    coap_rig *rig = open_connected();
    (void)state;
    ping(rig);
    rig_play(rig, "> TCP 7.02 @*", "< TCP 7.03 @00", "< TCP 2.05 @L", "= notification 2.05", ".", NULL);
    assert_int_equal(rig->counted, 0);
    rig_play(rig, "< TCP 7.03 @L", NULL);
    assert_int_equal(rig->counted, 1000 - DUNLIN_OK);
    rig_play(rig, "< TCP 7.03 @L", NULL);
    assert_int_equal(dn_coap_count(rig->coap)->unmatched, 2);
    ping(rig);
    rig_play(rig, "> TCP 7.02 @*", "+92999", ".", NULL);
    assert_int_equal(rig->counted, 0);
    rig_play(rig, "+1", ".", NULL);
    assert_int_equal(rig->counted, 1000 - DUNLIN_ERR_TIMEOUT);
    close_rig(rig);
}

/* Section 5.4.1: a Pong with Custody is sent when what came before the Ping was dealt with, and not for what came after. */
static void custody(void **state)
{
    coap_rig *rig = open_connected();
    (void)state;
    rig_play(rig, "< TCP 7.02 @a1 2=", "> TCP 7.03 @a1 2=", ".", NULL);
    rig_play(rig, "< TCP 0.01 @b1 11='later'", "= request GET later", "< TCP 0.01 @b2 11='later'",
             "= request GET later", "< TCP 7.02 @a2 2=", ".", "< TCP 0.01 @b3 11='later'",
             "= request GET later", "< TCP 7.02 @a3 2=", "> TCP 7.03 @a3", "< TCP 7.02 @a4", "> TCP 7.03 @a4",
             ".", NULL);
    uint64_t last = rig->later[2];
    dn_coap_reply reply;
    dn_coap_reply_init(&reply, DN_COAP_CHANGED);
    assert_int_equal(dn_coap_answer(rig->coap, last, &reply, rig->now_ms), DUNLIN_OK);
    rig_play(rig, "> TCP 2.04 @b3", ".", NULL);
    assert_int_equal(rig_answer(rig, DN_COAP_CONTENT, 0), DUNLIN_OK);
    rig_play(rig, "> TCP 2.05 @b1", "< TCP 0.01 @b4 11='small'", "= request GET small",
             "> TCP 2.05 @b4 12= p='hello'", ".", NULL);
    assert_int_equal(rig_answer(rig, DN_COAP_CONTENT, 0), DUNLIN_OK);
    rig_play(rig, "> TCP 2.05 @b2", "> TCP 7.03 @a2 2=", ".", NULL);
    rig->later_count = 0;
    /* Again, ended by time: nobody answers. */
    rig_play(rig, "< TCP 0.01 @b5 11='later'", "= request GET later", "< TCP 7.02 @a5 2=", ".", "+246999",
             ".", "+1", "> TCP 7.03 @a5 2=", ".", NULL);
    close_rig(rig);
}

static void a_peer_that_says_nothing(void **state)
{
    coap_rig *rig = open_rig();
    (void)state;
    assert_int_equal(dn_coap_open(rig->coap, &rig->peer[1], rig->now_ms), DUNLIN_OK);
    rig_play(rig, "> TCP 7.01 @ 2=2000 4=", "< TCP 0.00 @", "+29999", ".", "=", "+1",
             "> TCP 7.05 @ p=6e6f2043534d20696e2074696d65", "= ended -23 no CSM in time", ".", NULL);
    assert_int_equal(dn_coap_count(rig->coap)->timeouts, 1);
    dn_coap_close(rig->coap, &rig->peer[1]);
    assert_int_equal(dn_coap_deadline(rig->coap), DN_NEVER);
    rig_connect(rig, CSM_8192);
    rig_play(rig, "+1000000", ".", "=", NULL);
    close_rig(rig);
}

/* Section 5.5: nothing new may be asked, and what is under way goes on. */
static void release_by_the_other(void **state)
{
    coap_rig *rig = open_connected();
    (void)state;
    assert_int_equal(rig_request(rig, DN_COAP_PUT, "x", 4000), DUNLIN_OK);
    rig_play(rig, "> TCP 0.03 @* 11='x' p=~0+4000", "< TCP 0.01 @a1 11='later'", "= request GET later",
             "< TCP 7.04 @ 2='coap+tcp://other' 4=05 p='moving'", "= ended 1 moving", ".", NULL);
    assert_int_equal(rig_request(rig, DN_COAP_GET, "x", 0), DUNLIN_ERR_STATE);
    assert_int_equal(rig_notify(rig, "t", true, 1, 1, false), DUNLIN_ERR_STATE);
    uint64_t id;
    assert_int_equal(dn_coap_ping(rig->coap, &rig->peer[1], log_result, rig, rig->now_ms, &id),
                     DUNLIN_ERR_STATE);
    assert_int_equal(rig_answer(rig, DN_COAP_CONTENT, 0), DUNLIN_OK);
    rig->last_token_len = 0;
    rig_play(rig, "> TCP 2.05 @a1", "< TCP 0.01 @a2 11='small'", "= request GET small",
             "> TCP 2.05 @a2 12= p='hello'", "< TCP 7.02 @a3", "> TCP 7.03 @a3", "< TCP 7.04 @", ".", "=",
             NULL);
    dn_coap_close(rig->coap, &rig->peer[1]);
    rig_play(rig, "= result -60", NULL);
    assert_int_equal(dn_coap_count(rig->coap)->aborts, 0);
    close_rig(rig);
}

static void release_by_us(void **state)
{
    coap_rig *rig = open_connected();
    (void)state;
    assert_int_equal(dn_coap_release(rig->coap, &rig->peer[2]), DUNLIN_ERR_NOT_FOUND);
    assert_int_equal(rig_request(rig, DN_COAP_GET, "x", 0), DUNLIN_OK);
    rig_play(rig, "> TCP 0.01 @* 11='x'", NULL);
    char line[64] = "< TCP 2.05 @";
    for (size_t i = 0; i < rig->last_token_len; i++) {
        (void)snprintf(line + strlen(line), sizeof line - strlen(line), "%02x", rig->last_token[i]);
    }
    assert_int_equal(dn_coap_release(rig->coap, &rig->peer[1]), DUNLIN_OK);
    assert_int_equal(dn_coap_release(rig->coap, &rig->peer[1]), DUNLIN_OK);
    assert_int_equal(rig_request(rig, DN_COAP_GET, "y", 0), DUNLIN_ERR_STATE);
    rig_play(rig, "> TCP 7.04 @", ".", line, "= result 2.05", "< TCP 0.01 @a2 11='small'",
             "= request GET small", "> TCP 2.05 @a2 12= p='hello'", "< TCP 7.04 @", "= ended 1 ", ".", NULL);
    close_rig(rig);
}

/* Closing tells everybody, at once and once. */
static void closing(void **state)
{
    coap_rig *rig = open_connected();
    (void)state;
    dn_coap_close(rig->coap, &rig->peer[2]);
    assert_int_equal(rig_request(rig, DN_COAP_GET, "x", 0), DUNLIN_OK);
    assert_int_equal(rig_notify(rig, "t", true, 1, 10, true), DUNLIN_OK);
    rig_play(rig, "< TCP 0.01 @a1 11='later'", "= request GET later",
             "< TCP 0.03 @a2 11='pipe' 27=0f p=~0+1024", "= streams PUT pipe", "= piece @0 more ~1024",
             "< TCP 0.03 @a3 11='echo' 27=0e p=~0+1024", "< TCP 7.02 @a4 2=", NULL);
    rig->sent_count = rig->sent_read = 0;
    dn_coap_close(rig->coap, &rig->peer[1]);
    rig_play(rig, "= lost by 1", "= result -60", "= result -60", ".", "=", NULL);
    assert_false(dn_coap_is_open(rig->coap, &rig->peer[1]));
    assert_int_equal(rig_answer(rig, DN_COAP_CONTENT, 0), DUNLIN_ERR_NOT_FOUND);
    assert_int_equal(rig->coap->remotes.in_use, 0);
    assert_int_equal(rig->coap->connections.in_use, 0);
    assert_int_equal(dn_coap_deadline(rig->coap), DN_NEVER);
    dn_coap_close(rig->coap, &rig->peer[1]);
    /* Whoever comes next begins anew. */
    rig_connect(rig, "");
    assert_int_equal(block_of_3000(rig), 61024);
    close_rig(rig);
}

static void close_it(void *context)
{
    coap_rig *rig = context;
    dn_coap_close(rig->coap, &rig->peer[1]);
}

static void ask_again(void *context)
{
    coap_rig *rig = context;
    assert_int_equal(rig_request(rig, DN_COAP_GET, "again", 0), DUNLIN_ERR_STATE);
    assert_int_equal(dn_coap_open(rig->coap, &rig->peer[1], rig->now_ms), DUNLIN_ERR_STATE);
    assert_false(dn_coap_is_open(rig->coap, &rig->peer[1]));
}

/* From within other callbacks, too. */
static void closing_from_within(void **state)
{
    coap_rig *rig = open_connected();
    (void)state;
    rig->in_request = close_it;
    rig_play(rig, "< TCP 0.01 @a1 11='small'", "= request GET small", ".", NULL);
    rig_connect(rig, CSM_8192);
    rig_play(rig, "< TCP 0.03 @a1 11='pipe' 27=0f p=~0+1024", "= streams PUT pipe", ".", NULL);
    rig->in_request = NULL;
    rig->in_piece = close_it;
    rig_connect(rig, CSM_8192);
    rig_play(rig, "< TCP 0.03 @a1 11='pipe' 27=0f p=~0+1024", "= streams PUT pipe", "= piece @0 more ~1024",
             "= lost by 1", ".", NULL);
    rig->in_result = close_it;
    rig_connect(rig, CSM_8192);
    assert_int_equal(rig_request(rig, DN_COAP_GET, "x", 0), DUNLIN_OK);
    assert_int_equal(rig_request(rig, DN_COAP_GET, "x", 0), DUNLIN_OK);
    rig_play(rig, "> TCP 0.01 @* 11='x'", "> TCP 0.01 @* 11='x'", "< TCP 2.05 @L", "= result 2.05",
             "= result -60", ".", NULL);
    rig->in_result = ask_again;
    rig_connect(rig, CSM_8192);
    assert_int_equal(rig_request(rig, DN_COAP_GET, "x", 0), DUNLIN_OK);
    dn_coap_close(rig->coap, &rig->peer[1]);
    rig_play(rig, "> TCP 0.01 @* 11='x'", "= result -60", ".", NULL);
    assert_int_equal(rig->coap->remotes.in_use, 0);
    close_rig(rig);
}

/* Forgetting what is said does not close. */
static void forgetting(void **state)
{
    coap_rig *rig = open_connected();
    (void)state;
    assert_int_equal(rig_request(rig, DN_COAP_GET, "x", 0), DUNLIN_OK);
    rig_play(rig, "> TCP 0.01 @* 11='x'", "< TCP 0.01 @a1 11='later'", "= request GET later",
             "< TCP 7.02 @a2 2=", ".", NULL);
    dn_coap_forget(rig->coap, &rig->peer[1]);
    rig_play(rig, "> TCP 7.03 @a2 2=", "= result -42", "< TCP 0.01 @a1 11='small'", "= request GET small",
             "> TCP 2.05 @a1 12= p='hello'", ".", NULL);
    close_rig(rig);
}

static void opening(void **state)
{
    coap_rig *rig = open_connected();
    (void)state;
    assert_int_equal(dn_coap_open(rig->coap, &rig->peer[1], rig->now_ms), DUNLIN_ERR_STATE);
    assert_int_equal(dn_coap_open(rig->coap, &rig->peer[2], rig->now_ms), DUNLIN_OK);
    assert_int_equal(dn_coap_open(rig->coap, &rig->peer[0], rig->now_ms), DUNLIN_ERR_LIMIT);
    assert_int_equal(rig->coap->remotes.in_use, 2);
    dn_coap_close(rig->coap, &rig->peer[2]);
    assert_int_equal(dn_coap_open(rig->coap, &rig->peer[0], rig->now_ms), DUNLIN_OK);
    rig->sent_count = rig->sent_read = 0;
    /* A peer whose transport is a stream, and which is not open, gets and gives no datagrams. */
    dn_peer tls = {.len = 2, .bytes = {DN_TRANSPORT_TLS << 4, 9}};
    static const uint8_t get[] = {0x40, 0x01, 0x12, 0x34};
    dn_coap_outgoing request;
    uint64_t id;
    dn_coap_outgoing_init(&request, DN_COAP_GET);
    assert_int_equal(dn_coap_request(rig->coap, &tls, &request, log_result, rig, rig->now_ms, &id),
                     DUNLIN_ERR_STATE);
    assert_int_equal(dn_coap_ping(rig->coap, &tls, log_result, rig, rig->now_ms, &id), DUNLIN_ERR_STATE);
    dn_coap_receive(rig->coap, &tls, dunlin_slice_make(get, sizeof get), rig->now_ms);
    assert_int_equal(rig->coap->remotes.in_use, 2);
    close_rig(rig);
}

/* Datagrams go on as ever beside streams. */
static void datagrams_beside_streams(void **state)
{
    coap_rig *rig = open_connected();
    (void)state;
    rig_play(rig, "<2 CON 0.01 #1 @a1 11='small'", "= request GET small", ">2 ACK 2.05 #1 @a1 12= p='hello'",
             "<2 CON 0.01 #1 @a1 11='small'", ">2 ACK 2.05 #1 @a1 12= p='hello'", "<2 CON 0.00 #2 @",
             ">2 RST 0.00 #2 @", ".", "=", NULL);
    dn_coap_close(rig->coap, &rig->peer[1]);
    rig_play(rig, "< CON 0.01 #1 @a1 11='small'", "= request GET small", "> ACK 2.05 #1 @a1 12= p='hello'",
             NULL);
    close_rig(rig);
}

static void configurations(void **state)
{
    static const struct {
        const char *what;
        uint32_t connections, max_stream_message, csm_timeout_ms;
        bool good;
    } rows[] = {
        {"the defaults", 1, 8192, 30000, true},       {"the smallest messages", 1, 1152, 1, true},
        {"smaller ones", 1, 1151, 30000, false},      {"the largest", 1, 1048576, 600000, true},
        {"larger ones", 1, 1048577, 30000, false},    {"no time", 1, 8192, 0, false},
        {"no streams, whatever else", 0, 0, 0, true}, {"too many", (1u << 20) + 1, 8192, 30000, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        dn_coap_config config = dn_coap_config_default();
        config.connections = rows[i].connections;
        config.max_stream_message = rows[i].max_stream_message;
        config.csm_timeout_ms = rows[i].csm_timeout_ms;
        print_message("%s\n", rows[i].what);
        assert_int_equal(dn_coap_arena_size(&config) > 0, rows[i].good);
    }
    dn_coap_config config = dn_coap_config_default();
    size_t without = dn_coap_arena_size(&config);
    config.connections = 1000;
    config.max_stream_message = 1152;
    assert_in_range(dn_coap_arena_size(&config) - without, 1, 1000 * 200);
}

/* An owner that has nobody to tell of a stream's end has no streams. */
static void nobody_to_tell(void **state)
{
    static const dn_coap_callbacks none;
    dn_coap_config config = dn_coap_config_default();
    config.connections = 1;
    size_t size = dn_coap_arena_size(&config);
    void *arena = malloc(size);
    dn_seeded seeded;
    dn_peer peer = {.len = 1};
    (void)state;
    dn_seeded_init(&seeded, 1);
    dn_random random = dn_seeded_random(&seeded);
    dn_coap *coap = dn_coap_create(arena, size, &config, &none, &random, NULL, 0);
    assert_non_null(coap);
    assert_int_equal(dn_coap_open(coap, &peer, 0), DUNLIN_ERR_ARGUMENT);
    free(arena);
}

static void drop(void *context, const dn_peer *peer, dunlin_slice message)
{
    (void)context;
    (void)peer;
    (void)message;
}

static void never(void *context, const dn_peer *peer, dunlin_status status, dunlin_slice detail)
{
    (void)context;
    (void)peer;
    (void)detail;
    fail_msg("ended: %d", (int)status);
}

static dn_peer numbered(uint32_t number)
{
    dn_peer peer = {.len = 5, .bytes = {DN_TRANSPORT_TCP << 4}};
    memcpy(peer.bytes + 1, &number, sizeof number);
    return peer;
}

/* All found, all distinct, all free again, whatever the order. */
static void many_streams(void **state)
{
    static const uint8_t csm[] = {0x00, 0xe1};
    static const dn_coap_callbacks callbacks = {.send = drop, .stream_ended = never};
    dn_coap_config config = dn_coap_config_default();
    config.connections = STREAMS;
    size_t size = dn_coap_arena_size(&config);
    void *arena = malloc(size);
    dn_seeded seeded;
    (void)state;
    dn_seeded_init(&seeded, 7);
    dn_random random = dn_seeded_random(&seeded);
    dn_coap *coap = dn_coap_create(arena, size, &config, &callbacks, &random, NULL, 0);
    assert_non_null(coap);
    for (int round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < STREAMS; i++) {
            dn_peer peer = numbered(i);
            assert_int_equal(dn_coap_open(coap, &peer, 0), DUNLIN_OK);
            if (i % 3 != 0) {
                dn_coap_receive(coap, &peer, dunlin_slice_make(csm, sizeof csm), 0);
            }
        }
        dn_peer one_more = numbered(STREAMS);
        assert_int_equal(dn_coap_open(coap, &one_more, 0), DUNLIN_ERR_LIMIT);
        for (uint32_t i = 0; i < STREAMS; i++) {
            dn_peer peer = numbered(i * 7919 % STREAMS);
            assert_true(dn_coap_is_open(coap, &peer));
            dn_coap_close(coap, &peer);
            assert_false(dn_coap_is_open(coap, &peer));
        }
        assert_int_equal(coap->remotes.in_use, 0);
        assert_int_equal(dn_coap_deadline(coap), DN_NEVER);
    }
    free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_ends_a_stream),
        cmocka_unit_test(what_does_not_end_a_stream),
        cmocka_unit_test(capabilities_add_up),
        cmocka_unit_test(sizes_without_blocks),
        cmocka_unit_test(pings),
        cmocka_unit_test(pings_of_ours),
        cmocka_unit_test(custody),
        cmocka_unit_test(a_peer_that_says_nothing),
        cmocka_unit_test(release_by_the_other),
        cmocka_unit_test(release_by_us),
        cmocka_unit_test(closing),
        cmocka_unit_test(closing_from_within),
        cmocka_unit_test(forgetting),
        cmocka_unit_test(opening),
        cmocka_unit_test(datagrams_beside_streams),
        cmocka_unit_test(configurations),
        cmocka_unit_test(nobody_to_tell),
        cmocka_unit_test(many_streams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
