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
#include "server/store.h"

typedef struct dn_fleet dn_fleet;

typedef struct {
    const char *const
        *coap_addresses; /* "127.0.0.1:5683", "[::]:5683", port 0 for any; up to 16, each with an
                                          IP address of its own ([::] hears IPv4 too, so it stands alone) */
    size_t coap_address_count;
    dn_store *store;              /* the fleet closes it */
    uint32_t max_registrations;   /* 1000000 */
    uint32_t max_link_list_bytes; /* 16384: of one registration */
    uint32_t max_link_lists;      /* 100000 different ones */
    uint32_t max_observations;    /* 1000000 */
    uint32_t max_requests;        /* 1024 outstanding to devices */
    uint32_t max_lifetime_s;      /* 0: no limit; a longer one is refused with 4.00 */
    uint32_t event_buffer_bytes;  /* 8 MiB */
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
/* False, with a text, when a shard failed (its store, its sockets); the daemon then ends with an error. */
bool dn_fleet_healthy(const dn_fleet *fleet, const char **detail);
/* Called on the shard's thread when it fails, so that the daemon can end at once. */
void dn_fleet_on_failure(dn_fleet *fleet, void (*failed)(void *context, const char *detail), void *context);

/* A registration as it is shown. */
typedef struct {
    dunlin_slice endpoint;
    char id[24];      /* location's last segment */
    char address[64]; /* "127.0.0.1:40000" */
    uint8_t version_major, version_minor;
    char binding[8]; /* "U", "UQS" … as registered, Q left out */
    bool queue_mode;
    uint32_t lifetime_s;
    int64_t registered_ms, updated_ms;
    int64_t expires_ms; /* INT64_MAX: never */
    dunlin_slice sms;
    dunlin_slice links; /* the CoRE link list as registered */
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

typedef enum { DN_OBSERVATION_PENDING, DN_OBSERVATION_ACTIVE, DN_OBSERVATION_LOST } dn_observation_state;

typedef struct {
    dunlin_path path;
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
/* Ends it: GET Observe 1 to the device if it is registered (its failure does not keep the wish); without asking it
 * the answer is 2.05. NOT_FOUND in `response` if there was none. */
dunlin_status dn_fleet_unobserve(dn_fleet *fleet, dunlin_slice endpoint, dunlin_path path,
                                 uint32_t timeout_ms, dn_device_done *done, void *context);
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
    DN_EVENT_GAP /* events were dropped here because nobody took them in time */
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
    uint8_t changed;       /* UPDATED: a set of DN_CHANGED_ */
    dn_client_view client; /* all but GAP; NOTIFICATION: endpoint and id only */
    dunlin_path path;      /* NOTIFICATION */
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
    uint64_t events, events_dropped;
    uint64_t commits, commit_us_total, batches;
    uint64_t sends_failed;
} dn_fleet_counters;
void dn_fleet_count(const dn_fleet *fleet, dn_fleet_counters *out);

#endif
