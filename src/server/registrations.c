/* SPDX-License-Identifier: Apache-2.0 */
/* Each change is made in memory and handed to the store in one function, so that neither is ever ahead of the
 * other. */
#include "server/registrations.h"

#define SLOT_MASK  (DN_REGISTRATIONS_MAX - 1)
#define NAMES_HEAD 2 /* two lengths in front of the names */
#define KEPT_FLAGS (DN_REGISTRATION_QUEUE_MODE | DN_REGISTRATION_SECURITY)

/* Crockford's letters: none is taken for another one when an id is read aloud. */
static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";

bool dn_registrations_init(dn_registrations *table, const dn_registrations_limits *limits,
                           dn_durable *durable, const dn_random *random, uint64_t now_ms)
{
    *table = (dn_registrations){.durable = durable, .random = random};
    random->fill(random->context, &table->key, sizeof table->key);
    dn_strings_init(&table->names);
    return dn_slab_init(&table->slab, sizeof(dn_registration), limits->max_registrations) &&
           dn_expiry_init(&table->expiry, &table->slab, (uint32_t)(now_ms / 1000)) &&
           dn_index_init(&table->by_endpoint, 0) && dn_index_init(&table->by_peer, 0) &&
           dn_link_lists_init(&table->lists, limits->max_link_lists, limits->max_link_list_bytes, &table->key,
                              durable);
}

void dn_registrations_free(dn_registrations *table)
{
    dn_link_lists_free(&table->lists);
    dn_index_free(&table->by_peer);
    dn_index_free(&table->by_endpoint);
    dn_strings_free(&table->names);
    dn_expiry_free(&table->expiry);
    dn_slab_free(&table->slab);
}

static const uint8_t *names_of(const dn_registrations *table, const dn_registration *registration)
{
    return dn_strings_at(&table->names, registration->names);
}

dunlin_slice dn_registration_endpoint(const dn_registrations *table, const dn_registration *registration)
{
    const uint8_t *names = names_of(table, registration);
    return dunlin_slice_make(names + NAMES_HEAD, names[0]);
}

dunlin_slice dn_registration_sms(const dn_registrations *table, const dn_registration *registration)
{
    const uint8_t *names = names_of(table, registration);
    return dunlin_slice_make(names + NAMES_HEAD + names[0], names[1]);
}

static uint32_t names_take(dn_registrations *table, dunlin_slice endpoint, dunlin_slice sms)
{
    uint32_t name = dn_strings_take(&table->names, NAMES_HEAD + endpoint.len + sms.len);
    if (name != DN_STRINGS_NONE) {
        uint8_t *names = dn_strings_at(&table->names, name);
        names[0] = (uint8_t)endpoint.len;
        names[1] = (uint8_t)sms.len;
        memcpy(names + NAMES_HEAD, endpoint.data, endpoint.len);
        if (sms.len > 0) {
            memcpy(names + NAMES_HEAD + endpoint.len, sms.data, sms.len);
        }
    }
    return name;
}

static void names_give(dn_registrations *table, uint32_t name)
{
    const uint8_t *names = dn_strings_at(&table->names, name);
    dn_strings_give(&table->names, name, (size_t)NAMES_HEAD + names[0] + names[1]);
}

static uint32_t hash_of(const dn_registrations *table, dunlin_slice endpoint)
{
    return (uint32_t)dn_hash(&table->key, endpoint);
}

static uint32_t find_hashed(const dn_registrations *table, dunlin_slice endpoint, uint32_t hash)
{
    uint32_t slot;
    dn_index_walk walk = dn_index_find(&table->by_endpoint, hash);
    while (dn_index_next(&walk, &slot)) {
        if (dunlin_slice_equal(dn_registration_endpoint(table, dn_registrations_at(table, slot)), endpoint)) {
            return slot;
        }
    }
    return DN_SLOT_NONE;
}

uint32_t dn_registrations_find(const dn_registrations *table, dunlin_slice endpoint)
{
    return find_hashed(table, endpoint, hash_of(table, endpoint));
}

