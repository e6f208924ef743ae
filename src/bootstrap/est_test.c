/* SPDX-License-Identifier: Apache-2.0 */
/* The server's side of enrolment: who gets what, and a table of those who get nothing. */
#include "bootstrap/est.h"

#include "security/enroll.h"
#include "security/issue.h"
#include "security/testpki.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <gnutls/abstract.h>
#include <gnutls/x509.h>

#define NAME  "urn:dev:1"
#define NOW_S INT64_C(1800000000)
#define NONE  65535u
#define RAW   1024u
#define RETRY 90u

typedef struct {
    uint8_t ca_key[DN_KEY_DER_MAX], ca[DN_CERTIFICATE_DER_MAX], key[DN_KEY_DER_MAX];
    size_t ca_key_len, ca_len, key_len;
    uint8_t request[DN_ENROLL_REQUEST_MAX];
    size_t request_len;
    dn_seeded seed;
    dn_est_config config;
    dn_est *est;
    dn_identity identity;
    dunlin_status issued_status;
    unsigned issued;
    char issued_to[80];
    uint64_t forwarded[16]; /* numbers */
    unsigned forwards;
    bool last_is_crts;
    dunlin_status forward_status;
    uint64_t now_ms;
    uint8_t raw[RAW];
} world;

static int64_t wall_ms(void *context)
{
    (void)context;
    return NOW_S * 1000;
}

static dunlin_status on_issued(void *context, dunlin_slice endpoint, dunlin_slice certificate)
{
    world *w = context;
    assert_true(certificate.len > 0 && endpoint.len < sizeof w->issued_to);
    memcpy(w->issued_to, endpoint.data, endpoint.len);
    w->issued_to[endpoint.len] = '\0';
    w->issued++;
    return w->issued_status;
}

static dunlin_status on_forward(void *context, uint64_t number, bool is_crts, bool is_renewal,
                                dunlin_slice request)
{
    world *w = context;
    (void)is_renewal;
    assert_true(is_crts == (request.len == 0));
    if (w->forward_status == DUNLIN_OK) {
        w->forwarded[w->forwards++ % 16] = number;
        w->last_is_crts = is_crts;
    }
    return w->forward_status;
}

static dunlin_slice ca_of(const world *w)
{
    return dunlin_slice_make(w->ca, w->ca_len);
}

static dunlin_slice request_of(const world *w)
{
    return dunlin_slice_make(w->request, w->request_len);
}

static void name_identity(world *w, uint8_t mode, const char *name)
{
    memset(&w->identity, 0, sizeof w->identity);
    w->identity.mode = mode;
    w->identity.is_pattern = strchr(name, '*') != NULL;
    w->identity.endpoint_len = (uint8_t)strlen(name);
    memcpy(w->identity.endpoint, name, strlen(name));
}

static void ask_for(world *w, const char *name)
{
    dunlin_buf out = dunlin_buf_make(w->request, sizeof w->request);
    assert_int_equal(dn_enroll_request(dunlin_slice_make(w->key, w->key_len), name, &out), DUNLIN_OK);
    w->request_len = out.len;
}

static void create(world *w)
{
    char error[128] = "";
    dn_est_destroy(w->est);
    assert_int_equal(dn_est_create(&w->config, &w->est, error, sizeof error), DUNLIN_OK);
}

static int make_world(void **state)
{
    world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    assert_int_equal(dn_key_generate(w->key, &w->key_len), DUNLIN_OK);
    assert_int_equal(dn_authority_make("Dunlin CA", NOW_S - 1000, NOW_S + INT64_C(315360000), w->ca_key,
                                       &w->ca_key_len, w->ca, &w->ca_len),
                     DUNLIN_OK);
    dn_seeded_init(&w->seed, 1);
    w->config = dn_est_config_default();
    w->config.authority = ca_of(w);
    w->config.authority_key = dunlin_slice_make(w->ca_key, w->ca_key_len);
    w->config.random = dn_seeded_random(&w->seed);
    w->config.wall_ms = wall_ms;
    w->config.issued = on_issued;
    w->config.issued_context = w->config.context = w;
    create(w);
    ask_for(w, NAME);
    name_identity(w, DN_SECURITY_X509, NAME);
    *state = w;
    return 0;
}

