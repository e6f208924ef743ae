/* SPDX-License-Identifier: Apache-2.0 */
/* `dunlin client`: the simulated device on a UDP socket. This file wires it together and runs its loop. */
#include "apps/dunlin/client_access.h"
#include "apps/dunlin/client_console.h"
#include "apps/dunlin/client_identity.h"
#include "apps/dunlin/client_models.h"
#include "apps/dunlin/client_network.h"
#include "apps/dunlin/client_options.h"
#include "apps/dunlin/client_report.h"
#include "apps/dunlin/command.h"
#include "bearer/udp.h"
#include "port/clock.h"
#include "port/entropy.h"
#include "port/linux_net.h"
#include "port/loop.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define OWN_OBJECTS     13 /* 0 to 7, 10, 11, 16, 3303 and 3311 */
#define OBSERVATIONS    64
#define COMPOSITES      8
#define COMPOSITE_PATHS 16
#define SENDS           4
#define STORED          64
#define STORED_BYTES    16384
#define ATTRIBUTES      64
#define LIST_MAX        8192
#define BODY_MAX        65536
#define UNDO_MAX        32768
#define EXCHANGES       8
#define TRANSFERS       4
#define DEDUP_SLOTS     64
#define DEDUP_REPLY     256
#define BATCH           16
#define REBOOT_MS       1000
#define STOP_MS         5000 /* how long a De-register may take at the end */
#define POLL_MAX_MS     3600000

typedef struct {
    dn_sim_options options;
    dn_sim_report report;
    dn_sim_device device;
    dn_sim_network network;
    dn_sim_place place;
    dn_sim_firmware firmware;
    dn_sim_identity identity;
    dn_sim_access access;
    dn_sim_models models;
    dn_sim_console console;
    dunlin_client *client;
    void *arena;
    dn_udp udp;
    bool open;
    dn_udp_batch *batch;
    dn_udp_outbox *outbox;
    dn_entropy entropy;
    int signals;
    uint64_t move_at_ms, reboot_at_ms, stop_at_ms; /* DN_NEVER: not */
    bool ended;
} program;

/* ---- what the client asks of its surroundings ---- */

static dn_peer to_internal(const dunlin_peer *peer)
{
    dn_peer out = {.len = peer->len};
    memcpy(out.bytes, peer->bytes, sizeof out.bytes);
    return out;
}

static void on_send(void *context, const dunlin_peer *peer, dunlin_slice datagram)
{
    program *p = context;
    const dn_peer to = to_internal(peer);
    dunlin_statistics_message(&p->network.statistics, true, datagram.len);
    dn_udp_send(&p->udp, p->outbox, &to, datagram);
}

static void on_random(void *context, void *out, size_t len)
{
    program *p = context;
    const dn_random random = dn_entropy_random(&p->entropy);
    random.fill(random.context, out, len);
}

/* A socket bound to an IPv6 wildcard reaches IPv4 too. */
static dunlin_status on_resolve(void *context, const char *uri, dunlin_peer *peer)
{
    program *p = context;
    dn_sim_address address;
    dn_peer found;
    if (dn_sim_authority_read(uri, &address) != NULL) {
        return DUNLIN_ERR_NOT_FOUND;
    }
    const int family = p->udp.family == AF_INET6 && p->udp.wildcard ? AF_UNSPEC : p->udp.family;
    const dunlin_status status = dn_udp_resolve(address.host, address.port, family, &found);
    if (status == DUNLIN_OK) {
        peer->len = found.len;
        memcpy(peer->bytes, found.bytes, sizeof peer->bytes);
    }
    return status;
}

static void on_log(void *context, dunlin_log_level level, const char *area, const char *message)
{
    (void)context;
    (void)level;
    (void)fprintf(stderr, "%s: %s\n", area, message);
}

static void on_event(void *context, const dunlin_client_event *event)
{
    program *p = context;
    dn_sim_report_event(&p->report, event);
    p->ended = p->ended || dn_sim_report_all_failed(&p->report);
}

static int64_t on_unix_s(void *context)
{
    return (int64_t)time(NULL) + ((const program *)context)->device.clock_offset_s;
}

/* ---- setting up ---- */

/* IPv6 if one of the servers has such an address; if none has one yet, resolving goes on with IPv4. */
static const char *any_address(const program *p)
{
    for (size_t i = 0; i < p->options.url_count; i++) {
        dn_sim_address server;
        dn_peer found;
        if (dn_sim_url_read(p->options.urls[i], &server) == NULL &&
            dn_udp_resolve(server.host, server.port, AF_UNSPEC, &found) == DUNLIN_OK &&
            dn_udp_peer_family(&found) == 6) {
            return "[::]:0";
        }
    }
    return "0.0.0.0:0";
}

