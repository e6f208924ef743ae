/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The LwM2M client: registration, device management and reporting (LwM2M 1.1 and 1.0, Core 1.1.1 sections 6.2
 * to 6.4) as a function of datagrams and time. It opens no socket, reads no clock and allocates nothing:
 * whatever it needs comes from the arena and the callbacks of its caller.
 *
 *     client = dunlin_client_create(arena, sizeof arena, &config, now_ms);
 *     dunlin_client_add_object(client, &thermometer, &instance, 1, 1, NULL);
 *     dunlin_client_add_server(client, &server);
 *     dunlin_client_start(client, now_ms);
 *     for (;;) {
 *         wait for a datagram, at most until dunlin_client_deadline(client);
 *         dunlin_client_receive(client, &peer, datagram, now_ms);
 *         dunlin_client_step(client, now_ms);
 *     }
 *
 * Time is the caller's monotonic clock in milliseconds and never goes back. Threads: one client belongs to
 * one thread. Callbacks must not call receive, step, start, stop or restart of the same client. `connect`, `disconnect` and
 * `resolve` are called from step, start, stop and restart only, `send` from those, receive and connected.
 */
#ifndef DUNLIN_CLIENT_H
#define DUNLIN_CLIENT_H

#include <dunlin/object.h>
#include <dunlin/slice.h>
#include <dunlin/status.h>
#include <dunlin/value.h>

#define DUNLIN_SERVERS_MAX      8u   /* the most that config.servers may be */
#define DUNLIN_ENDPOINT_MAX     252u /* bytes of an endpoint name: a Uri-Query holds 255 */
#define DUNLIN_URI_MAX          255u
#define DUNLIN_LOCATION_MAX     63u /* bytes of the location that a server gives, as "/rd/…" */
#define DUNLIN_PEER_MAX         27u
#define DUNLIN_BOOTSTRAP_SERVER 65535u /* in place of a Short Server ID: the bootstrap server */
#define DUNLIN_ARENA_ALIGN      16u    /* static _Alignas(DUNLIN_ARENA_ALIGN) uint8_t arena[…] */
#define DUNLIN_NEVER            UINT64_MAX

typedef struct dunlin_client dunlin_client;

/* The other end, in whatever form the bearer likes; compared byte by byte. Bytes behind `len` are zero. */
typedef struct {
    uint8_t len;
    uint8_t bytes[DUNLIN_PEER_MAX];
} dunlin_peer;

typedef enum { DUNLIN_LWM2M_1_0, DUNLIN_LWM2M_1_1 } dunlin_lwm2m;
typedef enum { DUNLIN_LOG_DEBUG, DUNLIN_LOG_INFO, DUNLIN_LOG_WARN, DUNLIN_LOG_ERROR } dunlin_log_level;

typedef enum {
    DUNLIN_CLIENT_REGISTERED,   /* `location` is where */
    DUNLIN_CLIENT_UPDATED,      /* the server acknowledged an Update */
    DUNLIN_CLIENT_REFUSED,      /* a Register or Update was answered with `code` (0x83 is 4.03); it goes on as
                                   `retry_ms` says */
    DUNLIN_CLIENT_UNREACHABLE,  /* no answer, or no address (`status`); it goes on as `retry_ms` says */
    DUNLIN_CLIENT_FAILED,       /* all tries are used up, or trying again cannot help (`status`, `alert`);
                                   dunlin_client_start begins anew */
    DUNLIN_CLIENT_DEREGISTERED, /* by dunlin_client_stop, or for the disable time; also when the server did
                                   not answer */
    DUNLIN_CLIENT_CHANGED,      /* a server has written, created or deleted at `path` */
    DUNLIN_CLIENT_EXECUTED,     /* a server has executed `path` */
    DUNLIN_CLIENT_ASLEEP,       /* queue mode: nothing is expected any more, the radio may be switched off */
    DUNLIN_CLIENT_AWAKE,        /* queue mode: something is about to be sent */
    DUNLIN_CLIENT_CONNECTED,    /* a secured session or a connection to the server is there */
    DUNLIN_CLIENT_DISCONNECTED, /* it is gone (`status`, `alert`); it goes on by itself */
    DUNLIN_CLIENT_BOOTSTRAP, /* registration failed and /1/x/16 asks for a bootstrap (`server`), or a server
                                   executed /1/x/9 (`path`), or there is no account (`server` 65535). With
                                   config.bootstrap it follows by itself, after `retry_ms`; else the application
                                   may know what to do */
    DUNLIN_CLIENT_BOOTSTRAPPING, /* the bootstrap server has answered our request, or has begun by itself */
    DUNLIN_CLIENT_BOOTSTRAPPED,  /* Bootstrap-Finish was taken: the configuration is another one now */
    DUNLIN_CLIENT_BOOTSTRAP_FAILED, /* refused (`code`), not answered, broken off (`status`): all is as it was before;
                                       `retry_ms` until the next try; DUNLIN_NEVER: none until it is asked for, or a server that is registered with is lost.
                                       Servers that could not be registered with are tried again meanwhile */
    DUNLIN_CLIENT_PURGED,   /* the bootstrap server's account is gone: its timeout (/0/x/12) is over */
    DUNLIN_CLIENT_ENROLLED, /* a certificate was issued to us for `server` (security mode EST) */
    DUNLIN_CLIENT_CARD      /* what came from the smartcard has changed, or is gone; `status` */
} dunlin_client_event_kind;

