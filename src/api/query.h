/* SPDX-License-Identifier: Apache-2.0 */
/* The two parts of a request's URI: percent-encoded segments and strict query parameters. */
#ifndef DN_API_QUERY_H
#define DN_API_QUERY_H

#include <dunlin/slice.h>

#define DN_QUERY_MAX    8u  /* parameters of a request */
#define DN_SEGMENTS_MAX 12u /* segments of a path */

typedef struct {
    struct {
        const char *name;
        const char *value; /* decoded, terminated; "" if it had none */
    } parameter[DN_QUERY_MAX];
    size_t count;
} dn_query;

/* A path cut at its slashes, each segment decoded. */
typedef struct {
    dunlin_slice segment[DN_SEGMENTS_MAX];
    size_t count;
} dn_segments;

/* Cuts and decodes `text` (changed in place; it must outlive the result): "a=1&b=x%20y". False: too many, a bad or zero percent code, or a
   name twice. */
bool dn_query_parse(char *text, dn_query *query);
/* The value of `name`, or NULL. */
const char *dn_query_get(const dn_query *query, const char *name);
/* An unsigned decimal number in [least, most]; false for anything else. */
bool dn_query_number(const char *text, uint64_t least, uint64_t most, uint64_t *number);

/* Cuts and decodes a path, which starts with '/' (changed in place). False: too many segments, or a bad or zero percent code. */
bool dn_segments_parse(char *path, dn_segments *segments);

#endif
