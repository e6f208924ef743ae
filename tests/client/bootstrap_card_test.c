/* SPDX-License-Identifier: Apache-2.0 */
/* The bootstrap file of a smartcard: its form, what it puts in place and what it takes away again (Core 1.1.1 appendix G). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "client/bootstrap_operation.h"
#include "client/image.h"
#include "tests/client/bootstrap_rig.h"
#include "tests/client/image.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define FILE_LEN 40000
#define ROOM     16384

typedef struct {
    uint8_t bytes[FILE_LEN];
    size_t len;
} card;

static void put(card *c, const void *bytes, size_t len)
{
    assert_true(c->len + len <= sizeof c->bytes);
    memcpy(c->bytes + c->len, bytes, len);
    c->len += len;
}

static void put16(card *c, unsigned number)
{
    const uint8_t bytes[] = {(uint8_t)(number >> 8), (uint8_t)number};
    put(c, bytes, sizeof bytes);
}

static void begin(card *c)
{
    static const uint8_t head[4] = {0};
    c->len = 0;
    put(c, head, sizeof head);
}

/* One Object; `version`: major and minor, or 0 for the one octet that says nothing. */
static void put_object(card *c, unsigned object, unsigned version, const void *tlv, size_t len)
{
    const uint8_t none = 0;
    put16(c, object);
    if (version == 0) {
        put(c, &none, 1);
    } else {
        put16(c, version);
    }
    put16(c, (unsigned)len);
    put(c, tlv, len);
    c->bytes[1]++;
    c->bytes[2] = (uint8_t)((c->len - 4) >> 8);
    c->bytes[3] = (uint8_t)(c->len - 4);
}

/* An instance in its TLV wrapper, of less than 256 bytes. */
static size_t wrap(uint8_t *out, uint8_t id, const void *tlv, size_t len)
{
    assert_true(len < 256);
    out[0] = 0x08;
    out[1] = id;
    out[2] = (uint8_t)len;
    memcpy(out + 3, tlv, len);
    return len + 3;
}

/* NoSec at "coap://y" with a Short Server ID below 128. */
static size_t security(uint8_t *out, uint8_t id, uint8_t ssid)
{
    uint8_t tlv[] = {0xC8, 0,    8, 'c', 'o',  'a', 'p', ':',  '/', '/',
                     'y',  0xC1, 1, 0,   0xC1, 2,   3,   0xC1, 10,  ssid};
    return wrap(out, id, tlv, sizeof tlv);
}

static size_t server(uint8_t *out, uint8_t id, uint8_t ssid, uint8_t lifetime)
{
    uint8_t tlv[] = {0xC1, 0, ssid, 0xC1, 1, lifetime, 0xC1, 6, 0, 0xC1, 7, 'U'};
    return wrap(out, id, tlv, sizeof tlv);
}

/* A card with one account. */
static void one_account(card *c, uint8_t security_id, uint8_t server_id, uint8_t ssid, uint8_t lifetime)
{
    uint8_t tlv[64];
    begin(c);
    size_t len = security(tlv, security_id, ssid);
    put_object(c, 0, 0x0101, tlv, len);
    len = server(tlv, server_id, ssid, lifetime);
    put_object(c, 1, 0, tlv, len);
}

static card *new_card(void)
{
    card *c = calloc(1, sizeof *c);
    assert_non_null(c);
    return c;
}

static dunlin_status apply(bootstrap_rig *b, const card *c, bool *changed)
{
    return dn_client_card_apply(b->r.client, dunlin_slice_make(c->bytes, c->len), changed);
}

static void assert_applied(bootstrap_rig *b, const card *c, bool changes)
{
    bool changed = !changes;
    assert_int_equal(apply(b, c, &changed), DUNLIN_OK);
    assert_int_equal(changed, changes);
}

static void assert_dump(bootstrap_rig *b, const char *base, const char *text)
{
    assert_string_equal(bootstrap_rig_dump(b, base), text);
}

#define CARD_SECURITY "/0/0/0=coap://y;/0/0/1=0;/0/0/2=3;/0/0/3=;/0/0/4=;/0/0/5=;/0/0/10=7;"
#define CARD_SERVER   "/1/0/0=7;/1/0/1=60;/1/0/6=0;/1/0/7=U;"

