/* SPDX-License-Identifier: Apache-2.0 */
/* Runs cases: chooses those that apply, brings the device and the server together, and carries the steps out. */
#include "ets/run.h"

#include "ets/links.h"
#include "ets/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND_MS      1000u
#define ASK_TIMEOUT_MS 30000u
#define ASK_LOSSY_MS   200000u /* longer than an exchange lasts, with its retransmissions */
#define ASK_TRIES      3u
#define ASK_GRACE_MS   600000u
#define PATIENCE_MS    15000u
#define PATIENCE_LOSSY 400000u
#define MESSAGES_MAX   400u /* of a case that are kept as text */

/* ---- the protocol of a case ---- */

static void add_entry(dn_ets_run *run, dn_ets_entry_kind kind, char *text)
{
    dn_ets_result *r = run->result;
    if (r->entry_count == r->entry_capacity) {
        const size_t capacity = r->entry_capacity == 0 ? 32 : r->entry_capacity * 2;
        dn_ets_entry *entries = realloc(r->entries, capacity * sizeof *entries);
        if (entries == NULL) {
            free(text);
            return;
        }
        r->entries = entries;
        r->entry_capacity = capacity;
    }
    const uint64_t now_ms = run->world->now_ms(run->world->context);
    dn_ets_entry *entry = &r->entries[r->entry_count++];
    *entry = (dn_ets_entry){.kind = kind, .at_ms = now_ms - run->begin_ms, .text = text};
    if (run->options->entry != NULL && text != NULL) {
        run->options->entry(run->options->context, entry);
    }
}

static char *print(const char *format, va_list arguments)
{
    dn_ets_text text = {.data = NULL};
    dn_ets_text_vprintf(&text, format, arguments);
    return text.data;
}

static void set_verdict(dn_ets_run *run, dn_ets_verdict verdict, const char *reason)
{
    run->stopped = true;
    if (run->result->verdict == DN_ETS_PASSED) {
        run->result->verdict = verdict;
        run->result->reason = strdup(reason != NULL ? reason : "no memory");
    }
}

bool dn_ets_expect(dn_ets_run *run, bool met, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text = print(format, arguments);
    va_end(arguments);
    if (!met) {
        set_verdict(run, DN_ETS_FAILED, text);
    }
    add_entry(run, met ? DN_ETS_ENTRY_MET : DN_ETS_ENTRY_UNMET, text);
    return met;
}

void dn_ets_note(dn_ets_run *run, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add_entry(run, DN_ETS_ENTRY_NOTE, print(format, arguments));
    va_end(arguments);
}

void dn_ets_end_as(dn_ets_run *run, dn_ets_verdict verdict, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text = print(format, arguments);
    va_end(arguments);
    set_verdict(run, verdict, text);
    add_entry(run, DN_ETS_ENTRY_NOTE, text);
}

static void on_message(void *context, const dn_ets_message *message)
{
    dn_ets_run *run = context;
    if (run->result->entry_count < MESSAGES_MAX) {
        add_entry(run, DN_ETS_ENTRY_MESSAGE,
                  dn_ets_message_text(message, dn_ets_trace_base(&run->world->trace, message)));
    } else if (run->result->entry_count == MESSAGES_MAX) {
        dn_ets_note(run, "further messages are not kept");
    }
}

/* ---- helpers of steps ---- */

bool dn_ets_world_run(dn_ets_world *world, uint64_t timeout_ms, bool (*done)(void *context), void *context)
{
    const uint64_t until_ms = world->now_ms(world->context) + timeout_ms;
    while (!world->failed && (done == NULL || !done(context))) {
        if (world->now_ms(world->context) >= until_ms) {
            return false;
        }
        world->turn(world->context, until_ms);
    }
    return !world->failed;
}

void dn_ets_answer_clear(dn_ets_answer *answer)
{
    dn_ets_values_clear(&answer->values);
    free(answer->links);
    memset(answer, 0, sizeof *answer);
    atomic_init(&answer->done, false);
}

void dn_ets_refresh(dn_ets_run *run, unsigned server)
{
    run->registration = dn_ets_trace_registration(&run->world->trace, server, run->world->endpoint);
}

uint64_t dn_ets_patience_ms(const dn_ets_run *run, uint32_t seconds)
{
    return (uint64_t)seconds * SECOND_MS + (run->world->lossy ? PATIENCE_LOSSY : PATIENCE_MS);
}

