/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/endpoint/real.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/random.h>
#include <time.h>

#include <cmocka.h>

static int64_t read_clock(clockid_t which)
{
    struct timespec now;
    (void)clock_gettime(which, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

uint64_t real_clock_ms(void *context)
{
    (void)context;
    return (uint64_t)read_clock(CLOCK_MONOTONIC);
}

int64_t real_wall_ms(void *context)
{
    (void)context;
    return read_clock(CLOCK_REALTIME);
}

void real_random(void *context, void *out, size_t len)
{
    (void)context;
    assert_int_equal(getrandom(out, len, 0), (ssize_t)len);
}
