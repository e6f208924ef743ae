/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device's state in a file: one image of bytes, which the next replaces as a whole. It is written to NAME.new in the same folder, made
 * durable, and renamed: whatever ends the process or the power, at whatever byte, there is the old one or the new one. What the bytes
 * mean, and whether they are whole, their owner knows; what is damaged is kept aside as NAME.damaged, and never written over.
 *
 * NAME.lock keeps two processes from sharing it; the system gives the lock back when the process dies. Files are for their owner alone
 * (0600): they hold credentials. Threads: one.
 */
#ifndef DN_PORT_STATE_FILE_H
#define DN_PORT_STATE_FILE_H

#include <dunlin/slice.h>
#include <dunlin/status.h>

#define DN_STATE_MAX (1024u * 1024u) /* bytes of a file that is read: more is no state of a device */

typedef struct dn_state_file dn_state_file;

/* Locks it; the file itself need not be there. STATE: another process has it; IO: the folder cannot be used; ARGUMENT: that is
   no name of a file; MEMORY. `error` gets a text for people. */
dunlin_status dn_state_file_open(const char *name, dn_state_file **file, char *error, size_t error_size);
/* Gives the lock back. May be NULL. */
void dn_state_file_close(dn_state_file *file);

/* What was saved last, in memory to free(). NOT_FOUND: nothing was; IO; LIMIT: larger than DN_STATE_MAX; MEMORY. `error` as above. */
dunlin_status dn_state_file_load(dn_state_file *file, uint8_t **bytes, size_t *len, char *error,
                                 size_t error_size);
/* What was loaded is good: it may be replaced from now on. */
void dn_state_file_accept(dn_state_file *file);
/* It is not: it becomes NAME.damaged, and there is nothing any more. IO. */
dunlin_status dn_state_file_set_aside(dn_state_file *file);

/* There is nothing any more. IO (errno). */
dunlin_status dn_state_file_remove(dn_state_file *file);

/* Replaces it, and is durable when this returns OK. STATE: there may be one that was neither loaded and accepted nor set aside; IO (errno):
   the old one is still there, or after a failure of the folder itself the new one. */
dunlin_status dn_state_file_save(dn_state_file *file, dunlin_slice bytes);

#endif