static int make_forwarding(void **state)
{
    (void)make_world(state);
    world *w = *state;
    w->config.authority = w->config.authority_key = dunlin_slice_make(NULL, 0);
    w->config.forward = on_forward;
    create(w);
    return 0;
}

static int free_world(void **state)
{
    world *w = *state;
    dn_est_destroy(w->est);
    free(w);
    return 0;
}

/* Uri-Path options of "/a/b". */
static dn_coap_options options_of(world *w, const char *path)
{
    size_t len = 0;
    unsigned before = 0;
    while (*path == '/') {
        const char *end = strchr(++path, '/');
        const size_t part = end == NULL ? strlen(path) : (size_t)(end - path);
        const bool is_long = part >= 13;
        w->raw[len++] = (uint8_t)((11u - before) << 4 | (is_long ? 13u : part));
        if (is_long) {
            w->raw[len++] = (uint8_t)(part - 13);
        }
        memcpy(w->raw + len, path, part);
        len += part;
        path += part;
        before = 11;
    }
    return (dn_coap_options){.raw = dunlin_slice_make(w->raw, len)};
}

static dn_est_reply ask(world *w, uint8_t method, const char *path, uint16_t format, uint16_t accept,
                        dunlin_slice payload, bool is_known)
{
    dn_est_reply reply;
    const dn_est_request request = {method, options_of(w, path), format, accept, payload};
    dn_est_handle(w->est, &request, is_known ? &w->identity : NULL, w->now_ms, &reply);
    return reply;
}

static dn_est_reply enrol(world *w)
{
    return ask(w, DN_COAP_POST, "/.well-known/est/sen", 286, 281, request_of(w), true);
}

/* A request made with GnuTLS for a key of that kind, maybe with a challenge. */
static void make_request(world *w, dn_testpki_kind kind, const char *name, const char *challenge)
{
    dn_testpki_key *key = dn_testpki_key_make(kind);
    const dunlin_slice der = dn_testpki_key_der(key);
    const gnutls_datum_t data = {.data = (unsigned char *)(uintptr_t)der.data, .size = (unsigned)der.len};
    gnutls_x509_privkey_t private;
    gnutls_x509_crq_t request;
    size_t len = sizeof w->request;
    assert_int_equal(gnutls_x509_privkey_init(&private), 0);
    assert_int_equal(
        gnutls_x509_privkey_import_pkcs8(private, &data, GNUTLS_X509_FMT_DER, NULL, GNUTLS_PKCS_PLAIN), 0);
    assert_int_equal(gnutls_x509_crq_init(&request), 0);
    assert_int_equal(gnutls_x509_crq_set_key(request, private), 0);
    assert_int_equal(gnutls_x509_crq_set_version(request, 1), 0);
    assert_int_equal(gnutls_x509_crq_set_dn_by_oid(request, GNUTLS_OID_X520_ORGANIZATION_NAME, 0, "o", 1), 0);
    if (name != NULL) {
        assert_int_equal(gnutls_x509_crq_set_dn_by_oid(request, GNUTLS_OID_X520_COMMON_NAME, 0, name,
                                                       (unsigned)strlen(name)),
                         0);
    }
    if (challenge != NULL) {
        assert_int_equal(gnutls_x509_crq_set_challenge_password(request, challenge), 0);
    }
    assert_int_equal(gnutls_x509_crq_sign2(request, private, GNUTLS_DIG_SHA256, 0), 0);
    assert_int_equal(gnutls_x509_crq_export(request, GNUTLS_X509_FMT_DER, w->request, &len), 0);
    w->request_len = len;
    gnutls_x509_crq_deinit(request);
    gnutls_x509_privkey_deinit(private);
    dn_testpki_key_free(key);
}

/* ---- what is given ---- */

