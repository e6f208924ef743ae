/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON writer; see json_write.h. */
#include "api/json_write.h"

#include "api/timestamp.h"
#include "codec/base64.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX       64u
#define DOUBLE_TEXT_MAX 32u

void dn_jsonw_start(dn_jsonw *json, dn_text *text)
{
    *json = (dn_jsonw){.text = text};
}

/* The comma that the next value or key needs. */
static void separate(dn_jsonw *json)
{
    if (json->after_key) {
        json->after_key = false;
        return;
    }
    uint64_t bit = (uint64_t)1 << (json->depth % DEPTH_MAX);
    if ((json->filled & bit) != 0) {
        dn_text_char(json->text, ',');
    }
    json->filled |= bit;
}

void dn_jsonw_begin(dn_jsonw *json, char bracket)
{
    separate(json);
    dn_text_char(json->text, bracket);
    json->depth++;
    json->filled &= ~((uint64_t)1 << (json->depth % DEPTH_MAX));
    if (json->depth >= DEPTH_MAX) {
        json->text->failed = true;
    }
}

void dn_jsonw_end(dn_jsonw *json, char bracket)
{
    dn_text_char(json->text, bracket);
    json->depth--;
}

void dn_jsonw_key(dn_jsonw *json, const char *key)
{
    separate(json);
    dn_text_char(json->text, '"');
    dn_text_put(json->text, key);
    dn_text_add(json->text, "\":", 2);
    json->after_key = true;
}

/* The length of the valid UTF-8 sequence at the start of `bytes`, 0 if there is none (RFC 3629 section 4). */
static size_t utf8_length(const uint8_t *bytes, size_t len)
{
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    uint8_t first = bytes[0];
    size_t count = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || count > len) {
        return 0;
    }
    uint32_t point = first & (0xffu >> (count + 1));
    for (size_t i = 1; i < count; i++) {
        if ((bytes[i] & 0xc0) != 0x80) {
            return 0;
        }
        point = point << 6 | (bytes[i] & 0x3fu);
    }
    bool surrogate = point >= 0xd800 && point <= 0xdfff;
    return point < least[count] || point > 0x10ffff || surrogate ? 0 : count;
}

static void escape(dn_text *text, uint8_t c)
{
    static const char hex[] = "0123456789abcdef";
    static const char names[] = {'"',  '"', '\\', '\\', '\b', 'b', '\f', 'f',
                                 '\n', 'n', '\r', 'r',  '\t', 't', 0};
    for (size_t i = 0; names[i] != 0; i += 2) {
        if (names[i] == (char)c) {
            dn_text_char(text, '\\');
            dn_text_char(text, names[i + 1]);
            return;
        }
    }
    char unit[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
    dn_text_add(text, unit, sizeof unit);
}

void dn_jsonw_string(dn_jsonw *json, dunlin_slice string)
{
    separate(json);
    dn_text *text = json->text;
    dn_text_char(text, '"');
    size_t plain = 0; /* start of the run that needs no escape */
    size_t at = 0;
    while (at < string.len) {
        uint8_t c = string.data[at];
        size_t count = c < 0x80 ? 1 : utf8_length(string.data + at, string.len - at);
        bool fine = count != 0 && c >= 0x20 && c != '"' && c != '\\' && c != 0x7f;
        if (!fine) {
            dn_text_add(text, string.data + plain, at - plain);
            if (count == 0) {
                dn_text_put(text, "\xef\xbf\xbd"); /* U+FFFD */
                count = 1;
            } else {
                escape(text, c);
            }
            plain = at + count;
        }
        at += count;
    }
    dn_text_add(text, string.data + plain, string.len - plain);
    dn_text_char(text, '"');
}

void dn_jsonw_key_slice(dn_jsonw *json, dunlin_slice key)
{
    dn_jsonw_string(json, key);
    dn_text_char(json->text, ':');
    json->after_key = true;
}

void dn_jsonw_text(dn_jsonw *json, const char *text)
{
    dn_jsonw_string(json, dunlin_slice_make(text, strlen(text)));
}

void dn_jsonw_unsigned(dn_jsonw *json, uint64_t number)
{
    separate(json);
    dn_text_unsigned(json->text, number);
}

void dn_jsonw_signed(dn_jsonw *json, int64_t number)
{
    separate(json);
    dn_text_signed(json->text, number);
}

/* What most sensors say, a few decimals, without the C library's slow way. The quotient of two integers that a double holds exactly is
   rounded correctly, so if it is the number, these digits are its decimal. */
static bool put_short(dn_jsonw *json, double number)
{
    static const double powers[] = {1, 10, 100, 1000, 10000};
    const double most = 1e15;
    for (int places = 0; places <= 4; places++) {
        double scaled = number * powers[places];
        if (!(scaled > -most && scaled < most) || scaled == 0) {
            return false;
        }
        if (scaled != (double)(int64_t)scaled || scaled / powers[places] < number ||
            scaled / powers[places] > number) {
            continue;
        }
        uint64_t digits = (uint64_t)(scaled < 0 ? -scaled : scaled);
        uint64_t power = (uint64_t)powers[places];
        separate(json);
        if (number < 0) {
            dn_text_char(json->text, '-');
        }
        dn_text_unsigned(json->text, digits / power);
        dn_text_char(json->text, '.');
        for (int place = places - 1; place >= 0; place--) {
            power /= 10;
            dn_text_char(json->text, (char)('0' + digits / power % 10));
        }
        if (places == 0) {
            dn_text_char(json->text, '0');
        }
        return true;
    }
    return false;
}

void dn_jsonw_double(dn_jsonw *json, double number)
{
    if (isnan(number)) {
        dn_jsonw_text(json, "NaN");
        return;
    }
    if (isinf(number)) {
        dn_jsonw_text(json, number > 0 ? "Infinity" : "-Infinity");
        return;
    }
    if (put_short(json, number)) {
        return;
    }
    char text[DOUBLE_TEXT_MAX];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, number);
        if (strtod(text, NULL) == number) {
            break;
        }
    }
    separate(json);
    dn_text_put(json->text, text);
    if (strpbrk(text, ".e") == NULL) {
        dn_text_add(json->text, ".0", 2); /* so that a reader that tells integers from reals sees a real */
    }
}

