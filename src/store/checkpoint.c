/* SPDX-License-Identifier: Apache-2.0 */
/* The thread that copies, and the writer's part. */
#include "store/checkpoint.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#define REST_PAGES   256u /* little enough for the writer to copy by itself */
#define LIMIT_FACTOR 8u   /* at this many times start_pages the writer copies whatever is left */

struct dn_checkpoint {
    /* The writer's. */
    dn_database *writer;
    uint32_t start_pages;
    uint32_t next_pages; /* copying begins at this size of the log */
    uint32_t log_pages;  /* in the log after the last commit */
    bool asked;          /* the thread was asked to copy, and its answer not taken yet */

    dn_database copier; /* the thread's connection */
    pthread_t thread;
    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t changed;
    bool ending;
    bool wanted;   /* a pass is wanted or under way */
    bool failed;   /* the thread's connection has failed */
    uint32_t left; /* pages that the last pass left */
};

static int note_log_size(void *context, sqlite3 *sqlite, const char *name, int pages)
{
    (void)sqlite;
    (void)name;
    dn_checkpoint *checkpoint = context;
    checkpoint->log_pages = (uint32_t)pages;
    return SQLITE_OK;
}

/* Copies what can be copied without making anyone wait; `left` pages could not. */
static bool copy(dn_database *database, uint32_t *left)
{
    int pages = 0;
    int copied = 0;
    int result =
        sqlite3_wal_checkpoint_v2(database->sqlite, NULL, SQLITE_CHECKPOINT_PASSIVE, &pages, &copied);
    *left = pages > copied ? (uint32_t)(pages - copied) : 0;
    if (result != SQLITE_OK && result != SQLITE_BUSY) {
        return dn_database_fail_sqlite(database, "checkpoint");
    }
    return true;
}

static void *copy_when_wanted(void *context)
{
    dn_checkpoint *checkpoint = context;
    pthread_mutex_lock(&checkpoint->mutex);
    while (!checkpoint->ending) {
        if (!checkpoint->wanted) {
            pthread_cond_wait(&checkpoint->changed, &checkpoint->mutex);
            continue;
        }
        pthread_mutex_unlock(&checkpoint->mutex);
        uint32_t left = 0;
        bool ok = copy(&checkpoint->copier, &left);
        pthread_mutex_lock(&checkpoint->mutex);
        checkpoint->wanted = false;
        checkpoint->failed = !ok;
        checkpoint->left = left;
        pthread_cond_broadcast(&checkpoint->changed);
    }
    pthread_mutex_unlock(&checkpoint->mutex);
    return NULL;
}

/* Signals are for the program's own threads. */
static bool start_thread(dn_checkpoint *checkpoint)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int result = pthread_create(&checkpoint->thread, NULL, copy_when_wanted, checkpoint);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return result == 0;
}

dn_checkpoint *dn_checkpoint_start(dn_database *writer, const char *path, const char *vfs,
                                   uint32_t start_pages)
{
    dn_checkpoint *checkpoint = calloc(1, sizeof *checkpoint);
    if (checkpoint == NULL) {
        dn_database_fail(writer, "no memory");
        return NULL;
    }
    checkpoint->writer = writer;
    checkpoint->start_pages = start_pages;
    checkpoint->next_pages = start_pages;
    pthread_mutex_init(&checkpoint->mutex, NULL);
    pthread_cond_init(&checkpoint->changed, NULL);
    if (!dn_database_open(&checkpoint->copier, path, vfs) ||
        !dn_database_execute(&checkpoint->copier, "PRAGMA synchronous=NORMAL; PRAGMA cache_size=-16")) {
        dn_database_fail(writer, "%s", checkpoint->copier.error);
    } else if (!start_thread(checkpoint)) {
        dn_database_fail(writer, "cannot start the thread for checkpoints");
    } else {
        sqlite3_wal_hook(writer->sqlite, note_log_size, checkpoint);
        return checkpoint;
    }
    dn_database_close(&checkpoint->copier);
    pthread_cond_destroy(&checkpoint->changed);
    pthread_mutex_destroy(&checkpoint->mutex);
    free(checkpoint);
    return NULL;
}

static void ask(dn_checkpoint *checkpoint)
{
    pthread_mutex_lock(&checkpoint->mutex);
    checkpoint->wanted = true;
    pthread_cond_broadcast(&checkpoint->changed);
    pthread_mutex_unlock(&checkpoint->mutex);
    checkpoint->asked = true;
}

/* True when the thread has answered; waits for that if `wait`. */
static bool take_answer(dn_checkpoint *checkpoint, bool wait, bool *failed, uint32_t *left)
{
    pthread_mutex_lock(&checkpoint->mutex);
    while (wait && checkpoint->wanted) {
        pthread_cond_wait(&checkpoint->changed, &checkpoint->mutex);
    }
    bool answered = !checkpoint->wanted;
    *failed = checkpoint->failed;
    *left = checkpoint->left;
    pthread_mutex_unlock(&checkpoint->mutex);
    checkpoint->asked = !answered;
    return answered;
}

/* The writer copies the rest. When another program reads the database and something must stay, the next try
 * comes later. */
static bool finish(dn_checkpoint *checkpoint)
{
    uint32_t left = 0;
    if (!copy(checkpoint->writer, &left)) {
        return false;
    }
    checkpoint->next_pages = (left > 0 ? checkpoint->log_pages : 0) + checkpoint->start_pages;
    checkpoint->log_pages = left > 0 ? checkpoint->log_pages : 0;
    return true;
}

bool dn_checkpoint_step(dn_checkpoint *checkpoint)
{
    if (checkpoint->log_pages < checkpoint->next_pages && !checkpoint->asked) {
        return true;
    }
    if (checkpoint->asked) {
        bool at_limit =
            checkpoint->log_pages >= checkpoint->next_pages + LIMIT_FACTOR * checkpoint->start_pages;
        bool failed = false;
        uint32_t left = 0;
        if (!take_answer(checkpoint, at_limit, &failed, &left)) {
            return true;
        }
        if (failed) {
            return dn_database_fail(checkpoint->writer, "%s", checkpoint->copier.error);
        }
        if (left <= REST_PAGES || at_limit) {
            return finish(checkpoint);
        }
    }
    ask(checkpoint);
    return true;
}

void dn_checkpoint_stop(dn_checkpoint *checkpoint)
{
    if (checkpoint == NULL) {
        return;
    }
    pthread_mutex_lock(&checkpoint->mutex);
    checkpoint->ending = true;
    pthread_cond_broadcast(&checkpoint->changed);
    pthread_mutex_unlock(&checkpoint->mutex);
    pthread_join(checkpoint->thread, NULL);
    sqlite3_wal_hook(checkpoint->writer->sqlite, NULL, NULL);
    dn_database_close(&checkpoint->copier);
    pthread_cond_destroy(&checkpoint->changed);
    pthread_mutex_destroy(&checkpoint->mutex);
    free(checkpoint);
}
