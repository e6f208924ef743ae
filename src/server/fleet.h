/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The LwM2M server as others see it: registrations, requests to devices, observations, events. Each shard is
 * a thread that owns its sockets, CoAP engine, registrations and store; these calls hand work to it through
 * its mailbox and return at once.
 *
 * Threads: every function may be called from any thread. A completion runs exactly once for each call that
 * returned OK, on the shard's thread, after what it reports was committed; its views are valid during the
 * call; it must only copy and wake someone. Completions also run (CANCELLED) for what is outstanding when the
 * fleet stops.
 */
#ifndef DN_SERVER_FLEET_H
#define DN_SERVER_FLEET_H

#include "base/log.h"
#include "base/random.h"
#include "coap/engine.h"
#include "endpoint/ports.h"
#include "server/store.h"

typedef struct dn_fleet dn_fleet;

/* Whether devices may speak without security (Transport 1.1.1 section 5.3). Nobody may without who has a credential. */
typedef enum {
    DN_NOSEC_OFF,      /* no plain CoAP at all: coap_addresses and tcp_addresses must be empty */
    DN_NOSEC_LOOPBACK, /* from this host only; others get 4.03 */
    DN_NOSEC_ON        /* from anywhere */
} dn_nosec;

typedef struct {
    dn_ports_addresses dtls_addresses, tcp_addresses, tls_addresses; /* as coap_addresses, which are UDP's */
    dn_tls_context *tls;         /* for DTLS and TLS; counted: the caller's reference stays its own */
    dn_credentials *credentials; /* NULL: none. The caller's; it outlives the fleet, which sets `changed` */
    dn_nosec nosec;              /* LOOPBACK */
    bool keep_changed_sessions;  /* false: a session ends when its credential changes or is removed */
    dn_tcp_config tcp;
    dn_secure_config dtls, tls_streams;
    const char *const
        *coap_addresses; /* "127.0.0.1:5683", "[::]:5683", port 0 for any; up to 16, each with an
                                          IP address of its own ([::] hears IPv4 too, so it stands alone) */
    size_t coap_address_count;
    bool may_be_deaf;             /* false: without any address it does not start */
    dn_store *store;              /* the fleet closes it */
    uint32_t max_registrations;   /* 1000000 */
    uint32_t max_link_list_bytes; /* 16384: of one registration */
    uint32_t max_link_lists;      /* 100000 different ones */
    uint32_t max_observations;    /* 1000000 */
    uint32_t max_requests;        /* 1024 outstanding to devices */
    uint32_t max_lifetime_s;      /* 0: no limit; a longer one is refused with 4.00 */
    uint32_t event_buffer_bytes;  /* 8 MiB */
    uint32_t max_queued; /* 1000000 queued requests of all devices, ended ones that are kept included */
    uint32_t max_queued_per_client; /* 100 that wait for one device */
    uint32_t max_queued_bytes;      /* 256 MiB of bodies and answers, ended ones included */
    uint32_t awake_ms;              /* 93000: how long a queue-mode client listens after its last message */
    uint32_t queue_expires_s; /* 604800: a queued request is given up after this, unless it says otherwise */
    uint32_t queue_keeps_s;   /* 86400: how long an ended request can still be looked up (a second at least);
                                 when max_queued or max_queued_bytes is reached, the one that ended first gives way */
    const char
        *packages; /* NULL, or a directory of files named by 32 hexadecimal digits: served to devices at
                             /fw/NAME over every transport, and to be pushed to them */
    dn_coap_config coap;
    dn_random random;
    const dn_log *log;
    int64_t (*wall_ms)(void *context);   /* for humans: ms since the epoch */
    uint64_t (*clock_ms)(void *context); /* monotonic */
    void *clock_context;
} dn_fleet_config;

dn_fleet_config dn_fleet_config_default(void);

/*
 * Loads the store, binds the sockets (error text names the address), starts the threads. The store is closed by dn_fleet_stop, and by this
 * when it fails. ARGUMENT: a limit out of its range or an address that is none; IO: an address that cannot be had; STORE: it cannot be loaded;
 * LIMIT: it holds more than the limits allow; MEMORY.
 */