typedef struct {
    dunlin_client_event_kind kind;
    uint16_t server;      /* Short Server ID */
    const char *location; /* "/rd/…" while registered, else "" */
    uint8_t code;         /* CoAP code */
    dunlin_status status;
    uint64_t retry_ms; /* how long until the next try; DUNLIN_NEVER: none by itself */
    int16_t alert;     /* UNREACHABLE, DISCONNECTED, FAILED: the (D)TLS alert that ended it, or -1 */
    dunlin_path path;
    const dunlin_arguments *arguments; /* EXECUTED */
} dunlin_client_event;

/*
 * How to trust a server, and how it can trust us: resources 2 to 5 and 13 to 15 of Object 0 (Transport 1.1.1
 * section 5.2.8). A PSK has an identity (up to 128 bytes of any value) and a secret (up to 64); RPK and X.509 have all
 * three; NoSec has none. What is not given is empty.
 */
typedef enum { DUNLIN_PSK, DUNLIN_RPK, DUNLIN_X509, DUNLIN_NOSEC, DUNLIN_EST } dunlin_security_mode;

#define DUNLIN_SNI_MAX 252u

typedef struct {
    dunlin_security_mode
        mode;                /* [NOSEC] /0/x/2; EST needs config.enroll. A way is asked for with X509 then */
    dunlin_slice identity;   /* /0/x/3: PSK identity, own public key (SubjectPublicKeyInfo) or own certificate
                                  (DER) */
    dunlin_slice server_key; /* /0/x/4: the server's public key, or a certificate, see `usage` */
    dunlin_slice secret;     /* /0/x/5: PSK, or own private key (PKCS#8, DER). Nobody gets it back by
                                  dunlin_client_get, nobody reads it over the air, and it is not logged */
    int16_t matching; /* [-1] /0/x/13: how server_key matches: 0 exactly, 1 SHA-256, 2 SHA-384, 3 SHA-512; -1:
                         absent, which means 0 */
    int16_t usage; /* [-1] /0/x/15: 0 CA constraint, 1 service certificate, 2 trust anchor, 3 domain-issued;
                         -1: absent, which means 3 */
    char sni[DUNLIN_SNI_MAX + 1]; /* [""] /0/x/14: the name that the server's certificate must have; "": the
                                     URI's host */
} dunlin_security;

/* A way to a server that the client asks for. Views are valid during the call. */
typedef struct {
    uint16_t server; /* Short Server ID */
    const char
        *uri; /* "coap://", "coaps://", "coap+tcp://", "coaps+tcp://": the account's, with the scheme of
                        the transport that is wanted now (/1/x/7, 8 and 22) */
    const dunlin_security *security; /* complete for its mode, and NOSEC exactly without the "s" */
    bool
        anew; /* the credentials have been changed since the last one: nothing may be resumed, and what is there
                  cannot be answered with */
} dunlin_way;