/* Puts what a blank stands for, "$server-uri", at out[len]. How far `at` goes on. */
static size_t put_blank(const dn_ets_run *run, const char *at, char *out, size_t size, size_t *len)
{
    char name[DN_ETS_PATH_TEXT];
    const size_t count = 1 + strspn(at + 1, "abcdefghijklmnopqrstuvwxyz-");
    (void)snprintf(name, sizeof name, "%.*s", (int)count, at);
    const dn_ets_blanks blanks = run->world->blanks(run->world->context);
    char *text = dn_ets_configuration_fill(&blanks, name);
    const int put = snprintf(out + *len, size - *len, "%s", text != NULL ? text : "");
    *len += put > 0 && (size_t)put < size - *len ? (size_t)put : 0;
    free(text);
    return count;
}

/* Of the resource whose path ends before `end`, the lowest instance that was read. */
static uint16_t lowest_instance(const dn_ets_run *run, const char *text, const char *end)
{
    dunlin_path resource;
    uint16_t lowest = DUNLIN_ID_NONE;
    const char *start = end;
    while (start > text && start[-1] != ' ') {
        start--;
    }
    if (dunlin_path_parse(dunlin_slice_make(start, (size_t)(end - start) - 1), &resource) != DUNLIN_OK) {
        return lowest;
    }
    for (size_t i = 0; i < run->known.count; i++) {
        const dunlin_path one = run->known.list[i].path;
        if (one.depth == 4 && dunlin_path_within(one, resource) && one.id[3] < lowest) {
            lowest = one.id[3];
        }
    }
    return lowest;
}

/* "x" is the instance of Object 1 that is this server's account, "y" the lowest resource instance that was read. */
void dn_ets_resolve(const dn_ets_run *run, const char *text, char *out, size_t size)
{
    const uint16_t account = dn_ets_registration_instance(&run->registration, 1);
    size_t len = 0;
    for (const char *at = text; *at != '\0' && len + 8 < size; at++) {
        if (*at == '$' && run->world->blanks != NULL) {
            at += put_blank(run, at, out, size, &len) - 1;
            continue;
        }
        const bool whole = at > text && at[-1] == '/' && (at[1] == '\0' || strchr("/ =", at[1]) != NULL);
        if (whole && *at == 'x') {
            len += (size_t)snprintf(out + len, size - len, "%u", account == DUNLIN_ID_NONE ? 0u : account);
        } else if (whole && *at == 'y') {
            const uint16_t lowest = lowest_instance(run, text, at);
            len += (size_t)snprintf(out + len, size - len, "%u", lowest == DUNLIN_ID_NONE ? 0u : lowest);
        } else {
            out[len++] = *at;
        }
    }
    out[len] = '\0';
}

dunlin_path dn_ets_path(dn_ets_run *run, const char *text)
{
    char resolved[DN_ETS_PATH_TEXT];
    dunlin_path path = dunlin_path_root();
    dn_ets_resolve(run, text, resolved, sizeof resolved);
    if (dunlin_path_parse(dunlin_slice_of(resolved), &path) != DUNLIN_OK) {
        (void)dn_ets_expect(run, false, "the case names a path: %s", text);
    }
    return path;
}

static bool has_format(const dn_ets_run *run, uint16_t format)
{
    for (size_t i = 0; i < run->registration.format_count; i++) {
        if (dn_format_canonical(run->registration.formats[i]) == format) {
            return true;
        }
    }
    return false;
}

/* What a server can know of a device's formats (Core 1.1.1 section 7.4): what it announced, what it has sent, and what is
 * mandatory. */
uint16_t dn_ets_pick_format(const dn_ets_run *run, uint16_t format, dunlin_path path, bool composite)
{
    bool multiple = false;
    if (format != DN_ETS_ANY_FORMAT) {
        return format;
    }
    const dunlin_type type = dn_ets_type_of(path, &multiple, NULL);
    if (!composite && path.depth >= 3 && (!multiple || path.depth == 4) && type != DUNLIN_TYPE_OPAQUE) {
        return DN_FORMAT_TEXT;
    }
    if (!composite && type == DUNLIN_TYPE_OPAQUE && path.depth >= 3) {
        return DN_FORMAT_OPAQUE;
    }
    if (run->registration.minor == 0) {
        return DN_FORMAT_TLV;
    }
    const uint16_t order[] = {DN_FORMAT_SENML_CBOR, DN_FORMAT_SENML_JSON, DN_FORMAT_TLV};
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        if (has_format(run, order[i])) {
            return order[i];
        }
    }
    const uint16_t seen = run->answer.content_format;
    return !composite && (seen == DN_FORMAT_TLV || seen == DN_FORMAT_SENML_CBOR) ? seen
                                                                                 : DN_FORMAT_SENML_JSON;
}

