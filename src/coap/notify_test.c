/* SPDX-License-Identifier: Apache-2.0 */
/* Notifications, both roles, and what Resets do to them (RFC 7641). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/sim/coap_rig.h"

static void confirmable_notifications(void **state)
{
    coap_rig *rig = rig_open(NULL);
    (void)state;
    assert_int_equal(rig_notify(rig, "tk", true, 7, 20, true), DUNLIN_OK);
    rig_play(rig, "> CON 2.05 #* @746b 6=07 p=~0+20", "=", "< ACK 0.00 #L @", "= result 0", NULL);
    assert_int_equal(rig_notify(rig, "tk", true, 8, 20, true), DUNLIN_OK);
    rig_play(rig, "> CON 2.05 #* @746b 6=08 p=~0+20", "+3000", "> CON 2.05 #* @746b 6=08 p=~0+20", "+100000",
             NULL);
    rig->sent_count = rig->sent_read = 0;
    rig_play(rig, "= result -23", NULL);
    rig_close(rig);
}

static void non_confirmable_notifications(void **state)
{
    coap_rig *rig = rig_open(NULL);
    (void)state;
    assert_int_equal(rig_notify(rig, "tk", false, 0xffffff, 20, true), DUNLIN_OK);
    rig_play(rig, "> NON 2.05 #* @746b 6=ffffff p=~0+20", "=", "+1", "= result 0", ".", NULL);
    assert_int_equal(rig_notify(rig, "tk", false, 0x1000000, 20, false), DUNLIN_OK);
    assert_int_equal(rig->last_exchange, 0);
    rig_play(rig, "> NON 2.05 #* @746b 6= p=~0+20", "+100", "=", ".", NULL);
    rig_close(rig);
}

/* Section 3.6: a Reset ends the observation, whichever type of message it is for. */
static void resets_end_observations(void **state)
{
    coap_rig *rig = rig_open(NULL);
    (void)state;
    assert_int_equal(rig_notify(rig, "con", true, 1, 0, true), DUNLIN_OK);
    rig_play(rig, "> CON 2.05 #* @636f6e 6=01", "< RST 0.00 #L @", "= result -43", "= gone 63 len=3", ".",
             NULL);
    assert_int_equal(rig_notify(rig, "non", false, 1, 0, false), DUNLIN_OK);
    assert_int_equal(rig_notify(rig, "later", false, 1, 0, false), DUNLIN_OK);
    rig_play(rig, "> NON 2.05 #* @6e6f6e 6=01", NULL);
    uint16_t mid = rig->last_mid;
    rig_play(rig, "> NON 2.05 #* @6c61746572 6=01", NULL);
    rig->last_mid = mid;
    rig_play(rig, "<2 RST 0.00 #L @", "=", "< RST 0.00 #L @", "= gone 6e len=3", "< RST 0.00 #L @", "=",
             NULL);
    rig_close(rig);
}

static void resets_come_too_late(void **state)
{
    coap_rig *rig = rig_open(NULL);
    (void)state;
    assert_int_equal(rig_notify(rig, "non", false, 1, 0, false), DUNLIN_OK);
    rig_play(rig, "> NON 2.05 #* @6e6f6e 6=01", "+145000", "< RST 0.00 #L @", "=", NULL);
    rig_close(rig);
}

static void as_many_as_fit(void **state)
{
    coap_rig *rig = rig_open(NULL);
    (void)state;
    for (int i = 0; i < 8; i++) {
        assert_int_equal(rig_notify(rig, "tk", true, i, 0, true), DUNLIN_OK);
    }
    assert_int_equal(rig_notify(rig, "tk", true, 9, 0, true), DUNLIN_ERR_LIMIT);
    assert_int_equal(rig_notify(rig, "tk", false, 9, 0, true), DUNLIN_ERR_LIMIT);
    assert_int_equal(rig->last_exchange, 0);
    assert_int_equal(rig_notify(rig, "tk", false, 9, 0, false), DUNLIN_OK);
    /* A newer state takes the place of one that waits: the owner cancels that. */
    rig_play(rig, "> CON 2.05 #* @746b 6=", "> NON 2.05 #* @746b 6=09", ".", NULL);
    rig_close(rig);
}

static void replies_that_cannot_be_notified(void **state)
{
    coap_rig *rig = rig_open(NULL);
    dn_coap_reply reply;
    dn_coap_token token = {1, "t"};
    static const uint8_t filler[1200];
    dn_coap_option option = {2048, {filler, sizeof filler}};
    (void)state;
    dn_coap_reply_init(&reply, DN_COAP_CONTENT);
    reply.options = &option;
    reply.option_count = 1;
    for (int confirmable = 0; confirmable < 2; confirmable++) {
        assert_int_equal(
            dn_coap_notify(rig->coap, &rig->peer[1], &token, &reply, confirmable, NULL, NULL, 0, NULL),
            DUNLIN_ERR_SPACE);
    }
    reply.option_count = 0;
    reply.payload = dunlin_slice_make(rig->body, 8193);
    assert_int_equal(dn_coap_notify(rig->coap, &rig->peer[1], &token, &reply, true, NULL, NULL, 0, NULL),
                     DUNLIN_ERR_LIMIT);
    reply.code = DN_COAP_GET;
    assert_int_equal(dn_coap_notify(rig->coap, &rig->peer[1], &token, &reply, true, NULL, NULL, 0, NULL),
                     DUNLIN_ERR_ARGUMENT);
    rig_play(rig, ".", "=", NULL);
    rig_close(rig);
}

