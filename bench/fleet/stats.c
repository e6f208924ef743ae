/* SPDX-License-Identifier: Apache-2.0 */
/* Rates and a histogram with buckets that grow with what they count. */
#include "fleet/stats.h"

#include <string.h>
#include <time.h>

#define SUB_BITS 5u /* 32 buckets per power of two */

uint64_t stats_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void stats_start(stats *s, uint64_t total)
{
    memset(s, 0, sizeof *s);
    s->total = total;
}

void stats_resume(stats *s)
{
    s->resumed_ns = stats_now_ns();
}

void stats_pause(stats *s)
{
    s->elapsed_ns += stats_now_ns() - s->resumed_ns;
}

static unsigned bucket_of(uint64_t us)
{
    if (us < (1u << SUB_BITS)) {
        return (unsigned)us;
    }
    unsigned power = 63u - (unsigned)__builtin_clzll(us);
    unsigned bucket =
        ((power - SUB_BITS + 1) << SUB_BITS) + (unsigned)((us >> (power - SUB_BITS)) - (1u << SUB_BITS));
    return bucket < STATS_BUCKETS ? bucket : STATS_BUCKETS - 1;
}

static double middle_of(unsigned bucket)
{
    unsigned power = bucket >> SUB_BITS;
    unsigned sub = bucket & ((1u << SUB_BITS) - 1);
    if (power == 0) {
        return sub;
    }
    uint64_t width = (uint64_t)1 << (power - 1);
    return (double)(((1u << SUB_BITS) + sub) * width) + (double)width / 2;
}

void stats_done(stats *s, uint64_t sent_ns)
{
    uint64_t now = stats_now_ns();
    uint64_t us = (now - sent_ns) / 1000;
    s->buckets[bucket_of(us)]++;
    s->longest_us = us > s->longest_us ? us : s->longest_us;
    s->done++;
    if (s->done * STATS_TENTHS % s->total < STATS_TENTHS) {
        s->tenth_ns[s->done * STATS_TENTHS / s->total] = s->elapsed_ns + now - s->resumed_ns;
    }
}

double stats_rate(const stats *s)
{
    return s->elapsed_ns > 0 ? (double)s->done * 1e9 / (double)s->elapsed_ns : 0;
}

double stats_flatness(const stats *s)
{
    uint64_t first = s->tenth_ns[1] - s->tenth_ns[0];
    uint64_t last = s->tenth_ns[STATS_TENTHS] - s->tenth_ns[STATS_TENTHS - 1];
    return last > 0 ? (double)first / (double)last : 0;
}

double stats_percentile_us(const stats *s, double percent)
{
    double below = 0;
    for (unsigned i = 0; i < STATS_BUCKETS; i++) {
        below += s->buckets[i];
        if (below >= (double)s->done * percent / 100) {
            return middle_of(i);
        }
    }
    return (double)s->longest_us;
}
