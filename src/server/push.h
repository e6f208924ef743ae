/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests to devices whose body is a package (packages.h), sent by Block1 from the file. One may take hours:
 * its command's timeout_ms is how long it may come no further, from one block to the next, waiting for the
 * device's turn included; 0: as long as CoAP's retransmissions last for each block.
 *
 * Threads: one shard's.
 */
#ifndef DN_SERVER_PUSH_H
#define DN_SERVER_PUSH_H

#include "server/command.h"

typedef struct dn_shard dn_shard;
typedef struct dn_push dn_push;

typedef struct {
    dn_push *first;
    dn_push *heard;    /* their devices have taken a block since dn_push_work */
    uint64_t check_ms; /* no push is overdue before */
} dn_pushes;

void dn_pushes_init(dn_pushes *pushes);

/* Opens command->ask.package and sets command->push. NOT_FOUND: there is no such package; MEMORY. */
dunlin_status dn_push_begin(dn_shard *shard, dn_command *command);
/* What to send; valid until dn_push_end. */
const dn_coap_source *dn_push_source(const dn_push *push);
/* The request has ended with `status`: gives what it means for the caller. TIMEOUT: it came no further; IO:
 * the file could not be read. */
dunlin_status dn_push_end(dn_shard *shard, dn_command *command, dunlin_status status);

/* Tells presence of devices that took a block, and ends the pushes that come no further. */
void dn_push_work(dn_shard *shard);
/* Blocks that were taken need no time of their own: work follows their acknowledgements. */
uint64_t dn_push_deadline(const dn_shard *shard);

#endif
