/* SPDX-License-Identifier: Apache-2.0 */
/* Link format: payloads of RFC 6690 and of LwM2M registrations, tolerated deviations, bad input, writing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "codec/link.h"

/* Reads a payload into "target{name=value,name="value",name}" per link; a bad one ends with the status. */
static void describe(dunlin_slice input, char *out, size_t cap)
{
    dn_link_reader reader;
    dn_link link;
    dunlin_status status;
    size_t len = 0;
    out[0] = '\0';
    dn_links_read(&reader, input);
    while ((status = dn_links_next(&reader, &link)) == DUNLIN_OK) {
        dn_link_param param;
        size_t at = 0;
        len += (size_t)snprintf(out + len, cap - len, "%.*s{", (int)link.target.len,
                                (const char *)link.target.data);
        for (bool first = true; dn_link_param_next(&link, &at, &param) == DUNLIN_OK; first = false) {
            const char *quote = param.quoted ? "\"" : "";
            len += (size_t)snprintf(out + len, cap - len, "%s%.*s%s%s%.*s%s", first ? "" : ",",
                                    (int)param.name.len, (const char *)param.name.data,
                                    param.has_value ? "=" : "", quote, (int)param.value.len,
                                    (const char *)param.value.data, quote);
        }
        len += (size_t)snprintf(out + len, cap - len, "}");
    }
    assert_int_equal(dn_links_next(&reader, &link), status);
    if (status != DUNLIN_END) {
        snprintf(out + len, cap - len, "(%s)", dunlin_status_text(status));
    }
}

static void check(const char *input, const char *expected)
{
    char text[1024];
    size_t len = strlen(input);
    char *copy = malloc(len > 0 ? len : 1); /* exactly as large as the payload, for sanitizers */
    assert_non_null(copy);
    memcpy(copy, input, len);
    describe(dunlin_slice_make(copy, len), text, sizeof text);
    free(copy);
    assert_string_equal(text, expected);
}

static void reads_payloads(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", ""},
        {" \t\r\n", ""},
        /* RFC 6690 section 5 */
        {"</sensors>;ct=40;title=\"Sensor Index\",</sensors/temp>;rt=\"temperature-c\";if=\"sensor\","
         "<http://www.example.com/sensors/t123>;anchor=\"/sensors/temp\";rel=\"describedby\"",
         "/sensors{ct=40,title=\"Sensor Index\"}/sensors/temp{rt=\"temperature-c\",if=\"sensor\"}"
         "http://www.example.com/sensors/t123{anchor=\"/sensors/temp\",rel=\"describedby\"}"},
        {"</firmware/v2.1>;rt=\"firmware\";sz=262144", "/firmware/v2.1{rt=\"firmware\",sz=262144}"},
        /* LwM2M */
        {"</>;rt=\"oma.lwm2m\";ct=\"60 110 112 11542\",</1>;ver=1.1,</1/0>,</3/0>,</5>",
         "/{rt=\"oma.lwm2m\",ct=\"60 110 112 11542\"}/1{ver=1.1}/1/0{}/3/0{}/5{}"},
        {"lwm2m=\"1.0\",</0>,</0/0>;ssid=101", "{lwm2m=\"1.0\"}/0{}/0/0{ssid=101}"},
        {"lwm2m=1.0;x , </0>", "{lwm2m=1.0,x}/0{}"},
        {"</3/0/7>;dim=8;gt=50;lt=42.2;pmin=10;epmax", "/3/0/7{dim=8,gt=50,lt=42.2,pmin=10,epmax}"},
        {"</3303/0/5700>;lt=-20.5;st=0.5", "/3303/0/5700{lt=-20.5,st=0.5}"},
        {" </1/0> ; a = 1 ; b = \"2\" ,\n </3/0> ", "/1/0{a=1,b=\"2\"}/3/0{}"},
        {"</a>;t=\"a,b;c=<d>\",</b>", "/a{t=\"a,b;c=<d>\"}/b{}"},
        {"</a>;t=\"say \\\"x,y\\\" \\\\\",</b>", "/a{t=\"say \\\"x,y\\\" \\\\\"}/b{}"},
        {"</a>;e=\"\";f=;if=core#a=b;title*=UTF-8''%e2%82%ac",
         "/a{e=\"\",f=,if=core#a=b,title*=UTF-8''%e2%82%ac}"},
        {"<>", "{}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        check(cases[i][0], cases[i][1]);
    }
}

