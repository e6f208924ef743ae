/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks of POSIX. */
#include "port/clock.h"
#include <time.h>

static uint64_t read_us(clockid_t clock)
{
    struct timespec now;
    (void)clock_gettime(clock, &now); /* fails only for clocks that do not exist */
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

uint64_t dn_clock_ms(void)
{
    return read_us(CLOCK_MONOTONIC) / 1000u;
}

uint64_t dn_clock_us(void)
{
    return read_us(CLOCK_MONOTONIC);
}

int64_t dn_clock_wall_ms(void)
{
    return (int64_t)(read_us(CLOCK_REALTIME) / 1000u);
}
