/* SPDX-License-Identifier: Apache-2.0 */
/* The device: the configurations of appendix C, each a set of parts that are added to a client. */
#include "ets/device.h"
#include "ets/configurations.h"

#include "ets/device_firmware.h"

#include <dunlin/client_access.h>
#include <dunlin/client_device.h>
#include <dunlin/oma_apn.h>
#include <dunlin/oma_cellular.h>
#include <dunlin/oma_connectivity.h>
#include <dunlin/oma_location.h>
#include <dunlin/oma_portfolio.h>
#include <dunlin/oma_statistics.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIFETIME_S  86400
#define DISABLE_S   86400
#define PMIN_S      1
#define PMAX_S      10
#define PORTFOLIOS  3
#define PROFILES    3
#define ACCESS_MAX  16
#define REBOOT_MS   500u
#define ARENA_MORE  16384u /* for the tables of the Objects that are added */
#define ALL_BEARERS 2

#define CREDENTIAL_MAX     2048u /* a certificate */
#define FACTORY_MAX        16384u
#define IMAGE_MAX          16384u
#define STREAM_MESSAGE_MAX 8192u

/* The parts of a configuration beyond C.1. */
enum {
    DEFAULTS = 1, /* /1/x/2, 3, 5 */
    BATTERY = 2,  /* /3/0/6 to 9 */
    FULL = 4,     /* all of /3 */
    MONITORING = 8,
    FIRMWARE = 16,
    LOCATION = 32,
    STATISTICS = 64,
    CELLULAR = 128,
    PORTFOLIO = 256,
    ACCESS = 512,
    ACCESS_ROOM = 1024 /* Object 2, without instances */
};

static const struct {
    dn_ets_config config;
    unsigned parts;
} CONFIGS[] = {
    {DN_ETS_C1, 0},
    {DN_ETS_C3, DEFAULTS},
    {DN_ETS_C4, DEFAULTS | BATTERY},
    {DN_ETS_C5, DEFAULTS | MONITORING},
    {DN_ETS_C6, DEFAULTS | BATTERY | FULL},
    {DN_ETS_C7, DEFAULTS | LOCATION},
    {DN_ETS_C8, DEFAULTS | FIRMWARE},
    {DN_ETS_C9, DEFAULTS | STATISTICS},
    {DN_ETS_C10, DEFAULTS | CELLULAR},
    {DN_ETS_C11, DEFAULTS | CELLULAR},
    {DN_ETS_C12, DEFAULTS | PORTFOLIO},
    {DN_ETS_C13, ACCESS_ROOM}, /* without any account but the bootstrap server's */
    {DN_ETS_C14, DEFAULTS | ACCESS},
    {DN_ETS_C17, 0}, /* C.1 with other credentials, as are the next three */
    {DN_ETS_C18, 0},
    {DN_ETS_C19, 0},
    {DN_ETS_C20, 0},
    {DN_ETS_C21, 0},
};

bool dn_ets_device_knows(dn_ets_config config)
{
    for (size_t i = 0; i < sizeof CONFIGS / sizeof CONFIGS[0]; i++) {
        if (CONFIGS[i].config == config) {
            return true;
        }
    }
    return false;
}

struct dn_ets_device {
    dn_ets_setup setup;
    dn_ets_surroundings around;
    unsigned parts;
    dunlin_client *client;
    void *arena;
    dunlin_device device;
    dunlin_connectivity connectivity;
    dunlin_location location;
    dunlin_statistics statistics;
    dunlin_cellular cellular;
    dunlin_apn apns[PROFILES];
    dunlin_apn_config apn_config;
    dunlin_portfolio portfolios[PORTFOLIOS];
    dunlin_portfolio_config portfolio_config;
    dunlin_access access[ACCESS_MAX];
    dn_ets_firmware firmware;
    int64_t clock_offset_s;
    uint64_t reboot_at_ms; /* DUNLIN_NEVER: not */
    bool reboot;
    char version[16]; /* of the firmware */
};

/* ---- what the client asks of its surroundings ---- */

