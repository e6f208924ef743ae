/* SPDX-License-Identifier: Apache-2.0 */
/* Results of library calls, grouped by what the caller does next. */
#ifndef DUNLIN_STATUS_H
#define DUNLIN_STATUS_H

#include <stdbool.h>

typedef enum {
    DUNLIN_OK = 0,
    DUNLIN_END = 1, /* an iterator has nothing more; not an error */

    /* The input is at fault: refuse it, change nothing. */
    DUNLIN_ERR_MALFORMED = -1,   /* the bytes break the format's grammar */
    DUNLIN_ERR_TRUNCATED = -2,   /* the bytes end too early */
    DUNLIN_ERR_TYPE = -3,        /* a value is not of the type expected there */
    DUNLIN_ERR_RANGE = -4,       /* a value or id is outside its range */
    DUNLIN_ERR_PATH = -5,        /* a path is not below the path it was asked for */
    DUNLIN_ERR_DUPLICATE = -6,   /* the same key or path stands twice */
    DUNLIN_ERR_UNSUPPORTED = -7, /* well-formed, but not supported here */

    /* A limit of ours is reached: try later, smaller, or with more memory. */
    DUNLIN_ERR_SPACE = -20,   /* the caller's buffer is too small */
    DUNLIN_ERR_LIMIT = -21,   /* a configured limit (exchanges, registrations, queue) is reached */
    DUNLIN_ERR_MEMORY = -22,  /* no memory */
    DUNLIN_ERR_TIMEOUT = -23, /* the peer did not answer */

    /* The object is in a state in which the call has no meaning. */
    DUNLIN_ERR_NOT_FOUND = -40,
    DUNLIN_ERR_STATE = -41,
    DUNLIN_ERR_CANCELLED = -42,
    DUNLIN_ERR_REJECTED = -43, /* the peer answered with a Reset */
    DUNLIN_ERR_ACCESS = -44,   /* access control does not allow it */

    /* The world below failed: report and give up what depends on it. */
    DUNLIN_ERR_IO = -60,
    DUNLIN_ERR_STORE = -61,

    /* The caller broke the contract of the header. */
    DUNLIN_ERR_ARGUMENT = -80
} dunlin_status;

static inline bool dunlin_is_bad_input(dunlin_status s)
{
    return s <= DUNLIN_ERR_MALFORMED && s > DUNLIN_ERR_SPACE;
}

/* A short English text for logs; never NULL. */
const char *dunlin_status_text(dunlin_status status);

#endif
