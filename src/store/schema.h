/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The database's tables and their version.
 *
 * Rows are keyed by small dense numbers only. There is no index by endpoint: an index by random names costs a
 * page per write, and the server keeps names unique in memory. `journal` holds changes that are newer than
 * the rows they are about.
 */
#ifndef DN_STORE_SCHEMA_H
#define DN_STORE_SCHEMA_H

#include "store/database.h"

#define DN_SCHEMA_VERSION 2

/*
 * Makes the tables in an empty database, or checks that it is ours and brings it from an older version to this
 * one, in one transaction. Fails for a newer version and for a file that another program made; never changes
 * such a file. `path` is for the error's
 * text.
 */
bool dn_schema_ensure(dn_database *database, const char *path);

#endif
