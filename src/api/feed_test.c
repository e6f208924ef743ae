/* SPDX-License-Identifier: Apache-2.0 */
/* The feed of events, with readers that only note that they were suspended and resumed. */
#include "api/feed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#define BASE 5000000u /* the first id of a feed made at 5000 ms */

typedef struct {
    dn_feed *feed;
    dn_feed_stream *stream;
    int suspended, resumed;
    bool gone;
    int wake;
    char got[4096];
} rig;

static void suspend(void *context)
{
    ((rig *)context)->suspended++;
}

static void resume(void *context)
{
    ((rig *)context)->resumed++;
}

static bool gone(void *context)
{
    return ((rig *)context)->gone;
}

static void render(void *context, const dn_event *event, uint64_t id, dn_text *text)
{
    (void)context;
    dn_text_format(text, "%.*s%llu", (int)event->client.endpoint.len,
                   (const char *)event->client.endpoint.data, (unsigned long long)(id - BASE));
}

static dn_feed *make_feed(uint32_t bytes)
{
    dn_feed *feed = dn_feed_create(bytes, 2, 5000, (dn_feed_renderer){.render = render});
    assert_non_null(feed);
    return feed;
}

static void open_stream(rig *r, dn_feed *feed, dn_feed_filter filter)
{
    *r = (rig){.feed = feed, .wake = eventfd(0, EFD_NONBLOCK)};
    dn_feed_reader reader = {.suspend = suspend, .resume = resume, .gone = gone, .context = r};
    r->stream = dn_feed_open(feed, &filter, &reader, 0);
    assert_non_null(r->stream);
}

static void close_stream(rig *r)
{
    dn_feed_shut(r->stream);
    close(r->wake);
}

static void append(dn_feed *feed, dn_event_type type, const char *endpoint)
{
    dn_event event = {.type = type, .client = {.endpoint = dunlin_slice_of(endpoint)}};
    dn_feed_append(feed, &event);
}

/* All that the stream has now, rendering as the pump would. */
static const char *drain(rig *r, size_t block)
{
    size_t len = 0;
    for (;;) {
        ssize_t got = dn_feed_read(r->stream, r->got + len, block, r->wake, 0);
        if (got < 0) {
            strcpy(r->got + len, "END");
            return r->got;
        }
        if (got == 0) {
            int before = r->resumed;
            while (dn_feed_work(r->feed)) {
            }
            if (r->resumed == before) {
                break;
            }
        }
        len += (size_t)got;
        assert_true(len + block < sizeof r->got);
    }
    r->got[len] = 0;
    return r->got;
}

#define HEAD "retry: 2000\n\n"

static void events_come_in_order(void **state)
{
    (void)state;
    dn_feed *feed = make_feed(1 << 20);
    rig r;
    append(feed, DN_EVENT_REGISTERED, "early");
    open_stream(&r, feed, (dn_feed_filter){.types = ~0u});
    assert_string_equal(drain(&r, 100), HEAD);
    append(feed, DN_EVENT_REGISTERED, "a");
    append(feed, DN_EVENT_UPDATED, "b");
    while (dn_feed_work(feed)) {
    }
    assert_int_equal(r.suspended - r.resumed, 0);
    static const char wanted[] =
        "id: 5000001\nevent: registered\ndata: a1\n\nid: 5000002\nevent: updated\ndata: b2\n\n";
    assert_string_equal(drain(&r, 100), wanted);
    for (size_t block = 1; block < 50; block += 7) { /* cut anywhere */
        rig again;
        open_stream(&again, feed, (dn_feed_filter){.types = ~0u, .resume = true, .after = BASE});
        drain(&again, block);
        assert_int_equal(strncmp(again.got, HEAD, strlen(HEAD)), 0);
        assert_string_equal(again.got + strlen(HEAD), wanted);
        close_stream(&again);
    }
    close_stream(&r);
    dn_feed_free(feed);
}

static void a_stream_resumes(void **state)
{
    (void)state;
    dn_feed *feed = make_feed(1 << 20);
    rig r;
    for (int i = 0; i < 5; i++) {
        append(feed, DN_EVENT_UPDATED, "e");
    }
    open_stream(&r, feed, (dn_feed_filter){.types = ~0u, .resume = true, .after = BASE + 2});
    assert_string_equal(drain(&r, 9), HEAD
                        "id: 5000003\nevent: updated\ndata: e3\n\nid: 5000004\nevent: updated\ndata: e4\n\n");
    close_stream(&r);
    open_stream(&r, feed, (dn_feed_filter){.types = ~0u, .resume = true, .after = BASE + 4});
    assert_string_equal(drain(&r, 100), HEAD);
    close_stream(&r);
    dn_feed_free(feed);
}

