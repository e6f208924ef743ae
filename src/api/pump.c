/* SPDX-License-Identifier: Apache-2.0 */
/* The pump; see pump.h. */
#include "api/pump.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define TICK_MS      250u
#define HANGUP_MS    250u /* a request younger than this is not worth asking its socket */
#define EVENTS_BURST 256u /* events taken before the streams are served */

static void take(dn_api *api, const dn_event *event)
{
    switch (event->type) {
    case DN_EVENT_REGISTERED:
    case DN_EVENT_DEREGISTERED:
    case DN_EVENT_EXPIRED:
        dn_profiles_forget(api->profiles, event->client.endpoint);
        break;
    case DN_EVENT_UPDATED:
        if ((event->changed & DN_CHANGED_OBJECTS) != 0) {
            dn_profiles_forget(api->profiles, event->client.endpoint);
        }
        break;
    case DN_EVENT_GAP:
        dn_profiles_forget_all(api->profiles);
        break;
    case DN_EVENT_NOTIFICATION:
    case DN_EVENT_SEND:
    case DN_EVENT_PRESENCE:
    case DN_EVENT_REQUEST:
        break;
    }
    dn_feed_append(api->feed, event);
}

static void drain_wake(const dn_api *api)
{
    uint64_t count;
    ssize_t got = read(api->pump_wake, &count, sizeof count);
    (void)got; /* nothing there is fine */
}

static void *run(void *context)
{
    dn_api *api = context;
    uint64_t ticked_ms = dn_api_now_ms(api);
    bool more = false;
    while (!atomic_load(&api->stopping)) {
        struct pollfd at[2] = {{.fd = dn_fleet_event_fd(api->config.fleet), .events = POLLIN},
                               {.fd = api->pump_wake, .events = POLLIN}};
        poll(at, 2, more ? 0 : (int)TICK_MS);
        if ((at[1].revents & POLLIN) != 0) {
            drain_wake(api);
        }
        dn_bs_news_drain(&api->bootstrap_news, api->feed);
        dn_event event;
        size_t burst = 0;
        while (burst < EVENTS_BURST && dn_fleet_next_event(api->config.fleet, &event)) {
            take(api, &event);
            burst++;
        }
        more = dn_feed_work(api->feed) || burst == EVENTS_BURST;
        uint64_t now_ms = dn_api_now_ms(api);
        if (now_ms >= ticked_ms + TICK_MS) {
            ticked_ms = now_ms;
            dn_feed_tick(api->feed, now_ms);
            dn_bulks_sweep(&api->bulks);
            dn_flights_sweep(&api->flights, api->config.fleet, now_ms, HANGUP_MS);
        }
    }
    return NULL;
}

dunlin_status dn_pump_start(dn_api *api)
{
    api->pump_wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (api->pump_wake < 0) {
        return DUNLIN_ERR_IO;
    }
    api->pump_runs = pthread_create(&api->pump, NULL, run, api) == 0;
    return api->pump_runs ? DUNLIN_OK : DUNLIN_ERR_IO;
}

void dn_pump_stop(dn_api *api)
{
    if (api->pump_runs) {
        uint64_t one = 1;
        atomic_store(&api->stopping, true);
        ssize_t written = write(api->pump_wake, &one, sizeof one);
        (void)written;
        pthread_join(api->pump, NULL);
        api->pump_runs = false;
    }
}
