/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sets of values as the test cases write them, "/1/0/1=60 /1/0/6=true": read from that text, made into a payload of any
 * content format and back, and compared. Texts are those of text/plain (Core 1.1.1 appendix C), so that values compare
 * equal whatever format carried them. It allocates.
 */
#ifndef DN_ETS_VALUES_H
#define DN_ETS_VALUES_H

#include "codec/format.h"

/* One value, or (text NULL) a path that is there without one: an instance without resources. */
typedef struct {
    dunlin_path path;
    dunlin_type type;
    char *text;
    double time_s; /* of a SenML record with a time, else 0 */
} dn_ets_value;

/* Zero-initialised: empty. */
typedef struct {
    dn_ets_value *list;
    size_t count, capacity;
    bool failed; /* no memory, once */
} dn_ets_values;

void dn_ets_values_clear(dn_ets_values *values);
/* Adds a value, its text copied; one with the same path is replaced. */
void dn_ets_values_put(dn_ets_values *values, dunlin_path path, dunlin_type type, const char *text);
/* Copies what lies within `base`. */
void dn_ets_values_copy(dn_ets_values *to, const dn_ets_values *from, dunlin_path base);
void dn_ets_values_remove(dn_ets_values *values, dunlin_path base);
/* The text at `path`, or NULL. */
const char *dn_ets_values_get(const dn_ets_values *values, dunlin_path path);
/* True when something is there at or below `path`. */
bool dn_ets_values_has(const dn_ets_values *values, dunlin_path path);

/* Reads "2=101 6=true" relative to `base`, or "/1/0/2=101" as it stands; without '=' a path only. Values hold no blank. */
dunlin_status dn_ets_values_parse(dn_ets_values *values, dunlin_path base, const char *text);
/* Reads a payload, with the types that the core Objects have. */
dunlin_status dn_ets_values_decode(dn_ets_values *values, uint16_t format, dunlin_path base,
                                   dunlin_slice payload);
/* Makes a payload of them into `out`. `base` the path of the request, the root for a composite one. */
dunlin_status dn_ets_values_encode(const dn_ets_values *values, uint16_t format, dunlin_path base,
                                   dunlin_buf *out);
/* Whether two texts are the same value of `type`: "60" and "60.0" of a float, "true" and "1" of a boolean. */
bool dn_ets_same_text(dunlin_type type, const char *a, const char *b);

/* What the core Objects' definitions say of a resource: its type (NONE: executable or not known), and whether it may be
 * written. `multiple` and `writable` may be NULL. */
dunlin_type dn_ets_type_of(dunlin_path resource, bool *multiple, bool *writable);

#endif
