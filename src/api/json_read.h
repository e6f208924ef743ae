/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a JSON body with jansson: UTF-8 checked, duplicate keys refused. jansson has no integers beyond int64; such a number comes out as a
 * string that no JSON text can hold (it starts with a NUL), which dn_jsonr_big tells from others.
 */
#ifndef DN_API_JSON_READ_H
#define DN_API_JSON_READ_H

#include <dunlin/slice.h>

#include <jansson.h>

#define DN_JSON_ERROR_MAX 256u

/* The document, to be freed with json_decref, or NULL with `error` filled: what is wrong, with line and column. Values other than objects
   and arrays may stand at the top. */
json_t *dn_jsonr_parse(dunlin_slice text, char error[DN_JSON_ERROR_MAX]);

/* The same for a body with secrets: the error repeats no part of it but the name of a member that stands twice. */
json_t *dn_jsonr_parse_secret(dunlin_slice text, char error[DN_JSON_ERROR_MAX]);

/* True when `value` is an integer beyond int64; `digits` views its text ("18446744073709551615", "-9223372036854775809"). */
bool dn_jsonr_big(const json_t *value, dunlin_slice *digits);
/* True when `value` is a string; `text` views it. */
bool dn_jsonr_string(const json_t *value, dunlin_slice *text);
/* True when `value` is an integer in [least, most]. */
bool dn_jsonr_integer(const json_t *value, int64_t least, int64_t most, int64_t *out);

#endif
