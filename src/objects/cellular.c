/* SPDX-License-Identifier: Apache-2.0 */
/* Object 10, Cellular Connectivity, over dunlin_cellular. */
#include "objects/present.h"
#include <dunlin/oma_cellular.h>

#define CELLULAR        10
#define APN_PROFILE     11
#define ACTIVE_PROFILES 11
#define MODES_SUPPORTED 12
#define MODES_ACTIVE    13
#define READ            (DUNLIN_R | DUNLIN_ABSENT)
#define WRITE           (DUNLIN_RW | DUNLIN_ABSENT)
#define MODES_ALL       (DUNLIN_SAVING_PSM | DUNLIN_SAVING_EDRX)
#define ASSISTANCE_MAX  7

/* Modes share one bit of `has`: a device that has modes has both resources. */
static uint32_t bit_of(uint16_t resource)
{
    return resource == MODES_ACTIVE ? DUNLIN_CELLULAR_MODES : (uint32_t)1 << resource;
}

/* What the modem does not have cannot be written into being. */
static dunlin_status supported(const dunlin_call *call, const dunlin_value *value)
{
    const dunlin_cellular *cellular = call->instance;
    (void)value;
    return call->server == 0 || (cellular->has & bit_of(call->path.id[2])) != 0 ? DUNLIN_OK
                                                                                : DUNLIN_ERR_NOT_FOUND;
}

/* Only modes that are supported can be active. */
static dunlin_status modes_check(const dunlin_call *call, const dunlin_value *value)
{
    const dunlin_cellular *cellular = call->instance;
    const dunlin_status status = supported(call, value);
    if (status != DUNLIN_OK) {
        return status;
    }
    return (value->as.uinteger & ~(uint64_t)cellular->modes_supported) == 0 ? DUNLIN_OK : DUNLIN_ERR_RANGE;
}

static dunlin_status written(const dunlin_call *call, const dunlin_value *value)
{
    const dunlin_cellular *cellular = call->instance;
    (void)value;
    if (cellular->apply == NULL || call->server == 0) {
        return DUNLIN_OK;
    }
    return cellular->apply(cellular->context, call->path.id[2]);
}

#define WRITTEN .check = supported, .set = written

#define COMMON_ROWS                                                                                  \
    {DUNLIN_FIELD(0, STRING, WRITE, dunlin_cellular, smsc), WRITTEN},                                \
        {DUNLIN_FIELD(1, INTEGER, WRITE, dunlin_cellular, disable_min), .max = UINT16_MAX, WRITTEN}, \
        {DUNLIN_FIELD(2, STRING, WRITE, dunlin_cellular, activation), WRITTEN},                      \
        {DUNLIN_FIELD(3, OBJLNK, READ, dunlin_cellular, vendor)},                                    \
        {DUNLIN_FIELD(4, INTEGER, WRITE, dunlin_cellular, psm_timer_s), .max = INT32_MAX, WRITTEN},  \
    {                                                                                                \
        DUNLIN_FIELD(5, INTEGER, WRITE, dunlin_cellular, active_timer_s), .max = INT32_MAX, WRITTEN  \
    }
#define EDRX_ROWS                                                                                           \
    {DUNLIN_FIELD(7, OPAQUE, WRITE, dunlin_cellular, edrx_iu), WRITTEN},                                    \
        {DUNLIN_FIELD(8, OPAQUE, WRITE, dunlin_cellular, edrx_wb_s1), WRITTEN},                             \
        {DUNLIN_FIELD(9, OPAQUE, WRITE, dunlin_cellular, edrx_nb_s1), WRITTEN},                             \
        {DUNLIN_FIELD(10, OPAQUE, WRITE, dunlin_cellular, edrx_a_gb), WRITTEN},                             \
    {                                                                                                       \
        DUNLIN_LIST(ACTIVE_PROFILES, OBJLNK, DUNLIN_R | DUNLIN_MANDATORY, dunlin_cellular, active_profiles) \
    }

static const dunlin_resource resources[] = {
    COMMON_ROWS,
    EDRX_ROWS,
    {DUNLIN_FIELD(MODES_SUPPORTED, UNSIGNED, READ, dunlin_cellular, modes_supported), .max = MODES_ALL},
    {DUNLIN_FIELD(MODES_ACTIVE, UNSIGNED, WRITE, dunlin_cellular, modes_active), .max = MODES_ALL,
     .check = modes_check, .set = written},
    {DUNLIN_FIELD(14, UNSIGNED, WRITE, dunlin_cellular, release_assistance), .max = ASSISTANCE_MAX, WRITTEN},
};

static const dunlin_resource resources_1_0[] = {
    COMMON_ROWS,
    {DUNLIN_FIELD(6, INTEGER, READ, dunlin_cellular, plmn_rate)},
    EDRX_ROWS,
};

const dunlin_object dunlin_cellular_object = {
    .id = CELLULAR,
    DUNLIN_TABLE(resources),
    .size = sizeof(dunlin_cellular),
    .major = 1,
    .minor = 1,
};

const dunlin_object dunlin_cellular_object_1_0 = {
    .id = CELLULAR,
    DUNLIN_TABLE(resources_1_0),
    .size = sizeof(dunlin_cellular),
};

dunlin_status dunlin_cellular_add(dunlin_client *client, dunlin_cellular *cellular, dunlin_lwm2m lwm2m)
{
    const dunlin_object *object =
        lwm2m == DUNLIN_LWM2M_1_0 ? &dunlin_cellular_object_1_0 : &dunlin_cellular_object;
    uint64_t has = cellular->has;
    if ((has & DUNLIN_CELLULAR_MODES) != 0) {
        has |= DN_HAS(MODES_ACTIVE);
    }
    return dn_objects_add_single(client, object, cellular, has, cellular->context);
}

static void drop(dunlin_cellular *cellular, uint16_t at)
{
    cellular->active_profiles.count--;
    for (uint16_t i = at; i < cellular->active_profiles.count; i++) {
        cellular->active_profiles.id[i] = cellular->active_profiles.id[i + 1];
        cellular->active_profiles.value[i] = cellular->active_profiles.value[i + 1];
    }
}

/* A profile's resource instance has the id of the profile, so it is the same each time. */
dunlin_status dunlin_cellular_activate(dunlin_client *client, dunlin_cellular *cellular, uint16_t instance,
                                       bool active)
{
    uint16_t at = 0;
    while (at < cellular->active_profiles.count && cellular->active_profiles.id[at] < instance) {
        at++;
    }
    const bool there = at < cellular->active_profiles.count && cellular->active_profiles.id[at] == instance;
    if (there == active) {
        return DUNLIN_OK;
    }
    if (!active) {
        drop(cellular, at);
    } else if (cellular->active_profiles.count == DUNLIN_ACTIVE_PROFILES_MAX) {
        return DUNLIN_ERR_LIMIT;
    } else {
        for (uint16_t i = cellular->active_profiles.count++; i > at; i--) {
            cellular->active_profiles.id[i] = cellular->active_profiles.id[i - 1];
            cellular->active_profiles.value[i] = cellular->active_profiles.value[i - 1];
        }
        cellular->active_profiles.id[at] = instance;
        cellular->active_profiles.value[at] = (dunlin_objlnk){APN_PROFILE, instance};
    }
    dunlin_changed(client, dunlin_path_resource(CELLULAR, 0, ACTIVE_PROFILES));
    return DUNLIN_OK;
}
