/* SPDX-License-Identifier: Apache-2.0 */
/* JSON by tables; see json.h. */
#include "bootstrap/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_SHOWN_MAX 24u /* a longer unknown member may be anything */

/* ---- documents ---- */

json_t *dn_bs_json_parse(dn_bs_json *json, dunlin_slice document)
{
    json_error_t problem;
    json_t *root = json_loadb((const char *)document.data, document.len, JSON_REJECT_DUPLICATES, &problem);
    if (root == NULL) {
        /* jansson's text quotes what it stumbled over, which may be a key. */
        (void)snprintf(json->error, json->error_size, "the document is no JSON: line %d, column %d",
                       problem.line, problem.column);
    }
    return root;
}

static void wipe(json_t *value)
{
    const char *name;
    size_t index;
    json_t *child;
    if (json_is_string(value)) {
        union { /* its own memory, which nobody reads any more */
            const char *given;
            char *wanted;
        } text = {.given = json_string_value(value)};
        explicit_bzero(text.wanted, json_string_length(value));
    } else if (json_is_object(value)) {
        json_object_foreach(value, name, child)
        {
            wipe(child);
        }
    } else if (json_is_array(value)) {
        json_array_foreach(value, index, child)
        {
            wipe(child);
        }
    }
}

void dn_bs_json_free(json_t *document)
{
    if (document != NULL) {
        wipe(document);
        json_decref(document);
    }
}

/* ---- where we are ---- */

size_t dn_bs_json_into(dn_bs_json *json, const char *member)
{
    size_t back = json->len;
    int wrote = snprintf(json->at + back, sizeof json->at - back, "%s%s", back > 0 ? "." : "", member);
    json->len =
        wrote < 0 || (size_t)wrote >= sizeof json->at - back ? sizeof json->at - 1 : back + (size_t)wrote;
    return back;
}

size_t dn_bs_json_at(dn_bs_json *json, size_t index)
{
    size_t back = json->len;
    int wrote = snprintf(json->at + back, sizeof json->at - back, "[%zu]", index);
    json->len =
        wrote < 0 || (size_t)wrote >= sizeof json->at - back ? sizeof json->at - 1 : back + (size_t)wrote;
    return back;
}

void dn_bs_json_back(dn_bs_json *json, size_t to)
{
    json->len = to;
    json->at[to] = '\0';
}

bool dn_bs_json_bad(dn_bs_json *json, const char *what)
{
    (void)snprintf(json->error, json->error_size, "%s: %s", json->len > 0 ? json->at : "the document", what);
    return false;
}

bool dn_bs_json_bad_at(dn_bs_json *json, const char *member, const char *what)
{
    size_t back = dn_bs_json_into(json, member);
    (void)dn_bs_json_bad(json, what);
    dn_bs_json_back(json, back);
    return false;
}

/* ---- values ---- */

bool dn_bs_json_string(dn_bs_json *json, const json_t *value, dunlin_slice *out)
{
    if (!json_is_string(value)) {
        return dn_bs_json_bad(json, "this is not a string");
    }
    *out = dunlin_slice_make(json_string_value(value), json_string_length(value));
    return true;
}

bool dn_bs_json_integer(dn_bs_json *json, const json_t *value, int64_t least, int64_t most, int64_t *out)
{
    char text[96];
    int64_t number = json_is_integer(value) ? (int64_t)json_integer_value(value) : 0;
    if (json_is_integer(value) && number >= least && number <= most) {
        *out = number;
        return true;
    }
    if (most == INT64_MAX) {
        (void)snprintf(text, sizeof text, "this is not a whole number from %lld on", (long long)least);
    } else {
        (void)snprintf(text, sizeof text, "this is not a whole number from %lld to %lld", (long long)least,
                       (long long)most);
    }
    return dn_bs_json_bad(json, text);
}

