/* SPDX-License-Identifier: Apache-2.0 */
/* `dunlin client`: the simulated device on a UDP socket. This file wires it together and runs its loop. */
#include "apps/dunlin/client_console.h"
#include "apps/dunlin/client_models.h"
#include "apps/dunlin/client_options.h"
#include "apps/dunlin/command.h"
#include "bearer/udp.h"
#include "port/clock.h"
#include "port/entropy.h"
#include "port/loop.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OWN_OBJECTS  5 /* 0, 1, 3, 3303 and 3311 */
#define OBSERVATIONS 64
#define ATTRIBUTES   64
#define LIST_MAX     8192
#define BODY_MAX     65536
#define UNDO_MAX     32768
#define EXCHANGES    8
#define TRANSFERS    4
#define DEDUP_SLOTS  64
#define DEDUP_REPLY  256
#define BATCH        16
#define REBOOT_MS    1000
#define STOP_MS      5000 /* how long a De-register may take at the end */
#define MS_PER_S     1000
#define POLL_MAX_MS  3600000

typedef struct {
    dn_sim_options options;
    dn_sim_device device;
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
    int exit_code;
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
    dn_udp_send(&p->udp, p->outbox, &to, datagram);
}

static void on_random(void *context, void *out, size_t len)
{
    program *p = context;
    const dn_random random = dn_entropy_random(&p->entropy);
    random.fill(random.context, out, len);
}

/* The only account's URI is the one of the command line, so its parts are at hand. */
static dunlin_status on_resolve(void *context, const char *uri, dunlin_peer *peer)
{
    program *p = context;
    dn_peer found;
    (void)uri;
    const dunlin_status status = dn_udp_resolve(p->options.host, p->options.port, p->udp.family, &found);
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

static const char *advice(uint8_t code)
{
    static const struct {
        uint8_t code;
        const char *text;
    } rows[] = {
        {0x80,
         "4.00 Bad Request: does the server know this endpoint name, and may it come without security?"},
        {0x81, "4.01 Unauthorized: the server wants credentials"},
        {0x83,
         "4.03 Forbidden: the server does not let this endpoint name in; see its list of allowed devices"},
        {0x84, "4.04 Not Found: there is no /rd at that address; is it an LwM2M server's port?"},
        {0x85, "4.05 Method Not Allowed: is it an LwM2M server's port, and not a bootstrap server's?"},
        {0x89, "4.09 Conflict: another device is registered under this name, or the server is configured "
               "otherwise"},
        {0x8C, "4.12 Precondition Failed: the server does not speak this version; try --lwm2m 1.0"},
        {0x8D, "4.13 Request Entity Too Large: the list of objects is too long for the server; use fewer "
               "--object files"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].code == code) {
            return rows[i].text;
        }
    }
    return NULL;
}

static void say_next(uint64_t retry_ms)
{
    if (retry_ms == DUNLIN_NEVER) {
        (void)fputs("; giving up\n", stderr);
    } else if (retry_ms == 0) {
        (void)fputs("; registering anew\n", stderr);
    } else {
        (void)fprintf(stderr, "; trying again in %llu s\n", (unsigned long long)(retry_ms / MS_PER_S));
    }
}

static void say_refused(const dunlin_client_event *event)
{
    const char *known = advice(event->code);
    if (known != NULL) {
        (void)fprintf(stderr, "dunlin client: refused: %s", known);
    } else {
        (void)fprintf(stderr, "dunlin client: refused with %u.%02u", event->code >> 5, event->code & 31u);
    }
    say_next(event->retry_ms);
}

static void say_unreachable(const program *p, const dunlin_client_event *event)
{
    if (event->status == DUNLIN_ERR_NOT_FOUND) {
        (void)fprintf(stderr, "dunlin client: the host '%s' has no address (of this kind)", p->options.host);
    } else if (event->status == DUNLIN_ERR_TIMEOUT) {
        (void)fprintf(stderr, "dunlin client: no answer from %s: is a server running there?", p->options.url);
    } else {
        (void)fprintf(stderr, "dunlin client: cannot register with %s: %s", p->options.url,
                      dunlin_status_text(event->status));
    }
    say_next(event->retry_ms);
}

