/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLV. A head is a type byte, an id of 8 or 16 bits and, for lengths above 7, a length of 8, 16 or 24 bits:
 *
 *   bits 7-6  what it is: Object Instance, Resource Instance, multiple Resource, Resource
 *   bit  5    the id has 16 bits
 *   bits 4-3  number of bytes of the length; 0: the length is in bits 2-0
 */
#include "codec/tlv.h"

#include "codec/cursor.h"
#include "codec/emit.h"
#include "codec/half.h"
#include "codec/types.h"
#include "codec/utf8.h"

enum { OBJECT_INSTANCE = 0, RESOURCE_INSTANCE = 1, MULTIPLE_RESOURCE = 2, RESOURCE = 3 };

#define LONG_ID      0x20
#define LENGTH_SHIFT 3
#define LENGTH_BYTES 3 /* mask, behind the shift */
#define SHORT_LENGTH 7
#define LENGTH_LIMIT (1u << 24)
#define HEAD_MAX     6
#define OBJLNK_LEN   4

/* --- values --- */

static uint64_t load(dunlin_slice bytes)
{
    uint64_t value = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        value = value << 8 | bytes.data[i];
    }
    return value;
}

static bool is_integer_length(size_t len)
{
    return len == 1 || len == 2 || len == 4 || len == 8;
}

static int64_t load_signed(dunlin_slice bytes)
{
    uint64_t sign = UINT64_C(1) << (bytes.len * 8 - 1);
    return (int64_t)((load(bytes) ^ sign) - sign);
}

static dunlin_status float_from(dunlin_slice bytes, dunlin_value *out)
{
    if (bytes.len == sizeof(float)) {
        *out = dunlin_float((double)dn_single_of((uint32_t)load(bytes)));
        return DUNLIN_OK;
    }
    if (bytes.len == sizeof(double)) {
        *out = dunlin_float(dn_double_of(load(bytes)));
        return DUNLIN_OK;
    }
    return DUNLIN_ERR_TYPE;
}

static dunlin_status integer_from(dunlin_slice bytes, dunlin_type type, dunlin_value *out)
{
    if (!is_integer_length(bytes.len)) {
        return DUNLIN_ERR_TYPE;
    }
    out->type = type;
    if (type == DUNLIN_TYPE_UNSIGNED) {
        out->as.uinteger = load(bytes);
    } else {
        out->as.integer = load_signed(bytes);
    }
    return DUNLIN_OK;
}

static dunlin_status text_from(dunlin_slice bytes, dunlin_type type, dunlin_value *out)
{
    if (!dn_utf8_valid(bytes)) {
        return DUNLIN_ERR_MALFORMED;
    }
    *out = dunlin_string(bytes);
    out->type = type;
    return DUNLIN_OK;
}

dunlin_status dn_value_from_tlv(dunlin_slice bytes, dunlin_type type, dunlin_value *out)
{
    switch (type) {
    case DUNLIN_TYPE_NONE:
    case DUNLIN_TYPE_OPAQUE:
        *out = dunlin_opaque(bytes);
        return DUNLIN_OK;
    case DUNLIN_TYPE_STRING:
    case DUNLIN_TYPE_CORELNK:
        return text_from(bytes, type, out);
    case DUNLIN_TYPE_INTEGER:
    case DUNLIN_TYPE_UNSIGNED:
    case DUNLIN_TYPE_TIME:
        return integer_from(bytes, type, out);
    case DUNLIN_TYPE_FLOAT:
        return float_from(bytes, out);
    case DUNLIN_TYPE_BOOLEAN:
        if (bytes.len != 1 || bytes.data[0] > 1) {
            return DUNLIN_ERR_TYPE;
        }
        *out = dunlin_boolean(bytes.data[0] == 1);
        return DUNLIN_OK;
    case DUNLIN_TYPE_OBJLNK:
        if (bytes.len != OBJLNK_LEN) {
            return DUNLIN_ERR_TYPE;
        }
        *out = dunlin_link((uint16_t)(load(bytes) >> 16), (uint16_t)load(bytes));
        return DUNLIN_OK;
    }
    return DUNLIN_ERR_TYPE;
}

/* --- decoding --- */

/* The containers that are open; each ends at an offset of the input. */
typedef struct {
    bool in_instance;
    bool in_multiple;
    uint16_t instance;
    uint16_t resource;
    size_t instance_end;
    size_t multiple_end;
} decode_state;

_Static_assert(sizeof(decode_state) <= sizeof((dn_decoder *)0)->state, "the decoder's state is too small");

typedef struct {
    unsigned kind;
    uint16_t id;
    size_t len;
} tlv_head;

