/* SPDX-License-Identifier: Apache-2.0 */
/* Who may register what, and whose messages are believed: identities, the policy for NoSec, roaming, sessions that are replaced. */
#include "tests/server/rig_queue.h"
#include "tests/server/rig_secure.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define LINKS     "</1/0>,</3/0>"
#define SEND_JSON "[{\"n\":\"/3/0/9\",\"v\":80}]"
#define JSON      110

static rig r;
static rig_credentials credentials;
static dn_nosec policy;

static void tweak(dn_fleet_config *config)
{
    rig_credentials_init(&credentials);
    config->credentials = &credentials.head;
    config->nosec = policy;
}

static int set_up(void **state)
{
    (void)state;
    policy = DN_NOSEC_ON;
    rig_start(&r, 1, tweak);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    rig_end(&r);
    return 0;
}

static void start_with(dn_nosec nosec)
{
    rig_end(&r);
    policy = nosec;
    rig_start(&r, 1, tweak);
}

static uint8_t try_register(rig_device *device, const char *queries)
{
    device->watched_count = 0;
    rig_ask(&r, device, DN_COAP_POST, "rd", queries, 40, LINKS);
    assert_int_equal(device->status, DUNLIN_OK);
    return device->code;
}

static uint8_t try_update(rig_device *device, const char *location, const char *queries)
{
    rig_ask(&r, device, DN_COAP_POST, location, queries, DN_COAP_NO_FORMAT, NULL);
    assert_int_equal(device->status, DUNLIN_OK);
    return device->code;
}

static uint8_t try_deregister(rig_device *device, const char *location)
{
    rig_ask(&r, device, DN_COAP_DELETE, location, NULL, DN_COAP_NO_FORMAT, NULL);
    return device->code;
}

static uint8_t try_send(rig_device *device)
{
    rig_ask(&r, device, DN_COAP_POST, "dp", NULL, JSON, SEND_JSON);
    return device->code;
}

/* Registration. */