/* What the client asks of its surroundings. `connect`, `disconnect`, `log`, `event` and `unix_s` may be NULL. */
typedef struct {
    /* Sends a datagram, or copies it to send it later. A loss is no error. */
    void (*send)(void *context, const dunlin_peer *peer, dunlin_slice datagram);
    /* `len` unpredictable bytes: message tokens guard against off-path answers. */
    void (*random)(void *context, void *out, size_t len);
    /* The address of a server's URI; asked before each Register. Not OK: try again as if there was no answer.
     */
    dunlin_status (*resolve)(void *context, const char *uri, dunlin_peer *peer);
    /*
     * Asks for a way to a server: before each Register, and so also when one has gone lost. OK: it is there, with *peer;
     * END: it will be, or not: dunlin_client_connected or dunlin_client_disconnected follows, not from within, or the
     * client gives it up after config.connect_ms. Anything else: there is none now; try again as if there was no
     * answer. While a way for the same server and URI is there it may answer OK with it, and its peer. Ways that
     * differ have peers that differ. NULL: `resolve` is asked, and only coap:// is served.
     */
    dunlin_status (*connect)(void *context, const dunlin_way *way, dunlin_peer *peer);
    /* It is not needed any more; also ends the asking for one. What was sent before is still to be delivered. No call
       of the client answers it. */
    void (*disconnect)(void *context, uint16_t server);
    void (*event)(void *context, const dunlin_client_event *event);
    void (*log)(void *context, dunlin_log_level level, const char *area, const char *message);
    void *context;
    /* The time of day in seconds since 1970, for the time stamps of values from the past. NULL, or a negative
       answer: the clock is not known, and they are given relative to the moment of sending. */
    int64_t (*unix_s)(void *context);
    /*
     * Keeps the image: what is to survive a restart (dunlin_client_restore). It replaces the former one as a whole and is durable when this
     * returns OK; the answer to the server whose request changed something leaves after that. Any error: 5.00, and what was changed
     * is taken back. Holds secrets. NULL: nothing is kept.
     */
    dunlin_status (*save)(void *context, dunlin_slice image);
    /*
     * Reads the bootstrap file of the smartcard (Core 1.1.1 appendix G: EF LwM2M_Bootstrap) into `file`. NOT_FOUND: there is no card, or
     * nothing on it: what came from one is taken away. IO: it cannot be read now: everything stays as it is. NULL: no card reader.
     */
    dunlin_status (*smartcard)(void *context, dunlin_buf *file);
} dunlin_client_callbacks;

/*
 * Enrollment over secure transport (EST, Transport 1.1.1 section 5.2.4; RFC 9148): what takes cryptography. `key` is a private key as
 * /0/x/5 holds it: PKCS#8 in DER, or the name of one in a token. All of them NULL: not supported. dunlin_posix_fill sets them.
 */
typedef struct {
    /* A request for a certificate (PKCS#10, DER) for the endpoint name, signed by `key`; an empty `key` is filled with a new one first. */
    dunlin_status (*request)(void *context, const char *endpoint, dunlin_buf *key, dunlin_buf *request);
    /* Finds the certificate of `key` in what the server sent (PKCS#7 certs-only, or one certificate, DER), and how long it holds (seconds since
       1970). MALFORMED: none is there; ACCESS: not valid now, or not for this name. */
    dunlin_status (*take)(void *context, dunlin_slice issued, const char *endpoint, dunlin_slice key,
                          dunlin_buf *certificate, int64_t *from_s, int64_t *until_s);
    /* The authority's own certificates (PKCS#7 certs-only): trusted for `server` from now on, with certificate usages 0 to 2. */
    dunlin_status (*trust)(void *context, uint16_t server, dunlin_slice authorities);
    void *context;
} dunlin_enroll;

/*
 * What becomes of notifications while a server cannot be reached (an Update or a Confirmable notification waits
 * for its acknowledgement, or registration has to begin anew) or is disabled: if the account's
 * `store_notifications` (/1/x/6) is set, its observations go on and what they tell is kept, `stored` at most. It
 * is delivered Confirmable: by the same observation, if the registration has outlived the silence; else by the
 * next observation of the same paths; else, when there is none ten seconds after registering, by Send, unless
 * that is muted; then it is kept on. SenML (in LwM2M 1.0: JSON) tells the time of each; in other formats the
 * newest value alone is told. It is forgotten with a Cancel, a Reset and dunlin_client_stop. A Non-confirmable
 * notification that goes out before anybody could notice that the server is gone is lost:
 * `notify_confirmable` prevents that. Not stored, a value is told as it is when the server is back.
 */

