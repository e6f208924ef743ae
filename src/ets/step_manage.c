/* SPDX-License-Identifier: Apache-2.0 */
/* Steps of device management: what the server asks for, and what the answer must hold. */
#include "ets/links.h"
#include "ets/run.h"
#include "ets/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define UNDER_WAY_MS  200u /* a notification that was seen leaving has come by then */
#define CLOCK_SLACK_S 600  /* a clock goes on between writing and reading it */

static const char *format_name(uint16_t format)
{
    const dn_format *row = dn_format_find(format);
    return format == DN_ETS_ANY_FORMAT ? "a format of the device"
           : row != NULL               ? row->media_type
                                       : "no format";
}

/* ---- asking ---- */

static void say_ask(const dn_ets_step *step, char *out, size_t size)
{
    static const char *const verbs[] = {
        [DN_ETS_READ] = "reads",
        [DN_ETS_DISCOVER] = "discovers",
        [DN_ETS_WRITE] = "writes",
        [DN_ETS_UPDATE] = "partially updates",
        [DN_ETS_ATTRIBUTES] = "writes attributes of",
        [DN_ETS_EXECUTE] = "executes",
        [DN_ETS_CREATE] = "creates an instance of",
        [DN_ETS_DELETE] = "deletes",
        [DN_ETS_OBSERVE] = "observes",
        [DN_ETS_CANCEL] = "cancels the observation of",
        [DN_ETS_FORGET] = "forgets the observation of",
        [DN_ETS_READ_COMPOSITE] = "reads together",
        [DN_ETS_WRITE_COMPOSITE] = "writes together",
        [DN_ETS_OBSERVE_COMPOSITE] = "observes together",
        [DN_ETS_CANCEL_COMPOSITE] = "cancels the observation together of",
        [DN_ETS_FINISH] = "finishes",
    };
    static const char *const who[DN_ETS_PARTIES] = {"Server", "Second server", "Bootstrap server"};
    const char *code = dn_ets_code_name(step->code);
    const bool writes = step->operation != DN_ETS_WRITE_COMPOSITE;
    int len = snprintf(out, size, "%s %s %s%s%s", who[step->server], verbs[step->operation],
                       writes ? step->path : "", step->value != NULL && writes ? ": " : "",
                       step->value != NULL ? step->value : "");
    if (step->format != DN_FORMAT_NONE && len > 0 && (size_t)len < size) {
        len += snprintf(out + len, size - (size_t)len, " (%s)", format_name(step->format));
    }
    if (code != NULL && len > 0 && (size_t)len < size) {
        (void)snprintf(out + len, size - (size_t)len, "; the device answers %s", code);
    }
}

/* Splits "/1/x/1 /3/0" of a composite operation. */
static void take_paths(dn_ets_run *run, const char *text, dn_ets_ask *ask)
{
    for (const char *at = text; *at != '\0' && ask->path_count < DN_ETS_PATHS_MAX;) {
        char one[DN_ETS_PATH_TEXT];
        const size_t len = strcspn(at, " ");
        (void)snprintf(one, sizeof one, "%.*s", (int)len, at);
        at += len + (at[len] == ' ');
        ask->paths[ask->path_count++] = dn_ets_path(run, one);
    }
    for (size_t i = 1; i < ask->path_count; i++) { /* ascending, and few */
        for (size_t j = i; j > 0 && dunlin_path_compare(ask->paths[j - 1], ask->paths[j]) > 0; j--) {
            const dunlin_path swap = ask->paths[j];
            ask->paths[j] = ask->paths[j - 1];
            ask->paths[j - 1] = swap;
        }
    }
}

static bool carries_values(uint8_t operation)
{
    return operation == DN_ETS_WRITE || operation == DN_ETS_UPDATE || operation == DN_ETS_CREATE ||
           operation == DN_ETS_WRITE_COMPOSITE;
}

/* What a device may lack is no failure: formats beyond the mandatory ones (Core 1.1.1 section 7.4), composites. */
static bool may_refuse(const dn_ets_run *run, const dn_ets_step *step)
{
    const uint8_t code = run->answer.code;
    const bool optional_format =
        step->format == DN_FORMAT_LWM2M_JSON ||
        (run->registration.minor > 0 &&
         (step->format == DN_FORMAT_TLV || step->format == DN_FORMAT_CBOR ||
          step->format == DN_FORMAT_SENML_CBOR || step->format == DN_FORMAT_SENML_JSON));
    if (optional_format && (code == DN_COAP_NOT_ACCEPTABLE || code == DN_COAP_UNSUPPORTED_FORMAT)) {
        return true;
    }
    return step->composite && (code == DN_COAP_METHOD_NOT_ALLOWED || code == DN_COAP_NOT_IMPLEMENTED);
}

