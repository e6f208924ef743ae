/* SPDX-License-Identifier: Apache-2.0 */
/* Steps of bootstrap: what the device asks of the bootstrap server, what that one does, and the smartcard. */
#include "coap/option.h"
#include "ets/links.h"
#include "ets/run.h"
#include "ets/text.h"

#include <stdio.h>
#include <string.h>

#define LINKS_MAX 4096u
#define CARD_MAX  2048u
#define SECOND_MS 1000u

static const char STARTS_BARE[] =
    "let the device start with nothing but the bootstrap server's account, as instance 1 of Object 0 (C.13)";

static dn_ets_message *const *messages(const dn_ets_run *run)
{
    return run->world->trace.list;
}

/* ---- Bootstrap-Request ---- */

static void say_asks(const dn_ets_step *step, char *out, size_t size)
{
    (void)step;
    (void)snprintf(out, size, "Device sends a Bootstrap-Request; the bootstrap server answers 2.04 Changed");
}

static bool is_preference(const char *text)
{
    return strcmp(text, "110") == 0 || strcmp(text, "112") == 0 || strcmp(text, "11542") == 0;
}

static void act_asks(dn_ets_run *run, const dn_ets_step *step)
{
    char text[DN_ETS_QUERY_TEXT];
    const bool foreign = run->world->device == NULL;
    const uint64_t patience_ms = foreign ? run->options->come_ms : dn_ets_patience_ms(run, step->to_s);
    if (foreign && run->world->hands_begin != NULL) {
        run->world->hands_begin(run->world->hands_context, STARTS_BARE);
    }
    const size_t found = dn_ets_await(run, DN_ETS_BOOTSTRAP, DN_COAP_POST, "/bs", patience_ms);
    if (foreign && found == SIZE_MAX) {
        dn_ets_end_as(run, DN_ETS_NEEDS_HANDS, "%s; it has not within %u s", STARTS_BARE,
                      (unsigned)(patience_ms / SECOND_MS));
        return;
    }
    if (!dn_ets_expect(run, found != SIZE_MAX, "the device sends POST /bs")) {
        return;
    }
    const dn_ets_message *request = messages(run)[found];
    const dn_ets_message *answer = dn_ets_trace_answer(&run->world->trace, found);
    (void)dn_ets_expect(run, dn_ets_query(request->query, "ep", text, sizeof text) && text[0] != '\0',
                        "it names the endpoint: %s", request->query);
    if (dn_ets_query(request->query, "pct", text, sizeof text)) {
        (void)dn_ets_expect(run, run->options->minor > 0 && is_preference(text),
                            "the format that it prefers is one of LwM2M 1.1: %s", text);
    }
    (void)dn_ets_expect(run, answer != NULL && answer->is.code == DN_COAP_CHANGED,
                        "the bootstrap server answers 2.04 Changed");
}

const dn_ets_kind dn_ets_kind_asks_bootstrap = {say_asks, act_asks};

/* ---- what our bootstrap server asks ---- */

typedef struct {
    uint8_t method;
    const char *name;
} what_row;

static what_row what_of(const dn_ets_step *step)
{
    switch (step->operation) {
    case DN_ETS_WRITE:
        return (what_row){DN_COAP_PUT, "Bootstrap-Write"};
    case DN_ETS_DELETE:
        return (what_row){DN_COAP_DELETE, "Bootstrap-Delete"};
    case DN_ETS_READ:
        return (what_row){DN_COAP_GET, "Bootstrap-Read"};
    default:
        return (what_row){DN_COAP_POST, "Bootstrap-Finish"};
    }
}

static void say_asked(const dn_ets_step *step, char *out, size_t size)
{
    (void)snprintf(out, size, "Bootstrap server sends %s %s; the device answers %s", what_of(step).name,
                   step->path, dn_ets_code_name(step->code));
}

typedef struct {
    const dn_ets_run *run;
    const dn_ets_step *step;
    size_t found;
} asked;

/* A bootstrap server may write an Object as a whole, or its instances one by one. */
static bool is_at(const dn_ets_step *step, const char *path)
{
    const size_t len = strlen(step->path);
    return strncmp(path, step->path, len) == 0 &&
           (path[len] == '\0' || (step->operation == DN_ETS_WRITE && path[len] == '/'));
}

