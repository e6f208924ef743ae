/* SPDX-License-Identifier: Apache-2.0 */
/* Each parameter's grammar, as tables of what is taken and what is not. */
#include "server/parameters.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Encodes Uri-Query options from texts separated by '&' (RFC 7252 section 3.1). */
static dn_coap_options encode(const char *queries, uint8_t *out, size_t cap)
{
    size_t used = 0;
    unsigned delta = DN_OPTION_URI_QUERY;
    while (queries != NULL) {
        const char *end = strchr(queries, '&');
        size_t len = end != NULL ? (size_t)(end - queries) : strlen(queries);
        assert_true(used + len + 4 < cap && len < 269 + 255);
        unsigned len_nibble = len < 13 ? (unsigned)len : len < 269 ? 13 : 14;
        out[used++] = (uint8_t)((delta < 13 ? delta : 13) << 4 | len_nibble);
        if (delta >= 13) {
            out[used++] = (uint8_t)(delta - 13);
        }
        if (len_nibble == 13) {
            out[used++] = (uint8_t)(len - 13);
        } else if (len_nibble == 14) {
            out[used++] = (uint8_t)((len - 269) >> 8);
            out[used++] = (uint8_t)(len - 269);
        }
        dunlin_buf rest = dunlin_buf_make(out + used, cap - used);
        assert_true(dunlin_buf_append(&rest, dunlin_slice_make(queries, len)));
        used += len;
        delta = 0;
        queries = end != NULL ? end + 1 : NULL;
    }
    return (dn_coap_options){.raw = dunlin_slice_make(out, used)};
}

static dunlin_status read(const char *queries, dn_parameters *parameters)
{
    static uint8_t bytes[2048];
    dunlin_slice culprit;
    return dn_parameters_read(encode(queries, bytes, sizeof bytes), parameters, &culprit);
}

static void reads_them_all(void **state)
{
    (void)state;
    dn_parameters p;
    assert_int_equal(read("ep=urn:imei:123456789012345&lt=86400&lwm2m=1.1&b=UT&Q&sms=4915112345678", &p),
                     DUNLIN_OK);
    assert_int_equal(p.present, DN_PARAMETER_EP | DN_PARAMETER_LT | DN_PARAMETER_LWM2M | DN_PARAMETER_B |
                                    DN_PARAMETER_Q | DN_PARAMETER_SMS);
    assert_true(dunlin_slice_equal(p.endpoint, dunlin_slice_of("urn:imei:123456789012345")));
    assert_int_equal(p.lifetime_s, 86400);
    assert_int_equal(p.version_major, 1);
    assert_int_equal(p.version_minor, 1);
    assert_int_equal(p.binding, DN_BINDING_U | DN_BINDING_T);
    assert_true(p.queue_mode);
    assert_true(dunlin_slice_equal(p.sms, dunlin_slice_of("4915112345678")));
}

static void none_is_fine(void **state)
{
    (void)state;
    dn_parameters p;
    assert_int_equal(read(NULL, &p), DUNLIN_OK);
    assert_int_equal(p.present, 0);
}