/* Every limit by name. dunlin_client_config_default gives the values in brackets. */
typedef struct {
    const char *endpoint; /* must outlive the client */
    dunlin_lwm2m lwm2m;   /* [1.1] */
    dunlin_client_callbacks call;
    dunlin_log_level log_least; /* [INFO] */
    bool notify_confirmable; /* [false] true: every notification is Confirmable; else one a day, as it must */

    uint16_t credential_max; /* [0] bytes kept of each of identity, server_key and secret of an account; 0: no
                                security */
    uint16_t
        stream_message;  /* [0] largest message over TCP and TLS, at least 1152; 0: they are not supported */
    uint32_t connect_ms; /* [120000] how long to wait for a way that `connect` has promised */
    uint16_t servers; /* [1] server accounts; more than one needs access control (dunlin/client_access.h) */
    const char *root_path; /* [""] alternate path, "/lwm2m": where the Objects are, told by rt="oma.lwm2m" */
    bool queue_mode;       /* [false] the device sleeps between messages (Transport 1.1.1 section 6.5) */
    uint32_t awake_ms;     /* [93000] how long it listens after its last message: MAX_TRANSMIT_WAIT */
    uint16_t stored;       /* [16] notifications kept while a server is disabled or not to be reached */
    uint32_t stored_max;   /* [2048] bytes of them; the oldest give way, and are counted */
    uint16_t composites;   /* [2] observations of several paths */
    uint16_t composite_paths; /* [8] paths of each */
    uint16_t sends;           /* [2] Sends under way or waiting; they share max_body bytes */
    uint16_t send_format;     /* [112] Content-Format of Sends: SenML CBOR, or 110: SenML JSON */
    bool
        bootstrap; /* [false] a bootstrap server's account may be there beside those of `servers`, and is used: client-initiated
                       bootstrap, Bootstrap-Request Trigger (/1/x/9), which is 4.05 while there is no such account */
    bool
        bootstrap_stays; /* [false] the way to the bootstrap server is kept after Finish, so that it can speak first */
    uint16_t
        bootstrap_format; /* [112] preferred format of the bootstrap server's Writes, `pct`: SenML CBOR; 110, 11542; 0: none is told */
    uint32_t
        image_max; /* [4096] bytes of the image, of which two are held when `bootstrap` is set or `call.save` is there: what is kept
                           over restarts, and what a bootstrap that fails is taken back to */
    uint32_t
        bootstrap_quiet_ms; /* [247000] a bootstrap without a word for so long has failed: EXCHANGE_LIFETIME */
    /*
     * The tries to bootstrap. The bootstrap server's account has no instance of Object 1 whose resources 17 to 20 could say how often; and
     * a device that gives up has no way home. So they go on without end, each wait twice as long as the one before, up to a most, and a part of it drawn at random, as
     * what a fleet has lost together it should not ask for together; unless the account says otherwise (dunlin_server.bounded). An alert after which there is no point in trying again at once leads to the longest
     * wait. One that was asked for while a server is registered with ends after five tries: nobody is lost then. Asks for certificates, and bootstraps after which no server can be registered with, are repeated by the same rule.
     */
    uint32_t bootstrap_retry_s;     /* [60] before the second try */
    uint32_t bootstrap_retry_max_s; /* [3600] the longest wait; less than the first one has no effect */
    uint8_t bootstrap_spread;       /* [50] percent of each wait that are drawn, 0 to 100 */
    uint32_t bootstrap_tries;       /* [0] so many in a row, and then none by itself; 0: there is no end */
    dunlin_enroll enroll;           /* [none] */

    uint16_t objects;      /* [12] Objects, those of the library (0, 1, 3) included */
    uint16_t observations; /* [8] */
    uint16_t attributes;   /* [8] paths with attributes of a server */
    uint16_t list_max;     /* [512] bytes of the list of Objects in a Register */
    uint16_t undo_max; /* [256] bytes of old values kept while a request is applied whose `set` may fail */

    uint16_t max_message;     /* [1152] largest datagram */
    uint32_t max_body;        /* [2048] largest payload, block-wise, in or out */
    uint16_t block_size;      /* [1024] preferred: 16, 32 .. 1024 */
    uint16_t exchanges;       /* [4] messages of ours that wait for something */
    uint16_t transfers;       /* [2] block-wise transfers at a time */
    uint16_t dedup_slots;     /* [8] message ids remembered */
    uint16_t dedup_reply_max; /* [64] bytes of an answer kept with each, to repeat it */
} dunlin_client_config;

