/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a client thinks of its server's raw public key or certificates: certificate usages and matching types (Transport 1.1.1 sections
 * 5.2.8.2 to 5.2.8.7, RFC 6698), the name that was asked for, and the stapled status.
 */
#include "security/gnutls_inside.h"
#include "security/gnutls_names.h"

#include <gnutls/crypto.h>
#include <gnutls/ocsp.h>
#include <string.h>

#define OCSP_AHEAD_MAX_S    300 /* by which a responder's clock may be ahead of ours */
#define OCSP_SINGLES_MAX    16u /* certificates that a response may be about */
#define BAD_STATUS_RESPONSE 113 /* bad_certificate_status_response, for which the library has no name */

typedef enum { MATCH_NONE, MATCH_KEY, MATCH_CERTIFICATE } match;

dn_tls_verdict dn_tls_path_verdict(dn_path_state state)
{
    switch (state) {
    case DN_PATH_UNKNOWN_CA:
        return dn_tls_refusal(GNUTLS_A_UNKNOWN_CA, "the certificate is not from a trusted CA");
    case DN_PATH_BAD:
        return dn_tls_refusal(GNUTLS_A_BAD_CERTIFICATE,
                              "a signature or a constraint of the certificates does not hold");
    case DN_PATH_WEAK:
        return dn_tls_refusal(GNUTLS_A_UNSUPPORTED_CERTIFICATE,
                              "a certificate has a hash or a curve that is not allowed");
    case DN_PATH_PURPOSE:
        return dn_tls_refusal(GNUTLS_A_UNSUPPORTED_CERTIFICATE, "the certificate is not for this purpose");
    case DN_PATH_NOT_YET:
        return dn_tls_refusal(GNUTLS_A_CERTIFICATE_EXPIRED, "the certificate is not valid yet");
    case DN_PATH_EXPIRED:
        return dn_tls_refusal(GNUTLS_A_CERTIFICATE_EXPIRED, "the certificate has expired");
    case DN_PATH_REVOKED:
        return dn_tls_refusal(GNUTLS_A_CERTIFICATE_REVOKED, "the certificate was revoked");
    case DN_PATH_TRUSTED:
        break;
    }
    return dn_tls_fine();
}

/* ---- /0/x/4 and /0/x/13 ---- */

static bool bytes_match(const dn_tls_expectation *expect, const gnutls_datum_t *bytes)
{
    static const gnutls_digest_algorithm_t hashes[] = {GNUTLS_DIG_NULL, GNUTLS_DIG_SHA256, GNUTLS_DIG_SHA384,
                                                       GNUTLS_DIG_SHA512};
    uint8_t hash[64];
    const uint8_t *seen = bytes->data;
    size_t seen_len = bytes->size;
    if (expect->matching > 0) {
        if (gnutls_hash_fast(hashes[expect->matching], bytes->data, bytes->size, hash) < 0) {
            return false;
        }
        seen = hash;
        seen_len = gnutls_hash_get_len(hashes[expect->matching]);
    }
    return seen_len == expect->expected_len && memcmp(seen, expect->expected, seen_len) == 0;
}

static match cert_matches(const dn_tls_expectation *expect, gnutls_x509_crt_t cert)
{
    gnutls_datum_t der = {NULL, 0};
    gnutls_pubkey_t key = NULL;
    match found = MATCH_NONE;
    if (gnutls_x509_crt_export2(cert, GNUTLS_X509_FMT_DER, &der) >= 0) {
        found = bytes_match(expect, &der) ? MATCH_CERTIFICATE : MATCH_NONE;
        gnutls_free(der.data);
    }
    if (found == MATCH_NONE && gnutls_pubkey_init(&key) >= 0) {
        if (gnutls_pubkey_import_x509(key, cert, 0) >= 0 && dn_keys_export(key, &der) >= 0) {
            found = bytes_match(expect, &der) ? MATCH_KEY : MATCH_NONE;
            gnutls_free(der.data);
        }
        gnutls_pubkey_deinit(key);
    }
    return found;
}

/* ---- the stapled status (RFC 6066 section 8, RFC 6960) ---- */

static bool is_timely(gnutls_ocsp_resp_t response, unsigned index, int64_t wall_s, unsigned *status)
{
    time_t this_update = 0;
    time_t next_update = 0;
    if (gnutls_ocsp_resp_get_single(response, index, NULL, NULL, NULL, NULL, status, &this_update,
                                    &next_update, NULL, NULL) < 0) {
        return false;
    }
    return wall_s < 0 || ((int64_t)this_update <= wall_s + OCSP_AHEAD_MAX_S &&
                          (next_update == (time_t)-1 || wall_s <= (int64_t)next_update));
}

