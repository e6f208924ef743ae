/* SPDX-License-Identifier: Apache-2.0 */
/* Documents of configurations: what is taken, what is refused and in which words, and what of a secret is seen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bootstrap/config.h"
#include "security/issue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A key pair of the test's, as hex digits and PEM. */
typedef struct {
    char key[1024], public_key[512], certificate[4096], pem[2048];
} pair;

static void to_hex(const uint8_t *bytes, size_t len, char *out)
{
    for (size_t i = 0; i < len; i++) {
        (void)snprintf(out + 2 * i, 3, "%02x", bytes[i]);
    }
}

static void make_pair(pair *out)
{
    uint8_t key[DN_KEY_DER_MAX];
    uint8_t public_key[DN_PUBLIC_KEY_DER_MAX];
    uint8_t certificate[DN_CERTIFICATE_DER_MAX];
    char pem[DN_CERTIFICATE_PEM_MAX];
    size_t len;
    size_t at = 0;
    assert_int_equal(dn_key_generate(key, &len), DUNLIN_OK);
    to_hex(key, len, out->key);
    const dn_certificate_terms terms = {.common_name = "device",
                                        .from_s = 1700000000,
                                        .until_s = 1900000000,
                                        .key = dunlin_slice_make(key, len)};
    assert_int_equal(dn_key_public(terms.key, public_key, &len), DUNLIN_OK);
    to_hex(public_key, len, out->public_key);
    assert_int_equal(dn_certificate_issue(&terms, certificate, &len), DUNLIN_OK);
    to_hex(certificate, len, out->certificate);
    size_t pem_len;
    assert_int_equal(dn_certificate_pem(dunlin_slice_make(certificate, len), pem, sizeof pem, &pem_len),
                     DUNLIN_OK);
    for (size_t i = 0; i < pem_len; i++) { /* for JSON */
        if (pem[i] == '\n') {
            out->pem[at++] = '\\';
        }
        out->pem[at++] = pem[i] == '\n' ? 'n' : pem[i];
    }
    out->pem[at] = '\0';
}

static dn_bs_config *parse(const char *document)
{
    char error[256] = "";
    dn_bs_config *config = NULL;
    if (!dn_bs_config_parse(dunlin_slice_of(document), &config, error, sizeof error)) {
        fail_msg("%s: %s", document, error);
    }
    return config;
}

static void test_smallest(void **state)
{
    (void)state;
    dn_bs_config *config = parse("{\"servers\":[{}]}");
    assert_int_equal(config->server_count, 1);
    assert_int_equal(config->servers[0].ssid, 1);
    assert_true(config->servers[0].security.is_minted);
    assert_null(config->servers[0].uri);
    assert_int_equal(config->servers[0].lifetime_s, 86400);
    assert_int_equal(config->servers[0].pmin_s, -1);
    assert_int_equal(config->delete_count, 2);
    assert_true(config->is_verified);
    assert_false(config->allows_insecure);
    assert_int_equal(config->format, 0);
    dn_bs_config_free(config);
}

static void test_values(void **state)
{
    (void)state;
    dn_bs_config *config =
        parse("{\"write\":{\"/9/0/2/0\":1,\"/5\":{\"0\":{\"0\":{\"hex\":\"00ff\"},\"1\":\"x\"}},\"/6/0/"
              "1\":-1.5,\"/6/0/2\":true,"
              "\"/6/0/3\":{\"objlnk\":\"3:0\"},\"/6/0/4\":{\"time\":5},\"/6/0/5\":{\"float\":7},\"/6/0/"
              "6\":{\"unsigned\":8}}}");
    static const dunlin_type types[] = {DUNLIN_TYPE_OPAQUE,  DUNLIN_TYPE_STRING,   DUNLIN_TYPE_FLOAT,
                                        DUNLIN_TYPE_BOOLEAN, DUNLIN_TYPE_OBJLNK,   DUNLIN_TYPE_TIME,
                                        DUNLIN_TYPE_FLOAT,   DUNLIN_TYPE_UNSIGNED, DUNLIN_TYPE_INTEGER};
    assert_int_equal(config->write_count, sizeof types / sizeof types[0]);
    for (size_t i = 0; i < config->write_count; i++) {
        assert_int_equal(config->writes[i].value.type, types[i]);
    }
    assert_int_equal(config->delete_count, 0);
    dn_bs_config_free(config);
    config = parse("{\"write\":{\"/6/0/6\":{\"unsigned\":\"18446744073709551615\"}}}");
    assert_true(config->writes[0].value.as.uinteger == UINT64_MAX);
    dn_bs_config_free(config);
}

