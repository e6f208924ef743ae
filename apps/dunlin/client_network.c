/* SPDX-License-Identifier: Apache-2.0 */
/* Fills the Objects from /proc and /sys, or with the radio of a modem that is made up. */
#include "apps/dunlin/client_network.h"

#include "apps/dunlin/client_device.h"
#include "apps/dunlin/client_models.h"
#include "port/linux_net.h"
#include <stdio.h>
#include <string.h>

#define HOST           "" /* the machine's own /proc and /sys */
#define CONNECTIVITY   4
#define STATISTICS     7
#define CELLULAR       10
#define APN_PROFILE    11
#define APN_ENABLED    3
#define SIGNAL_DBM     (-85.0) /* of the modem, around which it moves */
#define SIGNAL_SPREAD  20.0
#define MODEM_QUALITY  20
#define PSM_TIMER_S    86400
#define ACTIVE_TIMER_S 60

static bool link_traffic(void *context, dunlin_traffic *now)
{
    const dn_sim_network *n = context;
    return dn_linux_traffic(HOST, n->interface, &now->tx_bytes, &now->rx_bytes);
}

/* A profile that is switched on has its connection at once. */
static void enable(void *context, uint16_t instance, bool enabled)
{
    dn_sim_network *n = context;
    if (dunlin_cellular_activate(n->client, &n->cellular, instance, enabled) != DUNLIN_OK) {
        (void)fprintf(stderr, "dunlin client: no more than %u profiles can be active\n",
                      DUNLIN_ACTIVE_PROFILES_MAX);
    }
}

static void look_at_addresses(dunlin_connectivity *c)
{
    dn_linux_ip found[DUNLIN_ADDRESSES_MAX];
    c->addresses.count = (uint16_t)dn_linux_addresses(found, DUNLIN_ADDRESSES_MAX);
    for (uint16_t i = 0; i < c->addresses.count; i++) {
        c->addresses.id[i] = i;
        (void)snprintf(c->addresses.value[i], sizeof c->addresses.value[i], "%s", found[i]);
    }
}

static void look_at_routers(dunlin_connectivity *c)
{
    dn_linux_ip found[DUNLIN_ROUTERS_MAX];
    char interface[DN_LINUX_INTERFACE_MAX];
    c->routers.count = (uint16_t)dn_linux_routers(HOST, found, DUNLIN_ROUTERS_MAX, interface);
    for (uint16_t i = 0; i < c->routers.count; i++) {
        c->routers.id[i] = i;
        (void)snprintf(c->routers.value[i], sizeof c->routers.value[i], "%s", found[i]);
    }
}

/* What the machine has, unless there is a modem: that is what it would connect through then. */
static void look_at_bearer(dn_sim_network *n)
{
    dunlin_connectivity *c = &n->connectivity;
    int dbm = 0;
    int quality = 0;
    c->bearers.count = 1;
    c->bearers.id[0] = 0;
    c->bearer = DUNLIN_BEARER_ETHERNET;
    if (n->modem) {
        c->bearer = DUNLIN_BEARER_NB_IOT;
    } else if (dn_linux_is_wireless(HOST, n->interface)) {
        c->bearer = DUNLIN_BEARER_WLAN;
        if (dn_linux_signal(HOST, n->interface, &dbm, &quality)) {
            c->signal_dbm = dbm;
            c->quality = quality;
        }
    }
    c->bearers.value[0] = c->bearer;
}

