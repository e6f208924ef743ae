/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's making, its cycle, and the end of runs; see engine.h and inside.h. */
#include "bootstrap/inside.h"

#include "bootstrap/est.h"
#include "bootstrap/material.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_RUNS        10000u
#define MAX_ENDED       10000u
#define STEP_TIMEOUT_MS 93000u
#define MAX_BODY        65536u
/* Requests of devices only, and what enrolment sends: bodies of runs go from sources and into sinks. */
#define COAP_TRANSFERS   32u
#define COAP_BODY        8192u
#define COAP_DEDUP       4096u
#define COAP_REPLY_KEPT  1200u
#define EXCHANGES_BESIDE 64u
#define RUNS_LIMIT       1000000u

/* ---- the CoAP engine's callbacks ---- */

static void on_send(void *context, const dn_peer *peer, dunlin_slice datagram)
{
    const dn_bs *bs = context;
    bs->config.send(bs->config.context, peer, datagram);
}

static dn_coap_answered on_request(void *context, const dn_coap_incoming *request, dunlin_buf *body,
                                   dn_coap_reply *reply)
{
    return dn_bs_request(context, request, body, reply);
}

/* Nothing is observed here. */
static bool on_notification(void *context, const dn_peer *peer, const dn_coap_response *notification)
{
    (void)context;
    (void)peer;
    (void)notification;
    return false;
}

static void on_stream_ended(void *context, const dn_peer *peer, dunlin_status status, dunlin_slice detail)
{
    dn_bs *bs = context;
    (void)status;
    (void)detail;
    if (bs->ended_count < bs->ended_room) { /* a stream ends once */
        bs->ended[bs->ended_count++] = *peer;
    }
}

/* ---- making ---- */

dn_bs_engine_config dn_bs_engine_config_default(void)
{
    dn_bs_engine_config config = {.coap = dn_coap_config_default(),
                                  .max_runs = MAX_RUNS,
                                  .max_ended = MAX_ENDED,
                                  .step_timeout_ms = STEP_TIMEOUT_MS,
                                  .max_body = MAX_BODY};
    config.coap.transfers = COAP_TRANSFERS;
    config.coap.max_body = COAP_BODY;
    config.coap.dedup_slots = COAP_DEDUP;
    config.coap.dedup_reply_max = COAP_REPLY_KEPT;
    return config;
}

static bool make_coap(dn_bs *bs)
{
    dn_coap_config coap = bs->config.coap;
    const uint32_t least = bs->config.max_runs + EXCHANGES_BESIDE;
    coap.exchanges = coap.exchanges < least ? least : coap.exchanges;
    /* A Bootstrap-Request that comes again while others come must not begin a run anew. */
    coap.dedup_slots = coap.dedup_slots < least ? least : coap.dedup_slots;
    const size_t size = dn_coap_arena_size(&coap);
    const dn_coap_callbacks callbacks = {.send = on_send,
                                         .request = on_request,
                                         .notification = on_notification,
                                         .stream_ended = on_stream_ended,
                                         .context = bs};
    bs->ended_room = coap.connections;
    bs->ended = coap.connections > 0 ? calloc(coap.connections, sizeof *bs->ended) : NULL;
    bs->arena = size > 0 ? malloc(size) : NULL;
    if (bs->arena == NULL || (coap.connections > 0 && bs->ended == NULL)) {
        return false;
    }
    bs->coap = dn_coap_create(bs->arena, size, &coap, &callbacks, &bs->config.random, bs->log, bs->now_ms);
    return bs->coap != NULL;
}

static bool is_whole(const dn_bs_engine_config *config)
{
    return config->store != NULL && config->random.fill != NULL && config->wall_ms != NULL &&
           config->clock_ms != NULL && config->send != NULL && config->max_runs > 0 &&
           config->max_runs <= RUNS_LIMIT && config->max_ended <= RUNS_LIMIT && config->step_timeout_ms > 0 &&
           config->max_body > 0;
}

dunlin_status dn_bs_create(const dn_bs_engine_config *config, dn_bs **out)
{
    if (!is_whole(config)) {
        return DUNLIN_ERR_ARGUMENT;
    }
    dn_bs *bs = calloc(1, sizeof *bs);
    if (bs == NULL) {
        return DUNLIN_ERR_MEMORY;
    }
    bs->config = *config;
    bs->log = config->log;
    dn_bs_begin(bs);
    if (!dn_bs_runs_init(&bs->runs, config->max_runs, config->max_ended, &config->random) || !make_coap(bs)) {
        dn_bs_destroy(bs);
        return DUNLIN_ERR_MEMORY;
    }
    if (config->est != NULL) {
        dn_est_guard(config->est, dn_bs_has_own, bs);
    }
    *out = bs;
    return DUNLIN_OK;
}

