/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated network: a heap of datagrams under way, ordered by time of arrival, then by order of sending.
 */
#include "bearer/simlink.h"
#include <stdlib.h>

typedef struct {
    uint64_t at_ms, order;
    uint32_t to, to_generation;
    dn_peer from;
    uint8_t *bytes;
    size_t len;
} flight;

typedef struct {
    dn_simlink_endpoint does;
    uint32_t generation; /* part of the address; a rebind counts it up */
    bool attached;
} endpoint;

/* What is remembered of the way from one endpoint to another. */
typedef struct {
    uint32_t from, to;
    uint64_t sent;
    bool has_rules;
    dn_simlink_rules rules;
    uint64_t *masks;
    size_t mask_count;
} direction;

struct dn_simlink {
    uint64_t now_ms, order;
    dn_seeded seeded;
    dn_random random;
    dn_simlink_rules rules;
    dn_simlink_counters counters;
    dn_simlink_tap *tap;
    void *tap_context;
    endpoint *endpoints;
    size_t endpoint_count, endpoint_cap;
    flight *flights; /* a binary heap */
    size_t flight_count, flight_cap;
    direction **directions; /* open addressing, a power of two */
    size_t direction_count, direction_cap;
};

/* Behind a half byte that is the transport's (base/peer.h): an endpoint's own address is one of plain datagrams. */
static const uint8_t address_mark[4] = {1, 's', 'i', 'm'};

static dn_peer address_of(uint32_t index, uint32_t generation)
{
    dn_peer peer;
    memset(&peer, 0, sizeof peer);
    peer.len = 12;
    memcpy(peer.bytes, address_mark, 4);
    memcpy(peer.bytes + 4, &index, 4);
    memcpy(peer.bytes + 8, &generation, 4);
    return peer;
}

static bool read_address(const dn_simlink *link, const dn_peer *peer, uint32_t *index, uint32_t *generation)
{
    if (peer->len != 12 || memcmp(peer->bytes, address_mark, 4) != 0) {
        return false;
    }
    memcpy(index, peer->bytes + 4, 4);
    memcpy(generation, peer->bytes + 8, 4);
    return *index < link->endpoint_count;
}

/* The endpoint that is at this address now, or NULL. */
static endpoint *find_endpoint(dn_simlink *link, const dn_peer *peer)
{
    uint32_t index, generation;
    if (!read_address(link, peer, &index, &generation)) {
        return NULL;
    }
    endpoint *found = &link->endpoints[index];
    return found->attached && found->generation == generation ? found : NULL;
}

/* Makes room for one more of `count`; false: no memory. */
static bool reserve(void **items, size_t count, size_t *cap, size_t size)
{
    if (count < *cap) {
        return true;
    }
    size_t wanted = *cap == 0 ? 16 : *cap * 2;
    void *grown = realloc(*items, wanted * size);
    if (grown == NULL) {
        return false;
    }
    *items = grown;
    *cap = wanted;
    return true;
}

dn_simlink *dn_simlink_create(uint64_t seed, uint64_t now_ms)
{
    dn_simlink *link = calloc(1, sizeof *link);
    if (link != NULL) {
        link->now_ms = now_ms;
        dn_seeded_init(&link->seeded, seed);
        link->random = dn_seeded_random(&link->seeded);
    }
    return link;
}

void dn_simlink_destroy(dn_simlink *link)
{
    if (link == NULL) {
        return;
    }
    for (size_t i = 0; i < link->flight_count; i++) {
        free(link->flights[i].bytes);
    }
    for (size_t i = 0; i < link->direction_cap; i++) {
        if (link->directions[i] != NULL) {
            free(link->directions[i]->masks);
            free(link->directions[i]);
        }
    }
    free(link->directions);
    free(link->flights);
    free(link->endpoints);
    free(link);
}

uint64_t dn_simlink_now(const dn_simlink *link)
{
    return link->now_ms;
}

dunlin_status dn_simlink_attach(dn_simlink *link, const dn_simlink_endpoint *does, dn_peer *address)
{
    void *items = link->endpoints;
    if (!reserve(&items, link->endpoint_count, &link->endpoint_cap, sizeof *link->endpoints)) {
        return DUNLIN_ERR_MEMORY;
    }
    link->endpoints = items;
    link->endpoints[link->endpoint_count] = (endpoint){.does = *does, .attached = true};
    *address = address_of((uint32_t)link->endpoint_count++, 0);
    return DUNLIN_OK;
}

void dn_simlink_detach(dn_simlink *link, const dn_peer *address)
{
    endpoint *found = find_endpoint(link, address);
    if (found != NULL) {
        found->attached = false;
    }
}

