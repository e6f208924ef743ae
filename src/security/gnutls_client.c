/* SPDX-License-Identifier: Apache-2.0 */
/* The client's end: a context for one server account, what resumes its sessions. */
#include "security/gnutls_inside.h"
#include "security/gnutls_names.h"
#include "security/pem.h"

#include <gnutls/crypto.h>
#include <stdlib.h>
#include <string.h>

/* What is kept of a session: a mark, the digest of the configuration, then what the library gives. The mark tells datagrams from streams: what is of
   one cannot be resumed over the other. */
#define RESUME_MARK   4u
#define RESUME_HEADER (RESUME_MARK + sizeof(((dn_tls_expectation *)0)->digest))

static void resume_header(const dn_tls_session *session, uint8_t out[RESUME_HEADER])
{
    const uint8_t mark[RESUME_MARK] = {'D', 'n', 1, session->datagram ? 'D' : 'S'};
    memcpy(out, mark, sizeof mark);
    memcpy(out + sizeof mark, session->context->expect.digest, sizeof session->context->expect.digest);
}

static int retrieve(gnutls_session_t gnutls, const struct gnutls_cert_retr_st *info, gnutls_pcert_st **certs,
                    unsigned *certs_len, gnutls_ocsp_data_st **ocsp, unsigned *ocsp_len,
                    gnutls_privkey_t *key, unsigned *flags)
{
    (void)info;
    dn_tls_context *context = dn_tls_session_of(gnutls)->context;
    *certs_len = *ocsp_len = 0;
    *ocsp = NULL;
    *flags = 0;
    if (context->pair_count == 0) {
        return 0;
    }
    dn_keys *keys = &context->pairs[0];
    const bool is_raw = context->expect.mode == DN_SECURITY_RPK;
    *certs = is_raw ? &keys->raw : keys->chain;
    *certs_len = is_raw ? 1 : keys->chain_len;
    *key = keys->key;
    return 0;
}

static int verify(gnutls_session_t gnutls)
{
    dn_tls_session *session = dn_tls_session_of(gnutls);
    return dn_tls_judge(session, dn_tls_client_verify(session));
}

dn_tls_verdict dn_tls_client_recheck(dn_tls_session *session)
{
    return session->context->expect.mode == DN_SECURITY_PSK ? dn_tls_fine() : dn_tls_client_verify(session);
}

/* ---- contexts ---- */

static dunlin_status refuse(char *error, size_t error_size, const char *text)
{
    dn_tls_error(error, error_size, "%s", text);
    return DUNLIN_ERR_ARGUMENT;
}

static dunlin_status set_up_psk(dn_tls_context *context, const dn_tls_client_config *config, char *error,
                                size_t error_size)
{
    if (config->own.len == 0 || config->own.len > DN_PSK_IDENTITY_MAX) {
        return refuse(error, error_size, "the PSK identity must have 1 to 128 bytes");
    }
    if (config->secret.len == 0 || config->secret.len > DN_PSK_KEY_MAX) {
        return refuse(error, error_size, "the pre-shared key must have 1 to 64 bytes");
    }
    if (gnutls_psk_allocate_client_credentials(&context->psk_client) < 0) {
        return DUNLIN_ERR_MEMORY;
    }
    const gnutls_datum_t name = dn_datum(config->own);
    const gnutls_datum_t key = dn_datum(config->secret);
    const int result =
        gnutls_psk_set_client_credentials2(context->psk_client, &name, &key, GNUTLS_PSK_KEY_RAW);
    return result < 0 ? DUNLIN_ERR_MEMORY : DUNLIN_OK;
}

static dunlin_status set_up_own(dn_tls_context *context, const dn_tls_client_config *config, char *error,
                                size_t error_size)
{
    const bool is_raw = config->mode == DN_SECURITY_RPK;
    if (config->own.len == 0 && config->secret.len == 0 && config->key_url == NULL && !is_raw) {
        return DUNLIN_OK; /* without a certificate: most servers refuse that */
    }
    if (config->own.len == 0) {
        return refuse(error, error_size, is_raw ? "there is no public key" : "there is no certificate");
    }
    const dn_tls_key_pair pair = {.chain = is_raw ? dunlin_slice_make(NULL, 0) : config->own,
                                  .key = config->secret,
                                  .key_url = config->key_url};
    const dunlin_status status = dn_keys_load(&context->pairs[0], &pair, config->suites, error, error_size);
    if (status != DUNLIN_OK) {
        return status;
    }
    context->pair_count = 1;
    const gnutls_datum_t *raw = &context->pairs[0].raw.cert;
    if (is_raw && !dunlin_slice_equal(config->own, dunlin_slice_make(raw->data, raw->size))) {
        return refuse(error, error_size, "the private key and the public key do not belong together");
    }
    return DUNLIN_OK;
}

static bool keep_expected(dn_tls_expectation *expect, dunlin_slice bytes)
{
    expect->expected = malloc(bytes.len);
    if (expect->expected == NULL) {
        return false;
    }
    memcpy(expect->expected, bytes.data, bytes.len);
    expect->expected_len = bytes.len;
    return true;
}