void dn_bs_destroy(dn_bs *bs)
{
    if (bs == NULL) {
        return;
    }
    if (bs->runs.buckets > 0) {
        dn_bs_runs_free(&bs->runs);
    }
    dn_bs_cache_clear(&bs->cache);
    free(bs->arena);
    free(bs->ended);
    free(bs);
}

/* ---- what the parts share ---- */

const dn_identity *dn_bs_identity_of(const dn_bs *bs, const dn_peer *peer)
{
    if (!dn_transport_is_secure(dn_peer_transport(peer)) || bs->config.identity == NULL) {
        return NULL;
    }
    return bs->config.identity(bs->config.context, peer);
}

void dn_bs_tell(dn_bs *bs, const dn_bs_run *run, dn_bs_event *event)
{
    event->at_ms = bs->wall_ms;
    event->why = event->why != NULL ? event->why : "";
    if (run != NULL) {
        event->run = run->view.run;
        event->endpoint = run->view.endpoint;
        memcpy(event->address, run->view.address, sizeof event->address);
        event->transport = run->view.transport;
        event->security = run->view.security;
        event->is_own = run->view.is_own;
        event->version = run->view.version;
        event->steps = (uint32_t)run->view.planned;
    }
    if (bs->config.event != NULL) {
        bs->config.event(bs->config.context, event);
    }
}

/* A Bootstrap-Request that still waits for its answer gets one. */
static void answer(dn_bs *bs, dn_bs_run *run, uint8_t code)
{
    dn_coap_reply reply;
    if (run->live->is_answered) {
        return;
    }
    run->live->is_answered = true;
    dn_coap_reply_init(&reply, code);
    (void)dn_coap_answer(bs->coap, run->live->request, &reply, bs->now_ms);
}

static void end(dn_bs *bs, dn_bs_run *run, dn_bs_run_state state)
{
    const uint64_t exchange = run->live->exchange;
    run->live->exchange = 0;
    if (exchange != 0) {
        (void)dn_coap_cancel(bs->coap, exchange);
    }
    answer(bs, run, DN_COAP_INTERNAL_ERROR);
    run->view.state = state;
    run->view.ended_ms = bs->wall_ms;
    dn_bs_runs_end(&bs->runs, run);
}

void dn_bs_fail(dn_bs *bs, dn_bs_run *run, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(run->why, sizeof run->why, format, arguments);
    va_end(arguments);
    dn_bs_event event = {.kind = DN_BS_FAILED,
                         .step = (uint32_t)run->view.step_count,
                         .why = run->why,
                         .found = run->view.found};
    if (run->view.step_count > 0) {
        const dn_bs_step_view *step = &run->steps[run->view.step_count - 1];
        event.operation = step->operation;
        event.path = step->path;
        event.code = step->code;
        event.took_ms = step->took_ms;
    }
    bs->counters.failed++;
    dn_log_at(bs->log, DN_LOG_WARN, DN_BS_AREA, "the bootstrap of %.*s failed: %s",
              (int)run->view.endpoint.len, (const char *)run->view.endpoint.data, run->why);
    dn_bs_tell(bs, run, &event);
    end(bs, run, DN_BS_BROKEN);
}

/* ---- the cycle ---- */

void dn_bs_begin(dn_bs *bs)
{
    bs->now_ms = bs->config.clock_ms(bs->config.clock_context);
    bs->wall_ms = bs->config.wall_ms(bs->config.clock_context);
}

static void forget(dn_bs *bs, const dn_peer *peer)
{
    if (dn_transport_is_stream(dn_peer_transport(peer))) {
        dn_coap_close(bs->coap, peer);
    } else {
        dn_coap_forget(bs->coap, peer);
    }
}

/* What the device was being given over it ends; what it has taken with Finish stays. */
static void lose(dn_bs *bs, const dn_peer *peer)
{
    dn_bs_run *run = dn_bs_runs_of_peer(&bs->runs, peer, NULL);
    while (run != NULL) {
        dn_bs_run *next = dn_bs_runs_of_peer(&bs->runs, peer, run);
        if (!run->live->is_done) {
            dn_bs_fail(bs, run, "the device's session or connection has ended");
        }
        run = next;
    }
    forget(bs, peer);
}