static void write_ready(const program *p, const char *location)
{
    FILE *out = p->options.ready_file == NULL ? NULL : fopen(p->options.ready_file, "w");
    if (out != NULL) {
        (void)fprintf(out, "%s\n", location);
    }
    if (p->options.ready_file != NULL && (out == NULL || fclose(out) != 0)) {
        (void)fprintf(stderr, "dunlin client: cannot write %s: %s\n", p->options.ready_file, strerror(errno));
    }
}

/* As the server has written them: arguments 0,1='text'. */
static void print_arguments(const dunlin_arguments *arguments)
{
    const char *separator = "arguments ";
    if (arguments == NULL || arguments->present == 0) {
        return;
    }
    for (unsigned i = 0; i < sizeof arguments->value / sizeof arguments->value[0]; i++) {
        const dunlin_slice value = arguments->value[i];
        if ((arguments->present >> i & 1) == 0) {
            continue;
        }
        (void)printf("%s%u", separator, i);
        if (value.data != NULL) {
            (void)printf("='%.*s'", (int)value.len, (const char *)value.data);
        }
        separator = ",";
    }
    (void)printf("\n");
}

static void on_event(void *context, const dunlin_client_event *event)
{
    program *p = context;
    char path[DUNLIN_PATH_TEXT_MAX + 1];
    switch (event->kind) {
    case DUNLIN_CLIENT_REGISTERED:
        (void)printf("registered as %s with %s\n", event->location, p->options.url);
        write_ready(p, event->location);
        break;
    case DUNLIN_CLIENT_REFUSED:
        say_refused(event);
        p->exit_code = EXIT_CODE_REFUSED;
        break;
    case DUNLIN_CLIENT_UNREACHABLE:
        say_unreachable(p, event);
        p->exit_code = EXIT_CODE_UNREACHABLE;
        break;
    case DUNLIN_CLIENT_FAILED:
        p->ended = true;
        break;
    case DUNLIN_CLIENT_DEREGISTERED:
        (void)printf("de-registered\n");
        break;
    case DUNLIN_CLIENT_UPDATED:
        if (p->options.verbose) {
            (void)printf("updated\n");
        }
        break;
    default:
        if (p->options.verbose) {
            (void)dunlin_path_format(event->path, path);
            (void)printf("%s %s\n", event->kind == DUNLIN_CLIENT_EXECUTED ? "executed" : "written", path);
            print_arguments(event->arguments);
        }
        break;
    }
    (void)fflush(stdout);
}

/* ---- setting up ---- */

