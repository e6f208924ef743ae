/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server's end: one context for pre-shared keys, raw public keys and certificates at once. Who a client is comes from the keeper of
 * credentials, by what the handshake has proved.
 */
#include "security/gnutls_inside.h"
#include "security/gnutls_names.h"

#include <stdlib.h>
#include <string.h>

#define SNI_MAX         256u
#define CLAIM_NAMES_MAX 32u
#define CLAIM_BYTES_MAX 4096u

/* ---- who it is ---- */

static dn_tls_verdict remember(dn_tls_session *session, const dn_credential *found)
{
    if (session->identity == NULL) {
        session->identity = malloc(sizeof *session->identity);
    }
    if (session->identity == NULL) {
        return dn_tls_no_memory();
    }
    *session->identity = dn_credential_identity(found);
    return dn_tls_fine();
}

static dn_tls_verdict lookup_failed(dunlin_status status, int unknown_alert, const char *unknown)
{
    if (status == DUNLIN_ERR_NOT_FOUND) {
        return dn_tls_refusal(unknown_alert, unknown);
    }
    if (status == DUNLIN_ERR_ACCESS) {
        return dn_tls_refusal(GNUTLS_A_ACCESS_DENIED,
                              "the certificate does not entitle to the name that it bears");
    }
    return dn_tls_refusal(GNUTLS_A_INTERNAL_ERROR, "the credentials cannot be read");
}

static dunlin_status look_up_psk(dn_tls_session *session, const gnutls_datum_t *name, dn_credential *found)
{
    dn_credentials *credentials = session->context->credentials;
    if (credentials == NULL || name->size == 0 || name->size > DN_PSK_IDENTITY_MAX) {
        return DUNLIN_ERR_NOT_FOUND;
    }
    return credentials->ops->find_psk(credentials, dunlin_slice_make(name->data, name->size), found);
}

static int find_psk(gnutls_session_t gnutls, const gnutls_datum_t *name, gnutls_datum_t *key)
{
    dn_tls_session *session = dn_tls_session_of(gnutls);
    dn_credential found;
    memset(&found, 0, sizeof found);
    const dunlin_status status = look_up_psk(session, name, &found);
    /* First of all: the library does not take a key from a look-up that fails. */
    dn_tls_verdict verdict =
        status == DUNLIN_OK ? remember(session, &found)
                            : lookup_failed(status, GNUTLS_A_UNKNOWN_PSK_IDENTITY, "unknown PSK identity");
    if (verdict.alert == DN_TLS_NO_ALERT) {
        key->data = gnutls_malloc(found.key_len);
        if (key->data == NULL) {
            verdict = dn_tls_no_memory();
        } else {
            memcpy(key->data, found.key, found.key_len);
            key->size = found.key_len;
        }
    }
    dn_credential_wipe(&found);
    return dn_tls_judge(session, verdict) == 0 ? 0 : -1;
}

/* A resumed session bears the identity alone. That it still is known is what counts: tickets died when its key changed. */
static dn_tls_verdict recheck_psk(dn_tls_session *session)
{
    gnutls_datum_t name = {NULL, 0};
    dn_credential found;
    memset(&found, 0, sizeof found);
    dunlin_status status = DUNLIN_ERR_NOT_FOUND;
    if (gnutls_psk_server_get_username2(session->gnutls, &name) >= 0) {
        status = look_up_psk(session, &name, &found);
    }
    const dn_tls_verdict verdict =
        status == DUNLIN_OK
            ? remember(session, &found)
            : lookup_failed(status, GNUTLS_A_ACCESS_DENIED, "the PSK identity of a resumed session is gone");
    dn_credential_wipe(&found);
    return verdict;
}

static dn_tls_verdict check_raw_key(dn_tls_session *session, const gnutls_datum_t *key)
{
    dn_credentials *credentials = session->context->credentials;
    dn_credential found;
    const dunlin_status status =
        credentials == NULL
            ? DUNLIN_ERR_NOT_FOUND
            : credentials->ops->find_key(credentials, dunlin_slice_make(key->data, key->size), &found);
    if (status != DUNLIN_OK) {
        return lookup_failed(status,
                             session->is_resumed ? GNUTLS_A_ACCESS_DENIED : GNUTLS_A_CERTIFICATE_UNKNOWN,
                             session->is_resumed ? "the raw public key of a resumed session is gone"
                                                 : "unknown raw public key");
    }
    const dn_tls_verdict verdict = remember(session, &found);
    dn_credential_wipe(&found);
    return verdict;
}