static void on_send(void *context, const dunlin_peer *peer, dunlin_slice datagram)
{
    dn_ets_device *d = context;
    if ((d->parts & STATISTICS) != 0) {
        dunlin_statistics_message(&d->statistics, true, datagram.len);
    }
    d->around.send(d->around.context, peer, datagram);
}

static void on_random(void *context, void *out, size_t len)
{
    dn_ets_device *d = context;
    d->around.random.fill(d->around.random.context, out, len);
}

static dunlin_status on_resolve(void *context, const char *uri, dunlin_peer *peer)
{
    dn_ets_device *d = context;
    return d->around.resolve(d->around.context, uri, peer);
}

static dunlin_status on_connect(void *context, const dunlin_way *way, dunlin_peer *peer)
{
    dn_ets_device *d = context;
    return d->around.connect(d->around.context, way, peer);
}

static void on_disconnect(void *context, uint16_t server)
{
    dn_ets_device *d = context;
    d->around.disconnect(d->around.context, server);
}

static int64_t on_unix_s(void *context)
{
    dn_ets_device *d = context;
    return d->around.wall_s(d->around.context) + d->clock_offset_s;
}

static dunlin_status clock_set(void *context, int64_t unix_s)
{
    dn_ets_device *d = context;
    d->clock_offset_s = unix_s - d->around.wall_s(d->around.context);
    return DUNLIN_OK;
}

static void on_reboot(void *context)
{
    ((dn_ets_device *)context)->reboot = true;
}

/* ---- the parts ---- */

static dunlin_status add_device(dn_ets_device *d)
{
    dunlin_device *device = &d->device;
    dunlin_device_init(device);
    (void)snprintf(d->version, sizeof d->version, "1.0.0");
    device->manufacturer = "Dunlin";
    device->model = "ETS device";
    device->serial = "ETS-0001";
    device->firmware = d->version;
    device->reboot = on_reboot;
    device->context = d;
    if ((d->parts & BATTERY) != 0) {
        device->has = DUNLIN_DEVICE_BATTERY;
        device->battery_level = 90;
        device->power_sources.count = device->power_voltage_mv.count = device->power_current_ma.count = 2;
        for (uint16_t i = 0; i < 2; i++) {
            device->power_sources.id[i] = device->power_voltage_mv.id[i] = device->power_current_ma.id[i] = i;
        }
        device->power_sources.value[0] = 1;
        device->power_sources.value[1] = 5;
        device->power_voltage_mv.value[0] = 3800;
        device->power_voltage_mv.value[1] = 5000;
        device->power_current_ma.value[0] = 125;
        device->power_current_ma.value[1] = 900;
    }
    /* The clock is there in every configuration: cases of composites write it, and a superset is allowed. */
    device->has |= DUNLIN_DEVICE_CLOCK;
    device->clock_get = on_unix_s;
    device->clock_set = clock_set;
    (void)snprintf(device->utc_offset, sizeof device->utc_offset, "+00:00");
    (void)snprintf(device->timezone, sizeof device->timezone, "Etc/UTC");
    if ((d->parts & FULL) != 0) {
        device->has |= DUNLIN_DEVICE_MEMORY;
        device->memory_free_kb = 2048;
        device->memory_total_kb = 4096;
        device->device_type = "test device";
        device->hardware = "1.0";
        device->software = "1.0";
        device->factory_reset = on_reboot;
    }
    return dunlin_device_add(d->client, device);
}

