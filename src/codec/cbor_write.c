/* SPDX-License-Identifier: Apache-2.0 */
/* CBOR writing: shortest heads, shortest floats (RFC 8949 sections 4.1 and 4.2). */
#include "codec/cbor.h"

#include "codec/half.h"
#include "codec/objlnk.h"

#define INFO_1_BYTE          24
#define HALF_NAN             0x7e00
#define INITIAL(major, info) ((uint8_t)((major) << 5 | (info)))

static size_t store(uint8_t initial, uint64_t argument, size_t len, uint8_t *out)
{
    out[0] = initial;
    for (size_t i = len; i > 0; i--) {
        out[i] = (uint8_t)argument;
        argument >>= 8;
    }
    return 1 + len;
}

size_t dn_cbor_make_head(uint8_t major, uint64_t argument, uint8_t out[DN_CBOR_HEAD_MAX])
{
    if (argument < INFO_1_BYTE) {
        out[0] = INITIAL(major, argument);
        return 1;
    }
    unsigned power = argument <= UINT8_MAX ? 0 : argument <= UINT16_MAX ? 1 : argument <= UINT32_MAX ? 2 : 3;
    return store(INITIAL(major, INFO_1_BYTE + power), argument, (size_t)1 << power, out);
}

void dn_cbor_put_head(dn_encoder *encoder, uint8_t major, uint64_t argument)
{
    uint8_t head[DN_CBOR_HEAD_MAX];
    dn_emit(encoder, head, dn_cbor_make_head(major, argument, head));
}

void dn_cbor_put_integer(dn_encoder *encoder, int64_t value)
{
    bool negative = value < 0;
    dn_cbor_put_head(encoder, negative ? DN_CBOR_NEGATIVE : DN_CBOR_UNSIGNED,
                     (uint64_t)(negative ? -1 - value : value));
}

void dn_cbor_put_text(dn_encoder *encoder, const void *text, size_t len)
{
    dn_cbor_put_head(encoder, DN_CBOR_TEXT, len);
    dn_emit(encoder, text, len);
}

void dn_cbor_put_double(dn_encoder *encoder, double number)
{
    uint8_t item[DN_CBOR_HEAD_MAX];
    size_t len;
    float single;
    uint16_t half = HALF_NAN;
    if (number != number) {
        len = store(INITIAL(DN_CBOR_SIMPLE, INFO_1_BYTE + 1), HALF_NAN, sizeof half, item);
    } else if (!dn_single_of_double(number, &single)) {
        len = store(INITIAL(DN_CBOR_SIMPLE, INFO_1_BYTE + 3), dn_double_bits(number), sizeof number, item);
    } else if (!dn_half_of_single(single, &half)) {
        len = store(INITIAL(DN_CBOR_SIMPLE, INFO_1_BYTE + 2), dn_single_bits(single), sizeof single, item);
    } else {
        len = store(INITIAL(DN_CBOR_SIMPLE, INFO_1_BYTE + 1), half, sizeof half, item);
    }
    dn_emit(encoder, item, len);
}

void dn_cbor_put_value(dn_encoder *encoder, const dunlin_value *value)
{
    char link[DN_OBJLNK_TEXT_MAX];
    switch (value->type) {
    case DUNLIN_TYPE_INTEGER:
    case DUNLIN_TYPE_TIME:
        dn_cbor_put_integer(encoder, value->as.integer);
        return;
    case DUNLIN_TYPE_UNSIGNED:
        dn_cbor_put_head(encoder, DN_CBOR_UNSIGNED, value->as.uinteger);
        return;
    case DUNLIN_TYPE_FLOAT:
        dn_cbor_put_double(encoder, value->as.number);
        return;
    case DUNLIN_TYPE_BOOLEAN:
        dn_emit_byte(encoder, INITIAL(DN_CBOR_SIMPLE, value->as.boolean ? 21 : 20));
        return;
    case DUNLIN_TYPE_OPAQUE:
        dn_cbor_put_head(encoder, DN_CBOR_BYTES, value->as.bytes.len);
        dn_emit_slice(encoder, value->as.bytes);
        return;
    case DUNLIN_TYPE_STRING:
    case DUNLIN_TYPE_CORELNK:
        dn_cbor_put_text(encoder, value->as.bytes.data, value->as.bytes.len);
        return;
    case DUNLIN_TYPE_OBJLNK:
        dn_cbor_put_text(encoder, link, dn_objlnk_format(value->as.link, link));
        return;
    case DUNLIN_TYPE_NONE:
        break;
    }
    dn_emit_fail(encoder, DUNLIN_ERR_TYPE);
}
