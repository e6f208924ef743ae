/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way to a server: which transport it is to have, asking for it, that it comes and goes (Core 1.1.1 section 6.2.1.2;
 * Transport sections 5.2 and 6.8). The surroundings make ways, by the callbacks `connect` and `disconnect`, or `resolve`
 * when there are only datagrams without security; registration.h says when one is needed and what its loss means. These
 * callbacks are called from dn_client_way_step and dn_client_way_ask alone, never while the engine or the maker
 * of a way is at work: what leads to them is noted, and waits for the next step.
 */
#ifndef DN_CLIENT_WAY_H
#define DN_CLIENT_WAY_H

#include "base/peer.h"
#include "client/state.h"

/* dn_account_way.ending */
enum {
    DN_WAY_STAYS,
    DN_WAY_RELEASED, /* the server wants it closed once what is under way is done (RFC 8323 section 5.5) */
    DN_WAY_BROKEN    /* it is of no use any more */
};

/* 'U' or 'T' (Object 1 resource 7). */
char dn_client_way_letter(dn_transport transport);
/* Whether this client can use the transport of that letter. */
bool dn_client_way_has(const dunlin_client *client, char letter);
/* Whether `binding` is one letter or more, each of a transport that there is, none twice. */
bool dn_client_way_binding_valid(const dunlin_client *client, dunlin_slice binding);

/* Why no way can ever come about, as the account and the configuration are: UNSUPPORTED: of its URI; ARGUMENT, LIMIT,
   RANGE: of its security; NOT_FOUND: the bootstrap server's account is gone. OK: one may be asked for. */
dunlin_status dn_client_way_possible(const dn_account *account);
/* Asks. OK: it is up, with account->peer; END: it will be told; anything else: there is none now. */
dunlin_status dn_client_way_ask(dn_account *account);
/* It is not wanted any more, from now on. Without `connect` there is nothing to give back. */
void dn_client_way_drop(dn_account *account);

/* What was asked for has come, or is gone. */
void dn_client_way_came(dn_account *account, const dn_peer *peer);
void dn_client_way_gone(dn_account *account, dunlin_status status, int alert);

/* What a step finds out; in this order, and each once. */
typedef enum {
    DN_WAY_NO_NEWS,
    DN_WAY_IS_GONE, /* by itself, or it did not come: way.gone_status, way.gone_alert */
    DN_WAY_HAS_COME
} dn_way_news;
/* Closes what is gone or not wanted, and says what there is to know. */
dn_way_news dn_client_way_step(dn_account *account);
/* Such a step is due. */
bool dn_client_way_due(const dn_account *account);

/* Messages may be sent. */
bool dn_client_way_open(const dn_account *account);
bool dn_client_way_is_stream(const dn_account *account);
/* The engine has no more use for the stream. */
void dn_client_way_ending(dn_account *account, dunlin_status status);

#endif