static bool is_answered(void *context)
{
    return atomic_load(&((dn_ets_answer *)context)->done);
}

/* Waits for it even beyond its time: the operator writes to the answer until it is done. */
static bool ask_once(dn_ets_run *run, dn_ets_ask *ask, unsigned server)
{
    const dn_ets_operator *to = run->world->operators[server];
    dn_ets_answer_clear(&run->answer);
    to->ask(to->context, ask, &run->answer);
    if (!dn_ets_world_run(run->world, ask->timeout_ms + ASK_GRACE_MS, is_answered, &run->answer)) {
        (void)dn_ets_expect(run, false, "the server's operator interface answers");
        run->world->failed = true;
        return false;
    }
    return true;
}

/* A device that acts at once on what it was told, and de-registers, may be gone before its lost answer is repeated. That it
 * has answered is what counts. */
static bool was_answered(dn_ets_run *run, unsigned server)
{
    const dn_ets_trace *trace = &run->world->trace;
    const size_t asked = dn_ets_trace_request(trace, run->mark, server, true, DN_COAP_POST, NULL);
    const dn_ets_message *answer = asked != SIZE_MAX ? dn_ets_trace_answer(trace, asked) : NULL;
    if (answer == NULL || run->answer.status != DUNLIN_ERR_CANCELLED) {
        return false;
    }
    dn_ets_note(run, "the answer was lost, and the device is gone");
    run->answer.status = DUNLIN_OK;
    run->answer.code = answer->is.code;
    return true;
}

/* Operators do not show the values that come with a cancellation: they are on the wire. */
static void take_values(dn_ets_run *run, unsigned server)
{
    const dn_ets_trace *trace = &run->world->trace;
    const size_t asked = dn_ets_trace_request(trace, run->mark, server, true, DN_COAP_FETCH, NULL);
    const dn_ets_message *answer = asked != SIZE_MAX ? dn_ets_trace_answer(trace, asked) : NULL;
    if (answer != NULL) {
        run->answer.decoded = dn_ets_values_decode(&run->answer.values, answer->is.content_format,
                                                   dunlin_path_root(), answer->is.payload) == DUNLIN_OK;
    }
}

bool dn_ets_asks(dn_ets_run *run, dn_ets_ask *ask, unsigned server)
{
    if (server != DN_ETS_BOOTSTRAP && server >= run->world->servers) {
        dn_ets_end_as(run, DN_ETS_NOT_APPLICABLE, "the case needs a second server");
        return false;
    }
    dn_ets_refresh(run, server);
    run->mark = run->world->trace.count;
    run->asked = ask->path;
    ask->endpoint = run->registration.endpoint;
    ask->timeout_ms = ask->timeout_ms != 0 ? ask->timeout_ms
                      : run->world->lossy  ? ASK_LOSSY_MS
                                           : ASK_TIMEOUT_MS;
    unsigned tries = run->world->lossy ? ASK_TRIES : 1;
    bool overtaken = false;
    for (unsigned i = 0; i < tries; i++) {
        if (!ask_once(run, ask, server)) {
            return false;
        }
        /* A device that restarts by itself, as after an update, may do so while it is looked at. */
        if (ask->operation == DN_ETS_READ && run->answer.status == DUNLIN_ERR_CANCELLED && !overtaken) {
            dn_ets_note(run, "the device has registered anew meanwhile: it is asked again");
            overtaken = true;
            tries++;
            continue;
        }
        if (i > 0 && ask->operation == DN_ETS_CANCEL && run->answer.status == DUNLIN_ERR_NOT_FOUND) {
            dn_ets_note(run, "the server has given the observation up by then");
            run->answer.status = DUNLIN_OK;
            run->answer.code = DN_COAP_CONTENT;
        }
        if (run->answer.status != DUNLIN_ERR_TIMEOUT) {
            break;
        }
        dn_ets_note(run, "no answer");
    }
    if (ask->operation == DN_ETS_CANCEL_COMPOSITE && run->answer.values.count == 0) {
        take_values(run, server);
    }
    if (run->answer.unsupported) {
        dn_ets_end_as(run, DN_ETS_NOT_APPLICABLE, "%s cannot ask for this%s%s",
                      run->world->operators[server]->name, run->answer.trouble[0] != '\0' ? ": " : "",
                      run->answer.trouble);
        return false;
    }
    dn_ets_values_copy(&run->known, &run->answer.values, dunlin_path_root());
    if (run->answer.status == DUNLIN_OK || was_answered(run, server)) {
        return true;
    }
    if (run->answer.status == DUNLIN_ERR_UNSUPPORTED) {
        return dn_ets_expect(run, false, "the server can ask for it: %s", run->answer.trouble);
    }
    return dn_ets_expect(run, false, "the device answers: %s%s%s", dunlin_status_text(run->answer.status),
                         run->answer.trouble[0] != '\0' ? ": " : "", run->answer.trouble);
}

