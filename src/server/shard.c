/* SPDX-License-Identifier: Apache-2.0 */
/* The shard's cycle, and what its parts share: finishing commands, raising events, ending registrations,
 * loading. */
#include "server/shard_inside.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define EXPIRIES_A_CYCLE 256u /* registrations looked at for their end */
#define WARN_PAUSE_MS    1000u
#define CLOCK_STEP_MS    500

/* The engine's callbacks. */

static void on_send(void *context, const dn_peer *peer, dunlin_slice datagram)
{
    const dn_shard *shard = context;
    shard->config.send(shard->config.context, peer, datagram);
}

static dn_coap_answered on_request(void *context, const dn_coap_incoming *request, dunlin_buf *body,
                                   dn_coap_reply *reply)
{
    return dn_rd_request(context, request, body, reply);
}

static void on_stream_ended(void *context, const dn_peer *peer, dunlin_status status, dunlin_slice detail)
{
    dn_sessions_end_stream(context, peer, status, detail);
}

static bool on_notification(void *context, const dn_peer *peer, const dn_coap_response *notification)
{
    return dn_observe_notified(context, peer, notification);
}

/* Loading. */

static dunlin_status load_links(void *context, uint32_t number, dunlin_slice text)
{
    dn_shard *shard = context;
    return dn_link_lists_load(&shard->registrations.lists, number, text);
}

static dunlin_status load_registration(void *context, const dn_store_registration *record)
{
    dn_shard *shard = context;
    return dn_registrations_load(&shard->registrations, record, shard->now_ms, shard->wall_ms);
}

static dunlin_status load_observation(void *context, const dn_store_observation *record)
{
    dn_shard *shard = context;
    uint32_t slot = dn_registrations_find(&shard->registrations, record->endpoint);
    return dn_observations_load(&shard->observations, record, slot);
}

static dunlin_status load_value(void *context, const dn_store_value *value)
{
    dn_shard *shard = context;
    return dn_observations_load_value(&shard->observations, value);
}

static dunlin_status load_request(void *context, const dn_store_request *record)
{
    dn_shard *shard = context;
    return dn_queue_load(&shard->queue, record);
}

static dunlin_status load_request_ids(void *context, uint64_t bound)
{
    dn_shard *shard = context;
    return dn_queue_load_ids(&shard->queue, bound);
}

static bool source_registration(void *context, uint32_t slot, dn_store_registration *out)
{
    const dn_shard *shard = context;
    return dn_registrations_record(&shard->registrations, slot, out);
}

static bool source_value(void *context, uint32_t observation, dn_store_value *out)
{
    const dn_shard *shard = context;
    return dn_observations_value(&shard->observations, observation, out);
}

static dunlin_status load(dn_shard *shard, char *error, size_t error_size)
{
    dn_store *store = shard->durable.store;
    const dn_store_loader loader = {.links = load_links,
                                    .registration = load_registration,
                                    .observation = load_observation,
                                    .value = load_value,
                                    .request = load_request,
                                    .request_ids = load_request_ids,
                                    .context = shard};
    const dn_store_source source = {
        .registration = source_registration, .value = source_value, .context = shard};
    dunlin_status status = store->ops->load(store, &loader);
    if (status != DUNLIN_OK) {
        const char *detail = status == DUNLIN_ERR_STORE ? store->ops->error(store) : NULL;
        (void)snprintf(error, error_size, "the store cannot be loaded: %s%s%s", dunlin_status_text(status),
                       detail != NULL && detail[0] != '\0' ? ": " : "", detail != NULL ? detail : "");
        return status;
    }
    store->ops->attach(store, &source);
    dn_registrations_loaded(&shard->registrations); /* may drop lists nobody uses: a write, so after attach */
    dn_observations_loaded(&shard->observations);
    status = dn_presence_loaded(shard);
    if (status == DUNLIN_OK) {
        status = dn_delivery_loaded(shard);
    }
    if (status != DUNLIN_OK) {
        (void)snprintf(error, error_size, "the queued requests cannot be loaded: %s",
                       dunlin_status_text(status));
    }
    return status;
}

