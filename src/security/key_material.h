/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a server proves itself with and believes others by, read from where it lies: keys, certificates, authorities, revocation lists, each as
 * bytes or in a file. The files are watched, for whoever wants to read them anew.
 *
 * Threads: one.
 */
#ifndef DN_SECURITY_KEY_MATERIAL_H
#define DN_SECURITY_KEY_MATERIAL_H

#include "security/tls.h"

#define DN_MATERIAL_FILE_MAX (8u << 20) /* bytes of a file: revocation lists may be long */

/* Bytes, or the name of a file of 1 byte to DN_MATERIAL_FILE_MAX; neither: not given. Views. */
typedef struct {
    dunlin_slice bytes;
    const char *file;
} dn_source;

typedef struct {
    dn_source chain; /* the end entity's certificate first; not given: the raw public key alone */
    dn_source key;   /* a file named "pkcs11:…" is a key in a token */
    dn_source ocsp;
} dn_key_source;

typedef struct {
    dn_key_source pairs[DN_TLS_KEY_PAIRS_MAX];
    size_t pair_count;
    dn_source trusted, revoked;
    dunlin_slice also_trusted; /* one more authority (PEM) beside those; empty: none */
} dn_sources;

typedef struct dn_material dn_material;

/*
 * Reads all of it. The bytes that were given and the URLs of tokens are viewed, and have to outlive dn_material_wipe. IO, `error` names the file and says why;
 * ARGUMENT: a pair without a key; MEMORY. `log`, may be NULL: gets a warning of private keys that everybody can read.
 */
dunlin_status dn_material_read(const dn_sources *sources, const dn_log *log, dn_material **material,
                               char *error, size_t error_size);
/* Sets pairs, trusted and revoked of a configuration, as views. */
void dn_material_fill(const dn_material *material, dn_tls_server_config *config);
/* The n-th certificate chain as it was read; empty: a key alone. */
dunlin_slice dn_material_chain(const dn_material *material, size_t index);
/* The bytes are gone; the files are still watched. */
void dn_material_wipe(dn_material *material);
/* True, once for each change, when a file is another one than was read. */
bool dn_material_has_changed(dn_material *material);
/* Wipes and frees. May be NULL. */
void dn_material_free(dn_material *material);

#endif
