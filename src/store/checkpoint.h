/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checkpoints: moving what SQLite's write-ahead log holds into the database file, so that the log stays
 * small. A checkpoint waits for the disk; done by the writer it would stop the packets for tens of
 * milliseconds. So a thread with a connection of its own copies while the writer goes on, until little is
 * left; then the writer copies the rest itself, which takes a moment, and its next commit starts the log
 * anew.
 *
 * The writer finishes, not the thread, because the thread can't: while commits go on something is always
 * left, and the log would grow without end.
 */
#ifndef DN_STORE_CHECKPOINT_H
#define DN_STORE_CHECKPOINT_H

#include "store/database.h"

typedef struct dn_checkpoint dn_checkpoint;

/*
 * Starts the thread for `writer`'s database and takes over its log's hook. `start_pages`: the log's size in
 * pages at which copying begins. NULL: the failure is noted in `writer`, which must outlive the checkpoint.
 */
dn_checkpoint *dn_checkpoint_start(dn_database *writer, const char *path, const char *vfs,
                                   uint32_t start_pages);
/* The writer calls this after each commit. False: a failure, noted in the writer's database. */
bool dn_checkpoint_step(dn_checkpoint *checkpoint);
/* Ends the thread. The rest of the log stays for the writer's closing. NULL is fine. */
void dn_checkpoint_stop(dn_checkpoint *checkpoint);

#endif
