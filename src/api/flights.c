/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that wait; see flights.h. */
#include "api/flights.h"

#include "api/call.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>

void dn_flights_init(dn_flights *flights)
{
    *flights = (dn_flights){0};
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&flights->lock, NULL);
    pthread_cond_init(&flights->changed, &attributes);
    pthread_condattr_destroy(&attributes);
}

void dn_flights_destroy(dn_flights *flights)
{
    pthread_cond_destroy(&flights->changed);
    pthread_mutex_destroy(&flights->lock);
}

bool dn_flights_add(dn_flights *flights, dn_call *call)
{
    pthread_mutex_lock(&flights->lock);
    bool open = !flights->closed;
    if (open) {
        call->waiting = true;
        call->number = 0;
        call->newer = NULL;
        call->older = flights->newest;
        if (call->older != NULL) {
            call->older->newer = call;
        } else {
            flights->oldest = call;
        }
        flights->newest = call;
        flights->count++;
        /* Under the lock, so that nobody can resume what is not suspended yet. */
        MHD_suspend_connection(call->connection);
    }
    pthread_mutex_unlock(&flights->lock);
    return open;
}

void dn_flights_land(dn_flights *flights, dn_call *call)
{
    pthread_mutex_lock(&flights->lock);
    if (call->older != NULL) {
        call->older->newer = call->newer;
    } else {
        flights->oldest = call->newer;
    }
    if (call->newer != NULL) {
        call->newer->older = call->older;
    } else {
        flights->newest = call->older;
    }
    call->waiting = false;
    flights->count--;
    /* Under the lock, so that dn_flights_close returns only when every connection is resumed: the HTTP library can't stop before. */
    MHD_resume_connection(call->connection);
    if (flights->count == 0 && flights->closed) {
        pthread_cond_broadcast(&flights->changed);
    }
    pthread_mutex_unlock(&flights->lock);
}

void dn_flights_number(dn_flights *flights, dn_call *call, uint64_t number)
{
    pthread_mutex_lock(&flights->lock);
    if (call->waiting) {
        call->number = number;
    }
    pthread_mutex_unlock(&flights->lock);
}

typedef struct {
    struct pollfd *sockets;
    uint64_t *numbers;
    size_t count;
} watch_list;

/* Those to be asked, oldest first. The sockets stay open while their connections wait; a number may be cancelled at any time. */
static bool gather(dn_flights *flights, uint64_t now_ms, uint64_t least_ms, watch_list *list)
{
    *list = (watch_list){0};
    pthread_mutex_lock(&flights->lock);
    if (flights->count > 0) {
        list->sockets = calloc(flights->count, sizeof *list->sockets);
        list->numbers = calloc(flights->count, sizeof *list->numbers);
    }
    if (list->sockets != NULL && list->numbers != NULL) {
        for (dn_call *call = flights->oldest; call != NULL; call = call->newer) {
            if (call->number != 0 && call->started_ms + least_ms <= now_ms) {
                list->sockets[list->count] = (struct pollfd){.fd = call->socket, .events = POLLRDHUP};
                list->numbers[list->count++] = call->number;
            }
        }
        /* Asked under the lock: a socket whose connection is resumed may be closed and its number reused. */
        if (list->count > 0 && poll(list->sockets, list->count, 0) < 0) {
            list->count = 0;
        }
    }
    pthread_mutex_unlock(&flights->lock);
    return list->count > 0;
}

void dn_flights_sweep(dn_flights *flights, dn_fleet *fleet, uint64_t now_ms, uint64_t least_ms)
{
    watch_list list;
    if (gather(flights, now_ms, least_ms, &list)) {
        for (size_t i = 0; i < list.count; i++) {
            if ((list.sockets[i].revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL)) != 0) {
                dn_fleet_cancel(fleet, list.numbers[i]);
            }
        }
    }
    free(list.sockets);
    free(list.numbers);
}

static void cancel_all(dn_flights *flights, dn_fleet *fleet)
{
    pthread_mutex_lock(&flights->lock);
    size_t count = 0;
    uint64_t *numbers = calloc(flights->count + 1, sizeof *numbers);
    for (dn_call *call = flights->oldest; call != NULL && numbers != NULL; call = call->newer) {
        if (call->number != 0) {
            numbers[count++] = call->number;
        }
    }
    pthread_mutex_unlock(&flights->lock);
    for (size_t i = 0; i < count; i++) {
        dn_fleet_cancel(fleet, numbers[i]);
    }
    free(numbers);
}

static struct timespec after_ms(uint32_t ms)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += ms / 1000;
    at.tv_nsec += (long)(ms % 1000) * 1000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000;
    }
    return at;
}

/* True when nobody waits any more. */
static bool wait_empty(dn_flights *flights, uint32_t ms)
{
    struct timespec until = after_ms(ms);
    pthread_mutex_lock(&flights->lock);
    flights->closed = true;
    int result = 0;
    while (flights->count > 0 && result != ETIMEDOUT) {
        result = pthread_cond_timedwait(&flights->changed, &flights->lock, &until);
    }
    bool empty = flights->count == 0;
    pthread_mutex_unlock(&flights->lock);
    return empty;
}

void dn_flights_close(dn_flights *flights, dn_fleet *fleet, uint32_t grace_ms)
{
    enum { AGAIN_MS = 100 };
    bool empty = wait_empty(flights, grace_ms);
    while (!empty) {
        /* Again and again: a request may have been handed over just now, and an observation ends by its own time-out only. */
        cancel_all(flights, fleet);
        empty = wait_empty(flights, AGAIN_MS);
    }
}
