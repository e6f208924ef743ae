/* SPDX-License-Identifier: Apache-2.0 */
/* A place in a view of bytes: what every reader in this folder moves along. Never leaves the view. */
#ifndef DN_CODEC_CURSOR_H
#define DN_CODEC_CURSOR_H

#include <dunlin/slice.h>

typedef struct {
    const uint8_t *at;
    const uint8_t *end;
} dn_cursor;

/* The view's `data` must not be NULL, not even for an empty view. */
static inline dn_cursor dn_cursor_make(dunlin_slice view)
{
    dn_cursor cursor = {view.data, view.data + view.len};
    return cursor;
}

static inline size_t dn_cursor_left(const dn_cursor *cursor)
{
    return (size_t)(cursor->end - cursor->at);
}

static inline bool dn_cursor_done(const dn_cursor *cursor)
{
    return cursor->at == cursor->end;
}

/* Takes `len` bytes, of which the caller knows that they are there. */
static inline dunlin_slice dn_cursor_take(dn_cursor *cursor, size_t len)
{
    dunlin_slice taken = dunlin_slice_make(cursor->at, len);
    cursor->at += len;
    return taken;
}

#endif
