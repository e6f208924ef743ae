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
    DN_REG_IDLE,   /* also: stopped */
    DN_REG_QUEUED, /* waits for those before it in the order of servers */
    DN_REG_WAITING,
    DN_REG_CONNECTING, /* a way to the server was asked for, so as to register by it */
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
enum {
    DN_WANT_UPDATE = 1,
    DN_WANT_LIFETIME = 2,
    DN_WANT_LIST = 4,
    DN_WANT_DISABLE = 8,
    DN_WANT_BINDING = 16 /* to register by another transport, instead of an Update */
};

/* Resources 2 to 5 and 13 to 15 of Object 0; the bytes lie in client->credentials. security.c */
typedef struct {
    int8_t mode; /* dunlin_security_mode */
    uint8_t matching, usage;
    uint16_t len[3];
} dn_account_security;

/* An instance of Object 0: where a server is, and how to trust it. object_security.c */
typedef struct {
    char uri[DUNLIN_URI_MAX + 1];
    bool bootstrap; /* it is the bootstrap server's */
    bool anew;      /* the credentials have changed since a way was asked for */
    dn_account_security security;
    int32_t ssid;
    dunlin_objlnk oscore; /* an instance of Object 21; not supported, but it must not go unnoticed */
    uint32_t
        hold_off_s; /* of a bootstrap server: wait before asking it; and remove its account so long after */
    uint32_t timeout_s;       /* a bootstrap; 0: never */
    bool enrolled;            /* mode EST: its credentials were issued here. est.c */
    uint16_t authorities_len; /* of client->authorities */
    int64_t from_s, until_s;  /* how long the certificate holds */
    int64_t renew_s;          /* not before: the last try to renew it has failed; 0 */
} dn_security_instance;

/* An instance of Object 1: what a dunlin_server says but for its security, under the same names. object_server.c */
typedef struct {
    int32_t ssid;
    int32_t lifetime_s;
    int32_t pmin_s, pmax_s;
    int32_t disable_s;
    bool store_notifications;
    char binding[5];
    bool
        binding_chosen; /* by the application or by the server itself: goes before the transport of the URI */
    bool trigger;
    char preferred_transport[2];
    bool mute_send;
    uint8_t alert;             /* the last one, if it is there */
    int64_t last_bootstrapped; /* in seconds since 1970, if it is there */
    dunlin_registration_policy policy;
} dn_server_instance;

typedef enum { DN_WAY_NONE, DN_WAY_ASKED, DN_WAY_UP } dn_way_state;

/* The way by which the server is reached. What happens to it, and what is wanted, waits for the next step. way.c */
typedef struct {
    uint8_t state;     /* dn_way_state */
    uint8_t transport; /* dn_transport; of the one asked for last */
    uint8_t ending;    /* DN_WAY_STAYS, or how the stream is ending */
    char asked;        /* letter of the transport that an Update Trigger named; 0: none */
    bool brief;        /* the last one was lost soon after it had come up */
    bool wanted;       /* to be asked for */
    bool unwanted;     /* to be given back */
    bool came, gone;
    bool asking; /* `connect` or `disconnect` is at work, and says itself what comes of it */
    int16_t gone_alert;
    dunlin_status gone_status, ending_status;
    uint64_t since_ms; /* when it came up */
} dn_account_way;

/*
 * A server account: an instance of Object 0 and one of Object 1 with the same Short Server ID, and the registration that
 * they lead to. It has nothing to do with the ids of these instances. account.c pairs them; registration.c
 */
