/* SPDX-License-Identifier: Apache-2.0 */
/* Object 1, Server: how to serve a server (Core 1.1.1 appendix E.2). Resources 0 to 8, which 1.0 and 1.1 have
 * in common. */
#include "client/objects.h"

#include "client/registration.h"
#include <string.h>

/* The lifetime holds from now on, and the server is told it. */
static dunlin_status lifetime_set(const dunlin_call *call, const dunlin_value *value)
{
    (void)value;
    dn_client_registration_want(call->instance, DN_WANT_LIFETIME);
    return DUNLIN_OK;
}

/* UDP is what this client has. */
static dunlin_status binding_check(const dunlin_call *call, const dunlin_value *value)
{
    (void)call;
    return dunlin_slice_equal(value->as.bytes, dunlin_slice_of("U")) ? DUNLIN_OK : DUNLIN_ERR_RANGE;
}

static dunlin_status disable(const dunlin_call *call, const dunlin_arguments *arguments)
{
    if (arguments->present != 0) {
        return DUNLIN_ERR_UNSUPPORTED;
    }
    dn_client_registration_disable(call->instance);
    return DUNLIN_OK;
}

/* Argument 0 may name the binding to use, of which there is one. */
static dunlin_status update(const dunlin_call *call, const dunlin_arguments *arguments)
{
    if ((arguments->present & ~1u) != 0 ||
        (arguments->present != 0 && !dunlin_slice_equal(arguments->value[0], dunlin_slice_of("U")))) {
        return DUNLIN_ERR_UNSUPPORTED;
    }
    dn_client_registration_want(call->instance, DN_WANT_UPDATE);
    return DUNLIN_OK;
}

static const dunlin_resource resources[] = {
    {DUNLIN_FIELD(0, INTEGER, DUNLIN_R | DUNLIN_MANDATORY, dn_account, server.ssid)},
    {DUNLIN_FIELD(1, INTEGER, DUNLIN_RW | DUNLIN_MANDATORY, dn_account, server.lifetime_s), .max = INT32_MAX,
     .set = lifetime_set},
    {DUNLIN_FIELD(2, INTEGER, DUNLIN_RW, dn_account, server.pmin_s), .max = INT32_MAX},
    {DUNLIN_FIELD(3, INTEGER, DUNLIN_RW, dn_account, server.pmax_s), .max = INT32_MAX},
    {DUNLIN_EXECUTE(4, 0, disable)},
    {DUNLIN_FIELD(5, INTEGER, DUNLIN_RW, dn_account, server.disable_s), .max = INT32_MAX},
    {DUNLIN_FIELD(6, BOOLEAN, DUNLIN_RW | DUNLIN_MANDATORY, dn_account, server.store_notifications)},
    {DUNLIN_FIELD(7, STRING, DUNLIN_RW | DUNLIN_MANDATORY, dn_account, server.binding),
     .check = binding_check},
    {DUNLIN_EXECUTE(8, DUNLIN_MANDATORY, update)},
};

const dunlin_object dn_client_object_server = {
    .id = 1,
    DUNLIN_TABLE(resources),
    .flags = DUNLIN_MULTIPLE,
    .size = sizeof(dn_account),
};