dunlin_status dn_fleet_start(const dn_fleet_config *config, dn_fleet **fleet, char *error, size_t error_size);
/* Lets what is in flight finish for at most `grace_ms`, commits, closes the store, frees. */
void dn_fleet_stop(dn_fleet *fleet, uint32_t grace_ms);
/* The bound addresses "127.0.0.1:40123" in the order of the configuration; valid as long as the fleet. */
const char *dn_fleet_address(const dn_fleet *fleet, size_t index);
/* The same for any transport; NULL: no such. */
const char *dn_fleet_address_of(const dn_fleet *fleet, dn_transport transport, size_t index);
/* New handshakes use this context: certificates were reloaded. */
void dn_fleet_use_tls(dn_fleet *fleet, dn_tls_context *tls);
/* False, with a text, when a shard failed (its store, its sockets); the daemon then ends with an error. */
bool dn_fleet_healthy(const dn_fleet *fleet, const char **detail);
/* Called on the shard's thread when it fails, so that the daemon can end at once. */
void dn_fleet_on_failure(dn_fleet *fleet, void (*failed)(void *context, const char *detail), void *context);

/* Called on a shard's thread once the completions of a cycle have run, if any did: who woke nobody for each of them does it
 * here for all. When it returns from setting another one (or NULL) the former does not run any more. */
void dn_fleet_on_completed(dn_fleet *fleet, void (*completed)(void *context), void *context);

/* Whether a device can be asked now (Core 1.1.1 section 6.5; Transport 1.1.1 section 6.5). */
typedef enum {
    DN_PRESENCE_AWAKE,  /* it listens: not in queue mode, or within its awake time */
    DN_PRESENCE_ASLEEP, /* queue mode, and its awake time is over */
    DN_PRESENCE_UNREACHABLE /* it should listen, but the last request was not answered and it has not spoken since */
} dn_presence;

/* A registration as it is shown. */
typedef struct {
    dunlin_slice endpoint;
    char id[24];      /* location's last segment */
    char address[64]; /* "127.0.0.1:40000" */
    /* "192.0.2.1": the address of ours by which it came; "": not known, as of IPv6 and of streams. */
    char local[DN_UDP_TEXT_MAX];
    uint8_t transport; /* dn_transport: by which it registered */
    uint8_t security;  /* dn_security_mode: how it proved who it is; NOSEC: not at all */
    uint8_t version_major, version_minor;
    char binding[8]; /* "U", "UQS" … as registered, Q left out */
    bool queue_mode;
    uint32_t lifetime_s;
    int64_t registered_ms, updated_ms;
    int64_t expires_ms; /* INT64_MAX: never */
    dunlin_slice sms;
    dunlin_slice links; /* the CoRE link list as registered */
    uint8_t presence;   /* dn_presence */
    int64_t seen_ms;    /* last message from it; since the server was started at the latest `updated_ms` */
    uint32_t queued;    /* requests that wait for it */
} dn_client_view;

typedef struct {
    const dn_client_view *clients;
    size_t count;
    uint64_t next;  /* cursor for the next page, 0: no more */
    uint64_t total; /* registrations in all */
} dn_client_page;

/* A page of clients whose endpoint contains `substring` (case-insensitive; empty: all), after cursor `after`
   (0: from the start). The scan is cut into slices so that the packet path never waits for it. A page may
   hold fewer than `limit`. LIMIT: limit is 0 or above 1000. */
dunlin_status dn_fleet_list(dn_fleet *fleet, uint64_t after, uint32_t limit, dunlin_slice substring,
                            void (*done)(void *context, const dn_client_page *page), void *context);
/* `client` NULL: not registered. */
dunlin_status dn_fleet_get(dn_fleet *fleet, dunlin_slice endpoint,
                           void (*done)(void *context, const dn_client_view *client), void *context);

