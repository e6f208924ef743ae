/* SPDX-License-Identifier: Apache-2.0 */
/* From a command to CoAP options and back, and the table of what is under way. */
#include "server/requests.h"

#include "server/shard_inside.h"

#include <stdio.h>
#include <stdlib.h>

#define QUERIES_MAX       16 /* Uri-Query options of one request */
#define ROOT_SEGMENTS_MAX (DN_LINKS_ROOT_MAX / 2)
#define OPTIONS_MAX       (ROOT_SEGMENTS_MAX + 4 + QUERIES_MAX)
#define ID_TEXT           6 /* "65535" and its NUL */

bool dn_requests_init(dn_requests *requests, uint32_t max_asked)
{
    uint32_t places = max_asked + DN_REQUESTS_OWN_MAX + DN_REQUESTS_DELIVERIES_MAX;
    *requests = (dn_requests){.places = places, .max_asked = max_asked};
    requests->active = calloc(places, sizeof *requests->active);
    requests->free_places = calloc(places, sizeof *requests->free_places);
    if (requests->active == NULL || requests->free_places == NULL) {
        return false;
    }
    while (requests->free_count < places) {
        requests->free_places[requests->free_count] = places - 1 - requests->free_count;
        requests->free_count++;
    }
    return dn_index_init(&requests->by_number, places) && dn_index_init(&requests->by_slot, places);
}

void dn_requests_free(dn_requests *requests)
{
    dn_index_free(&requests->by_slot);
    dn_index_free(&requests->by_number);
    free(requests->free_places);
    free(requests->active);
}

static bool is_own(const dn_command *command)
{
    return command->kind == DN_COMMAND_RENEW || command->kind == DN_COMMAND_FETCH;
}

/* How many of its sort are under way. */
static uint32_t *count_of(dn_requests *requests, const dn_command *command)
{
    if (command->kind == DN_COMMAND_DELIVER) {
        return &requests->delivering;
    }
    return is_own(command) ? &requests->own : &requests->asked;
}

/* Numbers and slots are ours and dense: spreading them is enough of a hash. */
static uint32_t spread(uint64_t number)
{
    return (uint32_t)(number * UINT64_C(0x9e3779b97f4a7c15) >> 32);
}

static void leave(dn_requests *requests, const dn_command *command)
{
    requests->active[command->place] = NULL;
    requests->free_places[requests->free_count++] = command->place;
    dn_index_remove(&requests->by_slot, spread(command->slot), command->place);
    if (command->number != 0) {
        dn_index_remove(&requests->by_number, spread(command->number), command->place);
    }
    --*count_of(requests, command);
}

static bool enter(dn_requests *requests, dn_command *command)
{
    uint32_t place = requests->free_places[requests->free_count - 1];
    if (!dn_index_put(&requests->by_slot, spread(command->slot), place)) {
        return false;
    }
    if (command->number != 0 && !dn_index_put(&requests->by_number, spread(command->number), place)) {
        dn_index_remove(&requests->by_slot, spread(command->slot), place);
        return false;
    }
    requests->free_count--;
    command->place = place;
    requests->active[place] = command;
    ++*count_of(requests, command);
    return true;
}

typedef struct {
    dn_coap_option options[OPTIONS_MAX];
    size_t count;
    char ids[4][ID_TEXT];
} option_list;

/* Adds the pieces of `text` between separators. False: too many, or one too long (RFC 7252 section 5.10). */
static bool add_pieces(option_list *list, uint16_t number, dunlin_slice text, uint8_t separator, size_t most)
{
    size_t added = 0;
    for (size_t start = 0; start < text.len;) {
        const uint8_t *end = memchr(text.data + start, separator, text.len - start);
        size_t len = (end != NULL ? (size_t)(end - text.data) : text.len) - start;
        if (len > 0) {
            if (added++ == most || len > 255) {
                return false;
            }
            list->options[list->count++] =
                (dn_coap_option){number, dunlin_slice_make(text.data + start, len)};
        }
        start += len + 1;
    }
    return true;
}

static bool make_options(option_list *list, dunlin_slice root, const dn_device_request *ask)
{
    list->count = 0;
    if (!add_pieces(list, DN_OPTION_URI_PATH, root, '/', ROOT_SEGMENTS_MAX)) {
        return false;
    }
    for (size_t i = 0; i < ask->path.depth; i++) {
        int len = snprintf(list->ids[i], ID_TEXT, "%u", (unsigned)ask->path.id[i]);
        list->options[list->count++] =
            (dn_coap_option){DN_OPTION_URI_PATH, dunlin_slice_make(list->ids[i], (size_t)len)};
    }
    return add_pieces(list, DN_OPTION_URI_QUERY, ask->query, '&', QUERIES_MAX);
}