/* Asks the keeper whose certificate it is. */
static dunlin_status look_up_names(dn_tls_session *session, gnutls_x509_crt_t leaf, bool is_trusted,
                                   dn_credential *found)
{
    dn_credentials *credentials = session->context->credentials;
    if (credentials == NULL) {
        return DUNLIN_ERR_NOT_FOUND;
    }
    uint8_t fingerprint[DN_FINGERPRINT_LEN];
    size_t fingerprint_len = sizeof fingerprint;
    if (gnutls_x509_crt_get_fingerprint(leaf, GNUTLS_DIG_SHA256, fingerprint, &fingerprint_len) < 0) {
        return DUNLIN_ERR_MEMORY;
    }
    char bytes[CLAIM_BYTES_MAX];
    dunlin_slice names[CLAIM_NAMES_MAX];
    const dn_certificate_claims claims = {
        .fingerprint = fingerprint,
        .names = names,
        .count = dn_names_collect(leaf, names, CLAIM_NAMES_MAX, bytes, sizeof bytes),
        .is_trusted = is_trusted};
    return credentials->ops->find_names(credentials, &claims, found);
}

static dn_tls_verdict check_chain(dn_tls_session *session, const dn_chain *chain)
{
    const dn_tls_context *context = session->context;
    const dn_path_rules rules = {.purpose = GNUTLS_KP_TLS_WWW_CLIENT,
                                 .wall_s = dn_tls_context_wall(context),
                                 .suites = context->suites};
    dn_tls_verdict verdict = dn_tls_path_verdict(dn_trust_check_leaf(chain->certs[0], &rules));
    if (verdict.alert != DN_TLS_NO_ALERT) {
        return verdict;
    }
    const dn_path path = dn_trust_check(context->trust, chain, &rules);
    if (path.state != DN_PATH_TRUSTED && path.state != DN_PATH_UNKNOWN_CA) {
        return dn_tls_path_verdict(path.state);
    }
    /* From nobody trusted: it can still be one that is known by itself. */
    const bool is_trusted = path.state == DN_PATH_TRUSTED;
    dn_credential found;
    const dunlin_status status = look_up_names(session, chain->certs[0], is_trusted, &found);
    if (status == DUNLIN_OK) {
        verdict = remember(session, &found);
        dn_credential_wipe(&found);
        return verdict;
    }
    if (!is_trusted && (status == DUNLIN_ERR_NOT_FOUND || status == DUNLIN_ERR_ACCESS)) {
        return dn_tls_path_verdict(DN_PATH_UNKNOWN_CA);
    }
    return lookup_failed(status, GNUTLS_A_ACCESS_DENIED, "no credential for the names in the certificate");
}

static dn_tls_verdict check_certificates(dn_tls_session *session)
{
    unsigned count = 0;
    const gnutls_datum_t *list = gnutls_certificate_get_peers(session->gnutls, &count);
    if (list == NULL || count == 0) {
        return dn_tls_refusal(GNUTLS_A_HANDSHAKE_FAILURE, "no client certificate was sent");
    }
    if (gnutls_certificate_type_get2(session->gnutls, GNUTLS_CTYPE_CLIENT) == GNUTLS_CRT_RAWPK) {
        return check_raw_key(session, &list[0]);
    }
    dn_chain chain;
    if (!dn_chain_import(&chain, list, count)) {
        return dn_tls_refusal(GNUTLS_A_BAD_CERTIFICATE, "the certificates cannot be read, or are too many");
    }
    const dn_tls_verdict verdict = check_chain(session, &chain);
    dn_chain_free(&chain);
    return verdict;
}

static int verify(gnutls_session_t gnutls)
{
    dn_tls_session *session = dn_tls_session_of(gnutls);
    return dn_tls_judge(session, check_certificates(session));
}

/*
 * A resumed handshake skips keys and certificates, and the library tells whose they were only when it is complete: so that is looked up here, and
 * who is not entitled any more gets an alert in place of an answer to its first request. What changes while a handshake is under way is no verdict
 * on who began it: handshake_failure makes a device try once more (Transport 1.1.1 table 5.2.9-1), access_denied would make it give up.
 */
