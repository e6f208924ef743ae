/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which page in a browser may speak to us. The API has no passwords yet: what protects it is that it listens on this host only, so a foreign
 * web page must be kept from using the operator's browser as a bridge (cross-site requests, DNS rebinding).
 */
#ifndef DN_API_ORIGIN_H
#define DN_API_ORIGIN_H

#include <stdbool.h>
#include <stddef.h>

/* True when the Host header names us in a way that DNS cannot be made to mean: an IP address, "localhost" or one of `names`, each
   with or without a port. */
bool dn_host_allowed(const char *host, const char *const *names, size_t count);
/* True when the Origin header is the scheme http or https with exactly the Host of this request. */
bool dn_origin_is_host(const char *origin, const char *host);

#endif
