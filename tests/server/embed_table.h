/* SPDX-License-Identifier: Apache-2.0 */
/* A table of credentials such as an application might keep: asked by the server's thread, changed by the test's. */
#ifndef TESTS_SERVER_EMBED_TABLE_H
#define TESTS_SERVER_EMBED_TABLE_H

#include <dunlin/credentials.h>

#include <pthread.h>

#define EMBED_ROWS 8u

/* A row; its number in the table, from 1 on, is that of the credential. */
typedef struct {
    dunlin_credential_mode mode;
    const char *endpoint; /* NULL: nothing is here */
    const char *identity, *key;
    dunlin_slice public_key;
    dunlin_slice fingerprint; /* empty: any trusted certificate with that name */
} embed_row;

typedef struct {
    pthread_mutex_t lock;
    embed_row rows[EMBED_ROWS];
    bool is_broken; /* look-ups end with STORE */
} embed_table;

void embed_table_init(embed_table *table);
void embed_table_free(embed_table *table);
dunlin_credentials *embed_table_credentials(embed_table *table);
void embed_table_put(embed_table *table, uint64_t number, const embed_row *row);
void embed_table_break(embed_table *table, bool is_broken);

#endif
