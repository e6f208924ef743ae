/* SPDX-License-Identifier: Apache-2.0 */
/* Output of the encoders: sticky errors, and the same code whether bytes are written or only counted. */
#ifndef DN_CODEC_EMIT_H
#define DN_CODEC_EMIT_H

#include "codec/base64.h"
#include "codec/format.h"

#include <string.h>

/* The first error stays. Counting goes on, so that `total` tells how much space would have sufficed. */
static inline void dn_emit_fail(dn_encoder *encoder, dunlin_status status)
{
    if (encoder->error == DUNLIN_OK) {
        encoder->error = status;
    }
}

static inline void dn_emit(dn_encoder *encoder, const void *bytes, size_t len)
{
    dunlin_buf *out = &encoder->out;
    encoder->total += len;
    if (out->data == NULL || len == 0) {
        return;
    }
    if (encoder->error == DUNLIN_OK && len <= out->cap - out->len) {
        memcpy(out->data + out->len, bytes, len);
        out->len += len;
    } else {
        dn_emit_fail(encoder, DUNLIN_ERR_SPACE);
    }
}

static inline void dn_emit_byte(dn_encoder *encoder, uint8_t byte)
{
    dn_emit(encoder, &byte, 1);
}

static inline void dn_emit_slice(dn_encoder *encoder, dunlin_slice bytes)
{
    dn_emit(encoder, bytes.data, bytes.len);
}

static inline void dn_emit_text(dn_encoder *encoder, const char *text)
{
    dn_emit(encoder, text, strlen(text));
}

/* Opaque bytes as base64, by and by. */
void dn_emit_base64(dn_encoder *encoder, dn_base64_kind kind, dunlin_slice bytes);

/* Puts `bytes` before what was written from offset `at` on: for lengths and counts that are known only behind
 * their content. */
static inline void dn_emit_before(dn_encoder *encoder, size_t at, const void *bytes, size_t len)
{
    dunlin_buf *out = &encoder->out;
    dn_emit(encoder, bytes, len);
    if (out->data != NULL && encoder->error == DUNLIN_OK) {
        memmove(out->data + at + len, out->data + at, out->len - len - at);
        memcpy(out->data + at, bytes, len);
    }
}

#endif
