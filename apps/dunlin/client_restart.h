/* SPDX-License-Identifier: Apache-2.0 */
/* A factory reset of a device that comes to its accounts by a bootstrap: the program begins anew, in the same process, by the same command line. */
#ifndef DUNLIN_APP_CLIENT_RESTART_H
#define DUNLIN_APP_CLIENT_RESTART_H

#include <stddef.h>

typedef struct {
    char **arguments; /* a copy, as secrets of the command line are overwritten; NULL at the end */
    size_t count;
} dn_sim_restart;

/* Copies the command line of `dunlin client`, argv[0] being "client". Without memory there will be no restart. */
void dn_sim_restart_note(dn_sim_restart *restart, int argc, char **argv);
/* Begins anew. Returns only if that cannot be, and has said why. Everything else must have been closed. */
void dn_sim_restart_go(const dn_sim_restart *restart);
/* Wipes and frees the copy. */
void dn_sim_restart_free(dn_sim_restart *restart);

#endif