/* "/3303/1" from the Location-Path options of a 2.01, without the client's alternate path. Left out when it
 * does not fit. */
static void take_location(const dn_shard *shard, dn_command *command, const dn_coap_response *response)
{
    char text[DN_LINKS_ROOT_MAX + DUNLIN_PATH_TEXT_MAX + 1];
    size_t len = 0;
    dn_coap_options walk = response->options;
    dunlin_slice segment;
    while (dn_coap_option_find(&walk, DN_OPTION_LOCATION_PATH, &segment) == DUNLIN_OK) {
        if (len + 1 + segment.len > sizeof text) {
            return;
        }
        text[len++] = '/';
        if (segment.len > 0) {
            memcpy(text + len, segment.data, segment.len);
        }
        len += segment.len;
    }
    const dn_registration *registration = dn_registrations_at(&shard->registrations, command->slot);
    dunlin_slice root = dn_link_lists_root(&shard->registrations.lists, registration->links);
    size_t skip =
        root.len > 0 && len > root.len && memcmp(text, root.data, root.len) == 0 && text[root.len] == '/'
            ? root.len
            : 0;
    if (len - skip < sizeof command->location) {
        memcpy(command->location, text + skip, len - skip);
        command->response.location = dunlin_slice_make(command->location, len - skip);
    }
}

void dn_requests_outcome(dn_shard *shard, dn_command *command, dunlin_status status,
                         const dn_coap_response *response)
{
    dn_device_response *outcome = &command->response;
    outcome->status =
        status == DUNLIN_ERR_LIMIT ? DUNLIN_ERR_SPACE : status; /* the engine's: larger than max_body */
    outcome->received_ms = shard->wall_ms;
    outcome->content_format = DN_COAP_NO_FORMAT;
    if (status != DUNLIN_OK || response == NULL) {
        return;
    }
    outcome->code = response->code;
    outcome->content_format = response->content_format;
    if (!dn_command_keep(command, response->payload)) {
        outcome->status = DUNLIN_ERR_MEMORY;
    }
    if (response->code == DN_COAP_CREATED) {
        take_location(shard, command, response);
    }
}

static void count(dn_shard_counters *counters, dunlin_status status)
{
    if (status == DUNLIN_OK) {
        counters->requests_ok++;
    } else if (status == DUNLIN_ERR_TIMEOUT) {
        counters->requests_timeout++;
    } else {
        counters->requests_failed++;
    }
}

static void on_result(void *context, uint64_t exchange, dunlin_status status,
                      const dn_coap_response *response)
{
    dn_command *command = context;
    dn_shard *shard = command->shard;
    (void)exchange;
    leave(&shard->requests, command);
    if (shard->losing) {
        status = DUNLIN_ERR_TIMEOUT; /* for whoever waits: the device did not answer */
    }
    if (command->push != NULL) {
        status = dn_push_end(shard, command, status);
    }
    count(&shard->counters, status);
    if (status == DUNLIN_OK || status == DUNLIN_ERR_REJECTED) {
        dn_presence_heard(shard, command->slot);
    } else if (status == DUNLIN_ERR_TIMEOUT) {
        dn_presence_missed(shard, command->slot);
    }
    switch (command->kind) {
    case DN_COMMAND_OBSERVE:
    case DN_COMMAND_RENEW:
        dn_observe_answered(shard, command, status, response);
        break;
    case DN_COMMAND_FETCH:
        dn_observe_fetched(shard, command, status, response);
        break;
    case DN_COMMAND_DELIVER:
        dn_delivery_answered(shard, command, status, response);
        break;
    default:
        dn_requests_outcome(shard, command, status, response);
        dn_shard_finish(shard, command);
        break;
    }
}

static bool has_room(const dn_requests *requests, const dn_command *command)
{
    if (command->kind == DN_COMMAND_DELIVER) {
        return requests->delivering < DN_REQUESTS_DELIVERIES_MAX;
    }
    return is_own(command) ? requests->own < DN_REQUESTS_OWN_MAX : requests->asked < requests->max_asked;
}

/* Lets `accept` be chosen by what the device is. */
static void settle(const dn_shard *shard, dn_command *command, const dn_registration *registration)
{
    dn_settle *by = command->ask.settle;
    void *context = command->context;
    if (by == NULL && command->ask.auto_accept) {
        by = shard->settle;
        context = shard->settle_context;
    }
    if (by != NULL) {
        by(context, &command->ask, registration->version_major, registration->version_minor,
           dn_link_lists_text(&shard->registrations.lists, registration->links));
    }
}

