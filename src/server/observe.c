/* SPDX-License-Identifier: Apache-2.0 */
/* An observation's life: asked for, agreed to, fed by notifications, renewed after each Register, lost or
 * ended. */
#include "server/observe.h"

#include "server/composite.h"
#include "server/shard_inside.h"

#define RENEWALS_AT_ONCE (DN_REQUESTS_OWN_MAX / 2) /* the other half is for fetching long notifications */
#define RETRY_MS         100u                      /* when the engine had no room */
#define SUCCESS_CLASS    2

static uint8_t class_of(uint8_t code)
{
    return code >> 5;
}

/* The observation that a request was made for, or NULL if it was removed meanwhile. */
static dn_observation *observation_of(dn_shard *shard, const dn_command *command)
{
    const dn_observations *table = &shard->observations;
    if (command->observation >= table->slab.used) {
        return NULL;
    }
    dn_observation *observation = dn_observations_at(table, command->observation);
    return observation->token == command->token ? observation : NULL;
}

static void set_value(dn_shard *shard, uint32_t number, uint8_t code, uint16_t format, dunlin_slice payload)
{
    dn_store_value value = {.observation = number,
                            .received_ms = shard->wall_ms,
                            .code = code,
                            .format = format,
                            .payload = payload};
    if (dn_observations_set_value(&shard->observations, number, &value) != DUNLIN_OK) {
        dn_log_at(shard->log, DN_LOG_ERROR, DN_SHARD_AREA, "no memory for a notification of %zu bytes",
                  payload.len);
    }
}

static void tell_value(dn_shard *shard, const dn_observation *observation, uint8_t code, uint16_t format,
                       dunlin_slice payload)
{
    uint32_t slot = dn_observations_watch(&shard->observations, observation->watch)->slot;
    dn_event_record record = {.type = DN_EVENT_NOTIFICATION,
                              .at_ms = shard->wall_ms,
                              .endpoint = dn_observation_endpoint(&shard->observations, observation),
                              .path = observation->path,
                              .paths = observation->paths,
                              .path_count = observation->path_count,
                              .code = code,
                              .content_format = format,
                              .body = payload};
    if (slot != DN_SLOT_NONE) {
        record.id = dn_registrations_at(&shard->registrations, slot)->id;
    }
    dn_events_put(shard->config.events, &record);
    shard->counters.notifications++;
}

/* The device agreed, or told a new value: it is observed, and this is its value now. */
static void take_value(dn_shard *shard, uint32_t number, const dn_coap_response *response)
{
    dn_observation *observation = dn_observations_at(&shard->observations, number);
    dn_observations_set_state(&shard->observations, number, DN_OBSERVATION_ACTIVE);
    if (!observation->kept) {
        dn_observations_keep(&shard->observations, number, shard->wall_ms);
    }
    set_value(shard, number, response->code, response->content_format, response->payload);
    tell_value(shard, observation, response->code, response->content_format, response->payload);
}

/* It is observed no longer, as this answer says. The wish stays and is tried again after the next Register.
 */
static void lose(dn_shard *shard, uint32_t number, const dn_coap_response *response)
{
    dn_observation *observation = dn_observations_at(&shard->observations, number);
    dn_observations_set_state(&shard->observations, number, DN_OBSERVATION_LOST);
    if (response == NULL) {
        return;
    }
    set_value(shard, number, response->code, response->content_format, response->payload);
    tell_value(shard, observation, response->code, response->content_format, response->payload);
}

/* Starting. */

static void answer_with_last(dn_shard *shard, dn_command *command, const dn_observation *observation)
{
    const dn_observed_value *last = observation->last;
    command->existed = true;
    command->response = (dn_device_response){.status = DUNLIN_OK,
                                             .code = last->code,
                                             .content_format = last->format,
                                             .received_ms = last->received_ms};
    if (!dn_command_keep(command, dunlin_slice_make(last->bytes, last->len))) {
        command->response.status = DUNLIN_ERR_MEMORY;
    }
    dn_shard_finish(shard, command);
}

