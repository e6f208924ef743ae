/* SPDX-License-Identifier: Apache-2.0 */
/* The thread for slow work; see worker.h. */
#include "api/worker.h"

#include <stddef.h>

static void *run(void *context)
{
    dn_worker *worker = context;
    pthread_mutex_lock(&worker->lock);
    while (!worker->stops || worker->first != NULL) {
        dn_worker_job *job = worker->first;
        if (job == NULL) {
            pthread_cond_wait(&worker->changed, &worker->lock);
            continue;
        }
        worker->first = job->next;
        if (worker->first == NULL) {
            worker->last = NULL;
        }
        pthread_mutex_unlock(&worker->lock);
        job->run(job->context);
        pthread_mutex_lock(&worker->lock);
    }
    pthread_mutex_unlock(&worker->lock);
    return NULL;
}

bool dn_worker_start(dn_worker *worker)
{
    *worker = (dn_worker){.first = NULL};
    pthread_mutex_init(&worker->lock, NULL);
    pthread_cond_init(&worker->changed, NULL);
    worker->runs = pthread_create(&worker->thread, NULL, run, worker) == 0;
    return worker->runs;
}

void dn_worker_stop(dn_worker *worker)
{
    if (worker->runs) {
        pthread_mutex_lock(&worker->lock);
        worker->stops = true;
        pthread_cond_signal(&worker->changed);
        pthread_mutex_unlock(&worker->lock);
        pthread_join(worker->thread, NULL);
        worker->runs = false;
    }
    pthread_cond_destroy(&worker->changed);
    pthread_mutex_destroy(&worker->lock);
}

void dn_worker_do(dn_worker *worker, dn_worker_job *job)
{
    job->next = NULL;
    pthread_mutex_lock(&worker->lock);
    if (worker->last != NULL) {
        worker->last->next = job;
    } else {
        worker->first = job;
    }
    worker->last = job;
    pthread_cond_signal(&worker->changed);
    pthread_mutex_unlock(&worker->lock);
}
