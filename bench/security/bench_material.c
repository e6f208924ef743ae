/* SPDX-License-Identifier: Apache-2.0 */
/* Material for the bench; see the header. */
#include "security/bench_material.h"

#include "fleet/devices.h"
#include "store/credentials.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define DAY_S     86400
#define PATH_SIZE 600
#define NAME      "localhost"
#define KEY_LEN   16
#define PSK_NAME  "bench-psk"
#define RPK_NAME  "bench-rpk"
#define X509_NAME "bench-x509"

const char *const material_names[MATERIAL_KINDS] = {"PSK", "RPK", "X.509"};

static _Noreturn void stop(const char *what, const char *why)
{
    fprintf(stderr, "security_bench: %s: %s\n", what, why);
    exit(1);
}

static void check(dunlin_status status, const char *what)
{
    if (status != DUNLIN_OK) {
        stop(what, dunlin_status_text(status));
    }
}

static dunlin_slice key_of(const material_party *p)
{
    return dunlin_slice_make(p->key, p->key_len);
}

static dunlin_slice certificate_of(const material_party *p)
{
    return dunlin_slice_make(p->certificate, p->certificate_len);
}

static dunlin_slice public_key_of(const material_party *p)
{
    return dunlin_slice_make(p->public_key, p->public_key_len);
}

static void make(material_party *p, const char *name, const material_party *issuer)
{
    const char *const names[] = {name};
    int64_t now_s = (int64_t)time(NULL);
    check(dn_key_generate(p->key, &p->key_len), "a key");
    const dn_certificate_terms terms = {
        .common_name = name,
        .dns_names = names,
        .dns_count = issuer != NULL,
        .is_authority = issuer == NULL,
        .from_s = now_s - DAY_S,
        .until_s = now_s + DAY_S,
        .key = key_of(p),
        .issuer = issuer != NULL ? certificate_of(issuer) : dunlin_slice_make(NULL, 0),
        .issuer_key = issuer != NULL ? key_of(issuer) : dunlin_slice_make(NULL, 0)};
    check(dn_certificate_issue(&terms, p->certificate, &p->certificate_len), "a certificate");
    check(dn_key_public(key_of(p), p->public_key, &p->public_key_len), "a public key");
}

void material_make(material *m)
{
    make(&m->authority, "bench authority", NULL);
    make(&m->server, NAME, &m->authority);
    make(&m->device, X509_NAME, &m->authority);
}

static void write_file(const char *dir, const char *name, const void *bytes, size_t len)
{
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *file = fopen(path, "we");
    if (file == NULL || fwrite(bytes, 1, len, file) != len || fclose(file) != 0) {
        stop(path, "cannot be written");
    }
}

static void write_pem(const char *dir, const char *name, const material_party *p)
{
    char pem[DN_CERTIFICATE_PEM_MAX];
    size_t len;
    check(dn_certificate_pem(certificate_of(p), pem, sizeof pem, &len), name);
    write_file(dir, name, pem, len);
}

void material_write(const material *m, const char *dir)
{
    char text[4 * PATH_SIZE];
    write_pem(dir, "authority.pem", &m->authority);
    write_pem(dir, "server.pem", &m->server);
    write_file(dir, "server.der", m->server.key, m->server.key_len);
    int len = snprintf(text, sizeof text,
                       "coaps:\n  listen: [\"127.0.0.1:0\"]\n"
                       "security:\n  certificate: [%s/server.pem]\n  key: [%s/server.der]\n"
                       "  client-cas: %s/authority.pem\n",
                       dir, dir, dir);
    write_file(dir, "dunlind.yaml", text, (size_t)len);
}

/* A key that differs from one device to the next. */
static void psk_of(uint32_t index, uint8_t key[KEY_LEN])
{
    memset(key, 0x5a, KEY_LEN);
    memcpy(key, &index, sizeof index);
}

static void name_it(dn_credential *credential, const char *endpoint, size_t len)
{
    credential->endpoint_len = (uint8_t)len;
    memcpy(credential->endpoint, endpoint, len);
}

static void put_psk(dn_credentials *credentials, const char *endpoint, size_t len, uint32_t index)
{
    dn_credential one = {.mode = DN_SECURITY_PSK, .identity_len = (uint8_t)len, .key_len = KEY_LEN};
    name_it(&one, endpoint, len);
    memcpy(one.identity, endpoint, len);
    psk_of(index, one.key);
    check(credentials->ops->put(credentials, &one, NULL), "a pre-shared key");
}

/* What is not a device's own. */
static dn_credential shared_psk(void)
{
    dn_credential one = {.mode = DN_SECURITY_PSK,
                         .identity_len = sizeof PSK_NAME - 1,
                         .identity = PSK_NAME,
                         .key_len = KEY_LEN};
    name_it(&one, PSK_NAME, sizeof PSK_NAME - 1);
    psk_of(UINT32_MAX, one.key);
    return one;
}

static dn_credential shared_key(const material *m)
{
    dn_credential one = {.mode = DN_SECURITY_RPK, .public_key_len = (uint16_t)m->device.public_key_len};
    name_it(&one, RPK_NAME, sizeof RPK_NAME - 1);
    memcpy(one.public_key, m->device.public_key, m->device.public_key_len);
    return one;
}

static dn_credential shared_name(void)
{
    dn_credential one = {.mode = DN_SECURITY_X509};
    name_it(&one, X509_NAME, sizeof X509_NAME - 1);
    return one;
}

