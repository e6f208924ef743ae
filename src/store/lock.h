/* SPDX-License-Identifier: Apache-2.0 */
/* One process per data directory: a lock that ends with the process, however it ends. */
#ifndef DN_STORE_LOCK_H
#define DN_STORE_LOCK_H

#include <stddef.h>

/*
 * Makes the directory if it is missing (its parent must be there), locks it, and writes this process's number
 * into DIR/lock. Returns a file descriptor to close in the end, or -1 with a text that names the directory
 * and, when it is in use, the process that uses it.
 */
int dn_lock_directory(const char *directory, char *error, size_t error_size);

#endif