static dunlin_type floats_of(void *context, dunlin_path resource, bool *multiple)
{
    (void)context;
    *multiple = resource.id[2] == 9;
    return resource.id[2] == 8   ? DUNLIN_TYPE_TIME
           : resource.id[2] == 7 ? DUNLIN_TYPE_CORELNK
                                 : DUNLIN_TYPE_FLOAT;
}

static void test_types(void **state)
{
    static const struct {
        const char *document, *error;
    } rows[] = {
        {"{\"write\":{\"/3303/0\":{\"5700\":5,\"8\":6,\"7\":\"</x>\"}}}", NULL},
        {"{\"write\":{\"/3303/0/5700\":\"5\"}}",
         "write./3303/0/5700: this resource holds a value of type float"},
        {"{\"write\":{\"/3303/0/8\":5.5}}", "write./3303/0/8: this resource holds a value of type time"},
        {"{\"write\":{\"/3303/0/9\":5}}",
         "write./3303/0/9: this resource has instances: {\"0\": …} is needed"},
        {"{\"write\":{\"/3303/0/9/1\":5}}", NULL},
    };
    const dn_types types = {floats_of, NULL};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char error[256] = "";
        dn_bs_config *config = parse(rows[i].document);
        bool fits = dn_bs_config_fit(config, &types, error, sizeof error);
        assert_string_equal(error, rows[i].error != NULL ? rows[i].error : "");
        assert_int_equal(fits, rows[i].error == NULL);
        if (fits && i == 0) {
            assert_int_equal(config->writes[0].value.type, DUNLIN_TYPE_CORELNK);
            assert_int_equal(config->writes[2].value.type, DUNLIN_TYPE_FLOAT);
        }
        dn_bs_config_free(config);
    }
}

#define SERVER(members)   "{\"servers\":[{" members "}]}"
#define SECURITY(members) SERVER("\"security\":{" members "}")
#define ACCESS(members)                                        \
    "{\"servers\":[{\"ssid\":1},{\"ssid\":2,\"uri\":\"coap://" \
    "b\",\"security\":{\"mode\":\"nosec\"}}],\"access\":[" members "]}"
#define PSK   "\"mode\":\"psk\",\"identity\":\"i\",\"key\":\"0011223344556677\""
#define NOSEC "\"security\":{\"mode\":\"nosec\"}"

