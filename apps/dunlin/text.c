/* SPDX-License-Identifier: Apache-2.0 */
#include "apps/dunlin/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void reserve(dn_text *text, size_t more)
{
    const size_t need = text->len + more + 1;
    if (need <= text->cap) {
        return;
    }
    size_t cap = text->cap == 0 ? 256 : text->cap;
    while (cap < need) {
        cap *= 2;
    }
    char *data = realloc(text->data, cap);
    if (data == NULL) {
        (void)fputs("dunlin: out of memory\n", stderr);
        abort();
    }
    text->data = data;
    text->cap = cap;
}

void dn_text_add(dn_text *text, const char *bytes, size_t len)
{
    reserve(text, len);
    if (len > 0) {
        memcpy(text->data + text->len, bytes, len);
    }
    text->len += len;
    text->data[text->len] = '\0';
}

void dn_text_puts(dn_text *text, const char *bytes)
{
    dn_text_add(text, bytes, strlen(bytes));
}

void dn_text_printf(dn_text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char line[512];
    const int len = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    dn_text_add(text, line, len < 0 ? 0 : (size_t)len < sizeof line ? (size_t)len : sizeof line - 1);
}

void dn_text_percent(dn_text *text, const char *bytes)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    for (const char *at = bytes; *at != '\0'; at++) {
        if (strchr(plain, *at) != NULL) {
            dn_text_add(text, at, 1);
        } else {
            dn_text_printf(text, "%%%02X", (unsigned)(unsigned char)*at);
        }
    }
}

void dn_text_clear(dn_text *text)
{
    text->len = 0;
    dn_text_add(text, "", 0);
}

void dn_text_free(dn_text *text)
{
    free(text->data);
    *text = (dn_text){0};
}
