/* SPDX-License-Identifier: Apache-2.0 */
/* Keeping the command line, and running it again. */
#include "apps/dunlin/client_restart.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OWN_PROGRAM "/proc/self/exe"

void dn_sim_restart_note(dn_sim_restart *restart, int argc, char **argv)
{
    const size_t count = (size_t)argc + 1; /* with the program's name */
    restart->arguments = calloc(count + 1, sizeof *restart->arguments);
    restart->count = 0;
    for (size_t i = 0; restart->arguments != NULL && i < count; i++) {
        restart->arguments[i] = strdup(i == 0 ? "dunlin" : argv[i - 1]);
        if (restart->arguments[i] == NULL) {
            dn_sim_restart_free(restart);
            return;
        }
        restart->count = i + 1;
    }
}

void dn_sim_restart_go(const dn_sim_restart *restart)
{
    (void)fflush(stdout);
    errno = ENOMEM;
    if (restart->arguments != NULL) {
        (void)execv(OWN_PROGRAM, restart->arguments);
    }
    (void)fprintf(stderr, "dunlin client: cannot begin anew: %s\n", strerror(errno));
}

void dn_sim_restart_free(dn_sim_restart *restart)
{
    for (size_t i = 0; i < restart->count; i++) {
        explicit_bzero(restart->arguments[i], strlen(restart->arguments[i]));
        free(restart->arguments[i]);
    }
    free(restart->arguments);
    *restart = (dn_sim_restart){NULL, 0};
}