static const struct {
    const char *what;
    dn_transport transport;
    const char *proved; /* NULL: nothing */
    const char *known;  /* a credential for it exists; NULL: none */
    const char *queries;
    uint8_t code;
    const char *endpoint; /* that is registered then */
} registers[] = {
    {"its own name", DN_TRANSPORT_DTLS, "a", "a", "ep=a&lt=60&lwm2m=1.1", DN_COAP_CREATED, "a"},
    {"over TLS", DN_TRANSPORT_TLS, "a", "a", "ep=a&lt=60&lwm2m=1.1", DN_COAP_CREATED, "a"},
    {"without ep", DN_TRANSPORT_DTLS, "a", "a", "lt=60&lwm2m=1.1", DN_COAP_CREATED, "a"},
    {"another name", DN_TRANSPORT_DTLS, "b", "b", "ep=a&lt=60&lwm2m=1.1", DN_COAP_BAD_REQUEST, NULL},
    {"another name over TLS", DN_TRANSPORT_TLS, "b", "b", "ep=a&lt=60&lwm2m=1.1", DN_COAP_BAD_REQUEST, NULL},
    {"a beginning of its name", DN_TRANSPORT_DTLS, "ab", "ab", "ep=a&lt=60&lwm2m=1.1", DN_COAP_BAD_REQUEST,
     NULL},
    {"more than its name", DN_TRANSPORT_DTLS, "a", "a", "ep=ab&lt=60&lwm2m=1.1", DN_COAP_BAD_REQUEST, NULL},
    {"other letters", DN_TRANSPORT_DTLS, "a", "a", "ep=A&lt=60&lwm2m=1.1", DN_COAP_BAD_REQUEST, NULL},
    {"a pattern as name", DN_TRANSPORT_DTLS, "a", "a", "ep=*&lt=60&lwm2m=1.1", DN_COAP_BAD_REQUEST, NULL},
    {"an empty ep", DN_TRANSPORT_DTLS, "a", "a", "ep=&lt=60&lwm2m=1.1", DN_COAP_BAD_REQUEST, NULL},
    {"one of a pattern", DN_TRANSPORT_DTLS, "m-*", "m-*", "ep=m-1&lt=60&lwm2m=1.1", DN_COAP_CREATED, "m-1"},
    {"none of the pattern", DN_TRANSPORT_DTLS, "m-*", "m-*", "ep=n-1&lt=60&lwm2m=1.1", DN_COAP_BAD_REQUEST,
     NULL},
    {"a pattern without ep", DN_TRANSPORT_DTLS, "m-*", "m-*", "lt=60&lwm2m=1.1", DN_COAP_BAD_REQUEST, NULL},
    {"one of a pattern that has its own", DN_TRANSPORT_DTLS, "m-*", "m-1", "ep=m-1&lt=60&lwm2m=1.1",
     DN_COAP_BAD_REQUEST, NULL},
    {"no security, no credential", DN_TRANSPORT_UDP, NULL, NULL, "ep=a&lt=60&lwm2m=1.1", DN_COAP_CREATED,
     "a"},
    {"no security, another's credential", DN_TRANSPORT_UDP, NULL, "b", "ep=a&lt=60&lwm2m=1.1",
     DN_COAP_CREATED, "a"},
    {"no security, a credential", DN_TRANSPORT_UDP, NULL, "a", "ep=a&lt=60&lwm2m=1.1", DN_COAP_FORBIDDEN,
     NULL},
    {"no security over TCP", DN_TRANSPORT_TCP, NULL, "a", "ep=a&lt=60&lwm2m=1.1", DN_COAP_FORBIDDEN, NULL},
    {"no security, a pattern", DN_TRANSPORT_UDP, NULL, "*", "ep=a&lt=60&lwm2m=1.1", DN_COAP_FORBIDDEN, NULL},
    {"no security, no ep", DN_TRANSPORT_UDP, NULL, NULL, "lt=60&lwm2m=1.1", DN_COAP_BAD_REQUEST, NULL},
    {"a session without identity", DN_TRANSPORT_DTLS, NULL, NULL, "ep=a&lt=60&lwm2m=1.1",
     DN_COAP_UNAUTHORIZED, NULL},
};

static void names_are_those_that_were_proved(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof registers / sizeof registers[0]; i++) {
        start_with(DN_NOSEC_ON);
        rig_device *device = &r.devices[0];
        if (registers[i].known != NULL) {
            rig_credentials_add(&r, &credentials, registers[i].known);
        }
        if (registers[i].transport != DN_TRANSPORT_UDP) {
            rig_open(&r, device, registers[i].transport, registers[i].proved);
        }
        uint8_t code = try_register(device, registers[i].queries);
        if (code != registers[i].code) {
            fail_msg("%s: %u.%02u", registers[i].what, code >> 5, code & 31u);
        }
        dn_fleet_counters counters = rig_count(&r);
        assert_int_equal(counters.registrations, registers[i].endpoint != NULL);
        assert_int_equal(counters.nosec_refused, code == DN_COAP_FORBIDDEN);
        if (registers[i].endpoint != NULL) {
            rig_client client = rig_get(&r, registers[i].endpoint);
            assert_true(client.found);
            assert_int_equal(client.transport, registers[i].transport);
            assert_int_equal(client.security,
                             registers[i].proved != NULL ? DN_SECURITY_PSK : DN_SECURITY_NOSEC);
        }
    }
}

static void a_refusal_without_security_says_why(void **state)
{
    (void)state;
    rig_credentials_add(&r, &credentials, "a");
    assert_int_equal(try_register(&r.devices[0], "ep=a&lt=60&lwm2m=1.1"), DN_COAP_FORBIDDEN);
    assert_non_null(strstr(r.devices[0].text, "without security"));
}

