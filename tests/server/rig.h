/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A shard with a memory store, and devices made of CoAP engines, on a simulated network in virtual time. The rig drives the shard's cycle as
 * its thread would. Everything asserts: a test only says what should be.
 */
#ifndef TESTS_SERVER_RIG_H
#define TESTS_SERVER_RIG_H

#include "bearer/simlink.h"
#include "security/credentials.h"
#include "server/registrations.h"
#include "server/shard.h"

#define RIG_EPOCH_MS    INT64_C(1790000000000) /* wall time at the start */
#define RIG_START_MS    1000000u               /* and the monotonic clock's */
#define RIG_DEVICES     8
#define RIG_WATCHED_MAX 8
#define RIG_FAR    \
    (RIG_DEVICES - \
     1) /* this device is not on the server's host: matters only if the policy for NoSec is LOOPBACK */
#define RIG_TEXT_MAX 20000

typedef struct rig rig;

/* A device: every GET and FETCH gets `value`; whatever is asked is recorded. */
typedef struct {
    rig *owner;
    dn_coap *coap;
    void *arena;
    dn_peer address;
    dn_seeded seeded;
    dn_random random;
    bool gone; /* hears and says nothing */
    bool mute; /* acknowledges what it is asked and never answers */

    /* How the server sees it: see rig_secure.h. */
    dn_transport transport;
    bool is_open;    /* its session or stream is there */
    bool has_proved; /* `identity`, by its session */
    dn_identity identity;
    dunlin_status stream_ended; /* by the server's Abort or Release */

    /* What a request of ours got. */
    bool answered;
    dunlin_status status;
    uint8_t code;
    char location[64]; /* "rd/xyz" */
    char text[RIG_TEXT_MAX];
    size_t text_len;

    /* What the server asked. */
    unsigned asked;
    uint8_t asked_method;
    uint16_t asked_accept, asked_format;
    char asked_path[128], asked_query[128];
    char asked_text[RIG_TEXT_MAX];
    char asked_log[1024]; /* all of it, "2/3/0/4 " for a POST; the test empties it */

    /* A body that is taken a piece at a time: one that the server pushes, or that is downloaded from it. */
    bool takes_pieces;
    dn_coap_sink sink;
    uint64_t taken; /* bytes of it */
    uint64_t taken_hash;
    uint64_t taken_size; /* of a download, as the server told it */
    uint8_t taken_etag[8];
    unsigned pieces_lost;
    uint64_t ends_at;  /* from this many bytes on: what `ends_with` says; 0: never */
    uint8_t ends_with; /* a code to refuse with; 0: the device is gone */

    /* What to answer. */
    uint8_t reply_code; /* 0: 2.05 to GET and FETCH, 2.04 to the rest */
    bool refuses_observe;
    uint16_t reply_format;
    const char *value;
    unsigned echoes; /* the value is what was asked, so many times */
    char echoed[RIG_TEXT_MAX];
    const char *reply_location; /* "3303/1" */

    /* Observations: by path, or for FETCH by the list as it came, with the token that the server gave. */
    size_t watched_count;
    struct {
        char path[1200];
        dn_coap_token token;
        uint32_t sequence;
    } watched[RIG_WATCHED_MAX];
} rig_device;

struct rig {
    dn_simlink *link;
    dn_peer address;
    dn_shard *shard;
    dn_store *store; /* the shard's; it closes it */
    dn_events *events;
    dn_fleet_config config;
    dn_seeded seeded;
    bool failed;            /* a commit failed */
    int64_t wall_offset_ms; /* how much longer the world went on while the server was down */
    rig_device devices[RIG_DEVICES];
    unsigned peers_ended; /* by the shard */
    /* Datagrams that wait for the commit. */
    size_t waiting;
    struct {
        dn_peer peer;
        size_t len;
        uint8_t bytes[8200];
    } wait[256];
};

/* A server that takes NoSec from anywhere, and RIG_DEVICES devices. `tweak` (may be NULL) changes the configuration first. */
void rig_start(rig *r, uint64_t seed, void (*tweak)(dn_fleet_config *config));
void rig_end(rig *r);
/* kill -9 at this moment and a new start, `down_ms` of wall time later: only what was committed is left. */
void rig_crash(rig *r, int64_t down_ms);
void rig_run(rig *r, uint64_t ms);

/* Sends a request and runs until it has ended; the outcome is in the device. `queries` "ep=a&lt=60" or NULL; `payload` may be NULL. */
void rig_ask(rig *r, rig_device *device, uint8_t method, const char *path, const char *queries,
             uint16_t format, const char *payload);
