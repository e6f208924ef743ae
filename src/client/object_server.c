/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Object 1, Server: how to serve a server (Core 1.1.1 appendix E.2). Not here: APN Link (10).
 */
#include "client/objects.h"

#include "client/account.h"
#include "client/bootstrap.h"
#include "client/registration.h"
#include "client/tree.h"
#include "client/way.h"
#include <string.h>

#define SERVER_OBJECT 1

enum { BOOTSTRAP_TRIGGER = 9, PRIORITY_ORDER = 13, TRIGGER = 21, PREFERRED_TRANSPORT = 22 };

#define COMMON_RESOURCES 9 /* of LwM2M 1.0 */

/* The lifetime holds from now on, and the server is told it. */
static dunlin_status lifetime_set(const dunlin_call *call, const dunlin_value *value)
{
    dn_account *account = dn_client_account_of(call->client, call->instance);
    (void)value;
    if (account != NULL) {
        dn_client_registration_want(account, DN_WANT_LIFETIME);
    }
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
    dn_server_instance *instance = call->instance;
    dn_account *account = dn_client_account_of(call->client, instance);
    (void)value;
    if (account == NULL) {
        return DUNLIN_OK;
    }
    instance->binding_chosen = instance->binding_chosen || call->server == account->ssid;
    if (strcmp(instance->binding, account->binding_told) != 0) {
        dn_client_registration_want(account, DN_WANT_UPDATE);
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
    dn_account *account = dn_client_account_of(call->client, call->instance);
    if (account != NULL) {
        dn_client_registration_disable(account);
    }
    return DUNLIN_OK;
}

/* Argument 0 may name the transport to use (Transport 1.1.1 section 6.6). Another one than there is now takes a Register. */
static dunlin_status update(const dunlin_call *call, const dunlin_arguments *arguments)
{
    dn_account *account = dn_client_account_of(call->client, call->instance);
    const dunlin_slice letter = arguments->value[0];
    if ((arguments->present & ~1u) != 0) {
        return DUNLIN_ERR_UNSUPPORTED;
    }
    if (account == NULL) {
        return DUNLIN_OK; /* of no account (yet): there is nothing to update */
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

/* The answer comes before the bootstrap, which the next step begins. Without an account of a bootstrap server there is nobody to
   turn to (Core 1.1.1 appendix E.2). */
static dunlin_status bootstrap(const dunlin_call *call, const dunlin_arguments *arguments)
{
    const dn_account *account = dn_client_account_of(call->client, call->instance);
    if (arguments->present != 0) {
        return DUNLIN_ERR_UNSUPPORTED;
    }
    if (dn_client_bootstrap_trigger(call->client, call->server) != DUNLIN_OK) {
        return DUNLIN_ERR_STATE;
    }
    const dunlin_client_event event = {.kind = DUNLIN_CLIENT_BOOTSTRAP,
                                       .server = call->server,
                                       .location = account == NULL ? "" : account->location,
                                       .path = call->path};
    dn_client_tell(call->client, &event);
    return DUNLIN_OK;
}

/* 13 to 20 have no operations: only a bootstrap reaches them. 1.0 ends with COMMON_RESOURCES. */
static const dunlin_resource resources[] = {
    {DUNLIN_FIELD(0, INTEGER, DUNLIN_R | DUNLIN_MANDATORY, dn_server_instance, ssid)},
    {DUNLIN_FIELD(1, INTEGER, DUNLIN_RW | DUNLIN_MANDATORY, dn_server_instance, lifetime_s), .max = INT32_MAX,
     .set = lifetime_set},
    {DUNLIN_FIELD(2, INTEGER, DUNLIN_RW, dn_server_instance, pmin_s), .max = INT32_MAX},
    {DUNLIN_FIELD(3, INTEGER, DUNLIN_RW, dn_server_instance, pmax_s), .max = INT32_MAX},
    {DUNLIN_EXECUTE(4, 0, disable)},
    {DUNLIN_FIELD(5, INTEGER, DUNLIN_RW, dn_server_instance, disable_s), .max = INT32_MAX},
    {DUNLIN_FIELD(6, BOOLEAN, DUNLIN_RW | DUNLIN_MANDATORY, dn_server_instance, store_notifications)},
    {DUNLIN_FIELD(7, STRING, DUNLIN_RW | DUNLIN_MANDATORY, dn_server_instance, binding),
     .check = binding_check, .set = binding_set},
    {DUNLIN_EXECUTE(8, DUNLIN_MANDATORY, update)},
    {DUNLIN_EXECUTE(BOOTSTRAP_TRIGGER, DUNLIN_ABSENT, bootstrap)},
    {DUNLIN_FIELD(11, UNSIGNED, DUNLIN_R | DUNLIN_ABSENT, dn_server_instance, alert)},
    {DUNLIN_FIELD(12, TIME, DUNLIN_R | DUNLIN_ABSENT, dn_server_instance, last_bootstrapped)},
    {DUNLIN_FIELD(PRIORITY_ORDER, INTEGER, DUNLIN_ABSENT, dn_server_instance, policy.priority),
     .max = INT32_MAX},
    {DUNLIN_FIELD(14, UNSIGNED, 0, dn_server_instance, policy.initial_delay_s)},
    {DUNLIN_FIELD(15, BOOLEAN, 0, dn_server_instance, policy.failure_blocks)},
    {DUNLIN_FIELD(16, BOOLEAN, 0, dn_server_instance, policy.failure_bootstraps)},
    {DUNLIN_FIELD(17, UNSIGNED, 0, dn_server_instance, policy.retry_count), .min = 1, .max = UINT32_MAX},
    {DUNLIN_FIELD(18, UNSIGNED, 0, dn_server_instance, policy.retry_timer_s)},
    {DUNLIN_FIELD(19, UNSIGNED, 0, dn_server_instance, policy.sequence_delay_s)},
    {DUNLIN_FIELD(20, UNSIGNED, 0, dn_server_instance, policy.sequence_count), .min = 1, .max = UINT32_MAX},
    {DUNLIN_FIELD(TRIGGER, BOOLEAN, DUNLIN_RW | DUNLIN_ABSENT, dn_server_instance, trigger)},
    {DUNLIN_FIELD(PREFERRED_TRANSPORT, STRING, DUNLIN_RW | DUNLIN_ABSENT, dn_server_instance,
                  preferred_transport),
     .check = transport_check},
    {DUNLIN_FIELD(23, BOOLEAN, DUNLIN_RW, dn_server_instance, mute_send)},
};

/* As dunlin_server_default has them. */
void dn_client_object_server_default(dn_server_instance *instance)
{
    const dunlin_server server = dunlin_server_default();
    memset(instance, 0, sizeof *instance);
    instance->lifetime_s = server.lifetime_s;
    instance->disable_s = server.disable_s;
    instance->store_notifications = server.store_notifications;
    instance->policy = server.policy;
    memcpy(instance->binding, server.binding, sizeof instance->binding);
}

/* 9 is there where it can do something. */
static void put_trigger(dunlin_client *client, uint16_t index)
{
    const dn_object_slot *slot = dn_client_tree_object(client, SERVER_OBJECT);
    const dunlin_resource *row = dn_client_tree_resource(slot->def, BOOTSTRAP_TRIGGER);
    if (row != NULL) {
        dn_client_tree_set_present(slot, index, row, client->config.bootstrap);
    }
}

static dunlin_status created(const dunlin_call *call)
{
    dn_server_instance *instance = call->instance;
    dn_client_object_server_default(instance);
    put_trigger(call->client, (uint16_t)(instance - call->client->servers));
    call->client->pair_due = true;
    return DUNLIN_OK;
}

static void removed(const dunlin_call *call)
{
    call->client->pair_due = true;
}

const dunlin_object dn_client_object_server = {
    .id = 1,
    DUNLIN_TABLE(resources),
    .flags = DUNLIN_MULTIPLE,
    .size = sizeof(dn_server_instance),
    .created = created,
    .removed = removed,
};

const dunlin_object dn_client_object_server_1_0 = {
    .id = 1,
    .resources = resources,
    .resource_count = COMMON_RESOURCES,
    .flags = DUNLIN_MULTIPLE,
    .size = sizeof(dn_server_instance),
    .created = created,
    .removed = removed,
};

void dn_client_object_server_present(dunlin_client *client, const dn_server_instance *instance)
{
    const dn_object_slot *slot = dn_client_tree_object(client, SERVER_OBJECT);
    const uint16_t index = (uint16_t)(instance - client->servers);
    const struct {
        uint16_t resource;
        bool present;
    } rows[] = {
        {PRIORITY_ORDER, instance->policy.priority >= 0},
        {TRIGGER, instance->trigger},
        {PREFERRED_TRANSPORT, instance->preferred_transport[0] != '\0'},
    };
    put_trigger(client, index);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const dunlin_resource *row = dn_client_tree_resource(slot->def, rows[i].resource);
        if (row != NULL) { /* in LwM2M 1.0 there are none of them */
            dn_client_tree_set_present(slot, index, row, rows[i].present);
        }
    }
}
