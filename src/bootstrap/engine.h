/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bootstrap server as a function of datagrams and time (Core 1.1.1 section 6.1, Transport section 6.4.2): Bootstrap-Request, then the steps
 * of the endpoint's configuration, one at a time, then Finish. It opens no socket and starts no thread; bootstrap.h puts a thread around it. A cycle is
 * as a shard's: begin; any number of receive; work; commit; then let out what `send` was given.
 *
 * A run is one bootstrap of one device. A second request of the same endpoint begins it anew. Pre-shared keys that are minted for the device are staged at
 * `credentials` before the first message with one leaves, and take the place of the former ones once Finish is acknowledged (security/credentials.h), so that the device
 * is let in whatever became of the last datagrams; a later run of the same endpoint hands out what is still staged.
 *
 * Threads: one.
 */
#ifndef DN_BOOTSTRAP_ENGINE_H
#define DN_BOOTSTRAP_ENGINE_H

#include "base/log.h"
#include "base/peer.h"
#include "base/random.h"
#include "bootstrap/store.h"
#include "coap/engine.h"
#include "codec/format.h"
#include "security/credentials.h"

#include <dunlin/value.h>

typedef struct dn_bs dn_bs;
typedef struct dn_est dn_est;

typedef enum {
    DN_BS_REFUSED,     /* a Bootstrap-Request was answered with an error: `code`, `why` */
    DN_BS_REQUESTED,   /* a run has begun; `steps` are planned */
    DN_BS_STEP,        /* one has been answered: `step`, operation, path, code, took_ms */
    DN_BS_REPAIRING,   /* Finish was 4.06: all is deleted and written once more */
    DN_BS_FINISHED,    /* the device has taken it, and is let in with what it was given */
    DN_BS_FAILED,      /* `why`: what was wrong; the device goes back to what it had */
    DN_BS_ENROLLED,    /* a certificate was issued: `why` is its serial number and end */
    DN_BS_NOT_ENROLLED /* asked for, and refused: `code`, `why` */
} dn_bs_event_kind;

typedef enum { DN_BS_DISCOVER, DN_BS_READ, DN_BS_WRITE, DN_BS_DELETE, DN_BS_FINISH } dn_bs_operation;

/* Views are valid during the call. */
typedef struct {
    dn_bs_event_kind kind;
    int64_t at_ms;
    uint64_t run; /* its number, never reused by this process; 0: none */
    dunlin_slice endpoint;
    char address[64];
    uint8_t transport, security; /* dn_transport, dn_security_mode: how the device came */
    bool is_own;                 /* the server has spoken first */
    uint32_t version;            /* of the configuration */
    uint32_t step, steps;        /* counted from 1 */
    uint8_t operation;           /* dn_bs_operation */
    dunlin_path path;
    uint8_t code; /* CoAP; 0: no answer */
    uint32_t took_ms;
    const char *why; /* "" or a text that can be shown; never a secret */
    dunlin_slice
        found; /* STEP of Discover: the links that the device gave; FAILED: those it gave last. Else empty */
} dn_bs_event;

/* What a device must know of this server, for accounts that do not say. Views outlive the engine. */
typedef struct {
    const char *uris
        [4]; /* of the LwM2M server, by dn_transport, as devices reach it: "coaps://host:5684"; NULL: not served */
    dunlin_slice public_key;  /* SubjectPublicKeyInfo */
    dunlin_slice certificate; /* DER, end entity */
} dn_bs_own;

typedef struct {
    dn_bs_store *store;
    dn_credentials *credentials; /* of the LwM2M server, where minted ones go; NULL: none can be minted */
    /* Of devices towards this bootstrap server: who has one is not served without it. NULL: none has. */
    dn_credentials *own_credentials;
    dn_types
        types; /* of resources, for what configurations write (dn_bs_config_fit); zero: as their JSON shows */
    /* Whether other hosts than this one are heard without (D)TLS. Wherever it comes from, bootstrap information goes without it to those
       endpoints alone whose configuration allows it. */
    bool is_nosec_open;
    dn_bs_own own;
    dn_est *est; /* est.h; NULL: no enrolment */
    dn_coap_config coap;
    dn_random random;
    const dn_log *log;
    uint32_t max_runs;        /* [10000] at a time; more: 5.03 with Max-Age */
    uint32_t max_ended;       /* [10000] ended ones that can still be looked at */
    uint32_t step_timeout_ms; /* [93000] without an answer: failed */
    uint32_t max_body;        /* [65536] of a Write */
    int64_t (*wall_ms)(void *context);
    uint64_t (*clock_ms)(void *context);
    void *clock_context;
    /* As dn_shard_config has them. */
    void (*send)(void *context, const dn_peer *peer, dunlin_slice datagram);
    const dn_identity *(*identity)(void *context, const dn_peer *peer);
    bool (*reaches)(void *context, const dn_peer *peer);
    bool (*is_loopback)(const dn_peer *peer);
    void (*end_peer)(void *context, const dn_peer *peer);
    void (*peer_text)(const dn_peer *peer, char *out, size_t size);
    void (*event)(void *context, const dn_bs_event *event); /* after its commit; may be NULL */
    void *context;
} dn_bs_engine_config;

