/* SPDX-License-Identifier: Apache-2.0 */
/* Enrolment as part of the bootstrap server: how requests reach it, what is counted and told, over plain CoAP as well. */
#include "bootstrap/est.h"
#include "security/enroll.h"
#include "security/issue.h"
#include "tests/bootstrap/rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOW_S (RIG_EPOCH_MS / 1000)

static dn_est *est; /* of the engine under test */
static dn_seeded seeded;

static int64_t wall_ms(void *context)
{
    (void)context;
    return RIG_EPOCH_MS;
}

static void make_est(bool takes_psk)
{
    uint8_t key[DN_KEY_DER_MAX], certificate[DN_CERTIFICATE_DER_MAX];
    size_t key_len, certificate_len;
    char error[128];
    assert_int_equal(dn_authority_make("Dunlin CA", NOW_S - 1, NOW_S + 100000000, key, &key_len, certificate,
                                       &certificate_len),
                     DUNLIN_OK);
    dn_seeded_init(&seeded, 1);
    dn_est_config config = dn_est_config_default();
    config.authority = dunlin_slice_make(certificate, certificate_len);
    config.authority_key = dunlin_slice_make(key, key_len);
    config.takes_psk = takes_psk;
    config.random = dn_seeded_random(&seeded);
    config.wall_ms = wall_ms;
    assert_int_equal(dn_est_create(&config, &est, error, sizeof error), DUNLIN_OK);
}

static void with_est(dn_bs_engine_config *config)
{
    config->est = est;
}

static void asks(rig *r, rig_device *device, const char *path, uint8_t code)
{
    rig_request(r, device, DN_COAP_GET, path, "", DN_COAP_NO_FORMAT);
    rig_settle(r, 200000);
    assert_int_equal(device->status, DUNLIN_OK);
    assert_int_equal(device->code, code);
}

static void enrols(rig *r, rig_device *device, const char *name, uint8_t code)
{
    uint8_t key[DN_KEY_DER_MAX], request[DN_ENROLL_REQUEST_MAX];
    size_t key_len = 0;
    dunlin_buf out = dunlin_buf_make(request, sizeof request);
    assert_int_equal(dn_key_generate(key, &key_len), DUNLIN_OK);
    assert_int_equal(dn_enroll_request(dunlin_slice_make(key, key_len), name, &out), DUNLIN_OK);
    rig_post(r, device, "est/sen", 286, dunlin_buf_view(&out));
    rig_settle(r, 200000);
    assert_int_equal(device->status, DUNLIN_OK);
    assert_int_equal(device->code, code);
}

/* A credential that many share must not become whoever has one of its own, nor all of them. */
static void test_shared_credentials(void **state)
{
    rig *r = calloc(1, sizeof *r);
    (void)state;
    assert_non_null(r);
    make_est(true);
    rig_start(r, 1, with_est);
    dn_testkeeper_psk(&r->own, "dev-2", dunlin_slice_of("two"), dunlin_slice_of("0123456789abcdef"));
    rig_secure(r, &r->devices[0], DN_TRANSPORT_DTLS, "dev-*");
    enrols(r, &r->devices[0], "dev-1", DN_COAP_CHANGED);
    enrols(r, &r->devices[0], "dev-2", DN_COAP_BAD_REQUEST);
    enrols(r, &r->devices[0], "dev-*", DN_COAP_BAD_REQUEST);
    rig_secure(r, &r->devices[1], DN_TRANSPORT_DTLS, "dev-2");
    enrols(r, &r->devices[1], "dev-2", DN_COAP_CHANGED);
    rig_end(r);
    dn_est_destroy(est);
    free(r);
}

static void test_requests_reach_it(void **state)
{
    rig *r = calloc(1, sizeof *r);
    dn_bs_counters counters;
    (void)state;
    assert_non_null(r);
    make_est(true);
    rig_start(r, 1, with_est);
    rig_device *device = &r->devices[0];
    rig_secure(r, device, DN_TRANSPORT_DTLS, "dev-1");
    asks(r, device, ".well-known/core", DN_COAP_CONTENT);
    assert_string_equal(device->said, "</bs>," DN_EST_LINKS);
    asks(r, device, ".well-known/est/crts", DN_COAP_CONTENT);
    asks(r, device, "est/crts", DN_COAP_CONTENT);
    assert_string_equal(r->events, ""); /* nothing was issued, nothing refused */
    asks(r, device, "est/sen", DN_COAP_METHOD_NOT_ALLOWED);
    assert_non_null(strstr(r->events, "NOT_ENROLLED dev-1"));
    dn_bs_count(r->bs, &counters);
    assert_true(counters.enrol_refused == 1 && counters.enrolled == 0);
    rig_end(r);
    dn_est_destroy(est);
    free(r);
}

/* Nobody without a session gets anything of it, also where plain CoAP is heard. */
static void test_not_without_a_session(void **state)
{
    rig *r = calloc(1, sizeof *r);
    (void)state;
    assert_non_null(r);
    make_est(true);
    rig_start(r, 1, with_est);
    asks(r, &r->devices[0], "est/crts", DN_COAP_UNAUTHORIZED);
    rig_secure(r, &r->devices[1], DN_TRANSPORT_DTLS, NULL);
    asks(r, &r->devices[1], "est/crts", DN_COAP_UNAUTHORIZED);
    rig_end(r);
    dn_est_destroy(est);
    free(r);
}

static void test_certificates_alone(void **state)
{
    rig *r = calloc(1, sizeof *r);
    (void)state;
    assert_non_null(r);
    make_est(false);
    rig_start(r, 1, with_est);
    rig_secure(r, &r->devices[0], DN_TRANSPORT_DTLS, "dev-1"); /* by a pre-shared key */
    asks(r, &r->devices[0], "est/crts", DN_COAP_FORBIDDEN);
    rig_end(r);
    dn_est_destroy(est);
    free(r);
}

static void test_none_without_it(void **state)
{
    rig *r = calloc(1, sizeof *r);
    (void)state;
    assert_non_null(r);
    rig_start(r, 1, NULL);
    rig_secure(r, &r->devices[0], DN_TRANSPORT_DTLS, "dev-1");
    asks(r, &r->devices[0], "est/crts", DN_COAP_NOT_FOUND);
    asks(r, &r->devices[0], ".well-known/core", DN_COAP_CONTENT);
    assert_string_equal(r->devices[0].said, "</bs>");
    rig_end(r);
    free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests_reach_it),     cmocka_unit_test(test_shared_credentials),
        cmocka_unit_test(test_not_without_a_session), cmocka_unit_test(test_certificates_alone),
        cmocka_unit_test(test_none_without_it),
    };
    return cmocka_run_group_tests_name("bootstrap_enrol", tests, NULL, NULL);
}