/* The order of servers and the tries to register (Core 1.1.1 section 6.2.1.1; Object 1 resources 13 to 20). */
typedef struct {
    int32_t priority;          /* [-1] Registration Priority Order; -1: independent of the other servers */
    uint32_t initial_delay_s;  /* [0] after the one before it in the order has ended */
    bool failure_blocks;       /* [false] its failure keeps those behind it from being tried */
    bool failure_bootstraps;   /* [true] its failure asks for a bootstrap */
    uint32_t retry_count;      /* [5] tries in a sequence */
    uint32_t retry_timer_s;    /* [60] before the second try; doubled for each further one */
    uint32_t sequence_delay_s; /* [86400] between sequences; UINT32_MAX: there is but one */
    uint32_t sequence_count;   /* [1] sequences */
} dunlin_registration_policy;

/* A server account: what Objects 0 and 1 hold of it. The library keeps it; a server changes its RW members.
 */
typedef struct {
    char uri[DUNLIN_URI_MAX + 1]; /* "coap://host:port", "coaps://", "coap+tcp://", "coaps+tcp://" */
    dunlin_security security;     /* [NOSEC] its slices are copied */
    bool
        bootstrap; /* [false] /0/x/1: the bootstrap server's; of what follows, then, only the next four and `policy` have a meaning */
    bool
        bounded; /* [false] of a bootstrap server's account: resources 17 to 20 in `policy` are those of the tries to bootstrap, which come to
                    an end by them; else config.bootstrap_retry_s and what follows it */
    int32_t instance;           /* [-1] of Object 0; -1: the smallest that is free */
    uint32_t hold_off_s;        /* [0] /0/x/11: before a client-initiated bootstrap */
    uint32_t account_timeout_s; /* [0] /0/x/12: how long after a bootstrap this account is purged; 0: never */
    int32_t ssid;               /* [1] 1..65534 */
    int32_t lifetime_s;         /* [86400] 0: never ends */
    int32_t pmin_s, pmax_s;     /* [0, 0] defaults for this server's observations; pmax 0: none */
    int32_t disable_s;          /* [86400] how long Disable lasts */
    bool store_notifications; /* [true] Notification Storing: keep notifications while it cannot be reached */
    char binding[5];          /* ["U", or "T" with a URI of TCP] /1/x/7 */
    bool trigger;             /* [false] /1/x/21 */
    char preferred_transport[2]; /* [""] /1/x/22: 'U' or 'T', instead of the URI's own; absent while empty */
    bool mute_send;              /* [false] /1/x/23: true keeps Send from being used */
    dunlin_registration_policy policy;
} dunlin_server;

dunlin_client_config dunlin_client_config_default(void);
/* An account with the values in brackets and no URI. */
dunlin_server dunlin_server_default(void);

/* Bytes of arena for `config`, without the Objects. 0: a value of `config` is out of its range. */
size_t dunlin_client_arena_size(const dunlin_client_config *config);
/* What adding `object` with `capacity` instances takes of the arena. */
size_t dunlin_client_object_size(const dunlin_object *object, uint16_t capacity);
/* Bytes of the arena which are bodies, messages, credentials and images: what max_body, max_message, stream_message, list_max,
   stored_max, sends, credential_max and image_max ask for. */
size_t dunlin_client_buffer_size(const dunlin_client_config *config);

/* Makes a client in `arena`, aligned to DUNLIN_ARENA_ALIGN, which must outlive it. Objects 0 and 1 come with it. NULL: the arena
   is too small or not aligned, or a value of `config` is out of its range (endpoint 1..252 bytes; send, random, resolve set). */
dunlin_client *dunlin_client_create(void *arena, size_t size, const dunlin_client_config *config,
                                    uint64_t now_ms);

/*
 * Adds an Object. `storage` is an array of `capacity` instance structures of which the first `used` are
 * instances with the ids 0, 1, …; capacity is 1 for an Object without DUNLIN_MULTIPLE. `context` goes to its
 * callbacks. ARGUMENT: a table that breaks a rule of dunlin/object.h (ids not ascending, kinds that do not
 * fit the type, too many); DUPLICATE; LIMIT: config.objects; MEMORY: arena. While registered, the server is
 * told by an Update.
 */
