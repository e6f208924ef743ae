/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The object lists of registrations, each different one kept once: devices of a kind send the same bytes, so
 * a million of them share a few. A list is checked when it is first seen (RFC 6690; Core 1.1.1
 * section 6.2.1); those known by content need no second look.
 *
 * Threads: one table belongs to one thread.
 */
#ifndef DN_SERVER_LINKS_H
#define DN_SERVER_LINKS_H

#include "base/hash.h"
#include "server/durable.h"
#include "server/index.h"
#include "server/slab.h"

#define DN_LINKS_NONE     UINT32_MAX
#define DN_LINKS_ROOT_MAX 64u /* bytes of an alternate path */

typedef struct {
    uint32_t next; /* the slab's */
    uint32_t refs;
    uint32_t hash;
    uint32_t len;
    uint8_t *text;    /* NULL: not in use */
    uint32_t root_at; /* the alternate path within text, without a trailing slash; root_len 0: none */
    uint16_t root_len;
    uint32_t *instances; /* those listed, as object << 16 | instance, ascending */
    uint32_t instance_count;
    bool formats_unknown; /* it says which content formats the client has, and none is one of ours */
    bool lacks_core;      /* no Server or no Device object in it */
} dn_link_list;

typedef struct {
    dn_slab slab;
    dn_index by_content;
    dn_hash_key key;
    uint32_t max_bytes;
    dn_durable *durable;
} dn_link_lists;

/* False: no memory. */
bool dn_link_lists_init(dn_link_lists *lists, uint32_t max_lists, uint32_t max_bytes, const dn_hash_key *key,
                        dn_durable *durable);
void dn_link_lists_free(dn_link_lists *lists);

/*
 * Finds or adds the list with this text and counts one more user of it. MALFORMED: it breaks the grammar, or
 * names an alternate path that cannot be one; SPACE: longer than max_bytes; LIMIT: max_lists different ones
 * are there; MEMORY.
 */
dunlin_status dn_link_lists_take(dn_link_lists *lists, dunlin_slice text, uint32_t *number);
/* One user less; the last one's leaving drops the list. */
void dn_link_lists_give(dn_link_lists *lists, uint32_t number);

static inline const dn_link_list *dn_link_lists_at(const dn_link_lists *lists, uint32_t number)
{
    return dn_slab_at(&lists->slab, number);
}
dunlin_slice dn_link_lists_text(const dn_link_lists *lists, uint32_t number);
/* "/lwm2m", or empty when the client's objects stand at the root. */
dunlin_slice dn_link_lists_root(const dn_link_lists *lists, uint32_t number);

/* Whether the list has a link to this Object Instance. */
bool dn_link_lists_have(const dn_link_lists *lists, uint32_t number, uint16_t object, uint16_t instance);

/* Loading: a list as it was kept, with no user yet; then a user for each registration (false: there is no
   such list); then those without any are dropped. */
dunlin_status dn_link_lists_load(dn_link_lists *lists, uint32_t number, dunlin_slice text);
bool dn_link_lists_load_user(dn_link_lists *lists, uint32_t number);
void dn_link_lists_loaded(dn_link_lists *lists);

#endif