/* Making and unmaking. */

static bool make_engine(dn_shard *shard)
{
    dn_coap_config coap = shard->config.fleet.coap;
    uint32_t least = shard->config.fleet.max_requests + DN_REQUESTS_OWN_MAX + DN_REQUESTS_DELIVERIES_MAX;
    coap.exchanges = coap.exchanges < least ? least : coap.exchanges;
    size_t size = dn_coap_arena_size(&coap);
    shard->arena = size > 0 ? malloc(size) : NULL;
    if (shard->arena == NULL) {
        return false;
    }
    const dn_coap_callbacks callbacks = {.send = on_send,
                                         .request = on_request,
                                         .notification = on_notification,
                                         .stream_ended = on_stream_ended,
                                         .context = shard};
    shard->coap = dn_coap_create(shard->arena, size, &coap, &callbacks, &shard->config.fleet.random,
                                 shard->log, shard->now_ms);
    return shard->coap != NULL;
}

static bool make_tables(dn_shard *shard)
{
    const dn_fleet_config *fleet = &shard->config.fleet;
    const dn_registrations_limits limits = {.max_registrations = fleet->max_registrations,
                                            .max_link_lists = fleet->max_link_lists,
                                            .max_link_list_bytes = fleet->max_link_list_bytes};
    return dn_registrations_init(&shard->registrations, &limits, &shard->durable, &shard->config.fleet.random,
                                 shard->now_ms) &&
           dn_observations_init(&shard->observations, fleet->max_observations, &shard->durable,
                                &shard->config.fleet.random) &&
           dn_requests_init(&shard->requests, fleet->max_requests) &&
           dn_awake_init(&shard->awake, fleet->max_registrations) &&
           dn_sessions_init(&shard->ended, fleet->coap.connections) &&
           dn_queue_init(&shard->queue, fleet->max_queued, fleet->max_queued_per_client,
                         fleet->max_queued_bytes, &shard->durable, &shard->config.fleet.random,
                         shard->now_ms);
}

static void unmake(dn_shard *shard)
{
    dn_queue_free(&shard->queue);
    dn_sessions_free(&shard->ended);
    dn_awake_free(&shard->awake);
    dn_requests_free(&shard->requests);
    dn_packages_free(&shard->packages);
    dn_observations_free(&shard->observations);
    dn_registrations_free(&shard->registrations);
    free(shard->arena);
    free(shard);
}

dunlin_status dn_shard_create(const dn_shard_config *config, dn_shard **shard, char *error, size_t error_size)
{
    const dn_fleet_config *fleet = &config->fleet;
    if (fleet->store == NULL || fleet->max_registrations == 0 ||
        fleet->max_registrations > DN_REGISTRATIONS_MAX || fleet->max_link_lists == 0 ||
        fleet->max_link_lists > INT32_MAX || fleet->max_observations > INT32_MAX ||
        fleet->max_requests == 0 || fleet->max_requests > INT32_MAX / 2 || fleet->max_queued > INT32_MAX) {
        (void)snprintf(error, error_size, "a limit is out of its range");
        return DUNLIN_ERR_ARGUMENT;
    }
    dn_shard *made = calloc(1, sizeof *made);
    if (made == NULL) {
        (void)snprintf(error, error_size, "no memory");
        return DUNLIN_ERR_MEMORY;
    }
    made->config = *config;
    made->log = fleet->log;
    made->durable.store = fleet->store;
    dn_wheel_init(&made->awaits, fleet->clock_ms(fleet->clock_context));
    made->renew_first = made->renew_last = DN_OBSERVATION_NONE;
    dn_pushes_init(&made->pushes);
    dn_shard_credentials_changed(made);
    dn_shard_begin(made);
    dunlin_status status = DUNLIN_OK;
    if (!dn_packages_init(&made->packages, fleet->packages)) {
        (void)snprintf(error, error_size, "the packages in %s cannot be had: %s", fleet->packages,
                       strerror(errno));
        status = DUNLIN_ERR_IO;
    } else if (!make_tables(made) || !make_engine(made)) {
        (void)snprintf(error, error_size,
                       "no memory for the limits asked for, or a CoAP setting is out of its range");
        status = DUNLIN_ERR_MEMORY;
    } else {
        status = load(made, error, error_size);
    }
    if (status != DUNLIN_OK) {
        unmake(made);
        return status;
    }
    dn_log_at(made->log, DN_LOG_INFO, DN_SHARD_AREA,
              "loaded %lu registrations, %lu observations, %lu object lists",
              (unsigned long)made->registrations.slab.live, (unsigned long)made->observations.kept,
              (unsigned long)made->registrations.lists.slab.live);
    *shard = made;
    return DUNLIN_OK;
}