static void judge(dn_ets_run *run, const dn_ets_step *step)
{
    const char *wanted = dn_ets_code_name(step->code);
    const char *got = dn_ets_code_name(run->answer.code);
    char number[8];
    (void)snprintf(number, sizeof number, "%u.%02u", run->answer.code >> 5, run->answer.code & 31u);
    got = got != NULL ? got : number;
    if (run->answer.code != step->code && may_refuse(run, step)) {
        dn_ets_end_as(run, DN_ETS_NOT_APPLICABLE,
                      "the device does not have %s, which is optional: it answered %s",
                      step->composite ? "composite operations" : format_name(step->format), got);
        return;
    }
    const bool as_wanted = run->answer.code == step->code;
    if (!dn_ets_expect(run, as_wanted, "the device answers %s%s%s", wanted, as_wanted ? "" : ": it answered ",
                       as_wanted ? "" : got)) {
        return;
    }
    if (step->code == DN_COAP_CONTENT && step->operation == DN_ETS_DISCOVER) {
        (void)dn_ets_expect(run, run->answer.links != NULL, "the answer is a list of links");
    } else if (step->code == DN_COAP_CONTENT && step->operation != DN_ETS_CANCEL &&
               step->operation != DN_ETS_CANCEL_COMPOSITE) {
        (void)dn_ets_expect(run, run->answer.decoded, "the server understands the payload%s%s",
                            run->answer.decoded ? "" : ": ", run->answer.decoded ? "" : run->answer.trouble);
    }
}

static void act_ask(dn_ets_run *run, const dn_ets_step *step)
{
    char text[DN_ETS_QUERY_TEXT];
    dn_ets_values values = {.list = NULL};
    dn_ets_refresh(run, step->server);
    dn_ets_ask ask = {.operation = (dn_ets_operation)step->operation, .query = "", .values = &values};
    if (step->operation == DN_ETS_WRITE_COMPOSITE) {
        ask.path = dunlin_path_root();
    } else if (step->composite) {
        take_paths(run, step->path, &ask);
    } else {
        ask.path = dn_ets_path(run, step->path);
    }
    if (carries_values(step->operation)) {
        dn_ets_resolve(run, step->value, text, sizeof text);
        dunlin_status status = DUNLIN_OK;
        if (ask.path.depth >= 3) {
            const dunlin_type type = dn_ets_type_of(ask.path, NULL, NULL);
            dn_ets_values_put(&values, ask.path, type == DUNLIN_TYPE_NONE ? DUNLIN_TYPE_STRING : type, text);
        } else {
            status = dn_ets_values_parse(&values, ask.path, text);
        }
        (void)(status == DUNLIN_OK || dn_ets_expect(run, false, "the case names values: %s", text));
    } else if (step->value != NULL) {
        ask.query = step->value;
    }
    ask.format = dn_ets_pick_format(run, step->format, ask.path, step->composite);
    if (step->operation == DN_ETS_FORGET) {
        (void)dn_ets_world_run(run->world, UNDER_WAY_MS, NULL, NULL); /* or that one gets the Reset */
    }
    if ((!run->stopped || step->always) && dn_ets_asks(run, &ask, step->server) && step->code != 0) {
        judge(run, step);
    }
    dn_ets_values_clear(&values);
}

const dn_ets_kind dn_ets_kind_ask = {say_ask, act_ask};

/* ---- the answer ---- */

static void each_path(dn_ets_run *run, const char *paths, bool wanted)
{
    for (const char *at = paths; *at != '\0' && !run->stopped;) {
        char one[DN_ETS_PATH_TEXT], shown[DUNLIN_PATH_TEXT_MAX + 1];
        const size_t len = strcspn(at, " ");
        (void)snprintf(one, sizeof one, "%.*s", (int)len, at);
        at += len + (at[len] == ' ');
        const dunlin_path path = dn_ets_path(run, one);
        (void)dunlin_path_format(path, shown);
        (void)dn_ets_expect(run, dn_ets_values_has(&run->answer.values, path) == wanted, "%s is %sin it",
                            shown, wanted ? "" : "not ");
    }
}

static void say_has(const dn_ets_step *step, char *out, size_t size)
{
    (void)snprintf(out, size, "It holds %s", step->path);
}

static void act_has(dn_ets_run *run, const dn_ets_step *step)
{
    each_path(run, step->path, true);
}

const dn_ets_kind dn_ets_kind_has = {say_has, act_has};

static void say_lacks(const dn_ets_step *step, char *out, size_t size)
{
    (void)snprintf(out, size, "It does not hold %s", step->path);
}

static void act_lacks(dn_ets_run *run, const dn_ets_step *step)
{
    each_path(run, step->path, false);
}