static void the_mode_is_kept(void **state)
{
    (void)state;
    static const dn_security_mode modes[] = {DN_SECURITY_PSK, DN_SECURITY_RPK, DN_SECURITY_X509};
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        rig_open_as(&r, &r.devices[0], DN_TRANSPORT_DTLS, modes[i], "a");
        assert_int_equal(try_register(&r.devices[0], "ep=a&lt=600&lwm2m=1.1"), DN_COAP_CREATED);
        rig_crash(&r, 0);
        assert_int_equal(rig_get(&r, "a").security, modes[i]);
        assert_int_equal(rig_get(&r, "a").transport, DN_TRANSPORT_DTLS);
    }
    /* An Update that changes nothing else says how it was proved, and that is kept too. */
    char location[64];
    (void)snprintf(location, sizeof location, "%s", r.devices[0].location);
    rig_open_as(&r, &r.devices[0], DN_TRANSPORT_DTLS, DN_SECURITY_RPK, "a");
    assert_int_equal(try_update(&r.devices[0], location, NULL), DN_COAP_CHANGED);
    rig_crash(&r, 0);
    assert_int_equal(rig_get(&r, "a").security, DN_SECURITY_RPK);
}

/* The policy. */

static void the_policy_for_nosec(void **state)
{
    (void)state;
    static const struct {
        dn_nosec policy;
        bool far;
        dn_transport transport;
        uint8_t code;
    } cases[] = {
        {DN_NOSEC_ON, false, DN_TRANSPORT_UDP, DN_COAP_CREATED},
        {DN_NOSEC_ON, true, DN_TRANSPORT_UDP, DN_COAP_CREATED},
        {DN_NOSEC_ON, true, DN_TRANSPORT_TCP, DN_COAP_CREATED},
        {DN_NOSEC_LOOPBACK, false, DN_TRANSPORT_UDP, DN_COAP_CREATED},
        {DN_NOSEC_LOOPBACK, false, DN_TRANSPORT_TCP, DN_COAP_CREATED},
        {DN_NOSEC_LOOPBACK, true, DN_TRANSPORT_UDP, DN_COAP_FORBIDDEN},
        {DN_NOSEC_LOOPBACK, true, DN_TRANSPORT_TCP, DN_COAP_FORBIDDEN},
        {DN_NOSEC_OFF, false, DN_TRANSPORT_UDP, DN_COAP_FORBIDDEN},
        {DN_NOSEC_OFF, true, DN_TRANSPORT_TCP, DN_COAP_FORBIDDEN},
        /* Sessions are as welcome as ever. */
        {DN_NOSEC_OFF, true, DN_TRANSPORT_DTLS, DN_COAP_CREATED},
        {DN_NOSEC_LOOPBACK, true, DN_TRANSPORT_TLS, DN_COAP_CREATED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        start_with(cases[i].policy);
        rig_device *device = &r.devices[cases[i].far ? RIG_FAR : 0];
        if (cases[i].transport != DN_TRANSPORT_UDP) {
            rig_open(&r, device, cases[i].transport, dn_transport_is_secure(cases[i].transport) ? "a" : NULL);
        }
        uint8_t code = try_register(device, "ep=a&lt=60&lwm2m=1.1");
        if (code != cases[i].code) {
            fail_msg("case %zu: %u.%02u", i, code >> 5, code & 31u);
        }
        if (code == DN_COAP_FORBIDDEN) {
            assert_true(device->text_len > 0);
            assert_int_equal(try_send(device), DN_COAP_FORBIDDEN);
            rig_ask(&r, device, DN_COAP_GET, ".well-known/core", NULL, DN_COAP_NO_FORMAT, NULL);
            assert_int_equal(device->code, DN_COAP_FORBIDDEN);
            assert_int_equal(rig_count(&r).nosec_refused, 3);
        }
    }
}

/* What was registered while NoSec was allowed is neither heard nor asked once it is not. */
static void a_stricter_policy_holds_for_what_is_registered(void **state)
{
    (void)state;
    rig_register(&r, &r.devices[RIG_FAR], "a", 600);
    r.config.nosec = DN_NOSEC_LOOPBACK;
    rig_crash(&r, 0);
    unsigned asked = r.devices[RIG_FAR].asked;
    assert_int_equal(rig_read(&r, "a", "/3/0").status, DUNLIN_ERR_TIMEOUT);
    assert_int_equal(r.devices[RIG_FAR].asked, asked);
    assert_int_equal(try_update(&r.devices[RIG_FAR], r.devices[RIG_FAR].location, NULL), DN_COAP_FORBIDDEN);
}

/* Registrations and who may act for them. */

/* What a stranger is: where it speaks from, and as whom. */
typedef struct {
    const char *what;
    dn_transport transport;
    const char *proved;
    bool same_host; /* the device's own, another port */
} stranger;

static const stranger strangers[] = {
    {"another identity", DN_TRANSPORT_DTLS, "b", false},
    {"another identity from its host", DN_TRANSPORT_DTLS, "b", true},
    {"another identity over TLS", DN_TRANSPORT_TLS, "b", false},
    {"a pattern that does not match", DN_TRANSPORT_DTLS, "b*", false},
    {"nobody", DN_TRANSPORT_UDP, NULL, false},
    {"nobody from its host", DN_TRANSPORT_UDP, NULL, true},
    {"nobody over TCP", DN_TRANSPORT_TCP, NULL, true},
};

static rig_device *appear(const stranger *who)
{
    rig_device *device = &r.devices[who->same_host ? 0 : 1];
    if (who->same_host) {
        rig_rebind(&r, device);
        rig_speak_plainly(device);
    }
    if (who->transport != DN_TRANSPORT_UDP) {
        rig_open(&r, device, who->transport, who->proved);
    }
    return device;
}

static void a_secured_registration_is_its_identitys(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof strangers / sizeof strangers[0]; i++) {
        char location[64];
        start_with(DN_NOSEC_ON);
        rig_open(&r, &r.devices[0], DN_TRANSPORT_DTLS, "a");
        assert_int_equal(try_register(&r.devices[0], "ep=a&lt=600&lwm2m=1.1"), DN_COAP_CREATED);
        (void)snprintf(location, sizeof location, "%s", r.devices[0].location);
        rig_skip_events(&r);
        rig_device *other = appear(&strangers[i]);
        if (try_update(other, location, "lt=5") != DN_COAP_NOT_FOUND ||
            try_deregister(other, location) != DN_COAP_NOT_FOUND || try_send(other) != DN_COAP_NOT_FOUND) {
            fail_msg("%s was taken", strangers[i].what);
        }
        rig_client client = rig_get(&r, "a");
        assert_true(client.found);
        assert_int_equal(client.lifetime_s, 600);
        assert_int_equal(client.security, DN_SECURITY_PSK);
        assert_int_equal(rig_count(&r).identity_refused, 2);
        rig_expect_no_event(&r);
    }
}

