/* SPDX-License-Identifier: Apache-2.0 */
/* What a client is made of. One place for its state; each part of it belongs to the file that is named beside
 * it. */
#ifndef DN_CLIENT_STATE_H
#define DN_CLIENT_STATE_H

#include "coap/engine.h"
#include <dunlin/client.h>

#define DN_CLIENT_AREA       "client"
#define DN_NO_INDEX          UINT16_MAX
#define DN_LOCATION_SEGMENTS 2 /* of what a Create made: /object/instance */

/* An Object that was added, and its instances. tree.c */
typedef struct {
    const dunlin_object *def;
    uint8_t *storage; /* `capacity` structures of def->size bytes */
    void *context;
    uint16_t capacity;
    uint16_t *ids;     /* [capacity] instance ids; DUNLIN_ID_NONE: the structure is free */
    uint32_t *present; /* [capacity][words] bit r: resource r of the table is instantiated */
    uint16_t words;
} dn_object_slot;

/* What stands at a path: the thing that reads, writes and walks are about. resource.c */
typedef struct {
    dunlin_client *client;
    const dn_object_slot *object;
    const dunlin_resource *resource; /* NULL above a resource */
    dunlin_path path;
    uint16_t index;  /* of the instance's structure; DN_NO_INDEX above an instance */
    uint16_t server; /* who asks; 0: the device itself */
} dn_place;

typedef enum {
    DN_REG_IDLE, /* also: stopped */
    DN_REG_WAITING,
    DN_REG_REGISTERING,
    DN_REG_REGISTERED,
    DN_REG_UPDATING,
    DN_REG_DEREGISTERING,
    DN_REG_DISABLING,
    DN_REG_DISABLED,
    DN_REG_FAILED,
    DN_REG_STATES
} dn_reg_state;

/* What is to be done before its time: Updates, and the end of it. A set. */
enum { DN_WANT_UPDATE = 1, DN_WANT_LIFETIME = 2, DN_WANT_LIST = 4, DN_WANT_DISABLE = 8 };

/* A server account: the instance structure of Objects 0 and 1, and its registration. registration.c */
typedef struct {
    dunlin_server server;
    bool bootstrap;       /* /0/x/1: always false, this is a server's account */
    int8_t security_mode; /* /0/x/2: 3, NoSec */

    dunlin_client *client;
    dn_peer peer;
    dn_reg_state state;
    uint64_t exchange;                      /* the Register, Update or De-register under way; 0: none */
    uint64_t due_ms;                        /* next try, next Update or end of the disable time */
    uint32_t tries;                         /* in this sequence */
    uint32_t sequences;                     /* done */
    uint8_t want, sent;                     /* sets of DN_WANT: asked for, and in the Update under way */
    char location[DUNLIN_LOCATION_MAX + 1]; /* "/rd/abc"; segments hold no '/' */
    uint8_t *list;                          /* [list_max] payload of a Register or Update under way */
} dn_account;

/* Attributes that a server has set at a path. attributes.c */
enum {
    DN_ATTR_PMIN = 1,
    DN_ATTR_PMAX = 2,
    DN_ATTR_EPMIN = 4,
    DN_ATTR_EPMAX = 8,
    DN_ATTR_GT = 16,
    DN_ATTR_LT = 32,
    DN_ATTR_ST = 64,
    DN_ATTR_STEPS = DN_ATTR_GT | DN_ATTR_LT | DN_ATTR_ST
};

typedef struct {
    dunlin_path path;
    uint16_t server; /* Short Server ID; 0: free */
    uint8_t set;
    uint32_t pmin_s, pmax_s, epmin_s, epmax_s;
    double gt, lt, st;
} dn_attributes;

/* Who observes what. observe.c */
typedef struct {
    bool used;
    bool dirty;   /* may have changed since it was last looked at */
    bool pending; /* has changed: notify as soon as pmin allows */
    uint8_t account;
    dn_coap_token token;
    dunlin_path path;
    uint16_t accept;       /* format asked for, or DN_FORMAT_NONE */
    uint64_t exchange;     /* notification under way; 0: none */
    uint64_t sent_ms;      /* t0: when the last one was sent */
    uint64_t looked_ms;    /* when the value was last looked at */
    uint64_t confirmed_ms; /* when the last Confirmable one was sent */
    uint64_t wait_ms;      /* not before: no memory for it was free */
    uint64_t hash;         /* of the payload sent last */
    double number;         /* value sent last, for numeric resources */
} dn_observation;

/* A value that a STREAM resource is taking. stream.c */
typedef struct {
    bool active;
    uint64_t key;  /* of the request that brings it */
    uint64_t next; /* offset of the next piece */
    dunlin_path path;
    uint16_t server;
} dn_stream;

/* A Send under way or waiting. send.c */
typedef struct {
    uint16_t server;     /* Short Server ID; 0: free */
    uint32_t start, len; /* of its payload in client->send_bytes */
    uint64_t exchange;   /* 0: not sent yet */
    uint64_t wait_ms;    /* not before: no exchange was free */
    dunlin_send_done *done;
    void *context;
} dn_send;

struct dunlin_client {
    dunlin_client_config config;
    dn_log log;
    dn_random random;
    dn_coap *coap;
    uint64_t now_ms; /* of the call being served */

    dn_object_slot *objects; /* ascending ids */
    uint16_t object_count;
    dn_account *accounts; /* [config.servers] */
    uint16_t account_count;
    dn_observation *observations; /* [config.observations] */
    uint32_t observe_sequence;
    uint64_t observe_due_ms;       /* when the next observation has to be attended to */
    dn_attributes *attributes;     /* [config.attributes] */
    uint8_t *work;                 /* [max_body] notifications, and scratch for local calls */
    uint8_t *undo;                 /* [undo_max] */
    uint16_t undo_used, undo_last; /* bytes; offset of the last entry */
    dn_coap_option
        location[DN_LOCATION_SEGMENTS]; /* of the answer to a Create, until the engine has sent it */
    char location_text[DN_LOCATION_SEGMENTS][6];
    dunlin_client_counters counters;
    dn_stream stream;
    dn_send *sends;      /* [config.sends] */
    uint8_t *send_bytes; /* [max_body], shared by all of them; NULL without any */

    uint8_t *arena;
    size_t arena_size, arena_used;
};

/* `size` bytes of the arena, zeroed and aligned for anything; NULL if it is used up. */
void *dn_client_take(dunlin_client *client, size_t size);
/* What dn_client_take really takes for `size`. */
size_t dn_client_round(size_t size);
void dn_client_tell(dunlin_client *client, const dunlin_client_event *event);
/* The account with this Short Server ID, or NULL. */
dn_account *dn_client_account(dunlin_client *client, uint16_t server);

#endif
