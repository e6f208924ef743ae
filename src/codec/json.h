/* SPDX-License-Identifier: Apache-2.0 */
/* JSON (RFC 8259) as a pull reader over the input: no tree, no copy except for strings with escapes. */
#ifndef DN_CODEC_JSON_H
#define DN_CODEC_JSON_H

#include "codec/cursor.h"
#include "codec/number.h"

#define DN_JSON_NESTING_MAX 8 /* arrays and objects inside a value that dn_json_skip passes over */

/* What kind of value comes next, told by its first byte. */
typedef enum {
    DN_JSON_END, /* the input ends here */
    DN_JSON_OBJECT,
    DN_JSON_ARRAY,
    DN_JSON_STRING,
    DN_JSON_NUMBER,
    DN_JSON_BOOLEAN,
    DN_JSON_NULL,
    DN_JSON_INVALID /* no value starts so */
} dn_json_kind;

/* Passes over white space and looks. */
dn_json_kind dn_json_peek(dn_cursor *cursor);

/* The error for something that should be here and is not: TRUNCATED at the end of the input, else MALFORMED.
 */
dunlin_status dn_json_missing(const dn_cursor *cursor);

/* Passes over white space; if `letter` comes then, takes it. */
bool dn_json_take(dn_cursor *cursor, char letter);

/*
 * The next element of an array or object, behind '[' or '{' (then `first` is true and becomes false) or
 * behind an element: OK if one follows, END if `close` was taken, else MALFORMED or TRUNCATED.
 */
dunlin_status dn_json_next(dn_cursor *cursor, char close, bool *first);

/*
 * The next value, which dn_json_peek has shown to be of that kind. A string is a view of the input, or of
 * `scratch`, to which it is appended, if it has escapes. MALFORMED (also bad UTF-8 and lone surrogates),
 * TRUNCATED, RANGE, SPACE.
 */
dunlin_status dn_json_string(dn_cursor *cursor, dunlin_buf *scratch, dunlin_slice *out);
dunlin_status dn_json_number(dn_cursor *cursor, dn_number *out);
dunlin_status dn_json_boolean(dn_cursor *cursor, bool *out);

/* An object's member name and the colon behind it. */
dunlin_status dn_json_key(dn_cursor *cursor, dunlin_buf *scratch, dunlin_slice *out);

/* Passes over one value of any kind and checks its grammar. LIMIT when it is nested too deep. */
dunlin_status dn_json_skip(dn_cursor *cursor, dunlin_buf *scratch);

/* OK if only white space is left, else MALFORMED. */
dunlin_status dn_json_finish(dn_cursor *cursor);

#endif
