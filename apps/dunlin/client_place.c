/* SPDX-License-Identifier: Apache-2.0 */
/* Moves along a heading that turns by chance, and turns home when it gets too far. */
#include "apps/dunlin/client_place.h"

#include "apps/dunlin/client_device.h"
#include <math.h>
#include <time.h>

#define METRES_PER_DEGREE 111320.0
#define DEGREES_PER_RAD   57.29577951308232
#define FAR_M             3000.0
#define SPEED_M_S         9.0 /* on the average */
#define SPEED_SPREAD      8.0
#define TURN_DEGREES      20.0
#define MS_PER_S          1000.0
#define LATITUDE_MAX      90.0
#define LONGITUDE_MAX     180.0

static const struct {
    double latitude, longitude, altitude_m;
} towns[] = {
    {52.5200, 13.4050, 34},   /* Berlin */
    {48.2082, 16.3738, 171},  /* Vienna */
    {55.6761, 12.5683, 14},   /* Copenhagen */
    {43.6045, 1.4440, 141},   /* Toulouse */
    {-33.8688, 151.2093, 58}, /* Sydney */
};

void dn_sim_place_init(dn_sim_place *place, dn_seeded *seeded)
{
    const dn_random random = dn_seeded_random(seeded);
    const size_t town = (size_t)dn_random_between(&random, 0, sizeof towns / sizeof towns[0] - 1);
    *place = (dn_sim_place){.home_latitude = towns[town].latitude, .home_longitude = towns[town].longitude};
    place->heading = (double)dn_random_between(&random, 0, 359);
    place->location.has =
        DUNLIN_LOCATION_ALTITUDE | DUNLIN_LOCATION_RADIUS | DUNLIN_LOCATION_VELOCITY | DUNLIN_LOCATION_SPEED;
    place->location.latitude = place->home_latitude;
    place->location.longitude = place->home_longitude;
    place->location.altitude_m = towns[town].altitude_m;
    place->location.radius_m = 5;
    place->location.unix_s = (int64_t)time(NULL);
    dunlin_location_set_motion(&place->location, 0, place->heading);
}

/* Six decimals are a decimetre: more would be noise. */
static double rounded(double degrees)
{
    return round(degrees * 1e6) / 1e6;
}

void dn_sim_place_move(dunlin_client *client, dn_sim_place *place, dn_seeded *seeded, uint32_t elapsed_ms)
{
    dunlin_location *l = &place->location;
    const double narrowing = cos(l->latitude / DEGREES_PER_RAD);
    const double north_m = (place->home_latitude - l->latitude) * METRES_PER_DEGREE;
    const double east_m = (place->home_longitude - l->longitude) * METRES_PER_DEGREE * narrowing;
    if (hypot(north_m, east_m) > FAR_M) {
        place->heading = atan2(east_m, north_m) * DEGREES_PER_RAD;
    } else {
        place->heading = dn_sim_walk(seeded, place->heading, place->heading, TURN_DEGREES * 20);
    }
    const double speed = dn_sim_walk(seeded, l->speed_m_s, SPEED_M_S, SPEED_SPREAD);
    const double metres = speed * elapsed_ms / MS_PER_S;
    l->latitude = rounded(l->latitude + metres * cos(place->heading / DEGREES_PER_RAD) / METRES_PER_DEGREE);
    if (narrowing > 0.01) { /* near the poles a degree of longitude is no distance */
        l->longitude = rounded(l->longitude + metres * sin(place->heading / DEGREES_PER_RAD) /
                                                  METRES_PER_DEGREE / narrowing);
    }
    l->unix_s = (int64_t)time(NULL);
    dunlin_location_set_motion(l, round(speed * 10) / 10, place->heading);
    dunlin_location_changed(client);
}

bool dn_sim_place_set(dunlin_client *client, dn_sim_place *place, double latitude, double longitude)
{
    if (!(fabs(latitude) <= LATITUDE_MAX && fabs(longitude) <= LONGITUDE_MAX)) {
        return false;
    }
    place->location.latitude = place->home_latitude = latitude;
    place->location.longitude = place->home_longitude = longitude;
    place->location.unix_s = (int64_t)time(NULL);
    dunlin_location_changed(client);
    return true;
}
