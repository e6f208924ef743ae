/* SPDX-License-Identifier: Apache-2.0 */
/*
 * APN Connection Profile (Object 11): how to connect to a packet data network. Version 1.1, announced as such, or 1.0, which
 * ends at APN Rate Control; with LwM2M 1.0 take that one. Servers may create and delete profiles.
 */
#ifndef DUNLIN_OMA_APN_H
#define DUNLIN_OMA_APN_H

#include <dunlin/client.h>

#define DUNLIN_APN_CONNECTIONS_MAX 2 /* attempts that are remembered, and addresses of a connection */
#define DUNLIN_APN_LIST_MAX        4

enum {
    DUNLIN_APN_PAP = 0,
    DUNLIN_APN_CHAP = 1,
    DUNLIN_APN_EITHER = 2,
    DUNLIN_APN_NONE = 3
}; /* authentication */
enum { DUNLIN_PDN_NON_IP = 0, DUNLIN_PDN_IPV4 = 1, DUNLIN_PDN_IPV6 = 2, DUNLIN_PDN_IPV4V6 = 3 };

typedef char dunlin_apn_validity[12]; /* "262,01" */
typedef char dunlin_apn_address[46];
typedef char dunlin_apn_application[32];

/* Optional resources are there once they were written, by a server or with dunlin_client_set; those that only the device
   writes once dunlin_client_set_present brought them in. */
typedef struct {
    char name[32];
    char apn[101];  /* empty: the network chooses */
    bool automatic; /* Auto select APN by device */
    bool enabled;
    int8_t authentication; /* DUNLIN_APN_… */
    char user[64], secret[64];
    char reconnect[64]; /* "10,60,120": seconds between attempts */
    DUNLIN_MANY(dunlin_apn_validity, DUNLIN_APN_LIST_MAX) validity;
    DUNLIN_MANY(int64_t, DUNLIN_APN_CONNECTIONS_MAX) established; /* seconds since 1970 */
    DUNLIN_MANY(int8_t, DUNLIN_APN_CONNECTIONS_MAX) results;      /* 0 accepted, 1 rejected */
    DUNLIN_MANY(int16_t, DUNLIN_APN_CONNECTIONS_MAX) causes;      /* of a rejection, as 3GPP numbers them */
    DUNLIN_MANY(int64_t, DUNLIN_APN_CONNECTIONS_MAX) ended;
    int64_t bytes_sent, bytes_received;
    DUNLIN_MANY(dunlin_apn_address, DUNLIN_APN_CONNECTIONS_MAX) addresses;
    DUNLIN_MANY(dunlin_apn_address, DUNLIN_APN_CONNECTIONS_MAX) prefixes;
    DUNLIN_MANY(dunlin_apn_address, DUNLIN_APN_CONNECTIONS_MAX) masks;
    DUNLIN_MANY(dunlin_apn_address, DUNLIN_APN_CONNECTIONS_MAX) gateways;
    DUNLIN_MANY(dunlin_apn_address, DUNLIN_APN_CONNECTIONS_MAX) dns_first;
    DUNLIN_MANY(dunlin_apn_address, DUNLIN_APN_CONNECTIONS_MAX) dns_second;
    int8_t qci; /* 1..9 */
    dunlin_objlnk vendor;
    int64_t packets_sent;
    int8_t pdn_type; /* DUNLIN_PDN_… */
    int32_t rate;    /* APN Rate Control */
    uint32_t plmn_rate;
    uint8_t uplink_unit; /* 0 unrestricted, 1 minute, 2 hour, 3 day, 4 week */
    int32_t exception_rate;
    uint8_t exception_unit;
    DUNLIN_MANY(uint8_t, DUNLIN_APN_LIST_MAX) rats;
    DUNLIN_MANY(dunlin_apn_application, DUNLIN_APN_LIST_MAX) rds_applications;
    DUNLIN_MANY(int8_t, DUNLIN_APN_LIST_MAX) rds_destinations;
    DUNLIN_MANY(int8_t, DUNLIN_APN_LIST_MAX) rds_sources;
} dunlin_apn;

typedef struct {
    /* A server has written Enable status, or created a profile with it, or deleted one (`enabled` false): connect, or hang up. */
    void (*enable)(void *context, uint16_t instance, bool enabled); /* may be NULL */
    void *context;
} dunlin_apn_config;

extern const dunlin_object dunlin_apn_object;     /* 1.1 */
extern const dunlin_object dunlin_apn_object_1_0; /* 1.0 */

/* Adds Object 11 over `storage` of `capacity` structures of which `used` are instances 0, 1, …: version 1.0 with LwM2M 1.0,
   else 1.1. `storage` and `config` must outlive the client. Errors as dunlin_client_add_object. */
dunlin_status dunlin_apn_add(dunlin_client *client, dunlin_apn *storage, uint16_t capacity, uint16_t used,
                             dunlin_apn_config *config, dunlin_lwm2m lwm2m);

#endif
