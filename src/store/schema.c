/* SPDX-License-Identifier: Apache-2.0 */
#include "store/schema.h"

#include <stdio.h>

/* A failure leaves the transaction open; the connection's end undoes it. */
static bool raise_from(dn_database *database, const dn_schema *schema, int64_t version)
{
    char end[96];
    bool ok = dn_database_execute(database, "BEGIN IMMEDIATE");
    for (int64_t step = version; ok && step < schema->version; step++) {
        ok = dn_database_execute(database, schema->steps[step]);
    }
    (void)snprintf(end, sizeof end, "PRAGMA application_id=%d; PRAGMA user_version=%d; COMMIT",
                   schema->application_id, schema->version);
    return ok && dn_database_execute(database, end);
}

bool dn_schema_ensure(dn_database *database, const dn_schema *schema, const char *path)
{
    int64_t application = 0;
    int64_t version = 0;
    int64_t tables = 0;
    if (!dn_database_integer(database, "PRAGMA application_id", &application) ||
        !dn_database_integer(database, "PRAGMA user_version", &version) ||
        !dn_database_integer(database, "SELECT count(*) FROM sqlite_schema", &tables)) {
        return false;
    }
    if (application == 0 && version == 0 && tables == 0) {
        return raise_from(database, schema, 0);
    }
    if (application != schema->application_id) {
        return dn_database_fail(database, "%s is not a database of %s", path, schema->what);
    }
    if (version > schema->version) {
        return dn_database_fail(
            database, "%s has schema version %lld, which a newer release made; this one knows up to %d", path,
            (long long)version, schema->version);
    }
    if (version < 1) {
        return dn_database_fail(database, "%s has the unknown schema version %lld", path, (long long)version);
    }
    return version == schema->version || raise_from(database, schema, version);
}