dn_bs_engine_config dn_bs_engine_config_default(void);
dunlin_status dn_bs_create(const dn_bs_engine_config *config, dn_bs **out); /* ARGUMENT, MEMORY */
void dn_bs_destroy(dn_bs *bs);

void dn_bs_begin(dn_bs *bs);
void dn_bs_receive(dn_bs *bs, const dn_peer *peer, dunlin_slice datagram);
void dn_bs_opened(dn_bs *bs, const dn_peer *peer);
void dn_bs_closed(dn_bs *bs, const dn_peer *peer);
void dn_bs_work(dn_bs *bs);
/* Stages and promotes what this cycle has minted and finished, in one transaction each. STORE: the runs concerned fail (5.00), others go on. */
void dn_bs_commit(dn_bs *bs);
uint64_t dn_bs_deadline(const dn_bs *bs);
/* The server's addresses, key or certificate are other ones now; copied views as above. */
void dn_bs_use_own(dn_bs *bs, const dn_bs_own *own);

/* Nothing new is begun from now on: requests get 5.03. */
void dn_bs_drain(dn_bs *bs);
bool dn_bs_is_busy(const dn_bs *bs); /* runs are under way */

/* A run as it is shown. */
typedef enum { DN_BS_RUNNING, DN_BS_DONE, DN_BS_BROKEN } dn_bs_run_state;
typedef struct {
    uint8_t operation;
    dunlin_path path;
    uint8_t code;               /* 0: not answered (yet) */
    uint32_t began_ms, took_ms; /* since the run began */
    uint32_t bytes;             /* of the payload that was sent, or received */
} dn_bs_step_view;
typedef struct {
    uint64_t run;
    dn_bs_run_state state;
    dunlin_slice endpoint;
    char address[64];
    uint8_t transport, security;
    bool is_own;    /* the server has spoken first */
    bool is_minted; /* a key that was made for the device is handed out by it */
    bool
        is_reachable; /* set in a listing: the session, connection or address by which it came can be used now */
    uint8_t version_major, version_minor; /* of LwM2M, as the device told; 0.0: not (yet) */
    uint32_t version;
    int64_t began_ms, ended_ms;   /* 0: not ended */
    const dn_bs_step_view *steps; /* those done and the one under way */
    size_t step_count, planned;
    const char *why;
    dunlin_slice found; /* the last links that the device gave */
} dn_bs_run_view;

/* Runs, newest first, behind `before` (0: from the newest); `endpoint` empty: of all. `done` once for each, false stops. */
void dn_bs_runs(const dn_bs *bs, dunlin_slice endpoint, uint64_t before, uint32_t limit,
                bool (*done)(void *context, const dn_bs_run_view *run), void *context);

/* What came of beginning a run without having been asked to. */
typedef struct {
    dunlin_status status;
    const char *why;           /* not OK: a text that can be shown; outlives the engine */
    const dn_bs_run_view *run; /* OK: as it is until the next call of the engine */
} dn_bs_start;

/*
 * Begins a run without having been asked to, for a device that has still got its session (Core 1.1.1 section 6.1.2, server initiated).
 * NOT_FOUND: there is no configuration for it; IO: nothing can be sent to the peer; ACCESS: the peer may not have it, as of a Bootstrap-Request;
 * DUPLICATE: one is under way, which goes on; LIMIT, STATE: too many runs, or the engine is to end; STORE; UNSUPPORTED: this server cannot give what
 * the configuration asks for.
 */
dn_bs_start dn_bs_start_run(dn_bs *bs, const dn_peer *peer, dunlin_slice endpoint);
/* The same by the session of the endpoint's last run. IO: no run of it is known, too. */
dn_bs_start dn_bs_rerun(dn_bs *bs, dunlin_slice endpoint);

typedef struct {
    uint64_t requests, refused, insecure_refused, identity_refused, runs, finished, failed, repaired,
        restarted, limited;
    uint64_t steps, step_errors, timeouts, minted, promoted;
    uint64_t enrolled, enrol_refused;
    uint64_t running; /* now */
    dn_coap_counters coap;
} dn_bs_counters;
void dn_bs_count(const dn_bs *bs, dn_bs_counters *out);

#endif
