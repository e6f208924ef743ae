/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One CoAP message as bytes and as fields, in a datagram (RFC 7252 section 3) or on a stream (RFC 8323 section 3.2). It
 * knows the options' numbers and forms, not what they ask for; it keeps nothing.
 */
#ifndef DN_COAP_MESSAGE_H
#define DN_COAP_MESSAGE_H

#include "coap/engine.h"

typedef enum { DN_COAP_CON = 0, DN_COAP_NON = 1, DN_COAP_ACK = 2, DN_COAP_RST = 3 } dn_coap_type;

#define DN_COAP_HEADER_LEN    4
#define DN_COAP_SZX_MAX       6
#define DN_COAP_SZX_RESERVED  7 /* in datagrams no size (RFC 7959 section 2.2) */
#define DN_COAP_SZX_BERT      7 /* on streams: so many times 1024 bytes as fit (RFC 8323 section 6) */
#define DN_COAP_BLOCK_NUM_MAX 0xfffffu

/* A Block1 or Block2 option (RFC 7959 section 2.2). */
typedef struct {
    uint32_t num;
    uint8_t szx;
    bool more;
} dn_coap_block;

/* The exponent of what block numbers count in: 16 to 1024 bytes. */
static inline unsigned dn_coap_block_shift(unsigned szx)
{
    return (szx < DN_COAP_SZX_MAX ? szx : DN_COAP_SZX_MAX) + 4;
}

/* The size of a block; with BERT, what it is a multiple of. */
static inline size_t dn_coap_block_size(unsigned szx)
{
    return (size_t)1 << dn_coap_block_shift(szx);
}

static inline size_t dn_coap_block_offset(const dn_coap_block *block)
{
    return (size_t)block->num << dn_coap_block_shift(block->szx);
}

/* True when a block may have so many bytes: all of them but the last are full (RFC 7959 section 2.2, RFC 8323 section 6). */
static inline bool dn_coap_block_fits(const dn_coap_block *block, size_t len)
{
    size_t size = dn_coap_block_size(block->szx);
    if (block->szx == DN_COAP_SZX_BERT) {
        return !block->more || (len > 0 && len % size == 0);
    }
    return block->more ? len == size : len <= size;
}

static inline uint32_t dn_coap_block_value(const dn_coap_block *block)
{
    return block->num << 4 | (block->more ? 8u : 0u) | block->szx;
}

/* Which of the fields below are there. */
enum {
    DN_COAP_HAS_BLOCK1 = 1,
    DN_COAP_HAS_BLOCK2 = 2,
    DN_COAP_HAS_SIZE1 = 4,
    DN_COAP_HAS_SIZE2 = 8,
    DN_COAP_HAS_ETAG = 16,
    DN_COAP_HAS_PROXY = 32
};

/* A message that was read; all views are into the datagram. */
typedef struct {
    uint8_t type, code;
    uint16_t mid;
    dn_coap_token token;
    dn_coap_options options;
    dunlin_slice payload;
    uint16_t content_format, accept; /* DN_COAP_NO_FORMAT if absent */
    int32_t observe;                 /* DN_COAP_NO_OBSERVE if absent */
    uint8_t has;
    dn_coap_block block1, block2;
    uint32_t size1, size2;
    dunlin_slice etag;   /* the first one */
    uint16_t bad_option; /* the first critical option that is unknown, too long or short, or repeated
                            (section 5.4); else 0 */
} dn_coap_message;

/*
 * OK: all fields set. TRUNCATED: no header, or another version: to be ignored silently (section 3).
 * MALFORMED: only type and mid are set; the message is to be rejected (sections 4.2 and 4.3).
 */
dunlin_status dn_coap_message_read(dn_coap_message *message, dunlin_slice datagram);

/*
 * The same of a whole message on a stream. It has neither type nor id: the type is set to CON, since nothing is lost. Options of
 * signalling messages have numbers of their own, so of 7.xx only code, token, options and payload mean anything. RANGE: it does not end where it
 * says; MALFORMED otherwise.
 */
dunlin_status dn_coap_message_read_framed(dn_coap_message *message, dunlin_slice bytes);
/* Turns a written message into one for a stream, in place: it ends where it did, and begins up to two bytes behind its
   begin, or, if it is longer than 65,808 bytes, up to DN_COAP_FRAME_AHEAD before it. */
#define DN_COAP_FRAME_AHEAD 2
dunlin_slice dn_coap_message_frame(uint8_t *message, size_t len);

static inline bool dn_coap_is_signal(uint8_t code)
{
    return code >> 5 == 7;
}

static inline bool dn_coap_is_request(uint8_t code)
{
    return code >> 5 == 0 && code != DN_COAP_EMPTY;
}

static inline bool dn_coap_token_equal(const dn_coap_token *a, const dn_coap_token *b)
{
    return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

/* Writes a message front to back; errors stick and show in `failed`. */
typedef struct {
    uint8_t *data;
    size_t len, cap;
    uint16_t number; /* of the last option */
    bool failed;     /* no room, or options out of order */
} dn_coap_writer;

void dn_coap_write_header(dn_coap_writer *writer, uint8_t *data, size_t cap, dn_coap_type type, uint8_t code,
                          uint16_t mid, const dn_coap_token *token);
void dn_coap_write_option(dn_coap_writer *writer, uint16_t number, dunlin_slice value);
void dn_coap_write_payload(dn_coap_writer *writer, dunlin_slice payload);
/* Room for a payload of `len` bytes, to be filled by the caller. NULL: it needs none, or there is none. */
uint8_t *dn_coap_write_room(dn_coap_writer *writer, size_t len);
/* An empty message: ACK, RST or ping. */
void dn_coap_write_empty(uint8_t out[DN_COAP_HEADER_LEN], dn_coap_type type, uint16_t mid);

#endif
