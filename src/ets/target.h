/* SPDX-License-Identifier: Apache-2.0 */
/* The setting in which a foreign server is tested: our device goes to it over UDP, and its operator is reached in a way of
 * that server's own. */
#ifndef DN_ETS_TARGET_H
#define DN_ETS_TARGET_H

#include "ets/world.h"

typedef struct dn_ets_target dn_ets_target;

/* 1 or 2 servers: "coap://host:port", each with its operator, which must outlive the target. NULL: `error` says why. */
dn_ets_target *dn_ets_target_create(const char *const *uris, const dn_ets_operator *const *operators,
                                    size_t count, char *error, size_t error_size);
void dn_ets_target_destroy(dn_ets_target *target);
dn_ets_world *dn_ets_target_world(dn_ets_target *target);

#endif