static dunlin_status add_connectivity(dn_ets_device *d)
{
    dunlin_connectivity *c = &d->connectivity;
    *c = (dunlin_connectivity){
        .bearer = DUNLIN_BEARER_LTE_FDD, .signal_dbm = -92, .quality = 2, .utilization = 17};
    c->has = DUNLIN_CONNECTIVITY_QUALITY | DUNLIN_CONNECTIVITY_ROUTERS | DUNLIN_CONNECTIVITY_UTILIZATION |
             DUNLIN_CONNECTIVITY_APN | DUNLIN_CONNECTIVITY_CELL | DUNLIN_CONNECTIVITY_SMNC |
             DUNLIN_CONNECTIVITY_SMCC;
    c->bearers.count = ALL_BEARERS;
    c->bearers.id[1] = 1;
    c->bearers.value[0] = DUNLIN_BEARER_LTE_FDD;
    c->bearers.value[1] = DUNLIN_BEARER_WLAN;
    c->addresses.count = c->routers.count = c->apns.count = 1;
    (void)snprintf(c->addresses.value[0], sizeof c->addresses.value[0], "192.0.2.100");
    (void)snprintf(c->routers.value[0], sizeof c->routers.value[0], "192.0.2.1");
    (void)snprintf(c->apns.value[0], sizeof c->apns.value[0], "internet");
    c->cell = 69696969;
    c->smnc = 33;
    c->smcc = 44;
    return dunlin_connectivity_add(d->client, c, d->setup.minor == 0 ? DUNLIN_LWM2M_1_0 : DUNLIN_LWM2M_1_1);
}

static dunlin_status add_location(dn_ets_device *d)
{
    d->location = (dunlin_location){.has = DUNLIN_LOCATION_ALTITUDE | DUNLIN_LOCATION_RADIUS,
                                    .latitude = 48.20849,
                                    .longitude = 16.37208,
                                    .altitude_m = 171,
                                    .radius_m = 12,
                                    .unix_s = d->around.wall_s(d->around.context)};
    return dunlin_location_add(d->client, &d->location);
}

static dunlin_status add_statistics(dn_ets_device *d)
{
    d->statistics = (dunlin_statistics){.has = DUNLIN_STATISTICS_TX_DATA | DUNLIN_STATISTICS_RX_DATA |
                                               DUNLIN_STATISTICS_SIZE_MAX | DUNLIN_STATISTICS_SIZE_MEAN};
    return dunlin_statistics_add(d->client, &d->statistics);
}

static dunlin_status add_cellular(dn_ets_device *d)
{
    /* C.11 is about version 1.1 of the Object, which a device of LwM2M 1.0 may have. */
    const bool newer = d->setup.minor > 0 || d->setup.config == DN_ETS_C11;
    const dunlin_lwm2m lwm2m = newer ? DUNLIN_LWM2M_1_1 : DUNLIN_LWM2M_1_0;
    d->cellular = (dunlin_cellular){.has = DUNLIN_CELLULAR_SMSC | DUNLIN_CELLULAR_PSM_TIMER |
                                           DUNLIN_CELLULAR_ACTIVE_TIMER | DUNLIN_CELLULAR_EDRX_WB_S1 |
                                           DUNLIN_CELLULAR_EDRX_NB_S1 | DUNLIN_CELLULAR_MODES,
                                    .psm_timer_s = 3600,
                                    .active_timer_s = 20,
                                    .modes_supported = DUNLIN_SAVING_PSM | DUNLIN_SAVING_EDRX,
                                    .modes_active = DUNLIN_SAVING_PSM};
    (void)snprintf(d->cellular.smsc, sizeof d->cellular.smsc, "+15550100");
    d->cellular.edrx_wb_s1.len = d->cellular.edrx_nb_s1.len = 1;
    d->cellular.edrx_wb_s1.data[0] = d->cellular.edrx_nb_s1.data[0] = 0x03;
    d->apns[0] = (dunlin_apn){.enabled = true, .authentication = DUNLIN_APN_NONE};
    (void)snprintf(d->apns[0].name, sizeof d->apns[0].name, "first");
    dunlin_status status = dunlin_cellular_add(d->client, &d->cellular, lwm2m);
    if (status == DUNLIN_OK) {
        status = dunlin_apn_add(d->client, d->apns, PROFILES, 1, &d->apn_config, lwm2m);
    }
    if (status == DUNLIN_OK) {
        status = dunlin_cellular_activate(d->client, &d->cellular, 0, true);
    }
    return status;
}

/* Profiles that a server enables become active ones. */
static void on_profile(void *context, uint16_t instance, bool enabled)
{
    dn_ets_device *d = context;
    (void)dunlin_cellular_activate(d->client, &d->cellular, instance, enabled);
}