static void end_streams(dn_bs *bs)
{
    while (bs->ended_count > 0) {
        const dn_peer peer = bs->ended[--bs->ended_count];
        if (bs->config.end_peer != NULL) {
            bs->config.end_peer(bs->config.context, &peer);
        }
        lose(bs, &peer);
    }
}

void dn_bs_receive(dn_bs *bs, const dn_peer *peer, dunlin_slice datagram)
{
    dn_coap_receive(bs->coap, peer, datagram, bs->now_ms);
    end_streams(bs);
}

void dn_bs_opened(dn_bs *bs, const dn_peer *peer)
{
    lose(bs, peer); /* another one with the same address */
    if (!dn_transport_is_stream(dn_peer_transport(peer))) {
        return;
    }
    if (dn_coap_open(bs->coap, peer, bs->now_ms) != DUNLIN_OK && bs->config.end_peer != NULL) {
        bs->config.end_peer(bs->config.context, peer);
    }
}

void dn_bs_closed(dn_bs *bs, const dn_peer *peer)
{
    lose(bs, peer);
}

void dn_bs_work(dn_bs *bs)
{
    dn_coap_expire(bs->coap, bs->now_ms);
    end_streams(bs);
}

/* ---- the commit ---- */

static void credential_of(const dn_bs_run *run, dn_credential *out)
{
    const dn_bs_minted *minted = &run->live->minted;
    *out = (dn_credential){.mode = DN_SECURITY_PSK,
                           .endpoint_len = (uint8_t)run->view.endpoint.len,
                           .identity_len = minted->identity_len,
                           .key_len = minted->key_len};
    memcpy(out->endpoint, run->view.endpoint.data, run->view.endpoint.len);
    memcpy(out->identity, minted->identity, minted->identity_len);
    memcpy(out->key, minted->key, minted->key_len);
}

static void begin_run(dn_bs *bs, dn_bs_run *run)
{
    dn_bs_event event = {.kind = DN_BS_REQUESTED};
    run->live->must_stage = false;
    dn_bs_runs_unwait(&bs->runs, run);
    bs->counters.runs++;
    answer(bs, run, DN_COAP_CHANGED); /* before the first command (Core 1.1.1 section 6.1.7.1) */
    dn_bs_tell(bs, run, &event);
    dn_bs_steps_begin(bs, run);
}

static void finish_run(dn_bs *bs, dn_bs_run *run)
{
    dn_bs_event event = {.kind = DN_BS_FINISHED,
                         .step = (uint32_t)run->view.step_count,
                         .took_ms = (uint32_t)(bs->now_ms - run->began_at_ms)};
    bs->counters.finished++;
    bs->counters.promoted += run->live->minted.key_len > 0;
    dn_log_at(bs->log, DN_LOG_INFO, DN_BS_AREA, "%.*s is bootstrapped, in %u steps and %u ms",
              (int)run->view.endpoint.len, (const char *)run->view.endpoint.data,
              (unsigned)run->view.step_count, event.took_ms);
    dn_bs_tell(bs, run, &event);
    end(bs, run, DN_BS_DONE);
}

static void fail_store(dn_bs *bs, dn_bs_run *run, dunlin_status status)
{
    const dn_credentials *credentials = bs->config.credentials;
    const char *detail = status == DUNLIN_ERR_STORE ? credentials->ops->error(bs->config.credentials) : "";
    dn_bs_fail(bs, run, "the keeper of credentials failed: %s%s%s", dunlin_status_text(status),
               detail[0] != '\0' ? ": " : "", detail);
}

/* One by one, when all together could not be kept: what is wrong with one must not stop the others. */
static void stage_each(dn_bs *bs, dn_bs_run **runs, const dn_credential *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        dunlin_status status = bs->config.credentials->ops->stage(bs->config.credentials, &list[i], 1);
        if (status == DUNLIN_OK) {
            bs->counters.minted++;
            begin_run(bs, runs[i]);
        } else {
            fail_store(bs, runs[i], status);
        }
    }
}

