/* SPDX-License-Identifier: Apache-2.0 */
/* Object 0, Security: where the servers are and how to trust them. Nobody reads it over the air (Core 1.1.1
 * appendix E.1). */
#include "client/objects.h"

/* NoSec accounts have no keys; the resources are mandatory all the same. */
static dunlin_status no_key(const dunlin_call *call, dunlin_value *value)
{
    (void)call;
    *value = dunlin_opaque(dunlin_slice_make(NULL, 0));
    return DUNLIN_OK;
}

static const dunlin_resource resources[] = {
    {DUNLIN_FIELD(0, STRING, DUNLIN_MANDATORY, dn_account, server.uri)},
    {DUNLIN_FIELD(1, BOOLEAN, DUNLIN_MANDATORY, dn_account, bootstrap)},
    {DUNLIN_FIELD(2, INTEGER, DUNLIN_MANDATORY, dn_account, security_mode)},
    {DUNLIN_CALL(3, OPAQUE, DUNLIN_MANDATORY), .get = no_key},
    {DUNLIN_CALL(4, OPAQUE, DUNLIN_MANDATORY), .get = no_key},
    {DUNLIN_CALL(5, OPAQUE, DUNLIN_MANDATORY), .get = no_key},
    {DUNLIN_FIELD(10, INTEGER, 0, dn_account, server.ssid)},
};

const dunlin_object dn_client_object_security = {
    .id = 0,
    DUNLIN_TABLE(resources),
    .flags = DUNLIN_MULTIPLE | DUNLIN_HIDDEN,
    .size = sizeof(dn_account),
};
