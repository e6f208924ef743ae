/* SPDX-License-Identifier: Apache-2.0 */
/* The table of requests that were handed on; see est_pending.h. */
#include "bootstrap/est_pending.h"

#include "security/identity.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define ACCEPTED     202u
#define WAIT_S       1u /* an authority answers within a second, or says how long it takes; else the pauses grow, */
#define WAIT_SLOW_S  30u /* for who asks gives up after so many of them */
#define WAIT_MOST_S  86400u
#define HANDED_ON_MS 120000u /* without an answer for so long it was lost */
#define MS_PER_S     1000u

typedef struct {
    uint64_t number; /* 0: free */
    uint64_t shared; /* as dn_est_wanted has it */
    bool is_renewal, is_answered;
    unsigned http_status;
    uint32_t retry_s;  /* of a 202; reckoned from when it is looked at first */
    uint64_t asked_ms; /* when it was asked for last */
    uint64_t begun_ms; /* when it was handed on, or answered */
    uint64_t not_before_ms;
    dunlin_slice endpoint, request, payload; /* owned */
} entry;

struct dn_est_pending {
    pthread_mutex_t lock;
    uint64_t last;
    entry entries[DN_EST_PENDING_MAX];
    uint8_t shown[DN_ENROLL_SET_MAX]; /* what a look gave */
};

dn_est_pending *dn_est_pending_create(void)
{
    dn_est_pending *pending = calloc(1, sizeof *pending);
    if (pending != NULL && pthread_mutex_init(&pending->lock, NULL) != 0) {
        free(pending);
        pending = NULL;
    }
    return pending;
}

static void drop(dunlin_slice *owned)
{
    free((void *)(uintptr_t)owned->data);
    *owned = dunlin_slice_make(NULL, 0);
}

static bool keep(dunlin_slice *out, dunlin_slice bytes)
{
    uint8_t *copy = bytes.len == 0 ? NULL : malloc(bytes.len);
    if (bytes.len > 0 && copy == NULL) {
        return false;
    }
    if (copy != NULL) {
        memcpy(copy, bytes.data, bytes.len);
    }
    *out = dunlin_slice_make(copy, bytes.len);
    return true;
}

static void clear(entry *e)
{
    drop(&e->endpoint);
    drop(&e->request);
    drop(&e->payload);
    memset(e, 0, sizeof *e);
}

void dn_est_pending_destroy(dn_est_pending *pending)
{
    if (pending != NULL) {
        for (size_t i = 0; i < DN_EST_PENDING_MAX; i++) {
            clear(&pending->entries[i]);
        }
        (void)pthread_mutex_destroy(&pending->lock);
        free(pending);
    }
}

static entry *find(dn_est_pending *pending, uint64_t number)
{
    for (size_t i = 0; i < DN_EST_PENDING_MAX; i++) {
        if (number != 0 && pending->entries[i].number == number) {
            return &pending->entries[i];
        }
    }
    return NULL;
}

static bool is_same(const entry *e, const dn_est_wanted *wanted)
{
    return e->number != 0 && e->is_renewal == wanted->is_renewal &&
           dunlin_slice_equal(e->endpoint, wanted->endpoint) &&
           dunlin_slice_equal(e->request, wanted->request);
}

/* What nobody has asked for in a while, the authority's certificates when they are old, and what was lost. */
static bool is_stale(const entry *e, uint64_t now_ms)
{
    if (e->is_answered) {
        return e->request.len == 0 ? now_ms - e->begun_ms > DN_EST_AUTHORITY_MS
                                   : now_ms - e->asked_ms > DN_EST_KEPT_MS;
    }
    return e->not_before_ms == 0 ? now_ms - e->begun_ms > HANDED_ON_MS
                                 : now_ms - e->asked_ms > DN_EST_KEPT_MS;
}

/* Those of one device, or of one credential that many share. */
typedef struct {
    size_t count;
    entry *oldest; /* of those that are answered: the device has most probably got it */
} share;

static void add(share *of, entry *e)
{
    of->count++;
    if (e->is_answered && (of->oldest == NULL || e->asked_ms < of->oldest->asked_ms)) {
        of->oldest = e;
    }
}

static bool fits(const share *of, size_t most)
{
    return of->count < most || of->oldest != NULL;
}

/* A free entry, or one that gives way to a newer one of the same device or credential; NULL: DN_EST_ENOUGH, or none is free. */
static entry *make_place(entry *unused, const share *name, const share *shared, dn_est_standing *standing)
{
    entry *e = unused;
    *standing = DN_EST_FULL;
    if (!fits(name, DN_EST_OF_NAME_MAX) || !fits(shared, DN_EST_OF_SHARED_MAX)) {
        *standing = DN_EST_ENOUGH;
        return NULL;
    }
    if (name->count >= DN_EST_OF_NAME_MAX) {
        e = name->oldest;
    } else if (shared->count >= DN_EST_OF_SHARED_MAX) {
        e = shared->oldest;
    }
    if (e != NULL) {
        clear(e);
    }
    return e;
}

