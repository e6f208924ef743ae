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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(they_are_found)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
