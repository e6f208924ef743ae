/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The old values of what a request is changing, so that all of it can be taken back when the application's
 * `set` refuses in the middle. Only kept for Objects that have such a `set`: plain fields cannot refuse once
 * they were checked.
 */
#ifndef DN_CLIENT_UNDO_H
#define DN_CLIENT_UNDO_H

#include "client/state.h"

/* Begins an empty log. */
void dn_client_undo_start(dunlin_client *client);
/* Notes presence and value of the resource at `place` (the whole of a list). LIMIT: config.undo_max is too
 * small. */
dunlin_status dn_client_undo_note(const dn_place *place);
/* Restores everything noted in the instance of `place`, last one first, and tells `set` the old values. */
void dn_client_undo_run(const dn_place *place);

#endif
