/* SPDX-License-Identifier: Apache-2.0 */
/* Where devices reach the server, by the transport: the URIs of its bound addresses. */
#ifndef DN_API_URIS_H
#define DN_API_URIS_H

#include "api/api.h"
#include "api/json_write.h"

/* "coap", "coaps", "coap+tcp", "coaps+tcp" of a dn_transport (RFC 7252 section 6, RFC 8323 section 8). */
const char *dn_uri_scheme(unsigned transport);
/* "udp", "dtls", "tcp", "tls". */
const char *dn_transport_name(unsigned transport);
/* The member "addresses": an array of all URIs. */
void dn_uris_all(dn_jsonw *json, const dn_api_config *config);
/* The member "addresses": an object of arrays by scheme, without the schemes that there are not. */
void dn_uris_by_scheme(dn_jsonw *json, const dn_api_config *config);
/* The same of the bootstrap server. */
void dn_uris_all_bootstrap(dn_jsonw *json, const dn_api_config *config);
void dn_uris_by_scheme_bootstrap(dn_jsonw *json, const dn_api_config *config);

#endif