void material_put(const material *m, dn_credentials *credentials, uint32_t count)
{
    char name[DEVICE_NAME_MAX];
    const dn_credential psk = shared_psk();
    const dn_credential raw = shared_key(m);
    const dn_credential x509 = shared_name();
    check(credentials->ops->put(credentials, &raw, NULL), "a raw public key");
    check(credentials->ops->put(credentials, &x509, NULL), "a certificate's credential");
    check(credentials->ops->put(credentials, &psk, NULL), "a pre-shared key");
    for (uint32_t i = 0; i < count; i++) {
        put_psk(credentials, name, devices_name(i, name), i);
    }
}

/* ---- a keeper without a store ---- */

typedef struct {
    dn_credentials base;
    dn_credential psk, raw, x509;
} keeper;

static const keeper *keeper_of(const dn_credentials *credentials)
{
    return (const keeper *)(const void *)credentials;
}

static dunlin_status give_psk(dn_credentials *credentials, dunlin_slice identity, dn_credential *out)
{
    (void)identity;
    *out = keeper_of(credentials)->psk;
    return DUNLIN_OK;
}

static dunlin_status give_key(dn_credentials *credentials, dunlin_slice public_key, dn_credential *out)
{
    (void)public_key;
    *out = keeper_of(credentials)->raw;
    return DUNLIN_OK;
}

static dunlin_status give_name(dn_credentials *credentials, const dn_certificate_claims *claims,
                               dn_credential *out)
{
    (void)claims;
    *out = keeper_of(credentials)->x509;
    return DUNLIN_OK;
}

static void close_keeper(dn_credentials *credentials)
{
    free(credentials);
}

static const dn_credentials_ops keeper_ops = {
    .find_psk = give_psk, .find_key = give_key, .find_names = give_name, .close = close_keeper};

dn_credentials *material_keeper(const material *m)
{
    keeper *made = calloc(1, sizeof *made);
    if (made == NULL) {
        stop("the keeper", "no memory");
    }
    *made = (keeper){
        .base = {.ops = &keeper_ops}, .psk = shared_psk(), .raw = shared_key(m), .x509 = shared_name()};
    return &made->base;
}

/* ---- for dunlind ---- */

void material_store(const material *m, const char *dir, uint32_t count)
{
    char path[PATH_SIZE];
    char error[256];
    dn_credentials *credentials;
    dn_credential_store_config config = dn_credential_store_config_default();
    snprintf(path, sizeof path, "%s/data", dir);
    (void)mkdir(path, 0700);
    config.dir = path;
    if (dn_credential_store_open(&config, &credentials, error, sizeof error) != DUNLIN_OK) {
        stop(path, error);
    }
    material_put(m, credentials, count);
    credentials->ops->close(credentials);
}

static int64_t wall_s(void *context)
{
    (void)context;
    return (int64_t)time(NULL);
}

dn_tls_context *material_server(const material *m, dn_credentials *credentials)
{
    char error[256];
    char pem[DN_CERTIFICATE_PEM_MAX];
    size_t len;
    dn_tls_context *context;
    check(dn_certificate_pem(certificate_of(&m->authority), pem, sizeof pem, &len), "the authority");
    const dn_tls_key_pair pair = {.chain = certificate_of(&m->server), .key = key_of(&m->server)};
    dn_tls_server_config config = dn_tls_server_config_default();
    config.pairs = &pair;
    config.pair_count = 1;
    config.trusted = dunlin_slice_make(pem, len);
    config.credentials = credentials;
    config.wall_s = wall_s;
    if (dn_tls_server_create(&config, &context, error, sizeof error) != DUNLIN_OK) {
        stop("the server's context", error);
    }
    return context;
}

static dn_tls_context *client(dn_tls_client_config *config)
{
    char error[256];
    dn_tls_context *context;
    config->wall_s = wall_s;
    config->name = NAME;
    if (dn_tls_client_create(config, &context, error, sizeof error) != DUNLIN_OK) {
        stop("a client's context", error);
    }
    return context;
}

static dn_tls_context *psk_client(const char *identity, size_t len, uint32_t index)
{
    uint8_t key[KEY_LEN];
    dn_tls_client_config config = dn_tls_client_config_default();
    psk_of(index, key);
    config.mode = DN_SECURITY_PSK;
    config.own = dunlin_slice_make(identity, len);
    config.secret = dunlin_slice_make(key, sizeof key);
    return client(&config);
}

dn_tls_context *material_client(const material *m, material_kind kind)
{
    dn_tls_client_config config = dn_tls_client_config_default();
    if (kind == MATERIAL_PSK) {
        return psk_client(PSK_NAME, sizeof PSK_NAME - 1, UINT32_MAX);
    }
    bool raw = kind == MATERIAL_RPK;
    config.mode = raw ? DN_SECURITY_RPK : DN_SECURITY_X509;
    config.own = raw ? public_key_of(&m->device) : certificate_of(&m->device);
    config.secret = key_of(&m->device);
    /* X.509: the authority as a trust anchor (/0/x/15 = 2), so that the server's path is verified. */
    config.server = raw ? public_key_of(&m->server) : certificate_of(&m->authority);
    config.usage = 2;
    return client(&config);
}

dn_tls_context *material_device(uint32_t index)
{
    char name[DEVICE_NAME_MAX];
    return psk_client(name, devices_name(index, name), index);
}
