/* SPDX-License-Identifier: Apache-2.0 */
/* Enrolment: the examples of RFC 9148, round trips, what OpenSSL makes of ours and we of its, requests that must not be answered, tokens. */
#include "security/enroll.h"

#include "security/issue.h"
#include "security/pem.h"
#include "security/rfc9148.h"
#include "security/testpki.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define NAME    "urn:dev:os:0023C7-000001"
#define FROM_S  INT64_C(1790000000)
#define UNTIL_S INT64_C(1821536000)
#define CA_S    INT64_C(2105360000)

typedef struct {
    uint8_t key[DN_KEY_DER_MAX], ca_key[DN_KEY_DER_MAX], ca[DN_CERTIFICATE_DER_MAX];
    size_t key_len, ca_key_len, ca_len;
    char folder[64];
} world;

static dunlin_slice key_of(const world *w)
{
    return dunlin_slice_make(w->key, w->key_len);
}

static dn_enroll_terms terms_of(const world *w, dunlin_slice request)
{
    return (dn_enroll_terms){.authority = dunlin_slice_make(w->ca, w->ca_len),
                             .authority_key = dunlin_slice_make(w->ca_key, w->ca_key_len),
                             .request = request,
                             .common_name = NAME,
                             .from_s = FROM_S,
                             .until_s = UNTIL_S,
                             .serial = {0xff, 1, 2, 3}};
}

static int make_world(void **state)
{
    world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    assert_int_equal(dn_key_generate(w->key, &w->key_len), DUNLIN_OK);
    assert_int_equal(
        dn_authority_make("Dunlin CA", FROM_S, CA_S, w->ca_key, &w->ca_key_len, w->ca, &w->ca_len),
        DUNLIN_OK);
    strcpy(w->folder, "/tmp/dunlin_enroll_test_XXXXXX");
    assert_non_null(mkdtemp(w->folder));
    *state = w;
    return 0;
}

static int free_world(void **state)
{
    world *w = *state;
    char command[100];
    (void)snprintf(command, sizeof command, "rm -rf %s", w->folder);
    assert_int_equal(system(command), 0);
    free(w);
    return 0;
}

/* ---- RFC 9148 appendix A ---- */

static void the_examples_of_rfc_9148(void **state)
{
    (void)state;
    const dunlin_slice request = dunlin_slice_make(rfc9148_sen_request, sizeof rfc9148_sen_request);
    const dunlin_slice issued = dunlin_slice_make(rfc9148_sen_answer, sizeof rfc9148_sen_answer);
    const dunlin_slice authorities = dunlin_slice_make(rfc9148_crts_answer, sizeof rfc9148_crts_answer);
    dn_enroll_asked asked;
    assert_int_equal(dn_enroll_read(request, &asked), DUNLIN_OK);
    assert_string_equal(asked.common_name, "");
    assert_true(asked.has_challenge);
    assert_int_equal(strlen(asked.challenge), 37);
    assert_int_equal(asked.public_key_len, 91);
    size_t count = 0;
    assert_int_equal(dn_enroll_count(authorities, &count), DUNLIN_OK);
    assert_int_equal(count, 1);
    assert_int_equal(dn_enroll_count(issued, &count), DUNLIN_OK);
    assert_int_equal(count, 1);
    uint8_t certificate[DN_CERTIFICATE_DER_MAX], key[DN_PUBLIC_KEY_DER_MAX];
    size_t len = 0;
    dunlin_buf out = dunlin_buf_make(certificate, sizeof certificate);
    assert_int_equal(dn_enroll_unpack(issued, 1, &out), DUNLIN_ERR_NOT_FOUND);
    assert_int_equal(dn_enroll_unpack(issued, 0, &out), DUNLIN_OK);
    assert_int_equal(dn_certificate_public(dunlin_buf_view(&out), key, &len), DUNLIN_OK);
    assert_int_equal(len, asked.public_key_len);
    assert_memory_equal(key, asked.public_key, len);
    /* What we pack is what the example has, but for its empty list of CRLs, which may be absent (RFC 5652 section 5.1). */
    uint8_t set[DN_ENROLL_SET_MAX];
    dunlin_buf packed = dunlin_buf_make(set, sizeof set);
    const dunlin_slice one = dunlin_buf_view(&out);
    assert_int_equal(dn_enroll_pack(&one, 1, &packed), DUNLIN_OK);
    assert_int_equal(packed.len + 2, issued.len);
    assert_memory_equal(set + 24, issued.data + 24, packed.len - 2 - 24);
}

