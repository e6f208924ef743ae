/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A setting in which test cases run: who the device is, who the server is, and how time passes. There are three:
 * sim.h (both ours, virtual time), listen.h (a foreign device, our server) and target.h (our device, a foreign server).
 */
#ifndef DN_ETS_WORLD_H
#define DN_ETS_WORLD_H

#include "ets/configurations.h"
#include "ets/device.h"
#include "ets/operator.h"
#include "ets/trace.h"
#include "security/tls.h"

/* How the device and a server are connected. */
typedef struct {
    dn_transport transport;
    uint8_t mode;   /* dn_security_mode */
    char suite[64]; /* "TLS_PSK_WITH_AES_128_CCM_8"; "" without security, or when it is not known */
} dn_ets_connection;

/* A handshake between them that failed. */
typedef struct {
    bool by_device; /* the device refused the server */
    int alert;      /* DN_TLS_NO_ALERT: none */
    char why[DN_TLS_WHY_MAX];
} dn_ets_refusal;

typedef struct dn_ets_world {
    const char *setting; /* "simulated", "client" (under test), "server" (under test) */
    void *context;
    dn_ets_trace trace; /* every datagram; begin may clear it */
    const dn_ets_operator
        *operators[DN_ETS_PARTIES]; /* that of a bootstrap server asks what no configuration says */
    size_t servers;
    dn_ets_device *device; /* NULL: it is foreign */
    const char *endpoint;  /* of the device under test; NULL: the first that registers */
    bool lossy;            /* datagrams get lost: what fails once is asked for again */
    uint32_t slack_ms;     /* how much later than it should something may be seen */
    bool failed;           /* the setting itself broke down */
    char error[200];

    uint64_t (*now_ms)(void *context);
    /* Does what is due, and waits for what comes, at most until `until_ms`; returns after something happened. */
    void (*turn)(void *context, uint64_t until_ms);
    /* Prepares for a case: makes the device, where it is ours. False: `error` says why. */
    bool (*begin)(void *context, const dn_ets_setup *setup);
    void (*end)(void *context);
    /* De-registers the device at `server` in its name, without its knowledge (NoSec lets anybody). */
    void (*leave)(void *context, unsigned server, const dn_ets_registration *registration);
    /* Cuts the device's link, or restores it. NULL: it cannot be done here. */
    void (*cut)(void *context, bool cut);
    /* Puts a firmware package where the device can get it, and gives its URI. NULL: it cannot be done here. */
    bool (*offer)(void *context, dunlin_slice package, char *uri, size_t size);
    unsigned
        ways; /* set of 1u << dn_ets_way that `begin` can make; where the device is foreign: 0, it comes as it comes */
    /* How the device under test is connected with `server`. False: it is not, or nobody can tell. NULL: always plain UDP. */
    bool (*connection)(void *context, unsigned server, dn_ets_connection *out);
    /* The last handshake since `begin` that failed. False: none did. NULL: there is no security. */
    bool (*refusal)(void *context, unsigned server, dn_ets_refusal *out);
    /* `begin` can bring a bootstrap server along: 0: no; else a set of 1u << dn_ets_way for which ours has an account to write. */
    unsigned bootstraps;
    /* What the blanks of an account that is written stand for, with `setup` of this case; NULL with `bootstraps` 0. */
    dn_ets_blanks (*blanks)(void *context);
    bool has_hand; /* and one that is led by hand, too */
    /* The device is switched off and on again, with this bootstrap file on its smartcard; empty: no card. NULL: it cannot be done here. */
    bool (*power_cycle)(void *context, dunlin_slice card);
    /* How often the card was read, and when first; NULL as above. */
    unsigned (*card_reads)(void *context, uint64_t *first_ms);
    /* Something that only a person can do: `begin` tells them, then `done` is asked until it says true. NULL: nobody is
       there. */
    void (*hands_begin)(void *context, const char *what);
    bool (*hands_done)(void *context);
    void *hands_context;
} dn_ets_world;

/* Goes on until `done` says so (true), or `timeout_ms` is over. `done` may be NULL. */
bool dn_ets_world_run(dn_ets_world *world, uint64_t timeout_ms, bool (*done)(void *context), void *context);

#endif
