/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connectivity Monitoring (Object 4): fill in what the device knows of its network, add it, done. Everything is read-only;
 * after changing a member call dunlin_changed with the path of the resource.
 *
 * LwM2M 1.1 means version 1.2 of this Object, LwM2M 1.0 means 1.0, which ends at Cell ID, SMNC and SMCC (Core 1.1.1 section
 * 7.2.3 and appendix E.5).
 */
#ifndef DUNLIN_OMA_CONNECTIVITY_H
#define DUNLIN_OMA_CONNECTIVITY_H

#include <dunlin/client.h>

#define DUNLIN_BEARERS_MAX   4
#define DUNLIN_ADDRESSES_MAX 8
#define DUNLIN_ROUTERS_MAX   4
#define DUNLIN_APNS_MAX      2

/* Network bearers: 0..20 cellular, 21..40 wireless, 41..50 wired. */
enum {
    DUNLIN_BEARER_GSM = 0,
    DUNLIN_BEARER_WCDMA = 2,
    DUNLIN_BEARER_LTE_TDD = 5,
    DUNLIN_BEARER_LTE_FDD = 6,
    DUNLIN_BEARER_NB_IOT = 7,
    DUNLIN_BEARER_WLAN = 21,
    DUNLIN_BEARER_BLUETOOTH = 22,
    DUNLIN_BEARER_802_15_4 = 23,
    DUNLIN_BEARER_ETHERNET = 41,
    DUNLIN_BEARER_DSL = 42,
    DUNLIN_BEARER_PLC = 43
};

/* Optional resources, for `has`. */
enum {
    DUNLIN_CONNECTIVITY_QUALITY = 1 << 3,
    DUNLIN_CONNECTIVITY_ROUTERS = 1 << 5,
    DUNLIN_CONNECTIVITY_UTILIZATION = 1 << 6,
    DUNLIN_CONNECTIVITY_APN = 1 << 7,
    DUNLIN_CONNECTIVITY_CELL = 1 << 8,
    DUNLIN_CONNECTIVITY_SMNC = 1 << 9,
    DUNLIN_CONNECTIVITY_SMCC = 1 << 10,
    DUNLIN_CONNECTIVITY_SNR = 1 << 11, /* from version 1.1 on */
    DUNLIN_CONNECTIVITY_LAC = 1 << 12  /* from version 1.2 on */
};

typedef char dunlin_ip_text[46]; /* as long as an IPv6 address gets, and a NUL */
typedef char dunlin_apn_text[64];

typedef struct {
    uint16_t has;                                    /* set of DUNLIN_CONNECTIVITY */
    int8_t bearer;                                   /* in use */
    DUNLIN_MANY(int8_t, DUNLIN_BEARERS_MAX) bearers; /* that there are */
    int32_t signal_dbm;
    int32_t quality;
    DUNLIN_MANY(dunlin_ip_text, DUNLIN_ADDRESSES_MAX) addresses; /* the device's own */
    DUNLIN_MANY(dunlin_ip_text, DUNLIN_ROUTERS_MAX) routers;     /* the next hops */
    int8_t utilization;                                          /* per cent */
    DUNLIN_MANY(dunlin_apn_text, DUNLIN_APNS_MAX) apns;
    int64_t cell;
    int16_t smnc, smcc;
    int32_t snr_db;
    int32_t lac;
} dunlin_connectivity;

extern const dunlin_object dunlin_connectivity_object;     /* 1.2 */
extern const dunlin_object dunlin_connectivity_object_1_0; /* 1.0 */

/* Adds Object 4 in the version that `lwm2m` implies. `connectivity` must outlive the client. Errors as
 * dunlin_client_add_object. */
dunlin_status dunlin_connectivity_add(dunlin_client *client, dunlin_connectivity *connectivity,
                                      dunlin_lwm2m lwm2m);

#endif
