/* SPDX-License-Identifier: Apache-2.0 */
/* Paths and values in a configuration: the members "write" and "delete", and a server's URI. */
#include "bootstrap/config_parts.h"

#include "codec/format.h"
#include "codec/objlnk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NESTING_MAX 3u /* "/3303": {"0": {"5701": …}} and one more for instances of resources */

bool dn_bs_path_read(dn_bs_json *json, dunlin_slice text, unsigned most, dunlin_path *out)
{
    if (text.len == 0 || text.data[0] != '/' || dunlin_path_parse(text, out) != DUNLIN_OK) {
        return dn_bs_json_bad(json, "this is not a path such as /3303/0");
    }
    return out->depth <= most || dn_bs_json_bad(json, "this path has too many ids");
}

/* ---- values ---- */

static bool read_hex(dn_bs_json *json, const json_t *value, dunlin_value *out)
{
    dunlin_slice digits;
    uint8_t *bytes = NULL;
    size_t len = 0;
    if (!dn_bs_json_string(json, value, &digits) || !dn_bs_json_hex(json, digits, &bytes, &len)) {
        return false;
    }
    *out = dunlin_opaque(dunlin_slice_make(bytes, len));
    return true;
}

static bool read_objlnk(dn_bs_json *json, const json_t *value, dunlin_value *out)
{
    dunlin_slice text;
    out->type = DUNLIN_TYPE_OBJLNK;
    return dn_bs_json_string(json, value, &text) &&
           (dn_objlnk_read(text, &out->as.link) == DUNLIN_OK ||
            dn_bs_json_bad(json, "this is not an object link such as \"3:0\""));
}

static bool read_time(dn_bs_json *json, const json_t *value, dunlin_value *out)
{
    out->type = DUNLIN_TYPE_TIME;
    return dn_bs_json_integer(json, value, INT64_MIN, INT64_MAX, &out->as.integer);
}

/* Decimal digits as a string: what is beyond int64 is no number to the reader of JSON. */
static bool read_digits(const json_t *value, uint64_t *out)
{
    const char *text = json_string_value(value);
    const size_t len = json_string_length(value);
    *out = 0;
    for (size_t i = 0; i < len; i++) {
        const unsigned digit = (unsigned)text[i] - '0';
        if (digit > 9 || *out > (UINT64_MAX - digit) / 10) {
            return false;
        }
        *out = *out * 10 + digit;
    }
    return len > 0;
}

static bool read_unsigned(dn_bs_json *json, const json_t *value, dunlin_value *out)
{
    int64_t number = 0;
    if (json_is_string(value)) {
        out->type = DUNLIN_TYPE_UNSIGNED;
        return read_digits(value, &out->as.uinteger) ||
               dn_bs_json_bad(json, "this is not a whole number from 0 to 18446744073709551615");
    }
    bool good = dn_bs_json_integer(json, value, 0, INT64_MAX, &number);
    *out = dunlin_unsigned((uint64_t)number);
    return good;
}

static bool read_float(dn_bs_json *json, const json_t *value, dunlin_value *out)
{
    *out = dunlin_float(json_number_value(value));
    return json_is_number(value) || dn_bs_json_bad(json, "this is not a number");
}

static const struct {
    const char *name;
    bool (*read)(dn_bs_json *json, const json_t *value, dunlin_value *out);
} typed[] = {{"hex", read_hex},
             {"objlnk", read_objlnk},
             {"time", read_time},
             {"unsigned", read_unsigned},
             {"float", read_float}};

/* An object with one member that names a type. */
static const json_t *typed_member(const json_t *value, size_t *which)
{
    for (size_t i = 0;
         json_is_object(value) && json_object_size(value) == 1 && i < sizeof typed / sizeof *typed; i++) {
        const json_t *member = json_object_get(value, typed[i].name);
        if (member != NULL) {
            *which = i;
            return member;
        }
    }
    return NULL;
}

