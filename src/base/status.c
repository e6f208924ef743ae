/* SPDX-License-Identifier: Apache-2.0 */
/* The words for status codes. */
#include <dunlin/status.h>

static const char *limit_text(dunlin_status status)
{
    switch (status) {
    case DUNLIN_ERR_SPACE:
        return "buffer too small";
    case DUNLIN_ERR_LIMIT:
        return "limit reached";
    case DUNLIN_ERR_MEMORY:
        return "out of memory";
    case DUNLIN_ERR_TIMEOUT:
        return "timeout";
    case DUNLIN_ERR_NOT_FOUND:
        return "not found";
    case DUNLIN_ERR_STATE:
        return "not possible in this state";
    case DUNLIN_ERR_CANCELLED:
        return "cancelled";
    case DUNLIN_ERR_REJECTED:
        return "rejected by the peer";
    case DUNLIN_ERR_ACCESS:
        return "not allowed";
    case DUNLIN_ERR_IO:
        return "input or output failed";
    case DUNLIN_ERR_STORE:
        return "storage failed";
    case DUNLIN_ERR_ARGUMENT:
        return "invalid argument";
    default:
        return "unknown status";
    }
}

const char *dunlin_status_text(dunlin_status status)
{
    switch (status) {
    case DUNLIN_OK:
        return "ok";
    case DUNLIN_END:
        return "end";
    case DUNLIN_ERR_MALFORMED:
        return "malformed";
    case DUNLIN_ERR_TRUNCATED:
        return "truncated";
    case DUNLIN_ERR_TYPE:
        return "wrong type";
    case DUNLIN_ERR_RANGE:
        return "out of range";
    case DUNLIN_ERR_PATH:
        return "path outside the target";
    case DUNLIN_ERR_DUPLICATE:
        return "duplicate";
    case DUNLIN_ERR_UNSUPPORTED:
        return "not supported";
    default:
        return limit_text(status);
    }
}