/* A CoAP request to a device. The fleet prepends the client's alternate path. Views are copied. */
typedef struct dn_device_request {
    dunlin_slice endpoint;
    uint8_t method;
    dunlin_path path;
    dunlin_slice query; /* "pmin=1&pmax=5" or empty */
    uint16_t content_format;
    uint16_t accept;
    dunlin_slice payload;
    dunlin_slice
        package; /* not empty: the name of a file in dn_fleet_config.packages, sent by Block1 in place of
                             `payload`, in constant memory. NOT_FOUND if there is none, IO if it cannot be
                             read. `timeout_ms` is then how long it may come no further */
    bool
        auto_accept; /* `accept` is settled by dn_fleet_config-wide rules when it is sent: see dn_fleet_on_settle */
    bool
        unless_asleep; /* STATE at once, and nothing is sent, when the device is asleep. dn_fleet_request only */
    uint32_t timeout_ms;
    /* NULL, or called with the completion's context on the shard's thread before the request is sent: it may
       set `accept` by what the device registered. `links` is valid during the call. Not for dn_fleet_observe. */
    void (*settle)(void *context, struct dn_device_request *request, uint8_t version_major,
                   uint8_t version_minor, dunlin_slice links);
} dn_device_request;

/* status OK: the device answered (with whatever code). NOT_FOUND: no such registration; TIMEOUT; REJECTED;
   CANCELLED: the registration ended meanwhile, or dn_fleet_cancel; LIMIT: max_requests; MALFORMED: the answer
   breaks CoAP; SPACE: too large. */
typedef struct {
    dunlin_status status;
    uint8_t code;
    uint16_t content_format;
    dunlin_slice payload;
    dunlin_slice location; /* "/3303/1" of a 2.01, alternate path removed */
    int64_t received_ms;
} dn_device_response;

typedef void dn_device_done(void *context, const dn_device_response *response);

dunlin_status dn_fleet_request(dn_fleet *fleet, const dn_device_request *request, dn_device_done *done,
                               void *context, uint64_t *number);
/* Cancels by the number that dn_fleet_request gave (a hung-up API caller). */
void dn_fleet_cancel(dn_fleet *fleet, uint64_t number);
/* What `auto_accept` means, for requests that outlive their caller and even this process. Set it before any
 * request; called on shards' threads. Queued requests with `auto_accept` wait until it is set. */
void dn_fleet_on_settle(dn_fleet *fleet,
                        void (*settle)(void *context, dn_device_request *request, uint8_t version_major,
                                       uint8_t version_minor, dunlin_slice links),
                        void *context);

/*
 * The durable queue: requests of one endpoint are delivered in order, one at a time, whenever it can be asked
 * (a queue-mode client after each of its messages, any other at once). They survive a restart and a new
 * registration. One that the device does not answer waits on at the head, however often it was tried: for a
 * queue-mode client's next message; for any other's, or a pause that grows from 30 s to an hour; until it expires. One whose delivery was under way when the server was killed is delivered again if it may be
 * (GET, PUT, DELETE, FETCH, iPATCH; not POST), else it ends as UNKNOWN: it may have been done. The same when the registration ends or
 * is replaced during a delivery, and when the device acknowledged one and never answered. `attempts` above 1 tells of deliveries that were not answered.
 */
typedef enum {
    DN_QUEUED_WAITING,
    DN_QUEUED_DELIVERING,
    DN_QUEUED_ANSWERED, /* the device answered, with whatever code: `code` and payload are in the view */
    DN_QUEUED_FAILED,   /* it could not be delivered: `status` (REJECTED, MALFORMED, SPACE, NOT_FOUND) */
    DN_QUEUED_EXPIRED,  /* its time was over before it could be delivered */
    DN_QUEUED_CANCELLED,
    DN_QUEUED_UNKNOWN /* the server was stopped, or the registration ended, during a delivery that must not be
                         repeated */
} dn_queued_state;

typedef struct {
    uint64_t id; /* unique for ever */
    dn_queued_state state;
    dn_device_request ask; /* as it was asked; timeout_ms and settle left out */
    int64_t created_ms, expires_ms;
    int64_t ended_ms;  /* 0: not ended */
    uint32_t attempts; /* deliveries begun */
    dunlin_status status;
    uint8_t code; /* ANSWERED */
    uint16_t content_format;
    dunlin_slice payload;
    dunlin_slice location;
} dn_queued_view;

/* Takes a request for an endpoint that is registered; the completion runs after the commit. `expires_s` 0:
   the configured time. status in the completion: OK with `queued`; NOT_FOUND: no such registration; LIMIT: max_queued,
   max_queued_per_client; ARGUMENT: a query above 4096 bytes, a package's name above 64; MEMORY; CANCELLED: the
   fleet ends. `settle` and `timeout_ms` of the request are not used. */
