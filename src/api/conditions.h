/* SPDX-License-Identifier: Apache-2.0 */
/*
 * If-Match and If-None-Match (RFC 9110 sections 13.1.1, 13.1.2, 13.2.2): whether a request may be carried out on what is there. All that is served under
 * conditions has strong validators or none.
 */
#ifndef DN_API_CONDITIONS_H
#define DN_API_CONDITIONS_H

#include <stdbool.h>
#include <stddef.h>

#define DN_CONDITION_MAX 1024u /* bytes of a header, its lines put together */

/* The headers' values; "": there is no such header. */
typedef struct {
    char match[DN_CONDITION_MAX], none_match[DN_CONDITION_MAX];
} dn_conditions;

typedef enum {
    DN_CONDITION_HOLDS,
    DN_CONDITION_NO_MATCH, /* If-Match: what is there is another one, or there is none */
    DN_CONDITION_MATCH     /* If-None-Match: there is one of those */
} dn_condition_result;

typedef struct dn_call dn_call;

/* Those of a request. False: they are not what these headers can be, and that has been answered. */
bool dn_call_conditions(dn_call *call, dn_conditions *out);
/* Whether it is "*" or a list of entity tags. */
bool dn_condition_is_formed(const char *text);
/* Puts another line of a header to what is there of it. False: it is too long. */
bool dn_condition_add(char header[DN_CONDITION_MAX], const char *line, size_t len);
bool dn_conditions_any(const dn_conditions *conditions);
/* Both must be formed. `etag` is the current one with its quotes; "": there is one, which has no tag; NULL: there is none. */
dn_condition_result dn_conditions_check(const dn_conditions *conditions, const char *etag);

#endif