static const struct {
    const char *document, *error;
} bad[] = {
    {"", "the document is no JSON: line 1, column 0"},
    {"[]", "the document: this is not an object"},
    {"{\"servers\":[{}],\"servers\":[]}", "the document is no JSON: line 1, column 25"},
    {"{}", "servers: there are none, and nothing else is to be done"},
    {"{\"servers\":[]}", "servers: there are none, and nothing else is to be done"},
    {"{\"delete\":[]}", "servers: there are none, and nothing else is to be done"},
    {"{\"server\":[]}", "server: there is no such member here"},
    {"{\"00112233445566778899aabbccddeeff\":1}", "the document: there is a member that is not known here"},
    {"{\"servers\":{}}", "servers: this is not an array"},
    {"{\"servers\":[{},{},{},{},{},{},{},{},{}]}", "servers: there are more than 8"},
    {"{\"servers\":[7]}", "servers[0]: this is not an object"},
    {SERVER("\"ssid\":0"), "servers[0].ssid: this is not a whole number from 1 to 65534"},
    {SERVER("\"ssid\":65535"), "servers[0].ssid: this is not a whole number from 1 to 65534"},
    {SERVER("\"ssid\":\"1\""), "servers[0].ssid: this is not a whole number from 1 to 65534"},
    {SERVER("\"ssid\":1.5"), "servers[0].ssid: this is not a whole number from 1 to 65534"},
    {SERVER("\"lifetim\":5"), "servers[0].lifetim: there is no such member here"},
    {SERVER("\"lifetime\":-1"), "servers[0].lifetime: this is not a whole number from 0 to 2147483647"},
    {SERVER("\"pmin\":9,\"pmax\":5"), "servers[0].pmin: this is more than pmax"},
    {SERVER("\"store_notifications\":1"), "servers[0].store_notifications: this is neither true nor false"},
    {SERVER("\"mute_send\":null"), "servers[0].mute_send: this is neither true nor false"},
    {SERVER("\"binding\":\"UX\""),
     "servers[0].binding: this is not made of the letters of bindings, such as U or T"},
    {SERVER("\"binding\":\"UU\""),
     "servers[0].binding: this is not made of the letters of bindings, such as U or T"},
    {SERVER("\"binding\":\"\""),
     "servers[0].binding: this is not made of the letters of bindings, such as U or T"},
    {SERVER("\"preferred_transport\":\"UT\""),
     "servers[0].preferred_transport: this is not made of the letters of bindings, such as U or T"},
    {SERVER("\"registration\":{\"prio\":1}"), "servers[0].registration.prio: there is no such member here"},
    {SERVER("\"instances\":{\"security\":65535}"),
     "servers[0].instances.security: this is not a whole number from 0 to 65534"},
    {SERVER("\"uri\":\"http://x\"," NOSEC),
     "servers[0].uri: the schemes are coap, coaps, coap+tcp and coaps+tcp"},
    {SERVER("\"uri\":\"coap:x\"," NOSEC),
     "servers[0].uri: the schemes are coap, coaps, coap+tcp and coaps+tcp"},
    {SERVER("\"uri\":\"coap://\"," NOSEC), "servers[0].uri: its host is missing"},
    {SERVER("\"uri\":\"coap://[::1\"," NOSEC), "servers[0].uri: its host is missing"},
    {SERVER("\"uri\":\"coap://h:0\"," NOSEC), "servers[0].uri: its port is none"},
    {SERVER("\"uri\":\"coap://h:65536\"," NOSEC), "servers[0].uri: its port is none"},
    {SERVER("\"uri\":\"coap://h/path\"," NOSEC),
     "servers[0].uri: a server's URI is scheme, host and port alone"},
    {SERVER("\"uri\":\"coap://h h\"," NOSEC),
     "servers[0].uri: there is a character in it that a URI cannot have"},
    {SERVER("\"uri\":\"coaps://h\"," NOSEC),
     "servers[0].uri: a scheme with security does not go with mode \"nosec\""},
    {SERVER("\"uri\":\"coap://h\",\"security\":{" PSK "}"),
     "servers[0].uri: a scheme without security goes with mode \"nosec\" alone"},
    {SERVER("\"uri\":\"coaps://h\",\"security\":{\"mint\":true}"),
     "servers[0].security.mint: keys are made only for this server, not for another's uri"},
    {SERVER("\"uri\":\"coaps://h\""), "servers[0].security.identity: a pre-shared key's identity is missing"},
    {SECURITY("\"mode\":\"dtls\""),
     "servers[0].security.mode: the modes are \"psk\", \"rpk\", \"x509\", \"nosec\" and \"est\""},
    {SECURITY("\"mint\":false"), "servers[0].security.identity: a pre-shared key's identity is missing"},
    {SECURITY("\"mint\":true,\"key\":\"0011223344556677\""),
     "servers[0].security.mint: with it there is neither identity nor key"},
    {SECURITY("\"identity\":\"i\""), "servers[0].security.key: the pre-shared key is missing"},
    {SECURITY("\"key\":\"0011223344556677\""),
     "servers[0].security.identity: a pre-shared key's identity is missing"},
    {SECURITY("\"identity\":\"i\",\"identity_hex\":\"00\",\"key\":\"0011223344556677\""),
     "servers[0].security.identity_hex: there is identity or identity_hex, not both"},
    {SECURITY("\"identity\":\"i\",\"key\":\"001122334455667\""),
     "servers[0].security.key: these are not hexadecimal digits, two for each byte"},
    {SECURITY("\"identity\":\"i\",\"key\":\"00112233445566zz\""),
     "servers[0].security.key: these are not hexadecimal digits, two for each byte"},
    {SECURITY("\"identity\":\"i\",\"key\":\"00112233445566\""),
     "servers[0].security.key: a key has 8 to 64 bytes"},
    {SECURITY("\"identity\":\"\",\"key\":\"0011223344556677\""),
     "servers[0].security.identity: this has not 1 to 65536 bytes"},
    {SECURITY("\"identity_hex\":\"0\",\"key\":\"0011223344556677\""),
     "servers[0].security.identity_hex: these are not hexadecimal digits, two for each byte"},
    {SECURITY(PSK ",\"certificate\":\"x\""),
     "servers[0].security.certificate: this does not go with mode \"psk\""},
    {SECURITY(PSK ",\"sni\":\"x\""), "servers[0].security.sni: this is about certificates and public keys"},
    {SECURITY(PSK ",\"usage\":1"), "servers[0].security.usage: this is about certificates and public keys"},
    {SECURITY(PSK ",\"matching\":4"), "servers[0].security.matching: this is not a whole number from 0 to 3"},
    {SECURITY("\"mode\":\"nosec\",\"key\":\"00\""),
     "servers[0].security.key: this does not go with mode \"nosec\""},
    {SECURITY("\"mode\":\"nosec\",\"mint\":true"),
     "servers[0].security.mint: only pre-shared keys are made here"},
    {SECURITY("\"mode\":\"rpk\""), "servers[0].security.private_key: the device's private key is missing"},
    {SECURITY("\"mode\":\"rpk\",\"private_key\":\"0011\""),
     "servers[0].security.private_key: this is no private key, as PEM or as the hexadecimal digits of its "
     "PKCS#8"},
    {SECURITY("\"mode\":\"x509\""), "servers[0].security.certificate: the device's certificate is missing"},
    {SECURITY("\"mode\":\"est\",\"private_key\":\"00\""),
     "servers[0].security.private_key: this does not go with mode \"est\""},
    {SECURITY("\"mode\":\"est\",\"server_certificate\":\"00\""),
     "servers[0].security.server_certificate: this is no certificate, as PEM or as the hexadecimal digits of "
     "its DER"},
    {SERVER("\"uri\":\"coaps://h\",\"security\":{\"mode\":\"est\"}"),
     "servers[0].security.server_certificate: another server's certificate must be told"},
    {"{\"servers\":[{},{\"ssid\":1}]}", "servers[1].ssid: this Short Server ID stands twice"},
    {"{\"servers\":[{},{\"ssid\":2}]}",
     "servers[1].security.mint: a device has one minted key for this server"},
    {"{\"servers\":[{},{\"ssid\":2," NOSEC "}]}",
     "access: with more than one server it must be said who may do what"},
    {"{\"servers\":[{\"instances\":{\"security\":1}},{\"ssid\":2," NOSEC ",\"instances\":{\"security\":1}}]}",
     "servers[1].instances.security: this stands twice"},
    {"{\"servers\":[{\"instances\":{\"server\":1}},{\"ssid\":2," NOSEC ",\"instances\":{\"server\":1}}]}",
     "servers[1].instances.server: this stands twice"},
    {"{\"account\":{}}", "account.uri: an account of a bootstrap server needs one"},
    {"{\"account\":{\"uri\":\"coaps://b\"}}",
     "account.security.identity: a pre-shared key's identity is missing"},
    {"{\"account\":{\"uri\":\"coaps://b\",\"security\":{\"mint\":true}}}",
     "account.security.mint: keys are made only for this server, not for another's uri"},
    {"{\"account\":{\"uri\":\"coaps://b\",\"security\":{\"mode\":\"est\"}}}",
     "account.security.mode: a bootstrap server's account cannot wait for a certificate"},
    {"{\"account\":{\"uri\":\"coap://b\",\"ssid\":1}}", "account.ssid: there is no such member here"},
    {"{\"servers\":[{\"instances\":{\"security\":1}}],\"account\":{\"uri\":\"coap://b\",\"instance\":1," NOSEC
     "}}",
     "servers[0].instances.security: the account of the bootstrap server is there"},
    {"{\"servers\":[{}],\"delete\":[\"0\"]}", "delete[0]: this is not a path such as /3303/0"},
    {"{\"servers\":[{}],\"delete\":[\"/0/0/0\"]}", "delete[0]: this path has too many ids"},
    {"{\"servers\":[{}],\"delete\":[\"/3/0\"]}", "delete[0]: Object 3 cannot be deleted"},
    {"{\"servers\":[{}],\"delete\":[\"/5\",\"/5\"]}", "delete[1]: this stands twice"},
    {"{\"delete\":[\"/0\"]}", "delete: all server accounts would go, and there are no servers"},
    {"{\"delete\":[\"/\"]}", "delete: all server accounts would go, and there are no servers"},
    {ACCESS("{\"instance\":0,\"owner\":1}"), "access[0].object: this is missing"},
    {ACCESS("{\"object\":3,\"owner\":1}"), "access[0].instance: this is missing"},
    {ACCESS("{\"object\":3,\"instance\":0}"), "access[0].owner: this is missing"},
    {ACCESS("{\"object\":0,\"instance\":0,\"owner\":1}"),
     "access[0].object: this is not a whole number from 1 to 65534"},
    {ACCESS("{\"object\":2,\"instance\":0,\"owner\":1}"),
     "access[0].object: Objects 0, 2 and 21 have no access control"},
    {ACCESS("{\"object\":21,\"instance\":0,\"owner\":1}"),
     "access[0].object: Objects 0, 2 and 21 have no access control"},
    {ACCESS("{\"object\":3,\"instance\":\"all\",\"owner\":1}"),
     "access[0].instance: this is not a whole number from 0 to 65535"},
    {ACCESS("{\"object\":3,\"instance\":0,\"owner\":3}"),
     "access[0].owner: there is no server of this Short Server ID"},
    {ACCESS("{\"object\":3,\"instance\":0,\"owner\":1,\"rights\":{\"3\":1}}"),
     "access[0].rights: there is no server of one of these Short Server IDs"},
    {ACCESS("{\"object\":3,\"instance\":0,\"owner\":1,\"rights\":{\"2\":32}}"),
     "access[0].rights.2: this is not a whole number from 0 to 31"},
    {ACCESS("{\"object\":3,\"instance\":0,\"owner\":1,\"rights\":{\"0\":1}}"),
     "access[0].rights: the members here are Short Server IDs, 1 to 65534, and \"default\""},
    {ACCESS("{\"object\":3,\"instance\":0,\"owner\":1,\"rights\":{\"2\":1,\"02\":1}}"),
     "access[0].rights: a Short Server ID stands twice"},
    {ACCESS("{\"object\":3,\"instance\":0,\"owner\":1},{\"object\":3,\"instance\":0,\"owner\":2}"),
     "access[1].instance: this stands twice"},
    {"{\"write\":{\"5/0/0\":1}}", "write.5/0/0: this is not a path such as /3303/0"},
    {"{\"write\":{\"/\":1}}", "write./: an Object is missing in this path"},
    {"{\"write\":{\"/1/0/1\":1}}", "write./1/0/1: Objects 0 to 2 come from servers, account and access"},
    {"{\"write\":{\"/0\":{\"0\":{\"0\":\"x\"}}}}",
     "write./0: Objects 0 to 2 come from servers, account and access"},
    {"{\"write\":{\"/5/0\":1}}", "write./5/0: a value goes with a resource"},
    {"{\"write\":{\"/5/0\":{}}}", "write./5/0: there is nothing in it"},
    {"{\"write\":{\"/5/0\":{\"a\":1}}}", "write./5/0: the members here are ids, 0 to 65534"},
    {"{\"write\":{\"/5/0\":{\"65535\":1}}}", "write./5/0: the members here are ids, 0 to 65534"},
    {"{\"write\":{\"/5/0/1\":null}}", "write./5/0/1: this is no value"},
    {"{\"write\":{\"/5/0/1\":{\"hex\":\"0\"}}}",
     "write./5/0/1.hex: these are not hexadecimal digits, two for each byte"},
    {"{\"write\":{\"/5/0/1\":{\"objlnk\":\"3\"}}}",
     "write./5/0/1.objlnk: this is not an object link such as \"3:0\""},
    {"{\"write\":{\"/5/0/1\":{\"unsigned\":-1}}}",
     "write./5/0/1.unsigned: this is not a whole number from 0 on"},
    {"{\"write\":{\"/5/0/1\":{\"unsigned\":\"18446744073709551616\"}}}",
     "write./5/0/1.unsigned: this is not a whole number from 0 to 18446744073709551615"},
    {"{\"write\":{\"/5/0/1\":{\"unsigned\":\"\"}}}",
     "write./5/0/1.unsigned: this is not a whole number from 0 to 18446744073709551615"},
    {"{\"write\":{\"/5/0/1\":{\"unsigned\":\"-1\"}}}",
     "write./5/0/1.unsigned: this is not a whole number from 0 to 18446744073709551615"},
    {"{\"write\":{\"/5/0/1/0\":{\"0\":1}}}", "write./5/0/1/0: this is no value"},
    {"{\"write\":{\"/5/0/1\":1,\"/5\":{\"0\":{\"1\":2}}}}",
     "write./5/0/1: this stands twice, or beside its resource's own value"},
    {"{\"write\":{\"/5/0/1\":1,\"/5/0/1/3\":2}}",
     "write./5/0/1/3: this stands twice, or beside its resource's own value"},
    {"{\"servers\":[{}],\"verify\":0}", "verify: this is neither true nor false"},
    {"{\"servers\":[{}],\"format\":\"json\"}",
     "format: the formats are \"tlv\", \"senml-cbor\" and \"senml-json\""},
    {"{\"servers\":[{}],\"format\":\"text\"}",
     "format: the formats are \"tlv\", \"senml-cbor\" and \"senml-json\""},
};