void dn_shard_destroy(dn_shard *shard)
{
    if (shard == NULL) {
        return;
    }
    dn_store *store = shard->durable.store;
    store->ops->close(store); /* it may still read us while it sweeps */
    unmake(shard);
}

/* The cycle. */

void dn_shard_begin(dn_shard *shard)
{
    const dn_fleet_config *fleet = &shard->config.fleet;
    shard->now_ms = fleet->clock_ms(fleet->clock_context);
    shard->wall_ms = fleet->wall_ms(fleet->clock_context);
    /* Two clocks that are read one after the other differ by a millisecond more or less each time: times that
       are worked out of both would, too. */
    const int64_t ahead_ms = shard->wall_ms - (int64_t)shard->now_ms;
    if (llabs(ahead_ms - shard->wall_ahead_ms) > CLOCK_STEP_MS) {
        shard->wall_ahead_ms = ahead_ms;
    }
}

void dn_shard_receive(dn_shard *shard, const dn_peer *peer, dunlin_slice datagram)
{
    dn_coap_receive(shard->coap, peer, datagram, shard->now_ms);
    dn_sessions_work(shard);
}

static void submit_request(dn_shard *shard, dn_command *command)
{
    uint32_t slot = dn_registrations_find(&shard->registrations, command->ask.endpoint);
    dunlin_status status = DUNLIN_ERR_NOT_FOUND;
    if (slot != DN_SLOT_NONE) {
        const dn_registration *registration = dn_registrations_at(&shard->registrations, slot);
        bool is_away =
            dn_presence_of(registration) == DN_PRESENCE_ASLEEP || !dn_authority_reaches(shard, slot);
        status = command->ask.unless_asleep && is_away
                     ? DUNLIN_ERR_STATE
                     : dn_requests_send(shard, command, slot, DN_COAP_NO_OBSERVE, 0);
    }
    if (status != DUNLIN_OK) {
        dn_shard_finish_with(shard, command, status);
    }
}

void dn_shard_submit(dn_shard *shard, dn_command *command)
{
    switch (command->kind) {
    case DN_COMMAND_REQUEST:
        submit_request(shard, command);
        break;
    case DN_COMMAND_OBSERVE:
        dn_observe_start(shard, command);
        break;
    case DN_COMMAND_UNOBSERVE:
        dn_observe_stop(shard, command);
        break;
    case DN_COMMAND_CANCEL:
        dn_requests_cancel_number(shard, command->number);
        dn_command_free(command);
        break;
    case DN_COMMAND_LIST:
        dn_command_push(&shard->scans, command);
        break;
    case DN_COMMAND_ENQUEUE:
    case DN_COMMAND_AWAIT:
    case DN_COMMAND_DEQUEUE:
    case DN_COMMAND_SETTLE:
        dn_delivery_submit(shard, command);
        break;
    default:
        dn_shard_finish(shard, command); /* queries look when their completion runs */
        break;
    }
}