void dn_jsonw_bool(dn_jsonw *json, bool boolean)
{
    separate(json);
    dn_text_put(json->text, boolean ? "true" : "false");
}

void dn_jsonw_null(dn_jsonw *json)
{
    separate(json);
    dn_text_add(json->text, "null", 4);
}

void dn_jsonw_raw(dn_jsonw *json, dunlin_slice value)
{
    separate(json);
    dn_text_slice(json->text, value);
}

void dn_jsonw_base64(dn_jsonw *json, dunlin_slice bytes)
{
    separate(json);
    dn_text_char(json->text, '"');
    size_t len = dn_base64_length(DN_BASE64_PADDED, bytes.len);
    if (dn_text_reserve(json->text, len)) {
        char *end = json->text->data + json->text->len;
        json->text->len += dn_base64_encode(DN_BASE64_PADDED, bytes, (uint8_t *)end);
    }
    dn_text_char(json->text, '"');
}

void dn_jsonw_time_ms(dn_jsonw *json, int64_t unix_ms)
{
    char text[DN_TIMESTAMP_MAX];
    if (dn_timestamp_ms(unix_ms, text) == 0) {
        dn_jsonw_null(json);
    } else {
        dn_jsonw_text(json, text);
    }
}

void dn_jsonw_pair(dn_jsonw *json, const char *key, const char *text)
{
    dn_jsonw_key(json, key);
    dn_jsonw_text(json, text);
}

void dn_jsonw_pair_slice(dn_jsonw *json, const char *key, dunlin_slice text)
{
    dn_jsonw_key(json, key);
    dn_jsonw_string(json, text);
}

void dn_jsonw_pair_unsigned(dn_jsonw *json, const char *key, uint64_t number)
{
    dn_jsonw_key(json, key);
    dn_jsonw_unsigned(json, number);
}

void dn_jsonw_pair_bool(dn_jsonw *json, const char *key, bool boolean)
{
    dn_jsonw_key(json, key);
    dn_jsonw_bool(json, boolean);
}

void dn_jsonw_pair_time(dn_jsonw *json, const char *key, int64_t unix_ms)
{
    dn_jsonw_key(json, key);
    dn_jsonw_time_ms(json, unix_ms);
}
