/* SPDX-License-Identifier: Apache-2.0 */
/* `dunlin client`: the simulated device. This file wires it together and runs its loop. */
#include "apps/dunlin/client_access.h"
#include "apps/dunlin/client_bootstrap.h"
#include "apps/dunlin/client_console.h"
#include "apps/dunlin/client_identity.h"
#include "apps/dunlin/client_models.h"
#include "apps/dunlin/client_network.h"
#include "apps/dunlin/client_options.h"
#include "apps/dunlin/client_report.h"
#include "apps/dunlin/client_restart.h"
#include "apps/dunlin/command.h"
#include "port/clock.h"
#include "port/entropy.h"
#include "port/linux_net.h"
#include "port/loop.h"
#include "port/transport.h"
#include "port/uri.h"

#include <errno.h>
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
#define REBOOT_MS       1000
#define STOP_MS         5000 /* how long a De-register may take at the end */
#define POLL_MAX_MS     3600000
#define OWN_FDS         3

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
    dn_sim_bootstrap bootstrap;
    dn_sim_restart restart;
    bool as_new; /* begin anew, without a state */
    dunlin_client *client;
    void *arena; /* with secrets */
    size_t arena_size;
    dn_sim_security security[DUNLIN_SERVERS_MAX];
    dn_ways *ways;
    dn_log log; /* of the ways */
    dn_entropy entropy;
    int signals;
    uint64_t move_at_ms, reboot_at_ms, stop_at_ms; /* DN_NEVER: not */
    bool ended;
} program;

/* ---- what the client asks of its surroundings ---- */

static dunlin_status on_connect(void *context, const dunlin_way *way, dunlin_peer *peer)
{
    return dn_ways_connect(((program *)context)->ways, way, peer);
}

static void on_disconnect(void *context, uint16_t server)
{
    dn_ways_disconnect(((program *)context)->ways, server);
}

static void on_send(void *context, const dunlin_peer *peer, dunlin_slice message)
{
    dn_ways_send(((program *)context)->ways, peer, message);
}

static dunlin_status on_resolve(void *context, const char *uri, dunlin_peer *peer)
{
    return dn_ways_resolve(((program *)context)->ways, uri, peer);
}

static void on_random(void *context, void *out, size_t len)
{
    program *p = context;
    const dn_random random = dn_entropy_random(&p->entropy);
    random.fill(random.context, out, len);
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
    p->ended = p->ended || dn_sim_report_all_failed(&p->report, event);
}

/* Credentials that cannot be used at the very beginning are a mistake of the command line. */
static void on_way(void *context, const dn_ways_event *event)
{
    program *p = context;
    dn_sim_report_way(&p->report, event);
    const bool useless = event->status == DUNLIN_ERR_ARGUMENT || event->status == DUNLIN_ERR_UNSUPPORTED;
    if (event->kind == DN_WAYS_FAULT && useless && !p->report.was_up) {
        p->report.exit_code = EXIT_CODE_USAGE;
        p->ended = true;
    }
}

static void on_carried(void *context, bool out, size_t len)
{
    program *p = context;
    dunlin_statistics_message(&p->network.statistics, out, len);
}

static void on_refine(void *context, uint16_t server, dn_tls_client_config *config)
{
    const program *p = context;
    const bool named = server >= 1 && server <= p->options.url_count;
    const dn_sim_security *security = named ? &p->security[server - 1] : &p->bootstrap.security;
    config->roots = security->roots;
    config->suites = security->suites;
    dn_sim_bootstrap_refine(&p->bootstrap, server, config);
}

static dunlin_status on_save(void *context, dunlin_slice image)
{
    return dn_sim_bootstrap_save(&((program *)context)->bootstrap, image);
}

static dunlin_status on_smartcard(void *context, dunlin_buf *file)
{
    return dn_sim_bootstrap_card(&((program *)context)->bootstrap, file);
}

static void on_ways_log(void *context, dn_log_level level, const char *area, const char *message)
{
    on_log(context, (dunlin_log_level)level, area, message);
}

