/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One cycle: receive a batch from each port, answer what other threads ask, do what is due, commit, and only then send. Batches stay small:
 * with bigger ones server and clients work in turns instead of side by side.
 */
#include "bootstrap/bootstrap.h"

#include "bearer/udp.h"
#include "bootstrap/inbox.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH           32u
#define LONGEST_WAIT_MS 60000
#define DETAIL_MAX      256u
#define AREA            "bootstrap"

typedef struct {
    uint64_t cells[sizeof(dn_bootstrap_counters) / sizeof(uint64_t)];
} plain_counters;

_Static_assert(sizeof(plain_counters) == sizeof(dn_bootstrap_counters), "counters are 64-bit numbers only");

/* What a device must know of the LwM2M server, with the memory it is in. */
typedef struct {
    dn_bs_own own;
    uint8_t *bytes;
} own_copy;

struct dn_bootstrap {
    dn_bootstrap_config config;
    dn_bs *bs;
    dn_ports *ports;
    dn_bs_inbox inbox;
    pthread_t thread;
    uint64_t now_ms; /* of this cycle */
    uint64_t stop_at_ms;
    own_copy own; /* what the engine views */

    atomic_bool stopping;
    atomic_bool failed;
    _Atomic uint32_t grace_ms;
    char detail[DETAIL_MAX]; /* written before `failed` */

    pthread_mutex_t counters_lock;
    dn_bootstrap_counters shown; /* under the lock */

    pthread_mutex_t own_lock;
    own_copy next_own; /* under the lock: to be used from the next cycle on */
    bool has_next_own;
};

/* ---- own ---- */

static bool copy_own(own_copy *out, const dn_bs_own *own)
{
    size_t size = own->public_key.len + own->certificate.len + 1;
    for (size_t i = 0; i < 4; i++) {
        size += own->uris[i] != NULL ? strlen(own->uris[i]) + 1 : 0;
    }
    uint8_t *at = malloc(size);
    *out = (own_copy){.bytes = at};
    if (at == NULL) {
        return false;
    }
    for (size_t i = 0; i < 4; i++) {
        if (own->uris[i] != NULL) {
            size_t len = strlen(own->uris[i]) + 1;
            out->own.uris[i] = memcpy(at, own->uris[i], len);
            at += len;
        }
    }
    const dunlin_slice keys[] = {own->public_key, own->certificate};
    dunlin_slice *places[] = {&out->own.public_key, &out->own.certificate};
    for (size_t i = 0; i < 2; i++) {
        if (keys[i].len > 0) {
            *places[i] = dunlin_slice_make(memcpy(at, keys[i].data, keys[i].len), keys[i].len);
            at += keys[i].len;
        }
    }
    return true;
}

/* Runs under way keep to the plan that they have; their next payload has the new address. */
static void take_own(dn_bootstrap *b)
{
    (void)pthread_mutex_lock(&b->own_lock);
    if (b->has_next_own) {
        dn_bs_use_own(b->bs, &b->next_own.own);
        free(b->own.bytes);
        b->own = b->next_own;
        b->has_next_own = false;
    }
    (void)pthread_mutex_unlock(&b->own_lock);
}

void dn_bootstrap_use_own(dn_bootstrap *b, const dn_bs_own *own)
{
    own_copy next;
    if (!copy_own(&next, own)) {
        dn_log_at(b->config.engine.log, DN_LOG_ERROR, AREA, "no memory for this server's new addresses");
        return;
    }
    (void)pthread_mutex_lock(&b->own_lock);
    if (b->has_next_own) {
        free(b->next_own.bytes);
    }
    b->next_own = next;
    b->has_next_own = true;
    (void)pthread_mutex_unlock(&b->own_lock);
    dn_bs_inbox_wake(&b->inbox);
}

/* ---- ports ---- */

static void peer_text(const dn_peer *peer, char *out, size_t size)
{
    char text[DN_UDP_TEXT_MAX];
    (void)snprintf(out, size, "%s", dn_udp_peer_text(peer, text));
}

static void on_send(void *context, const dn_peer *peer, dunlin_slice message)
{
    dn_bootstrap *b = context;
    dn_ports_send(b->ports, peer, message, b->now_ms);
}

static const dn_identity *identity_of(void *context, const dn_peer *peer)
{
    const dn_bootstrap *b = context;
    return dn_ports_identity(b->ports, peer);
}

