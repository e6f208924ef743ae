/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing text: what answers, metrics and events are written into. Errors stick: after a failed append (no memory, or
 * beyond `limit`) the text stays as it was and `failed` is set, so that a writer checks once at its end.
 */
#ifndef DN_API_TEXT_H
#define DN_API_TEXT_H

#include <dunlin/slice.h>

typedef struct {
    char *data; /* from malloc; NULL while empty; not terminated */
    size_t len;
    size_t cap;
    size_t limit; /* most bytes it may hold, 0: no limit */
    bool failed;
} dn_text;

/* Zero-initialised is an empty text. Frees the memory and makes it empty again. */
void dn_text_free(dn_text *text);
/* Makes room for `more` further bytes; false (and `failed`) when there is none. */
bool dn_text_reserve(dn_text *text, size_t more);
void dn_text_add(dn_text *text, const void *bytes, size_t len);
void dn_text_put(dn_text *text, const char *string);
void dn_text_char(dn_text *text, char c);
void dn_text_slice(dn_text *text, dunlin_slice slice);
/* printf; for what is not on a fast path. */
void dn_text_format(dn_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void dn_text_unsigned(dn_text *text, uint64_t number);
void dn_text_signed(dn_text *text, int64_t number);

static inline dunlin_slice dn_text_view(const dn_text *text)
{
    return dunlin_slice_make(text->data, text->len);
}

#endif