static int64_t on_unix_s(void *context)
{
    return (int64_t)time(NULL) + ((const program *)context)->device.clock_offset_s;
}

/* ---- setting up ---- */

static bool open_ways(program *p)
{
    dn_ways_config config = dn_ways_config_default();
    p->log = (dn_log){on_ways_log, p, p->options.verbose ? DN_LOG_DEBUG : DN_LOG_WARN};
    config.local = p->options.local;
    config.log = &p->log;
    config.event = on_way;
    config.carried = on_carried;
    config.refine = on_refine;
    config.context = p;
    const dunlin_status status = dn_ways_create(&config, &p->ways);
    if (status == DUNLIN_ERR_ARGUMENT) {
        (void)fprintf(
            stderr,
            "dunlin client: --local takes ADDRESS:PORT such as 127.0.0.1:0 or [::1]:56830, not '%s'\n",
            p->options.local);
    } else if (status != DUNLIN_OK) {
        (void)fprintf(stderr, "dunlin client: cannot bind to %s: %s\n", p->options.local, strerror(errno));
    }
    return status == DUNLIN_OK;
}

static bool read_security(program *p)
{
    for (size_t i = 0; i < p->options.url_count; i++) {
        if (!dn_sim_security_load(&p->options.security[i], &p->security[i])) {
            return false;
        }
    }
    return true;
}

/* The most bytes that a credential has; 0: there are none. */
static uint16_t credential_max(const program *p)
{
    size_t most = 0;
    for (size_t i = 0; i < p->options.url_count; i++) {
        const dunlin_security *s = &p->security[i].security;
        const size_t sizes[] = {s->identity.len, s->server_key.len, s->secret.len};
        for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
            most = sizes[k] > most ? sizes[k] : most;
        }
    }
    return (uint16_t)most;
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
    config.call = (dunlin_client_callbacks){.connect = on_connect,
                                            .disconnect = on_disconnect,
                                            .send = on_send,
                                            .random = on_random,
                                            .resolve = on_resolve,
                                            .event = on_event,
                                            .log = on_log,
                                            .context = p,
                                            .unix_s = on_unix_s};
    config.log_least = p->options.verbose ? DUNLIN_LOG_DEBUG : DUNLIN_LOG_WARN;
    config.notify_confirmable = p->options.confirmable;
    config.servers = (uint16_t)p->options.url_count;
    config.credential_max = credential_max(p);
    config.stream_message = (uint16_t)dn_ways_config_default().max_stream_message;
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
    if (dn_sim_bootstrap_wanted(&p->options.bootstrap)) {
        config.call.save = on_save;
        config.call.smartcard = on_smartcard;
        dn_sim_bootstrap_configure(&p->bootstrap, &config);
    }
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
    if (status == DUNLIN_OK && p->options.url_count < 2 && dn_sim_bootstrap_wanted(&p->options.bootstrap)) {
        /* Whose what is a bootstrap server says, if there is to be more than one. */
        status = dunlin_access_add(p->client, p->access.entries, DN_SIM_ACCESS_MAX, 0);
    } else if (status == DUNLIN_OK && p->options.url_count > 1) {
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
        (void)snprintf(server.binding, sizeof server.binding, "%s", dn_sim_binding_of(&p->options, i));
        server.security = p->security[i].security;
        server.ssid = (int32_t)(i + 1);
        server.lifetime_s = p->options.lifetime_s;
        server.policy.retry_timer_s = p->options.retry_s;
        server.policy.retry_count = p->options.tries > 0 ? p->options.tries : server.policy.retry_count;
        status = dunlin_client_add_server(p->client, &server);
    }
    return status;
}

static bool cannot(dunlin_status status)
{
    (void)fprintf(stderr, "dunlin client: cannot set the device up: %s\n", dunlin_status_text(status));
    return false;
}

