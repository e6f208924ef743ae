/* SPDX-License-Identifier: Apache-2.0 */
/* See inbox.h. */
#include "bootstrap/inbox.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

bool dn_bs_inbox_init(dn_bs_inbox *inbox)
{
    *inbox = (dn_bs_inbox){.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    (void)pthread_mutex_init(&inbox->lock, NULL);
    return inbox->fd >= 0;
}

void dn_bs_inbox_free(dn_bs_inbox *inbox)
{
    if (inbox->fd >= 0) {
        (void)close(inbox->fd);
    }
    (void)pthread_mutex_destroy(&inbox->lock);
}

void dn_bs_inbox_wake(dn_bs_inbox *inbox)
{
    const uint64_t one = 1;
    /* Full is as good as written: it is readable. */
    ssize_t written = write(inbox->fd, &one, sizeof one);
    (void)written;
}

dunlin_status dn_bs_inbox_put(dn_bs_inbox *inbox, const dn_bs_question *question)
{
    dn_bs_question *copy = malloc(sizeof *copy + question->endpoint.len);
    dunlin_status status = DUNLIN_OK;
    if (copy == NULL) {
        return DUNLIN_ERR_MEMORY;
    }
    *copy = *question;
    copy->next = NULL;
    if (question->endpoint.len > 0) {
        memcpy(copy + 1, question->endpoint.data, question->endpoint.len);
    }
    copy->endpoint.data = (const uint8_t *)(copy + 1);
    (void)pthread_mutex_lock(&inbox->lock);
    if (inbox->is_closed || inbox->count == DN_BS_INBOX_MAX) {
        status = inbox->is_closed ? DUNLIN_ERR_STATE : DUNLIN_ERR_LIMIT;
        free(copy);
    } else {
        if (inbox->last != NULL) {
            inbox->last->next = copy;
        } else {
            inbox->first = copy;
        }
        inbox->last = copy;
        inbox->count++;
    }
    (void)pthread_mutex_unlock(&inbox->lock);
    if (status == DUNLIN_OK) {
        dn_bs_inbox_wake(inbox);
    }
    return status;
}

dn_bs_question *dn_bs_inbox_take(dn_bs_inbox *inbox, bool closing)
{
    uint64_t value;
    ssize_t got = read(inbox->fd, &value, sizeof value);
    (void)got;
    (void)pthread_mutex_lock(&inbox->lock);
    dn_bs_question *first = inbox->first;
    inbox->first = inbox->last = NULL;
    inbox->count = 0;
    inbox->is_closed = inbox->is_closed || closing;
    (void)pthread_mutex_unlock(&inbox->lock);
    return first;
}
