/* SPDX-License-Identifier: Apache-2.0 */
/* Create (Core 1.1.1 section 6.3.6). */
#include "client/access.h"
#include "client/formats.h"
#include "client/image.h"
#include "client/observe.h"
#include "client/operation.h"
#include "client/registration.h"
#include "client/remove.h"
#include "client/resource.h"
#include "client/tree.h"
#include "client/write.h"
#include <string.h>

#define TLV_KIND_MASK     0xC0u /* bits 7-6 of a TLV's first byte; 00: an Object Instance */
#define CODE_OK           0
#define INSTANCE_ID_LIMIT DUNLIN_ID_NONE

/* Which instance the payload names: DUNLIN_ID_NONE in *id for none. All of it must be about one. */
static uint8_t named_instance(dn_operation *op, uint16_t *id)
{
    const dn_coap_incoming *request = op->request;
    const bool tlv = dn_format_canonical(request->content_format) == DN_FORMAT_TLV;
    dn_decoder decoder;
    dn_record record;
    *id = DUNLIN_ID_NONE;
    if (request->payload.len == 0 || (tlv && (request->payload.data[0] & TLV_KIND_MASK) != 0)) {
        return CODE_OK;
    }
    dunlin_status status = dn_client_formats_decode(&decoder, op->client, request->content_format,
                                                    op->at.path, request->payload, *op->body);
    while (status == DUNLIN_OK && (status = dn_decode_next(&decoder, &record)) == DUNLIN_OK) {
        if (record.path.depth < 2 || (*id != DUNLIN_ID_NONE && record.path.id[1] != *id)) {
            return DN_COAP_BAD_REQUEST;
        }
        *id = record.path.id[1];
    }
    return status == DUNLIN_END ? CODE_OK : DN_COAP_BAD_REQUEST;
}

static uint16_t free_instance(const dn_object_slot *object)
{
    uint16_t id = 0;
    while (id < INSTANCE_ID_LIMIT && dn_client_tree_instance(object, id) != DN_NO_INDEX) {
        id++;
    }
    return id;
}

/* Whether this Object takes another instance, and the payload can be read. */
static uint8_t check_create(const dn_operation *op)
{
    const dunlin_object *def = op->at.object->def;
    const dn_coap_incoming *request = op->request;
    uint16_t index = 0;
    const bool taken = dn_client_tree_next(op->at.object, 0, &index) != DUNLIN_ID_NONE;
    if ((def->flags & DUNLIN_DYNAMIC) == 0 || (taken && (def->flags & DUNLIN_MULTIPLE) == 0)) {
        return DN_COAP_METHOD_NOT_ALLOWED;
    }
    if (request->content_format == DN_FORMAT_NONE) {
        return request->payload.len == 0 ? CODE_OK : DN_COAP_BAD_REQUEST;
    }
    return dn_client_formats_takes(op->client, &op->at, request->content_format) ? CODE_OK
                                                                                 : DN_COAP_UNSUPPORTED_FORMAT;
}

/* Fills the new instance: defaults of the application first, the payload over them. */
static uint8_t fill(dn_operation *op, const dn_place *instance, bool named)
{
    const dunlin_object *def = instance->object->def;
    const dunlin_call call = dn_client_resource_call(instance);
    if (call.instance != NULL) {
        memset(call.instance, 0, def->size);
    }
    if (def->created != NULL) {
        const dunlin_status status = def->created(&call);
        if (status != DUNLIN_OK) {
            return dn_client_code_of(status);
        }
    }
    dn_write write = {
        .target = *instance,
        .mode = DN_WRITE_CREATE,
        .format = op->request->content_format,
        .base = named ? op->at.path : instance->path,
        .payload = op->request->payload,
        .scratch = *op->body,
    };
    uint8_t code = dn_client_write_payload(&write);
    if (code == DN_COAP_CHANGED) {
        /* The creator owns it (Core 1.1.1 section 8.1.1). */
        code = dn_client_access_created(op->client, op->at.server, instance->path) == DUNLIN_OK
                   ? DN_COAP_CREATED
                   : DN_COAP_INTERNAL_ERROR;
    }
    if (code != DN_COAP_CREATED && def->removed != NULL) {
        def->removed(&call);
    }
    return code;
}

static dunlin_slice decimal(uint16_t number, char *out, size_t size)
{
    const dunlin_value value = dunlin_unsigned(number);
    dunlin_buf text = dunlin_buf_make(out, size);
    (void)dn_value_to_text(&value, &text); /* five digits always fit */
    return dunlin_buf_view(&text);
}

static void set_location(dn_operation *op, const dunlin_path *path)
{
    dunlin_client *client = op->client;
    for (size_t i = 0; i < DN_LOCATION_SEGMENTS; i++) {
        client->location[i].number = DN_OPTION_LOCATION_PATH;
        client->location[i].value =
            decimal(path->id[i], client->location_text[i], sizeof client->location_text[i]);
    }
    op->reply->options = client->location;
    op->reply->option_count = DN_LOCATION_SEGMENTS;
}

uint8_t dn_client_operation_create(dn_operation *op)
{
    uint16_t id = DUNLIN_ID_NONE;
    dn_place instance = op->at;
    dn_object_slot *object = dn_client_tree_object(op->client, op->at.path.id[0]);
    uint8_t code = check_create(op);
    if (code == CODE_OK) {
        code = named_instance(op, &id);
    }
    if (code != CODE_OK) {
        return code;
    }
    const bool named = id != DUNLIN_ID_NONE;
    const bool single = (object->def->flags & DUNLIN_MULTIPLE) == 0;
    if (named && ((single && id != 0) || dn_client_tree_instance(object, id) != DN_NO_INDEX)) {
        return DN_COAP_BAD_REQUEST;
    }
    if (!named) {
        id = free_instance(object);
    }
    if (dn_client_tree_add(object, id, &instance.index) != DUNLIN_OK) {
        return DN_COAP_INTERNAL_ERROR;
    }
    instance.path = dunlin_path_instance(object->def->id, id);
    code = fill(op, &instance, named);
    if (code != DN_COAP_CREATED) {
        dn_client_tree_remove(object, instance.index);
        return code;
    }
    dn_client_observe_changed(op->client, instance.path);
    if (dn_client_image_save(op->client) != DUNLIN_OK) {
        dn_client_remove_instance(&instance); /* and what Object 2 says about it */
        return DN_COAP_INTERNAL_ERROR;
    }
    set_location(op, &instance.path);
    dn_client_registration_want_all(op->client, DN_WANT_LIST);
    const dunlin_client_event event = {
        .kind = DUNLIN_CLIENT_CHANGED, .server = op->at.server, .path = instance.path};
    dn_client_tell(op->client, &event);
    return code;
}
