/* SPDX-License-Identifier: Apache-2.0 */
/* Profiles of devices and their cache; see profile.h. */
#include "api/profile.h"

#include "base/hash.h"
#include "codec/link.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    dn_profile shown; /* first, so that a dn_profile is one of these */
    atomic_uint references;
    dn_profile_entry entries[];
} counted;

typedef struct {
    pthread_mutex_t lock;
    uint64_t generation; /* grows whenever something here is forgotten */
    dn_profile *profile;
} slot;

struct dn_profiles {
    dn_hash_key key;
    size_t mask;
    slot slots[];
};

/* The number that `text` starts with, and what follows a blank or comma; false at the end or for anything else. */
static bool next_number(dunlin_slice text, size_t *at, uint32_t *number)
{
    while (*at < text.len && (text.data[*at] == ' ' || text.data[*at] == ',')) {
        (*at)++;
    }
    size_t first = *at;
    *number = 0;
    while (*at < text.len && *at - first < 6 && text.data[*at] >= '0' && text.data[*at] <= '9') {
        *number = *number * 10 + (text.data[(*at)++] - '0');
    }
    return *at > first;
}

/* The root link: </lwm2m>;rt="oma.lwm2m";ct="110 112" (Core 1.1.1 section 6.2.1). */
static void read_root(dn_profile *profile, const dn_link *link)
{
    dn_link_param param;
    bool named = dn_link_param_find(link, "rt", &param) == DUNLIN_OK &&
                 dunlin_slice_equal(param.value, dunlin_slice_of("oma.lwm2m"));
    bool bare = link->target.len == 1 && link->target.data[0] == '/';
    if (!named && !bare) {
        return;
    }
    if (named && link->target.len > 0 && link->target.len < DN_PROFILE_ROOT_MAX) {
        memcpy(profile->root, link->target.data, link->target.len);
        profile->root[link->target.len] = 0;
    }
    if (dn_link_param_find(link, "ct", &param) != DUNLIN_OK) {
        return;
    }
    uint32_t number;
    size_t at = 0;
    while (profile->format_count < DN_PROFILE_FORMATS && next_number(param.value, &at, &number)) {
        if (number < UINT16_MAX) {
            profile->formats[profile->format_count++] = (uint16_t)number;
        }
    }
}

static int compare_entries(const void *a, const void *b)
{
    const dn_profile_entry *left = a;
    const dn_profile_entry *right = b;
    if (left->object != right->object) {
        return left->object < right->object ? -1 : 1;
    }
    /* The object's own link has the largest instance number: it comes last. */
    return left->instance == right->instance ? 0 : left->instance < right->instance ? -1 : 1;
}

/* Gives every entry of an object the version that one of its links names, else the implied one (Core 1.1.1 section 7.2.2). */
static void settle_versions(counted *made)
{
    size_t first = 0;
    while (first < made->shown.entry_count) {
        size_t end = first;
        dn_version version = dn_version_implied(made->entries[first].object, made->shown.lwm2m);
        for (; end < made->shown.entry_count && made->entries[end].object == made->entries[first].object;
             end++) {
            if (made->entries[end].version.major != 0) { /* 0.0: its link named none */
                version = made->entries[end].version;
            }
        }
        for (; first < end; first++) {
            made->entries[first].version = version;
        }
    }
}

static size_t count_links(dunlin_slice links)
{
    size_t count = 1;
    for (size_t i = 0; i < links.len; i++) {
        count += links.data[i] == ',';
    }
    return count;
}

static void read_links(counted *made, dunlin_slice links)
{
    dn_link_reader reader;
    dn_link link;
    dn_links_read(&reader, links);
    while (dn_links_next(&reader, &link) == DUNLIN_OK) {
        read_root(&made->shown, &link);
    }
    dunlin_slice root = dunlin_slice_of(made->shown.root);
    dn_links_read(&reader, links);
    while (dn_links_next(&reader, &link) == DUNLIN_OK) {
        dunlin_path path;
        if (dn_link_path(&link, root, &path) != DUNLIN_OK || path.depth < 1 || path.depth > 2) {
            continue;
        }
        dn_profile_entry *entry = &made->entries[made->shown.entry_count++];
        *entry = (dn_profile_entry){.object = path.id[0],
                                    .instance = path.depth == 2 ? path.id[1] : (uint16_t)DUNLIN_ID_NONE};
        dn_link_param param;
        if (dn_link_param_find(&link, "ver", &param) == DUNLIN_OK) {
            dn_version version;
            if (dn_version_parse(param.value, &version) == DUNLIN_OK) {
                entry->version = version;
            }
        }
    }
}

