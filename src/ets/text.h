/* SPDX-License-Identifier: Apache-2.0 */
/* A text that grows, and names for people. */
#ifndef DN_ETS_TEXT_H
#define DN_ETS_TEXT_H

#include <dunlin/slice.h>

#include <stdarg.h>

/* Zero-initialised: empty, `data` NULL. The caller frees `data`. */
typedef struct {
    char *data; /* NUL-terminated */
    size_t len, capacity;
    bool failed; /* no memory, once: the text is not whole */
} dn_ets_text;

void dn_ets_text_add(dn_ets_text *text, const char *bytes, size_t len);
__attribute__((format(printf, 2, 3))) void dn_ets_text_printf(dn_ets_text *text, const char *format, ...);
void dn_ets_text_vprintf(dn_ets_text *text, const char *format, va_list arguments);

/* "GET", "2.05 Content"; NULL: not known. */
const char *dn_ets_code_name(uint8_t code);

#endif