static void the_authority_is_told(void **state)
{
    world *w = *state;
    uint8_t bytes[DN_CERTIFICATE_DER_MAX];
    dunlin_buf out = dunlin_buf_make(bytes, sizeof bytes);
    dn_est_reply reply =
        ask(w, DN_COAP_GET, "/.well-known/est/crts", NONE, 281, dunlin_slice_make(NULL, 0), true);
    assert_int_equal(reply.code, DN_COAP_CONTENT);
    assert_int_equal(reply.format, 281);
    assert_int_equal(dn_enroll_unpack(reply.payload, 0, &out), DUNLIN_OK);
    assert_true(dunlin_slice_equal(dunlin_buf_view(&out), ca_of(w)));
    reply = ask(w, DN_COAP_GET, "/est/crts", NONE, NONE, dunlin_slice_make(NULL, 0), true);
    assert_int_equal(reply.format, 281); /* without Accept (RFC 9148 section 4.3) */
    reply = ask(w, DN_COAP_GET, "/est/crts", NONE, 287, dunlin_slice_make(NULL, 0), true);
    assert_int_equal(reply.format, 287);
    assert_true(dunlin_slice_equal(reply.payload, ca_of(w)));
    assert_false(reply.is_issue);
}

static void a_certificate_is_issued(void **state)
{
    world *w = *state;
    uint8_t bytes[DN_CERTIFICATE_DER_MAX];
    dunlin_buf out = dunlin_buf_make(bytes, sizeof bytes);
    int64_t from_s = 0, until_s = 0;
    size_t count = 0;
    const dunlin_slice key = dunlin_slice_make(w->key, w->key_len);
    dn_est_reply reply = enrol(w);
    assert_int_equal(reply.code, DN_COAP_CHANGED);
    assert_int_equal(reply.format, 281);
    assert_true(reply.is_issue);
    assert_non_null(strstr(reply.why, "until 2028-01-15T08:00:00Z"));
    assert_int_equal(dn_enroll_count(reply.payload, &count), DUNLIN_OK);
    assert_int_equal(count, 1); /* RFC 7030 section 4.2.3: the issued one alone */
    assert_int_equal(dn_enroll_find(reply.payload, key, NAME, &out, &from_s, &until_s), DUNLIN_OK);
    assert_true(from_s == NOW_S - 300 && until_s == NOW_S + INT64_C(365) * 86400);
    assert_string_equal(w->issued_to, NAME);
    reply = ask(w, DN_COAP_POST, "/.well-known/est/sren", 286, 287, request_of(w), true);
    assert_int_equal(reply.code, DN_COAP_CHANGED);
    assert_int_equal(reply.format, 287);
    out.len = 0;
    assert_int_equal(dn_enroll_find(reply.payload, key, NAME, &out, &from_s, &until_s), DUNLIN_OK);
    assert_int_equal(w->issued, 2);
}

/* Nothing of the certificate is the request's but its key. */
static void the_name_is_the_devices(void **state)
{
    world *w = *state;
    uint8_t bytes[DN_CERTIFICATE_DER_MAX];
    dunlin_buf out = dunlin_buf_make(bytes, sizeof bytes);
    int64_t from_s, until_s;
    const dunlin_slice key = dunlin_slice_make(w->key, w->key_len);
    name_identity(w, DN_SECURITY_X509,
                  "urn:dev:*"); /* a credential that several have: the request says which */
    dn_est_reply reply = enrol(w);
    assert_int_equal(reply.code, DN_COAP_CHANGED);
    assert_int_equal(dn_enroll_find(reply.payload, key, NAME, &out, &from_s, &until_s), DUNLIN_OK);
    ask_for(w, "other:1");
    assert_int_equal(enrol(w).code, DN_COAP_BAD_REQUEST);
    make_request(w, TESTPKI_P256, NULL, NULL);
    assert_int_equal(enrol(w).code, DN_COAP_BAD_REQUEST); /* nobody has a name */
    name_identity(w, DN_SECURITY_X509, NAME);
    assert_int_equal(enrol(w).code, DN_COAP_CHANGED); /* the device has one */
}

static void who_must_know_it_knows_it_first(void **state)
{
    world *w = *state;
    w->issued_status = DUNLIN_ERR_STORE;
    const dn_est_reply reply = enrol(w);
    assert_int_equal(reply.code, DN_COAP_INTERNAL_ERROR);
    assert_int_equal(reply.payload.len, 0);
    assert_false(reply.is_issue);
}

