/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A database that holds secrets: only the user of the process may read its file, what is deleted is overwritten, and a
 * change is on the disk when it is committed. An error is that of one call: dn_private_database_settle forgets it.
 */
#ifndef DN_STORE_PRIVATE_DATABASE_H
#define DN_STORE_PRIVATE_DATABASE_H

#include "store/schema.h"

/* Opens the file, or makes it; ":memory:" is none. False: the text is in `database`, which is closed. */
bool dn_private_database_open(dn_database *database, const dn_schema *schema, const char *path,
                              uint32_t cache_kib, uint64_t map_bytes);
/* Ends all of its statements, too. The text of the error stays. */
void dn_private_database_close(dn_database *database);
/* Forgets the error of the last call, and what it has left of a transaction; `rollback` is the statement for that. */
void dn_private_database_settle(dn_database *database, sqlite3_stmt *rollback);

#endif