uint32_t dn_registrations_by_id(const dn_registrations *table, uint64_t id)
{
    uint32_t slot = (uint32_t)id & SLOT_MASK;
    if (id == 0 || slot >= table->slab.used || dn_registrations_at(table, slot)->id != id) {
        return DN_SLOT_NONE;
    }
    return slot;
}

static uint32_t peer_hash(const dn_registrations *table, const dn_peer *peer)
{
    return (uint32_t)dn_hash(&table->key, dunlin_slice_make(peer->bytes, peer->len));
}

static uint32_t find_peer(const dn_registrations *table, const dn_peer *peer, uint32_t hash)
{
    uint32_t slot;
    dn_index_walk walk = dn_index_find(&table->by_peer, hash);
    while (dn_index_next(&walk, &slot)) {
        if (dn_peer_equal(&dn_registrations_at(table, slot)->peer, peer)) {
            return slot;
        }
    }
    return DN_SLOT_NONE;
}

uint32_t dn_registrations_by_peer(const dn_registrations *table, const dn_peer *peer)
{
    return find_peer(table, peer, peer_hash(table, peer));
}

/*
 * The index holds one registration of each address, so that none costs more, however many share one. Sets the
 * registration's address. False: no memory, nothing done.
 */
static bool join_peer(dn_registrations *table, uint32_t slot, const dn_peer *peer)
{
    uint32_t hash = peer_hash(table, peer);
    uint32_t head = find_peer(table, peer, hash);
    if (!dn_index_put(&table->by_peer, hash, slot)) {
        return false;
    }
    if (head != DN_SLOT_NONE) {
        (void)dn_index_remove(&table->by_peer, hash, head);
        dn_registrations_at(table, head)->peer_prev = slot;
    }
    dn_registration *registration = dn_registrations_at(table, slot);
    registration->peer = *peer;
    registration->peer_next = head;
    registration->peer_prev = DN_SLOT_NONE;
    return true;
}

static void leave_peer(dn_registrations *table, uint32_t slot)
{
    const dn_registration *registration = dn_registrations_at(table, slot);
    uint32_t next = registration->peer_next, prev = registration->peer_prev;
    if (next != DN_SLOT_NONE) {
        dn_registrations_at(table, next)->peer_prev = prev;
    }
    if (prev != DN_SLOT_NONE) {
        dn_registrations_at(table, prev)->peer_next = next;
        return;
    }
    uint32_t hash = peer_hash(table, &registration->peer);
    (void)dn_index_remove(&table->by_peer, hash, slot);
    if (next != DN_SLOT_NONE) {
        (void)dn_index_put(&table->by_peer, hash, next); /* in the room that was made: it cannot fail */
    }
}

/* Takes the newest place at `peer`, also when it had another one there. False: no memory, nothing done. */
static bool move_peer(dn_registrations *table, uint32_t slot, const dn_peer *peer)
{
    if (dn_index_put(&table->by_peer, 0, slot)) { /* room for one more, found before anything is undone */
        (void)dn_index_remove(&table->by_peer, 0, slot);
        leave_peer(table, slot);
        return join_peer(table, slot, peer);
    }
    return false;
}

static uint64_t draw_id(dn_registrations *table, uint32_t slot)
{
    uint64_t drawn;
    do {
        table->random->fill(table->random->context, &drawn, sizeof drawn);
        drawn &= ~(uint64_t)SLOT_MASK;
    } while (drawn == 0);
    return drawn | slot;
}

/* Rounded up: a registration ends in the second after its last, never before. */
static uint32_t due_at(uint64_t now_ms, uint64_t wait_ms)
{
    uint64_t due_s = (now_ms + wait_ms + 999) / 1000;
    return due_s < DN_EXPIRY_NEVER ? (uint32_t)due_s : DN_EXPIRY_NEVER - 1;
}

static void set_due(dn_registrations *table, uint32_t slot, uint64_t now_ms)
{
    uint32_t lifetime_s = dn_registrations_at(table, slot)->lifetime_s;
    dn_expiry_set(&table->expiry, slot,
                  lifetime_s == 0 ? DN_EXPIRY_NEVER : due_at(now_ms, (uint64_t)lifetime_s * 1000));
}

