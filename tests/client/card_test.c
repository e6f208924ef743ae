/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When the smartcard is read, and what becomes of accounts that came from it (Core 1.1.1 section 6.1.3, Transport 1.1.1 section
 * 5.2.6). The form of its file: bootstrap_card_test.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "tests/client/sequence.h"

typedef struct {
    uint8_t bytes[256];
    size_t len;
} card_file;

static void put(card_file *card, const void *bytes, size_t len)
{
    assert_true(card->len + len <= sizeof card->bytes);
    memcpy(card->bytes + card->len, bytes, len);
    card->len += len;
}

/* One account at /0/0 and /1/0: NoSec at `uri`. */
static card_file card_of(const char *uri, uint8_t ssid, uint16_t lifetime_s)
{
    const uint8_t uri_len = (uint8_t)strlen(uri);
    const uint8_t security_len = (uint8_t)(3 + uri_len + 9);
    const uint8_t server[] = {0xC1, 0, ssid, 0xC2, 1,  (uint8_t)(lifetime_s >> 8), (uint8_t)lifetime_s, 0xC1,
                              6,    0, 0xC1, 7,    'U'};
    const uint8_t head[] = {0, 2, 0, (uint8_t)(5 + 3 + security_len + 5 + 3 + sizeof server)};
    const uint8_t object_0[] = {0,    0, 0,      0, (uint8_t)(3 + security_len), 0x08, 0, security_len,
                                0xC8, 0, uri_len};
    const uint8_t rest_0[] = {0xC1, 1, 0, 0xC1, 2, 3, 0xC1, 10, ssid};
    const uint8_t object_1[] = {0, 1, 0, 0, 3 + sizeof server, 0x08, 0, sizeof server};
    card_file card = {.len = 0};
    put(&card, head, sizeof head);
    put(&card, object_0, sizeof object_0);
    put(&card, uri, uri_len);
    put(&card, rest_0, sizeof rest_0);
    put(&card, object_1, sizeof object_1);
    put(&card, server, sizeof server);
    return card;
}

static void insert(sequence *s, const card_file *card)
{
    s->card = card == NULL ? NULL : card->bytes;
    s->card_len = card == NULL ? 0 : card->len;
}

static void expect(const char *what, const char *is, const char *should_be)
{
    if (strcmp(is, should_be) != 0) {
        fail_msg("%s: \"%s\" instead of \"%s\"", what, is, should_be);
    }
}

static sequence *opened(void)
{
    sequence *s = malloc(sizeof *s);
    assert_non_null(s);
    sequence_open(s, DUNLIN_LWM2M_1_1);
    s->mute = true; /* the bootstrap server is not what this is about */
    return s;
}

static void closed(sequence *s)
{
    sequence_close(s);
    free(s);
}

static void the_card_is_read_first(void **state)
{
    const card_file card = card_of("coap://server", 9, 300);
    sequence *s = opened();
    (void)state;
    insert(s, &card);
    sequence_start(s);
    sequence_run(s, 1);
    expect("events", s->log, "0K 0R9");
    expect("lifetime", sequence_value(s, "/1/0/1"), "300");
    assert_int_equal(s->requests, 0);
    closed(s);
}

/* What the card has brought, and what follows, is saved once that is possible. */
static void what_cannot_be_saved_at_once_is_saved_later(void **state)
{
    const card_file card = card_of("coap://server", 9, 300);
    sequence *s = opened();
    (void)state;
    insert(s, &card);
    s->save_status = DUNLIN_ERR_IO;
    sequence_start(s);
    sequence_run(s, 1);
    expect("events", s->log, "0K 0R9");
    assert_true(s->saves > 0 && s->saved_len == 0);
    s->save_status = DUNLIN_OK;
    sequence_run(s, 70);
    assert_true(s->saved_len > 0);
    closed(s);
}

