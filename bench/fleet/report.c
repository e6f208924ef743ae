/* SPDX-License-Identifier: Apache-2.0 */
/* Table and JSON. */
#include "fleet/report.h"

#include <stdio.h>
#include <stdlib.h>

void report_add(report *r, const char *name, uint32_t in_flight, const stats *s, double echo_rate,
                double target, double least_flatness)
{
    if (r->count == REPORT_ROWS_MAX) {
        return;
    }
    report_row *row = &r->rows[r->count++];
    *row = (report_row){.name = name,
                        .in_flight = in_flight,
                        .count = s->done,
                        .rate = stats_rate(s),
                        .ratio = echo_rate > 0 ? stats_rate(s) / echo_rate : 0,
                        .target = target,
                        .flatness = stats_flatness(s),
                        .least_flatness = least_flatness,
                        .p50_us = stats_percentile_us(s, 50),
                        .p99_us = stats_percentile_us(s, 99),
                        .max_us = (double)s->longest_us,
                        .cpu_us = s->server_cpu_us,
                        .repeated = s->repeated};
}

void report_forget_targets(report *r)
{
    for (unsigned i = 0; i < r->count; i++) {
        r->rows[i].target = 0;
        r->rows[i].least_flatness = 0;
    }
    r->target_bytes = 0;
}

static int by_result(const void *a, const void *b)
{
    const report_row *x = a;
    const report_row *y = b;
    double p = x->ratio > 0 ? x->ratio : x->rate;
    double q = y->ratio > 0 ? y->ratio : y->rate;
    return (p > q) - (p < q);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

void report_median(const report *runs, unsigned count, report *out)
{
    report_row rows[REPORT_RUNS_MAX];
    double bytes[REPORT_RUNS_MAX];
    double restart_s[REPORT_RUNS_MAX];
    double flatness[REPORT_RUNS_MAX];
    *out = runs[0];
    for (unsigned i = 0; i < runs[0].count; i++) {
        for (unsigned k = 0; k < count; k++) {
            rows[k] = runs[k].rows[i];
            flatness[k] = rows[k].flatness;
        }
        qsort(rows, count, sizeof rows[0], by_result);
        qsort(flatness, count, sizeof flatness[0], by_size);
        out->rows[i] = rows[count / 2];
        out->rows[i].flatness = flatness[count / 2];
    }
    for (unsigned k = 0; k < count; k++) {
        bytes[k] = runs[k].bytes_per_registration;
        restart_s[k] = runs[k].restart_s;
    }
    qsort(bytes, count, sizeof bytes[0], by_size);
    qsort(restart_s, count, sizeof restart_s[0], by_size);
    out->bytes_per_registration = bytes[count / 2];
    out->restart_s = restart_s[count / 2];
}

static bool row_met(const report_row *row)
{
    return row->ratio >= row->target && row->flatness >= row->least_flatness;
}

bool report_met(const report *r)
{
    for (unsigned i = 0; i < r->count; i++) {
        if (!row_met(&r->rows[i])) {
            return false;
        }
    }
    return r->target_bytes == 0 || r->bytes_per_registration <= r->target_bytes;
}

static void print_table(const report *r)
{
    printf("\n%-22s %6s %9s %9s %6s %7s %9s %8s %8s %9s %8s  %s\n", "phase", "flight", "count", "per s",
           "ratio", "target", "last/1st", "p50 us", "p99 us", "max us", "cpu us", "");
    for (unsigned i = 0; i < r->count; i++) {
        const report_row *row = &r->rows[i];
        char ratio[16] = "";
        char target[16] = "";
        if (row->ratio > 0) {
            snprintf(ratio, sizeof ratio, "%.2f", row->ratio);
        }
        if (row->target > 0) {
            snprintf(target, sizeof target, ">= %.2f", row->target);
        }
        printf("%-22s %6u %9llu %9.0f %6s %7s %9.2f %8.0f %8.0f %9.0f %8.2f  %s\n", row->name, row->in_flight,
               (unsigned long long)row->count, row->rate, ratio, target, row->flatness, row->p50_us,
               row->p99_us, row->max_us, row->cpu_us,
               row->target == 0 ? ""
               : row_met(row)   ? "met"
                                : "MISSED");
        if (row->repeated > 0) {
            printf("%-22s   %llu datagrams were sent again: the network or the server dropped some\n", "",
                   (unsigned long long)row->repeated);
        }
    }
    if (r->restart_s > 0) {
        printf("resident per registration (%u): %.0f bytes", r->devices, r->bytes_per_registration);
        if (r->target_bytes > 0) {
            printf(", target <= %.0f: %s", r->target_bytes,
                   r->bytes_per_registration <= r->target_bytes ? "met" : "MISSED");
        }
        printf("\nready after SIGKILL with %u registrations: %.2f s\n", r->devices, r->restart_s);
    }
}

static void print_json(const report *r)
{
    printf("{\"devices\":%u,\"rows\":[", r->devices);
    for (unsigned i = 0; i < r->count; i++) {
        const report_row *row = &r->rows[i];
        printf("%s\n{\"phase\":\"%s\",\"inFlight\":%u,\"count\":%llu,\"perSecond\":%.0f,\"ratioToEcho\":%.3f,"
               "\"target\":%.2f,"
               "\"lastTenthToFirst\":%.3f,\"p50Us\":%.0f,\"p99Us\":%.0f,\"maxUs\":%.0f,\"serverCpuUs\":%.2f,"
               "\"repeated\":%llu,\"met\":%s}",
               i > 0 ? "," : "", row->name, row->in_flight, (unsigned long long)row->count, row->rate,
               row->ratio, row->target, row->flatness, row->p50_us, row->p99_us, row->max_us, row->cpu_us,
               (unsigned long long)row->repeated, row_met(row) ? "true" : "false");
    }
    printf("],\n\"bytesPerRegistration\":%.0f,\"restartSeconds\":%.3f,\"met\":%s}\n",
           r->bytes_per_registration, r->restart_s, report_met(r) ? "true" : "false");
}

void report_print(const report *r, bool json)
{
    if (json) {
        print_json(r);
    } else {
        print_table(r);
    }
}
