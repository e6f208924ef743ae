/* SPDX-License-Identifier: Apache-2.0 */
/* Events of the bootstrap server: through the news into the feed, and as JSON. */
#include "api/bootstrap_events.h"

#include "api/feed_item.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

static dn_bs_event step(char *endpoint, char *why)
{
    return (dn_bs_event){.kind = DN_BS_STEP,
                         .at_ms = 1700000000123,
                         .run = 12,
                         .endpoint = dunlin_slice_of(endpoint),
                         .address = "127.0.0.1:5000",
                         .transport = DN_TRANSPORT_DTLS,
                         .security = DN_SECURITY_PSK,
                         .version = 3,
                         .step = 2,
                         .steps = 8,
                         .operation = DN_BS_WRITE,
                         .path = dunlin_path_instance(0, 1),
                         .code = 2 << 5 | 4,
                         .took_ms = 7,
                         .why = why};
}

#define HOW                                                                                    \
    "\"time\":\"2023-11-14T22:13:20.123Z\",\"endpoint\":\"a\",\"address\":\"127.0.0.1:5000\"," \
    "\"transport\":\"dtls\",\"security\":\"psk\""

static void each_kind_says_what_it_has(void **state)
{
    (void)state;
    char endpoint[] = "a";
    char why[] = "";
    dn_bs_event working = step(endpoint, why);
    dn_bs_event finish = working;
    finish.operation = DN_BS_FINISH;
    finish.code = 0;
    dn_bs_event repairing = finish;
    repairing.kind = DN_BS_REPAIRING;
    repairing.code = 4 << 5 | 6;
    dn_bs_event refused = working;
    refused.kind = DN_BS_REFUSED;
    refused.run = 0;
    refused.code = 4 << 5 | 1;
    refused.why = "no \"configuration\"";
    dn_bs_event failed = working;
    failed.kind = DN_BS_FAILED;
    failed.step = 0;
    failed.why = "it left";
    failed.found = dunlin_slice_of("</>;lwm2m=1.1");
    dn_bs_event asked = working;
    asked.kind = DN_BS_REQUESTED;
    dn_bs_event own = asked;
    own.is_own = true;
    const struct {
        const dn_bs_event *event;
        const char *json;
    } table[] = {
        {&asked, "{\"id\":9,\"type\":\"bootstrap-requested\"," HOW
                 ",\"run\":12,\"by\":\"device\",\"version\":3,\"steps\":8}"},
        {&own, "{\"id\":9,\"type\":\"bootstrap-requested\"," HOW
               ",\"run\":12,\"by\":\"server\",\"version\":3,\"steps\":8}"},
        {&working,
         "{\"id\":9,\"type\":\"bootstrap-step\"," HOW ",\"run\":12,\"version\":3,\"steps\":8,\"step\":2,"
         "\"operation\":\"write\",\"path\":\"/0/1\",\"code\":\"2.04\",\"took_ms\":7}"},
        {&finish,
         "{\"id\":9,\"type\":\"bootstrap-step\"," HOW ",\"run\":12,\"version\":3,\"steps\":8,\"step\":2,"
         "\"operation\":\"finish\",\"code\":null,\"took_ms\":7}"},
        {&repairing, "{\"id\":9,\"type\":\"bootstrap-repairing\"," HOW
                     ",\"run\":12,\"version\":3,\"steps\":8,\"step\":2,\"operation\":\"finish\",\"code\":\"4."
                     "06\",\"took_ms\":7}"},
        {&refused, "{\"id\":9,\"type\":\"bootstrap-refused\"," HOW
                   ",\"code\":\"4.01\",\"why\":\"no \\\"configuration\\\"\"}"},
        {&failed, "{\"id\":9,\"type\":\"bootstrap-failed\"," HOW
                  ",\"run\":12,\"version\":3,\"steps\":8,\"why\":\"it left\",\"found\":\"</>;lwm2m=1.1\"}"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        dn_text text = {0};
        dn_bs_event_write(table[i].event, 9, &text);
        dn_text_char(&text, 0);
        assert_string_equal(text.data, table[i].json);
        dn_text_free(&text);
    }
}

static void suspend(void *context)
{
    (void)context;
}

static bool gone(void *context)
{
    (void)context;
    return false;
}

static void render(void *context, const dn_bs_event *event, uint64_t id, dn_text *text)
{
    (void)context;
    (void)id;
    dn_text_format(text, "%.*s %s", (int)event->endpoint.len, (const char *)event->endpoint.data, event->why);
}

static void they_reach_those_who_asked_for_them(void **state)
{
    (void)state;
    dn_feed *feed = dn_feed_create(1 << 16, 2, 1, (dn_feed_renderer){.render_bootstrap = render});
    dn_feed_filter filter = {.types = 1u << (DN_FEED_FLEET + DN_BS_STEP), .endpoint = dunlin_slice_of("a")};
    dn_feed_reader reader = {.suspend = suspend, .resume = suspend, .gone = gone};
    dn_feed_stream *stream = dn_feed_open(feed, &filter, &reader, 0);
    const int wake = eventfd(0, EFD_NONBLOCK);
    dn_bs_news news;
    char endpoint[] = "a";
    char why[] = "well";
    char got[512];
    dn_bs_news_init(&news);
    dn_bs_event event = step(endpoint, why);
    assert_true(dn_bs_news_put(&news, &event)); /* the pump sleeps */
    memset(why, 'x', 4);                        /* all was copied */
    endpoint[0] = 'b';
    assert_false(dn_bs_news_put(&news, &event));
    endpoint[0] = 'a';
    event.kind = DN_BS_FINISHED;
    assert_false(dn_bs_news_put(&news, &event));
    dn_bs_news_drain(&news, feed);
    assert_true(dn_bs_news_put(&news, &event)); /* and sleeps again */
    while (dn_feed_work(feed)) {
    }
    ssize_t len = dn_feed_read(stream, got, sizeof got - 1, wake, 0);
    assert_true(len > 0);
    got[len] = 0;
    assert_string_equal(got, "retry: 2000\n\nid: 1000\nevent: bootstrap-step\ndata: a well\n\n");
    dn_feed_shut(stream);
    dn_bs_news_destroy(&news);
    dn_feed_free(feed);
    close(wake);
}

/* Nobody takes them: what is lost is told. */
static void what_finds_no_room_is_a_gap(void **state)
{
    (void)state;
    dn_feed *feed = dn_feed_create(1 << 16, 2, 1, (dn_feed_renderer){.render_bootstrap = render});
    dn_feed_filter filter = {.types = 0};
    dn_feed_reader reader = {.suspend = suspend, .resume = suspend, .gone = gone};
    dn_feed_stream *stream = dn_feed_open(feed, &filter, &reader, 0);
    dn_bs_news news;
    char endpoint[] = "a";
    char why[] = "";
    char got[512];
    dn_bs_news_init(&news);
    dn_bs_event event = step(endpoint, why);
    for (unsigned i = 0; i < 65537; i++) {
        (void)dn_bs_news_put(&news, &event);
    }
    dn_bs_news_drain(&news, feed);
    ssize_t len = dn_feed_read(stream, got, sizeof got - 1, -1, 0);
    assert_true(len > 0);
    got[len] = 0;
    assert_non_null(strstr(got, "event: gap\n"));
    dn_feed_shut(stream);
    dn_bs_news_destroy(&news);
    dn_feed_free(feed);
}

static void types_have_names(void **state)
{
    (void)state;
    for (unsigned type = 0; type < DN_FEED_TYPES; type++) {
        unsigned back;
        assert_true(dn_feed_type_named(dunlin_slice_of(dn_feed_type_name(type)), &back));
        assert_int_equal(back, type);
    }
    assert_string_equal(dn_feed_type_name(DN_FEED_FLEET + DN_BS_NOT_ENROLLED), "enrolment-refused");
    assert_string_equal(dn_bs_operation_name(DN_BS_FINISH + 1), "other");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_says_what_it_has), cmocka_unit_test(they_reach_those_who_asked_for_them),
        cmocka_unit_test(what_finds_no_room_is_a_gap), cmocka_unit_test(types_have_names)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