dunlin_status dunlin_client_add_object(dunlin_client *client, const dunlin_object *object, void *storage,
                                       uint16_t capacity, uint16_t used, void *context);
/* Adds an instance with the id `instance` in a free structure, whose index goes to *index (may be NULL). The
   caller fills it before the next call. NOT_FOUND, DUPLICATE, LIMIT: no structure is free; or, while a bootstrap server is at work, no
   room in config.image_max. What is added, removed and set by these calls meanwhile stays when the bootstrap fails and is taken back. */
dunlin_status dunlin_client_add_instance(dunlin_client *client, uint16_t object, uint16_t instance,
                                         uint16_t *index);
/* Takes an instance away, as a Delete does. NOT_FOUND. */
dunlin_status dunlin_client_remove_instance(dunlin_client *client, uint16_t object, uint16_t instance);
/* Makes an optional resource of an instance present or absent; going absent, its field or list is zeroed.
 * NOT_FOUND; STATE: it is mandatory. */
dunlin_status dunlin_client_set_present(dunlin_client *client, dunlin_path resource, bool present);

/*
 * Adds a server account, copied. LIMIT: config.servers, or a credential longer than config.credential_max; DUPLICATE
 * ssid, `instance`, or a second account of a bootstrap server; RANGE: ssid, instance, or a member of `security`; UNSUPPORTED: EST without
 * config.enroll, or with a bootstrap server; STATE: a second one needs Object 2 (dunlin/client_access.h), or a bootstrap server is at work; ARGUMENT: anything else,
 * among it a bootstrap server's account without config.bootstrap, a mode that lacks a credential or has one too many, and a
 * URI that does not go with it. A URI of a scheme that cannot be served fails when it comes to registering, with
 * DUNLIN_CLIENT_FAILED and UNSUPPORTED.
 *
 * The device changes its credentials by dunlin_client_set on Object 0; they hold from the next Register on:
 * dunlin_client_restart.
 */
dunlin_status dunlin_client_add_server(dunlin_client *client, const dunlin_server *server);

/*
 * Configures the client as a bootstrap does (Core 1.1.1 section 6.1.4: factory bootstrap): `payload` in `format` (110, 112,
 * 11543, 11542; TLV has no names, so it needs `base` to be an Object or an instance) is written at `base`, below which all of it must
 * be, regardless of access rights; what only the device can tell of itself (its model) is left as it is. Before dunlin_client_start, else STATE.
 * Bad input, LIMIT (too many accounts, instances), NOT_FOUND (no such Object), what a `set` answered: nothing is changed.
 */
dunlin_status dunlin_client_provision(dunlin_client *client, dunlin_path base, uint16_t format,
                                      dunlin_slice payload);
/*
 * Makes the client what it was when `image` was saved: accounts, access control, attributes, and the instances of Objects with
 * DUNLIN_KEEP. After the Objects were added, before dunlin_client_start; what was provisioned before is replaced. MALFORMED: it is not
 * an image, or a damaged one; UNSUPPORTED: of a later release; ACCESS: of a device with another endpoint name; LIMIT: it needs more than the configuration allows. Then
 * nothing is changed.
 */
dunlin_status dunlin_client_restore(dunlin_client *client, dunlin_slice image);
/* Begins a client-initiated bootstrap at once, without hold-off. STATE: one is under way; NOT_FOUND: no bootstrap server's account. */
dunlin_status dunlin_client_bootstrap(dunlin_client *client, uint64_t now_ms);
/* Whether a bootstrap is under way: from the request to Finish. */
bool dunlin_client_bootstrapping(const dunlin_client *client);

/* Begins to register with each server that is not being registered with; also after FAILED and after stop. Without any account,
   or when none can be registered with, it bootstraps. */
void dunlin_client_start(dunlin_client *client, uint64_t now_ms);
/* De-registers. Go on with receive and step until dunlin_client_stopped. */
void dunlin_client_stop(dunlin_client *client, uint64_t now_ms);
bool dunlin_client_stopped(const dunlin_client *client);
bool dunlin_client_registered(const dunlin_client *client);
/* Registers anew at once, by new ways: after a reboot, or when the device's own address has changed (Transport 1.1.1
   section 6.4.3). */