static decode_state *decode_state_of(dn_decoder *decoder)
{
    return (decode_state *)(void *)decoder->state;
}

static dunlin_status decode_start(dn_decoder *decoder)
{
    memset(decode_state_of(decoder), 0, sizeof(decode_state));
    /* Without an Object in the request TLV cannot say which one it means. */
    return decoder->base.depth == 0 ? DUNLIN_ERR_UNSUPPORTED : DUNLIN_OK;
}

/* Closes containers that end here and gives the end of the innermost one that is open. */
static size_t close_containers(const dn_decoder *decoder, decode_state *state)
{
    if (state->in_multiple && decoder->at == state->multiple_end) {
        state->in_multiple = false;
    }
    if (state->in_instance && !state->in_multiple && decoder->at == state->instance_end) {
        state->in_instance = false;
    }
    if (state->in_multiple) {
        return state->multiple_end;
    }
    return state->in_instance ? state->instance_end : decoder->input.len;
}

static dunlin_status read_head(dn_decoder *decoder, size_t end, tlv_head *head)
{
    dn_cursor cursor = {decoder->input.data + decoder->at, decoder->input.data + end};
    unsigned type = *cursor.at++;
    size_t id_len = (type & LONG_ID) != 0 ? 2 : 1;
    size_t length_len = type >> LENGTH_SHIFT & LENGTH_BYTES;
    if (dn_cursor_left(&cursor) < id_len + length_len) {
        return DUNLIN_ERR_TRUNCATED;
    }
    head->kind = type >> 6;
    head->id = (uint16_t)load(dn_cursor_take(&cursor, id_len));
    head->len = length_len == 0 ? type & SHORT_LENGTH : (size_t)load(dn_cursor_take(&cursor, length_len));
    if (head->len > dn_cursor_left(&cursor)) {
        return DUNLIN_ERR_TRUNCATED;
    }
    decoder->at = (size_t)(cursor.at - decoder->input.data);
    return head->id == DUNLIN_ID_NONE ? DUNLIN_ERR_RANGE : DUNLIN_OK;
}

/* The path of the Object Instance that we are in: by its TLV, or else by the request. */
static dunlin_path instance_path(const dn_decoder *decoder, const decode_state *state)
{
    uint16_t instance = state->in_instance         ? state->instance
                        : decoder->base.depth >= 2 ? decoder->base.id[1]
                                                   : DUNLIN_ID_NONE;
    return dunlin_path_instance(decoder->base.id[0], instance);
}

static dunlin_status take_value(dn_decoder *decoder, size_t len, dn_record *record)
{
    dunlin_slice bytes = dunlin_slice_make(decoder->input.data + decoder->at, len);
    decoder->at += len;
    record->kind = DN_RECORD_VALUE;
    return dn_value_from_tlv(bytes, dn_type_at(&decoder->types, record->path), &record->value);
}

/* Enters a container. OK with a record if it is empty, END if its content follows. */
static dunlin_status enter_instance(dn_decoder *decoder, const tlv_head *head, dn_record *record)
{
    decode_state *state = decode_state_of(decoder);
    if (state->in_instance || state->in_multiple) {
        return DUNLIN_ERR_MALFORMED;
    }
    if (decoder->base.depth >= 2 && head->id != decoder->base.id[1]) {
        return DUNLIN_ERR_PATH;
    }
    state->in_instance = true;
    state->instance = head->id;
    state->instance_end = decoder->at + head->len;
    record->path = instance_path(decoder, state);
    return head->len == 0 ? DUNLIN_OK : DUNLIN_END;
}

static dunlin_status enter_multiple(dn_decoder *decoder, const tlv_head *head, dn_record *record)
{
    decode_state *state = decode_state_of(decoder);
    if (state->in_multiple) {
        return DUNLIN_ERR_MALFORMED;
    }
    state->in_multiple = true;
    state->resource = head->id;
    state->multiple_end = decoder->at + head->len;
    record->path = dunlin_path_child(instance_path(decoder, state), head->id);
    record->multiple = true;
    return head->len == 0 ? DUNLIN_OK : DUNLIN_END;
}

/*
 * A Resource Instance stands in its multiple Resource, or alone where the request was for one or, as some
 * clients answer, for its Resource.
 */
static dunlin_status take_instance_of_resource(dn_decoder *decoder, const tlv_head *head, dn_record *record)
{
    const decode_state *state = decode_state_of(decoder);
    dunlin_path resource = decoder->base;
    if (state->in_multiple) {
        resource = dunlin_path_child(instance_path(decoder, state), state->resource);
    } else if (state->in_instance || resource.depth < 3) {
        return DUNLIN_ERR_MALFORMED;
    }
    resource.depth = 3;
    record->path = dunlin_path_child(resource, head->id);
    return take_value(decoder, head->len, record);
}

