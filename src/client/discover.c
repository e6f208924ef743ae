/* SPDX-License-Identifier: Apache-2.0 */
/* Discover: what is there, and with which attributes (Core 1.1.1 section 6.3.2). */
#include "client/attributes.h"
#include "client/formats.h"
#include "client/links.h"
#include "client/operation.h"
#include "client/resource.h"
#include "client/tree.h"

static uint64_t count_instances(const dn_place *resource)
{
    uint64_t count = 0;
    for (uint32_t id = 0; (id = dn_client_resource_next(resource, id)) != DUNLIN_ID_NONE; id++) {
        count++;
    }
    return count;
}

/* The attributes that belong on the link to `place`: a Resource asked for shows inherited ones too; resources
   in the Discover of an Object show none. */
static void put_attributes(dn_operation *op, const dn_place *place, dn_link_writer *writer)
{
    const uint8_t asked = op->at.path.depth;
    dn_attributes attributes;
    if (asked == 1 && place->path.depth >= 3) {
        return;
    }
    if (asked == 3 && place->path.depth == 3) {
        attributes = dn_client_attributes_effective(op->client, place->server, place->path);
        dn_client_attributes_put(writer, &attributes);
        return;
    }
    const dn_attributes *own = dn_client_attributes_at(op->client, place->server, place->path);
    if (own != NULL) {
        dn_client_attributes_put(writer, own);
    }
}

/* What only a bootstrap reaches is nothing that a server could discover (Core 1.1.1 section 7.1). */
static bool told(const dn_place *place)
{
    return place->resource == NULL || (place->resource->flags & (DUNLIN_RW | DUNLIN_E)) != 0;
}

static void put_place(dn_operation *op, const dn_place *place, dn_link_writer *writer)
{
    if (!told(place)) {
        return;
    }
    dn_link_put(writer, dunlin_slice_of("/"), place->path);
    if (place->path.depth == 1) {
        dn_client_links_version(op->client, place->object->def, writer);
    }
    if (place->path.depth == 3 && dn_client_resource_multiple(place->resource)) {
        dn_link_put_number(writer, "dim", count_instances(place));
    }
    put_attributes(op, place, writer);
}

uint8_t dn_client_operation_discover(dn_operation *op)
{
    dn_link_writer writer;
    dn_walk walk;
    dn_links_write(&writer, *op->body);
    if (op->at.path.depth == 1) {
        put_place(op, &op->at, &writer);
    }
    dn_client_walk_start(&walk, &op->at);
    while (dn_client_walk_next(&walk)) {
        /* Resource instances appear only when their resource was asked for, and only from 1.1 on. */
        const bool instance = walk.at.path.depth == 4;
        if (!instance || (op->at.path.depth == 3 && op->client->config.lwm2m != DUNLIN_LWM2M_1_0)) {
            put_place(op, &walk.at, &writer);
        }
    }
    if (dn_links_finish(&writer, &op->reply->payload) != DUNLIN_OK) {
        op->reply->payload = dunlin_slice_make(NULL, 0);
        return DN_COAP_INTERNAL_ERROR;
    }
    op->reply->content_format = DN_FORMAT_LINK;
    return DN_COAP_CONTENT;
}
