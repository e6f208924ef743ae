/* SPDX-License-Identifier: Apache-2.0 */
/* The opaque format: the payload is the value. */
#include "codec/opaque.h"

#include "codec/emit.h"
#include "codec/single.h"

static dunlin_status decode_next(dn_decoder *decoder, dn_record *record)
{
    dunlin_type type;
    dunlin_status status = dn_single_decode_next(decoder, record, &type);
    if (status != DUNLIN_OK) {
        return status;
    }
    record->value = dunlin_opaque(decoder->input);
    return type == DUNLIN_TYPE_OPAQUE || type == DUNLIN_TYPE_NONE ? DUNLIN_OK : DUNLIN_ERR_TYPE;
}

static void encode_put(dn_encoder *encoder, const dn_record *record)
{
    if (!dn_single_encode_put(encoder, record)) {
        return;
    }
    if (record->value.type != DUNLIN_TYPE_OPAQUE) {
        dn_emit_fail(encoder, DUNLIN_ERR_TYPE);
        return;
    }
    dn_emit_slice(encoder, record->value.as.bytes);
}

const dn_format dn_format_opaque = {
    .number = DN_FORMAT_OPAQUE,
    .name = "opaque",
    .media_type = "application/octet-stream",
    .many = false,
    .decode_start = dn_single_decode_start,
    .decode_next = decode_next,
    .encode_start = dn_single_encode_start,
    .encode_put = encode_put,
    .encode_finish = dn_single_encode_finish,
};