static bool reaches(void *context, const dn_peer *peer)
{
    const dn_bootstrap *b = context;
    return dn_ports_reaches(b->ports, peer);
}

static void end_peer(void *context, const dn_peer *peer)
{
    dn_bootstrap *b = context;
    dn_ports_end(b->ports, peer, b->now_ms);
}

static void on_event(void *context, const dn_bs_event *event)
{
    const dn_bootstrap *b = context;
    b->config.engine.event(b->config.engine.context, event);
}

static void on_message(void *context, const dn_peer *peer, dunlin_slice message)
{
    dn_bs_receive(((dn_bootstrap *)context)->bs, peer, message);
}

static void on_opened(void *context, const dn_peer *peer)
{
    dn_bs_opened(((dn_bootstrap *)context)->bs, peer);
}

static void on_closed(void *context, const dn_peer *peer, dunlin_status status)
{
    (void)status;
    dn_bs_closed(((dn_bootstrap *)context)->bs, peer);
}

static dunlin_status open_ports(dn_bootstrap *b, char *error, size_t error_size)
{
    const dn_ports_callbacks callbacks = {
        .message = on_message, .opened = on_opened, .closed = on_closed, .context = b};
    dn_ports_config config = dn_ports_config_default();
    memcpy(config.listen, b->config.listen, sizeof config.listen);
    config.tls = b->config.tls;
    config.tcp = b->config.tcp;
    config.dtls = b->config.dtls;
    config.tls_streams = b->config.tls_streams;
    config.dtls.log = config.tls_streams.log = config.log = b->config.engine.log;
    config.max_message = b->config.engine.coap.max_message;
    config.max_stream_message = b->config.engine.coap.max_stream_message;
    config.batch = BATCH;
    if (config.listen[DN_TRANSPORT_DTLS].count + config.listen[DN_TRANSPORT_TLS].count == 0) {
        config.tls = NULL;
    } else if (config.tls == NULL) {
        (void)snprintf(error, error_size, "there is nothing to secure the bootstrap server's ports with");
        return DUNLIN_ERR_ARGUMENT;
    }
    return dn_ports_open(&config, &callbacks, b->now_ms, &b->ports, error, error_size);
}

/* A credential that changes: on any thread. By one that is new nobody has proved anything. */
static void on_credentials_changed(void *context, uint64_t number, bool is_new)
{
    dn_bootstrap *b = context;
    if (!is_new) {
        dn_ports_revoke_later(b->ports, number);
        dn_bs_inbox_wake(&b->inbox);
    }
}

static void watch_credentials(dn_bootstrap *b, bool watched)
{
    dn_credentials *credentials = b->config.own_credentials;
    if (credentials != NULL) {
        credentials->changed_context = b;
        credentials->changed = watched ? on_credentials_changed : NULL;
    }
}

void dn_bootstrap_use_tls(dn_bootstrap *b, dn_tls_context *tls)
{
    dn_ports_use_later(b->ports, tls);
    dn_bs_inbox_wake(&b->inbox);
}

/* ---- the cycle ---- */

static uint64_t now_ms(const dn_bootstrap *b)
{
    return b->config.engine.clock_ms(b->config.engine.clock_context);
}

static void fail(dn_bootstrap *b, const char *what, const char *detail)
{
    (void)snprintf(b->detail, sizeof b->detail, "%s: %s", what, detail);
    dn_log_at(b->config.engine.log, DN_LOG_ERROR, AREA, "%s; the bootstrap server serves no longer",
              b->detail);
    atomic_store(&b->failed, true);
}

static void answer_questions(dn_bootstrap *b, bool closing)
{
    dn_bs_question *question = dn_bs_inbox_take(&b->inbox, closing);
    while (question != NULL) {
        dn_bs_question *next = question->next;
        if (question->started != NULL) {
            const dn_bs_start start = dn_bs_rerun(b->bs, question->endpoint);
            question->started(question->context, &start);
        } else {
            dn_bs_runs(b->bs, question->endpoint, question->before, question->limit, question->run,
                       question->context);
        }
        if (question->end != NULL) {
            question->end(question->context);
        }
        free(question);
        question = next;
    }
}