static void a_card_comes_changes_and_goes(void **state)
{
    bootstrap_rig *b = bootstrap_rig_open(DUNLIN_LWM2M_1_1, false);
    card *c = new_card();
    (void)state;
    one_account(c, 0, 0, 7, 60);
    assert_applied(b, c, true);
    assert_dump(b, "/0/0", CARD_SECURITY);
    assert_dump(b, "/1", CARD_SERVER);
    assert_true(dn_client_card_gave(b->r.client, 7));
    assert_false(dn_client_card_gave(b->r.client, 8));
    /* The same file, whatever stands behind it. */
    put(c, "\xFF\xFF\xFF", 3);
    assert_applied(b, c, false);
    /* Another one: the former account is not there any more. */
    one_account(c, 3, 4, 8, 50);
    assert_applied(b, c, true);
    assert_dump(b, "/0/0", "");
    assert_dump(b, "/1", "/1/4/0=8;/1/4/1=50;/1/4/6=0;/1/4/7=U;");
    assert_false(dn_client_card_gave(b->r.client, 7));
    assert_true(dn_client_card_gave(b->r.client, 8));
    /* It is taken out. */
    c->len = 0;
    assert_applied(b, c, true);
    assert_dump(b, "/1", "");
    assert_dump(b, "/0",
                "/0/1/0=coaps://bs;/0/1/1=1;/0/1/2=0;/0/1/3=aWQ=;/0/1/4=;/0/1/5=c2VjcmV0LW9mLWJz;/0/1/11=7;");
    assert_applied(b, c, false);
    free(c);
    bootstrap_rig_close(b);
}

/* Another account with the same ids or the same Short Server ID gives way; others stay. */
static void a_card_comes_first(void **state)
{
    bootstrap_rig *b = bootstrap_rig_open(DUNLIN_LWM2M_1_1, true);
    card *c = new_card();
    (void)state;
    one_account(c, 0, 0, 102, 60);
    assert_applied(b, c, true);
    assert_dump(b, "/0/2", "");
    assert_dump(b, "/1", "/1/0/0=102;/1/0/1=60;/1/0/6=0;/1/0/7=U;");
    assert_int_not_equal(strlen(bootstrap_rig_dump(b, "/0/1")), 0);
    c->len = 0;
    assert_applied(b, c, true);
    assert_dump(b, "/1", "");
    free(c);
    bootstrap_rig_close(b);
}

/* What the card did not bring stays when it goes; what a bootstrap server has made anew is not the card's any more. */
static void only_what_came_from_it_goes(void **state)
{
    bootstrap_rig *b = bootstrap_rig_open(DUNLIN_LWM2M_1_1, true);
    card *c = new_card();
    (void)state;
    assert_string_equal(bootstrap_rig_delete(b, "/0/0"), "2.02");
    one_account(c, 0, 0, 7, 60);
    assert_applied(b, c, true);
    assert_string_equal(bootstrap_rig_delete(b, "/1/0"), "2.02");
    assert_string_equal(bootstrap_rig_put(b, "/1/0", "[{\"n\":\"0\",\"v\":9},{\"n\":\"1\",\"v\":9}]"),
                        "2.04");
    c->len = 0;
    assert_applied(b, c, true);
    assert_dump(b, "/0/0", "");
    assert_dump(b, "/1/0", "/1/0/0=9;/1/0/1=9;");
    assert_int_not_equal(strlen(bootstrap_rig_dump(b, "/0/2")), 0);
    free(c);
    bootstrap_rig_close(b);
}

/* What came from it is known after a restart: the same card changes nothing, none takes it away. */
static void a_restart_remembers_the_card(void **state)
{
    static uint8_t bytes[ROOM];
    bootstrap_rig *b = bootstrap_rig_open(DUNLIN_LWM2M_1_1, false);
    card *c = new_card();
    dunlin_buf kept = dunlin_buf_make(bytes, sizeof bytes);
    (void)state;
    one_account(c, 0, 0, 7, 60);
    assert_applied(b, c, true);
    assert_int_equal(dn_client_image_write(b->r.client, &kept), DUNLIN_OK);
    bootstrap_rig_close(b);
    b = bootstrap_rig_open(DUNLIN_LWM2M_1_1, false);
    assert_int_equal(dunlin_client_restore(b->r.client, dunlin_buf_view(&kept)), DUNLIN_OK);
    assert_dump(b, "/1", CARD_SERVER);
    assert_true(dn_client_card_gave(b->r.client, 7));
    assert_applied(b, c, false);
    c->len = 0;
    assert_applied(b, c, true);
    assert_dump(b, "/1", "");
    free(c);
    bootstrap_rig_close(b);
}

