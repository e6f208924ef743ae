/* SPDX-License-Identifier: Apache-2.0 */
/* A server's memory made for tests. */
#include "store/world.h"

#include <stdio.h>
#include <string.h>

dn_store_registration world_registration_view(const world_registration *r)
{
    dn_store_registration view = r->fixed;
    view.endpoint = dunlin_slice_make(r->endpoint, r->endpoint_len);
    view.sms = dunlin_slice_make(r->sms, r->sms_len);
    return view;
}

dn_store_value world_value_view(const world_value *v)
{
    dn_store_value view = v->fixed;
    view.payload = dunlin_slice_make(v->payload, v->payload_len);
    return view;
}

dn_store_request world_request_view(const world_request *r)
{
    dn_store_request view = r->fixed;
    view.endpoint = dunlin_slice_make(r->endpoint, r->endpoint_len);
    view.query = dunlin_slice_make(r->query, r->query_len);
    view.package = dunlin_slice_make(r->package, r->package_len);
    view.body = dunlin_slice_make(r->body, r->body_len);
    view.progress.location = dunlin_slice_make(r->location, r->location_len);
    view.progress.payload = dunlin_slice_make(r->payload, r->payload_len);
    return view;
}

/* ---- chance ---- */

static uint32_t below(const dn_random *random, uint32_t limit)
{
    return (uint32_t)dn_random_between(random, 0, limit - 1);
}

static uint8_t random_text(const dn_random *random, char *out, uint32_t least)
{
    uint32_t len = least + below(random, WORLD_TEXT_MAX - least);
    memset(out, 0, WORLD_TEXT_MAX);
    for (uint32_t i = 0; i < len; i++) {
        out[i] = (char)('!' + below(random, 90));
    }
    return (uint8_t)len;
}

static uint32_t random_payload(const dn_random *random, uint8_t *out)
{
    /* Mostly small, now and then larger than a page. */
    uint32_t len = below(random, 8) == 0 ? below(random, WORLD_PAYLOAD_MAX) : below(random, 24);
    memset(out, 0, WORLD_PAYLOAD_MAX);
    random->fill(random->context, out, len);
    return len;
}

/* The lowest free number, as a server takes it; the table's size when there is none. */
static uint32_t free_slot_of(const world *w)
{
    uint32_t slot = 0;
    while (slot < WORLD_SLOTS && w->registrations[slot].used) {
        slot++;
    }
    return slot;
}

static uint32_t free_observation_of(const world *w)
{
    uint32_t number = 0;
    while (number < WORLD_OBSERVATIONS && w->observations[number].used) {
        number++;
    }
    return number;
}

static void change_registration(world *w, const dn_random *random, dn_store *store, uint32_t slot)
{
    world_registration *r = &w->registrations[slot];
    *r = (world_registration){0};
    r->used = true;
    r->fixed.slot = slot;
    r->fixed.id = dn_random_between(random, 0, UINT64_MAX);
    r->fixed.peer.len = (uint8_t)below(random, DN_PEER_MAX + 1);
    random->fill(random->context, r->fixed.peer.bytes, r->fixed.peer.len);
    r->fixed.lifetime_s = dn_random_u32(random);
    r->fixed.registered_ms = (int64_t)dn_random_between(random, 0, INT64_MAX);
    r->fixed.updated_ms = r->fixed.registered_ms;
    r->fixed.links = dn_random_u32(random);
    r->fixed.version_major = (uint8_t)below(random, 256);
    r->fixed.version_minor = (uint8_t)below(random, 256);
    r->fixed.binding = (uint8_t)below(random, 256);
    r->fixed.flags = (uint8_t)below(random, 256);
    r->endpoint_len = random_text(random, r->endpoint, 1);
    r->sms_len = below(random, 2) ? random_text(random, r->sms, 0) : 0;
    if (r->sms_len == 0) {
        memset(r->sms, 0, sizeof r->sms);
    }
    if (store != NULL) {
        dn_store_registration view = world_registration_view(r);
        store->ops->put_registration(store, &view);
    }
}

static void touch(world *w, const dn_random *random, dn_store *store, uint32_t slot)
{
    int64_t updated_ms = (int64_t)dn_random_between(random, 0, INT64_MAX);
    if (w->registrations[slot].used) {
        w->registrations[slot].fixed.updated_ms = updated_ms;
    }
    if (store != NULL) {
        store->ops->touch_registration(store, slot, updated_ms);
    }
}

static void drop_registration(world *w, dn_store *store, uint32_t slot)
{
    w->registrations[slot] = (world_registration){0};
    if (store != NULL) {
        store->ops->drop_registration(store, slot);
    }
}