/* The one of this request, or a free entry; NULL: there can be none, `standing`. */
static entry *place_for(dn_est_pending *pending, const dn_est_wanted *wanted, uint64_t now_ms,
                        dn_est_standing *standing)
{
    entry *unused = NULL;
    share name = {0};
    share shared = {0};
    for (size_t i = 0; i < DN_EST_PENDING_MAX; i++) {
        entry *e = &pending->entries[i];
        if (e->number != 0 && is_stale(e, now_ms)) {
            clear(e);
        }
        if (is_same(e, wanted)) {
            return e;
        }
        unused = unused == NULL && e->number == 0 ? e : unused;
        if (e->number != 0 && wanted->endpoint.len > 0 && dunlin_slice_equal(e->endpoint, wanted->endpoint)) {
            add(&name, e);
        }
        if (e->number != 0 && wanted->shared != 0 && e->shared == wanted->shared) {
            add(&shared, e);
        }
    }
    return make_place(unused, &name, &shared, standing);
}

static dn_est_standing begin(dn_est_pending *pending, entry *e, uint64_t now_ms)
{
    e->number = ++pending->last; /* a late answer to the former number is nobody's */
    e->is_answered = false;
    e->begun_ms = now_ms;
    e->not_before_ms = 0;
    drop(&e->payload);
    return DN_EST_NEW;
}

/* Half of what it has taken so far. */
static uint32_t patience_s(const entry *e, uint64_t now_ms)
{
    const uint64_t wait_s = WAIT_S + (now_ms - e->begun_ms) / MS_PER_S / 2;
    return wait_s < WAIT_SLOW_S ? (uint32_t)wait_s : WAIT_SLOW_S;
}

static dn_est_standing stand(dn_est_pending *pending, entry *e, uint64_t now_ms, dn_est_look *out)
{
    if (e->is_answered && e->http_status == ACCEPTED) {
        e->is_answered = false;
        e->not_before_ms = now_ms + (uint64_t)e->retry_s * MS_PER_S;
    }
    if (e->is_answered) {
        memcpy(pending->shown, e->payload.data == NULL ? pending->shown : e->payload.data, e->payload.len);
        out->payload = dunlin_slice_make(pending->shown, e->payload.len);
        out->http_status = e->http_status;
        return DN_EST_ANSWERED;
    }
    if (e->not_before_ms != 0 && now_ms >= e->not_before_ms) {
        return begin(pending, e, now_ms);
    }
    out->is_put_off = e->not_before_ms != 0;
    const uint64_t wait_ms = e->not_before_ms == 0 ? 0 : e->not_before_ms - now_ms;
    out->wait_s =
        e->not_before_ms == 0 ? patience_s(e, now_ms) : (uint32_t)((wait_ms + MS_PER_S - 1) / MS_PER_S);
    return DN_EST_WAITING;
}

void dn_est_pending_look(dn_est_pending *pending, const dn_est_wanted *wanted, uint64_t now_ms,
                         dn_est_look *out)
{
    memset(out, 0, sizeof *out);
    (void)pthread_mutex_lock(&pending->lock);
    entry *e = place_for(pending, wanted, now_ms, &out->standing);
    if (e == NULL) {
        /* as `standing` has it */
    } else if (e->number != 0) {
        out->standing = stand(pending, e, now_ms, out);
    } else if (keep(&e->endpoint, wanted->endpoint) && keep(&e->request, wanted->request)) {
        e->is_renewal = wanted->is_renewal;
        e->shared = wanted->shared;
        out->standing = begin(pending, e, now_ms);
    } else {
        clear(e);
        e = NULL;
        out->standing = DN_EST_FULL;
    }
    if (e != NULL) {
        e->asked_ms = now_ms;
        out->number = e->number;
        out->wait_s = out->standing == DN_EST_NEW ? WAIT_S : out->wait_s;
    }
    (void)pthread_mutex_unlock(&pending->lock);
}

void dn_est_pending_forget(dn_est_pending *pending, uint64_t number)
{
    (void)pthread_mutex_lock(&pending->lock);
    entry *e = find(pending, number);
    if (e != NULL) {
        clear(e);
    }
    (void)pthread_mutex_unlock(&pending->lock);
}

void dn_est_pending_answer(dn_est_pending *pending, uint64_t number, unsigned http_status, uint32_t retry_s,
                           dunlin_slice payload)
{
    (void)pthread_mutex_lock(&pending->lock);
    entry *e = find(pending, number);
    if (e != NULL && !e->is_answered) {
        drop(&e->payload);
        e->is_answered = true;
        e->http_status = http_status;
        e->retry_s = retry_s == 0 ? 1 : retry_s < WAIT_MOST_S ? retry_s : WAIT_MOST_S;
        e->begun_ms = e->asked_ms;
        if (payload.len > DN_ENROLL_SET_MAX || !keep(&e->payload, payload)) {
            e->http_status = 0;
        }
    }
    (void)pthread_mutex_unlock(&pending->lock);
}
