/* SPDX-License-Identifier: Apache-2.0 */
#include "api/feed_item.h"

#include <stdlib.h>
#include <string.h>

static const char *const type_names[DN_FEED_TYPES] = {
    [DN_EVENT_REGISTERED] = "registered",
    [DN_EVENT_UPDATED] = "updated",
    [DN_EVENT_DEREGISTERED] = "deregistered",
    [DN_EVENT_EXPIRED] = "expired",
    [DN_EVENT_NOTIFICATION] = "notification",
    [DN_EVENT_SEND] = "send",
    [DN_EVENT_PRESENCE] = "presence",
    [DN_EVENT_REQUEST] = "request",
    [DN_EVENT_GAP] = "gap",
    [DN_FEED_FLEET + DN_BS_REFUSED] = "bootstrap-refused",
    [DN_FEED_FLEET + DN_BS_REQUESTED] = "bootstrap-requested",
    [DN_FEED_FLEET + DN_BS_STEP] = "bootstrap-step",
    [DN_FEED_FLEET + DN_BS_REPAIRING] = "bootstrap-repairing",
    [DN_FEED_FLEET + DN_BS_FINISHED] = "bootstrap-finished",
    [DN_FEED_FLEET + DN_BS_FAILED] = "bootstrap-failed",
    [DN_FEED_FLEET + DN_BS_ENROLLED] = "enrolled",
    [DN_FEED_FLEET + DN_BS_NOT_ENROLLED] = "enrolment-refused",
};

const char *dn_feed_type_name(unsigned type)
{
    return type_names[type];
}

bool dn_feed_type_named(dunlin_slice name, unsigned *type)
{
    for (unsigned i = 0; i < DN_FEED_TYPES; i++) {
        if (dunlin_slice_equal(name, dunlin_slice_of(type_names[i]))) {
            *type = i;
            return true;
        }
    }
    return false;
}

static dunlin_slice copy_slice(uint8_t **at, dunlin_slice from)
{
    dunlin_slice copy = dunlin_slice_make(*at, from.len);
    if (from.len > 0) {
        memcpy(*at, from.data, from.len);
        *at += from.len;
    }
    return copy;
}

dn_feed_item *dn_feed_item_of(const dn_event *event)
{
    const dn_device_request *ask = &event->request.ask;
    size_t views = event->path_count * sizeof event->paths[0] + event->client.endpoint.len +
                   event->client.sms.len + event->client.links.len + event->payload.len;
    if (event->type == DN_EVENT_REQUEST) {
        views += ask->endpoint.len + ask->query.len + ask->package.len + event->request.payload.len +
                 event->request.location.len;
    }
    dn_feed_item *made = malloc(sizeof *made + views);
    if (made == NULL) {
        return NULL;
    }
    *made = (dn_feed_item){.as.fleet = *event, .type = event->type, .bytes = sizeof *made + views};
    dn_event *copy = &made->as.fleet;
    uint8_t *at = (uint8_t *)(made + 1);
    copy->paths = (const dunlin_path *)(const void *)copy_slice(
                      &at, dunlin_slice_make(event->paths, event->path_count * sizeof event->paths[0]))
                      .data;
    copy->client.endpoint = copy_slice(&at, event->client.endpoint);
    copy->client.sms = copy_slice(&at, event->client.sms);
    copy->client.links = copy_slice(&at, event->client.links);
    copy->payload = copy_slice(&at, event->payload);
    made->endpoint = copy->client.endpoint;
    if (event->type == DN_EVENT_REQUEST) {
        dn_queued_view *request = &copy->request;
        request->ask.endpoint = copy_slice(&at, ask->endpoint);
        request->ask.query = copy_slice(&at, ask->query);
        request->ask.package = copy_slice(&at, ask->package);
        request->ask.payload = (dunlin_slice){0};
        request->payload = copy_slice(&at, event->request.payload);
        request->location = copy_slice(&at, event->request.location);
    }
    return made;
}

dn_feed_item *dn_feed_item_of_bootstrap(const dn_bs_event *event)
{
    const dunlin_slice why = dunlin_slice_of(event->why != NULL ? event->why : "");
    dn_feed_item *made = malloc(sizeof *made + event->endpoint.len + event->found.len + why.len + 1);
    if (made == NULL) {
        return NULL;
    }
    *made = (dn_feed_item){.as.bootstrap = *event,
                           .type = DN_FEED_FLEET + (unsigned)event->kind,
                           .bytes = sizeof *made + event->endpoint.len + event->found.len + why.len + 1};
    dn_bs_event *copy = &made->as.bootstrap;
    uint8_t *at = (uint8_t *)(made + 1);
    copy->endpoint = copy_slice(&at, event->endpoint);
    copy->found = copy_slice(&at, event->found);
    copy->why = (const char *)copy_slice(&at, why).data; /* with its end */
    *at = 0;
    made->endpoint = copy->endpoint;
    return made;
}

void dn_feed_item_free(dn_feed_item *item)
{
    dn_text_free(&item->text);
    free(item);
}
