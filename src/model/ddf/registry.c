/* SPDX-License-Identifier: Apache-2.0 */
/* The registry: a sorted array of pointers to definitions, each in one block of memory with its resources and
 * texts. */
#include "model/ddf/registry.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DEFINITIONS 20000u

typedef struct definition {
    struct definition *older; /* replaced, but somebody may still hold it */
    dn_object_def def;
} definition;

struct dn_registry {
    pthread_rwlock_t lock;
    definition **entries; /* by id, then version */
    size_t count;
    size_t capacity;
};

dn_registry *dn_registry_create(void)
{
    dn_registry *registry = calloc(1, sizeof *registry);
    if (registry != NULL && pthread_rwlock_init(&registry->lock, NULL) != 0) {
        free(registry);
        return NULL;
    }
    return registry;
}

void dn_registry_free(dn_registry *registry)
{
    if (registry == NULL) {
        return;
    }
    for (size_t i = 0; i < registry->count; i++) {
        for (definition *d = registry->entries[i]; d != NULL;) {
            definition *older = d->older;
            free(d);
            d = older;
        }
    }
    free(registry->entries);
    (void)pthread_rwlock_destroy(&registry->lock);
    free(registry);
}

static size_t text_size(const char *text)
{
    return text == NULL ? 1 : strlen(text) + 1;
}

static const char *keep_text(char **at, const char *text)
{
    char *copy = *at;
    const size_t size = text_size(text);
    memcpy(copy, text == NULL ? "" : text, size);
    *at += size;
    return copy;
}

/* One block holds the definition, its resources and then all texts. */
static definition *copy_definition(const dn_object_def *source)
{
    size_t texts = text_size(source->name) + text_size(source->urn) + text_size(source->description);
    for (size_t i = 0; i < source->resource_count; i++) {
        const dn_resource_def *r = &source->resources[i];
        texts += text_size(r->name) + text_size(r->range) + text_size(r->unit) + text_size(r->description);
    }
    const size_t resources_size = source->resource_count * sizeof(dn_resource_def);
    char *block = malloc(sizeof(definition) + resources_size + texts);
    if (block == NULL) {
        return NULL;
    }
    definition *copy = (definition *)(void *)block;
    dn_resource_def *resources = (dn_resource_def *)(void *)(block + sizeof *copy);
    char *at = block + sizeof *copy + resources_size;
    copy->older = NULL;
    copy->def = *source;
    copy->def.name = keep_text(&at, source->name);
    copy->def.urn = keep_text(&at, source->urn);
    copy->def.description = keep_text(&at, source->description);
    copy->def.resources = resources;
    for (size_t i = 0; i < source->resource_count; i++) {
        resources[i] = source->resources[i];
        resources[i].name = keep_text(&at, source->resources[i].name);
        resources[i].range = keep_text(&at, source->resources[i].range);
        resources[i].unit = keep_text(&at, source->resources[i].unit);
        resources[i].description = keep_text(&at, source->resources[i].description);
    }
    return copy;
}

/* The first index whose key is not below (id, version). */
static size_t lower_bound(const dn_registry *registry, uint16_t id, dn_version version)
{
    size_t low = 0;
    size_t high = registry->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const dn_object_def *def = &registry->entries[middle]->def;
        if (def->id < id || (def->id == id && dn_version_compare(def->version, version) < 0)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static dunlin_status insert_locked(dn_registry *registry, definition *added)
{
    const size_t at = lower_bound(registry, added->def.id, added->def.version);
    if (at < registry->count && registry->entries[at]->def.id == added->def.id &&
        dn_version_compare(registry->entries[at]->def.version, added->def.version) == 0) {
        added->older = registry->entries[at];
        registry->entries[at] = added;
        return DUNLIN_OK;
    }
    if (registry->count >= MAX_DEFINITIONS) {
        return DUNLIN_ERR_LIMIT;
    }
    if (registry->count == registry->capacity) {
        const size_t capacity = registry->capacity == 0 ? 64 : registry->capacity * 2;
        definition **entries = realloc(registry->entries, capacity * sizeof(definition *));
        if (entries == NULL) {
            return DUNLIN_ERR_MEMORY;
        }
        registry->entries = entries;
        registry->capacity = capacity;
    }
    memmove(&registry->entries[at + 1], &registry->entries[at],
            (registry->count - at) * sizeof(definition *));
    registry->entries[at] = added;
    registry->count++;
    return DUNLIN_OK;
}

dunlin_status dn_registry_add(dn_registry *registry, const dn_object_def *object)
{
    definition *added = copy_definition(object);
    if (added == NULL) {
        return DUNLIN_ERR_MEMORY;
    }
    (void)pthread_rwlock_wrlock(&registry->lock);
    const dunlin_status status = insert_locked(registry, added);
    (void)pthread_rwlock_unlock(&registry->lock);
    if (status != DUNLIN_OK) {
        free(added);
    }
    return status;
}

/* The highest definition of `id` that is not above `version`'s major; NULL if none. */
static const dn_object_def *newest_locked(const dn_registry *registry, uint16_t id, uint8_t major)
{
    const size_t end = lower_bound(registry, id, (dn_version){major, UINT8_MAX});
    const bool exact = end < registry->count && registry->entries[end]->def.id == id &&
                       registry->entries[end]->def.version.major == major;
    const size_t at = exact ? end : end - 1;
    if (!exact && end == 0) {
        return NULL;
    }
    const dn_object_def *def = &registry->entries[at]->def;
    return def->id == id ? def : NULL;
}

const dn_object_def *dn_registry_find(dn_registry *registry, uint16_t id, dn_version version)
{
    (void)pthread_rwlock_rdlock(&registry->lock);
    const size_t at = lower_bound(registry, id, version);
    const dn_object_def *found = at < registry->count ? &registry->entries[at]->def : NULL;
    if (found == NULL || found->id != id || dn_version_compare(found->version, version) != 0) {
        found = newest_locked(registry, id, version.major);
        if (found != NULL && found->version.major != version.major) {
            found = NULL;
        }
    }
    (void)pthread_rwlock_unlock(&registry->lock);
    return found;
}

const dn_object_def *dn_registry_newest(dn_registry *registry, uint16_t id)
{
    (void)pthread_rwlock_rdlock(&registry->lock);
    const dn_object_def *found = newest_locked(registry, id, UINT8_MAX);
    (void)pthread_rwlock_unlock(&registry->lock);
    return found;
}

void dn_registry_each(dn_registry *registry, bool (*visit)(void *context, const dn_object_def *object),
                      void *context)
{
    (void)pthread_rwlock_rdlock(&registry->lock);
    for (size_t i = 0; i < registry->count && visit(context, &registry->entries[i]->def); i++) {
    }
    (void)pthread_rwlock_unlock(&registry->lock);
}
