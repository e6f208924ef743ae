/* SPDX-License-Identifier: Apache-2.0 */
/* What all parts of the API share: the configuration and the parts themselves. Inside src/api only. */
#ifndef DN_API_SERVICE_H
#define DN_API_SERVICE_H

#include "api/api.h"
#include "api/bootstrap_events.h"
#include "api/bulk.h"
#include "api/depot.h"
#include "api/feed.h"
#include "api/flights.h"
#include "api/http_metrics.h"
#include "api/profile.h"
#include "api/static_files.h"
#include "api/worker.h"

#include <pthread.h>
#include <stdatomic.h>

struct MHD_Daemon;

struct dn_api {
    dn_api_config config;
    struct MHD_Daemon *daemon;
    char address[72];
    int64_t started_ms;
    dn_flights flights;
    dn_bulks bulks;
    dn_worker worker;
    dn_depot *depot; /* NULL: no packages */
    dn_profiles *profiles;
    dn_feed *feed;
    dn_http_metrics *metrics;
    dn_static *files;
    pthread_mutex_t identity_lock;
    dn_text identity;           /* the answer of /server-identity, guarded by the lock; empty: none is set */
    dn_text bootstrap_identity; /* that of /bootstrap/server-identity, likewise */
    dn_bs_news bootstrap_news;
    pthread_t pump;
    bool pump_runs;
    int pump_wake; /* an eventfd */
    atomic_bool stopping;
    atomic_size_t requests; /* HTTP requests begun and not completed */
};

static inline uint64_t dn_api_now_ms(const dn_api *api)
{
    return api->config.clock_ms(api->config.clock_context);
}

static inline int64_t dn_api_wall_ms(const dn_api *api)
{
    return api->config.wall_ms(api->config.clock_context);
}

#endif