static void change_observation(world *w, const dn_random *random, dn_store *store, uint32_t number)
{
    world_observation *o = &w->observations[number];
    *o = (world_observation){0};
    o->used = true;
    o->fixed.number = number;
    o->fixed.path.depth = (uint8_t)below(random, 5);
    for (unsigned i = 0; i < o->fixed.path.depth; i++) {
        o->fixed.path.id[i] = (uint16_t)below(random, DUNLIN_ID_NONE);
    }
    o->fixed.format = (uint16_t)below(random, 65536);
    o->fixed.since_ms = (int64_t)dn_random_between(random, 0, INT64_MAX);
    o->fixed.token = dn_random_between(random, 0, UINT64_MAX);
    o->endpoint_len = random_text(random, o->endpoint, 1);
    o->paths_len = below(random, 4) == 0 ? random_text(random, o->paths, 1) : 0;
    if (store != NULL) {
        dn_store_observation view = o->fixed;
        view.endpoint = dunlin_slice_make(o->endpoint, o->endpoint_len);
        view.paths = dunlin_slice_make(o->paths, o->paths_len);
        store->ops->put_observation(store, &view);
    }
}

static void drop_observation(world *w, dn_store *store, uint32_t number)
{
    w->observations[number] = (world_observation){0};
    memset(&w->values[number], 0, sizeof w->values[number]);
    if (store != NULL) {
        store->ops->drop_observation(store, number);
    }
}

static void change_value(world *w, const dn_random *random, dn_store *store, uint32_t number)
{
    world_value *v = &w->values[number];
    v->used = true;
    v->fixed = (dn_store_value){.observation = number};
    v->fixed.received_ms = (int64_t)dn_random_between(random, 0, INT64_MAX);
    v->fixed.code = (uint8_t)below(random, 256);
    v->fixed.format = (uint16_t)below(random, 65536);
    v->payload_len = random_payload(random, v->payload);
    if (store != NULL) {
        dn_store_value view = world_value_view(v);
        store->ops->put_value(store, &view);
    }
}

static void change_links(world *w, const dn_random *random, dn_store *store)
{
    uint32_t number = below(random, WORLD_LISTS);
    world_links *l = &w->links[number];
    bool drop = l->used && below(random, 2) == 0;
    memset(l, 0, sizeof *l);
    if (!drop) {
        l->used = true;
        l->len = random_payload(random, (uint8_t *)l->text);
    }
    if (store != NULL && drop) {
        store->ops->drop_links(store, number);
    } else if (store != NULL) {
        store->ops->put_links(store, number, dunlin_slice_make(l->text, l->len));
    }
}

static void change_progress(world_request *r, const dn_random *random)
{
    dn_store_progress *p = &r->fixed.progress;
    p->request = r->fixed.number;
    p->state = (uint8_t)below(random, 256);
    p->attempts = dn_random_u32(random);
    p->ended_ms = (int64_t)dn_random_between(random, 0, INT64_MAX);
    p->status = (dunlin_status)(int)dn_random_u32(random);
    p->code = (uint8_t)below(random, 256);
    p->format = (uint16_t)below(random, 65536);
    r->location_len = random_text(random, r->location, 0);
    r->payload_len = random_payload(random, r->payload);
}

static void put_request(world *w, const dn_random *random, dn_store *store, uint32_t number)
{
    world_request *r = &w->requests[number];
    memset(r, 0, sizeof *r);
    r->used = true;
    r->fixed.number = number;
    r->fixed.id = dn_random_between(random, 0, UINT64_MAX);
    r->fixed.method = (uint8_t)below(random, 256);
    r->fixed.auto_accept = below(random, 2) == 0;
    r->fixed.path.depth = (uint8_t)below(random, 5);
    for (unsigned i = 0; i < r->fixed.path.depth; i++) {
        r->fixed.path.id[i] = (uint16_t)below(random, DUNLIN_ID_NONE);
    }
    r->fixed.content_format = (uint16_t)below(random, 65536);
    r->fixed.accept = (uint16_t)below(random, 65536);
    r->fixed.created_ms = (int64_t)dn_random_between(random, 0, INT64_MAX);
    r->fixed.expires_ms = (int64_t)dn_random_between(random, 0, INT64_MAX);
    r->endpoint_len = random_text(random, r->endpoint, 1);
    r->query_len = random_text(random, r->query, 0);
    r->package_len = random_text(random, r->package, 0);
    r->body_len = random_payload(random, r->body);
    change_progress(r, random);
    if (store != NULL) {
        dn_store_request view = world_request_view(r);
        store->ops->put_request(store, &view);
    }
}