static void it_roams(void **state)
{
    (void)state;
    static const struct {
        dn_transport transport;
        const char *proved;
    } ways[] = {{DN_TRANSPORT_DTLS, "a"}, {DN_TRANSPORT_TLS, "a"}, {DN_TRANSPORT_DTLS, "?"}};
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        char location[64];
        start_with(DN_NOSEC_OFF);
        rig_open(&r, &r.devices[0], DN_TRANSPORT_DTLS, "a");
        assert_int_equal(try_register(&r.devices[0], "ep=a&lt=600&lwm2m=1.1"), DN_COAP_CREATED);
        (void)snprintf(location, sizeof location, "%s", r.devices[0].location);
        rig_skip_events(&r);
        rig_open(&r, &r.devices[2], ways[i].transport, ways[i].proved);
        assert_int_equal(try_update(&r.devices[2], location, NULL), DN_COAP_CHANGED);
        assert_int_equal(rig_expect(&r, DN_EVENT_UPDATED, "a").changed, DN_CHANGED_ADDRESS);
        assert_int_equal(rig_get(&r, "a").transport, ways[i].transport);
        assert_int_equal(rig_read(&r, "a", "/3/0").status, DUNLIN_OK);
        assert_int_equal(r.devices[2].asked, 1);
        assert_int_equal(r.devices[0].asked, 0);
        assert_int_equal(try_deregister(&r.devices[2], location), DN_COAP_DELETED);
    }
}

