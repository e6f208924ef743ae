/* SPDX-License-Identifier: Apache-2.0 */
/* The server as an embedding program sees it: a fleet with the system's clocks and randomness. */
#include "server/fleet.h"

#include <dunlin/server.h>

#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#define MS_PER_S  1000
#define NS_PER_MS 1000000

_Static_assert((int)DUNLIN_SERVER_LOG_ERROR == (int)DN_LOG_ERROR, "levels are the same");
_Static_assert((int)DUNLIN_SERVER_GAP == (int)DN_EVENT_GAP, "events are the same");
_Static_assert(DUNLIN_SERVER_NO_FORMAT == DN_COAP_NO_FORMAT, "formats are the same");

struct dunlin_server {
    dn_fleet *fleet;
    dunlin_server_config config;
    dn_log log;
    char address[sizeof(((dn_client_view *)NULL)->address)]; /* of the last event */
};

static uint64_t clock_ms(void *context)
{
    struct timespec now;
    (void)context;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * MS_PER_S + (uint64_t)now.tv_nsec / NS_PER_MS;
}

static int64_t wall_ms(void *context)
{
    struct timespec now;
    (void)context;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * MS_PER_S + now.tv_nsec / NS_PER_MS;
}

/* Without randomness there are no tokens that strangers cannot guess: better to end than to go on. */
static void fill(void *context, void *out, size_t len)
{
    (void)context;
    for (size_t at = 0; at < len;) {
        ssize_t got = getrandom((uint8_t *)out + at, len - at, 0);
        if (got < 0) {
            abort();
        }
        at += (size_t)got;
    }
}

static void write_log(void *context, dn_log_level level, const char *area, const char *message)
{
    const dunlin_server *server = context;
    (void)area;
    server->config.log(server->config.context, (dunlin_server_log_level)level, message);
}

dunlin_server_config dunlin_server_config_default(void)
{
    dn_fleet_config fleet = dn_fleet_config_default();
    return (dunlin_server_config){.max_registrations = fleet.max_registrations,
                                  .max_observations = fleet.max_observations,
                                  .max_requests = fleet.max_requests,
                                  .max_lifetime_s = fleet.max_lifetime_s};
}

dunlin_status dunlin_server_start(const dunlin_server_config *config, dunlin_server **server, char *error,
                                  size_t error_size)
{
    dunlin_server *made = calloc(1, sizeof *made);
    if (made == NULL) {
        config->store->ops->close(config->store);
        return DUNLIN_ERR_MEMORY;
    }
    made->config = *config;
    made->log = (dn_log){.write = write_log, .context = made, .least = DN_LOG_DEBUG};
    dn_fleet_config fleet = dn_fleet_config_default();
    fleet.coap_addresses = config->addresses;
    fleet.coap_address_count = config->address_count;
    fleet.nosec = config->open ? DN_NOSEC_ON : DN_NOSEC_LOOPBACK;
    fleet.store = config->store;
    fleet.max_registrations = config->max_registrations;
    fleet.max_observations = config->max_observations;
    fleet.max_requests = config->max_requests;
    fleet.max_lifetime_s = config->max_lifetime_s;
    fleet.packages = config->packages;
    fleet.random = (dn_random){.fill = fill};
    fleet.log = config->log != NULL ? &made->log : NULL;
    fleet.clock_ms = clock_ms;
    fleet.wall_ms = wall_ms;
    dunlin_status status = dn_fleet_start(&fleet, &made->fleet, error, error_size);
    if (status != DUNLIN_OK) {
        free(made);
        return status;
    }
    if (config->failed != NULL) {
        dn_fleet_on_failure(made->fleet, config->failed, config->context);
    }
    *server = made;
    return DUNLIN_OK;
}

void dunlin_server_stop(dunlin_server *server, uint32_t grace_ms)
{
    if (server != NULL) {
        dn_fleet_stop(server->fleet, grace_ms);
        free(server);
    }
}

const char *dunlin_server_address(const dunlin_server *server, size_t index)
{
    return dn_fleet_address(server->fleet, index);
}

bool dunlin_server_next_event(dunlin_server *server, dunlin_server_event *event)
{
    dn_event from;
    if (!dn_fleet_next_event(server->fleet, &from)) {
        return false;
    }
    memcpy(server->address, from.client.address, sizeof server->address);
    *event = (dunlin_server_event){.kind = (dunlin_server_event_kind)from.type,
                                   .at_ms = from.at_ms,
                                   .endpoint = from.client.endpoint,
                                   .request = from.request.id,
                                   .request_state = (dunlin_server_queued_state)from.request.state,
                                   .presence = (dunlin_server_presence)from.client.presence,
                                   .address = server->address,
                                   .version_major = from.client.version_major,
                                   .version_minor = from.client.version_minor,
                                   .lifetime_s = from.client.lifetime_s,
                                   .links = from.client.links,
                                   .path = from.path,
                                   .code = from.code,
                                   .content_format = from.content_format,
                                   .payload = from.payload};
    return true;
}

int dunlin_server_event_fd(const dunlin_server *server)
{
    return dn_fleet_event_fd(server->fleet);
}

/* A caller's completion on its way. */
typedef struct {
    dunlin_server_done *done;
    void *context;
} waiter;