void dunlin_client_restart(dunlin_client *client, uint64_t now_ms);
/* Sends an Update at the next step. */
void dunlin_client_update(dunlin_client *client);

/* The way to `server` that was asked for is there; or has been replaced by another one. If it was given up meanwhile,
   the next step gives it back. Messages may follow at once; a step is due. */
void dunlin_client_connected(dunlin_client *client, uint16_t server, const dunlin_peer *peer,
                             uint64_t now_ms);
/*
 * It did not come about, or has gone lost; also when the server closed it (`status` END). Takes note of that; a step is due. `alert`: the (D)TLS alert, or
 * -1; it is kept as /1/x/11, for good, and says what comes next (Table 5.2.9-1 of Transport 1.1.1). Fail: as when all
 * tries are used up. Retry, and no alert: as if there was no answer, by Object 1 resources 17 to 20. Ignore: as
 * without an alert. While registered, a stream is asked for again at once, and a session over datagrams when there is
 * something to send; then comes a Register (section 6.4.3). Until it is answered observations are treated as while the
 * server does not answer, and Sends wait; those under way over a stream end with IO.
 */
void dunlin_client_disconnected(dunlin_client *client, uint16_t server, dunlin_status status, int alert,
                                uint64_t now_ms);

/* Takes a datagram, or over TCP and TLS a whole message (RFC 8323 section 3.2), from `peer`. Whatever is not from a
   server of ours, or not expected, changes nothing. */
void dunlin_client_receive(dunlin_client *client, const dunlin_peer *peer, dunlin_slice datagram,
                           uint64_t now_ms);
/* Does what is due: retransmissions, Updates, notifications. */
void dunlin_client_step(dunlin_client *client, uint64_t now_ms);
/* When dunlin_client_step is due next; DUNLIN_NEVER. Any call to the client may bring it forward. */
uint64_t dunlin_client_deadline(const dunlin_client *client);

/* Says that the value at `path`, or something below it, has changed: observers are notified as their
 * attributes say. A resource of which that is said while a bootstrap server is at work stays as it is when the bootstrap fails. */
void dunlin_changed(dunlin_client *client, dunlin_path path);

/* The table's row of the resource at `path` (depth 3) of an instance that is there, or NULL. */
const dunlin_resource *dunlin_client_resource(dunlin_client *client, dunlin_path path);
/* Reads a resource or resource instance as the device itself; bytes stay valid until the next call.
   NOT_FOUND; STATE: an executable or a multiple resource; ACCESS: a secret, as /0/x/5 is. */
dunlin_status dunlin_client_get(dunlin_client *client, dunlin_path path, dunlin_value *value);
/* Sets one as the device itself, also if servers may only read it, with the checks of a Write but for the
   access, and tells observers. NOT_FOUND, TYPE, RANGE, STATE: nothing that can be set, or what `check` and
   `set` answered. */
dunlin_status dunlin_client_set(dunlin_client *client, dunlin_path path, const dunlin_value *value);
/* Visits what is at and below `base` in order: Objects, instances, resources (`value` set for those which
   have one and can be read), resource instances. `visit` returns false to stop. NOT_FOUND: nothing is at
   `base`. */
dunlin_status dunlin_client_walk(dunlin_client *client, dunlin_path base,
                                 bool (*visit)(void *context, dunlin_path path,
                                               const dunlin_resource *resource, const dunlin_value *value),
                                 void *context);

/* ---- Send (Core 1.1.1 section 6.4.7) ---- */

/* One value of a Send. With `value` NULL it is read from the Object when the Send is made. */
typedef struct {
    dunlin_path path; /* an instance (with value NULL), a resource or a resource instance */
    const dunlin_value *value;
    double time_s; /* since 1970, of a `value` from the past; 0: now */
} dunlin_send_value;

/* How it ended: OK with `code` (0x44 is 2.04), TIMEOUT, REJECTED, CANCELLED: the registration ended; IO: the stream
   was lost, and it may have arrived. */
typedef void dunlin_send_done(void *context, uint16_t server, dunlin_status status, uint8_t code);

