/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Object 1, Server: how to serve a server (Core 1.1.1 appendix E.2). Not here: APN Link (10) and Last Bootstrapped (12).
 */
#include "client/objects.h"

#include "client/registration.h"
#include "client/tree.h"
#include "client/way.h"
#include <string.h>

enum { BOOTSTRAP_TRIGGER = 9, PRIORITY_ORDER = 13, TRIGGER = 21, PREFERRED_TRANSPORT = 22 };

#define COMMON_RESOURCES 9 /* of LwM2M 1.0 */

/* The lifetime holds from now on, and the server is told it. */
static dunlin_status lifetime_set(const dunlin_call *call, const dunlin_value *value)
{
    (void)value;
    dn_client_registration_want(call->instance, DN_WANT_LIFETIME);
    return DUNLIN_OK;
}

/* Transports that this client has. In LwM2M 1.0 the Q of queue mode is a part of the binding. */
static dunlin_status binding_check(const dunlin_call *call, const dunlin_value *value)
{
    const dunlin_client_config *config = &call->client->config;
    const bool queue = config->lwm2m == DUNLIN_LWM2M_1_0 && config->queue_mode;
    return dn_client_way_binding_valid(call->client, value->as.bytes) ||
                   (queue && dunlin_slice_equal(value->as.bytes, dunlin_slice_of("UQ")))
               ? DUNLIN_OK
               : DUNLIN_ERR_RANGE;
}

/* The server is told what it has changed, as a change of binding has to be (Core 1.1.1 section 6.2.2). */
static dunlin_status binding_set(const dunlin_call *call, const dunlin_value *value)
{
    const dn_account *account = call->instance;
    (void)value;
    if (strcmp(account->server.binding, account->binding_told) != 0) {
        dn_client_registration_want(call->instance, DN_WANT_UPDATE);
    }
    return DUNLIN_OK;
}

/* A transport to prefer is one that there is. Empty is none. */
static dunlin_status transport_check(const dunlin_call *call, const dunlin_value *value)
{
    const dunlin_slice text = value->as.bytes;
    return text.len == 0 || (text.len == 1 && dn_client_way_has(call->client, (char)text.data[0]))
               ? DUNLIN_OK
               : DUNLIN_ERR_RANGE;
}

static dunlin_status disable(const dunlin_call *call, const dunlin_arguments *arguments)
{
    if (arguments->present != 0) {
        return DUNLIN_ERR_UNSUPPORTED;
    }
    dn_client_registration_disable(call->instance);
    return DUNLIN_OK;
}

/* Argument 0 may name the transport to use (Transport 1.1.1 section 6.6). Another one than there is now takes a Register. */
static dunlin_status update(const dunlin_call *call, const dunlin_arguments *arguments)
{
    dn_account *account = call->instance;
    const dunlin_slice letter = arguments->value[0];
    if ((arguments->present & ~1u) != 0) {
        return DUNLIN_ERR_UNSUPPORTED;
    }
    if (arguments->present == 0) {
        dn_client_registration_want(account, DN_WANT_UPDATE);
        return DUNLIN_OK;
    }
    if (letter.len != 1 || !dn_client_way_has(call->client, (char)letter.data[0])) {
        return DUNLIN_ERR_UNSUPPORTED;
    }
    const bool same = (char)letter.data[0] == dn_client_way_letter((dn_transport)account->way.transport);
    account->way.asked = same ? 0 : (char)letter.data[0];
    dn_client_registration_want(account, same ? DN_WANT_UPDATE : DN_WANT_BINDING);
    return DUNLIN_OK;
}

/* The answer comes before the bootstrap, which the application begins after this call. */
static dunlin_status bootstrap(const dunlin_call *call, const dunlin_arguments *arguments)
{
    const dn_account *account = call->instance;
    if (arguments->present != 0) {
        return DUNLIN_ERR_UNSUPPORTED;
    }
    const dunlin_client_event event = {.kind = DUNLIN_CLIENT_BOOTSTRAP,
                                       .server = (uint16_t)account->server.ssid,
                                       .location = account->location,
                                       .retry_ms = DUNLIN_NEVER,
                                       .path = call->path};
    dn_client_tell(call->client, &event);
    return DUNLIN_OK;
}

/* 13 to 20 have no operations: only a bootstrap reaches them. 1.0 ends with COMMON_RESOURCES. */
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
     .check = binding_check, .set = binding_set},
    {DUNLIN_EXECUTE(8, DUNLIN_MANDATORY, update)},
    {DUNLIN_EXECUTE(BOOTSTRAP_TRIGGER, DUNLIN_ABSENT, bootstrap)},
    {DUNLIN_FIELD(11, UNSIGNED, DUNLIN_R | DUNLIN_ABSENT, dn_account, way.alert)},
    {DUNLIN_FIELD(PRIORITY_ORDER, INTEGER, DUNLIN_ABSENT, dn_account, server.policy.priority),
     .max = INT32_MAX},
    {DUNLIN_FIELD(14, UNSIGNED, 0, dn_account, server.policy.initial_delay_s)},
    {DUNLIN_FIELD(15, BOOLEAN, 0, dn_account, server.policy.failure_blocks)},
    {DUNLIN_FIELD(16, BOOLEAN, 0, dn_account, server.policy.failure_bootstraps)},
    {DUNLIN_FIELD(17, UNSIGNED, 0, dn_account, server.policy.retry_count), .min = 1, .max = UINT32_MAX},
    {DUNLIN_FIELD(18, UNSIGNED, 0, dn_account, server.policy.retry_timer_s)},
    {DUNLIN_FIELD(19, UNSIGNED, 0, dn_account, server.policy.sequence_delay_s)},
    {DUNLIN_FIELD(20, UNSIGNED, 0, dn_account, server.policy.sequence_count), .min = 1, .max = UINT32_MAX},
    {DUNLIN_FIELD(TRIGGER, BOOLEAN, DUNLIN_RW | DUNLIN_ABSENT, dn_account, server.trigger)},
    {DUNLIN_FIELD(PREFERRED_TRANSPORT, STRING, DUNLIN_RW | DUNLIN_ABSENT, dn_account,
                  server.preferred_transport),
     .check = transport_check},
    {DUNLIN_FIELD(23, BOOLEAN, DUNLIN_RW, dn_account, server.mute_send)},
};

const dunlin_object dn_client_object_server = {
    .id = 1,
    DUNLIN_TABLE(resources),
    .flags = DUNLIN_MULTIPLE,
    .size = sizeof(dn_account),
};

const dunlin_object dn_client_object_server_1_0 = {
    .id = 1,
    .resources = resources,
    .resource_count = COMMON_RESOURCES,
    .flags = DUNLIN_MULTIPLE,
    .size = sizeof(dn_account),
};

void dn_client_object_server_present(dunlin_client *client, const dn_account *account)
{
    const uint16_t instance = (uint16_t)(account - client->accounts);
    const struct {
        uint16_t resource;
        bool present;
    } rows[] = {
        {BOOTSTRAP_TRIGGER, client->config.bootstrap},
        {PRIORITY_ORDER, account->server.policy.priority >= 0},
        {TRIGGER, account->server.trigger},
        {PREFERRED_TRANSPORT, account->server.preferred_transport[0] != '\0'},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        dn_place place; /* in LwM2M 1.0 there are none of them */
        if (dn_client_tree_find(client, dunlin_path_resource(1, instance, rows[i].resource), false, &place) ==
            DUNLIN_OK) {
            dn_client_tree_set_present(place.object, place.index, place.resource, rows[i].present);
        }
    }
}
