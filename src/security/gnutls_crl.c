/* SPDX-License-Identifier: Apache-2.0 */
/* Revocation lists; see the header. */
#include "security/gnutls_crl.h"

#include "security/gnutls_inside.h"

#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
    const dn_serial *x = a;
    const dn_serial *y = b;
    if (x->len != y->len) {
        return x->len < y->len ? -1 : 1;
    }
    return memcmp(x->bytes, y->bytes, x->len);
}

static bool read_serials(dn_crl *list)
{
    const int count = gnutls_x509_crl_get_crt_count(list->crl);
    if (count <= 0) {
        return count == 0;
    }
    list->serials = calloc((size_t)count, sizeof *list->serials);
    if (list->serials == NULL) {
        return false;
    }
    gnutls_x509_crl_iter_t at = NULL;
    for (int i = 0; i < count; i++) {
        dn_serial *serial = &list->serials[list->count];
        size_t len = sizeof serial->bytes;
        time_t when = 0;
        const int result = gnutls_x509_crl_iter_crt_serial(list->crl, &at, serial->bytes, &len, &when);
        if (result == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE) {
            break;
        }
        if (result >= 0) {
            serial->len = (uint8_t)len;
            list->count++;
        }
    }
    gnutls_x509_crl_iter_deinit(at);
    qsort(list->serials, list->count, sizeof *list->serials, compare);
    return true;
}

dunlin_status dn_crls_add(dn_crls *crls, dunlin_slice bytes, const char **reason)
{
    const gnutls_datum_t datum = dn_datum(bytes);
    gnutls_x509_crl_t *read = NULL;
    unsigned count = 0;
    const int result = gnutls_x509_crl_list_import2(&read, &count, &datum, dn_keys_format(bytes), 0);
    if (result < 0) {
        *reason = gnutls_strerror(result);
        return DUNLIN_ERR_ARGUMENT;
    }
    dn_crl *grown = realloc(crls->lists, (crls->count + count) * sizeof *grown);
    bool is_fine = grown != NULL;
    crls->lists = is_fine ? grown : crls->lists;
    for (unsigned i = 0; i < count; i++) {
        if (!is_fine) {
            gnutls_x509_crl_deinit(read[i]);
            continue;
        }
        dn_crl *list = &crls->lists[crls->count++];
        *list = (dn_crl){.crl = read[i]};
        is_fine = read_serials(list);
    }
    gnutls_free(read);
    return is_fine ? DUNLIN_OK : DUNLIN_ERR_MEMORY;
}

void dn_crls_free(dn_crls *crls)
{
    for (size_t i = 0; i < crls->count; i++) {
        gnutls_x509_crl_deinit(crls->lists[i].crl);
        free(crls->lists[i].serials);
    }
    free(crls->lists);
    *crls = (dn_crls){NULL, 0};
}

/* The library compares dates with the system's clock whatever it is told. How old a list is makes no difference here. */
static bool is_signed_by(gnutls_x509_crl_t crl, gnutls_x509_crt_t issuer)
{
    const unsigned about_time =
        GNUTLS_CERT_REVOCATION_DATA_SUPERSEDED | GNUTLS_CERT_REVOCATION_DATA_ISSUED_IN_FUTURE;
    unsigned status = 0;
    if (gnutls_x509_crl_verify(crl, &issuer, 1, GNUTLS_VERIFY_DISABLE_TIME_CHECKS, &status) < 0) {
        return false;
    }
    return status == 0 || ((status & about_time) != 0 && (status & ~(about_time | GNUTLS_CERT_INVALID)) == 0);
}

bool dn_crls_revoke(const dn_crls *crls, gnutls_x509_crt_t cert, gnutls_x509_crt_t issuer)
{
    dn_serial serial = {0};
    size_t len = sizeof serial.bytes;
    if (gnutls_x509_crt_get_serial(cert, serial.bytes, &len) < 0) {
        return false;
    }
    serial.len = (uint8_t)len;
    for (size_t i = 0; i < crls->count; i++) {
        const dn_crl *list = &crls->lists[i];
        if (list->count == 0 || gnutls_x509_crl_check_issuer(list->crl, issuer) != 1 ||
            bsearch(&serial, list->serials, list->count, sizeof serial, compare) == NULL) {
            continue;
        }
        /* Only now, since it is rare: is the list the issuer's own? */
        if (is_signed_by(list->crl, issuer)) {
            return true;
        }
    }
    return false;
}