static void show_counters(dn_bootstrap *b)
{
    dn_bootstrap_counters counters;
    dn_bs_count(b->bs, &counters.engine);
    dn_ports_count(b->ports, &counters.ports);
    (void)pthread_mutex_lock(&b->counters_lock);
    b->shown = counters;
    (void)pthread_mutex_unlock(&b->counters_lock);
}

static int wait_ms(const dn_bootstrap *b)
{
    uint64_t deadline = dn_bs_deadline(b->bs);
    const uint64_t ports = dn_ports_deadline(b->ports);
    const uint64_t now = now_ms(b);
    deadline = ports < deadline ? ports : deadline;
    if (atomic_load(&b->stopping) && b->stop_at_ms < deadline) {
        deadline = b->stop_at_ms;
    }
    if (deadline <= now) {
        return 0;
    }
    return deadline - now < LONGEST_WAIT_MS ? (int)(deadline - now) : LONGEST_WAIT_MS;
}

static void wait_for_work(dn_bootstrap *b, int timeout_ms, bool sockets)
{
    struct pollfd fds[DN_PORTS_FDS_MAX + 1];
    size_t count = 1;
    fds[0] = (struct pollfd){.fd = b->inbox.fd, .events = POLLIN};
    if (sockets) {
        count += dn_ports_fds(b->ports, fds + 1);
    }
    (void)poll(fds, count, timeout_ms);
}

static bool cycle(dn_bootstrap *b)
{
    dunlin_status status = DUNLIN_OK;
    b->now_ms = now_ms(b);
    dn_bs_begin(b->bs);
    take_own(b);
    size_t received = dn_ports_receive(b->ports, b->now_ms, &status);
    if (status != DUNLIN_OK) {
        fail(b, "a socket failed", strerror(errno));
        return false;
    }
    dn_ports_expire(b->ports, b->now_ms);
    answer_questions(b, false);
    dn_bs_work(b->bs);
    dn_bs_commit(b->bs);
    dn_ports_flush(b->ports);
    show_counters(b);
    if (received == 0) {
        wait_for_work(b, wait_ms(b), true);
    }
    return true;
}

static bool is_time_to_end(dn_bootstrap *b)
{
    if (!atomic_load(&b->stopping)) {
        return false;
    }
    if (b->stop_at_ms == 0) {
        b->stop_at_ms = now_ms(b) + atomic_load(&b->grace_ms);
        dn_bs_drain(b->bs);
    }
    return !dn_bs_is_busy(b->bs) || now_ms(b) >= b->stop_at_ms;
}

static void *run(void *context)
{
    dn_bootstrap *b = context;
    bool well = true;
    while (well && !is_time_to_end(b)) {
        well = cycle(b);
    }
    while (!well && !atomic_load(&b->stopping)) { /* nothing is served, but questions are answered */
        answer_questions(b, false);
        wait_for_work(b, -1, false);
    }
    answer_questions(b, true);
    return NULL;
}

/* ---- from outside ---- */

dn_bootstrap_config dn_bootstrap_config_default(void)
{
    const dn_ports_config ports = dn_ports_config_default();
    return (dn_bootstrap_config){.engine = dn_bs_engine_config_default(),
                                 .tcp = ports.tcp,
                                 .dtls = ports.dtls,
                                 .tls_streams = ports.tls_streams};
}

static dn_bs_engine_config engine_config(dn_bootstrap *b)
{
    dn_bs_engine_config engine = b->config.engine;
    const bool streams =
        b->config.listen[DN_TRANSPORT_TCP].count + b->config.listen[DN_TRANSPORT_TLS].count > 0;
    engine.own = b->own.own;
    engine.own_credentials = b->config.own_credentials;
    engine.is_nosec_open = b->config.is_nosec_open;
    engine.coap.connections = streams ? b->config.tcp.max_connections : 0;
    engine.send = on_send;
    engine.identity = identity_of;
    engine.reaches = reaches;
    engine.is_loopback = dn_udp_is_loopback;
    engine.end_peer = end_peer;
    engine.peer_text = peer_text;
    engine.event = b->config.engine.event != NULL ? on_event : NULL;
    engine.context = b;
    return engine;
}

static void free_all(dn_bootstrap *b)
{
    watch_credentials(b, false);
    dn_ports_close(b->ports);
    dn_bs_destroy(b->bs);
    dn_tls_context_give_up(b->config.tls);
    dn_bs_inbox_free(&b->inbox);
    free(b->own.bytes);
    if (b->has_next_own) {
        free(b->next_own.bytes);
    }
    (void)pthread_mutex_destroy(&b->own_lock);
    (void)pthread_mutex_destroy(&b->counters_lock);
    free(b);
}