static dn_tls_verdict recheck(dn_tls_session *session)
{
    gnutls_datum_t name = {NULL, 0};
    if (dn_resume_drops(session->context->resume) != session->drops) {
        return dn_tls_refusal(GNUTLS_A_HANDSHAKE_FAILURE, "what it resumes was dropped meanwhile");
    }
    const bool is_psk = gnutls_psk_server_get_username2(session->gnutls, &name) >= 0;
    return is_psk ? recheck_psk(session) : check_certificates(session);
}

bool dn_tls_is_current(const dn_tls_session *session)
{
    dn_credentials *credentials = session->context->credentials;
    const dn_identity *identity = dn_tls_identity(session);
    return identity != NULL && credentials != NULL && credentials->ops->is_current != NULL &&
           credentials->ops->is_current(credentials, identity->credential, identity->generation);
}

dn_tls_verdict dn_tls_server_confirm(dn_tls_session *session)
{
    if (session->is_resumed) {
        return recheck(session);
    }
    const dn_identity *identity = session->identity;
    if (identity == NULL) {
        return dn_tls_refusal(GNUTLS_A_ACCESS_DENIED, "nobody has proved to be anyone");
    }
    dn_credentials *credentials = session->context->credentials;
    if (credentials->ops->is_current != NULL &&
        !credentials->ops->is_current(credentials, identity->credential, identity->generation)) {
        return dn_tls_refusal(GNUTLS_A_HANDSHAKE_FAILURE, "the credential has changed during the handshake");
    }
    return dn_tls_fine();
}

/* ---- which key pair ---- */

/* The first that has what is asked for, unless the client's SNI names another. */
static dn_keys *choose(dn_tls_session *session, bool wants_chain)
{
    dn_tls_context *context = session->context;
    char host[SNI_MAX];
    size_t host_len = sizeof host;
    unsigned type = 0;
    const bool has_name = gnutls_server_name_get(session->gnutls, host, &host_len, &type, 0) >= 0 &&
                          type == GNUTLS_NAME_DNS && host_len < sizeof host;
    dn_keys *first = NULL;
    for (size_t i = 0; i < context->pair_count; i++) {
        dn_keys *keys = &context->pairs[i];
        if (wants_chain && keys->chain_len == 0) {
            continue;
        }
        first = first == NULL ? keys : first;
        if (has_name && keys->leaf != NULL && dn_names_match(keys->leaf, host, false)) {
            return keys;
        }
    }
    return first;
}

static int retrieve(gnutls_session_t gnutls, const struct gnutls_cert_retr_st *info, gnutls_pcert_st **certs,
                    unsigned *certs_len, gnutls_ocsp_data_st **ocsp, unsigned *ocsp_len,
                    gnutls_privkey_t *key, unsigned *flags)
{
    (void)info;
    const bool is_raw = gnutls_certificate_type_get2(gnutls, GNUTLS_CTYPE_SERVER) == GNUTLS_CRT_RAWPK;
    dn_keys *keys = choose(dn_tls_session_of(gnutls), !is_raw);
    *certs_len = *ocsp_len = 0;
    *ocsp = NULL;
    *flags = 0; /* all stays the context's */
    if (keys == NULL) {
        return 0;
    }
    *certs = is_raw ? &keys->raw : keys->chain;
    *certs_len = is_raw ? 1 : keys->chain_len;
    *key = keys->key;
    if (!is_raw && keys->has_ocsp) {
        *ocsp = &keys->ocsp;
        *ocsp_len = 1;
    }
    return 0;
}

/* ---- contexts ---- */

static const char *kinds_of(const dn_tls_server_config *config)
{
    bool has_chain = false;
    for (size_t i = 0; i < config->pair_count; i++) {
        has_chain = has_chain || config->pairs[i].chain.len > 0;
    }
    const bool is_more = config->suites == DN_TLS_SUITES_MORE;
    if (config->pair_count == 0) {
        return is_more ? "+ECDHE-PSK:+PSK" : "+PSK";
    }
#define CLIENT_TYPES ":+CTYPE-CLI-RAWPK:+CTYPE-CLI-X509:+CTYPE-SRV-RAWPK"
    if (has_chain) {
        return is_more ? "+ECDHE-ECDSA:+ECDHE-PSK:+PSK" CLIENT_TYPES ":+CTYPE-SRV-X509"
                       : "+ECDHE-ECDSA:+PSK" CLIENT_TYPES ":+CTYPE-SRV-X509";
    }
    return is_more ? "+ECDHE-ECDSA:+ECDHE-PSK:+PSK" CLIENT_TYPES : "+ECDHE-ECDSA:+PSK" CLIENT_TYPES;
#undef CLIENT_TYPES
}

