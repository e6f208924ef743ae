/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Message ids seen, with what was said about them (RFC 7252 section 4.5). The engine has two tables: ids that
 * came in, each with the reply to repeat when the message comes again; and ids of non-confirmable
 * notifications that went out, each with its token, so that a Reset finds its observation. Memory is bounded:
 * when the table is full the oldest id gives way, and when a peer has its share, its own oldest. All
 * operations are O(1).
 */
#ifndef DN_COAP_SEEN_H
#define DN_COAP_SEEN_H

#include "coap/remote.h"
#include <dunlin/slice.h>

typedef enum {
    DN_COAP_SEEN_PENDING, /* being worked on: nothing to repeat yet */
    DN_COAP_SEEN_REPLY,   /* `reply_len` bytes to repeat; 0: a message that gets no reply */
    DN_COAP_SEEN_LONG     /* answered, but the reply was too long to be kept */
} dn_coap_seen_state;

typedef struct {
    uint64_t expires_ms;
    uint32_t remote;
    uint32_t serial; /* tells two uses of one slot apart */
    uint32_t next;   /* in its bucket, or of the free ones */
    uint32_t older, newer;
    uint32_t newer_of_remote;
    uint32_t owner; /* the user's note: for a pending request, its index */
    uint16_t mid;
    uint16_t reply_len;
    uint8_t state;
    bool request; /* the user's note: it was a request */
} dn_coap_seen_id;

typedef struct {
    dn_coap_seen_id *at;
    uint8_t *replies;
    uint32_t *bucket;
    dn_coap_remotes *remotes;
    uint32_t count, bucket_count, per_remote, reply_max, which;
    uint32_t free, oldest, newest, in_use, serial;
} dn_coap_seen;

/* `which` (0 or 1) names the table in dn_coap_remote.seen. */
void dn_coap_seen_init(dn_coap_seen *seen, dn_coap_arena *arena, dn_coap_remotes *remotes, uint32_t which,
                       uint32_t count, uint32_t per_remote, uint32_t reply_max);
/* The index of an id that has not expired, or DN_COAP_NONE. */
uint32_t dn_coap_seen_find(const dn_coap_seen *seen, uint32_t remote, uint16_t mid, uint64_t now_ms);
/* Remembers an id, as pending. */
uint32_t dn_coap_seen_add(dn_coap_seen *seen, uint32_t remote, uint16_t mid, uint64_t expires_ms,
                          uint64_t now_ms);
/* Sets what to repeat; too long becomes DN_COAP_SEEN_LONG. */
void dn_coap_seen_set_reply(dn_coap_seen *seen, uint32_t index, dunlin_slice reply);
dunlin_slice dn_coap_seen_reply(const dn_coap_seen *seen, uint32_t index);
/* True while `index` is still the use that had `serial`. */
static inline bool dn_coap_seen_is(const dn_coap_seen *seen, uint32_t index, uint32_t serial)
{
    return index != DN_COAP_NONE && seen->at[index].serial == serial;
}
void dn_coap_seen_forget(dn_coap_seen *seen, uint32_t index);
/* Forgets all ids of a remote. */
void dn_coap_seen_forget_remote(dn_coap_seen *seen, uint32_t remote);
/* Forgets all ids, in these two tables, of the remote that has the oldest of those to which nothing but ids
 * refers; so the remote is free. False: there is none such. */
bool dn_coap_seen_free_remote(dn_coap_seen *in, dn_coap_seen *out);
/* Forgets what has expired, the oldest `limit` ids at most. */
void dn_coap_seen_expire(dn_coap_seen *seen, uint64_t now_ms, uint32_t limit);

#endif