const dn_ets_kind dn_ets_kind_lacks = {say_lacks, act_lacks};

static void say_holds(const dn_ets_step *step, char *out, size_t size)
{
    (void)snprintf(out, size, "It holds %s", step->value);
}

static void act_holds(dn_ets_run *run, const dn_ets_step *step)
{
    char text[DN_ETS_QUERY_TEXT], shown[DUNLIN_PATH_TEXT_MAX + 1];
    dn_ets_values wanted = {.list = NULL};
    dn_ets_resolve(run, step->value, text, sizeof text);
    if (dn_ets_values_parse(&wanted, run->asked, text) != DUNLIN_OK) {
        (void)dn_ets_expect(run, false, "the case names values: %s", text);
    }
    for (size_t i = 0; i < wanted.count && !run->stopped; i++) {
        const dn_ets_value *one = &wanted.list[i];
        const char *got = dn_ets_values_get(&run->answer.values, one->path);
        (void)dunlin_path_format(one->path, shown);
        const bool same = got != NULL && dn_ets_same_text(one->type, got, one->text);
        (void)dn_ets_expect(run, same, "%s is %s%s%s", shown, one->text, same ? "" : ": it is ",
                            same          ? ""
                            : got != NULL ? got
                                          : "not there");
    }
    dn_ets_values_clear(&wanted);
}

const dn_ets_kind dn_ets_kind_holds = {say_holds, act_holds};

static void say_format(const dn_ets_step *step, char *out, size_t size)
{
    (void)snprintf(out, size, "Its Content-Format is %s", format_name(step->format));
}

static void act_format(dn_ets_run *run, const dn_ets_step *step)
{
    (void)dn_ets_expect(run, dn_format_canonical(run->answer.content_format) == step->format,
                        "the Content-Format is %s: it is %s", format_name(step->format),
                        format_name(run->answer.content_format));
}

const dn_ets_kind dn_ets_kind_format = {say_format, act_format};

static void say_links(const dn_ets_step *step, char *out, size_t size)
{
    (void)snprintf(out, size, "It lists %s (at least; attributes of these links: exactly)", step->value);
}

static void act_links(dn_ets_run *run, const dn_ets_step *step)
{
    char wanted[DN_ETS_SAY_MAX], why[DN_ETS_SAY_MAX] = "no list came";
    dn_ets_resolve(run, step->value, wanted, sizeof wanted);
    const bool match = run->answer.links != NULL &&
                       dn_ets_links_match(run->answer.links, run->registration.root, wanted, why, sizeof why);
    (void)dn_ets_expect(run, match, "the list has %s%s%s", wanted, match ? "" : ": ", match ? "" : why);
}

const dn_ets_kind dn_ets_kind_links = {say_links, act_links};

/* ---- keeping and restoring ---- */

static bool read_again(dn_ets_run *run, const char *text, dunlin_path *path)
{
    dn_ets_refresh(run, 0);
    *path = dn_ets_path(run, text);
    dn_ets_ask ask = {.operation = DN_ETS_READ, .path = *path, .format = DN_FORMAT_NONE, .query = ""};
    return dn_ets_asks(run, &ask, 0) &&
           dn_ets_expect(run, run->answer.code == DN_COAP_CONTENT && run->answer.decoded, "%s can be read",
                         text);
}

static void say_save(const dn_ets_step *step, char *out, size_t size)
{
    (void)snprintf(out, size, "Server reads %s and keeps what it holds", step->path);
}

static void act_save(dn_ets_run *run, const dn_ets_step *step)
{
    dunlin_path path;
    if (read_again(run, step->path, &path)) {
        dn_ets_values_copy(&run->saved, &run->answer.values, path);
    }
}

const dn_ets_kind dn_ets_kind_save = {say_save, act_save};

static bool is_writable(dunlin_path path)
{
    bool writable = false;
    (void)dn_ets_type_of(path, NULL, &writable);
    return writable;
}

static bool is_same(const dn_ets_value *kept, const char *now)
{
    if (now == NULL || kept->text == NULL) {
        return now == kept->text;
    }
    if (kept->type == DUNLIN_TYPE_TIME) {
        const int64_t gone_s = (int64_t)strtoll(now, NULL, 10) - (int64_t)strtoll(kept->text, NULL, 10);
        return gone_s >= -CLOCK_SLACK_S && gone_s <= CLOCK_SLACK_S;
    }
    return dn_ets_same_text(kept->type, kept->text, now);
}

static void say_same(const dn_ets_step *step, char *out, size_t size)
{
    (void)snprintf(out, size, "Server reads %s; what can be written there is as it was kept", step->path);
}