static void forget_if_unborn(dn_shard *shard, uint32_t number)
{
    const dn_observation *observation = dn_observations_at(&shard->observations, number);
    if (!observation->kept && observation->asking == NULL && observation->waiting == NULL) {
        dn_observations_remove(&shard->observations, number);
    }
}

/*
 * A registration's observations end with it, and a device may stumble over a token of the one before: Leshan
 * does. A notification that still bears the old token is reset, which tells the device to let go.
 */
static dunlin_status freshen(dn_shard *shard, uint32_t number)
{
    const dn_observation *observation = dn_observations_at(&shard->observations, number);
    return observation->worn && observation->fetch == NULL
               ? dn_observations_retoken(&shard->observations, number)
               : DUNLIN_OK;
}

static dn_observed observed_of(const dn_command *command)
{
    return (dn_observed){
        .path = command->ask.path, .paths = command->paths, .path_count = command->path_count};
}

/* Makes the command a request about `observation` in `format`: GET, or FETCH with the list. */
static dunlin_status put_in_words(dn_command *command, const dn_observation *observation, uint16_t format)
{
    uint8_t bytes[DN_COMPOSITE_PAYLOAD_MAX];
    dunlin_slice list;
    command->ask.path = observation->path;
    command->ask.accept = format;
    command->ask.content_format = DN_COAP_NO_FORMAT;
    command->ask.method = DN_COAP_GET;
    if (observation->paths == NULL) {
        return DUNLIN_OK;
    }
    command->ask.method = DN_COAP_FETCH;
    command->ask.content_format = format;
    dunlin_status status = dn_composite_encode(observation->paths, observation->path_count, format,
                                               dunlin_buf_make(bytes, sizeof bytes), &list);
    return status != DUNLIN_OK || dn_command_carry(command, list) ? status : DUNLIN_ERR_MEMORY;
}

/* There can be only one request with the token: the command waits until whoever is asking has an answer. */
static void wait_for_answer(dn_shard *shard, dn_command *command, dn_observation *observation)
{
    if (shard->requests.asked + shard->waiting >= shard->requests.max_asked) {
        dn_shard_finish_with(shard, command, DUNLIN_ERR_LIMIT);
        return;
    }
    command->next = observation->waiting;
    observation->waiting = command;
    shard->waiting++;
}

static void ask(dn_shard *shard, dn_command *command, uint32_t number, uint32_t slot)
{
    dn_observation *observation = dn_observations_at(&shard->observations, number);
    if (observation->asking != NULL) {
        wait_for_answer(shard, command, observation);
        return;
    }
    dunlin_status status = put_in_words(command, observation, command->ask.accept);
    if (status == DUNLIN_OK) {
        status = freshen(shard, number);
    }
    if (status != DUNLIN_OK) {
        forget_if_unborn(shard, number);
        dn_shard_finish_with(shard, command, status);
        return;
    }
    command->observation = number;
    command->token = observation->token;
    observation->asking = command;
    status = dn_requests_send(shard, command, slot, 0, command->token);
    if (status != DUNLIN_OK) {
        observation->asking = NULL;
        forget_if_unborn(shard, number);
        dn_shard_finish_with(shard, command, status);
    }
}

void dn_observe_start(dn_shard *shard, dn_command *command)
{
    dn_observations *table = &shard->observations;
    const dn_observed observed = observed_of(command);
    uint32_t number = dn_observations_find(table, command->ask.endpoint, &observed);
    if (number != DN_OBSERVATION_NONE) {
        const dn_observation *known = dn_observations_at(table, number);
        if (known->kept && known->state != DN_OBSERVATION_LOST && known->last != NULL) {
            answer_with_last(shard, command, known);
            return;
        }
    }
    uint32_t slot = dn_registrations_find(&shard->registrations, command->ask.endpoint);
    dunlin_status status = slot != DN_SLOT_NONE ? DUNLIN_OK : DUNLIN_ERR_NOT_FOUND;
    if (status == DUNLIN_OK && number == DN_OBSERVATION_NONE) {
        status =
            dn_observations_add(table, command->ask.endpoint, &observed, command->ask.accept, slot, &number);
    }
    if (status != DUNLIN_OK) {
        dn_shard_finish_with(shard, command, status);
        return;
    }
    ask(shard, command, number, slot);
}

