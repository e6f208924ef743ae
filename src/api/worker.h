/* SPDX-License-Identifier: Apache-2.0 */
/* A thread for what may block for long, such as flushing a file to disk: HTTP threads never wait for that. Jobs run one after the other. */
#ifndef DN_API_WORKER_H
#define DN_API_WORKER_H

#include <pthread.h>
#include <stdbool.h>

typedef struct dn_worker_job {
    struct dn_worker_job *next;
    void (*run)(void *context);
    void *context;
} dn_worker_job;

typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    dn_worker_job *first, *last;
    pthread_t thread;
    bool runs, stops;
} dn_worker;

/* False: no thread. dn_worker_stop is due in either case. */
bool dn_worker_start(dn_worker *worker);
/* Runs all that is there, then ends the thread. */
void dn_worker_stop(dn_worker *worker);
/* `job` is the caller's, and must stay until it has begun to run. Any thread. */
void dn_worker_do(dn_worker *worker, dn_worker_job *job);

#endif