static dunlin_status add_portfolio(dn_ets_device *d)
{
    static const char *const names[] = {"host", "Dunlin", "ETS device", "1.0.0"};
    const uint16_t count = sizeof names / sizeof names[0];
    for (uint16_t i = 0; i < count; i++) {
        (void)dunlin_portfolio_identify(&d->portfolios[0], i, names[i]);
    }
    return dunlin_portfolio_add(d->client, d->portfolios, PORTFOLIOS, 1, &d->portfolio_config);
}

/* C.14: each server owns its account; Device belongs to the bootstrap server, which lets both do everything. */
static dunlin_status add_access(dn_ets_device *d)
{
    const uint16_t all =
        DUNLIN_ACCESS_READ | DUNLIN_ACCESS_WRITE | DUNLIN_ACCESS_EXECUTE | DUNLIN_ACCESS_DELETE;
    d->access[0] = (dunlin_access){.object = 1, .instance = 0, .owner = 1};
    d->access[1] = (dunlin_access){.object = 1, .instance = 1, .owner = 2};
    d->access[2] = (dunlin_access){.object = 3, .instance = 0, .owner = DUNLIN_ACCESS_OWNER_BOOTSTRAP};
    d->access[2].rights.count = 2;
    for (uint16_t i = 0; i < 2; i++) {
        d->access[2].rights.id[i] = (uint16_t)(i + 1);
        d->access[2].rights.value[i] = all;
    }
    return dunlin_access_add(d->client, d->access, ACCESS_MAX, 3);
}

static dunlin_status add_access_room(dn_ets_device *d)
{
    return dunlin_access_add(d->client, d->access, ACCESS_MAX, 0);
}

static dunlin_status add_firmware(dn_ets_device *d)
{
    return dn_ets_firmware_add(&d->firmware, d->client, d->version, sizeof d->version);
}

static dunlin_status add_parts(dn_ets_device *d)
{
    static const struct {
        unsigned part;
        dunlin_status (*add)(dn_ets_device *d);
    } rows[] = {
        {ACCESS, add_access},     {ACCESS_ROOM, add_access_room}, {MONITORING, add_connectivity},
        {FIRMWARE, add_firmware}, {LOCATION, add_location},       {STATISTICS, add_statistics},
        {CELLULAR, add_cellular}, {PORTFOLIO, add_portfolio},
    };
    d->apn_config = (dunlin_apn_config){.enable = on_profile, .context = d};
    dunlin_status status = add_device(d);
    for (size_t i = 0; status == DUNLIN_OK && i < sizeof rows / sizeof rows[0]; i++) {
        if ((d->parts & rows[i].part) != 0) {
            status = rows[i].add(d);
        }
    }
    return status;
}

static bool is_bare(const dn_ets_device *d)
{
    return d->setup.config == DN_ETS_C13 || d->setup.config == DN_ETS_C21;
}

/* The bootstrap server's account, as the factory writes it. */
static dunlin_status provision(dn_ets_device *d)
{
    const dn_ets_blanks blanks = {.bootstrap_uri = d->around.uris[DN_ETS_BOOTSTRAP],
                                  .bootstrap_security = d->around.security[DN_ETS_BOOTSTRAP]};
    uint8_t *memory = malloc(FACTORY_MAX);
    dn_ets_values values = {.list = NULL};
    dunlin_buf data = dunlin_buf_make(memory, FACTORY_MAX);
    dunlin_status status = memory != NULL ? DUNLIN_OK : DUNLIN_ERR_MEMORY;
    if (status == DUNLIN_OK &&
        (!dn_ets_configuration(DN_ETS_C13, &blanks, false, &values) || values.failed)) {
        status = DUNLIN_ERR_MEMORY;
    }
    if (status == DUNLIN_OK) {
        status = dn_ets_values_encode(&values, DN_FORMAT_LWM2M_JSON, dunlin_path_root(), &data);
    }
    if (status == DUNLIN_OK) {
        status = dunlin_client_provision(d->client, dunlin_path_root(), DN_FORMAT_LWM2M_JSON,
                                         dunlin_buf_view(&data));
    }
    dn_ets_values_clear(&values);
    free(memory);
    return status;
}

