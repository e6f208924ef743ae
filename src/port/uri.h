/* SPDX-License-Identifier: Apache-2.0 */
/* URIs of CoAP servers: "coap://", "coaps://" (RFC 7252 section 6), "coap+tcp://", "coaps+tcp://" (RFC 8323 section 8). */
#ifndef DN_PORT_URI_H
#define DN_PORT_URI_H

#include "base/peer.h"

#define DN_URI_MAX      260u /* 255, and what another scheme makes it longer */
#define DN_URI_HOST_MAX 256u

typedef struct {
    dn_transport transport;
    char host[DN_URI_HOST_MAX]; /* a name or an address; an IPv6 one without brackets */
    uint16_t port;              /* 5683, or 5684 of the secured ones, if the URI has none */
} dn_uri_server;

/* Takes scheme, host and port of a URI; *rest (may be NULL) goes to what is behind them: "", or a path or query. NULL, or what is wrong, as a
   text that goes behind the URI. */
const char *dn_uri_read(const char *uri, dn_uri_server *out, const char **rest);

#endif