typedef struct {
    dn_ets_run *run;
    unsigned server;
    uint8_t method;
    const char *path;
    size_t found;
} awaited;

static bool has_come(void *context)
{
    awaited *a = context;
    const dn_ets_trace *trace = &a->run->world->trace;
    a->found = dn_ets_trace_request(trace, a->run->mark, a->server, false, a->method, a->path);
    return a->found != SIZE_MAX && dn_ets_trace_answer(trace, a->found) != NULL;
}

size_t dn_ets_await(dn_ets_run *run, unsigned server, uint8_t method, const char *path, uint64_t timeout_ms)
{
    awaited a = {.run = run, .server = server, .method = method, .path = path};
    if (!dn_ets_world_run(run->world, timeout_ms, has_come, &a)) {
        return SIZE_MAX;
    }
    run->mark = a.found + 1;
    return a.found;
}

/* ---- what applies ---- */

static bool is_there(dn_ets_run *run, dunlin_path path)
{
    dunlin_path instance = path;
    instance.depth = path.depth > 2 ? 2 : path.depth;
    if (!dn_ets_registration_lists(&run->registration, instance) || path.depth <= 2) {
        return dn_ets_registration_lists(&run->registration, instance);
    }
    dn_ets_ask ask = {.operation = DN_ETS_DISCOVER,
                      .path = dunlin_path_instance(path.id[0], path.id[1]),
                      .format = DN_FORMAT_NONE,
                      .query = ""};
    dn_ets_link found;
    if (!dn_ets_asks(run, &ask, 0) || run->answer.code != DN_COAP_CONTENT || run->answer.links == NULL) {
        return true; /* then the case itself will show it */
    }
    return dn_ets_find_link(run->answer.links, run->registration.root, path, &found);
}

/* A foreign device need not have everything. */
static void check_needs(dn_ets_run *run)
{
    const char *at = run->what->needs;
    while (at != NULL && *at != '\0' && !run->stopped) {
        char path[DN_ETS_PATH_TEXT];
        const size_t len = strcspn(at, " ");
        (void)snprintf(path, sizeof path, "%.*s", (int)len, at);
        at += len + (at[len] == ' ');
        const dunlin_path wanted = dn_ets_path(run, path);
        if (!run->stopped && !is_there(run, wanted)) {
            dn_ets_end_as(run, DN_ETS_NOT_APPLICABLE, "the device has no %s", path);
        }
    }
}

static bool has_registered(void *context)
{
    dn_ets_run *run = context;
    dn_ets_refresh(run, 0);
    return run->registration.registered;
}

/* Whether anything has come from the side under test. */
static bool has_heard(const dn_ets_world *world)
{
    for (size_t i = 0; i < world->trace.count; i++) {
        if (world->trace.list[i]->to_device == (world->device != NULL)) {
            return true;
        }
    }
    return false;
}

/* Our own device has got the answer to its Register, which was seen leaving. */
static bool knows_it(void *context)
{
    const dn_ets_run *run = context;
    return dunlin_client_registered(dn_ets_device_client(run->world->device));
}

