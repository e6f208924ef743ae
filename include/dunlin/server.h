/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An LwM2M server inside another program: it takes registrations over CoAP, with or without security, keeps them in a store, tells what
 * happens, and carries requests to devices. It runs a thread of its own. LwM2M 1.0 and 1.1: Core 1.1.1 sections 6.2 to 6.5, Transport 1.1.1
 * sections 5 and 6. It is no bootstrap server: those who need one run dunlind beside it.
 *
 *     dunlin_server_config config = dunlin_server_config_default();
 *     config.addresses = (const char *const[]){"coap://127.0.0.1:5683", "coaps://0.0.0.0:5684"};
 *     config.address_count = 2;
 *     config.store = dunlin_store_memory();
 *     config.credentials = credentials;                      see dunlin/credentials.h
 *     if (dunlin_server_start(&config, &server, error, sizeof error) != DUNLIN_OK) ...
 *     for (;;) {   poll dunlin_server_event_fd(server);   while (dunlin_server_next_event(server, &event)) ... }
 *
 * Threads: every function may be called from any thread, but events have one consumer. Completions run on the server's thread (for a call
 * that comes while the server stops, on that of dunlin_server_stop), once for each call that returned OK, with DUNLIN_ERR_CANCELLED when the
 * server stops before; their views live during the call. `failed` runs on the server's thread, `log` there and on those that call in here. None
 * of them may block or stop the server: who wants to stop it when it has failed tells a thread of its own.
 */
#ifndef DUNLIN_SERVER_H
#define DUNLIN_SERVER_H

#include <dunlin/credentials.h>
#include <dunlin/slice.h>
#include <dunlin/status.h>
#include <dunlin/value.h>

#define DUNLIN_SERVER_NO_FORMAT 65535u
#define DUNLIN_SERVER_KEYS_MAX  8u

typedef struct dunlin_lwm2m_server dunlin_lwm2m_server;
typedef struct dn_store dunlin_store; /* made by <dunlin/store.h> */

typedef enum {
    DUNLIN_SERVER_LOG_DEBUG,
    DUNLIN_SERVER_LOG_INFO,
    DUNLIN_SERVER_LOG_WARN,
    DUNLIN_SERVER_LOG_ERROR
} dunlin_server_log_level;

/* Whether devices may speak without security (Transport 1.1.1 section 5.3). Never may who has a credential. */
typedef enum {
    DUNLIN_SERVER_NOSEC_OFF,      /* no coap:// and no coap+tcp:// address at all */
    DUNLIN_SERVER_NOSEC_LOOPBACK, /* from this host; others get 4.03 */
    DUNLIN_SERVER_NOSEC_ON        /* from anywhere: for networks with security of their own below IP */
} dunlin_server_nosec;

/* Cipher suites (Transport 1.1.1 section 5.2.8): TLS_PSK_WITH_ and TLS_ECDHE_ECDSA_WITH_, each with AES_128_CCM_8 and AES_128_CBC_SHA256. */
typedef enum {
    DUNLIN_SERVER_SUITES_MANDATED,
    DUNLIN_SERVER_SUITES_CCM8, /* of these, those with CCM_8 alone */
    DUNLIN_SERVER_SUITES_CBC,  /* those with CBC alone */
    DUNLIN_SERVER_SUITES_MORE  /* and ECDHE_PSK, AES-GCM, AES-256, SHA-384 and secp384r1 */
} dunlin_server_suites;

/* PEM or DER: as bytes, or in a file of up to 8 MiB. Neither: not given. */
typedef struct {
    dunlin_slice bytes;
    const char *file;
} dunlin_server_source;

typedef struct {
    /* The server's first, then those that issued it; not given: a raw public key alone. */
    dunlin_server_source certificate;
    /* PKCS#8 or SEC 1, P-256; `file` may be "pkcs11:…", a key in a token (RFC 7512). */
    dunlin_server_source key;
    dunlin_server_source ocsp; /* a response in DER to staple (RFC 6066 section 8), or nothing */
} dunlin_server_key;

/* What the server proves itself with over DTLS and TLS, and whose certificates it believes. */
typedef struct {
    /* Chosen by the name that a device asks for (SNI), the first if none fits; none: only pre-shared keys are served. */
    const dunlin_server_key *keys;
    size_t key_count;                /* up to DUNLIN_SERVER_KEYS_MAX */
    dunlin_server_source client_cas; /* PEM; not given: no certificate is trusted, but one may be pinned */
    dunlin_server_source revoked;    /* PEM: revocation lists (RFC 5280) */
    dunlin_server_suites suites;
} dunlin_server_security;

