/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The feed of events for those who listen on /events. The pump thread takes events from the fleet and appends them; they are kept as they came
 * (a copy of their bytes) and turned into text only when a stream wants them, so that a fleet nobody watches costs little. Ids grow
 * over restarts: they begin at the wall clock's milliseconds times 1000.
 *
 * Threads: the pump appends and renders; HTTP threads read through streams. One lock guards all.
 */
#ifndef DN_API_FEED_H
#define DN_API_FEED_H

#include "api/text.h"
#include "bootstrap/engine.h"
#include "server/fleet.h"

#include <sys/types.h>

typedef struct dn_feed dn_feed;
typedef struct dn_feed_stream dn_feed_stream;

/* What a stream wants to see. */
typedef struct {
    unsigned types;        /* a bit for each type; GAP is always seen */
    dunlin_slice endpoint; /* empty: all; copied */
    bool resume;           /* from `after` on, else from now on */
    uint64_t after;
} dn_feed_filter;

typedef struct {
    /* Called under the feed's lock: the stream's connection is to stop and to go on being asked for bytes. */
    void (*suspend)(void *context);
    void (*resume)(void *context);
    /* True when the peer hung up. */
    bool (*gone)(void *context);
    void *context;
} dn_feed_reader;

typedef struct {
    /* Writes the event's JSON object into `text`. Runs on the pump's thread without the lock. */
    void (*render)(void *context, const dn_event *event, uint64_t id, dn_text *text);
    /* The same of one of the bootstrap server; NULL: there are none. */
    void (*render_bootstrap)(void *context, const dn_bs_event *event, uint64_t id, dn_text *text);
    void *context;
} dn_feed_renderer;

typedef struct {
    uint64_t appended, dropped, streams, opened, kept_bytes;
} dn_feed_counters;

/* `bytes`: what may be kept. NULL: no memory. */
dn_feed *dn_feed_create(uint32_t bytes, uint32_t max_streams, int64_t wall_ms, dn_feed_renderer renderer);
void dn_feed_free(dn_feed *feed); /* no stream may be open */

/* The pump's side. Views are copied. */
void dn_feed_append(dn_feed *feed, const dn_event *event);
void dn_feed_append_bootstrap(dn_feed *feed, const dn_bs_event *event);
/* Something was lost on its way here: every reader is told, where it would stand. */
void dn_feed_lost(dn_feed *feed);
/* Renders what streams wait for and wakes them. True: there is more to do. */
bool dn_feed_work(dn_feed *feed);
/* Sends a comment line on streams that were silent for long, ends those whose peer is gone. */
void dn_feed_tick(dn_feed *feed, uint64_t now_ms);
/* Ends all streams, resuming those that are suspended; no new one is let in. */
void dn_feed_close(dn_feed *feed);

/* A reader's side. NULL: too many streams, or closed. */
dn_feed_stream *dn_feed_open(dn_feed *feed, const dn_feed_filter *filter, const dn_feed_reader *reader,
                             uint64_t now_ms);
void dn_feed_shut(dn_feed_stream *stream);
/* Fills `out`; 0: nothing now, the reader was suspended; -1: the end. `wake` is an eventfd to signal when the pump must render. */
ssize_t dn_feed_read(dn_feed_stream *stream, char *out, size_t size, int wake, uint64_t now_ms);

void dn_feed_count(dn_feed *feed, dn_feed_counters *counters);

#endif
