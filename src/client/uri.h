/* SPDX-License-Identifier: Apache-2.0 */
/* CoAP URIs (RFC 7252 section 6, RFC 8323 section 8): what a Package URI names, and by what a server is reached. */
#ifndef DN_CLIENT_URI_H
#define DN_CLIENT_URI_H

#include "base/peer.h"
#include "coap/option.h"
#include <dunlin/client.h>

#define DN_URI_OPTIONS_MAX 24u                   /* segments and queries */
#define DN_WAY_URI_MAX     (DUNLIN_URI_MAX + 5u) /* a URI of coap turned into one of coaps+tcp */

typedef struct {
    dn_transport transport;
    char server[DUNLIN_URI_MAX + 1]; /* "coap://host:port", as it stands in the URI */
    dn_coap_option options[DN_URI_OPTIONS_MAX];
    size_t option_count;
    uint8_t text[DUNLIN_URI_MAX]; /* decoded, which the options view */
    size_t text_len;
} dn_uri;

/* Takes "coap://host[:port][/path][?query]", or one of the other three schemes, apart, into Uri-Host (unless the host is an address),
   Uri-Path and Uri-Query. ARGUMENT: it is none; UNSUPPORTED: another scheme. */
dunlin_status dn_client_uri_read(dn_uri *uri, const char *text);

/* What carries the messages, by the scheme of a server's URI. UNSUPPORTED: another scheme, or none. */
dunlin_status dn_client_uri_transport(const char *uri, dn_transport *transport);
/* The same of a scheme alone. False: another one. */
bool dn_client_uri_scheme(const char *scheme, dn_transport *transport);
/* Whether two such URIs are of the same host and port, secured or not alike: what differs at most is UDP or TCP. Names and addresses are
   compared as they are written, without case. */
bool dn_client_uri_same_place(const char *a, const char *b);
/* Such a URI of at most DUNLIN_URI_MAX bytes with the scheme of another transport. */
void dn_client_uri_with(const char *uri, dn_transport transport, char out[DN_WAY_URI_MAX + 1]);

#endif
