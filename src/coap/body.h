/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A body to send, in memory or read piece by piece from its owner's source, as one thing to cut blocks from
 * (RFC 7959). It keeps no bytes of its own.
 */
#ifndef DN_COAP_BODY_H
#define DN_COAP_BODY_H

#include "coap/message.h"

typedef struct {
    dunlin_slice bytes;
    const dn_coap_source *source; /* NULL: `bytes` are the body */
} dn_coap_body;

static inline dn_coap_body dn_coap_body_of(dunlin_slice bytes, const dn_coap_source *source)
{
    dn_coap_body body = {source == NULL ? bytes : dunlin_slice_make(NULL, 0), source};
    return body;
}

static inline uint64_t dn_coap_body_size(const dn_coap_body *body)
{
    return body->source != NULL ? body->source->size : body->bytes.len;
}

/* Block numbers have 20 bits (RFC 7959 section 2.2): how many bytes can be sent in blocks of that size. */
static inline uint64_t dn_coap_blocks_reach(unsigned szx)
{
    return ((uint64_t)DN_COAP_BLOCK_NUM_MAX + 1) << dn_coap_block_shift(szx);
}

/* The length of the piece at `offset` (not behind the end) in blocks of `block` bytes; `more`: others follow. */
static inline size_t dn_coap_body_cut(const dn_coap_body *body, uint64_t offset, size_t block, bool *more)
{
    uint64_t left = dn_coap_body_size(body) - offset;
    *more = left > block;
    return *more ? block : (size_t)left;
}

/* Writes `len` bytes from `offset` as the payload; what stops the writer shows there. False: the source could
 * not be read. */
bool dn_coap_body_write(const dn_coap_body *body, uint64_t offset, size_t len, dn_coap_writer *writer);

#endif
