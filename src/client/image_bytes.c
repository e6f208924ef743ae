/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers, lengths and values of an image. */
#include "client/image_bytes.h"

#include <string.h>

#define BITS       7u
#define MORE       0x80u
#define NUMBER_MAX 10u /* bytes of one of 64 bits */
#define PART_BYTES 4u
#define REAL_BYTES 8u

static void append(dn_image_out *out, const void *bytes, size_t len)
{
    if (out->full || !dunlin_buf_append(out->out, dunlin_slice_make(bytes, len))) {
        out->full = true;
    }
}

void dn_image_put_number(dn_image_out *out, uint64_t number)
{
    uint8_t bytes[NUMBER_MAX];
    size_t len = 0;
    while (number >= MORE) {
        bytes[len++] = (uint8_t)(number | MORE);
        number >>= BITS;
    }
    bytes[len++] = (uint8_t)number;
    append(out, bytes, len);
}

void dn_image_put_bytes(dn_image_out *out, dunlin_slice bytes)
{
    dn_image_put_number(out, bytes.len);
    append(out, bytes.data, bytes.len);
}

static void put_big_endian(uint8_t *bytes, size_t len, uint64_t number)
{
    for (size_t i = len; i > 0; i--) {
        bytes[i - 1] = (uint8_t)number;
        number >>= 8;
    }
}

static uint64_t big_endian(const uint8_t *bytes, size_t len)
{
    uint64_t number = 0;
    for (size_t i = 0; i < len; i++) {
        number = number << 8 | bytes[i];
    }
    return number;
}

void dn_image_put_float(dn_image_out *out, double number)
{
    uint8_t bytes[REAL_BYTES];
    uint64_t bits = 0;
    memcpy(&bits, &number, sizeof bits);
    put_big_endian(bytes, sizeof bytes, bits);
    append(out, bytes, sizeof bytes);
}

/* The sign goes to the lowest bit, so that small negative numbers are short too. */
static uint64_t fold(int64_t number)
{
    return number < 0 ? ~((uint64_t)number << 1) : (uint64_t)number << 1;
}

static int64_t unfold(uint64_t folded)
{
    return (int64_t)((folded & 1) != 0 ? ~(folded >> 1) : folded >> 1);
}

void dn_image_put_value(dn_image_out *out, const dunlin_value *value)
{
    dn_image_put_number(out, (uint64_t)value->type);
    switch (value->type) {
    case DUNLIN_TYPE_INTEGER:
    case DUNLIN_TYPE_TIME:
        dn_image_put_number(out, fold(value->as.integer));
        return;
    case DUNLIN_TYPE_UNSIGNED:
        dn_image_put_number(out, value->as.uinteger);
        return;
    case DUNLIN_TYPE_FLOAT:
        dn_image_put_float(out, value->as.number);
        return;
    case DUNLIN_TYPE_BOOLEAN:
        dn_image_put_number(out, value->as.boolean ? 1 : 0);
        return;
    case DUNLIN_TYPE_OBJLNK:
        dn_image_put_number(out, value->as.link.object);
        dn_image_put_number(out, value->as.link.instance);
        return;
    default:
        dn_image_put_bytes(out, value->as.bytes);
        return;
    }
}

size_t dn_image_open(dn_image_out *out)
{
    static const uint8_t room[PART_BYTES] = {0};
    const size_t at = out->out->len;
    append(out, room, sizeof room);
    return at;
}

void dn_image_close(dn_image_out *out, size_t at)
{
    if (!out->full) {
        put_big_endian(out->out->data + at, PART_BYTES, out->out->len - at - PART_BYTES);
    }
}

/* ---- reading ---- */

dn_image_in dn_image_read(dunlin_slice bytes)
{
    return (dn_image_in){.at = bytes.data, .left = bytes.len};
}

/* NULL: there is not so much. */
static const uint8_t *take(dn_image_in *in, size_t len)
{
    if (in->bad || len > in->left) {
        in->bad = true;
        in->left = 0;
        return NULL;
    }
    const uint8_t *bytes = in->at;
    in->at = len == 0 ? in->at : in->at + len;
    in->left -= len;
    return bytes;
}

uint64_t dn_image_get_number(dn_image_in *in, uint64_t max)
{
    uint64_t number = 0;
    for (unsigned shift = 0; shift < NUMBER_MAX * BITS; shift += BITS) {
        const uint8_t *byte = take(in, 1);
        if (byte == NULL) {
            return 0;
        }
        const uint64_t part = *byte & (MORE - 1);
        if (part << shift >> shift != part) {
            break;
        }
        number |= part << shift;
        if ((*byte & MORE) == 0) {
            in->bad = number > max;
            return in->bad ? 0 : number;
        }
    }
    in->bad = true;
    return 0;
}

dunlin_slice dn_image_get_bytes(dn_image_in *in)
{
    const size_t len = (size_t)dn_image_get_number(in, UINT32_MAX);
    const uint8_t *bytes = take(in, len);
    return dunlin_slice_make(bytes, bytes == NULL ? 0 : len);
}

double dn_image_get_float(dn_image_in *in)
{
    const uint8_t *bytes = take(in, REAL_BYTES);
    double number = 0;
    if (bytes != NULL) {
        const uint64_t bits = big_endian(bytes, REAL_BYTES);
        memcpy(&number, &bits, sizeof number);
    }
    return number;
}

dunlin_value dn_image_get_value(dn_image_in *in)
{
    dunlin_value value;
    memset(&value, 0, sizeof value);
    value.type = (dunlin_type)dn_image_get_number(in, DUNLIN_TYPE_CORELNK);
    switch (value.type) {
    case DUNLIN_TYPE_NONE:
        in->bad = true;
        break;
    case DUNLIN_TYPE_INTEGER:
    case DUNLIN_TYPE_TIME:
        value.as.integer = unfold(dn_image_get_number(in, UINT64_MAX));
        break;
    case DUNLIN_TYPE_UNSIGNED:
        value.as.uinteger = dn_image_get_number(in, UINT64_MAX);
        break;
    case DUNLIN_TYPE_FLOAT:
        value.as.number = dn_image_get_float(in);
        break;
    case DUNLIN_TYPE_BOOLEAN:
        value.as.boolean = dn_image_get_number(in, 1) == 1;
        break;
    case DUNLIN_TYPE_OBJLNK:
        value.as.link.object = (uint16_t)dn_image_get_number(in, UINT16_MAX);
        value.as.link.instance = (uint16_t)dn_image_get_number(in, UINT16_MAX);
        break;
    default:
        value.as.bytes = dn_image_get_bytes(in);
        break;
    }
    return value;
}

dn_image_in dn_image_get_part(dn_image_in *in)
{
    const uint8_t *length = take(in, PART_BYTES);
    const size_t len = length == NULL ? 0 : (size_t)big_endian(length, PART_BYTES);
    const uint8_t *bytes = take(in, len);
    return dn_image_read(dunlin_slice_make(bytes, bytes == NULL ? 0 : len));
}

bool dn_image_more(const dn_image_in *in)
{
    return !in->bad && in->left > 0;
}
