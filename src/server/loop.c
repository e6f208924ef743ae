/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One cycle: receive a batch from each port, take the mailbox, do what is due, commit if something was
 * written, and only then send, complete and publish. Batches stay small: with bigger ones server and clients
 * work in turns instead of side by side.
 */
#include "server/loop.h"

#include "bearer/udp.h"
#include "endpoint/ports.h"
#include "server/mailbox.h"
#include "server/shard.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define BATCH           32u
#define LONGEST_WAIT_MS 60000
#define DETAIL_MAX      256u
#define AREA            "server"

typedef struct {
    uint64_t cells[sizeof(dn_fleet_counters) / sizeof(uint64_t)];
} plain_counters;

_Static_assert(sizeof(plain_counters) == sizeof(dn_fleet_counters), "counters are 64-bit numbers only");

struct dn_loop {
    dn_fleet_config config;
    dn_shard *shard;
    dn_mailbox mailbox;
    dn_ports *ports;
    pthread_t thread;
    uint64_t now_ms; /* of this cycle */
    /* Whose message is being taken, so that who it is has to be found once only; NULL: not looked up. */
    const dn_peer *speaker;
    const dn_identity *speaker_identity;
    uint64_t batches, commit_us_total;
    uint64_t stop_at_ms;

    atomic_bool stopping;
    atomic_bool attention;           /* something but the mailbox wants the thread to look up */
    atomic_bool credentials_changed; /* the shard has to hear of it */
    pthread_mutex_t tls_lock;
    dn_tls_context *tls; /* under the lock: what new handshakes use; NULL: none */
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

/* Ports. */

void dn_loop_peer_text(const dn_peer *peer, char *out, size_t size)
{
    char text[DN_UDP_TEXT_MAX];
    size_t len = strlen(dn_udp_peer_text(peer, text));
    len = len < size ? len : size - 1;
    memcpy(out, text, len);
    out[len] = '\0';
}

static void on_send(void *context, const dn_peer *peer, dunlin_slice message)
{
    dn_loop *loop = context;
    dn_ports_send(loop->ports, peer, message, loop->now_ms);
}

static const dn_identity *identity_of(void *context, const dn_peer *peer)
{
    dn_loop *loop = context;
    if (loop->speaker_identity != NULL && dn_peer_equal(peer, loop->speaker)) {
        return loop->speaker_identity;
    }
    const dn_identity *identity = loop->ports != NULL ? dn_ports_identity(loop->ports, peer) : NULL;
    if (loop->speaker != NULL && dn_peer_equal(peer, loop->speaker)) {
        loop->speaker_identity = identity;
    }
    return identity;
}

/* While the store is loaded there are no ports yet, and no sessions. */
static bool reaches(void *context, const dn_peer *peer)
{
    const dn_loop *loop = context;
    return loop->ports != NULL && dn_ports_reaches(loop->ports, peer);
}

static void end_peer(void *context, const dn_peer *peer)
{
    dn_loop *loop = context;
    loop->speaker_identity = NULL;
    dn_ports_end(loop->ports, peer, loop->now_ms);
}

static void on_message(void *context, const dn_peer *peer, dunlin_slice message)
{
    dn_loop *loop = context;
    loop->speaker = peer;
    dn_shard_receive(loop->shard, peer, message);
    loop->speaker = NULL;
    loop->speaker_identity = NULL;
}

static void on_opened(void *context, const dn_peer *peer)
{
    dn_shard_opened(((dn_loop *)context)->shard, peer);
}

static void on_closed(void *context, const dn_peer *peer, dunlin_status status)
{
    (void)status;
    dn_shard_closed(((dn_loop *)context)->shard, peer);
}

static dunlin_status open_ports(dn_loop *loop, char *error, size_t error_size)
{
    const dn_fleet_config *fleet = &loop->config;
    const dn_ports_callbacks callbacks = {
        .message = on_message, .opened = on_opened, .closed = on_closed, .context = loop};
    dn_ports_config config = dn_ports_config_default();
    config.listen[DN_TRANSPORT_UDP] =
        (dn_ports_addresses){.addresses = fleet->coap_addresses, .count = fleet->coap_address_count};
    config.listen[DN_TRANSPORT_DTLS] = fleet->dtls_addresses;
    config.listen[DN_TRANSPORT_TCP] = fleet->tcp_addresses;
    config.listen[DN_TRANSPORT_TLS] = fleet->tls_addresses;
    config.may_be_none = fleet->may_be_deaf;
    config.tls = fleet->dtls_addresses.count + fleet->tls_addresses.count > 0 ? fleet->tls : NULL;
    config.tcp = fleet->tcp;
    config.dtls = fleet->dtls;
    config.tls_streams = fleet->tls_streams;
    config.dtls.log = config.tls_streams.log = config.log = fleet->log;
    config.max_message = fleet->coap.max_message;
    config.max_stream_message = fleet->coap.max_stream_message;
    config.batch = BATCH;
    if (fleet->nosec == DN_NOSEC_OFF && fleet->coap_address_count + fleet->tcp_addresses.count > 0) {
        (void)snprintf(error, error_size, "no address for plain CoAP may be given when NoSec is off");
        return DUNLIN_ERR_ARGUMENT;
    }
    return dn_ports_open(&config, &callbacks, loop->now_ms, &loop->ports, error, error_size);
}

/* Credentials that change: called on any thread. */

/* By one that is new nobody has proved anything: sessions and tickets stay, however many credentials an operator brings in. */
static void on_credentials_changed(void *context, uint64_t number, bool is_new)
{
    dn_loop *loop = context;
    if (is_new) {
        /* The shard alone has to hear of it. */
    } else if (loop->config.keep_changed_sessions) {
        (void)pthread_mutex_lock(&loop->tls_lock);
        if (loop->tls != NULL) {
            dn_tls_context_drop_tickets(loop->tls);
        }
        (void)pthread_mutex_unlock(&loop->tls_lock);
    } else {
        dn_ports_revoke_later(loop->ports, number);
    }
    atomic_store(&loop->credentials_changed, true);
    atomic_store(&loop->attention, true);
    dn_mailbox_wake(&loop->mailbox);
}

static void watch_credentials(dn_loop *loop, bool watched)
{
    dn_credentials *credentials = loop->config.credentials;
    if (credentials != NULL) {
        dn_credentials_watch(credentials, watched ? on_credentials_changed : NULL, loop);
    }
}

void dn_loop_use_tls(dn_loop *loop, dn_tls_context *tls)
{
    (void)pthread_mutex_lock(&loop->tls_lock);
    dn_tls_context *former = loop->tls;
    loop->tls = dn_tls_context_keep(tls);
    (void)pthread_mutex_unlock(&loop->tls_lock);
    dn_tls_context_give_up(former);
    dn_ports_use_later(loop->ports, tls);
    atomic_store(&loop->attention, true);
    dn_mailbox_wake(&loop->mailbox);
}

/* Counters: the shard's thread shows them, anyone reads them. */

static void count_ports(const dn_loop *loop, dn_fleet_counters *out)
{
    dn_ports_counters ports;
    dn_ports_count(loop->ports, &ports);
    out->sends_failed = ports.dropped;
    out->tcp_connections = ports.tcp_connections;
    out->tcp_accepted = ports.tcp.accepted;
    out->tcp_refused = ports.tcp.refused;
    out->tcp_malformed = ports.malformed_streams;
    out->tcp_overrun = ports.tcp.overrun;
    out->dtls_sessions = ports.dtls.sessions;
    out->dtls_half_open = ports.dtls.half_open;
    out->tls_sessions = ports.tls.sessions;
    out->tls_half_open = ports.tls.half_open;
    out->handshakes = ports.dtls.handshakes + ports.tls.handshakes;
    out->handshakes_resumed = ports.dtls.resumed + ports.tls.resumed;
    out->handshakes_failed = ports.dtls.failed + ports.tls.failed;
    out->handshakes_unknown_psk = ports.dtls.unknown_psk + ports.tls.unknown_psk;
    out->handshakes_bad_key = ports.dtls.bad_psk_or_mac + ports.tls.bad_psk_or_mac;
    out->handshakes_bad_certificate = ports.dtls.bad_certificate + ports.tls.bad_certificate;
    out->handshakes_timeout = ports.dtls.timeouts + ports.tls.timeouts;
    out->handshake_limits = ports.dtls.limits + ports.tls.limits;
    out->cookies = ports.dtls.cookies;
    out->session_evictions = ports.dtls.evicted + ports.tls.evicted;
    out->session_strangers = ports.dtls.strangers;
    out->sessions_revoked = ports.dtls.revoked + ports.tls.revoked;
}

static void show_counters(dn_loop *loop)
{
    dn_fleet_counters counters;
    plain_counters plain;
    dn_shard_count(loop->shard, &counters);
    counters.commit_us_total = loop->commit_us_total;
    counters.batches = loop->batches;
    count_ports(loop, &counters);
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
    dunlin_status status = DUNLIN_OK;
    size_t received = dn_ports_receive(loop->ports, loop->now_ms, &status);
    if (status != DUNLIN_OK) {
        fail(loop, "a socket failed", strerror(errno));
    }
    loop->batches += received > 0;
    dn_ports_expire(loop->ports, loop->now_ms);
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
    dn_ports_flush(loop->ports);
    publish(loop);
    show_counters(loop);
    return true;
}

static int wait_ms(const dn_loop *loop)
{
    uint64_t deadline = dn_shard_deadline(loop->shard);
    uint64_t ports = dn_ports_deadline(loop->ports);
    deadline = ports < deadline ? ports : deadline;
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
    struct pollfd fds[DN_PORTS_FDS_MAX + 1];
    size_t count = 1;
    fds[0] = (struct pollfd){.fd = loop->mailbox.fd, .events = POLLIN};
    if (sockets) {
        count += dn_ports_fds(loop->ports, fds + 1);
    }
    /* Whoever wants attention says so before it wakes us, and we look after saying that we sleep: none is
     * missed. */
    bool quiet = dn_mailbox_sleep(&loop->mailbox);
    quiet = !atomic_exchange(&loop->attention, false) && quiet;
    int ready = poll(fds, count, quiet ? timeout_ms : 0);
    dn_mailbox_awake(&loop->mailbox, ready > 0 && fds[0].revents != 0);
}

/* Reads the clocks. */
static void begin(dn_loop *loop)
{
    loop->now_ms = now_ms(loop);
    dn_shard_begin(loop->shard);
    if (atomic_load_explicit(&loop->credentials_changed, memory_order_relaxed) &&
        atomic_exchange(&loop->credentials_changed, false)) {
        dn_shard_credentials_changed(loop->shard);
    }
}

static bool cycle(dn_loop *loop)
{
    begin(loop);
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
        begin(loop);
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
    watch_credentials(loop, false);
    dn_ports_close(loop->ports);
    dn_tls_context_give_up(loop->tls);
    if (loop->shard != NULL) {
        dn_shard_destroy(loop->shard);
    } else {
        loop->config.store->ops->close(loop->config.store);
    }
    dn_mailbox_free(&loop->mailbox);
    (void)pthread_mutex_destroy(&loop->failure_lock);
    (void)pthread_mutex_destroy(&loop->completed_lock);
    (void)pthread_mutex_destroy(&loop->tls_lock);
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
    dn_shard_config shard = {.fleet = loop->config,
                             .send = on_send,
                             .context = loop,
                             .peer_text = dn_loop_peer_text,
                             .same_host = dn_udp_same_host,
                             .is_loopback = dn_udp_is_loopback,
                             .identity = identity_of,
                             .reaches = reaches,
                             .end_peer = end_peer,
                             .events = events};
    bool streams = loop->config.tcp_addresses.count + loop->config.tls_addresses.count > 0;
    shard.fleet.coap.connections = streams ? loop->config.tcp.max_connections : 0;
    dunlin_status status = dn_shard_create(&shard, &loop->shard, error, error_size);
    if (status == DUNLIN_OK) {
        status = open_ports(loop, error, error_size);
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
    watch_credentials(loop, true);
    dn_shard_credentials_changed(loop->shard); /* since the shard was made */
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
    (void)pthread_mutex_init(&made->tls_lock, NULL);
    made->tls = config->tls != NULL ? dn_tls_context_keep(config->tls) : NULL;
    made->now_ms = now_ms(made);
    dunlin_status status = DUNLIN_ERR_MEMORY;
    if (!dn_mailbox_init(&made->mailbox)) {
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

const char *dn_loop_address(const dn_loop *loop, dn_transport transport, size_t index)
{
    return dn_ports_address(loop->ports, transport, index);
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
