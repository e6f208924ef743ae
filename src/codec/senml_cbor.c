/* SPDX-License-Identifier: Apache-2.0 */
/* SenML in CBOR: an array of maps whose keys are small integers. */
#include "codec/senml_cbor.h"

#include "codec/cbor.h"
#include "codec/senml.h"

/* RFC 8428 section 6, table 4. Object links have a text key in LwM2M. */
enum {
    KEY_BASE_NAME = -2,
    KEY_NAME = 0,
    KEY_VALUE = 2,
    KEY_STRING = 3,
    KEY_BOOLEAN = 4,
    KEY_TIME = 6,
    KEY_DATA = 8
};
#define KEY_LEAST (-6)
static const char link_key[] = "vlo";

typedef struct {
    dn_senml_base base;
    dn_cbor_container records;
    bool opened;
} decode_state;

_Static_assert(sizeof(decode_state) <= sizeof((dn_decoder *)0)->state, "the decoder's state is too small");

static decode_state *decode_state_of(dn_decoder *decoder)
{
    return (decode_state *)(void *)decoder->state;
}

static dunlin_status decode_start(dn_decoder *decoder)
{
    decode_state *state = decode_state_of(decoder);
    dn_senml_base_start(&state->base);
    state->opened = false;
    return DUNLIN_OK;
}

static dn_senml_label label_of_integer(const dn_cbor_head *key)
{
    static const uint8_t labels[] = {
        DN_SENML_IGNORED,                      /* bs */
        DN_SENML_BASE_VALUE, DN_SENML_IGNORED, /* bu */
        DN_SENML_BASE_TIME,  DN_SENML_BASE_NAME, DN_SENML_BASE_VERSION, DN_SENML_NAME,
        DN_SENML_IGNORED,                                                                 /* u */
        DN_SENML_VALUE,      DN_SENML_STRING,    DN_SENML_BOOLEAN,      DN_SENML_IGNORED, /* s */
        DN_SENML_TIME,       DN_SENML_IGNORED,                                            /* ut */
        DN_SENML_DATA,
    };
    if (key->argument >= sizeof labels) {
        return DN_SENML_IGNORED;
    }
    int number = key->major == DN_CBOR_UNSIGNED ? (int)key->argument : -1 - (int)key->argument;
    int index = number - KEY_LEAST;
    return index >= 0 && index < (int)sizeof labels ? (dn_senml_label)labels[index] : DN_SENML_IGNORED;
}

static dn_senml_label label_of_text(dunlin_slice key)
{
    if (dunlin_slice_equal(key, dunlin_slice_make(link_key, sizeof link_key - 1))) {
        return DN_SENML_LINK;
    }
    return key.len > 0 && key.data[key.len - 1] == '_' ? DN_SENML_REFUSED : DN_SENML_IGNORED;
}

static dunlin_status read_label(dn_cursor *cursor, dunlin_buf *scratch, dn_senml_label *label)
{
    dn_cbor_head key;
    dunlin_slice text;
    dunlin_buf unused = *scratch;
    dunlin_status status = dn_cbor_read_head(cursor, &key);
    if (status != DUNLIN_OK) {
        return status;
    }
    switch (key.major) {
    case DN_CBOR_UNSIGNED:
    case DN_CBOR_NEGATIVE:
        *label = label_of_integer(&key);
        return DUNLIN_OK;
    case DN_CBOR_TEXT:
        status = dn_cbor_read_string(cursor, &key, &unused, &text);
        *label = status == DUNLIN_OK ? label_of_text(text) : DN_SENML_IGNORED;
        return status;
    default:
        return DUNLIN_ERR_MALFORMED;
    }
}

static dunlin_status read_field(dn_cursor *cursor, dunlin_buf *scratch, dn_senml_fields *fields)
{
    dn_senml_label label;
    dn_cbor_head head;
    dn_scalar scalar;
    dunlin_status status = read_label(cursor, scratch, &label);
    if (status == DUNLIN_OK) {
        status = dn_senml_see(fields, label);
    }
    if (status == DUNLIN_OK) {
        status = dn_cbor_read_head(cursor, &head);
    }
    if (status != DUNLIN_OK) {
        return status;
    }
    if (label >= DN_SENML_KNOWN_COUNT) {
        return dn_cbor_skip(cursor, &head);
    }
    status = dn_cbor_read_scalar(cursor, &head, scratch, &scalar);
    return status == DUNLIN_OK ? dn_senml_take(fields, label, &scalar) : status;
}

static dunlin_status read_record(dn_decoder *decoder, dn_cursor *cursor, dn_senml_fields *fields)
{
    dn_cbor_head head;
    dn_cbor_container members;
    dunlin_status status = dn_cbor_read_head(cursor, &head);
    if (status == DUNLIN_OK && head.major != DN_CBOR_MAP) {
        return DUNLIN_ERR_MALFORMED;
    }
    if (status == DUNLIN_OK) {
        status = dn_cbor_open(cursor, &head, &members);
    }
    while (status == DUNLIN_OK && (status = dn_cbor_next(cursor, &members)) == DUNLIN_OK) {
        status = read_field(cursor, &decoder->scratch, fields);
    }
    return status == DUNLIN_END ? DUNLIN_OK : status;
}

