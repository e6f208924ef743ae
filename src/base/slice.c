/* SPDX-License-Identifier: Apache-2.0 */
/* Views and buffers: the few operations on them that are more than an initialiser. */
#include <dunlin/slice.h>

#include <string.h>

dunlin_slice dunlin_slice_of(const char *text)
{
    return dunlin_slice_make(text, text == NULL ? 0 : strlen(text));
}

bool dunlin_slice_equal(dunlin_slice a, dunlin_slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

bool dunlin_buf_append(dunlin_buf *buf, dunlin_slice bytes)
{
    if (bytes.len > buf->cap - buf->len) {
        return false;
    }
    if (bytes.len > 0) {
        memcpy(buf->data + buf->len, bytes.data, bytes.len);
        buf->len += bytes.len;
    }
    return true;
}
