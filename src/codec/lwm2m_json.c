/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LwM2M 1.0's JSON: {"bn":"/3/0/","bt":0,"e":[{"n":"0","t":0,"sv":"..."},...]}. Members come in any order, so
 * that the outer object is passed over once for the base fields before its elements are read.
 */
#include "codec/lwm2m_json.h"

#include "codec/json.h"
#include "codec/json_write.h"
#include "codec/objlnk.h"
#include "codec/senml.h"
#include "codec/senml_field.h"

static dn_senml_label label_of(dunlin_slice key)
{
    static const struct {
        char text[3];
        uint8_t label;
    } labels[] = {
        {"n", DN_SENML_NAME},     {"v", DN_SENML_VALUE}, {"sv", DN_SENML_STRING},
        {"bv", DN_SENML_BOOLEAN}, {"ov", DN_SENML_LINK}, {"t", DN_SENML_TIME},
    };
    for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++) {
        if (dn_senml_key_is(key, labels[i].text)) {
            return (dn_senml_label)labels[i].label;
        }
    }
    return DN_SENML_IGNORED;
}

static dn_senml_label outer_label_of(dunlin_slice key)
{
    if (dn_senml_key_is(key, "bn")) {
        return DN_SENML_BASE_NAME;
    }
    return dn_senml_key_is(key, "bt") ? DN_SENML_BASE_TIME : DN_SENML_IGNORED;
}

/* A member of the outer object. The array of elements is only passed over; `elements` is where it starts. */
static dunlin_status read_outer_member(dn_cursor *cursor, dunlin_buf *scratch, dn_senml_fields *fields,
                                       const uint8_t **elements)
{
    dunlin_slice key;
    dunlin_buf unused = *scratch;
    dunlin_status status = dn_json_key(cursor, &unused, &key);
    if (status != DUNLIN_OK) {
        return status;
    }
    if (!dn_senml_key_is(key, "e")) {
        return dn_senml_read_field(cursor, scratch, outer_label_of(key), fields);
    }
    if (*elements != NULL) {
        return DUNLIN_ERR_DUPLICATE;
    }
    if (dn_json_peek(cursor) != DN_JSON_ARRAY) {
        return dn_json_missing(cursor);
    }
    *elements = cursor->at + 1;
    return dn_json_skip(cursor, scratch);
}

/* Reads the outer object, and moves the decoder to the first element. */
static dunlin_status open_pack(dn_decoder *decoder, dn_senml_pack *pack)
{
    dn_cursor cursor = dn_cursor_make(decoder->input);
    dn_senml_fields fields;
    const uint8_t *elements = NULL;
    bool first = true;
    dn_senml_fields_start(&fields);
    dunlin_status status = dn_json_take(&cursor, '{') ? DUNLIN_OK : dn_json_missing(&cursor);
    while (status == DUNLIN_OK && (status = dn_json_next(&cursor, '}', &first)) == DUNLIN_OK) {
        status = read_outer_member(&cursor, &decoder->scratch, &fields, &elements);
    }
    if (status == DUNLIN_END) {
        status = dn_json_finish(&cursor);
    }
    if (status != DUNLIN_OK) {
        return status;
    }
    if (elements == NULL) {
        return DUNLIN_ERR_MALFORMED;
    }
    dn_senml_apply_base(&pack->base, &fields, decoder->root);
    decoder->scratch.len = 0;
    decoder->at = (size_t)(elements - decoder->input.data);
    pack->opened = true;
    return DUNLIN_OK;
}

static dunlin_status decode_next(dn_decoder *decoder, dn_record *record)
{
    dn_senml_pack *pack = dn_senml_pack_of(decoder);
    dn_senml_fields fields;
    dunlin_status status = pack->opened ? DUNLIN_OK : open_pack(decoder, pack);
    dn_cursor cursor = {decoder->input.data + decoder->at, decoder->input.data + decoder->input.len};
    if (status == DUNLIN_OK) {
        status = dn_json_next(&cursor, ']', &pack->first);
    }
    if (status != DUNLIN_OK) {
        return status;
    }
    dn_senml_fields_start(&fields);
    fields.opaque_is_text = true;
    status = dn_senml_read_fields(&cursor, &decoder->scratch, label_of, &fields);
    decoder->at = (size_t)(cursor.at - decoder->input.data);
    return status == DUNLIN_OK ? dn_senml_resolve(decoder, &pack->base, &fields, record) : status;
}

