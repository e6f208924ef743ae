/* SPDX-License-Identifier: Apache-2.0 */
/* The table of formats, and the checks that all of them share. */
#include "codec/format.h"

#include "codec/cbor_plain.h"
#include "codec/emit.h"
#include "codec/lwm2m_json.h"
#include "codec/opaque.h"
#include "codec/senml_cbor.h"
#include "codec/senml_json.h"
#include "codec/text.h"
#include "codec/tlv.h"
#include "codec/utf8.h"

#define RESOURCE_DEPTH 3

static const dn_format *const formats[] = {
    &dn_format_text,       &dn_format_opaque, &dn_format_cbor,       &dn_format_senml_json,
    &dn_format_senml_cbor, &dn_format_tlv,    &dn_format_lwm2m_json,
};
enum { FORMAT_COUNT = sizeof formats / sizeof formats[0] };

uint16_t dn_format_canonical(uint16_t number)
{
    switch (number) {
    case 1541:
        return DN_FORMAT_TEXT;
    case 1542:
        return DN_FORMAT_TLV;
    case 1543:
        return DN_FORMAT_LWM2M_JSON;
    default:
        return number;
    }
}

const dn_format *dn_format_find(uint16_t number)
{
    number = dn_format_canonical(number);
    for (size_t i = 0; i < FORMAT_COUNT; i++) {
        if (formats[i]->number == number) {
            return formats[i];
        }
    }
    return NULL;
}

const dn_format *dn_format_find_name(const char *name)
{
    for (size_t i = 0; i < FORMAT_COUNT; i++) {
        if (strcmp(formats[i]->name, name) == 0) {
            return formats[i];
        }
    }
    return NULL;
}

static bool serves(const dn_format *format, dunlin_path base)
{
    return format != NULL && (format->many || base.depth >= RESOURCE_DEPTH);
}

dunlin_status dn_decode(dn_decoder *decoder, uint16_t format, dunlin_path base, dunlin_slice input,
                        dn_types types, dunlin_buf scratch)
{
    static const uint8_t nothing[1] = {0};
    decoder->format = dn_format_find(format);
    decoder->input = input.len > 0 ? input : dunlin_slice_make(nothing, 0);
    decoder->at = 0;
    decoder->base = base;
    decoder->root = dunlin_slice_make(NULL, 0);
    decoder->types = types;
    decoder->scratch = scratch;
    decoder->any = false;
    decoder->error =
        serves(decoder->format, base) ? decoder->format->decode_start(decoder) : DUNLIN_ERR_UNSUPPORTED;
    return decoder->error;
}

static dunlin_status check_record(dn_decoder *decoder, const dn_record *record)
{
    if (!dunlin_path_within(record->path, decoder->base)) {
        return DUNLIN_ERR_PATH;
    }
    double time_s = record->has_time ? record->time_s : 0;
    if (decoder->any && dunlin_path_equal(record->path, decoder->last) && time_s == decoder->last_time_s) {
        return DUNLIN_ERR_DUPLICATE;
    }
    decoder->any = true;
    decoder->last = record->path;
    decoder->last_time_s = time_s;
    return DUNLIN_OK;
}

dunlin_status dn_decode_next(dn_decoder *decoder, dn_record *record)
{
    if (decoder->error != DUNLIN_OK) {
        return decoder->error;
    }
    decoder->scratch.len = 0;
    record->kind = DN_RECORD_EMPTY;
    record->value.type = DUNLIN_TYPE_NONE;
    record->multiple = false;
    record->relative = false;
    record->has_time = false;
    record->time_s = 0;
    decoder->error = decoder->format->decode_next(decoder, record);
    if (decoder->error == DUNLIN_OK) {
        record->multiple = record->multiple || record->path.depth > RESOURCE_DEPTH;
        decoder->error = check_record(decoder, record);
    }
    return decoder->error;
}

dunlin_status dn_encode(dn_encoder *encoder, uint16_t format, dunlin_path base, dunlin_buf out)
{
    encoder->format = dn_format_find(format);
    encoder->out = out;
    encoder->out.len = 0;
    encoder->total = 0;
    encoder->base = base;
    encoder->error = serves(encoder->format, base) ? DUNLIN_OK : DUNLIN_ERR_UNSUPPORTED;
    if (encoder->error == DUNLIN_OK) {
        encoder->format->encode_start(encoder);
    }
    return encoder->error;
}

/* Only TLV can leave out an id, that of the Object Instance. */
static bool has_ids(const dn_encoder *encoder, dunlin_path path)
{
    for (unsigned i = 0; i < path.depth; i++) {
        if (path.id[i] == DUNLIN_ID_NONE && (i != 1 || encoder->format != &dn_format_tlv)) {
            return false;
        }
    }
    return true;
}

static dunlin_status check_value(const dn_record *record)
{
    const dunlin_value *value = &record->value;
    if (record->kind == DN_RECORD_EMPTY) {
        return DUNLIN_OK;
    }
    if (record->path.depth < RESOURCE_DEPTH) {
        return DUNLIN_ERR_ARGUMENT;
    }
    if (value->type == DUNLIN_TYPE_STRING || value->type == DUNLIN_TYPE_CORELNK) {
        return dn_utf8_valid(value->as.bytes) ? DUNLIN_OK : DUNLIN_ERR_MALFORMED;
    }
    return value->type == DUNLIN_TYPE_NONE ? DUNLIN_ERR_TYPE : DUNLIN_OK;
}

/* The errors after which it makes no sense to go on. After SPACE it does: the length is still counted. */
static bool is_lost(const dn_encoder *encoder)
{
    return encoder->error != DUNLIN_OK && encoder->error != DUNLIN_ERR_SPACE;
}

void dn_encode_put(dn_encoder *encoder, const dn_record *record)
{
    if (is_lost(encoder)) {
        return;
    }
    dunlin_status status = check_value(record);
    if (!dunlin_path_within(record->path, encoder->base)) {
        status = DUNLIN_ERR_PATH;
    } else if (!has_ids(encoder, record->path)) {
        status = DUNLIN_ERR_ARGUMENT;
    }
    if (status != DUNLIN_OK) {
        encoder->error = status;
        return;
    }
    encoder->format->encode_put(encoder, record);
}

dunlin_status dn_encode_finish(dn_encoder *encoder, dunlin_slice *payload)
{
    if (!is_lost(encoder)) {
        encoder->format->encode_finish(encoder);
    }
    *payload = dunlin_slice_make(encoder->out.data, encoder->error == DUNLIN_OK ? encoder->total : 0);
    return encoder->error;
}
