/* SPDX-License-Identifier: Apache-2.0 */
/* Configurations in a growing array of versions, in order of endpoint and version; see memory_store.h. */
#include "bootstrap/memory_store.h"

#include "security/identity.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define MORE      16u
#define LIST_MOST 1000u

typedef struct {
    dn_bs_entry entry; /* its views are of `bytes` */
    uint8_t *bytes;
} kept;

typedef struct {
    dn_bs_store base;
    pthread_mutex_t lock;
    kept *list;
    size_t count, room;
    uint64_t generation;
    bool is_broken;
    int64_t (*wall_ms)(void *context);
    void *context;
} memory_store;

static memory_store *lock_of(dn_bs_store *store)
{
    memory_store *m = (memory_store *)store;
    (void)pthread_mutex_lock(&m->lock);
    return m;
}

static dunlin_status unlock(memory_store *m, dunlin_status status)
{
    (void)pthread_mutex_unlock(&m->lock);
    return status;
}

static int compare(dunlin_slice a, dunlin_slice b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len > 0 ? memcmp(a.data, b.data, len) : 0;
    return order != 0 ? order : a.len < b.len ? -1 : a.len > b.len;
}

/* True when it is the newest of its endpoint, and not a removal. */
static bool is_current(const memory_store *m, size_t index)
{
    const dn_bs_entry *entry = &m->list[index].entry;
    bool is_last = index + 1 == m->count || compare(m->list[index + 1].entry.endpoint, entry->endpoint) != 0;
    return is_last && !entry->is_removed;
}

/* The last version of exactly this name; NULL: never heard of. */
static kept *last_of(const memory_store *m, dunlin_slice endpoint)
{
    for (size_t i = m->count; i > 0; i--) {
        if (compare(m->list[i - 1].entry.endpoint, endpoint) == 0) {
            return &m->list[i - 1];
        }
    }
    return NULL;
}

static size_t literals(dunlin_slice pattern)
{
    size_t count = 0;
    for (size_t i = 0; i < pattern.len; i++) {
        count += pattern.data[i] != '*' && pattern.data[i] != '?';
    }
    return count;
}

static dunlin_status find(dn_bs_store *store, dunlin_slice endpoint,
                          void (*done)(void *context, const dn_bs_entry *entry), void *context)
{
    memory_store *m = lock_of(store);
    const dn_bs_entry *best = NULL;
    for (size_t i = 0; i < m->count && !m->is_broken; i++) {
        const dn_bs_entry *entry = &m->list[i].entry;
        if (!is_current(m, i)) {
            continue;
        }
        if (!entry->is_pattern && dunlin_slice_equal(entry->endpoint, endpoint)) {
            best = entry;
            break;
        }
        if (entry->is_pattern && dn_endpoint_matches(entry->endpoint, endpoint) &&
            (best == NULL || literals(entry->endpoint) > literals(best->endpoint))) {
            best = entry;
        }
    }
    if (best != NULL) {
        done(context, best);
    }
    return unlock(m, m->is_broken ? DUNLIN_ERR_STORE : best != NULL ? DUNLIN_OK : DUNLIN_ERR_NOT_FOUND);
}

static dunlin_status get(dn_bs_store *store, dunlin_slice endpoint, uint32_t version,
                         void (*done)(void *context, const dn_bs_entry *entry), void *context)
{
    memory_store *m = lock_of(store);
    dunlin_status status = m->is_broken ? DUNLIN_ERR_STORE : DUNLIN_ERR_NOT_FOUND;
    for (size_t i = 0; i < m->count && status == DUNLIN_ERR_NOT_FOUND; i++) {
        const dn_bs_entry *entry = &m->list[i].entry;
        bool wanted = version == 0 ? is_current(m, i) : entry->version == version && !entry->is_removed;
        if (wanted && dunlin_slice_equal(entry->endpoint, endpoint)) {
            done(context, entry);
            status = DUNLIN_OK;
        }
    }
    return unlock(m, status);
}