dn_profile *dn_profile_create(const dn_client_view *client)
{
    size_t links = count_links(client->links);
    counted *made = calloc(1, sizeof *made + links * sizeof made->entries[0] + client->endpoint.len);
    if (made == NULL) {
        return NULL;
    }
    atomic_init(&made->references, 1);
    dn_profile *profile = &made->shown;
    profile->lwm2m = (dn_version){client->version_major, client->version_minor};
    profile->root[0] = '/';
    profile->entries = made->entries;
    uint8_t *name = (uint8_t *)(made->entries + links);
    if (client->endpoint.len > 0) {
        memcpy(name, client->endpoint.data, client->endpoint.len);
    }
    profile->endpoint = dunlin_slice_make(name, client->endpoint.len);
    read_links(made, client->links);
    qsort(made->entries, profile->entry_count, sizeof made->entries[0], compare_entries);
    settle_versions(made);
    return profile;
}

dn_profile *dn_profile_hold(dn_profile *profile)
{
    counted *made = (counted *)(void *)profile;
    atomic_fetch_add_explicit(&made->references, 1, memory_order_relaxed);
    return profile;
}

void dn_profile_release(dn_profile *profile)
{
    counted *made = (counted *)(void *)profile;
    if (made != NULL && atomic_fetch_sub_explicit(&made->references, 1, memory_order_acq_rel) == 1) {
        free(made);
    }
}

bool dn_profile_version(const dn_profile *profile, uint16_t object, dn_version *version)
{
    size_t low = 0;
    size_t high = profile->entry_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (profile->entries[middle].object < object) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == profile->entry_count || profile->entries[low].object != object) {
        return false;
    }
    *version = profile->entries[low].version;
    return true;
}

bool dn_profile_announced(const dn_profile *profile, uint16_t format)
{
    for (size_t i = 0; i < profile->format_count; i++) {
        if (profile->formats[i] == format) {
            return true;
        }
    }
    return false;
}

dn_profiles *dn_profiles_create(uint32_t slots, const dn_random *random)
{
    size_t count = 1;
    while (count < slots) {
        count *= 2;
    }
    dn_profiles *profiles = calloc(1, sizeof *profiles + count * sizeof profiles->slots[0]);
    if (profiles == NULL) {
        return NULL;
    }
    random->fill(random->context, &profiles->key, sizeof profiles->key);
    profiles->mask = count - 1;
    for (size_t i = 0; i < count; i++) {
        pthread_mutex_init(&profiles->slots[i].lock, NULL);
    }
    return profiles;
}

void dn_profiles_free(dn_profiles *profiles)
{
    if (profiles == NULL) {
        return;
    }
    dn_profiles_forget_all(profiles);
    for (size_t i = 0; i <= profiles->mask; i++) {
        pthread_mutex_destroy(&profiles->slots[i].lock);
    }
    free(profiles);
}

static slot *slot_of(dn_profiles *profiles, dunlin_slice endpoint)
{
    return &profiles->slots[dn_hash(&profiles->key, endpoint) & profiles->mask];
}

dn_profile *dn_profiles_get(dn_profiles *profiles, dunlin_slice endpoint, uint64_t *ticket)
{
    slot *place = slot_of(profiles, endpoint);
    pthread_mutex_lock(&place->lock);
    dn_profile *found = NULL;
    if (place->profile != NULL && dunlin_slice_equal(place->profile->endpoint, endpoint)) {
        found = dn_profile_hold(place->profile);
    }
    *ticket = place->generation;
    pthread_mutex_unlock(&place->lock);
    return found;
}

void dn_profiles_put(dn_profiles *profiles, dn_profile *profile, uint64_t ticket)
{
    slot *place = slot_of(profiles, profile->endpoint);
    dn_profile *old = NULL;
    pthread_mutex_lock(&place->lock);
    if (place->generation == ticket) {
        old = place->profile;
        place->profile = dn_profile_hold(profile);
    }
    pthread_mutex_unlock(&place->lock);
    dn_profile_release(old);
}

static void forget(slot *place)
{
    pthread_mutex_lock(&place->lock);
    dn_profile *old = place->profile;
    place->profile = NULL;
    place->generation++;
    pthread_mutex_unlock(&place->lock);
    dn_profile_release(old);
}

void dn_profiles_forget(dn_profiles *profiles, dunlin_slice endpoint)
{
    forget(slot_of(profiles, endpoint));
}

void dn_profiles_forget_all(dn_profiles *profiles)
{
    for (size_t i = 0; i <= profiles->mask; i++) {
        forget(&profiles->slots[i]);
    }
}

void dn_version_text(dn_version version, char out[16])
{
    snprintf(out, 16, "%u.%u", version.major, version.minor);
}
