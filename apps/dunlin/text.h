/* SPDX-License-Identifier: Apache-2.0 */
/* A growing text, for URLs, bodies and answers. Out of memory ends the program: it is a command-line tool. */
#ifndef DUNLIN_APP_TEXT_H
#define DUNLIN_APP_TEXT_H

#include <stddef.h>

typedef struct {
    char *data; /* NUL-terminated once anything was added; free with dn_text_free */
    size_t len;
    size_t cap;
} dn_text;

void dn_text_add(dn_text *text, const char *bytes, size_t len);
void dn_text_puts(dn_text *text, const char *bytes);
void dn_text_printf(dn_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Adds `bytes` percent-encoded as one URL segment or query value. */
void dn_text_percent(dn_text *text, const char *bytes);
void dn_text_clear(dn_text *text);
void dn_text_free(dn_text *text);

#endif
