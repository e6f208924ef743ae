/* SPDX-License-Identifier: Apache-2.0 */
/* Commands and queues of them. */
#include "server/command.h"

#include <stdlib.h>

static void copy(uint8_t **at, dunlin_slice *view)
{
    if (view->len > 0) {
        memcpy(*at, view->data, view->len);
    }
    view->data = *at;
    *at += view->len;
}

dn_command *dn_command_create(dn_command_kind kind, const dn_device_request *ask)
{
    dn_command *command =
        calloc(1, sizeof *command + ask->endpoint.len + ask->query.len + ask->package.len + ask->payload.len);
    if (command == NULL) {
        return NULL;
    }
    command->kind = kind;
    command->ask = *ask;
    command->slot = DN_SLOT_NONE;
    uint8_t *at = (uint8_t *)(command + 1);
    copy(&at, &command->ask.endpoint);
    copy(&at, &command->ask.query);
    copy(&at, &command->ask.package);
    copy(&at, &command->ask.payload);
    return command;
}

void dn_command_free(dn_command *command)
{
    free(command->paths);
    free(command->carried);
    free(command->hits);
    free(command->body);
    free(command);
}

bool dn_command_carry(dn_command *command, dunlin_slice payload)
{
    uint8_t *carried = malloc(payload.len > 0 ? payload.len : 1);
    if (carried == NULL) {
        return false;
    }
    if (payload.len > 0) {
        memcpy(carried, payload.data, payload.len);
    }
    free(command->carried);
    command->carried = carried;
    command->ask.payload = dunlin_slice_make(carried, payload.len);
    return true;
}

bool dn_command_observe(dn_command *command, const dunlin_path *paths, size_t count)
{
    dunlin_path *own = calloc(count > 0 ? count : 1, sizeof *own);
    if (own == NULL) {
        return false;
    }
    if (count > 0) {
        memcpy(own, paths, count * sizeof *own);
    }
    free(command->paths);
    command->paths = own;
    command->path_count = count;
    return true;
}

bool dn_command_keep(dn_command *command, dunlin_slice payload)
{
    free(command->body);
    command->body = NULL;
    command->response.payload = (dunlin_slice){NULL, 0};
    if (payload.len == 0) {
        return true;
    }
    command->body = malloc(payload.len);
    if (command->body == NULL) {
        return false;
    }
    memcpy(command->body, payload.data, payload.len);
    command->response.payload = dunlin_slice_make(command->body, payload.len);
    return true;
}

void dn_command_push(dn_command_queue *queue, dn_command *command)
{
    command->next = NULL;
    if (queue->first == NULL) {
        queue->first = command;
    } else {
        queue->last->next = command;
    }
    queue->last = command;
}

dn_command *dn_command_pop(dn_command_queue *queue)
{
    dn_command *command = queue->first;
    if (command != NULL) {
        queue->first = command->next;
        command->next = NULL;
    }
    return command;
}
