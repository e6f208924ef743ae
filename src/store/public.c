/* SPDX-License-Identifier: Apache-2.0 */
/* The stores as an embedding program makes them. */
#include "store/credentials.h"
#include "store/memory.h"
#include "store/sqlite.h"

#include <dunlin/store.h>

#include <stdio.h>

dunlin_store *dunlin_store_memory(void)
{
    return dn_memory_store_create();
}

dunlin_status dunlin_store_sqlite(const char *directory, bool power_safe, dunlin_store **store, char *error,
                                  size_t error_size)
{
    dn_sqlite_config config = dn_sqlite_config_default();
    config.durability = power_safe ? DN_DURABILITY_POWER : DN_DURABILITY_PROCESS;
    return dn_sqlite_store_open(directory, &config, store, error, error_size);
}

void dunlin_store_close(dunlin_store *store)
{
    store->ops->close(store);
}

dunlin_credentials *dunlin_credentials_memory(void)
{
    const dn_credential_store_config config = dn_credential_store_config_default();
    dunlin_credentials *credentials = NULL;
    char error[64];
    return dn_credential_store_open(&config, &credentials, error, sizeof error) == DUNLIN_OK ? credentials
                                                                                             : NULL;
}

dunlin_status dunlin_credentials_sqlite(const char *directory, const char *seal_key,
                                        dunlin_credentials **credentials, char *error, size_t error_size)
{
    dn_credential_store_config config = dn_credential_store_config_default();
    if (directory == NULL) { /* to the keeper that means memory */
        (void)snprintf(error, error_size, "there is no directory");
        return DUNLIN_ERR_ARGUMENT;
    }
    config.dir = directory;
    config.locks = true;
    config.seal_key = seal_key;
    return dn_credential_store_open(&config, credentials, error, error_size);
}

dunlin_status dunlin_credentials_reload(dunlin_credentials *credentials, char *error, size_t error_size)
{
    if (!dn_credential_store_is(credentials) || dn_credential_store_seal_file(credentials) == NULL) {
        (void)snprintf(error, error_size, "these credentials have no sealing key");
        return DUNLIN_ERR_UNSUPPORTED;
    }
    return dn_credential_store_reload(credentials, error, error_size);
}
