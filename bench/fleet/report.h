/* SPDX-License-Identifier: Apache-2.0 */
/* The figures of a run as a table for people and as JSON for programs, with the targets they are held against. */
#ifndef BENCH_FLEET_REPORT_H
#define BENCH_FLEET_REPORT_H

#include "fleet/stats.h"

#include <stdbool.h>

#define REPORT_ROWS_MAX 16
#define REPORT_RUNS_MAX 16

typedef struct {
    const char *name; /* static text */
    uint32_t in_flight;
    uint64_t count;
    double rate, ratio; /* ratio 0: is the yardstick itself */
    double target;      /* least ratio; 0: none */
    double flatness, least_flatness;
    double p50_us, p99_us, max_us, cpu_us;
    uint64_t repeated;
} report_row;

typedef struct {
    report_row rows[REPORT_ROWS_MAX];
    unsigned count;
    uint32_t devices;
    double bytes_per_registration, target_bytes; /* resident */
    double restart_s;
} report;

/* A row from what was measured. `echo_rate` 0: it is the yardstick. */
void report_add(report *r, const char *name, uint32_t in_flight, const stats *s, double echo_rate,
                double target, double least_flatness);
/* The median run of several of the same kind, row by row by its ratio (the yardstick's by its rate). */
void report_median(const report *runs, unsigned count, report *out);
/* Measure only. */
void report_forget_targets(report *r);
void report_print(const report *r, bool json);
/* True when every target is met. */
bool report_met(const report *r);

#endif
