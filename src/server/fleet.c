/* SPDX-License-Identifier: Apache-2.0 */
/* The contract for others: turns calls into commands and events into views. There is one shard; nobody
 * outside this file knows. */
#include "server/fleet.h"

#include "codec/format.h"
#include "server/composite.h"
#include "server/events.h"
#include "server/loop.h"
#include "server/view.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define LIST_MAX 1000u /* clients in a page */

struct dn_fleet {
    dn_events *events;
    dn_loop *loop;
    _Atomic uint64_t last_number; /* of a request */
};

dn_fleet_config dn_fleet_config_default(void)
{
    dn_fleet_config config = {.nosec = DN_NOSEC_LOOPBACK,
                              .max_registrations = 1000000,
                              .max_link_list_bytes = 16384,
                              .max_link_lists = 100000,
                              .max_observations = 1000000,
                              .max_requests = 1024,
                              .event_buffer_bytes = 8u << 20,
                              .max_queued = 1000000,
                              .max_queued_per_client = 100,
                              .max_queued_bytes = 256 * 1024 * 1024,
                              .awake_ms = 93000,
                              .queue_expires_s = 604800,
                              .queue_keeps_s = 86400,
                              .coap = dn_coap_config_default()};
    const dn_ports_config ports = dn_ports_config_default();
    config.tcp = ports.tcp;
    config.dtls = ports.dtls;
    config.tls_streams = ports.tls_streams;
    config.coap.exchanges = 2048;
    config.coap.transfers = 64;
    config.coap.max_body = 65536;
    /* A million devices that update once a day send 3,000 messages within EXCHANGE_LIFETIME: room for ten times that, 6 MiB. What we answer
       to them fits into 48 bytes. */
    config.coap.dedup_slots = 32768;
    config.coap.dedup_per_peer = 16;
    config.coap.dedup_reply_max = 48;
    return config;
}

dunlin_status dn_fleet_start(const dn_fleet_config *config, dn_fleet **fleet, char *error, size_t error_size)
{
    dn_fleet *made = calloc(1, sizeof *made);
    dn_events *events = made != NULL ? dn_events_create(config->event_buffer_bytes) : NULL;
    if (events == NULL) {
        free(made);
        config->store->ops->close(config->store);
        (void)snprintf(error, error_size, "no memory for %u bytes of events",
                       (unsigned)config->event_buffer_bytes);
        return DUNLIN_ERR_MEMORY;
    }
    made->events = events;
    dunlin_status status = dn_loop_create(config, events, &made->loop, error, error_size);
    if (status != DUNLIN_OK) {
        dn_events_destroy(events);
        free(made);
        return status;
    }
    *fleet = made;
    return DUNLIN_OK;
}

void dn_fleet_stop(dn_fleet *fleet, uint32_t grace_ms)
{
    if (fleet == NULL) {
        return;
    }
    dn_loop_stop(fleet->loop, grace_ms);
    dn_events_destroy(fleet->events);
    free(fleet);
}

const char *dn_fleet_address(const dn_fleet *fleet, size_t index)
{
    return dn_loop_address(fleet->loop, DN_TRANSPORT_UDP, index);
}

const char *dn_fleet_address_of(const dn_fleet *fleet, dn_transport transport, size_t index)
{
    return dn_loop_address(fleet->loop, transport, index);
}

void dn_fleet_use_tls(dn_fleet *fleet, dn_tls_context *tls)
{
    dn_loop_use_tls(fleet->loop, tls);
}

bool dn_fleet_healthy(const dn_fleet *fleet, const char **detail)
{
    return dn_loop_healthy(fleet->loop, detail);
}

void dn_fleet_on_completed(dn_fleet *fleet, void (*completed)(void *context), void *context)
{
    dn_loop_on_completed(fleet->loop, completed, context);
}

void dn_fleet_on_failure(dn_fleet *fleet, void (*failed)(void *context, const char *detail), void *context)
{
    dn_loop_on_failure(fleet->loop, failed, context);
}

void dn_fleet_count(const dn_fleet *fleet, dn_fleet_counters *out)
{
    dn_loop_count(fleet->loop, out);
}

/* Commands. */

static dn_command *make(dn_command_kind kind, const dn_device_request *ask, void *context)
{
    dn_command *command = dn_command_create(kind, ask);
    if (command != NULL) {
        command->context = context;
    }
    return command;
}

static dunlin_status post(dn_fleet *fleet, dn_command *command)
{
    dunlin_status status = dn_loop_post(fleet->loop, command);
    if (status != DUNLIN_OK) {
        dn_command_free(command);
    }
    return status;
}

dunlin_status dn_fleet_list(dn_fleet *fleet, uint64_t after, uint32_t limit, dunlin_slice substring,
                            void (*done)(void *context, const dn_client_page *page), void *context)
{
    if (limit == 0 || limit > LIST_MAX) {
        return DUNLIN_ERR_LIMIT;
    }
    const dn_device_request ask = {.endpoint = substring};
    dn_command *command = make(DN_COMMAND_LIST, &ask, context);
    if (command == NULL) {
        return DUNLIN_ERR_MEMORY;
    }
    command->done.list = done;
    command->after = after;
    command->limit = limit;
    return post(fleet, command);
}

