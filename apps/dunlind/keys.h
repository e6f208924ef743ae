/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What dunlind proves itself with, and what it checks devices by: certificates and keys from files, or made at the first start; authorities,
 * revocation lists; the credentials of devices. Files are read again when they change; what cannot be read leaves the former in use. NULL stands for a
 * server that is not in this process: it has nothing of all that.
 *
 * Threads: the main thread.
 */
#ifndef DUNLIND_KEYS_H
#define DUNLIND_KEYS_H

#include "api/api.h"
#include "settings.h"

typedef struct keys keys;

/* Towards whom: devices of the LwM2M server and of the bootstrap server have credentials of their own. */
typedef enum { KEYS_SERVER, KEYS_BOOTSTRAP } keys_role;

/*
 * Opens the credentials, and loads or makes what else the settings name, in set->data or, with store.type memory, in memory. `authority`: one more (PEM) that
 * devices' certificates may be issued by; empty: none. NULL: `error` says why.
 */
keys *keys_open(keys_role role, const settings *set, dunlin_slice authority, const dn_log *log, char *error,
                size_t error_size);
/* After the fleet and the API are gone. May be NULL. */
void keys_close(keys *held);

dn_credentials *keys_credentials(const keys *held);
/* The first certificate, DER. Valid until the next reload; empty: there is none. */
dunlin_slice keys_certificate(const keys *held);
/* The present one; the keeper's reference stays its own. */
dn_tls_context *keys_tls(const keys *held);
/* What devices must know of the server. Valid until the next reload. */
dn_api_identity keys_identity(const keys *held);

/* Called after each time that the sealing keys were read anew, for whoever else needs them. */
void keys_on_seal(keys *held, void (*read)(void *context), void *context);
/* True when a file has changed since it was read. The sealing keys are read anew at once when theirs has, and do not count. */
bool keys_have_changed(keys *held);
/* Reads all anew, by these settings. True: keys_tls and keys_identity are new ones. False: nothing has changed, and the log says why. */
bool keys_reload(keys *held, const settings *set);

#endif