static void mark_request(world *w, const dn_random *random, dn_store *store, uint32_t number)
{
    change_progress(&w->requests[number], random);
    if (store != NULL) {
        dn_store_request view = world_request_view(&w->requests[number]);
        store->ops->mark_request(store, &view.progress);
    }
}

/* By the state of the number; now and then the bound of ids. */
static void change_request(world *w, const dn_random *random, dn_store *store)
{
    uint32_t number = below(random, WORLD_REQUESTS);
    uint32_t chance = below(random, 10);
    if (chance == 0) {
        w->request_ids = dn_random_between(random, 0, UINT64_MAX);
        if (store != NULL) {
            store->ops->put_request_ids(store, w->request_ids);
        }
    } else if (!w->requests[number].used) {
        put_request(w, random, store, number);
    } else if (chance < 7) {
        mark_request(w, random, store, number);
    } else {
        memset(&w->requests[number], 0, sizeof w->requests[number]);
        if (store != NULL) {
            store->ops->drop_request(store, number);
        }
    }
}

void world_change(world *w, const dn_random *random, dn_store *store)
{
    uint32_t slot = below(random, WORLD_SLOTS);
    uint32_t number = below(random, WORLD_OBSERVATIONS);
    uint32_t free_slot = free_slot_of(w);
    uint32_t free_number = free_observation_of(w);
    uint32_t chance = below(random, 100);
    if (chance < 12 && free_slot < WORLD_SLOTS) {
        change_registration(w, random, store, free_slot);
    } else if (chance < 25 && w->registrations[slot].used) {
        change_registration(w, random, store, slot);
    } else if (chance < 33 && w->registrations[slot].used) {
        drop_registration(w, store, slot);
    } else if (chance < 38 && free_number < WORLD_OBSERVATIONS) {
        change_observation(w, random, store, free_number);
    } else if (chance < 41 && w->observations[number].used) {
        drop_observation(w, store, number);
    } else if (chance < 60 && w->observations[number].used) {
        change_value(w, random, store, number);
    } else if (chance < 62) {
        change_links(w, random, store);
    } else if (chance < 72) {
        change_request(w, random, store);
    } else if (w->registrations[slot].used) {
        touch(w, random, store, slot);
    }
}

dunlin_status world_commit(world *w, const dn_random *random, dn_store *store)
{
    uint32_t changes = 1 + below(random, 32);
    for (uint32_t i = 0; i < changes; i++) {
        world_change(w, random, store);
    }
    return store != NULL ? store->ops->commit(store) : DUNLIN_OK;
}

/* ---- source ---- */

static bool source_registration(void *context, uint32_t slot, dn_store_registration *out)
{
    const world *w = context;
    if (slot >= WORLD_SLOTS || !w->registrations[slot].used) {
        return false;
    }
    *out = world_registration_view(&w->registrations[slot]);
    return true;
}

static bool source_value(void *context, uint32_t number, dn_store_value *out)
{
    const world *w = context;
    if (number >= WORLD_OBSERVATIONS || !w->values[number].used) {
        return false;
    }
    *out = world_value_view(&w->values[number]);
    return true;
}

dn_store_source world_source(world *w)
{
    return (dn_store_source){source_registration, source_value, w};
}

/* ---- loading ---- */

static dunlin_status load_links(void *context, uint32_t number, dunlin_slice text)
{
    world *w = context;
    if (number >= WORLD_LISTS || w->links[number].used || text.len > WORLD_PAYLOAD_MAX) {
        return DUNLIN_ERR_MALFORMED;
    }
    w->links[number].used = true;
    w->links[number].len = (uint32_t)text.len;
    if (text.len > 0) {
        memcpy(w->links[number].text, text.data, text.len);
    }
    return DUNLIN_OK;
}

static bool take_text(char *out, uint8_t *len, dunlin_slice text)
{
    if (text.len > WORLD_TEXT_MAX) {
        return false;
    }
    *len = (uint8_t)text.len;
    if (text.len > 0) {
        memcpy(out, text.data, text.len);
    }
    return true;
}

static dunlin_status load_registration(void *context, const dn_store_registration *registration)
{
    world *w = context;
    if (registration->slot >= WORLD_SLOTS || w->registrations[registration->slot].used) {
        return DUNLIN_ERR_MALFORMED;
    }
    world_registration *r = &w->registrations[registration->slot];
    r->used = true;
    r->fixed = *registration;
    r->fixed.endpoint = r->fixed.sms = dunlin_slice_make(NULL, 0);
    bool fits = take_text(r->endpoint, &r->endpoint_len, registration->endpoint) &&
                take_text(r->sms, &r->sms_len, registration->sms);
    return fits ? DUNLIN_OK : DUNLIN_ERR_MALFORMED;
}

