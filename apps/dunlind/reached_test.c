/* SPDX-License-Identifier: Apache-2.0 */
/* What devices are told of the LwM2M server: what the operator has said, else where it listens, else a name of this host. */
#include "reached.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void write_down(void *context, dn_log_level level, const char *area, const char *message)
{
    (void)area;
    if (level >= DN_LOG_WARN) {
        snprintf(context, 400, "%s", message);
    }
}

static void they_are_found(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        dn_transport transport;
        const char *said, *coap_public, *name, *bound, *uri;
        bool warns;
    } cases[] = {
        {"said", DN_TRANSPORT_DTLS, "a.example:1", NULL, NULL, "127.0.0.1:5", "coaps://a.example:1", false},
        {"said, not served here", DN_TRANSPORT_TLS, "a:1", NULL, NULL, NULL, "coaps+tcp://a:1", false},
        {"said for packages", DN_TRANSPORT_UDP, NULL, "b:2", NULL, "127.0.0.1:5", "coap://b:2", false},
        {"both said", DN_TRANSPORT_UDP, "a:1", "b:2", NULL, NULL, "coap://a:1", false},
        {"of packages, not of others", DN_TRANSPORT_TCP, NULL, "b:2", NULL, NULL, "", false},
        {"bound", DN_TRANSPORT_TCP, NULL, NULL, "n", "192.0.2.1:5", "coap+tcp://192.0.2.1:5", false},
        {"IPv6", DN_TRANSPORT_UDP, NULL, NULL, NULL, "[2001:db8::1]:5", "coap://[2001:db8::1]:5", false},
        {"all", DN_TRANSPORT_DTLS, NULL, NULL, "n.example", "[::]:5684", "coaps://n.example:5684", true},
        {"all of IPv4", DN_TRANSPORT_DTLS, NULL, NULL, "n", "0.0.0.0:7", "coaps://n:7", true},
        {"nothing", DN_TRANSPORT_DTLS, NULL, NULL, "n", NULL, "", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char warning[400] = "";
        const dn_log log = {.write = write_down, .context = warning, .least = DN_LOG_DEBUG};
        const char *bound[4] = {NULL};
        reached found;
        settings set = {.data = NULL};
        set.public[cases[i].transport] = cases[i].said != NULL ? strdup(cases[i].said) : NULL;
        assert_true(cases[i].coap_public == NULL || settings_add(&set.coap_public, cases[i].coap_public));
        assert_true(cases[i].name == NULL || settings_add(&set.http_names, cases[i].name));
        bound[cases[i].transport] = cases[i].bound;
        reached_find(&set, bound, &log, &found);
        if (strcmp(found.uri[cases[i].transport], cases[i].uri) != 0) {
            fail_msg("%s: %s", cases[i].what, found.uri[cases[i].transport]);
        }
        assert_int_equal(strstr(warning, "public.") != NULL, cases[i].warns);
        settings_free(&set);
    }
}

/* What a server is bound to: a text for each transport, addresses with a space between. */
static const char *bound_at(const void *context, dn_transport transport, size_t index)
{
    static char address[64];
    const char *at = ((const char *const *)context)[transport];
    for (; at != NULL && index > 0; index--) {
        at = strchr(at, ' ');
        at = at == NULL ? NULL : at + 1;
    }
    if (at == NULL) {
        return NULL;
    }
    snprintf(address, sizeof address, "%.*s", (int)strcspn(at, " "), at);
    return address;
}

static void places_are_found(void **state)
{
    static const struct {
        const char *what;
        const char *public[4], *coap_public, *bootstrap;
        const char *bound[4], *places; /* "transport=place", with ? when it is guessed */
    } cases[] = {
        {"bound",
         {NULL},
         NULL,
         NULL,
         {"127.0.0.1:1 [::1]:1", "127.0.0.1:2"},
         "0=127.0.0.1:1 0=[::1]:1 1=127.0.0.1:2 "},
        {"said", {NULL, "a:2", NULL, "a:4"}, NULL, NULL, {"[::]:1", "[::]:2"}, "0=n:1? 1=a:2 "},
        {"of packages, too", {"a:1"}, "b:1", NULL, {"[::]:1"}, "0=a:1 0=b:1 "},
        {"of packages alone", {NULL}, "b:1", NULL, {"[::]:1", NULL, "0.0.0.0:3"}, "0=b:1 2=n:3? "},
        {"devices are told", {NULL}, NULL, "[::]:5", {NULL, "[::]:2"}, "1=n:2 "},
        {"no address", {"a:1"}, "b:1", NULL, {NULL}, ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        static reached_places found;
        char text[400] = "";
        settings set = {.data = NULL};
        assert_true(settings_add(&set.http_names, "n"));
        assert_true(cases[i].coap_public == NULL || settings_add(&set.coap_public, cases[i].coap_public));
        assert_true(cases[i].bootstrap == NULL ||
                    settings_add(&set.bootstrap.listen[DN_TRANSPORT_DTLS], cases[i].bootstrap));
        for (size_t t = 0; t < 4; t++) {
            set.public[t] = cases[i].public[t] != NULL ? strdup(cases[i].public[t]) : NULL;
        }
        reached_places_find(&set, bound_at, cases[i].bound, &found);
        for (size_t p = 0; p < found.count; p++) {
            const size_t len = strlen(text);
            snprintf(text + len, sizeof text - len, "%u=%s%s ", found.places[p].transport,
                     found.places[p].place, found.places[p].guessed ? "?" : "");
        }
        if (strcmp(text, cases[i].places) != 0) {
            fail_msg("%s: %s", cases[i].what, text);
        }
        settings_free(&set);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(they_are_found), cmocka_unit_test(places_are_found)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
