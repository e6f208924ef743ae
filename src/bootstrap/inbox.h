/* SPDX-License-Identifier: Apache-2.0 */
/* What other threads want to know of the bootstrap server's one: a bounded list under a lock, and a descriptor that wakes. */
#ifndef DN_BOOTSTRAP_INBOX_H
#define DN_BOOTSTRAP_INBOX_H

#include "bootstrap/engine.h"

#include <pthread.h>

#define DN_BS_INBOX_MAX 256u

typedef struct dn_bs_question {
    struct dn_bs_question *next;
    dunlin_slice endpoint; /* copied behind it */
    uint64_t before;
    uint32_t limit;
    bool (*run)(void *context, const dn_bs_run_view *view);
    void (*started)(void *context,
                    const dn_bs_start *start); /* not NULL: begin a run instead of showing some */
    void (*end)(void *context);
    void *context;
} dn_bs_question;

typedef struct {
    pthread_mutex_t lock;
    dn_bs_question *first, *last;
    size_t count;
    bool is_closed;
    int fd;
} dn_bs_inbox;

bool dn_bs_inbox_init(dn_bs_inbox *inbox); /* false: no descriptor */
void dn_bs_inbox_free(dn_bs_inbox *inbox); /* must be empty */
/* Copies `question` and its endpoint. LIMIT: DN_BS_INBOX_MAX wait; STATE: it is closed; MEMORY. */
dunlin_status dn_bs_inbox_put(dn_bs_inbox *inbox, const dn_bs_question *question);
void dn_bs_inbox_wake(dn_bs_inbox *inbox);
/* All that wait, to be freed one by one; empties the descriptor. `closing`: from now on nothing is taken. */
dn_bs_question *dn_bs_inbox_take(dn_bs_inbox *inbox, bool closing);

#endif