static int digit(uint8_t c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool dn_bs_json_hex(dn_bs_json *json, dunlin_slice digits, uint8_t **out, size_t *len)
{
    uint8_t *bytes = malloc(digits.len / 2 + 1);
    bool good = digits.len % 2 == 0;
    if (bytes == NULL) {
        return dn_bs_json_bad(json, "no memory");
    }
    for (size_t i = 0; i < digits.len / 2; i++) {
        const int high = digit(digits.data[2 * i]);
        const int low = digit(digits.data[2 * i + 1]);
        good = good && high >= 0 && low >= 0;
        bytes[i] = good ? (uint8_t)(high << 4 | low) : 0;
    }
    if (!good) {
        explicit_bzero(bytes, digits.len / 2);
        free(bytes);
        return dn_bs_json_bad(json, "these are not hexadecimal digits, two for each byte");
    }
    *out = bytes;
    *len = digits.len / 2;
    return true;
}

static bool read_text(dn_bs_json *json, const json_t *value, int64_t most, char **out)
{
    dunlin_slice text;
    char what[64];
    if (!dn_bs_json_string(json, value, &text)) {
        return false;
    }
    if (text.len == 0 || text.len > (uint64_t)most) {
        (void)snprintf(what, sizeof what, "this has not 1 to %lld bytes", (long long)most);
        return dn_bs_json_bad(json, what);
    }
    *out = malloc(text.len + 1);
    if (*out == NULL) {
        return dn_bs_json_bad(json, "no memory");
    }
    memcpy(*out, text.data, text.len);
    (*out)[text.len] = '\0';
    return true;
}

static bool read_bool(dn_bs_json *json, const json_t *value)
{
    return json_is_boolean(value) || dn_bs_json_bad(json, "this is neither true nor false");
}

static bool read_number(dn_bs_json *json, const json_t *value, const dn_bs_json_member *member, void *place)
{
    int64_t number;
    if (!dn_bs_json_integer(json, value, member->least, member->most, &number)) {
        return false;
    }
    switch (member->kind) {
    case DN_BS_JSON_INT16:
        *(int16_t *)place = (int16_t)number;
        break;
    case DN_BS_JSON_UINT16:
        *(uint16_t *)place = (uint16_t)number;
        break;
    case DN_BS_JSON_INT32:
        *(int32_t *)place = (int32_t)number;
        break;
    default:
        *(int64_t *)place = number;
        break;
    }
    return true;
}

static bool read_member(dn_bs_json *json, const json_t *value, const dn_bs_json_member *member, void *target)
{
    void *place = (char *)target + member->offset;
    switch (member->kind) {
    case DN_BS_JSON_BOOL:
        *(bool *)place = json_is_true(value);
        return read_bool(json, value);
    case DN_BS_JSON_MAYBE:
        *(int8_t *)place = json_is_true(value) ? 1 : 0;
        return read_bool(json, value);
    case DN_BS_JSON_TEXT:
        return read_text(json, value, member->most, place);
    case DN_BS_JSON_OTHER:
        return member->read(json, value, place);
    default:
        return read_number(json, value, member, place);
    }
}

/* A name may be a key that went to the wrong place: only what looks like a word is repeated. */
static bool unknown(dn_bs_json *json, const char *name)
{
    size_t len = strlen(name);
    bool is_word = len > 0 && len <= NAME_SHOWN_MAX;
    for (size_t i = 0; i < len; i++) {
        is_word = is_word && ((name[i] >= 'a' && name[i] <= 'z') || name[i] == '_');
    }
    return is_word ? dn_bs_json_bad_at(json, name, "there is no such member here")
                   : dn_bs_json_bad(json, "there is a member that is not known here");
}

bool dn_bs_json_object(dn_bs_json *json, const json_t *value, const dn_bs_json_member *table, size_t count,
                       void *target)
{
    const char *name;
    json_t *child;
    union { /* json_object_foreach takes no const object, and changes none */
        const json_t *given;
        json_t *wanted;
    } object = {.given = value};
    if (!json_is_object(value)) {
        return dn_bs_json_bad(json, "this is not an object");
    }
    json_object_foreach(object.wanted, name, child)
    {
        size_t i = 0;
        while (i < count && strcmp(table[i].name, name) != 0) {
            i++;
        }
        if (i == count) {
            return unknown(json, name);
        }
        size_t back = dn_bs_json_into(json, name);
        if (!read_member(json, child, &table[i], target)) {
            return false;
        }
        dn_bs_json_back(json, back);
    }
    return true;
}

bool dn_bs_json_array(dn_bs_json *json, const json_t *value, size_t most,
                      bool (*element)(dn_bs_json *json, const json_t *value, size_t index, void *target),
                      void *target)
{
    char what[64];
    if (!json_is_array(value)) {
        return dn_bs_json_bad(json, "this is not an array");
    }
    if (json_array_size(value) > most) {
        (void)snprintf(what, sizeof what, "there are more than %zu", most);
        return dn_bs_json_bad(json, what);
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        size_t back = dn_bs_json_at(json, i);
        if (!element(json, json_array_get(value, i), i, target)) {
            return false;
        }
        dn_bs_json_back(json, back);
    }
    return true;
}
