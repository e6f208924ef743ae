/* SPDX-License-Identifier: Apache-2.0 */
/* What is readable at a place, encoded: for Read, Observe and Notify. */
#ifndef DN_CLIENT_READ_H
#define DN_CLIENT_READ_H

#include "client/state.h"
#include "codec/format.h"

/* Adds what place->server can read at `place` and below to what is being encoded. Whoever calls has asked
   whether it may read the place itself. A getter's error, if a resource was asked for; else its value is left
   out. */
dunlin_status dn_client_read_add(const dn_place *place, dn_encoder *encoder);

/*
 * Encodes into `out` what place->server can read at `place` and below (Core 1.1.1 section 6.3.1): CONTENT with `payload`
 * and `format`, or NOT_FOUND, METHOD_NOT_ALLOWED, NOT_ACCEPTABLE, or INTERNAL_ERROR when it does not fit into
 * `out`.
 */
uint8_t dn_client_read_place(const dn_place *place, uint16_t accept, dunlin_buf out, dunlin_slice *payload,
                             uint16_t *format);

#endif