static const struct {
    const char *what;
    const char *query;
    dunlin_status status;
} grammar[] = {
    {"one letter", "ep=a", DUNLIN_OK},
    {"letters of elsewhere", "ep=\xc3\xa9\xe2\x82\xac\xf0\x9f\xa6\x86", DUNLIN_OK},
    {"signs", "ep=urn:dev:os:32473-1/2#3 4", DUNLIN_OK},
    {"no name", "ep=", DUNLIN_ERR_MALFORMED},
    {"ep without value", "ep", DUNLIN_ERR_MALFORMED},
    {"control character", "ep=a\x01", DUNLIN_ERR_MALFORMED},
    {"line break", "ep=a\nb", DUNLIN_ERR_MALFORMED},
    {"DEL", "ep=a\x7f", DUNLIN_ERR_MALFORMED},
    {"C1 control", "ep=a\xc2\x85", DUNLIN_ERR_MALFORMED},
    {"stray UTF-8 byte", "ep=a\x80", DUNLIN_ERR_MALFORMED},
    {"overlong UTF-8", "ep=\xc0\xaf", DUNLIN_ERR_MALFORMED},
    {"surrogate", "ep=\xed\xa0\x80", DUNLIN_ERR_MALFORMED},
    {"cut UTF-8", "ep=\xe2\x82", DUNLIN_ERR_MALFORMED},
    {"lifetime", "lt=300", DUNLIN_OK},
    {"without end", "lt=0", DUNLIN_OK},
    {"the longest", "lt=4294967295", DUNLIN_OK},
    {"one too long", "lt=4294967296", DUNLIN_ERR_MALFORMED},
    {"ten digits", "lt=9999999999", DUNLIN_ERR_MALFORMED},
    {"too many digits", "lt=00000000300", DUNLIN_ERR_MALFORMED},
    {"no digits", "lt=", DUNLIN_ERR_MALFORMED},
    {"signed", "lt=+300", DUNLIN_ERR_MALFORMED},
    {"negative", "lt=-1", DUNLIN_ERR_MALFORMED},
    {"blank", "lt= 300", DUNLIN_ERR_MALFORMED},
    {"fraction", "lt=3.5", DUNLIN_ERR_MALFORMED},
    {"hexadecimal", "lt=0x10", DUNLIN_ERR_MALFORMED},
    {"1.0", "lwm2m=1.0", DUNLIN_OK},
    {"another version", "lwm2m=12.34", DUNLIN_OK},
    {"no minor", "lwm2m=1", DUNLIN_ERR_MALFORMED},
    {"empty minor", "lwm2m=1.", DUNLIN_ERR_MALFORMED},
    {"empty major", "lwm2m=.1", DUNLIN_ERR_MALFORMED},
    {"three parts", "lwm2m=1.1.1", DUNLIN_ERR_MALFORMED},
    {"long number", "lwm2m=1.100", DUNLIN_ERR_MALFORMED},
    {"quoted", "lwm2m=\"1.0\"", DUNLIN_ERR_MALFORMED},
    {"U", "b=U", DUNLIN_OK},
    {"UQ", "b=UQ", DUNLIN_OK},
    {"S", "b=S", DUNLIN_OK},
    {"SQ", "b=SQ", DUNLIN_OK},
    {"US", "b=US", DUNLIN_OK},
    {"UQS", "b=UQS", DUNLIN_OK},
    {"UTSN", "b=UTSN", DUNLIN_OK},
    {"any order", "b=NSTU", DUNLIN_OK},
    {"only Q", "b=Q", DUNLIN_ERR_MALFORMED},
    {"nothing", "b=", DUNLIN_ERR_MALFORMED},
    {"twice", "b=UU", DUNLIN_ERR_MALFORMED},
    {"Q twice", "b=UQQ", DUNLIN_ERR_MALFORMED},
    {"unknown letter", "b=UX", DUNLIN_ERR_MALFORMED},
    {"small letter", "b=u", DUNLIN_ERR_MALFORMED},
    {"flag", "Q", DUNLIN_OK},
    {"flag with value", "Q=1", DUNLIN_ERR_MALFORMED},
    {"flag with empty value", "Q=", DUNLIN_ERR_MALFORMED},
    {"number", "sms=1", DUNLIN_OK},
    {"15 digits", "sms=123456789012345", DUNLIN_OK},
    {"16 digits", "sms=1234567890123456", DUNLIN_ERR_MALFORMED},
    {"leading plus", "sms=+491511234", DUNLIN_ERR_MALFORMED},
    {"empty number", "sms=", DUNLIN_ERR_MALFORMED},
    {"profile", "pid=5", DUNLIN_OK},
    {"unknown", "foo=1", DUNLIN_ERR_UNSUPPORTED},
    {"unknown flag", "X", DUNLIN_ERR_UNSUPPORTED},
    {"other case", "EP=a", DUNLIN_ERR_UNSUPPORTED},
    {"no name at all", "=a", DUNLIN_ERR_UNSUPPORTED},
    {"empty option", "", DUNLIN_ERR_UNSUPPORTED},
    {"ep twice", "ep=a&ep=a", DUNLIN_ERR_DUPLICATE},
    {"lt twice", "lt=1&lwm2m=1.0&lt=2", DUNLIN_ERR_DUPLICATE},
    {"Q twice", "Q&Q", DUNLIN_ERR_DUPLICATE},
    {"bad outweighs unknown", "foo&lt=x", DUNLIN_ERR_MALFORMED},
};

static void each_by_its_grammar(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof grammar / sizeof grammar[0]; i++) {
        dn_parameters p;
        dunlin_status status = read(grammar[i].query, &p);
        if (status != grammar[i].status) {
            print_error("%s: %s gave %d, not %d\n", grammar[i].what, grammar[i].query, status,
                        grammar[i].status);
        }
        assert_int_equal(status, grammar[i].status);
    }
}

static void names_have_a_longest(void **state)
{
    (void)state;
    char query[3 + DN_ENDPOINT_MAX + 2] = "ep=";
    dn_parameters p;
    memset(query + 3, 'a', DN_ENDPOINT_MAX + 1);
    assert_int_equal(read(query, &p), DUNLIN_ERR_MALFORMED);
    query[3 + DN_ENDPOINT_MAX] = '\0';
    assert_int_equal(read(query, &p), DUNLIN_OK);
    assert_int_equal(p.endpoint.len, DN_ENDPOINT_MAX);
}

static void unknown_ones_leave_the_rest_read(void **state)
{
    (void)state;
    dn_parameters p;
    assert_int_equal(read("foo=1&lwm2m=2.0&bar", &p), DUNLIN_ERR_UNSUPPORTED);
    assert_int_equal(p.present, DN_PARAMETER_LWM2M);
    assert_int_equal(p.version_major, 2);
}

static void a_zero_byte_is_no_letter(void **state)
{
    (void)state;
    static const uint8_t option[] = {0xd4, 2, 'b', '=', 'U', 0};
    dn_parameters p;
    dunlin_slice culprit;
    dn_coap_options options = {.raw = dunlin_slice_make(option, sizeof option)};
    assert_int_equal(dn_parameters_read(options, &p, &culprit), DUNLIN_ERR_MALFORMED);
    assert_int_equal(culprit.len, 4);
}

static void bindings_are_written_in_order(void **state)
{
    (void)state;
    char text[7];
    dn_binding_text(DN_BINDING_S | DN_BINDING_U, text);
    assert_string_equal(text, "US");
    dn_binding_text(0x3f, text);
    assert_string_equal(text, "UTSNMH");
    dn_binding_text(0, text);
    assert_string_equal(text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_them_all),
        cmocka_unit_test(none_is_fine),
        cmocka_unit_test(each_by_its_grammar),
        cmocka_unit_test(names_have_a_longest),
        cmocka_unit_test(unknown_ones_leave_the_rest_read),
        cmocka_unit_test(a_zero_byte_is_no_letter),
        cmocka_unit_test(bindings_are_written_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