dunlin_status dn_fleet_get(dn_fleet *fleet, dunlin_slice endpoint,
                           void (*done)(void *context, const dn_client_view *client), void *context)
{
    const dn_device_request ask = {.endpoint = endpoint};
    dn_command *command = make(DN_COMMAND_GET, &ask, context);
    if (command == NULL) {
        return DUNLIN_ERR_MEMORY;
    }
    command->done.get = done;
    return post(fleet, command);
}

dunlin_status dn_fleet_request(dn_fleet *fleet, const dn_device_request *request, dn_device_done *done,
                               void *context, uint64_t *number)
{
    dn_command *command = make(DN_COMMAND_REQUEST, request, context);
    if (command == NULL) {
        return DUNLIN_ERR_MEMORY;
    }
    command->done.request = done;
    command->number = atomic_fetch_add(&fleet->last_number, 1) + 1;
    if (number != NULL) {
        *number = command->number; /* before the completion can run */
    }
    return post(fleet, command);
}

void dn_fleet_cancel(dn_fleet *fleet, uint64_t number)
{
    const dn_device_request ask = {.endpoint = {NULL, 0}};
    dn_command *command = make(DN_COMMAND_CANCEL, &ask, NULL);
    if (command == NULL) {
        return; /* the request ends by its own time-out */
    }
    command->number = number;
    (void)post(fleet, command);
}

dunlin_status dn_fleet_observe(dn_fleet *fleet, dunlin_slice endpoint, dunlin_path path, uint16_t accept,
                               uint32_t timeout_ms,
                               void (*done)(void *context, const dn_device_response *response, bool existed),
                               void *context)
{
    const dn_device_request ask = {.endpoint = endpoint,
                                   .method = DN_COAP_GET,
                                   .path = path,
                                   .content_format = DN_COAP_NO_FORMAT,
                                   .accept = accept,
                                   .timeout_ms = timeout_ms};
    dn_command *command = make(DN_COMMAND_OBSERVE, &ask, context);
    if (command == NULL) {
        return DUNLIN_ERR_MEMORY;
    }
    command->done.observe = done;
    return post(fleet, command);
}

dunlin_status dn_fleet_unobserve(dn_fleet *fleet, dunlin_slice endpoint, dunlin_path path,
                                 uint32_t timeout_ms, dn_device_done *done, void *context)
{
    const dn_device_request ask = {.endpoint = endpoint,
                                   .method = DN_COAP_GET,
                                   .path = path,
                                   .content_format = DN_COAP_NO_FORMAT,
                                   .accept = DN_COAP_NO_FORMAT,
                                   .timeout_ms = timeout_ms};
    dn_command *command = make(DN_COMMAND_UNOBSERVE, &ask, context);
    if (command == NULL) {
        return DUNLIN_ERR_MEMORY;
    }
    command->done.request = done;
    return post(fleet, command);
}

/* OBSERVE or UNOBSERVE of a list; the request itself is put into words on the shard. */
static dn_command *make_composite(dn_command_kind kind, dunlin_slice endpoint, const dunlin_path *paths,
                                  size_t count, uint32_t timeout_ms, void *context)
{
    const dn_device_request ask = {.endpoint = endpoint,
                                   .method = DN_COAP_FETCH,
                                   .content_format = DN_COAP_NO_FORMAT,
                                   .accept = DN_COAP_NO_FORMAT,
                                   .timeout_ms = timeout_ms};
    dn_command *command = make(kind, &ask, context);
    if (command != NULL && !dn_command_observe(command, paths, count)) {
        dn_command_free(command);
        command = NULL;
    }
    return command;
}

dunlin_status dn_fleet_observe_composite(dn_fleet *fleet, dunlin_slice endpoint, const dunlin_path *paths,
                                         size_t count, uint16_t accept, uint32_t timeout_ms,
                                         void (*done)(void *context, const dn_device_response *response,
                                                      bool existed),
                                         void *context)
{
    if (!dn_composite_is_list(paths, count) ||
        (accept != DN_FORMAT_SENML_JSON && accept != DN_FORMAT_SENML_CBOR)) {
        return DUNLIN_ERR_ARGUMENT;
    }
    dn_command *command = make_composite(DN_COMMAND_OBSERVE, endpoint, paths, count, timeout_ms, context);
    if (command == NULL) {
        return DUNLIN_ERR_MEMORY;
    }
    command->ask.accept = accept;
    command->done.observe = done;
    return post(fleet, command);
}

