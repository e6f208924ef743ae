/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8 by the table of well-formed sequences (RFC 3629 section 4). */
#include "codec/utf8.h"

#include <string.h>

#define HIGH_BITS 0x8080808080808080u

static bool is_tail(uint8_t byte)
{
    return (byte & 0xc0) == 0x80;
}

/* The second byte carries the limits against overlong forms, surrogates and what is above U+10FFFF. */
static bool second_fits(uint8_t first, uint8_t second)
{
    switch (first) {
    case 0xe0:
        return second >= 0xa0 && second <= 0xbf;
    case 0xed:
        return second >= 0x80 && second <= 0x9f;
    case 0xf0:
        return second >= 0x90 && second <= 0xbf;
    case 0xf4:
        return second >= 0x80 && second <= 0x8f;
    default:
        return is_tail(second);
    }
}

size_t dn_utf8_sequence(const uint8_t *at, const uint8_t *end)
{
    uint8_t first = *at;
    size_t len = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || (size_t)(end - at) < len || !second_fits(first, at[1])) {
        return 0;
    }
    for (size_t i = 2; i < len; i++) {
        if (!is_tail(at[i])) {
            return 0;
        }
    }
    return len;
}

bool dn_utf8_valid(dunlin_slice text)
{
    size_t at = 0;
    while (at < text.len) {
        uint64_t word;
        if (text.len - at >= sizeof word) {
            memcpy(&word, text.data + at, sizeof word);
            if ((word & HIGH_BITS) == 0) {
                at += sizeof word;
                continue;
            }
        }
        if (text.data[at] < 0x80) {
            at++;
            continue;
        }
        size_t len = dn_utf8_sequence(text.data + at, text.data + text.len);
        if (len == 0) {
            return false;
        }
        at += len;
    }
    return true;
}

size_t dn_utf8_put(uint32_t code_point, uint8_t out[4])
{
    if (code_point < 0x80) {
        out[0] = (uint8_t)code_point;
        return 1;
    }
    size_t len = code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;
    for (size_t i = len - 1; i > 0; i--) {
        out[i] = (uint8_t)(0x80 | (code_point & 0x3f));
        code_point >>= 6;
    }
    static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    out[0] = (uint8_t)(lead[len] | code_point);
    return len;
}
