/* SPDX-License-Identifier: Apache-2.0 */
/* SenML in JSON: an array of objects. */
#include "codec/senml_json.h"

#include "codec/base64.h"
#include "codec/json.h"
#include "codec/json_write.h"
#include "codec/objlnk.h"
#include "codec/senml.h"
#include "codec/senml_field.h"

/* RFC 8428 section 4.3, table 1; "vlo" is LwM2M's. */
static dn_senml_label label_of(dunlin_slice key)
{
    static const struct {
        char text[5];
        uint8_t label;
    } labels[] = {
        {"n", DN_SENML_NAME},        {"v", DN_SENML_VALUE},           {"vs", DN_SENML_STRING},
        {"vb", DN_SENML_BOOLEAN},    {"vd", DN_SENML_DATA},           {"vlo", DN_SENML_LINK},
        {"t", DN_SENML_TIME},        {"bn", DN_SENML_BASE_NAME},      {"bt", DN_SENML_BASE_TIME},
        {"bv", DN_SENML_BASE_VALUE}, {"bver", DN_SENML_BASE_VERSION},
    };
    for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++) {
        if (dn_senml_key_is(key, labels[i].text)) {
            return (dn_senml_label)labels[i].label;
        }
    }
    return key.len > 0 && key.data[key.len - 1] == '_' ? DN_SENML_REFUSED : DN_SENML_IGNORED;
}

static dunlin_status open_pack(dn_cursor *cursor, dn_senml_pack *pack)
{
    if (!dn_json_take(cursor, '[')) {
        return dn_json_missing(cursor);
    }
    pack->opened = true;
    return DUNLIN_OK;
}

static dunlin_status decode_next(dn_decoder *decoder, dn_record *record)
{
    dn_senml_pack *pack = dn_senml_pack_of(decoder);
    dn_cursor cursor = {decoder->input.data + decoder->at, decoder->input.data + decoder->input.len};
    dn_senml_fields fields;
    dunlin_status status = pack->opened ? DUNLIN_OK : open_pack(&cursor, pack);
    if (status == DUNLIN_OK) {
        status = dn_json_next(&cursor, ']', &pack->first);
    }
    if (status == DUNLIN_END) {
        status = dn_json_finish(&cursor);
        return status == DUNLIN_OK ? DUNLIN_END : status;
    }
    if (status != DUNLIN_OK) {
        return status;
    }
    dn_senml_fields_start(&fields);
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
    dn_emit_byte(encoder, '[');
}

static void put_value(dn_encoder *encoder, bool *first, const dunlin_value *value)
{
    char link[DN_OBJLNK_TEXT_MAX];
    switch (value->type) {
    case DUNLIN_TYPE_STRING:
    case DUNLIN_TYPE_CORELNK:
        dn_json_put_key(encoder, first, "vs");
        dn_json_put_string(encoder, value->as.bytes);
        return;
    case DUNLIN_TYPE_BOOLEAN:
        dn_json_put_key(encoder, first, "vb");
        dn_emit_text(encoder, value->as.boolean ? "true" : "false");
        return;
    case DUNLIN_TYPE_OPAQUE:
        dn_json_put_key(encoder, first, "vd");
        dn_json_put_base64(encoder, DN_BASE64_URL, value->as.bytes);
        return;
    case DUNLIN_TYPE_OBJLNK:
        dn_json_put_key(encoder, first, "vlo");
        dn_json_put_string(encoder, dunlin_slice_make(link, dn_objlnk_format(value->as.link, link)));
        return;
    default:
        dn_json_put_key(encoder, first, "v");
        dn_senml_put_number(encoder, value);
        return;
    }
}

static void encode_put(dn_encoder *encoder, const dn_record *record)
{
    dn_senml_names *names = names_of(encoder);
    dn_senml_record_name name;
    bool first = true;
    dn_emit_text(encoder, names->started ? ",{" : "{");
    dn_senml_name(names, encoder->base, record->path, &name);
    if (name.base_len > 0) {
        dn_json_put_key(encoder, &first, "bn");
        dn_json_put_string(encoder, dunlin_slice_make(name.base, name.base_len));
    }
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
    dn_emit_byte(encoder, ']');
}

const dn_format dn_format_senml_json = {
    .number = DN_FORMAT_SENML_JSON,
    .name = "senml-json",
    .media_type = "application/senml+json",
    .many = true,
    .decode_start = dn_senml_pack_start,
    .decode_next = decode_next,
    .encode_start = encode_start,
    .encode_put = encode_put,
    .encode_finish = encode_finish,
};