static bool make_room(memory_store *m)
{
    if (m->count < m->room) {
        return true;
    }
    kept *grown = realloc(m->list, (m->room + MORE) * sizeof *grown);
    if (grown == NULL) {
        return false;
    }
    m->list = grown;
    m->room += MORE;
    return true;
}

/* Adds a version behind the former ones of its endpoint. */
static dunlin_status add(memory_store *m, dunlin_slice endpoint, dunlin_slice document, bool is_removed,
                         uint32_t *version)
{
    size_t at = 0;
    uint8_t *bytes = malloc(endpoint.len + document.len + 1);
    if (bytes == NULL || !make_room(m)) {
        free(bytes);
        return DUNLIN_ERR_MEMORY;
    }
    const kept *last = last_of(m, endpoint);
    memcpy(bytes, endpoint.data, endpoint.len);
    if (document.len > 0) {
        memcpy(bytes + endpoint.len, document.data, document.len);
    }
    while (at < m->count && compare(m->list[at].entry.endpoint, endpoint) <= 0) {
        at++;
    }
    const int64_t now_ms = m->wall_ms != NULL ? m->wall_ms(m->context) : 1;
    dn_bs_entry entry = {.endpoint = dunlin_slice_make(bytes, endpoint.len),
                         .is_pattern = dn_endpoint_is_pattern(endpoint),
                         .version = last != NULL ? last->entry.version + 1 : 1,
                         .created_ms =
                             last != NULL && !last->entry.is_removed ? last->entry.created_ms : now_ms,
                         .changed_ms = now_ms,
                         .document = dunlin_slice_make(bytes + endpoint.len, document.len),
                         .is_removed = is_removed};
    memmove(&m->list[at + 1], &m->list[at], (m->count - at) * sizeof m->list[0]);
    m->list[at] = (kept){entry, bytes};
    m->count++;
    m->generation++;
    if (version != NULL) {
        *version = entry.version;
    }
    return DUNLIN_OK;
}

/* Whether the current version is as the caller expects. */
static bool is_expected(const memory_store *m, dunlin_slice endpoint, uint32_t expected)
{
    const kept *last = last_of(m, endpoint);
    bool exists = last != NULL && !last->entry.is_removed;
    return expected == 0 || (expected == UINT32_MAX ? !exists : exists && last->entry.version == expected);
}

static dunlin_status put(dn_bs_store *store, dunlin_slice endpoint, dunlin_slice document, uint32_t expected,
                         uint32_t *version)
{
    memory_store *m = lock_of(store);
    if (m->is_broken) {
        return unlock(m, DUNLIN_ERR_STORE);
    }
    if (endpoint.len == 0 || endpoint.len > DN_ENDPOINT_NAME_MAX) {
        return unlock(m, DUNLIN_ERR_ARGUMENT);
    }
    return unlock(m, is_expected(m, endpoint, expected) ? add(m, endpoint, document, false, version)
                                                        : DUNLIN_ERR_STATE);
}

static dunlin_status remove_one(dn_bs_store *store, dunlin_slice endpoint, uint32_t expected)
{
    memory_store *m = lock_of(store);
    const kept *last = last_of(m, endpoint);
    if (m->is_broken) {
        return unlock(m, DUNLIN_ERR_STORE);
    }
    if (last == NULL || last->entry.is_removed) {
        return unlock(m, DUNLIN_ERR_NOT_FOUND);
    }
    return unlock(m, is_expected(m, endpoint, expected)
                         ? add(m, endpoint, dunlin_slice_make(NULL, 0), true, NULL)
                         : DUNLIN_ERR_STATE);
}

static bool contains(dunlin_slice text, dunlin_slice part)
{
    return part.len == 0 ||
           (text.len >= part.len && memmem(text.data, text.len, part.data, part.len) != NULL);
}

