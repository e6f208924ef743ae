/* SPDX-License-Identifier: Apache-2.0 */
/* LwM2M values as JSON and back, by type, without loss. */
#ifndef DN_API_VALUE_JSON_H
#define DN_API_VALUE_JSON_H

#include "api/json_read.h"
#include "api/json_write.h"

#include <dunlin/value.h>

void dn_value_write(dn_jsonw *json, const dunlin_value *value);

/*
 * Reads `json` as `type`; NONE takes the type that the JSON shows (string, integer or, beyond int64, unsigned, float, boolean).
 * `scratch` takes decoded bytes (opaque): room for the JSON string's length suffices. Strings view `json`.
 * Errors: TYPE: not of that type, RANGE: outside its range, MALFORMED: a text that does not read as it (base64, time, objlnk), SPACE.
 */
dunlin_status dn_value_read(const json_t *json, dunlin_type type, dunlin_buf *scratch, dunlin_value *out);
/* What a JSON value of `type` looks like, for messages: "a string in base64". */
const char *dn_value_expectation(dunlin_type type);
/* The type called `name` ("string", "integer" …; not "none"); false if there is none. */
bool dn_type_named(dunlin_slice name, dunlin_type *type);

#endif
