/* SPDX-License-Identifier: Apache-2.0 */
/* LwM2M values as JSON; see value_json.h. */
#include "api/value_json.h"

#include "api/timestamp.h"
#include "codec/base64.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OBJLNK_TEXT_MAX 12u /* "65535:65535" and NUL */
#define DIGITS_MAX      400u

static void write_time(dn_jsonw *json, int64_t unix_s)
{
    char text[DN_TIMESTAMP_MAX];
    if (dn_timestamp_s(unix_s, text) == 0) {
        dn_jsonw_signed(json, unix_s); /* no ISO 8601 form: the number, which input takes as well */
    } else {
        dn_jsonw_text(json, text);
    }
}

void dn_value_write(dn_jsonw *json, const dunlin_value *value)
{
    char link[OBJLNK_TEXT_MAX];
    switch (value->type) {
    case DUNLIN_TYPE_STRING:
    case DUNLIN_TYPE_CORELNK:
        dn_jsonw_string(json, value->as.bytes);
        break;
    case DUNLIN_TYPE_INTEGER:
        dn_jsonw_signed(json, value->as.integer);
        break;
    case DUNLIN_TYPE_UNSIGNED:
        dn_jsonw_unsigned(json, value->as.uinteger);
        break;
    case DUNLIN_TYPE_FLOAT:
        dn_jsonw_double(json, value->as.number);
        break;
    case DUNLIN_TYPE_BOOLEAN:
        dn_jsonw_bool(json, value->as.boolean);
        break;
    case DUNLIN_TYPE_OPAQUE:
        dn_jsonw_base64(json, value->as.bytes);
        break;
    case DUNLIN_TYPE_TIME:
        write_time(json, value->as.integer);
        break;
    case DUNLIN_TYPE_OBJLNK:
        snprintf(link, sizeof link, "%u:%u", value->as.link.object, value->as.link.instance);
        dn_jsonw_text(json, link);
        break;
    case DUNLIN_TYPE_NONE:
        dn_jsonw_null(json);
        break;
    }
}

/* The number behind dn_jsonr_big as a C string; false: longer than any number that matters. */
static bool digits_text(dunlin_slice digits, char out[DIGITS_MAX])
{
    if (digits.len >= DIGITS_MAX) {
        return false;
    }
    memcpy(out, digits.data, digits.len);
    out[digits.len] = 0;
    return true;
}

/* A decimal number in a string, for programs whose JSON has no whole numbers of 64 bits. TYPE: it is none. */
static dunlin_status decimal_text(dunlin_slice text, char out[DIGITS_MAX])
{
    size_t digits = text.len > 0 && text.data[0] == '-' ? 1 : 0;
    if (digits == text.len) {
        return DUNLIN_ERR_TYPE;
    }
    for (; digits < text.len; digits++) {
        if (text.data[digits] < '0' || text.data[digits] > '9') {
            return DUNLIN_ERR_TYPE;
        }
    }
    return digits_text(text, out) ? DUNLIN_OK : DUNLIN_ERR_RANGE;
}

static dunlin_status read_integer(const json_t *json, dunlin_value *out)
{
    dunlin_slice digits;
    if (dn_jsonr_big(json, &digits)) {
        return DUNLIN_ERR_RANGE;
    }
    if (dn_jsonr_string(json, &digits)) {
        char text[DIGITS_MAX];
        dunlin_status status = decimal_text(digits, text);
        if (status != DUNLIN_OK) {
            return status;
        }
        errno = 0;
        *out = dunlin_integer(strtoll(text, NULL, 10));
        return errno == 0 ? DUNLIN_OK : DUNLIN_ERR_RANGE;
    }
    if (!json_is_integer(json)) {
        return DUNLIN_ERR_TYPE;
    }
    *out = dunlin_integer(json_integer_value(json));
    return DUNLIN_OK;
}

