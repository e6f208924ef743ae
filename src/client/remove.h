/* SPDX-License-Identifier: Apache-2.0 */
/* Taking an instance away, whoever wants it. */
#ifndef DN_CLIENT_REMOVE_H
#define DN_CLIENT_REMOVE_H

#include "client/state.h"

/* Tells observers and the application, forgets attributes, frees the structure, and has the servers told of
 * the list. */
void dn_client_remove_instance(const dn_place *instance);

#endif
