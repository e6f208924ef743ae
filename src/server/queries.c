/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looking: one client, pages of clients, the observations of an endpoint. All look when completions run, at
 * what was committed. Only the search for a page goes through the cycles, a slice at a time, so that no
 * device waits for it.
 */
#include "server/shard_inside.h"

#include <stdlib.h>

#define SLICE_RECORDS 4096u /* looked at in a cycle: some 50 us when nothing is compared */

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

/* Case is that of ASCII; other letters match as they are. */
static bool contains(dunlin_slice text, dunlin_slice part)
{
    for (size_t start = 0; start + part.len <= text.len; start++) {
        size_t i = 0;
        while (i < part.len && lower(text.data[start + i]) == lower(part.data[i])) {
            i++;
        }
        if (i == part.len) {
            return true;
        }
    }
    return false;
}

static void scan_slice(dn_shard *shard, dn_command *list)
{
    const dn_registrations *table = &shard->registrations;
    uint32_t left = SLICE_RECORDS;
    for (; list->after < table->slab.used && left > 0 && list->hit_count < list->limit;
         list->after++, left--) {
        uint32_t slot = (uint32_t)list->after;
        const dn_registration *registration = dn_registrations_at(table, slot);
        if (registration->id != 0 &&
            contains(dn_registration_endpoint(table, registration), list->ask.endpoint)) {
            list->hits[list->hit_count++] = (dn_list_hit){.slot = slot, .id = registration->id};
        }
    }
}

void dn_queries_work(dn_shard *shard)
{
    dn_command *list = shard->scans.first;
    if (list == NULL) {
        return;
    }
    if (list->hits == NULL) {
        list->hits = calloc(list->limit, sizeof *list->hits);
    }
    if (list->hits != NULL) {
        scan_slice(shard, list);
    }
    if (list->hits == NULL || list->hit_count == list->limit ||
        list->after >= shard->registrations.slab.used) {
        dn_shard_finish(shard, dn_command_pop(&shard->scans));
    }
}

static void view_client(const dn_shard *shard, uint32_t slot, dn_client_view *view)
{
    const dn_registration *registration = dn_registrations_at(&shard->registrations, slot);
    dn_view_client(&shard->registrations, slot, shard->config.peer_text, view);
    view->presence = (uint8_t)dn_presence_of(registration);
    view->seen_ms = dn_presence_seen_ms(shard, registration);
    view->queued = dn_delivery_waiting(shard, slot);
}

static void complete_list(dn_shard *shard, const dn_command *command, bool alive)
{
    const dn_registrations *table = &shard->registrations;
    dn_client_page page = {.total = table->slab.live};
    dn_client_view *clients = alive && command->hits != NULL ? calloc(command->limit, sizeof *clients) : NULL;
    for (uint32_t i = 0; clients != NULL && i < command->hit_count; i++) {
        if (dn_registrations_at(table, command->hits[i].slot)->id == command->hits[i].id) {
            view_client(shard, command->hits[i].slot, &clients[page.count++]);
        }
    }
    page.clients = clients;
    page.next = alive && command->after < table->slab.used ? command->after : 0;
    command->done.list(command->context, &page);
    free(clients);
}

static void complete_get(dn_shard *shard, const dn_command *command, bool alive)
{
    uint32_t slot =
        alive ? dn_registrations_find(&shard->registrations, command->ask.endpoint) : DN_SLOT_NONE;
    dn_client_view view;
    if (slot != DN_SLOT_NONE) {
        view_client(shard, slot, &view);
    }
    command->done.get(command->context, slot != DN_SLOT_NONE ? &view : NULL);
}

static void view_observation(const dn_observation *observation, dn_observation_view *view)
{
    *view = (dn_observation_view){.path = observation->path,
                                  .paths = observation->paths,
                                  .path_count = observation->path_count,
                                  .format = observation->format,
                                  .since_ms = observation->since_ms,
                                  .state = (dn_observation_state)observation->state};
    const dn_observed_value *last = observation->last;
    if (last != NULL) {
        view->has_last = true;
        view->code = last->code;
        view->content_format = last->format;
        view->received_ms = last->received_ms;
        view->payload = dunlin_slice_make(last->bytes, last->len);
    }
}

static void complete_observations(dn_shard *shard, const dn_command *command, bool alive)
{
    const dn_observations *table = &shard->observations;
    bool registered =
        alive && dn_registrations_find(&shard->registrations, command->ask.endpoint) != DN_SLOT_NONE;
    uint32_t watch = alive ? dn_observations_find_watch(table, command->ask.endpoint) : DN_OBSERVATION_NONE;
    uint32_t first = watch != DN_OBSERVATION_NONE ? dn_observations_watch(table, watch)->first : watch;
    size_t count = 0;
    for (uint32_t number = first; number != DN_OBSERVATION_NONE;
         number = dn_observations_at(table, number)->next) {
        count += dn_observations_at(table, number)->kept;
    }
    dn_observation_view *views = count > 0 ? calloc(count, sizeof *views) : NULL;
    size_t at = 0;
    for (uint32_t number = first; views != NULL && number != DN_OBSERVATION_NONE;
         number = dn_observations_at(table, number)->next) {
        if (dn_observations_at(table, number)->kept) {
            view_observation(dn_observations_at(table, number), &views[at++]);
        }
    }
    command->done.observations(command->context, registered, views, at);
    free(views);
}

void dn_queries_complete(dn_shard *shard, dn_command *command, bool alive)
{
    switch (command->kind) {
    case DN_COMMAND_GET:
        complete_get(shard, command, alive);
        break;
    case DN_COMMAND_LIST:
        complete_list(shard, command, alive);
        break;
    default:
        complete_observations(shard, command, alive);
        break;
    }
}