static void put(dn_registrations *table, uint32_t slot)
{
    dn_store_registration record;
    (void)dn_registrations_record(table, slot, &record);
    dn_store *store = dn_durable_write(table->durable);
    store->ops->put_registration(store, &record);
}

/* A free slot, in the indexes. */
static dunlin_status occupy(dn_registrations *table, uint32_t hash, const dn_peer *peer, uint32_t *slot)
{
    *slot = dn_slab_take(&table->slab);
    if (*slot == DN_SLAB_NONE) {
        return DUNLIN_ERR_LIMIT;
    }
    if (!dn_index_put(&table->by_endpoint, hash, *slot)) {
        dn_slab_give(&table->slab, *slot);
        return DUNLIN_ERR_MEMORY;
    }
    if (!join_peer(table, *slot, peer)) {
        (void)dn_index_remove(&table->by_endpoint, hash, *slot);
        dn_slab_give(&table->slab, *slot);
        return DUNLIN_ERR_MEMORY;
    }
    dn_registrations_at(table, *slot)->links = DN_LINKS_NONE;
    return DUNLIN_OK;
}

/* A slot for `endpoint`, in the indexes and with its names; what it had before is given back. */
static dunlin_status claim(dn_registrations *table, const dn_parameters *terms, const dn_peer *peer,
                           uint32_t *slot)
{
    uint32_t hash = hash_of(table, terms->endpoint);
    uint32_t names = names_take(table, terms->endpoint, terms->sms);
    if (names == DN_STRINGS_NONE) {
        return DUNLIN_ERR_MEMORY;
    }
    *slot = find_hashed(table, terms->endpoint, hash);
    bool is_known = *slot != DN_SLOT_NONE;
    dunlin_status status = DUNLIN_OK;
    if (!is_known) {
        status = occupy(table, hash, peer, slot);
    } else if (!move_peer(table, *slot, peer)) {
        status = DUNLIN_ERR_MEMORY;
    }
    if (status != DUNLIN_OK) {
        names_give(table, names);
        return status;
    }
    dn_registration *registration = dn_registrations_at(table, *slot);
    if (is_known) {
        names_give(table, registration->names);
    }
    registration->names = names;
    return DUNLIN_OK;
}

static void set_flags(dn_registration *registration, uint8_t mask, uint8_t flags)
{
    registration->flags = (uint8_t)((registration->flags & ~mask) | flags);
}

dunlin_status dn_registrations_register(dn_registrations *table, const dn_parameters *terms, dn_sender sender,
                                        uint32_t links, uint64_t now_ms, int64_t wall_ms, uint32_t *slot)
{
    dunlin_status status = claim(table, terms, sender.peer, slot);
    if (status != DUNLIN_OK) {
        return status;
    }
    dn_registration *registration = dn_registrations_at(table, *slot);
    uint32_t old_links = registration->links;
    registration->id = draw_id(table, *slot);
    registration->registered_ms = registration->updated_ms = wall_ms;
    registration->lifetime_s = terms->lifetime_s;
    registration->links = links;
    registration->version_major = terms->version_major;
    registration->version_minor = terms->version_minor;
    registration->binding = terms->binding;
    set_flags(registration, KEPT_FLAGS,
              (uint8_t)((terms->queue_mode ? DN_REGISTRATION_QUEUE_MODE : 0) |
                        dn_registration_security_flags(sender.security)));
    set_due(table, *slot, now_ms);
    put(table, *slot);
    if (old_links != DN_LINKS_NONE) {
        dn_link_lists_give(&table->lists, old_links); /* after the record that no longer names it */
    }
    return DUNLIN_OK;
}

static uint8_t change_terms(dn_registration *registration, const dn_parameters *terms)
{
    uint8_t changed = 0;
    if ((terms->present & DN_PARAMETER_LT) && terms->lifetime_s != registration->lifetime_s) {
        registration->lifetime_s = terms->lifetime_s;
        changed |= DN_REGISTRATION_LIFETIME;
    }
    /* Q goes with b: a new binding without it ends queue mode; Q alone begins it. */
    if (terms->present & (DN_PARAMETER_B | DN_PARAMETER_Q)) {
        uint8_t binding = terms->present & DN_PARAMETER_B ? terms->binding : registration->binding;
        uint8_t flags = terms->queue_mode ? DN_REGISTRATION_QUEUE_MODE : 0;
        if (binding != registration->binding || flags != (registration->flags & DN_REGISTRATION_QUEUE_MODE)) {
            registration->binding = binding;
            set_flags(registration, DN_REGISTRATION_QUEUE_MODE, flags);
            changed |= DN_REGISTRATION_BINDING;
        }
    }
    return changed;
}

