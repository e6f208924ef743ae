/* SPDX-License-Identifier: Apache-2.0 */
/* The stores as an embedding program makes them. */
#include "store/memory.h"
#include "store/sqlite.h"

#include <dunlin/store.h>

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
