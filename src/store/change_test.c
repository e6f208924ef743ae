/* SPDX-License-Identifier: Apache-2.0 */
/* Changes as bytes: what is written is read back, and what is damaged is refused. */
#include "store/change.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static dn_change sample(dn_change_type type)
{
    dn_change change = {.type = type};
    switch (type) {
    case DN_CHANGE_REGISTRATION:
        change.as.registration = (dn_store_registration){.slot = 7,
                                                         .id = UINT64_MAX,
                                                         .endpoint = dunlin_slice_of("urn:dev:1"),
                                                         .lifetime_s = UINT32_MAX,
                                                         .registered_ms = INT64_MIN,
                                                         .updated_ms = INT64_MAX,
                                                         .links = 3,
                                                         .version_major = 1,
                                                         .version_minor = 2,
                                                         .binding = 4,
                                                         .flags = 8,
                                                         .sms = dunlin_slice_of("+49")};
        change.as.registration.peer.len = 2;
        change.as.registration.peer.bytes[1] = 9;
        break;
    case DN_CHANGE_TOUCH:
        change.as.touch.slot = 0x01020304;
        change.as.touch.updated_ms = -1;
        break;
    case DN_CHANGE_VALUE:
        change.as.value = (dn_store_value){5, 6, 0x45, 112, dunlin_slice_of("payload")};
        break;
    case DN_CHANGE_LINKS:
        change.as.links.number = 11;
        change.as.links.text = dunlin_slice_of("</1/0>");
        break;
    case DN_CHANGE_OBSERVATION:
        change.as.observation = (dn_store_observation){.number = 12,
                                                       .endpoint = dunlin_slice_of("x"),
                                                       .path = dunlin_path_resource(3, 0, 9),
                                                       .format = 65535,
                                                       .since_ms = 1,
                                                       .token = UINT64_MAX,
                                                       .paths = dunlin_slice_of("/3/0 /1/0/1")};
        break;
    case DN_CHANGE_REQUEST:
        change.as.request =
            (dn_store_request){.number = 1,
                               .id = UINT64_MAX,
                               .endpoint = dunlin_slice_of("ep"),
                               .method = 3,
                               .auto_accept = true,
                               .path = dunlin_path_resource(3, 0, 4),
                               .query = dunlin_slice_of("pmin=1"),
                               .content_format = 110,
                               .accept = 65535,
                               .package = dunlin_slice_of("00ff"),
                               .body = dunlin_slice_of("body"),
                               .created_ms = INT64_MIN,
                               .expires_ms = INT64_MAX,
                               .progress = {.request = 1, .state = 2, .attempts = UINT32_MAX}};
        break;
    case DN_CHANGE_PROGRESS:
        change.as.progress = (dn_store_progress){.request = 9,
                                                 .state = 6,
                                                 .attempts = 3,
                                                 .ended_ms = -1,
                                                 .status = DUNLIN_ERR_TIMEOUT,
                                                 .code = 0x45,
                                                 .format = 112,
                                                 .location = dunlin_slice_of("/3303/1"),
                                                 .payload = dunlin_slice_of("answer")};
        break;
    case DN_CHANGE_REQUEST_IDS:
        change.as.bound = UINT64_MAX;
        break;
    default:
        change.as.number = UINT32_MAX;
        break;
    }
    return change;
}

static void assert_equal(const dn_change *a, const dn_change *b)
{
    assert_int_equal(a->type, b->type);
    dn_bytes x = {0};
    dn_bytes y = {0};
    assert_true(dn_change_append(&x, a));
    assert_true(dn_change_append(&y, b));
    assert_int_equal(x.len, y.len);
    assert_memory_equal(x.data, y.data, x.len);
    dn_bytes_free(&x);
    dn_bytes_free(&y);
}

static void every_type_is_read_back(void **state)
{
    (void)state;
    dn_bytes bytes = {0};
    for (int type = DN_CHANGE_REGISTRATION; type <= DN_CHANGE_REQUEST_IDS; type++) {
        dn_change change = sample((dn_change_type)type);
        assert_true(dn_change_append(&bytes, &change));
    }
    dunlin_slice rest = dunlin_slice_make(bytes.data, bytes.len);
    dn_change read;
    for (int type = DN_CHANGE_REGISTRATION; type <= DN_CHANGE_REQUEST_IDS; type++) {
        assert_int_equal(dn_change_next(&rest, &read), DUNLIN_OK);
        dn_change change = sample((dn_change_type)type);
        assert_equal(&read, &change);
    }
    assert_int_equal(dn_change_next(&rest, &read), DUNLIN_END);
    dn_bytes_free(&bytes);
}