static dn_tls_verdict check_response(gnutls_ocsp_resp_t response, const dn_path *path, int64_t wall_s)
{
    const dn_tls_verdict bad =
        dn_tls_refusal(BAD_STATUS_RESPONSE, "the stapled status of the certificate is not valid");
    if (gnutls_ocsp_resp_get_status(response) != GNUTLS_OCSP_RESP_SUCCESSFUL) {
        return bad;
    }
    unsigned index = 0;
    while (index < OCSP_SINGLES_MAX && gnutls_ocsp_resp_check_crt(response, index, path->certs[0]) < 0) {
        index++;
    }
    if (index == OCSP_SINGLES_MAX) {
        return bad; /* it is about other certificates */
    }
    unsigned problems = 0;
    unsigned status = GNUTLS_OCSP_CERT_UNKNOWN;
    if (gnutls_ocsp_resp_verify_direct(response, path->certs[1], &problems,
                                       GNUTLS_VERIFY_DISABLE_TIME_CHECKS) < 0 ||
        problems != 0 || !is_timely(response, index, wall_s, &status)) {
        return bad;
    }
    if (status == GNUTLS_OCSP_CERT_REVOKED) {
        return dn_tls_refusal(GNUTLS_A_CERTIFICATE_REVOKED,
                              "the stapled status says that the certificate was revoked");
    }
    return status == GNUTLS_OCSP_CERT_GOOD ? dn_tls_fine() : bad;
}

static dn_tls_verdict check_staple(dn_tls_session *session, const dn_path *path)
{
    gnutls_datum_t stapled = {NULL, 0};
    if (path->count < 2 || gnutls_ocsp_status_request_get(session->gnutls, &stapled) < 0) {
        return dn_tls_fine(); /* the server has none: RFC 6066 leaves it that */
    }
    gnutls_ocsp_resp_t response = NULL;
    if (gnutls_ocsp_resp_init(&response) < 0) {
        return dn_tls_no_memory();
    }
    dn_tls_verdict verdict = dn_tls_refusal(BAD_STATUS_RESPONSE, "the stapled status cannot be read");
    if (gnutls_ocsp_resp_import(response, &stapled) >= 0) {
        verdict = check_response(response, path, dn_tls_context_wall(session->context));
    }
    gnutls_ocsp_resp_deinit(response);
    return verdict;
}

/* ---- usages ---- */

static dn_tls_verdict check_path(dn_tls_session *session, const dn_trust *trust, const dn_chain *chain,
                                 dn_path *path)
{
    const dn_path_rules rules = {.purpose = GNUTLS_KP_TLS_WWW_SERVER,
                                 .wall_s = dn_tls_context_wall(session->context),
                                 .suites = session->context->suites};
    *path = dn_trust_check(trust, chain, &rules);
    const dn_tls_verdict verdict = dn_tls_path_verdict(path->state);
    return verdict.alert != DN_TLS_NO_ALERT ? verdict : check_staple(session, path);
}

/* 0, "CA constraint": a path to a root of the trust store, and the CA is on it. */
static dn_tls_verdict check_ca_constraint(dn_tls_session *session, const dn_chain *chain)
{
    dn_path path;
    const dn_tls_verdict verdict = check_path(session, session->context->trust, chain, &path);
    if (verdict.alert != DN_TLS_NO_ALERT) {
        return verdict;
    }
    for (unsigned i = 1; i < path.count; i++) {
        if (cert_matches(&session->context->expect, path.certs[i]) != MATCH_NONE) {
            return dn_tls_fine();
        }
    }
    return dn_tls_refusal(GNUTLS_A_UNKNOWN_CA,
                          "the certificate is from another CA than the one that is demanded");
}

/* A path to the one anchor. */
static dn_tls_verdict check_path_to(dn_tls_session *session, const dn_chain *chain, gnutls_x509_crt_t anchor)
{
    if (!dn_cert_is_ca(anchor)) {
        return dn_tls_refusal(GNUTLS_A_UNKNOWN_CA, "what the account names as trust anchor is no CA");
    }
    dn_tls_verdict verdict = dn_tls_no_memory();
    dn_trust *trust = dn_trust_create();
    if (trust != NULL && dn_trust_add_anchor(trust, anchor)) {
        dn_path path;
        verdict = check_path(session, trust, chain, &path);
    }
    dn_trust_free(trust);
    return verdict;
}