typedef struct dn_account {
    dn_security_instance *security; /* NULL: not in use */
    dn_server_instance *server;     /* NULL: not in use, or that of the bootstrap server */
    uint64_t identity;              /* tells by whom, and how secured, it was when it was paired. account.c */
    uint16_t ssid;
    dn_account_way way;

    dunlin_client *client;
    dn_peer peer;
    dn_reg_state state;
    uint64_t exchange;  /* the Register, Update or De-register under way; 0: none */
    uint64_t due_ms;    /* next try, next Update, end of the disable time, or of the wait for a way */
    uint32_t tries;     /* in this sequence */
    uint32_t sequences; /* done */
    uint8_t want, sent; /* sets of DN_WANT: asked for, and in the Update under way */
    bool turn;          /* the order of servers goes on when its first sequence has ended. order.c */
    bool succeeded;     /* it was registered once: the Initial Registration Delay is over */
    bool queue;         /* registered in queue mode. sleep.c */
    bool renewing;      /* was registered until its way was lost, and is about to be again */
    bool silent;        /* a Confirmable notification was not acknowledged, nothing was heard since */
    uint64_t since_ms;  /* when it came into its state */
    char binding_told[sizeof(((dn_server_instance *)0)->binding)]; /* what the server knows of /1/x/7 */
    char location[DUNLIN_LOCATION_MAX + 1];                        /* "/rd/abc"; segments hold no '/' */
    uint8_t *list; /* [list_max] payload of a Register or Update under way */
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

/* What was notified last about a path. */
typedef struct {
    uint64_t hash;
    double number; /* for numeric resources */
} dn_told;

/* Who observes what. observe.c */
typedef struct {
    bool used;
    bool composite;
    bool dirty;   /* may have changed since it was last looked at */
    bool pending; /* has changed: notify as soon as pmin allows */
    uint8_t account;
    dn_coap_token token;
    uint16_t accept; /* format asked for, or DN_FORMAT_NONE */
    uint16_t path_count;
    dunlin_path *paths;    /* its part of client->observed: one, several for a composite one */
    dn_told *told;         /* for each path */
    uint64_t key;          /* of the request, for the blocks of large notifications */
    uint32_t delivering;   /* sequence of the newest stored value in the notification under way; 0: none */
    uint64_t exchange;     /* notification under way; 0: none */
    uint64_t sent_ms;      /* t0: when the last one was sent */
    uint64_t looked_ms;    /* when the value was last looked at */
    uint64_t confirmed_ms; /* when the last Confirmable one was sent */
    uint64_t wait_ms;      /* not before: no memory for it was free */
} dn_observation;

/* A notification kept for a server that cannot be reached. stored.c */
typedef struct {
    uint64_t at_ms;
    uint64_t key; /* names the paths */
    uint32_t sequence;
    uint32_t len;     /* of its bytes; they lie in client->stored_bytes in the order of the entries */
    dunlin_path base; /* of the payload */
    uint8_t account;
} dn_stored;

/* The download under way. download.c */
typedef struct {
    dunlin_download call;
    dn_coap_sink sink;
    dn_peer peer;
    struct dn_account *way; /* by whose way it comes; NULL: from a host that need not be a server of ours */
    uint64_t exchange;      /* 0: none */
    uint64_t from;          /* where the application wants to go on */
    dunlin_status status;   /* of the last piece taken */
    uint8_t etag[8], etag_len;
} dn_download;

/* A value that a STREAM resource is taking. stream.c */
typedef struct {
    bool active;
    uint64_t key;  /* of the request that brings it */
    uint64_t next; /* offset of the next piece */
    dunlin_path path;
    uint16_t server;
} dn_stream;

/* An enrolment under way. est.c */
typedef struct dn_est_job dn_est_job;

/* What is kept over a restart, and what a bootstrap is taken back to. image.c */
typedef struct dn_image dn_image;

/* A Send under way or waiting. send.c */
typedef struct {
    uint16_t server;     /* Short Server ID; 0: free */
    uint32_t start, len; /* of its payload in client->send_bytes */
    uint64_t exchange;   /* 0: not sent yet */
    uint64_t wait_ms;    /* not before: no exchange was free */
    dunlin_send_done *done;
    void *context;
} dn_send;

/* What came from the smartcard: its instances go when it does. bootstrap_card.c */
#define DN_CARD_INSTANCES_MAX 16u

typedef struct {
    uint64_t digest; /* of the file that was applied; 0: nothing is there from a card */
    uint16_t count;
    dunlin_objlnk given[DN_CARD_INSTANCES_MAX];
} dn_card;

/* The bootstrap; its account is the one behind those of servers. bootstrap.c */
typedef struct {
    uint8_t state;  /* dn_bootstrap_state */
    bool own;       /* this client has asked for it, and so asks again when it fails */
    bool asked;     /* a server or the application wants it: the next step begins */
    bool finished;  /* Finish was answered: the next step carries on */
    bool enrols;    /* the way is wanted for certificates alone */
    bool operating; /* an operation of the bootstrap server is being carried out */
    bool plain;     /* the bootstrap server has refused the format that we prefer */
    bool needed;    /* it was begun for want of a registration: with one there is no need */
    bool bounded;   /* `policy` says how often it is tried; else the configuration does */
    uint32_t tries, sequences;
    uint32_t vain;      /* bootstraps since the client was last registered with all of its servers */
    uint64_t due_ms;    /* next try, end of the wait for a way, of too long a silence */
    uint64_t linger_ms; /* when the way is given back; DN_NEVER: it is kept, or there is none */
    uint64_t purge_ms;  /* when the account is removed; DN_NEVER */
    uint64_t renew_ms;  /* when a certificate is to be renewed; DN_NEVER */
    dunlin_registration_policy policy;
} dn_bootstrap;

struct dunlin_client {
    dunlin_client_config config;
    dn_log log;
    dn_random random;
    dn_coap *coap;
    uint64_t now_ms; /* of the call being served */

    dn_object_slot *objects;       /* ascending ids */
    dn_account *accounts;          /* [config.servers]; those in use need not follow one another. account.h */
    dn_account *bootstrap_account; /* one more, of which `server` is NULL; NULL without config.bootstrap */
    dn_bootstrap bootstrap;
    bool started;       /* between start and stop */
    bool pair_due;      /* instances have come or gone: the next step pairs anew */
    uint8_t *card_file; /* [max_body] what the smartcard holds, while it is read; NULL: no reader. card.c */
    dn_security_instance *securities;
    dn_server_instance *servers; /* [config.servers] */
    uint8_t *credentials;        /* of each of `securities`. security.c */
    uint16_t object_count, account_count /* in use */;
    uint32_t observe_sequence;
    dn_observation *observations; /* [config.observations + config.composites], the composite ones last */
    dunlin_path *observed;        /* the paths of all of them */
    dn_told *told;                /* for each of those */
    uint64_t observe_due_ms;      /* when the next observation has to be attended to */
    dn_attributes *attributes;    /* [config.attributes] */
    uint8_t *work;                /* [max_body] notifications, and scratch for local calls */

    uint8_t *undo;                 /* [undo_max] */
    uint16_t undo_used, undo_last; /* bytes; offset of the last entry */
    uint16_t stored_count;
    bool stored_more; /* the stored notification in a Send has values that are not in it */
    bool asleep;
    dn_stored *stored;     /* [config.stored], oldest first */
    uint8_t *stored_bytes; /* [config.stored_max] */
    uint32_t stored_used, stored_sequence;
    uint32_t stored_sending; /* sequence of the one in a Send; 0: none */
    uint32_t stored_sent_values;
    uint64_t stored_due_ms;  /* when to try to deliver by Send */
    uint64_t awake_until_ms; /* DN_NEVER: nothing was sent yet */

    dn_coap_option
        location[DN_LOCATION_SEGMENTS]; /* of the answer to a Create, until the engine has sent it */
    char location_text[DN_LOCATION_SEGMENTS][6];
    dunlin_client_counters counters;
    dn_stream stream;
    dn_send *sends;      /* [config.sends] */
    uint8_t *send_bytes; /* [max_body], shared by all of them; nothing without any */
    dn_download download;
    dn_image *image;      /* NULL: there is none */
    dn_est_job *est;      /* NULL: nothing to enrol with */
    uint8_t *authorities; /* DN_EST_AUTHORITIES_MAX of each of `securities`. est_kept.c */
    dn_card card;

    uint8_t *arena;
    size_t arena_size, arena_used;
};

/* `size` bytes of the arena, zeroed and aligned for anything; NULL if it is used up. */
void *dn_client_take(dunlin_client *client, size_t size);
/* What dn_client_take really takes for `size`. */
size_t dn_client_round(size_t size);
void dn_client_tell(dunlin_client *client, const dunlin_client_event *event);
/* The time of day in seconds since 1970; negative: it is not known. */
int64_t dn_client_unix_s(const dunlin_client *client);
/* The account with this Short Server ID, or NULL. */
dn_account *dn_client_account(dunlin_client *client, uint16_t server);

#endif