static bool make_client(program *p)
{
    const dunlin_client_config config = make_config(p);
    const size_t size = dunlin_client_arena_size(&config) + objects_size(p);
    p->arena_size = (size + DUNLIN_ARENA_ALIGN - 1) / DUNLIN_ARENA_ALIGN * DUNLIN_ARENA_ALIGN;
    p->arena = aligned_alloc(DUNLIN_ARENA_ALIGN, p->arena_size);
    p->client = p->arena == NULL ? NULL : dunlin_client_create(p->arena, size, &config, dn_clock_ms());
    dunlin_status status = p->client == NULL ? DUNLIN_ERR_MEMORY : add_objects(p);
    if (status != DUNLIN_OK) {
        return cannot(status);
    }
    p->report.client = p->client;
    status = dn_sim_bootstrap_restore(&p->bootstrap, p->client);
    if (status != DUNLIN_ERR_NOT_FOUND) {
        return status == DUNLIN_OK;
    }
    if (!dn_sim_bootstrap_provision(&p->bootstrap, p->client)) {
        return false;
    }
    status = add_servers(p);
    if (status == DUNLIN_OK) {
        status = dn_sim_bootstrap_add(&p->bootstrap, p->client);
    }
    return status == DUNLIN_OK || cannot(status);
}

/* What it is made of, as the options and this machine have it. */
static bool fill_device(program *p)
{
    dn_uri_server server;
    char interface[DN_LINUX_INTERFACE_MAX] = "";
    dn_sim_models_init(&p->models);
    dn_sim_device_init(&p->device, p->options.seed);
    p->device.device.binding = dn_sim_bindings(&p->options);
    const char *url = p->options.url_count > 0 ? p->options.urls[0] : p->options.bootstrap.url;
    if (url != NULL && dn_uri_read(url, &server, NULL) == NULL) {
        (void)dn_linux_interface_to(server.host, interface);
    }
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
    p->signals = dn_signals_open(stop_signals, sizeof stop_signals / sizeof stop_signals[0]);
    if (p->signals < 0) {
        (void)fprintf(stderr, "dunlin client: cannot start: %s\n", strerror(errno));
        return false;
    }
    if (!fill_device(p) || !read_models(p) || !read_security(p) ||
        !dn_sim_bootstrap_open(&p->bootstrap, &p->options) || !open_ways(p) || !make_client(p)) {
        return false;
    }
    dn_ways_attach(p->ways, p->client);
    return true;
}

static void tear_down(program *p)
{
    dn_ways_destroy(p->ways);
    for (size_t i = 0; i < DUNLIN_SERVERS_MAX; i++) {
        dn_sim_security_free(&p->security[i]);
    }
    if (p->signals >= 0) {
        (void)close(p->signals);
    }
    dn_sim_bootstrap_close(&p->bootstrap);
    dn_sim_firmware_close(&p->firmware);
    dn_sim_models_free(&p->models);
    if (p->arena != NULL) {
        explicit_bzero(p->arena, p->arena_size);
    }
    free(p->arena);
}

/* ---- the loop ---- */

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
    if (p->device.factory_reset && dn_sim_bootstrap_wanted(&p->options.bootstrap)) {
        p->ended = p->as_new = true; /* what it has learnt since is to be forgotten */
        return;
    }
    if (p->device.factory_reset) {
        dn_sim_device_reset(p->client, &p->device);
    }
    p->device.reboot = p->device.factory_reset = false;
    p->reboot_at_ms = DN_NEVER;
    dn_ways_drop(p->ways); /* what was in memory only is lost */
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

/* Without security it is another device to a server: the registration is of the old address. */
static void go_on_elsewhere(program *p, uint64_t now)
{
    bool proven = !dn_sim_bootstrap_wanted(&p->options.bootstrap); /* else it depends on accounts to come */
    for (size_t i = 0; i < p->options.url_count; i++) {
        proven = proven && dn_transport_is_secure(p->options.transports[i]);
    }
    if (proven) {
        dunlin_client_update(p->client);
    } else {
        dunlin_client_restart(p->client, now);
    }
}

