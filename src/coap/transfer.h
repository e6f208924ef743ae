/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bodies larger than a block, while they are put together or handed out (RFC 7959). A transfer is known by
 * its role, its peer and a key, the hash of what makes two requests the same one apart from their block
 * options (section 2.4, 2.5). It stores bytes; when to ask, answer or refuse is for the client and server
 * files.
 */
#ifndef DN_COAP_TRANSFER_H
#define DN_COAP_TRANSFER_H

#include "coap/remote.h"
#include "coap/timer.h"
#include <dunlin/slice.h>

typedef enum {
    DN_COAP_TRANSFER_FREE,
    DN_COAP_TRANSFER_ASSEMBLE, /* a request's body is coming in */
    DN_COAP_TRANSFER_SERVE,    /* a response's body is being handed out */
    DN_COAP_TRANSFER_FETCH,    /* a response's body is coming in; its exchange owns it */
    DN_COAP_TRANSFER_HELD      /* complete, and lent to a callback */
} dn_coap_transfer_role;

#define DN_COAP_ETAG_MAX 8

typedef struct {
    uint8_t len;
    uint8_t bytes[DN_COAP_ETAG_MAX];
} dn_coap_etag;

typedef struct {
    dn_coap_timer timer;
    uint64_t key;
    uint64_t used_ms;
    uint32_t remote;
    uint8_t role;
    uint8_t code;      /* SERVE: of the response */
    bool reproducible; /* SERVE: the method is safe, so the body can be made again */
    uint16_t content_format;
    dn_coap_etag etag;
    dunlin_buf body;
} dn_coap_transfer;

typedef struct {
    dn_coap_transfer *at;
    dn_coap_remotes *remotes;
    dn_wheel *wheel;
    uint32_t count;
    uint32_t timeout_ms;
} dn_coap_transfers;

void dn_coap_transfers_init(dn_coap_transfers *transfers, dn_coap_arena *arena, dn_coap_remotes *remotes,
                            dn_wheel *wheel, uint32_t count, uint32_t max_body, uint32_t timeout_ms);
/*
 * An empty transfer. One with the same role, peer and key is dropped: it starts anew. A served body that can
 * be made again gives way when all are in use, and a peer that assembles more than half of all bodies loses
 * its own oldest. NULL: none to be had.
 */
dn_coap_transfer *dn_coap_transfer_start(dn_coap_transfers *transfers, dn_coap_transfer_role role,
                                         uint32_t remote, uint64_t key, uint64_t now_ms);
dn_coap_transfer *dn_coap_transfer_find(const dn_coap_transfers *transfers, dn_coap_transfer_role role,
                                        uint32_t remote, uint64_t key);
/* The one used last of those whose keys have the same upper half. */
dn_coap_transfer *dn_coap_transfer_find_like(const dn_coap_transfers *transfers, dn_coap_transfer_role role,
                                             uint32_t remote, uint64_t key);
/* Puts its expiry off; for ASSEMBLE and SERVE. */
void dn_coap_transfer_touch(dn_coap_transfers *transfers, dn_coap_transfer *transfer, uint64_t now_ms);
/* Takes it out of the table for a callback; dn_coap_transfer_end must follow. */
void dn_coap_transfer_lend(dn_coap_transfers *transfers, dn_coap_transfer *transfer);
void dn_coap_transfer_end(dn_coap_transfers *transfers, dn_coap_transfer *transfer);
/* Ends all bodies handed out to a peer that can be made again: they may be out of date. */
void dn_coap_transfers_outdate(dn_coap_transfers *transfers, uint32_t remote);
/* Ends all of a peer's but those lent and those an exchange owns. */
void dn_coap_transfers_forget(dn_coap_transfers *transfers, uint32_t remote);

#endif
