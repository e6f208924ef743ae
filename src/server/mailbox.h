/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How other threads hand commands to a shard: a list without locks, and an eventfd that is written only while
 * the shard sleeps.
 *
 * Threads: post and wake from any; take, sleep and awake from the shard's.
 */
#ifndef DN_SERVER_MAILBOX_H
#define DN_SERVER_MAILBOX_H

#include "server/command.h"

#include <stdatomic.h>

#define DN_MAILBOX_MAX 65536u /* commands that wait */

typedef struct {
    _Atomic(dn_command *) latest;
    atomic_uint waiting;
    atomic_bool asleep;
    int fd; /* readable: wake up */
} dn_mailbox;

/* False: no eventfd. */
bool dn_mailbox_init(dn_mailbox *mailbox);
void dn_mailbox_free(dn_mailbox *mailbox); /* must be empty */
/* Takes the command. False, and it stays the caller's: DN_MAILBOX_MAX wait already. */
bool dn_mailbox_post(dn_mailbox *mailbox, dn_command *command);
void dn_mailbox_wake(dn_mailbox *mailbox);
/* Moves what is there to the end of `queue`, in the order of posting. */
void dn_mailbox_take(dn_mailbox *mailbox, dn_command_queue *queue);
/* Before the shard waits for `fd`. False: there is something, don't. dn_mailbox_awake afterwards in both
   cases, saying whether `fd` was found readable. */
bool dn_mailbox_sleep(dn_mailbox *mailbox);
void dn_mailbox_awake(dn_mailbox *mailbox, bool readable);

#endif
