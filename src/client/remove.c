/* SPDX-License-Identifier: Apache-2.0 */
/* Delete (Core 1.1.1 section 6.3.7). */
#include "client/remove.h"

#include "client/access.h"
#include "client/attributes.h"
#include "client/image.h"
#include "client/observe.h"
#include "client/operation.h"
#include "client/registration.h"
#include "client/resource.h"
#include "client/stream.h"
#include "client/tree.h"

void dn_client_remove_instance(const dn_place *instance)
{
    dunlin_client *client = instance->client;
    dn_client_observe_gone(client, instance->path);
    dn_client_attributes_drop(client, instance->path);
    dn_client_stream_gone(client, instance->path);
    if (instance->object->def->removed != NULL) {
        const dunlin_call call = dn_client_resource_call(instance);
        instance->object->def->removed(&call);
    }
    dn_client_tree_remove(dn_client_tree_object(client, instance->path.id[0]), instance->index);
    dn_client_access_removed(client, instance->path);
    dn_client_observe_changed(client, instance->path);
    if (!dn_client_hidden(client, instance->path.id[0])) {
        dn_client_registration_want_all(client, DN_WANT_LIST);
    }
}

uint8_t dn_client_operation_delete(dn_operation *op)
{
    if ((op->at.object->def->flags & DUNLIN_DYNAMIC) == 0) {
        return DN_COAP_METHOD_NOT_ALLOWED;
    }
    if (dn_client_image_save_without(&op->at) != DUNLIN_OK) {
        return DN_COAP_INTERNAL_ERROR;
    }
    dn_client_remove_instance(&op->at);
    const dunlin_client_event event = {
        .kind = DUNLIN_CLIENT_CHANGED, .server = op->at.server, .path = op->at.path};
    dn_client_tell(op->client, &event);
    return DN_COAP_DELETED;
}
