/* SPDX-License-Identifier: Apache-2.0 */
/* The table: watches by endpoint, each with the list of its observations; observations by token. */
#include "server/observations.h"

#include "server/composite.h"

#include <stdlib.h>

#define NAME_HEAD    1 /* the length in front of a name */
#define NAME_MAX_LEN 255u

bool dn_observations_init(dn_observations *table, uint32_t max, dn_durable *durable, const dn_random *random)
{
    *table = (dn_observations){.durable = durable, .random = random};
    random->fill(random->context, &table->key, sizeof table->key);
    dn_strings_init(&table->names);
    return dn_slab_init(&table->slab, sizeof(dn_observation), max) &&
           dn_slab_init(&table->watches, sizeof(dn_watch), max) && dn_index_init(&table->by_endpoint, 0) &&
           dn_index_init(&table->by_token, 0);
}

void dn_observations_free(dn_observations *table)
{
    for (uint32_t number = 0; number < table->slab.used; number++) {
        free(dn_observations_at(table, number)->last);
        free(dn_observations_at(table, number)->paths);
    }
    dn_index_free(&table->by_token);
    dn_index_free(&table->by_endpoint);
    dn_strings_free(&table->names);
    dn_slab_free(&table->watches);
    dn_slab_free(&table->slab);
}

static dunlin_slice name_of(const dn_observations *table, const dn_watch *watch)
{
    const uint8_t *name = dn_strings_at(&table->names, watch->name);
    return dunlin_slice_make(name + NAME_HEAD, name[0]);
}

dunlin_slice dn_observation_endpoint(const dn_observations *table, const dn_observation *observation)
{
    return name_of(table, dn_observations_watch(table, observation->watch));
}

static uint32_t hash_of(const dn_observations *table, dunlin_slice endpoint)
{
    return (uint32_t)dn_hash(&table->key, endpoint);
}

uint32_t dn_observations_find_watch(const dn_observations *table, dunlin_slice endpoint)
{
    uint32_t watch;
    if (table->watches.live == 0) {
        return DN_OBSERVATION_NONE; /* the way of every Register of a server that observes nothing */
    }
    dn_index_walk walk = dn_index_find(&table->by_endpoint, hash_of(table, endpoint));
    while (dn_index_next(&walk, &watch)) {
        if (dunlin_slice_equal(name_of(table, dn_observations_watch(table, watch)), endpoint)) {
            return watch;
        }
    }
    return DN_OBSERVATION_NONE;
}

static bool observes(const dn_observation *observation, const dn_observed *observed)
{
    return dunlin_path_equal(observation->path, observed->path) &&
           dn_composite_equal(observation->paths, observation->path_count, observed->paths,
                              observed->path_count);
}

uint32_t dn_observations_find(const dn_observations *table, dunlin_slice endpoint,
                              const dn_observed *observed)
{
    uint32_t watch = dn_observations_find_watch(table, endpoint);
    uint32_t number =
        watch != DN_OBSERVATION_NONE ? dn_observations_watch(table, watch)->first : DN_OBSERVATION_NONE;
    while (number != DN_OBSERVATION_NONE && !observes(dn_observations_at(table, number), observed)) {
        number = dn_observations_at(table, number)->next;
    }
    return number;
}

/* Tokens are random: any of their bits are a hash that nobody can aim. */
static uint32_t token_hash(uint64_t token)
{
    return (uint32_t)token;
}

uint32_t dn_observations_by_token(const dn_observations *table, uint64_t token)
{
    uint32_t number;
    dn_index_walk walk = dn_index_find(&table->by_token, token_hash(token));
    while (dn_index_next(&walk, &number)) {
        if (dn_observations_at(table, number)->token == token) {
            return number;
        }
    }
    return DN_OBSERVATION_NONE;
}

static uint32_t make_watch(dn_observations *table, dunlin_slice endpoint, uint32_t slot)
{
    uint32_t name = endpoint.len <= NAME_MAX_LEN ? dn_strings_take(&table->names, NAME_HEAD + endpoint.len)
                                                 : DN_STRINGS_NONE;
    if (name == DN_STRINGS_NONE) {
        return DN_OBSERVATION_NONE;
    }
    uint32_t watch = dn_slab_take(&table->watches);
    if (watch == DN_SLAB_NONE || !dn_index_put(&table->by_endpoint, hash_of(table, endpoint), watch)) {
        if (watch != DN_SLAB_NONE) {
            dn_slab_give(&table->watches, watch);
        }
        dn_strings_give(&table->names, name, NAME_HEAD + endpoint.len);
        return DN_OBSERVATION_NONE;
    }
    uint8_t *bytes = dn_strings_at(&table->names, name);
    bytes[0] = (uint8_t)endpoint.len;
    if (endpoint.len > 0) {
        memcpy(bytes + NAME_HEAD, endpoint.data, endpoint.len);
    }
    *dn_observations_watch(table, watch) =
        (dn_watch){.next = DN_OBSERVATION_NONE, .name = name, .slot = slot, .first = DN_OBSERVATION_NONE};
    return watch;
}