static void test_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char error[256] = "";
        dn_bs_config *config = NULL;
        if (dn_bs_config_parse(dunlin_slice_of(bad[i].document), &config, error, sizeof error)) {
            fail_msg("taken: %s", bad[i].document);
        }
        if (strcmp(error, bad[i].error) != 0) {
            fail_msg("%s\n is: %s\nnot: %s", bad[i].document, error, bad[i].error);
        }
        assert_null(config);
    }
}

static void test_keys(void **state)
{
    static pair one;
    static pair other;
    static char document[16384];
    char error[256];
    dn_bs_config *config = NULL;
    (void)state;
    make_pair(&one);
    make_pair(&other);
    (void)snprintf(document, sizeof document,
                   SECURITY("\"mode\":\"rpk\",\"private_key\":\"%s\",\"matching\":1"), one.key);
    config = parse(document);
    assert_int_equal(config->servers[0].security.identity.len, 91); /* derived */
    assert_null(config->servers[0].security.server_key.data);
    dn_bs_config_free(config);
    (void)snprintf(document, sizeof document,
                   SECURITY("\"mode\":\"x509\",\"private_key\":\"%s\",\"certificate\":\"%s\""), one.key,
                   one.pem);
    config = parse(document);
    assert_true(config->servers[0].security.identity.len > 200);
    dn_bs_config_free(config);
    (void)snprintf(document, sizeof document,
                   SECURITY("\"mode\":\"x509\",\"private_key\":\"%s\",\"certificate\":\"%s\""), other.key,
                   one.certificate);
    assert_false(dn_bs_config_parse(dunlin_slice_of(document), &config, error, sizeof error));
    assert_string_equal(error, "servers[0].security.private_key: this is not the key of the certificate");
    (void)snprintf(document, sizeof document,
                   SECURITY("\"mode\":\"rpk\",\"private_key\":\"%s\",\"public_key\":\"%s\""), other.key,
                   one.public_key);
    assert_false(dn_bs_config_parse(dunlin_slice_of(document), &config, error, sizeof error));
    assert_string_equal(error,
                        "servers[0].security.public_key: the private key is not the one of this public key");
    (void)snprintf(document, sizeof document,
                   SERVER("\"uri\":\"coaps://h\",\"security\":{\"mode\":\"rpk\",\"private_key\":\"%s\"}"),
                   one.key);
    assert_false(dn_bs_config_parse(dunlin_slice_of(document), &config, error, sizeof error));
    assert_string_equal(error,
                        "servers[0].security.server_public_key: another server's public key must be told");
}

