/* SPDX-License-Identifier: Apache-2.0 */
/* One record and no more. */
#include "codec/single.h"

#include "codec/emit.h"
#include "codec/types.h"

dunlin_status dn_single_decode_start(dn_decoder *decoder)
{
    decoder->state[0] = false;
    return DUNLIN_OK;
}

dunlin_status dn_single_decode_next(dn_decoder *decoder, dn_record *record, dunlin_type *type)
{
    if (decoder->state[0]) {
        return DUNLIN_END;
    }
    decoder->state[0] = true;
    decoder->at = decoder->input.len;
    record->kind = DN_RECORD_VALUE;
    record->path = decoder->base;
    *type = dn_type_at(&decoder->types, decoder->base);
    return DUNLIN_OK;
}

void dn_single_encode_start(dn_encoder *encoder)
{
    encoder->state[0] = false;
}

bool dn_single_encode_put(dn_encoder *encoder, const dn_record *record)
{
    bool fits = !encoder->state[0] && record->kind == DN_RECORD_VALUE && !record->has_time &&
                dunlin_path_equal(record->path, encoder->base);
    if (!fits) {
        dn_emit_fail(encoder, DUNLIN_ERR_UNSUPPORTED);
    }
    encoder->state[0] = true;
    return fits;
}

void dn_single_encode_finish(dn_encoder *encoder)
{
    if (!encoder->state[0]) {
        dn_emit_fail(encoder, DUNLIN_ERR_ARGUMENT);
    }
}
