/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The member "security" of an account: each mode has members of its own (Object 0, resources 2 to 5 and 13 to 15; Transport 1.1.1 section
 * 5.2.8), and all of them that a device needs must be there.
 */
#include "bootstrap/config_parts.h"

#include "security/credentials.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    IDENTITY,
    IDENTITY_HEX,
    KEY,
    PUBLIC_KEY,
    PRIVATE_KEY,
    CERTIFICATE,
    SERVER_PUBLIC_KEY,
    SERVER_CERTIFICATE
};

#define BIT(member) (1u << (member))

static const char *const names[] = {"identity",          "identity_hex",      "key",
                                    "public_key",        "private_key",       "certificate",
                                    "server_public_key", "server_certificate"};

static const struct {
    const char *name;
    unsigned members; /* that go with it */
    bool is_matched;  /* matching, usage and SNI have a meaning */
} modes[] = {
    [DN_SECURITY_PSK] = {"psk", BIT(IDENTITY) | BIT(IDENTITY_HEX) | BIT(KEY), false},
    [DN_SECURITY_RPK] = {"rpk", BIT(PUBLIC_KEY) | BIT(PRIVATE_KEY) | BIT(SERVER_PUBLIC_KEY), true},
    [DN_SECURITY_X509] = {"x509", BIT(CERTIFICATE) | BIT(PRIVATE_KEY) | BIT(SERVER_CERTIFICATE), true},
    [DN_SECURITY_NOSEC] = {"nosec", 0, false},
    [DN_SECURITY_EST] = {"est", BIT(SERVER_CERTIFICATE), true}};

static bool read_mode(dn_bs_json *json, const json_t *value, void *target)
{
    dunlin_slice text;
    if (!dn_bs_json_string(json, value, &text)) {
        return false;
    }
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        if (dunlin_slice_equal(text, dunlin_slice_of(modes[i].name))) {
            *(uint8_t *)target = (uint8_t)i;
            return true;
        }
    }
    return dn_bs_json_bad(json, "the modes are \"psk\", \"rpk\", \"x509\", \"nosec\" and \"est\"");
}

#define TEXT(member, name)                                                                               \
    {                                                                                                    \
        name, DN_BS_JSON_TEXT, offsetof(dn_bs_security_text, texts[member]), 0, DN_BS_DOCUMENT_MAX, NULL \
    }

bool dn_bs_security_read(dn_bs_json *json, const json_t *value, void *target)
{
    static const dn_bs_json_member table[] = {
        {"mode", DN_BS_JSON_OTHER, offsetof(dn_bs_security_text, common.mode), 0, 0, read_mode},
        {"mint", DN_BS_JSON_MAYBE, offsetof(dn_bs_security_text, mint), 0, 0, NULL},
        TEXT(IDENTITY, "identity"),
        TEXT(IDENTITY_HEX, "identity_hex"),
        TEXT(KEY, "key"),
        TEXT(PUBLIC_KEY, "public_key"),
        TEXT(PRIVATE_KEY, "private_key"),
        TEXT(CERTIFICATE, "certificate"),
        TEXT(SERVER_PUBLIC_KEY, "server_public_key"),
        TEXT(SERVER_CERTIFICATE, "server_certificate"),
        {"matching", DN_BS_JSON_INT16, offsetof(dn_bs_security_text, common.matching), 0, 3, NULL},
        {"usage", DN_BS_JSON_INT16, offsetof(dn_bs_security_text, common.usage), 0, 3, NULL},
        {"sni", DN_BS_JSON_TEXT, offsetof(dn_bs_security_text, common.sni), 0, 253, NULL},
    };
    return dn_bs_json_object(json, value, table, sizeof table / sizeof table[0], target);
}

void dn_bs_security_text_init(dn_bs_security_text *text)
{
    *text =
        (dn_bs_security_text){.common = {.mode = DN_SECURITY_PSK, .matching = -1, .usage = -1}, .mint = -1};
}

void dn_bs_security_text_free(dn_bs_security_text *text)
{
    for (size_t i = 0; i < sizeof text->texts / sizeof text->texts[0]; i++) {
        if (text->texts[i] != NULL) {
            explicit_bzero(text->texts[i], strlen(text->texts[i]));
            free(text->texts[i]);
        }
    }
    free(text->common.sni);
    dn_bs_security_text_init(text);
}