dunlin_status dn_registrations_update(dn_registrations *table, uint32_t slot, const dn_parameters *terms,
                                      dn_sender sender, uint32_t links, uint64_t now_ms, int64_t wall_ms,
                                      uint8_t *changed)
{
    dn_registration *registration = dn_registrations_at(table, slot);
    bool says_sms = (terms->present & DN_PARAMETER_SMS) &&
                    !dunlin_slice_equal(terms->sms, dn_registration_sms(table, registration));
    uint32_t names = says_sms ? names_take(table, dn_registration_endpoint(table, registration), terms->sms)
                              : registration->names;
    if (names == DN_STRINGS_NONE) {
        return DUNLIN_ERR_MEMORY;
    }
    bool moved = !dn_peer_equal(sender.peer, &registration->peer);
    if (moved && !move_peer(table, slot, sender.peer)) {
        if (says_sms) {
            names_give(table, names);
        }
        return DUNLIN_ERR_MEMORY;
    }
    if (says_sms) {
        names_give(table, registration->names);
        registration->names = names;
    }
    *changed = (uint8_t)(change_terms(registration, terms) | (says_sms ? DN_REGISTRATION_SMS : 0) |
                         (moved ? DN_REGISTRATION_ADDRESS : 0));
    uint32_t old_links = registration->links;
    if (links != DN_LINKS_NONE) {
        registration->links = links;
        *changed |= links != old_links ? DN_REGISTRATION_OBJECTS : 0;
    }
    registration->updated_ms = wall_ms;
    set_due(table, slot, now_ms);
    bool is_proved_anew = dn_registration_security(registration->flags) != sender.security;
    set_flags(registration, DN_REGISTRATION_SECURITY, dn_registration_security_flags(sender.security));
    if (*changed != 0 || is_proved_anew) {
        put(table, slot);
    } else {
        dn_store *store = dn_durable_write(table->durable);
        store->ops->touch_registration(store, slot, wall_ms);
    }
    if (links != DN_LINKS_NONE) {
        dn_link_lists_give(&table->lists, old_links);
    }
    return DUNLIN_OK;
}

void dn_registrations_remove(dn_registrations *table, uint32_t slot)
{
    dn_registration *registration = dn_registrations_at(table, slot);
    dn_store *store = dn_durable_write(table->durable);
    store->ops->drop_registration(store, slot);
    dn_expiry_set(&table->expiry, slot, DN_EXPIRY_NEVER);
    dn_index_remove(&table->by_endpoint, hash_of(table, dn_registration_endpoint(table, registration)), slot);
    leave_peer(table, slot);
    names_give(table, registration->names);
    uint32_t links = registration->links;
    dn_slab_give(&table->slab, slot);
    dn_link_lists_give(&table->lists, links);
}

uint32_t dn_registrations_expired(dn_registrations *table, uint64_t now_ms, uint32_t *budget)
{
    return dn_expiry_take(&table->expiry, (uint32_t)(now_ms / 1000), budget);
}

uint64_t dn_registrations_deadline(const dn_registrations *table)
{
    uint32_t second = dn_expiry_next(&table->expiry);
    return second == DN_EXPIRY_NEVER ? UINT64_MAX : (uint64_t)second * 1000;
}

static bool is_plausible(const dn_registrations *table, const dn_store_registration *record)
{
    return record->id != 0 && ((uint32_t)record->id & SLOT_MASK) == record->slot &&
           record->slot < table->slab.max &&
           (record->slot >= table->slab.used || dn_registrations_at(table, record->slot)->id == 0) &&
           record->endpoint.len > 0 && record->endpoint.len <= DN_ENDPOINT_MAX &&
           record->sms.len <= DN_SMS_MAX && record->peer.len <= DN_PEER_MAX;
}