/* The request, with its answer. Several of one kind may be repeated: any of them that was answered counts. */
static bool was_asked(void *context)
{
    asked *a = context;
    const dn_ets_trace *trace = &a->run->world->trace;
    size_t from = a->run->mark;
    do {
        a->found = dn_ets_trace_request(trace, from, DN_ETS_BOOTSTRAP, true, what_of(a->step).method, NULL);
        from = a->found + 1;
    } while (a->found != SIZE_MAX && (!is_at(a->step, messages(a->run)[a->found]->path) ||
                                      dn_ets_trace_answer(trace, a->found) == NULL));
    return a->found != SIZE_MAX;
}

static void act_asked(dn_ets_run *run, const dn_ets_step *step)
{
    asked a = {.run = run, .step = step, .found = SIZE_MAX};
    if (!dn_ets_expect(run, dn_ets_world_run(run->world, dn_ets_patience_ms(run, 0), was_asked, &a),
                       "the device is sent %s %s, and answers", what_of(step).name, step->path)) {
        return;
    }
    const dn_ets_message *answer = dn_ets_trace_answer(&run->world->trace, a.found);
    const char *got = answer != NULL ? dn_ets_code_name(answer->is.code) : NULL;
    (void)dn_ets_expect(run, answer != NULL && answer->is.code == step->code,
                        "the device answers %s: it is %s", dn_ets_code_name(step->code),
                        got != NULL ? got : "another code");
}

const dn_ets_kind dn_ets_kind_is_asked = {say_asked, act_asked};

/* ---- Discover ---- */

static void say_discovered(const dn_ets_step *step, char *out, size_t size)
{
    (void)snprintf(out, size, "Bootstrap server has discovered what the device is: %s%s%s", step->value,
                   step->text[0] != '\0' ? ", and nothing at " : "", step->text);
}

/* The list without the version in front of it, which is no link in LwM2M 1.0. False: it tells no version, or another one. */
static bool take_version(dn_ets_run *run, const char **links)
{
    const bool is_link = strncmp(*links, "</>;lwm2m=", strlen("</>;lwm2m=")) == 0;
    const bool is_word = strncmp(*links, "lwm2m=", strlen("lwm2m=")) == 0;
    const char *version = strchr(*links, '=');
    const char *end = strchr(*links, ',');
    if (!dn_ets_expect(run, is_link || is_word, "the list begins with the version of LwM2M: %.40s", *links)) {
        return false;
    }
    version += 1 + (version[1] == '"');
    (void)dn_ets_expect(run, strncmp(version, run->options->minor == 0 ? "1.0" : "1.1", 3) == 0,
                        "the version is that of the device");
    (void)dn_ets_expect(run, is_link || run->options->minor == 0, "it is a link from LwM2M 1.1 on");
    *links = end != NULL ? end + 1 : "";
    return !run->stopped;
}

/* The bootstrap server's account has no Short Server ID to tell. */
static void check_own_account(dn_ets_run *run, const char *links)
{
    dn_ets_link own;
    dn_link_param parameter;
    if (dn_ets_find_link(links, "/", dunlin_path_instance(0, 1), &own)) {
        (void)dn_ets_expect(run, dn_link_param_find(&own, "ssid", &parameter) != DUNLIN_OK,
                            "the bootstrap server's account has no ssid");
    }
}

static void compare(dn_ets_run *run, const dn_ets_step *step, const char *links)
{
    char why[DN_ETS_SAY_MAX] = "";
    if (!take_version(run, &links)) {
        return;
    }
    const bool match = dn_ets_links_match(links, "/", step->value, why, sizeof why);
    (void)dn_ets_expect(run, match, "the list has %s%s%s", step->value, match ? "" : ": ", why);
    for (const char *at = step->text; *at != '\0';) {
        char one[DN_ETS_PATH_TEXT];
        dn_ets_link found;
        const size_t len = strcspn(at, " ");
        (void)snprintf(one, sizeof one, "%.*s", (int)len, at);
        at += len + (at[len] == ' ');
        (void)dn_ets_expect(run, !dn_ets_find_link(links, "/", dn_ets_path(run, one), &found),
                            "the list has no %s", one);
    }
    check_own_account(run, links);
}

