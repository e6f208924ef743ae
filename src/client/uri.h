/* SPDX-License-Identifier: Apache-2.0 */
/* CoAP URIs (RFC 7252 section 6): what a Package URI names. */
#ifndef DN_CLIENT_URI_H
#define DN_CLIENT_URI_H

#include "coap/option.h"
#include <dunlin/client.h>

#define DN_URI_OPTIONS_MAX 24u /* segments and queries */

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

#endif
