/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of a database and their version, which is kept in the file. */
#ifndef DN_STORE_SCHEMA_H
#define DN_STORE_SCHEMA_H

#include "store/database.h"

typedef struct {
    int application_id;       /* kept in the file, so that another program's is not taken for one of ours */
    const char *what;         /* for errors: "… is not a database of WHAT" */
    const char *const *steps; /* steps[n] makes version n + 1 of version n; version 0 is an empty file */
    int version;              /* how many steps there are */
} dn_schema;

/*
 * Makes the tables in an empty database, or checks that it is of this schema and brings it from an older version to this
 * one, in one transaction: a half-made database does not exist. Fails for a newer version and for a file that another
 * program made; never changes such a file. `path` is for the error's text.
 */
bool dn_schema_ensure(dn_database *database, const dn_schema *schema, const char *path);

#endif
