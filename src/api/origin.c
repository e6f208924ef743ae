/* SPDX-License-Identifier: Apache-2.0 */
/* Host and Origin; see origin.h. */
#include "api/origin.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#define HOST_MAX 256u

/* Splits "host", "host:port", "[v6]" or "[v6]:port"; the host lands in `out` without brackets. */
static bool split_host(const char *host, char out[HOST_MAX], bool *bracketed)
{
    const char *end;
    *bracketed = host[0] == '[';
    if (*bracketed) {
        host++;
        end = strchr(host, ']');
        if (end == NULL || (end[1] != 0 && end[1] != ':')) {
            return false;
        }
    } else {
        end = strchr(host, ':');
        end = end == NULL ? host + strlen(host) : end;
    }
    const char *port = *bracketed ? end + 1 : end;
    if (*port == ':' && (port[1] == 0 || strspn(port + 1, "0123456789") != strlen(port + 1))) {
        return false;
    }
    size_t len = (size_t)(end - host);
    if (len == 0 || len >= HOST_MAX) {
        return false;
    }
    memcpy(out, host, len);
    out[len] = 0;
    return true;
}

bool dn_host_allowed(const char *host, const char *const *names, size_t count)
{
    char name[HOST_MAX];
    bool bracketed;
    if (!split_host(host, name, &bracketed)) {
        return false;
    }
    unsigned char address[sizeof(struct in6_addr)];
    if (bracketed) {
        return inet_pton(AF_INET6, name, address) == 1;
    }
    if (inet_pton(AF_INET, name, address) == 1 || strcasecmp(name, "localhost") == 0) {
        return true;
    }
    for (size_t i = 0; i < count; i++) {
        if (strcasecmp(name, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

bool dn_origin_is_host(const char *origin, const char *host)
{
    static const char *const schemes[] = {"http://", "https://"};
    for (size_t i = 0; i < 2; i++) {
        size_t len = strlen(schemes[i]);
        if (strncasecmp(origin, schemes[i], len) == 0) {
            return strcasecmp(origin + len, host) == 0;
        }
    }
    return false;
}
