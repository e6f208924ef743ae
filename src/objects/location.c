/* SPDX-License-Identifier: Apache-2.0 */
/* Object 6, Location (Core 1.1.1 appendix E.7), over dunlin_location. */
#include "objects/present.h"
#include <dunlin/oma_location.h>

#define LOCATION      6
#define OPTIONAL      (DUNLIN_R | DUNLIN_ABSENT)
#define REQUIRED      (DUNLIN_R | DUNLIN_MANDATORY)
#define KMH_PER_M_S   3.6
#define KMH_MAX       2047u
#define FULL_TURN     360.0
#define VELOCITY_SIZE 4u

static const dunlin_resource resources[] = {
    {DUNLIN_FIELD(0, FLOAT, REQUIRED, dunlin_location, latitude), .min = -90, .max = 90},
    {DUNLIN_FIELD(1, FLOAT, REQUIRED, dunlin_location, longitude), .min = -180, .max = 180},
    {DUNLIN_FIELD(2, FLOAT, OPTIONAL, dunlin_location, altitude_m)},
    {DUNLIN_FIELD(3, FLOAT, OPTIONAL, dunlin_location, radius_m)},
    {DUNLIN_FIELD(4, OPAQUE, OPTIONAL, dunlin_location, velocity)},
    {DUNLIN_FIELD(5, TIME, REQUIRED, dunlin_location, unix_s)},
    {DUNLIN_FIELD(6, FLOAT, OPTIONAL, dunlin_location, speed_m_s)},
};

const dunlin_object dunlin_location_object = {
    .id = LOCATION,
    DUNLIN_TABLE(resources),
    .size = sizeof(dunlin_location),
};

dunlin_status dunlin_location_add(dunlin_client *client, dunlin_location *location)
{
    return dn_objects_add_single(client, &dunlin_location_object, location, location->has, NULL);
}

void dunlin_location_changed(dunlin_client *client)
{
    dunlin_changed(client, dunlin_path_instance(LOCATION, 0));
}

void dunlin_location_set_motion(dunlin_location *location, double speed_m_s, double heading_degrees)
{
    /* Velocity type 0 in the top four bits, then 9 bits of bearing, then 16 bits of speed, the top 5 of them spare. */
    const double turned = heading_degrees - FULL_TURN * (double)(int64_t)(heading_degrees / FULL_TURN);
    const unsigned bearing = (unsigned)(turned < 0 ? turned + FULL_TURN : turned) % 360u;
    const double kmh = speed_m_s * KMH_PER_M_S + 0.5;
    const unsigned speed = kmh > KMH_MAX ? KMH_MAX : kmh < 0 ? 0 : (unsigned)kmh;
    location->speed_m_s = speed_m_s;
    location->velocity.len = VELOCITY_SIZE;
    location->velocity.data[0] = (uint8_t)(bearing >> 8);
    location->velocity.data[1] = (uint8_t)bearing;
    location->velocity.data[2] = (uint8_t)(speed >> 8);
    location->velocity.data[3] = (uint8_t)speed;
}
