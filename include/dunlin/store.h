/* SPDX-License-Identifier: Apache-2.0 */
/* Where a server inside another program keeps what must survive it: registrations and requests in a store, which belongs to one server, and
   the credentials of devices. */
#ifndef DUNLIN_STORE_H
#define DUNLIN_STORE_H

#include <dunlin/credentials.h>
#include <dunlin/status.h>

#include <stdbool.h>
#include <stddef.h>

typedef struct dn_store dunlin_store;

/* Keeps in memory only. NULL: no memory. */
dunlin_store *dunlin_store_memory(void);

/*
 * A database in `directory`, made if it is missing (its parent must be there) and locked for this process. What was answered survives the
 * end of the process, and with `power_safe`, which waits for the disk, a power cut. STORE, MEMORY: `error` says what.
 */
dunlin_status dunlin_store_sqlite(const char *directory, bool power_safe, dunlin_store **store, char *error,
                                  size_t error_size);

/* Closes a store that no server has taken. */
void dunlin_store_close(dunlin_store *store);

/* ---- credentials, as dunlin/credentials.h has them ---- */

/* Keeps them in memory only. NULL: no memory. */
dunlin_credentials *dunlin_credentials_memory(void);

/*
 * A database in `directory`, made if it is missing (its parent must be there) and locked for this process; not the directory of a store. What
 * is put there is on the disk, and pre-shared keys are sealed (AES-256-GCM) by a key in `seal_key`: NULL: the file seal.key beside the database, made with the first
 * use; or another file's name; "credential:NAME" for a credential of systemd; "pkcs11:…" for an RSA key in a token that wraps it. STORE,
 * `error` says what: in use, damaged, changed by others, the sealing key is missing or another one; ARGUMENT: no directory; MEMORY.
 */
dunlin_status dunlin_credentials_sqlite(const char *directory, const char *seal_key,
                                        dunlin_credentials **credentials, char *error, size_t error_size);
/* After a key was added to what `seal_key` names: reads it, and seals everything anew by and by. STORE, `error` says why, and the former stay in
   use; UNSUPPORTED: of other credentials than those of dunlin_credentials_sqlite. */
dunlin_status dunlin_credentials_reload(dunlin_credentials *credentials, char *error, size_t error_size);

#endif
