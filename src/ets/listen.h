/* SPDX-License-Identifier: Apache-2.0 */
/* The setting in which a foreign device is tested: our server waits for it at UDP addresses. */
#ifndef DN_ETS_LISTEN_H
#define DN_ETS_LISTEN_H

#include "ets/world.h"

typedef struct dn_ets_listen dn_ets_listen;

/* Listens at 1 or 2 numeric addresses, "127.0.0.1:5683" (port 0: any). `endpoint`: the device to test, NULL: the first that
 * registers. NULL: `error` says why. */
dn_ets_listen *dn_ets_listen_create(const char *const *addresses, size_t count, const char *endpoint,
                                    char *error, size_t error_size);
void dn_ets_listen_destroy(dn_ets_listen *listen);
dn_ets_world *dn_ets_listen_world(dn_ets_listen *listen);
/* The address with its real port. */
const char *dn_ets_listen_address(const dn_ets_listen *listen, size_t index);

#endif