/* The answer has come: those who waited for it start again. A good one serves them all; else the first asks for itself. */
static void resume(dn_shard *shard, uint32_t number)
{
    dn_observation *observation = dn_observations_at(&shard->observations, number);
    dn_command *in_order = NULL;
    for (dn_command *command = observation->waiting; command != NULL;) {
        dn_command *before = command->next;
        command->next = in_order;
        in_order = command;
        command = before;
        shard->waiting--;
    }
    observation->waiting = NULL;
    forget_if_unborn(shard, number);
    while (in_order != NULL) {
        dn_command *command = in_order;
        in_order = command->next;
        dn_observe_start(shard, command);
    }
}

static bool is_agreed(dunlin_status status, const dn_coap_response *response)
{
    return status == DUNLIN_OK && response->code == DN_COAP_CONTENT &&
           response->observe != DN_COAP_NO_OBSERVE;
}

/* What an answer to an Observe request means for the observation, whoever asked. */
static void judge(dn_shard *shard, uint32_t number, uint16_t format, dunlin_status status,
                  const dn_coap_response *response)
{
    dn_observation *observation = dn_observations_at(&shard->observations, number);
    if (is_agreed(status, response)) {
        observation->order = (dn_coap_order){0}; /* its numbers may start anew */
        (void)dn_coap_order_newer(&observation->order, (uint32_t)response->observe, shard->now_ms);
        observation->format = format;
        take_value(shard, number, response);
    } else if (observation->kept && status == DUNLIN_OK) {
        lose(shard, number, response);
    } else if (observation->kept && status != DUNLIN_ERR_TIMEOUT && status != DUNLIN_ERR_CANCELLED) {
        lose(shard, number, NULL);
    }
}

static void answer_start(dn_shard *shard, dn_command *command, dunlin_status status,
                         const dn_coap_response *response)
{
    dn_observation *observation = observation_of(shard, command);
    dn_requests_outcome(shard, command, status, response);
    if (observation == NULL) {
        command->response.status = DUNLIN_ERR_CANCELLED; /* somebody ended it meanwhile */
        dn_shard_finish(shard, command);
        return;
    }
    observation->asking = NULL;
    judge(shard, command->observation, command->ask.accept, status, response);
    if (status == DUNLIN_OK && response->code == DN_COAP_CONTENT && !is_agreed(status, response)) {
        command->response.status = DUNLIN_ERR_UNSUPPORTED; /* readable, not observable */
    }
    uint32_t number = command->observation;
    dn_shard_finish(shard, command);
    resume(shard, number);
}

/* Renewing. */

static void enqueue(dn_shard *shard, uint32_t number)
{
    dn_watch *watch = dn_observations_watch(&shard->observations, number);
    if (watch->queued || watch->renewing) {
        return;
    }
    watch->queued = true;
    watch->next = DN_OBSERVATION_NONE;
    if (shard->renew_first == DN_OBSERVATION_NONE) {
        shard->renew_first = number;
    } else {
        dn_observations_watch(&shard->observations, shard->renew_last)->next = number;
    }
    shard->renew_last = number;
}

static void answer_renewal(dn_shard *shard, dn_command *command, dunlin_status status,
                           const dn_coap_response *response)
{
    dn_watch *watch = dn_observations_watch(&shard->observations, command->watch);
    watch->renewing = false;
    dn_observation *observation = observation_of(shard, command);
    if (observation != NULL) {
        observation->asking = NULL;
        judge(shard, command->observation, command->ask.accept, status, response);
        resume(shard, command->observation);
    }
    /* One that does not answer is asleep or gone: the rest waits for its next Update. CANCELLED: its
       registration ended, or there is a new one, which comes here by itself. */
    if (status != DUNLIN_ERR_TIMEOUT && status != DUNLIN_ERR_CANCELLED) {
        enqueue(shard, command->watch);
    }
    dn_observations_release_watch(&shard->observations, command->watch);
    dn_command_free(command);
}

