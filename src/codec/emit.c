/* SPDX-License-Identifier: Apache-2.0 */
/* Output that is made in portions. */
#include "codec/emit.h"

#define PORTION 48 /* bytes at a time; a multiple of 3, so that only the last portion is padded */

void dn_emit_base64(dn_encoder *encoder, dn_base64_kind kind, dunlin_slice bytes)
{
    uint8_t text[PORTION / 3 * 4];
    for (size_t at = 0; at < bytes.len; at += PORTION) {
        size_t left = bytes.len - at;
        dunlin_slice portion = dunlin_slice_make(bytes.data + at, left < PORTION ? left : PORTION);
        dn_emit(encoder, text, dn_base64_encode(kind, portion, text));
    }
}