static dunlin_status add_accounts(dn_ets_device *d)
{
    dunlin_status status = d->setup.bootstrap != DN_ETS_BOOTSTRAP_NONE ? provision(d) : DUNLIN_OK;
    const size_t servers = is_bare(d) && !d->setup.is_elsewhere ? 0
                           : d->setup.has_card                  ? 1
                                                                : d->setup.servers;
    for (size_t i = 0; status == DUNLIN_OK && i < servers; i++) {
        dunlin_server account = dunlin_server_default();
        (void)snprintf(account.uri, sizeof account.uri, "%s", d->around.uris[i]);
        account.ssid = (int32_t)i + 1;
        account.lifetime_s = d->setup.lifetime_s != 0 ? (int32_t)d->setup.lifetime_s : LIFETIME_S;
        if (d->around.security[i] != NULL) {
            account.security = *d->around.security[i];
        }
        if (strstr(d->around.uris[i], "+tcp:") != NULL) {
            (void)snprintf(account.binding, sizeof account.binding, "T");
        }
        if (d->setup.is_elsewhere) {
            account.policy.retry_count = 1; /* nobody is there, however often it is tried */
        }
        account.store_notifications = false;
        account.disable_s = DISABLE_S;
        if ((d->parts & DEFAULTS) != 0) {
            account.pmin_s = PMIN_S;
            account.pmax_s = PMAX_S;
        }
        status = dunlin_client_add_server(d->client, &account);
    }
    return status;
}

/* ---- the whole ---- */

static dunlin_status on_smartcard(void *context, dunlin_buf *file)
{
    dn_ets_device *d = context;
    return d->around.smartcard(d->around.context, file);
}

static dunlin_client_config make_config(dn_ets_device *d)
{
    dunlin_client_config config = dunlin_client_config_default();
    config.endpoint = d->setup.endpoint;
    config.lwm2m = d->setup.minor == 0 ? DUNLIN_LWM2M_1_0 : DUNLIN_LWM2M_1_1;
    config.call = (dunlin_client_callbacks){
        .send = on_send, .random = on_random, .resolve = on_resolve, .unix_s = on_unix_s, .context = d};
    if (d->around.connect != NULL) {
        config.call.connect = on_connect;
        config.call.disconnect = on_disconnect;
        config.credential_max = CREDENTIAL_MAX;
        config.stream_message = STREAM_MESSAGE_MAX;
    }
    config.servers = (uint16_t)d->setup.servers;
    config.bootstrap = d->setup.bootstrap != DN_ETS_BOOTSTRAP_NONE || d->setup.has_card;
    config.image_max = IMAGE_MAX;
    config.call.smartcard = d->around.smartcard != NULL ? on_smartcard : NULL;
    config.enroll = d->around.enroll;
    config.queue_mode = d->setup.queue_mode;
    config.max_body = 8192;
    config.list_max = 1024;
    config.undo_max = 1024;
    config.dedup_slots = 32;
    config.dedup_reply_max = 1152;
    config.exchanges = 8;
    config.attributes = 16;
    config.observations = 16;
    return config;
}

dn_ets_device *dn_ets_device_create(const dn_ets_setup *setup, const dn_ets_surroundings *around,
                                    uint64_t now_ms, char *error, size_t error_size)
{
    dn_ets_device *d = calloc(1, sizeof *d);
    if (d == NULL) {
        (void)snprintf(error, error_size, "no memory");
        return NULL;
    }
    d->setup = *setup;
    d->around = *around;
    d->reboot_at_ms = DUNLIN_NEVER;
    for (size_t i = 0; i < sizeof CONFIGS / sizeof CONFIGS[0]; i++) {
        d->parts |= CONFIGS[i].config == setup->config ? CONFIGS[i].parts : 0;
    }
    d->parts |= setup->portfolio ? PORTFOLIO : 0;
    const dunlin_client_config config = make_config(d);
    const size_t size = (dunlin_client_arena_size(&config) + ARENA_MORE + DUNLIN_ARENA_ALIGN - 1) /
                        DUNLIN_ARENA_ALIGN * DUNLIN_ARENA_ALIGN;
    d->arena = aligned_alloc(DUNLIN_ARENA_ALIGN, size);
    d->client = d->arena != NULL ? dunlin_client_create(d->arena, size, &config, now_ms) : NULL;
    if (d->client == NULL) {
        (void)snprintf(error, error_size, "the client library does not take this configuration");
        dn_ets_device_destroy(d);
        return NULL;
    }
    dunlin_status status = add_parts(d);
    if (status == DUNLIN_OK) {
        status = add_accounts(d);
    }
    if (status != DUNLIN_OK) {
        (void)snprintf(error, error_size, "the client library: %s", dunlin_status_text(status));
        dn_ets_device_destroy(d);
        return NULL;
    }
    dunlin_client_start(d->client, now_ms);
    return d;
}

