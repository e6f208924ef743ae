/* SPDX-License-Identifier: Apache-2.0 */
/* A list of what is being pushed. Each remembers how far the device has taken it, and since when. */
#include "server/push.h"

#include "server/shard_inside.h"

#include <stdlib.h>

struct dn_push {
    dn_push *next, *prev;
    dn_push *heard_next;
    bool is_heard; /* in the list of these */
    dn_command *command;
    dn_shard *shard;
    dn_package *package;
    dn_coap_source source;
    uint64_t reached;     /* bytes of it that were read */
    uint64_t progress_ms; /* when that was first so */
    bool stalled, unreadable;
};

void dn_pushes_init(dn_pushes *pushes)
{
    *pushes = (dn_pushes){.check_ms = DN_NEVER};
}

/* A block is read when the one before has been acknowledged. */
static bool read_piece(void *context, uint64_t offset, void *out, size_t len)
{
    dn_push *push = context;
    if (offset + len > push->reached) {
        push->reached = offset + len;
        push->progress_ms = push->shard->now_ms;
        if (offset > 0 && !push->is_heard) {
            push->is_heard = true;
            push->heard_next = push->shard->pushes.heard;
            push->shard->pushes.heard = push;
        }
    }
    push->unreadable = !dn_package_read(&push->shard->packages, push->package, offset, out, len);
    return !push->unreadable;
}

static uint64_t overdue_at(const dn_push *push)
{
    uint32_t patience_ms = push->command->ask.timeout_ms;
    return patience_ms > 0 ? push->progress_ms + patience_ms : DN_NEVER;
}

dunlin_status dn_push_begin(dn_shard *shard, dn_command *command)
{
    dn_package *package = dn_packages_take(&shard->packages, command->ask.package);
    if (package == NULL) {
        return DUNLIN_ERR_NOT_FOUND;
    }
    dn_push *push = calloc(1, sizeof *push);
    if (push == NULL) {
        dn_packages_give(&shard->packages, package);
        return DUNLIN_ERR_MEMORY;
    }
    push->command = command;
    push->shard = shard;
    push->package = package;
    push->progress_ms = shard->now_ms;
    push->source = (dn_coap_source){.size = dn_package_size(package), .read = read_piece, .context = push};
    push->next = shard->pushes.first;
    if (push->next != NULL) {
        push->next->prev = push;
    }
    shard->pushes.first = push;
    command->push = push;
    if (overdue_at(push) < shard->pushes.check_ms) {
        shard->pushes.check_ms = overdue_at(push);
    }
    return DUNLIN_OK;
}

const dn_coap_source *dn_push_source(const dn_push *push)
{
    return &push->source;
}

static void leave_heard(dn_pushes *pushes, const dn_push *push)
{
    dn_push **link = &pushes->heard;
    while (*link != NULL && *link != push) {
        link = &(*link)->heard_next;
    }
    if (*link != NULL) {
        *link = push->heard_next;
    }
}

dunlin_status dn_push_end(dn_shard *shard, dn_command *command, dunlin_status status)
{
    dn_push *push = command->push;
    if (status == DUNLIN_ERR_CANCELLED && push->stalled) {
        status = DUNLIN_ERR_TIMEOUT;
    } else if (status == DUNLIN_ERR_CANCELLED && push->unreadable) {
        status = DUNLIN_ERR_IO;
        dn_log_at(shard->log, DN_LOG_ERROR, DN_SHARD_AREA, "the package %.*s cannot be read",
                  (int)command->ask.package.len, (const char *)command->ask.package.data);
    }
    leave_heard(&shard->pushes, push);
    *(push->prev != NULL ? &push->prev->next : &shard->pushes.first) = push->next;
    if (push->next != NULL) {
        push->next->prev = push->prev;
    }
    dn_packages_give(&shard->packages, push->package);
    free(push);
    command->push = NULL;
    return status;
}

void dn_push_work(dn_shard *shard)
{
    dn_pushes *pushes = &shard->pushes;
    while (pushes->heard != NULL) {
        dn_push *push = pushes->heard;
        pushes->heard = push->heard_next;
        push->is_heard = false;
        dn_presence_heard(shard, push->command->slot);
    }
    if (shard->now_ms < pushes->check_ms) {
        return;
    }
    /* The end of one may begin or end others: then start over. */
    for (dn_push *push = pushes->first; push != NULL;) {
        if (overdue_at(push) <= shard->now_ms) {
            push->stalled = true;
            dn_requests_cancel(shard, push->command);
            push = pushes->first;
        } else {
            push = push->next;
        }
    }
    pushes->check_ms = DN_NEVER;
    for (const dn_push *push = pushes->first; push != NULL; push = push->next) {
        pushes->check_ms = overdue_at(push) < pushes->check_ms ? overdue_at(push) : pushes->check_ms;
    }
}

uint64_t dn_push_deadline(const dn_shard *shard)
{
    return shard->pushes.check_ms;
}
