/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One cycle: receive a batch from each socket, take the mailbox, do what is due, commit if something was
 * written, and only then send, complete and publish. Batches stay small: with bigger ones server and clients
 * work in turns instead of side by side.
 */
#include "server/loop.h"

#include "bearer/udp.h"
#include "server/mailbox.h"
#include "server/shard.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#define SOCKETS_MAX     16u
#define BATCH           32u
#define OUTBOXES_MAX    32u /* of a socket: 2,048 datagrams between two commits */
#define LONGEST_WAIT_MS 60000
#define DETAIL_MAX      256u
#define AREA            "server"

typedef struct {
    dn_udp udp;
    dn_udp_outbox *boxes[OUTBOXES_MAX];
    size_t made; /* boxes[0..made) exist */
    size_t used; /* boxes[0..used) hold datagrams, the last one is being filled */
} outlet;

typedef struct {
    uint64_t cells[sizeof(dn_fleet_counters) / sizeof(uint64_t)];
} plain_counters;

_Static_assert(sizeof(plain_counters) == sizeof(dn_fleet_counters), "counters are 64-bit numbers only");

struct dn_loop {
    dn_fleet_config config;
    dn_shard *shard;
    dn_mailbox mailbox;
    outlet outlets[SOCKETS_MAX];
    size_t outlet_count;
    dn_udp_batch *batch;
    pthread_t thread;
    uint64_t batches, commit_us_total, sends_failed;
    uint64_t stop_at_ms;

    atomic_bool stopping;
    atomic_bool attention; /* something but the mailbox wants the thread to look up */
    _Atomic uint32_t grace_ms;
    atomic_bool failed;
    char detail[DETAIL_MAX]; /* written before `failed` */
    _Atomic uint64_t shown[sizeof(dn_fleet_counters) / sizeof(uint64_t)];

    pthread_mutex_t failure_lock;
    void (*failure)(void *context, const char *detail);
    void *failure_context;
    bool failure_told;

    pthread_mutex_t completed_lock; /* once for a cycle with completions, not for a packet */
    void (*completed)(void *context);
    void *completed_context;
};

/* Sockets. */

void dn_loop_peer_text(const dn_peer *peer, char *out, size_t size)
{
    char text[DN_UDP_TEXT_MAX];
    (void)snprintf(out, size, "%s", dn_udp_peer_text(peer, text));
}

static outlet *outlet_for(dn_loop *loop, const dn_peer *peer)
{
    for (size_t i = 1; i < loop->outlet_count; i++) {
        if (dn_udp_serves(&loop->outlets[i].udp, peer)) {
            return &loop->outlets[i];
        }
    }
    return &loop->outlets[0];
}

/* As dn_shard_config.send. More than the boxes hold is lost, as on a network; CoAP sends it again. */
static void on_send(void *context, const dn_peer *peer, dunlin_slice datagram)
{
    dn_loop *loop = context;
    outlet *out = outlet_for(loop, peer);
    if (out->used > 0 && dn_udp_queue(out->boxes[out->used - 1], peer, datagram)) {
        return;
    }
    if (out->used == out->made && out->made < OUTBOXES_MAX) {
        out->boxes[out->made] = malloc(sizeof *out->boxes[0]);
        out->made += out->boxes[out->made] != NULL;
    }
    if (out->used < out->made) {
        dn_udp_outbox *box = out->boxes[out->used++];
        dn_udp_outbox_init(box);
        if (dn_udp_queue(box, peer, datagram)) {
            return;
        }
    }
    loop->sends_failed++;
}

/* Sends as much as the socket takes; the rest stays, in order. */
static void flush(outlet *out)
{
    size_t done = 0;
    while (done < out->used && dn_udp_flush(&out->udp, out->boxes[done]) == DUNLIN_OK) {
        done++;
    }
    if (done == out->used) {
        out->used = 0;
        return;
    }
    for (; done > 0; done--) {
        dn_udp_outbox *empty = out->boxes[0];
        memmove(out->boxes, out->boxes + 1, (out->made - 1) * sizeof out->boxes[0]);
        out->boxes[out->made - 1] = empty;
        out->used--;
    }
}

/* An answer leaves from the socket that serves its peer, so no two may serve the same one. */
static bool overlaps(const dn_loop *loop, const dn_udp *udp)
{
    for (size_t i = 0; i < loop->outlet_count; i++) {
        const dn_udp *other = &loop->outlets[i].udp;
        bool same_family = other->family == udp->family;
        if ((same_family && (other->wildcard || udp->wildcard ||
                             memcmp(&other->bound, &udp->bound, sizeof udp->bound) == 0)) ||
            (!same_family && ((other->wildcard && other->family == AF_INET6) ||
                              (udp->wildcard && udp->family == AF_INET6)))) {
            return true;
        }
    }
    return false;
}