dunlin_status dn_simlink_rebind(dn_simlink *link, dn_peer *address)
{
    endpoint *found = find_endpoint(link, address);
    if (found == NULL) {
        return DUNLIN_ERR_NOT_FOUND;
    }
    found->generation++;
    *address = address_of((uint32_t)(found - link->endpoints), found->generation);
    return DUNLIN_OK;
}

static size_t direction_slot(direction *const *table, size_t cap, uint32_t from, uint32_t to)
{
    size_t at = (from * 2654435761u ^ to * 2246822519u) & (cap - 1);
    while (table[at] != NULL && (table[at]->from != from || table[at]->to != to)) {
        at = (at + 1) & (cap - 1);
    }
    return at;
}

static bool grow_directions(dn_simlink *link)
{
    size_t cap = link->direction_cap == 0 ? 16 : link->direction_cap * 2;
    direction **table = calloc(cap, sizeof(direction *));
    if (table == NULL) {
        return false;
    }
    for (size_t i = 0; i < link->direction_cap; i++) {
        direction *old = link->directions[i];
        if (old != NULL) {
            table[direction_slot(table, cap, old->from, old->to)] = old;
        }
    }
    free(link->directions);
    link->directions = table;
    link->direction_cap = cap;
    return true;
}

/* The direction between two addresses, made if it is new. NULL: no memory, or not addresses of this network.
 */
static direction *get_direction(dn_simlink *link, const dn_peer *from, const dn_peer *to)
{
    uint32_t from_index, to_index, generation;
    if (!read_address(link, from, &from_index, &generation) ||
        !read_address(link, to, &to_index, &generation)) {
        return NULL;
    }
    if (link->direction_count * 2 >= link->direction_cap && !grow_directions(link)) {
        return NULL;
    }
    size_t at = direction_slot(link->directions, link->direction_cap, from_index, to_index);
    if (link->directions[at] == NULL) {
        direction *made = calloc(1, sizeof *made);
        if (made == NULL) {
            return NULL;
        }
        made->from = from_index;
        made->to = to_index;
        link->directions[at] = made;
        link->direction_count++;
    }
    return link->directions[at];
}

void dn_simlink_rule(dn_simlink *link, const dn_simlink_rules *rules)
{
    link->rules = *rules;
}

dunlin_status dn_simlink_rule_between(dn_simlink *link, const dn_peer *from, const dn_peer *to,
                                      const dn_simlink_rules *rules)
{
    direction *way = get_direction(link, from, to);
    if (way == NULL) {
        return DUNLIN_ERR_MEMORY;
    }
    way->has_rules = true;
    way->rules = *rules;
    return DUNLIN_OK;
}

dunlin_status dn_simlink_drop(dn_simlink *link, const dn_peer *from, const dn_peer *to, uint64_t number)
{
    direction *way = get_direction(link, from, to);
    uint64_t *masks = way == NULL ? NULL : realloc(way->masks, (way->mask_count + 1) * sizeof *masks);
    if (masks == NULL) {
        return DUNLIN_ERR_MEMORY;
    }
    masks[way->mask_count++] = number;
    way->masks = masks;
    return DUNLIN_OK;
}

void dn_simlink_watch(dn_simlink *link, dn_simlink_tap *tap, void *context)
{
    link->tap = tap;
    link->tap_context = context;
}

