/* SPDX-License-Identifier: Apache-2.0 */
/* A client's image from the file that keeps it. */
#ifndef DN_PORT_STATE_RESTORE_H
#define DN_PORT_STATE_RESTORE_H

#include "port/state_file.h"
#include <dunlin/client.h>

/*
 * dunlin_client_restore with what is in the file. NOT_FOUND: nothing is, the device starts as it is. MALFORMED: it is damaged, and was set
 * aside; the device starts as it is. UNSUPPORTED, LIMIT, IO, MEMORY: it stays where it is, and nothing will be saved over it: do not
 * start. `error` gets a text for people.
 */
dunlin_status dn_state_restore(dn_state_file *file, dunlin_client *client, char *error, size_t error_size);

#endif