static dunlin_status open_sockets(dn_loop *loop, char *error, size_t error_size)
{
    if (loop->config.coap_address_count == 0 || loop->config.coap_address_count > SOCKETS_MAX) {
        (void)snprintf(error, error_size, "1 to %u CoAP addresses are needed", SOCKETS_MAX);
        return DUNLIN_ERR_ARGUMENT;
    }
    for (size_t i = 0; i < loop->config.coap_address_count; i++) {
        const char *address = loop->config.coap_addresses[i];
        dn_udp *udp = &loop->outlets[i].udp;
        dunlin_status status = dn_udp_open(udp, address, DN_UDP_LOCAL);
        if (status != DUNLIN_OK) {
            (void)snprintf(error, error_size, "cannot listen on %s: %s", address,
                           status == DUNLIN_ERR_IO ? strerror(errno) : "not an address with port");
            return status;
        }
        if (overlaps(loop, udp)) {
            dn_udp_close(udp);
            (void)snprintf(error, error_size,
                           "%s overlaps another CoAP address: each needs an IP address of its own", address);
            return DUNLIN_ERR_ARGUMENT;
        }
        loop->outlet_count++;
        dn_log_at(loop->config.log, DN_LOG_INFO, AREA, "listening for CoAP on %s", udp->text);
    }
    return DUNLIN_OK;
}

/* Counters: the shard's thread shows them, anyone reads them. */

static void show_counters(dn_loop *loop)
{
    dn_fleet_counters counters;
    plain_counters plain;
    dn_shard_count(loop->shard, &counters);
    counters.commit_us_total = loop->commit_us_total;
    counters.batches = loop->batches;
    counters.sends_failed = loop->sends_failed;
    for (size_t i = 0; i < loop->outlet_count; i++) {
        counters.sends_failed += loop->outlets[i].udp.counters.dropped;
    }
    memcpy(&plain, &counters, sizeof plain);
    for (size_t i = 0; i < sizeof plain.cells / sizeof plain.cells[0]; i++) {
        atomic_store_explicit(&loop->shown[i], plain.cells[i], memory_order_relaxed);
    }
}

void dn_loop_count(const dn_loop *loop, dn_fleet_counters *out)
{
    plain_counters plain;
    for (size_t i = 0; i < sizeof plain.cells / sizeof plain.cells[0]; i++) {
        plain.cells[i] = atomic_load_explicit(&loop->shown[i], memory_order_relaxed);
    }
    memcpy(out, &plain, sizeof plain);
}

/* The cycle. */

static uint64_t now_ms(const dn_loop *loop)
{
    return loop->config.clock_ms(loop->config.clock_context);
}

static uint64_t now_us(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000u + (uint64_t)time.tv_nsec / 1000u;
}

static void fail(dn_loop *loop, const char *what, const char *detail)
{
    (void)snprintf(loop->detail, sizeof loop->detail, "%s: %s", what, detail);
    dn_log_at(loop->config.log, DN_LOG_ERROR, AREA, "%s; this shard serves no longer", loop->detail);
    atomic_store(&loop->failed, true);
}

static size_t receive(dn_loop *loop)
{
    size_t received = 0;
    for (size_t i = 0; i < loop->outlet_count; i++) {
        dunlin_status status = dn_udp_receive(&loop->outlets[i].udp, loop->batch, BATCH);
        if (status == DUNLIN_ERR_IO) {
            fail(loop, loop->outlets[i].udp.text, strerror(errno));
            return received;
        }
        for (size_t at = 0; at < loop->batch->count; at++) {
            dn_shard_receive(loop->shard, &loop->batch->datagram[at].peer, loop->batch->datagram[at].bytes);
        }
        loop->batches += loop->batch->count > 0;
        received += loop->batch->count;
    }
    return received;
}

static void take_mailbox(dn_loop *loop)
{
    dn_command_queue queue = {0};
    dn_mailbox_take(&loop->mailbox, &queue);
    for (dn_command *command = dn_command_pop(&queue); command != NULL; command = dn_command_pop(&queue)) {
        dn_shard_submit(loop->shard, command);
    }
}

static void publish(dn_loop *loop)
{
    if (!dn_shard_publish(loop->shard)) {
        return;
    }
    (void)pthread_mutex_lock(&loop->completed_lock);
    if (loop->completed != NULL) {
        loop->completed(loop->completed_context);
    }
    (void)pthread_mutex_unlock(&loop->completed_lock);
}