static void init_modem(dn_sim_network *n)
{
    dunlin_cellular *m = &n->cellular;
    m->has = DUNLIN_CELLULAR_SMSC | DUNLIN_CELLULAR_DISABLE | DUNLIN_CELLULAR_PSM_TIMER |
             DUNLIN_CELLULAR_ACTIVE_TIMER | DUNLIN_CELLULAR_EDRX_WB_S1 | DUNLIN_CELLULAR_EDRX_NB_S1 |
             DUNLIN_CELLULAR_MODES | DUNLIN_CELLULAR_RELEASE_ASSISTANCE;
    (void)snprintf(m->smsc, sizeof m->smsc, "+491710760000");
    m->psm_timer_s = PSM_TIMER_S;
    m->active_timer_s = ACTIVE_TIMER_S;
    m->edrx_wb_s1.len = m->edrx_nb_s1.len = 1;
    m->edrx_wb_s1.data[0] = m->edrx_nb_s1.data[0] = 0x35; /* 20.48 s between paging windows */
    m->modes_supported = DUNLIN_SAVING_PSM | DUNLIN_SAVING_EDRX;
    m->modes_active = DUNLIN_SAVING_PSM;
    m->release_assistance = 1;
    (void)snprintf(n->apns[0].name, sizeof n->apns[0].name, "default");
    (void)snprintf(n->apns[0].apn, sizeof n->apns[0].apn, "iot.example");
    n->apns[0].enabled = true;
    n->apns[0].authentication = DUNLIN_APN_NONE;
    n->apns[0].pdn_type = DUNLIN_PDN_IPV4V6;
    n->apn_config = (dunlin_apn_config){enable, n};
    n->connectivity.has |= DUNLIN_CONNECTIVITY_APN | DUNLIN_CONNECTIVITY_CELL | DUNLIN_CONNECTIVITY_SMNC |
                           DUNLIN_CONNECTIVITY_SMCC | DUNLIN_CONNECTIVITY_SNR | DUNLIN_CONNECTIVITY_LAC;
    n->connectivity.signal_dbm = (int32_t)SIGNAL_DBM;
    n->connectivity.quality = MODEM_QUALITY;
    n->connectivity.apns.count = 1;
    (void)snprintf(n->connectivity.apns.value[0], sizeof n->connectivity.apns.value[0], "iot.example");
    n->connectivity.cell = 26385921;
    n->connectivity.smcc = 262;
    n->connectivity.smnc = 1;
    n->connectivity.snr_db = 11;
    n->connectivity.lac = 4711;
}

void dn_sim_network_init(dn_sim_network *n, bool modem, const char *interface)
{
    memset(n, 0, sizeof *n);
    n->modem = modem;
    (void)snprintf(n->interface, sizeof n->interface, "%s", interface);
    n->connectivity.has = DUNLIN_CONNECTIVITY_QUALITY | DUNLIN_CONNECTIVITY_ROUTERS;
    n->statistics.has = DUNLIN_STATISTICS_TX_DATA | DUNLIN_STATISTICS_RX_DATA | DUNLIN_STATISTICS_SIZE_MAX |
                        DUNLIN_STATISTICS_SIZE_MEAN | DUNLIN_STATISTICS_SMS_TX | DUNLIN_STATISTICS_SMS_RX;
    n->statistics.link = link_traffic;
    n->statistics.context = n;
    if (modem) {
        init_modem(n);
    }
    look_at_bearer(n);
    look_at_addresses(&n->connectivity);
    look_at_routers(&n->connectivity);
}

static dunlin_status add_modem(dn_sim_network *n, dunlin_lwm2m lwm2m, const uint16_t *taken)
{
    static const uint16_t given[] = {1, 2, APN_ENABLED, 24}; /* resources that the first profile has */
    dunlin_status status = DUNLIN_OK;
    if (!dn_sim_models_has(taken, CELLULAR)) {
        status = dunlin_cellular_add(n->client, &n->cellular, lwm2m);
    }
    if (status != DUNLIN_OK || dn_sim_models_has(taken, APN_PROFILE)) {
        return status;
    }
    status = dunlin_apn_add(n->client, n->apns, DN_SIM_APNS_MAX, 1, &n->apn_config, lwm2m);
    for (size_t i = 0; status == DUNLIN_OK && i < sizeof given / sizeof given[0]; i++) {
        status = dunlin_client_set_present(n->client, dunlin_path_resource(APN_PROFILE, 0, given[i]), true);
    }
    return status == DUNLIN_OK ? dunlin_cellular_activate(n->client, &n->cellular, 0, true) : status;
}

dunlin_status dn_sim_network_add(dunlin_client *client, dn_sim_network *n, dunlin_lwm2m lwm2m,
                                 const uint16_t *taken)
{
    dunlin_status status = DUNLIN_OK;
    n->client = client;
    if (!dn_sim_models_has(taken, CONNECTIVITY)) {
        status = dunlin_connectivity_add(client, &n->connectivity, lwm2m);
    }
    if (status == DUNLIN_OK && !dn_sim_models_has(taken, STATISTICS)) {
        status = dunlin_statistics_add(client, &n->statistics);
    }
    return status == DUNLIN_OK && n->modem ? add_modem(n, lwm2m, taken) : status;
}

void dn_sim_network_move(dn_sim_network *n, dn_seeded *seeded)
{
    dunlin_connectivity *c = &n->connectivity;
    look_at_bearer(n);
    look_at_addresses(c);
    look_at_routers(c);
    if (n->modem) {
        c->signal_dbm = (int32_t)dn_sim_walk(seeded, c->signal_dbm, SIGNAL_DBM, SIGNAL_SPREAD);
    }
    dunlin_changed(n->client, dunlin_path_instance(CONNECTIVITY, 0));
    if (n->statistics.running) {
        dunlin_changed(n->client, dunlin_path_instance(STATISTICS, 0));
    }
}
