/* SPDX-License-Identifier: Apache-2.0 */
/* Filling in what is shown. */
#include "server/view.h"

#include "bearer/udp.h"

static int64_t expires_at(int64_t updated_ms, uint32_t lifetime_s)
{
    return lifetime_s == 0 ? INT64_MAX : updated_ms + (int64_t)lifetime_s * 1000;
}

void dn_view_record(const dn_registrations *table, uint32_t slot, dn_event_type type, int64_t at_ms,
                    dn_event_record *record)
{
    const dn_registration *registration = dn_registrations_at(table, slot);
    *record = (dn_event_record){.type = (uint8_t)type,
                                .at_ms = at_ms,
                                .id = registration->id,
                                .registered_ms = registration->registered_ms,
                                .updated_ms = registration->updated_ms,
                                .lifetime_s = registration->lifetime_s,
                                .peer = registration->peer,
                                .version_major = registration->version_major,
                                .version_minor = registration->version_minor,
                                .binding = registration->binding,
                                .flags = registration->flags,
                                .endpoint = dn_registration_endpoint(table, registration),
                                .sms = dn_registration_sms(table, registration)};
}

static void fill(const dn_event_record *record, dn_peer_text *text, dn_client_view *view)
{
    *view = (dn_client_view){.endpoint = record->endpoint,
                             .transport = (uint8_t)dn_peer_transport(&record->peer),
                             .security = (uint8_t)dn_registration_security(record->flags),
                             .version_major = record->version_major,
                             .version_minor = record->version_minor,
                             .queue_mode = (record->flags & DN_REGISTRATION_QUEUE_MODE) != 0,
                             .lifetime_s = record->lifetime_s,
                             .registered_ms = record->registered_ms,
                             .updated_ms = record->updated_ms,
                             .expires_ms = expires_at(record->updated_ms, record->lifetime_s),
                             .sms = record->sms,
                             .presence = record->presence,
                             .seen_ms = record->seen_ms,
                             .queued = record->queued};
    dn_registration_id_format(record->id, view->id);
    dn_binding_text(record->binding, view->binding);
    text(&record->peer, view->address, sizeof view->address);
    (void)dn_udp_peer_local_text(&record->peer, view->local);
}

void dn_view_client(const dn_registrations *table, uint32_t slot, dn_peer_text *text, dn_client_view *view)
{
    dn_event_record record;
    dn_view_record(table, slot, DN_EVENT_REGISTERED, 0, &record);
    fill(&record, text, view);
    view->links = dn_link_lists_text(&table->lists, dn_registrations_at(table, slot)->links);
}

/* The structure, whose slices tell lengths only, and the texts behind it. */
dunlin_slice dn_view_pack_request(const dn_queued_view *view, void *out, size_t size)
{
    dn_queued_view head = *view;
    const dunlin_slice texts[] = {view->ask.query, view->ask.package, view->location};
    uint8_t *bytes = out;
    size_t len = sizeof head;
    head.ask.payload = head.payload = dunlin_slice_make(NULL, 0);
    memcpy(bytes, &head, sizeof head);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (texts[i].len > 0 && texts[i].len <= size - len) {
            memcpy(bytes + len, texts[i].data, texts[i].len);
            len += texts[i].len;
        }
    }
    return dunlin_slice_make(bytes, len);
}

static void unpack_request(const dn_event_record *record, dn_queued_view *view)
{
    memcpy(view, record->body.data, sizeof *view);
    const uint8_t *at = record->body.data + sizeof *view;
    dunlin_slice *texts[] = {&view->ask.query, &view->ask.package, &view->location};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        texts[i]->data = at;
        at += texts[i]->len;
    }
    view->ask.endpoint = record->endpoint;
}

void dn_view_event(const dn_event_record *record, dn_peer_text *text, dn_event *event)
{
    *event = (dn_event){.type = (dn_event_type)record->type,
                        .at_ms = record->at_ms,
                        .replaced = record->replaced,
                        .changed = record->changed,
                        .path = record->path,
                        .code = record->code,
                        .content_format = record->content_format};
    if (event->type == DN_EVENT_GAP) {
        return;
    }
    event->paths = record->paths;
    event->path_count = record->path_count;
    if (event->type == DN_EVENT_NOTIFICATION || event->type == DN_EVENT_SEND) {
        event->client.endpoint = record->endpoint;
        dn_registration_id_format(record->id, event->client.id);
        event->payload = record->body;
        return;
    }
    if (event->type == DN_EVENT_REQUEST) {
        event->client.endpoint = record->endpoint;
        if (record->id != 0) {
            dn_registration_id_format(record->id, event->client.id);
        }
        unpack_request(record, &event->request);
        return;
    }
    fill(record, text, &event->client);
    event->client.links = record->body;
}