void dn_bs_security_free(dn_bs_security *security)
{
    dn_bs_bytes_free(&security->identity);
    dn_bs_bytes_free(&security->secret);
    dn_bs_bytes_free(&security->server_key);
    free(security->sni);
    security->sni = NULL;
}

/* ---- modes ---- */

static unsigned given(const dn_bs_security_text *text)
{
    unsigned members = 0;
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        members |= text->texts[i] != NULL ? BIT(i) : 0;
    }
    return members;
}

static bool check_members(dn_bs_json *json, const dn_bs_security_text *text)
{
    const unsigned foreign = given(text) & ~modes[text->common.mode].members;
    char what[64];
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (foreign & BIT(i)) {
            (void)snprintf(what, sizeof what, "this does not go with mode \"%s\"",
                           modes[text->common.mode].name);
            return dn_bs_json_bad_at(json, names[i], what);
        }
    }
    if (!modes[text->common.mode].is_matched &&
        (text->common.matching >= 0 || text->common.usage >= 0 || text->common.sni != NULL)) {
        return dn_bs_json_bad_at(json,
                                 text->common.matching >= 0 ? "matching"
                                 : text->common.usage >= 0  ? "usage"
                                                            : "sni",
                                 "this is about certificates and public keys");
    }
    if (text->mint >= 0 && text->common.mode != DN_SECURITY_PSK) {
        return dn_bs_json_bad_at(json, "mint", "only pre-shared keys are made here");
    }
    return true;
}

/* Takes what a text member means, if it is there. */
static bool take(dn_bs_json *json, const dn_bs_security_text *text, unsigned member,
                 const char *(*read)(dunlin_slice text, dn_bs_bytes *out), dn_bs_bytes *out)
{
    if (text->texts[member] == NULL) {
        return true;
    }
    const char *wrong = read(dunlin_slice_of(text->texts[member]), out);
    return wrong == NULL || dn_bs_json_bad_at(json, names[member], wrong);
}

static bool need(dn_bs_json *json, const dn_bs_security_text *text, unsigned member, const char *what)
{
    return text->texts[member] != NULL || dn_bs_json_bad_at(json, names[member], what);
}

static bool hex_at(dn_bs_json *json, const dn_bs_security_text *text, unsigned member, dn_bs_bytes *out)
{
    size_t back = dn_bs_json_into(json, names[member]);
    bool good = dn_bs_json_hex(json, dunlin_slice_of(text->texts[member]), &out->data, &out->len);
    dn_bs_json_back(json, back);
    return good;
}

static bool settle_psk(dn_bs_json *json, const dn_bs_security_text *text, const char *uri, bool may_mint,
                       dn_bs_security *out)
{
    const unsigned members = given(text);
    (void)uri;
    if (text->mint == 1 || (text->mint < 0 && members == 0 && may_mint)) {
        out->is_minted = true;
        if (!may_mint) {
            return dn_bs_json_bad_at(json, "mint",
                                     "keys are made only for this server, not for another's uri");
        }
        return members == 0 || dn_bs_json_bad_at(json, "mint", "with it there is neither identity nor key");
    }
    if ((members & BIT(IDENTITY)) != 0 && (members & BIT(IDENTITY_HEX)) != 0) {
        return dn_bs_json_bad_at(json, "identity_hex", "there is identity or identity_hex, not both");
    }
    if ((members & (BIT(IDENTITY) | BIT(IDENTITY_HEX))) == 0) {
        return dn_bs_json_bad_at(json, "identity", "a pre-shared key's identity is missing");
    }
    if (!need(json, text, KEY, "the pre-shared key is missing") || !hex_at(json, text, KEY, &out->secret)) {
        return false;
    }
    if (out->secret.len < DN_PSK_KEY_MIN || out->secret.len > DN_PSK_KEY_MAX) {
        return dn_bs_json_bad_at(json, "key", "a key has 8 to 64 bytes");
    }
    if (members & BIT(IDENTITY_HEX)) {
        if (!hex_at(json, text, IDENTITY_HEX, &out->identity)) {
            return false;
        }
    } else if (!dn_bs_bytes_copy(&out->identity, text->texts[IDENTITY], strlen(text->texts[IDENTITY]))) {
        return dn_bs_json_bad(json, "no memory");
    }
    return (out->identity.len > 0 && out->identity.len <= DN_PSK_IDENTITY_MAX) ||
           dn_bs_json_bad_at(json, members & BIT(IDENTITY_HEX) ? "identity_hex" : "identity",
                             "an identity has 1 to 128 bytes");
}

