/* SPDX-License-Identifier: Apache-2.0 */
/* How devices reach the LwM2M server: the addresses that a bootstrap puts into accounts which name none, and those of packages. */
#ifndef DUNLIND_REACHED_H
#define DUNLIND_REACHED_H

#include "api/api.h"
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

#define REACHED_PLACES_MAX 128u

typedef struct {
    dn_api_place places[REACHED_PLACES_MAX];
    size_t count;
    char text[REACHED_PLACES_MAX][REACHED_MAX];
} reached_places;

/* The address at `index` where the server is bound with a transport; NULL: no more. */
typedef const char *reached_bound(const void *context, dn_transport transport, size_t index);

/*
 * The same as places for packages, of the transports that are served: what the settings say (public.…, then all of coap.public), else each address
 * that is bound. A name of this host in the place of an address that stands for all of them is a guess, unless a bootstrap here tells it to
 * devices, too.
 */
void reached_places_find(const settings *set, reached_bound *bound, const void *context, reached_places *out);

#endif
