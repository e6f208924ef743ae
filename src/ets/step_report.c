/* SPDX-License-Identifier: Apache-2.0 */
/* Steps of reporting: notifications, and their absence. */
#include "ets/run.h"

#include <stdio.h>

#define SECOND_MS       1000u
#define UNDER_WAY       1u
#define UNDER_WAY_LOSSY 6u

typedef struct {
    dn_ets_run *run;
    size_t observe, after, found;
} expected;

static bool has_come(void *context)
{
    expected *e = context;
    e->found = dn_ets_trace_notification(&e->run->world->trace, e->after, e->observe);
    return e->found != SIZE_MAX;
}

static size_t find_observation(dn_ets_run *run, const dn_ets_step *step)
{
    char path[DN_ETS_PATH_TEXT] = "/";
    if (!step->composite) {
        dunlin_path ids = dn_ets_path(run, step->path);
        (void)dunlin_path_format(ids, path);
    }
    const size_t found =
        dn_ets_trace_observe(&run->world->trace, run->begin, step->server, path, step->composite);
    (void)dn_ets_expect(run, found != SIZE_MAX, "%s is observed", step->path);
    return found;
}

static void say_notifies(const dn_ets_step *step, char *out, size_t size)
{
    (void)snprintf(out, size,
                   step->to_s != 0 ? "Device notifies of %s %u times, each %u to %u s after the one before"
                                   : "Device notifies of %s %u times",
                   step->path, (unsigned)step->count, (unsigned)step->from_s, (unsigned)step->to_s);
}

/* The payload of the newest one becomes the answer that following steps look at. */
static void take_payload(dn_ets_run *run, const dn_ets_message *message)
{
    const dunlin_path base = dn_ets_trace_base(&run->world->trace, message);
    dn_ets_answer_clear(&run->answer);
    run->answer.code = message->is.code;
    run->answer.content_format = message->is.content_format;
    run->asked = base;
    const dunlin_status status =
        dn_ets_values_decode(&run->answer.values, message->is.content_format, base, message->is.payload);
    run->answer.decoded = status == DUNLIN_OK;
    (void)dn_ets_expect(run, message->is.code == DN_COAP_CONTENT && status == DUNLIN_OK,
                        "the notification is a 2.05 Content that can be understood");
}

static void act_notifies(dn_ets_run *run, const dn_ets_step *step)
{
    dn_ets_trace *trace = &run->world->trace;
    expected e = {.run = run, .observe = find_observation(run, step)};
    if (e.observe == SIZE_MAX) {
        return;
    }
    const dn_ets_message *before = dn_ets_trace_answer(trace, e.observe);
    e.after = e.observe;
    if (run->notified_of == e.observe && run->notified > e.observe) {
        e.after = run->notified; /* it goes on */
        before = trace->list[e.after];
    }
    for (unsigned i = 0; i < step->count && !run->stopped; i++) {
        const uint32_t wait_s = step->to_s != 0 ? step->to_s : 60u;
        if (!dn_ets_expect(run, dn_ets_world_run(run->world, dn_ets_patience_ms(run, wait_s), has_come, &e),
                           "a notification of %s comes", step->path)) {
            return;
        }
        const dn_ets_message *now = trace->list[e.found];
        const uint64_t gap_ms = now->at_ms - before->at_ms;
        (void)dn_ets_expect(run,
                            gap_ms + run->world->slack_ms >= step->from_s * SECOND_MS &&
                                (step->to_s == 0 || gap_ms <= step->to_s * SECOND_MS + run->world->slack_ms),
                            "it comes %u to %u s after the one before: after %.1f s", (unsigned)step->from_s,
                            (unsigned)step->to_s, (double)gap_ms / SECOND_MS);
        before = now;
        e.after = run->notified = e.found;
        run->notified_of = e.observe;
    }
    take_payload(run, before);
}

const dn_ets_kind dn_ets_kind_notifies = {say_notifies, act_notifies};

static void say_silent(const dn_ets_step *step, char *out, size_t size)
{
    (void)snprintf(out, size, "No further notification of %s comes for %u s", step->path,
                   (unsigned)step->to_s);
}

static void act_silent(dn_ets_run *run, const dn_ets_step *step)
{
    expected e = {.run = run, .observe = find_observation(run, step)};
    if (e.observe == SIZE_MAX) {
        return;
    }
    e.after = run->world->trace.count > 0 ? run->world->trace.count - 1 : 0;
    const unsigned allowed = run->world->lossy ? UNDER_WAY_LOSSY : UNDER_WAY;
    unsigned came = 0;
    while (came <= allowed && dn_ets_world_run(run->world, (uint64_t)step->to_s * SECOND_MS, has_come, &e)) {
        came++;
        e.after = e.found;
    }
    (void)dn_ets_expect(run, came <= allowed, "no further notification of %s comes for %u s", step->path,
                        (unsigned)step->to_s);
}

const dn_ets_kind dn_ets_kind_silent = {say_silent, act_silent};

/* ---- Reset ---- */

static void say_reset(const dn_ets_step *step, char *out, size_t size)
{
    (void)snprintf(out, size, "The server answers the next notification of %s with a Reset", step->path);
}

static bool is_reset(void *context)
{
    const expected *e = context;
    const dn_ets_trace *trace = &e->run->world->trace;
    const uint16_t mid = trace->list[e->found]->is.mid;
    for (size_t i = e->found + 1; i < trace->count; i++) {
        const dn_ets_message *one = trace->list[i];
        if (one->readable && one->to_device && one->is.type == DN_COAP_RST && one->is.mid == mid) {
            return true;
        }
    }
    return false;
}

static void act_reset(dn_ets_run *run, const dn_ets_step *step)
{
    expected e = {.run = run, .observe = find_observation(run, step)};
    if (e.observe == SIZE_MAX) {
        return;
    }
    e.after = run->world->trace.count > 0 ? run->world->trace.count - 1 : 0;
    bool came = false, reset = false;
    /* A notification may be lost on its way, where the link loses some. */
    for (unsigned i = 0; i < (run->world->lossy ? UNDER_WAY_LOSSY : 1) && !reset; i++) {
        came = dn_ets_world_run(run->world, dn_ets_patience_ms(run, step->to_s), has_come, &e);
        reset = came && dn_ets_world_run(run->world, SECOND_MS, is_reset, &e);
        e.after = e.found;
    }
    if (dn_ets_expect(run, came, "a notification of %s comes", step->path)) {
        (void)dn_ets_expect(run, reset, "the server answers it with a Reset");
    }
}

const dn_ets_kind dn_ets_kind_reset = {say_reset, act_reset};
