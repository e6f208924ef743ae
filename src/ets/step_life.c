/* SPDX-License-Identifier: Apache-2.0 */
/* Steps of registration: what the device sends by itself, what the server answers, and who is registered. */
#include "ets/run.h"
#include "ets/text.h"

#include <stdio.h>
#include <string.h>

#define SECOND_MS     1000u
#define SOON_S        30u
#define HANDS_MS      600000u
#define REGISTERED_MS 5000u

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

static const dn_ets_message *answer_of(const dn_ets_run *run, size_t request)
{
    return dn_ets_trace_answer(&run->world->trace, request);
}

static void say_registers(const dn_ets_step *step, char *out, size_t size)
{
    (void)step;
    (void)snprintf(out, size, "Device registers; the server answers 2.01 Created with a location below /rd");
}

static void act_registers(dn_ets_run *run, const dn_ets_step *step)
{
    run->mark = step->server != 0 ? run->begin : run->mark; /* servers are registered with in any order */
    const size_t mark = run->mark;
    dn_ets_refresh(run, step->server);
    /* A device that was there before the case began has registered once and will not do it again. */
    const bool before = run->registration.registered && mark == run->begin && run->world->device == NULL;
    const size_t found = before
                             ? run->registration.request
                             : dn_ets_await(run, step->server, DN_COAP_POST, "/rd",
                                            dn_ets_patience_ms(run, step->to_s != 0 ? step->to_s : SOON_S));
    if (!dn_ets_expect(run, found != SIZE_MAX, "the device sends a Register")) {
        return;
    }
    if (before) {
        dn_ets_note(run, "the device had registered before the case began");
    }
    const dn_ets_message *answer = answer_of(run, found);
    (void)dn_ets_expect(run, answer != NULL && answer->is.code == DN_COAP_CREATED,
                        "the server answers 2.01 Created");
    (void)dn_ets_expect(run, answer != NULL && starts_with(answer->location, "/rd/"),
                        "the answer has a location below /rd: %s", answer != NULL ? answer->location : "");
    dn_ets_refresh(run, step->server);
}

const dn_ets_kind dn_ets_kind_registers = {say_registers, act_registers};

/* ---- Update ---- */

static void say_updates(const dn_ets_step *step, char *out, size_t size)
{
    const char *with = step->value == NULL ? "" : step->value[0] == '\0' ? " without parameters" : " with ";
    (void)snprintf(out, size, "Device sends an Update%s%s; the server answers 2.04 Changed", with,
                   step->value != NULL ? step->value : "");
}

/* `wanted` NULL: any; "": without parameters; "list": with a list of Objects; else a parameter, "lt=60". */
static bool is_wanted(const dn_ets_message *update, const char *wanted)
{
    char value[64];
    if (wanted == NULL) {
        return true;
    }
    if (wanted[0] == '\0') {
        return update->query[0] == '\0' && update->is.payload.len == 0;
    }
    if (strcmp(wanted, "list") == 0) {
        return update->is.payload.len > 0;
    }
    const char *equals = strchr(wanted, '=');
    char name[16];
    (void)snprintf(name, sizeof name, "%.*s", (int)(equals - wanted), wanted);
    return dn_ets_query(update->query, name, value, sizeof value) && strcmp(value, equals + 1) == 0;
}

static void act_updates(dn_ets_run *run, const dn_ets_step *step)
{
    dn_ets_refresh(run, step->server);
    const dn_ets_registration known = run->registration;
    const uint64_t limit_ms = run->world->now_ms(run->world->context) +
                              dn_ets_patience_ms(run, step->to_s != 0 ? step->to_s : SOON_S);
    size_t found = SIZE_MAX;
    uint64_t now_ms = run->world->now_ms(run->world->context);
    while (found == SIZE_MAX && now_ms < limit_ms) {
        found = dn_ets_await(run, step->server, DN_COAP_POST, known.location, limit_ms - now_ms);
        if (found == SIZE_MAX) {
            break;
        }
        if (!is_wanted(run->world->trace.list[found], step->value)) {
            found = SIZE_MAX; /* an ordinary one */
        }
        now_ms = run->world->now_ms(run->world->context);
    }
    if (!dn_ets_expect(run, found != SIZE_MAX, "the device sends an Update%s%s",
                       step->value == NULL      ? ""
                       : step->value[0] == '\0' ? " without parameters"
                                                : " with ",
                       step->value != NULL ? step->value : "")) {
        return;
    }
    (void)dn_ets_expect(run, answer_of(run, found)->is.code == DN_COAP_CHANGED,
                        "the server answers 2.04 Changed");
    dn_ets_refresh(run, step->server);
}

