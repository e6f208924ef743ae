/* SPDX-License-Identifier: Apache-2.0 */
/* Choosing the place, and putting the URI together. */
#include "api/package_uri.h"

#include "api/uris.h"

#include <stdio.h>
#include <string.h>

static bool has_host(const char *place, const char *host)
{
    const size_t len = strlen(host);
    return len > 0 && strncmp(place, host, len) == 0 && place[len] == ':';
}

const dn_api_place *dn_package_place(const dn_api_place *places, size_t count, unsigned transport,
                                     const char *local)
{
    const dn_api_place *first = NULL;
    for (size_t i = 0; i < count; i++) {
        if (places[i].transport != transport) {
            continue;
        }
        if (has_host(places[i].place, local)) {
            return &places[i];
        }
        first = first == NULL ? &places[i] : first;
    }
    return first;
}

bool dn_package_uri(const dn_api_place *place, const char *local, const char *id,
                    char out[DN_PACKAGE_URI_MAX])
{
    const char *scheme = dn_uri_scheme(place->transport);
    const char *port = strrchr(place->place, ':');
    const int len = place->guessed && local[0] != 0 && port != NULL
                        ? snprintf(out, DN_PACKAGE_URI_MAX, "%s://%s%s/fw/%s", scheme, local, port, id)
                        : snprintf(out, DN_PACKAGE_URI_MAX, "%s://%s/fw/%s", scheme, place->place, id);
    return len > 0 && (unsigned)len < DN_PACKAGE_URI_MAX;
}