/* The example of appendix G's form: a bootstrap server with PSK, and Object 1 in version 1.1. */
static void a_bootstrap_account(void **state)
{
    static const uint8_t file[] =
        "\x00\x02\x00\x69\x00\x00\x00\x00\x4B\x08\x00\x48\xC8\x00\x1B"
        "coaps://bs.example.com:5684"
        "\xC1\x01\x01\xC1\x02\x00\xC8\x03\x0B"
        "card-psk-id"
        "\xC8\x05\x10\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0A\x0B\x0C\x0D\x0E\x0F\xC1\x0B\x0A"
        "\x00\x01\x01\x01\x00\x13\x08\x00\x10\xC2\x00\x00\x65\xC4\x01\x00\x01\x51\x80\xC1\x06\x00\xC1\x07"
        "\x55";
    bootstrap_rig *b = bootstrap_rig_open(DUNLIN_LWM2M_1_1, false);
    card *c = new_card();
    (void)state;
    put(c, file, sizeof file - 1);
    assert_applied(b, c, true);
    assert_dump(b, "/0",
                "/0/0/0=coaps://bs.example.com:5684;/0/0/1=1;/0/0/2=0;/0/0/3=Y2FyZC1wc2staWQ=;/0/0/4=;"
                "/0/0/5=AAECAwQFBgcICQoLDA0ODw==;/0/0/11=10;");
    assert_dump(b, "/1", "/1/0/0=101;/1/0/1=86400;/1/0/6=0;/1/0/7=U;");
    free(c);
    bootstrap_rig_close(b);
}

static void objects_that_we_do_not_have_are_passed_over(void **state)
{
    bootstrap_rig *b = bootstrap_rig_open(DUNLIN_LWM2M_1_1, false);
    card *c = new_card();
    (void)state;
    one_account(c, 0, 0, 7, 60);
    put_object(c, 4711, 0x0200, "\x03\x00\xC1\x05\x05", 5);
    put_object(c, 2, 0, "", 0);
    assert_applied(b, c, true);
    assert_dump(b, "/1", CARD_SERVER);
    free(c);
    bootstrap_rig_close(b);
}

/* ---- what is refused ---- */

static void short_size(card *c)
{
    c->bytes[3]--;
}
static void size_beyond_the_file(card *c)
{
    c->bytes[2] = 1;
}
static void length_beyond_the_size(card *c)
{
    c->bytes[9]++; /* of Object 0, whose version has two octets */
    c->bytes[8] = 1;
}
static void more_objects_than_there_are(card *c)
{
    c->bytes[1]++;
}
static void fewer_objects_than_there_are(card *c)
{
    c->bytes[1]--;
}
static void no_objects_but_bytes(card *c)
{
    c->bytes[1] = 0;
}
static void too_many_objects(card *c)
{
    c->bytes[0] = 1;
}
static void a_file_of_three_octets(card *c)
{
    c->len = 3;
}
static void cut_off(card *c)
{
    c->len--;
}
static void an_object_twice(card *c)
{
    put_object(c, 1, 0, "", 0);
}
static void an_instance_twice(card *c)
{
    uint8_t tlv[128];
    begin(c);
    size_t len = security(tlv, 0, 7);
    len += security(tlv + len, 0, 8);
    put_object(c, 0, 0, tlv, len);
}
static void no_uri(card *c)
{
    static const uint8_t tlv[] = {0xC1, 1, 0, 0xC1, 2, 3, 0xC1, 10, 7};
    uint8_t wrapped[32];
    begin(c);
    put_object(c, 0, 0, wrapped, wrap(wrapped, 0, tlv, sizeof tlv));
}
static void an_empty_uri(card *c)
{
    static const uint8_t tlv[] = {0xC0, 0, 0xC1, 1, 0, 0xC1, 2, 3, 0xC1, 10, 7};
    uint8_t wrapped[32];
    begin(c);
    put_object(c, 0, 0, wrapped, wrap(wrapped, 0, tlv, sizeof tlv));
}
static void resources_without_an_instance(card *c)
{
    put_object(c, 2, 0, "\xC1\x00\x03", 3);
}
static void a_wrong_type(card *c)
{
    put_object(c, 2, 0, "\x05\x00\xC3\x00\x01\x02\x03", 7);
}
static void two_bootstrap_servers(card *c)
{
    static const uint8_t tlv[] = {0xC8, 0, 8, 'c', 'o', 'a', 'p', ':', '/', '/', 'y', 0xC1, 1, 1, 0xC1, 2, 3};
    uint8_t wrapped[64];
    begin(c);
    size_t len = wrap(wrapped, 4, tlv, sizeof tlv);
    len += wrap(wrapped + len, 5, tlv, sizeof tlv);
    put_object(c, 0, 0, wrapped, len);
}
static void no_room(card *c)
{
    uint8_t tlv[256];
    size_t len = 0;
    begin(c);
    for (uint8_t i = 0; i < 5; i++) {
        len += server(tlv + len, i, (uint8_t)(i + 1), 60);
    }
    put_object(c, 1, 0, tlv, len);
}
static void above_32_kilobytes(card *c)
{
    static uint8_t much[33000];
    begin(c);
    put_object(c, 4711, 0, much, sizeof much);
}

