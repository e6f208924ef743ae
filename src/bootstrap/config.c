/* SPDX-License-Identifier: Apache-2.0 */
/* A bootstrap configuration's document, put together from its parts (config_parts.h). */
#include "bootstrap/config.h"

#include "bootstrap/config_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIFETIME_S   86400
#define SSID_FIRST   1
#define SSID_LAST    65534
#define ID_LAST      65534
#define SECONDS_LAST 4294967295 /* some clients keep 32 bits */

/* ---- servers ---- */

typedef struct {
    dn_bs_server server;
    dn_bs_security_text security;
} server_text;

/* Each of `letters` at most once. */
static bool read_letters(dn_bs_json *json, const json_t *value, const char *letters, size_t most, char *out)
{
    dunlin_slice text;
    if (!dn_bs_json_string(json, value, &text)) {
        return false;
    }
    bool good = text.len > 0 && text.len <= most;
    for (size_t i = 0; good && i < text.len; i++) {
        good = strchr(letters, text.data[i]) != NULL && memchr(text.data, text.data[i], i) == NULL;
        out[i] = (char)text.data[i];
    }
    out[good ? text.len : 0] = '\0';
    return good || dn_bs_json_bad(json, "this is not made of the letters of bindings, such as U or T");
}

static bool read_binding(dn_bs_json *json, const json_t *value, void *target)
{
    return read_letters(json, value, "UTSNQ", 5, target);
}

static bool read_transport(dn_bs_json *json, const json_t *value, void *target)
{
    return read_letters(json, value, "UTSN", 1, target);
}

#define SERVER(member)    offsetof(server_text, server.member)
#define OF_SERVER(member) offsetof(dn_bs_server, member)

static bool read_registration(dn_bs_json *json, const json_t *value, void *target)
{
    static const dn_bs_json_member table[] = {
        {"priority", DN_BS_JSON_INT64, OF_SERVER(priority), 0, SECONDS_LAST, NULL},
        {"initial_delay", DN_BS_JSON_INT64, OF_SERVER(initial_delay_s), 0, SECONDS_LAST, NULL},
        {"failure_blocks", DN_BS_JSON_MAYBE, OF_SERVER(failure_blocks), 0, 0, NULL},
        {"failure_bootstraps", DN_BS_JSON_MAYBE, OF_SERVER(failure_bootstraps), 0, 0, NULL},
        {"retry_count", DN_BS_JSON_INT64, OF_SERVER(retry_count), 0, SECONDS_LAST, NULL},
        {"retry_timer", DN_BS_JSON_INT64, OF_SERVER(retry_timer_s), 0, SECONDS_LAST, NULL},
        {"sequence_delay", DN_BS_JSON_INT64, OF_SERVER(sequence_delay_s), 0, SECONDS_LAST, NULL},
        {"sequence_count", DN_BS_JSON_INT64, OF_SERVER(sequence_count), 0, SECONDS_LAST, NULL},
    };
    return dn_bs_json_object(json, value, table, sizeof table / sizeof table[0], target);
}

static bool read_instances(dn_bs_json *json, const json_t *value, void *target)
{
    static const dn_bs_json_member table[] = {
        {"security", DN_BS_JSON_INT32, OF_SERVER(security_instance), 0, ID_LAST, NULL},
        {"server", DN_BS_JSON_INT32, OF_SERVER(server_instance), 0, ID_LAST, NULL},
    };
    return dn_bs_json_object(json, value, table, sizeof table / sizeof table[0], target);
}

static bool read_server_members(dn_bs_json *json, const json_t *value, server_text *text)
{
    static const dn_bs_json_member table[] = {
        {"ssid", DN_BS_JSON_UINT16, SERVER(ssid), SSID_FIRST, SSID_LAST, NULL},
        {"uri", DN_BS_JSON_TEXT, SERVER(uri), 0, DN_BS_URI_MAX, NULL},
        {"security", DN_BS_JSON_OTHER, offsetof(server_text, security), 0, 0, dn_bs_security_read},
        {"lifetime", DN_BS_JSON_INT32, SERVER(lifetime_s), 0, INT32_MAX, NULL},
        {"pmin", DN_BS_JSON_INT64, SERVER(pmin_s), 0, SECONDS_LAST, NULL},
        {"pmax", DN_BS_JSON_INT64, SERVER(pmax_s), 0, SECONDS_LAST, NULL},
        {"disable_timeout", DN_BS_JSON_INT64, SERVER(disable_s), 0, SECONDS_LAST, NULL},
        {"store_notifications", DN_BS_JSON_BOOL, SERVER(store_notifications), 0, 0, NULL},
        {"binding", DN_BS_JSON_OTHER, SERVER(binding), 0, 0, read_binding},
        {"mute_send", DN_BS_JSON_MAYBE, SERVER(mute_send), 0, 0, NULL},
        {"trigger", DN_BS_JSON_MAYBE, SERVER(trigger), 0, 0, NULL},
        {"preferred_transport", DN_BS_JSON_OTHER, SERVER(preferred_transport), 0, 0, read_transport},
        {"registration", DN_BS_JSON_OTHER, offsetof(server_text, server), 0, 0, read_registration},
        {"instances", DN_BS_JSON_OTHER, offsetof(server_text, server), 0, 0, read_instances},
    };
    return dn_bs_json_object(json, value, table, sizeof table / sizeof table[0], text);
}

