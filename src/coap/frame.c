/* SPDX-License-Identifier: Apache-2.0 */
/* Finds messages in a stream. What lies whole in the bytes at hand is not copied. */
#include "coap/frame.h"

#include <string.h>

#define TOKEN_MAX  8
#define BASE_ONE   13u    /* what the extensions of the length count from */
#define BASE_TWO   269u   /* (RFC 8323 section 3.2) */
#define BASE_FOUR  65805u /* of 1, 2 and 4 bytes */
#define ABORT_CODE 0xe5u  /* 7.05 */

dunlin_status dn_coap_frame_length(dunlin_slice bytes, uint64_t *len)
{
    static const uint8_t extension[] = {[13] = 1, [14] = 2, [15] = 4};
    static const uint32_t base[] = {[13] = BASE_ONE, [14] = BASE_TWO, [15] = BASE_FOUR};
    if (bytes.len == 0) {
        return DUNLIN_ERR_TRUNCATED;
    }
    unsigned nibble = bytes.data[0] >> 4, token_len = bytes.data[0] & 15u;
    if (token_len > TOKEN_MAX) {
        return DUNLIN_ERR_MALFORMED;
    }
    size_t more = extension[nibble];
    if (bytes.len < 1 + more) {
        return DUNLIN_ERR_TRUNCATED;
    }
    uint64_t value = 0;
    for (size_t i = 0; i < more; i++) {
        value = value << 8 | bytes.data[1 + i];
    }
    value = more == 0 ? nibble : value + base[nibble];
    *len = 1 + more + 1 + token_len + value; /* the code stands behind the length */
    return DUNLIN_OK;
}

static void keep(dn_coap_assembler *assembler, dunlin_slice *bytes, size_t count)
{
    memcpy(assembler->memory + assembler->used, bytes->data, count);
    assembler->used += count;
    bytes->data += count;
    bytes->len -= count;
}

/* The length of the message of which the memory holds the beginning, with as many of `bytes` as tell it. */
static dunlin_status begun_length(dn_coap_assembler *assembler, dunlin_slice *bytes, uint64_t *length)
{
    dunlin_status status;
    while ((status = dn_coap_frame_length(dunlin_slice_make(assembler->memory, assembler->used), length)) ==
               DUNLIN_ERR_TRUNCATED &&
           bytes->len > 0) {
        if (assembler->used == assembler->size) {
            return DUNLIN_ERR_RANGE;
        }
        keep(assembler, bytes, 1);
    }
    return status;
}

/* The next whole message, taken out of `bytes`. TRUNCATED: there is none yet, and nothing is left of them. */
static dunlin_status next_message(dn_coap_assembler *assembler, dunlin_slice *bytes, dunlin_slice *message)
{
    uint64_t length;
    bool begun = assembler->used > 0;
    dunlin_status status =
        begun ? begun_length(assembler, bytes, &length) : dn_coap_frame_length(*bytes, &length);
    if (status == DUNLIN_OK && length > assembler->size) {
        return DUNLIN_ERR_RANGE;
    }
    if (status == DUNLIN_OK && !begun && bytes->len >= length) {
        *message = dunlin_slice_make(bytes->data, (size_t)length);
        bytes->data += length;
        bytes->len -= (size_t)length;
        return DUNLIN_OK;
    }
    if (status != DUNLIN_OK && status != DUNLIN_ERR_TRUNCATED) {
        return status;
    }
    size_t missing =
        status == DUNLIN_OK ? (size_t)length - assembler->used : assembler->size - assembler->used;
    size_t count = bytes->len < missing ? bytes->len : missing;
    if (count > 0) {
        keep(assembler, bytes, count);
    }
    if (status != DUNLIN_OK || assembler->used < length) {
        return bytes->len == 0 ? DUNLIN_ERR_TRUNCATED : DUNLIN_ERR_RANGE;
    }
    *message = dunlin_slice_make(assembler->memory, assembler->used);
    assembler->used = 0;
    return DUNLIN_OK;
}

dunlin_status dn_coap_assemble(dn_coap_assembler *assembler, dunlin_slice bytes,
                               bool (*message)(void *context, dunlin_slice message), void *context)
{
    while (bytes.len > 0) {
        dunlin_slice whole;
        dunlin_status status = next_message(assembler, &bytes, &whole);
        if (status == DUNLIN_ERR_TRUNCATED) {
            return DUNLIN_OK;
        }
        if (status != DUNLIN_OK) {
            return status;
        }
        if (!message(context, whole)) {
            return DUNLIN_ERR_CANCELLED;
        }
    }
    return DUNLIN_OK;
}

dunlin_slice dn_coap_frame_abort(dunlin_status status, uint8_t out[DN_COAP_FRAME_ABORT_MAX])
{
    dunlin_slice text =
        dunlin_slice_of(status == DUNLIN_ERR_RANGE ? "message too large" : "malformed message");
    size_t length = 1 + text.len; /* with the payload marker */
    out[0] = (uint8_t)(BASE_ONE << 4);
    out[1] = (uint8_t)(length - BASE_ONE);
    out[2] = ABORT_CODE;
    out[3] = 0xff;
    memcpy(out + 4, text.data, text.len);
    return dunlin_slice_make(out, 4 + text.len);
}