static void psk_by_a_switch_alone(void **state)
{
    world *w = *state;
    name_identity(w, DN_SECURITY_PSK, NAME);
    assert_int_equal(enrol(w).code, DN_COAP_FORBIDDEN);
    name_identity(w, DN_SECURITY_RPK, NAME);
    assert_int_equal(enrol(w).code, DN_COAP_FORBIDDEN);
    w->config.takes_psk = true;
    create(w);
    assert_int_equal(enrol(w).code, DN_COAP_CHANGED);
    name_identity(w, DN_SECURITY_PSK, NAME);
    assert_int_equal(enrol(w).code, DN_COAP_CHANGED);
    name_identity(w, DN_SECURITY_NOSEC, NAME);
    assert_int_equal(enrol(w).code, DN_COAP_UNAUTHORIZED);
}

/* ---- what is not ---- */

static void damaged(world *w)
{
    w->request[w->request_len - 1] ^= 1;
}

static void of_another(world *w)
{
    ask_for(w, "urn:dev:2");
}

static void of_nobody(world *w)
{
    w->request_len = 0;
}

static void no_der(world *w)
{
    memcpy(w->request, "-----BEGIN CERTIFICATE REQUEST-----", 35);
    w->request_len = 35;
}

static void endless(world *w)
{
    memset(w->request, 0x30, sizeof w->request);
    w->request_len = sizeof w->request;
}

static void p384(world *w)
{
    make_request(w, TESTPKI_P384, NAME, NULL);
}

static void rsa(world *w)
{
    make_request(w, TESTPKI_RSA2048, NAME, NULL);
}

static void challenged(world *w)
{
    make_request(w, TESTPKI_P256, NAME, "AAAAAAAAAAAAAAAA");
}

static void long_name(world *w)
{
    name_identity(w, DN_SECURITY_X509, "01234567890123456789012345678901234567890123456789012345678901234");
    make_request(w, TESTPKI_P256, NULL, NULL);
}

static const struct {
    const char *what;
    void (*spoil)(world *w);
    uint8_t method;
    const char *path;
    uint16_t format, accept;
    bool is_unknown;
    uint8_t code;
} hostile[] = {
    {"signature that does not hold", damaged, DN_COAP_POST, "/est/sen", 286, 281, false, DN_COAP_BAD_REQUEST},
    {"name of another", of_another, DN_COAP_POST, "/est/sen", 286, 281, false, DN_COAP_BAD_REQUEST},
    {"renewal of another's", of_another, DN_COAP_POST, "/est/sren", 286, 281, false, DN_COAP_BAD_REQUEST},
    {"secp384r1", p384, DN_COAP_POST, "/est/sen", 286, 281, false, DN_COAP_BAD_REQUEST},
    {"RSA", rsa, DN_COAP_POST, "/est/sen", 286, 281, false, DN_COAP_BAD_REQUEST},
    {"challengePassword", challenged, DN_COAP_POST, "/est/sen", 286, 281, false, DN_COAP_BAD_REQUEST},
    {"nothing", of_nobody, DN_COAP_POST, "/est/sen", 286, 281, false, DN_COAP_BAD_REQUEST},
    {"PEM", no_der, DN_COAP_POST, "/est/sen", 286, 281, false, DN_COAP_BAD_REQUEST},
    {"no DER", endless, DN_COAP_POST, "/est/sen", 286, 281, false, DN_COAP_BAD_REQUEST},
    {"name longer than a Common Name", long_name, DN_COAP_POST, "/est/sen", 286, 281, false,
     DN_COAP_INTERNAL_ERROR},
    {"unknown device", NULL, DN_COAP_POST, "/est/sen", 286, 281, true, DN_COAP_UNAUTHORIZED},
    {"unknown device asks for CAs", NULL, DN_COAP_GET, "/est/crts", NONE, 281, true, DN_COAP_UNAUTHORIZED},
    {"another format", NULL, DN_COAP_POST, "/est/sen", 281, 281, false, DN_COAP_UNSUPPORTED_FORMAT},
    {"no format", NULL, DN_COAP_POST, "/est/sen", NONE, 281, false, DN_COAP_UNSUPPORTED_FORMAT},
    {"another Accept", NULL, DN_COAP_POST, "/est/sen", 286, 50, false, DN_COAP_NOT_ACCEPTABLE},
    {"a key made by the server", NULL, DN_COAP_POST, "/est/skg", 286, 62, false, DN_COAP_NOT_FOUND},
    {"attributes", NULL, DN_COAP_GET, "/est/att", NONE, NONE, false, DN_COAP_NOT_FOUND},
    {"another label", NULL, DN_COAP_POST, "/.well-known/est/ours/sen", 286, 281, false, DN_COAP_NOT_FOUND},
    {"the root", NULL, DN_COAP_GET, "/.well-known/est", NONE, NONE, false, DN_COAP_NOT_FOUND},
    {"GET of sen", NULL, DN_COAP_GET, "/est/sen", NONE, NONE, false, DN_COAP_METHOD_NOT_ALLOWED},
    {"POST of crts", NULL, DN_COAP_POST, "/est/crts", 286, NONE, false, DN_COAP_METHOD_NOT_ALLOWED},
    {"PUT of sren", NULL, DN_COAP_PUT, "/est/sren", 286, NONE, false, DN_COAP_METHOD_NOT_ALLOWED},
};