void dn_shard_work(dn_shard *shard)
{
    uint32_t budget = EXPIRIES_A_CYCLE;
    uint32_t slot;
    dn_coap_expire(shard->coap, shard->now_ms);
    dn_sessions_work(shard);
    while ((slot = dn_registrations_expired(&shard->registrations, shard->now_ms, &budget)) != DN_SLOT_NONE) {
        shard->counters.expiries++;
        dn_shard_end(shard, slot, DN_EVENT_EXPIRED, false);
    }
    dn_presence_work(shard);
    dn_push_work(shard);
    dn_observe_work(shard);
    dn_delivery_work(shard);
    dn_queries_work(shard);
}

dunlin_status dn_shard_commit(dn_shard *shard)
{
    if (!shard->durable.written) {
        return DUNLIN_OK;
    }
    dn_store *store = shard->durable.store;
    dunlin_status status = store->ops->commit(store);
    if (status != DUNLIN_OK) {
        return DUNLIN_ERR_STORE;
    }
    shard->durable.written = false;
    shard->counters.commits++;
    return DUNLIN_OK;
}

static void complete(dn_shard *shard, dn_command *command, bool alive)
{
    if (!alive && command->response.status == DUNLIN_OK) {
        command->response.status = DUNLIN_ERR_CANCELLED; /* it was not committed */
    }
    switch (command->kind) {
    case DN_COMMAND_REQUEST:
    case DN_COMMAND_UNOBSERVE:
        command->done.request(command->context, &command->response);
        break;
    case DN_COMMAND_OBSERVE:
        command->done.observe(command->context, &command->response, command->existed);
        break;
    case DN_COMMAND_GET:
    case DN_COMMAND_LIST:
    case DN_COMMAND_OBSERVATIONS:
        dn_queries_complete(shard, command, alive);
        break;
    case DN_COMMAND_ENQUEUE:
    case DN_COMMAND_AWAIT:
    case DN_COMMAND_DEQUEUE:
    case DN_COMMAND_QUEUE:
        dn_delivery_complete(shard, command, alive);
        break;
    default:
        break;
    }
    dn_command_free(command);
}

