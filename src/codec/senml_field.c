/* SPDX-License-Identifier: Apache-2.0 */
/* SenML fields as JSON members. */
#include "codec/senml_field.h"

#include "codec/base64.h"
#include "codec/json_write.h"

static dunlin_status read_text(dn_cursor *cursor, dunlin_buf *scratch, dn_senml_label label,
                               dn_scalar *scalar)
{
    scalar->kind = DN_SCALAR_TEXT;
    dunlin_status status = dn_json_string(cursor, scratch, &scalar->as.bytes);
    if (status == DUNLIN_OK && label == DN_SENML_DATA) {
        scalar->kind = DN_SCALAR_BYTES;
        return dn_base64_read(scalar->as.bytes, scratch, &scalar->as.bytes);
    }
    return status;
}

static dunlin_status read_scalar(dn_cursor *cursor, dunlin_buf *scratch, dn_senml_label label,
                                 dn_scalar *scalar)
{
    switch (dn_json_peek(cursor)) {
    case DN_JSON_STRING:
        return read_text(cursor, scratch, label, scalar);
    case DN_JSON_NUMBER:
        scalar->kind = DN_SCALAR_NUMBER;
        return dn_json_number(cursor, &scalar->as.number);
    case DN_JSON_BOOLEAN:
        scalar->kind = DN_SCALAR_BOOLEAN;
        return dn_json_boolean(cursor, &scalar->as.boolean);
    case DN_JSON_OBJECT:
    case DN_JSON_ARRAY:
    case DN_JSON_NULL:
        return DUNLIN_ERR_TYPE;
    default:
        return dn_json_missing(cursor);
    }
}

dunlin_status dn_senml_pack_start(dn_decoder *decoder)
{
    dn_senml_pack *pack = dn_senml_pack_of(decoder);
    dn_senml_base_start(&pack->base);
    pack->opened = false;
    pack->first = true;
    return DUNLIN_OK;
}

dunlin_status dn_senml_read_field(dn_cursor *cursor, dunlin_buf *scratch, dn_senml_label label,
                                  dn_senml_fields *fields)
{
    dn_scalar scalar;
    dunlin_status status = dn_senml_see(fields, label);
    if (status != DUNLIN_OK) {
        return status;
    }
    if (label >= DN_SENML_KNOWN_COUNT) {
        return dn_json_skip(cursor, scratch);
    }
    status = read_scalar(cursor, scratch, label, &scalar);
    return status == DUNLIN_OK ? dn_senml_take(fields, label, &scalar) : status;
}

dunlin_status dn_senml_read_fields(dn_cursor *cursor, dunlin_buf *scratch, dn_senml_label_of *label_of,
                                   dn_senml_fields *fields)
{
    bool first = true;
    dunlin_status status = dn_json_take(cursor, '{') ? DUNLIN_OK : dn_json_missing(cursor);
    while (status == DUNLIN_OK && (status = dn_json_next(cursor, '}', &first)) == DUNLIN_OK) {
        dunlin_slice key;
        dunlin_buf unused = *scratch;
        status = dn_json_key(cursor, &unused, &key);
        if (status == DUNLIN_OK) {
            status = dn_senml_read_field(cursor, scratch, label_of(key), fields);
        }
    }
    return status == DUNLIN_END ? DUNLIN_OK : status;
}

void dn_senml_put_number(dn_encoder *encoder, const dunlin_value *value)
{
    switch (value->type) {
    case DUNLIN_TYPE_INTEGER:
    case DUNLIN_TYPE_TIME:
        dn_json_put_integer(encoder, value->as.integer);
        return;
    case DUNLIN_TYPE_UNSIGNED:
        dn_json_put_unsigned(encoder, value->as.uinteger);
        return;
    case DUNLIN_TYPE_FLOAT:
        dn_json_put_double(encoder, value->as.number);
        return;
    default:
        dn_emit_fail(encoder, DUNLIN_ERR_TYPE);
        return;
    }
}
