/* SPDX-License-Identifier: Apache-2.0 */
#include "port/uri.h"

#include <stdlib.h>

#define PORT        5683u
#define PORT_SECURE 5684u

static const struct {
    const char *text;
    dn_transport transport;
} schemes[] = {
    {"coap://", DN_TRANSPORT_UDP},
    {"coaps://", DN_TRANSPORT_DTLS},
    {"coap+tcp://", DN_TRANSPORT_TCP},
    {"coaps+tcp://", DN_TRANSPORT_TLS},
};

/* What is behind the scheme; NULL: it has none of ours. */
static const char *read_scheme(const char *uri, dn_transport *out)
{
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        const size_t len = strlen(schemes[i].text);
        if (strncmp(uri, schemes[i].text, len) == 0) {
            *out = schemes[i].transport;
            return uri + len;
        }
    }
    return NULL;
}

/* The host at `text`, without the brackets of an IPv6 address; *end goes behind it. */
static const char *read_host(const char *text, const char **end, dn_uri_server *out)
{
    const bool bracketed = *text == '[';
    const char *host = text + (bracketed ? 1 : 0);
    const size_t len = strcspn(host, bracketed ? "]" : ":/?#@");
    if (bracketed && host[len] != ']') {
        return "the IPv6 address has no ']'";
    }
    if (len == 0 || len >= sizeof out->host) {
        return "it names no host";
    }
    memcpy(out->host, host, len);
    out->host[len] = '\0';
    *end = host + len + (bracketed ? 1 : 0);
    return NULL;
}

/* The digits between ':' and what follows. */
static bool read_port(const char **at, uint16_t *out)
{
    char *end = NULL;
    const char *digits = *at;
    if (*digits < '0' || *digits > '9') {
        return false;
    }
    const unsigned long port = strtoul(digits, &end, 10);
    *out = (uint16_t)port;
    *at = end;
    return port > 0 && port <= UINT16_MAX;
}

const char *dn_uri_read(const char *uri, dn_uri_server *out, const char **rest)
{
    memset(out, 0, sizeof *out);
    const char *at = read_scheme(uri, &out->transport);
    if (at == NULL) {
        return "it has to begin with coap://, coaps://, coap+tcp:// or coaps+tcp://";
    }
    if (strlen(uri) > DN_URI_MAX) {
        return "it is too long";
    }
    const char *fault = read_host(at, &at, out);
    if (fault != NULL) {
        return fault;
    }
    out->port = dn_transport_is_secure(out->transport) ? PORT_SECURE : PORT;
    if (*at == ':') {
        at++;
        if (!read_port(&at, &out->port)) {
            return "the port has to be 1 to 65535";
        }
    }
    if (*at != '\0' && *at != '/' && *at != '?') {
        return "what is behind the host is neither a port nor a path";
    }
    if (rest != NULL) {
        *rest = at;
    }
    return NULL;
}
