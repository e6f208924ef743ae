/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client and a scripted server on a simulated link in virtual time. The server is a CoAP engine that answers /rd as it is told,
 * remembers what came, and sends whatever request a test wants.
 */
#ifndef TESTS_CLIENT_RIG_H
#define TESTS_CLIENT_RIG_H

#include "bearer/simlink.h"
#include "coap/engine.h"
#include "codec/format.h"
#include <dunlin/client.h>
#include <dunlin/client_device.h>

#define RIG_TEXT_MAX   1024
#define RIG_NOTIFY_MAX 64
#define RIG_ARENA_MAX  65536
#define RIG_SEND_MS    1 /* a request and its answer over a link without delay */

/* An Object with every type and kind, and two that can refuse. */
typedef DUNLIN_BYTES(16) rig_blob;
typedef char rig_label[12];
typedef struct {
    int32_t number;
    uint16_t small;
    double real;
    bool flag;
    char text[16];
    rig_blob blob;
    int64_t when;
    dunlin_objlnk link;
    DUNLIN_MANY(int16_t, 4) counts;
    DUNLIN_MANY(rig_label, 3) labels;
    int32_t guarded;       /* `check` refuses 13 */
    int32_t stubborn;      /* `set` refuses 13 */
    int32_t stubborn_told; /* what `set` was told last */
    int32_t kept;          /* behind `get` and `set` */
    int32_t optional;
    int32_t secret; /* write only */
    uint32_t ran;
    char ran_with[32];
} rig_things;

#define RIG_OBJECT 33000u
#define RIG_THINGS 4u
enum {
    RIG_NUMBER,
    RIG_SMALL,
    RIG_REAL,
    RIG_FLAG,
    RIG_TEXT,
    RIG_BLOB,
    RIG_WHEN,
    RIG_LINK,
    RIG_COUNTS,
    RIG_LABELS,
    RIG_GUARDED,
    RIG_STUBBORN,
    RIG_KEPT,
    RIG_OPTIONAL,
    RIG_SECRET,
    RIG_RUN,
    RIG_FIXED
};

typedef struct {
    double value, least, most;
} rig_thermometer;

typedef struct {
    uint64_t at_ms;
    uint8_t code;
    bool confirmable;
    int32_t observe;
    uint16_t format;
    dn_coap_token token;
    uint8_t payload[128];
    size_t len;
    bool more;
} rig_notification;

typedef struct {
    uint8_t code; /* 0: no answer */
    uint16_t format;
    int32_t observe;
    char location[64];
    uint8_t payload[4096];
    size_t len;
    dunlin_status status;
    bool done;
} rig_answer;

typedef struct {
    dn_simlink *link;
    dn_peer client_address, server_address;
    dn_peer other_address;                /* of "coap://other", when its length is not 0 */
    dn_peer client_stream, server_stream; /* the two ends of a stream, after rig_add_stream */
    bool by_stream;                       /* the server asks by it */
    dn_seeded client_seed, server_seed;

    _Alignas(16) uint8_t client_arena[RIG_ARENA_MAX];
    dunlin_client *client;
    dunlin_client_config config;
    rig_things things[RIG_THINGS];
    rig_thermometer thermometer[1];
    dunlin_device device;
    unsigned reboots;
    int64_t clock_s;
    bool unresolvable;
    dunlin_client_event events[32];
    size_t event_count;

    _Alignas(16) uint8_t server_arena[4 * RIG_ARENA_MAX];
    dn_coap *server;
    uint8_t register_code, update_code, deregister_code; /* [2.01, 2.04, 2.02]; the last 0: no answer */
    bool mute;                                           /* the server hears nothing */
    bool reset;                                          /* answers notifications with a Reset */
    const char *location;                                /* ["abc"] second segment of what it gives */
    const char *location_more;                           /* [NULL] a third one */
    char path[RIG_TEXT_MAX];                             /* of the last request */
    unsigned registers, updates, deregisters;
    uint64_t heard_ms[64]; /* when each of the first Registers came */
    uint64_t updated_ms[64];
    char query[RIG_TEXT_MAX]; /* of the last one, joined by '&' */
    char list[RIG_TEXT_MAX];
    uint16_t list_format;
    uint8_t send_code; /* [2.04] of the answer to a Send; 0: none comes */
    unsigned sends;
    uint8_t sent[RIG_TEXT_MAX]; /* payload of the last one */
    size_t sent_len;
    uint16_t sent_format;
    const dn_coap_source *file;   /* [NULL] what GET /fw is answered with */
    uint8_t file_code, file_etag; /* [2.05, 'a']; the code 0: no answer */
    dunlin_status stream_status;  /* why the engine has ended a stream last */
    rig_notification notified[RIG_NOTIFY_MAX];
    size_t notify_count;
    rig_answer answer;
} rig;

/* What a request of the server says. Zero is: no payload, no formats, no Observe. */
typedef struct {
    uint8_t method;
    const char *path;  /* "/3/0/1" */
    const char *query; /* "pmin=1&pmax=2", NULL: none */
    const void *payload;
    size_t len;
    uint16_t format; /* with has_format */
    uint16_t accept; /* with has_accept */
    bool has_format, has_accept, observe, cancel, non;
    uint8_t token; /* not 0: a token of this one byte */
} rig_request;

/* Makes both ends; the client is not started. `lwm2m` as in dunlin/client.h. */
void rig_open(rig *r, dunlin_lwm2m lwm2m, uint64_t seed);
/* rig_open, start, and run until registered. */
void rig_register(rig *r, dunlin_lwm2m lwm2m);
/* Gives both ends a second address, for a stream. */
void rig_add_stream(rig *r);
void rig_close(rig *r);
/* Makes the client anew by r->config, with the Objects but without a server account. */
void rig_remake(rig *r);
/* Lets the time pass. */
void rig_run(rig *r, uint64_t ms);
/* Sends a request of the server and runs until it is answered or has failed; the answer is in r->answer too. */
const rig_answer *rig_ask(rig *r, const rig_request *request);
/* The same, asked by another engine that is on the link. */
const rig_answer *rig_ask_from(rig *r, dn_coap *engine, const rig_request *request);
/* The same with less to write. */
const rig_answer *rig_get(rig *r, const char *path, int accept); /* accept < 0: none */
const rig_answer *rig_send(rig *r, uint8_t method, const char *path, int format, const char *payload);
/* "2.05" of a code. */
const char *rig_code(uint8_t code);
unsigned rig_events(const rig *r, dunlin_client_event_kind kind);

#endif
