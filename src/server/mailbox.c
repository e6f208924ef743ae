/* SPDX-License-Identifier: Apache-2.0 */
/* Posters push at one end; the shard takes all at once and turns them round. */
#include "server/mailbox.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

bool dn_mailbox_init(dn_mailbox *mailbox)
{
    atomic_init(&mailbox->latest, NULL);
    atomic_init(&mailbox->waiting, 0);
    atomic_init(&mailbox->asleep, false);
    mailbox->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return mailbox->fd >= 0;
}

void dn_mailbox_free(dn_mailbox *mailbox)
{
    if (mailbox->fd >= 0) {
        (void)close(mailbox->fd);
        mailbox->fd = -1;
    }
}

void dn_mailbox_wake(dn_mailbox *mailbox)
{
    if (atomic_exchange(&mailbox->asleep, false)) {
        uint64_t one = 1;
        ssize_t written = write(mailbox->fd, &one, sizeof one);
        (void)written; /* a full counter is readable too */
    }
}

bool dn_mailbox_post(dn_mailbox *mailbox, dn_command *command)
{
    if (atomic_fetch_add(&mailbox->waiting, 1) >= DN_MAILBOX_MAX) {
        atomic_fetch_sub(&mailbox->waiting, 1);
        return false;
    }
    dn_command *latest = atomic_load(&mailbox->latest);
    do {
        command->next = latest;
    } while (!atomic_compare_exchange_weak(&mailbox->latest, &latest, command));
    dn_mailbox_wake(mailbox);
    return true;
}

void dn_mailbox_take(dn_mailbox *mailbox, dn_command_queue *queue)
{
    if (atomic_load_explicit(&mailbox->latest, memory_order_relaxed) == NULL) {
        return;
    }
    dn_command *latest = atomic_exchange(&mailbox->latest, NULL);
    dn_command *oldest = NULL;
    unsigned count = 0;
    while (latest != NULL) {
        dn_command *before = latest->next;
        latest->next = oldest;
        oldest = latest;
        latest = before;
        count++;
    }
    atomic_fetch_sub(&mailbox->waiting, count);
    while (oldest != NULL) {
        dn_command *after = oldest->next;
        dn_command_push(queue, oldest);
        oldest = after;
    }
}

bool dn_mailbox_sleep(dn_mailbox *mailbox)
{
    /* In one order with the posters' push and look: one of the two sees the other. */
    atomic_store(&mailbox->asleep, true);
    return atomic_load(&mailbox->latest) == NULL;
}

void dn_mailbox_awake(dn_mailbox *mailbox, bool readable)
{
    atomic_store(&mailbox->asleep, false);
    uint64_t count;
    while (readable && read(mailbox->fd, &count, sizeof count) < 0 && errno == EINTR) {
    }
}