static bool open_socket(program *p)
{
    dn_peer server;
    const char *local = p->options.local;
    if (local == NULL) {
        /* The address family has to be the server's; if it has no address yet, resolving goes on with IPv4. */
        const dunlin_status status = dn_udp_resolve(p->options.host, p->options.port, 0, &server);
        local = status == DUNLIN_OK && dn_udp_peer_family(&server) == 6 ? "[::]:0" : "0.0.0.0:0";
    }
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
    config.call = (dunlin_client_callbacks){on_send, on_random, on_resolve, on_event, on_log, p};
    config.log_least = p->options.verbose ? DUNLIN_LOG_DEBUG : DUNLIN_LOG_WARN;
    config.notify_confirmable = p->options.confirmable;
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

static bool make_client(program *p)
{
    const dunlin_client_config config = make_config(p);
    const size_t objects = dunlin_client_object_size(&dunlin_device_object, 1) +
                           OWN_OBJECTS * dunlin_client_object_size(&dunlin_device_object, DN_SIM_LIGHTS_MAX) +
                           dn_sim_models_arena(&p->models);
    const size_t size = dunlin_client_arena_size(&config) + objects;
    dunlin_server server = dunlin_server_default();
    (void)snprintf(server.uri, sizeof server.uri, "%s", p->options.url);
    server.lifetime_s = p->options.lifetime_s;
    server.policy.retry_timer_s = p->options.retry_s;
    p->arena = aligned_alloc(DUNLIN_ARENA_ALIGN,
                             (size + DUNLIN_ARENA_ALIGN - 1) / DUNLIN_ARENA_ALIGN * DUNLIN_ARENA_ALIGN);
    p->client = p->arena == NULL ? NULL : dunlin_client_create(p->arena, size, &config, dn_clock_ms());
    dunlin_status status = p->client == NULL ? DUNLIN_ERR_MEMORY : DUNLIN_OK;
    if (status == DUNLIN_OK) {
        status = dn_sim_models_add(p->client, &p->models);
    }
    if (status == DUNLIN_OK) {
        status = dn_sim_device_add(p->client, &p->device, p->models.ids);
    }
    if (status == DUNLIN_OK) {
        status = dunlin_client_add_server(p->client, &server);
    }
    if (status != DUNLIN_OK) {
        (void)fprintf(stderr, "dunlin client: cannot set the device up: %s\n", dunlin_status_text(status));
    }
    return status == DUNLIN_OK;
}

static bool set_up(program *p)
{
    static const int stop_signals[] = {SIGINT, SIGTERM};
    dn_sim_models_init(&p->models);
    dn_sim_device_init(&p->device, p->options.seed);
    p->move_at_ms = p->reboot_at_ms = p->stop_at_ms = DN_NEVER;
    p->batch = malloc(sizeof *p->batch);
    p->outbox = malloc(sizeof *p->outbox);
    p->signals = dn_signals_open(stop_signals, sizeof stop_signals / sizeof stop_signals[0]);
    if (p->batch == NULL || p->outbox == NULL || p->signals < 0) {
        (void)fprintf(stderr, "dunlin client: cannot start: %s\n", strerror(errno));
        return false;
    }
    dn_udp_outbox_init(p->outbox);
    return read_models(p) && open_socket(p) && make_client(p);
}

static void tear_down(program *p)
{
    if (p->open) {
        dn_udp_close(&p->udp);
    }
    if (p->signals >= 0) {
        (void)close(p->signals);
    }
    dn_sim_models_free(&p->models);
    free(p->arena);
    free(p->batch);
    free(p->outbox);
}

/* ---- the loop ---- */

static void receive(program *p)
{
    while (dn_udp_receive(&p->udp, p->batch, BATCH) == DUNLIN_OK) {
        const uint64_t now = dn_clock_ms();
        for (size_t i = 0; i < p->batch->count; i++) {
            const dn_udp_datagram *datagram = &p->batch->datagram[i];
            dunlin_peer from = {.len = datagram->peer.len};
            memcpy(from.bytes, datagram->peer.bytes, sizeof from.bytes);
            dunlin_client_receive(p->client, &from, datagram->bytes, now);
        }
        (void)dn_udp_flush(&p->udp, p->outbox); /* what does not go now is a loss that CoAP repairs */
    }
}

static void begin_stop(program *p, uint64_t now)
{
    if (p->stop_at_ms == DN_NEVER) {
        p->stop_at_ms = now + STOP_MS;
        p->exit_code = EXIT_CODE_OK;
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
        dn_sim_models_move(p->client, &p->models, &p->device.seeded);
        p->move_at_ms += p->options.period_ms;
        if (p->move_at_ms <= now) { /* it was suspended: no catching up */
            p->move_at_ms = now + p->options.period_ms;
        }
    }
}

static int wait_ms(const program *p, uint64_t now)
{
    uint64_t until = dunlin_client_deadline(p->client);
    const uint64_t others[] = {p->move_at_ms, p->reboot_at_ms, p->stop_at_ms};
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
        dn_sim_console_open(&p->console, p->client, &p->device);
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
    if (dn_sim_options_read(argc, argv, &p->options)) {
        if (set_up(p)) {
            run(p);
            exit_code = p->exit_code;
        }
        tear_down(p);
    }
    free(p);
    return exit_code;
}