const dn_ets_kind dn_ets_kind_updates = {say_updates, act_updates};

static void say_refused(const dn_ets_step *step, char *out, size_t size)
{
    (void)step;
    (void)snprintf(out, size, "Device sends an Update; the server answers 4.04 Not Found");
}

static void act_refused(dn_ets_run *run, const dn_ets_step *step)
{
    const dn_ets_registration known = run->registration;
    const size_t found =
        dn_ets_await(run, step->server, DN_COAP_POST, known.location, dn_ets_patience_ms(run, step->to_s));
    if (dn_ets_expect(run, found != SIZE_MAX, "the device sends an Update")) {
        (void)dn_ets_expect(run, answer_of(run, found)->is.code == DN_COAP_NOT_FOUND,
                            "the server answers 4.04 Not Found");
    }
}

const dn_ets_kind dn_ets_kind_refused = {say_refused, act_refused};

/* ---- De-register ---- */

static void say_deregisters(const dn_ets_step *step, char *out, size_t size)
{
    (void)step;
    (void)snprintf(out, size, "Device de-registers; the server answers 2.02 Deleted");
}

static void act_deregisters(dn_ets_run *run, const dn_ets_step *step)
{
    const dn_ets_registration known = run->registration;
    const size_t found =
        dn_ets_await(run, step->server, DN_COAP_DELETE, known.location, dn_ets_patience_ms(run, SOON_S));
    if (dn_ets_expect(run, found != SIZE_MAX, "the device sends a De-register to %s", known.location)) {
        (void)dn_ets_expect(run, answer_of(run, found)->is.code == DN_COAP_DELETED,
                            "the server answers 2.02 Deleted");
    }
}

const dn_ets_kind dn_ets_kind_deregisters = {say_deregisters, act_deregisters};

/* ---- what the server knows ---- */

static void say_is_registered(const dn_ets_step *step, char *out, size_t size)
{
    (void)snprintf(out, size,
                   step->count != 0 ? "The server knows the device"
                                    : "The server does not know the device any more");
}

/* Asks the server once; false: it cannot be told. */
static bool ask_registered(dn_ets_run *run, unsigned server, const char *endpoint, bool *registered)
{
    dn_ets_answer answer = {.unsupported = false};
    const dn_ets_operator *to = run->world->operators[server];
    const dn_ets_ask ask = {
        .operation = DN_ETS_IS_REGISTERED, .endpoint = endpoint, .query = "", .timeout_ms = REGISTERED_MS};
    atomic_init(&answer.done, false);
    to->ask(to->context, &ask, &answer);
    while (!atomic_load(&answer.done) && !run->world->failed) {
        run->world->turn(run->world->context, run->world->now_ms(run->world->context) + SECOND_MS);
    }
    *registered = answer.registered;
    const bool told = !answer.unsupported && answer.status == DUNLIN_OK;
    dn_ets_answer_clear(&answer);
    return told;
}

static void act_is_registered(dn_ets_run *run, const dn_ets_step *step)
{
    dn_ets_registration known = run->registration;
    const uint64_t limit_ms = run->world->now_ms(run->world->context) + (uint64_t)step->to_s * SECOND_MS +
                              (step->count != 0 ? 0 : 2 * SECOND_MS);
    bool registered = false;
    for (;;) {
        if (!ask_registered(run, step->server, known.endpoint, &registered)) {
            dn_ets_note(run, "%s does not tell who is registered", run->world->operators[step->server]->name);
            return;
        }
        if (registered == (step->count != 0) || run->world->now_ms(run->world->context) >= limit_ms) {
            break;
        }
        (void)dn_ets_world_run(run->world, SECOND_MS, NULL, NULL);
    }
    (void)dn_ets_expect(run, registered == (step->count != 0), "the server %s the device",
                        step->count != 0 ? "knows" : "does not know");
}

const dn_ets_kind dn_ets_kind_is_registered = {say_is_registered, act_is_registered};

