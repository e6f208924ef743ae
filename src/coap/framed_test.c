/* SPDX-License-Identifier: Apache-2.0 */
/* The engine on a stream, as conversations with one peer (RFC 8323). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/sim/coap_rig.h"

static dn_coap_config stream_config(void)
{
    dn_coap_config config = dn_coap_config_default();
    config.connections = 2;
    config.max_body = 8192;
    return config;
}

static coap_rig *open_rig(void)
{
    const dn_coap_config config = stream_config();
    return rig_open(&config);
}

static void requests_and_responses(void **state)
{
    coap_rig *rig = open_rig();
    (void)state;
    assert_int_equal(dn_coap_open(rig->coap, &rig->peer[1], rig->now_ms), DUNLIN_OK);
    rig_play(rig, "> TCP 7.01 @ 2=2000 4=", ".", "< TCP 7.01 @ 2=2000 4=", ".", NULL);
    rig_play(rig, "< TCP 0.01 @a1 11='small'", "= request GET small", "> TCP 2.05 @a1 12= p='hello'", ".",
             NULL);
    assert_int_equal(rig_request(rig, DN_COAP_GET, "there", 0), DUNLIN_OK);
    rig_play(rig, "> TCP 0.01 @* 11='there'", ".", "< TCP 2.05 @L p='yes'", "= result 2.05 yes", ".", "=",
             NULL);
    assert_int_equal(dn_coap_deadline(rig->coap), DN_NEVER);
    rig_close(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_and_responses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
