/* SPDX-License-Identifier: Apache-2.0 */
/* Lists that are given a page at a time: ?limit= and ?after=, and the "next" of an answer. */
#ifndef DN_API_PAGING_H
#define DN_API_PAGING_H

#include "api/call.h"
#include "api/json_write.h"

typedef struct {
    uint32_t limit; /* 1..1000 */
    uint64_t after; /* 0: from the start */
} dn_paging;

/* Reads the two parameters; `after` is `least` or more, and "after must be `what`." if it is not. False: answered
 * with the problem. */
bool dn_paging_read(dn_call *call, uint64_t least, const char *what, dn_paging *paging);
/* The member "next": the cursor as a string, or null for 0. */
void dn_paging_next(dn_jsonw *json, uint64_t next);

#endif
