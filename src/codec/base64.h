/* SPDX-License-Identifier: Apache-2.0 */
/* Base64 (RFC 4648): opaque values in text and JSON. */
#ifndef DN_CODEC_BASE64_H
#define DN_CODEC_BASE64_H

#include <dunlin/slice.h>
#include <dunlin/status.h>

/*
 * Decodes either alphabet ("+/" or "-_"), with or without padding, into `out`, which holds at least len - len
 * / 4 bytes or is `text.data` itself (the result never overtakes the text). MALFORMED for any other
 * character, a length that no encoder gives, padding that does not fit, or bits that are left over and not
 * zero.
 */
dunlin_status dn_base64_decode(dunlin_slice text, uint8_t *out, size_t *len);

/* The same into `scratch`, to which it is appended, or in place if `text` lies there already. SPACE if it
 * does not fit. */
dunlin_status dn_base64_read(dunlin_slice text, dunlin_buf *scratch, dunlin_slice *out);

typedef enum {
    DN_BASE64_PADDED, /* section 4: "+/" and padding */
    DN_BASE64_URL     /* section 5: "-_" without padding */
} dn_base64_kind;

/* The length that `len` bytes have when encoded. */
size_t dn_base64_length(dn_base64_kind kind, size_t len);

/* Encodes into `out`, which holds dn_base64_length characters, and returns their number. */
size_t dn_base64_encode(dn_base64_kind kind, dunlin_slice bytes, uint8_t *out);

#endif