void dn_observe_answered(dn_shard *shard, dn_command *command, dunlin_status status,
                         const dn_coap_response *response)
{
    if (command->kind == DN_COMMAND_RENEW) {
        answer_renewal(shard, command, status, response);
    } else {
        answer_start(shard, command, status, response);
    }
}

static uint32_t first_pending(const dn_observations *table, const dn_watch *watch)
{
    uint32_t number = watch->first;
    while (number != DN_OBSERVATION_NONE) {
        const dn_observation *observation = dn_observations_at(table, number);
        if (observation->kept && observation->state == DN_OBSERVATION_PENDING &&
            observation->asking == NULL) {
            break;
        }
        number = observation->next;
    }
    return number;
}

static dunlin_status renew(dn_shard *shard, uint32_t watch_number, uint32_t number)
{
    dn_watch *watch = dn_observations_watch(&shard->observations, watch_number);
    dn_observation *observation = dn_observations_at(&shard->observations, number);
    const dn_device_request wish = {.method = DN_COAP_GET};
    dn_command *command = dn_command_create(DN_COMMAND_RENEW, &wish);
    if (command == NULL) {
        return DUNLIN_ERR_MEMORY;
    }
    dunlin_status status = put_in_words(command, observation, observation->format);
    if (status == DUNLIN_OK) {
        status = freshen(shard, number);
    }
    if (status != DUNLIN_OK) {
        dn_command_free(command);
        return status;
    }
    command->observation = number;
    command->token = observation->token;
    command->watch = watch_number;
    status = dn_requests_send(shard, command, watch->slot, 0, observation->token);
    if (status == DUNLIN_OK) {
        watch->renewing = true;
        observation->asking = command;
    } else {
        dn_command_free(command);
    }
    return status;
}

bool dn_observe_has_room(const dn_shard *shard)
{
    return shard->requests.own < RENEWALS_AT_ONCE;
}

/* One that sleeps or does not answer is asked when it has spoken. */
static bool can_be_asked(const dn_shard *shard, const dn_watch *watch)
{
    return watch->slot != DN_SLOT_NONE &&
           dn_presence_of(dn_registrations_at(&shard->registrations, watch->slot)) == DN_PRESENCE_AWAKE &&
           dn_authority_reaches(shard, watch->slot);
}

void dn_observe_work(dn_shard *shard)
{
    dn_observations *table = &shard->observations;
    while (shard->renew_first != DN_OBSERVATION_NONE && dn_observe_has_room(shard) &&
           shard->now_ms >= shard->renew_not_before_ms) {
        uint32_t number = shard->renew_first;
        dn_watch *watch = dn_observations_watch(table, number);
        uint32_t observation = can_be_asked(shard, watch) ? first_pending(table, watch) : DN_OBSERVATION_NONE;
        if (observation != DN_OBSERVATION_NONE) {
            dunlin_status status = renew(shard, number, observation);
            if (status == DUNLIN_ERR_LIMIT || status == DUNLIN_ERR_MEMORY) {
                shard->renew_not_before_ms = shard->now_ms + RETRY_MS;
                return;
            }
            if (status != DUNLIN_OK) {
                lose(shard, observation, NULL); /* it cannot be asked for at all, say for a path too long */
            }
        }
        shard->renew_first = watch->next;
        watch->queued = false;
        if (!watch->renewing && watch->slot != DN_SLOT_NONE && observation != DN_OBSERVATION_NONE) {
            enqueue(shard, number);
        }
        dn_observations_release_watch(table, number);
    }
}

/* `worn`: for a new registration. */
static void mark_pending(dn_shard *shard, const dn_watch *watch, bool worn)
{
    for (uint32_t number = watch->first; number != DN_OBSERVATION_NONE;) {
        dn_observation *observation = dn_observations_at(&shard->observations, number);
        dn_observations_set_state(&shard->observations, number, DN_OBSERVATION_PENDING);
        observation->worn = observation->worn || worn;
        number = observation->next;
    }
}