/* The same with bytes for a payload. */
void rig_ask_bytes(rig *r, rig_device *device, uint8_t method, const char *path, const char *queries,
                   uint16_t format, dunlin_slice payload);
/* Gets `path` in pieces: see `taken`. The first one does not run; it ends when `answered`. */
void rig_begin_download(rig *r, rig_device *device, const char *path);
void rig_download(rig *r, rig_device *device, const char *path);
/* The hash that `taken_hash` has after these bytes, from that after those before; 0 before the first. */
uint64_t rig_piece_hash(uint64_t hash, dunlin_slice bytes);
/* Registers with ep=NAME&lt=LT&lwm2m=1.1&b=U and an ordinary object list; expects 2.01. */
void rig_register(rig *r, rig_device *device, const char *name, unsigned lifetime_s);
/* Notifies the server about `path`, which it must observe. The outcome: OK when acknowledged. */
dunlin_status rig_notify(rig *r, rig_device *device, const char *path, const char *value, bool confirmable);
/* As a device whose datagrams are only bytes: sends one and runs until all is quiet. */
void rig_throw(rig *r, rig_device *device, dunlin_slice datagram);
/* Gives the device a new address: another port of its host. */
void rig_rebind(rig *r, rig_device *device);
/* The server as the device addresses it. */
dn_peer rig_server(const rig_device *device);
/* The address as the server sees it, with its transport. */
dn_peer rig_peer(const rig_device *device);
/* Tells the shard that a session or stream of that peer is there, or gone: rig_secure.h has more. */
void rig_session(rig *r, const dn_peer *peer, bool opened);
dn_fleet_counters rig_count(rig *r);

/* Hands the shard a command and ends the cycle. */
void rig_submit(rig *r, dn_command *command);
/* Commands, run to their end. */
typedef struct {
    bool done;
    bool existed;
    dunlin_status status;
    uint8_t code;
    uint16_t format;
    char text[RIG_TEXT_MAX];
    char location[DUNLIN_PATH_TEXT_MAX + 1];
} rig_outcome;
uint64_t rig_post_request(rig *r, const dn_device_request *ask, rig_outcome *outcome); /* does not run */
void rig_post_observe(rig *r, const char *endpoint, const char *path, rig_outcome *outcome);
void rig_post_cancel(rig *r, uint64_t number);
rig_outcome rig_read(rig *r, const char *endpoint, const char *path);
rig_outcome rig_observe(rig *r, const char *endpoint, const char *path);
rig_outcome rig_unobserve(rig *r, const char *endpoint, const char *path);
/* Drops it without asking the device; `path` may be a list. */
rig_outcome rig_forget(rig *r, const char *endpoint, const char *path);
/* Observe-Composite of a list "/3/0 /3303/0/5700". */
rig_outcome rig_observe_composite(rig *r, const char *endpoint, const char *paths, uint16_t accept);
void rig_post_observe_composite(rig *r, const char *endpoint, const char *paths, uint16_t accept,
                                rig_outcome *outcome);
rig_outcome rig_unobserve_composite(rig *r, const char *endpoint, const char *paths);

typedef struct {
    bool found;
    char endpoint[256], id[24], address[64], binding[8], sms[16];
    uint8_t version_minor;
    bool queue_mode;
    uint32_t lifetime_s;
    uint8_t transport, security;
    int64_t registered_ms, updated_ms, expires_ms, seen_ms;
    dn_presence presence;
    uint32_t queued;
    char links[RIG_TEXT_MAX];
} rig_client;
rig_client rig_get(rig *r, const char *endpoint);

typedef struct {
    size_t count;
    uint64_t next, total;
    char names[1000][64];
} rig_page;
rig_page *rig_list(rig *r, uint64_t after, uint32_t limit, const char *substring); /* static memory */

typedef struct {
    bool registered;
    size_t count;
    struct {
        char path[1024]; /* a list for a composite */
        uint16_t format;
        dn_observation_state state;
        bool has_last;
        uint8_t code;
        char text[256];
        int64_t since_ms;
    } list[16];
} rig_observations;
rig_observations rig_observations_of(rig *r, const char *endpoint);

/* The next event, whatever it is; false: there is none. Its views live until the next one is taken. */
bool rig_next_event(rig *r, dn_event *event);
/* The next event, which must be of this type and endpoint. */
dn_event rig_expect(rig *r, dn_event_type type, const char *endpoint);
void rig_expect_no_event(rig *r);
void rig_skip_events(rig *r);

#endif
