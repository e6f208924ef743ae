/* SPDX-License-Identifier: Apache-2.0 */
/* Commands of the durable queue, run through the rig's shard. */
#include "tests/server/rig_queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void take_text(char *out, size_t size, dunlin_slice text)
{
    size_t len = text.len < size ? text.len : size - 1;
    if (len > 0) {
        memcpy(out, text.data, len);
    }
    out[len] = '\0';
}

static void take_view(rig_queued *out, const dn_queued_view *view)
{
    out->found = view != NULL;
    if (view == NULL) {
        return;
    }
    out->id = view->id;
    out->state = view->state;
    out->method = view->ask.method;
    out->auto_accept = view->ask.auto_accept;
    out->content_format = view->ask.content_format;
    out->accept = view->ask.accept;
    out->code = view->code;
    out->format = view->content_format;
    out->created_ms = view->created_ms;
    out->expires_ms = view->expires_ms;
    out->ended_ms = view->ended_ms;
    out->attempts = view->attempts;
    out->status = view->status;
    out->payload_len = view->payload.len;
    take_text(out->endpoint, sizeof out->endpoint, view->ask.endpoint);
    (void)dunlin_path_format(view->ask.path, out->path);
    take_text(out->query, sizeof out->query, view->ask.query);
    take_text(out->package, sizeof out->package, view->ask.package);
    take_text(out->body, sizeof out->body, view->ask.payload);
    take_text(out->payload, sizeof out->payload, view->payload);
    take_text(out->location, sizeof out->location, view->location);
}

static void on_queued(void *context, dunlin_status status, const dn_queued_view *view)
{
    rig_queued *out = context;
    assert_false(out->done);
    out->done = true;
    out->call = status;
    take_view(out, view);
}

static dn_command *make(dn_command_kind kind, const dn_device_request *ask, void *context)
{
    dn_command *command = dn_command_create(kind, ask);
    assert_non_null(command);
    command->context = context;
    return command;
}

rig_queued rig_enqueue(rig *r, const dn_device_request *ask, uint32_t expires_s)
{
    rig_queued out = {.done = false};
    dn_command *command = make(DN_COMMAND_ENQUEUE, ask, &out);
    command->expires_s = expires_s;
    command->done.queued = on_queued;
    rig_submit(r, command);
    assert_true(out.done);
    return out;
}

uint64_t rig_enqueue_text(rig *r, const char *endpoint, uint8_t method, const char *path, const char *text)
{
    dn_device_request ask = {.endpoint = dunlin_slice_of(endpoint),
                             .method = method,
                             .content_format = text != NULL ? 0 : DN_COAP_NO_FORMAT,
                             .accept = DN_COAP_NO_FORMAT,
                             .payload = dunlin_slice_of(text)};
    assert_int_equal(dunlin_path_parse(dunlin_slice_of(path), &ask.path), DUNLIN_OK);
    rig_queued out = rig_enqueue(r, &ask, 0);
    assert_int_equal(out.call, DUNLIN_OK);
    assert_true(out.found);
    return out.id;
}

rig_queued rig_dequeue(rig *r, uint64_t id)
{
    const dn_device_request none = {.method = 0};
    rig_queued out = {.done = false};
    dn_command *command = make(DN_COMMAND_DEQUEUE, &none, &out);
    command->number = id;
    command->done.queued = on_queued;
    rig_submit(r, command);
    assert_true(out.done);
    return out;
}

void rig_post_await(rig *r, uint64_t id, uint32_t timeout_ms, rig_queued *out)
{
    const dn_device_request ask = {.timeout_ms = timeout_ms};
    *out = (rig_queued){.done = false};
    dn_command *command = make(DN_COMMAND_AWAIT, &ask, out);
    command->number = id;
    command->done.queued = on_queued;
    rig_submit(r, command);
}

rig_queued rig_queued_of(rig *r, uint64_t id)
{
    rig_queued out;
    rig_post_await(r, id, 0, &out);
    assert_true(out.done && out.found);
    assert_true(out.id == id);
    return out;
}

dn_queued_state rig_state_of(rig *r, uint64_t id)
{
    return rig_queued_of(r, id).state;
}

static void on_page(void *context, const dn_queued_page *page)
{
    rig_queue_page *out = context;
    out->count = page->count;
    out->next = page->next;
    assert_true(page->count <= sizeof out->list / sizeof out->list[0]);
    for (size_t i = 0; i < page->count; i++) {
        take_view(&out->list[i], &page->requests[i]);
        assert_int_equal(page->requests[i].ask.payload.len, 0);
        assert_int_equal(page->requests[i].payload.len, 0);
    }
}

rig_queue_page *rig_queue(rig *r, const char *endpoint, uint64_t after, uint32_t limit)
{
    static rig_queue_page page;
    const dn_device_request ask = {.endpoint = dunlin_slice_of(endpoint)};
    page = (rig_queue_page){.count = SIZE_MAX};
    dn_command *command = make(DN_COMMAND_QUEUE, &ask, &page);
    command->after = after;
    command->limit = limit;
    command->done.queue = on_page;
    rig_submit(r, command);
    assert_true(page.count != SIZE_MAX);
    return &page;
}

dn_event rig_expect_request(rig *r, uint64_t id, dn_queued_state state)
{
    dn_event event;
    do {
        assert_true(rig_next_event(r, &event));
    } while (event.type != DN_EVENT_REQUEST);
    if (event.request.id != id || event.request.state != state) {
        fail_msg("an event of request %llu in state %d, not of %llu in %d",
                 (unsigned long long)event.request.id, (int)event.request.state, (unsigned long long)id,
                 (int)state);
    }
    return event;
}

void rig_expect_no_request(rig *r)
{
    dn_event event;
    while (rig_next_event(r, &event)) {
        assert_int_not_equal(event.type, DN_EVENT_REQUEST);
    }
}