static dunlin_status list(dn_bs_store *store, dunlin_slice after, uint32_t limit, dunlin_slice substring,
                          void (*done)(void *context, const dn_bs_page *page), void *context)
{
    memory_store *m = lock_of(store);
    dn_bs_entry *found = calloc(LIST_MOST, sizeof *found);
    dn_bs_page page = {.list = found};
    if (m->is_broken || found == NULL || limit == 0 || limit > LIST_MOST) {
        free(found);
        return unlock(m, m->is_broken    ? DUNLIN_ERR_STORE
                         : found == NULL ? DUNLIN_ERR_MEMORY
                                         : DUNLIN_ERR_ARGUMENT);
    }
    for (size_t i = 0; i < m->count; i++) {
        const dn_bs_entry *entry = &m->list[i].entry;
        if (!is_current(m, i) || compare(entry->endpoint, after) <= 0 ||
            !contains(entry->endpoint, substring)) {
            continue;
        }
        if (page.count == limit) {
            page.more = true;
            break;
        }
        found[page.count] = *entry;
        found[page.count++].document = dunlin_slice_make(NULL, 0);
    }
    done(context, &page);
    free(found);
    return unlock(m, DUNLIN_OK);
}

static dunlin_status versions(dn_bs_store *store, dunlin_slice endpoint,
                              void (*done)(void *context, const dn_bs_page *page), void *context)
{
    memory_store *m = lock_of(store);
    dn_bs_entry *found = calloc(m->count + 1, sizeof *found);
    dn_bs_page page = {.list = found};
    for (size_t i = m->count; i > 0 && found != NULL; i--) {
        if (compare(m->list[i - 1].entry.endpoint, endpoint) == 0) {
            found[page.count] = m->list[i - 1].entry;
            found[page.count++].document = dunlin_slice_make(NULL, 0);
        }
    }
    dunlin_status status = m->is_broken      ? DUNLIN_ERR_STORE
                           : found == NULL   ? DUNLIN_ERR_MEMORY
                           : page.count == 0 ? DUNLIN_ERR_NOT_FOUND
                                             : DUNLIN_OK;
    if (status == DUNLIN_OK) {
        done(context, &page);
    }
    free(found);
    return unlock(m, status);
}

static uint64_t count(dn_bs_store *store)
{
    memory_store *m = lock_of(store);
    uint64_t current = 0;
    for (size_t i = 0; i < m->count; i++) {
        current += is_current(m, i);
    }
    (void)unlock(m, DUNLIN_OK);
    return current;
}

static uint64_t generation(dn_bs_store *store)
{
    memory_store *m = lock_of(store);
    uint64_t number = m->generation;
    (void)unlock(m, DUNLIN_OK);
    return number;
}

static const char *error(dn_bs_store *store)
{
    return ((memory_store *)store)->is_broken ? "it was broken by a test" : "";
}

static void close_store(dn_bs_store *store)
{
    memory_store *m = (memory_store *)store;
    for (size_t i = 0; i < m->count; i++) {
        explicit_bzero(m->list[i].bytes, m->list[i].entry.endpoint.len + m->list[i].entry.document.len);
        free(m->list[i].bytes);
    }
    free(m->list);
    (void)pthread_mutex_destroy(&m->lock);
    free(m);
}

dunlin_status dn_bs_memory_store_open(int64_t (*wall_ms)(void *context), void *context, dn_bs_store **out)
{
    static const dn_bs_store_ops ops = {.find = find,
                                        .get = get,
                                        .put = put,
                                        .remove = remove_one,
                                        .list = list,
                                        .versions = versions,
                                        .count = count,
                                        .generation = generation,
                                        .error = error,
                                        .close = close_store};
    memory_store *m = calloc(1, sizeof *m);
    if (m == NULL) {
        return DUNLIN_ERR_MEMORY;
    }
    m->base.ops = &ops;
    m->wall_ms = wall_ms;
    m->context = context;
    m->generation = 1;
    (void)pthread_mutex_init(&m->lock, NULL);
    *out = &m->base;
    return DUNLIN_OK;
}

void dn_bs_memory_store_break(dn_bs_store *store, bool is_broken)
{
    memory_store *m = lock_of(store);
    m->is_broken = is_broken;
    (void)unlock(m, DUNLIN_OK);
}
