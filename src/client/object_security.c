/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Object 0, Security: where the servers are and how to trust them. Nobody reads it over the air (Core 1.1.1 appendix
 * E.1). The device itself reads all but the secret key. What is changed here holds from the next Register on.
 */
#include "client/objects.h"

#include "client/security.h"

enum { IDENTITY = 3, SERVER_KEY = 4, SECRET = 5 };

#define EST_MODE     4
#define MATCHING_MAX 3
#define USAGE_MAX    3

/* Whatever was agreed on with other credentials is void. */
static dunlin_status changed(const dunlin_call *call, const dunlin_value *value)
{
    dn_security_instance *instance = call->instance;
    (void)value;
    instance->anew = true;
    return DUNLIN_OK;
}

static dunlin_status mode_set(const dunlin_call *call, const dunlin_value *value)
{
    ((dn_security_instance *)call->instance)->enrolled = false;
    return changed(call, value);
}

static dunlin_status mode_check(const dunlin_call *call, const dunlin_value *value)
{
    const bool enrols = call->client->config.enroll.request != NULL;
    return value->as.integer == EST_MODE && !enrols ? DUNLIN_ERR_UNSUPPORTED : DUNLIN_OK;
}

static unsigned credential_of(const dunlin_call *call)
{
    switch (call->path.id[2]) {
    case IDENTITY:
        return DN_CREDENTIAL_IDENTITY;
    case SERVER_KEY:
        return DN_CREDENTIAL_SERVER_KEY;
    default:
        return DN_CREDENTIAL_SECRET;
    }
}

static dunlin_status credential_get(const dunlin_call *call, dunlin_value *value)
{
    *value = dunlin_opaque(dn_client_security_credential(call->client, call->instance, credential_of(call)));
    return DUNLIN_OK;
}

static dunlin_status credential_check(const dunlin_call *call, const dunlin_value *value)
{
    return value->as.bytes.len > call->client->config.credential_max ? DUNLIN_ERR_RANGE : DUNLIN_OK;
}

static dunlin_status credential_set(const dunlin_call *call, const dunlin_value *value)
{
    dn_security_instance *instance = call->instance;
    (void)changed(call, value);
    instance->enrolled = instance->enrolled && call->path.id[2] == SERVER_KEY;
    return dn_client_security_set_credential(call->client, call->instance, credential_of(call),
                                             value->as.bytes);
}

static dunlin_status sni_get(const dunlin_call *call, dunlin_value *value)
{
    *value = dunlin_string(dunlin_slice_of(dn_client_security_sni(call->client, call->instance)));
    return DUNLIN_OK;
}

static dunlin_status sni_check(const dunlin_call *call, const dunlin_value *value)
{
    return value->as.bytes.len > 0 && call->client->config.credential_max == 0 ? DUNLIN_ERR_RANGE : DUNLIN_OK;
}

static dunlin_status sni_set(const dunlin_call *call, const dunlin_value *value)
{
    (void)changed(call, value);
    return dn_client_security_set_sni(call->client, call->instance, value->as.bytes);
}

static const dunlin_resource resources[] = {
    {DUNLIN_FIELD(0, STRING, DUNLIN_MANDATORY, dn_security_instance, uri), .set = changed},
    {DUNLIN_FIELD(1, BOOLEAN, DUNLIN_MANDATORY, dn_security_instance, bootstrap)},
    {DUNLIN_FIELD(2, INTEGER, DUNLIN_MANDATORY, dn_security_instance, security.mode), .max = EST_MODE,
     .check = mode_check, .set = mode_set},
    {DUNLIN_CALL(IDENTITY, OPAQUE, DUNLIN_MANDATORY), .get = credential_get, .check = credential_check,
     .set = credential_set},
    {DUNLIN_CALL(SERVER_KEY, OPAQUE, DUNLIN_MANDATORY), .get = credential_get, .check = credential_check,
     .set = credential_set},
    {DUNLIN_CALL(SECRET, OPAQUE, DUNLIN_MANDATORY | DUNLIN_SECRET), .get = credential_get,
     .check = credential_check, .set = credential_set},
    {DUNLIN_FIELD(10, INTEGER, 0, dn_security_instance, ssid)},
    {DUNLIN_FIELD(11, UNSIGNED, DUNLIN_ABSENT, dn_security_instance, hold_off_s)},
    {DUNLIN_FIELD(12, UNSIGNED, DUNLIN_ABSENT, dn_security_instance, timeout_s)},
    {DUNLIN_FIELD(13, UNSIGNED, DUNLIN_ABSENT, dn_security_instance, security.matching), .max = MATCHING_MAX,
     .set = changed},
    {DUNLIN_CALL(14, STRING, DUNLIN_ABSENT), .min = 0, .max = DUNLIN_SNI_MAX, .get = sni_get,
     .check = sni_check, .set = sni_set},
    {DUNLIN_FIELD(15, UNSIGNED, DUNLIN_ABSENT, dn_security_instance, security.usage), .max = USAGE_MAX,
     .set = changed},
    {DUNLIN_FIELD(17, OBJLNK, DUNLIN_ABSENT, dn_security_instance, oscore), .set = changed},
};

/* The mode has no value that would be harmless to guess; NoSec is the one that needs nothing. */
static dunlin_status created(const dunlin_call *call)
{
    dn_security_instance *instance = call->instance;
    instance->security.mode = DUNLIN_NOSEC;
    instance->anew = true;
    dn_client_security_wipe(call->client, instance);
    call->client->pair_due = true;
    return DUNLIN_OK;
}

static void removed(const dunlin_call *call)
{
    call->client->pair_due = true;
    dn_client_security_wipe(call->client, call->instance);
}

const dunlin_object dn_client_object_security = {
    .id = 0,
    DUNLIN_TABLE(resources),
    .flags = DUNLIN_MULTIPLE | DUNLIN_HIDDEN,
    .size = sizeof(dn_security_instance),
    .created = created,
    .removed = removed,
};