void dn_ets_device_destroy(dn_ets_device *device)
{
    if (device != NULL) {
        dn_ets_firmware_free(&device->firmware);
        free(device->arena);
        free(device);
    }
}

/* What callbacks noted down, and the Objects that have work of their own. */
static void after(dn_ets_device *d, uint64_t now_ms)
{
    if (d->reboot) {
        d->reboot = false;
        d->reboot_at_ms = now_ms + REBOOT_MS;
    }
    if (now_ms >= d->reboot_at_ms) {
        d->reboot_at_ms = DUNLIN_NEVER;
        dunlin_client_restart(d->client, now_ms);
    }
    if ((d->parts & STATISTICS) != 0) {
        dunlin_statistics_step(d->client, &d->statistics, now_ms);
    }
    if ((d->parts & FIRMWARE) != 0) {
        dn_ets_firmware_step(&d->firmware, now_ms);
    }
}

void dn_ets_device_receive(dn_ets_device *device, const dunlin_peer *peer, dunlin_slice datagram,
                           uint64_t now_ms)
{
    if ((device->parts & STATISTICS) != 0) {
        dunlin_statistics_message(&device->statistics, false, datagram.len);
    }
    dunlin_client_receive(device->client, peer, datagram, now_ms);
    after(device, now_ms);
    dunlin_client_step(device->client, now_ms);
}

void dn_ets_device_step(dn_ets_device *device, uint64_t now_ms)
{
    after(device, now_ms);
    dunlin_client_step(device->client, now_ms);
}

uint64_t dn_ets_device_deadline(const dn_ets_device *device)
{
    uint64_t at_ms = dunlin_client_deadline(device->client);
    at_ms = device->reboot_at_ms < at_ms ? device->reboot_at_ms : at_ms;
    if ((device->parts & STATISTICS) != 0) {
        const uint64_t own_ms = dunlin_statistics_deadline(&device->statistics);
        at_ms = own_ms < at_ms ? own_ms : at_ms;
    }
    if ((device->parts & FIRMWARE) != 0) {
        const uint64_t own_ms = dn_ets_firmware_deadline(&device->firmware);
        at_ms = own_ms < at_ms ? own_ms : at_ms;
    }
    return at_ms;
}

dunlin_client *dn_ets_device_client(dn_ets_device *device)
{
    return device->client;
}

bool dn_ets_device_set(dn_ets_device *device, dunlin_path path, const char *text)
{
    uint8_t bytes[256];
    dunlin_buf scratch = dunlin_buf_make(bytes, sizeof bytes);
    dunlin_value value;
    const dunlin_resource *row =
        dunlin_client_resource(device->client, dunlin_path_resource(path.id[0], path.id[1], path.id[2]));
    return row != NULL &&
           dn_value_from_text(dunlin_slice_of(text), (dunlin_type)row->type, &scratch, &value) == DUNLIN_OK &&
           dunlin_client_set(device->client, path, &value) == DUNLIN_OK;
}

dunlin_status dn_ets_device_send(dn_ets_device *device, const dunlin_path *paths, size_t count)
{
    dunlin_send_value values[8] = {{.value = NULL}};
    for (size_t i = 0; i < count && i < sizeof values / sizeof values[0]; i++) {
        values[i].path = paths[i];
    }
    return dunlin_client_send(device->client, 0, values, count, NULL, NULL);
}