static dunlin_status load_observation(void *context, const dn_store_observation *observation)
{
    world *w = context;
    if (observation->number >= WORLD_OBSERVATIONS || w->observations[observation->number].used) {
        return DUNLIN_ERR_MALFORMED;
    }
    world_observation *o = &w->observations[observation->number];
    o->used = true;
    o->fixed = *observation;
    o->fixed.endpoint = o->fixed.paths = dunlin_slice_make(NULL, 0);
    bool fits = take_text(o->endpoint, &o->endpoint_len, observation->endpoint) &&
                take_text(o->paths, &o->paths_len, observation->paths);
    return fits ? DUNLIN_OK : DUNLIN_ERR_MALFORMED;
}

static dunlin_status load_value(void *context, const dn_store_value *value)
{
    world *w = context;
    if (value->observation >= WORLD_OBSERVATIONS || w->values[value->observation].used ||
        value->payload.len > WORLD_PAYLOAD_MAX) {
        return DUNLIN_ERR_MALFORMED;
    }
    world_value *v = &w->values[value->observation];
    v->used = true;
    v->fixed = *value;
    v->fixed.payload = dunlin_slice_make(NULL, 0);
    v->payload_len = (uint32_t)value->payload.len;
    if (value->payload.len > 0) {
        memcpy(v->payload, value->payload.data, value->payload.len);
    }
    return DUNLIN_OK;
}

static bool take_payload(uint8_t *out, uint32_t *len, dunlin_slice payload)
{
    if (payload.len > WORLD_PAYLOAD_MAX) {
        return false;
    }
    *len = (uint32_t)payload.len;
    if (payload.len > 0) {
        memcpy(out, payload.data, payload.len);
    }
    return true;
}

static dunlin_status load_request(void *context, const dn_store_request *request)
{
    world *w = context;
    if (request->number >= WORLD_REQUESTS || w->requests[request->number].used ||
        request->progress.request != request->number) {
        return DUNLIN_ERR_MALFORMED;
    }
    world_request *r = &w->requests[request->number];
    const dunlin_slice none = {NULL, 0};
    r->used = true;
    r->fixed = *request;
    r->fixed.endpoint = r->fixed.query = r->fixed.package = r->fixed.body = none;
    r->fixed.progress.location = r->fixed.progress.payload = none;
    bool fits = take_text(r->endpoint, &r->endpoint_len, request->endpoint) &&
                take_text(r->query, &r->query_len, request->query) &&
                take_text(r->package, &r->package_len, request->package) &&
                take_text(r->location, &r->location_len, request->progress.location) &&
                take_payload(r->body, &r->body_len, request->body) &&
                take_payload(r->payload, &r->payload_len, request->progress.payload);
    return fits ? DUNLIN_OK : DUNLIN_ERR_MALFORMED;
}

static dunlin_status load_request_ids(void *context, uint64_t bound)
{
    world *w = context;
    w->request_ids = bound;
    return DUNLIN_OK;
}

dunlin_status world_load(world *w, dn_store *store)
{
    dn_store_loader loader = {
        load_links, load_registration, load_observation, load_value, load_request, load_request_ids, w};
    return store->ops->load(store, &loader);
}

/* ---- comparing: field by field, for structures have padding ---- */

static bool registrations_equal(const world_registration *a, const world_registration *b)
{
    const dn_store_registration *x = &a->fixed;
    const dn_store_registration *y = &b->fixed;
    return a->used == b->used && x->slot == y->slot && x->id == y->id && dn_peer_equal(&x->peer, &y->peer) &&
           memcmp(x->peer.bytes, y->peer.bytes, DN_PEER_MAX) == 0 && x->lifetime_s == y->lifetime_s &&
           x->registered_ms == y->registered_ms && x->updated_ms == y->updated_ms && x->links == y->links &&
           x->version_major == y->version_major && x->version_minor == y->version_minor &&
           x->binding == y->binding && x->flags == y->flags && a->endpoint_len == b->endpoint_len &&
           a->sms_len == b->sms_len && memcmp(a->endpoint, b->endpoint, WORLD_TEXT_MAX) == 0 &&
           memcmp(a->sms, b->sms, WORLD_TEXT_MAX) == 0;
}

