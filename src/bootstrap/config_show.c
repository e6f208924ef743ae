/* SPDX-License-Identifier: Apache-2.0 */
/* A configuration's document without its secrets, and with them again. */
#include "bootstrap/config.h"

#include "bootstrap/config_parts.h"

#include <stdlib.h>
#include <string.h>

#define DUMP_FLAGS JSON_COMPACT

/* What is secret in a "security", and what tells of it in its place. */
static const struct {
    const char *secret, *bits;
} secrets[] = {{"key", "key_bits"}, {"private_key", "private_key_bits"}};

#define SECRETS     (sizeof secrets / sizeof secrets[0])
#define P256_BITS   256
#define HEX_A_BYTE  2u
#define BITS_A_BYTE 8u

static json_t *parse(dunlin_slice document)
{
    char error[8];
    dn_bs_json json = {.error = error, .error_size = sizeof error};
    return dn_bs_json_parse(&json, document);
}

/* Every "security" of the document. */
static void each_security(json_t *root,
                          void (*done)(void *context, json_t *account, json_t *security, bool is_server),
                          void *context)
{
    size_t index;
    json_t *server;
    json_array_foreach(json_object_get(root, "servers"), index, server)
    {
        done(context, server, json_object_get(server, "security"), true);
    }
    json_t *account = json_object_get(root, "account");
    if (account != NULL) {
        done(context, account, json_object_get(account, "security"), false);
    }
}

/* jansson's free does not wipe. */
static void take_out(json_t *security, const char *name)
{
    const json_t *value = json_object_get(security, name);
    if (json_is_string(value)) {
        union {
            const char *given;
            char *wanted;
        } text = {.given = json_string_value(value)};
        explicit_bzero(text.wanted, json_string_length(value));
    }
    (void)json_object_del(security, name);
}

static void hide(void *context, json_t *account, json_t *security, bool is_server)
{
    bool *failed = context;
    (void)account;
    (void)is_server;
    for (size_t i = 0; i < SECRETS; i++) {
        const json_t *value = json_object_get(security, secrets[i].secret);
        if (value == NULL) {
            continue;
        }
        json_int_t bits =
            i == 0 ? (json_int_t)(json_string_length(value) / HEX_A_BYTE * BITS_A_BYTE) : P256_BITS;
        take_out(security, secrets[i].secret);
        *failed = json_object_set_new(security, secrets[i].bits, json_integer(bits)) != 0 || *failed;
    }
}

static dunlin_status dump(json_t *root, bool failed, char **out)
{
    *out = failed ? NULL : json_dumps(root, DUMP_FLAGS);
    dn_bs_json_free(root);
    return *out != NULL ? DUNLIN_OK : DUNLIN_ERR_MEMORY;
}

dunlin_status dn_bs_config_show(dunlin_slice document, char **out)
{
    bool failed = false;
    json_t *root = parse(document);
    *out = NULL;
    if (!json_is_object(root)) {
        dn_bs_json_free(root);
        return DUNLIN_ERR_MALFORMED;
    }
    each_security(root, hide, &failed);
    return dump(root, failed, out);
}

/* ---- merging ---- */

typedef struct {
    json_t *former;
    bool failed;
} merging;

static const char *mode_of(const json_t *security)
{
    const char *mode = json_string_value(json_object_get(security, "mode"));
    return mode != NULL ? mode : "psk";
}

static json_int_t ssid_of(const json_t *server)
{
    const json_t *ssid = json_object_get(server, "ssid");
    return ssid != NULL ? json_integer_value(ssid) : 1;
}

/* The former security of the same account and mode, or NULL. */
static json_t *former_of(const merging *m, const json_t *account, const json_t *security, bool is_server)
{
    size_t index;
    json_t *server;
    json_t *found = NULL;
    if (!is_server) {
        found = json_object_get(json_object_get(m->former, "account"), "security");
    }
    json_array_foreach(json_object_get(m->former, "servers"), index, server)
    {
        if (is_server && ssid_of(server) == ssid_of(account)) {
            found = json_object_get(server, "security");
            break;
        }
    }
    return found != NULL && strcmp(mode_of(found), mode_of(security)) == 0 ? found : NULL;
}

/* With an identity, a public key or a certificate there is a secret that goes with it; without, one is minted. */
static void restore(void *context, json_t *account, json_t *security, bool is_server)
{
    merging *m = context;
    const json_t *former = former_of(m, account, security, is_server);
    for (size_t i = 0; i < SECRETS; i++) {
        bool was_hidden = json_object_get(security, secrets[i].bits) != NULL;
        (void)json_object_del(security, secrets[i].bits);
        bool wants = was_hidden || json_object_get(security, i == 0 ? "identity" : "certificate") != NULL ||
                     json_object_get(security, i == 0 ? "identity_hex" : "public_key") != NULL;
        if (!wants || json_object_get(security, secrets[i].secret) != NULL) {
            continue;
        }
        json_t *secret = json_object_get(former, secrets[i].secret);
        if (secret != NULL) {
            m->failed = json_object_set(security, secrets[i].secret, secret) != 0 || m->failed;
        }
    }
}

dunlin_status dn_bs_config_merge(dunlin_slice document, dunlin_slice former, char **out)
{
    json_t *root = parse(document);
    merging m = {.former = former.len > 0 ? parse(former) : NULL};
    *out = NULL;
    if (!json_is_object(root)) {
        dn_bs_json_free(root);
        dn_bs_json_free(m.former);
        return DUNLIN_ERR_MALFORMED;
    }
    each_security(root, restore, &m);
    dunlin_status status = dump(root, m.failed, out);
    /* Texts taken over belong to both: wiped above, once. */
    dn_bs_json_free(m.former);
    return status;
}