static dunlin_status set_up_expected(dn_tls_context *context, const dn_tls_client_config *config, char *error,
                                     size_t error_size)
{
    static const size_t hash_len[] = {0, 32, 48, 64};
    if (config->matching > 3 || config->usage > 3) {
        return refuse(error, error_size, "the matching type and the certificate usage are 0 to 3");
    }
    if (config->server.len == 0) {
        return refuse(error, error_size, "there is no public key or certificate of the server");
    }
    if (config->matching > 0 && config->server.len != hash_len[config->matching]) {
        return refuse(error, error_size, "the server's hash does not have the length of its matching type");
    }
    context->expect.matching = config->matching;
    context->expect.usage = config->usage;
    if (config->matching > 0 || dn_keys_format(config->server) == GNUTLS_X509_FMT_DER) {
        return keep_expected(&context->expect, config->server) ? DUNLIN_OK : DUNLIN_ERR_MEMORY;
    }
    dunlin_slice pem = config->server;
    dunlin_buf der = dunlin_buf_make(gnutls_malloc(pem.len), pem.len);
    dunlin_status status = der.data == NULL ? DUNLIN_ERR_MEMORY : dn_pem_read(&pem, NULL, &der);
    if (status == DUNLIN_OK && !keep_expected(&context->expect, dunlin_buf_view(&der))) {
        status = DUNLIN_ERR_MEMORY;
    }
    gnutls_free(der.data);
    return status == DUNLIN_OK || status == DUNLIN_ERR_MEMORY
               ? status
               : refuse(error, error_size, "the server's public key or certificate cannot be read");
}

/* Usages 0 and 1 go by the trust store, 2 by what the account names, when that is a whole certificate. */
static dunlin_status set_up_trust(dn_tls_context *context, const dn_tls_client_config *config, char *error,
                                  size_t error_size)
{
    context->trust = dn_trust_create();
    if (context->trust == NULL) {
        return DUNLIN_ERR_MEMORY;
    }
    if (config->usage > 1) {
        return DUNLIN_OK;
    }
    return config->roots.len > 0 ? dn_trust_add_cas(context->trust, config->roots, error, error_size)
                                 : dn_trust_add_system(context->trust, error, error_size);
}

static dunlin_status set_up_certificates(dn_tls_context *context, const dn_tls_client_config *config,
                                         char *error, size_t error_size)
{
    if (gnutls_certificate_allocate_credentials(&context->certificates) < 0) {
        return DUNLIN_ERR_MEMORY;
    }
    gnutls_certificate_set_retrieve_function3(context->certificates, retrieve);
    dunlin_status status = set_up_own(context, config, error, error_size);
    if (status == DUNLIN_OK) {
        status = set_up_expected(context, config, error, error_size);
    }
    if (status == DUNLIN_OK && config->mode != DN_SECURITY_RPK) {
        status = set_up_trust(context, config, error, error_size);
    }
    return status;
}

static dunlin_status set_up_name(dn_tls_context *context, const dn_tls_client_config *config, char *error,
                                 size_t error_size)
{
    dn_tls_expectation *expect = &context->expect;
    const char *name = config->name != NULL ? config->name : "";
    gnutls_datum_t ascii = {NULL, 0};
    if (name[0] == 0) {
        return DUNLIN_OK;
    }
    if (gnutls_idna_map(name, (unsigned)strlen(name), &ascii, 0) < 0 || ascii.size > DN_TLS_HOST_MAX) {
        gnutls_free(ascii.data);
        return refuse(error, error_size, "the server's name is no name of a host");
    }
    memcpy(expect->host, ascii.data, ascii.size);
    gnutls_free(ascii.data);
    expect->is_address = dn_names_is_address(expect->host);
    /* RFC 6066 section 3: an address is no name, whichever resource it stands in. */
    expect->sends_name = !expect->is_address;
    return DUNLIN_OK;
}

static void hash_slice(gnutls_hash_hd_t hash, dunlin_slice bytes)
{
    const uint32_t len = (uint32_t)bytes.len;
    (void)gnutls_hash(hash, &len, sizeof len);
    if (bytes.len > 0) {
        (void)gnutls_hash(hash, bytes.data, bytes.len);
    }
}

static bool digest_config(dn_tls_context *context, const dn_tls_client_config *config)
{
    gnutls_hash_hd_t hash = NULL;
    if (gnutls_hash_init(&hash, GNUTLS_DIG_SHA256) < 0) {
        return false;
    }
    const uint8_t numbers[] = {config->mode, config->matching, config->usage, (uint8_t)config->suites};
    hash_slice(hash, dunlin_slice_make(numbers, sizeof numbers));
    hash_slice(hash, config->own);
    hash_slice(hash, config->server);
    hash_slice(hash, config->secret);
    hash_slice(hash, dunlin_slice_of(config->key_url));
    hash_slice(hash, config->roots);
    hash_slice(hash, dunlin_slice_of(context->expect.host));
    uint8_t digest[32];
    gnutls_hash_deinit(hash, digest);
    memcpy(context->expect.digest, digest, sizeof context->expect.digest);
    return true;
}