static void hostile_requests(void **state)
{
    for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++) {
        world *w = *state;
        ask_for(w, NAME);
        name_identity(w, DN_SECURITY_X509, NAME);
        if (hostile[i].spoil != NULL) {
            hostile[i].spoil(w);
        }
        const dn_est_reply reply = ask(w, hostile[i].method, hostile[i].path, hostile[i].format,
                                       hostile[i].accept, request_of(w), !hostile[i].is_unknown);
        if (reply.code != hostile[i].code) {
            fail_msg("%s: %u.%02u %s", hostile[i].what, reply.code >> 5, reply.code & 31, reply.why);
        }
        assert_true(reply.payload.len == 0 && reply.why[0] != '\0' && !reply.is_issue);
        assert_int_equal(w->issued, 0);
    }
}

static void what_is_too_large(void **state)
{
    world *w = *state;
    static uint8_t bytes[DN_ENROLL_REQUEST_MAX + 1];
    const dn_est_reply reply =
        ask(w, DN_COAP_POST, "/est/sen", 286, 281, dunlin_slice_make(bytes, sizeof bytes), true);
    assert_int_equal(reply.code, DN_COAP_TOO_LARGE);
}

static void paths(void **state)
{
    world *w = *state;
    assert_true(dn_est_is_for(options_of(w, "/.well-known/est/sen")));
    assert_true(dn_est_is_for(options_of(w, "/est/crts")));
    assert_true(dn_est_is_for(options_of(w, "/est")));
    assert_false(dn_est_is_for(options_of(w, "/bs")));
    assert_false(dn_est_is_for(options_of(w, "/.well-known/core")));
    assert_false(dn_est_is_for(options_of(w, "/.well-known")));
    assert_false(dn_est_is_for(options_of(w, "")));
    assert_false(dn_est_is_for(options_of(w, "/rd/est")));
}

static void what_cannot_be_made(void **state)
{
    world *w = *state;
    dn_est *est = NULL;
    char error[128] = "";
    dn_est_config config = w->config;
    config.authority_key = dunlin_slice_make(w->key, w->key_len);
    assert_int_equal(dn_est_create(&config, &est, error, sizeof error), DUNLIN_ERR_MALFORMED);
    assert_non_null(strstr(error, "belong together"));
    config = w->config;
    config.days = 0;
    assert_int_equal(dn_est_create(&config, &est, error, sizeof error), DUNLIN_ERR_ARGUMENT);
    config = w->config;
    config.forward = on_forward;
    assert_int_equal(dn_est_create(&config, &est, error, sizeof error), DUNLIN_ERR_ARGUMENT);
    config = w->config;
    config.authority.len = 0;
    assert_int_equal(dn_est_create(&config, &est, error, sizeof error), DUNLIN_ERR_ARGUMENT);
    assert_null(est);
}

static void an_authority_that_has_ended(void **state)
{
    world *w = *state;
    assert_int_equal(
        dn_authority_make("old", NOW_S - 1000, NOW_S - 400, w->ca_key, &w->ca_key_len, w->ca, &w->ca_len),
        DUNLIN_OK);
    w->config.authority = ca_of(w);
    w->config.authority_key = dunlin_slice_make(w->ca_key, w->ca_key_len);
    create(w);
    const dn_est_reply reply = enrol(w);
    assert_int_equal(reply.code, DN_COAP_INTERNAL_ERROR);
    assert_non_null(strstr(reply.why, "ended"));
}