static void what_is_refused_changes_nothing(void **state)
{
    static const struct {
        const char *name;
        void (*spoil)(card *);
        dunlin_status status;
    } rows[] = {
        {"the size ends in an Object", short_size, DUNLIN_ERR_MALFORMED},
        {"the size is beyond the file", size_beyond_the_file, DUNLIN_ERR_MALFORMED},
        {"a length is beyond the size", length_beyond_the_size, DUNLIN_ERR_MALFORMED},
        {"more Objects are counted than there are", more_objects_than_there_are, DUNLIN_ERR_MALFORMED},
        {"fewer Objects are counted than there are", fewer_objects_than_there_are, DUNLIN_ERR_MALFORMED},
        {"none is counted", no_objects_but_bytes, DUNLIN_ERR_MALFORMED},
        {"256 are counted", too_many_objects, DUNLIN_ERR_LIMIT},
        {"the head is cut off", a_file_of_three_octets, DUNLIN_ERR_MALFORMED},
        {"the end is cut off", cut_off, DUNLIN_ERR_MALFORMED},
        {"an Object stands twice", an_object_twice, DUNLIN_ERR_MALFORMED},
        {"an instance stands twice", an_instance_twice, DUNLIN_ERR_MALFORMED},
        {"an account has no URI", no_uri, DUNLIN_ERR_MALFORMED},
        {"an account has an empty URI", an_empty_uri, DUNLIN_ERR_MALFORMED},
        {"resources are of no instance", resources_without_an_instance, DUNLIN_ERR_MALFORMED},
        {"a value is of the wrong type", a_wrong_type, DUNLIN_ERR_MALFORMED},
        {"there are two bootstrap servers", two_bootstrap_servers, DUNLIN_ERR_MALFORMED},
        {"there is no room", no_room, DUNLIN_ERR_LIMIT},
        {"it is too large", above_32_kilobytes, DUNLIN_ERR_LIMIT},
    };
    bootstrap_rig *b = bootstrap_rig_open(DUNLIN_LWM2M_1_1, true);
    card *c = new_card();
    static uint8_t before[ROOM], after[ROOM];
    (void)state;
    one_account(c, 0, 0, 7, 60); /* something is there from a card already */
    assert_applied(b, c, true);
    for (size_t i = 0; i < COUNT(rows); i++) {
        bool changed = true;
        dunlin_buf first = dunlin_buf_make(before, sizeof before);
        dunlin_buf second = dunlin_buf_make(after, sizeof after);
        assert_int_equal(dn_client_image_write(b->r.client, &first), DUNLIN_OK);
        one_account(c, 3, 3, 8, 50);
        rows[i].spoil(c);
        const dunlin_status status = apply(b, c, &changed);
        assert_int_equal(dn_client_image_write(b->r.client, &second), DUNLIN_OK);
        if (status != rows[i].status || changed || first.len != second.len ||
            memcmp(before, after, first.len) != 0) {
            fail_msg("%s: %s%s", rows[i].name, dunlin_status_text(status), changed ? ", it has changed" : "");
        }
        assert_true(dn_client_card_gave(b->r.client, 7));
    }
    /* A file that nobody has written is one with nothing in it. */
    memset(c->bytes, 0xFF, 512);
    c->len = 512;
    assert_applied(b, c, true);
    assert_false(dn_client_card_gave(b->r.client, 7));
    free(c);
    bootstrap_rig_close(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_card_comes_changes_and_goes),
        cmocka_unit_test(a_card_comes_first),
        cmocka_unit_test(only_what_came_from_it_goes),
        cmocka_unit_test(a_restart_remembers_the_card),
        cmocka_unit_test(a_bootstrap_account),
        cmocka_unit_test(objects_that_we_do_not_have_are_passed_over),
        cmocka_unit_test(what_is_refused_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