dunlin_status dn_fleet_unobserve_composite(dn_fleet *fleet, dunlin_slice endpoint, const dunlin_path *paths,
                                           size_t count, uint32_t timeout_ms, dn_device_done *done,
                                           void *context)
{
    if (!dn_composite_is_list(paths, count)) {
        return DUNLIN_ERR_ARGUMENT;
    }
    dn_command *command = make_composite(DN_COMMAND_UNOBSERVE, endpoint, paths, count, timeout_ms, context);
    if (command == NULL) {
        return DUNLIN_ERR_MEMORY;
    }
    command->done.request = done;
    return post(fleet, command);
}

dunlin_status dn_fleet_forget_observation(dn_fleet *fleet, dunlin_slice endpoint, dunlin_path path,
                                          const dunlin_path *paths, size_t count, dn_device_done *done,
                                          void *context)
{
    if (count > 0 && !dn_composite_is_list(paths, count)) {
        return DUNLIN_ERR_ARGUMENT;
    }
    dn_command *command = make_composite(DN_COMMAND_UNOBSERVE, endpoint, paths, count, 0, context);
    if (command == NULL) {
        return DUNLIN_ERR_MEMORY;
    }
    command->ask.path = count > 0 ? dunlin_path_root() : path;
    command->silent = true;
    command->done.request = done;
    return post(fleet, command);
}

dunlin_status dn_fleet_observations(dn_fleet *fleet, dunlin_slice endpoint,
                                    void (*done)(void *context, bool registered,
                                                 const dn_observation_view *list, size_t count),
                                    void *context)
{
    const dn_device_request ask = {.endpoint = endpoint};
    dn_command *command = make(DN_COMMAND_OBSERVATIONS, &ask, context);
    if (command == NULL) {
        return DUNLIN_ERR_MEMORY;
    }
    command->done.observations = done;
    return post(fleet, command);
}

/* The durable queue. */

/* A command about a request of the queue. */
static dn_command *make_queued(dn_command_kind kind, uint64_t id, void *context)
{
    const dn_device_request ask = {.endpoint = {NULL, 0}};
    dn_command *command = make(kind, &ask, context);
    if (command != NULL) {
        command->number = id;
    }
    return command;
}

dunlin_status dn_fleet_enqueue(dn_fleet *fleet, const dn_device_request *request, uint32_t expires_s,
                               void (*done)(void *context, dunlin_status status,
                                            const dn_queued_view *queued),
                               void *context)
{
    dn_command *command = make(DN_COMMAND_ENQUEUE, request, context);
    if (command == NULL) {
        return DUNLIN_ERR_MEMORY;
    }
    command->ask.settle = NULL; /* it may outlive its caller */
    command->expires_s = expires_s;
    command->done.queued = done;
    return post(fleet, command);
}

dunlin_status dn_fleet_await(dn_fleet *fleet, uint64_t id, uint32_t timeout_ms,
                             void (*done)(void *context, dunlin_status status, const dn_queued_view *queued),
                             void *context)
{
    dn_command *command = make_queued(DN_COMMAND_AWAIT, id, context);
    if (command == NULL) {
        return DUNLIN_ERR_MEMORY;
    }
    command->ask.timeout_ms = timeout_ms;
    command->done.queued = done;
    return post(fleet, command);
}

dunlin_status dn_fleet_dequeue(dn_fleet *fleet, uint64_t id,
                               void (*done)(void *context, dunlin_status status,
                                            const dn_queued_view *queued),
                               void *context)
{
    dn_command *command = make_queued(DN_COMMAND_DEQUEUE, id, context);
    if (command == NULL) {
        return DUNLIN_ERR_MEMORY;
    }
    command->done.queued = done;
    return post(fleet, command);
}

dunlin_status dn_fleet_queue(dn_fleet *fleet, dunlin_slice endpoint, uint64_t after, uint32_t limit,
                             void (*done)(void *context, const dn_queued_page *page), void *context)
{
    if (limit == 0 || limit > LIST_MAX) {
        return DUNLIN_ERR_LIMIT;
    }
    const dn_device_request ask = {.endpoint = endpoint};
    dn_command *command = make(DN_COMMAND_QUEUE, &ask, context);
    if (command == NULL) {
        return DUNLIN_ERR_MEMORY;
    }
    command->after = after;
    command->limit = limit;
    command->done.queue = done;
    return post(fleet, command);
}

void dn_fleet_on_settle(dn_fleet *fleet,
                        void (*settle)(void *context, dn_device_request *request, uint8_t version_major,
                                       uint8_t version_minor, dunlin_slice links),
                        void *context)
{
    dn_command *command = make_queued(DN_COMMAND_SETTLE, 0, context);
    if (command != NULL) {
        command->done.settle = settle;
        (void)post(fleet, command);
    }
}

/* Events. */

bool dn_fleet_next_event(dn_fleet *fleet, dn_event *event)
{
    dn_event_record record;
    if (!dn_events_next(fleet->events, &record)) {
        return false;
    }
    dn_view_event(&record, dn_loop_peer_text, event);
    return true;
}

int dn_fleet_event_fd(const dn_fleet *fleet)
{
    return dn_events_fd(fleet->events);
}