static void refuses_bad_payloads(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"</a>,", "/a{}(malformed)"},
        {",</a>", "(malformed)"},
        {"</a>,,</b>", "/a{}(malformed)"},
        {"</a", "(malformed)"},
        {"<", "(malformed)"},
        {"</a></b>", "(malformed)"},
        {"</a </b>", "(malformed)"},
        {"/a", "(malformed)"},
        {"</a>x", "(malformed)"},
        {"</a>;", "(malformed)"},
        {"</a>;;b", "(malformed)"},
        {"</a>;=1", "(malformed)"},
        {"</a>;b=1 2", "(malformed)"},
        {"</a>;b c", "(malformed)"},
        {"</a>;b=\"1", "(malformed)"},
        {"</a>;b=\"1\\", "(malformed)"},
        {"</a>;b=\"1\"2", "(malformed)"},
        {"</a>;b=1\"2\"", "(malformed)"},
        {"</a>;b=\\", "(malformed)"},
        {"</a>;t=\"\xff\"", "(malformed)"},
        {"</a>,lwm2m=\"1.0\"", "/a{}(malformed)"},
        {"</a>;b=\x01", "(malformed)"},
        {"\"", "(malformed)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        check(cases[i][0], cases[i][1]);
    }
}

static void finds_parameters(void **state)
{
    (void)state;
    dn_link_reader reader;
    dn_link link;
    dn_link_param param;
    dn_links_read(&reader, dunlin_slice_of("</1>;ver=\"1.1\";ver=2.0;x"));
    assert_int_equal(dn_links_next(&reader, &link), DUNLIN_OK);
    assert_int_equal(dn_link_param_find(&link, "ver", &param), DUNLIN_OK);
    assert_true(dunlin_slice_equal(param.value, dunlin_slice_of("1.1")));
    assert_true(param.quoted);
    assert_int_equal(dn_link_param_find(&link, "x", &param), DUNLIN_OK);
    assert_false(param.has_value);
    assert_int_equal(dn_link_param_find(&link, "ve", &param), DUNLIN_ERR_NOT_FOUND);
    link.params = dunlin_slice_of(";a;;ver=1");
    assert_int_equal(dn_link_param_find(&link, "ver", &param), DUNLIN_ERR_MALFORMED);
}