/* What is shown has no secret in it, and can be put back when those are given again. */
static void test_show_and_merge(void **state)
{
    static const char document[] =
        "{\"servers\":[{\"ssid\":5,\"uri\":\"coaps://h\",\"security\":{\"mode\":\"psk\",\"identity\":\"me\","
        "\"key\":\"00112233445566778899aabbccddeeff\"}}],\"account\":{\"uri\":\"coaps://"
        "b\",\"security\":{\"identity\":\"bs\","
        "\"key\":\"ffeeddccbbaa9988\"}}}";
    static const char shown[] =
        "{\"servers\":[{\"ssid\":5,\"uri\":\"coaps://"
        "h\",\"security\":{\"mode\":\"psk\",\"identity\":\"me\",\"key_bits\":128}}],"
        "\"account\":{\"uri\":\"coaps://b\",\"security\":{\"identity\":\"bs\",\"key_bits\":64}}}";
    static pair one;
    static char longer[8192];
    char *text = NULL;
    char *merged = NULL;
    (void)state;
    assert_int_equal(dn_bs_config_show(dunlin_slice_of(document), &text), DUNLIN_OK);
    assert_string_equal(text, shown);
    assert_int_equal(dn_bs_config_merge(dunlin_slice_of(text), dunlin_slice_of(document), &merged),
                     DUNLIN_OK);
    assert_string_equal(merged, document);
    free(merged);
    /* Without a former one the key is missing, and its length is not taken for it. */
    assert_int_equal(dn_bs_config_merge(dunlin_slice_of(text), dunlin_slice_of(""), &merged), DUNLIN_OK);
    assert_null(strstr(merged, "key"));
    free(merged);
    free(text);
    /* Another Short Server ID is another account, and a minted one needs none. */
    assert_int_equal(
        dn_bs_config_merge(dunlin_slice_of("{\"servers\":[{\"ssid\":6,\"security\":{\"identity\":\"me\"}},"
                                           "{\"ssid\":5,\"security\":{\"mint\":true}}]}"),
                           dunlin_slice_of(document), &merged),
        DUNLIN_OK);
    assert_null(strstr(merged, "\"key\""));
    free(merged);
    assert_int_equal(dn_bs_config_show(dunlin_slice_of("[1]"), &text), DUNLIN_ERR_MALFORMED);
    assert_int_equal(dn_bs_config_merge(dunlin_slice_of("x"), dunlin_slice_of(document), &text),
                     DUNLIN_ERR_MALFORMED);
    make_pair(&one);
    (void)snprintf(longer, sizeof longer,
                   SECURITY("\"mode\":\"rpk\",\"private_key\":\"%s\",\"public_key\":\"%s\""), one.key,
                   one.public_key);
    assert_int_equal(dn_bs_config_show(dunlin_slice_of(longer), &text), DUNLIN_OK);
    assert_null(strstr(text, one.key));
    assert_non_null(strstr(text, "\"private_key_bits\":256"));
    assert_non_null(strstr(text, one.public_key));
    assert_int_equal(dn_bs_config_merge(dunlin_slice_of(text), dunlin_slice_of(longer), &merged), DUNLIN_OK);
    assert_non_null(strstr(merged, one.key));
    dn_bs_config_free(parse(merged));
    free(merged);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_smallest), cmocka_unit_test(test_values), cmocka_unit_test(test_types),
        cmocka_unit_test(test_bad),      cmocka_unit_test(test_keys),   cmocka_unit_test(test_show_and_merge),
    };
    return cmocka_run_group_tests_name("bootstrap_config", tests, NULL, NULL);
}
