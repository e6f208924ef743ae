/* SPDX-License-Identifier: Apache-2.0 */
/* What the formats for one value (text, opaque, CBOR) have in common: exactly one record, for the path asked
 * for. */
#ifndef DN_CODEC_SINGLE_H
#define DN_CODEC_SINGLE_H

#include "codec/format.h"

dunlin_status dn_single_decode_start(dn_decoder *decoder);
/* OK the first time, with the path and kind of the record filled in and its type in `type`; END from then on.
 */
dunlin_status dn_single_decode_next(dn_decoder *decoder, dn_record *record, dunlin_type *type);

void dn_single_encode_start(dn_encoder *encoder);
/* True if this is the only record and one that such a format can carry; else the error is set. */
bool dn_single_encode_put(dn_encoder *encoder, const dn_record *record);
void dn_single_encode_finish(dn_encoder *encoder);

#endif