void dn_observations_release_watch(dn_observations *table, uint32_t number)
{
    dn_watch *watch = dn_observations_watch(table, number);
    if (watch->first != DN_OBSERVATION_NONE || watch->queued || watch->renewing) {
        return;
    }
    dunlin_slice endpoint = name_of(table, watch);
    dn_index_remove(&table->by_endpoint, hash_of(table, endpoint), number);
    dn_strings_give(&table->names, watch->name, NAME_HEAD + endpoint.len);
    dn_slab_give(&table->watches, number);
}

static void append(dn_observations *table, uint32_t watch, uint32_t number)
{
    uint32_t *link = &dn_observations_watch(table, watch)->first;
    while (*link != DN_OBSERVATION_NONE) {
        link = &dn_observations_at(table, *link)->next;
    }
    *link = number;
}

static bool copy_paths(const dn_observed *observed, dunlin_path **out)
{
    *out = NULL;
    if (observed->path_count > 0) {
        *out = calloc(observed->path_count, sizeof **out);
        if (*out == NULL) {
            return false;
        }
        memcpy(*out, observed->paths, observed->path_count * sizeof **out);
    }
    return true;
}

/* Puts an observation into `number`, which was taken from the slab for it. */
static bool fill(dn_observations *table, uint32_t number, dunlin_slice endpoint, const dn_observed *observed,
                 uint32_t slot, uint64_t token)
{
    dunlin_path *paths;
    uint32_t watch = dn_observations_find_watch(table, endpoint);
    if (watch == DN_OBSERVATION_NONE) {
        watch = make_watch(table, endpoint, slot);
    }
    if (watch == DN_OBSERVATION_NONE) {
        return false;
    }
    if (!copy_paths(observed, &paths) || !dn_index_put(&table->by_token, token_hash(token), number)) {
        free(paths);
        dn_observations_release_watch(table, watch);
        return false;
    }
    *dn_observations_at(table, number) = (dn_observation){.next = DN_OBSERVATION_NONE,
                                                          .watch = watch,
                                                          .token = token,
                                                          .paths = paths,
                                                          .path_count = (uint8_t)observed->path_count,
                                                          .path = observed->path,
                                                          .state = DN_OBSERVATION_PENDING};
    append(table, watch, number);
    return true;
}

static uint64_t draw_token(dn_observations *table)
{
    uint64_t token;
    do {
        table->random->fill(table->random->context, &token, sizeof token);
    } while (token == 0 || dn_observations_by_token(table, token) != DN_OBSERVATION_NONE);
    return token;
}

dunlin_status dn_observations_add(dn_observations *table, dunlin_slice endpoint, const dn_observed *observed,
                                  uint16_t format, uint32_t slot, uint32_t *number)
{
    *number = dn_slab_take(&table->slab);
    if (*number == DN_SLAB_NONE) {
        return DUNLIN_ERR_LIMIT;
    }
    if (!fill(table, *number, endpoint, observed, slot, draw_token(table))) {
        dn_slab_give(&table->slab, *number);
        return DUNLIN_ERR_MEMORY;
    }
    dn_observations_at(table, *number)->format = format;
    return DUNLIN_OK;
}

void dn_observations_remove(dn_observations *table, uint32_t number)
{
    dn_observation *observation = dn_observations_at(table, number);
    uint32_t watch = observation->watch;
    uint32_t *link = &dn_observations_watch(table, watch)->first;
    while (*link != number) {
        link = &dn_observations_at(table, *link)->next;
    }
    *link = observation->next;
    dn_index_remove(&table->by_token, token_hash(observation->token), number);
    if (observation->kept) {
        dn_store *store = dn_durable_write(table->durable);
        store->ops->drop_observation(store, number);
        table->kept--;
        table->pending -= observation->state == DN_OBSERVATION_PENDING;
    }
    free(observation->last);
    free(observation->paths);
    dn_slab_give(&table->slab, number);
    dn_observations_release_watch(table, watch);
}

static void put_record(dn_observations *table, uint32_t number)
{
    const dn_observation *observation = dn_observations_at(table, number);
    char text[DN_COMPOSITE_TEXT_MAX + 1];
    dn_store_observation record = {.number = number,
                                   .endpoint = dn_observation_endpoint(table, observation),
                                   .path = observation->path,
                                   .paths =
                                       dn_composite_format(observation->paths, observation->path_count, text),
                                   .format = observation->format,
                                   .since_ms = observation->since_ms,
                                   .token = observation->token};
    dn_store *store = dn_durable_write(table->durable);
    store->ops->put_observation(store, &record);
}

void dn_observations_keep(dn_observations *table, uint32_t number, int64_t wall_ms)
{
    dn_observation *observation = dn_observations_at(table, number);
    if (!observation->kept) {
        observation->kept = true;
        observation->since_ms = wall_ms;
        table->kept++;
        table->pending += observation->state == DN_OBSERVATION_PENDING;
    }
    put_record(table, number);
}