/* The answer to the last Discover of the bootstrap server, into `links`. */
static bool last_list(const dn_ets_run *run, char links[LINKS_MAX])
{
    const dn_ets_trace *trace = &run->world->trace;
    for (size_t i = trace->count; i > run->begin; i--) {
        const dn_ets_message *one = trace->list[i - 1];
        if (one->server != DN_ETS_BOOTSTRAP || !one->to_device || !one->readable || one->again ||
            one->is.code != DN_COAP_GET || strcmp(one->path, "/") != 0) {
            continue;
        }
        const dn_ets_message *answer = dn_ets_trace_answer(trace, i - 1);
        if (answer != NULL && answer->is.code == DN_COAP_CONTENT) {
            (void)snprintf(links, LINKS_MAX, "%.*s", (int)answer->is.payload.len,
                           (const char *)answer->is.payload.data);
            return true;
        }
    }
    return false;
}

static void act_discovered(dn_ets_run *run, const dn_ets_step *step)
{
    char links[LINKS_MAX];
    if (step->count > 0) {
        if (dn_ets_expect(run, run->answer.links != NULL, "the answer is a list of links")) {
            compare(run, step, run->answer.links);
        }
    } else if (dn_ets_expect(run, last_list(run, links), "the bootstrap server has asked for the list")) {
        compare(run, step, links);
    }
}

const dn_ets_kind dn_ets_kind_is_discovered = {say_discovered, act_discovered};

/* ---- the card ---- */

static void say_card(const dn_ets_step *step, char *out, size_t size)
{
    (void)snprintf(out, size, "Device is switched off and on again, with %s",
                   step->value != NULL ? "a card in it" : "no card in it");
}

static bool put_number(dunlin_buf *file, size_t number)
{
    const uint8_t bytes[] = {(uint8_t)(number >> 8), (uint8_t)number};
    return dunlin_buf_append(file, dunlin_slice_make(bytes, sizeof bytes));
}

/* An Object of the file (Core 1.1.1 appendix G): id, version 1.0, length, instances in TLV. */
static bool put_object(const dn_ets_values *values, uint16_t object, dunlin_buf *file)
{
    uint8_t memory[CARD_MAX];
    const uint8_t version = 0;
    dn_ets_values own = {.list = NULL};
    dunlin_buf tlv = dunlin_buf_make(memory, sizeof memory);
    dn_ets_values_copy(&own, values, dunlin_path_object(object));
    const bool made =
        dn_ets_values_encode(&own, DN_FORMAT_TLV, dunlin_path_object(object), &tlv) == DUNLIN_OK;
    dn_ets_values_clear(&own);
    return made && put_number(file, object) && dunlin_buf_append(file, dunlin_slice_make(&version, 1)) &&
           put_number(file, tlv.len) && dunlin_buf_append(file, dunlin_buf_view(&tlv));
}

static bool make_card(const char *text, dunlin_buf *file)
{
    uint8_t memory[CARD_MAX];
    dn_ets_values values = {.list = NULL};
    dunlin_buf objects = dunlin_buf_make(memory, sizeof memory);
    const bool made = dn_ets_values_parse(&values, dunlin_path_root(), text) == DUNLIN_OK &&
                      put_object(&values, 0, &objects) && put_object(&values, 1, &objects) &&
                      put_number(file, 2) && put_number(file, objects.len) &&
                      dunlin_buf_append(file, dunlin_buf_view(&objects));
    dn_ets_values_clear(&values);
    return made;
}

static void act_card(dn_ets_run *run, const dn_ets_step *step)
{
    uint8_t memory[CARD_MAX];
    dunlin_buf file = dunlin_buf_make(memory, sizeof memory);
    if (step->value != NULL && !make_card(step->value, &file)) {
        (void)dn_ets_expect(run, false, "the case describes a card: %s", step->value);
        return;
    }
    run->mark = run->world->trace.count;
    (void)dn_ets_expect(run, run->world->power_cycle(run->world->context, dunlin_buf_view(&file)),
                        "the device starts again");
}

const dn_ets_kind dn_ets_kind_starts_with_card = {say_card, act_card};