/* ---- an authority elsewhere ---- */

static dunlin_slice issue_elsewhere(world *w, const char *name, uint8_t *out, size_t size)
{
    static uint8_t der[DN_CERTIFICATE_DER_MAX];
    dunlin_buf certificate = dunlin_buf_make(der, sizeof der), set = dunlin_buf_make(out, size);
    const dn_enroll_terms terms = {.authority = ca_of(w),
                                   .authority_key = dunlin_slice_make(w->ca_key, w->ca_key_len),
                                   .request = request_of(w),
                                   .common_name = name,
                                   .from_s = NOW_S,
                                   .until_s = NOW_S + 86400};
    assert_int_equal(dn_enroll_issue(&terms, &certificate), DUNLIN_OK);
    const dunlin_slice one = dunlin_buf_view(&certificate);
    assert_int_equal(dn_enroll_pack(&one, 1, &set), DUNLIN_OK);
    return dunlin_buf_view(&set);
}

static void an_authority_elsewhere_is_asked(void **state)
{
    world *w = *state;
    uint8_t bytes[DN_ENROLL_SET_MAX];
    const dunlin_slice set = issue_elsewhere(w, NAME, bytes, sizeof bytes);
    dn_est_reply reply = enrol(w);
    assert_int_equal(reply.code, DN_COAP_UNAVAILABLE);
    assert_true(reply.max_age_s > 0 && w->forwards == 1);
    reply = enrol(w); /* the same again: not asked again */
    assert_true(reply.code == DN_COAP_UNAVAILABLE && w->forwards == 1 && reply.max_age_s == 1);
    w->now_ms += 20000; /* the longer it takes, the longer a device is to wait */
    reply = enrol(w);
    assert_true(reply.code == DN_COAP_UNAVAILABLE && w->forwards == 1 && reply.max_age_s == 11);
    dn_est_answer(w->est, w->forwarded[0] + 77, 200, 0, set); /* nobody's */
    assert_int_equal(enrol(w).code, DN_COAP_UNAVAILABLE);
    dn_est_answer(w->est, w->forwarded[0], 200, 0, set);
    for (unsigned i = 0; i < 2; i++) { /* and once more, when the answer was lost */
        reply = enrol(w);
        assert_int_equal(reply.code, DN_COAP_CHANGED);
        assert_true(reply.is_issue && dunlin_slice_equal(reply.payload, set));
    }
    assert_int_equal(w->forwards, 1);
    assert_string_equal(w->issued_to, NAME);
    w->now_ms += 3600001; /* nobody has asked for an hour */
    assert_int_equal(enrol(w).code, DN_COAP_UNAVAILABLE);
    assert_int_equal(w->forwards, 2);
}

static void an_authority_elsewhere_takes_its_time(void **state)
{
    world *w = *state;
    assert_int_equal(enrol(w).code, DN_COAP_UNAVAILABLE);
    dn_est_answer(w->est, w->forwarded[0], 202, RETRY, dunlin_slice_make(NULL, 0));
    dn_est_reply reply = enrol(w);
    assert_int_equal(reply.code, DN_COAP_UNAVAILABLE);
    assert_int_equal(reply.max_age_s, RETRY);
    w->now_ms += 30000;
    assert_int_equal(enrol(w).max_age_s, RETRY - 30);
    assert_int_equal(w->forwards, 1);
    w->now_ms += 60000;
    assert_int_equal(enrol(w).code, DN_COAP_UNAVAILABLE);
    assert_int_equal(w->forwards, 2); /* RFC 7030 section 4.2.3: asked again then */
}

