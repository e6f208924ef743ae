/* SPDX-License-Identifier: Apache-2.0 */
/* The feed of events; see feed.h. */
#include "api/feed.h"

#include "api/feed_item.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COMMENT_MS      15000u
#define RENDER_AHEAD    64u  /* events that a stream which catches up has rendered at once */
#define EVENT_BYTES_LOW 128u /* no event takes less: bounds the number of places */
#define PLACES_MIN      64u

struct dn_feed_stream {
    dn_feed *feed;
    dn_feed_stream *next;
    dn_feed_reader reader;
    unsigned types;
    char *endpoint;
    size_t endpoint_len;
    uint64_t cursor; /* the id to look at next */
    dn_text rest;    /* what did not fit into the reader's last buffer */
    size_t rest_at;
    uint64_t sent_ms;
    bool suspended, due, ended, gap;
};

struct dn_feed {
    pthread_mutex_t lock;
    dn_feed_renderer renderer;
    size_t places; /* a power of two */
    dn_feed_item **items;
    uint64_t first, end; /* ids kept: first <= id < end */
    size_t bytes, bytes_max;
    uint64_t wanted_from;
    size_t wanted;
    dn_feed_stream *streams;
    uint32_t max_streams;
    bool closed;
    dn_feed_counters counters;
};

dn_feed *dn_feed_create(uint32_t bytes, uint32_t max_streams, int64_t wall_ms, dn_feed_renderer renderer)
{
    dn_feed *feed = calloc(1, sizeof *feed);
    if (feed == NULL) {
        return NULL;
    }
    feed->places = PLACES_MIN;
    while (feed->places < bytes / EVENT_BYTES_LOW) {
        feed->places *= 2;
    }
    feed->items = calloc(feed->places, sizeof *feed->items);
    if (feed->items == NULL) {
        free(feed);
        return NULL;
    }
    pthread_mutex_init(&feed->lock, NULL);
    feed->renderer = renderer;
    feed->bytes_max = bytes;
    feed->max_streams = max_streams;
    feed->first = wall_ms > 0 ? (uint64_t)wall_ms * 1000 : 1;
    feed->end = feed->first;
    return feed;
}

static dn_feed_item **place_of(dn_feed *feed, uint64_t id)
{
    return &feed->items[id & (feed->places - 1)];
}

static void drop_first(dn_feed *feed)
{
    dn_feed_item **place = place_of(feed, feed->first);
    dn_feed_item *dropped = *place;
    feed->bytes -= dropped->bytes + dropped->text.cap;
    feed->wanted -= dropped->wanted;
    feed->counters.dropped++;
    dn_feed_item_free(dropped);
    *place = NULL;
    feed->first++;
}

void dn_feed_free(dn_feed *feed)
{
    if (feed == NULL) {
        return;
    }
    while (feed->first < feed->end) {
        drop_first(feed);
    }
    pthread_mutex_destroy(&feed->lock);
    free(feed->items);
    free(feed);
}

static bool matches(const dn_feed_stream *stream, const dn_feed_item *it)
{
    if (it->type == DN_EVENT_GAP) {
        return true;
    }
    if ((stream->types & 1u << it->type) == 0) {
        return false;
    }
    return stream->endpoint_len == 0 ||
           dunlin_slice_equal(it->endpoint, dunlin_slice_make(stream->endpoint, stream->endpoint_len));
}

static void want(dn_feed *feed, dn_feed_item *it, uint64_t id)
{
    if (it->wanted || it->text.len > 0) {
        return;
    }
    if (feed->wanted == 0 || id < feed->wanted_from) {
        feed->wanted_from = id;
    }
    it->wanted = true;
    feed->wanted++;
}

/* Lost: everybody is told at the place where it would stand. */
static void lose(dn_feed *feed)
{
    for (dn_feed_stream *stream = feed->streams; stream != NULL; stream = stream->next) {
        stream->gap = true;
    }
    feed->counters.dropped++;
}

/* Takes `made` over; NULL: there was no memory for it. */
static void append(dn_feed *feed, dn_feed_item *made)
{
    pthread_mutex_lock(&feed->lock);
    feed->counters.appended++;
    if (made == NULL) {
        lose(feed);
        pthread_mutex_unlock(&feed->lock);
        return;
    }
    while (feed->first < feed->end &&
           (feed->end - feed->first == feed->places || feed->bytes + made->bytes > feed->bytes_max)) {
        drop_first(feed);
    }
    uint64_t id = feed->end++;
    *place_of(feed, id) = made;
    feed->bytes += made->bytes;
    for (dn_feed_stream *stream = feed->streams; stream != NULL; stream = stream->next) {
        if (matches(stream, made)) {
            stream->due = true;
            want(feed, made, id);
        }
    }
    pthread_mutex_unlock(&feed->lock);
}

void dn_feed_append(dn_feed *feed, const dn_event *event)
{
    append(feed, dn_feed_item_of(event));
}