/*
 * Sends values to `server`, 0: to each that wants and may read them, with one call of `done` (may be NULL) for
 * each. The values are encoded before it returns, and leave at the next step. STATE: not registered there, or
 * /1/x/23 mutes it, or LwM2M 1.0; NOT_FOUND: nothing is at a path; TYPE, RANGE: not a value of that resource;
 * ACCESS: the server may not read it; LIMIT: config.sends, or what others that wait leave of the memory; SPACE:
 * more than config.max_body; ARGUMENT: no values, or a path or time that cannot be. On an error nothing is sent.
 */
dunlin_status dunlin_client_send(dunlin_client *client, uint16_t server, const dunlin_send_value *values,
                                 size_t count, dunlin_send_done *done, void *context);

/* ---- queue mode ---- */

/* Whether datagrams are expected: always true without queue mode. While false the radio may be off. */
bool dunlin_client_awake(const dunlin_client *client);

/* ---- downloads over CoAP: what a Package URI names ---- */

typedef struct {
    /* A piece, in order. `size` 0: not known. An error ends the download with it. */
    dunlin_status (*take)(void *context, uint64_t offset, uint64_t size, dunlin_slice piece, bool more);
    /* It ended; once for each download begun. OK: the last piece was taken. NOT_FOUND and others: see `code`,
       0 if there was no answer. */
    void (*done)(void *context, dunlin_status status, uint8_t code);
    void *context;
} dunlin_download;

/*
 * Gets "coap://host:port/path?query", or the same with "coaps", "coap+tcp" or "coaps+tcp", in blocks, one download at a time. What is at the
 * host and port of a server account's URI comes by the way to that server which is there now: the same session or connection, by UDP or by
 * TCP, whichever it has. From other hosts come only "coap://" URIs, and of such a host only responses are let in; `resolve` is asked for the
 * address of "coap://host:port".
 *
 * `from` continues one that had been interrupted after so many bytes, if it still has the ETag `etag` (NULL, 0: take it from the start); if it
 * has another one by now, or none, it ends with MALFORMED: begin again from 0. Nothing is tried again by itself beyond CoAP's
 * retransmissions. A way that is lost ends it with IO; when there is no answer by a way, an Update finds out whether the way still leads
 * anywhere. Time is that of the last receive or step.
 *
 * ARGUMENT: not such a URI, or `take` or `done` is NULL; UNSUPPORTED: another scheme, or one for which dunlin_client_downloads is false;
 * STATE: one is under way; NOT_FOUND: the host has no address, or, but for "coap://", there is no server account at that place; IO: there is
 * one, but it is not registered now: again when dunlin_client_download_waits is false; LIMIT: no exchange is free.
 */
dunlin_status dunlin_client_download(dunlin_client *client, const char *uri, uint64_t from,
                                     const uint8_t *etag, size_t etag_len, const dunlin_download *download);
/* Whether `uri` would have to wait for the way to a server. */
bool dunlin_client_download_waits(const dunlin_client *client, const char *uri);
/* Whether URIs of that scheme can be got: "coap" always, the others with `connect` and what the configuration needs for them. */
bool dunlin_client_downloads(const dunlin_client *client, const char *scheme);
/* The ETag of the download under way or that ended last; its length, up to 8. */
size_t dunlin_client_download_etag(const dunlin_client *client, uint8_t out[8]);
/* Ends it without a word; `done` is not called. */
void dunlin_client_download_cancel(dunlin_client *client);

typedef struct {
    uint64_t datagrams_received, datagrams_sent;
    uint64_t strangers;            /* datagrams from who is no server of ours */
    uint64_t not_expected;         /* requests from a server with which we are not registered */
    uint64_t requests;             /* operations asked for */
    uint64_t refused;              /* of those: answered 4.xx or 5.xx */
    uint64_t notifications;        /* sent */
    uint64_t observations_refused; /* answered without observing, because the table is full */
    uint64_t registers, updates;   /* sent */
    uint64_t timeouts;
    uint64_t stored, stored_dropped; /* notifications kept for later; of those, lost to newer ones */
    uint64_t sends, sends_failed;
    uint64_t denied;                        /* requests answered 4.01 by access control */
    uint64_t bootstraps, bootstraps_failed; /* begun; of those: not finished */
    uint64_t saves, saves_failed;           /* of the image */
    uint64_t enrolments;                    /* certificates that were issued to us */
} dunlin_client_counters;
dunlin_client_counters dunlin_client_count(const dunlin_client *client);
/* Bytes of the arena in use. */
size_t dunlin_client_arena_used(const dunlin_client *client);

#endif
