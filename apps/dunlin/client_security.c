/* SPDX-License-Identifier: Apache-2.0 */
/* Reading credentials: hex digits, and files in PEM (RFC 7468) or DER. */
#include "apps/dunlin/client_security.h"

#include "security/pem.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX  16384u
#define ROOTS_MAX 1048576u
#define HEX       "hex:"
#define PKCS11    "pkcs11:"

enum { IDENTITY, SERVER, SECRET, ROOTS };

static bool wrong(const char *option, const char *what)
{
    (void)fprintf(stderr, "dunlin client: %s %s; 'dunlin client --help' shows how\n", option, what);
    return false;
}

static bool wrong_file(const char *option, const char *path, const char *what)
{
    (void)fprintf(stderr, "dunlin client: %s %s: %s\n", option, path, what);
    return false;
}

static void discard(dunlin_buf *buf)
{
    if (buf->data != NULL) {
        explicit_bzero(buf->data, buf->cap);
        free(buf->data);
    }
    *buf = dunlin_buf_make(NULL, 0);
}

static bool allocate(dunlin_buf *buf, size_t size)
{
    *buf = dunlin_buf_make(malloc(size), size);
    if (buf->data == NULL) {
        (void)fputs("dunlin client: out of memory\n", stderr);
    }
    return buf->data != NULL;
}

static bool read_file(const char *option, const char *path, size_t max, dunlin_buf *out)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return wrong_file(option, path, strerror(errno));
    }
    (void)setvbuf(file, NULL, _IONBF, 0); /* no copy of a secret is left */
    bool good = allocate(out, max + 1);
    if (good) {
        out->len = fread(out->data, 1, max + 1, file);
        good = ferror(file) == 0 || wrong_file(option, path, strerror(errno));
    }
    (void)fclose(file);
    if (good && (out->len == 0 || out->len > max)) {
        good = wrong_file(option, path, out->len == 0 ? "it is empty" : "it is too large");
    }
    return good;
}

/* ---- hex digits ---- */

