/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bootstrap server's engine and devices made of CoAP engines, on a simulated network in virtual time. A device answers what it is asked as
 * a client in its place would, unless the test says otherwise. Everything asserts: a test only says what should be.
 */
#ifndef TESTS_BOOTSTRAP_RIG_H
#define TESTS_BOOTSTRAP_RIG_H

#include "bearer/simlink.h"
#include "bootstrap/config.h"
#include "bootstrap/engine.h"
#include "bootstrap/memory_store.h"
#include "security/testkeeper.h"
#include "tests/bootstrap/keeper.h"

#define RIG_DEVICES  4
#define RIG_PUTS     48
#define RIG_SCRIPT   8
#define RIG_TEXT     16384
#define RIG_START_MS 1000000u
#define RIG_EPOCH_MS INT64_C(1790000000000)

typedef struct rig rig;

/* What a device answers in place of what it would: `times` times, 0: always. */
typedef struct {
    const char *ask; /* "PUT /0/0", "GET /" */
    uint8_t code;
    const char *payload; /* may be NULL */
    unsigned after, times;
} rig_answer;

typedef struct {
    rig *owner;
    dn_coap *coap;
    void *arena;
    dn_peer address;
    dn_seeded seeded;
    dn_random random;
    dn_transport transport;
    bool is_open, has_proved;
    dn_identity identity;

    /* What it is. */
    const char *before, *after; /* its links, until the first Write and from then on */
    rig_answer script[RIG_SCRIPT];
    unsigned silent_from; /* it is gone when asked for the n-th time; 0: never */
    const char *servers;  /* what a Read of /1 gives, SenML JSON; NULL: 4.05 */

    const dn_simlink_endpoint *stand_in; /* not NULL: another one is in its place, at its address */

    /* What it was asked: "DELETE /0;PUT /0/0;…" */
    char log[RIG_TEXT];
    unsigned asked;
    bool is_written;
    struct {
        char path[32];
        uint16_t format;
        size_t len;
        uint8_t bytes[8192];
    } puts[RIG_PUTS];
    size_t put_count;

    /* How its Bootstrap-Request ended. */
    bool is_answered, is_waiting;
    dunlin_status status;
    uint8_t code;
    char said[256];
    unsigned max_age_s; /* told with it; 0: none */
    uint64_t answered_ms, first_asked_ms;
} rig_device;

struct rig {
    dn_simlink *link;
    dn_peer address;
    dn_bs *bs;
    dn_bs_store *store;
    bs_keeper keeper;
    dn_testkeeper own;
    dn_bs_engine_config config;
    dn_seeded seeded;
    rig_device devices[RIG_DEVICES];
    unsigned peers_ended;
    /* Events as lines: "REQUESTED ep", "STEP 2 Write /0/0 2.04". */
    char events[RIG_TEXT];
    char whys[RIG_TEXT]; /* of all events, and what they found */
    char logged[RIG_TEXT];
    dn_log log;
    size_t waiting;
    struct {
        dn_peer peer;
        size_t len;
        uint8_t bytes[8300];
    } wait[64];
};

/* A server on coap://… and coaps://… with configuration `document` for `endpoint`, and devices over plain UDP. `tweak` may be NULL. */
void rig_start(rig *r, uint64_t seed, void (*tweak)(dn_bs_engine_config *config));
void rig_end(rig *r);
void rig_configure(rig *r, const char *endpoint, const char *document);
void rig_run(rig *r, uint64_t ms);
/* The device now comes over a session by which it has proved to be `endpoint` (a pattern too); NULL: nobody. */
void rig_secure(rig *r, rig_device *device, dn_transport transport, const char *endpoint);
/* Its session or stream ends. */
void rig_close(rig *r, rig_device *device);
/* POST /bs with queries "ep=a&pct=112"; does not wait. */
void rig_ask(rig *r, rig_device *device, const char *queries);
/* Any request of the device's. */
void rig_request(rig *r, rig_device *device, uint8_t method, const char *path, const char *queries,
                 uint16_t accept);
/* POST with a payload. */
void rig_post(rig *r, rig_device *device, const char *path, uint16_t format, dunlin_slice payload);
/* Runs until every request is answered and no run is under way, or so many ms. */
void rig_settle(rig *r, uint64_t ms);
/* Its side of the link: what a stand-in sends. */
void rig_send(rig_device *device, dunlin_slice datagram);
/* What was written at a path, last; NULL: nothing. */
const uint8_t *rig_put(const rig_device *device, const char *path, size_t *len, uint16_t *format);
/* The value of a resource that was written, as text ("true", "86400", hex of what is opaque); "": none. */
const char *rig_value(const rig_device *device, const char *put_path, const char *path, char out[2048]);
/* The newest run of an endpoint, copied; fails if there is none. */
typedef struct {
    dn_bs_run_view view;
    dn_bs_step_view steps[128];
    char why[512], found[2048];
} rig_view;
void rig_look(rig *r, const char *endpoint, rig_view *out);

#endif
