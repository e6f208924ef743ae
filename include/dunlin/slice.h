/* SPDX-License-Identifier: Apache-2.0 */
/* Views and buffers: a pointer never travels without its length. */
#ifndef DUNLIN_SLICE_H
#define DUNLIN_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A read-only view of bytes that somebody else owns. `data` may be NULL only when `len` is 0. */
typedef struct {
    const uint8_t *data;
    size_t len;
} dunlin_slice;

/* A writable region of `cap` bytes, of which the first `len` are used. */
typedef struct {
    uint8_t *data;
    size_t len;
    size_t cap;
} dunlin_buf;

/* The view of a NUL-terminated string without its NUL; NULL gives the empty view. */
dunlin_slice dunlin_slice_of(const char *text);

static inline dunlin_slice dunlin_slice_make(const void *data, size_t len)
{
    dunlin_slice s = {(const uint8_t *)data, len};
    return s;
}

static inline dunlin_buf dunlin_buf_make(void *data, size_t cap)
{
    dunlin_buf b = {(uint8_t *)data, 0, cap};
    return b;
}

static inline dunlin_slice dunlin_buf_view(const dunlin_buf *buf)
{
    return dunlin_slice_make(buf->data, buf->len);
}

/* True when both views hold the same bytes. */
bool dunlin_slice_equal(dunlin_slice a, dunlin_slice b);

/* Appends `bytes`, or leaves the buffer as it was and returns false when they do not fit. */
bool dunlin_buf_append(dunlin_buf *buf, dunlin_slice bytes);

#endif
