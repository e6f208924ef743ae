/* SPDX-License-Identifier: Apache-2.0 */
/* Times as people and JSON see them: ISO 8601 (RFC 3339) in UTC. */
#ifndef DN_API_TIMESTAMP_H
#define DN_API_TIMESTAMP_H

#include <dunlin/slice.h>

#define DN_TIMESTAMP_MAX 40u

/* Writes "2026-11-22T03:00:00.123Z" and a NUL into `out` of DN_TIMESTAMP_MAX bytes; returns the length. A year beyond 9999 or before 0
   gives 0 and an empty text: RFC 3339 has no form for it. */
size_t dn_timestamp_ms(int64_t unix_ms, char *out);
/* The same without the fraction. */
size_t dn_timestamp_s(int64_t unix_s, char *out);
/* Reads an RFC 3339 date-time with "Z" or an offset; a fraction of a second is cut off. False: it is not one. */
bool dn_timestamp_parse(dunlin_slice text, int64_t *unix_s);

#endif