static dunlin_status open_pack(dn_cursor *cursor, decode_state *state)
{
    dn_cbor_head head;
    dunlin_status status = dn_cbor_read_head(cursor, &head);
    if (status != DUNLIN_OK) {
        return status;
    }
    state->opened = true;
    return head.major == DN_CBOR_ARRAY ? dn_cbor_open(cursor, &head, &state->records) : DUNLIN_ERR_MALFORMED;
}

static dunlin_status decode_next(dn_decoder *decoder, dn_record *record)
{
    decode_state *state = decode_state_of(decoder);
    dn_cursor cursor = {decoder->input.data + decoder->at, decoder->input.data + decoder->input.len};
    dn_senml_fields fields;
    dunlin_status status = state->opened ? DUNLIN_OK : open_pack(&cursor, state);
    if (status == DUNLIN_OK) {
        status = dn_cbor_next(&cursor, &state->records);
    }
    if (status == DUNLIN_END && !dn_cursor_done(&cursor)) {
        return DUNLIN_ERR_MALFORMED;
    }
    if (status != DUNLIN_OK) {
        return status;
    }
    dn_senml_fields_start(&fields);
    status = read_record(decoder, &cursor, &fields);
    decoder->at = (size_t)(cursor.at - decoder->input.data);
    return status == DUNLIN_OK ? dn_senml_resolve(decoder, &state->base, &fields, record) : status;
}

typedef struct {
    dn_senml_names names;
    uint32_t count;
} encode_state;

_Static_assert(sizeof(encode_state) <= sizeof((dn_encoder *)0)->state, "the encoder's state is too small");

static encode_state *encode_state_of(dn_encoder *encoder)
{
    return (encode_state *)(void *)encoder->state;
}

static void encode_start(dn_encoder *encoder)
{
    memset(encode_state_of(encoder), 0, sizeof(encode_state));
}

static void put_key(dn_encoder *encoder, int key)
{
    dn_cbor_put_integer(encoder, key);
}

/* A time is written as an integer if it is one: that is what most clocks give, and shorter. */
static void put_time(dn_encoder *encoder, double time_s)
{
    dn_number number = dn_number_of_double(time_s);
    dunlin_value value;
    put_key(encoder, KEY_TIME);
    if (dn_number_to_value(&number, DUNLIN_TYPE_INTEGER, &value) != DUNLIN_OK) {
        value = dunlin_float(time_s);
    }
    dn_cbor_put_value(encoder, &value);
}

static void put_value_key(dn_encoder *encoder, dunlin_type type)
{
    switch (type) {
    case DUNLIN_TYPE_STRING:
    case DUNLIN_TYPE_CORELNK:
        put_key(encoder, KEY_STRING);
        return;
    case DUNLIN_TYPE_BOOLEAN:
        put_key(encoder, KEY_BOOLEAN);
        return;
    case DUNLIN_TYPE_OPAQUE:
        put_key(encoder, KEY_DATA);
        return;
    case DUNLIN_TYPE_OBJLNK:
        dn_cbor_put_text(encoder, link_key, sizeof link_key - 1);
        return;
    default:
        put_key(encoder, KEY_VALUE);
        return;
    }
}

static void encode_put(dn_encoder *encoder, const dn_record *record)
{
    encode_state *state = encode_state_of(encoder);
    dn_senml_record_name name;
    bool has_value = record->kind == DN_RECORD_VALUE;
    dn_senml_name(&state->names, encoder->base, record->path, &name);
    state->count++;
    dn_cbor_put_head(encoder, DN_CBOR_MAP,
                     (uint64_t)(name.base_len > 0) + (name.name_len > 0) + has_value + record->has_time);
    if (name.base_len > 0) {
        put_key(encoder, KEY_BASE_NAME);
        dn_cbor_put_text(encoder, name.base, name.base_len);
    }
    if (name.name_len > 0) {
        put_key(encoder, KEY_NAME);
        dn_cbor_put_text(encoder, name.name, name.name_len);
    }
    if (has_value) {
        put_value_key(encoder, record->value.type);
        dn_cbor_put_value(encoder, &record->value);
    }
    if (record->has_time) {
        put_time(encoder, record->time_s);
    }
}

static void encode_finish(dn_encoder *encoder)
{
    uint8_t head[DN_CBOR_HEAD_MAX];
    size_t len = dn_cbor_make_head(DN_CBOR_ARRAY, encode_state_of(encoder)->count, head);
    dn_emit_before(encoder, 0, head, len);
}

const dn_format dn_format_senml_cbor = {
    .number = DN_FORMAT_SENML_CBOR,
    .name = "senml-cbor",
    .media_type = "application/senml+cbor",
    .many = true,
    .decode_start = decode_start,
    .decode_next = decode_next,
    .encode_start = encode_start,
    .encode_put = encode_put,
    .encode_finish = encode_finish,
};