bool dn_shard_publish(dn_shard *shard)
{
    /* After a failed commit nothing may claim to have happened. */
    bool alive = !shard->durable.written;
    if (alive) {
        dn_events_publish(shard->config.events);
    }
    bool any = shard->finished.first != NULL;
    for (dn_command *command = dn_command_pop(&shard->finished); command != NULL;
         command = dn_command_pop(&shard->finished)) {
        complete(shard, command, alive);
    }
    return any;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

uint64_t dn_shard_deadline(const dn_shard *shard)
{
    if (shard->scans.first != NULL || shard->finished.first != NULL) {
        return 0;
    }
    uint64_t deadline =
        earlier(dn_coap_deadline(shard->coap), dn_registrations_deadline(&shard->registrations));
    deadline = earlier(deadline, dn_presence_deadline(shard));
    deadline = earlier(deadline, dn_delivery_deadline(shard));
    deadline = earlier(deadline, dn_push_deadline(shard));
    /* While the server's own requests fill their places, their results bring the next cycle. */
    if (shard->renew_first != DN_OBSERVATION_NONE && dn_observe_has_room(shard)) {
        deadline = earlier(deadline, shard->renew_not_before_ms);
    }
    return deadline;
}

bool dn_shard_is_busy(const dn_shard *shard)
{
    return shard->requests.asked > 0 || shard->requests.delivering > 0 || shard->scans.first != NULL ||
           shard->finished.first != NULL;
}

void dn_shard_drain(dn_shard *shard)
{
    shard->draining = true;
}

void dn_shard_cancel(dn_shard *shard)
{
    shard->draining = shard->ending = true;
    dn_requests_cancel_all(shard);
    dn_delivery_cancel(shard);
    dn_shard_refuse(shard, &shard->scans);
}

void dn_shard_refuse(dn_shard *shard, dn_command_queue *queue)
{
    for (dn_command *command = dn_command_pop(queue); command != NULL; command = dn_command_pop(queue)) {
        dn_shard_finish_with(shard, command, DUNLIN_ERR_CANCELLED);
    }
}

const char *dn_shard_store_error(const dn_shard *shard)
{
    return shard->durable.store->ops->error(shard->durable.store);
}

/* What the parts share. */

void dn_shard_warn_refusal(dn_shard *shard, const dn_peer *peer, const char *operation, uint8_t code,
                           const char *why)
{
    shard->unwarned++;
    if (shard->warned_ms != 0 && shard->now_ms - shard->warned_ms < WARN_PAUSE_MS) {
        return;
    }
    char address[sizeof((dn_client_view *)NULL)->address];
    shard->config.peer_text(peer, address, sizeof address);
    dn_log_at(shard->log, DN_LOG_WARN, DN_SHARD_AREA,
              "%s from %s refused with %u.%02u: %s (%llu since the last such line)", operation, address,
              code >> 5, code & 31u, why, (unsigned long long)shard->unwarned);
    shard->warned_ms = shard->now_ms != 0 ? shard->now_ms : 1;
    shard->unwarned = 0;
}

void dn_shard_finish(dn_shard *shard, dn_command *command)
{
    dn_command_push(&shard->finished, command);
}

void dn_shard_finish_with(dn_shard *shard, dn_command *command, dunlin_status status)
{
    command->response.status = status;
    command->response.content_format = DN_COAP_NO_FORMAT;
    command->response.received_ms = shard->wall_ms;
    dn_shard_finish(shard, command);
}

void dn_shard_tell(dn_shard *shard, uint32_t slot, dn_event_type type, uint8_t changed, bool replaced)
{
    const dn_registrations *table = &shard->registrations;
    dn_event_record record;
    dn_view_record(table, slot, type, shard->wall_ms, &record);
    record.changed = changed;
    record.replaced = replaced;
    record.presence = (uint8_t)dn_presence_of(dn_registrations_at(table, slot));
    record.seen_ms = dn_presence_seen_ms(shard, dn_registrations_at(table, slot));
    record.queued = dn_delivery_waiting(shard, slot);
    record.body = dn_link_lists_text(&table->lists, dn_registrations_at(table, slot)->links);
    dn_events_put(shard->config.events, &record);
}

void dn_shard_end(dn_shard *shard, uint32_t slot, dn_event_type type, bool replaced)
{
    dn_requests_cancel_slot(shard, slot);
    dn_shard_tell(shard, slot, type, 0, replaced);
    if (!replaced) {
        dn_observe_unregistered(shard, slot);
        dn_delivery_unregistered(shard, slot);
        dn_presence_ended(shard, slot);
        dn_registrations_remove(&shard->registrations, slot);
    }
}

void dn_shard_count(const dn_shard *shard, dn_fleet_counters *out)
{
    const dn_shard_counters *own = &shard->counters;
    dn_events_counters events = dn_events_count(shard->config.events);
    *out = (dn_fleet_counters){.coap = *dn_coap_count(shard->coap),
                               .registrations = shard->registrations.slab.live,
                               .observations = shard->observations.kept,
                               .link_lists = shard->registrations.lists.slab.live,
                               .registers = own->registers,
                               .updates = own->updates,
                               .deregisters = own->deregisters,
                               .expiries = own->expiries,
                               .refused_registers = own->refused_registers,
                               .refused_updates = own->refused_updates,
                               .requests_sent = own->requests_sent,
                               .requests_ok = own->requests_ok,
                               .requests_failed = own->requests_failed,
                               .requests_timeout = own->requests_timeout,
                               .notifications = own->notifications,
                               .unknown_notifications = own->unknown_notifications,
                               .package_bytes = shard->packages.bytes,
                               .sends_received = own->sends_received,
                               .sends_refused = own->sends_refused,
                               .queued = shard->queue.waiting,
                               .queued_answered = own->queued_answered,
                               .queued_failed = own->queued_failed,
                               .queued_expired = own->queued_expired,
                               .nosec_refused = own->nosec_refused,
                               .identity_refused = own->identity_refused,
                               .events = events.put,
                               .events_dropped = events.dropped,
                               .commits = own->commits};
}
