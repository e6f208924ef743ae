/* SPDX-License-Identifier: Apache-2.0 */
/* Schemes by transport (RFC 7252 section 6, RFC 8323 section 8); see listen.h. */
#include "server/listen.h"

#include <stdio.h>
#include <string.h>

static const char *const schemes[] = {[DN_TRANSPORT_UDP] = "coap",
                                      [DN_TRANSPORT_DTLS] = "coaps",
                                      [DN_TRANSPORT_TCP] = "coap+tcp",
                                      [DN_TRANSPORT_TLS] = "coaps+tcp"};

const char *dn_listen_scheme(dn_transport transport)
{
    return schemes[transport];
}

/* What follows "scheme://"; NULL: it is none of ours. */
static const char *behind_scheme(const char *uri, dn_transport *transport)
{
    const size_t len = strcspn(uri, ":");
    if (strncmp(uri + len, "://", 3) != 0) {
        return NULL;
    }
    for (unsigned i = 0; i < 4; i++) {
        if (strlen(schemes[i]) == len && memcmp(schemes[i], uri, len) == 0) {
            *transport = (dn_transport)i;
            return uri + len + 3;
        }
    }
    return NULL;
}

dunlin_status dn_listen_parse(const char *const *uris, size_t count, dn_listen *out, char *error,
                              size_t error_size)
{
    *out = (dn_listen){.total = 0};
    for (size_t i = 0; i < count; i++) {
        dn_transport transport = DN_TRANSPORT_UDP;
        const char *at = behind_scheme(uris[i], &transport);
        if (at == NULL || at[0] == 0) {
            (void)snprintf(error, error_size,
                           "\"%.100s\" is no address to listen on: coap://, coaps://, coap+tcp:// or "
                           "coaps+tcp://, then IP:PORT",
                           uris[i]);
            return DUNLIN_ERR_ARGUMENT;
        }
        if (out->count[transport] == DN_PORTS_MAX) {
            (void)snprintf(error, error_size, "more than %u addresses with %s://", DN_PORTS_MAX,
                           schemes[transport]);
            return DUNLIN_ERR_ARGUMENT;
        }
        out->at[transport][out->count[transport]++] = at;
        out->transport[out->total++] = (uint8_t)transport;
    }
    return DUNLIN_OK;
}

bool dn_listen_is_secured(const dn_listen *listen)
{
    return listen->count[DN_TRANSPORT_DTLS] + listen->count[DN_TRANSPORT_TLS] > 0;
}

size_t dn_listen_place(const dn_listen *listen, size_t index)
{
    size_t place = 0;
    for (size_t i = 0; i < index; i++) {
        place += listen->transport[i] == listen->transport[index];
    }
    return place;
}
