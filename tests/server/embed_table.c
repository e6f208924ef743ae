/* SPDX-License-Identifier: Apache-2.0 */
/* See embed_table.h. */
#include "tests/server/embed_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static bool has(const char *text, dunlin_slice what)
{
    return dunlin_slice_equal(dunlin_slice_of(text), what);
}

static dunlin_status answer_with(embed_table *table, const embed_row *row, dunlin_credential_answer *answer)
{
    dunlin_status status = table->is_broken ? DUNLIN_ERR_STORE : DUNLIN_ERR_NOT_FOUND;
    if (row != NULL && !table->is_broken) {
        status = dunlin_credential_found(answer, (uint64_t)(row - table->rows) + 1,
                                         dunlin_slice_of(row->endpoint), dunlin_slice_of(row->key));
    }
    (void)pthread_mutex_unlock(&table->lock);
    return status;
}

static dunlin_status find_psk(void *context, dunlin_slice identity, dunlin_credential_answer *answer)
{
    embed_table *table = context;
    const embed_row *found = NULL;
    (void)pthread_mutex_lock(&table->lock);
    for (size_t i = 0; i < EMBED_ROWS; i++) {
        const embed_row *row = &table->rows[i];
        if (row->endpoint != NULL && row->mode == DUNLIN_CREDENTIAL_PSK && has(row->identity, identity)) {
            found = row;
        }
    }
    return answer_with(table, found, answer);
}

static dunlin_status find_public_key(void *context, dunlin_slice public_key, dunlin_credential_answer *answer)
{
    embed_table *table = context;
    const embed_row *found = NULL;
    (void)pthread_mutex_lock(&table->lock);
    for (size_t i = 0; i < EMBED_ROWS; i++) {
        const embed_row *row = &table->rows[i];
        if (row->endpoint != NULL && row->mode == DUNLIN_CREDENTIAL_RPK &&
            dunlin_slice_equal(row->public_key, public_key)) {
            found = row;
        }
    }
    return answer_with(table, found, answer);
}

static bool fits(const embed_row *row, const dunlin_certificate *certificate)
{
    if (row->fingerprint.len > 0) {
        return dunlin_slice_equal(row->fingerprint, certificate->fingerprint);
    }
    for (size_t i = 0; i < certificate->count && certificate->is_trusted; i++) {
        if (has(row->endpoint, certificate->names[i])) {
            return true;
        }
    }
    return false;
}

static dunlin_status find_certificate(void *context, const dunlin_certificate *certificate,
                                      dunlin_credential_answer *answer)
{
    embed_table *table = context;
    const embed_row *found = NULL;
    (void)pthread_mutex_lock(&table->lock);
    for (size_t i = 0; i < EMBED_ROWS; i++) {
        const embed_row *row = &table->rows[i];
        if (row->endpoint != NULL && row->mode == DUNLIN_CREDENTIAL_X509 && fits(row, certificate)) {
            found = row;
        }
    }
    return answer_with(table, found, answer);
}

/* "name" is its own, "group-*" is shared by what begins so. */
static dunlin_known known(void *context, dunlin_slice endpoint)
{
    embed_table *table = context;
    dunlin_known answer = DUNLIN_KNOWN_NOT;
    (void)pthread_mutex_lock(&table->lock);
    for (size_t i = 0; i < EMBED_ROWS && answer != DUNLIN_KNOWN_OWN; i++) {
        const char *name = table->rows[i].endpoint;
        const size_t len = name != NULL ? strlen(name) : 0;
        if (len == 0) {
            continue;
        }
        if (has(name, endpoint)) {
            answer = DUNLIN_KNOWN_OWN;
        } else if (name[len - 1] == '*' && endpoint.len >= len - 1 &&
                   memcmp(name, endpoint.data, len - 1) == 0) {
            answer = DUNLIN_KNOWN_SHARED;
        }
    }
    (void)pthread_mutex_unlock(&table->lock);
    return answer;
}

void embed_table_init(embed_table *table)
{
    *table = (embed_table){.is_broken = false};
    assert_int_equal(pthread_mutex_init(&table->lock, NULL), 0);
}

void embed_table_free(embed_table *table)
{
    (void)pthread_mutex_destroy(&table->lock);
}

dunlin_credentials *embed_table_credentials(embed_table *table)
{
    const dunlin_credential_source source = {.find_psk = find_psk,
                                             .find_public_key = find_public_key,
                                             .find_certificate = find_certificate,
                                             .known = known,
                                             .context = table};
    return dunlin_credentials_of(&source);
}

void embed_table_put(embed_table *table, uint64_t number, const embed_row *row)
{
    (void)pthread_mutex_lock(&table->lock);
    table->rows[number - 1] = *row;
    (void)pthread_mutex_unlock(&table->lock);
}

void embed_table_break(embed_table *table, bool is_broken)
{
    (void)pthread_mutex_lock(&table->lock);
    table->is_broken = is_broken;
    (void)pthread_mutex_unlock(&table->lock);
}