/* Signals are for the thread that the application gives them to. */
static bool start_thread(dn_bootstrap *b)
{
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = pthread_create(&b->thread, NULL, run, b) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

static dunlin_status set_up(dn_bootstrap *b, char *error, size_t error_size)
{
    if (!dn_bs_inbox_init(&b->inbox) || !copy_own(&b->own, &b->config.engine.own)) {
        (void)snprintf(error, error_size, "no memory or no descriptor");
        return DUNLIN_ERR_MEMORY;
    }
    const dn_bs_engine_config engine = engine_config(b);
    b->now_ms = now_ms(b);
    dunlin_status status = dn_bs_create(&engine, &b->bs);
    if (status != DUNLIN_OK) {
        (void)snprintf(error, error_size, "the bootstrap server cannot be made: %s",
                       dunlin_status_text(status));
        return status;
    }
    status = open_ports(b, error, error_size);
    if (status != DUNLIN_OK) {
        return status;
    }
    show_counters(b);
    watch_credentials(b, true);
    if (!start_thread(b)) {
        (void)snprintf(error, error_size, "no thread can be started");
        return DUNLIN_ERR_MEMORY;
    }
    return DUNLIN_OK;
}

dunlin_status dn_bootstrap_start(const dn_bootstrap_config *config, dn_bootstrap **out, char *error,
                                 size_t error_size)
{
    if (config->engine.clock_ms == NULL || config->engine.wall_ms == NULL) {
        (void)snprintf(error, error_size, "the bootstrap server needs clocks");
        return DUNLIN_ERR_ARGUMENT;
    }
    dn_bootstrap *b = calloc(1, sizeof *b);
    if (b == NULL) {
        (void)snprintf(error, error_size, "no memory");
        return DUNLIN_ERR_MEMORY;
    }
    b->config = *config;
    b->config.tls = config->tls != NULL ? dn_tls_context_keep(config->tls) : NULL;
    b->inbox.fd = -1;
    (void)pthread_mutex_init(&b->own_lock, NULL);
    (void)pthread_mutex_init(&b->counters_lock, NULL);
    dunlin_status status = set_up(b, error, error_size);
    if (status != DUNLIN_OK) {
        free_all(b);
        return status;
    }
    *out = b;
    return DUNLIN_OK;
}

void dn_bootstrap_stop(dn_bootstrap *b, uint32_t grace_ms)
{
    atomic_store(&b->grace_ms, grace_ms);
    atomic_store(&b->stopping, true);
    dn_bs_inbox_wake(&b->inbox);
    (void)pthread_join(b->thread, NULL);
    free_all(b);
}

const char *dn_bootstrap_address_of(const dn_bootstrap *b, dn_transport transport, size_t index)
{
    return dn_ports_address(b->ports, transport, index);
}

bool dn_bootstrap_healthy(const dn_bootstrap *b, const char **detail)
{
    bool failed = atomic_load(&b->failed);
    if (detail != NULL) {
        *detail = failed ? b->detail : "";
    }
    return !failed;
}

dunlin_status dn_bootstrap_runs(dn_bootstrap *b, dunlin_slice endpoint, uint64_t before, uint32_t limit,
                                bool (*done)(void *context, const dn_bs_run_view *run),
                                void (*end)(void *context), void *context)
{
    const dn_bs_question question = {
        .endpoint = endpoint, .before = before, .limit = limit, .run = done, .end = end, .context = context};
    return dn_bs_inbox_put(&b->inbox, &question);
}

dunlin_status dn_bootstrap_rerun(dn_bootstrap *b, dunlin_slice endpoint,
                                 void (*started)(void *context, const dn_bs_start *start), void *context)
{
    const dn_bs_question question = {.endpoint = endpoint, .started = started, .context = context};
    return dn_bs_inbox_put(&b->inbox, &question);
}

void dn_bootstrap_count(const dn_bootstrap *b, dn_bootstrap_counters *out)
{
    dn_bootstrap *locked = (dn_bootstrap *)(uintptr_t)b;
    (void)pthread_mutex_lock(&locked->counters_lock);
    *out = b->shown;
    (void)pthread_mutex_unlock(&locked->counters_lock);
}
