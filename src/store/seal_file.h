/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file with the keys that seal secrets at rest (docs/reference/files.md):
 *
 *     dunlin-seal 1
 *     # text behind a number sign is for people
 *     key 4a1f09c2d37be815 <64 hex digits>
 *     wrapped 5b20fa1de48c7926 <hex digits>
 *
 * The first line names the version. The last key seals, all open. A key's number follows from the key: the first 8 bytes of SHA-256
 * over "dunlin-seal-key" and the key, with the highest bit cleared; so a wrong key is known as such. `wrapped` is a key encrypted with RSA
 * (PKCS #1 v1.5, which is what GnuTLS 3.7 can) for a private key in a PKCS#11 token.
 */
#ifndef DN_STORE_SEAL_FILE_H
#define DN_STORE_SEAL_FILE_H

#include <dunlin/status.h>

#include <stddef.h>
#include <stdint.h>

#define DN_SEAL_KEY_LEN  32u
#define DN_SEAL_KEYS_MAX 64u

typedef struct {
    uint64_t id; /* 1..INT64_MAX */
    uint8_t key[DN_SEAL_KEY_LEN];
} dn_seal_key;

typedef struct {
    size_t count;
    dn_seal_key keys[DN_SEAL_KEYS_MAX]; /* in the file's order: the last one seals */
} dn_seal_keys;

/* A new key from the system's randomness. STORE: there is none. */
dunlin_status dn_seal_key_make(dn_seal_key *key);
void dn_seal_keys_wipe(dn_seal_keys *keys);

/*
 * Reads a file. `forbidden` are the bits of its mode that must not be set (077: of nobody else's concern). `token` is NULL, or the
 * "pkcs11:…" of the private key for wrapped ones. NOT_FOUND: no such file; STORE: anything else, `error` says what and how to mend it. What
 * was read must be wiped.
 */
dunlin_status dn_seal_file_read(const char *path, unsigned forbidden, const char *token, dn_seal_keys *keys,
                                char *error, size_t error_size);

/*
 * Adds a new key, which seals from now on; makes the file, mode 0600, when it is missing. With `token` it is wrapped. The other
 * lines stay as they are. The file is replaced at once and is on the disk when this returns: it never is half written. `id`, may be
 * NULL, gets the key's number.
 */
dunlin_status dn_seal_file_add(const char *path, const char *token, uint64_t *id, char *error,
                               size_t error_size);

#endif
