/* SPDX-License-Identifier: Apache-2.0 */
/* Base64, both alphabets. */
#include "codec/base64.h"

#define NOT_BASE64 0xff

/* The value of a character, of either alphabet. */
static uint8_t value_of(uint8_t letter)
{
    if (letter >= 'A' && letter <= 'Z') {
        return (uint8_t)(letter - 'A');
    }
    if (letter >= 'a' && letter <= 'z') {
        return (uint8_t)(letter - 'a' + 26);
    }
    if (letter >= '0' && letter <= '9') {
        return (uint8_t)(letter - '0' + 52);
    }
    if (letter == '+' || letter == '-') {
        return 62;
    }
    return letter == '/' || letter == '_' ? 63 : NOT_BASE64;
}

/* Drops padding, which must fill a group of four and leave at least two characters of it. */
static bool strip_padding(dunlin_slice *text)
{
    size_t padding = 0;
    while (padding < 2 && padding < text->len && text->data[text->len - 1 - padding] == '=') {
        padding++;
    }
    if (padding > 0 && text->len % 4 != 0) {
        return false;
    }
    text->len -= padding;
    return text->len % 4 != 1;
}

dunlin_status dn_base64_decode(dunlin_slice text, uint8_t *out, size_t *len)
{
    if (!strip_padding(&text)) {
        return DUNLIN_ERR_MALFORMED;
    }
    size_t done = 0;
    uint32_t bits = 0;
    unsigned held = 0; /* how many of `bits` wait for output */
    for (size_t i = 0; i < text.len; i++) {
        uint8_t value = value_of(text.data[i]);
        if (value == NOT_BASE64) {
            return DUNLIN_ERR_MALFORMED;
        }
        bits = bits << 6 | value;
        held += 6;
        if (held >= 8) {
            held -= 8;
            out[done++] = (uint8_t)(bits >> held);
        }
    }
    if ((bits & ((1u << held) - 1)) != 0) {
        return DUNLIN_ERR_MALFORMED;
    }
    *len = done;
    return DUNLIN_OK;
}

dunlin_status dn_base64_read(dunlin_slice text, dunlin_buf *scratch, dunlin_slice *out)
{
    size_t len = 0;
    uintptr_t offset = (uintptr_t)text.data - (uintptr_t)scratch->data; /* wraps to something huge below it */
    bool in_place = scratch->data != NULL && offset < scratch->len;
    if (text.len == 0) {
        *out = text;
        return DUNLIN_OK;
    }
    if (!in_place && (scratch->data == NULL || text.len - text.len / 4 > scratch->cap - scratch->len)) {
        return DUNLIN_ERR_SPACE;
    }
    uint8_t *bytes = in_place ? scratch->data + offset : scratch->data + scratch->len;
    dunlin_status status = dn_base64_decode(text, bytes, &len);
    scratch->len += in_place ? 0 : len;
    *out = dunlin_slice_make(bytes, len);
    return status;
}

size_t dn_base64_length(dn_base64_kind kind, size_t len)
{
    size_t whole = len / 3 * 4;
    size_t rest = len % 3;
    if (rest == 0) {
        return whole;
    }
    return whole + (kind == DN_BASE64_PADDED ? 4 : rest + 1);
}

/* One to three bytes as four characters, of which the last ones are padding. */
static void encode_group(const char *letters, const uint8_t *bytes, size_t len, uint8_t out[4])
{
    uint32_t bits = (uint32_t)bytes[0] << 16;
    bits |= len > 1 ? (uint32_t)bytes[1] << 8 : 0;
    bits |= len > 2 ? bytes[2] : 0;
    for (size_t i = 0; i < 4; i++) {
        out[i] = (uint8_t)(i <= len ? letters[bits >> (18 - 6 * i) & 0x3f] : '=');
    }
}

size_t dn_base64_encode(dn_base64_kind kind, dunlin_slice bytes, uint8_t *out)
{
    static const char padded[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    static const char url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const char *letters = kind == DN_BASE64_PADDED ? padded : url;
    size_t at = 0;
    for (; bytes.len - at >= 3; at += 3) {
        encode_group(letters, bytes.data + at, 3, out);
        out += 4;
    }
    if (at < bytes.len) {
        uint8_t group[4];
        encode_group(letters, bytes.data + at, bytes.len - at, group);
        size_t len = dn_base64_length(kind, bytes.len - at);
        for (size_t i = 0; i < len; i++) {
            out[i] = group[i];
        }
    }
    return dn_base64_length(kind, bytes.len);
}
