/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread for what a keeper does by and by: it runs a function each time it has been woken, as often as it takes to have run after
 * the last one. No signal is its business.
 */
#ifndef DN_STORE_WORKER_H
#define DN_STORE_WORKER_H

#include <dunlin/status.h>

#include <pthread.h>
#include <stdbool.h>

typedef struct {
    pthread_t thread;
    bool runs;
    void (*work)(void *context);
    void *context;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t turn;
    bool due, stops;
} dn_store_worker;

void dn_store_worker_init(dn_store_worker *worker, void (*work)(void *context), void *context);
/* MEMORY: the system gives no thread. */
dunlin_status dn_store_worker_start(dn_store_worker *worker);
/* Any thread. Nothing happens before it is started. */
void dn_store_worker_wake(dn_store_worker *worker);
/* For `work`, which is to return soon then. */
bool dn_store_worker_stops(dn_store_worker *worker);
/* Waits for its end, and frees what it is made of. It may not have been started. */
void dn_store_worker_stop(dn_store_worker *worker);

#endif
