/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The calls that wait for the fleet. While a connection waits the HTTP library does not look at its socket, so a caller that hangs up is
 * noticed here: dn_flights_sweep, called now and then, asks the sockets.
 */
#ifndef DN_API_FLIGHTS_H
#define DN_API_FLIGHTS_H

#include "server/fleet.h"

#include <pthread.h>

typedef struct dn_call dn_call;

typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    dn_call *oldest, *newest;
    size_t count;
    bool closed; /* nobody may wait any more */
} dn_flights;

void dn_flights_init(dn_flights *flights);
void dn_flights_destroy(dn_flights *flights);
/* False when closed. */
bool dn_flights_add(dn_flights *flights, dn_call *call);
/* Takes it out and resumes its connection. */
void dn_flights_land(dn_flights *flights, dn_call *call);
void dn_flights_number(dn_flights *flights, dn_call *call, uint64_t number);
/* Cancels the requests of callers that hung up, among those that have waited for `least_ms` or longer. */
void dn_flights_sweep(dn_flights *flights, dn_fleet *fleet, uint64_t now_ms, uint64_t least_ms);
/* Lets nobody in any more, waits for at most `grace_ms` for those inside, then cancels and waits for the last. */
void dn_flights_close(dn_flights *flights, dn_fleet *fleet, uint32_t grace_ms);

#endif
