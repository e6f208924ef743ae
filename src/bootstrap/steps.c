/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a device is asked in a run, one request at a time over the association it came by. A table says of each kind of step how it is
 * asked, which answer is good, and what follows from a good and from another one.
 */
#include "bootstrap/inside.h"

#include "bootstrap/material.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_MAX    1024u  /* a payload of more goes from a source, which needs no room in the engine */
#define BODY_MAX     32768u /* of an answer */
#define BODY_MORE    1024u
#define QUOTE_MAX    96u /* bytes of a device's words */
#define SECRET_LEAST 4u

typedef enum {
    SURVEY, /* Discover, before anything is changed */
    DELETE,
    WRITE,
    READ,
    CHECK, /* Discover, when all is written */
    FINISH,
    KINDS
} step_kind;

typedef enum {
    GO_ON,
    ONCE_MORE,  /* the same step */
    START_OVER, /* the first step of another plan */
    DONE,
    BROKEN /* and the run has been failed */
} outcome;

static const char *const names[] = {[DN_BS_DISCOVER] = "Discover",
                                    [DN_BS_READ] = "Read",
                                    [DN_BS_WRITE] = "Write",
                                    [DN_BS_DELETE] = "Delete",
                                    [DN_BS_FINISH] = "Finish"};

static void send_step(dn_bs *bs, dn_bs_run *run);

/* ---- where a run is ---- */

static step_kind kind_of(const dn_bs_run *run)
{
    static const step_kind kinds[] = {[DN_BS_DISCOVER] = CHECK,
                                      [DN_BS_READ] = READ,
                                      [DN_BS_WRITE] = WRITE,
                                      [DN_BS_DELETE] = DELETE,
                                      [DN_BS_FINISH] = FINISH};
    const dn_bs_live *live = run->live;
    return live->has_plan ? kinds[live->plan.steps[live->at].operation] : SURVEY;
}

static dn_bs_plan_step step_of(const dn_bs_run *run)
{
    const dn_bs_live *live = run->live;
    const dn_bs_plan_step survey = {DN_BS_DISCOVER, dunlin_path_root()};
    return live->has_plan ? live->plan.steps[live->at] : survey;
}

static bool is_1_0(const dn_bs_run *run)
{
    const dn_bs_live *live = run->live;
    return live->told.major != 0 ? live->told.major == 1 && live->told.minor == 0 : live->pct == 0;
}

/* ---- what devices say ---- */

static bool holds(dunlin_slice text, const void *secret, size_t len)
{
    return len >= SECRET_LEAST && text.len >= len && memmem(text.data, text.len, secret, len) != NULL;
}

/* A device that echoes what it was given must not make the log tell it. */
static bool tells_secret(const dn_bs_live *live, dunlin_slice text)
{
    const dn_bs_config *config = live->cached->config;
    bool tells = holds(text, live->minted.key, live->minted.key_len) ||
                 holds(text, config->account.security.secret.data, config->account.security.secret.len);
    for (size_t i = 0; i < config->server_count; i++) {
        const dn_bs_bytes *secret = &config->servers[i].security.secret;
        tells = tells || holds(text, secret->data, secret->len);
    }
    return tells;
}

/* ": " and the diagnostic payload (RFC 7252 section 5.5.2), in a form that can be shown; or nothing. */
static void quote(const dn_bs_live *live, const dn_coap_response *response, char out[QUOTE_MAX + 3])
{
    size_t len = response->payload.len < QUOTE_MAX ? response->payload.len : QUOTE_MAX;
    out[0] = '\0';
    if (len == 0 || response->content_format != DN_COAP_NO_FORMAT || tells_secret(live, response->payload)) {
        return;
    }
    out[0] = ':';
    out[1] = ' ';
    for (size_t i = 0; i < len; i++) {
        uint8_t c = response->payload.data[i];
        out[2 + i] = c >= 0x20 && c < 0x7f ? (char)c : '?';
    }
    out[2 + len] = '\0';
}

static outcome refused(dn_bs *bs, dn_bs_run *run, const dn_coap_response *response)
{
    const dn_bs_plan_step step = step_of(run);
    char path[DUNLIN_PATH_TEXT_MAX + 1];
    char words[QUOTE_MAX + 3];
    (void)dunlin_path_format(step.path, path);
    quote(run->live, response, words);
    dn_bs_fail(bs, run, "%s%s%s was answered %u.%02u%s", names[step.operation],
               step.operation == DN_BS_FINISH ? "" : " ", step.operation == DN_BS_FINISH ? "" : path,
               response->code >> 5, response->code & 31u, words);
    return BROKEN;
}

/* ---- plans ---- */

