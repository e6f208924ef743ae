/* SPDX-License-Identifier: Apache-2.0 */
#include "api/every_type.h"

#define RESOURCE(number, kind, several)                                                                  \
    {                                                                                                    \
        .id = (number), .type = (kind), .operations = 3, .multiple = (several), .name = "", .range = "", \
        .unit = "", .description = ""                                                                    \
    }

static const dn_resource_def resources[] = {
    RESOURCE(0, DUNLIN_TYPE_STRING, false),   RESOURCE(1, DUNLIN_TYPE_INTEGER, false),
    RESOURCE(2, DUNLIN_TYPE_UNSIGNED, false), RESOURCE(3, DUNLIN_TYPE_FLOAT, false),
    RESOURCE(4, DUNLIN_TYPE_BOOLEAN, false),  RESOURCE(5, DUNLIN_TYPE_OPAQUE, false),
    RESOURCE(6, DUNLIN_TYPE_TIME, false),     RESOURCE(7, DUNLIN_TYPE_OBJLNK, false),
    RESOURCE(8, DUNLIN_TYPE_CORELNK, false),  RESOURCE(9, DUNLIN_TYPE_FLOAT, true),
    RESOURCE(10, DUNLIN_TYPE_NONE, false),
};

dn_object_def every_type(uint16_t id)
{
    return (dn_object_def){.id = id,
                           .version = {1, 0},
                           .multiple = true,
                           .name = "Thing",
                           .urn = "urn:x",
                           .description = "",
                           .resources = resources,
                           .resource_count = sizeof resources / sizeof resources[0]};
}
