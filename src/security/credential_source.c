/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A keeper of credentials that keeps none: it asks the application (dunlin/credentials.h). Of changes it remembers when they happened, so
 * that a handshake which has begun before one does not end well after it.
 */
#include "security/credentials.h"

#include <dunlin/credentials.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS \
    1024u /* numbers that share one are taken to have changed together: a handshake is done anew then, no more */

typedef struct {
    dn_credentials base;
    dunlin_credential_source source;
    atomic_uint_least64_t changes;     /* so far */
    atomic_uint_least64_t last[SLOTS]; /* by number: the last change, as a count of all */
    atomic_uint_least64_t last_of_all; /* the last that was of every credential */
    pthread_mutex_t watch_lock;        /* around base.changed and what it does */
} asker;

struct dunlin_credential_answer {
    dn_credential *out;
    bool is_given;
};

static asker *asker_of(dn_credentials *credentials)
{
    return (asker *)(void *)credentials;
}

dunlin_status dunlin_credential_found(dunlin_credential_answer *answer, uint64_t number,
                                      dunlin_slice endpoint, dunlin_slice key)
{
    dn_credential *out = answer->out;
    const bool is_psk = out->mode == DN_SECURITY_PSK;
    const bool is_pattern = dn_endpoint_is_pattern(endpoint);
    const bool has_key = key.len >= DN_PSK_KEY_MIN && key.len <= DN_PSK_KEY_MAX;
    if (number == DUNLIN_CREDENTIALS_ALL || endpoint.len == 0 || endpoint.len > sizeof out->endpoint ||
        (is_psk ? !has_key : key.len > 0 || is_pattern)) {
        return DUNLIN_ERR_ARGUMENT;
    }
    out->number = number;
    out->is_pattern = is_pattern;
    out->endpoint_len = (uint8_t)endpoint.len;
    memcpy(out->endpoint, endpoint.data, endpoint.len);
    out->key_len = (uint8_t)key.len;
    if (key.len > 0) {
        memcpy(out->key, key.data, key.len);
    }
    answer->is_given = true;
    return DUNLIN_OK;
}

/* Before the application is asked: what it changes from now on, is later than what it answers. */
static dunlin_credential_answer begin(asker *a, dn_security_mode mode, dn_credential *out)
{
    memset(out, 0, sizeof *out);
    out->mode = (uint8_t)mode;
    out->generation = atomic_load(&a->changes);
    return (dunlin_credential_answer){.out = out};
}

static dunlin_status end(const dunlin_credential_answer *answer, dunlin_status status)
{
    if (status == DUNLIN_OK && !answer->is_given) {
        status = DUNLIN_ERR_ARGUMENT;
    }
    if (status != DUNLIN_OK) {
        dn_credential_wipe(answer->out);
    }
    return status;
}

static dunlin_status find_psk(dn_credentials *credentials, dunlin_slice identity, dn_credential *out)
{
    asker *a = asker_of(credentials);
    dunlin_credential_answer answer = begin(a, DN_SECURITY_PSK, out);
    return end(&answer, a->source.find_psk == NULL
                            ? DUNLIN_ERR_NOT_FOUND
                            : a->source.find_psk(a->source.context, identity, &answer));
}

static dunlin_status find_key(dn_credentials *credentials, dunlin_slice public_key, dn_credential *out)
{
    asker *a = asker_of(credentials);
    dunlin_credential_answer answer = begin(a, DN_SECURITY_RPK, out);
    return end(&answer, a->source.find_public_key == NULL
                            ? DUNLIN_ERR_NOT_FOUND
                            : a->source.find_public_key(a->source.context, public_key, &answer));
}

static dunlin_status find_names(dn_credentials *credentials, const dn_certificate_claims *claims,
                                dn_credential *out)
{
    asker *a = asker_of(credentials);
    const dunlin_certificate certificate = {.fingerprint =
                                                dunlin_slice_make(claims->fingerprint, DN_FINGERPRINT_LEN),
                                            .names = claims->names,
                                            .count = claims->count,
                                            .is_trusted = claims->is_trusted};
    dunlin_credential_answer answer = begin(a, DN_SECURITY_X509, out);
    return end(&answer, a->source.find_certificate == NULL
                            ? DUNLIN_ERR_NOT_FOUND
                            : a->source.find_certificate(a->source.context, &certificate, &answer));
}

static bool is_known(dn_credentials *credentials, dunlin_slice endpoint)
{
    asker *a = asker_of(credentials);
    return a->source.known(a->source.context, endpoint) != DUNLIN_KNOWN_NOT;
}

/* That there is one of its own is all that the server wants to know. */
static dunlin_status get(dn_credentials *credentials, dunlin_slice endpoint, dn_credential *out)
{
    asker *a = asker_of(credentials);
    memset(out, 0, sizeof *out);
    return a->source.known(a->source.context, endpoint) == DUNLIN_KNOWN_OWN ? DUNLIN_OK
                                                                            : DUNLIN_ERR_NOT_FOUND;
}

static bool is_current(dn_credentials *credentials, uint64_t number, uint64_t generation)
{
    asker *a = asker_of(credentials);
    return atomic_load(&a->last[number % SLOTS]) <= generation && atomic_load(&a->last_of_all) <= generation;
}

/* There may be some: it is for the application to say of whom. */
static uint64_t count(dn_credentials *credentials)
{
    (void)credentials;
    return 1;
}

static const char *no_error(dn_credentials *credentials)
{
    (void)credentials;
    return "";
}

static void watch(dn_credentials *credentials, void (*told)(void *context, uint64_t number, bool is_new),
                  void *context)
{
    asker *a = asker_of(credentials);
    (void)pthread_mutex_lock(&a->watch_lock);
    a->base.changed = told;
    a->base.changed_context = context;
    (void)pthread_mutex_unlock(&a->watch_lock);
}

static void close_asker(dn_credentials *credentials)
{
    asker *a = asker_of(credentials);
    (void)pthread_mutex_destroy(&a->watch_lock);
    free(a);
}

/* What changes credentials is missing: the application does that by itself. */
static const dn_credentials_ops ops = {.find_psk = find_psk,
                                       .find_key = find_key,
                                       .find_names = find_names,
                                       .is_known = is_known,
                                       .is_current = is_current,
                                       .get = get,
                                       .watch = watch,
                                       .count = count,
                                       .error = no_error,
                                       .close = close_asker};

dunlin_credentials *dunlin_credentials_of(const dunlin_credential_source *source)
{
    asker *made = source->known != NULL ? calloc(1, sizeof *made) : NULL;
    if (made == NULL) {
        return NULL;
    }
    made->base.ops = &ops;
    made->source = *source;
    (void)pthread_mutex_init(&made->watch_lock, NULL);
    return &made->base;
}

void dunlin_credentials_changed(dunlin_credentials *credentials, uint64_t number)
{
    if (credentials->ops != &ops) {
        return; /* the library's own keepers know by themselves */
    }
    asker *a = asker_of(credentials);
    (void)pthread_mutex_lock(&a->watch_lock);
    const uint64_t now = atomic_fetch_add(&a->changes, 1) + 1;
    atomic_store(number == DUNLIN_CREDENTIALS_ALL ? &a->last_of_all : &a->last[number % SLOTS], now);
    if (a->base.changed != NULL) {
        a->base.changed(a->base.changed_context, number, false);
    }
    (void)pthread_mutex_unlock(&a->watch_lock);
}