/* One that was made without security is taken over by whoever proves the name, and then bound. */
static void an_identity_binds_a_registration(void **state)
{
    (void)state;
    char location[64];
    rig_register(&r, &r.devices[0], "a", 600);
    (void)snprintf(location, sizeof location, "%s", r.devices[0].location);
    rig_open(&r, &r.devices[1], DN_TRANSPORT_DTLS, "b");
    assert_int_equal(try_update(&r.devices[1], location, NULL), DN_COAP_NOT_FOUND);
    rig_open(&r, &r.devices[2], DN_TRANSPORT_DTLS, "a");
    assert_int_equal(try_update(&r.devices[2], location, NULL), DN_COAP_CHANGED);
    assert_int_equal(rig_get(&r, "a").security, DN_SECURITY_PSK);
    assert_int_equal(try_update(&r.devices[0], location, NULL), DN_COAP_NOT_FOUND);
}

/* From the moment that its endpoint has a credential, one without security is nobody's. */
static void a_new_credential_ends_nosec(void **state)
{
    (void)state;
    char location[64];
    rig_register(&r, &r.devices[0], "a", 600);
    (void)snprintf(location, sizeof location, "%s", r.devices[0].location);
    rig_observe(&r, "a", "/3/0/9");
    assert_int_equal(try_send(&r.devices[0]), DN_COAP_CHANGED);
    rig_credentials_add(&r, &credentials, "a");
    unsigned asked = r.devices[0].asked;
    assert_int_equal(rig_read(&r, "a", "/3/0").status, DUNLIN_ERR_TIMEOUT);
    assert_int_equal(r.devices[0].asked, asked);
    assert_int_equal(try_send(&r.devices[0]), DN_COAP_NOT_FOUND);
    assert_int_equal(rig_notify(&r, &r.devices[0], "/3/0/9", "1", true), DUNLIN_ERR_REJECTED);
    assert_int_equal(try_update(&r.devices[0], location, NULL), DN_COAP_NOT_FOUND);
    assert_int_equal(try_register(&r.devices[0], "ep=a&lt=60&lwm2m=1.1"), DN_COAP_FORBIDDEN);
    rig_credentials_clear(&r, &credentials);
    assert_int_equal(try_update(&r.devices[0], location, NULL), DN_COAP_CHANGED);
    assert_int_equal(rig_read(&r, "a", "/3/0").status, DUNLIN_OK);
}

/* Another device is now at the same address and port. */
static void a_successor_inherits_nothing(void **state)
{
    (void)state;
    rig_open(&r, &r.devices[0], DN_TRANSPORT_DTLS, "a");
    assert_int_equal(try_register(&r.devices[0], "ep=a&lt=600&lwm2m=1.1"), DN_COAP_CREATED);
    assert_int_equal(rig_observe(&r, "a", "/3/0/9").status, DUNLIN_OK);
    assert_int_equal(rig_notify(&r, &r.devices[0], "/3/0/9", "1", true), DUNLIN_OK);
    assert_int_equal(try_send(&r.devices[0]), DN_COAP_CHANGED);
    rig_close(&r, &r.devices[0]);
    rig_open(&r, &r.devices[0], DN_TRANSPORT_DTLS, "b");
    rig_skip_events(&r);
    unsigned asked = r.devices[0].asked;
    assert_int_equal(rig_read(&r, "a", "/3/0").status, DUNLIN_ERR_TIMEOUT);
    assert_int_equal(r.devices[0].asked, asked);
    assert_int_equal(try_send(&r.devices[0]), DN_COAP_NOT_FOUND);
    assert_int_equal(rig_notify(&r, &r.devices[0], "/3/0/9", "2", true), DUNLIN_ERR_REJECTED);
    rig_expect_no_event(&r);
    /* It registers as itself at that address; each is asked only as long as it is itself that is there. */
    assert_int_equal(try_register(&r.devices[0], "ep=b&lt=600&lwm2m=1.1"), DN_COAP_CREATED);
    assert_int_equal(rig_read(&r, "b", "/3/0").status, DUNLIN_OK);
    assert_int_equal(try_send(&r.devices[0]), DN_COAP_CHANGED);
    assert_int_equal(rig_read(&r, "a", "/3/0").status, DUNLIN_ERR_TIMEOUT);
    rig_skip_events(&r);
    rig_close(&r, &r.devices[0]);
    rig_open(&r, &r.devices[0], DN_TRANSPORT_DTLS, "a");
    assert_int_equal(try_send(&r.devices[0]), DN_COAP_CHANGED);
    assert_int_equal(rig_read(&r, "a", "/3/0").status, DUNLIN_OK);
    assert_int_equal(rig_read(&r, "b", "/3/0").status, DUNLIN_ERR_TIMEOUT);
}

