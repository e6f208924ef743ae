/* SPDX-License-Identifier: Apache-2.0 */
/* The test cases can fail: devices and servers that break a rule, made by changing datagrams on their way, get the verdict
 * that they deserve, and for the reason that is theirs. */
#include "coap/message.h"
#include "ets/ets.h"
#include "ets/sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COME_MS    60000u
#define MTU        2048u
#define CODE_AT    1u
#define REPORT_MAX 4000000u

typedef bool meddler(bool to_device, const dn_coap_message *is, uint8_t *bytes, size_t *len);

/* ---- what goes wrong ---- */

static bool has_query(const dn_coap_message *is, const char *start)
{
    dn_coap_options walk = is->options;
    dunlin_slice value;
    while (dn_coap_option_find(&walk, DN_OPTION_URI_QUERY, &value) == DUNLIN_OK) {
        if (value.len >= strlen(start) && memcmp(value.data, start, strlen(start)) == 0) {
            return true;
        }
    }
    return false;
}

static bool device_has_nothing(bool to_device, const dn_coap_message *is, uint8_t *bytes, size_t *len)
{
    (void)len;
    if (!to_device && is->code == DN_COAP_CONTENT) {
        bytes[CODE_AT] = DN_COAP_NOT_FOUND;
    }
    return true;
}

static bool device_allows_all(bool to_device, const dn_coap_message *is, uint8_t *bytes, size_t *len)
{
    (void)len;
    if (!to_device && (is->code == DN_COAP_METHOD_NOT_ALLOWED || is->code == DN_COAP_UNAUTHORIZED)) {
        bytes[CODE_AT] = DN_COAP_CHANGED;
    }
    return true;
}

/* The last byte of whatever it tells is another one. */
static bool device_garbles(bool to_device, const dn_coap_message *is, uint8_t *bytes, size_t *len)
{
    if (!to_device && is->code == DN_COAP_CONTENT && is->payload.len > 0) {
        bytes[*len - 1] ^= 0x55;
    }
    return true;
}

static bool device_is_mute(bool to_device, const dn_coap_message *is, uint8_t *bytes, size_t *len)
{
    (void)bytes;
    (void)len;
    return to_device || is->code >> 5 == 0; /* it still registers */
}

static bool device_never_notifies(bool to_device, const dn_coap_message *is, uint8_t *bytes, size_t *len)
{
    (void)bytes;
    (void)len;
    return to_device || is->type != DN_COAP_NON;
}

static bool resets_are_lost(bool to_device, const dn_coap_message *is, uint8_t *bytes, size_t *len)
{
    (void)bytes;
    (void)len;
    return !to_device || is->type != DN_COAP_RST;
}

/* "lt=" becomes "lx=". */
static bool device_tells_no_lifetime(bool to_device, const dn_coap_message *is, uint8_t *bytes, size_t *len)
{
    for (size_t i = 0; !to_device && has_query(is, "lt=") && i + 2 < *len; i++) {
        if (memcmp(bytes + i, "lt=", 3) == 0) {
            bytes[i + 1] = 'x';
        }
    }
    return true;
}

static bool server_is_deaf(bool to_device, const dn_coap_message *is, uint8_t *bytes, size_t *len)
{
    (void)is;
    (void)bytes;
    (void)len;
    return !to_device;
}

static bool server_refuses_updates(bool to_device, const dn_coap_message *is, uint8_t *bytes, size_t *len)
{
    (void)len;
    if (to_device && is->code == DN_COAP_CHANGED) {
        bytes[CODE_AT] = DN_COAP_BAD_REQUEST;
    }
    return true;
}

static bool server_keeps_the_gone(bool to_device, const dn_coap_message *is, uint8_t *bytes, size_t *len)
{
    (void)bytes;
    (void)len;
    return to_device || is->code != DN_COAP_DELETE;
}

static const struct {
    const char *name;
    meddler *meddle;
    const char *pattern; /* of the case */
    const char *reason;  /* a part of what is said */
} ROWS[] = {
    {"a device that has nothing", device_has_nothing, "int-201",
     "the device answers 2.05 Content: it answered 4.04"},
    {"a device that has nothing to discover", device_has_nothing, "int-260",
     "the device answers 2.05 Content"},
    {"a device that allows all writes", device_allows_all, "int-256", "the device answers 4.05"},
    {"a device that shows its keys", device_allows_all, "int-221", "the device answers 4.01"},
    {"a device that deletes itself", device_allows_all, "int-685", "the device answers 4.05"},
    {"a device whose values are wrong", device_garbles, "int-205", "/1/x can be read"},
    {"a device whose SenML is broken", device_garbles, "int-231", "the server understands the payload"},
    {"a device that does not answer", device_is_mute, "int-222", "the device answers: timeout"},
    {"a device that never notifies", device_never_notifies, "int-301", "a notification of /3/0/7 comes"},
    {"a server whose Resets do not leave", resets_are_lost, "int-302", "the server answers it with a Reset"},
    {"a device that tells no lifetime", device_tells_no_lifetime, "int-101", "the device is registered"},
    {"a server that is deaf", server_is_deaf, "int-101", "the device is registered"},
    {"a server that refuses Updates", server_refuses_updates, "int-102", "the server answers 2.04 Changed"},
    {"a server that does not hear of a De-register", server_keeps_the_gone, "int-103",
     "the device sends a De-register"},
};

/* ---- running ---- */

