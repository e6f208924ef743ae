/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of values; a text that begins with '$' is a blank. */
#include "ets/configurations.h"

#include "codec/base64.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIFETIME_S 86400u

typedef struct {
    const char *path;
    const char *text;
} row;

/* clang-format off: a line is a value */

#define BOOTSTRAP_ACCOUNT                                                            \
    {"/0/1/0", "$bootstrap-uri"}, {"/0/1/1", "true"}, {"/0/1/2", "$bootstrap-mode"}, \
        {"/0/1/3", "$bootstrap-identity"}, {"/0/1/4", "$bootstrap-server-key"},      \
    {                                                                                \
        "/0/1/5", "$bootstrap-secret"                                                \
    }

#define SERVER_ACCOUNT(security, server, ssid)                                                     \
    {"/0/" security "/0", "$server-uri"}, {"/0/" security "/1", "false"},                          \
        {"/0/" security "/2", "$server-mode"}, {"/0/" security "/3", "$server-identity"},          \
        {"/0/" security "/4", "$server-server-key"}, {"/0/" security "/5", "$server-secret"},      \
        {"/0/" security "/10", ssid}, {"/1/" server "/0", ssid}, {"/1/" server "/1", "$lifetime"}, \
        {"/1/" server "/6", "false"},                                                              \
    {                                                                                              \
        "/1/" server "/7", "U"                                                                     \
    }

static const row C1[] = {SERVER_ACCOUNT("0", "0", "1")};
static const row C13[] = {BOOTSTRAP_ACCOUNT};
static const row C14[] = {
    BOOTSTRAP_ACCOUNT,
    SERVER_ACCOUNT("0", "0", "1"),
    SERVER_ACCOUNT("2", "1", "2"),
    {"/2/0/0", "1"},
    {"/2/0/1", "0"},
    {"/2/0/3", "1"},
    {"/2/1/0", "1"},
    {"/2/1/1", "1"},
    {"/2/1/3", "2"},
    {"/2/2/0", "3"},
    {"/2/2/1", "0"},
    {"/2/2/2/2", "15"},
    {"/2/2/3", "65535"},
};

static const row DEVICE[] = {
    {"/3/0/0", "Dunlin"}, {"/3/0/1", "ETS device"}, {"/3/0/2", "ETS-0001"},
    {"/3/0/3", "1.0.0"},  {"/3/0/11/0", "0"},       {"/3/0/16", "U"},
};

static const struct {
    dn_ets_config config;
    const char *title;
    const row *rows;
    size_t count;
} configurations[] = {
#define ROWS(table) (table), sizeof(table) / sizeof((table)[0])
    {DN_ETS_C1, "C.1: a server with a pre-shared key", ROWS(C1)},
    {DN_ETS_C13, "C.13: a bootstrap server alone", ROWS(C13)},
    {DN_ETS_C14, "C.14: a bootstrap server, two servers and access control", ROWS(C14)},
    {DN_ETS_C17, "C.17: a server with certificates", ROWS(C1)},
    {DN_ETS_C18, "C.18: a server with certificates, under another name", ROWS(C1)},
    {DN_ETS_C21, "C.21: a bootstrap server that enrols its devices", ROWS(C13)},
#undef ROWS
};

/* clang-format on */

const char *dn_ets_configuration_title(size_t index, dn_ets_config *config)
{
    if (index >= sizeof configurations / sizeof configurations[0]) {
        return NULL;
    }
    *config = configurations[index].config;
    return configurations[index].title;
}

/* ---- blanks ---- */

static char *base64_of(dunlin_slice bytes)
{
    char *text = malloc(dn_base64_length(DN_BASE64_PADDED, bytes.len) + 1);
    if (text != NULL) {
        text[dn_base64_encode(DN_BASE64_PADDED, bytes, (uint8_t *)text)] = '\0';
    }
    return text;
}

static dunlin_slice credential_of(const dunlin_security *security, const char *name)
{
    if (security == NULL) {
        return dunlin_slice_make(NULL, 0);
    }
    return strcmp(name, "identity") == 0     ? security->identity
           : strcmp(name, "server-key") == 0 ? security->server_key
                                             : security->secret;
}

