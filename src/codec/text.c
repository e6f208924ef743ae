/* SPDX-License-Identifier: Apache-2.0 */
/* The text format, and the text form of values. */
#include "codec/text.h"

#include "codec/base64.h"
#include "codec/emit.h"
#include "codec/number.h"
#include "codec/objlnk.h"
#include "codec/single.h"
#include "codec/utf8.h"

static dunlin_status read_number(dunlin_slice text, dunlin_type type, dunlin_value *out)
{
    dn_number number;
    dunlin_status status = dn_number_read(text, DN_NUMBER_TEXT, &number);
    if (status == DUNLIN_ERR_MALFORMED) {
        return DUNLIN_ERR_TYPE;
    }
    return status == DUNLIN_OK ? dn_number_to_value(&number, type, out) : status;
}

static dunlin_status read_boolean(dunlin_slice text, dunlin_value *out)
{
    if (text.len != 1 || (text.data[0] != '0' && text.data[0] != '1')) {
        return DUNLIN_ERR_TYPE;
    }
    *out = dunlin_boolean(text.data[0] == '1');
    return DUNLIN_OK;
}

static dunlin_status read_link(dunlin_slice text, dunlin_value *out)
{
    dunlin_objlnk link;
    dunlin_status status = dn_objlnk_read(text, &link);
    if (status == DUNLIN_OK) {
        *out = dunlin_link(link.object, link.instance);
    }
    return status;
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

dunlin_status dn_value_from_text(dunlin_slice text, dunlin_type type, dunlin_buf *scratch, dunlin_value *out)
{
    if (!dn_utf8_valid(text)) {
        return DUNLIN_ERR_MALFORMED;
    }
    switch (type) {
    case DUNLIN_TYPE_NONE:
    case DUNLIN_TYPE_STRING:
    case DUNLIN_TYPE_CORELNK:
        *out = dunlin_string(text);
        out->type = type == DUNLIN_TYPE_NONE ? DUNLIN_TYPE_STRING : type;
        return DUNLIN_OK;
    case DUNLIN_TYPE_INTEGER:
    case DUNLIN_TYPE_UNSIGNED:
    case DUNLIN_TYPE_TIME:
    case DUNLIN_TYPE_FLOAT:
        return read_number(text, type, out);
    case DUNLIN_TYPE_BOOLEAN:
        return read_boolean(text, out);
    case DUNLIN_TYPE_OPAQUE:
        return read_opaque(text, scratch, out);
    case DUNLIN_TYPE_OBJLNK:
        return read_link(text, out);
    }
    return DUNLIN_ERR_TYPE;
}

static void put_value(dn_encoder *encoder, const dunlin_value *value)
{
    char text[DN_PLAIN_TEXT_MAX];
    switch (value->type) {
    case DUNLIN_TYPE_STRING:
    case DUNLIN_TYPE_CORELNK:
        dn_emit_slice(encoder, value->as.bytes);
        return;
    case DUNLIN_TYPE_INTEGER:
    case DUNLIN_TYPE_TIME:
        dn_emit(encoder, text, dn_integer_format(value->as.integer, text));
        return;
    case DUNLIN_TYPE_UNSIGNED:
        dn_emit(encoder, text, dn_unsigned_format(value->as.uinteger, text));
        return;
    case DUNLIN_TYPE_FLOAT:
        if (!dn_double_is_finite(value->as.number)) {
            dn_emit_fail(encoder, DUNLIN_ERR_RANGE);
            return;
        }
        dn_emit(encoder, text, dn_double_format_plain(value->as.number, text));
        return;
    case DUNLIN_TYPE_BOOLEAN:
        dn_emit_byte(encoder, value->as.boolean ? '1' : '0');
        return;
    case DUNLIN_TYPE_OPAQUE:
        dn_emit_base64(encoder, DN_BASE64_PADDED, value->as.bytes);
        return;
    case DUNLIN_TYPE_OBJLNK:
        dn_emit(encoder, text, dn_objlnk_format(value->as.link, text));
        return;
    case DUNLIN_TYPE_NONE:
        break;
    }
    dn_emit_fail(encoder, DUNLIN_ERR_TYPE);
}

dunlin_status dn_value_to_text(const dunlin_value *value, dunlin_buf *out)
{
    dn_encoder encoder = {.out = *out};
    put_value(&encoder, value);
    if (encoder.error == DUNLIN_OK) {
        out->len = encoder.out.len;
    }
    return encoder.error;
}

static dunlin_status decode_next(dn_decoder *decoder, dn_record *record)
{
    dunlin_type type;
    dunlin_status status = dn_single_decode_next(decoder, record, &type);
    return status == DUNLIN_OK ? dn_value_from_text(decoder->input, type, &decoder->scratch, &record->value)
                               : status;
}

static void encode_put(dn_encoder *encoder, const dn_record *record)
{
    if (dn_single_encode_put(encoder, record)) {
        put_value(encoder, &record->value);
    }
}

const dn_format dn_format_text = {
    .number = DN_FORMAT_TEXT,
    .name = "text",
    .media_type = "text/plain;charset=utf-8",
    .many = false,
    .decode_start = dn_single_decode_start,
    .decode_next = decode_next,
    .encode_start = dn_single_encode_start,
    .encode_put = encode_put,
    .encode_finish = dn_single_encode_finish,
};