static bool meddle(void *context, bool to_device, uint8_t *bytes, size_t *len, size_t capacity)
{
    meddler *function = *(meddler **)context;
    dn_coap_message message;
    (void)capacity;
    return dn_coap_message_read(&message, dunlin_slice_make(bytes, *len)) != DUNLIN_OK ||
           function(to_device, &message, bytes, len);
}

static void run(meddler *function, const char *pattern, dn_ets_results *results)
{
    const dn_ets_sim_config config = {
        .seed = 7, .meddle = function != NULL ? meddle : NULL, .context = &function};
    dn_ets_sim *sim = dn_ets_sim_create(&config);
    dn_ets_options options = dn_ets_options_default();
    assert_non_null(sim);
    options.patterns = &pattern;
    options.pattern_count = 1;
    options.come_ms = COME_MS;
    (void)dn_ets_run_cases(dn_ets_sim_world(sim), &options, results);
    dn_ets_sim_destroy(sim);
}

static void broken_peers_fail(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        dn_ets_results results = {.count = 0};
        run(ROWS[i].meddle, ROWS[i].pattern, &results);
        assert_int_equal(results.count, 1);
        const dn_ets_result *result = &results.list[0];
        if (result->verdict != DN_ETS_FAILED || strstr(result->reason, ROWS[i].reason) == NULL) {
            print_error("%s: %s: %s\n", ROWS[i].name, dn_ets_verdict_name(result->verdict),
                        result->reason != NULL ? result->reason : "");
        }
        assert_int_equal(result->verdict, DN_ETS_FAILED);
        assert_non_null(strstr(result->reason, ROWS[i].reason));
        dn_ets_results_free(&results);
    }
}

static void the_same_cases_pass_unbroken(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        dn_ets_results results = {.count = 0};
        run(NULL, ROWS[i].pattern, &results);
        assert_int_equal(results.count, 1);
        assert_int_equal(results.list[0].verdict, DN_ETS_PASSED);
        dn_ets_results_free(&results);
    }
}

static void a_server_that_is_not_there_is_told_apart(void **state)
{
    dn_ets_results results = {.count = 0};
    (void)state;
    run(server_is_deaf, "int-1??", &results);
    assert_true(results.no_peer);
    assert_int_equal(results.count, 1); /* there is no point in trying the others */
    dn_ets_results_free(&results);
}

static void the_same_seed_gives_the_same_run(void **state)
{
    dn_ets_results first = {.count = 0}, second = {.count = 0};
    (void)state;
    run(NULL, "int-3*", &first);
    run(NULL, "int-3*", &second);
    assert_int_equal(first.count, second.count);
    for (size_t i = 0; i < first.count; i++) {
        assert_int_equal(first.list[i].entry_count, second.list[i].entry_count);
        for (size_t j = 0; j < first.list[i].entry_count; j++) {
            assert_string_equal(first.list[i].entries[j].text, second.list[i].entries[j].text);
            assert_int_equal(first.list[i].entries[j].at_ms, second.list[i].entries[j].at_ms);
        }
    }
    dn_ets_results_free(&first);
    dn_ets_results_free(&second);
}

/* ---- patterns and reports ---- */

static void patterns_choose(void **state)
{
    static const struct {
        const char *pattern;
        bool chosen; /* int-201 */
    } rows[] = {
        {"int-201", true},
        {"int-2*", true},
        {"201", true},
        {"LightweightM2M-1.1-int-201", true},
        {"*", true},
        {"int-20", false},
        {"int-3*", false},
        {"", false},
        {"LightweightM2M-1.0-*", false},
        {"2?1", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(dn_ets_case_matches(dn_ets_group_case(dn_ets_groups[2], 0), rows[i].pattern),
                         rows[i].chosen);
    }
}

static char *report(const dn_ets_results *results, bool (*write)(const dn_ets_results *results, FILE *out))
{
    FILE *file = tmpfile();
    char *text = calloc(1, REPORT_MAX);
    assert_non_null(file);
    assert_non_null(text);
    assert_true(write(results, file));
    rewind(file);
    assert_true(fread(text, 1, REPORT_MAX - 1, file) > 0);
    assert_int_equal(fclose(file), 0);
    return text;
}

static void reports_say_what_was_found(void **state)
{
    dn_ets_results results = {.count = 0};
    (void)state;
    run(device_has_nothing, "int-20[12]", &results);
    assert_int_equal(results.count, 2);
    char *junit = report(&results, dn_ets_report_junit);
    assert_non_null(strstr(junit, "tests=\"2\" failures=\"1\" errors=\"0\" skipped=\"1\""));
    assert_non_null(
        strstr(junit, "<failure message=\"the device answers 2.05 Content: it answered 4.04 Not Found\"/>"));
    assert_non_null(strstr(junit, "<skipped message=\"not applicable: a heading without a procedure"));
    free(junit);
    char *html = report(&results, dn_ets_report_html);
    assert_non_null(strstr(html, "<title>OMA LwM2M test cases</title>"));
    assert_non_null(strstr(html, "GET /3/0/0"));
    assert_non_null(
        strstr(html, "Server reads /3/0/0 (text/plain;charset=utf-8); the device answers 2.05 Content"));
    assert_null(strstr(html, "<script"));
    assert_null(strstr(html, "src="));
    free(html);
    dn_ets_results_free(&results);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(broken_peers_fail),
        cmocka_unit_test(the_same_cases_pass_unbroken),
        cmocka_unit_test(a_server_that_is_not_there_is_told_apart),
        cmocka_unit_test(the_same_seed_gives_the_same_run),
        cmocka_unit_test(patterns_choose),
        cmocka_unit_test(reports_say_what_was_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