static void notifications_arrive(void **state)
{
    coap_rig *rig = rig_open(NULL);
    (void)state;
    rig_play(rig, "< CON 2.05 #1 @6f62 6=05 12=28 p='x'", "= notification 2.05 cf=40 observe=5 x",
             "> ACK 0.00 #1 @", "< CON 2.05 #1 @6f62 6=05 12=28 p='x'", "=", "> ACK 0.00 #1 @", NULL);
    rig_play(rig, "< NON 2.05 #2 @6f62 6=06 p='y'", "= notification 2.05 observe=6 y", ".",
             "< NON 2.05 #2 @6f62 6=06 p='y'", "=", ".", NULL);
    /* An error ends the observation; it has no Observe option, but the token is known. */
    rig_play(rig, "< CON 4.04 #3 @6f62", "= notification 4.04", "> ACK 0.00 #3 @", NULL);
    rig->refuse_notifications = true;
    rig_play(rig, "< CON 2.05 #4 @6f62 6=07", "= notification 2.05 observe=7", "> RST 0.00 #4 @",
             "< CON 2.05 #4 @6f62 6=07", "=", "> RST 0.00 #4 @", NULL);
    rig_play(rig, "< NON 2.05 #5 @6f62 6=07", "= notification 2.05 observe=7", "> RST 0.00 #5 @", NULL);
    assert_int_equal(dn_coap_count(rig->coap)->notifications, 3);
    assert_int_equal(dn_coap_count(rig->coap)->unmatched, 2);
    rig_close(rig);
}

static void large_notifications_arrive(void **state)
{
    coap_rig *rig = rig_open(NULL);
    (void)state;
    rig_play(rig, "< NON 2.05 #1 @6f62 6=05 23=0a p=~0+64", "= notification 2.05 observe=5 more ~64", ".",
             NULL);
    rig_play(rig, "< NON 2.05 #2 @6f62 6=06 23=02 p=~0+64", "= notification 2.05 observe=6 ~64", ".", NULL);
    rig_close(rig);
}

static void broken_notifications_are_rejected(void **state)
{
    static const char *const cases[] = {
        "< CON 2.05 #1 @6f62 6=05 23=1a p=~64+64", /* not block 0 */
        "< CON 2.05 #1 @6f62 6=05 23=0a p=~0+63",  /* too short for more */
        "< CON 2.05 #1 @6f62 6=05 23=02 p=~0+65",  /* too long */
        "< CON 2.05 #1 @6f62 6=05 23=07 p=~0+16",  /* reserved size */
        "< CON 2.05 #1 @6f62 6=05 65001= p='x'",   /* critical */
        "< NON 2.05 #1 @6f62 6=05 65001= p='x'",
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        coap_rig *rig = rig_open(NULL);
        rig_play(rig, cases[i], "=", "> RST 0.00 #1 @", ".", NULL);
        rig_close(rig);
    }
}

static void registering_and_ending(void **state)
{
    coap_rig *rig = rig_open(NULL);
    dn_coap_outgoing request;
    (void)state;
    dn_coap_outgoing_init(&request, DN_COAP_GET);
    request.observe = 0;
    request.token = (dn_coap_token){2, "ob"};
    assert_int_equal(rig_request_with(rig, &request, "r"), DUNLIN_OK);
    assert_int_equal(rig_request_with(rig, &request, "r"), DUNLIN_ERR_ARGUMENT); /* the token is in use */
    rig_play(rig, "> CON 0.01 #* @6f62 6= 11='r'", "< ACK 2.05 #L @L 6=01 p='x'", "= result 2.05 observe=1 x",
             NULL);
    request.observe = 1;
    assert_int_equal(rig_request_with(rig, &request, "r"), DUNLIN_OK);
    rig_play(rig, "> CON 0.01 #* @6f62 6=01 11='r'", NULL);
    uint16_t mid = rig->last_mid;
    /* One that was under way: not the answer to the end of the observation. */
    rig_play(rig, "< CON 2.05 #9 @6f62 6=02 p='y'", "= notification 2.05 observe=2 y", "> ACK 0.00 #9 @",
             NULL);
    rig->last_mid = mid;
    rig_play(rig, "< ACK 2.05 #L @6f62 p='z'", "= result 2.05 z", ".", NULL);
    rig_close(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(confirmable_notifications),
        cmocka_unit_test(non_confirmable_notifications),
        cmocka_unit_test(resets_end_observations),
        cmocka_unit_test(resets_come_too_late),
        cmocka_unit_test(as_many_as_fit),
        cmocka_unit_test(replies_that_cannot_be_notified),
        cmocka_unit_test(notifications_arrive),
        cmocka_unit_test(large_notifications_arrive),
        cmocka_unit_test(broken_notifications_are_rejected),
        cmocka_unit_test(registering_and_ending),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
