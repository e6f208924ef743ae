/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of the API put together, started and stopped in order; see api.h. */
#include "api/api.h"

#include "api/event_json.h"
#include "api/http.h"
#include "api/pump.h"
#include "api/queueing.h"
#include "api/service.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

dn_api_config dn_api_config_default(void)
{
    return (dn_api_config){.listen = "127.0.0.1:8080",
                           .threads = 1,
                           .max_connections = 1024,
                           .connection_timeout_s = 60,
                           .max_body_bytes = 1024 * 1024,
                           .max_list_bytes = 8 * 1024 * 1024,
                           .max_package_bytes = 1024 * 1024 * 1024,
                           .max_bulk_reads = 16,
                           .max_device_body = 65536,
                           .max_event_streams = 64,
                           .event_history_bytes = 8 * 1024 * 1024,
                           .profile_slots = 16384,
                           .request_timeout_s = 30};
}

static void render(void *context, const dn_event *event, uint64_t id, dn_text *text)
{
    dn_event_write(context, event, id, text);
}

static void render_bootstrap(void *context, const dn_bs_event *event, uint64_t id, dn_text *text)
{
    (void)context;
    dn_bs_event_write(event, id, text);
}

static void completed(void *context)
{
    dn_bulks_wake(&((dn_api *)context)->bulks);
}

static void release(dn_api *api)
{
    dn_fleet_on_completed(api->config.fleet, NULL, NULL);
    if (api->pump_wake >= 0) {
        close(api->pump_wake);
    }
    dn_feed_free(api->feed);
    dn_profiles_free(api->profiles);
    dn_http_metrics_free(api->metrics);
    dn_static_free(api->files);
    dn_worker_stop(&api->worker);
    dn_depot_free(api->depot);
    dn_flights_destroy(&api->flights);
    dn_bulks_destroy(&api->bulks);
    dn_text_free(&api->identity);
    dn_text_free(&api->bootstrap_identity);
    dn_bs_news_destroy(&api->bootstrap_news);
    pthread_mutex_destroy(&api->identity_lock);
    free(api);
}

static dunlin_status prepare(dn_api *api, char *error, size_t error_size)
{
    const dn_api_config *config = &api->config;
    snprintf(error, error_size, "no memory");
    api->files = dn_static_create(config->console_dir, error, error_size);
    if (api->files == NULL) {
        return DUNLIN_ERR_IO;
    }
    if (config->package_dir != NULL) {
        api->depot = dn_depot_open(config->package_dir, config->log, error, error_size);
        if (api->depot == NULL) {
            return DUNLIN_ERR_IO;
        }
    }
    api->metrics = dn_http_metrics_create();
    api->profiles = dn_profiles_create(config->profile_slots, &config->random);
    api->feed = dn_feed_create(
        config->event_history_bytes, config->max_event_streams, api->started_ms,
        (dn_feed_renderer){.render = render, .render_bootstrap = render_bootstrap, .context = api});
    return api->metrics != NULL && api->profiles != NULL && api->feed != NULL ? DUNLIN_OK : DUNLIN_ERR_MEMORY;
}

dunlin_status dn_api_start(const dn_api_config *config, dn_api **out, char *error, size_t error_size)
{
    dn_api *api = calloc(1, sizeof *api);
    if (api == NULL) {
        snprintf(error, error_size, "no memory");
        return DUNLIN_ERR_MEMORY;
    }
    api->config = *config;
    api->pump_wake = -1;
    dn_flights_init(&api->flights);
    dn_bulks_init(&api->bulks);
    dn_bs_news_init(&api->bootstrap_news);
    pthread_mutex_init(&api->identity_lock, NULL);
    api->started_ms = dn_api_wall_ms(api);
    dunlin_status status = prepare(api, error, error_size);
    dn_fleet_on_completed(api->config.fleet, completed, api);
    dn_fleet_on_settle(api->config.fleet, dn_queueing_settle, NULL);
    if (!dn_worker_start(&api->worker) && status == DUNLIN_OK) {
        status = DUNLIN_ERR_IO;
        snprintf(error, error_size, "the thread for files does not start");
    }
    if (status == DUNLIN_OK) {
        status = dn_pump_start(api);
        snprintf(error, error_size, "the event thread does not start");
    }
    if (status == DUNLIN_OK) {
        status = dn_http_start(api, error, error_size);
    }
    if (status != DUNLIN_OK) {
        dn_pump_stop(api);
        release(api);
        return status;
    }
    error[0] = 0;
    *out = api;
    return DUNLIN_OK;
}

const char *dn_api_address(const dn_api *api)
{
    return api->address;
}

dunlin_status dn_api_reload(dn_api *api, char *error, size_t error_size)
{
    dn_static *fresh = dn_static_create(api->config.console_dir, error, error_size);
    if (fresh == NULL) {
        return DUNLIN_ERR_IO;
    }
    dn_static_replace(api->files, fresh);
    return DUNLIN_OK;
}

void dn_api_stop(dn_api *api, uint32_t grace_ms)
{
    dn_http_quiesce(api);
    /* Nothing may wait when the HTTP library stops: first the streams, then what waits for the fleet, which still runs. */
    dn_feed_close(api->feed);
    dn_bulks_end(&api->bulks);
    dn_flights_close(&api->flights, api->config.fleet, grace_ms);
    dn_bulks_close(&api->bulks);
    dn_http_stop(api);
    dn_pump_stop(api);
    release(api);
}