/* ---- round trips ---- */

static void a_request_becomes_a_certificate(void **state)
{
    const world *w = *state;
    uint8_t bytes[DN_ENROLL_REQUEST_MAX], der[DN_CERTIFICATE_DER_MAX], set_bytes[DN_ENROLL_SET_MAX];
    uint8_t found[DN_CERTIFICATE_DER_MAX];
    dunlin_buf request = dunlin_buf_make(bytes, sizeof bytes);
    dunlin_buf certificate = dunlin_buf_make(der, sizeof der);
    dunlin_buf set = dunlin_buf_make(set_bytes, sizeof set_bytes);
    dunlin_buf out = dunlin_buf_make(found, sizeof found);
    dn_enroll_asked asked;
    assert_int_equal(dn_enroll_request(key_of(w), NAME, &request), DUNLIN_OK);
    assert_int_equal(dn_enroll_read(dunlin_buf_view(&request), &asked), DUNLIN_OK);
    assert_string_equal(asked.common_name, NAME);
    assert_false(asked.has_challenge);
    const dn_enroll_terms terms = terms_of(w, dunlin_buf_view(&request));
    assert_int_equal(dn_enroll_issue(&terms, &certificate), DUNLIN_OK);
    const dunlin_slice both[] = {terms.authority, dunlin_buf_view(&certificate)};
    assert_int_equal(dn_enroll_pack(both, 2, &set), DUNLIN_OK);
    int64_t from_s = 0, until_s = 0;
    assert_int_equal(dn_enroll_find(dunlin_buf_view(&set), key_of(w), NAME, &out, &from_s, &until_s),
                     DUNLIN_OK);
    assert_true(dunlin_slice_equal(dunlin_buf_view(&out), dunlin_buf_view(&certificate)));
    assert_true(from_s == FROM_S && until_s == UNTIL_S);
    out.len = 0;
    assert_int_equal(dn_enroll_find(dunlin_buf_view(&certificate), key_of(w), NAME, &out, &from_s, &until_s),
                     DUNLIN_OK); /* one by itself: 287 */
    out.len = 0;
    const dunlin_slice other = dunlin_slice_make(w->ca_key, w->ca_key_len);
    assert_int_equal(dn_enroll_find(dunlin_buf_view(&certificate), other, NAME, &out, &from_s, &until_s),
                     DUNLIN_ERR_NOT_FOUND);
    assert_int_equal(
        dn_enroll_find(dunlin_buf_view(&set), key_of(w), "urn:dev:other", &out, &from_s, &until_s),
        DUNLIN_ERR_ACCESS);
    out.cap = certificate.len - 1;
    assert_int_equal(dn_enroll_find(dunlin_buf_view(&set), key_of(w), NAME, &out, &from_s, &until_s),
                     DUNLIN_ERR_SPACE);
    assert_int_equal(out.len, 0);
}

static void names_of_all_sorts(void **state)
{
    static const char *const names[] = {"a", "a,b+c=d \"e\" <f>; #g\\", " blanks ", "Gerät №1",
                                        "0123456789012345678901234567890123456789012345678901234567890123"};
    const world *w = *state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        uint8_t bytes[DN_ENROLL_REQUEST_MAX], der[DN_CERTIFICATE_DER_MAX], found[DN_CERTIFICATE_DER_MAX];
        dunlin_buf request = dunlin_buf_make(bytes, sizeof bytes);
        dunlin_buf certificate = dunlin_buf_make(der, sizeof der);
        dunlin_buf out = dunlin_buf_make(found, sizeof found);
        dn_enroll_asked asked;
        int64_t from_s, until_s;
        assert_int_equal(dn_enroll_request(key_of(w), names[i], &request), DUNLIN_OK);
        assert_int_equal(dn_enroll_read(dunlin_buf_view(&request), &asked), DUNLIN_OK);
        assert_string_equal(asked.common_name, names[i]);
        dn_enroll_terms terms = terms_of(w, dunlin_buf_view(&request));
        terms.common_name = names[i];
        assert_int_equal(dn_enroll_issue(&terms, &certificate), DUNLIN_OK);
        assert_int_equal(
            dn_enroll_find(dunlin_buf_view(&certificate), key_of(w), names[i], &out, &from_s, &until_s),
            DUNLIN_OK);
    }
    uint8_t bytes[DN_ENROLL_REQUEST_MAX];
    dunlin_buf request = dunlin_buf_make(bytes, sizeof bytes);
    assert_int_equal(dn_enroll_request(key_of(w), "", &request), DUNLIN_ERR_ARGUMENT);
    assert_int_equal(dn_enroll_request(key_of(w),
                                       "01234567890123456789012345678901234567890123456789012345678901234",
                                       &request),
                     DUNLIN_ERR_ARGUMENT);
    assert_int_equal(request.len, 0);
}

