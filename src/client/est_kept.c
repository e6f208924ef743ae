/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is kept of an enrolment beside certificate and key, which lie with the account's credentials: that they come from one, how long they
 * hold, and the authorities that its server's certificate may be of. A part of the image.
 */
#include "client/est.h"

#include "client/image_section.h"
#include "client/security.h"
#include "client/tree.h"
#include <string.h>

#define USAGE_TRUST_ANCHOR 2u /* /0/x/15: this and less go by a trust store */

static uint8_t *place_for(const dunlin_client *client, const dn_security_instance *instance)
{
    return client->authorities + (size_t)(instance - client->securities) * DN_EST_AUTHORITIES_MAX;
}

/* With usage 3, which absence means, the server's own certificate is known: nobody else has to be trusted. */
static bool goes_by_authorities(const dunlin_client *client, const dn_security_instance *instance)
{
    dunlin_security security;
    dn_client_security_view(client, instance, &security);
    return security.usage >= 0 && security.usage <= (int16_t)USAGE_TRUST_ANCHOR;
}

static bool keep_bytes(dunlin_client *client, dn_security_instance *instance, dunlin_slice set)
{
    if (client->authorities == NULL || set.len > DN_EST_AUTHORITIES_MAX) {
        return false;
    }
    memcpy(place_for(client, instance), set.data, set.len);
    instance->authorities_len = (uint16_t)set.len;
    return true;
}

void dn_client_est_keep_authorities(dunlin_client *client, dn_security_instance *instance, dunlin_slice set)
{
    instance->authorities_len = 0;
    if (goes_by_authorities(client, instance) && !keep_bytes(client, instance, set)) {
        dn_log_at(&client->log, DN_LOG_WARN, DN_CLIENT_AREA,
                  "the authorities of server %d are not kept over a restart: %lu bytes", (int)instance->ssid,
                  (unsigned long)set.len);
    }
}

/* ---- in the image ---- */

typedef struct {
    uint16_t id; /* of Object 0 */
    int64_t from_s, until_s, renew_s;
    dunlin_slice authorities;
} kept;

static void write_kept(dunlin_client *client, dn_image_out *out, bool whole)
{
    const dn_object_slot *slot = &client->objects[0];
    uint16_t index = 0;
    (void)whole;
    for (uint16_t id = 0; (id = dn_client_tree_next(slot, id, &index)) != DUNLIN_ID_NONE; id++) {
        const dn_security_instance *instance = &client->securities[index];
        if (!instance->enrolled) {
            continue;
        }
        dn_image_put_number(out, id);
        dn_image_put_number(out, (uint64_t)instance->from_s);
        dn_image_put_number(out, (uint64_t)instance->until_s);
        dn_image_put_number(out, (uint64_t)instance->renew_s);
        dn_image_put_bytes(out,
                           instance->authorities_len == 0
                               ? dunlin_slice_make(NULL, 0)
                               : dunlin_slice_make(place_for(client, instance), instance->authorities_len));
    }
}

static bool next_kept(dn_image_in *in, kept *out)
{
    if (!dn_image_more(in)) {
        return false;
    }
    out->id = (uint16_t)dn_image_get_number(in, DUNLIN_ID_NONE - 1);
    out->from_s = (int64_t)dn_image_get_number(in, INT64_MAX);
    out->until_s = (int64_t)dn_image_get_number(in, INT64_MAX);
    out->renew_s = (int64_t)dn_image_get_number(in, INT64_MAX);
    out->authorities = dn_image_get_bytes(in);
    return !in->bad;
}

static dunlin_status check_kept(dunlin_client *client, dn_image_in in, bool whole)
{
    kept entry;
    (void)client;
    (void)whole;
    while (next_kept(&in, &entry)) {
        if (entry.authorities.len > DN_EST_AUTHORITIES_MAX) {
            return DUNLIN_ERR_LIMIT;
        }
    }
    return in.bad ? DUNLIN_ERR_MALFORMED : DUNLIN_OK;
}

static void apply_one(dunlin_client *client, dn_security_instance *instance, const kept *entry)
{
    const dunlin_enroll *enroll = &client->config.enroll;
    instance->enrolled = true;
    instance->from_s = entry->from_s;
    instance->until_s = entry->until_s;
    instance->renew_s = entry->renew_s;
    if (entry->authorities.len > 0 && keep_bytes(client, instance, entry->authorities) &&
        enroll->trust != NULL) {
        (void)enroll->trust(enroll->context, (uint16_t)instance->ssid, entry->authorities);
    }
}

/* Behind the Objects, which have brought certificate and key. */
static void apply_kept(dunlin_client *client, dn_image_in in, bool whole)
{
    const dn_object_slot *slot = &client->objects[0];
    kept entry;
    (void)whole;
    for (uint16_t i = 0; i < slot->capacity; i++) {
        client->securities[i].enrolled = false;
        client->securities[i].authorities_len = 0;
    }
    while (next_kept(&in, &entry)) {
        const uint16_t index = dn_client_tree_instance(slot, entry.id);
        if (index != DN_NO_INDEX && client->securities[index].security.mode == DUNLIN_EST) {
            apply_one(client, &client->securities[index], &entry);
        }
    }
}

const dn_image_section dn_image_est = {DN_IMAGE_EST, write_kept, check_kept, apply_kept};