static dunlin_status read_unsigned(const json_t *json, dunlin_value *out)
{
    dunlin_slice digits;
    if (dn_jsonr_big(json, &digits) || dn_jsonr_string(json, &digits)) {
        char text[DIGITS_MAX];
        dunlin_status status = decimal_text(digits, text);
        if (status != DUNLIN_OK || text[0] == '-') {
            return status != DUNLIN_OK ? status : DUNLIN_ERR_RANGE;
        }
        errno = 0;
        unsigned long long number = strtoull(text, NULL, 10);
        *out = dunlin_unsigned(number);
        return errno == 0 ? DUNLIN_OK : DUNLIN_ERR_RANGE;
    }
    if (!json_is_integer(json)) {
        return DUNLIN_ERR_TYPE;
    }
    if (json_integer_value(json) < 0) {
        return DUNLIN_ERR_RANGE;
    }
    *out = dunlin_unsigned((uint64_t)json_integer_value(json));
    return DUNLIN_OK;
}

static dunlin_status read_float_text(dunlin_slice text, dunlin_value *out)
{
    static const char *const names[3] = {"NaN", "Infinity", "-Infinity"};
    const double numbers[3] = {(double)NAN, (double)INFINITY, -(double)INFINITY};
    for (size_t i = 0; i < 3; i++) {
        if (dunlin_slice_equal(text, dunlin_slice_of(names[i]))) {
            *out = dunlin_float(numbers[i]);
            return DUNLIN_OK;
        }
    }
    return DUNLIN_ERR_TYPE;
}

static dunlin_status read_float(const json_t *json, dunlin_value *out)
{
    dunlin_slice text;
    if (dn_jsonr_big(json, &text)) {
        char digits[DIGITS_MAX];
        if (!digits_text(text, digits)) {
            return DUNLIN_ERR_RANGE;
        }
        *out = dunlin_float(strtod(digits, NULL));
        return isinf(out->as.number) ? DUNLIN_ERR_RANGE : DUNLIN_OK;
    }
    if (dn_jsonr_string(json, &text)) {
        return read_float_text(text, out);
    }
    if (!json_is_number(json)) {
        return DUNLIN_ERR_TYPE;
    }
    *out = dunlin_float(json_number_value(json));
    return DUNLIN_OK;
}

static dunlin_status read_opaque(dunlin_slice text, dunlin_buf *scratch, dunlin_value *out)
{
    dunlin_slice bytes;
    dunlin_status status = dn_base64_read(text, scratch, &bytes);
    if (status == DUNLIN_OK) {
        *out = dunlin_opaque(bytes);
    }
    return status;
}

static dunlin_status read_time(const json_t *json, dunlin_value *out)
{
    dunlin_slice text;
    int64_t unix_s;
    if (json_is_integer(json)) {
        *out = dunlin_time(json_integer_value(json));
        return DUNLIN_OK;
    }
    if (!dn_jsonr_string(json, &text)) {
        return DUNLIN_ERR_TYPE;
    }
    if (!dn_timestamp_parse(text, &unix_s)) {
        return DUNLIN_ERR_MALFORMED;
    }
    *out = dunlin_time(unix_s);
    return DUNLIN_OK;
}

/* Reads up to five digits at *at, 0..65535. */
static bool take_id(dunlin_slice text, size_t *at, uint16_t *id)
{
    uint32_t number = 0;
    size_t first = *at;
    while (*at < text.len && *at - first < 5 && text.data[*at] >= '0' && text.data[*at] <= '9') {
        number = number * 10 + (text.data[(*at)++] - '0');
    }
    *id = (uint16_t)number;
    return *at > first && number <= UINT16_MAX;
}

static dunlin_status read_objlnk(dunlin_slice text, dunlin_value *out)
{
    size_t at = 0;
    uint16_t object;
    uint16_t instance;
    if (!take_id(text, &at, &object) || at >= text.len || text.data[at++] != ':' ||
        !take_id(text, &at, &instance) || at != text.len) {
        return DUNLIN_ERR_MALFORMED;
    }
    *out = dunlin_link(object, instance);
    return DUNLIN_OK;
}

