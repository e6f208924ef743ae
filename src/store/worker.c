/* SPDX-License-Identifier: Apache-2.0 */
/* A thread that is woken; see worker.h. */
#include "store/worker.h"

#include <signal.h>

void dn_store_worker_init(dn_store_worker *worker, void (*work)(void *context), void *context)
{
    *worker = (dn_store_worker){.work = work, .context = context};
    pthread_mutex_init(&worker->lock, NULL);
    pthread_cond_init(&worker->turn, NULL);
}

static void *run(void *context)
{
    dn_store_worker *worker = context;
    pthread_mutex_lock(&worker->lock);
    while (!worker->stops) {
        if (!worker->due) {
            pthread_cond_wait(&worker->turn, &worker->lock);
            continue;
        }
        worker->due = false;
        pthread_mutex_unlock(&worker->lock);
        worker->work(worker->context);
        pthread_mutex_lock(&worker->lock);
    }
    pthread_mutex_unlock(&worker->lock);
    return NULL;
}

dunlin_status dn_store_worker_start(dn_store_worker *worker)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    worker->runs = pthread_create(&worker->thread, NULL, run, worker) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return worker->runs ? DUNLIN_OK : DUNLIN_ERR_MEMORY;
}

void dn_store_worker_wake(dn_store_worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    worker->due = true;
    pthread_cond_signal(&worker->turn);
    pthread_mutex_unlock(&worker->lock);
}

bool dn_store_worker_stops(dn_store_worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    const bool stops = worker->stops;
    pthread_mutex_unlock(&worker->lock);
    return stops;
}

void dn_store_worker_stop(dn_store_worker *worker)
{
    if (worker->runs) {
        pthread_mutex_lock(&worker->lock);
        worker->stops = true;
        pthread_cond_signal(&worker->turn);
        pthread_mutex_unlock(&worker->lock);
        pthread_join(worker->thread, NULL);
        worker->runs = false;
    }
    pthread_cond_destroy(&worker->turn);
    pthread_mutex_destroy(&worker->lock);
}
