/* SPDX-License-Identifier: Apache-2.0 */
/* Steps about what the device does when it wants: Send, and sleeping. */
#include "ets/run.h"
#include "ets/text.h"

#include <stdio.h>

#define SECOND_MS    1000u
#define SOON_S       30u
#define SEND_PATH    "/dp"
#define AWAKE_MS     95000u
#define ASLEEP_MAX_S 600u

static void say_sends(const dn_ets_step *step, char *out, size_t size)
{
    (void)step;
    (void)snprintf(
        out, size,
        "Device sends POST /dp in SenML, with values of registered Objects; the server answers 2.04 "
        "Changed");
}

/* What the server shows of it becomes the answer; a server that does not tell is judged by its 2.04. */
static void take_sent(dn_ets_run *run, const dn_ets_step *step, const dn_ets_message *message)
{
    dn_ets_values values = {.list = NULL};
    const dunlin_status status =
        dn_ets_values_decode(&values, message->is.content_format, dunlin_path_root(), message->is.payload);
    (void)dn_ets_expect(run, status == DUNLIN_OK, "the payload is SenML as it should be");
    for (size_t i = 0; i < values.count && !run->stopped; i++) {
        char shown[DUNLIN_PATH_TEXT_MAX + 1];
        const dunlin_path instance =
            dunlin_path_instance(values.list[i].path.id[0], values.list[i].path.id[1]);
        (void)dunlin_path_format(values.list[i].path, shown);
        (void)dn_ets_expect(run, dn_ets_registration_lists(&run->registration, instance),
                            "%s is of a registered instance", shown);
    }
    const dn_ets_operator *to = run->world->operators[step->server];
    const dn_ets_ask ask = {.operation = DN_ETS_SENT, .endpoint = run->registration.endpoint, .query = ""};
    dn_ets_answer_clear(&run->answer);
    to->ask(to->context, &ask, &run->answer);
    while (!atomic_load(&run->answer.done) && !run->world->failed) {
        run->world->turn(run->world->context, run->world->now_ms(run->world->context) + SECOND_MS);
    }
    if (run->answer.unsupported) {
        dn_ets_note(run, "%s does not tell what was sent", to->name);
        dn_ets_values_copy(&run->answer.values, &values, dunlin_path_root());
    }
    run->asked = dunlin_path_root();
    dn_ets_values_clear(&values);
}

static void act_sends(dn_ets_run *run, const dn_ets_step *step)
{
    dn_ets_refresh(run, step->server);
    const size_t found =
        dn_ets_await(run, step->server, DN_COAP_POST, SEND_PATH, dn_ets_patience_ms(run, SOON_S));
    if (!dn_ets_expect(run, found != SIZE_MAX, "a Send comes")) {
        return;
    }
    const dn_ets_message *message = run->world->trace.list[found];
    const uint16_t format = message->is.content_format;
    (void)dn_ets_expect(run, format == DN_FORMAT_SENML_JSON || format == DN_FORMAT_SENML_CBOR,
                        "its Content-Format is SenML JSON or SenML CBOR: %u", (unsigned)format);
    const dn_ets_message *answer = dn_ets_trace_answer(&run->world->trace, found);
    (void)dn_ets_expect(run, answer->is.code == DN_COAP_CHANGED, "the server answers 2.04 Changed");
    /* The server's word leaves before it is seen here, and its list is complete by then. */
    (void)dn_ets_world_run(run->world, SECOND_MS, NULL, NULL);
    take_sent(run, step, message);
}

const dn_ets_kind dn_ets_kind_sends = {say_sends, act_sends};

static void say_sends_nothing(const dn_ets_step *step, char *out, size_t size)
{
    (void)snprintf(out, size, "No Send comes for %u s", (unsigned)step->to_s);
}

