/* SPDX-License-Identifier: Apache-2.0 */
/* Writing the pieces of JSON that the formats are made of. */
#ifndef DN_CODEC_JSON_WRITE_H
#define DN_CODEC_JSON_WRITE_H

#include "codec/base64.h"
#include "codec/emit.h"

/* A string with quotes; `text` is valid UTF-8. */
void dn_json_put_string(dn_encoder *encoder, dunlin_slice text);
void dn_json_put_base64(dn_encoder *encoder, dn_base64_kind kind, dunlin_slice bytes);
/* RANGE if the number is not finite: JSON has no way to say so. */
void dn_json_put_double(dn_encoder *encoder, double number);
void dn_json_put_integer(dn_encoder *encoder, int64_t value);
void dn_json_put_unsigned(dn_encoder *encoder, uint64_t value);

/* An object's member: `"key":`, with a comma before it unless it is the first. Inline, so that keys have
 * constant lengths. */
static inline void dn_json_put_key(dn_encoder *encoder, bool *first, const char *key)
{
    dn_emit_text(encoder, *first ? "\"" : ",\"");
    dn_emit_text(encoder, key);
    dn_emit_text(encoder, "\":");
    *first = false;
}

#endif