static bool open_socket(program *p)
{
    const char *local = p->options.local != NULL ? p->options.local : any_address(p);
    const dunlin_status status = dn_udp_open(&p->udp, local, 0);
    p->open = true;
    if (status == DUNLIN_ERR_ARGUMENT) {
        (void)fprintf(
            stderr,
            "dunlin client: --local takes ADDRESS:PORT such as 127.0.0.1:0 or [::1]:56830, not '%s'\n",
            local);
    } else if (status != DUNLIN_OK) {
        (void)fprintf(stderr, "dunlin client: cannot bind to %s: %s\n", local, strerror(errno));
    }
    return status == DUNLIN_OK;
}

static bool read_models(program *p)
{
    for (size_t i = 0; i < p->options.object_count; i++) {
        if (!dn_sim_models_read(&p->models, p->options.objects[i])) {
            return false;
        }
    }
    return true;
}

static dunlin_client_config make_config(program *p)
{
    dunlin_client_config config = dunlin_client_config_default();
    config.endpoint = p->options.endpoint;
    config.lwm2m = p->options.lwm2m;
    config.call = (dunlin_client_callbacks){.send = on_send,
                                            .random = on_random,
                                            .resolve = on_resolve,
                                            .event = on_event,
                                            .log = on_log,
                                            .context = p,
                                            .unix_s = on_unix_s};
    config.log_least = p->options.verbose ? DUNLIN_LOG_DEBUG : DUNLIN_LOG_WARN;
    config.notify_confirmable = p->options.confirmable;
    config.servers = (uint16_t)p->options.url_count;
    config.root_path = p->options.root_path;
    config.queue_mode = p->options.queue;
    config.awake_ms = p->options.awake_ms != 0 ? p->options.awake_ms : config.awake_ms;
    config.stored = STORED;
    config.stored_max = STORED_BYTES;
    config.composites = COMPOSITES;
    config.composite_paths = COMPOSITE_PATHS;
    config.sends = SENDS;
    config.objects = (uint16_t)(OWN_OBJECTS + p->models.count);
    config.observations = OBSERVATIONS;
    config.attributes = ATTRIBUTES;
    config.list_max = LIST_MAX;
    config.undo_max = UNDO_MAX;
    config.max_body = BODY_MAX;
    config.exchanges = EXCHANGES;
    config.transfers = TRANSFERS;
    config.dedup_slots = DEDUP_SLOTS;
    config.dedup_reply_max = DEDUP_REPLY;
    return config;
}

/* The Object with the most resources stands for all of ours. */
static size_t objects_size(const program *p)
{
    return OWN_OBJECTS * dunlin_client_object_size(&dunlin_apn_object, DN_SIM_APNS_MAX) +
           dunlin_client_object_size(&dunlin_location_object, DN_SIM_ACCESS_MAX) +
           dn_sim_models_arena(&p->models);
}

static dunlin_status add_objects(program *p)
{
    const uint16_t *taken = p->models.ids;
    const bool own_firmware = !dn_sim_models_has(taken, 5);
    dunlin_status status = dn_sim_models_add(p->client, &p->models);
    if (status == DUNLIN_OK) {
        status = dn_sim_device_add(p->client, &p->device, taken);
    }
    if (status == DUNLIN_OK) {
        status = dn_sim_network_add(p->client, &p->network, p->options.lwm2m, taken);
    }
    if (status == DUNLIN_OK && own_firmware) {
        status = dn_sim_firmware_add(p->client, &p->firmware);
    }
    if (status == DUNLIN_OK && !dn_sim_models_has(taken, 6)) {
        status = dunlin_location_add(p->client, &p->place.location);
    }
    if (status == DUNLIN_OK && !dn_sim_models_has(taken, 16)) {
        status = dn_sim_identity_add(p->client, &p->identity);
    }
    if (status == DUNLIN_OK && p->options.url_count > 1) {
        status = dn_sim_access_add(p->client, &p->access, (uint16_t)p->options.url_count);
    }
    return status;
}

static dunlin_status add_servers(program *p)
{
    dunlin_status status = DUNLIN_OK;
    for (size_t i = 0; status == DUNLIN_OK && i < p->options.url_count; i++) {
        dunlin_server server = dunlin_server_default();
        (void)snprintf(server.uri, sizeof server.uri, "%s", p->options.urls[i]);
        (void)snprintf(server.binding, sizeof server.binding, "%s", p->options.binding);
        server.ssid = (int32_t)(i + 1);
        server.lifetime_s = p->options.lifetime_s;
        server.policy.retry_timer_s = p->options.retry_s;
        status = dunlin_client_add_server(p->client, &server);
    }
    return status;
}

