/* SPDX-License-Identifier: Apache-2.0 */
/* Settings: docs/reference/configuration.md says each one's default and bounds; what depends on several is checked. */
#include "settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *read_reference(void)
{
    FILE *file = fopen(DUNLIN_SOURCE_DIR "/docs/reference/configuration.md", "re");
    assert_non_null(file);
    size_t room = 1 << 16;
    char *text = calloc(1, room);
    assert_non_null(text);
    assert_in_range(fread(text, 1, room - 1, file), 1, room - 2);
    fclose(file);
    return text;
}

static void every_number_is_documented(void **state)
{
    (void)state;
    char *text = read_reference();
    settings set;
    assert_true(settings_init(&set));
    size_t rows = 0;
    for (const char *at = text; (at = strstr(at, "\n| `")) != NULL; at++) {
        const char *dash = strstr(at, "\xe2\x80\x93"); /* the bounds' en dash */
        const char *end = strchr(at + 1, '\n');
        rows += dash != NULL && dash < end && dash[-1] >= '0' && dash[-1] <= '9';
    }
    for (size_t i = 0; i < number_setting_count; i++) {
        const number_setting *number = &number_settings[i];
        char row[200];
        snprintf(row, sizeof row, "| `%s.%s` | %u | %u\xe2\x80\x93%u |", number->section, number->key,
                 *settings_number(&set, number), number->least, number->most);
        if (strstr(text, row) == NULL) {
            fail_msg("configuration.md has no row \"%s\"", row);
        }
        assert_in_range(*settings_number(&set, number), number->least, number->most);
    }
    assert_int_equal(rows, number_setting_count);
    settings_free(&set);
    free(text);
}

static void defaults_are_those_of_the_parts(void **state)
{
    (void)state;
    settings set;
    assert_true(settings_init(&set));
    assert_true(settings_complete(&set));
    dn_fleet_config fleet = dn_fleet_config_default();
    dn_fleet_config made = fleet;
    settings_fleet(&set, &made);
    assert_memory_equal(&made.coap, &fleet.coap, sizeof fleet.coap);
    assert_int_equal(made.max_registrations, fleet.max_registrations);
    assert_int_equal(made.event_buffer_bytes, fleet.event_buffer_bytes);
    assert_string_equal(set.coap_listen.item[0], "[::]:5683");
    settings_free(&set);
}

static void combinations_are_checked(void **state)
{
    (void)state;
    settings set;
    char error[512];
    assert_true(settings_init(&set));
    assert_true(settings_check(&set, error, sizeof error));
    set.coap.block_size = 96;
    assert_false(settings_check(&set, error, sizeof error));
    assert_non_null(strstr(error, "coap.block-size"));
    set.coap.block_size = 64;
    assert_true(settings_string(&set.http_listen, "0.0.0.0:80"));
    assert_false(settings_check(&set, error, sizeof error));
    assert_non_null(strstr(error, "http.listen"));
    set.http_open = true;
    assert_true(settings_check(&set, error, sizeof error));
    dn_fleet_config made = dn_fleet_config_default();
    settings_fleet(&set, &made);
    assert_int_equal(made.coap.block_szx, 2);
    settings_free(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_number_is_documented),
                                       cmocka_unit_test(defaults_are_those_of_the_parts),
                                       cmocka_unit_test(combinations_are_checked)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
