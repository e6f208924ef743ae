/* SPDX-License-Identifier: Apache-2.0 */
/* Location (Object 6, version 1.0): where the device is, in WGS 84 (Core 1.1.1 appendix E.7). */
#ifndef DUNLIN_OMA_LOCATION_H
#define DUNLIN_OMA_LOCATION_H

#include <dunlin/client.h>

#define DUNLIN_VELOCITY_MAX 7 /* bytes of a velocity as 3GPP TS 23.032 encodes it */

/* Optional resources, for `has`. */
enum {
    DUNLIN_LOCATION_ALTITUDE = 1 << 2,
    DUNLIN_LOCATION_RADIUS = 1 << 3,
    DUNLIN_LOCATION_VELOCITY = 1 << 4,
    DUNLIN_LOCATION_SPEED = 1 << 6
};

typedef struct {
    uint8_t has;                /* set of DUNLIN_LOCATION */
    double latitude, longitude; /* degrees, north and east are positive */
    double altitude_m;
    double radius_m; /* of the circle in which it is */
    DUNLIN_BYTES(DUNLIN_VELOCITY_MAX) velocity;
    int64_t unix_s; /* when it was measured */
    double speed_m_s;
} dunlin_location;

extern const dunlin_object dunlin_location_object;

/* Adds Object 6. `location` must outlive the client. Errors as dunlin_client_add_object. */
dunlin_status dunlin_location_add(dunlin_client *client, dunlin_location *location);
/* After members were changed: tells observers of all of them, and so of a state that belongs together. */
void dunlin_location_changed(dunlin_client *client);
/* Puts speed and heading (degrees from north, clockwise) in `speed_m_s` and, as a horizontal velocity of TS 23.032
   section 8.12 (km/h, at most 2047), in `velocity`. */
void dunlin_location_set_motion(dunlin_location *location, double speed_m_s, double heading_degrees);

#endif