dunlin_status dn_registrations_load(dn_registrations *table, const dn_store_registration *record,
                                    uint64_t now_ms, int64_t wall_ms)
{
    uint32_t hash = hash_of(table, record->endpoint);
    if (!is_plausible(table, record) || find_hashed(table, record->endpoint, hash) != DN_SLOT_NONE ||
        !dn_link_lists_load_user(&table->lists, record->links)) {
        return DUNLIN_ERR_STORE;
    }
    uint32_t names = names_take(table, record->endpoint, record->sms);
    if (names == DN_STRINGS_NONE || !dn_slab_place(&table->slab, record->slot) ||
        !dn_index_put(&table->by_endpoint, hash, record->slot)) {
        return DUNLIN_ERR_MEMORY;
    }
    dn_registration *registration = dn_registrations_at(table, record->slot);
    *registration = (dn_registration){.names = names,
                                      .id = record->id,
                                      .registered_ms = record->registered_ms,
                                      .updated_ms = record->updated_ms,
                                      .lifetime_s = record->lifetime_s,
                                      .links = record->links,
                                      .version_major = record->version_major,
                                      .version_minor = record->version_minor,
                                      .binding = record->binding,
                                      .flags = record->flags & KEPT_FLAGS};
    if (!join_peer(table, record->slot, &record->peer)) {
        return DUNLIN_ERR_MEMORY;
    }
    /* The wall clock is the only one that ran while we did not; one that was set back must not prolong a
     * lifetime. */
    int64_t lifetime_ms = (int64_t)record->lifetime_s * 1000;
    int64_t left_ms = record->updated_ms + lifetime_ms - wall_ms;
    left_ms = left_ms < 0 ? 0 : left_ms > lifetime_ms ? lifetime_ms : left_ms;
    dn_expiry_set(&table->expiry, record->slot,
                  record->lifetime_s == 0 ? DN_EXPIRY_NEVER : due_at(now_ms, (uint64_t)left_ms));
    return DUNLIN_OK;
}

static bool in_use(const void *record)
{
    return ((const dn_registration *)record)->id != 0;
}

void dn_registrations_loaded(dn_registrations *table)
{
    dn_slab_placed(&table->slab, in_use);
    dn_link_lists_loaded(&table->lists);
}

bool dn_registrations_record(const dn_registrations *table, uint32_t slot, dn_store_registration *out)
{
    if (slot >= table->slab.used || dn_registrations_at(table, slot)->id == 0) {
        return false;
    }
    const dn_registration *registration = dn_registrations_at(table, slot);
    *out = (dn_store_registration){.slot = slot,
                                   .id = registration->id,
                                   .endpoint = dn_registration_endpoint(table, registration),
                                   .peer = registration->peer,
                                   .lifetime_s = registration->lifetime_s,
                                   .registered_ms = registration->registered_ms,
                                   .updated_ms = registration->updated_ms,
                                   .links = registration->links,
                                   .version_major = registration->version_major,
                                   .version_minor = registration->version_minor,
                                   .binding = registration->binding,
                                   .flags = registration->flags & KEPT_FLAGS,
                                   .sms = dn_registration_sms(table, registration)};
    return true;
}

void dn_registration_id_format(uint64_t id, char out[DN_REGISTRATION_ID_TEXT + 1])
{
    for (size_t i = DN_REGISTRATION_ID_TEXT; i-- > 0; id >>= 5) {
        out[i] = digits[id & 31];
    }
    out[DN_REGISTRATION_ID_TEXT] = '\0';
}

uint64_t dn_registration_id_parse(dunlin_slice text)
{
    uint64_t id = 0;
    if (text.len != DN_REGISTRATION_ID_TEXT) {
        return 0;
    }
    for (size_t i = 0; i < text.len; i++) {
        const char *digit = text.data[i] != 0 ? strchr(digits, text.data[i]) : NULL;
        if (digit == NULL || (i == 0 && digit - digits > 15)) {
            return 0; /* 13 digits of 5 bits are one bit more than an id has */
        }
        id = id << 5 | (uint64_t)(digit - digits);
    }
    return id;
}