dunlin_status dn_observations_retoken(dn_observations *table, uint32_t number)
{
    dn_observation *observation = dn_observations_at(table, number);
    uint64_t token = draw_token(table);
    if (!dn_index_put(&table->by_token, token_hash(token), number)) {
        return DUNLIN_ERR_MEMORY;
    }
    dn_index_remove(&table->by_token, token_hash(observation->token), number);
    observation->token = token;
    observation->worn = false;
    if (observation->kept) {
        put_record(table, number);
    }
    return DUNLIN_OK;
}

void dn_observations_set_state(dn_observations *table, uint32_t number, dn_observation_state state)
{
    dn_observation *observation = dn_observations_at(table, number);
    if (observation->kept) {
        table->pending -= observation->state == DN_OBSERVATION_PENDING;
        table->pending += state == DN_OBSERVATION_PENDING;
    }
    observation->state = (uint8_t)state;
}

static bool put_value(dn_observation *observation, const dn_store_value *value)
{
    dn_observed_value *last = realloc(observation->last, sizeof *last + value->payload.len);
    if (last == NULL) {
        return false;
    }
    last->received_ms = value->received_ms;
    last->len = (uint32_t)value->payload.len;
    last->format = value->format;
    last->code = value->code;
    if (value->payload.len > 0) {
        memcpy(last->bytes, value->payload.data, value->payload.len);
    }
    observation->last = last;
    return true;
}

dunlin_status dn_observations_set_value(dn_observations *table, uint32_t number, const dn_store_value *value)
{
    dn_observation *observation = dn_observations_at(table, number);
    if (!put_value(observation, value)) {
        return DUNLIN_ERR_MEMORY;
    }
    if (observation->kept) {
        dn_store *store = dn_durable_write(table->durable);
        store->ops->put_value(store, value);
    }
    return DUNLIN_OK;
}

static bool is_taken(const dn_observations *table, uint32_t number)
{
    return number < table->slab.used && dn_observations_at(table, number)->token != 0;
}

dunlin_status dn_observations_load(dn_observations *table, const dn_store_observation *record, uint32_t slot)
{
    dunlin_path paths[DN_COMPOSITE_PATHS_MAX];
    dn_observed observed = {.path = record->path};
    if (record->paths.len > 0) {
        observed.paths = paths;
        if (!dn_composite_parse(record->paths, paths, &observed.path_count)) {
            return DUNLIN_ERR_STORE;
        }
    }
    if (record->token == 0 || record->number >= table->slab.max || record->path.depth > 4 ||
        record->endpoint.len > NAME_MAX_LEN || is_taken(table, record->number) ||
        dn_observations_by_token(table, record->token) != DN_OBSERVATION_NONE) {
        return DUNLIN_ERR_STORE;
    }
    if (!dn_slab_place(&table->slab, record->number) ||
        !fill(table, record->number, record->endpoint, &observed, slot, record->token)) {
        return DUNLIN_ERR_MEMORY;
    }
    dn_observation *observation = dn_observations_at(table, record->number);
    observation->format = record->format;
    observation->since_ms = record->since_ms;
    observation->kept = true;
    /* A client keeps its observations as long as its registration (Core 1.1.1 section 6.4.2), whatever became
     * of us. */
    observation->state = slot != DN_SLOT_NONE ? DN_OBSERVATION_ACTIVE : DN_OBSERVATION_PENDING;
    table->kept++;
    table->pending += slot == DN_SLOT_NONE;
    return DUNLIN_OK;
}

dunlin_status dn_observations_load_value(dn_observations *table, const dn_store_value *value)
{
    if (!is_taken(table, value->observation)) {
        return DUNLIN_ERR_STORE;
    }
    if (!put_value(dn_observations_at(table, value->observation), value)) {
        return DUNLIN_ERR_MEMORY;
    }
    if (value->code >= DN_COAP_BAD_REQUEST) {
        dn_observations_set_state(table, value->observation,
                                  DN_OBSERVATION_LOST); /* it had ended with this */
    }
    return DUNLIN_OK;
}

static bool in_use(const void *record)
{
    return ((const dn_observation *)record)->token != 0;
}

void dn_observations_loaded(dn_observations *table)
{
    dn_slab_placed(&table->slab, in_use);
}

bool dn_observations_value(const dn_observations *table, uint32_t number, dn_store_value *out)
{
    if (!is_taken(table, number) || dn_observations_at(table, number)->last == NULL ||
        !dn_observations_at(table, number)->kept) {
        return false;
    }
    const dn_observed_value *last = dn_observations_at(table, number)->last;
    *out = (dn_store_value){.observation = number,
                            .received_ms = last->received_ms,
                            .code = last->code,
                            .format = last->format,
                            .payload = dunlin_slice_make(last->bytes, last->len)};
    return true;
}