static void stage(dn_bs *bs, dn_bs_run **runs, size_t count)
{
    dn_credential *list = calloc(count, sizeof *list);
    dunlin_status status = list != NULL ? DUNLIN_OK : DUNLIN_ERR_MEMORY;
    for (size_t i = 0; i < count && status == DUNLIN_OK; i++) {
        credential_of(runs[i], &list[i]);
    }
    if (status == DUNLIN_OK) {
        status = bs->config.credentials->ops->stage(bs->config.credentials, list, count);
    }
    if (status == DUNLIN_OK || list == NULL) {
        for (size_t i = 0; i < count; i++) {
            if (status == DUNLIN_OK) {
                bs->counters.minted++;
                begin_run(bs, runs[i]);
            } else {
                fail_store(bs, runs[i], status);
            }
        }
    } else {
        stage_each(bs, runs, list, count);
    }
    if (list != NULL) {
        explicit_bzero(list, count * sizeof *list);
        free(list);
    }
}

static void promote(dn_bs *bs, dn_bs_run **runs, size_t count)
{
    dunlin_slice *endpoints = calloc(count, sizeof *endpoints);
    dunlin_status status = endpoints != NULL ? DUNLIN_OK : DUNLIN_ERR_MEMORY;
    for (size_t i = 0; i < count && status == DUNLIN_OK; i++) {
        endpoints[i] = runs[i]->view.endpoint;
    }
    if (status == DUNLIN_OK) {
        status = bs->config.credentials->ops->promote(bs->config.credentials, endpoints, count);
    }
    for (size_t i = 0; i < count; i++) {
        if (status == DUNLIN_OK) {
            finish_run(bs, runs[i]);
        } else {
            fail_store(bs, runs[i], status);
        }
    }
    free(endpoints);
}

/* Those that wait and are of one kind, into `out`; the rest of them stays where it is. */
static size_t gather(dn_bs *bs, dn_bs_run **out, bool is_done, bool needs_keeper)
{
    size_t count = 0;
    for (dn_bs_run *run = bs->runs.first_waiting; run != NULL; run = run->live->next_waiting) {
        bool needs = is_done ? run->live->minted.key_len > 0 : run->live->must_stage;
        if (run->live->is_done == is_done && needs == needs_keeper) {
            out[count++] = run;
        }
    }
    return count;
}

void dn_bs_commit(dn_bs *bs)
{
    const size_t most = bs->runs.waiting;
    dn_bs_run **runs = most > 0 ? calloc(most, sizeof *runs) : NULL;
    if (runs == NULL) {
        return; /* without memory they wait for the next one */
    }
    size_t count = gather(bs, runs, true, true);
    if (count > 0) {
        promote(bs, runs, count);
    }
    count = gather(bs, runs, true, false);
    for (size_t i = 0; i < count; i++) {
        finish_run(bs, runs[i]);
    }
    count = gather(bs, runs, false, true);
    if (count > 0) {
        stage(bs, runs, count);
    }
    count = gather(bs, runs, false, false);
    for (size_t i = 0; i < count; i++) {
        begin_run(bs, runs[i]);
    }
    free(runs);
}

uint64_t dn_bs_deadline(const dn_bs *bs)
{
    return bs->runs.waiting > 0 || bs->ended_count > 0 ? 0 : dn_coap_deadline(bs->coap);
}

void dn_bs_use_own(dn_bs *bs, const dn_bs_own *own)
{
    bs->config.own = *own;
}

void dn_bs_drain(dn_bs *bs)
{
    bs->is_draining = true;
}

bool dn_bs_is_busy(const dn_bs *bs)
{
    return bs->runs.running > 0;
}

/* ---- looking ---- */

void dn_bs_runs(const dn_bs *bs, dunlin_slice endpoint, uint64_t before, uint32_t limit,
                bool (*done)(void *context, const dn_bs_run_view *run), void *context)
{
    uint32_t shown = 0;
    for (const dn_bs_run *run = bs->runs.newest; run != NULL && shown < limit; run = run->older) {
        if ((before != 0 && run->view.run >= before) ||
            (endpoint.len > 0 && !dunlin_slice_equal(run->view.endpoint, endpoint))) {
            continue;
        }
        shown++;
        dn_bs_run_view view = run->view;
        view.is_reachable = dn_bs_reaches(bs, &run->peer, view.endpoint);
        if (!done(context, &view)) {
            return;
        }
    }
}

void dn_bs_count(const dn_bs *bs, dn_bs_counters *out)
{
    *out = bs->counters;
    out->running = bs->runs.running;
    out->coap = *dn_coap_count(bs->coap);
}