static bool check_uri(dn_bs_json *json, const char *uri, uint8_t mode)
{
    bool is_secure;
    bool is_stream;
    if (uri == NULL) {
        return true;
    }
    const char *wrong = dn_bs_uri_check(uri, &is_secure, &is_stream);
    if (wrong != NULL) {
        return dn_bs_json_bad_at(json, "uri", wrong);
    }
    if (is_secure != (mode != DN_SECURITY_NOSEC)) {
        return dn_bs_json_bad_at(json, "uri",
                                 is_secure ? "a scheme with security does not go with mode \"nosec\""
                                           : "a scheme without security goes with mode \"nosec\" alone");
    }
    return true;
}

static bool read_server(dn_bs_json *json, const json_t *value, size_t index, void *target)
{
    dn_bs_config *config = target;
    server_text text = {.server = {.ssid = SSID_FIRST,
                                   .security_instance = -1,
                                   .server_instance = -1,
                                   .lifetime_s = LIFETIME_S,
                                   .pmin_s = -1,
                                   .pmax_s = -1,
                                   .disable_s = -1,
                                   .store_notifications = true,
                                   .mute_send = -1,
                                   .trigger = -1,
                                   .priority = -1,
                                   .initial_delay_s = -1,
                                   .retry_count = -1,
                                   .retry_timer_s = -1,
                                   .sequence_delay_s = -1,
                                   .sequence_count = -1,
                                   .failure_blocks = -1,
                                   .failure_bootstraps = -1}};
    (void)index;
    dn_bs_security_text_init(&text.security);
    bool good = read_server_members(json, value, &text) &&
                check_uri(json, text.server.uri, text.security.common.mode) &&
                dn_bs_security_settle(json, &text.security, text.server.uri, text.server.uri == NULL,
                                      &text.server.security);
    dn_bs_security_text_free(&text.security);
    config->servers[config->server_count++] = text.server; /* freed with the rest even if it is bad */
    return good;
}

static bool read_servers(dn_bs_json *json, const json_t *value, void *target)
{
    return dn_bs_json_array(json, value, DN_BS_SERVERS_MAX, read_server, target);
}

/* ---- the bootstrap server's own account ---- */

typedef struct {
    dn_bs_account account;
    dn_bs_security_text security;
} account_text;

#define ACCOUNT(member) offsetof(account_text, account.member)

static bool read_account(dn_bs_json *json, const json_t *value, void *target)
{
    static const dn_bs_json_member table[] = {
        {"uri", DN_BS_JSON_TEXT, ACCOUNT(uri), 0, DN_BS_URI_MAX, NULL},
        {"instance", DN_BS_JSON_INT32, ACCOUNT(instance), 0, ID_LAST, NULL},
        {"security", DN_BS_JSON_OTHER, offsetof(account_text, security), 0, 0, dn_bs_security_read},
        {"hold_off", DN_BS_JSON_INT64, ACCOUNT(hold_off_s), 0, SECONDS_LAST, NULL},
        {"timeout", DN_BS_JSON_INT64, ACCOUNT(timeout_s), 0, SECONDS_LAST, NULL},
    };
    dn_bs_config *config = target;
    account_text text = {.account = {.instance = -1, .hold_off_s = -1, .timeout_s = -1}};
    dn_bs_security_text_init(&text.security);
    bool good = dn_bs_json_object(json, value, table, sizeof table / sizeof table[0], &text);
    if (good && text.account.uri == NULL) {
        good = dn_bs_json_bad_at(json, "uri", "an account of a bootstrap server needs one");
    }
    if (good && text.security.common.mode == DN_SECURITY_EST) {
        good = dn_bs_json_bad_at(json, "security.mode",
                                 "a bootstrap server's account cannot wait for a certificate");
    }
    good = good && check_uri(json, text.account.uri, text.security.common.mode) &&
           dn_bs_security_settle(json, &text.security, text.account.uri, false, &text.account.security);
    dn_bs_security_text_free(&text.security);
    config->account = text.account;
    return good;
}

