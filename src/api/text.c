/* SPDX-License-Identifier: Apache-2.0 */
/* A growing text; see text.h. */
#include "api/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY  256u
#define NUMBER_TEXT_MAX 20u /* digits of UINT64_MAX */

void dn_text_free(dn_text *text)
{
    free(text->data);
    size_t limit = text->limit;
    *text = (dn_text){.limit = limit};
}

bool dn_text_reserve(dn_text *text, size_t more)
{
    if (text->failed) {
        return false;
    }
    size_t needed = text->len + more;
    if (needed < more || (text->limit != 0 && needed > text->limit)) {
        text->failed = true;
        return false;
    }
    if (needed <= text->cap) {
        return true;
    }
    size_t cap = text->cap == 0 ? FIRST_CAPACITY : text->cap;
    while (cap < needed) {
        cap = cap > SIZE_MAX / 2 ? needed : cap * 2;
    }
    char *data = realloc(text->data, cap);
    if (data == NULL) {
        text->failed = true;
        return false;
    }
    text->data = data;
    text->cap = cap;
    return true;
}

void dn_text_add(dn_text *text, const void *bytes, size_t len)
{
    if (len > 0 && dn_text_reserve(text, len)) {
        memcpy(text->data + text->len, bytes, len);
        text->len += len;
    }
}

void dn_text_put(dn_text *text, const char *string)
{
    dn_text_add(text, string, strlen(string));
}

void dn_text_char(dn_text *text, char c)
{
    if (dn_text_reserve(text, 1)) {
        text->data[text->len++] = c;
    }
}

void dn_text_slice(dn_text *text, dunlin_slice slice)
{
    dn_text_add(text, slice.data, slice.len);
}

void dn_text_format(dn_text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    va_list again;
    va_copy(again, arguments);
    int len = vsnprintf(NULL, 0, format, arguments);
    if (len < 0) {
        text->failed = true;
    } else if (dn_text_reserve(text, (size_t)len + 1)) {
        vsnprintf(text->data + text->len, (size_t)len + 1, format, again);
        text->len += (size_t)len;
    }
    va_end(again);
    va_end(arguments);
}

void dn_text_unsigned(dn_text *text, uint64_t number)
{
    char digits[NUMBER_TEXT_MAX];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    dn_text_add(text, digits + at, sizeof digits - at);
}

void dn_text_signed(dn_text *text, int64_t number)
{
    if (number < 0) {
        dn_text_char(text, '-');
        dn_text_unsigned(text, 0 - (uint64_t)number);
    } else {
        dn_text_unsigned(text, (uint64_t)number);
    }
}