static dunlin_status take_resource(dn_decoder *decoder, const tlv_head *head, dn_record *record)
{
    const decode_state *state = decode_state_of(decoder);
    if (state->in_multiple) {
        return DUNLIN_ERR_MALFORMED;
    }
    record->path = dunlin_path_child(instance_path(decoder, state), head->id);
    return take_value(decoder, head->len, record);
}

static dunlin_status decode_next(dn_decoder *decoder, dn_record *record)
{
    for (;;) {
        size_t end = close_containers(decoder, decode_state_of(decoder));
        tlv_head head;
        if (decoder->at == end) {
            return DUNLIN_END;
        }
        dunlin_status status = read_head(decoder, end, &head);
        if (status != DUNLIN_OK) {
            return status;
        }
        switch (head.kind) {
        case OBJECT_INSTANCE:
            status = enter_instance(decoder, &head, record);
            break;
        case MULTIPLE_RESOURCE:
            status = enter_multiple(decoder, &head, record);
            break;
        case RESOURCE_INSTANCE:
            return take_instance_of_resource(decoder, &head, record);
        default:
            return take_resource(decoder, &head, record);
        }
        if (status != DUNLIN_END) {
            return status;
        }
    }
}

/* --- encoding --- */

/* The containers that are open; their heads are put in front when they close, since only then their length is
 * known. */
typedef struct {
    dunlin_path last;
    bool any;
    bool in_instance;
    bool in_multiple;
    size_t instance_start;
    size_t multiple_start;
} encode_state;

_Static_assert(sizeof(encode_state) <= sizeof((dn_encoder *)0)->state, "the encoder's state is too small");

static encode_state *encode_state_of(dn_encoder *encoder)
{
    return (encode_state *)(void *)encoder->state;
}

static size_t make_head(dn_encoder *encoder, unsigned kind, uint16_t id, size_t len, uint8_t out[HEAD_MAX])
{
    size_t at = 1;
    unsigned length_len = len <= SHORT_LENGTH ? 0 : len <= UINT8_MAX ? 1 : len <= UINT16_MAX ? 2 : 3;
    if (len >= LENGTH_LIMIT) {
        dn_emit_fail(encoder, DUNLIN_ERR_RANGE);
    }
    out[0] = (uint8_t)(kind << 6 | (id > UINT8_MAX ? LONG_ID : 0u) | length_len << LENGTH_SHIFT);
    if (length_len == 0) {
        out[0] = (uint8_t)(out[0] | len);
    }
    if (id > UINT8_MAX) {
        out[at++] = (uint8_t)(id >> 8);
    }
    out[at++] = (uint8_t)id;
    for (unsigned i = length_len; i > 0; i--) {
        out[at++] = (uint8_t)(len >> (8 * (i - 1)));
    }
    return at;
}

static void close_container(dn_encoder *encoder, unsigned kind, uint16_t id, size_t start)
{
    uint8_t head[HEAD_MAX];
    size_t len = make_head(encoder, kind, id, encoder->total - start, head);
    dn_emit_before(encoder, start, head, len);
}

static void close_multiple(dn_encoder *encoder, encode_state *state)
{
    if (state->in_multiple) {
        close_container(encoder, MULTIPLE_RESOURCE, state->last.id[2], state->multiple_start);
        state->in_multiple = false;
    }
}

static void close_instance(dn_encoder *encoder, encode_state *state)
{
    close_multiple(encoder, state);
    if (state->in_instance) {
        close_container(encoder, OBJECT_INSTANCE, state->last.id[1], state->instance_start);
        state->in_instance = false;
    }
}

/* The bytes of a scalar, in the shortest of the lengths that are allowed. */
static size_t store(uint64_t bits, size_t len, uint8_t *out)
{
    for (size_t i = 0; i < len; i++) {
        out[i] = (uint8_t)(bits >> (8 * (len - 1 - i)));
    }
    return len;
}

static size_t store_signed(int64_t value, uint8_t *out)
{
    size_t len = value == (int8_t)value ? 1 : value == (int16_t)value ? 2 : value == (int32_t)value ? 4 : 8;
    return store((uint64_t)value, len, out);
}

/* With a leading zero bit as far as there is room for it: Leshan reads these as signed. */
static size_t store_unsigned(uint64_t value, uint8_t *out)
{
    size_t len = value <= INT8_MAX ? 1 : value <= INT16_MAX ? 2 : value <= INT32_MAX ? 4 : 8;
    return store(value, len, out);
}

static size_t store_float(double number, uint8_t *out)
{
    float single;
    if (dn_single_of_double(number, &single)) {
        return store(dn_single_bits(single), sizeof single, out);
    }
    return store(dn_double_bits(number), sizeof number, out);
}

