/* SPDX-License-Identifier: Apache-2.0 */
/* CBOR reading. */
#include "codec/cbor.h"

#include "codec/date.h"
#include "codec/half.h"
#include "codec/utf8.h"

#define INFO_BITS       0x1f
#define INFO_1_BYTE     24 /* 24-27: the argument follows in 1, 2, 4 or 8 bytes */
#define INFO_8_BYTES    27
#define INFO_INDEFINITE 31
#define BREAK           0xff
#define SIMPLE_FALSE    20
#define SIMPLE_TRUE     21
#define SIMPLE_RESERVED 32 /* simple values below it must not have an argument byte */

static uint64_t load(const uint8_t *bytes, size_t len)
{
    uint64_t value = 0;
    for (size_t i = 0; i < len; i++) {
        value = value << 8 | bytes[i];
    }
    return value;
}

static bool may_be_indefinite(uint8_t major)
{
    return major >= DN_CBOR_BYTES && major <= DN_CBOR_MAP;
}

/* One initial byte with its argument (RFC 8949 section 3). */
static dunlin_status read_initial(dn_cursor *cursor, dn_cbor_head *head)
{
    if (dn_cursor_done(cursor)) {
        return DUNLIN_ERR_TRUNCATED;
    }
    uint8_t initial = *cursor->at++;
    head->major = initial >> 5;
    head->info = initial & INFO_BITS;
    head->indefinite = false;
    head->argument = head->info;
    if (head->info < INFO_1_BYTE) {
        return DUNLIN_OK;
    }
    if (head->info == INFO_INDEFINITE && may_be_indefinite(head->major)) {
        head->indefinite = true;
        head->argument = 0;
        return DUNLIN_OK;
    }
    if (head->info > INFO_8_BYTES) {
        return DUNLIN_ERR_MALFORMED;
    }
    size_t len = (size_t)1 << (head->info - INFO_1_BYTE);
    if (len > dn_cursor_left(cursor)) {
        return DUNLIN_ERR_TRUNCATED;
    }
    head->argument = load(cursor->at, len);
    cursor->at += len;
    bool reserved = head->major == DN_CBOR_SIMPLE && len == 1 && head->argument < SIMPLE_RESERVED;
    return reserved ? DUNLIN_ERR_MALFORMED : DUNLIN_OK;
}

dunlin_status dn_cbor_read_head(dn_cursor *cursor, dn_cbor_head *head)
{
    head->tag = DN_CBOR_TAG_NONE;
    for (unsigned tags = 0; tags <= DN_CBOR_TAGS_MAX; tags++) {
        dunlin_status status = read_initial(cursor, head);
        if (status != DUNLIN_OK || head->major != DN_CBOR_TAG) {
            return status;
        }
        head->tag = head->argument;
    }
    return DUNLIN_ERR_LIMIT;
}

dunlin_status dn_cbor_open(const dn_cursor *cursor, const dn_cbor_head *head, dn_cbor_container *container)
{
    /* Each item takes a byte at least, so that a count beyond the input is a lie. */
    size_t most = dn_cursor_left(cursor) / (head->major == DN_CBOR_MAP ? 2 : 1);
    container->indefinite = head->indefinite;
    container->left = head->argument;
    return head->argument > most ? DUNLIN_ERR_TRUNCATED : DUNLIN_OK;
}

dunlin_status dn_cbor_next(dn_cursor *cursor, dn_cbor_container *container)
{
    if (!container->indefinite) {
        if (container->left == 0) {
            return DUNLIN_END;
        }
        container->left--;
        return DUNLIN_OK;
    }
    if (dn_cursor_done(cursor)) {
        return DUNLIN_ERR_TRUNCATED;
    }
    if (*cursor->at == BREAK) {
        cursor->at++;
        return DUNLIN_END;
    }
    return DUNLIN_OK;
}

/* A string of definite length, or one chunk; each must be valid by itself (section 3.2.3). */
static dunlin_status read_chunk(dn_cursor *cursor, const dn_cbor_head *head, dunlin_slice *out)
{
    if (head->argument > dn_cursor_left(cursor)) {
        return DUNLIN_ERR_TRUNCATED;
    }
    *out = dn_cursor_take(cursor, (size_t)head->argument);
    return head->major == DN_CBOR_BYTES || dn_utf8_valid(*out) ? DUNLIN_OK : DUNLIN_ERR_MALFORMED;
}

/* The next chunk of an indefinite string: OK, END behind the last one, or an error. */
static dunlin_status next_chunk(dn_cursor *cursor, uint8_t major, dunlin_slice *out)
{
    dn_cbor_container chunks = {true, 0};
    dunlin_status status = dn_cbor_next(cursor, &chunks);
    if (status != DUNLIN_OK) {
        return status;
    }
    dn_cbor_head head;
    status = read_initial(cursor, &head);
    if (status == DUNLIN_OK && (head.major != major || head.indefinite)) {
        return DUNLIN_ERR_MALFORMED;
    }
    return status == DUNLIN_OK ? read_chunk(cursor, &head, out) : status;
}

dunlin_status dn_cbor_read_string(dn_cursor *cursor, const dn_cbor_head *head, dunlin_buf *scratch,
                                  dunlin_slice *out)
{
    if (!head->indefinite) {
        return read_chunk(cursor, head, out);
    }
    size_t start = scratch->len;
    dunlin_slice chunk;
    dunlin_status status;
    while ((status = next_chunk(cursor, head->major, &chunk)) == DUNLIN_OK) {
        if (!dunlin_buf_append(scratch, chunk)) {
            return DUNLIN_ERR_SPACE;
        }
    }
    *out = dunlin_slice_make(scratch->len > start ? scratch->data + start : cursor->at, scratch->len - start);
    return status == DUNLIN_END ? DUNLIN_OK : status;
}

