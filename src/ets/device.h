/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device made of our client library in one of the configurations of the test specification (its appendix C), for the
 * settings in which the device is ours. A configuration is a minimum. It allocates. Threads: one.
 */
#ifndef DN_ETS_DEVICE_H
#define DN_ETS_DEVICE_H

#include "base/random.h"
#include "ets/values.h"
#include <dunlin/client.h>

#define DN_ETS_SERVERS_MAX 2u
#define DN_ETS_BOOTSTRAP   2u /* in place of a server's number: the bootstrap server */
#define DN_ETS_PARTIES     3u /* servers and bootstrap server */

typedef enum {
    DN_ETS_C1 = 1,
    DN_ETS_C3 = 3,
    DN_ETS_C4 = 4,
    DN_ETS_C5 = 5,
    DN_ETS_C6 = 6,
    DN_ETS_C7 = 7,
    DN_ETS_C8 = 8,
    DN_ETS_C9 = 9,
    DN_ETS_C10 = 10,
    DN_ETS_C11 = 11,
    DN_ETS_C12 = 12,
    DN_ETS_C13 = 13,
    DN_ETS_C14 = 14,
    DN_ETS_C15 = 15,
    DN_ETS_C16 = 16,
    DN_ETS_C17 = 17,
    DN_ETS_C18 = 18,
    DN_ETS_C19 = 19,
    DN_ETS_C20 = 20,
    DN_ETS_C21 = 21
} dn_ets_config;

/* By which transport, and with what proof of who it is, the device goes to its server. */
typedef enum {
    DN_ETS_WAY_ANY, /* as the setting has it; simulated: UDP without security */
    DN_ETS_WAY_PSK, /* DTLS with a pre-shared key, which is C.1 as it is printed */
    DN_ETS_WAY_X509,
    DN_ETS_WAY_X509_OTHER, /* to a server whose certificate has another name */
    DN_ETS_WAY_TCP,
    DN_ETS_WAY_TLS_PSK,
    DN_ETS_WAY_TLS_X509
} dn_ets_way;

/* Who is there to bootstrap it, if the configuration has an account for one. */
typedef enum {
    DN_ETS_BOOTSTRAP_NONE,
    DN_ETS_BOOTSTRAP_OURS, /* our bootstrap server, which writes C.1 (or C.17, by `way`) */
    DN_ETS_BOOTSTRAP_HAND  /* one that does what the steps of the case say */
} dn_ets_bootstrapping;

/* What a case wants of the device beyond its configuration. */
typedef struct {
    dn_ets_config config;
    unsigned minor;      /* LwM2M 1.x */
    uint32_t lifetime_s; /* 0: that of the configuration, 86400 */
    bool queue_mode;
    bool portfolio; /* Object 16 as well */
    const char *endpoint;
    size_t servers; /* 1, or 2 in C.14 */
    dn_ets_way way;
    dn_ets_bootstrapping bootstrap;
    dn_ets_way bootstrap_way; /* by which it goes to the bootstrap server */
    bool is_elsewhere;        /* the server that it is configured with is not there */
    bool has_card;            /* a smartcard may be put into it */
    bool enrols;              /* what it is given by the bootstrap server has security mode 4 */
} dn_ets_setup;

typedef struct {
    void (*send)(void *context, const dunlin_peer *peer, dunlin_slice datagram);
    dunlin_status (*resolve)(void *context, const char *uri, dunlin_peer *peer);
    int64_t (*wall_s)(void *context);
    void *context;
    dn_random random;
    const char *uris[DN_ETS_PARTIES];
    /* As dunlin_client_callbacks has them; NULL: UDP without security alone. */
    dunlin_status (*connect)(void *context, const dunlin_way *way, dunlin_peer *peer);
    void (*disconnect)(void *context, uint16_t server);
    const dunlin_security *security[DN_ETS_PARTIES]; /* NULL: none */
    dunlin_status (*smartcard)(void *context, dunlin_buf *file);
    dunlin_enroll enroll; /* empty: it cannot */
} dn_ets_surroundings;

typedef struct dn_ets_device dn_ets_device;

/* Whether there is such a device: all but C.15 and C.16. */
bool dn_ets_device_knows(dn_ets_config config);

/* NULL: no memory, or the library did not take the configuration, and `error` says what. */
dn_ets_device *dn_ets_device_create(const dn_ets_setup *setup, const dn_ets_surroundings *around,
                                    uint64_t now_ms, char *error, size_t error_size);
void dn_ets_device_destroy(dn_ets_device *device);
void dn_ets_device_receive(dn_ets_device *device, const dunlin_peer *peer, dunlin_slice datagram,
                           uint64_t now_ms);
void dn_ets_device_step(dn_ets_device *device, uint64_t now_ms);
uint64_t dn_ets_device_deadline(const dn_ets_device *device);
dunlin_client *dn_ets_device_client(dn_ets_device *device);
/* Sets a value as the device itself. False: there is no such, or it is no value of its type. */
bool dn_ets_device_set(dn_ets_device *device, dunlin_path path, const char *text);
/* Sends values with the Send operation to every server that wants them. */
dunlin_status dn_ets_device_send(dn_ets_device *device, const dunlin_path *paths, size_t count);

#endif