static bool make_plan(dn_bs *bs, dn_bs_run *run, bool is_repair)
{
    dn_bs_live *live = run->live;
    char why[DN_BS_WHY_MAX];
    const dn_bs_plan_terms terms = {.config = live->cached->config,
                                    .own = &bs->config.own,
                                    .minted = &live->minted,
                                    .told = &live->told,
                                    .is_1_0 = is_1_0(run),
                                    .prefers_streams = dn_transport_is_stream(dn_peer_transport(&run->peer)),
                                    .is_repair = is_repair};
    dn_bs_plan_free(&live->plan);
    live->has_plan = dn_bs_plan_make(&live->plan, &terms, why, sizeof why);
    if (!live->has_plan) {
        dn_bs_fail(bs, run, "%s", why);
        return false;
    }
    live->at = 0;
    run->view.planned = run->view.step_count + live->plan.step_count;
    return true;
}

/* ---- good answers ---- */

/* What the device tells; false: nothing that can be read. */
static bool read_links(dn_bs_run *run)
{
    dn_bs_live *live = run->live;
    const dunlin_slice links = dunlin_slice_make(live->body, live->body_len);
    dn_bs_run_found(run, links);
    if (dn_bs_told_read(&live->told, links) != DUNLIN_OK) {
        return false;
    }
    run->view.version_major = live->told.major;
    run->view.version_minor = live->told.minor;
    return true;
}

static outcome surveyed(dn_bs *bs, dn_bs_run *run, const dn_coap_response *response)
{
    dn_bs_live *live = run->live;
    (void)response;
    if (!read_links(run)) {
        dn_bs_fail(bs, run, "what the device answered to Discover is no list of links");
        return BROKEN;
    }
    const uint16_t preferred = live->pct != 0 ? live->pct
                               : is_1_0(run)  ? DN_FORMAT_TLV
                                              : DN_FORMAT_SENML_CBOR;
    live->format = live->cached->config->format != 0 ? live->cached->config->format : preferred;
    return make_plan(bs, run, false) ? START_OVER : BROKEN;
}

static outcome go_on(dn_bs *bs, dn_bs_run *run, const dn_coap_response *response)
{
    (void)bs;
    (void)run;
    (void)response;
    return GO_ON;
}

static outcome was_read(dn_bs *bs, dn_bs_run *run, const dn_coap_response *response)
{
    const dn_bs_live *live = run->live;
    const dunlin_path path = step_of(run).path;
    char why[DN_BS_WHY_MAX];
    (void)response;
    if (path.id[0] == 1 &&
        !dn_bs_plan_is_read(&live->plan, live->answer_format, dunlin_slice_make(live->body, live->body_len),
                            why, sizeof why)) {
        dn_bs_fail(bs, run, "%s", why);
        return BROKEN;
    }
    return GO_ON;
}

static outcome checked(dn_bs *bs, dn_bs_run *run, const dn_coap_response *response)
{
    char why[DN_BS_WHY_MAX];
    (void)response;
    if (!read_links(run)) {
        dn_bs_fail(bs, run, "what the device answered to Discover is no list of links");
        return BROKEN;
    }
    if (!dn_bs_plan_is_done(&run->live->plan, &run->live->told, why, sizeof why)) {
        dn_bs_fail(bs, run, "%s", why);
        return BROKEN;
    }
    return GO_ON;
}

static outcome finished(dn_bs *bs, dn_bs_run *run, const dn_coap_response *response)
{
    (void)response;
    run->live->is_done = true;
    dn_bs_runs_wait(&bs->runs, run);
    return DONE;
}

/* ---- other answers ---- */

/* The format is not known there: TLV is, by every client (Core 1.1.1 section 7.4). */
static outcome not_written(dn_bs *bs, dn_bs_run *run, const dn_coap_response *response)
{
    dn_bs_live *live = run->live;
    if (response->code != DN_COAP_UNSUPPORTED_FORMAT || live->fell_back || live->format == DN_FORMAT_TLV) {
        return refused(bs, run, response);
    }
    live->fell_back = true;
    live->format = DN_FORMAT_TLV;
    run->view.planned++;
    return ONCE_MORE;
}

/* Bootstrap-Read of Objects 1 and 2: Transport 1.1.1 and Core 1.1.1 do not agree on which can be read, so that an error says nothing. */
static outcome not_read(dn_bs *bs, dn_bs_run *run, const dn_coap_response *response)
{
    return response->code < DN_COAP_INTERNAL_ERROR ? GO_ON : refused(bs, run, response);
}

