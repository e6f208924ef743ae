/* SPDX-License-Identifier: Apache-2.0 */
/* The pool of unanswered requests. */
#include "coap/pending.h"

void dn_coap_pendings_init(dn_coap_pendings *pendings, dn_coap_arena *arena, dn_coap_remotes *remotes,
                           uint32_t count)
{
    dn_coap_pending *at = dn_coap_arena_take(arena, count, sizeof *at);
    *pendings = (dn_coap_pendings){at, NULL, remotes, count, 0};
    for (uint32_t i = count; at != NULL && i > 0; i--) {
        memset(&at[i - 1], 0, sizeof at[i - 1]);
        at[i - 1].timer.kind = DN_COAP_TIMER_PENDING;
        at[i - 1].next_free = pendings->free;
        pendings->free = &at[i - 1];
    }
}

dn_coap_pending *dn_coap_pending_make(dn_coap_pendings *pendings, uint32_t remote,
                                      const dn_coap_message *message)
{
    dn_coap_pending *made = pendings->free;
    if (made == NULL) {
        return NULL;
    }
    pendings->free = made->next_free;
    pendings->in_use++;
    made->generation++;
    made->id = (uint64_t)made->generation << 32 | ((uint64_t)(made - pendings->at) + 1);
    made->remote = remote;
    made->epoch = 0;
    made->seen = DN_COAP_NONE;
    made->mid = message->mid;
    made->code = message->code;
    made->has = message->has;
    made->block1 = message->block1;
    made->block2 = message->block2;
    made->token = message->token;
    made->confirmable = message->type == DN_COAP_CON;
    made->acknowledged = false;
    dn_coap_remote_hold(pendings->remotes, remote);
    return made;
}

dn_coap_pending *dn_coap_pending_by_id(const dn_coap_pendings *pendings, uint64_t id)
{
    uint64_t index = (id & UINT32_MAX) - 1;
    if (index >= pendings->count || pendings->at[index].id != id) {
        return NULL;
    }
    return &pendings->at[index];
}

void dn_coap_pending_free(dn_coap_pendings *pendings, dn_coap_pending *pending)
{
    pending->id = 0;
    pending->next_free = pendings->free;
    pendings->free = pending;
    pendings->in_use--;
    dn_coap_remote_release(pendings->remotes, pending->remote);
}
