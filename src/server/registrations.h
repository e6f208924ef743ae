/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registrations of a shard: the truth in memory, and its copy in the store, which are changed together
 * here and nowhere else. Found by endpoint name, by id and by address; their object lists are shared, their names packed,
 * their ends kept in a wheel: some 150 bytes each.
 *
 * Nothing here knows the protocol: rd.c reads it and calls this. Times: `now_ms` is the shard's monotonic
 * clock, `wall_ms` the epoch's. Threads: one table belongs to one thread.
 */
#ifndef DN_SERVER_REGISTRATIONS_H
#define DN_SERVER_REGISTRATIONS_H

#include "base/random.h"
#include "security/identity.h"
#include "server/expiry.h"
#include "server/links.h"
#include "server/parameters.h"
#include "server/strings.h"

#define DN_REGISTRATION_ID_TEXT 13         /* characters of an id in a location */
#define DN_REGISTRATIONS_MAX    (1u << 24) /* an id names its slot with 24 bits */

/* Of flags. The first two are kept in the store; the rest belong to presence.c and delivery.c. */
#define DN_REGISTRATION_QUEUE_MODE 0x01u
#define DN_REGISTRATION_SECURITY   0x06u /* how its client has proved who it is: see dn_registration_security */
#define DN_REGISTRATION_LINE       0x10u /* it has requests in the durable queue */
#define DN_REGISTRATION_LISTED     0x20u /* in the list of those in queue mode that are awake */
#define DN_REGISTRATION_UNANSWERED 0x40u
#define DN_REGISTRATION_ASLEEP     0x80u

typedef struct {
    dn_expiry_link expiry;             /* first: the slab's and the wheel's */
    uint32_t names;                    /* endpoint and sms */
    uint64_t id;                       /* 40 random bits and the slot; 0: free */
    int64_t registered_ms, updated_ms; /* wall time */
    int64_t seen_ms;                   /* its last message, by the monotonic clock; may be before its start */
    uint32_t lifetime_s;               /* 0: never ends */
    uint32_t links;
    dn_peer peer;
    uint32_t peer_next, peer_prev; /* others of the same address, the newest first; DN_SLOT_NONE: none */
    uint8_t version_major, version_minor;
    uint8_t binding, flags;
} dn_registration;

/* The dn_security_mode of a registration by its flags, and back. What was kept before there was any security has none. */
static inline unsigned dn_registration_security(uint8_t flags)
{
    unsigned kept = (flags & DN_REGISTRATION_SECURITY) >> 1;
    return kept == 0 ? DN_SECURITY_NOSEC : kept - 1;
}
static inline uint8_t dn_registration_security_flags(unsigned mode)
{
    return mode <= DN_SECURITY_X509 ? (uint8_t)((mode + 1) << 1) : 0;
}

typedef struct {
    dn_slab slab;
    dn_expiry expiry;
    dn_strings names;
    dn_index by_endpoint;
    dn_index by_peer; /* the newest of each address */
    dn_link_lists lists;
    dn_hash_key key;
    dn_durable *durable;
    const dn_random *random;
} dn_registrations;

typedef struct {
    uint32_t max_registrations; /* up to DN_REGISTRATIONS_MAX */
    uint32_t max_link_lists;
    uint32_t max_link_list_bytes;
} dn_registrations_limits;

/* What an Update changed (the DN_CHANGED_ bits of fleet.h). */
enum {
    DN_REGISTRATION_LIFETIME = 1,
    DN_REGISTRATION_BINDING = 2,
    DN_REGISTRATION_OBJECTS = 4,
    DN_REGISTRATION_SMS = 8,
    DN_REGISTRATION_ADDRESS = 16
};

/* False: no memory. `durable` and `random` must outlive the table. */
bool dn_registrations_init(dn_registrations *table, const dn_registrations_limits *limits,
                           dn_durable *durable, const dn_random *random, uint64_t now_ms);
void dn_registrations_free(dn_registrations *table);

static inline dn_registration *dn_registrations_at(const dn_registrations *table, uint32_t slot)
{
    return dn_slab_at(&table->slab, slot);
}
dunlin_slice dn_registration_endpoint(const dn_registrations *table, const dn_registration *registration);
dunlin_slice dn_registration_sms(const dn_registrations *table, const dn_registration *registration);
/* The slot, or DN_SLOT_NONE. */
uint32_t dn_registrations_find(const dn_registrations *table, dunlin_slice endpoint);
uint32_t dn_registrations_by_id(const dn_registrations *table, uint64_t id);
/* The newest registration of this address and port; `peer_next` leads to any others. */
uint32_t dn_registrations_by_peer(const dn_registrations *table, const dn_peer *peer);

/* Where a message of a client came from, and how it has proved who it is. */
typedef struct {
    const dn_peer *peer;
    unsigned security; /* dn_security_mode */
} dn_sender;

/*
 * Makes a registration from what Register said; one of that endpoint is replaced: same slot, new id. `links`
 * is a number that the caller took from table->lists; it stays the caller's when this fails. LIMIT, MEMORY.
 */
dunlin_status dn_registrations_register(dn_registrations *table, const dn_parameters *terms, dn_sender sender,
                                        uint32_t links, uint64_t now_ms, int64_t wall_ms, uint32_t *slot);
/* Refreshes it and takes over what Update said; `links` DN_LINKS_NONE: not said. `changed` gets the
   DN_REGISTRATION_ bits. MEMORY: nothing was done, and `links` is still the caller's. */
dunlin_status dn_registrations_update(dn_registrations *table, uint32_t slot, const dn_parameters *terms,
                                      dn_sender sender, uint32_t links, uint64_t now_ms, int64_t wall_ms,
                                      uint8_t *changed);
void dn_registrations_remove(dn_registrations *table, uint32_t slot);

/* A registration whose lifetime has ended by `now_ms`, still in the table: the caller tells others and
 * removes it. As dn_expiry_take. */
uint32_t dn_registrations_expired(dn_registrations *table, uint64_t now_ms, uint32_t *budget);
/* When to call it next; UINT64_MAX: never. */
uint64_t dn_registrations_deadline(const dn_registrations *table);

/* Loading, after the link lists and before anything else. ERR_STORE: the record cannot be. */
dunlin_status dn_registrations_load(dn_registrations *table, const dn_store_registration *record,
                                    uint64_t now_ms, int64_t wall_ms);
void dn_registrations_loaded(dn_registrations *table);
/* dn_store_source's: the present state of a slot. */
bool dn_registrations_record(const dn_registrations *table, uint32_t slot, dn_store_registration *out);

/* An id as a location's segment, with a NUL, and back: 0 if the text is no id. */
void dn_registration_id_format(uint64_t id, char out[DN_REGISTRATION_ID_TEXT + 1]);
uint64_t dn_registration_id_parse(dunlin_slice text);

#endif
