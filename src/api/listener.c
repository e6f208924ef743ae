/* SPDX-License-Identifier: Apache-2.0 */
/* The listening socket; see listener.h. */
#include "api/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 511

typedef union {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_storage room;
} address;

static bool parse_port(const char *text, uint16_t *port)
{
    char *end = NULL;
    if (text[0] < '0' || text[0] > '9') {
        return false;
    }
    unsigned long number = strtoul(text, &end, 10);
    *port = (uint16_t)number;
    return *end == 0 && number <= UINT16_MAX;
}

static bool parse(const char *text, address *out, socklen_t *len)
{
    char host[INET6_ADDRSTRLEN];
    memset(out, 0, sizeof *out);
    bool bracketed = text[0] == '[';
    const char *start = bracketed ? text + 1 : text;
    const char *end = strchr(start, bracketed ? ']' : ':');
    const char *port = end == NULL ? NULL : bracketed ? end + 1 : end;
    uint16_t number;
    if (port == NULL || *port != ':' || (size_t)(end - start) >= sizeof host ||
        !parse_port(port + 1, &number)) {
        return false;
    }
    memcpy(host, start, (size_t)(end - start));
    host[end - start] = 0;
    if (bracketed) {
        out->v6.sin6_family = AF_INET6;
        out->v6.sin6_port = htons(number);
        *len = sizeof out->v6;
        return inet_pton(AF_INET6, host, &out->v6.sin6_addr) == 1;
    }
    out->v4.sin_family = AF_INET;
    out->v4.sin_port = htons(number);
    *len = sizeof out->v4;
    return inet_pton(AF_INET, host, &out->v4.sin_addr) == 1;
}

static void print(const address *from, char *out, size_t size)
{
    char host[INET6_ADDRSTRLEN] = "?";
    if (from->any.sa_family == AF_INET6) {
        inet_ntop(AF_INET6, &from->v6.sin6_addr, host, sizeof host);
        snprintf(out, size, "[%s]:%u", host, ntohs(from->v6.sin6_port));
    } else {
        inet_ntop(AF_INET, &from->v4.sin_addr, host, sizeof host);
        snprintf(out, size, "%s:%u", host, ntohs(from->v4.sin_port));
    }
}

dunlin_status dn_listener_open(const char *text, int *fd, char *bound, size_t bound_size, char *error,
                               size_t error_size)
{
    address at;
    socklen_t len;
    int on = 1;
    int off = 0;
    if (!parse(text, &at, &len)) {
        snprintf(error, error_size, "\"%s\" is not an address such as 127.0.0.1:8080 or [::1]:8080", text);
        return DUNLIN_ERR_ARGUMENT;
    }
    int made = socket(at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (made < 0) {
        snprintf(error, error_size, "no socket for %s: %s", text, strerror(errno));
        return DUNLIN_ERR_IO;
    }
    setsockopt(made, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (at.any.sa_family == AF_INET6) {
        setsockopt(made, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    }
    if (bind(made, &at.any, len) != 0 || listen(made, BACKLOG) != 0) {
        snprintf(error, error_size, "cannot listen on %s: %s", text, strerror(errno));
        close(made);
        return DUNLIN_ERR_IO;
    }
    socklen_t room = sizeof at;
    getsockname(made, &at.any, &room);
    print(&at, bound, bound_size);
    *fd = made;
    return DUNLIN_OK;
}

bool dn_listener_is_loopback(const char *text)
{
    address at;
    socklen_t len;
    if (!parse(text, &at, &len)) {
        return false;
    }
    if (at.any.sa_family == AF_INET6) {
        return IN6_IS_ADDR_LOOPBACK(&at.v6.sin6_addr);
    }
    return ntohl(at.v4.sin_addr.s_addr) >> 24 == 127;
}
