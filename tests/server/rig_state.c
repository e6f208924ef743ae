/* SPDX-License-Identifier: Apache-2.0 */
/* Loads a snapshot of the store into a text, and adds the views. */
#include "tests/server/rig_state.h"

#include "store/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define TEXT_MAX (1u << 17)

typedef struct {
    char *text;
    size_t len;
} writer;

static void add(writer *w, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(w->text + w->len, TEXT_MAX - w->len, format, args);
    va_end(args);
    assert_true(len >= 0 && w->len + (size_t)len < TEXT_MAX);
    w->len += (size_t)len;
}

static void add_bytes(writer *w, const char *name, dunlin_slice bytes)
{
    add(w, " %s=", name);
    for (size_t i = 0; i < bytes.len; i++) {
        bool plain = bytes.data[i] > ' ' && bytes.data[i] < 0x7f && bytes.data[i] != '%';
        add(w, plain ? "%c" : "%%%02x", bytes.data[i]);
    }
}

static void add_path(writer *w, dunlin_path path)
{
    char text[DUNLIN_PATH_TEXT_MAX + 1];
    (void)dunlin_path_format(path, text);
    add(w, " path=%s", text);
}

static dunlin_status links(void *context, uint32_t number, dunlin_slice text)
{
    add(context, "links %u", (unsigned)number);
    add_bytes(context, "text", text);
    add(context, "\n");
    return DUNLIN_OK;
}

static dunlin_status registration(void *context, const dn_store_registration *record)
{
    writer *w = context;
    add(w, "registration %u id=%llx lt=%u at=%lld updated=%lld links=%u %u.%u b=%u flags=%u",
        (unsigned)record->slot, (unsigned long long)record->id, (unsigned)record->lifetime_s,
        (long long)record->registered_ms, (long long)record->updated_ms, (unsigned)record->links,
        record->version_major, record->version_minor, record->binding, record->flags);
    add_bytes(w, "endpoint", record->endpoint);
    add_bytes(w, "sms", record->sms);
    add_bytes(w, "peer", dunlin_slice_make(record->peer.bytes, record->peer.len));
    add(w, "\n");
    return DUNLIN_OK;
}

static dunlin_status observation(void *context, const dn_store_observation *record)
{
    writer *w = context;
    add(w, "observation %u format=%u since=%lld token=%llx", (unsigned)record->number, record->format,
        (long long)record->since_ms, (unsigned long long)record->token);
    add_path(w, record->path);
    add_bytes(w, "endpoint", record->endpoint);
    add_bytes(w, "paths", record->paths);
    add(w, "\n");
    return DUNLIN_OK;
}

static dunlin_status value(void *context, const dn_store_value *record)
{
    writer *w = context;
    add(w, "value %u at=%lld code=%u format=%u", (unsigned)record->observation,
        (long long)record->received_ms, record->code, record->format);
    add_bytes(w, "payload", record->payload);
    add(w, "\n");
    return DUNLIN_OK;
}

static dunlin_status request(void *context, const dn_store_request *record)
{
    writer *w = context;
    add(w, "request %u id=%llu method=%u format=%u accept=%u at=%lld until=%lld state=%u attempts=%u",
        (unsigned)record->number, (unsigned long long)record->id, record->method, record->content_format,
        record->accept, (long long)record->created_ms, (long long)record->expires_ms, record->progress.state,
        (unsigned)record->progress.attempts);
    add_path(w, record->path);
    add_bytes(w, "endpoint", record->endpoint);
    add_bytes(w, "body", record->body);
    add(w, "\n");
    return DUNLIN_OK;
}

static dunlin_status request_ids(void *context, uint64_t bound)
{
    add(context, "requests below %llu\n", (unsigned long long)bound);
    return DUNLIN_OK;
}

static void add_shown(writer *w, rig *r, const char *endpoint)
{
    rig_client client = rig_get(r, endpoint);
    rig_observations all = rig_observations_of(r, endpoint);
    add(w, "shown %s %s %s %s %d %u %lld %lld %lld %s %s", client.endpoint, client.id, client.address,
        client.binding, client.queue_mode, (unsigned)client.lifetime_s, (long long)client.registered_ms,
        (long long)client.updated_ms, (long long)client.expires_ms, client.sms, client.links);
    add(w, " presence=%d queued=%u\n", (int)client.presence, (unsigned)client.queued);
    for (size_t i = 0; i < all.count; i++) {
        add(w, "  observed %s %d %d %u %s\n", all.list[i].path, (int)all.list[i].state, all.list[i].has_last,
            all.list[i].code, all.list[i].text);
    }
}

char *rig_state(rig *r)
{
    writer w = {.text = malloc(TEXT_MAX)};
    assert_non_null(w.text);
    w.text[0] = '\0';
    const dn_store_loader loader = {.links = links,
                                    .registration = registration,
                                    .observation = observation,
                                    .value = value,
                                    .request = request,
                                    .request_ids = request_ids,
                                    .context = &w};
    dn_store *store = dn_memory_store_snapshot(r->store);
    assert_non_null(store);
    assert_int_equal(store->ops->load(store, &loader), DUNLIN_OK);
    store->ops->close(store);
    const rig_page *page = rig_list(r, 0, 1000, "");
    for (size_t i = 0; i < page->count; i++) {
        add_shown(&w, r, page->names[i]);
    }
    dn_fleet_counters counters = rig_count(r);
    add(&w, "%llu registrations, %llu observations, %llu lists, %llu events\n",
        (unsigned long long)counters.registrations, (unsigned long long)counters.observations,
        (unsigned long long)counters.link_lists, (unsigned long long)counters.events);
    return w.text;
}
