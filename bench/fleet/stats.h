/* SPDX-License-Identifier: Apache-2.0 */
/* What a phase measures: how many, how long, how evenly, and the spread of the answer times. */
#ifndef BENCH_FLEET_STATS_H
#define BENCH_FLEET_STATS_H

#include <stdint.h>

#define STATS_TENTHS  10
#define STATS_BUCKETS 1024 /* 32 per power of two, from 1 us to over an hour */

typedef struct {
    uint64_t total; /* exchanges that the phase will make */
    uint64_t done;
    uint64_t elapsed_ns, resumed_ns;
    uint64_t tenth_ns[STATS_TENTHS + 1]; /* elapsed when each tenth was done */
    uint64_t repeated;                   /* datagrams sent again because no answer came in time */
    uint32_t buckets[STATS_BUCKETS];     /* answer times */
    uint64_t longest_us;
    double server_cpu_us; /* the server's processor time in the phase, per exchange */
} stats;

uint64_t stats_now_ns(void);
void stats_start(stats *s, uint64_t total);
/* Time counts from resume to pause, so that a phase can be cut into slices with something else between. */
void stats_resume(stats *s);
void stats_pause(stats *s);
/* An exchange that began at `sent_ns` is done. */
void stats_done(stats *s, uint64_t sent_ns);

double stats_rate(const stats *s); /* per second */
/* Rate of the last tenth divided by that of the first: 1 is flat. */
double stats_flatness(const stats *s);
/* The answer time that `percent` of the exchanges stay below, in us (within 3 %). */
double stats_percentile_us(const stats *s, double percent);

#endif