static bool read_plain(dn_bs_json *json, const json_t *value, dunlin_value *out)
{
    dunlin_slice text;
    if (json_is_string(value)) {
        uint8_t *copy = malloc(json_string_length(value) + 1);
        (void)dn_bs_json_string(json, value, &text);
        if (copy == NULL) {
            return dn_bs_json_bad(json, "no memory");
        }
        memcpy(copy, text.data, text.len);
        *out = dunlin_string(dunlin_slice_make(copy, text.len));
    } else if (json_is_integer(value)) {
        *out = dunlin_integer((int64_t)json_integer_value(value));
    } else if (json_is_real(value)) {
        *out = dunlin_float(json_real_value(value));
    } else if (json_is_boolean(value)) {
        *out = dunlin_boolean(json_is_true(value));
    } else {
        return dn_bs_json_bad(json, "this is no value");
    }
    return true;
}

static bool read_value(dn_bs_json *json, const json_t *value, dunlin_value *out)
{
    size_t which = 0;
    const json_t *member = typed_member(value, &which);
    if (member == NULL) {
        return read_plain(json, value, out);
    }
    size_t back = dn_bs_json_into(json, typed[which].name);
    bool good = typed[which].read(json, member, out);
    dn_bs_json_back(json, back);
    return good;
}

/* ---- writes ---- */

static bool is_elsewhere(dunlin_path path)
{
    return path.depth > 0 && path.id[0] <= 2;
}

static bool add(dn_bs_json *json, const json_t *value, dunlin_path path, dn_bs_config *config)
{
    if (config->write_count == DN_BS_WRITES_MAX) {
        return dn_bs_json_bad(json, "there are too many values");
    }
    dn_bs_write *write = &config->writes[config->write_count];
    write->path = path;
    if (!read_value(json, value, &write->value)) {
        return false;
    }
    config->write_count++;
    return true;
}

static bool read_node(dn_bs_json *json, const json_t *value, dunlin_path path, unsigned nesting,
                      dn_bs_config *config);

static bool read_children(dn_bs_json *json, const json_t *value, dunlin_path path, unsigned nesting,
                          dn_bs_config *config)
{
    const char *name;
    json_t *child;
    union {
        const json_t *given;
        json_t *wanted;
    } object = {.given = value};
    json_object_foreach(object.wanted, name, child)
    {
        char *end = NULL;
        unsigned long id = strtoul(name, &end, 10);
        if (name[0] < '0' || name[0] > '9' || *end != '\0' || id >= DUNLIN_ID_NONE) {
            return dn_bs_json_bad(json, "the members here are ids, 0 to 65534");
        }
        size_t back = dn_bs_json_into(json, name);
        if (!read_node(json, child, dunlin_path_child(path, (uint16_t)id), nesting + 1, config)) {
            return false;
        }
        dn_bs_json_back(json, back);
    }
    return json_object_size(value) > 0 || dn_bs_json_bad(json, "there is nothing in it");
}

static bool read_node(dn_bs_json *json, const json_t *value, dunlin_path path, unsigned nesting,
                      dn_bs_config *config)
{
    size_t which;
    bool is_value = !json_is_object(value) || typed_member(value, &which) != NULL;
    if (is_value) {
        return path.depth >= 3 ? add(json, value, path, config)
                               : dn_bs_json_bad(json, "a value goes with a resource");
    }
    if (path.depth == DUNLIN_PATH_DEPTH_MAX || nesting > NESTING_MAX) {
        return dn_bs_json_bad(json, "this is no value");
    }
    return read_children(json, value, path, nesting, config);
}

static int by_path(const void *a, const void *b)
{
    return dunlin_path_compare(((const dn_bs_write *)a)->path, ((const dn_bs_write *)b)->path);
}

bool dn_bs_writes_read(dn_bs_json *json, const json_t *value, void *target)
{
    dn_bs_config *config = target;
    const char *name;
    json_t *child;
    union {
        const json_t *given;
        json_t *wanted;
    } object = {.given = value};
    if (!json_is_object(value)) {
        return dn_bs_json_bad(json, "this is not an object");
    }
    config->writes = calloc(DN_BS_WRITES_MAX, sizeof *config->writes);
    if (config->writes == NULL) {
        return dn_bs_json_bad(json, "no memory");
    }
    json_object_foreach(object.wanted, name, child)
    {
        dunlin_path path = dunlin_path_root();
        size_t back = dn_bs_json_into(json, name);
        if (!dn_bs_path_read(json, dunlin_slice_of(name), DUNLIN_PATH_DEPTH_MAX, &path)) {
            return false;
        }
        if (path.depth == 0 || is_elsewhere(path)) {
            return dn_bs_json_bad(json, path.depth == 0
                                            ? "an Object is missing in this path"
                                            : "Objects 0 to 2 come from servers, account and access");
        }
        if (!read_node(json, child, path, 0, config)) {
            return false;
        }
        dn_bs_json_back(json, back);
    }
    if (config->write_count > 0) {
        qsort(config->writes, config->write_count, sizeof *config->writes, by_path);
    }
    for (size_t i = 1; i < config->write_count; i++) {
        if (dunlin_path_within(config->writes[i].path, config->writes[i - 1].path)) {
            char text[DUNLIN_PATH_TEXT_MAX + 1];
            (void)dunlin_path_format(config->writes[i].path, text);
            return dn_bs_json_bad_at(json, text, "this stands twice, or beside its resource's own value");
        }
    }
    return true;
}

