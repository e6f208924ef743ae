/* SPDX-License-Identifier: Apache-2.0 */
/* Lists that are given a page at a time: ?limit=, ?after= and ?search=, and the "next" of an answer. */
#ifndef DN_API_PAGING_H
#define DN_API_PAGING_H

#include "api/call.h"
#include "api/json_write.h"

typedef struct {
    uint32_t limit; /* 1..1000 */
    uint64_t after; /* 0: from the start */
} dn_paging;

/* A page of a list that is in the order of names, of which a part may be asked for. */
typedef struct {
    uint32_t limit;             /* 1..1000 */
    dunlin_slice after, search; /* empty: from the start; all */
} dn_name_paging;

/* Reads ?limit=, 1..most; `usual` where it is not there. False: answered with the problem. */
bool dn_paging_limit(dn_call *call, uint32_t usual, uint32_t most, uint32_t *limit);
/* Reads the three parameters; they stay the query's. False: answered with the problem. */
bool dn_paging_names(dn_call *call, dn_name_paging *paging);
/* Reads the two parameters; `after` is `least` or more, and "after must be `what`." if it is not. False: answered
 * with the problem. */
bool dn_paging_read(dn_call *call, uint64_t least, const char *what, dn_paging *paging);
/* The member "next": the cursor as a string, or null for 0. */
void dn_paging_next(dn_jsonw *json, uint64_t next);
/* The same with the last name of this page; empty: it is the last page. */
void dn_paging_next_name(dn_jsonw *json, dunlin_slice last);

#endif