char *dn_ets_configuration_fill(const dn_ets_blanks *blanks, const char *blank)
{
    char number[16];
    if (strcmp(blank, "$lifetime") == 0) {
        (void)snprintf(number, sizeof number, "%u",
                       (unsigned)(blanks->lifetime_s != 0 ? blanks->lifetime_s : LIFETIME_S));
        return strdup(number);
    }
    const bool server = strncmp(blank, "$server-", strlen("$server-")) == 0;
    const char *name = blank + (server ? strlen("$server-") : strlen("$bootstrap-"));
    const dunlin_security *security = server ? blanks->server_security : blanks->bootstrap_security;
    if (strcmp(name, "uri") == 0) {
        const char *uri = server ? blanks->server_uri : blanks->bootstrap_uri;
        return strdup(uri != NULL ? uri : "");
    }
    if (strcmp(name, "mode") == 0) {
        (void)snprintf(number, sizeof number, "%d", security != NULL ? (int)security->mode : DUNLIN_NOSEC);
        return strdup(number);
    }
    return base64_of(credential_of(security, name));
}

static void put(const dn_ets_blanks *blanks, const row *one, dn_ets_values *out)
{
    dunlin_path path;
    char *text = one->text[0] == '$' ? dn_ets_configuration_fill(blanks, one->text) : strdup(one->text);
    if (text == NULL || dunlin_path_parse(dunlin_slice_of(one->path), &path) != DUNLIN_OK) {
        out->failed = true;
    } else {
        dn_ets_values_put(out, path, dn_ets_type_of(path, NULL, NULL), text);
    }
    free(text);
}

bool dn_ets_configuration(dn_ets_config config, const dn_ets_blanks *blanks, bool device, dn_ets_values *out)
{
    for (size_t i = 0; i < sizeof configurations / sizeof configurations[0]; i++) {
        if (configurations[i].config != config) {
            continue;
        }
        for (size_t j = 0; j < configurations[i].count; j++) {
            put(blanks, &configurations[i].rows[j], out);
        }
        for (size_t j = 0; device && j < sizeof DEVICE / sizeof DEVICE[0]; j++) {
            put(blanks, &DEVICE[j], out);
        }
        return true;
    }
    return false;
}

/* ---- for our bootstrap server ---- */

static void add_hex(dn_ets_text *out, const char *name, dunlin_slice bytes)
{
    dn_ets_text_printf(out, ",\"%s\":\"", name);
    for (size_t i = 0; i < bytes.len; i++) {
        dn_ets_text_printf(out, "%02x", bytes.data[i]);
    }
    dn_ets_text_printf(out, "\"");
}

static void add_security(const dunlin_security *security, bool enrols, dn_ets_text *out)
{
    if (security == NULL) {
        dn_ets_text_printf(out, "{\"mode\":\"nosec\"}");
    } else if (enrols) {
        dn_ets_text_printf(out, "{\"mode\":\"est\"");
        add_hex(out, "server_certificate", security->server_key);
        dn_ets_text_printf(out, "}");
    } else if (security->mode == DUNLIN_PSK) {
        dn_ets_text_printf(out, "{\"mode\":\"psk\"");
        add_hex(out, "identity_hex", security->identity);
        add_hex(out, "key", security->secret);
        dn_ets_text_printf(out, "}");
    } else {
        dn_ets_text_printf(out, "{\"mode\":\"x509\"");
        add_hex(out, "certificate", security->identity);
        add_hex(out, "private_key", security->secret);
        add_hex(out, "server_certificate", security->server_key);
        dn_ets_text_printf(out, "}");
    }
}

void dn_ets_configuration_document(const dn_ets_blanks *blanks, bool enrols, dn_ets_text *out)
{
    const bool stream = strstr(blanks->server_uri, "+tcp:") != NULL;
    const char *bare = blanks->bootstrap_uri != NULL && strncmp(blanks->bootstrap_uri, "coaps", 5) != 0
                           ? ",\"allow_insecure\":true"
                           : "";
    dn_ets_text_printf(out, "{\"servers\":[{\"ssid\":1,\"uri\":\"%s\",\"security\":", blanks->server_uri);
    add_security(blanks->server_security, enrols, out);
    dn_ets_text_printf(out,
                       ",\"lifetime\":%u,\"store_notifications\":false,\"binding\":\"%s\","
                       "\"instances\":{\"security\":0,\"server\":0}}],\"delete\":[],\"write_objects\":true,"
                       "\"verify\":true%s}",
                       (unsigned)(blanks->lifetime_s != 0 ? blanks->lifetime_s : LIFETIME_S),
                       stream ? "T" : "U", bare);
}