/* A register by another identity for the same name is refused, by the same identity it replaces. */
static void only_the_identity_replaces(void **state)
{
    (void)state;
    rig_credentials_add(&r, &credentials, "a");
    rig_open(&r, &r.devices[0], DN_TRANSPORT_DTLS, "a");
    assert_int_equal(try_register(&r.devices[0], "ep=a&lt=600&lwm2m=1.1"), DN_COAP_CREATED);
    rig_open(&r, &r.devices[1], DN_TRANSPORT_DTLS, "b");
    assert_int_equal(try_register(&r.devices[1], "ep=a&lt=60&lwm2m=1.1"), DN_COAP_BAD_REQUEST);
    assert_int_equal(try_register(&r.devices[2], "ep=a&lt=60&lwm2m=1.1"), DN_COAP_FORBIDDEN);
    assert_int_equal(rig_get(&r, "a").lifetime_s, 600);
    rig_open(&r, &r.devices[3], DN_TRANSPORT_TLS, "a");
    assert_int_equal(try_register(&r.devices[3], "ep=a&lt=60&lwm2m=1.1"), DN_COAP_CREATED);
    assert_int_equal(rig_get(&r, "a").lifetime_s, 60);
    assert_int_equal(rig_count(&r).registrations, 1);
}

/* Several endpoints of one address, as a gateway with a pattern has them: all are served. */
static void a_gateway_speaks_for_many(void **state)
{
    (void)state;
    rig_open(&r, &r.devices[0], DN_TRANSPORT_DTLS, "m-*");
    assert_int_equal(try_register(&r.devices[0], "ep=m-1&lt=600&lwm2m=1.1"), DN_COAP_CREATED);
    assert_int_equal(try_register(&r.devices[0], "ep=m-2&lt=600&lwm2m=1.1"), DN_COAP_CREATED);
    assert_int_equal(rig_read(&r, "m-1", "/3/0").status, DUNLIN_OK);
    assert_int_equal(rig_read(&r, "m-2", "/3/0").status, DUNLIN_OK);
    rig_skip_events(&r);
    assert_int_equal(try_send(&r.devices[0]), DN_COAP_CHANGED);
    (void)rig_expect(&r, DN_EVENT_SEND, "m-2");
    /* The newest has got a credential of its own: the pattern speaks for the other one alone. */
    rig_credentials_add(&r, &credentials, "m-2");
    assert_int_equal(try_send(&r.devices[0]), DN_COAP_CHANGED);
    (void)rig_expect(&r, DN_EVENT_SEND, "m-1");
    assert_int_equal(rig_read(&r, "m-2", "/3/0").status, DUNLIN_ERR_TIMEOUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(names_are_those_that_were_proved, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_refusal_without_security_says_why, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_mode_is_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_policy_for_nosec, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_stricter_policy_holds_for_what_is_registered, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_secured_registration_is_its_identitys, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_roams, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_identity_binds_a_registration, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_new_credential_ends_nosec, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_successor_inherits_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_the_identity_replaces, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_gateway_speaks_for_many, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