static bool earlier(const flight *a, const flight *b)
{
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

static void push_flight(dn_simlink *link, const flight *item)
{
    size_t at = link->flight_count++;
    while (at > 0 && earlier(item, &link->flights[(at - 1) / 2])) {
        link->flights[at] = link->flights[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    link->flights[at] = *item;
}

static flight pop_flight(dn_simlink *link)
{
    flight first = link->flights[0];
    flight last = link->flights[--link->flight_count];
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= link->flight_count) {
            break;
        }
        if (child + 1 < link->flight_count && earlier(&link->flights[child + 1], &link->flights[child])) {
            child++;
        }
        if (!earlier(&link->flights[child], &last)) {
            break;
        }
        link->flights[at] = link->flights[child];
        at = child;
    }
    link->flights[at] = last;
    link->flights[link->flight_count].bytes = NULL; /* they are in the table once, or the caller's */
    return first;
}

static bool chance(dn_simlink *link, uint32_t permille)
{
    return permille > 0 && dn_random_between(&link->random, 1, 1000) <= permille;
}

static void launch(dn_simlink *link, const dn_simlink_rules *rules, const dn_peer *from, const dn_peer *to,
                   dunlin_slice datagram)
{
    flight item = {.at_ms = link->now_ms, .order = link->order++, .from = *from, .len = datagram.len};
    void *items = link->flights;
    if (!read_address(link, to, &item.to, &item.to_generation) ||
        !reserve(&items, link->flight_count, &link->flight_cap, sizeof *link->flights)) {
        link->counters.lost++;
        return;
    }
    link->flights = items;
    item.bytes = malloc(datagram.len > 0 ? datagram.len : 1);
    if (item.bytes == NULL) {
        link->counters.lost++;
        return;
    }
    if (datagram.len > 0) {
        memcpy(item.bytes, datagram.data, datagram.len);
    }
    item.at_ms += dn_random_between(&link->random, rules->delay_min_ms, rules->delay_max_ms);
    if (chance(link, rules->reorder_permille)) {
        item.at_ms += (uint64_t)rules->delay_max_ms + 1 + dn_random_between(&link->random, 0, 20);
        link->counters.reordered++;
    }
    push_flight(link, &item);
}

static bool is_masked(const direction *way)
{
    for (size_t i = 0; i < way->mask_count; i++) {
        if (way->masks[i] == way->sent) {
            return true;
        }
    }
    return false;
}

/* True when the datagram vanishes, and counts why. */
static bool is_lost(dn_simlink *link, const direction *way, const dn_simlink_rules *rules, size_t len)
{
    if (is_masked(way)) {
        link->counters.masked++;
        return true;
    }
    if (rules->mtu > 0 && len > rules->mtu) {
        link->counters.too_long++;
        return true;
    }
    if (chance(link, rules->loss_permille)) {
        link->counters.lost++;
        return true;
    }
    return false;
}

void dn_simlink_send(dn_simlink *link, const dn_peer *from, const dn_peer *to, dunlin_slice datagram)
{
    direction *way = get_direction(link, from, to);
    link->counters.sent++;
    link->counters.bytes += datagram.len;
    if (way == NULL) {
        link->counters.no_endpoint++;
        return;
    }
    way->sent++;
    const dn_simlink_rules *rules = way->has_rules ? &way->rules : &link->rules;
    bool lost = is_lost(link, way, rules, datagram.len);
    if (link->tap != NULL) {
        link->tap(link->tap_context, link->now_ms, from, to, way->sent, datagram,
                  lost ? DN_SIMLINK_LOST : DN_SIMLINK_PASSED);
    }
    if (lost) {
        return;
    }
    launch(link, rules, from, to, datagram);
    if (chance(link, rules->duplicate_permille)) {
        link->counters.duplicated++;
        launch(link, rules, from, to, datagram);
    }
}

/* The earliest endpoint deadline, and whose it is. */
static uint64_t next_deadline(dn_simlink *link, size_t *whose)
{
    uint64_t earliest = DN_NEVER;
    for (size_t i = 0; i < link->endpoint_count; i++) {
        const endpoint *candidate = &link->endpoints[i];
        if (candidate->attached && candidate->does.deadline != NULL) {
            uint64_t at_ms = candidate->does.deadline(candidate->does.context);
            if (at_ms < earliest) {
                earliest = at_ms;
                *whose = i;
            }
        }
    }
    return earliest;
}

uint64_t dn_simlink_next(dn_simlink *link)
{
    size_t whose;
    uint64_t at_ms = next_deadline(link, &whose);
    if (link->flight_count > 0 && link->flights[0].at_ms < at_ms) {
        at_ms = link->flights[0].at_ms;
    }
    return at_ms;
}

static void deliver(dn_simlink *link)
{
    flight item = pop_flight(link);
    /* A copy: the callback may attach endpoints, which moves the table. */
    endpoint target = link->endpoints[item.to];
    if (target.attached && target.generation == item.to_generation) {
        link->counters.delivered++;
        target.does.receive(target.does.context, &item.from, dunlin_slice_make(item.bytes, item.len),
                            link->now_ms);
    } else {
        link->counters.no_endpoint++;
    }
    free(item.bytes);
}

bool dn_simlink_step(dn_simlink *link, uint64_t until_ms)
{
    size_t whose = 0;
    uint64_t deadline_ms = next_deadline(link, &whose);
    bool datagram = link->flight_count > 0 && link->flights[0].at_ms <= deadline_ms;
    uint64_t at_ms = datagram ? link->flights[0].at_ms : deadline_ms;
    if (at_ms > until_ms || at_ms == DN_NEVER) {
        if (until_ms != DN_NEVER && until_ms > link->now_ms) {
            link->now_ms = until_ms;
        }
        return false;
    }
    if (at_ms > link->now_ms) {
        link->now_ms = at_ms;
    }
    if (datagram) {
        deliver(link);
    } else {
        endpoint target = link->endpoints[whose];
        if (target.does.expire != NULL) {
            target.does.expire(target.does.context, link->now_ms);
        }
    }
    return true;
}

bool dn_simlink_run(dn_simlink *link, uint64_t until_ms, bool (*done)(void *context), void *context)
{
    do {
        if (done != NULL && done(context)) {
            return true;
        }
    } while (dn_simlink_step(link, until_ms));
    return false;
}

const dn_simlink_counters *dn_simlink_count(const dn_simlink *link)
{
    return &link->counters;
}
