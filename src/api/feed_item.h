/* SPDX-License-Identifier: Apache-2.0 */
/* An event as the feed keeps it: a copy with all that it views, and its text once a stream has wanted it. */
#ifndef DN_API_FEED_ITEM_H
#define DN_API_FEED_ITEM_H

#include "api/text.h"
#include "bootstrap/engine.h"
#include "server/fleet.h"

/* Events of both kinds are counted as one sequence of types. */
#define DN_FEED_FLEET     9u /* of dn_event_type */
#define DN_FEED_BOOTSTRAP 8u /* of dn_bs_event_kind, counted on from those of the fleet */
#define DN_FEED_TYPES     (DN_FEED_FLEET + DN_FEED_BOOTSTRAP)

typedef struct {
    union { /* its views lie behind this structure */
        dn_event fleet;
        dn_bs_event bootstrap;
    } as;
    unsigned type;
    bool wanted; /* it is to be rendered */
    dunlin_slice endpoint;
    size_t bytes;
    dn_text text; /* the rendered block; empty: not yet */
} dn_feed_item;

/* NULL: no memory. */
dn_feed_item *dn_feed_item_of(const dn_event *event);
dn_feed_item *dn_feed_item_of_bootstrap(const dn_bs_event *event);
void dn_feed_item_free(dn_feed_item *item);

/* "registered" … "gap", "bootstrap-refused" … "enrolment-refused", and the way back. */
const char *dn_feed_type_name(unsigned type);
bool dn_feed_type_named(dunlin_slice name, unsigned *type);

#endif
