/* SPDX-License-Identifier: Apache-2.0 */
/* Object 11, APN Connection Profile, over dunlin_apn. */
#include <dunlin/oma_apn.h>

#define APN_PROFILE   11
#define REQUIRED      (DUNLIN_RW | DUNLIN_MANDATORY)
#define WRITE         (DUNLIN_RW | DUNLIN_ABSENT)
#define READ          (DUNLIN_R | DUNLIN_ABSENT)
#define CAUSE_MAX     111
#define QCI_MAX       9
#define TIME_UNIT_MAX 4
#define RDS_PORT_MAX  15
#define RESOURCES_1_0 26

static dunlin_status enabled_set(const dunlin_call *call, const dunlin_value *value)
{
    const dunlin_apn_config *config = call->context;
    if (config != NULL && config->enable != NULL) {
        config->enable(config->context, call->path.id[1], value->as.boolean);
    }
    return DUNLIN_OK;
}

static void removed(const dunlin_call *call)
{
    const dunlin_apn_config *config = call->context;
    const dunlin_apn *apn = call->instance;
    if (config != NULL && config->enable != NULL && apn->enabled) {
        config->enable(config->context, call->path.id[1], false);
    }
}

static const dunlin_resource resources[] = {
    {DUNLIN_FIELD(0, STRING, REQUIRED, dunlin_apn, name)},
    {DUNLIN_FIELD(1, STRING, WRITE, dunlin_apn, apn)},
    {DUNLIN_FIELD(2, BOOLEAN, WRITE, dunlin_apn, automatic)},
    {DUNLIN_FIELD(3, BOOLEAN, WRITE, dunlin_apn, enabled), .set = enabled_set},
    {DUNLIN_FIELD(4, INTEGER, REQUIRED, dunlin_apn, authentication), .max = DUNLIN_APN_NONE},
    {DUNLIN_FIELD(5, STRING, WRITE, dunlin_apn, user)},
    {DUNLIN_FIELD(6, STRING, WRITE, dunlin_apn, secret)},
    {DUNLIN_FIELD(7, STRING, WRITE, dunlin_apn, reconnect)},
    {DUNLIN_LIST(8, STRING, WRITE, dunlin_apn, validity)},
    {DUNLIN_LIST(9, TIME, READ, dunlin_apn, established)},
    {DUNLIN_LIST(10, INTEGER, READ, dunlin_apn, results), .max = 1},
    {DUNLIN_LIST(11, INTEGER, READ, dunlin_apn, causes), .max = CAUSE_MAX},
    {DUNLIN_LIST(12, TIME, READ, dunlin_apn, ended)},
    {DUNLIN_FIELD(13, INTEGER, READ, dunlin_apn, bytes_sent)},
    {DUNLIN_FIELD(14, INTEGER, READ, dunlin_apn, bytes_received)},
    {DUNLIN_LIST(15, STRING, WRITE, dunlin_apn, addresses)},
    {DUNLIN_LIST(16, STRING, WRITE, dunlin_apn, prefixes)},
    {DUNLIN_LIST(17, STRING, WRITE, dunlin_apn, masks)},
    {DUNLIN_LIST(18, STRING, WRITE, dunlin_apn, gateways)},
    {DUNLIN_LIST(19, STRING, WRITE, dunlin_apn, dns_first)},
    {DUNLIN_LIST(20, STRING, WRITE, dunlin_apn, dns_second)},
    {DUNLIN_FIELD(21, INTEGER, READ, dunlin_apn, qci), .min = 1, .max = QCI_MAX},
    {DUNLIN_FIELD(22, OBJLNK, READ, dunlin_apn, vendor)},
    {DUNLIN_FIELD(23, INTEGER, READ, dunlin_apn, packets_sent)},
    {DUNLIN_FIELD(24, INTEGER, WRITE, dunlin_apn, pdn_type), .max = DUNLIN_PDN_IPV4V6},
    {DUNLIN_FIELD(25, INTEGER, READ, dunlin_apn, rate)},
    {DUNLIN_FIELD(26, UNSIGNED, WRITE, dunlin_apn, plmn_rate)},
    {DUNLIN_FIELD(27, UNSIGNED, WRITE, dunlin_apn, uplink_unit), .max = TIME_UNIT_MAX},
    {DUNLIN_FIELD(28, INTEGER, READ, dunlin_apn, exception_rate)},
    {DUNLIN_FIELD(29, UNSIGNED, WRITE, dunlin_apn, exception_unit), .max = TIME_UNIT_MAX},
    {DUNLIN_LIST(30, UNSIGNED, WRITE, dunlin_apn, rats)},
    {DUNLIN_LIST(31, STRING, WRITE, dunlin_apn, rds_applications)},
    {DUNLIN_LIST(32, INTEGER, WRITE, dunlin_apn, rds_destinations), .max = RDS_PORT_MAX},
    {DUNLIN_LIST(33, INTEGER, WRITE, dunlin_apn, rds_sources), .max = RDS_PORT_MAX},
};

const dunlin_object dunlin_apn_object = {
    .id = APN_PROFILE,
    DUNLIN_TABLE(resources),
    .flags = DUNLIN_MULTIPLE | DUNLIN_DYNAMIC,
    .size = sizeof(dunlin_apn),
    .major = 1,
    .minor = 1,
    .removed = removed,
};

const dunlin_object dunlin_apn_object_1_0 = {
    .id = APN_PROFILE,
    .resources = resources,
    .resource_count = RESOURCES_1_0,
    .flags = DUNLIN_MULTIPLE | DUNLIN_DYNAMIC,
    .size = sizeof(dunlin_apn),
    .removed = removed,
};

dunlin_status dunlin_apn_add(dunlin_client *client, dunlin_apn *storage, uint16_t capacity, uint16_t used,
                             dunlin_apn_config *config, dunlin_lwm2m lwm2m)
{
    const dunlin_object *object = lwm2m == DUNLIN_LWM2M_1_0 ? &dunlin_apn_object_1_0 : &dunlin_apn_object;
    return dunlin_client_add_object(client, object, storage, capacity, used, config);
}