static bool observations_equal(const world_observation *a, const world_observation *b)
{
    const dn_store_observation *x = &a->fixed;
    const dn_store_observation *y = &b->fixed;
    return a->used == b->used && x->number == y->number && dunlin_path_equal(x->path, y->path) &&
           x->format == y->format && x->since_ms == y->since_ms && x->token == y->token &&
           a->endpoint_len == b->endpoint_len && memcmp(a->endpoint, b->endpoint, WORLD_TEXT_MAX) == 0 &&
           a->paths_len == b->paths_len && memcmp(a->paths, b->paths, WORLD_TEXT_MAX) == 0;
}

static bool values_equal(const world_value *a, const world_value *b)
{
    return a->used == b->used && a->fixed.observation == b->fixed.observation &&
           a->fixed.received_ms == b->fixed.received_ms && a->fixed.code == b->fixed.code &&
           a->fixed.format == b->fixed.format && a->payload_len == b->payload_len &&
           memcmp(a->payload, b->payload, a->payload_len) == 0;
}

static bool progress_equal(const world_request *a, const world_request *b)
{
    const dn_store_progress *x = &a->fixed.progress;
    const dn_store_progress *y = &b->fixed.progress;
    return x->state == y->state && x->attempts == y->attempts && x->ended_ms == y->ended_ms &&
           x->status == y->status && x->code == y->code && x->format == y->format &&
           a->location_len == b->location_len && memcmp(a->location, b->location, WORLD_TEXT_MAX) == 0 &&
           a->payload_len == b->payload_len && memcmp(a->payload, b->payload, a->payload_len) == 0;
}

static bool requests_equal(const world_request *a, const world_request *b)
{
    const dn_store_request *x = &a->fixed;
    const dn_store_request *y = &b->fixed;
    return a->used == b->used && x->id == y->id && x->method == y->method &&
           x->auto_accept == y->auto_accept && dunlin_path_equal(x->path, y->path) &&
           x->content_format == y->content_format && x->accept == y->accept &&
           x->created_ms == y->created_ms && x->expires_ms == y->expires_ms &&
           a->endpoint_len == b->endpoint_len && memcmp(a->endpoint, b->endpoint, WORLD_TEXT_MAX) == 0 &&
           a->query_len == b->query_len && memcmp(a->query, b->query, WORLD_TEXT_MAX) == 0 &&
           a->package_len == b->package_len && memcmp(a->package, b->package, WORLD_TEXT_MAX) == 0 &&
           a->body_len == b->body_len && memcmp(a->body, b->body, a->body_len) == 0 && progress_equal(a, b);
}

static bool links_equal(const world_links *a, const world_links *b)
{
    return a->used == b->used && a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

bool world_equal(const world *a, const world *b, char *difference)
{
    for (uint32_t i = 0; i < WORLD_SLOTS; i++) {
        if (!registrations_equal(&a->registrations[i], &b->registrations[i])) {
            snprintf(difference, 128, "registration %u: used %d/%d updated %lld/%lld", i,
                     a->registrations[i].used, b->registrations[i].used,
                     (long long)a->registrations[i].fixed.updated_ms,
                     (long long)b->registrations[i].fixed.updated_ms);
            return false;
        }
    }
    for (uint32_t i = 0; i < WORLD_OBSERVATIONS; i++) {
        if (!observations_equal(&a->observations[i], &b->observations[i])) {
            snprintf(difference, 128, "observation %u: used %d/%d", i, a->observations[i].used,
                     b->observations[i].used);
            return false;
        }
        if (!values_equal(&a->values[i], &b->values[i])) {
            snprintf(difference, 128, "value %u: used %d/%d", i, a->values[i].used, b->values[i].used);
            return false;
        }
    }
    for (uint32_t i = 0; i < WORLD_LISTS; i++) {
        if (!links_equal(&a->links[i], &b->links[i])) {
            snprintf(difference, 128, "link list %u: used %d/%d", i, a->links[i].used, b->links[i].used);
            return false;
        }
    }
    for (uint32_t i = 0; i < WORLD_REQUESTS; i++) {
        if (!requests_equal(&a->requests[i], &b->requests[i])) {
            snprintf(difference, 128, "request %u: used %d/%d, state %d/%d", i, a->requests[i].used,
                     b->requests[i].used, a->requests[i].fixed.progress.state,
                     b->requests[i].fixed.progress.state);
            return false;
        }
    }
    if (a->request_ids != b->request_ids) {
        snprintf(difference, 128, "request ids below %llu/%llu", (unsigned long long)a->request_ids,
                 (unsigned long long)b->request_ids);
        return false;
    }
    difference[0] = '\0';
    return true;
}