static void what_an_authority_elsewhere_says(void **state)
{
    world *w = *state;
    uint8_t good[DN_ENROLL_SET_MAX], other[DN_ENROLL_SET_MAX], key[DN_KEY_DER_MAX];
    const dunlin_slice set = issue_elsewhere(w, "urn:dev:2", other, sizeof other);
    size_t len;
    memcpy(key, w->key, w->key_len);
    len = w->key_len;
    assert_int_equal(dn_key_generate(w->key, &w->key_len), DUNLIN_OK);
    ask_for(w, NAME);
    const dunlin_slice strange = issue_elsewhere(w, NAME, good, sizeof good);
    memcpy(w->key, key, len);
    w->key_len = len;
    const struct {
        unsigned status;
        dunlin_slice payload;
        uint8_t code;
    } cases[] = {
        {400, {NULL, 0}, DN_COAP_BAD_REQUEST},
        {401, {NULL, 0}, DN_COAP_FORBIDDEN},
        {403, {NULL, 0}, DN_COAP_FORBIDDEN},
        {404, {NULL, 0}, DN_COAP_BAD_REQUEST},
        {500, {NULL, 0}, DN_COAP_UNAVAILABLE},
        {0, {NULL, 0}, DN_COAP_UNAVAILABLE},
        {200, dunlin_slice_of("nonsense"), DN_COAP_INTERNAL_ERROR},
        {200, {NULL, 0}, DN_COAP_INTERNAL_ERROR},
        {200, set, DN_COAP_INTERNAL_ERROR},     /* another name */
        {200, strange, DN_COAP_INTERNAL_ERROR}, /* another key */
    };
    ask_for(w, NAME);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(enrol(w).code, DN_COAP_UNAVAILABLE);
        dn_est_answer(w->est, w->forwarded[(w->forwards - 1) % 16], cases[i].status, 0, cases[i].payload);
        const dn_est_reply reply = enrol(w);
        if (reply.code != cases[i].code) {
            fail_msg("%u: %u.%02u %s", (unsigned)i, reply.code >> 5, reply.code & 31, reply.why);
        }
        assert_int_equal(w->forwards, i + 1); /* the next one begins anew */
    }
    w->forward_status = DUNLIN_ERR_LIMIT;
    assert_int_equal(enrol(w).code, DN_COAP_UNAVAILABLE);
    assert_int_equal(w->issued, 0);
}

static void authorities_elsewhere_are_kept_a_while(void **state)
{
    world *w = *state;
    uint8_t bytes[DN_ENROLL_SET_MAX];
    const dunlin_slice ca = ca_of(w), none = dunlin_slice_make(NULL, 0);
    dunlin_buf set = dunlin_buf_make(bytes, sizeof bytes);
    assert_int_equal(dn_enroll_pack(&ca, 1, &set), DUNLIN_OK);
    assert_int_equal(ask(w, DN_COAP_GET, "/est/crts", NONE, 281, none, true).code, DN_COAP_UNAVAILABLE);
    assert_true(w->last_is_crts);
    dn_est_answer(w->est, w->forwarded[0], 200, 0, dunlin_buf_view(&set));
    dn_est_reply reply = ask(w, DN_COAP_GET, "/est/crts", NONE, 281, none, true);
    assert_int_equal(reply.code, DN_COAP_CONTENT);
    assert_true(dunlin_slice_equal(reply.payload, dunlin_buf_view(&set)));
    reply = ask(w, DN_COAP_GET, "/est/crts", NONE, 287, none, true);
    assert_true(reply.code == DN_COAP_CONTENT && dunlin_slice_equal(reply.payload, ca));
    assert_int_equal(w->forwards, 1);
    w->now_ms += 3600001;
    assert_int_equal(ask(w, DN_COAP_GET, "/est/crts", NONE, 281, none, true).code, DN_COAP_UNAVAILABLE);
    assert_int_equal(w->forwards, 2);
}

#define ENOUGH "others of this device, or of its shared credential, wait for the authority"

static void assert_waits(const dn_est_reply *reply, const char *why)
{
    assert_int_equal(reply->code, DN_COAP_UNAVAILABLE);
    assert_true(reply->max_age_s > 0);
    assert_string_equal(reply->why, why);
}

