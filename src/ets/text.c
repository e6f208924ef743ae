/* SPDX-License-Identifier: Apache-2.0 */
/* A text that grows. */
#include "ets/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool reserve(dn_ets_text *text, size_t more)
{
    if (text->capacity - text->len > more) {
        return true;
    }
    size_t capacity = text->capacity == 0 ? 256 : text->capacity;
    while (capacity - text->len <= more) {
        capacity *= 2;
    }
    char *data = realloc(text->data, capacity);
    if (data == NULL) {
        text->failed = true;
        return false;
    }
    text->data = data;
    text->capacity = capacity;
    return true;
}

void dn_ets_text_add(dn_ets_text *text, const char *bytes, size_t len)
{
    if (reserve(text, len)) {
        memcpy(text->data + text->len, bytes, len);
        text->len += len;
        text->data[text->len] = '\0';
    }
}

void dn_ets_text_vprintf(dn_ets_text *text, const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    const int len = vsnprintf(NULL, 0, format, arguments);
    if (len >= 0 && reserve(text, (size_t)len)) {
        (void)vsnprintf(text->data + text->len, (size_t)len + 1, format, again);
        text->len += (size_t)len;
    }
    va_end(again);
}

void dn_ets_text_printf(dn_ets_text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    dn_ets_text_vprintf(text, format, arguments);
    va_end(arguments);
}