dunlin_status dn_fleet_enqueue(dn_fleet *fleet, const dn_device_request *request, uint32_t expires_s,
                               void (*done)(void *context, dunlin_status status,
                                            const dn_queued_view *queued),
                               void *context);
/* The request when it has ended, or as it stands after `timeout_ms` (0: now) or when the fleet ends. NOT_FOUND: there is none of that id;
   CANCELLED: the store has failed, so that nothing can be said of it. */
dunlin_status dn_fleet_await(dn_fleet *fleet, uint64_t id, uint32_t timeout_ms,
                             void (*done)(void *context, dunlin_status status, const dn_queued_view *queued),
                             void *context);
/* Ends it. OK: CANCELLED; STATE: it had ended; NOT_FOUND. One under way may have been done all the same. */
dunlin_status dn_fleet_dequeue(dn_fleet *fleet, uint64_t id,
                               void (*done)(void *context, dunlin_status status,
                                            const dn_queued_view *queued),
                               void *context);
typedef struct {
    const dn_queued_view *requests; /* in order of their ids; payloads left out */
    size_t count;
    uint64_t next; /* cursor: the last id; 0: no more */
} dn_queued_page;
/* Requests of `endpoint` (empty: of all), after id `after`; `limit` 1..1000. */
dunlin_status dn_fleet_queue(dn_fleet *fleet, dunlin_slice endpoint, uint64_t after, uint32_t limit,
                             void (*done)(void *context, const dn_queued_page *page), void *context);

typedef enum { DN_OBSERVATION_PENDING, DN_OBSERVATION_ACTIVE, DN_OBSERVATION_LOST } dn_observation_state;

#define DN_COMPOSITE_PATHS_MAX 32u

typedef struct {
    dunlin_path path;         /* the root for Observe-Composite */
    const dunlin_path *paths; /* Observe-Composite: what is observed; NULL for a plain one */
    size_t path_count;
    uint16_t format;
    int64_t since_ms;
    dn_observation_state state;
    bool has_last;
    uint8_t code;
    uint16_t content_format;
    int64_t received_ms;
    dunlin_slice payload;
} dn_observation_view;

/* Starts an observation; if there is one on that path its last value is the answer (`existed`), without
   asking the device. The wish is kept when the device answered 2.05 with Observe; an error answer keeps
   nothing. UNSUPPORTED in `response`, with code and value: it can be read there but not observed. Every value received,
   the first included, is an event too. */
dunlin_status dn_fleet_observe(dn_fleet *fleet, dunlin_slice endpoint, dunlin_path path, uint16_t accept,
                               uint32_t timeout_ms,
                               void (*done)(void *context, const dn_device_response *response, bool existed),
                               void *context);
/* The same for Observe-Composite (FETCH); 1 to DN_COMPOSITE_PATHS_MAX `paths` in ascending order, none twice,
 * `accept` 110 or 112: else ARGUMENT. The list is the name of the observation: another list is another one. */
dunlin_status dn_fleet_observe_composite(dn_fleet *fleet, dunlin_slice endpoint, const dunlin_path *paths,
                                         size_t count, uint16_t accept, uint32_t timeout_ms,
                                         void (*done)(void *context, const dn_device_response *response,
                                                      bool existed),
                                         void *context);
dunlin_status dn_fleet_unobserve_composite(dn_fleet *fleet, dunlin_slice endpoint, const dunlin_path *paths,
                                           size_t count, uint32_t timeout_ms, dn_device_done *done,
                                           void *context);
/* Ends it: GET Observe 1 to the device if it is registered (its failure does not keep the wish); without asking it
 * the answer is 2.05. NOT_FOUND in `response` if there was none. */
dunlin_status dn_fleet_unobserve(dn_fleet *fleet, dunlin_slice endpoint, dunlin_path path,
                                 uint32_t timeout_ms, dn_device_done *done, void *context);
/*
 * The same without asking the device, say because it is asleep: it hears of it when its next notification is
 * answered with a Reset (RFC 7641 section 3.6). `paths` NULL, `count` 0: an observation of `path`; else the
 * Observe-Composite of that list.
 */