/* What the device finds inconsistent may be what it had before: all of it goes, and is written anew, once. */
static outcome not_finished(dn_bs *bs, dn_bs_run *run, const dn_coap_response *response)
{
    dn_bs_live *live = run->live;
    char words[QUOTE_MAX + 3];
    if (response->code != DN_COAP_NOT_ACCEPTABLE || live->is_repaired ||
        live->cached->config->server_count == 0) {
        return refused(bs, run, response);
    }
    quote(live, response, words);
    dn_bs_event event = {.kind = DN_BS_REPAIRING,
                         .step = (uint32_t)run->view.step_count,
                         .operation = DN_BS_FINISH,
                         .code = response->code,
                         .why = words[0] != '\0' ? words + 2 : ""};
    live->is_repaired = true;
    bs->counters.repaired++;
    if (!make_plan(bs, run, true)) {
        return BROKEN;
    }
    dn_bs_tell(bs, run, &event);
    return START_OVER;
}

/* ---- the table ---- */

static const struct {
    uint8_t method, good_code;
    bool has_body; /* its answer */
    outcome (*good)(dn_bs *bs, dn_bs_run *run, const dn_coap_response *response);
    outcome (*other)(dn_bs *bs, dn_bs_run *run, const dn_coap_response *response);
} kinds[KINDS] = {
    [SURVEY] = {DN_COAP_GET, DN_COAP_CONTENT, true, surveyed, refused},
    [DELETE] = {DN_COAP_DELETE, DN_COAP_DELETED, false, go_on, refused},
    [WRITE] = {DN_COAP_PUT, DN_COAP_CHANGED, false, go_on, not_written},
    [READ] = {DN_COAP_GET, DN_COAP_CONTENT, true, was_read, not_read},
    [CHECK] = {DN_COAP_GET, DN_COAP_CONTENT, true, checked, refused},
    [FINISH] = {DN_COAP_POST, DN_COAP_CHANGED, false, finished, not_finished},
};

/* ---- answers ---- */

static void tell_step(dn_bs *bs, const dn_bs_run *run)
{
    const dn_bs_step_view *step = &run->steps[run->view.step_count - 1];
    dn_bs_event event = {.kind = DN_BS_STEP,
                         .step = (uint32_t)run->view.step_count,
                         .operation = step->operation,
                         .path = step->path,
                         .code = step->code,
                         .took_ms = step->took_ms};
    if (step->operation == DN_BS_DISCOVER && step->code == DN_COAP_CONTENT) {
        event.found = dunlin_slice_make(run->live->body, run->live->body_len);
    }
    bs->counters.steps++;
    bs->counters.step_errors += step->code == 0 || step->code >= DN_COAP_BAD_REQUEST;
    dn_bs_tell(bs, run, &event);
}

static void close_step(dn_bs *bs, dn_bs_run *run, const dn_coap_response *response)
{
    dn_bs_step_view *step = &run->steps[run->view.step_count - 1];
    step->took_ms = (uint32_t)(bs->now_ms - run->live->step_began_ms);
    step->code = response != NULL ? response->code : 0;
    if (kinds[kind_of(run)].has_body) {
        step->bytes = (uint32_t)run->live->body_len;
    }
    dn_bs_bytes_free(&run->live->payload);
    tell_step(bs, run);
}

/* No answer, or none that can be taken. */
static void end_without(dn_bs *bs, dn_bs_run *run, dunlin_status status)
{
    const dn_bs_plan_step step = step_of(run);
    char path[DUNLIN_PATH_TEXT_MAX + 1];
    bool is_finish = step.operation == DN_BS_FINISH;
    (void)dunlin_path_format(step.path, path);
    bs->counters.timeouts += status == DUNLIN_ERR_TIMEOUT;
    dn_bs_fail(bs, run, "%s%s%s was not answered: %s", names[step.operation], is_finish ? "" : " ",
               is_finish ? "" : path,
               status == DUNLIN_ERR_TIMEOUT     ? "the device says nothing"
               : status == DUNLIN_ERR_REJECTED  ? "the device rejects the message"
               : status == DUNLIN_ERR_CANCELLED ? "it ended too early, or the answer is too long"
                                                : dunlin_status_text(status));
}

static void on_result(void *context, uint64_t exchange, dunlin_status status,
                      const dn_coap_response *response)
{
    dn_bs_run *run = context;
    if (run->live == NULL || run->live->exchange != exchange) {
        return; /* it was cancelled because the run has ended */
    }
    dn_bs *bs = run->owner;
    run->live->exchange = 0;
    close_step(bs, run, status == DUNLIN_OK ? response : NULL);
    if (status != DUNLIN_OK) {
        end_without(bs, run, status);
        return;
    }
    const step_kind kind = kind_of(run);
    outcome out = response->code == kinds[kind].good_code ? kinds[kind].good(bs, run, response)
                                                          : kinds[kind].other(bs, run, response);
    if (out == GO_ON) {
        run->live->at++;
    }
    if (out == GO_ON || out == ONCE_MORE || out == START_OVER) {
        send_step(bs, run);
    }
}

