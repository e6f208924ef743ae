/* SPDX-License-Identifier: Apache-2.0 */
/* Private keys from DER and from tokens; see the header. */
#include "security/private_key.h"

#include "security/gnutls_inside.h"

#include <string.h>

#define PKCS11  "pkcs11:"
#define URL_MAX 512u /* with a PIN */

static int import(gnutls_privkey_t key, dunlin_slice from)
{
    const size_t scheme = strlen(PKCS11);
    if (from.len < scheme || memcmp(from.data, PKCS11, scheme) != 0) {
        const gnutls_datum_t data = dn_datum(from);
        return gnutls_privkey_import_x509_raw(key, &data, GNUTLS_X509_FMT_DER, NULL, 0);
    }
    char url[URL_MAX];
    if (from.len >= sizeof url || memchr(from.data, 0, from.len) != NULL) {
        return GNUTLS_E_INVALID_REQUEST;
    }
    memcpy(url, from.data, from.len);
    url[from.len] = '\0';
    const int code = gnutls_privkey_import_url(key, url, 0);
    gnutls_memset(url, 0, sizeof url);
    return code;
}

bool dn_private_key_read(gnutls_privkey_t *key, dunlin_slice from)
{
    if (gnutls_privkey_init(key) < 0) {
        return false;
    }
    if (import(*key, from) < 0) {
        gnutls_privkey_deinit(*key);
        return false;
    }
    return true;
}

bool dn_private_key_public(gnutls_privkey_t key, gnutls_pubkey_t *out)
{
    if (gnutls_pubkey_init(out) < 0) {
        return false;
    }
    if (gnutls_pubkey_import_privkey(*out, key, 0, 0) < 0) {
        gnutls_pubkey_deinit(*out);
        return false;
    }
    return true;
}