static int digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    const char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* False: no bytes, or not pairs of digits. */
static bool read_hex(const char *text, size_t len, dunlin_buf *out)
{
    if (len == 0 || len % 2 != 0 || !allocate(out, len / 2)) {
        return false;
    }
    for (size_t i = 0; i < len; i += 2) {
        const int high = digit(text[i]);
        const int low = digit(text[i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        out->data[out->len++] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static bool has_prefix(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool read_identity(const char *text, dunlin_buf *out)
{
    const size_t len = strlen(text);
    if (has_prefix(text, HEX)) {
        if (!read_hex(text + strlen(HEX), len - strlen(HEX), out)) {
            return wrong("--identity", "takes pairs of hex digits behind hex:");
        }
    } else if (len == 0 || !allocate(out, len)) {
        return wrong("--identity", "must not be empty");
    } else {
        (void)dunlin_buf_append(out, dunlin_slice_of(text));
    }
    return out->len <= DN_PSK_IDENTITY_MAX || wrong("--identity", "is longer than 128 bytes");
}

/* A file may have blanks around the digits, and "hex:" before them. */
static bool read_key_file(const char *path, dunlin_buf *out)
{
    dunlin_buf file = dunlin_buf_make(NULL, 0);
    bool good = read_file("--key", path, FILE_MAX, &file);
    if (good) {
        file.data[file.len] = '\0';
        char *text = (char *)file.data;
        text += strspn(text, " \t\r\n");
        text += has_prefix(text, HEX) ? strlen(HEX) : 0;
        const size_t len = strcspn(text, " \t\r\n");
        good = (text[len + strspn(text + len, " \t\r\n")] == '\0' && read_hex(text, len, out)) ||
               wrong_file("--key", path, "it has to have pairs of hex digits, and nothing else");
    }
    discard(&file);
    return good;
}

static bool read_key(const char *text, dunlin_buf *out)
{
    bool good;
    if (text[0] == '@') {
        good = read_key_file(text + 1, out);
    } else {
        good = (has_prefix(text, HEX) && read_hex(text + strlen(HEX), strlen(text) - strlen(HEX), out)) ||
               wrong("--key", "takes hex:DIGITS, pairs of hex digits, or @FILE with such digits");
    }
    return good && (out->len <= DN_PSK_KEY_MAX || wrong("--key", "is longer than 64 bytes"));
}

/* ---- PEM ---- */

/* The first block of one of two labels. NOT_FOUND; MALFORMED: the file has PEM that is none. */
static dunlin_status read_block(dunlin_slice file, const char *label, const char *other, dunlin_buf *out)
{
    dunlin_slice text = file;
    if (!allocate(out, file.len + 1)) {
        return DUNLIN_ERR_MEMORY;
    }
    dunlin_status status = dn_pem_read(&text, label, out);
    if (status == DUNLIN_ERR_NOT_FOUND && other != NULL) {
        text = file;
        status = dn_pem_read(&text, other, out);
    }
    return status;
}

static bool is_encrypted(dunlin_slice file)
{
    dunlin_buf none = dunlin_buf_make(NULL, 0);
    return dn_pem_read(&file, "ENCRYPTED PRIVATE KEY", &none) == DUNLIN_ERR_SPACE;
}

/* One thing of a file in PEM, as one of two labels names it, or all of a file in DER. */
static bool read_der(const char *option, const char *path, const char *label, const char *other,
                     dunlin_buf *out)
{
    dunlin_buf file = dunlin_buf_make(NULL, 0);
    bool good = read_file(option, path, FILE_MAX, &file);
    if (good && file.data[0] == 0x30) { /* a SEQUENCE: DER */
        *out = file;
        return true;
    }
    if (good && read_block(dunlin_buf_view(&file), label, other, out) != DUNLIN_OK) {
        good = wrong_file(option, path,
                          is_encrypted(dunlin_buf_view(&file))
                              ? "it is encrypted: give it without a pass phrase, or by pkcs11:"
                              : "it has neither DER nor a PEM block of the right kind");
    }
    discard(&file);
    return good;
}

static size_t count_certificates(const dunlin_buf *file)
{
    dunlin_slice text = dunlin_buf_view(file);
    dunlin_buf one = dunlin_buf_make(NULL, 0);
    size_t count = 0;
    if (file->data[0] != 0x30 && allocate(&one, file->len + 1)) {
        while (dn_pem_read(&text, DN_PEM_CERTIFICATE, &one) == DUNLIN_OK) {
            one.len = 0;
            count++;
        }
    }
    discard(&one);
    return count;
}

/* A certificate in DER; with those that issued it, if there are any, as the PEM text it is in. */
static bool read_chain(const char *path, dunlin_buf *out)
{
    dunlin_buf file = dunlin_buf_make(NULL, 0);
    if (!read_file("--cert", path, FILE_MAX, &file)) {
        discard(&file);
        return false;
    }
    if (count_certificates(&file) > 1) {
        file.data[file.len] = '\0';
        *out = file;
        return true;
    }
    discard(&file);
    return read_der("--cert", path, DN_PEM_CERTIFICATE, NULL, out);
}

static bool read_roots(const char *path, dunlin_buf *out)
{
    if (!read_file("--roots", path, ROOTS_MAX, out)) {
        return false;
    }
    return count_certificates(out) > 0 || wrong_file("--roots", path, "it has no certificate in PEM");
}

/* ---- what they make together ---- */

dn_sim_security_options dn_sim_security_none(void)
{
    return (dn_sim_security_options){.usage = -1, .matching = -1, .suites = -1};
}

bool dn_sim_security_given(const dn_sim_security_options *o)
{
    return o->identity != NULL || o->key != NULL || o->public_key != NULL || o->private_key != NULL ||
           o->certificate != NULL;
}

static const char *either(const char *own, const char *common)
{
    return own != NULL ? own : common;
}

void dn_sim_security_inherit(dn_sim_security_options *own, const dn_sim_security_options *common)
{
    if (!dn_sim_security_given(own)) {
        own->identity = common->identity;
        own->key = common->key;
        own->public_key = common->public_key;
        own->private_key = common->private_key;
        own->certificate = common->certificate;
    }
    own->server_key = either(own->server_key, common->server_key);
    own->server_certificate = either(own->server_certificate, common->server_certificate);
    own->sni = either(own->sni, common->sni);
    own->roots = either(own->roots, common->roots);
    own->usage = own->usage < 0 ? common->usage : own->usage;
    own->matching = own->matching < 0 ? common->matching : own->matching;
    own->suites = own->suites < 0 ? common->suites : own->suites;
}

static bool load_psk(const dn_sim_security_options *o, dn_sim_security *out)
{
    if (o->identity == NULL || o->key == NULL) {
        return wrong(o->identity == NULL ? "--identity" : "--key", "is missing: a pre-shared key has both");
    }
    if (o->public_key != NULL || o->private_key != NULL || o->certificate != NULL) {
        return wrong("--identity and --key",
                     "are of a pre-shared key: there are no other credentials with it");
    }
    out->security.mode = DUNLIN_PSK;
    return read_identity(o->identity, &out->bytes[IDENTITY]) && read_key(o->key, &out->bytes[SECRET]);
}

static bool load_private_key(const char *given, dunlin_buf *out)
{
    if (!has_prefix(given, PKCS11)) {
        return read_der("--private-key", given, DN_PEM_PRIVATE_KEY, "EC PRIVATE KEY", out);
    }
    return allocate(out, strlen(given)) && dunlin_buf_append(out, dunlin_slice_of(given));
}

static bool load_rpk(const dn_sim_security_options *o, dn_sim_security *out)
{
    out->security.mode = DUNLIN_RPK;
    if (o->server_key == NULL) {
        return wrong("--server-key", "is missing: with a raw public key the server's has to be known");
    }
    return read_der("--public-key", o->public_key, DN_PEM_PUBLIC_KEY, NULL, &out->bytes[IDENTITY]) &&
           load_private_key(o->private_key, &out->bytes[SECRET]) &&
           read_der("--server-key", o->server_key, DN_PEM_PUBLIC_KEY, NULL, &out->bytes[SERVER]);
}

/* Its hash, when it is not matched exactly. */
static bool load_server_certificate(const dn_sim_security_options *o, dn_sim_security *out)
{
    static const size_t hash_len[] = {0, 32, 48, 64};
    const char *given = o->server_certificate;
    dunlin_buf *bytes = &out->bytes[SERVER];
    if (given == NULL) {
        return wrong("--server-cert", "is missing: every --usage is about a certificate");
    }
    if (!has_prefix(given, HEX)) {
        return o->matching > 0 ? wrong("--server-cert", "takes hex:DIGITS, the hash, with that --matching")
                               : read_der("--server-cert", given, DN_PEM_CERTIFICATE, NULL, bytes);
    }
    return (o->matching > 0 && read_hex(given + strlen(HEX), strlen(given) - strlen(HEX), bytes) &&
            bytes->len == hash_len[o->matching]) ||
           wrong("--server-cert", "takes a hash of 32, 48 or 64 bytes in hex with --matching 1, 2 or 3");
}

static bool load_x509(const dn_sim_security_options *o, dn_sim_security *out)
{
    out->security.mode = DUNLIN_X509;
    return read_chain(o->certificate, &out->bytes[IDENTITY]) &&
           load_private_key(o->private_key, &out->bytes[SECRET]) && load_server_certificate(o, out);
}

static bool load_pair(const dn_sim_security_options *o, dn_sim_security *out)
{
    if (o->private_key == NULL) {
        return wrong("--private-key", "is missing: it belongs to --public-key or --cert");
    }
    if ((o->public_key == NULL) == (o->certificate == NULL)) {
        return wrong("--private-key", "belongs to either --public-key or --cert");
    }
    return o->certificate != NULL ? load_x509(o, out) : load_rpk(o, out);
}

bool dn_sim_security_load(const dn_sim_security_options *o, dn_sim_security *out)
{
    memset(out, 0, sizeof *out);
    out->security.mode = DUNLIN_NOSEC;
    out->security.usage = o->usage;
    out->security.matching = o->matching;
    out->suites = o->suites < 0 ? DN_TLS_SUITES_CCM8 : (dn_tls_suites)o->suites;
    if (o->sni != NULL) {
        if (strlen(o->sni) > DUNLIN_SNI_MAX) {
            return wrong("--sni", "is longer than 252 bytes");
        }
        memcpy(out->security.sni, o->sni, strlen(o->sni) + 1);
    }
    bool good = true;
    if (o->identity != NULL || o->key != NULL) {
        good = load_psk(o, out);
    } else if (dn_sim_security_given(o)) {
        good = load_pair(o, out);
    }
    if (good && o->roots != NULL) {
        good = read_roots(o->roots, &out->bytes[ROOTS]);
    }
    out->security.identity = dunlin_buf_view(&out->bytes[IDENTITY]);
    out->security.server_key = dunlin_buf_view(&out->bytes[SERVER]);
    out->security.secret = dunlin_buf_view(&out->bytes[SECRET]);
    out->roots = dunlin_buf_view(&out->bytes[ROOTS]);
    return good;
}

void dn_sim_security_free(dn_sim_security *security)
{
    for (size_t i = 0; i < sizeof security->bytes / sizeof security->bytes[0]; i++) {
        discard(&security->bytes[i]);
    }
}

bool dn_sim_suites_read(const char *word, int16_t *out)
{
    static const struct {
        const char *word;
        dn_tls_suites suites;
    } rows[] = {{"mandated", DN_TLS_SUITES_MANDATED},
                {"ccm8", DN_TLS_SUITES_CCM8},
                {"cbc", DN_TLS_SUITES_CBC},
                {"more", DN_TLS_SUITES_MORE}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(rows[i].word, word) == 0) {
            *out = (int16_t)rows[i].suites;
            return true;
        }
    }
    return false;
}