static bool make_client(program *p)
{
    const dunlin_client_config config = make_config(p);
    const size_t size = dunlin_client_arena_size(&config) + objects_size(p);
    p->arena = aligned_alloc(DUNLIN_ARENA_ALIGN,
                             (size + DUNLIN_ARENA_ALIGN - 1) / DUNLIN_ARENA_ALIGN * DUNLIN_ARENA_ALIGN);
    p->client = p->arena == NULL ? NULL : dunlin_client_create(p->arena, size, &config, dn_clock_ms());
    dunlin_status status = p->client == NULL ? DUNLIN_ERR_MEMORY : add_objects(p);
    if (status == DUNLIN_OK) {
        status = add_servers(p);
    }
    if (status != DUNLIN_OK) {
        (void)fprintf(stderr, "dunlin client: cannot set the device up: %s\n", dunlin_status_text(status));
    }
    return status == DUNLIN_OK;
}

/* What it is made of, as the options and this machine have it. */
static bool fill_device(program *p)
{
    dn_sim_address server;
    char interface[DN_LINUX_INTERFACE_MAX] = "";
    dn_sim_models_init(&p->models);
    dn_sim_device_init(&p->device, p->options.seed);
    p->device.device.binding = p->options.binding;
    (void)dn_sim_url_read(p->options.urls[0], &server); /* it was read before */
    (void)dn_linux_interface_to(server.host, interface);
    dn_sim_network_init(&p->network, p->options.cellular, interface);
    dn_sim_place_init(&p->place, &p->device.seeded);
    dn_sim_identity_init(&p->identity, p->options.endpoint, &p->device.device);
    const bool opened = dn_sim_firmware_open(&p->firmware, &p->options, p->device.device.firmware);
    p->device.device.firmware = p->firmware.running;
    return opened;
}

static bool set_up(program *p)
{
    static const int stop_signals[] = {SIGINT, SIGTERM};
    p->report.options = &p->options;
    p->move_at_ms = p->reboot_at_ms = p->stop_at_ms = DN_NEVER;
    p->batch = malloc(sizeof *p->batch);
    p->outbox = malloc(sizeof *p->outbox);
    p->signals = dn_signals_open(stop_signals, sizeof stop_signals / sizeof stop_signals[0]);
    if (p->batch == NULL || p->outbox == NULL || p->signals < 0) {
        (void)fprintf(stderr, "dunlin client: cannot start: %s\n", strerror(errno));
        return false;
    }
    dn_udp_outbox_init(p->outbox);
    return fill_device(p) && read_models(p) && open_socket(p) && make_client(p);
}

static void tear_down(program *p)
{
    if (p->open) {
        dn_udp_close(&p->udp);
    }
    if (p->signals >= 0) {
        (void)close(p->signals);
    }
    dn_sim_firmware_close(&p->firmware);
    dn_sim_models_free(&p->models);
    free(p->arena);
    free(p->batch);
    free(p->outbox);
}

/* ---- the loop ---- */

/* Asleep, the radio is off: what comes is lost. */
static void receive(program *p)
{
    while (dn_udp_receive(&p->udp, p->batch, BATCH) == DUNLIN_OK) {
        const uint64_t now = dn_clock_ms();
        for (size_t i = 0; i < p->batch->count && dunlin_client_awake(p->client); i++) {
            const dn_udp_datagram *datagram = &p->batch->datagram[i];
            dunlin_peer from = {.len = datagram->peer.len};
            memcpy(from.bytes, datagram->peer.bytes, sizeof from.bytes);
            dunlin_statistics_message(&p->network.statistics, false, datagram->bytes.len);
            dunlin_client_receive(p->client, &from, datagram->bytes, now);
        }
        (void)dn_udp_flush(&p->udp, p->outbox); /* what does not go now is a loss that CoAP repairs */
    }
}

static void begin_stop(program *p, uint64_t now)
{
    if (p->stop_at_ms == DN_NEVER) {
        p->stop_at_ms = now + STOP_MS;
        p->report.exit_code = EXIT_CODE_OK;
        dunlin_client_stop(p->client, now);
    }
}