/* The device and the server come together. */
static bool meet(dn_ets_run *run, dn_ets_results *results)
{
    dn_ets_world *world = run->world;
    const dn_ets_case *what = run->what;
    if (!dn_ets_world_run(world, run->options->come_ms, has_registered, run)) {
        results->no_peer = !has_heard(world);
        if (world->device == NULL) {
            dn_ets_end_as(run, DN_ETS_NEEDS_HANDS, "let the device register; it has not within %u s",
                          run->options->come_ms / SECOND_MS);
        } else {
            (void)dn_ets_expect(run, false, "the device is registered");
        }
        return false;
    }
    if (world->device != NULL) {
        (void)dn_ets_world_run(world, run->options->come_ms, knows_it, run);
    }
    results->no_peer = false;
    (void)snprintf(results->peer, sizeof results->peer, "%s, LwM2M 1.%u", run->registration.endpoint,
                   run->registration.minor);
    const unsigned version = run->registration.minor == 0 ? DN_ETS_V10 : DN_ETS_V11;
    if ((what->versions & version) == 0) {
        dn_ets_end_as(run, DN_ETS_NOT_APPLICABLE, "the case is not one of LwM2M 1.%u",
                      run->registration.minor);
        return false;
    }
    if (world->device == NULL && what->queue_mode && !run->registration.queue_mode) {
        dn_ets_end_as(run, DN_ETS_NOT_APPLICABLE, "the device does not use queue mode");
    }
    if (world->device == NULL && !run->stopped) {
        check_needs(run);
    }
    return !run->stopped;
}

/* ---- running ---- */

void dn_ets_do(dn_ets_run *run, const dn_ets_step *steps, size_t count)
{
    char line[DN_ETS_SAY_MAX];
    for (size_t i = 0; i < count && !run->world->failed; i++) {
        if (run->stopped && !steps[i].always) {
            continue;
        }
        steps[i].kind->say(&steps[i], line, sizeof line);
        add_entry(run, DN_ETS_ENTRY_STEP, strdup(line));
        steps[i].kind->act(run, &steps[i]);
    }
}

/* What bootstrap needs of the setting, and is not there; NULL: nothing. */
static const char *lacks(const dn_ets_world *world, const dn_ets_case *what)
{
    if (what->has_card && world->power_cycle == NULL) {
        return "there is no smartcard in this setting";
    }
    if (what->bootstrap == DN_ETS_BOOTSTRAP_NONE) {
        return NULL;
    }
    if (world->bootstraps == 0) {
        return "there is no bootstrap server in this setting: see --bootstrap";
    }
    if (what->bootstrap == DN_ETS_BOOTSTRAP_HAND && !world->has_hand) {
        return "the bootstrap server does not do what the case asks for";
    }
    if ((world->bootstraps & 1u << what->way) == 0 ||
        (what->enrols && strcmp(world->setting, "simulated") != 0)) {
        return "the bootstrap server has no account of this kind to give";
    }
    return NULL;
}