static waiter *wait_for(dunlin_server_done *done, void *context)
{
    waiter *made = malloc(sizeof *made);
    if (made != NULL) {
        *made = (waiter){done, context};
    }
    return made;
}

static void on_device(void *context, const dn_device_response *response)
{
    waiter *waiting = context;
    const dunlin_server_response answer = {.status = response->status,
                                           .code = response->code,
                                           .content_format = response->content_format,
                                           .payload = response->payload,
                                           .location = response->location};
    waiting->done(waiting->context, &answer);
    free(waiting);
}

static void on_observed(void *context, const dn_device_response *response, bool existed)
{
    (void)existed;
    on_device(context, response);
}

static dunlin_status posted(dunlin_status status, waiter *waiting)
{
    if (status != DUNLIN_OK) {
        free(waiting);
    }
    return status;
}

static dn_device_request ask_of(const dunlin_server_request *request)
{
    return (dn_device_request){.endpoint = request->endpoint,
                               .method = request->method,
                               .path = request->path,
                               .query = request->query,
                               .content_format = request->content_format,
                               .accept = request->accept,
                               .payload = request->payload,
                               .package = request->package,
                               .timeout_ms = request->timeout_ms};
}

dunlin_status dunlin_server_send(dunlin_server *server, const dunlin_server_request *request,
                                 dunlin_server_done *done, void *context)
{
    waiter *waiting = wait_for(done, context);
    if (waiting == NULL) {
        return DUNLIN_ERR_MEMORY;
    }
    const dn_device_request ask = ask_of(request);
    return posted(dn_fleet_request(server->fleet, &ask, on_device, waiting, NULL), waiting);
}

dunlin_status dunlin_server_observe(dunlin_server *server, dunlin_slice endpoint, dunlin_path path,
                                    uint16_t accept, uint32_t timeout_ms, dunlin_server_done *done,
                                    void *context)
{
    waiter *waiting = wait_for(done, context);
    if (waiting == NULL) {
        return DUNLIN_ERR_MEMORY;
    }
    return posted(dn_fleet_observe(server->fleet, endpoint, path, accept, timeout_ms, on_observed, waiting),
                  waiting);
}

dunlin_status dunlin_server_unobserve(dunlin_server *server, dunlin_slice endpoint, dunlin_path path,
                                      uint32_t timeout_ms, dunlin_server_done *done, void *context)
{
    waiter *waiting = wait_for(done, context);
    if (waiting == NULL) {
        return DUNLIN_ERR_MEMORY;
    }
    return posted(dn_fleet_unobserve(server->fleet, endpoint, path, timeout_ms, on_device, waiting), waiting);
}

/* The durable queue. */

typedef struct {
    dunlin_server_queued_done *done;
    void *context;
} queued_waiter;

static queued_waiter *wait_for_queued(dunlin_server_queued_done *done, void *context)
{
    queued_waiter *made = malloc(sizeof *made);
    if (made != NULL) {
        *made = (queued_waiter){done, context};
    }
    return made;
}

static void on_queued(void *context, dunlin_status status, const dn_queued_view *view)
{
    queued_waiter *waiting = context;
    dunlin_server_queued queued;
    if (view != NULL) {
        queued = (dunlin_server_queued){.id = view->id,
                                        .state = (dunlin_server_queued_state)view->state,
                                        .attempts = view->attempts,
                                        .response = {.status = view->status,
                                                     .code = view->code,
                                                     .content_format = view->content_format,
                                                     .payload = view->payload,
                                                     .location = view->location}};
    }
    waiting->done(waiting->context, status, view != NULL ? &queued : NULL);
    free(waiting);
}

static void on_awaited(void *context, const dn_queued_view *view)
{
    on_queued(context, view != NULL ? DUNLIN_OK : DUNLIN_ERR_NOT_FOUND, view);
}

static dunlin_status posted_queued(dunlin_status status, queued_waiter *waiting)
{
    if (status != DUNLIN_OK) {
        free(waiting);
    }
    return status;
}

dunlin_status dunlin_server_enqueue(dunlin_server *server, const dunlin_server_request *request,
                                    uint32_t expires_s, dunlin_server_queued_done *done, void *context)
{
    queued_waiter *waiting = wait_for_queued(done, context);
    if (waiting == NULL) {
        return DUNLIN_ERR_MEMORY;
    }
    const dn_device_request ask = ask_of(request);
    return posted_queued(dn_fleet_enqueue(server->fleet, &ask, expires_s, on_queued, waiting), waiting);
}

dunlin_status dunlin_server_await(dunlin_server *server, uint64_t id, uint32_t wait_ms,
                                  dunlin_server_queued_done *done, void *context)
{
    queued_waiter *waiting = wait_for_queued(done, context);
    if (waiting == NULL) {
        return DUNLIN_ERR_MEMORY;
    }
    return posted_queued(dn_fleet_await(server->fleet, id, wait_ms, on_awaited, waiting), waiting);
}

dunlin_status dunlin_server_dequeue(dunlin_server *server, uint64_t id, dunlin_server_queued_done *done,
                                    void *context)
{
    queued_waiter *waiting = wait_for_queued(done, context);
    if (waiting == NULL) {
        return DUNLIN_ERR_MEMORY;
    }
    return posted_queued(dn_fleet_dequeue(server->fleet, id, on_queued, waiting), waiting);
}
