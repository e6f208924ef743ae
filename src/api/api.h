/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTP side of a server: REST under /api/v1, events, metrics and the console's files, over a fleet. docs/reference/rest.md is its
 * reference for users, src/api/openapi.json the machine's.
 *
 * Threads: dn_api_start starts its own; every function here may be called from any one other thread. The fleet and the registry must
 * outlive the api.
 */
#ifndef DN_API_API_H
#define DN_API_API_H

#include "bootstrap/bootstrap.h"
#include "model/ddf/registry.h"
#include "security/credentials.h"
#include "server/fleet.h"

typedef struct dn_api dn_api;

/* Where devices reach the CoAP server by a transport. */
typedef struct {
    uint8_t transport; /* dn_transport */
    /* The server listens on all addresses, and nobody has said by which one it is reached: a name of this host. */
    bool guessed;
    const char *place; /* "host:port" */
} dn_api_place;

/* Strings are copied by nobody: they must outlive the api. */
typedef struct {
    const char *listen; /* "127.0.0.1:8080", "[::1]:0"; numeric */
    const char *const
        *host_names; /* names besides IP addresses and localhost that the Host header may carry */
    size_t host_name_count;
    const char *console_dir; /* the console's files; NULL: none */
    const char *upload_dir;  /* where uploaded models are kept (exists); NULL: they are kept in memory only */
    const char *package_dir; /* where packages are kept (exists): the fleet's; NULL: there are none */
    const dn_api_place
        *places; /* how devices reach the CoAP server; those of a transport in the order of preference */
    size_t place_count;
    const char *version;
    const char *const *coap_addresses; /* as bound, for /server */
    size_t coap_address_count;
    const char *const *
        uris; /* as bound, of every transport: "coaps://127.0.0.1:40124", "coap+tcp://[::]:5683"; none: those of coap_addresses */
    size_t uri_count;
    dn_credentials *credentials; /* NULL: this server keeps none. Outlives the api */
    dn_bootstrap *bootstrap;     /* NULL: none runs, or it is told later. Outlives the api, as what follows */
    dn_bs_store *bootstrap_store;          /* NULL: there is no bootstrap server */
    dn_credentials *bootstrap_credentials; /* of devices towards the bootstrap server; NULL: none */
    bool is_bootstrap_alone; /* no LwM2M server is in this process: its account cannot be given to devices */
    const char *const *bootstrap_uris; /* as bound: "coaps://127.0.0.1:5784" */
    size_t bootstrap_uri_count;
    uint32_t threads;                /* 1: HTTP worker threads */
    uint32_t max_connections;        /* 1024 */
    uint32_t max_connections_per_ip; /* 0: no limit of its own */
    uint32_t connection_timeout_s;   /* 60: an idle connection is closed */
    uint32_t max_body_bytes;         /* 1 MiB: of a request */
    uint32_t max_list_bytes;         /* 8 MiB: of a request that lists devices */
    uint32_t max_package_bytes;      /* 1 GiB: of an uploaded package */
    uint32_t max_bulk_reads;         /* 16: reads of many devices at a time */
    uint32_t max_device_body;        /* 65536: bytes of a payload for a device; the fleet's coap.max_body */
    uint32_t max_event_streams;      /* 64 */
    uint32_t event_history_bytes;    /* 8 MiB: what a stream may resume from */
    uint32_t profile_slots;          /* 16384: devices whose object lists are kept at hand */
    uint32_t request_timeout_s;      /* 30: of a request to a device that names none */
    dn_fleet *fleet;
    dn_registry *registry;
    dn_random random;
    const dn_log *log;
    int64_t (*wall_ms)(void *context);   /* ms since the epoch */
    uint64_t (*clock_ms)(void *context); /* monotonic */
    void *clock_context;
} dn_api_config;

/* The defaults named above; the pointers are NULL. */
dn_api_config dn_api_config_default(void);

/* Binds, reads the console's files, starts the threads. ARGUMENT, IO, MEMORY: `error` says what. */
dunlin_status dn_api_start(const dn_api_config *config, dn_api **api, char *error, size_t error_size);
/* The bound address, "127.0.0.1:40123". */
const char *dn_api_address(const dn_api *api);

/* What a device must know of the server to prove it, at /server-identity. */
typedef struct {
    dunlin_slice public_key;         /* SubjectPublicKeyInfo in DER of the first key; empty: none */
    const char *const *certificates; /* PEM, the end-entity certificate of each chain */
    size_t certificate_count;
    bool psk;          /* pre-shared keys are served */
    const char *nosec; /* "off", "loopback", "on" */
} dn_api_identity;
/* Shows this from now on, until the next. Everything is copied. MEMORY; MALFORMED: a certificate cannot be read. Any thread. */
dunlin_status dn_api_set_identity(dn_api *api, const dn_api_identity *identity);
/* The same of the bootstrap server, at /bootstrap/server-identity. */
dunlin_status dn_api_set_bootstrap_identity(dn_api *api, const dn_api_identity *identity);
/* What the bootstrap server tells, for the stream of events: dn_bs_engine_config.event hands it on. Everything is copied. Any thread; `api` NULL:
   nobody listens yet. */
void dn_api_bootstrap_event(dn_api *api, const dn_bs_event *event);
/* Reads the console's files anew; the old ones are served on when that fails. */
dunlin_status dn_api_reload(dn_api *api, char *error, size_t error_size);
/* Takes no more requests, lets those in progress finish for at most `grace_ms`, cancels the rest, ends the threads and frees. */
void dn_api_stop(dn_api *api, uint32_t grace_ms);

#endif
