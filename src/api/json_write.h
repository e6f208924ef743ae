/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes JSON into a text, piece by piece. Written here rather than by the JSON library because answers must carry unsigned 64-bit
 * integers exactly, and because an answer needs no tree in between (docs/adr/0007-jansson.md).
 *
 * The writer puts the commas; the caller pairs begin and end. Depth is limited to 64 levels.
 */
#ifndef DN_API_JSON_WRITE_H
#define DN_API_JSON_WRITE_H

#include "api/text.h"

typedef struct {
    dn_text *text;
    uint64_t filled; /* one bit per level: something stands there already */
    unsigned depth;
    bool after_key;
} dn_jsonw;

void dn_jsonw_start(dn_jsonw *json, dn_text *text);
void dn_jsonw_begin(dn_jsonw *json, char bracket);  /* '{' or '[' */
void dn_jsonw_end(dn_jsonw *json, char bracket);    /* '}' or ']' */
void dn_jsonw_key(dn_jsonw *json, const char *key); /* plain ASCII, no escapes needed */
/* A key that comes from outside: escaped like a string. */
void dn_jsonw_key_slice(dn_jsonw *json, dunlin_slice key);
/* A string value. Bytes that are not UTF-8 become U+FFFD, one for each. */
void dn_jsonw_string(dn_jsonw *json, dunlin_slice text);
void dn_jsonw_text(dn_jsonw *json, const char *text);
void dn_jsonw_unsigned(dn_jsonw *json, uint64_t number);
void dn_jsonw_signed(dn_jsonw *json, int64_t number);
/* The shortest decimal that reads back as the same double; NaN and infinities as the strings "NaN", "Infinity", "-Infinity". */
void dn_jsonw_double(dn_jsonw *json, double number);
void dn_jsonw_bool(dn_jsonw *json, bool boolean);
void dn_jsonw_null(dn_jsonw *json);
/* A string value holding `bytes` in base64. */
void dn_jsonw_base64(dn_jsonw *json, dunlin_slice bytes);
/* A string value with the time, or null when it has no ISO 8601 form. */
void dn_jsonw_time_ms(dn_jsonw *json, int64_t unix_ms);

/* A value that is JSON already. */
void dn_jsonw_raw(dn_jsonw *json, dunlin_slice value);

/* Key and value in one. */
void dn_jsonw_pair(dn_jsonw *json, const char *key, const char *text);
void dn_jsonw_pair_slice(dn_jsonw *json, const char *key, dunlin_slice text);
void dn_jsonw_pair_unsigned(dn_jsonw *json, const char *key, uint64_t number);
void dn_jsonw_pair_bool(dn_jsonw *json, const char *key, bool boolean);
void dn_jsonw_pair_time(dn_jsonw *json, const char *key, int64_t unix_ms);

#endif