/* Commits, then lets out what waited for it. */
static bool settle(dn_loop *loop)
{
    uint64_t start_us = now_us();
    if (dn_shard_commit(loop->shard) != DUNLIN_OK) {
        fail(loop, "the store failed", dn_shard_store_error(loop->shard));
        return false;
    }
    loop->commit_us_total += now_us() - start_us;
    for (size_t i = 0; i < loop->outlet_count; i++) {
        flush(&loop->outlets[i]);
    }
    publish(loop);
    show_counters(loop);
    return true;
}

static int wait_ms(const dn_loop *loop)
{
    uint64_t deadline = dn_shard_deadline(loop->shard);
    if (atomic_load(&loop->stopping) && loop->stop_at_ms < deadline) {
        deadline = loop->stop_at_ms;
    }
    uint64_t now = now_ms(loop);
    if (deadline <= now) {
        return 0;
    }
    return deadline - now < LONGEST_WAIT_MS ? (int)(deadline - now) : LONGEST_WAIT_MS;
}

/* Waits for a datagram, room to send, a command, or at most `timeout_ms`. */
static void wait_for_work(dn_loop *loop, int timeout_ms, bool sockets)
{
    struct pollfd fds[SOCKETS_MAX + 1];
    size_t count = 0;
    fds[count++] = (struct pollfd){.fd = loop->mailbox.fd, .events = POLLIN};
    for (size_t i = 0; sockets && i < loop->outlet_count; i++) {
        short wanted = loop->outlets[i].used > 0 ? POLLIN | POLLOUT : POLLIN;
        fds[count++] = (struct pollfd){.fd = loop->outlets[i].udp.fd, .events = wanted};
    }
    /* Whoever wants attention says so before it wakes us, and we look after saying that we sleep: none is
     * missed. */
    bool quiet = dn_mailbox_sleep(&loop->mailbox);
    quiet = !atomic_exchange(&loop->attention, false) && quiet;
    int ready = poll(fds, count, quiet ? timeout_ms : 0);
    dn_mailbox_awake(&loop->mailbox, ready > 0 && fds[0].revents != 0);
}

static bool cycle(dn_loop *loop)
{
    dn_shard_begin(loop->shard);
    size_t received = receive(loop);
    if (atomic_load_explicit(&loop->failed, memory_order_relaxed)) {
        return false;
    }
    take_mailbox(loop);
    dn_shard_work(loop->shard);
    if (!settle(loop)) {
        return false;
    }
    if (received == 0) {
        wait_for_work(loop, wait_ms(loop), true);
    }
    return true;
}

static void cancel_all(dn_loop *loop)
{
    dn_command_queue queue = {0};
    dn_mailbox_take(&loop->mailbox, &queue);
    dn_shard_cancel(loop->shard);
    dn_shard_refuse(loop->shard, &queue);
}

/* Nothing is served, but every completion still runs, and the daemon hears of it once it asked to. */
static void stay_failed(dn_loop *loop)
{
    for (;;) {
        cancel_all(loop);
        publish(loop);
        (void)pthread_mutex_lock(&loop->failure_lock);
        void (*failure)(void *context, const char *detail) = loop->failure_told ? NULL : loop->failure;
        void *context = loop->failure_context;
        loop->failure_told = loop->failure_told || failure != NULL;
        (void)pthread_mutex_unlock(&loop->failure_lock);
        if (failure != NULL) {
            failure(context, loop->detail);
        }
        if (atomic_load(&loop->stopping)) {
            return;
        }
        wait_for_work(loop, -1, false);
    }
}

static bool is_time_to_end(dn_loop *loop)
{
    if (!atomic_load_explicit(&loop->stopping, memory_order_relaxed)) {
        return false;
    }
    if (loop->stop_at_ms == 0) {
        loop->stop_at_ms = now_ms(loop) + atomic_load(&loop->grace_ms);
        dn_shard_drain(loop->shard);
    }
    return !dn_shard_is_busy(loop->shard) || now_ms(loop) >= loop->stop_at_ms;
}

static void *run(void *context)
{
    dn_loop *loop = context;
    bool well = true;
    while (well && !is_time_to_end(loop)) {
        well = cycle(loop);
    }
    if (well) {
        dn_shard_begin(loop->shard);
        cancel_all(loop);
        well = settle(loop);
    }
    if (!well) {
        stay_failed(loop);
    }
    return NULL;
}

/* From outside. */