static void run_case(dn_ets_world *world, const dn_ets_options *options, dn_ets_results *results,
                     dn_ets_result *result)
{
    const dn_ets_case *what = result->what;
    dn_ets_run run = {.world = world, .options = options, .what = what, .result = result};
    const unsigned wanted = options->minor == 0 ? DN_ETS_V10 : DN_ETS_V11;
    run.begin_ms = world->now_ms(world->context);
    if (what->why_not != NULL) {
        set_verdict(&run, DN_ETS_NOT_APPLICABLE, what->why_not);
        return;
    }
    if (strcmp(world->setting, "client") != 0 && (what->versions & wanted) == 0) {
        set_verdict(&run, DN_ETS_NOT_APPLICABLE,
                    options->minor == 0 ? "the case is not one of LwM2M 1.0"
                                        : "the case is of LwM2M 1.0 only");
        return;
    }
    if (strcmp(world->setting, "client") != 0 && !dn_ets_device_knows((dn_ets_config)what->config)) {
        set_verdict(&run, DN_ETS_NOT_APPLICABLE,
                    "our device does not have the Objects of this configuration");
        return;
    }
    const dn_ets_setup setup = {.config = (dn_ets_config)what->config,
                                .minor = options->minor,
                                .lifetime_s = what->lifetime_s,
                                .queue_mode = what->queue_mode,
                                .portfolio = what->portfolio,
                                .endpoint = options->endpoint,
                                .servers = what->config == DN_ETS_C14 || what->has_card ? 2 : 1,
                                .way = what->way,
                                .bootstrap = what->bootstrap,
                                .bootstrap_way = what->bootstrap_way,
                                .is_elsewhere = what->is_elsewhere,
                                .has_card = what->has_card,
                                .enrols = what->enrols};
    const char *lacking = lacks(world, what);
    if (lacking != NULL) {
        set_verdict(&run, DN_ETS_NOT_APPLICABLE, lacking);
        return;
    }
    if (setup.servers > world->servers) {
        set_verdict(&run, DN_ETS_NOT_APPLICABLE, "the case needs a second server");
        return;
    }
    if (strcmp(world->setting, "client") != 0 && what->way != DN_ETS_WAY_ANY &&
        (world->ways & 1u << what->way) == 0) {
        set_verdict(&run, DN_ETS_NOT_APPLICABLE,
                    "the server is not reached in that way: see --target and the options for credentials");
        return;
    }
    world->trace.added = on_message;
    world->trace.context = &run;
    run.begin = world->trace.count;
    if (!world->begin(world->context, &setup)) {
        (void)dn_ets_expect(&run, false, "the device can be configured: %s", world->error);
    } else {
        run.begin_ms = world->now_ms(world->context);
        if (what->apart || meet(&run, results)) {
            run.mark = run.begin;
            dn_ets_do(&run, what->steps, what->step_count);
        }
    }
    result->took_ms = world->now_ms(world->context) - run.begin_ms;
    world->end(world->context);
    world->trace.added = NULL;
    dn_ets_answer_clear(&run.answer);
    dn_ets_values_clear(&run.saved);
    dn_ets_values_clear(&run.known);
}

static bool is_chosen(const dn_ets_options *options, const dn_ets_case *what)
{
    for (size_t i = 0; i < options->pattern_count; i++) {
        if (dn_ets_case_matches(what, options->patterns[i])) {
            return true;
        }
    }
    return options->pattern_count == 0;
}

static dn_ets_result *add_result(dn_ets_results *results)
{
    if (results->count == results->capacity) {
        const size_t capacity = results->capacity == 0 ? 64 : results->capacity * 2;
        dn_ets_result *list = realloc(results->list, capacity * sizeof *list);
        if (list == NULL) {
            return NULL;
        }
        results->list = list;
        results->capacity = capacity;
    }
    dn_ets_result *result = &results->list[results->count++];
    *result = (dn_ets_result){.verdict = DN_ETS_PASSED};
    return result;
}

static bool run_group(dn_ets_world *world, const dn_ets_options *options, const dn_ets_group *group,
                      dn_ets_results *results)
{
    for (size_t i = 0; i < group->count; i++) {
        if (!is_chosen(options, &group->cases[i])) {
            continue;
        }
        dn_ets_result *result = add_result(results);
        if (result == NULL) {
            return false;
        }
        result->what = &group->cases[i];
        result->group = group;
        if (options->started != NULL) {
            options->started(options->context, result->what);
        }
        run_case(world, options, results, result);
        if (options->ended != NULL) {
            options->ended(options->context, result);
        }
        if (world->failed || results->no_peer) {
            return false;
        }
    }
    return true;
}

bool dn_ets_run_cases(dn_ets_world *world, const dn_ets_options *options, dn_ets_results *results)
{
    results->setting = world->setting;
    for (size_t i = 0; i < dn_ets_group_count; i++) {
        if (!run_group(world, options, dn_ets_groups[i], results)) {
            return false;
        }
    }
    return true;
}

dn_ets_options dn_ets_options_default(void)
{
    return (dn_ets_options){.minor = 1, .come_ms = 60000, .endpoint = "urn:dev:ops:32473-ETS-1"};
}

void dn_ets_results_free(dn_ets_results *results)
{
    for (size_t i = 0; i < results->count; i++) {
        for (size_t j = 0; j < results->list[i].entry_count; j++) {
            free(results->list[i].entries[j].text);
        }
        free(results->list[i].entries);
        free(results->list[i].reason);
    }
    free(results->list);
    *results = (dn_ets_results){.setting = results->setting};
}

size_t dn_ets_results_count(const dn_ets_results *results, dn_ets_verdict verdict)
{
    size_t count = 0;
    for (size_t i = 0; i < results->count; i++) {
        count += results->list[i].verdict == verdict;
    }
    return count;
}
