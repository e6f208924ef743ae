/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON writer. */
#include "codec/json_write.h"

#include "codec/number.h"

static bool needs_escape(uint8_t letter)
{
    return letter < 0x20 || letter == '"' || letter == '\\';
}

static void put_escape(dn_encoder *encoder, uint8_t letter)
{
    static const char letters[] = "\"\\\b\f\n\r\t";
    static const char escapes[] = "\"\\bfnrt";
    static const char hex[] = "0123456789abcdef";
    const char *found = memchr(letters, letter, sizeof letters - 1);
    if (found != NULL) {
        const char escape[2] = {'\\', escapes[found - letters]};
        dn_emit(encoder, escape, sizeof escape);
        return;
    }
    const char escape[6] = {'\\', 'u', '0', '0', hex[letter >> 4], hex[letter & 15]};
    dn_emit(encoder, escape, sizeof escape);
}

void dn_json_put_string(dn_encoder *encoder, dunlin_slice text)
{
    size_t plain = 0; /* where the run of characters that stand for themselves starts */
    dn_emit_byte(encoder, '"');
    for (size_t at = 0; at < text.len; at++) {
        if (needs_escape(text.data[at])) {
            dn_emit(encoder, text.data + plain, at - plain);
            put_escape(encoder, text.data[at]);
            plain = at + 1;
        }
    }
    if (plain < text.len) {
        dn_emit(encoder, text.data + plain, text.len - plain);
    }
    dn_emit_byte(encoder, '"');
}

void dn_json_put_base64(dn_encoder *encoder, dn_base64_kind kind, dunlin_slice bytes)
{
    dn_emit_byte(encoder, '"');
    dn_emit_base64(encoder, kind, bytes);
    dn_emit_byte(encoder, '"');
}

void dn_json_put_double(dn_encoder *encoder, double number)
{
    char text[DN_SHORT_TEXT_MAX];
    if (!dn_double_is_finite(number)) {
        dn_emit_fail(encoder, DUNLIN_ERR_RANGE);
        return;
    }
    dn_emit(encoder, text, dn_double_format_short(number, text));
}

void dn_json_put_integer(dn_encoder *encoder, int64_t value)
{
    char text[DN_INTEGER_TEXT_MAX];
    dn_emit(encoder, text, dn_integer_format(value, text));
}

void dn_json_put_unsigned(dn_encoder *encoder, uint64_t value)
{
    char text[DN_INTEGER_TEXT_MAX];
    dn_emit(encoder, text, dn_unsigned_format(value, text));
}
