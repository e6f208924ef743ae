/* SPDX-License-Identifier: Apache-2.0 */
/* From a certificate to its credential; see credential_claims.h. */
#include "store/credential_claims.h"

#include <string.h>

typedef struct {
    const dn_certificate_claims *claims;
    size_t names; /* that are looked at */
    bool found;
    bool refused; /* one of that name does not fit: ACCESS */
    dn_credential_row row;
} search;

static dunlin_slice endpoint_of(const dn_credential *credential)
{
    return dunlin_slice_make(credential->endpoint, credential->endpoint_len);
}

static bool claims_name(const search *s, dunlin_slice name)
{
    for (size_t i = 0; i < s->names; i++) {
        if (dunlin_slice_equal(s->claims->names[i], name)) {
            return true;
        }
    }
    return false;
}

static void settle_on(search *s, const dn_credential_row *row)
{
    s->row = *row;
    s->found = true;
}

/* Of several with the same fingerprint the first is kept until one is for a name of the certificate. */
static bool take_fingerprint(void *context, const dn_credential_row *row)
{
    search *s = context;
    if (row->credential.mode != DN_SECURITY_X509) {
        return true;
    }
    const bool named = claims_name(s, endpoint_of(&row->credential));
    if (named || !s->found) {
        settle_on(s, row);
    }
    return !named;
}

/* A credential that was found by a name: it fits unless it wants another certificate, or nobody vouches for this one. */
static bool take_named(void *context, const dn_credential_row *row)
{
    search *s = context;
    if (row->credential.mode != DN_SECURITY_X509) {
        return true;
    }
    if (row->credential.has_fingerprint || !s->claims->is_trusted) {
        s->refused = true; /* the right fingerprint would have been found before */
        return true;
    }
    settle_on(s, row);
    return false;
}

static dunlin_status by_names(dn_credential_rows *rows, search *s)
{
    for (size_t i = 0; i < s->names && !s->found; i++) {
        dunlin_status status =
            dn_credential_rows_each(rows, DN_ROW_BY_NAME, s->claims->names[i], take_named, s);
        if (status != DUNLIN_OK) {
            return status;
        }
    }
    return DUNLIN_OK;
}

/* Of a name's credential, or the one that is staged for it. */
static dunlin_status by_endpoint(dn_credential_rows *rows, search *s, dn_row_key key, dunlin_slice name)
{
    dn_credential_row row;
    dunlin_status status = dn_credential_rows_find(rows, key, name, &row);
    if (status == DUNLIN_OK && row.credential.name_len == 0 && !row.credential.is_pattern) {
        (void)take_named(s, &row);
    }
    return status == DUNLIN_ERR_NOT_FOUND ? DUNLIN_OK : status;
}

static dunlin_status by_endpoints(dn_credential_rows *rows, search *s)
{
    dunlin_status status = DUNLIN_OK;
    for (size_t i = 0; i < s->names && !s->found && status == DUNLIN_OK; i++) {
        status = by_endpoint(rows, s, DN_ROW_BY_ENDPOINT, s->claims->names[i]);
        if (status == DUNLIN_OK && !s->found) {
            status = by_endpoint(rows, s, DN_ROW_BY_STAGED, s->claims->names[i]);
        }
    }
    return status;
}

/* A pattern for one name of the certificate: the most particular one of certificates decides. */
static dunlin_status by_pattern(dn_credential_rows *rows, dn_credential_patterns *patterns, search *s,
                                dunlin_slice name)
{
    dn_credential_pattern pattern;
    dn_credential_row row;
    size_t at = 0;
    bool decided = false;
    while (!decided && dn_credential_patterns_next(patterns, name, &at, &pattern)) {
        dunlin_status status = dn_credential_rows_find(rows, DN_ROW_BY_ENDPOINT,
                                                       dunlin_slice_make(pattern.text, pattern.len), &row);
        if (status == DUNLIN_OK && row.credential.mode == DN_SECURITY_X509) {
            (void)take_named(s, &row);
            decided = true;
        } else if (status != DUNLIN_OK && status != DUNLIN_ERR_NOT_FOUND) {
            return status;
        }
    }
    return DUNLIN_OK;
}

static dunlin_status by_patterns(dn_credential_rows *rows, dn_credential_patterns *patterns, search *s,
                                 dunlin_slice *name)
{
    for (size_t i = 0; i < s->names && !s->found; i++) {
        *name = s->claims->names[i];
        if (name->len == 0 || name->len > DN_ENDPOINT_NAME_MAX || dn_endpoint_is_pattern(*name)) {
            continue;
        }
        if (dn_credential_rows_exists(rows, *name)) {
            s->refused = true; /* what is said of this name in particular did not fit above */
            continue;
        }
        dunlin_status status = by_pattern(rows, patterns, s, *name);
        if (status != DUNLIN_OK) {
            return status;
        }
    }
    return DUNLIN_OK;
}

dunlin_status dn_credential_claims_find(dn_credential_rows *rows, dn_credential_patterns *patterns,
                                        const dn_certificate_claims *claims, dn_credential *out)
{
    search s = {.claims = claims,
                .names = claims->count < DN_CLAIMS_NAMES_MAX ? claims->count : DN_CLAIMS_NAMES_MAX};
    dunlin_slice name = {NULL, 0};
    bool as_pattern = false;
    dunlin_status status = dn_credential_rows_each(rows, DN_ROW_BY_FINGERPRINT,
                                                   dunlin_slice_make(claims->fingerprint, DN_FINGERPRINT_LEN),
                                                   take_fingerprint, &s);
    if (status == DUNLIN_OK && !s.found) {
        status = by_names(rows, &s);
    }
    if (status == DUNLIN_OK && !s.found) {
        status = by_endpoints(rows, &s);
    }
    if (status == DUNLIN_OK && !s.found) {
        status = by_patterns(rows, patterns, &s, &name);
        as_pattern = s.found;
    }
    if (status == DUNLIN_OK && s.found) {
        status = dn_credential_rows_unseal(rows, &s.row);
    } else if (status == DUNLIN_OK) {
        status = s.refused ? DUNLIN_ERR_ACCESS : DUNLIN_ERR_NOT_FOUND;
    }
    if (status == DUNLIN_OK) {
        *out = s.row.credential;
        if (as_pattern) {
            memset(out->endpoint, 0, sizeof out->endpoint);
            memcpy(out->endpoint, name.data, name.len);
            out->endpoint_len = (uint8_t)name.len;
            out->is_pattern = false;
        }
    }
    return status;
}
