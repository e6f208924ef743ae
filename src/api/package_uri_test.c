/* SPDX-License-Identifier: Apache-2.0 */
/* Which address of a package a device is given. */
#include "api/package_uri.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void they_are_made(void **state)
{
    static const dn_api_place places[] = {
        {DN_TRANSPORT_UDP, false, "lwm2m.example.net:5683"},
        {DN_TRANSPORT_UDP, false, "192.0.2.7:5683"},
        {DN_TRANSPORT_DTLS, true, "host-1:5684"},
        {DN_TRANSPORT_TLS, false, "[2001:db8::1]:5684"},
    };
    static const struct {
        const char *name;
        dn_transport transport;
        const char *local, *uri;
    } rows[] = {
        {"the first that was said", DN_TRANSPORT_UDP, "", "coap://lwm2m.example.net:5683/fw/7"},
        {"the one it came by", DN_TRANSPORT_UDP, "192.0.2.7", "coap://192.0.2.7:5683/fw/7"},
        {"not one that begins alike", DN_TRANSPORT_UDP, "192.0.2.70", "coap://lwm2m.example.net:5683/fw/7"},
        {"a guess gives way", DN_TRANSPORT_DTLS, "192.0.2.7", "coaps://192.0.2.7:5684/fw/7"},
        {"a guess", DN_TRANSPORT_DTLS, "", "coaps://host-1:5684/fw/7"},
        {"what was said does not", DN_TRANSPORT_TLS, "192.0.2.7", "coaps+tcp://[2001:db8::1]:5684/fw/7"},
        {"not served", DN_TRANSPORT_TCP, "192.0.2.7", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char uri[DN_PACKAGE_URI_MAX] = "";
        const dn_api_place *place =
            dn_package_place(places, sizeof places / sizeof places[0], rows[i].transport, rows[i].local);
        if ((place != NULL && !dn_package_uri(place, rows[i].local, "7", uri)) ||
            strcmp(uri, rows[i].uri) != 0) {
            fail_msg("%s: %s", rows[i].name, uri);
        }
    }
}

static void too_long(void **state)
{
    char host[DN_PACKAGE_URI_MAX];
    char uri[DN_PACKAGE_URI_MAX];
    const dn_api_place place = {DN_TRANSPORT_UDP, false, host};
    (void)state;
    memset(host, 'h', sizeof host - 1);
    host[sizeof host - 1] = 0;
    assert_false(dn_package_uri(&place, "", "7", uri));
    host[DN_PACKAGE_URI_MAX - 1 - strlen("coap:///fw/7")] = 0;
    assert_true(dn_package_uri(&place, "", "7", uri));
    assert_int_equal(strlen(uri), DN_PACKAGE_URI_MAX - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(they_are_made), cmocka_unit_test(too_long)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