static dunlin_type shown_type(const json_t *json)
{
    dunlin_slice digits;
    if (dn_jsonr_big(json, &digits)) {
        return digits.data[0] == '-' ? DUNLIN_TYPE_INTEGER : DUNLIN_TYPE_UNSIGNED;
    }
    switch (json_typeof(json)) {
    case JSON_STRING:
        return DUNLIN_TYPE_STRING;
    case JSON_INTEGER:
        return DUNLIN_TYPE_INTEGER;
    case JSON_REAL:
        return DUNLIN_TYPE_FLOAT;
    case JSON_TRUE:
    case JSON_FALSE:
        return DUNLIN_TYPE_BOOLEAN;
    default:
        return DUNLIN_TYPE_NONE;
    }
}

static dunlin_status read_textual(const json_t *json, dunlin_type type, dunlin_buf *scratch,
                                  dunlin_value *out)
{
    dunlin_slice text;
    if (!dn_jsonr_string(json, &text)) {
        return DUNLIN_ERR_TYPE;
    }
    if (type == DUNLIN_TYPE_OPAQUE) {
        return read_opaque(text, scratch, out);
    }
    if (type == DUNLIN_TYPE_OBJLNK) {
        return read_objlnk(text, out);
    }
    *out = dunlin_string(text);
    out->type = type;
    return DUNLIN_OK;
}

dunlin_status dn_value_read(const json_t *json, dunlin_type type, dunlin_buf *scratch, dunlin_value *out)
{
    switch (type == DUNLIN_TYPE_NONE ? shown_type(json) : type) {
    case DUNLIN_TYPE_INTEGER:
        return read_integer(json, out);
    case DUNLIN_TYPE_UNSIGNED:
        return read_unsigned(json, out);
    case DUNLIN_TYPE_FLOAT:
        return read_float(json, out);
    case DUNLIN_TYPE_BOOLEAN:
        *out = dunlin_boolean(json_is_true(json));
        return json_is_boolean(json) ? DUNLIN_OK : DUNLIN_ERR_TYPE;
    case DUNLIN_TYPE_TIME:
        return read_time(json, out);
    case DUNLIN_TYPE_STRING:
    case DUNLIN_TYPE_CORELNK:
    case DUNLIN_TYPE_OPAQUE:
    case DUNLIN_TYPE_OBJLNK:
        return read_textual(json, type == DUNLIN_TYPE_NONE ? DUNLIN_TYPE_STRING : type, scratch, out);
    case DUNLIN_TYPE_NONE:
        break;
    }
    return DUNLIN_ERR_TYPE;
}

const char *dn_value_expectation(dunlin_type type)
{
    static const char *const texts[] = {
        [DUNLIN_TYPE_NONE] = "a string, number or boolean",
        [DUNLIN_TYPE_STRING] = "a string",
        [DUNLIN_TYPE_INTEGER] = "an integer from -9223372036854775808 to 9223372036854775807",
        [DUNLIN_TYPE_UNSIGNED] = "an integer from 0 to 18446744073709551615",
        [DUNLIN_TYPE_FLOAT] = "a number, or \"NaN\", \"Infinity\" or \"-Infinity\"",
        [DUNLIN_TYPE_BOOLEAN] = "true or false",
        [DUNLIN_TYPE_OPAQUE] = "a string in base64",
        [DUNLIN_TYPE_TIME] = "a time such as \"2026-11-22T03:00:00Z\", or Unix seconds",
        [DUNLIN_TYPE_OBJLNK] = "an object link such as \"3303:0\"",
        [DUNLIN_TYPE_CORELNK] = "a string in CoRE link format",
    };
    return texts[type];
}

bool dn_type_named(dunlin_slice name, dunlin_type *type)
{
    for (int candidate = DUNLIN_TYPE_STRING; candidate <= DUNLIN_TYPE_CORELNK; candidate++) {
        if (dunlin_slice_equal(name, dunlin_slice_of(dunlin_type_name((dunlin_type)candidate)))) {
            *type = (dunlin_type)candidate;
            return true;
        }
    }
    return false;
}