static bool settle_rpk(dn_bs_json *json, const dn_bs_security_text *text, const char *uri, bool may_mint,
                       dn_bs_security *out)
{
    (void)may_mint;
    if (!need(json, text, PRIVATE_KEY, "the device's private key is missing") ||
        !take(json, text, PRIVATE_KEY, dn_bs_material_private_key, &out->secret) ||
        !take(json, text, PUBLIC_KEY, dn_bs_material_public_key, &out->identity) ||
        !take(json, text, SERVER_PUBLIC_KEY, dn_bs_material_public_key, &out->server_key)) {
        return false;
    }
    if (out->identity.data == NULL) {
        const char *wrong = dn_bs_material_public_of(&out->secret, &out->identity);
        if (wrong != NULL) {
            return dn_bs_json_bad_at(json, "private_key", wrong);
        }
    } else if (!dn_bs_material_is_pair(&out->secret, &out->identity, false)) {
        return dn_bs_json_bad_at(json, "public_key", "the private key is not the one of this public key");
    }
    return uri == NULL || need(json, text, SERVER_PUBLIC_KEY, "another server's public key must be told");
}

static bool settle_x509(dn_bs_json *json, const dn_bs_security_text *text, const char *uri, bool may_mint,
                        dn_bs_security *out)
{
    (void)may_mint;
    if (!need(json, text, CERTIFICATE, "the device's certificate is missing") ||
        !need(json, text, PRIVATE_KEY, "the private key of the device's certificate is missing") ||
        !take(json, text, CERTIFICATE, dn_bs_material_certificate, &out->identity) ||
        !take(json, text, PRIVATE_KEY, dn_bs_material_private_key, &out->secret) ||
        !take(json, text, SERVER_CERTIFICATE, dn_bs_material_certificate, &out->server_key)) {
        return false;
    }
    if (!dn_bs_material_is_pair(&out->secret, &out->identity, true)) {
        return dn_bs_json_bad_at(json, "private_key", "this is not the key of the certificate");
    }
    return uri == NULL || need(json, text, SERVER_CERTIFICATE, "another server's certificate must be told");
}

static bool settle_nosec(dn_bs_json *json, const dn_bs_security_text *text, const char *uri, bool may_mint,
                         dn_bs_security *out)
{
    (void)json;
    (void)text;
    (void)uri;
    (void)may_mint;
    (void)out;
    return true;
}

/* The device makes its own key, and asks for its certificate (Transport 1.1.1 section 5.2.4). */
static bool settle_est(dn_bs_json *json, const dn_bs_security_text *text, const char *uri, bool may_mint,
                       dn_bs_security *out)
{
    (void)may_mint;
    return take(json, text, SERVER_CERTIFICATE, dn_bs_material_certificate, &out->server_key) &&
           (uri == NULL || need(json, text, SERVER_CERTIFICATE, "another server's certificate must be told"));
}

bool dn_bs_security_settle(dn_bs_json *json, dn_bs_security_text *text, const char *uri, bool may_mint,
                           dn_bs_security *out)
{
    static bool (*const settle[])(dn_bs_json * json, const dn_bs_security_text *text, const char *uri,
                                  bool may_mint, dn_bs_security *out) = {
        [DN_SECURITY_PSK] = settle_psk,     [DN_SECURITY_RPK] = settle_rpk, [DN_SECURITY_X509] = settle_x509,
        [DN_SECURITY_NOSEC] = settle_nosec, [DN_SECURITY_EST] = settle_est,
    };
    size_t back = dn_bs_json_into(json, "security");
    *out = (dn_bs_security){
        .mode = text->common.mode, .matching = text->common.matching, .usage = text->common.usage};
    bool good = check_members(json, text) && settle[out->mode](json, text, uri, may_mint, out);
    out->sni = text->common.sni;
    text->common.sni = NULL;
    dn_bs_json_back(json, back);
    return good;
}