static void reads_targets_as_paths(void **state)
{
    (void)state;
    static const struct {
        const char *root;
        const char *target;
        dunlin_status status;
        const char *path;
    } cases[] = {
        {"/", "/3/0", DUNLIN_OK, "/3/0"},
        {"", "/3/0", DUNLIN_OK, "/3/0"},
        {"/", "/", DUNLIN_OK, "/"},
        {"/", "/3/0/", DUNLIN_OK, "/3/0"},
        {"/", "/1/2/3/4", DUNLIN_OK, "/1/2/3/4"},
        {"/lwm2m", "/lwm2m/3/0", DUNLIN_OK, "/3/0"},
        {"/lwm2m/", "/lwm2m/3/0", DUNLIN_OK, "/3/0"},
        {"/lwm2m", "/lwm2m", DUNLIN_OK, "/"},
        {"/lwm2m", "/lwm2m/", DUNLIN_OK, "/"},
        {"/lwm2m", "/3/0", DUNLIN_ERR_PATH, NULL},
        {"/lwm2m", "/lwm2mx/3", DUNLIN_ERR_PATH, NULL},
        {"/lwm2m", "/lwm2", DUNLIN_ERR_PATH, NULL},
        {"/", "", DUNLIN_ERR_PATH, NULL},
        {"/", "3/0", DUNLIN_ERR_PATH, NULL},
        {"/", "/3//0", DUNLIN_ERR_PATH, NULL},
        {"/", "/3/0//", DUNLIN_ERR_PATH, NULL},
        {"/", "/3/0?x", DUNLIN_ERR_PATH, NULL},
        {"/", "/65535", DUNLIN_ERR_PATH, NULL},
        {"/", "/1/2/3/4/5", DUNLIN_ERR_PATH, NULL},
        {"/", "/sensors", DUNLIN_ERR_PATH, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        dn_link link = {.target = dunlin_slice_of(cases[i].target)};
        dunlin_path path = dunlin_path_object(9);
        assert_int_equal(dn_link_path(&link, dunlin_slice_of(cases[i].root), &path), cases[i].status);
        if (cases[i].status == DUNLIN_OK) {
            char text[DUNLIN_PATH_TEXT_MAX + 1];
            dunlin_path_format(path, text);
            assert_string_equal(text, cases[i].path);
        }
    }
}

/* Found by fuzzing: the head of a Bootstrap-Discover has no target at all. */
static void a_head_is_no_path(void **state)
{
    (void)state;
    dn_link_reader reader;
    dn_link link;
    dunlin_path path;
    dn_links_read(&reader, dunlin_slice_of("lwm2m=\"1.0\",</0>"));
    assert_int_equal(dn_links_next(&reader, &link), DUNLIN_OK);
    assert_int_equal(dn_link_path(&link, dunlin_slice_of("/"), &path), DUNLIN_ERR_PATH);
    assert_int_equal(dn_link_path(&link, dunlin_slice_of("/lwm2m"), &path), DUNLIN_ERR_PATH);
}

static void write_all(dn_link_writer *writer, dunlin_buf out)
{
    dn_links_write(writer, out);
    dn_link_put_target(writer, "/");
    dn_link_put_text(writer, "rt", dunlin_slice_of("oma.lwm2m"), true);
    dn_link_put_text(writer, "lwm2m", dunlin_slice_of("1.1"), false);
    dn_link_put(writer, dunlin_slice_of("/"), dunlin_path_instance(3, 0));
    dn_link_put_number(writer, "dim", 8);
    dn_link_put_decimal(writer, "lt", -42.5);
    dn_link_put_flag(writer, "epmax");
    dn_link_put(writer, dunlin_slice_of("/lwm2m/"), dunlin_path_object(1));
    dn_link_put_text(writer, "t", dunlin_slice_of("a\"b\\c"), true);
    dn_link_put(writer, dunlin_slice_of("/lwm2m"), dunlin_path_root());
    dn_link_put(writer, dunlin_slice_of(""), dunlin_path_root());
}

static void writes_payloads(void **state)
{
    (void)state;
    static const char expected[] =
        "</>;rt=\"oma.lwm2m\";lwm2m=1.1,</3/0>;dim=8;lt=-42.5;epmax,</lwm2m/1>;t=\"a\\\"b\\\\c\","
        "</lwm2m>,</>";
    char memory[sizeof expected];
    dn_link_writer writer;
    dunlin_slice payload;
    write_all(&writer, dunlin_buf_make(memory, sizeof memory));
    assert_int_equal(dn_links_finish(&writer, &payload), DUNLIN_OK);
    assert_true(dunlin_slice_equal(payload, dunlin_slice_of(expected)));
    write_all(&writer, dunlin_buf_make(NULL, 0));
    assert_int_equal(dn_links_finish(&writer, &payload), DUNLIN_OK);
    assert_int_equal(payload.len, sizeof expected - 1);
    for (size_t cap = 0; cap < sizeof expected - 1; cap++) {
        write_all(&writer, dunlin_buf_make(memory, cap));
        assert_int_equal(dn_links_finish(&writer, &payload), DUNLIN_ERR_SPACE);
        assert_int_equal(writer.total, sizeof expected - 1);
        assert_int_equal(payload.len, 0);
    }
}

static void refuses_to_write(void **state)
{
    (void)state;
    char memory[100];
    dunlin_slice payload;
    dn_link_writer writer;
    dn_links_write(&writer, dunlin_buf_make(memory, sizeof memory));
    dn_link_put_flag(&writer, "before-any-link");
    assert_int_equal(dn_links_finish(&writer, &payload), DUNLIN_ERR_ARGUMENT);
    dn_links_write(&writer, dunlin_buf_make(memory, sizeof memory));
    dn_link_put_target(&writer, "/a>b");
    assert_int_equal(dn_links_finish(&writer, &payload), DUNLIN_ERR_ARGUMENT);
    dn_links_write(&writer, dunlin_buf_make(memory, sizeof memory));
    dn_link_put_target(&writer, "/a");
    dn_link_put_text(&writer, "t", dunlin_slice_of("two words"), false);
    assert_int_equal(dn_links_finish(&writer, &payload), DUNLIN_ERR_ARGUMENT);
    dn_links_write(&writer, dunlin_buf_make(memory, sizeof memory));
    dn_link_put_target(&writer, "/a");
    dn_link_put_text(&writer, "t", dunlin_slice_of("\xff"), true);
    assert_int_equal(dn_links_finish(&writer, &payload), DUNLIN_ERR_MALFORMED);
    dn_links_write(&writer, dunlin_buf_make(memory, sizeof memory));
    dn_link_put_target(&writer, "/a");
    dn_link_put_decimal(&writer, "lt", 1e308 * 10);
    assert_int_equal(dn_links_finish(&writer, &payload), DUNLIN_ERR_RANGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_payloads),    cmocka_unit_test(refuses_bad_payloads),
        cmocka_unit_test(finds_parameters),  cmocka_unit_test(reads_targets_as_paths),
        cmocka_unit_test(a_head_is_no_path), cmocka_unit_test(writes_payloads),
        cmocka_unit_test(refuses_to_write),
    };
    return cmocka_run_group_tests_name("link", tests, NULL, NULL);
}