static void act_same(dn_ets_run *run, const dn_ets_step *step)
{
    dunlin_path path;
    char shown[DUNLIN_PATH_TEXT_MAX + 1];
    if (!read_again(run, step->path, &path)) {
        return;
    }
    for (size_t i = 0; i < run->saved.count && !run->stopped; i++) {
        const dn_ets_value *kept = &run->saved.list[i];
        if (!dunlin_path_within(kept->path, path) || (path.depth < 3 && !is_writable(kept->path))) {
            continue;
        }
        (void)dunlin_path_format(kept->path, shown);
        (void)dn_ets_expect(run, is_same(kept, dn_ets_values_get(&run->answer.values, kept->path)),
                            "%s is again %s", shown, kept->text != NULL ? kept->text : "empty");
    }
}

const dn_ets_kind dn_ets_kind_same = {say_same, act_same};

static void say_restore(const dn_ets_step *step, char *out, size_t size)
{
    (void)snprintf(out, size,
                   "Server writes %s as it was (%s), leaving out what is read only; the device answers %s",
                   step->path, format_name(step->format), dn_ets_code_name(DN_COAP_CHANGED));
}

static void act_restore(dn_ets_run *run, const dn_ets_step *step)
{
    dn_ets_values values = {.list = NULL};
    dn_ets_refresh(run, 0);
    const dunlin_path path = dn_ets_path(run, step->path);
    for (size_t i = 0; i < run->saved.count; i++) {
        const dn_ets_value *kept = &run->saved.list[i];
        if (dunlin_path_within(kept->path, path) && is_writable(kept->path) && kept->text != NULL) {
            dn_ets_values_put(&values, kept->path, kept->type, kept->text);
        }
    }
    if (values.count > 0 && run->registration.registered) {
        dn_ets_ask ask = {.operation = DN_ETS_WRITE, .path = path, .query = "", .values = &values};
        ask.format = dn_ets_pick_format(run, step->format, path, false);
        if (dn_ets_asks(run, &ask, 0)) {
            (void)dn_ets_expect(run, run->answer.code == DN_COAP_CHANGED, "%s is restored", step->path);
        }
    }
    dn_ets_values_clear(&values);
}

const dn_ets_kind dn_ets_kind_restore = {say_restore, act_restore};

/* ---- what a table does not say ---- */

static void say_check(const dn_ets_step *step, char *out, size_t size)
{
    (void)snprintf(out, size, "%s", step->text);
}

static void act_check(dn_ets_run *run, const dn_ets_step *step)
{
    step->act(run, step);
}

const dn_ets_kind dn_ets_kind_check = {say_check, act_check};

/* ---- the clock ---- */

#define CLOCK_SET_S INT64_C(1367491215)
#define MINUTE_S    60

static int64_t clock_of(const dn_ets_run *run)
{
    const char *text = dn_ets_values_get(&run->answer.values, dunlin_path_resource(3, 0, 13));
    return text != NULL ? (int64_t)strtoll(text, NULL, 10) : -1;
}

static void check_clock(dn_ets_run *run, int64_t from_s)
{
    const int64_t now_s = clock_of(run);
    (void)dn_ets_expect(run, now_s >= from_s && now_s - from_s <= CLOCK_SLACK_S + MINUTE_S,
                        "/3/0/13 is %lld or a little later: it is %lld", (long long)from_s, (long long)now_s);
}

void dn_ets_check_clock_was_reset(dn_ets_run *run, const dn_ets_step *step)
{
    (void)step;
    check_clock(run, 0);
}

void dn_ets_check_clock_was_set(dn_ets_run *run, const dn_ets_step *step)
{
    (void)step;
    check_clock(run, CLOCK_SET_S);
}

static void say_set_clock(const dn_ets_step *step, char *out, size_t size)
{
    (void)step;
    (void)snprintf(out, size,
                   "Server writes /3/0/13 back to the time that it is; the device answers 2.04 Changed");
}

/* Only a device that stays in use minds what time it is. */
static void act_set_clock(dn_ets_run *run, const dn_ets_step *step)
{
    char text[24];
    dn_ets_values values = {.list = NULL};
    const dunlin_path path = dunlin_path_resource(3, 0, 13);
    if (run->world->device != NULL) {
        return;
    }
    (void)snprintf(text, sizeof text, "%lld", (long long)time(NULL));
    dn_ets_values_put(&values, path, DUNLIN_TYPE_TIME, text);
    dn_ets_ask ask = {
        .operation = DN_ETS_WRITE, .path = path, .format = DN_FORMAT_TEXT, .query = "", .values = &values};
    (void)dn_ets_asks(run, &ask, step->server);
    dn_ets_values_clear(&values);
}

const dn_ets_kind dn_ets_kind_set_clock = {say_set_clock, act_set_clock};