void dn_feed_append_bootstrap(dn_feed *feed, const dn_bs_event *event)
{
    append(feed, dn_feed_item_of_bootstrap(event));
}

void dn_feed_lost(dn_feed *feed)
{
    append(feed, NULL);
}

/* The next one that is to be rendered; only the pump's thread takes items away, so it stays while that thread renders it. */
static dn_feed_item *next_wanted(dn_feed *feed, uint64_t *id)
{
    if (feed->wanted == 0) {
        return NULL;
    }
    uint64_t at = feed->wanted_from < feed->first ? feed->first : feed->wanted_from;
    for (; at < feed->end; at++) {
        dn_feed_item *it = *place_of(feed, at);
        if (it->wanted) {
            feed->wanted_from = at + 1;
            *id = at;
            return it;
        }
    }
    feed->wanted = 0;
    return NULL;
}

static void resume_due(dn_feed *feed)
{
    for (dn_feed_stream *stream = feed->streams; stream != NULL; stream = stream->next) {
        if (stream->suspended && (stream->due || stream->ended)) {
            stream->suspended = false;
            stream->due = false;
            stream->reader.resume(stream->reader.context);
        }
    }
}

static void render(dn_feed *feed, const dn_feed_item *it, uint64_t id, dn_text *text)
{
    dn_text_format(text, "id: %llu\nevent: %s\ndata: ", (unsigned long long)id, dn_feed_type_name(it->type));
    if (it->type < DN_FEED_FLEET) {
        feed->renderer.render(feed->renderer.context, &it->as.fleet, id, text);
    } else {
        feed->renderer.render_bootstrap(feed->renderer.context, &it->as.bootstrap, id, text);
    }
    dn_text_add(text, "\n\n", 2);
}

bool dn_feed_work(dn_feed *feed)
{
    uint64_t id = 0;
    size_t done = 0;
    pthread_mutex_lock(&feed->lock);
    for (; done < RENDER_AHEAD; done++) {
        dn_feed_item *it = next_wanted(feed, &id);
        if (it == NULL) {
            break;
        }
        pthread_mutex_unlock(&feed->lock);
        dn_text text = {0};
        render(feed, it, id, &text);
        pthread_mutex_lock(&feed->lock);
        it->wanted = false;
        feed->wanted--;
        if (text.failed || text.len == 0) {
            dn_text_free(&text);
            dn_text_put(&text, ":\n\n"); /* no memory: a comment in its place */
        }
        it->text = text;
        feed->bytes += text.cap;
    }
    while (feed->bytes > feed->bytes_max && feed->end - feed->first > 1) {
        drop_first(feed);
    }
    resume_due(feed);
    bool more = feed->wanted > 0;
    pthread_mutex_unlock(&feed->lock);
    return more;
}

void dn_feed_tick(dn_feed *feed, uint64_t now_ms)
{
    pthread_mutex_lock(&feed->lock);
    for (dn_feed_stream *stream = feed->streams; stream != NULL; stream = stream->next) {
        if (stream->suspended && stream->reader.gone(stream->reader.context)) {
            stream->ended = true;
        }
        if (now_ms >= stream->sent_ms + COMMENT_MS) {
            dn_text_put(&stream->rest, ":\n\n");
            stream->sent_ms = now_ms;
            stream->due = true;
        }
    }
    resume_due(feed);
    pthread_mutex_unlock(&feed->lock);
}

void dn_feed_close(dn_feed *feed)
{
    pthread_mutex_lock(&feed->lock);
    feed->closed = true;
    for (dn_feed_stream *stream = feed->streams; stream != NULL; stream = stream->next) {
        stream->ended = true;
    }
    resume_due(feed);
    pthread_mutex_unlock(&feed->lock);
}

/* Where a stream begins: now, or behind the event its reader saw last. What is gone in between is a gap. */
static void place_cursor(dn_feed_stream *stream, const dn_feed_filter *filter)
{
    const dn_feed *feed = stream->feed;
    stream->cursor = feed->end;
    if (!filter->resume || filter->after + 1 == feed->end) {
        return;
    }
    bool kept = filter->after + 1 >= feed->first && filter->after < feed->end;
    stream->cursor = kept ? filter->after + 1 : filter->after < feed->first ? feed->first : feed->end;
    stream->gap = !kept;
}