/* ---- what to delete, access control ---- */

static bool read_delete(dn_bs_json *json, const json_t *value, size_t index, void *target)
{
    dn_bs_config *config = target;
    dunlin_slice text;
    dunlin_path path;
    (void)index;
    if (!dn_bs_json_string(json, value, &text) || !dn_bs_path_read(json, text, 2, &path)) {
        return false;
    }
    if (path.depth > 0 && path.id[0] == 3) {
        return dn_bs_json_bad(json, "Object 3 cannot be deleted");
    }
    for (size_t i = 0; i < config->delete_count; i++) {
        if (dunlin_path_equal(config->deletes[i], path)) {
            return dn_bs_json_bad(json, "this stands twice");
        }
    }
    config->deletes[config->delete_count++] = path;
    return true;
}

static bool read_deletes(dn_bs_json *json, const json_t *value, void *target)
{
    return dn_bs_json_array(json, value, DN_BS_DELETES_MAX, read_delete, target);
}

static bool read_access_instance(dn_bs_json *json, const json_t *value, void *target)
{
    int64_t id = DUNLIN_ID_NONE;
    bool is_any = json_is_string(value) && strcmp(json_string_value(value), "any") == 0;
    if (!is_any && !dn_bs_json_integer(json, value, 0, DUNLIN_ID_NONE, &id)) {
        return false;
    }
    *(uint16_t *)target = (uint16_t)id;
    return true;
}

static bool read_rights(dn_bs_json *json, const json_t *value, void *target)
{
    dn_bs_access *access = target;
    const char *name;
    json_t *child;
    union {
        const json_t *given;
        json_t *wanted;
    } object = {.given = value};
    if (!json_is_object(value)) {
        return dn_bs_json_bad(json, "this is not an object");
    }
    json_object_foreach(object.wanted, name, child)
    {
        char *end = NULL;
        bool is_default = strcmp(name, "default") == 0;
        unsigned long ssid = is_default ? 0 : strtoul(name, &end, 10);
        int64_t rights = 0;
        if (!is_default &&
            (name[0] < '0' || name[0] > '9' || *end != '\0' || ssid == 0 || ssid > SSID_LAST)) {
            return dn_bs_json_bad(json, "the members here are Short Server IDs, 1 to 65534, and \"default\"");
        }
        if (access->count == DN_BS_ENTRIES_MAX) {
            return dn_bs_json_bad(json, "there are too many");
        }
        size_t back = dn_bs_json_into(json, name);
        if (!dn_bs_json_integer(json, child, 0, 31, &rights)) {
            return false;
        }
        dn_bs_json_back(json, back);
        access->entry[access->count].ssid = (uint16_t)ssid;
        access->entry[access->count++].rights = (uint16_t)rights;
    }
    return true;
}

static bool read_access(dn_bs_json *json, const json_t *value, size_t index, void *target)
{
    static const dn_bs_json_member table[] = {
        {"object", DN_BS_JSON_UINT16, offsetof(dn_bs_access, object), 1, ID_LAST, NULL},
        {"instance", DN_BS_JSON_OTHER, offsetof(dn_bs_access, instance), 0, 0, read_access_instance},
        {"owner", DN_BS_JSON_UINT16, offsetof(dn_bs_access, owner), 1, UINT16_MAX, NULL},
        {"rights", DN_BS_JSON_OTHER, 0, 0, 0, read_rights},
    };
    static const char *const needed[] = {"object", "instance", "owner"};
    dn_bs_config *config = target;
    dn_bs_access *access = &config->access[config->access_count++];
    (void)index;
    if (!dn_bs_json_object(json, value, table, sizeof table / sizeof table[0], access)) {
        return false;
    }
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
        if (json_object_get(value, needed[i]) == NULL) {
            return dn_bs_json_bad_at(json, needed[i], "this is missing");
        }
    }
    return true;
}

static bool read_accesses(dn_bs_json *json, const json_t *value, void *target)
{
    dn_bs_config *config = target;
    config->access = calloc(DN_BS_ACCESS_MAX, sizeof *config->access);
    if (config->access == NULL) {
        return dn_bs_json_bad(json, "no memory");
    }
    return dn_bs_json_array(json, value, DN_BS_ACCESS_MAX, read_access, config);
}

