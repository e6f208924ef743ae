/* SPDX-License-Identifier: Apache-2.0 */
/* The sealing keys of a data folder, opened for a database that needs some of them. */
#ifndef DN_STORE_SEAL_PLACE_H
#define DN_STORE_SEAL_PLACE_H

#include "store/seal.h"
#include "store/seal_file.h"

typedef struct {
    const char *dir;
    const char *source;             /* as dn_credential_store_config.seal_key */
    const char *what;               /* "credentials": what is sealed, in the texts of errors */
    uint64_t kept;                  /* so many of it */
    uint64_t ids[DN_SEAL_KEYS_MAX]; /* the keys that it is sealed with */
    size_t count;
} dn_seal_need;

/* Every key that is needed must be there. A missing file is made only when none is. STORE; MEMORY; with a text. */
dunlin_status dn_seal_open_for(const dn_seal_need *need, dn_seal **out, char *error, size_t error_size);

#endif