static void the_authority_ends_first(void **state)
{
    const world *w = *state;
    uint8_t bytes[DN_ENROLL_REQUEST_MAX], der[DN_CERTIFICATE_DER_MAX], found[DN_CERTIFICATE_DER_MAX];
    dunlin_buf request = dunlin_buf_make(bytes, sizeof bytes);
    dunlin_buf certificate = dunlin_buf_make(der, sizeof der);
    dunlin_buf out = dunlin_buf_make(found, sizeof found);
    int64_t from_s, until_s;
    assert_int_equal(dn_enroll_request(key_of(w), NAME, &request), DUNLIN_OK);
    dn_enroll_terms terms = terms_of(w, dunlin_buf_view(&request));
    terms.until_s = CA_S + 1;
    assert_int_equal(dn_enroll_issue(&terms, &certificate), DUNLIN_OK);
    assert_int_equal(dn_enroll_find(dunlin_buf_view(&certificate), key_of(w), NAME, &out, &from_s, &until_s),
                     DUNLIN_OK);
    assert_true(until_s == CA_S);
    terms.from_s = CA_S;
    assert_int_equal(dn_enroll_issue(&terms, &certificate), DUNLIN_ERR_ARGUMENT);
    terms = terms_of(w, dunlin_buf_view(&request));
    terms.authority_key = dunlin_slice_of("no key");
    assert_int_equal(dn_enroll_issue(&terms, &certificate), DUNLIN_ERR_IO);
    terms = terms_of(w, dunlin_buf_view(&request));
    terms.authority = terms.authority_key;
    assert_int_equal(dn_enroll_issue(&terms, &certificate), DUNLIN_ERR_IO);
}

/* ---- what must not be taken ---- */

static void no_part_of_a_request_is_one(void **state)
{
    const world *w = *state;
    uint8_t bytes[DN_ENROLL_REQUEST_MAX];
    dunlin_buf request = dunlin_buf_make(bytes, sizeof bytes);
    dn_enroll_asked asked;
    assert_int_equal(dn_enroll_request(key_of(w), NAME, &request), DUNLIN_OK);
    for (size_t len = 0; len < request.len; len++) {
        assert_int_not_equal(dn_enroll_read(dunlin_slice_make(bytes, len), &asked), DUNLIN_OK);
    }
    for (size_t i = 0; i < request.len; i++) { /* the signature holds for nothing else */
        bytes[i] ^= 0x11;
        assert_int_not_equal(dn_enroll_read(dunlin_buf_view(&request), &asked), DUNLIN_OK);
        bytes[i] ^= 0x11;
    }
    assert_int_equal(dn_enroll_read(dunlin_buf_view(&request), &asked), DUNLIN_OK);
    bytes[request.len - 1] ^= 1;
    assert_int_equal(dn_enroll_read(dunlin_buf_view(&request), &asked), DUNLIN_ERR_REJECTED);
    const dn_enroll_terms terms = terms_of(w, dunlin_buf_view(&request));
    uint8_t der[DN_CERTIFICATE_DER_MAX];
    dunlin_buf certificate = dunlin_buf_make(der, sizeof der);
    assert_int_equal(dn_enroll_issue(&terms, &certificate), DUNLIN_ERR_REJECTED);
    assert_int_equal(certificate.len, 0);
}