/* ---- types ---- */

static bool is_number(dunlin_type type)
{
    return type == DUNLIN_TYPE_INTEGER || type == DUNLIN_TYPE_UNSIGNED || type == DUNLIN_TYPE_FLOAT ||
           type == DUNLIN_TYPE_TIME;
}

static bool fit(dunlin_value *value, dunlin_type type)
{
    if (type == DUNLIN_TYPE_NONE || type == value->type) {
        return true;
    }
    if (is_number(type) && is_number(value->type)) {
        return dn_value_convert(value, type) == DUNLIN_OK;
    }
    if (type == DUNLIN_TYPE_CORELNK && value->type == DUNLIN_TYPE_STRING) {
        value->type = type;
        return true;
    }
    return false;
}

bool dn_bs_config_fit(dn_bs_config *config, const dn_types *types, char *error, size_t error_size)
{
    for (size_t i = 0; types->type_of != NULL && i < config->write_count; i++) {
        dn_bs_write *write = &config->writes[i];
        bool multiple = write->path.depth == 4;
        dunlin_path resource = write->path;
        resource.depth = 3;
        dunlin_type type = types->type_of(types->context, resource, &multiple);
        char text[DUNLIN_PATH_TEXT_MAX + 1];
        (void)dunlin_path_format(write->path, text);
        if (!fit(&write->value, type)) {
            (void)snprintf(error, error_size, "write.%s: this resource holds a value of type %s", text,
                           dunlin_type_name(type));
            return false;
        }
        if (type != DUNLIN_TYPE_NONE && multiple && write->path.depth == 3) {
            (void)snprintf(error, error_size, "write.%s: this resource has instances: {\"0\": …} is needed",
                           text);
            return false;
        }
    }
    return true;
}

/* ---- URIs ---- */

static bool skip(const char **text, const char *with)
{
    size_t len = strlen(with);
    if (strncmp(*text, with, len) != 0) {
        return false;
    }
    *text += len;
    return true;
}

/* Behind "//": a name, an IPv4 address or an IPv6 one in brackets; then a port, maybe; then nothing that a server's URI may not have. */
static const char *check_authority(const char *at)
{
    size_t host = *at == '[' ? strcspn(at, "]") + 1 : strcspn(at, ":/?#@ \"<>\\^`{|}");
    if (host < 1 || (*at == '[' && (host < 4 || at[host - 1] != ']'))) {
        return "its host is missing";
    }
    at += host;
    if (*at == ':') {
        char *end = NULL;
        unsigned long port = strtoul(at + 1, &end, 10);
        if (at[1] < '0' || at[1] > '9' || port == 0 || port > UINT16_MAX) {
            return "its port is none";
        }
        at = end;
    }
    return strcmp(at, "") == 0 || strcmp(at, "/") == 0 ? NULL
                                                       : "a server's URI is scheme, host and port alone";
}

const char *dn_bs_uri_check(const char *uri, bool *is_secure, bool *is_stream)
{
    const char *at = uri;
    *is_secure = *is_stream = false;
    if (!skip(&at, "coap")) {
        return "the schemes are coap, coaps, coap+tcp and coaps+tcp";
    }
    *is_secure = skip(&at, "s");
    *is_stream = skip(&at, "+tcp");
    if (!skip(&at, "://")) {
        return "the schemes are coap, coaps, coap+tcp and coaps+tcp";
    }
    for (const char *c = uri; *c != '\0'; c++) {
        if ((unsigned char)*c <= 0x20 || (unsigned char)*c >= 0x7f) {
            return "there is a character in it that a URI cannot have";
        }
    }
    return check_authority(at);
}
