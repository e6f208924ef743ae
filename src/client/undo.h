/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The old values of what a request is changing, so that all of it can be taken back when the application's
 * `set` refuses in the middle. Only kept for Objects that have such a `set`: plain fields cannot refuse once
 * they were checked.
 */
#ifndef DN_CLIENT_UNDO_H
#define DN_CLIENT_UNDO_H

#include "client/state.h"

/* Where a change began. A `set` may itself set other values: its changes lie above those of who called it. */
typedef struct {
    uint16_t used, last;
} dn_undo_mark;

dn_undo_mark dn_client_undo_begin(const dunlin_client *client);
/* Notes presence and value of the resource at `place` (the whole of a list). LIMIT: config.undo_max is too
 * small. */
dunlin_status dn_client_undo_note(const dn_place *place);
/* All went well: forgets what was noted since the mark. */
void dn_client_undo_end(dunlin_client *client, dn_undo_mark mark);
/* Restores everything noted since the mark, last one first, tells `set` the old values, on behalf of `server`,
 * and forgets it. */
void dn_client_undo_run(dunlin_client *client, dn_undo_mark mark, uint16_t server);

#endif