/* One of those who share a credential can give any of their names: all together have half of the places. */
static void too_many_wait(void **state)
{
    world *w = *state;
    char name[32];
    dn_est_reply reply;
    name_identity(w, DN_SECURITY_X509, "*");
    for (unsigned i = 0; i <= 1026; i++) {
        w->identity.credential = i == 1026 ? 9 : 7 + i / 514;
        (void)snprintf(name, sizeof name, "urn:dev:%u", i);
        ask_for(w, name);
        reply = enrol(w);
        assert_waits(&reply, i == 512 || i == 513 ? ENOUGH
                             : i == 1026          ? "too many wait for the authority"
                                                  : "the authority is being asked");
    }
    assert_int_equal(w->forwards, 1024);
    w->now_ms += 120001; /* what was never answered is forgotten */
    reply = enrol(w);
    assert_waits(&reply, "the authority is being asked");
    assert_int_equal(w->forwards, 1025);
}

/* Who makes request after request keeps nobody out: two of them wait at a time. */
static void a_device_takes_two_places(void **state)
{
    world *w = *state;
    uint8_t bytes[DN_ENROLL_SET_MAX];
    uint8_t first[DN_ENROLL_REQUEST_MAX];
    size_t first_len = 0;
    for (unsigned i = 0; i < 20; i++) {
        if (i < 3) { /* each one is another, as its signature is */
            ask_for(w, NAME);
        }
        if (i == 0) {
            memcpy(first, w->request, w->request_len);
            first_len = w->request_len;
        }
        const dn_est_reply reply = enrol(w);
        assert_waits(&reply, i < 2 ? "the authority is being asked" : ENOUGH);
    }
    assert_int_equal(w->forwards, 2);
    /* Another device has its places, and the certificates of the authority are to be had. */
    name_identity(w, DN_SECURITY_X509, "urn:dev:2");
    ask_for(w, "urn:dev:2");
    dn_est_reply reply = enrol(w);
    assert_waits(&reply, "the authority is being asked");
    reply = ask(w, DN_COAP_GET, "/est/crts", NONE, 281, dunlin_slice_make(NULL, 0), true);
    assert_waits(&reply, "the authority is being asked");
    /* What was answered gives way to the next one, not what still waits. */
    name_identity(w, DN_SECURITY_X509, NAME);
    ask_for(w, NAME);
    reply = enrol(w);
    assert_waits(&reply, ENOUGH);
    dn_est_answer(w->est, w->forwarded[1], 200, 0, issue_elsewhere(w, NAME, bytes, sizeof bytes));
    reply = enrol(w);
    assert_waits(&reply, "the authority is being asked");
    assert_int_equal(w->forwards, 5);
    dn_est_answer(w->est, w->forwarded[0], 200, 0, issue_elsewhere(w, NAME, bytes, sizeof bytes));
    memcpy(w->request, first, first_len);
    w->request_len = first_len;
    assert_int_equal(enrol(w).code, DN_COAP_CHANGED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_authority_is_told, make_world, free_world),
        cmocka_unit_test_setup_teardown(a_certificate_is_issued, make_world, free_world),
        cmocka_unit_test_setup_teardown(the_name_is_the_devices, make_world, free_world),
        cmocka_unit_test_setup_teardown(who_must_know_it_knows_it_first, make_world, free_world),
        cmocka_unit_test_setup_teardown(psk_by_a_switch_alone, make_world, free_world),
        cmocka_unit_test_setup_teardown(hostile_requests, make_world, free_world),
        cmocka_unit_test_setup_teardown(what_is_too_large, make_world, free_world),
        cmocka_unit_test_setup_teardown(paths, make_world, free_world),
        cmocka_unit_test_setup_teardown(what_cannot_be_made, make_world, free_world),
        cmocka_unit_test_setup_teardown(an_authority_that_has_ended, make_world, free_world),
        cmocka_unit_test_setup_teardown(an_authority_elsewhere_is_asked, make_forwarding, free_world),
        cmocka_unit_test_setup_teardown(an_authority_elsewhere_takes_its_time, make_forwarding, free_world),
        cmocka_unit_test_setup_teardown(what_an_authority_elsewhere_says, make_forwarding, free_world),
        cmocka_unit_test_setup_teardown(authorities_elsewhere_are_kept_a_while, make_forwarding, free_world),
        cmocka_unit_test_setup_teardown(too_many_wait, make_forwarding, free_world),
        cmocka_unit_test_setup_teardown(a_device_takes_two_places, make_forwarding, free_world),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