/* From one start to the next another card is put in. */
static void another_card_another_account(void **state)
{
    const card_file card = card_of("coap://server", 9, 4320);
    sequence *s = opened();
    (void)state;
    sequence_add(s, "coap://server");
    sequence_start(s);
    sequence_run(s, 1);
    dunlin_client_stop(s->r.client, 1000);
    sequence_run(s, 1);
    insert(s, &card);
    sequence_start(s);
    sequence_run(s, 1);
    expect("events", s->log, "0R1 1D1 2K 2R9");
    expect("lifetime", sequence_value(s, "/1/0/1"), "4320");
    closed(s);
}

/* It is looked at again with each Update: without it its account is no more. */
static void a_card_that_is_gone_takes_its_account_along(void **state)
{
    const card_file card = card_of("coap://server", 9, 300);
    sequence *s = opened();
    (void)state;
    insert(s, &card);
    sequence_start(s);
    sequence_run(s, 10);
    insert(s, NULL);
    sequence_run(s, 190);
    expect("nobody has looked", s->log, "0K 0R9");
    sequence_run(s, 10);
    expect("events", s->log, "0K 0R9 207K 207D9 207B");
    expect("the account", sequence_value(s, "/0/0/0"), "-");
    expect("the bootstrap server's", sequence_value(s, "/0/1/0"), "coap://other");
    assert_int_equal(s->r.updates, 0);
    closed(s);
}

static void a_card_that_stays_changes_nothing(void **state)
{
    const card_file card = card_of("coap://server", 9, 300);
    sequence *s = opened();
    (void)state;
    insert(s, &card);
    sequence_start(s);
    sequence_run(s, 1000);
    expect("events", s->log, "0K 0R9 207U9 414U9 621U9 828U9");
    assert_true(s->card_reads >= 5);
    closed(s);
}

static void a_card_that_is_exchanged_leads_elsewhere(void **state)
{
    const card_file one = card_of("coap://server", 9, 300);
    const card_file two = card_of("coap://server", 8, 300);
    sequence *s = opened();
    (void)state;
    insert(s, &one);
    sequence_start(s);
    sequence_run(s, 10);
    insert(s, &two);
    sequence_run(s, 200);
    expect("events", s->log, "0K 0R9 207K 207D9 207R8");
    closed(s);
}

static void a_card_that_cannot_be_read_changes_nothing(void **state)
{
    const card_file card = card_of("coap://server", 9, 300);
    sequence *s = opened();
    (void)state;
    insert(s, &card);
    sequence_start(s);
    sequence_run(s, 10);
    s->card_status = DUNLIN_ERR_IO;
    sequence_run(s, 300);
    expect("events", s->log, "0K 0R9 207U9");
    closed(s);
}

static void a_card_without_sense_is_told_and_passed_over(void **state)
{
    static const uint8_t junk[] = {0, 1, 0, 200, 1, 2, 3};
    sequence *s = opened();
    (void)state;
    sequence_add(s, "coap://server");
    s->card = junk;
    s->card_len = sizeof junk;
    sequence_start(s);
    sequence_run(s, 1);
    expect("events", s->log, "0K 0R1");
    closed(s);
}

/* What did not come from the card is no business of it. */
static void for_other_accounts_it_is_not_asked(void **state)
{
    sequence *s = opened();
    (void)state;
    sequence_add(s, "coap://server");
    sequence_start(s);
    sequence_run(s, 1);
    const unsigned reads = s->card_reads;
    dunlin_client_update(s->r.client);
    sequence_run(s, 1);
    expect("events", s->log, "0R1 1U1");
    assert_int_equal(s->card_reads, reads);
    closed(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_card_is_read_first),
        cmocka_unit_test(what_cannot_be_saved_at_once_is_saved_later),
        cmocka_unit_test(another_card_another_account),
        cmocka_unit_test(a_card_that_is_gone_takes_its_account_along),
        cmocka_unit_test(a_card_that_stays_changes_nothing),
        cmocka_unit_test(a_card_that_is_exchanged_leads_elsewhere),
        cmocka_unit_test(a_card_that_cannot_be_read_changes_nothing),
        cmocka_unit_test(a_card_without_sense_is_told_and_passed_over),
        cmocka_unit_test(for_other_accounts_it_is_not_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
