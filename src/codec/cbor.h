/* SPDX-License-Identifier: Apache-2.0 */
/* CBOR (RFC 8949): reading item by item and writing in the shortest form. */
#ifndef DN_CODEC_CBOR_H
#define DN_CODEC_CBOR_H

#include "codec/cursor.h"
#include "codec/emit.h"
#include "codec/scalar.h"

#define DN_CBOR_NESTING_MAX 8 /* arrays and maps inside an item that dn_cbor_skip passes over */
#define DN_CBOR_TAGS_MAX    8 /* tags in front of one item */

enum {
    DN_CBOR_UNSIGNED = 0,
    DN_CBOR_NEGATIVE = 1,
    DN_CBOR_BYTES = 2,
    DN_CBOR_TEXT = 3,
    DN_CBOR_ARRAY = 4,
    DN_CBOR_MAP = 5,
    DN_CBOR_TAG = 6,
    DN_CBOR_SIMPLE = 7 /* and floats */
};

#define DN_CBOR_TAG_NONE         UINT64_MAX
#define DN_CBOR_TAG_DATE         0u /* text of RFC 3339 */
#define DN_CBOR_TAG_EPOCH        1u /* seconds since the Unix epoch */
#define DN_CBOR_TAG_BIG          2u
#define DN_CBOR_TAG_BIG_NEGATIVE 3u

/* The head of an item, without the tags in front of it. */
typedef struct {
    uint8_t major;
    uint8_t info;      /* the low five bits of the first byte */
    bool indefinite;   /* strings, arrays and maps that a break ends */
    uint64_t argument; /* value, length or count; the bits of a float */
    uint64_t tag;      /* the innermost tag, or DN_CBOR_TAG_NONE */
} dn_cbor_head;

/* Reads tags and head of the next item. MALFORMED (a break too), TRUNCATED, LIMIT (too many tags). */
dunlin_status dn_cbor_read_head(dn_cursor *cursor, dn_cbor_head *head);

/* What is left of an array or a map. */
typedef struct {
    bool indefinite;
    uint64_t left; /* items; a pair of a map is one */
} dn_cbor_container;

/* Opens the array or map of `head`. TRUNCATED if it cannot be complete. */
dunlin_status dn_cbor_open(const dn_cursor *cursor, const dn_cbor_head *head, dn_cbor_container *container);
/* OK if an item (in a map: a pair) follows, END behind the last one, TRUNCATED. */
dunlin_status dn_cbor_next(dn_cursor *cursor, dn_cbor_container *container);

/* The string of `head` (BYTES or TEXT): a view of the input, or of `scratch`, to which it is appended, if it
   comes in chunks. MALFORMED (also bad UTF-8), TRUNCATED, SPACE. */
dunlin_status dn_cbor_read_string(dn_cursor *cursor, const dn_cbor_head *head, dunlin_buf *scratch,
                                  dunlin_slice *out);

/*
 * The value of `head` if it is a number, a boolean, a string or a date (tag 0). TYPE for anything else,
 * UNSUPPORTED for numbers of more than 64 bits (tags 2 and 3).
 */
dunlin_status dn_cbor_read_scalar(dn_cursor *cursor, const dn_cbor_head *head, dunlin_buf *scratch,
                                  dn_scalar *out);

/* Passes over the item of `head` with all that is in it. LIMIT when it is nested too deep. */
dunlin_status dn_cbor_skip(dn_cursor *cursor, const dn_cbor_head *head);

void dn_cbor_put_head(dn_encoder *encoder, uint8_t major, uint64_t argument);
void dn_cbor_put_integer(dn_encoder *encoder, int64_t value);
void dn_cbor_put_text(dn_encoder *encoder, const void *text, size_t len);
/* In half, single or double precision, whichever is the shortest that loses nothing. */
void dn_cbor_put_double(dn_encoder *encoder, double number);
/* A value of any type but NONE; the tag of times and the key of links are the caller's matter. */
void dn_cbor_put_value(dn_encoder *encoder, const dunlin_value *value);

#define DN_CBOR_HEAD_MAX 9
/* The bytes of a head; returns their number. */
size_t dn_cbor_make_head(uint8_t major, uint64_t argument, uint8_t out[DN_CBOR_HEAD_MAX]);

#endif
