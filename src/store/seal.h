/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Seals secrets at rest: AES-256-GCM with random nonces, by keys that live apart from what they seal. Several keys open, the newest seals.
 * A seal also vouches for the context (`about`) that it was made for. Any thread.
 */
#ifndef DN_STORE_SEAL_H
#define DN_STORE_SEAL_H

#include <dunlin/slice.h>
#include <dunlin/status.h>

#define DN_SEAL_EXTRA 28u /* bytes that a sealed text is longer: nonce and tag */

typedef struct dn_seal dn_seal;

/*
 * Reads the keys. `source`: a file's name, "credential:NAME" or "pkcs11:…", see store/credentials.h; `file` holds the keys wrapped for a token.
 * With `may_make` a missing file is made with a new key. NOT_FOUND: there is no such file; STORE; MEMORY; with a text.
 */
dunlin_status dn_seal_open(const char *source, const char *file, bool may_make, dn_seal **out, char *error,
                           size_t error_size);
/* With a key that is gone with the process. NULL: no memory or no randomness. */
dn_seal *dn_seal_of_memory(void);
void dn_seal_free(dn_seal *seal); /* may be NULL */

/* Where the keys are; NULL: in memory. */
const char *dn_seal_path(const dn_seal *seal);
/* Reads the keys anew. They are kept as they are when that fails, or when one of `needed` would be missing. */
dunlin_status dn_seal_reload(dn_seal *seal, const uint64_t *needed, size_t count, char *error,
                             size_t error_size);
/* The number of the key that seals now. */
uint64_t dn_seal_newest(dn_seal *seal);
bool dn_seal_has(dn_seal *seal, uint64_t id);

/* `out` has room for plain.len + DN_SEAL_EXTRA bytes; `id` gets the key's number. STORE: no randomness. */
dunlin_status dn_seal_close(dn_seal *seal, dunlin_slice about, dunlin_slice plain, uint8_t *out,
                            uint64_t *id);
/* `out` has room for sealed.len - DN_SEAL_EXTRA bytes. NOT_FOUND: no such key; MALFORMED: it is not what was sealed, or not about this. */
dunlin_status dn_seal_break(dn_seal *seal, uint64_t id, dunlin_slice about, dunlin_slice sealed,
                            uint8_t *out);

#endif
