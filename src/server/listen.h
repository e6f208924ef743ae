/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses as an embedding program writes them, "coaps://[::]:5684": sorted by transport, and back with the ports that were bound. */
#ifndef DN_SERVER_LISTEN_H
#define DN_SERVER_LISTEN_H

#include "endpoint/ports.h"

#define DN_LISTEN_URI_MAX 96u

typedef struct {
    const char *at[4][DN_PORTS_MAX]; /* by dn_transport: "[::]:5684", views of the URIs */
    size_t count[4];
    uint8_t transport[4 * DN_PORTS_MAX]; /* of each URI, in their order */
    size_t total;
} dn_listen;

/* "coap", "coaps", "coap+tcp", "coaps+tcp". */
const char *dn_listen_scheme(dn_transport transport);
/* ARGUMENT, with a text: one that is no such URI, or too many. What follows the scheme is looked at when it is bound. */
dunlin_status dn_listen_parse(const char *const *uris, size_t count, dn_listen *out, char *error,
                              size_t error_size);
/* True when one of them is secured. */
bool dn_listen_is_secured(const dn_listen *listen);
/* Which of its transport the index-th URI is. */
size_t dn_listen_place(const dn_listen *listen, size_t index);

#endif
