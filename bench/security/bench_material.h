/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys, certificates and credentials of a server and its devices, for dunlind in its folder and for contexts in memory alike. Every function
 * ends the program with a text when it cannot do its work.
 */
#ifndef BENCH_SECURITY_MATERIAL_H
#define BENCH_SECURITY_MATERIAL_H

#include "security/issue.h"
#include "security/tls.h"

typedef enum { MATERIAL_PSK, MATERIAL_RPK, MATERIAL_X509, MATERIAL_KINDS } material_kind;

extern const char *const material_names[MATERIAL_KINDS];

typedef struct {
    uint8_t key[DN_KEY_DER_MAX], certificate[DN_CERTIFICATE_DER_MAX], public_key[DN_PUBLIC_KEY_DER_MAX];
    size_t key_len, certificate_len, public_key_len;
} material_party;

typedef struct {
    material_party authority, server, device;
} material;

void material_make(material *m);
/* Certificates, key and DIR/dunlind.yaml, which names them. */
void material_write(const material *m, const char *dir);
/* A credential for each kind, which any number of sessions may use, and pre-shared keys for devices 0 to `count`. */
void material_put(const material *m, dn_credentials *credentials, uint32_t count);
/* A keeper that has one credential of each kind at hand and looks nothing up, for handshakes that are to cost the library's part alone. `m` stays. */
dn_credentials *material_keeper(const material *m);
/* In DIR/data of a dunlind that does not run. */
void material_store(const material *m, const char *dir, uint32_t count);

dn_tls_context *material_server(const material *m, dn_credentials *credentials);
dn_tls_context *material_client(const material *m, material_kind kind);
/* With the pre-shared key of one device. */
dn_tls_context *material_device(uint32_t index);

#endif