/* The value's bytes: its own, or those written to `memory`. */
static dunlin_slice bytes_of(const dunlin_value *value, uint8_t memory[8])
{
    size_t len = 0;
    switch (value->type) {
    case DUNLIN_TYPE_STRING:
    case DUNLIN_TYPE_CORELNK:
    case DUNLIN_TYPE_OPAQUE:
        return value->as.bytes;
    case DUNLIN_TYPE_INTEGER:
    case DUNLIN_TYPE_TIME:
        len = store_signed(value->as.integer, memory);
        break;
    case DUNLIN_TYPE_UNSIGNED:
        len = store_unsigned(value->as.uinteger, memory);
        break;
    case DUNLIN_TYPE_FLOAT:
        len = store_float(value->as.number, memory);
        break;
    case DUNLIN_TYPE_BOOLEAN:
        len = store(value->as.boolean, 1, memory);
        break;
    case DUNLIN_TYPE_OBJLNK:
        len = store((uint64_t)value->as.link.object << 16 | value->as.link.instance, OBJLNK_LEN, memory);
        break;
    case DUNLIN_TYPE_NONE:
        break;
    }
    return dunlin_slice_make(memory, len);
}

static void put_value(dn_encoder *encoder, unsigned kind, uint16_t id, const dunlin_value *value)
{
    uint8_t head[HEAD_MAX];
    uint8_t memory[8];
    dunlin_slice bytes = bytes_of(value, memory);
    dn_emit(encoder, head, make_head(encoder, kind, id, bytes.len, head));
    dn_emit_slice(encoder, bytes);
}

static void open_instance(dn_encoder *encoder, encode_state *state, dunlin_path path)
{
    bool wrapped = encoder->base.depth == 1 && path.depth >= 2 && path.id[1] != DUNLIN_ID_NONE;
    if (wrapped && !state->in_instance) {
        state->in_instance = true;
        state->instance_start = encoder->total;
    }
}

static void open_multiple(dn_encoder *encoder, encode_state *state)
{
    if (!state->in_multiple) {
        state->in_multiple = true;
        state->multiple_start = encoder->total;
    }
}

/* Closes what `path` is not in; false if `path` does not come behind the last one. */
static bool move_to(dn_encoder *encoder, encode_state *state, dunlin_path path)
{
    if (state->any) {
        if (dunlin_path_compare(state->last, path) >= 0) {
            return false;
        }
        dunlin_path resource = state->last;
        dunlin_path instance = state->last;
        resource.depth = resource.depth > 3 ? 3 : resource.depth;
        instance.depth = instance.depth > 2 ? 2 : instance.depth;
        if (!dunlin_path_within(path, instance)) {
            close_instance(encoder, state);
        } else if (!dunlin_path_within(path, resource)) {
            close_multiple(encoder, state);
        }
    }
    state->any = true;
    state->last = path;
    return true;
}

static void encode_start(dn_encoder *encoder)
{
    memset(encode_state_of(encoder), 0, sizeof(encode_state));
    if (encoder->base.depth == 0) {
        dn_emit_fail(encoder, DUNLIN_ERR_UNSUPPORTED);
    }
}

static void encode_put(dn_encoder *encoder, const dn_record *record)
{
    encode_state *state = encode_state_of(encoder);
    dunlin_path path = record->path;
    if (record->has_time || (record->kind == DN_RECORD_EMPTY && path.depth > 3)) {
        dn_emit_fail(encoder, DUNLIN_ERR_UNSUPPORTED);
        return;
    }
    if (!move_to(encoder, state, path)) {
        dn_emit_fail(encoder, DUNLIN_ERR_ARGUMENT);
        return;
    }
    open_instance(encoder, state, path);
    if (path.depth > 3) {
        if (encoder->base.depth <= 3) {
            open_multiple(encoder, state);
        }
        put_value(encoder, RESOURCE_INSTANCE, path.id[3], &record->value);
    } else if (record->kind == DN_RECORD_VALUE) {
        put_value(encoder, RESOURCE, path.id[2], &record->value);
    } else if (path.depth == 3) {
        open_multiple(encoder, state);
    }
}

static void encode_finish(dn_encoder *encoder)
{
    close_instance(encoder, encode_state_of(encoder));
}

const dn_format dn_format_tlv = {
    .number = DN_FORMAT_TLV,
    .name = "tlv",
    .media_type = "application/vnd.oma.lwm2m+tlv",
    .many = true,
    .decode_start = decode_start,
    .decode_next = decode_next,
    .encode_start = encode_start,
    .encode_put = encode_put,
    .encode_finish = encode_finish,
};
