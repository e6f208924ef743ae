/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the server needs of a store. The server owns the truth in memory; the store makes it survive. One
 * store belongs to one shard and is called from its thread only.
 *
 * Writes gather in a batch. They count once dn_store_commit has returned OK; the shard lets no answer to a
 * device or an API caller out before that. After a failed commit the shard stops: what is in memory is no
 * longer what is on disk, so the process restarts from disk.
 *
 * A registration has a slot: a small, dense number that is reused. Stores key by it, since an index by random
 * names costs a page per write. A store may keep a journal of writes and sweep changed registrations to their
 * place later: it reads them through `source`.
 */
#ifndef DN_SERVER_STORE_H
#define DN_SERVER_STORE_H

#include "base/peer.h"

#include <dunlin/value.h>

#define DN_SLOT_NONE UINT32_MAX

/* A registration as it is kept. Views belong to whoever gives the record and live during the call. Wall times
 * in ms since the epoch. */
typedef struct {
    uint32_t slot;
    uint64_t id; /* the location's number: /rd/<id in base32 or hex>; unpredictable, never reused */
    dunlin_slice endpoint;
    dn_peer peer;
    uint32_t lifetime_s;
    int64_t registered_ms;
    int64_t updated_ms; /* expires at updated_ms + lifetime_s */
    uint32_t links;     /* number of the interned link list */
    uint8_t version_major, version_minor;
    uint8_t binding;  /* the server's bit set */
    uint8_t flags;    /* the server's own */
    dunlin_slice sms; /* empty if none */
} dn_store_registration;

/* An observation that the operator asked for: by endpoint, not by registration, for it outlives both. */
typedef struct {
    uint32_t number; /* small and dense like a slot; the key */
    dunlin_slice endpoint;
    dunlin_path path;
    dunlin_slice paths; /* Observe-Composite: what is observed, "/3/0/11/0 /1/0/1"; empty for a plain one */
    uint16_t format;    /* content format asked for, 65535 for the client's choice */
    int64_t since_ms;
    uint64_t token; /* the token's 8 bytes */
} dn_store_observation;

/* The last value received for an observation, as it came. */
typedef struct {
    uint32_t observation; /* number */
    int64_t received_ms;
    uint8_t code;
    uint16_t format;
    dunlin_slice payload;
} dn_store_value;

/* How far a request of the durable queue has come: what changes while the question stays. */
typedef struct {
    uint32_t request; /* number */
    uint8_t state;    /* dn_queued_state */
    uint32_t attempts;
    int64_t ended_ms; /* 0: not ended */
    dunlin_status status;
    uint8_t code;
    uint16_t format;
    dunlin_slice location;
    dunlin_slice payload;
} dn_store_progress;

/* A request of the durable queue: by endpoint, for it outlives registrations. */
typedef struct {
    uint32_t number; /* small and dense like a slot; the key */
    uint64_t id;     /* as the caller knows it; ascending */
    dunlin_slice endpoint;
    uint8_t method;
    bool auto_accept;
    dunlin_path path;
    dunlin_slice query;
    uint16_t content_format;
    uint16_t accept;
    dunlin_slice package; /* name, or empty */
    dunlin_slice body;
    int64_t created_ms, expires_ms;
    dn_store_progress progress; /* its `request` is `number` */
} dn_store_request;

/* How a sweeping store reads the present state. False: the slot or number is free now. */
typedef struct {
    bool (*registration)(void *context, uint32_t slot, dn_store_registration *out);
    bool (*value)(void *context, uint32_t observation, dn_store_value *out);
    void *context;
} dn_store_source;

/* Receives what was kept, at start: link lists first, then registrations, observations, values,
 * requests by number, and the bound of request ids if one was ever put. A non-OK
 * answer ends the load with it. */
typedef struct {
    dunlin_status (*links)(void *context, uint32_t number, dunlin_slice text);
    dunlin_status (*registration)(void *context, const dn_store_registration *registration);
    dunlin_status (*observation)(void *context, const dn_store_observation *observation);
    dunlin_status (*value)(void *context, const dn_store_value *value);
    dunlin_status (*request)(void *context, const dn_store_request *request);
    dunlin_status (*request_ids)(void *context, uint64_t bound);
    void *context;
} dn_store_loader;

typedef struct dn_store dn_store;

typedef struct {
    dunlin_status (*load)(dn_store *store, const dn_store_loader *loader);
    void (*attach)(dn_store *store, const dn_store_source *source); /* after load, before the first write */
    void (*put_links)(dn_store *store, uint32_t number, dunlin_slice text);
    void (*drop_links)(dn_store *store, uint32_t number);
    void (*put_registration)(dn_store *store,
                             const dn_store_registration *registration); /* new, or all of it changed */
    void (*touch_registration)(dn_store *store, uint32_t slot,
                               int64_t updated_ms); /* refreshed, nothing else changed */
    void (*drop_registration)(dn_store *store, uint32_t slot);
    void (*put_observation)(dn_store *store, const dn_store_observation *observation);
    void (*drop_observation)(dn_store *store, uint32_t number); /* its value goes with it */
    void (*put_value)(dn_store *store, const dn_store_value *value);
    void (*put_request)(dn_store *store, const dn_store_request *request); /* a new one */
    /* The request has come so far; the rest of it is not written again. */
    void (*mark_request)(dn_store *store, const dn_store_progress *progress);
    void (*drop_request)(dn_store *store, uint32_t number);
    /* Ids below `bound` may have been given out. It outlives the requests, so that no id comes twice. */
    void (*put_request_ids)(dn_store *store, uint64_t bound);
    dunlin_status (*commit)(
        dn_store *store); /* errors of any write since the last commit come out here: STORE */
    const char *(*error)(dn_store *store); /* text of the last failure */
    void (*close)(dn_store *store);        /* sweeps, commits and frees */
} dn_store_ops;

/* Every store begins with this. */
struct dn_store {
    const dn_store_ops *ops;
};

#endif
