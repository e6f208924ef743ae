/* SPDX-License-Identifier: Apache-2.0 */
/* Patterns of endpoint names in memory; see credential_patterns.h. */
#include "store/credential_patterns.h"

#include <stdlib.h>
#include <string.h>

void dn_credential_patterns_init(dn_credential_patterns *patterns)
{
    *patterns = (dn_credential_patterns){.list = NULL};
    pthread_rwlock_init(&patterns->lock, NULL);
}

void dn_credential_patterns_free(dn_credential_patterns *patterns)
{
    free(patterns->list);
    pthread_rwlock_destroy(&patterns->lock);
}

size_t dn_credential_patterns_count(dn_credential_patterns *patterns)
{
    pthread_rwlock_rdlock(&patterns->lock);
    const size_t count = patterns->count;
    pthread_rwlock_unlock(&patterns->lock);
    return count;
}

static dn_credential_pattern make(uint64_t number, dunlin_slice text)
{
    dn_credential_pattern pattern = {.number = number, .len = (uint8_t)text.len};
    for (size_t i = 0; i < text.len; i++) {
        pattern.text[i] = (char)text.data[i];
        pattern.stars = (uint16_t)(pattern.stars + (text.data[i] == '*'));
        pattern.literal = (uint16_t)(pattern.literal + (text.data[i] != '*' && text.data[i] != '?'));
    }
    return pattern;
}

static dunlin_slice text_of(const dn_credential_pattern *pattern)
{
    return dunlin_slice_make(pattern->text, pattern->len);
}

/* Negative: `a` comes first. */
static int order(const dn_credential_pattern *a, const dn_credential_pattern *b)
{
    if (a->literal != b->literal) {
        return a->literal > b->literal ? -1 : 1;
    }
    if (a->stars != b->stars) {
        return a->stars < b->stars ? -1 : 1;
    }
    const size_t common = a->len < b->len ? a->len : b->len;
    const int bytes = memcmp(a->text, b->text, common);
    return bytes != 0 ? bytes : (int)a->len - (int)b->len;
}

static bool make_room(dn_credential_patterns *patterns)
{
    if (patterns->count < patterns->room) {
        return true;
    }
    const size_t room = patterns->room == 0 ? 8 : patterns->room * 2;
    dn_credential_pattern *list = realloc(patterns->list, room * sizeof *list);
    if (list == NULL) {
        return false;
    }
    patterns->list = list;
    patterns->room = room;
    return true;
}

dunlin_status dn_credential_patterns_reserve(dn_credential_patterns *patterns)
{
    pthread_rwlock_wrlock(&patterns->lock);
    const bool ok = make_room(patterns);
    pthread_rwlock_unlock(&patterns->lock);
    return ok ? DUNLIN_OK : DUNLIN_ERR_MEMORY;
}

static void take_out(dn_credential_patterns *patterns, uint64_t number)
{
    for (size_t i = 0; i < patterns->count; i++) {
        if (patterns->list[i].number == number) {
            patterns->count--;
            memmove(&patterns->list[i], &patterns->list[i + 1],
                    (patterns->count - i) * sizeof *patterns->list);
            return;
        }
    }
}

dunlin_status dn_credential_patterns_add(dn_credential_patterns *patterns, uint64_t number, dunlin_slice text)
{
    const dn_credential_pattern pattern = make(number, text);
    dunlin_status status = DUNLIN_ERR_MEMORY;
    pthread_rwlock_wrlock(&patterns->lock);
    take_out(patterns, number);
    if (make_room(patterns)) {
        size_t at = 0;
        while (at < patterns->count && order(&patterns->list[at], &pattern) < 0) {
            at++;
        }
        memmove(&patterns->list[at + 1], &patterns->list[at],
                (patterns->count - at) * sizeof *patterns->list);
        patterns->list[at] = pattern;
        patterns->count++;
        status = DUNLIN_OK;
    }
    pthread_rwlock_unlock(&patterns->lock);
    return status;
}

void dn_credential_patterns_remove(dn_credential_patterns *patterns, uint64_t number)
{
    pthread_rwlock_wrlock(&patterns->lock);
    take_out(patterns, number);
    pthread_rwlock_unlock(&patterns->lock);
}

bool dn_credential_patterns_match(dn_credential_patterns *patterns, dunlin_slice name)
{
    bool matches = false;
    pthread_rwlock_rdlock(&patterns->lock);
    for (size_t i = 0; i < patterns->count && !matches; i++) {
        matches = dn_endpoint_matches(text_of(&patterns->list[i]), name);
    }
    pthread_rwlock_unlock(&patterns->lock);
    return matches;
}

bool dn_credential_patterns_next(dn_credential_patterns *patterns, dunlin_slice name, size_t *at,
                                 dn_credential_pattern *out)
{
    bool found = false;
    pthread_rwlock_rdlock(&patterns->lock);
    while (!found && *at < patterns->count) {
        const dn_credential_pattern *pattern = &patterns->list[(*at)++];
        found = dn_endpoint_matches(text_of(pattern), name);
        if (found) {
            *out = *pattern;
        }
    }
    pthread_rwlock_unlock(&patterns->lock);
    return found;
}
