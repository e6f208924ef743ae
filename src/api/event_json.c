/* SPDX-License-Identifier: Apache-2.0 */
/* Events as JSON; see event_json.h. */
#include "api/event_json.h"

#include "api/client_json.h"
#include "api/feed_item.h"
#include "api/node_write.h"
#include "api/problem.h"
#include "api/request_json.h"

#include <semaphore.h>

typedef struct {
    sem_t done;
    dn_profiles *profiles;
    dn_profile *profile;
} fetch;

static void fetched(void *context, const dn_client_view *client)
{
    fetch *wait = context;
    if (client != NULL) {
        wait->profile = dn_profiles_take(
            wait->profiles, (dn_version){client->version_major, client->version_minor}, client->links);
    }
    sem_post(&wait->done);
}

/* Blocks for the shard's answer, which comes at once; NULL if the device is not registered any more. */
static dn_profile *profile_of(dn_api *api, dunlin_slice endpoint)
{
    uint64_t ticket;
    dn_profile *profile = dn_profiles_get(api->profiles, endpoint, &ticket);
    if (profile != NULL) {
        return profile;
    }
    fetch wait = {.profiles = api->profiles};
    sem_init(&wait.done, 0, 0);
    if (dn_fleet_get(api->config.fleet, endpoint, fetched, &wait) == DUNLIN_OK) {
        while (sem_wait(&wait.done) != 0) {
        }
        if (wait.profile != NULL) {
            dn_profiles_put(api->profiles, endpoint, wait.profile, ticket);
        }
    }
    sem_destroy(&wait.done);
    return wait.profile;
}

static void write_changed(dn_jsonw *json, uint8_t changed)
{
    static const struct {
        uint8_t bit;
        const char *name;
    } names[] = {{DN_CHANGED_LIFETIME, "lifetime"},
                 {DN_CHANGED_BINDING, "binding"},
                 {DN_CHANGED_OBJECTS, "objects"},
                 {DN_CHANGED_SMS, "sms"},
                 {DN_CHANGED_ADDRESS, "address"}};
    dn_jsonw_key(json, "changed");
    dn_jsonw_begin(json, '[');
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if ((changed & names[i].bit) != 0) {
            dn_jsonw_text(json, names[i].name);
        }
    }
    dn_jsonw_end(json, ']');
}

/* What a device said of many paths at once; null when it cannot be decoded. */
static void write_many(dn_api *api, dn_jsonw *json, const dn_event *event)
{
    dn_nodes nodes;
    bool sent = event->type == DN_EVENT_SEND;
    dn_profile *profile = profile_of(api, event->client.endpoint);
    dn_naming naming = dn_naming_make(api->config.registry, profile);
    dn_jsonw_pair_unsigned(json, "contentFormat", event->content_format);
    if (dn_nodes_read(&nodes, &naming, dunlin_path_root(), event->content_format, event->payload) ==
        DUNLIN_OK) {
        if (sent) {
            dn_nodes_write_records(&nodes, json, event->at_ms);
        }
        dn_nodes_newest(&nodes);
        dn_nodes_write(&nodes, json, &naming, event->paths, event->path_count);
        dn_nodes_free(&nodes);
    } else {
        dn_jsonw_key(json, "nodes");
        dn_jsonw_null(json);
    }
    dn_profile_release(profile);
}

static void write_composite(dn_api *api, dn_jsonw *json, const dn_event *event)
{
    char text[DUNLIN_PATH_TEXT_MAX + 1];
    char code[8];
    dn_jsonw_pair(json, "path", "/");
    dn_jsonw_key(json, "paths");
    dn_jsonw_begin(json, '[');
    for (size_t i = 0; i < event->path_count; i++) {
        dunlin_path_format(event->paths[i], text);
        dn_jsonw_text(json, text);
    }
    dn_jsonw_end(json, ']');
    dn_coap_code_text(event->code, code);
    dn_jsonw_pair(json, "code", code);
    if (event->code >> 5 == 2) {
        write_many(api, json, event);
    }
}

static void write_notification(dn_api *api, dn_jsonw *json, const dn_event *event)
{
    char text[DUNLIN_PATH_TEXT_MAX + 1];
    if (event->path_count > 0) {
        write_composite(api, json, event);
        return;
    }
    dunlin_path_format(event->path, text);
    dn_jsonw_pair(json, "path", text);
    char code[8];
    dn_coap_code_text(event->code, code);
    dn_jsonw_pair(json, "code", code);
    bool value = event->code >> 5 == 2;
    uint16_t format = event->content_format == DN_FORMAT_NONE ? DN_FORMAT_TEXT : event->content_format;
    dn_jsonw_key(json, "contentFormat");
    if (value) {
        dn_jsonw_unsigned(json, format);
    } else {
        dn_jsonw_null(json);
    }
    dn_jsonw_key(json, "node");
    dn_text node = {0};
    dn_jsonw inner;
    dn_jsonw_start(&inner, &node);
    dn_profile *profile = value ? profile_of(api, event->client.endpoint) : NULL;
    dn_naming naming = dn_naming_make(api->config.registry, profile);
    dunlin_status status =
        value ? dn_node_write(&inner, &naming, event->path, format, event->payload) : DUNLIN_ERR_NOT_FOUND;
    if (status == DUNLIN_OK && !node.failed) {
        dn_jsonw_raw(json, dn_text_view(&node));
    } else {
        dn_jsonw_null(json); /* an error of the device, or bytes that cannot be decoded */
    }
    dn_profile_release(profile);
    dn_text_free(&node);
}

void dn_event_write(dn_api *api, const dn_event *event, uint64_t id, dn_text *text)
{
    dn_jsonw json;
    dn_jsonw_start(&json, text);
    dn_jsonw_begin(&json, '{');
    dn_jsonw_pair_unsigned(&json, "id", id);
    dn_jsonw_pair(&json, "type", dn_feed_type_name(event->type));
    dn_jsonw_pair_time(&json, "time", event->at_ms);
    if (event->type == DN_EVENT_GAP) {
        dn_jsonw_pair_bool(&json, "lost", true);
        dn_jsonw_end(&json, '}');
        return;
    }
    dn_jsonw_pair_slice(&json, "endpoint", event->client.endpoint);
    dn_jsonw_pair(&json, "registrationId", event->client.id);
    bool client = event->type == DN_EVENT_REGISTERED || event->type == DN_EVENT_UPDATED ||
                  event->type == DN_EVENT_PRESENCE;
    if (event->type == DN_EVENT_NOTIFICATION) {
        write_notification(api, &json, event);
    }
    if (event->type == DN_EVENT_SEND) {
        write_many(api, &json, event);
    }
    if (event->type == DN_EVENT_PRESENCE) {
        dn_jsonw_pair(&json, "presence", dn_presence_name((dn_presence)event->client.presence));
    }
    if (event->type == DN_EVENT_REQUEST) {
        dn_jsonw_key(&json, "request");
        dn_request_write(&json, &event->request, NULL, NULL);
    }
    if (client) {
        dn_jsonw_key(&json, "client");
        dn_jsonw_begin(&json, '{');
        dn_client_members(&json, &event->client);
        dn_jsonw_end(&json, '}');
    }
    if (event->type == DN_EVENT_UPDATED) {
        write_changed(&json, event->changed);
    }
    if (event->type == DN_EVENT_DEREGISTERED) {
        dn_jsonw_pair_bool(&json, "replaced", event->replaced);
    }
    dn_jsonw_end(&json, '}');
}
