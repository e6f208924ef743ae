/* SPDX-License-Identifier: Apache-2.0 */
/* Registrations as JSON; see client_json.h. */
#include "api/client_json.h"

#include "api/naming.h"
#include "api/uris.h"
#include "security/identity.h"

#include <stdio.h>

const char *dn_presence_name(dn_presence presence)
{
    static const char *const names[] = {[DN_PRESENCE_AWAKE] = "awake",
                                        [DN_PRESENCE_ASLEEP] = "asleep",
                                        [DN_PRESENCE_UNREACHABLE] = "unreachable"};
    return names[presence];
}

void dn_client_members(dn_jsonw *json, const dn_client_view *client)
{
    char text[80];
    dn_jsonw_pair_slice(json, "endpoint", client->endpoint);
    dn_jsonw_pair(json, "registrationId", client->id);
    snprintf(text, sizeof text, "%s://%s", dn_uri_scheme(client->transport), client->address);
    dn_jsonw_pair(json, "address", text);
    dn_jsonw_pair(json, "transport", dn_transport_name(client->transport));
    dn_jsonw_pair(json, "security", dn_security_mode_text(client->security));
    dn_version_text((dn_version){client->version_major, client->version_minor}, text);
    dn_jsonw_pair(json, "lwm2m", text);
    dn_jsonw_pair(json, "binding", client->binding);
    dn_jsonw_pair_bool(json, "queueMode", client->queue_mode);
    dn_jsonw_pair_unsigned(json, "lifetime", client->lifetime_s);
    dn_jsonw_pair_time(json, "registeredAt", client->registered_ms);
    dn_jsonw_pair_time(json, "updatedAt", client->updated_ms);
    dn_jsonw_key(json, "expiresAt");
    if (client->expires_ms == INT64_MAX) {
        dn_jsonw_null(json);
    } else {
        dn_jsonw_time_ms(json, client->expires_ms);
    }
    dn_jsonw_pair(json, "state", "registered");
    dn_jsonw_pair(json, "presence", dn_presence_name((dn_presence)client->presence));
    dn_jsonw_pair_time(json, "lastSeen", client->seen_ms);
    dn_jsonw_pair_unsigned(json, "queued", client->queued);
}

/* One object, from its entries [first, end). */
static void write_object(dn_jsonw *json, const dn_profile *profile, dn_registry *registry, size_t first,
                         size_t end)
{
    const dn_profile_entry *entry = &profile->entries[first];
    dn_naming naming = dn_naming_make(registry, profile);
    const dn_object_def *definition = dn_naming_object(&naming, entry->object);
    char version[16];
    dn_version_text(entry->version, version);
    dn_jsonw_begin(json, '{');
    dn_jsonw_pair_unsigned(json, "id", entry->object);
    dn_jsonw_pair(json, "version", version);
    if (definition != NULL) {
        dn_jsonw_pair(json, "name", definition->name);
    }
    dn_jsonw_key(json, "instances");
    dn_jsonw_begin(json, '[');
    for (size_t i = first; i < end; i++) {
        bool again = i > first && profile->entries[i].instance == profile->entries[i - 1].instance;
        if (profile->entries[i].instance != DUNLIN_ID_NONE && !again) {
            dn_jsonw_unsigned(json, profile->entries[i].instance);
        }
    }
    dn_jsonw_end(json, ']');
    dn_jsonw_end(json, '}');
}

void dn_client_detail_members(dn_jsonw *json, const dn_client_view *client, const dn_profile *profile,
                              dn_registry *registry)
{
    dn_jsonw_key(json, "objects");
    dn_jsonw_begin(json, '[');
    size_t first = 0;
    while (first < profile->entry_count) {
        size_t end = first;
        while (end < profile->entry_count && profile->entries[end].object == profile->entries[first].object) {
            end++;
        }
        write_object(json, profile, registry, first, end);
        first = end;
    }
    dn_jsonw_end(json, ']');
    dn_jsonw_pair(json, "rootPath", profile->root);
    dn_jsonw_key(json, "contentFormats");
    dn_jsonw_begin(json, '[');
    for (size_t i = 0; i < profile->format_count; i++) {
        dn_jsonw_unsigned(json, profile->formats[i]);
    }
    dn_jsonw_end(json, ']');
    dn_jsonw_key(json, "sms");
    if (client->sms.len == 0) {
        dn_jsonw_null(json);
    } else {
        dn_jsonw_string(json, client->sms);
    }
    dn_jsonw_pair_slice(json, "links", client->links);
}