static void fields_are_read_back(void **state)
{
    (void)state;
    dn_bytes bytes = {0};
    dn_change change = sample(DN_CHANGE_REGISTRATION);
    assert_true(dn_change_append(&bytes, &change));
    dunlin_slice rest = dunlin_slice_make(bytes.data, bytes.len);
    dn_change read;
    assert_int_equal(dn_change_next(&rest, &read), DUNLIN_OK);
    const dn_store_registration *r = &read.as.registration;
    assert_int_equal(r->slot, 7);
    assert_true(r->id == UINT64_MAX && r->registered_ms == INT64_MIN && r->updated_ms == INT64_MAX);
    assert_int_equal(r->lifetime_s, UINT32_MAX);
    assert_true(dunlin_slice_equal(r->endpoint, dunlin_slice_of("urn:dev:1")));
    assert_true(dunlin_slice_equal(r->sms, dunlin_slice_of("+49")));
    assert_true(dn_peer_equal(&r->peer, &change.as.registration.peer));
    assert_int_equal(r->links, 3);
    assert_int_equal(r->version_major * 1000 + r->version_minor * 100 + r->binding * 10 + r->flags, 1248);
    dn_bytes_free(&bytes);
}

/* A change that stops at any byte is refused, never read beyond its end (the copy is exactly as long, for the
 * sanitizer to see). */
static void truncated_changes_are_refused(void **state)
{
    (void)state;
    for (int type = DN_CHANGE_REGISTRATION; type <= DN_CHANGE_REQUEST_IDS; type++) {
        dn_bytes bytes = {0};
        dn_change change = sample((dn_change_type)type);
        assert_true(dn_change_append(&bytes, &change));
        for (size_t len = 1; len < bytes.len; len++) {
            uint8_t *part = malloc(len);
            assert_non_null(part);
            memcpy(part, bytes.data, len);
            dunlin_slice rest = dunlin_slice_make(part, len);
            assert_int_equal(dn_change_next(&rest, &change), DUNLIN_ERR_MALFORMED);
            assert_int_equal(rest.len, len);
            free(part);
        }
        dn_bytes_free(&bytes);
    }
}

static void damaged_changes_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        const char *bytes;
        size_t len;
    } cases[] = {
        {"type 0", "\0\0\0\0\0", 5},
        {"unknown type", "\x0e\0\0\0\0", 5},
        {"value longer than what is there", "\x04\1\0\0\0\0\0\0\0\0\0\0\0\x45\x70\0\xff\xff\xff\x7f", 20},
        {"observation of depth 5",
         "\x08\1\0\0\0\5\1\0\2\0\3\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 36},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        dunlin_slice rest = dunlin_slice_make(cases[i].bytes, cases[i].len);
        dn_change change;
        if (dn_change_next(&rest, &change) != DUNLIN_ERR_MALFORMED) {
            fail_msg("%s was accepted", cases[i].what);
        }
    }
}

static void texts_that_are_too_long_are_refused(void **state)
{
    (void)state;
    static uint8_t text[UINT16_MAX + 1];
    dn_bytes bytes = {0};
    dn_change change = sample(DN_CHANGE_REGISTRATION);
    change.as.registration.endpoint = dunlin_slice_make(text, sizeof text);
    assert_false(dn_change_append(&bytes, &change));
    change = sample(DN_CHANGE_REGISTRATION);
    change.as.registration.sms = dunlin_slice_make(text, sizeof text);
    assert_false(dn_change_append(&bytes, &change));
    change = sample(DN_CHANGE_REGISTRATION);
    change.as.registration.peer.len = DN_PEER_MAX + 1;
    assert_false(dn_change_append(&bytes, &change));
    assert_int_equal(bytes.len, 0);
    change = sample(DN_CHANGE_REGISTRATION);
    change.as.registration.endpoint = dunlin_slice_make(text, UINT16_MAX);
    assert_true(dn_change_append(&bytes, &change));
    dn_bytes_free(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_is_read_back),
        cmocka_unit_test(fields_are_read_back),
        cmocka_unit_test(truncated_changes_are_refused),
        cmocka_unit_test(damaged_changes_are_refused),
        cmocka_unit_test(texts_that_are_too_long_are_refused),
    };
    return cmocka_run_group_tests_name("store_change", tests, NULL, NULL);
}
