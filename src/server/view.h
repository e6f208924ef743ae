/* SPDX-License-Identifier: Apache-2.0 */
/* Registrations and events as others see them: numbers become texts here. */
#ifndef DN_SERVER_VIEW_H
#define DN_SERVER_VIEW_H

#include "server/events.h"
#include "server/registrations.h"

/* Writes a peer's address, at most sizeof dn_client_view.address bytes with the NUL. */
typedef void dn_peer_text(const dn_peer *peer, char *out, size_t size);

/* The views go into the table. Presence, `seen_ms` and `queued` are left to the caller, as in a record. */
void dn_view_client(const dn_registrations *table, uint32_t slot, dn_peer_text *text, dn_client_view *view);
/* An event about the registration in `slot`, without a body. */
void dn_view_record(const dn_registrations *table, uint32_t slot, dn_event_type type, int64_t at_ms,
                    dn_event_record *record);
/* A queued request as the body of an event: all but the two payloads. Views `out`, which holds the structure and the texts. */
dunlin_slice dn_view_pack_request(const dn_queued_view *view, void *out, size_t size);
/* The event of a record; the views stay those of the record. */
void dn_view_event(const dn_event_record *record, dn_peer_text *text, dn_event *event);

#endif