dn_feed_stream *dn_feed_open(dn_feed *feed, const dn_feed_filter *filter, const dn_feed_reader *reader,
                             uint64_t now_ms)
{
    dn_feed_stream *stream = calloc(1, sizeof *stream);
    char *endpoint = malloc(filter->endpoint.len + 1);
    pthread_mutex_lock(&feed->lock);
    if (stream == NULL || endpoint == NULL || feed->closed || feed->counters.streams >= feed->max_streams) {
        pthread_mutex_unlock(&feed->lock);
        free(endpoint);
        free(stream);
        return NULL;
    }
    stream->feed = feed;
    stream->reader = *reader;
    stream->types = filter->types;
    stream->endpoint = endpoint;
    stream->endpoint_len = filter->endpoint.len;
    if (filter->endpoint.len > 0) {
        memcpy(endpoint, filter->endpoint.data, filter->endpoint.len);
    }
    stream->sent_ms = now_ms;
    /* Something at once, so that the reader knows that it is connected. */
    dn_text_put(&stream->rest, "retry: 2000\n\n");
    place_cursor(stream, filter);
    stream->next = feed->streams;
    feed->streams = stream;
    feed->counters.streams++;
    feed->counters.opened++;
    pthread_mutex_unlock(&feed->lock);
    return stream;
}

void dn_feed_shut(dn_feed_stream *stream)
{
    dn_feed *feed = stream->feed;
    pthread_mutex_lock(&feed->lock);
    dn_feed_stream **link = &feed->streams;
    while (*link != stream) {
        link = &(*link)->next;
    }
    *link = stream->next;
    feed->counters.streams--;
    pthread_mutex_unlock(&feed->lock);
    dn_text_free(&stream->rest);
    free(stream->endpoint);
    free(stream);
}

typedef struct {
    char *data;
    size_t len, size;
} output;

/* Copies what fits; the rest waits in the stream. */
static void give(dn_feed_stream *stream, output *out, const char *bytes, size_t len)
{
    size_t now = len < out->size - out->len ? len : out->size - out->len;
    memcpy(out->data + out->len, bytes, now);
    out->len += now;
    dn_text_add(&stream->rest, bytes + now, len - now);
}

static void give_rest(dn_feed_stream *stream, output *out)
{
    size_t left = stream->rest.len - stream->rest_at;
    size_t now = left < out->size - out->len ? left : out->size - out->len;
    if (now > 0) {
        memcpy(out->data + out->len, stream->rest.data + stream->rest_at, now);
        out->len += now;
        stream->rest_at += now;
    }
    if (stream->rest_at == stream->rest.len) {
        dn_text_free(&stream->rest);
        stream->rest_at = 0;
    }
}

/* The id of a gap is that of the last event that is gone, so that resuming behind it loses nothing more. */
static void give_gap(dn_feed_stream *stream, output *out)
{
    dn_text text = {0};
    unsigned long long id = stream->cursor - 1;
    dn_text_format(&text, "id: %llu\nevent: gap\ndata: {\"id\":%llu,\"type\":\"gap\",\"lost\":true}\n\n", id,
                   id);
    if (!text.failed) {
        give(stream, out, text.data, text.len);
    }
    dn_text_free(&text);
}

/* Has the events from the cursor on rendered by the pump. */
static void ask(dn_feed_stream *stream, int wake)
{
    dn_feed *feed = stream->feed;
    size_t asked = 0;
    for (uint64_t id = stream->cursor; id < feed->end && asked < RENDER_AHEAD; id++) {
        dn_feed_item *it = *place_of(feed, id);
        if (matches(stream, it)) {
            want(feed, it, id);
            asked++;
        }
    }
    stream->due = true;
    uint64_t one = 1;
    ssize_t written = write(wake, &one, sizeof one);
    (void)written; /* it fails only when the counter is full: the pump then wakes anyway */
}

static void give_events(dn_feed_stream *stream, output *out, int wake)
{
    dn_feed *feed = stream->feed;
    while (out->len < out->size && stream->rest.len == 0) {
        if (stream->cursor < feed->first) {
            stream->cursor = feed->first;
            stream->gap = true;
        }
        if (stream->gap) {
            stream->gap = false;
            give_gap(stream, out);
            continue;
        }
        if (stream->cursor == feed->end) {
            return;
        }
        dn_feed_item *it = *place_of(feed, stream->cursor);
        if (matches(stream, it)) {
            if (it->text.len == 0) {
                ask(stream, wake);
                return;
            }
            give(stream, out, it->text.data, it->text.len);
        }
        stream->cursor++;
    }
}

ssize_t dn_feed_read(dn_feed_stream *stream, char *data, size_t size, int wake, uint64_t now_ms)
{
    dn_feed *feed = stream->feed;
    output out = {.data = data, .size = size};
    pthread_mutex_lock(&feed->lock);
    bool over = stream->ended || stream->rest.failed;
    if (!over) {
        give_rest(stream, &out);
        give_events(stream, &out, wake);
        if (out.len == 0) {
            stream->suspended = true;
            stream->reader.suspend(stream->reader.context);
        } else {
            stream->sent_ms = now_ms;
        }
    }
    pthread_mutex_unlock(&feed->lock);
    return over ? -1 : (ssize_t)out.len;
}

void dn_feed_count(dn_feed *feed, dn_feed_counters *counters)
{
    pthread_mutex_lock(&feed->lock);
    *counters = feed->counters;
    counters->kept_bytes = feed->bytes;
    pthread_mutex_unlock(&feed->lock);
}
