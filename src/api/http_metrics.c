/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP counters; see http_metrics.h. */
#include "api/http_metrics.h"

#include <stdatomic.h>
#include <stdlib.h>

#define STATUS_FIRST 200u
#define STATUS_COUNT 400u /* 200 to 599 */

static const uint64_t bounds_us[] = {250,    1000,    2500,    10000,    25000,   100000,
                                     250000, 1000000, 2500000, 10000000, 30000000};
static const char *const bound_texts[] = {"0.00025", "0.001", "0.0025", "0.01", "0.025", "0.1",
                                          "0.25",    "1",     "2.5",    "10",   "30"};
#define BOUNDS (sizeof bounds_us / sizeof bounds_us[0])

typedef struct {
    atomic_uint_fast64_t by_status[STATUS_COUNT];
    atomic_uint_fast64_t by_bound[BOUNDS + 1];
    atomic_uint_fast64_t sum_us;
} row;

struct dn_http_metrics {
    size_t rows; /* one for each route and a last one for all else */
    row row[];
};

dn_http_metrics *dn_http_metrics_create(void)
{
    size_t rows = dn_route_count + 1;
    dn_http_metrics *metrics = calloc(1, sizeof *metrics + rows * sizeof metrics->row[0]);
    if (metrics != NULL) {
        metrics->rows = rows;
    }
    return metrics;
}

void dn_http_metrics_free(dn_http_metrics *metrics)
{
    free(metrics);
}

static void add(atomic_uint_fast64_t *counter, uint64_t amount)
{
    atomic_fetch_add_explicit(counter, amount, memory_order_relaxed);
}

static uint64_t get(const atomic_uint_fast64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

void dn_http_metrics_count(dn_http_metrics *metrics, const dn_route *route, unsigned status, uint64_t took_us)
{
    row *counted = &metrics->row[route == NULL ? metrics->rows - 1 : (size_t)(route - dn_routes)];
    if (status >= STATUS_FIRST && status < STATUS_FIRST + STATUS_COUNT) {
        add(&counted->by_status[status - STATUS_FIRST], 1);
    }
    size_t bound = 0;
    while (bound < BOUNDS && took_us > bounds_us[bound]) {
        bound++;
    }
    add(&counted->by_bound[bound], 1);
    add(&counted->sum_us, took_us);
}

static void write_labels(const dn_http_metrics *metrics, size_t index, dn_text *text)
{
    bool other = index == metrics->rows - 1;
    dn_text_format(text, "method=\"%s\",route=\"%s\"", other ? "" : dn_method_name(dn_routes[index].method),
                   other ? "other" : dn_routes[index].pattern);
}

static void write_times(const dn_http_metrics *metrics, size_t index, dn_text *text)
{
    const row *counted = &metrics->row[index];
    uint64_t sum = 0;
    for (size_t i = 0; i <= BOUNDS; i++) {
        sum += get(&counted->by_bound[i]);
        dn_text_put(text, "dunlin_http_request_seconds_bucket{");
        write_labels(metrics, index, text);
        dn_text_format(text, ",le=\"%s\"} %llu\n", i < BOUNDS ? bound_texts[i] : "+Inf",
                       (unsigned long long)sum);
    }
    uint64_t us = get(&counted->sum_us);
    dn_text_put(text, "dunlin_http_request_seconds_sum{");
    write_labels(metrics, index, text);
    dn_text_format(text, "} %llu.%06llu\n", (unsigned long long)(us / 1000000),
                   (unsigned long long)(us % 1000000));
    dn_text_put(text, "dunlin_http_request_seconds_count{");
    write_labels(metrics, index, text);
    dn_text_format(text, "} %llu\n", (unsigned long long)sum);
}

static bool used(const row *counted)
{
    for (size_t i = 0; i <= BOUNDS; i++) {
        if (get(&counted->by_bound[i]) != 0) {
            return true;
        }
    }
    return false;
}

void dn_http_metrics_write(const dn_http_metrics *metrics, dn_text *text)
{
    dn_text_put(text, "# HELP dunlin_http_requests_total HTTP requests answered.\n"
                      "# TYPE dunlin_http_requests_total counter\n");
    for (size_t i = 0; i < metrics->rows; i++) {
        for (size_t status = 0; status < STATUS_COUNT; status++) {
            uint64_t count = get(&metrics->row[i].by_status[status]);
            if (count != 0) {
                dn_text_put(text, "dunlin_http_requests_total{");
                write_labels(metrics, i, text);
                dn_text_format(text, ",status=\"%zu\"} %llu\n", status + STATUS_FIRST,
                               (unsigned long long)count);
            }
        }
    }
    dn_text_put(text, "# HELP dunlin_http_request_seconds Time from a request's first byte to its answer.\n"
                      "# TYPE dunlin_http_request_seconds histogram\n");
    for (size_t i = 0; i < metrics->rows; i++) {
        if (used(&metrics->row[i])) {
            write_times(metrics, i, text);
        }
    }
}