static void no_part_of_a_set_is_one(void **state)
{
    const world *w = *state;
    uint8_t out_bytes[DN_CERTIFICATE_DER_MAX];
    int64_t from_s, until_s;
    size_t count;
    for (size_t len = 0; len < sizeof rfc9148_sen_answer; len++) {
        const dunlin_slice cut = dunlin_slice_make(rfc9148_sen_answer, len);
        dunlin_buf out = dunlin_buf_make(out_bytes, sizeof out_bytes);
        assert_int_equal(dn_enroll_count(cut, &count), DUNLIN_ERR_MALFORMED);
        assert_int_equal(dn_enroll_find(cut, key_of(w), NAME, &out, &from_s, &until_s), DUNLIN_ERR_MALFORMED);
    }
    uint8_t more[sizeof rfc9148_sen_answer + 1] = {0};
    memcpy(more, rfc9148_sen_answer, sizeof rfc9148_sen_answer);
    assert_int_equal(dn_enroll_count(dunlin_slice_make(more, sizeof more), &count), DUNLIN_ERR_MALFORMED);
    uint8_t set_bytes[DN_ENROLL_SET_MAX];
    dunlin_buf set = dunlin_buf_make(set_bytes, sizeof set_bytes);
    const dunlin_slice none = dunlin_slice_of("no certificate");
    assert_int_equal(dn_enroll_pack(&none, 1, &set), DUNLIN_ERR_MALFORMED);
    assert_int_equal(dn_enroll_pack(&none, 0, &set), DUNLIN_ERR_MALFORMED);
}

static void authorities_that_are_none(void **state)
{
    const world *w = *state;
    const dunlin_slice ca = dunlin_slice_make(w->ca, w->ca_len);
    const dunlin_slice ca_key = dunlin_slice_make(w->ca_key, w->ca_key_len);
    dn_testpki_key *key = dn_testpki_key_make(TESTPKI_P256);
    dn_testpki_cert *leaf = dn_testpki_cert_make(&(dn_testpki_subject){.common_name = "x"}, key, NULL, NULL);
    dn_testpki_key *large = dn_testpki_key_make(TESTPKI_P384);
    dn_testpki_cert *other =
        dn_testpki_cert_make(&(dn_testpki_subject){.common_name = "x", .is_ca = true}, large, NULL, NULL);
    assert_null(dn_enroll_check_authority(ca, ca_key));
    assert_non_null(dn_enroll_check_authority(ca, key_of(w)));
    assert_non_null(dn_enroll_check_authority(ca, dunlin_slice_of("pkcs11:token=none;object=none")));
    assert_non_null(dn_enroll_check_authority(ca, dunlin_slice_of("")));
    assert_non_null(dn_enroll_check_authority(ca_key, ca_key));
    assert_non_null(dn_enroll_check_authority(dn_testpki_cert_der(leaf), dn_testpki_key_der(key)));
    assert_non_null(dn_enroll_check_authority(dn_testpki_cert_der(other), dn_testpki_key_der(large)));
    dn_testpki_cert_free(other);
    dn_testpki_key_free(large);
    dn_testpki_cert_free(leaf);
    dn_testpki_key_free(key);
}

/* ---- OpenSSL ---- */

static void write_file(const world *w, const char *name, dunlin_slice bytes)
{
    char path[300];
    (void)snprintf(path, sizeof path, "%s/%s", w->folder, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes.data, 1, bytes.len, file), bytes.len);
    assert_int_equal(fclose(file), 0);
}

