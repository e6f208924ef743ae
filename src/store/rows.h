/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of the SQLite store's tables: written from what the server gives, read back for its loader. */
#ifndef DN_STORE_ROWS_H
#define DN_STORE_ROWS_H

#include "server/store.h"
#include "store/database.h"

typedef struct {
    dn_database *database;
    sqlite3_stmt *put_links, *drop_links;
    sqlite3_stmt *put_registration, *drop_registration;
    sqlite3_stmt *put_observation, *drop_observation;
    sqlite3_stmt *put_value, *drop_value;
    sqlite3_stmt *put_request, *drop_request, *put_progress, *drop_progress, *put_request_ids;
} dn_rows;

/* Prepares the statements. False after a failure of `database`, which must outlive the rows. */
bool dn_rows_open(dn_rows *rows, dn_database *database);
void dn_rows_close(dn_rows *rows);

/* Each writes or deletes one row by its number; a put replaces. Failures stick to the database. */
bool dn_rows_put_links(dn_rows *rows, uint32_t number, dunlin_slice text);
bool dn_rows_drop_links(dn_rows *rows, uint32_t number);
bool dn_rows_put_registration(dn_rows *rows, const dn_store_registration *registration);
bool dn_rows_drop_registration(dn_rows *rows, uint32_t slot);
bool dn_rows_put_observation(dn_rows *rows, const dn_store_observation *observation);
bool dn_rows_drop_observation(dn_rows *rows, uint32_t number);
bool dn_rows_put_value(dn_rows *rows, const dn_store_value *value);
bool dn_rows_drop_value(dn_rows *rows, uint32_t observation);
bool dn_rows_put_request(dn_rows *rows, const dn_store_request *request); /* with its progress */
bool dn_rows_put_progress(dn_rows *rows, const dn_store_progress *progress);
bool dn_rows_drop_request(dn_rows *rows, uint32_t number);
bool dn_rows_put_request_ids(dn_rows *rows, uint64_t bound);

/* The queries that read whole tables by number, and their rows. False: the row breaks a limit, noted as the
 * database's failure. */
extern const char dn_rows_links_sql[];
extern const char dn_rows_registration_sql[];
extern const char dn_rows_observation_sql[];
extern const char dn_rows_value_sql[];
extern const char dn_rows_request_sql[];
extern const char dn_rows_request_ids_sql[];
bool dn_rows_read_number(dn_rows *rows, sqlite3_stmt *query, uint32_t *number);
bool dn_rows_read_registration(dn_rows *rows, sqlite3_stmt *query, dn_store_registration *out);
bool dn_rows_read_observation(dn_rows *rows, sqlite3_stmt *query, dn_store_observation *out);
bool dn_rows_read_value(dn_rows *rows, sqlite3_stmt *query, dn_store_value *out);
bool dn_rows_read_request(dn_rows *rows, sqlite3_stmt *query, dn_store_request *out);

#endif
