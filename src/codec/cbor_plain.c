/* SPDX-License-Identifier: Apache-2.0 */
/* The CBOR format: one item. Times are written with tag 1; links are text. */
#include "codec/cbor_plain.h"

#include "codec/cbor.h"
#include "codec/single.h"

static dunlin_status decode_next(dn_decoder *decoder, dn_record *record)
{
    dn_cursor cursor = dn_cursor_make(decoder->input);
    dn_cbor_head head;
    dn_scalar scalar;
    dunlin_type type;
    dunlin_status status = dn_single_decode_next(decoder, record, &type);
    if (status == DUNLIN_OK) {
        status = dn_cbor_read_head(&cursor, &head);
    }
    if (status == DUNLIN_OK) {
        status = dn_cbor_read_scalar(&cursor, &head, &decoder->scratch, &scalar);
    }
    if (status != DUNLIN_OK) {
        return status;
    }
    if (!dn_cursor_done(&cursor)) {
        return DUNLIN_ERR_MALFORMED;
    }
    return dn_scalar_to_value(&scalar, type, &record->value);
}

static void encode_put(dn_encoder *encoder, const dn_record *record)
{
    if (!dn_single_encode_put(encoder, record)) {
        return;
    }
    if (record->value.type == DUNLIN_TYPE_TIME) {
        dn_cbor_put_head(encoder, DN_CBOR_TAG, DN_CBOR_TAG_EPOCH);
    }
    dn_cbor_put_value(encoder, &record->value);
}

const dn_format dn_format_cbor = {
    .number = DN_FORMAT_CBOR,
    .name = "cbor",
    .media_type = "application/cbor",
    .many = false,
    .decode_start = dn_single_decode_start,
    .decode_next = decode_next,
    .encode_start = dn_single_encode_start,
    .encode_put = encode_put,
    .encode_finish = dn_single_encode_finish,
};