static void say_leave(const dn_ets_step *step, char *out, size_t size)
{
    (void)step;
    (void)snprintf(out, size,
                   "The server forgets the device: a De-register comes in its name, which it did not send");
}

static void act_leave(dn_ets_run *run, const dn_ets_step *step)
{
    bool registered = true;
    dn_ets_refresh(run, step->server);
    const dn_ets_registration known = run->registration;
    run->mark = run->world->trace.count;
    run->world->leave(run->world->context, step->server, &known);
    for (unsigned i = 0; i < 10 && registered; i++) {
        if (!ask_registered(run, step->server, known.endpoint, &registered)) {
            return;
        }
        (void)dn_ets_world_run(run->world, registered ? SECOND_MS : 0, NULL, NULL);
    }
    (void)dn_ets_expect(run, !registered, "the server does not know the device any more");
}

const dn_ets_kind dn_ets_kind_leave = {say_leave, act_leave};

/* ---- time, and what people or the device do ---- */

static void say_wait(const dn_ets_step *step, char *out, size_t size)
{
    (void)snprintf(out, size, "%u seconds pass", (unsigned)step->to_s);
}

static void act_wait(dn_ets_run *run, const dn_ets_step *step)
{
    (void)dn_ets_world_run(run->world, (uint64_t)step->to_s * SECOND_MS, NULL, NULL);
}

const dn_ets_kind dn_ets_kind_wait = {say_wait, act_wait};

static bool hands_done(void *context)
{
    dn_ets_run *run = context;
    return run->world->hands_done(run->world->hands_context);
}

/* A person at the device does it, or the case ends with what is to be done. */
static bool by_hand(dn_ets_run *run, const char *what)
{
    if (run->world->hands_begin == NULL) {
        dn_ets_end_as(run, DN_ETS_NEEDS_HANDS, "%s", what);
        return false;
    }
    run->world->hands_begin(run->world->hands_context, what);
    if (!dn_ets_world_run(run->world, HANDS_MS, hands_done, run)) {
        dn_ets_end_as(run, DN_ETS_NEEDS_HANDS, "%s", what);
        return false;
    }
    return true;
}

static void say_device_sets(const dn_ets_step *step, char *out, size_t size)
{
    (void)snprintf(out, size, "On the device: %s", step->text);
}

static void act_device_sets(dn_ets_run *run, const dn_ets_step *step)
{
    dn_ets_values values = {.list = NULL};
    char text[DN_ETS_QUERY_TEXT];
    run->mark = run->world->trace.count;
    if (run->world->device == NULL) {
        (void)by_hand(run, step->text);
        return;
    }
    dn_ets_resolve(run, step->value, text, sizeof text);
    bool good = dn_ets_values_parse(&values, dunlin_path_root(), text) == DUNLIN_OK;
    for (size_t i = 0; good && i < values.count; i++) {
        good = dn_ets_device_set(run->world->device, values.list[i].path, values.list[i].text);
    }
    (void)dn_ets_expect(run, good, "the device can do it");
    dn_ets_values_clear(&values);
}

const dn_ets_kind dn_ets_kind_device_sets = {say_device_sets, act_device_sets};

static void say_device_sends(const dn_ets_step *step, char *out, size_t size)
{
    (void)snprintf(out, size, "Device sends %s with the Send operation", step->path);
}

static void act_device_sends(dn_ets_run *run, const dn_ets_step *step)
{
    dunlin_path paths[DN_ETS_PATHS_MAX];
    size_t count = 0;
    run->mark = run->world->trace.count;
    if (run->world->device == NULL) {
        (void)by_hand(run, step->text);
        return;
    }
    for (const char *at = step->path; *at != '\0' && count < DN_ETS_PATHS_MAX;) {
        char one[DN_ETS_PATH_TEXT];
        const size_t len = strcspn(at, " ");
        (void)snprintf(one, sizeof one, "%.*s", (int)len, at);
        at += len + (at[len] == ' ');
        paths[count++] = dn_ets_path(run, one);
    }
    const dunlin_status status = dn_ets_device_send(run->world->device, paths, count);
    dn_ets_note(run, "the device's library: %s", dunlin_status_text(status));
}

const dn_ets_kind dn_ets_kind_device_sends = {say_device_sends, act_device_sends};
