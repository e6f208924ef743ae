/* SPDX-License-Identifier: Apache-2.0 */
/* JSON bodies; see json_read.h. */
#include "api/json_read.h"

#include "api/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PARSE_FLAGS    (JSON_REJECT_DUPLICATES | JSON_DECODE_ANY)
#define TWICE          ": duplicate member"
#define DUPLICATE      "line %d, column %d" TWICE
#define NAME_SHOWN_MAX 64u
/* int64 has 19 digits at most: fewer than that always fit. */
#define SAFE_DIGITS 18u

typedef struct {
    size_t at, len;
} span;

/* The index behind the string that starts at `at` (its opening quote). */
static size_t skip_string(dunlin_slice text, size_t at)
{
    for (at++; at < text.len && text.data[at] != '"'; at++) {
        if (text.data[at] == '\\') {
            at++;
        }
    }
    return at < text.len ? at + 1 : text.len;
}

static bool fits_int64(dunlin_slice text, span number)
{
    char copy[32];
    if (number.len >= sizeof copy) {
        return false;
    }
    memcpy(copy, text.data + number.at, number.len);
    copy[number.len] = 0;
    errno = 0;
    (void)strtoll(copy, NULL, 10);
    return errno == 0;
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_name_char(uint8_t c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c != 0 && strchr("_-./", c) != NULL);
}

static bool is_number_char(uint8_t c)
{
    return is_digit(c) || c == '+' || c == '-' || c == '.' || c == 'e' || c == 'E';
}

/* Finds the next integer at or behind `at` that int64 cannot hold. */
static bool find_big(dunlin_slice text, size_t at, span *found)
{
    while (at < text.len) {
        uint8_t c = text.data[at];
        if (c == '"') {
            at = skip_string(text, at);
            continue;
        }
        if (c != '-' && !is_digit(c)) {
            at++;
            continue;
        }
        size_t first = at;
        size_t digits = 0;
        bool real = false;
        for (; at < text.len && is_number_char(text.data[at]); at++) {
            bool digit = is_digit(text.data[at]);
            digits += digit;
            real = real || (!digit && at != first);
        }
        *found = (span){first, at - first};
        /* A leading zero is no JSON: left to the parser to refuse. */
        bool padded = digits > 1 && text.data[first + (c == '-')] == '0';
        if (!real && digits > SAFE_DIGITS && !padded && !fits_int64(text, *found)) {
            return true;
        }
    }
    return false;
}

/* The name of a member whose string ends at `end`, if it is one that documents have; else empty. */
static dunlin_slice name_before(dunlin_slice text, size_t end)
{
    size_t at = 0;
    while (at < end && at < text.len) {
        const size_t first = at;
        if (text.data[at] != '"') {
            at++;
            continue;
        }
        at = skip_string(text, at);
        if (at == end && at - first - 2 <= NAME_SHOWN_MAX) {
            const dunlin_slice name = dunlin_slice_make(text.data + first + 1, at - first - 2);
            for (size_t i = 0; i < name.len; i++) {
                if (!is_name_char(name.data[i])) {
                    return dunlin_slice_make(NULL, 0);
                }
            }
            return name;
        }
    }
    return dunlin_slice_make(NULL, 0);
}

static json_t *load(dunlin_slice text, size_t flags, char error[DN_JSON_ERROR_MAX])
{
    json_error_t problem;
    json_t *document = json_loadb((const char *)text.data, text.len, flags, &problem);
    if (document == NULL && json_error_code(&problem) == json_error_duplicate_key) {
        const dunlin_slice name = name_before(text, (size_t)problem.position);
        const char *quote = name.len > 0 ? "\"" : "";
        snprintf(error, DN_JSON_ERROR_MAX, DUPLICATE " %s%.*s%s%sstands a second time in its object",
                 problem.line, problem.column, quote, (int)name.len, (const char *)name.data, quote,
                 name.len > 0 ? " " : "");
    } else if (document == NULL) {
        snprintf(error, DN_JSON_ERROR_MAX, "line %d, column %d: %s", problem.line, problem.column,
                 problem.text);
    }
    return document;
}

/* Writes each big integer as a string that begins with an escaped NUL. */
static json_t *load_marked(dunlin_slice text, span first, char error[DN_JSON_ERROR_MAX])
{
    dn_text marked = {0};
    span big = first;
    size_t at = 0;
    do {
        dn_text_add(&marked, text.data + at, big.at - at);
        dn_text_put(&marked, "\"\\u0000");
        dn_text_add(&marked, text.data + big.at, big.len);
        dn_text_char(&marked, '"');
        at = big.at + big.len;
    } while (find_big(text, at, &big));
    dn_text_add(&marked, text.data + at, text.len - at);
    json_t *document = NULL;
    if (marked.failed) {
        snprintf(error, DN_JSON_ERROR_MAX, "no memory");
    } else {
        document = load(dn_text_view(&marked), PARSE_FLAGS | JSON_ALLOW_NUL, error);
    }
    dn_text_free(&marked);
    return document;
}

json_t *dn_jsonr_parse(dunlin_slice text, char error[DN_JSON_ERROR_MAX])
{
    if (text.len == 0) {
        snprintf(error, DN_JSON_ERROR_MAX, "line 1, column 1: the body is empty");
        return NULL;
    }
    span big;
    if (!find_big(text, 0, &big)) {
        return load(text, PARSE_FLAGS, error);
    }
    /* Checks the text as it was sent first: positions in messages are right, and an escaped NUL of the sender is refused. */
    json_t *document = load(text, PARSE_FLAGS | JSON_DECODE_INT_AS_REAL, error);
    if (document == NULL) {
        return NULL;
    }
    json_decref(document);
    return load_marked(text, big, error);
}

json_t *dn_jsonr_parse_secret(dunlin_slice text, char error[DN_JSON_ERROR_MAX])
{
    json_t *document = dn_jsonr_parse(text, error);
    if (document == NULL && strstr(error, TWICE) == NULL) {
        snprintf(error + strcspn(error, ":"), DN_JSON_ERROR_MAX - strcspn(error, ":"), ": this is not JSON.");
    }
    return document;
}

bool dn_jsonr_big(const json_t *value, dunlin_slice *digits)
{
    if (!json_is_string(value) || json_string_length(value) < 2 || json_string_value(value)[0] != 0) {
        return false;
    }
    *digits = dunlin_slice_make(json_string_value(value) + 1, json_string_length(value) - 1);
    return true;
}

bool dn_jsonr_string(const json_t *value, dunlin_slice *text)
{
    dunlin_slice digits;
    if (!json_is_string(value) || dn_jsonr_big(value, &digits)) {
        return false;
    }
    *text = dunlin_slice_make(json_string_value(value), json_string_length(value));
    return true;
}

bool dn_jsonr_integer(const json_t *value, int64_t least, int64_t most, int64_t *out)
{
    if (!json_is_integer(value)) {
        return false;
    }
    int64_t number = json_integer_value(value);
    if (number < least || number > most) {
        return false;
    }
    *out = number;
    return true;
}
