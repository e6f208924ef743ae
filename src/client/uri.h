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
    char server[DUNLIN_URI_MAX + 1]; /* "coap://host:port", as it stands in the URI */
    dn_coap_option options[DN_URI_OPTIONS_MAX];
    size_t option_count;
    uint8_t text[DUNLIN_URI_MAX]; /* decoded, which the options view */
    size_t text_len;
} dn_uri;

/* Takes "coap://host[:port][/path][?query]" apart, into Uri-Host (unless the host is an address), Uri-Path and
   Uri-Query. ARGUMENT: it is none; UNSUPPORTED: another scheme. */
dunlin_status dn_client_uri_read(dn_uri *uri, const char *text);

/* What carries the messages, by the scheme of a server's URI. UNSUPPORTED: another scheme, or none. */
dunlin_status dn_client_uri_transport(const char *uri, dn_transport *transport);
/* Such a URI of at most DUNLIN_URI_MAX bytes with the scheme of another transport. */
void dn_client_uri_with(const char *uri, dn_transport transport, char out[DN_WAY_URI_MAX + 1]);

#endif