static dunlin_slice read_file(const world *w, const char *name, uint8_t *out, size_t size)
{
    char path[300];
    (void)snprintf(path, sizeof path, "%s/%s", w->folder, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    const size_t len = fread(out, 1, size, file);
    assert_int_equal(fclose(file), 0);
    assert_true(len < size);
    return dunlin_slice_make(out, len);
}

/* A shell's command in the folder; what it says goes to the file "said". */
static void run(const world *w, const char *command)
{
    char line[700];
    (void)snprintf(line, sizeof line, "cd %s && { %s ; } >said 2>&1", w->folder, command);
    if (system(line) != 0) {
        (void)snprintf(line, sizeof line, "cat %s/said", w->folder);
        (void)system(line);
        fail_msg("%s", command);
    }
}

static bool has_openssl(void)
{
    return system("command -v openssl >/dev/null") == 0;
}

static void openssl_reads_ours(void **state)
{
    const world *w = *state;
    uint8_t bytes[DN_ENROLL_REQUEST_MAX], der[DN_CERTIFICATE_DER_MAX], set_bytes[DN_ENROLL_SET_MAX];
    dunlin_buf request = dunlin_buf_make(bytes, sizeof bytes);
    dunlin_buf certificate = dunlin_buf_make(der, sizeof der);
    dunlin_buf set = dunlin_buf_make(set_bytes, sizeof set_bytes);
    if (!has_openssl()) {
        skip();
    }
    assert_int_equal(dn_enroll_request(key_of(w), NAME, &request), DUNLIN_OK);
    const dn_enroll_terms terms = terms_of(w, dunlin_buf_view(&request));
    assert_int_equal(dn_enroll_issue(&terms, &certificate), DUNLIN_OK);
    const dunlin_slice both[] = {dunlin_buf_view(&certificate), terms.authority};
    assert_int_equal(dn_enroll_pack(both, 2, &set), DUNLIN_OK);
    write_file(w, "request.der", dunlin_buf_view(&request));
    write_file(w, "leaf.der", dunlin_buf_view(&certificate));
    write_file(w, "ca.der", terms.authority);
    write_file(w, "set.der", dunlin_buf_view(&set));
    run(w, "openssl req -inform DER -in request.der -verify -noout -subject && grep -q 'CN = " NAME "' said");
    run(w, "openssl x509 -inform DER -in ca.der -out ca.pem && openssl x509 -inform DER -in leaf.der -out "
           "leaf.pem "
           "&& openssl verify -x509_strict -purpose sslclient -attime 1800000000 -CAfile ca.pem leaf.pem");
    run(w, "! openssl verify -purpose sslserver -attime 1800000000 -CAfile ca.pem leaf.pem");
    run(w, "openssl pkcs7 -inform DER -in set.der -print_certs | grep -c BEGIN.CERTIFICATE | grep -qx 2");
    run(w, "openssl asn1parse -inform DER -in set.der | grep -q 'pkcs7-data$'");
    /* Byte for byte what OpenSSL packs; of more than one the order is free. */
    set.len = 0;
    assert_int_equal(dn_enroll_pack(both, 1, &set), DUNLIN_OK);
    write_file(w, "set.der", dunlin_buf_view(&set));
    run(w,
        "openssl crl2pkcs7 -nocrl -certfile leaf.pem -outform DER -out theirs.der && cmp theirs.der set.der");
}

static void ours_reads_openssl(void **state)
{
    const world *w = *state;
    uint8_t bytes[2000], key[DN_KEY_DER_MAX], out_bytes[DN_CERTIFICATE_DER_MAX];
    dunlin_buf out = dunlin_buf_make(out_bytes, sizeof out_bytes);
    dn_enroll_asked asked;
    int64_t from_s = 0, until_s = 0;
    if (!has_openssl()) {
        skip();
    }
    run(w, "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -outform DER -out ec.der "
           "2>/dev/null && "
           "openssl pkcs8 -topk8 -nocrypt -inform DER -in ec.der -outform DER -out ec8.der && "
           "openssl req -new -keyform DER -key ec8.der -subj '/O=x/CN=" NAME "' -outform DER -out r.der && "
           "openssl req -x509 -keyform DER -key ec8.der -subj '/CN=" NAME "' -days 10 -out c.pem && "
           "openssl crl2pkcs7 -nocrl -certfile c.pem -outform DER -out p7.der");
    assert_int_equal(dn_enroll_read(read_file(w, "r.der", bytes, sizeof bytes), &asked), DUNLIN_OK);
    assert_string_equal(asked.common_name, NAME);
    const dunlin_slice own = read_file(w, "ec8.der", key, sizeof key);
    assert_int_equal(
        dn_enroll_find(read_file(w, "p7.der", bytes, sizeof bytes), own, NAME, &out, &from_s, &until_s),
        DUNLIN_OK);
    assert_true(until_s - from_s == INT64_C(864000));
}

static const struct {
    const char *what, *command;
    dunlin_status expected;
} others[] = {
    {"P-384", "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-384 -nodes -keyout k -subj /CN=x",
     DUNLIN_ERR_UNSUPPORTED},
    {"another curve of 256 bits",
     "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:brainpoolP256r1 -nodes -keyout k -subj /CN=x",
     DUNLIN_ERR_UNSUPPORTED},
    {"RSA", "openssl req -new -newkey rsa:2048 -nodes -keyout k -subj /CN=x", DUNLIN_ERR_UNSUPPORTED},
    {"Ed25519", "openssl req -new -newkey ed25519 -nodes -keyout k -subj /CN=x", DUNLIN_ERR_UNSUPPORTED},
    {"two names",
     "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k -subj /CN=x/CN=y",
     DUNLIN_ERR_MALFORMED},
    {"a certificate",
     "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k -subj /CN=x",
     DUNLIN_ERR_MALFORMED},
    {"no name", "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k -subj /",
     DUNLIN_OK},
};

static void requests_that_cannot_be(void **state)
{
    const world *w = *state;
    if (!has_openssl()) {
        skip();
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        char command[300];
        uint8_t bytes[2000];
        dn_enroll_asked asked;
        (void)snprintf(command, sizeof command, "%s -outform DER -out other.der", others[i].command);
        run(w, command);
        const dunlin_status got = dn_enroll_read(read_file(w, "other.der", bytes, sizeof bytes), &asked);
        if (got != others[i].expected) {
            fail_msg("%s: %s", others[i].what, dunlin_status_text(got));
        }
    }
}

/* ---- tokens ---- */

static void the_keys_may_be_in_a_token(void **state)
{
    const world *w = *state;
    char text[400];
    uint8_t bytes[DN_ENROLL_REQUEST_MAX], der[DN_CERTIFICATE_DER_MAX], found[DN_CERTIFICATE_DER_MAX];
    dunlin_buf request = dunlin_buf_make(bytes, sizeof bytes);
    dunlin_buf certificate = dunlin_buf_make(der, sizeof der);
    dunlin_buf out = dunlin_buf_make(found, sizeof found);
    const dunlin_slice device =
        dunlin_slice_of("pkcs11:token=dunlin;object=device;type=private?pin-value=1234");
    const dunlin_slice authority =
        dunlin_slice_of("pkcs11:token=dunlin;object=ca;type=private?pin-value=1234");
    int64_t from_s, until_s;
    if (system("command -v softhsm2-util >/dev/null") != 0) {
        skip();
    }
    (void)snprintf(text, sizeof text,
                   "directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n", w->folder);
    write_file(w, "softhsm2.conf", dunlin_slice_of(text));
    (void)snprintf(text, sizeof text, "%s/softhsm2.conf", w->folder);
    assert_int_equal(setenv("SOFTHSM2_CONF", text, 1), 0);
    const dunlin_slice keys[] = {key_of(w), dunlin_slice_make(w->ca_key, w->ca_key_len)};
    static const char *const files[] = {"device.pem", "ca_key.pem"};
    for (size_t i = 0; i < 2; i++) {
        uint8_t pem_bytes[512];
        dunlin_buf pem = dunlin_buf_make(pem_bytes, sizeof pem_bytes);
        assert_int_equal(dn_pem_write(DN_PEM_PRIVATE_KEY, keys[i], &pem), DUNLIN_OK);
        write_file(w, files[i], dunlin_buf_view(&pem));
    }
    run(w, "softhsm2-util --init-token --free --label dunlin --so-pin 1234 --pin 1234 && "
           "softhsm2-util --import device.pem --token dunlin --label device --id 01 --pin 1234 && "
           "softhsm2-util --import ca_key.pem --token dunlin --label ca --id 02 --pin 1234");
    assert_int_equal(dn_enroll_request(device, NAME, &request), DUNLIN_OK);
    dn_enroll_terms terms = terms_of(w, dunlin_buf_view(&request));
    terms.authority_key = authority;
    assert_null(dn_enroll_check_authority(terms.authority, authority));
    assert_non_null(dn_enroll_check_authority(terms.authority, device));
    assert_int_equal(dn_enroll_issue(&terms, &certificate), DUNLIN_OK);
    assert_int_equal(dn_enroll_find(dunlin_buf_view(&certificate), device, NAME, &out, &from_s, &until_s),
                     DUNLIN_OK);
    out.len = 0; /* and it is the same key */
    assert_int_equal(dn_enroll_find(dunlin_buf_view(&certificate), key_of(w), NAME, &out, &from_s, &until_s),
                     DUNLIN_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_keys_may_be_in_a_token), /* first: the library looks for tokens but once */
        cmocka_unit_test(the_examples_of_rfc_9148),    cmocka_unit_test(a_request_becomes_a_certificate),
        cmocka_unit_test(names_of_all_sorts),          cmocka_unit_test(the_authority_ends_first),
        cmocka_unit_test(no_part_of_a_request_is_one), cmocka_unit_test(no_part_of_a_set_is_one),
        cmocka_unit_test(authorities_that_are_none),   cmocka_unit_test(openssl_reads_ours),
        cmocka_unit_test(ours_reads_openssl),          cmocka_unit_test(requests_that_cannot_be),
    };
    return cmocka_run_group_tests(tests, make_world, free_world);
}
