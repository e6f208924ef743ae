/* SPDX-License-Identifier: Apache-2.0 */
/* Sealing keys for what is sealed; see seal_place.h. */
#include "store/seal_place.h"

#include "store/credentials.h"
#include "store/database.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>

static dunlin_status check_keys(const dn_seal_need *need, dn_seal *seal, char *error, size_t error_size)
{
    for (size_t i = 0; i < need->count; i++) {
        if (!dn_seal_has(seal, need->ids[i])) {
            snprintf(error, error_size,
                     "%s is not the file that %s in %s are sealed with: it lacks the key %016" PRIx64
                     ". Put the right file back",
                     dn_seal_path(seal), need->what, need->dir, need->ids[i]);
            return DUNLIN_ERR_STORE;
        }
    }
    return DUNLIN_OK;
}

dunlin_status dn_seal_open_for(const dn_seal_need *need, dn_seal **out, char *error, size_t error_size)
{
    char file[PATH_MAX];
    char why[DN_DATABASE_ERROR_MAX];
    if (snprintf(file, sizeof file, "%s/" DN_SEAL_FILE, need->dir) >= (int)sizeof file) {
        snprintf(error, error_size, "the name of the directory %.64s... is too long", need->dir);
        return DUNLIN_ERR_STORE;
    }
    const char *source = need->source != NULL ? need->source : file;
    dunlin_status status = dn_seal_open(source, file, need->count == 0, out, why, sizeof why);
    if (status == DUNLIN_OK) {
        status = check_keys(need, *out, error, error_size);
        if (status != DUNLIN_OK) {
            dn_seal_free(*out);
            *out = NULL;
        }
        return status;
    }
    if (status == DUNLIN_ERR_NOT_FOUND && need->count > 0) {
        snprintf(error, error_size,
                 "%s; %" PRIu64 " %s in %s are sealed with a key that was there: put the file back", why,
                 need->kept, need->what, need->dir);
    } else {
        snprintf(error, error_size, "%s", why);
    }
    return status == DUNLIN_ERR_MEMORY ? status : DUNLIN_ERR_STORE;
}