static void close_all(dn_loop *loop)
{
    for (size_t i = 0; i < loop->outlet_count; i++) {
        dn_udp_close(&loop->outlets[i].udp);
        for (size_t box = 0; box < loop->outlets[i].made; box++) {
            free(loop->outlets[i].boxes[box]);
        }
    }
    if (loop->shard != NULL) {
        dn_shard_destroy(loop->shard);
    } else {
        loop->config.store->ops->close(loop->config.store);
    }
    dn_mailbox_free(&loop->mailbox);
    (void)pthread_mutex_destroy(&loop->failure_lock);
    (void)pthread_mutex_destroy(&loop->completed_lock);
    free(loop->batch);
    free(loop);
}

/* Signals are the main thread's business. */
static bool start_thread(dn_loop *loop)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = pthread_create(&loop->thread, NULL, run, loop) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

static dunlin_status set_up(dn_loop *loop, dn_events *events, char *error, size_t error_size)
{
    const dn_shard_config shard = {.fleet = loop->config,
                                   .send = on_send,
                                   .context = loop,
                                   .peer_text = dn_loop_peer_text,
                                   .same_host = dn_udp_same_host,
                                   .events = events};
    dunlin_status status = dn_shard_create(&shard, &loop->shard, error, error_size);
    if (status == DUNLIN_OK) {
        status = open_sockets(loop, error, error_size);
    }
    if (status != DUNLIN_OK) {
        return status;
    }
    /* What loading cleaned up, so that the first answer need not wait for it. */
    if (dn_shard_commit(loop->shard) != DUNLIN_OK) {
        (void)snprintf(error, error_size, "the store failed: %s", dn_shard_store_error(loop->shard));
        return DUNLIN_ERR_STORE;
    }
    show_counters(loop);
    if (!start_thread(loop)) {
        (void)snprintf(error, error_size, "no thread can be started");
        return DUNLIN_ERR_MEMORY;
    }
    return DUNLIN_OK;
}

dunlin_status dn_loop_create(const dn_fleet_config *config, dn_events *events, dn_loop **loop, char *error,
                             size_t error_size)
{
    dn_loop *made = calloc(1, sizeof *made);
    if (made == NULL) {
        config->store->ops->close(config->store);
        (void)snprintf(error, error_size, "no memory");
        return DUNLIN_ERR_MEMORY;
    }
    made->config = *config;
    (void)pthread_mutex_init(&made->failure_lock, NULL);
    (void)pthread_mutex_init(&made->completed_lock, NULL);
    made->batch = malloc(sizeof *made->batch);
    dunlin_status status = DUNLIN_ERR_MEMORY;
    if (!dn_mailbox_init(&made->mailbox) || made->batch == NULL) {
        (void)snprintf(error, error_size, "no memory or no descriptor");
    } else {
        status = set_up(made, events, error, error_size);
    }
    if (status != DUNLIN_OK) {
        close_all(made);
        return status;
    }
    *loop = made;
    return DUNLIN_OK;
}

void dn_loop_stop(dn_loop *loop, uint32_t grace_ms)
{
    atomic_store(&loop->grace_ms, grace_ms);
    atomic_store(&loop->stopping, true);
    atomic_store(&loop->attention, true);
    dn_mailbox_wake(&loop->mailbox);
    (void)pthread_join(loop->thread, NULL);
    /* One that was posted while the thread ended. */
    cancel_all(loop);
    publish(loop);
    close_all(loop);
}

dunlin_status dn_loop_post(dn_loop *loop, dn_command *command)
{
    if (atomic_load_explicit(&loop->stopping, memory_order_relaxed)) {
        return DUNLIN_ERR_STATE;
    }
    return dn_mailbox_post(&loop->mailbox, command) ? DUNLIN_OK : DUNLIN_ERR_LIMIT;
}

const char *dn_loop_address(const dn_loop *loop, size_t index)
{
    return index < loop->outlet_count ? loop->outlets[index].udp.text : NULL;
}

bool dn_loop_healthy(const dn_loop *loop, const char **detail)
{
    bool failed = atomic_load(&loop->failed);
    if (detail != NULL) {
        *detail = failed ? loop->detail : "";
    }
    return !failed;
}

void dn_loop_on_completed(dn_loop *loop, void (*completed)(void *context), void *context)
{
    (void)pthread_mutex_lock(&loop->completed_lock);
    loop->completed = completed;
    loop->completed_context = context;
    (void)pthread_mutex_unlock(&loop->completed_lock);
}

void dn_loop_on_failure(dn_loop *loop, void (*failed)(void *context, const char *detail), void *context)
{
    (void)pthread_mutex_lock(&loop->failure_lock);
    loop->failure = failed;
    loop->failure_context = context;
    (void)pthread_mutex_unlock(&loop->failure_lock);
    atomic_store(&loop->attention, true);
    dn_mailbox_wake(&loop->mailbox);
}
