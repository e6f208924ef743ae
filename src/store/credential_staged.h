/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The numbers of the staged credentials, kept in memory: with each Register the keeper is asked whether what was proved is one of them. And which
 * of them have been proved and wait to be promoted. Any thread.
 */
#ifndef DN_STORE_CREDENTIAL_STAGED_H
#define DN_STORE_CREDENTIAL_STAGED_H

#include <dunlin/status.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DN_STAGED_PROVED_MAX 1024u /* that wait; of more, the device will prove it once more some day */

typedef struct {
    pthread_mutex_t lock;
    atomic_size_t count; /* read without the lock */
    size_t room, used;   /* slots, a power of two; those that are not free, removed ones among them */
    uint64_t *slots;     /* 0: free */
    size_t proved_count;
    uint64_t proved[DN_STAGED_PROVED_MAX];
} dn_credential_staged;

void dn_credential_staged_init(dn_credential_staged *staged);
void dn_credential_staged_free(dn_credential_staged *staged);
size_t dn_credential_staged_count(dn_credential_staged *staged);
/* Makes room for `more`, so that so many adds succeed. False: no memory. */
bool dn_credential_staged_reserve(dn_credential_staged *staged, size_t more);
/* False: no memory. A number is never 0. */
bool dn_credential_staged_add(dn_credential_staged *staged, uint64_t number);
void dn_credential_staged_remove(dn_credential_staged *staged, uint64_t number);
/* True when it is a staged one, and waits to be promoted from now on. */
bool dn_credential_staged_prove(dn_credential_staged *staged, uint64_t number);
/* Takes those that wait; gives how many. */
size_t dn_credential_staged_take(dn_credential_staged *staged, uint64_t out[DN_STAGED_PROVED_MAX]);

#endif
