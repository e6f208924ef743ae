/* SPDX-License-Identifier: Apache-2.0 */
#include "api/conditions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void their_form(void **state)
{
    static const struct {
        const char *text;
        bool is_formed;
    } rows[] = {
        {"*", true},
        {"\"3\"", true},
        {"W/\"3\"", true},
        {"\"3\", \"4\"", true},
        {",\"3\"\t,, W/\"\" ,", true},
        {"\"a,b\"", true},
        {"\"\xc3\xa4\"", true},
        {"", false},
        {" , ", false},
        {"3", false},
        {"\"3", false},
        {"3\"", false},
        {"\"3\" \"4\"", false},
        {"\"3\"\"4\"", false},
        {"w/\"3\"", false},
        {"W/3", false},
        {"*, \"3\"", false},
        {"**", false},
        {"\"3\", x", false},
        {"\"a b\"", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (dn_condition_is_formed(rows[i].text) != rows[i].is_formed) {
            fail_msg("%s", rows[i].text);
        }
    }
}

static void what_holds(void **state)
{
    enum { YES = DN_CONDITION_HOLDS, OTHER = DN_CONDITION_NO_MATCH, SAME = DN_CONDITION_MATCH };
    static const struct {
        const char *match, *none_match, *etag;
        int result;
    } rows[] = {
        {"", "", NULL, YES},
        {"", "", "\"3\"", YES},
        {"*", "", "\"3\"", YES},
        {"*", "", "", YES},
        {"*", "", NULL, OTHER},
        {"\"3\"", "", "\"3\"", YES},
        {"\"2\", \"3\"", "", "\"3\"", YES},
        {"\"2\"", "", "\"3\"", OTHER},
        {"\"33\"", "", "\"3\"", OTHER},
        {"W/\"3\"", "", "\"3\"", OTHER}, /* the strong comparison */
        {"\"3\"", "", NULL, OTHER},
        {"\"3\"", "", "", OTHER},
        {"", "*", NULL, YES},
        {"", "*", "\"3\"", SAME},
        {"", "*", "", SAME},
        {"", "\"3\"", "\"3\"", SAME},
        {"", "W/\"3\"", "\"3\"", SAME}, /* the weak one */
        {"", "\"2\", \"4\"", "\"3\"", YES},
        {"", "\"3\"", NULL, YES},
        {"", "\"3\"", "", YES},
        {"\"3\"", "\"2\"", "\"3\"", YES},
        {"\"2\"", "*", "\"3\"", OTHER}, /* If-Match comes first */
        {"*", "*", "\"3\"", SAME},
        {"*", "*", NULL, OTHER},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        dn_conditions conditions = {.match = ""};
        assert_true(dn_condition_add(conditions.match, rows[i].match, strlen(rows[i].match)));
        assert_true(dn_condition_add(conditions.none_match, rows[i].none_match, strlen(rows[i].none_match)));
        assert_int_equal(dn_conditions_any(&conditions), rows[i].match[0] != 0 || rows[i].none_match[0] != 0);
        if ((int)dn_conditions_check(&conditions, rows[i].etag) != rows[i].result) {
            fail_msg("row %u", (unsigned)i);
        }
    }
}

/* Lines of a header are one list. */
static void lines_are_put_together(void **state)
{
    char header[DN_CONDITION_MAX] = "";
    char longest[DN_CONDITION_MAX];
    (void)state;
    assert_true(dn_condition_add(header, "\"3\"", 3));
    assert_true(dn_condition_add(header, "\"4\"", 3));
    assert_string_equal(header, "\"3\",\"4\"");
    memset(longest, 'x', sizeof longest);
    assert_false(dn_condition_add(header, longest, DN_CONDITION_MAX - 8));
    assert_true(dn_condition_add(header, longest, DN_CONDITION_MAX - 9));
    assert_int_equal(strlen(header), DN_CONDITION_MAX - 1);
    assert_false(dn_condition_add(header, "", 0));
    header[0] = '\0';
    assert_false(dn_condition_add(header, longest, DN_CONDITION_MAX));
    assert_true(dn_condition_add(header, longest, DN_CONDITION_MAX - 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(their_form), cmocka_unit_test(what_holds),
                                       cmocka_unit_test(lines_are_put_together)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
