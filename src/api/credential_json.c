/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials from and to JSON; see credential_json.h. */
#include "api/credential_json.h"

#include "api/json_read.h"
#include "api/pem.h"
#include "codec/utf8.h"

#include <gnutls/gnutls.h>

#include <stdio.h>
#include <string.h>

/* ---- reading ---- */

typedef struct {
    const json_t *body;
    dn_credential *out;
    dn_credential_json_error *error;
} reading;

static bool bad(reading *r, const char *pointer, const char *text)
{
    snprintf(r->error->text, sizeof r->error->text, "%s", text);
    r->error->pointer = pointer;
    return false;
}

static int digit(uint8_t c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool hex(dunlin_slice text, uint8_t *out, size_t cap, size_t *len)
{
    if (text.len % 2 != 0 || text.len / 2 > cap) {
        return false;
    }
    *len = text.len / 2;
    for (size_t i = 0; i < *len; i++) {
        const int high = digit(text.data[2 * i]);
        const int low = digit(text.data[2 * i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

/* True when the member is there; `wrong` when it is, but no string. */
static bool member(reading *r, const char *name, const char *pointer, dunlin_slice *text, bool *wrong)
{
    const json_t *value = json_object_get(r->body, name);
    if (value == NULL) {
        return false;
    }
    if (!dn_jsonr_string(value, text)) {
        *wrong = true;
        return bad(r, pointer, "This is not a string.");
    }
    return true;
}

static bool only_members(reading *r, const char *const *known)
{
    const char *name;
    json_t *value;
    union { /* json_object_foreach takes no const object, and changes none */
        const json_t *given;
        json_t *wanted;
    } body = {.given = r->body};
    json_object_foreach(body.wanted, name, value)
    {
        size_t i = 0;
        while (known[i] != NULL && strcmp(known[i], name) != 0) {
            i++;
        }
        if (known[i] == NULL) {
            /* The name may be a key that went to the wrong place: it is not repeated. */
            return bad(r, NULL, "The body has a member that this mode does not know.");
        }
    }
    return true;
}

static bool read_identity(reading *r)
{
    dn_credential *c = r->out;
    dunlin_slice text = {NULL, 0};
    dunlin_slice digits = {NULL, 0};
    size_t len = 0;
    bool wrong = false;
    const bool as_text = member(r, "identity", "/identity", &text, &wrong);
    const bool as_hex = member(r, "identity_hex", "/identity_hex", &digits, &wrong);
    if (wrong) {
        return false;
    }
    if (as_text && as_hex) {
        return bad(r, "/identity_hex", "There is identity or identity_hex, not both.");
    }
    if (as_hex) {
        if (!hex(digits, c->identity, sizeof c->identity, &len)) {
            return bad(r, "/identity_hex", "An identity is up to 128 bytes, as hex digits here.");
        }
        c->identity_len = (uint8_t)len;
        return true;
    }
    if (!as_text) {
        if (c->is_pattern) {
            return bad(r, "/identity", "For a pattern the identity must be given.");
        }
        text = dunlin_slice_make(c->endpoint, c->endpoint_len);
    }
    if (text.len > sizeof c->identity) {
        return bad(r, "/identity", "An identity has 128 bytes at most.");
    }
    memcpy(c->identity, text.data, text.len);
    c->identity_len = (uint8_t)text.len;
    return true;
}

static bool read_psk(reading *r)
{
    static const char *const known[] = {"mode", "identity", "identity_hex", "key", NULL};
    dn_credential *c = r->out;
    dunlin_slice text = {NULL, 0};
    size_t len = 0;
    bool wrong = false;
    if (!only_members(r, known) || !read_identity(r)) {
        return false;
    }
    if (!member(r, "key", "/key", &text, &wrong)) {
        return wrong ? false : bad(r, "/key", "A pre-shared key is missing.");
    }
    if (!hex(text, c->key, sizeof c->key, &len)) {
        return bad(r, "/key", "A key is 8 to 64 bytes, as hex digits.");
    }
    c->key_len = (uint8_t)len;
    return true;
}

static bool begins(dunlin_slice text, const char *with)
{
    size_t len = strlen(with);
    size_t at = 0;
    while (at < text.len && (text.data[at] == ' ' || text.data[at] == '\n' || text.data[at] == '\r')) {
        at++;
    }
    return text.len - at >= len && memcmp(text.data + at, with, len) == 0;
}

static bool read_rpk(reading *r)
{
    static const char *const known[] = {"mode", "public_key", NULL};
    dn_credential *c = r->out;
    dunlin_slice text = {NULL, 0};
    dunlin_buf key = dunlin_buf_make(c->public_key, sizeof c->public_key);
    size_t len = 0;
    bool wrong = false;
    if (!only_members(r, known)) {
        return false;
    }
    if (!member(r, "public_key", "/public_key", &text, &wrong)) {
        return wrong ? false : bad(r, "/public_key", "The device's public key is missing.");
    }
    if (dn_pem_has_private_key(text)) {
        return bad(
            r, "/public_key",
            "This is a private key: only the public one belongs here. Make a new pair for the device.");
    }
    if (begins(text, "-----BEGIN")) {
        if (dn_pem_public_key(text, &key) != DUNLIN_OK) {
            return bad(r, "/public_key", "This is not a PEM \"PUBLIC KEY\" of a P-256 key.");
        }
        len = key.len;
    } else if (!hex(text, c->public_key, sizeof c->public_key, &len)) {
        return bad(r, "/public_key",
                   "A public key is PEM, or the hex digits of its SubjectPublicKeyInfo in DER.");
    }
    c->public_key_len = (uint16_t)len;
    return true;
}

static bool read_pin(reading *r)
{
    dn_credential *c = r->out;
    dunlin_slice digits = {NULL, 0};
    dunlin_slice pem = {NULL, 0};
    size_t len = 0;
    bool wrong = false;
    const bool has_digits = member(r, "fingerprint", "/fingerprint", &digits, &wrong);
    const bool has_pem = member(r, "certificate", "/certificate", &pem, &wrong);
    if (wrong) {
        return false;
    }
    if (has_digits && has_pem) {
        return bad(r, "/certificate", "There is fingerprint or certificate, not both.");
    }
    if (has_digits &&
        (!hex(digits, c->fingerprint, sizeof c->fingerprint, &len) || len != DN_FINGERPRINT_LEN)) {
        return bad(r, "/fingerprint", "A fingerprint is a SHA-256: 64 hex digits.");
    }
    if (has_pem && dn_pem_has_private_key(pem)) {
        return bad(r, "/certificate", "There is a private key: only the certificate belongs here.");
    }
    if (has_pem && dn_pem_fingerprint(pem, c->fingerprint) != DUNLIN_OK) {
        return bad(r, "/certificate", "This is not a PEM \"CERTIFICATE\".");
    }
    c->has_fingerprint = has_digits || has_pem;
    return true;
}

static bool read_x509(reading *r)
{
    static const char *const known[] = {"mode", "name", "fingerprint", "certificate", NULL};
    dn_credential *c = r->out;
    dunlin_slice text = {NULL, 0};
    bool wrong = false;
    if (!only_members(r, known)) {
        return false;
    }
    if (member(r, "name", "/name", &text, &wrong)) {
        if (text.len == 0 || text.len > sizeof c->name) {
            return bad(r, "/name", "A name has 1 to 252 bytes.");
        }
        memcpy(c->name, text.data, text.len);
        c->name_len = (uint8_t)text.len;
    }
    return !wrong && read_pin(r);
}

static bool read_mode(reading *r)
{
    static const struct {
        const char *name;
        dn_security_mode mode;
        bool (*read)(reading *r);
    } modes[] = {{"psk", DN_SECURITY_PSK, read_psk},
                 {"rpk", DN_SECURITY_RPK, read_rpk},
                 {"x509", DN_SECURITY_X509, read_x509}};
    dunlin_slice mode = {NULL, 0};
    bool wrong = false;
    if (member(r, "mode", "/mode", &mode, &wrong)) {
        for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
            if (dunlin_slice_equal(mode, dunlin_slice_of(modes[i].name))) {
                r->out->mode = (uint8_t)modes[i].mode;
                return modes[i].read(r);
            }
        }
    }
    return bad(r, "/mode", "The mode must be \"psk\", \"rpk\" or \"x509\".");
}

dunlin_status dn_credential_read(const json_t *body, dunlin_slice endpoint, dn_credential *out,
                                 dn_credential_json_error *error)
{
    reading r = {.body = body, .out = out, .error = error};
    *out = (dn_credential){.is_pattern = dn_endpoint_is_pattern(endpoint)};
    error->pointer = NULL;
    if (endpoint.len == 0 || endpoint.len > sizeof out->endpoint) {
        (void)bad(&r, NULL, "An endpoint name has 1 to 252 bytes.");
        return DUNLIN_ERR_MALFORMED;
    }
    memcpy(out->endpoint, endpoint.data, endpoint.len);
    out->endpoint_len = (uint8_t)endpoint.len;
    if (!json_is_object(body)) {
        (void)bad(&r, NULL, "The body is not an object.");
        return DUNLIN_ERR_MALFORMED;
    }
    if (!read_mode(&r)) {
        return DUNLIN_ERR_MALFORMED;
    }
    const char *wrong = dn_credential_check(out);
    if (wrong != NULL) {
        snprintf(error->text, sizeof error->text, "This cannot be: %s.", wrong);
        return DUNLIN_ERR_MALFORMED;
    }
    return DUNLIN_OK;
}

void dn_credential_json_wipe(json_t *body)
{
    const char *name;
    json_t *value;
    json_object_foreach(body, name, value)
    {
        if (json_is_string(value)) {
            union { /* its own memory, which nobody reads any more */
                const char *given;
                char *wanted;
            } text = {.given = json_string_value(value)};
            gnutls_memset(text.wanted, 0, json_string_length(value));
        }
    }
}

/* ---- writing ---- */

void dn_jsonw_hex(dn_jsonw *json, dunlin_slice bytes)
{
    static const char digits[] = "0123456789abcdef";
    char text[2 * DN_PUBLIC_KEY_MAX];
    const size_t len = bytes.len <= DN_PUBLIC_KEY_MAX ? bytes.len : DN_PUBLIC_KEY_MAX;
    for (size_t i = 0; i < len; i++) {
        text[2 * i] = digits[bytes.data[i] >> 4];
        text[2 * i + 1] = digits[bytes.data[i] & 15];
    }
    dn_jsonw_string(json, dunlin_slice_make(text, 2 * len));
}

static void pair_hex(dn_jsonw *json, const char *key, const void *bytes, size_t len)
{
    dn_jsonw_key(json, key);
    dn_jsonw_hex(json, dunlin_slice_make(bytes, len));
}

/* Shown as text, an identity must read the same for everybody: UTF-8 without control characters. */
static bool is_clean(dunlin_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < 0x20 || text.data[i] == 0x7f) {
            return false;
        }
    }
    return dn_utf8_valid(text);
}

static void write_psk(dn_jsonw *json, const dn_credential *c)
{
    const dunlin_slice identity = dunlin_slice_make(c->identity, c->identity_len);
    if (is_clean(identity)) {
        dn_jsonw_pair_slice(json, "identity", identity);
    } else {
        pair_hex(json, "identity_hex", c->identity, c->identity_len);
    }
    dn_jsonw_pair_unsigned(json, "key_bits", (uint64_t)c->key_len * 8);
}

static void write_rpk(dn_jsonw *json, const dn_credential *c)
{
    uint8_t digest[DN_PEM_SHA256_LEN] = {0};
    pair_hex(json, "public_key", c->public_key, c->public_key_len);
    if (dn_pem_sha256(dunlin_slice_make(c->public_key, c->public_key_len), digest) == DUNLIN_OK) {
        pair_hex(json, "public_key_sha256", digest, sizeof digest);
    }
}

static void write_x509(dn_jsonw *json, const dn_credential *c)
{
    if (c->name_len > 0) {
        dn_jsonw_pair_slice(json, "name", dunlin_slice_make(c->name, c->name_len));
    }
    if (c->has_fingerprint) {
        pair_hex(json, "fingerprint", c->fingerprint, sizeof c->fingerprint);
    }
}

void dn_credential_write_staged(dn_jsonw *json, const dn_credential *staged)
{
    dn_jsonw_key(json, "staged");
    dn_jsonw_begin(json, '{');
    dn_jsonw_pair(json, "mode", dn_security_mode_text(staged->mode));
    dn_jsonw_pair_time(json, "since", staged->created_ms);
    dn_jsonw_end(json, '}');
}

void dn_credential_write(dn_jsonw *json, const dn_credential *c, const dn_credential_standing *how)
{
    dn_jsonw_begin(json, '{');
    dn_jsonw_pair_slice(json, "endpoint", dunlin_slice_make(c->endpoint, c->endpoint_len));
    dn_jsonw_pair_bool(json, "pattern", c->is_pattern);
    dn_jsonw_pair(json, "mode", dn_security_mode_text(c->mode));
    dn_jsonw_pair(json, "state", how->is_staged ? "staged" : "current");
    if (c->mode == DN_SECURITY_PSK) {
        write_psk(json, c);
    } else if (c->mode == DN_SECURITY_RPK) {
        write_rpk(json, c);
    } else {
        write_x509(json, c);
    }
    dn_jsonw_pair_time(json, "created", c->created_ms);
    dn_jsonw_pair_time(json, "changed", c->changed_ms);
    if (how->beside != NULL) {
        dn_credential_write_staged(json, how->beside);
    }
    dn_jsonw_end(json, '}');
}
