/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keeper of devices' credentials (security/credentials.h): DIR/credentials.db, or in memory only. docs/adr/0016 says why it is built
 * as it is.
 *
 * - What `put` and `remove` answered is on the disk, also after a power cut; kill -9 leaves the old or the new state of a credential.
 * - Pre-shared keys are sealed (store/seal.h), and every row has a seal over all that it says, so that a row that was changed or moved
 *   outside this program is refused: the look-up fails with STORE, and other rows are served on.
 * - What is staged is a row as the others, beside the current one of its endpoint; to promote it is one transaction: after kill -9 and a
 *   power cut the former is the current one, or the staged one is. `stage` and `promote` of many wait for the disk once. One that a device has `proved`
 *   is promoted by the keeper's thread (in memory at once).
 * - Look-ups have a connection of their own: they do not wait for the disk while a put does.
 * - One process at a time: the caller holds the lock of DIR, as the registration store does, or has it taken by `locks`.
 */
#ifndef DN_STORE_CREDENTIALS_H
#define DN_STORE_CREDENTIALS_H

#include "base/log.h"
#include "security/credentials.h"

#define DN_CREDENTIALS_FILE "credentials.db" /* in DIR */
#define DN_BOOTSTRAP_CREDENTIALS_FILE \
    "bootstrap-credentials.db"  /* in DIR, of devices towards the bootstrap server */
#define DN_SEAL_FILE "seal.key" /* in DIR, unless `seal_key` names another one */

typedef struct {
    const char *dir; /* exists; NULL: in memory only, `seal_key` is not used then */
    const char *
        file; /* [credentials.db] in `dir`: of several keepers each has its own, and all have the same sealing keys */
    /*
     * Where the sealing key is. NULL: DIR/seal.key. A file's name: that file. Either is made, mode 0600, when it is missing and no
     * credential needs it. "credential:NAME": the file NAME in $CREDENTIALS_DIRECTORY (systemd), never made. "pkcs11:…" names an RSA private
     * key in a token, for which the keys in DIR/seal.key are wrapped; its PIN by pin-source or pin-value (RFC 7512 section 2.4).
     */
    const char *seal_key;
    bool locks; /* [false] makes `dir` if it is missing, and locks it until `close` */
    /* [50] Look-ups in a row share a snapshot of the database, which costs each as much as the rest of it. What this process changes is seen at
       once, what another program does to the file after so many milliseconds; 0: at once, too. */
    uint32_t snapshot_ms;
    uint64_t max;                      /* [10000000] credentials; more: LIMIT */
    int64_t (*wall_ms)(void *context); /* since the epoch; NULL: the system's clock */
    void *wall_context;
    const dn_log *log; /* may be NULL. Never a secret; outlives the keeper */
} dn_credential_store_config;

dn_credential_store_config dn_credential_store_config_default(void);

/*
 * Opens or makes it; freed by its `close`. STORE, `error` says what is wrong and what to do: of a newer release, damaged, the sealing key is
 * missing, can be read by others, or is not the one that sealed; nothing is changed then. MEMORY. Strings are copied.
 */
dunlin_status dn_credential_store_open(const dn_credential_store_config *config, dn_credentials **out,
                                       char *error, size_t error_size);

/* True when it is a keeper of this kind: the functions below take no other. */
bool dn_credential_store_is(const dn_credentials *credentials);

/*
 * Reads the sealing keys anew (after SIGHUP, or a change of the file). When there is a newer one it seals from now on, and a thread brings
 * what older ones sealed to it, a slice at a time. STORE with a text: the file cannot be read, or lacks a key that credentials need; the
 * keys read before stay in use. In memory: OK, nothing to do.
 */
dunlin_status dn_credential_store_reload(dn_credentials *credentials, char *error, size_t error_size);

/* The file that holds the sealing keys, to watch for changes; NULL in memory. Valid until the keeper is closed. */
const char *dn_credential_store_seal_file(const dn_credentials *credentials);

/* Seals anew, on this thread, all that older keys sealed; `count`, may be NULL: how many. What the thread of a reload does. */
dunlin_status dn_credential_store_reseal(dn_credentials *credentials, uint64_t *count);

#endif