/* A reboot takes a second; afterwards the device registers anew, as one that has lost its registration. */
static void reboot(program *p, uint64_t now)
{
    if ((p->device.reboot || p->device.factory_reset) && p->reboot_at_ms == DN_NEVER) {
        (void)printf(p->device.reboot ? "rebooting\n" : "resetting to factory values\n");
        (void)fflush(stdout);
        p->reboot_at_ms = now + REBOOT_MS;
    }
    if (now < p->reboot_at_ms) {
        return;
    }
    if (p->device.factory_reset) {
        dn_sim_device_reset(p->client, &p->device);
    }
    p->device.reboot = p->device.factory_reset = false;
    p->reboot_at_ms = DN_NEVER;
    dunlin_client_restart(p->client, now);
}

static void move(program *p, uint64_t now)
{
    if (p->options.period_ms == 0) {
        return;
    }
    if (p->move_at_ms == DN_NEVER) {
        p->move_at_ms = now + p->options.period_ms;
    } else if (now >= p->move_at_ms) {
        dn_sim_device_move(p->client, &p->device, p->options.period_ms);
        dn_sim_network_move(&p->network, &p->device.seeded);
        dn_sim_place_move(p->client, &p->place, &p->device.seeded, p->options.period_ms);
        dn_sim_models_move(p->client, &p->models, &p->device.seeded);
        p->move_at_ms += p->options.period_ms;
        if (p->move_at_ms <= now) { /* it was suspended: no catching up */
            p->move_at_ms = now + p->options.period_ms;
        }
    }
}

/* The new firmware shows its version, and begins by registering. To reboot is a part of the installation, so there is no more
   waiting. */
static void update_firmware(program *p, uint64_t now)
{
    if (dn_sim_firmware_step(&p->firmware, now)) {
        dn_sim_device_set_firmware(p->client, &p->device, p->firmware.running);
        p->reboot_at_ms = now;
    }
}

static int wait_ms(const program *p, uint64_t now)
{
    uint64_t until = dunlin_client_deadline(p->client);
    const uint64_t others[] = {p->move_at_ms, p->reboot_at_ms, p->stop_at_ms,
                               dn_sim_firmware_deadline(&p->firmware),
                               dunlin_statistics_deadline(&p->network.statistics)};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        until = others[i] < until ? others[i] : until;
    }
    if (until <= now) {
        return 0;
    }
    return until - now > POLL_MAX_MS ? POLL_MAX_MS : (int)(until - now);
}

static void turn(program *p)
{
    struct pollfd fds[] = {
        {p->udp.fd, POLLIN, 0},
        {p->signals, POLLIN, 0},
        {p->options.console && p->console.open ? STDIN_FILENO : -1, POLLIN, 0},
        {dn_sim_firmware_fd(&p->firmware), POLLIN, 0},
    };
    const int ready = poll(fds, sizeof fds / sizeof fds[0], wait_ms(p, dn_clock_ms()));
    if (ready > 0 && fds[0].revents != 0) {
        receive(p);
    }
    if (ready > 0 && fds[2].revents != 0) {
        dn_sim_console_read(&p->console);
    }
    const uint64_t now = dn_clock_ms();
    if ((ready > 0 && fds[1].revents != 0 && dn_signals_take(p->signals) != 0) || p->console.quit) {
        begin_stop(p, now);
    }
    update_firmware(p, now);
    dunlin_statistics_step(p->client, &p->network.statistics, now);
    reboot(p, now);
    move(p, now);
    dunlin_client_step(p->client, now);
    (void)dn_udp_flush(&p->udp, p->outbox);
    if (p->stop_at_ms != DN_NEVER && (dunlin_client_stopped(p->client) || now >= p->stop_at_ms)) {
        p->ended = true;
    }
}

static void run(program *p)
{
    (void)printf("device %s, LwM2M %s, at %s\n", p->options.endpoint,
                 p->options.lwm2m == DUNLIN_LWM2M_1_0 ? "1.0" : "1.1", p->udp.text);
    (void)fflush(stdout);
    if (p->options.console) {
        const dn_sim_parts parts = {p->client, &p->device, &p->place, &p->firmware};
        dn_sim_console_open(&p->console, &parts);
    }
    dunlin_client_start(p->client, dn_clock_ms());
    (void)dn_udp_flush(&p->udp, p->outbox);
    while (!p->ended) {
        turn(p);
    }
}

int dn_cmd_client(int argc, char **argv)
{
    program *p = calloc(1, sizeof *p);
    int exit_code = EXIT_CODE_USAGE;
    if (p == NULL) {
        (void)fputs("dunlin client: out of memory\n", stderr);
        return EXIT_CODE_REFUSED;
    }
    p->signals = -1;
    p->firmware.package.fd = -1;
    if (dn_sim_options_read(argc, argv, &p->options)) {
        if (set_up(p)) {
            run(p);
            exit_code = p->report.exit_code;
        }
        tear_down(p);
    }
    free(p);
    return exit_code;
}