/* The account has the bare key of a CA whose certificate does not come along: what it has signed is where the path ends. */
static dn_tls_verdict check_key_as_anchor(dn_tls_session *session, const dn_chain *chain)
{
    const dn_tls_expectation *expect = &session->context->expect;
    gnutls_x509_crt_t top = chain->certs[chain->count - 1];
    if (expect->matching != 0 ||
        !dn_cert_is_signed_by(top, dunlin_slice_make(expect->expected, expect->expected_len))) {
        return dn_tls_refusal(GNUTLS_A_UNKNOWN_CA,
                              "the certificate is not from the CA that the account names");
    }
    if (chain->count > 1) {
        return check_path_to(session, chain, top);
    }
    /* The end entity alone; curve, hash and validity have been looked at. */
    return gnutls_x509_crt_check_key_purpose(top, GNUTLS_KP_TLS_WWW_SERVER, 0) != 0
               ? dn_tls_fine()
               : dn_tls_path_verdict(DN_PATH_PURPOSE);
}

/* 2, "trust anchor assertion": what the account names is the only root. It may come in the chain, or from the account as a whole certificate or as its
   key. */
static dn_tls_verdict check_anchor(dn_tls_session *session, const dn_chain *chain)
{
    const dn_tls_expectation *expect = &session->context->expect;
    for (unsigned i = 1; i < chain->count; i++) {
        if (cert_matches(expect, chain->certs[i]) != MATCH_NONE) {
            return check_path_to(session, chain, chain->certs[i]);
        }
    }
    dn_chain named = {.count = 0};
    const gnutls_datum_t der = dn_datum(dunlin_slice_make(expect->expected, expect->expected_len));
    if (expect->matching != 0 || !dn_chain_import(&named, &der, 1)) {
        return check_key_as_anchor(session, chain);
    }
    const dn_tls_verdict verdict = check_path_to(session, chain, named.certs[0]);
    dn_chain_free(&named);
    return verdict;
}

static dn_tls_verdict check_name(const dn_tls_session *session, gnutls_x509_crt_t leaf)
{
    const dn_tls_expectation *expect = &session->context->expect;
    return dn_names_match(leaf, expect->host, expect->is_address)
               ? dn_tls_fine()
               : dn_tls_refusal(GNUTLS_A_BAD_CERTIFICATE, "the certificate is for another name");
}

static dn_tls_verdict check_usage(dn_tls_session *session, const dn_chain *chain)
{
    const dn_tls_expectation *expect = &session->context->expect;
    const match leaf_match = cert_matches(expect, chain->certs[0]);
    const bool is_for_leaf = expect->usage == 1 || expect->usage == 3;
    if (is_for_leaf && leaf_match == MATCH_NONE) {
        return dn_tls_refusal(GNUTLS_A_CERTIFICATE_UNKNOWN,
                              "the certificate is another one than the account names");
    }
    /* Usage 3 leaves out path and validity (section 5.2.8.7), but not which curves and hashes may be used at all. */
    const dn_path_rules rules = {.wall_s = expect->usage == 3 ? -1 : dn_tls_context_wall(session->context),
                                 .suites = session->context->suites};
    dn_tls_verdict verdict = dn_tls_path_verdict(dn_trust_check_leaf(chain->certs[0], &rules));
    if (verdict.alert != DN_TLS_NO_ALERT || expect->usage == 3) {
        return verdict;
    }
    dn_path path;
    switch (expect->usage) {
    case 0:
        verdict = check_ca_constraint(session, chain);
        break;
    case 1:
        verdict = check_path(session, session->context->trust, chain, &path);
        break;
    default:
        verdict = check_anchor(session, chain);
        break;
    }
    /* Section 5.2.8.3: no name is compared when the very certificate was named. */
    if (verdict.alert != DN_TLS_NO_ALERT || (is_for_leaf && leaf_match == MATCH_CERTIFICATE)) {
        return verdict;
    }
    return check_name(session, chain->certs[0]);
}

dn_tls_verdict dn_tls_client_verify(dn_tls_session *session)
{
    unsigned count = 0;
    const gnutls_datum_t *list = gnutls_certificate_get_peers(session->gnutls, &count);
    if (list == NULL || count == 0) {
        return dn_tls_refusal(GNUTLS_A_HANDSHAKE_FAILURE, "the server has sent no certificate");
    }
    if (session->context->expect.mode == DN_SECURITY_RPK) {
        return bytes_match(&session->context->expect, &list[0])
                   ? dn_tls_fine()
                   : dn_tls_refusal(GNUTLS_A_CERTIFICATE_UNKNOWN,
                                    "the server's raw public key is another one");
    }
    dn_chain chain;
    if (!dn_chain_import(&chain, list, count)) {
        return dn_tls_refusal(GNUTLS_A_BAD_CERTIFICATE, "the certificates cannot be read, or are too many");
    }
    const dn_tls_verdict verdict = check_usage(session, &chain);
    dn_chain_free(&chain);
    return verdict;
}