dunlin_status dn_fleet_forget_observation(dn_fleet *fleet, dunlin_slice endpoint, dunlin_path path,
                                          const dunlin_path *paths, size_t count, dn_device_done *done,
                                          void *context);
/* All observations of an endpoint; `registered` false when it has no registration now (its observations are
 * listed all the same). */
dunlin_status dn_fleet_observations(dn_fleet *fleet, dunlin_slice endpoint,
                                    void (*done)(void *context, bool registered,
                                                 const dn_observation_view *list, size_t count),
                                    void *context);

typedef enum {
    DN_EVENT_REGISTERED,
    DN_EVENT_UPDATED,
    DN_EVENT_DEREGISTERED, /* also when a new Register replaced it: `replaced` */
    DN_EVENT_EXPIRED,
    DN_EVENT_NOTIFICATION,
    DN_EVENT_SEND, /* values that a device sent on its own (Core 1.1.1 section 6.4.7); as NOTIFICATION, path is
                          the root, `code` 2.05 */
    DN_EVENT_PRESENCE, /* client.presence has changed */
    DN_EVENT_REQUEST,  /* a queued request was taken, or has changed its state: `request` */
    DN_EVENT_GAP       /* events were dropped here because nobody took them in time */
} dn_event_type;

enum {
    DN_CHANGED_LIFETIME = 1,
    DN_CHANGED_BINDING = 2,
    DN_CHANGED_OBJECTS = 4,
    DN_CHANGED_SMS = 8,
    DN_CHANGED_ADDRESS = 16
};

typedef struct {
    dn_event_type type;
    int64_t at_ms;
    bool replaced;
    uint8_t changed;          /* UPDATED: a set of DN_CHANGED_ */
    dn_client_view client;    /* all but GAP; NOTIFICATION, SEND: endpoint and id only */
    dunlin_path path;         /* NOTIFICATION */
    const dunlin_path *paths; /* NOTIFICATION of an Observe-Composite */
    size_t path_count;
    dn_queued_view request; /* REQUEST: without `ask.payload` and `payload`; `client` as for NOTIFICATION, its
                               id empty while the endpoint has no registration */
    uint8_t code;
    uint16_t content_format;
    dunlin_slice payload;
} dn_event;

/*
 * Takes the next event; one consumer thread. Events come after their commit. Views stay valid until the next
 * call. False: none now. dn_fleet_event_fd becomes readable when there may be some (an eventfd;
 * dn_fleet_next_event drains it).
 */
bool dn_fleet_next_event(dn_fleet *fleet, dn_event *event);
int dn_fleet_event_fd(const dn_fleet *fleet);

/* Counters and gauges for /metrics, gathered from the shards without stopping them. */
typedef struct {
    dn_coap_counters coap;
    uint64_t registrations, observations, link_lists;
    uint64_t registers, updates, deregisters, expiries;
    uint64_t refused_registers, refused_updates; /* answered 4.xx */
    uint64_t requests_sent, requests_ok, requests_failed, requests_timeout;
    uint64_t notifications, unknown_notifications;
    uint64_t sends_received, sends_refused;
    uint64_t queued, queued_answered, queued_failed, queued_expired; /* `queued`: waiting now */
    uint64_t package_bytes;                                          /* served and pushed */
    uint64_t events, events_dropped;
    uint64_t commits, commit_us_total, batches;
    uint64_t nosec_refused; /* requests without security from who may not */
    uint64_t
        identity_refused; /* requests for an endpoint or a registration that the proved identity is not entitled to */
    uint64_t tcp_connections, tcp_accepted, tcp_refused, tcp_malformed, tcp_overrun;
    uint64_t dtls_sessions, dtls_half_open, tls_sessions, tls_half_open;
    uint64_t handshakes, handshakes_resumed, handshakes_failed, handshakes_unknown_psk, handshakes_bad_key,
        handshakes_bad_certificate, handshakes_timeout, handshake_limits;
    uint64_t cookies, session_evictions, session_strangers, sessions_revoked;
    uint64_t sends_failed;
} dn_fleet_counters;
void dn_fleet_count(const dn_fleet *fleet, dn_fleet_counters *out);

#endif
