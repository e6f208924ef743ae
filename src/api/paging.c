/* SPDX-License-Identifier: Apache-2.0 */
#include "api/paging.h"

#include <inttypes.h>
#include <stdio.h>

#define LIMIT_DEFAULT 100u
#define LIMIT_MAX     1000u

bool dn_paging_limit(dn_call *call, uint32_t usual, uint32_t most, uint32_t *limit)
{
    const char *text = dn_query_get(&call->query, "limit");
    uint64_t number = usual;
    if (text != NULL && !dn_query_number(text, 1, most, &number)) {
        dn_call_problem(call, DN_PROBLEM_INVALID_PARAMETER, "limit must be a number from 1 to %u.", most);
        return false;
    }
    *limit = (uint32_t)number;
    return true;
}

bool dn_paging_names(dn_call *call, dn_name_paging *paging)
{
    paging->after = dunlin_slice_of(dn_query_get(&call->query, "after"));
    paging->search = dunlin_slice_of(dn_query_get(&call->query, "search"));
    return dn_paging_limit(call, LIMIT_DEFAULT, LIMIT_MAX, &paging->limit);
}

bool dn_paging_read(dn_call *call, uint64_t least, const char *what, dn_paging *paging)
{
    const char *after_text = dn_query_get(&call->query, "after");
    paging->after = 0;
    if (!dn_paging_limit(call, LIMIT_DEFAULT, LIMIT_MAX, &paging->limit)) {
        return false;
    }
    if (after_text != NULL && !dn_query_number(after_text, least, UINT64_MAX, &paging->after)) {
        dn_call_problem(call, DN_PROBLEM_INVALID_PARAMETER, "after must be %s.", what);
        return false;
    }
    return true;
}

void dn_paging_next(dn_jsonw *json, uint64_t next)
{
    dn_jsonw_key(json, "next");
    if (next == 0) {
        dn_jsonw_null(json);
        return;
    }
    char cursor[24];
    (void)snprintf(cursor, sizeof cursor, "%" PRIu64, next);
    dn_jsonw_text(json, cursor);
}

void dn_paging_next_name(dn_jsonw *json, dunlin_slice last)
{
    dn_jsonw_key(json, "next");
    if (last.len == 0) {
        dn_jsonw_null(json);
    } else {
        dn_jsonw_string(json, last);
    }
}