void dn_observe_registered(dn_shard *shard, uint32_t slot)
{
    const dn_registration *registration = dn_registrations_at(&shard->registrations, slot);
    uint32_t number = dn_observations_find_watch(
        &shard->observations, dn_registration_endpoint(&shard->registrations, registration));
    if (number == DN_OBSERVATION_NONE) {
        return;
    }
    dn_watch *watch = dn_observations_watch(&shard->observations, number);
    watch->slot = slot;
    mark_pending(shard, watch, true);
    enqueue(shard, number);
}

void dn_observe_updated(dn_shard *shard, uint32_t slot, bool moved)
{
    if (!moved && shard->observations.pending == 0) {
        return;
    }
    const dn_registration *registration = dn_registrations_at(&shard->registrations, slot);
    uint32_t number = dn_observations_find_watch(
        &shard->observations, dn_registration_endpoint(&shard->registrations, registration));
    if (number == DN_OBSERVATION_NONE) {
        return;
    }
    if (moved) {
        mark_pending(shard, dn_observations_watch(&shard->observations, number), false);
    }
    enqueue(shard, number);
}

void dn_observe_unregistered(dn_shard *shard, uint32_t slot)
{
    const dn_registration *registration = dn_registrations_at(&shard->registrations, slot);
    uint32_t number = dn_observations_find_watch(
        &shard->observations, dn_registration_endpoint(&shard->registrations, registration));
    if (number != DN_OBSERVATION_NONE) {
        dn_watch *watch = dn_observations_watch(&shard->observations, number);
        watch->slot = DN_SLOT_NONE;
        mark_pending(shard, watch, true);
    }
}

/* Notifications. */

static void cancel_fetch(dn_shard *shard, dn_observation *observation)
{
    if (observation->fetch != NULL) {
        dn_requests_cancel(shard, observation->fetch); /* its result clears the pointer */
    }
}

static void keep_etag(dn_command *command, dn_coap_options options)
{
    dunlin_slice etag;
    if (dn_coap_option_find(&options, DN_OPTION_ETAG, &etag) == DUNLIN_OK &&
        etag.len <= sizeof command->etag) {
        memcpy(command->etag, etag.data, etag.len);
        command->etag_len = (uint8_t)etag.len;
    }
}

/* The first block of a body that did not fit came: asks for the rest (RFC 7959 section 2.6). */
static void fetch_rest(dn_shard *shard, uint32_t number, uint32_t slot, const dn_coap_response *notification)
{
    dn_observation *observation = dn_observations_at(&shard->observations, number);
    cancel_fetch(shard, observation);
    const dn_device_request rest = {.method = DN_COAP_GET};
    dn_command *command = dn_command_create(DN_COMMAND_FETCH, &rest);
    if (command != NULL) {
        command->observation = number;
        command->token = observation->token;
        command->szx = notification->szx;
        keep_etag(command, notification->options);
        if (put_in_words(command, observation, observation->format) == DUNLIN_OK &&
            dn_command_keep(command, notification->payload) &&
            dn_requests_send(shard, command, slot, DN_COAP_NO_OBSERVE, 0) == DUNLIN_OK) {
            observation->fetch = command;
            return;
        }
        dn_command_free(command);
    }
    shard->counters.requests_failed++;
    dn_log_at(shard->log, DN_LOG_WARN, DN_SHARD_AREA, "a long notification could not be fetched: no room");
}

void dn_observe_fetched(dn_shard *shard, dn_command *command, dunlin_status status,
                        const dn_coap_response *response)
{
    dn_observation *observation = observation_of(shard, command);
    if (observation != NULL && observation->fetch == command) {
        observation->fetch = NULL;
        if (status == DUNLIN_OK && response->code == DN_COAP_CONTENT) {
            take_value(shard, command->observation, response);
        } else {
            dn_log_at(shard->log, DN_LOG_WARN, DN_SHARD_AREA, "the rest of a notification did not come: %s",
                      dunlin_status_text(status));
        }
    }
    dn_command_free(command);
}