static void filters(void **state)
{
    (void)state;
    dn_feed *feed = make_feed(1 << 20);
    rig r;
    open_stream(&r, feed,
                (dn_feed_filter){.types = 1u << DN_EVENT_EXPIRED, .endpoint = dunlin_slice_of("me")});
    append(feed, DN_EVENT_EXPIRED, "you");
    append(feed, DN_EVENT_UPDATED, "me");
    append(feed, DN_EVENT_EXPIRED, "me");
    append(feed, DN_EVENT_GAP, "");
    assert_string_equal(drain(&r, 100), HEAD
                        "id: 5000002\nevent: expired\ndata: me2\n\nid: 5000003\nevent: gap\ndata: 3\n\n");
    close_stream(&r);
    dn_feed_free(feed);
}

static void what_is_gone_is_a_gap(void **state)
{
    (void)state;
    static const uint64_t lost[] = {0, BASE - 2, BASE + 100, UINT64_MAX};
    dn_feed *feed = make_feed(1 << 20);
    rig r;
    append(feed, DN_EVENT_UPDATED, "e");
    for (size_t i = 0; i < sizeof lost / sizeof lost[0]; i++) {
        open_stream(&r, feed, (dn_feed_filter){.types = ~0u, .resume = true, .after = lost[i]});
        assert_non_null(strstr(drain(&r, 100), "event: gap\n"));
        close_stream(&r);
    }
    open_stream(&r, feed, (dn_feed_filter){.types = ~0u, .resume = true, .after = BASE - 1});
    assert_null(strstr(drain(&r, 100), "event: gap\n"));
    close_stream(&r);
    dn_feed_free(feed);
}

static void a_slow_reader_gets_a_gap_and_the_newest(void **state)
{
    (void)state;
    dn_feed *feed = make_feed(4096);
    dn_feed_counters counters;
    rig r;
    open_stream(&r, feed, (dn_feed_filter){.types = ~0u});
    for (int i = 0; i < 1000; i++) {
        append(feed, DN_EVENT_UPDATED, "some-endpoint");
        while (i % 3 == 0 && dn_feed_work(feed)) {
        }
    }
    dn_feed_count(feed, &counters);
    assert_true(counters.kept_bytes <= 4096);
    assert_true(counters.dropped > 900);
    const char *got = drain(&r, 200);
    assert_non_null(strstr(got, "event: gap\n"));
    assert_non_null(strstr(got, "some-endpoint999\n"));
    assert_null(strstr(strstr(got, "event: gap") + 1, "event: gap"));
    close_stream(&r);
    dn_feed_free(feed);
}

static void silence_is_broken_by_comments(void **state)
{
    (void)state;
    dn_feed *feed = make_feed(1 << 20);
    rig r;
    open_stream(&r, feed, (dn_feed_filter){.types = ~0u});
    drain(&r, 100);
    dn_feed_tick(feed, 14999);
    assert_int_equal(r.resumed, 0);
    dn_feed_tick(feed, 15000);
    assert_int_equal(r.resumed, 1);
    assert_string_equal(drain(&r, 100), ":\n\n");
    close_stream(&r);
    dn_feed_free(feed);
}

static void a_reader_that_left_is_ended(void **state)
{
    (void)state;
    dn_feed *feed = make_feed(1 << 20);
    rig r;
    open_stream(&r, feed, (dn_feed_filter){.types = ~0u});
    drain(&r, 100);
    r.gone = true;
    dn_feed_tick(feed, 1);
    assert_int_equal(r.resumed, 1);
    assert_string_equal(drain(&r, 100), "END");
    close_stream(&r);
    dn_feed_free(feed);
}

static void closing_ends_all(void **state)
{
    (void)state;
    dn_feed *feed = make_feed(1 << 20);
    rig r[2];
    dn_feed_filter filter = {.types = ~0u};
    dn_feed_reader reader = {.suspend = suspend, .resume = resume, .gone = gone, .context = &r[0]};
    open_stream(&r[0], feed, filter);
    open_stream(&r[1], feed, filter);
    assert_null(dn_feed_open(feed, &filter, &reader, 0)); /* two at most */
    drain(&r[0], 100);
    dn_feed_close(feed);
    assert_int_equal(r[0].resumed, 1);
    assert_string_equal(drain(&r[0], 100), "END");
    assert_string_equal(drain(&r[1], 100), "END");
    close_stream(&r[0]);
    assert_null(dn_feed_open(feed, &filter, &reader, 0));
    close_stream(&r[1]);
    dn_feed_free(feed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(events_come_in_order),
                                       cmocka_unit_test(a_stream_resumes),
                                       cmocka_unit_test(filters),
                                       cmocka_unit_test(what_is_gone_is_a_gap),
                                       cmocka_unit_test(a_slow_reader_gets_a_gap_and_the_newest),
                                       cmocka_unit_test(silence_is_broken_by_comments),
                                       cmocka_unit_test(a_reader_that_left_is_ended),
                                       cmocka_unit_test(closing_ends_all)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