static void act_sends_nothing(dn_ets_run *run, const dn_ets_step *step)
{
    const size_t mark = run->mark;
    (void)dn_ets_world_run(run->world, (uint64_t)step->to_s * SECOND_MS, NULL, NULL);
    (void)dn_ets_expect(run,
                        dn_ets_trace_request(&run->world->trace, mark, step->server, false, DN_COAP_POST,
                                             SEND_PATH) == SIZE_MAX,
                        "no Send comes for %u s", (unsigned)step->to_s);
}

const dn_ets_kind dn_ets_kind_sends_nothing = {say_sends_nothing, act_sends_nothing};

/* ---- queue mode ---- */

static void say_asleep(const dn_ets_step *step, char *out, size_t size)
{
    (void)snprintf(
        out, size,
        "Operator asks to read %s while the device sleeps; the server sends nothing until the device's next "
        "Update is answered; then the device answers 2.05 Content",
        step->path);
}

static bool is_done(void *context)
{
    return atomic_load(&((dn_ets_answer *)context)->done);
}

/* MAX_TRANSMIT_WAIT after its last message a device may be asleep (Transport 1.1.1 section 6.5). */
static bool is_asleep(const dn_ets_run *run)
{
    const dn_ets_trace *trace = &run->world->trace;
    const uint64_t now_ms = run->world->now_ms(run->world->context);
    uint64_t last_ms = 0;
    for (size_t i = 0; i < trace->count; i++) {
        last_ms = trace->list[i]->to_device ? last_ms : trace->list[i]->at_ms;
    }
    return now_ms - last_ms > AWAKE_MS;
}

static void act_asleep(dn_ets_run *run, const dn_ets_step *step)
{
    const dn_ets_operator *to = run->world->operators[step->server];
    dn_ets_refresh(run, step->server);
    const dn_ets_registration known = run->registration;
    const uint64_t limit_ms = dn_ets_patience_ms(run, step->to_s);
    const dn_ets_ask ask = {.operation = DN_ETS_READ,
                            .endpoint = known.endpoint,
                            .path = dn_ets_path(run, step->path),
                            .format = DN_FORMAT_NONE,
                            .query = "",
                            .timeout_ms = (uint32_t)limit_ms,
                            .queued = true};
    for (unsigned i = 0; !is_asleep(run) && i < ASLEEP_MAX_S; i++) {
        (void)dn_ets_world_run(run->world, SECOND_MS, NULL, NULL);
    }
    if (!dn_ets_expect(run, is_asleep(run), "the device is silent for 95 s, and may sleep")) {
        return;
    }
    run->mark = run->world->trace.count;
    const size_t from = run->mark;
    run->asked = ask.path;
    dn_ets_answer_clear(&run->answer);
    to->ask(to->context, &ask, &run->answer);
    const size_t update = dn_ets_await(run, step->server, DN_COAP_POST, known.location, limit_ms);
    (void)dn_ets_expect(run, update != SIZE_MAX, "the device sends an Update");
    const size_t asked =
        dn_ets_trace_request(&run->world->trace, from, step->server, true, DN_COAP_GET, NULL);
    (void)dn_ets_expect(run, asked == SIZE_MAX || (update != SIZE_MAX && asked > update),
                        "the server sends nothing to the sleeping device");
    (void)dn_ets_world_run(run->world, limit_ms, is_done, &run->answer);
    while (!atomic_load(&run->answer.done) && !run->world->failed) { /* it writes to the answer until then */
        run->world->turn(run->world->context, run->world->now_ms(run->world->context) + SECOND_MS);
    }
    if (run->answer.unsupported) {
        dn_ets_end_as(run, DN_ETS_NOT_APPLICABLE, "%s cannot ask a device that sleeps", to->name);
        return;
    }
    (void)dn_ets_expect(run, run->answer.status == DUNLIN_OK && run->answer.code == DN_COAP_CONTENT,
                        "the read is answered 2.05 Content after the Update");
}

const dn_ets_kind dn_ets_kind_asleep = {say_asleep, act_asleep};