static dn_senml_names *names_of(dn_encoder *encoder)
{
    return (dn_senml_names *)(void *)encoder->state;
}

_Static_assert(sizeof(dn_senml_names) <= sizeof((dn_encoder *)0)->state, "the encoder's state is too small");

static void encode_start(dn_encoder *encoder)
{
    memset(names_of(encoder), 0, sizeof(dn_senml_names));
}

static void put_value(dn_encoder *encoder, bool *first, const dunlin_value *value)
{
    char link[DN_OBJLNK_TEXT_MAX];
    switch (value->type) {
    case DUNLIN_TYPE_STRING:
    case DUNLIN_TYPE_CORELNK:
        dn_json_put_key(encoder, first, "sv");
        dn_json_put_string(encoder, value->as.bytes);
        return;
    case DUNLIN_TYPE_BOOLEAN:
        dn_json_put_key(encoder, first, "bv");
        dn_emit_text(encoder, value->as.boolean ? "true" : "false");
        return;
    case DUNLIN_TYPE_OPAQUE:
        dn_json_put_key(encoder, first, "sv");
        dn_json_put_base64(encoder, DN_BASE64_PADDED, value->as.bytes);
        return;
    case DUNLIN_TYPE_OBJLNK:
        dn_json_put_key(encoder, first, "ov");
        dn_json_put_string(encoder, dunlin_slice_make(link, dn_objlnk_format(value->as.link, link)));
        return;
    default:
        dn_json_put_key(encoder, first, "v");
        dn_senml_put_number(encoder, value);
        return;
    }
}

/* The part in front of the first element; the base name comes with it. */
static void put_opening(dn_encoder *encoder, const dn_senml_record_name *name)
{
    bool first = true;
    dn_emit_byte(encoder, '{');
    if (name->base_len > 0) {
        dn_json_put_key(encoder, &first, "bn");
        dn_json_put_string(encoder, dunlin_slice_make(name->base, name->base_len));
    }
    dn_json_put_key(encoder, &first, "e");
    dn_emit_byte(encoder, '[');
}

static void encode_put(dn_encoder *encoder, const dn_record *record)
{
    dn_senml_names *names = names_of(encoder);
    dn_senml_record_name name;
    bool started = names->started;
    bool first = true;
    dn_senml_name(names, encoder->base, record->path, &name);
    if (started) {
        dn_emit_byte(encoder, ',');
    } else {
        put_opening(encoder, &name);
    }
    dn_emit_byte(encoder, '{');
    if (name.name_len > 0) {
        dn_json_put_key(encoder, &first, "n");
        dn_json_put_string(encoder, dunlin_slice_make(name.name, name.name_len));
    }
    if (record->kind == DN_RECORD_VALUE) {
        put_value(encoder, &first, &record->value);
    }
    if (record->has_time) {
        dn_json_put_key(encoder, &first, "t");
        dn_json_put_double(encoder, record->time_s);
    }
    dn_emit_byte(encoder, '}');
}

static void encode_finish(dn_encoder *encoder)
{
    const dn_senml_record_name nameless = {.base_len = 0};
    if (!names_of(encoder)->started) {
        put_opening(encoder, &nameless);
    }
    dn_emit_text(encoder, "]}");
}

const dn_format dn_format_lwm2m_json = {
    .number = DN_FORMAT_LWM2M_JSON,
    .name = "lwm2m-json",
    .media_type = "application/vnd.oma.lwm2m+json",
    .many = true,
    .decode_start = dn_senml_pack_start,
    .decode_next = decode_next,
    .encode_start = encode_start,
    .encode_put = encode_put,
    .encode_finish = encode_finish,
};
