/* SPDX-License-Identifier: Apache-2.0 */
/* What sessions are resumed from; see the header. A hash table by session id, its entries in the order of their making besides. */
#include "security/gnutls_resume.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define SESSION_ID_MAX 32u
#define LIFETIME_MAX_S 604800u /* the library's own limit, a week */

typedef struct entry entry;
struct entry {
    entry *next_in_bucket;
    entry *newer;
    uint8_t id_len;
    uint8_t id[SESSION_ID_MAX];
    unsigned size;
    uint8_t data[];
};

struct dn_resume {
    pthread_mutex_t lock;
    gnutls_datum_t ticket_key; /* empty: there was no memory for another; no tickets then */
    uint32_t limit, count, mask;
    uint32_t lifetime_s;
    uint64_t drops;
    entry *oldest, *newest;
    entry **buckets;
};

/* Ids are drawn at random by this server, so their first bytes spread well; a forged one finds nothing. */
static entry **bucket_of(dn_resume *resume, gnutls_datum_t id)
{
    uint32_t hash = 0;
    memcpy(&hash, id.data, id.size < sizeof hash ? id.size : sizeof hash);
    return &resume->buckets[hash & resume->mask];
}

static entry **find(dn_resume *resume, gnutls_datum_t id)
{
    entry **at = bucket_of(resume, id);
    while (*at != NULL && ((*at)->id_len != id.size || memcmp((*at)->id, id.data, id.size) != 0)) {
        at = &(*at)->next_in_bucket;
    }
    return at;
}

static void wipe_free(void *bytes, size_t len)
{
    if (bytes != NULL) {
        gnutls_memset(bytes, 0, len);
        free(bytes);
    }
}

static void drop_oldest(dn_resume *resume)
{
    entry *gone = resume->oldest;
    entry **at = find(resume, (gnutls_datum_t){gone->id, gone->id_len});
    *at = gone->next_in_bucket;
    resume->oldest = gone->newer;
    resume->newest = resume->oldest == NULL ? NULL : resume->newest;
    resume->count--;
    wipe_free(gone, sizeof *gone + gone->size);
}

static int store(void *context, gnutls_datum_t id, gnutls_datum_t data)
{
    dn_resume *resume = context;
    if (resume->limit == 0 || id.size == 0 || id.size > SESSION_ID_MAX) {
        return -1;
    }
    entry *made = calloc(1, sizeof *made + data.size);
    if (made == NULL) {
        return -1;
    }
    made->id_len = (uint8_t)id.size;
    memcpy(made->id, id.data, id.size);
    made->size = data.size;
    memcpy(made->data, data.data, data.size);
    (void)pthread_mutex_lock(&resume->lock);
    entry **at = find(resume, id);
    const bool is_new = *at == NULL;
    if (is_new) {
        *at = made;
        if (resume->newest != NULL) {
            resume->newest->newer = made;
        }
        resume->newest = made;
        resume->oldest = resume->oldest == NULL ? made : resume->oldest;
        if (++resume->count > resume->limit) {
            drop_oldest(resume);
        }
    }
    (void)pthread_mutex_unlock(&resume->lock);
    if (!is_new) {
        wipe_free(made, sizeof *made + made->size);
    }
    return is_new ? 0 : -1;
}

static gnutls_datum_t retrieve(void *context, gnutls_datum_t id)
{
    dn_resume *resume = context;
    gnutls_datum_t data = {NULL, 0};
    if (id.size == 0 || id.size > SESSION_ID_MAX) {
        return data;
    }
    (void)pthread_mutex_lock(&resume->lock);
    const entry *found = *find(resume, id);
    if (found != NULL && found->size > 0) {
        data.data = gnutls_malloc(found->size);
        if (data.data != NULL) {
            memcpy(data.data, found->data, found->size);
            data.size = found->size;
        }
    }
    (void)pthread_mutex_unlock(&resume->lock);
    return data;
}

/* The library calls this for sessions that failed: what they left is forgotten when its turn comes, and worth nothing to others. */
static int forget(void *context, gnutls_datum_t id)
{
    dn_resume *resume = context;
    (void)pthread_mutex_lock(&resume->lock);
    entry *found = id.size > 0 && id.size <= SESSION_ID_MAX ? *find(resume, id) : NULL;
    if (found != NULL) {
        gnutls_memset(found->data, 0, found->size);
        found->size = 0;
    }
    (void)pthread_mutex_unlock(&resume->lock);
    return 0;
}

dn_resume *dn_resume_create(uint32_t limit, uint32_t lifetime_s)
{
    dn_resume *resume = calloc(1, sizeof *resume);
    if (resume == NULL) {
        return NULL;
    }
    uint32_t buckets = 1;
    while (buckets < limit && buckets < 1u << 20) {
        buckets *= 2;
    }
    resume->buckets = calloc(buckets, sizeof(entry *));
    resume->mask = buckets - 1;
    resume->limit = limit;
    resume->lifetime_s = lifetime_s < LIFETIME_MAX_S ? lifetime_s : LIFETIME_MAX_S;
    if (resume->buckets == NULL || gnutls_session_ticket_key_generate(&resume->ticket_key) < 0) {
        free(resume->buckets);
        free(resume);
        return NULL;
    }
    (void)pthread_mutex_init(&resume->lock, NULL);
    return resume;
}

static void free_key(gnutls_datum_t *key)
{
    if (key->data != NULL) {
        gnutls_memset(key->data, 0, key->size);
        gnutls_free(key->data);
    }
}

void dn_resume_free(dn_resume *resume)
{
    if (resume == NULL) {
        return;
    }
    while (resume->oldest != NULL) {
        drop_oldest(resume);
    }
    free_key(&resume->ticket_key);
    (void)pthread_mutex_destroy(&resume->lock);
    free(resume->buckets);
    free(resume);
}

void dn_resume_drop(dn_resume *resume)
{
    gnutls_datum_t fresh = {NULL, 0};
    if (gnutls_session_ticket_key_generate(&fresh) < 0) {
        fresh = (gnutls_datum_t){NULL, 0};
    }
    (void)pthread_mutex_lock(&resume->lock);
    while (resume->oldest != NULL) {
        drop_oldest(resume);
    }
    resume->drops++;
    gnutls_datum_t old = resume->ticket_key;
    resume->ticket_key = fresh;
    (void)pthread_mutex_unlock(&resume->lock);
    free_key(&old);
}

bool dn_resume_enable(dn_resume *resume, gnutls_session_t session, uint64_t *drops)
{
    gnutls_db_set_ptr(session, resume);
    gnutls_db_set_store_function(session, store);
    gnutls_db_set_retrieve_function(session, retrieve);
    gnutls_db_set_remove_function(session, forget);
    gnutls_db_set_cache_expiration(session, (int)resume->lifetime_s);
    (void)pthread_mutex_lock(&resume->lock);
    *drops = resume->drops;
    const int result = resume->ticket_key.data == NULL
                           ? 0
                           : gnutls_session_ticket_enable_server(session, &resume->ticket_key);
    (void)pthread_mutex_unlock(&resume->lock);
    return result >= 0;
}

uint64_t dn_resume_drops(dn_resume *resume)
{
    (void)pthread_mutex_lock(&resume->lock);
    const uint64_t drops = resume->drops;
    (void)pthread_mutex_unlock(&resume->lock);
    return drops;
}