static int wait_ms(const program *p, uint64_t now)
{
    uint64_t until = dunlin_client_deadline(p->client);
    const uint64_t others[] = {dn_ways_deadline(p->ways),
                               p->move_at_ms,
                               p->reboot_at_ms,
                               p->stop_at_ms,
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
    struct pollfd fds[OWN_FDS + DN_WAYS_FDS_MAX] = {
        {p->signals, POLLIN, 0},
        {p->options.console && p->console.open ? STDIN_FILENO : -1, POLLIN, 0},
        {dn_sim_firmware_fd(&p->firmware), POLLIN, 0},
    };
    const size_t count = OWN_FDS + dn_ways_fds(p->ways, fds + OWN_FDS);
    dn_ways_flush(p->ways);
    const int ready = poll(fds, (nfds_t)count, wait_ms(p, dn_clock_ms()));
    dn_ways_work(p->ways);
    if (ready > 0 && fds[1].revents != 0) {
        dn_sim_console_read(&p->console);
    }
    const uint64_t now = dn_clock_ms();
    if ((ready > 0 && fds[0].revents != 0 && dn_signals_take(p->signals) != 0) || p->console.quit) {
        begin_stop(p, now);
    }
    update_firmware(p, now);
    dunlin_statistics_step(p->client, &p->network.statistics, now);
    reboot(p, now);
    move(p, now);
    if (p->console.roamed) {
        p->console.roamed = false;
        go_on_elsewhere(p, now);
    }
    dunlin_client_step(p->client, now);
    if (p->stop_at_ms != DN_NEVER && (dunlin_client_stopped(p->client) || now >= p->stop_at_ms)) {
        p->ended = true;
    }
}

static void run(program *p)
{
    const char *address = dn_ways_address(p->ways);
    (void)printf("device %s, LwM2M %s%s%s\n", p->options.endpoint,
                 p->options.lwm2m == DUNLIN_LWM2M_1_0 ? "1.0" : "1.1", address[0] == '\0' ? "" : ", at ",
                 address);
    (void)fflush(stdout);
    if (p->options.console) {
        const dn_sim_parts parts = {p->client, &p->device, &p->place, &p->firmware, p->ways};
        dn_sim_console_open(&p->console, &parts);
    }
    dunlin_client_start(p->client, dn_clock_ms());
    while (!p->ended) {
        turn(p);
    }
}

/* Its value is in the same argument as the option, or the next one. NULL: it is another option. */
static char *value_of(char *argument, char *next, const char *option)
{
    const size_t len = strlen(option);
    if (strncmp(argument, option, len) != 0) {
        return NULL;
    }
    if (argument[len] == '=') {
        return argument + len + 1;
    }
    return argument[len] == '\0' ? next : NULL;
}

/* Keys and PINs of the command line are not shown by ps any longer. */
static void hide_secrets(int argc, char **argv)
{
    for (int i = 1; i < argc && argv[i] != NULL; i++) {
        char *next = i + 1 < argc ? argv[i + 1] : NULL;
        char *key = value_of(argv[i], next, "--key");
        char *url = value_of(argv[i], next, "--private-key");
        char *pin = url == NULL ? NULL : strstr(url, "pin-value=");
        if (key != NULL && key[0] != '@') {
            memset(key, '*', strlen(key));
        }
        if (pin != NULL) {
            pin += strlen("pin-value=");
            memset(pin, '*', strcspn(pin, "&"));
        }
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
        dn_sim_restart_note(&p->restart, argc, argv);
        const bool ready = set_up(p);
        hide_secrets(argc, argv);
        if (ready) {
            run(p);
            exit_code = p->report.exit_code;
        }
        const bool as_new = p->as_new && dn_sim_bootstrap_forget(&p->bootstrap);
        tear_down(p);
        if (as_new) {
            dn_sim_restart_go(&p->restart);
            exit_code = EXIT_CODE_REFUSED;
        }
        dn_sim_restart_free(&p->restart);
    }
    free(p);
    return exit_code;
}
