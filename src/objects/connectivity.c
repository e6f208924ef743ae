/* SPDX-License-Identifier: Apache-2.0 */
/* Object 4, Connectivity Monitoring (Core 1.1.1 appendix E.5), over dunlin_connectivity. */
#include "objects/present.h"
#include <dunlin/oma_connectivity.h>

#define CONNECTIVITY 4
#define BEARER_MAX   50
#define CODE_MAX     999 /* of a mobile network or country */
#define OPTIONAL     (DUNLIN_R | DUNLIN_ABSENT)
#define REQUIRED     (DUNLIN_R | DUNLIN_MANDATORY)

static const dunlin_resource resources[] = {
    {DUNLIN_FIELD(0, INTEGER, REQUIRED, dunlin_connectivity, bearer), .max = BEARER_MAX},
    {DUNLIN_LIST(1, INTEGER, REQUIRED, dunlin_connectivity, bearers), .max = BEARER_MAX},
    {DUNLIN_FIELD(2, INTEGER, REQUIRED, dunlin_connectivity, signal_dbm)},
    {DUNLIN_FIELD(3, INTEGER, OPTIONAL, dunlin_connectivity, quality)},
    {DUNLIN_LIST(4, STRING, REQUIRED, dunlin_connectivity, addresses)},
    {DUNLIN_LIST(5, STRING, OPTIONAL, dunlin_connectivity, routers)},
    {DUNLIN_FIELD(6, INTEGER, OPTIONAL, dunlin_connectivity, utilization), .max = 100},
    {DUNLIN_LIST(7, STRING, OPTIONAL, dunlin_connectivity, apns)},
    {DUNLIN_FIELD(8, INTEGER, OPTIONAL, dunlin_connectivity, cell)},
    {DUNLIN_FIELD(9, INTEGER, OPTIONAL, dunlin_connectivity, smnc), .max = CODE_MAX},
    {DUNLIN_FIELD(10, INTEGER, OPTIONAL, dunlin_connectivity, smcc), .max = CODE_MAX},
    {DUNLIN_FIELD(11, INTEGER, OPTIONAL, dunlin_connectivity, snr_db)},
    {DUNLIN_FIELD(12, INTEGER, OPTIONAL, dunlin_connectivity, lac)},
};
#define RESOURCES_1_0 11

const dunlin_object dunlin_connectivity_object = {
    .id = CONNECTIVITY,
    DUNLIN_TABLE(resources),
    .size = sizeof(dunlin_connectivity),
};

const dunlin_object dunlin_connectivity_object_1_0 = {
    .id = CONNECTIVITY,
    .resources = resources,
    .resource_count = RESOURCES_1_0,
    .size = sizeof(dunlin_connectivity),
};

dunlin_status dunlin_connectivity_add(dunlin_client *client, dunlin_connectivity *connectivity,
                                      dunlin_lwm2m lwm2m)
{
    const dunlin_object *object =
        lwm2m == DUNLIN_LWM2M_1_0 ? &dunlin_connectivity_object_1_0 : &dunlin_connectivity_object;
    return dn_objects_add_single(client, object, connectivity, connectivity->has, NULL);
}