static dunlin_status set_up(dn_tls_context *context, const dn_tls_server_config *config, char *error,
                            size_t error_size)
{
    context->trust = dn_trust_create();
    if (context->trust == NULL || gnutls_psk_allocate_server_credentials(&context->psk_server) < 0) {
        return DUNLIN_ERR_MEMORY;
    }
    gnutls_psk_set_server_credentials_function2(context->psk_server, find_psk);
    if (config->pair_count > 0) {
        if (gnutls_certificate_allocate_credentials(&context->certificates) < 0) {
            return DUNLIN_ERR_MEMORY;
        }
        gnutls_certificate_set_retrieve_function3(context->certificates, retrieve);
    }
    dunlin_status status = DUNLIN_OK;
    for (size_t i = 0; i < config->pair_count && status == DUNLIN_OK; i++) {
        status = dn_keys_load(&context->pairs[i], &config->pairs[i], config->suites, error, error_size);
        context->pair_count = status == DUNLIN_OK ? i + 1 : i;
    }
    if (status == DUNLIN_OK && config->trusted.len > 0) {
        status = dn_trust_add_cas(context->trust, config->trusted, error, error_size);
    }
    if (status == DUNLIN_OK && config->revoked.len > 0) {
        status = dn_trust_add_crls(context->trust, config->revoked, error, error_size);
    }
    if (status == DUNLIN_OK && config->resumption) {
        context->resume = dn_resume_create(config->resumable, config->ticket_lifetime_s);
        status = context->resume != NULL ? DUNLIN_OK : DUNLIN_ERR_MEMORY;
    }
    return status;
}

dunlin_status dn_tls_server_create(const dn_tls_server_config *config, dn_tls_context **context, char *error,
                                   size_t error_size)
{
    *context = NULL;
    dn_tls_error(error, error_size, "no memory");
    if (config->pair_count > DN_TLS_KEY_PAIRS_MAX) {
        dn_tls_error(error, error_size, "more than %u key pairs", DN_TLS_KEY_PAIRS_MAX);
        return DUNLIN_ERR_ARGUMENT;
    }
    dn_tls_context *made = dn_tls_context_create(true, config->suites, kinds_of(config));
    if (made == NULL) {
        return DUNLIN_ERR_MEMORY;
    }
    made->credentials = config->credentials;
    made->mtu = config->mtu;
    made->retransmit_ms = config->retransmit_ms;
    made->handshake_ms = config->handshake_ms;
    made->wall_s = config->wall_s;
    made->wall_context = config->wall_context;
    made->session_flags =
        (config->pair_count > 0 ? GNUTLS_ENABLE_RAWPK : 0u) | (config->resumption ? 0u : GNUTLS_NO_TICKETS);
    const dunlin_status status = set_up(made, config, error, error_size);
    if (status != DUNLIN_OK) {
        dn_tls_context_give_up(made);
        return status;
    }
    dn_tls_error(error, error_size, "%s", "");
    *context = made;
    return DUNLIN_OK;
}

bool dn_tls_server_begin(dn_tls_session *session, const dn_tls_opening *opening)
{
    const gnutls_datum_t protocol = dn_datum(dunlin_slice_of("coap")); /* RFC 8323 section 8.2 */
    const dn_tls_context *context = session->context;
    gnutls_session_t gnutls = session->gnutls;
    if (gnutls_credentials_set(gnutls, GNUTLS_CRD_PSK, context->psk_server) < 0) {
        return false;
    }
    if (context->certificates != NULL) {
        if (gnutls_credentials_set(gnutls, GNUTLS_CRD_CERTIFICATE, context->certificates) < 0) {
            return false;
        }
        gnutls_certificate_server_set_request(gnutls, GNUTLS_CERT_REQUIRE);
        gnutls_session_set_verify_function(gnutls, verify);
    }
    if (context->resume != NULL && !dn_resume_enable(context->resume, gnutls, &session->drops)) {
        return false;
    }
    return opening->datagram || gnutls_alpn_set_protocols(gnutls, &protocol, 1, GNUTLS_ALPN_MANDATORY) >= 0;
}
