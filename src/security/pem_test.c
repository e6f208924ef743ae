/* SPDX-License-Identifier: Apache-2.0 */
/* PEM: what is written is read, and what is none is not. */
#include "security/pem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define OUT_MAX 512

static void what_is_written_is_read(void **state)
{
    uint8_t bytes[200];
    char text[OUT_MAX];
    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(i * 7);
    }
    for (size_t len = 1; len <= sizeof bytes; len++) {
        dunlin_buf pem = dunlin_buf_make(text, dn_pem_length("X509 CRL", len));
        assert_int_equal(dn_pem_write("X509 CRL", dunlin_slice_make(bytes, len), &pem), DUNLIN_OK);
        assert_int_equal(pem.len, pem.cap);
        uint8_t back[sizeof bytes];
        dunlin_slice rest = dunlin_buf_view(&pem);
        dunlin_buf der = dunlin_buf_make(back, len);
        assert_int_equal(dn_pem_read(&rest, "X509 CRL", &der), DUNLIN_OK);
        assert_int_equal(der.len, len);
        assert_memory_equal(back, bytes, len);
        assert_int_equal(dn_pem_read(&rest, NULL, &der), DUNLIN_ERR_NOT_FOUND);
        pem = dunlin_buf_make(text, dn_pem_length("X509 CRL", len) - 1);
        assert_int_equal(dn_pem_write("X509 CRL", dunlin_slice_make(bytes, len), &pem), DUNLIN_ERR_SPACE);
        assert_int_equal(pem.len, 0);
    }
}

/* RFC 7468 section 2: lines of 64 characters, and a last one that is not empty. */
static void it_looks_as_the_standard_has_it(void **state)
{
    static const char expected[] = "-----BEGIN PUBLIC KEY-----\n"
                                   "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB\n"
                                   "QkI=\n"
                                   "-----END PUBLIC KEY-----\n";
    uint8_t bytes[50];
    char text[OUT_MAX];
    dunlin_buf pem = dunlin_buf_make(text, sizeof text);
    (void)state;
    memset(bytes, 'A', 48);
    memset(bytes + 48, 'B', 2);
    assert_int_equal(dn_pem_write(DN_PEM_PUBLIC_KEY, dunlin_slice_make(bytes, 50), &pem), DUNLIN_OK);
    assert_true(dunlin_slice_equal(dunlin_buf_view(&pem), dunlin_slice_of(expected)));
    pem = dunlin_buf_make(text, sizeof text);
    assert_int_equal(dn_pem_write(DN_PEM_PUBLIC_KEY, dunlin_slice_make(bytes, 48), &pem), DUNLIN_OK);
    assert_int_equal(pem.len, strlen(expected) - strlen("QkI=\n"));
}

#define BLOCK(label, body) "-----BEGIN " label "-----\n" body "\n-----END " label "-----\n"

static void several_are_read_in_order(void **state)
{
    static const char text[] =
        "Bag Attributes: none\r\n" BLOCK("A", "YWE=") "between\n" BLOCK("B", "YmI=") BLOCK("A", "Y2M=");
    uint8_t out[16];
    dunlin_slice rest = dunlin_slice_of(text);
    dunlin_buf der = dunlin_buf_make(out, sizeof out);
    (void)state;
    assert_true(dn_pem_is(rest));
    assert_int_equal(dn_pem_read(&rest, "A", &der), DUNLIN_OK);
    assert_int_equal(dn_pem_read(&rest, "A", &der), DUNLIN_OK);
    assert_int_equal(dn_pem_read(&rest, "A", &der), DUNLIN_ERR_NOT_FOUND);
    assert_true(dunlin_slice_equal(dunlin_buf_view(&der), dunlin_slice_of("aacc")));
    rest = dunlin_slice_of(text);
    der.len = 0;
    assert_int_equal(dn_pem_read(&rest, NULL, &der), DUNLIN_OK);
    assert_int_equal(dn_pem_read(&rest, NULL, &der), DUNLIN_OK);
    assert_true(dunlin_slice_equal(dunlin_buf_view(&der), dunlin_slice_of("aabb")));
}

static const struct {
    const char *what, *text;
    size_t cap;
    dunlin_status expected;
} cases[] = {
    {"nothing", "", 16, DUNLIN_ERR_NOT_FOUND},
    {"another label", BLOCK("B", "YWE="), 16, DUNLIN_ERR_NOT_FOUND},
    {"a label that goes on", BLOCK("A B", "YWE="), 16, DUNLIN_ERR_NOT_FOUND},
    {"no end", "-----BEGIN A-----\nYWE=\n", 16, DUNLIN_ERR_MALFORMED},
    {"no end of the first line", "-----BEGIN A\nYWE=\n", 16, DUNLIN_ERR_MALFORMED},
    {"cut in the last line", "-----BEGIN A-----\nYWE=\n-----END A----", 16, DUNLIN_ERR_MALFORMED},
    {"another end", "-----BEGIN A-----\nYWE=\n-----END B-----\n", 16, DUNLIN_ERR_MALFORMED},
    {"an end that goes on", "-----BEGIN A-----\nYWE=\n-----END AB-----\n", 16, DUNLIN_ERR_MALFORMED},
    {"empty", BLOCK("A", ""), 16, DUNLIN_ERR_MALFORMED},
    {"headers (encrypted)", BLOCK("A", "Proc-Type: 4,ENCRYPTED\n\nYWE="), 16, DUNLIN_ERR_MALFORMED},
    {"the other alphabet", BLOCK("A", "_-_-"), 16, DUNLIN_ERR_MALFORMED},
    {"something behind the padding", BLOCK("A", "YWE=YWE="), 16, DUNLIN_ERR_MALFORMED},
    {"a group too short", BLOCK("A", "YWE"), 16, DUNLIN_ERR_MALFORMED},
    {"bits left over", BLOCK("A", "YWF="), 16, DUNLIN_ERR_MALFORMED},
    {"too much", BLOCK("A", "YWFhYWFh"), 5, DUNLIN_ERR_SPACE},
    {"as much as there is room for", BLOCK("A", "YWFhYWFh"), 6, DUNLIN_OK},
    {"lines of any length, blanks", "-----BEGIN A-----\r\n Y\tW\r\nE =\r\n-----END A-----", 16, DUNLIN_OK},
};

static void what_is_none_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t out[16];
        dunlin_slice rest = dunlin_slice_of(cases[i].text);
        dunlin_buf der = dunlin_buf_make(out, cases[i].cap);
        const dunlin_status got = dn_pem_read(&rest, "A", &der);
        if (got != cases[i].expected) {
            fail_msg("%s: %s", cases[i].what, dunlin_status_text(got));
        }
        if (got != DUNLIN_OK) {
            assert_int_equal(der.len, 0);
            assert_ptr_equal(rest.data, cases[i].text);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(it_looks_as_the_standard_has_it),
        cmocka_unit_test(several_are_read_in_order),
        cmocka_unit_test(what_is_none_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
