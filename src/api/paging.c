/* SPDX-License-Identifier: Apache-2.0 */
#include "api/paging.h"

#include <inttypes.h>
#include <stdio.h>

#define LIMIT_DEFAULT 100u
#define LIMIT_MAX     1000u

bool dn_paging_read(dn_call *call, uint64_t least, const char *what, dn_paging *paging)
{
    const char *limit_text = dn_query_get(&call->query, "limit");
    const char *after_text = dn_query_get(&call->query, "after");
    uint64_t limit = LIMIT_DEFAULT;
    paging->after = 0;
    if (limit_text != NULL && !dn_query_number(limit_text, 1, LIMIT_MAX, &limit)) {
        dn_call_problem(call, DN_PROBLEM_INVALID_PARAMETER, "limit must be a number from 1 to %u.",
                        LIMIT_MAX);
        return false;
    }
    if (after_text != NULL && !dn_query_number(after_text, least, UINT64_MAX, &paging->after)) {
        dn_call_problem(call, DN_PROBLEM_INVALID_PARAMETER, "after must be %s.", what);
        return false;
    }
    paging->limit = (uint32_t)limit;
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
