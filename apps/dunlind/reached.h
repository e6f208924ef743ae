/* SPDX-License-Identifier: Apache-2.0 */
/* How devices reach the LwM2M server: the addresses that a bootstrap puts into accounts which name none. */
#ifndef DUNLIND_REACHED_H
#define DUNLIND_REACHED_H

#include "base/log.h"
#include "settings.h"

#define REACHED_MAX 320u

typedef struct {
    char uri[4][REACHED_MAX]; /* by dn_transport; "": not served */
} reached;

/*
 * What the settings say (public, coap.public); else where the server is `bound` (by dn_transport, NULL: not at all), with the name of this host in the
 * place of an address that stands for all of them. The log says what was made up.
 */
void reached_find(const settings *set, const char *const bound[4], const dn_log *log, reached *out);

#endif