static const char *kinds_of(const dn_tls_client_config *config)
{
    switch (config->mode) {
    case DN_SECURITY_PSK:
        return config->suites == DN_TLS_SUITES_MORE ? "+ECDHE-PSK:+PSK" : "+PSK";
    case DN_SECURITY_RPK:
        return "+ECDHE-ECDSA:+CTYPE-CLI-RAWPK:+CTYPE-SRV-RAWPK";
    case DN_SECURITY_X509:
    case DN_SECURITY_EST:
        return "+ECDHE-ECDSA:+CTYPE-CLI-X509:+CTYPE-SRV-X509";
    default:
        return NULL;
    }
}

static dunlin_status set_up(dn_tls_context *context, const dn_tls_client_config *config, char *error,
                            size_t error_size)
{
    dunlin_status status = config->mode == DN_SECURITY_PSK
                               ? set_up_psk(context, config, error, error_size)
                               : set_up_certificates(context, config, error, error_size);
    if (status == DUNLIN_OK) {
        status = set_up_name(context, config, error, error_size);
    }
    if (status == DUNLIN_OK && !digest_config(context, config)) {
        status = DUNLIN_ERR_MEMORY;
    }
    return status;
}

dunlin_status dn_tls_client_create(const dn_tls_client_config *config, dn_tls_context **context, char *error,
                                   size_t error_size)
{
    *context = NULL;
    const char *kinds = kinds_of(config);
    if (kinds == NULL) {
        return refuse(error, error_size, "the security mode has no credentials");
    }
    dn_tls_error(error, error_size, "no memory");
    dn_tls_context *made = dn_tls_context_create(false, config->suites, kinds);
    if (made == NULL) {
        return DUNLIN_ERR_MEMORY;
    }
    made->expect.mode = config->mode == DN_SECURITY_EST ? DN_SECURITY_X509 : config->mode;
    made->mtu = config->mtu;
    made->retransmit_ms = config->retransmit_ms;
    made->handshake_ms = config->handshake_ms;
    made->wall_s = config->wall_s;
    made->wall_context = config->wall_context;
    made->session_flags = config->mode == DN_SECURITY_RPK ? GNUTLS_ENABLE_RAWPK : 0u;
    const dunlin_status status = set_up(made, config, error, error_size);
    if (status != DUNLIN_OK) {
        dn_tls_context_give_up(made);
        return status;
    }
    dn_tls_error(error, error_size, "%s", "");
    *context = made;
    return DUNLIN_OK;
}

/* ---- sessions ---- */

/* What was kept of another configuration is left aside: a full handshake follows. */
static void take_up(dn_tls_session *session, dunlin_slice resume)
{
    uint8_t header[RESUME_HEADER];
    resume_header(session, header);
    if (resume.len > sizeof header && memcmp(resume.data, header, sizeof header) == 0) {
        (void)gnutls_session_set_data(session->gnutls, resume.data + sizeof header,
                                      resume.len - sizeof header);
    }
}

bool dn_tls_client_begin(dn_tls_session *session, const dn_tls_opening *opening)
{
    const gnutls_datum_t protocol = dn_datum(dunlin_slice_of("coap")); /* RFC 8323 section 8.2 */
    const dn_tls_context *context = session->context;
    const dn_tls_expectation *expect = &context->expect;
    gnutls_session_t gnutls = session->gnutls;
    int result = context->psk_client != NULL
                     ? gnutls_credentials_set(gnutls, GNUTLS_CRD_PSK, context->psk_client)
                     : gnutls_credentials_set(gnutls, GNUTLS_CRD_CERTIFICATE, context->certificates);
    if (context->certificates != NULL) {
        gnutls_session_set_verify_function(gnutls, verify);
    }
    if (result >= 0 && expect->sends_name) {
        result = gnutls_server_name_set(gnutls, GNUTLS_NAME_DNS, expect->host, strlen(expect->host));
    }
    if (result >= 0 && !opening->datagram) {
        result = gnutls_alpn_set_protocols(gnutls, &protocol, 1, 0);
    }
    take_up(session, opening->resume);
    return result >= 0;
}

size_t dn_tls_resumption(dn_tls_session *session, uint8_t *out, size_t size)
{
    gnutls_datum_t data = {NULL, 0};
    if (session->context->is_server || session->suite == NULL ||
        gnutls_session_get_data2(session->gnutls, &data) < 0) {
        return 0;
    }
    size_t len = RESUME_HEADER + data.size;
    if (len > size || len > DN_TLS_RESUME_MAX) {
        len = 0;
    } else {
        resume_header(session, out);
        memcpy(out + RESUME_HEADER, data.data, data.size);
    }
    gnutls_memset(data.data, 0, data.size);
    gnutls_free(data.data);
    return len;
}