/* Read by dunlin_server_start; what it points to may go when that returns, but for `store` and `credentials`. */
typedef struct {
    /* "coap://0.0.0.0:5683", "coaps://[::]:5684", "coap+tcp://…", "coaps+tcp://…", up to 16 of each; port 0: any free one. */
    const char *const *addresses;
    size_t address_count;
    dunlin_store *store; /* dunlin_server_stop closes it, and dunlin_server_start when it fails */
    /* NULL: nobody has any. The caller's: closed after dunlin_server_stop. coaps:// and coaps+tcp:// need it. */
    dunlin_credentials *credentials;
    dunlin_server_security security;
    dunlin_server_nosec nosec;  /* [LOOPBACK] */
    bool keep_changed_sessions; /* [false] a session goes on although its credential has changed or is gone */
    uint32_t max_registrations;
    uint32_t max_observations;
    uint32_t max_requests;    /* under way to devices */
    uint32_t max_sessions;    /* of DTLS, and as many of TLS; the one that was quiet longest gives way */
    uint32_t max_connections; /* over TCP and TLS together */
    uint32_t max_lifetime_s;  /* 0: no limit */
    /* NULL: none; or a directory of files named by 32 hexadecimal digits (0-9, a-f), which no one changes while
       they are there: devices fetch them at /fw/NAME, and requests can carry one. */
    const char *packages;
    /* NULL: not told. `failed`: the store or a socket failed and nothing is served any more. */
    void (*log)(void *context, dunlin_server_log_level level, const char *message);
    void (*failed)(void *context, const char *detail);
    void *context; /* of both */
} dunlin_server_config;

/* Limits of a big server, no address and no store. */
dunlin_server_config dunlin_server_config_default(void);
/* ARGUMENT, IO, STORE, LIMIT, MEMORY, and UNSUPPORTED of a key on another curve: `error` names the address, file or setting and says what is
   wrong. */
dunlin_status dunlin_server_start(const dunlin_server_config *config, dunlin_lwm2m_server **server,
                                  char *error, size_t error_size);
/* Requests under way may finish for `grace_ms`. Not from a callback, and while no other thread is in a call with this server. */
void dunlin_server_stop(dunlin_lwm2m_server *server, uint32_t grace_ms);
/* The index-th of the configuration, with the port that was bound: "coaps://127.0.0.1:40123"; NULL: there is no such one. */
const char *dunlin_server_address(const dunlin_lwm2m_server *server, size_t index);
/*
 * Reads keys, certificates and revocation lists anew: handshakes from now on use them, sessions that are there go on. Errors as of
 * dunlin_server_start: then the former stay in use. STATE: it listens on no coaps:// or coaps+tcp:// address.
 */
dunlin_status dunlin_server_reload(dunlin_lwm2m_server *server, const dunlin_server_security *security,
                                   char *error, size_t error_size);

typedef enum {
    DUNLIN_SERVER_REGISTERED,
    DUNLIN_SERVER_UPDATED,
    DUNLIN_SERVER_DEREGISTERED, /* also when a new registration takes the place of this one */
    DUNLIN_SERVER_EXPIRED,
    DUNLIN_SERVER_NOTIFICATION,
    DUNLIN_SERVER_SEND,     /* values that a device sent on its own; as NOTIFICATION */
    DUNLIN_SERVER_PRESENCE, /* whether it can be asked has changed */
    DUNLIN_SERVER_REQUEST,  /* a queued request has changed its state */
    DUNLIN_SERVER_GAP       /* events are missing here: they were not taken in time */
} dunlin_server_event_kind;

typedef enum {
    DUNLIN_SERVER_AWAKE,      /* it listens */
    DUNLIN_SERVER_ASLEEP,     /* queue mode, and the time is over for which it listens after a message */
    DUNLIN_SERVER_UNREACHABLE /* it should listen, but did not answer */
} dunlin_server_presence;

/* How far a request of the durable queue has come. */
typedef enum {
    DUNLIN_SERVER_QUEUED_WAITING,
    DUNLIN_SERVER_QUEUED_DELIVERING,
    DUNLIN_SERVER_QUEUED_ANSWERED,
    DUNLIN_SERVER_QUEUED_FAILED, /* it could not be delivered */
    DUNLIN_SERVER_QUEUED_EXPIRED,
    DUNLIN_SERVER_QUEUED_CANCELLED,
    DUNLIN_SERVER_QUEUED_UNKNOWN /* its delivery was interrupted, and must not be repeated: it may have been done */
} dunlin_server_queued_state;