bool dn_observe_notified(dn_shard *shard, const dn_peer *peer, const dn_coap_response *notification)
{
    dn_observations *table = &shard->observations;
    uint64_t token = 0;
    uint32_t number = DN_OBSERVATION_NONE;
    uint32_t slot = DN_SLOT_NONE;
    if (notification->token.len == sizeof token) {
        memcpy(&token, notification->token.bytes, sizeof token);
        number = token != 0 ? dn_observations_by_token(table, token) : DN_OBSERVATION_NONE;
    }
    if (number != DN_OBSERVATION_NONE) {
        slot = dn_observations_watch(table, dn_observations_at(table, number)->watch)->slot;
    }
    /* RFC 7252 section 5.3.2: token and endpoint both match. */
    if (slot == DN_SLOT_NONE || !dn_observations_at(table, number)->kept ||
        !dn_peer_equal(peer, &dn_registrations_at(&shard->registrations, slot)->peer) ||
        !dn_authority_owns(shard, peer, slot)) {
        shard->counters.unknown_notifications++;
        return false;
    }
    dn_presence_heard(shard, slot);
    dn_observation *observation = dn_observations_at(table, number);
    if (class_of(notification->code) != SUCCESS_CLASS) {
        cancel_fetch(shard, observation);
        lose(shard, number, notification); /* RFC 7641 section 3.2: an error ends it */
        return true;
    }
    if (notification->code != DN_COAP_CONTENT || notification->observe == DN_COAP_NO_OBSERVE) {
        shard->counters.unknown_notifications++;
        return false;
    }
    if (!dn_coap_order_newer(&observation->order, (uint32_t)notification->observe, shard->now_ms)) {
        return true; /* overtaken by a newer one: no news */
    }
    if (notification->more) {
        fetch_rest(shard, number, slot, notification);
    } else {
        cancel_fetch(shard, observation);
        take_value(shard, number, notification);
    }
    return true;
}

/* Ending. */

/* Whoever is asking or waiting for it gets CANCELLED. */
static void end_talk(dn_shard *shard, dn_observation *observation)
{
    dn_command_queue waiting = {0};
    while (observation->waiting != NULL) {
        dn_command *command = observation->waiting;
        observation->waiting = command->next;
        dn_command_push(&waiting, command);
        shard->waiting--;
    }
    dn_shard_refuse(shard, &waiting);
    if (observation->asking != NULL) {
        dn_requests_cancel(shard, observation->asking);
    }
    cancel_fetch(shard, observation);
}

void dn_observe_stop(dn_shard *shard, dn_command *command)
{
    dn_observations *table = &shard->observations;
    const dn_observed observed = observed_of(command);
    uint32_t number = dn_observations_find(table, command->ask.endpoint, &observed);
    if (number == DN_OBSERVATION_NONE || !dn_observations_at(table, number)->kept) {
        dn_shard_finish_with(shard, command, DUNLIN_ERR_NOT_FOUND);
        return;
    }
    dn_observation *observation = dn_observations_at(table, number);
    end_talk(shard, observation);
    uint64_t token = observation->token;
    uint32_t slot = dn_observations_watch(table, observation->watch)->slot;
    bool is_asked = slot != DN_SLOT_NONE && observation->state != DN_OBSERVATION_LOST && !command->silent;
    /* The request must be the same but for Observe (RFC 7641 section 3.6). */
    dunlin_status status = is_asked ? put_in_words(command, observation, observation->format) : DUNLIN_OK;
    dn_observations_remove(table, number);
    if (!is_asked) {
        command->response.code = DN_COAP_CONTENT; /* as the device would say */
        dn_shard_finish_with(shard, command, DUNLIN_OK);
        return;
    }
    if (status == DUNLIN_OK) {
        status = dn_requests_send(shard, command, slot, 1, token);
    }
    if (status != DUNLIN_OK) {
        dn_shard_finish_with(shard, command, status);
    }
}
