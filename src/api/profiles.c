/* SPDX-License-Identifier: Apache-2.0 */
/* The caches of profiles; see profile.h. Each is a table of places without chains: a newcomer takes the place of whoever is there. */
#include "api/profile.h"

#include "base/hash.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    pthread_mutex_t lock;
    uint64_t generation; /* grows whenever something here is forgotten */
    uint8_t *key;        /* an endpoint's name, or a list of links */
    size_t key_len;
    dn_profile *profile; /* NULL: empty */
} place;

struct dn_profiles {
    dn_hash_key key;
    size_t mask;
    place *by_endpoint;
    place *by_content;
};

static place *make_places(size_t count)
{
    place *places = calloc(count, sizeof *places);
    for (size_t i = 0; places != NULL && i < count; i++) {
        pthread_mutex_init(&places[i].lock, NULL);
    }
    return places;
}

dn_profiles *dn_profiles_create(uint32_t slots, const dn_random *random)
{
    size_t count = 1;
    while (count < slots) {
        count *= 2;
    }
    dn_profiles *profiles = calloc(1, sizeof *profiles);
    if (profiles == NULL) {
        return NULL;
    }
    random->fill(random->context, &profiles->key, sizeof profiles->key);
    profiles->mask = count - 1;
    profiles->by_endpoint = make_places(count);
    profiles->by_content = make_places(count);
    if (profiles->by_endpoint == NULL || profiles->by_content == NULL) {
        dn_profiles_free(profiles);
        return NULL;
    }
    return profiles;
}

/* Under the lock. What it gives back is to be freed after it. */
static place empty(place *at)
{
    place old = {.key = at->key, .profile = at->profile};
    at->key = NULL;
    at->key_len = 0;
    at->profile = NULL;
    return old;
}

static void drop(place old)
{
    dn_profile_release(old.profile);
    free(old.key);
}

static void free_places(place *places, size_t count)
{
    for (size_t i = 0; places != NULL && i < count; i++) {
        drop(empty(&places[i]));
        pthread_mutex_destroy(&places[i].lock);
    }
    free(places);
}

void dn_profiles_free(dn_profiles *profiles)
{
    if (profiles != NULL) {
        free_places(profiles->by_endpoint, profiles->mask + 1);
        free_places(profiles->by_content, profiles->mask + 1);
        free(profiles);
    }
}

static place *place_of(const dn_profiles *profiles, place *places, dunlin_slice key)
{
    return &places[dn_hash(&profiles->key, key) & profiles->mask];
}

/* Under the lock: the profile held for the caller, if it is that of `key`. */
static dn_profile *look(const place *at, dunlin_slice key)
{
    bool same = at->profile != NULL && dunlin_slice_equal(dunlin_slice_make(at->key, at->key_len), key);
    return same ? dn_profile_hold(at->profile) : NULL;
}

/* Under the lock: puts `profile` in, and gives back who was there. */
static place replace(place *at, dunlin_slice key, dn_profile *profile)
{
    place old = {.profile = NULL};
    uint8_t *copy = malloc(key.len + 1);
    if (copy != NULL) {
        old = empty(at);
        if (key.len > 0) {
            memcpy(copy, key.data, key.len);
        }
        at->key = copy;
        at->key_len = key.len;
        at->profile = dn_profile_hold(profile);
    }
    return old;
}

dn_profile *dn_profiles_take(dn_profiles *profiles, dn_version lwm2m, dunlin_slice links)
{
    place *at = place_of(profiles, profiles->by_content, links);
    place old = {.profile = NULL};
    pthread_mutex_lock(&at->lock);
    dn_profile *profile = look(at, links);
    if (profile != NULL && dn_version_compare(profile->lwm2m, lwm2m) != 0) {
        dn_profile_release(profile);
        profile = NULL;
    }
    if (profile == NULL) {
        profile = dn_profile_create(lwm2m, links);
        if (profile != NULL) {
            old = replace(at, links, profile);
        }
    }
    pthread_mutex_unlock(&at->lock);
    drop(old);
    return profile;
}

dn_profile *dn_profiles_get(dn_profiles *profiles, dunlin_slice endpoint, uint64_t *ticket)
{
    place *at = place_of(profiles, profiles->by_endpoint, endpoint);
    pthread_mutex_lock(&at->lock);
    dn_profile *profile = look(at, endpoint);
    *ticket = at->generation;
    pthread_mutex_unlock(&at->lock);
    return profile;
}

void dn_profiles_put(dn_profiles *profiles, dunlin_slice endpoint, dn_profile *profile, uint64_t ticket)
{
    place *at = place_of(profiles, profiles->by_endpoint, endpoint);
    place old = {.profile = NULL};
    pthread_mutex_lock(&at->lock);
    if (at->generation == ticket) {
        old = replace(at, endpoint, profile);
    }
    pthread_mutex_unlock(&at->lock);
    drop(old);
}

static void forget(place *at)
{
    pthread_mutex_lock(&at->lock);
    place old = empty(at);
    at->generation++;
    pthread_mutex_unlock(&at->lock);
    drop(old);
}

void dn_profiles_forget(dn_profiles *profiles, dunlin_slice endpoint)
{
    forget(place_of(profiles, profiles->by_endpoint, endpoint));
}

void dn_profiles_forget_all(dn_profiles *profiles)
{
    for (size_t i = 0; i <= profiles->mask; i++) {
        forget(&profiles->by_endpoint[i]);
    }
}