typedef struct {
    dunlin_server_event_kind kind;
    int64_t at_ms; /* since the epoch */
    dunlin_slice endpoint;
    /* REQUEST. */
    uint64_t request;
    dunlin_server_queued_state request_state;
    /* All but NOTIFICATION, SEND, REQUEST and GAP. */
    dunlin_server_presence presence;
    const char *address;             /* "coaps://192.0.2.1:40000": from where, and by which transport */
    dunlin_credential_mode security; /* how the device has proved that it is this endpoint */
    uint8_t version_major, version_minor;
    uint32_t lifetime_s; /* 0: no end */
    dunlin_slice links;  /* the object list, RFC 6690 */
    /* NOTIFICATION. */
    dunlin_path path;
    uint8_t code; /* 0x45 is 2.05 */
    uint16_t content_format;
    dunlin_slice payload;
} dunlin_server_event;

/* False: none now; the descriptor becomes readable when there is one. Views live until the next call. */
bool dunlin_server_next_event(dunlin_lwm2m_server *server, dunlin_server_event *event);
int dunlin_server_event_fd(const dunlin_lwm2m_server *server);

/* A CoAP request to the device that is registered as `endpoint`. Views are copied. */
typedef struct {
    dunlin_slice endpoint;
    uint8_t method; /* 1 GET, 2 POST, 3 PUT, 4 DELETE, 5 FETCH, 7 iPATCH */
    dunlin_path path;
    dunlin_slice query;              /* "pmin=1&pmax=60" or empty */
    uint16_t content_format, accept; /* DUNLIN_SERVER_NO_FORMAT: none */
    dunlin_slice payload;
    dunlin_slice package; /* not empty: the name of one, sent block by block in place of `payload` */
    uint32_t timeout_ms;  /* 0: as CoAP gives; with `package` how long it may come no further */
} dunlin_server_request;

/* status OK: the device answered, with whatever code. NOT_FOUND: it is not registered, or there is no such package; IO: the package cannot be
   read; TIMEOUT; REJECTED by a Reset; CANCELLED: its
   registration ended meanwhile; LIMIT: max_requests; MALFORMED: the answer breaks CoAP; SPACE: something is too large; UNSUPPORTED: it cannot
   be observed there. */
typedef struct {
    dunlin_status status;
    uint8_t code;
    uint16_t content_format;
    dunlin_slice payload;
    dunlin_slice location; /* "/3303/1" of a 2.01 */
} dunlin_server_response;

typedef void dunlin_server_done(void *context, const dunlin_server_response *response);

/* LIMIT: too many calls wait; STATE: the server is stopping; MEMORY. Then `done` is not called. */
dunlin_status dunlin_server_send(dunlin_lwm2m_server *server, const dunlin_server_request *request,
                                 dunlin_server_done *done, void *context);
/* Observes a path from now on, over restarts of both sides; the first value comes to `done`, each as an event. */
dunlin_status dunlin_server_observe(dunlin_lwm2m_server *server, dunlin_slice endpoint, dunlin_path path,
                                    uint16_t accept, uint32_t timeout_ms, dunlin_server_done *done,
                                    void *context);
dunlin_status dunlin_server_unobserve(dunlin_lwm2m_server *server, dunlin_slice endpoint, dunlin_path path,
                                      uint32_t timeout_ms, dunlin_server_done *done, void *context);

/*
 * The durable queue: requests of an endpoint go out in order, one at a time, whenever it can be asked (a client in queue mode after each of its
 * messages). They survive restarts and new registrations. A delivery that the end of the process interrupted is repeated, but for POST.
 */
typedef struct {
    uint64_t id; /* never used again */
    dunlin_server_queued_state state;
    uint32_t attempts;               /* deliveries begun */
    dunlin_server_response response; /* ANSWERED; FAILED: its status */
} dunlin_server_queued;

/* status OK: `queued` views it; else NULL, or the request whose state did not allow it. */
typedef void dunlin_server_queued_done(void *context, dunlin_status status,
                                       const dunlin_server_queued *queued);

/* Takes a request; `done` comes when it is on record. `expires_s` 0: after a week. NOT_FOUND: the endpoint is not registered; LIMIT; ARGUMENT: its query
   is too long. timeout_ms of the request is not used. */
dunlin_status dunlin_server_enqueue(dunlin_lwm2m_server *server, const dunlin_server_request *request,
                                    uint32_t expires_s, dunlin_server_queued_done *done, void *context);
/* The request once it has ended, or as it stands after `wait_ms`. NOT_FOUND: there is none of that id; an ended one is kept for a day. */
dunlin_status dunlin_server_await(dunlin_lwm2m_server *server, uint64_t id, uint32_t wait_ms,
                                  dunlin_server_queued_done *done, void *context);
/* Ends it. STATE: it had ended; NOT_FOUND. One under way may have been done all the same. */
dunlin_status dunlin_server_dequeue(dunlin_lwm2m_server *server, uint64_t id, dunlin_server_queued_done *done,
                                    void *context);

#endif
