/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the bootstrap server tells, on its way from its thread to the pump's, and as the JSON object of an SSE block. The bootstrap server never
 * waits for a reader: what finds no room here is lost, and the feed's readers are told that something is.
 */
#ifndef DN_API_BOOTSTRAP_EVENTS_H
#define DN_API_BOOTSTRAP_EVENTS_H

#include "api/feed.h"
#include "api/text.h"
#include "bootstrap/engine.h"

#include <pthread.h>

typedef struct dn_bs_tiding dn_bs_tiding;

/* Guarded by its lock. */
typedef struct {
    pthread_mutex_t lock;
    dn_bs_tiding *first, *last;
    size_t count;
    bool lost;
} dn_bs_news;

void dn_bs_news_init(dn_bs_news *news);
void dn_bs_news_destroy(dn_bs_news *news);
/* Copies `event`. True: it is the first one there, the pump must be woken. */
bool dn_bs_news_put(dn_bs_news *news, const dn_bs_event *event);
/* Moves all that is there into the feed: the pump's side. */
void dn_bs_news_drain(dn_bs_news *news, dn_feed *feed);

/* Writes one object in one line. */
void dn_bs_event_write(const dn_bs_event *event, uint64_t id, dn_text *text);
/* "discover", "read", "write", "delete", "finish". */
const char *dn_bs_operation_name(unsigned operation);

#endif