/* ---- asking ---- */

static bool read_payload(void *context, uint64_t offset, void *out, size_t len)
{
    const dn_bs_bytes *payload = context;
    if (offset > payload->len || len > payload->len - offset) {
        return false;
    }
    memcpy(out, payload->data + offset, len);
    return true;
}

static bool take_body(void *context, const dn_coap_response *head, uint64_t offset, uint64_t size, bool more)
{
    dn_bs_live *live = ((dn_bs_run *)context)->live;
    (void)size;
    (void)more;
    if (offset != live->body_len || head->payload.len > BODY_MAX - live->body_len) {
        return false;
    }
    if (live->body_room - live->body_len < head->payload.len) {
        size_t room = live->body_len + head->payload.len + BODY_MORE;
        uint8_t *grown = realloc(live->body, room);
        if (grown == NULL) {
            return false;
        }
        live->body = grown;
        live->body_room = room;
    }
    if (head->payload.len > 0) {
        memcpy(live->body + live->body_len, head->payload.data, head->payload.len);
    }
    live->body_len += head->payload.len;
    live->answer_format = head->content_format;
    return true;
}

static bool fill_payload(dn_bs *bs, dn_bs_run *run, dunlin_path path, dn_coap_outgoing *out)
{
    dn_bs_live *live = run->live;
    char text[DUNLIN_PATH_TEXT_MAX + 1];
    dunlin_status status =
        dn_bs_plan_payload(&live->plan, path, live->format, bs->config.max_body, &live->payload);
    if (status != DUNLIN_OK) {
        (void)dunlin_path_format(path, text);
        dn_bs_fail(bs, run, "what is to be written to %s cannot be: %s", text,
                   status == DUNLIN_ERR_LIMIT ? "it is too long" : dunlin_status_text(status));
        return false;
    }
    out->content_format = live->format;
    if (live->payload.len > BLOCK_MAX) {
        live->source = (dn_coap_source){live->payload.len, read_payload, &live->payload};
        out->source = &live->source;
    } else {
        out->payload = dn_bs_bytes_view(&live->payload);
    }
    return true;
}

static size_t fill_path(dn_bs_plan_step step, char text[][6], dn_coap_option *options)
{
    if (step.operation == DN_BS_FINISH) {
        options[0] = (dn_coap_option){DN_OPTION_URI_PATH, dunlin_slice_of("bs")};
        return 1;
    }
    for (unsigned i = 0; i < step.path.depth; i++) {
        (void)snprintf(text[i], sizeof text[i], "%u", (unsigned)step.path.id[i]);
        options[i] = (dn_coap_option){DN_OPTION_URI_PATH, dunlin_slice_of(text[i])};
    }
    return step.path.depth;
}

static void send_step(dn_bs *bs, dn_bs_run *run)
{
    dn_bs_live *live = run->live;
    const dn_bs_plan_step step = step_of(run);
    const step_kind kind = kind_of(run);
    char text[DUNLIN_PATH_DEPTH_MAX][6];
    dn_coap_option options[DUNLIN_PATH_DEPTH_MAX];
    dn_coap_outgoing out;
    dn_coap_outgoing_init(&out, kinds[kind].method);
    out.confirmable = true;
    out.options = options;
    out.option_count = fill_path(step, text, options);
    out.timeout_ms = bs->config.step_timeout_ms;
    if (kinds[kind].has_body) {
        out.accept = kind == READ ? live->format : DN_FORMAT_LINK;
        live->sink = (dn_coap_sink){take_body, run};
        out.sink = &live->sink;
        live->body_len = 0;
    }
    if (kind == WRITE && !fill_payload(bs, run, step.path, &out)) {
        return;
    }
    dn_bs_step_view *view = dn_bs_run_step(run);
    if (view == NULL) {
        dn_bs_fail(bs, run, "there is no memory");
        return;
    }
    live->step_began_ms = bs->now_ms;
    *view = (dn_bs_step_view){.operation = step.operation,
                              .path = step.path,
                              .began_ms = (uint32_t)(bs->now_ms - run->began_at_ms),
                              .bytes = (uint32_t)live->payload.len};
    dunlin_status status =
        dn_coap_request(bs->coap, &run->peer, &out, on_result, run, bs->now_ms, &live->exchange);
    if (status != DUNLIN_OK) {
        live->exchange = 0;
        dn_bs_fail(bs, run, "%s cannot be sent: %s", names[step.operation], dunlin_status_text(status));
    }
}

void dn_bs_steps_begin(dn_bs *bs, dn_bs_run *run)
{
    send_step(bs, run);
}