static dunlin_status read_simple(const dn_cbor_head *head, dn_scalar *out)
{
    switch (head->info) {
    case SIMPLE_FALSE:
    case SIMPLE_TRUE:
        out->kind = DN_SCALAR_BOOLEAN;
        out->as.boolean = head->info == SIMPLE_TRUE;
        return DUNLIN_OK;
    case INFO_1_BYTE + 1:
        out->as.number = dn_number_of_double(dn_half_to_double((uint16_t)head->argument));
        break;
    case INFO_1_BYTE + 2:
        out->as.number = dn_number_of_double((double)dn_single_of((uint32_t)head->argument));
        break;
    case INFO_8_BYTES:
        out->as.number = dn_number_of_double(dn_double_of(head->argument));
        break;
    default: /* null, undefined, unassigned */
        return DUNLIN_ERR_TYPE;
    }
    out->kind = head->tag == DN_CBOR_TAG_EPOCH ? DN_SCALAR_TIME : DN_SCALAR_NUMBER;
    return DUNLIN_OK;
}

static dunlin_status read_integer(const dn_cbor_head *head, dn_scalar *out)
{
    bool negative = head->major == DN_CBOR_NEGATIVE;
    out->kind = head->tag == DN_CBOR_TAG_EPOCH ? DN_SCALAR_TIME : DN_SCALAR_NUMBER;
    if (negative && head->argument == UINT64_MAX) {
        const dn_number beyond = {false, true, 0, -1.0 - (double)UINT64_MAX};
        out->as.number = beyond;
    } else {
        out->as.number = dn_number_of_unsigned(head->argument + negative, negative);
    }
    return DUNLIN_OK;
}

static dunlin_status read_date(dunlin_slice text, dn_scalar *out)
{
    int64_t unix_s = 0;
    dunlin_status status = dn_date_read(text, &unix_s);
    out->kind = DN_SCALAR_TIME;
    out->as.number = dn_number_of_integer(unix_s);
    return status;
}

dunlin_status dn_cbor_read_scalar(dn_cursor *cursor, const dn_cbor_head *head, dunlin_buf *scratch,
                                  dn_scalar *out)
{
    dunlin_status status;
    switch (head->major) {
    case DN_CBOR_UNSIGNED:
    case DN_CBOR_NEGATIVE:
        return read_integer(head, out);
    case DN_CBOR_BYTES:
        if (head->tag == DN_CBOR_TAG_BIG || head->tag == DN_CBOR_TAG_BIG_NEGATIVE) {
            return DUNLIN_ERR_UNSUPPORTED;
        }
        out->kind = DN_SCALAR_BYTES;
        return dn_cbor_read_string(cursor, head, scratch, &out->as.bytes);
    case DN_CBOR_TEXT:
        out->kind = DN_SCALAR_TEXT;
        status = dn_cbor_read_string(cursor, head, scratch, &out->as.bytes);
        return status == DUNLIN_OK && head->tag == DN_CBOR_TAG_DATE ? read_date(out->as.bytes, out) : status;
    case DN_CBOR_SIMPLE:
        return read_simple(head, out);
    default:
        return DUNLIN_ERR_TYPE;
    }
}

/* An array or map that a skip is inside of. */
typedef struct {
    dn_cbor_container container;
    bool map;
    bool value_due; /* a pair's key was passed */
} level;

static dunlin_status skip_string(dn_cursor *cursor, const dn_cbor_head *head)
{
    dunlin_slice chunk;
    if (!head->indefinite) {
        return read_chunk(cursor, head, &chunk);
    }
    dunlin_status status;
    do {
        status = next_chunk(cursor, head->major, &chunk);
    } while (status == DUNLIN_OK);
    return status == DUNLIN_END ? DUNLIN_OK : status;
}

/* Leaves the containers that end here: OK if an item follows, END when none is open any more. */
static dunlin_status leave_levels(dn_cursor *cursor, level *levels, unsigned *depth)
{
    while (*depth > 0) {
        level *inner = &levels[*depth - 1];
        if (inner->value_due) {
            inner->value_due = false;
            return DUNLIN_OK;
        }
        dunlin_status status = dn_cbor_next(cursor, &inner->container);
        if (status != DUNLIN_END) {
            inner->value_due = inner->map;
            return status;
        }
        (*depth)--;
    }
    return DUNLIN_END;
}

dunlin_status dn_cbor_skip(dn_cursor *cursor, const dn_cbor_head *first)
{
    level levels[DN_CBOR_NESTING_MAX];
    unsigned depth = 0;
    dn_cbor_head head = *first;
    for (;;) {
        dunlin_status status = DUNLIN_OK;
        if (head.major == DN_CBOR_ARRAY || head.major == DN_CBOR_MAP) {
            if (depth == DN_CBOR_NESTING_MAX) {
                return DUNLIN_ERR_LIMIT;
            }
            level *inner = &levels[depth++];
            inner->map = head.major == DN_CBOR_MAP;
            inner->value_due = false;
            status = dn_cbor_open(cursor, &head, &inner->container);
        } else if (head.major == DN_CBOR_BYTES || head.major == DN_CBOR_TEXT) {
            status = skip_string(cursor, &head);
        }
        if (status == DUNLIN_OK) {
            status = leave_levels(cursor, levels, &depth);
        }
        if (status == DUNLIN_OK) {
            status = dn_cbor_read_head(cursor, &head);
        }
        if (status != DUNLIN_OK) {
            return status == DUNLIN_END ? DUNLIN_OK : status;
        }
    }
}