/* Requests of any sort that are under way. */
static uint32_t all_of(const dn_requests *requests)
{
    return requests->asked + requests->own + requests->delivering;
}

/* Gives the request to the engine. */
static dunlin_status hand_over(dn_shard *shard, dn_command *command, const dn_peer *peer,
                               const option_list *list, int32_t observe, uint64_t token)
{
    dn_coap_outgoing request;
    command->by_stream = dn_transport_is_stream(dn_peer_transport(peer));
    dn_coap_outgoing_init(&request, command->ask.method);
    request.confirmable = true;
    request.content_format = command->ask.content_format;
    request.accept = command->ask.accept;
    request.observe = observe;
    request.options = list->options;
    request.option_count = list->count;
    if (token != 0) {
        request.token.len = sizeof token;
        memcpy(request.token.bytes, &token, sizeof token);
    }
    if (command->kind == DN_COMMAND_FETCH) {
        request.first = command->response.payload;
        request.first_szx = command->szx;
        request.first_etag = dunlin_slice_make(command->etag, command->etag_len);
    }
    if (command->push != NULL) {
        request.source = dn_push_source(command->push); /* which watches the time by itself */
    } else {
        request.payload = command->ask.payload;
        request.timeout_ms = command->ask.timeout_ms;
    }
    return dn_coap_request(shard->coap, peer, &request, on_result, command, shard->now_ms,
                           &command->exchange);
}

dunlin_status dn_requests_send(dn_shard *shard, dn_command *command, uint32_t slot, int32_t observe,
                               uint64_t token)
{
    const dn_registration *registration = dn_registrations_at(&shard->registrations, slot);
    option_list list;
    if (command->ask.payload.len > shard->config.fleet.coap.max_body) {
        return DUNLIN_ERR_SPACE; /* the engine would find no room for it, now and ever */
    }
    if (!has_room(&shard->requests, command)) {
        return DUNLIN_ERR_LIMIT;
    }
    if (!dn_authority_reaches(shard, slot)) {
        return DUNLIN_ERR_TIMEOUT;
    }
    settle(shard, command, registration);
    if (!make_options(&list, dn_link_lists_root(&shard->registrations.lists, registration->links),
                      &command->ask)) {
        return DUNLIN_ERR_SPACE;
    }
    command->shard = shard;
    command->slot = slot;
    dunlin_status status = command->ask.package.len > 0 ? dn_push_begin(shard, command) : DUNLIN_OK;
    if (status != DUNLIN_OK) {
        return status;
    }
    bool entered = enter(&shard->requests, command);
    status =
        entered ? hand_over(shard, command, &registration->peer, &list, observe, token) : DUNLIN_ERR_MEMORY;
    if (status == DUNLIN_OK) {
        shard->counters.requests_sent++;
        return DUNLIN_OK;
    }
    if (entered) {
        leave(&shard->requests, command);
    }
    return command->push != NULL ? dn_push_end(shard, command, status) : status;
}

/* A command with this number, or to this slot; NULL if there is none. */
static dn_command *find(const dn_requests *requests, const dn_index *index, uint64_t key, bool by_number)
{
    uint32_t place;
    dn_index_walk walk = dn_index_find(index, spread(key));
    while (dn_index_next(&walk, &place)) {
        dn_command *command = requests->active[place];
        if (by_number ? command->number == key : command->slot == key) {
            return command;
        }
    }
    return NULL;
}

void dn_requests_cancel(dn_shard *shard, dn_command *command)
{
    if (dn_coap_cancel(shard->coap, command->exchange) != DUNLIN_OK) {
        /* The engine no longer knows it although no result came: never let a caller wait for ever. */
        on_result(command, command->exchange, DUNLIN_ERR_CANCELLED, NULL);
    }
}

void dn_requests_cancel_slot(dn_shard *shard, uint32_t slot)
{
    dn_requests *requests = &shard->requests;
    dn_command *command;
    while (all_of(requests) > 0 && (command = find(requests, &requests->by_slot, slot, false)) != NULL) {
        dn_requests_cancel(shard, command);
    }
}

void dn_requests_cancel_number(dn_shard *shard, uint64_t number)
{
    dn_command *command = find(&shard->requests, &shard->requests.by_number, number, true);
    if (command != NULL) {
        dn_requests_cancel(shard, command);
    }
}

void dn_requests_cancel_all(dn_shard *shard)
{
    const dn_requests *requests = &shard->requests;
    /* The end of one may begin another one that waited for it. */
    while (all_of(requests) > 0) {
        for (uint32_t place = 0; place < requests->places; place++) {
            if (requests->active[place] != NULL) {
                dn_requests_cancel(shard, requests->active[place]);
            }
        }
    }
}