static bool read_format(dn_bs_json *json, const json_t *value, void *target)
{
    dunlin_slice text;
    if (!dn_bs_json_string(json, value, &text)) {
        return false;
    }
    char name[16] = {0};
    memcpy(name, text.data, text.len < sizeof name ? text.len : sizeof name - 1);
    const dn_format *format = dn_format_find_name(name);
    if (format == NULL || (format->number != DN_FORMAT_TLV && format->number != DN_FORMAT_SENML_JSON &&
                           format->number != DN_FORMAT_SENML_CBOR)) {
        return dn_bs_json_bad(json, "the formats are \"tlv\", \"senml-cbor\" and \"senml-json\"");
    }
    *(uint16_t *)target = format->number;
    return true;
}

/* ---- the whole ---- */

static bool read_document(dn_bs_json *json, const json_t *root, dn_bs_config *config)
{
    static const dn_bs_json_member table[] = {
        {"servers", DN_BS_JSON_OTHER, 0, 0, 0, read_servers},
        {"account", DN_BS_JSON_OTHER, 0, 0, 0, read_account},
        {"delete", DN_BS_JSON_OTHER, 0, 0, 0, read_deletes},
        {"access", DN_BS_JSON_OTHER, 0, 0, 0, read_accesses},
        {"write", DN_BS_JSON_OTHER, 0, 0, 0, dn_bs_writes_read},
        {"write_objects", DN_BS_JSON_BOOL, offsetof(dn_bs_config, writes_objects), 0, 0, NULL},
        {"verify", DN_BS_JSON_BOOL, offsetof(dn_bs_config, is_verified), 0, 0, NULL},
        {"allow_insecure", DN_BS_JSON_BOOL, offsetof(dn_bs_config, allows_insecure), 0, 0, NULL},
        {"format", DN_BS_JSON_OTHER, offsetof(dn_bs_config, format), 0, 0, read_format},
    };
    return dn_bs_json_object(json, root, table, sizeof table / sizeof table[0], config);
}

static void delete_as_usual(dn_bs_config *config)
{
    /* A few resources of a device that is in service may be changed alone: then nothing goes. */
    if (config->server_count == 0) {
        return;
    }
    config->deletes[config->delete_count++] = dunlin_path_object(0);
    config->deletes[config->delete_count++] = dunlin_path_object(1);
    if (config->access_count > 0) {
        config->deletes[config->delete_count++] = dunlin_path_object(2);
    }
}

bool dn_bs_config_parse(dunlin_slice document, dn_bs_config **out, char *error, size_t error_size)
{
    dn_bs_json json = {.error = error, .error_size = error_size};
    dn_bs_config *config = NULL;
    json_t *root = NULL;
    *out = NULL;
    if (document.len > DN_BS_DOCUMENT_MAX) {
        return dn_bs_json_bad(&json, "it has more than 65536 bytes");
    }
    root = dn_bs_json_parse(&json, document);
    config = root != NULL ? calloc(1, sizeof *config) : NULL;
    if (config == NULL) {
        dn_bs_json_free(root);
        return root == NULL ? false : dn_bs_json_bad(&json, "no memory");
    }
    config->is_verified = true;
    bool good = read_document(&json, root, config);
    bool tells_deletes = json_is_object(root) && json_object_get(root, "delete") != NULL;
    if (good && !tells_deletes) {
        delete_as_usual(config);
    }
    good = good && dn_bs_config_check(&json, config, tells_deletes);
    dn_bs_json_free(root);
    if (!good) {
        dn_bs_config_free(config);
        return false;
    }
    *out = config;
    return true;
}

void dn_bs_config_free(dn_bs_config *config)
{
    if (config == NULL) {
        return;
    }
    for (size_t i = 0; i < config->server_count; i++) {
        dn_bs_security_free(&config->servers[i].security);
        free(config->servers[i].uri);
    }
    dn_bs_security_free(&config->account.security);
    free(config->account.uri);
    for (size_t i = 0; i < config->write_count; i++) {
        const dunlin_value *value = &config->writes[i].value;
        if (value->type == DUNLIN_TYPE_STRING || value->type == DUNLIN_TYPE_OPAQUE ||
            value->type == DUNLIN_TYPE_CORELNK) {
            void *bytes = (void *)(uintptr_t)value->as.bytes.data;
            explicit_bzero(bytes, value->as.bytes.len);
            free(bytes);
        }
    }
    free(config->writes);
    free(config->access);
    free(config);
}
