/* SPDX-License-Identifier: Apache-2.0 */
/* The address of a package, as devices are told of it: by the transport and the place at which they know this server. */
#ifndef DN_API_PACKAGE_URI_H
#define DN_API_PACKAGE_URI_H

#include "api/api.h"

#define DN_PACKAGE_URI_MAX 256u /* a Package URI has up to 255 bytes (Core 1.1.1 appendix E.6) */

/* That of `count` places which suits a device that is registered over `transport`, by the address `local` of ours ("": not known): the one with
   this address, else the first of the transport. NULL: there is none. */
const dn_api_place *dn_package_place(const dn_api_place *places, size_t count, unsigned transport,
                                     const char *local);
/* Puts "coaps://host:port/fw/ID" together; `local` (may be "") in the place of a host that is guessed. False: it is too long. */
bool dn_package_uri(const dn_api_place *place, const char *local, const char *id,
                    char out[DN_PACKAGE_URI_MAX]);

#endif
