/* SPDX-License-Identifier: Apache-2.0 */
/* Reads /proc/net and /sys/class/net. */
#include "port/linux_net.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <limits.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_MAX_BYTES 512
#define ROUTE_UP       1u
#define ROUTE_GATEWAY  2u

static FILE *open_below(const char *root, const char *file)
{
    char path[PATH_MAX];
    return (size_t)snprintf(path, sizeof path, "%s%s", root, file) < sizeof path ? fopen(path, "r") : NULL;
}

/* ---- addresses ---- */

enum { RANK_GLOBAL, RANK_LINK_LOCAL, RANK_LOOPBACK, RANKS, RANK_NONE = RANKS };

static int rank_of(const struct ifaddrs *at)
{
    if (at->ifa_addr == NULL || (at->ifa_flags & IFF_UP) == 0 ||
        (at->ifa_addr->sa_family != AF_INET && at->ifa_addr->sa_family != AF_INET6)) {
        return RANK_NONE;
    }
    if ((at->ifa_flags & IFF_LOOPBACK) != 0) {
        return RANK_LOOPBACK;
    }
    struct sockaddr_in6 six;
    memset(&six, 0, sizeof six);
    if (at->ifa_addr->sa_family == AF_INET6) {
        memcpy(&six, at->ifa_addr, sizeof six);
    }
    return IN6_IS_ADDR_LINKLOCAL(&six.sin6_addr) ? RANK_LINK_LOCAL : RANK_GLOBAL;
}

static bool text_of(const struct sockaddr *address, dn_linux_ip out)
{
    struct sockaddr_in four;
    struct sockaddr_in6 six;
    if (address->sa_family == AF_INET) {
        memcpy(&four, address, sizeof four);
        return inet_ntop(AF_INET, &four.sin_addr, out, DN_LINUX_IP_MAX) != NULL;
    }
    memcpy(&six, address, sizeof six);
    return inet_ntop(AF_INET6, &six.sin6_addr, out, DN_LINUX_IP_MAX) != NULL;
}

size_t dn_linux_addresses(dn_linux_ip *out, size_t max)
{
    struct ifaddrs *all = NULL;
    size_t count = 0;
    if (getifaddrs(&all) != 0) {
        return 0;
    }
    for (int rank = 0; rank < RANKS && (rank != RANK_LOOPBACK || count == 0); rank++) {
        for (const struct ifaddrs *at = all; at != NULL && count < max; at = at->ifa_next) {
            if (rank_of(at) == rank && text_of(at->ifa_addr, out[count])) {
                count++;
            }
        }
    }
    freeifaddrs(all);
    return count;
}

/* ---- the way to a host ---- */

#define ANY_PORT "9" /* nothing is sent there */

/* The local address that the kernel would use. */
static bool local_towards(const char *host, struct sockaddr_storage *local)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_DGRAM};
    struct addrinfo *found = NULL;
    socklen_t len = sizeof *local;
    if (getaddrinfo(host, ANY_PORT, &hints, &found) != 0) {
        return false;
    }
    const int fd = socket(found->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const bool good = fd >= 0 && connect(fd, found->ai_addr, found->ai_addrlen) == 0 &&
                      getsockname(fd, (struct sockaddr *)local, &len) == 0;
    if (fd >= 0) {
        (void)close(fd);
    }
    freeaddrinfo(found);
    return good;
}

bool dn_linux_interface_to(const char *host, char interface[DN_LINUX_INTERFACE_MAX])
{
    struct sockaddr_storage local;
    struct ifaddrs *all = NULL;
    dn_linux_ip wanted;
    dn_linux_ip text;
    bool found = false;
    memset(&local, 0, sizeof local);
    if (!local_towards(host, &local) || !text_of((const struct sockaddr *)&local, wanted) ||
        getifaddrs(&all) != 0) {
        return false;
    }
    for (const struct ifaddrs *at = all; at != NULL && !found; at = at->ifa_next) {
        found = rank_of(at) != RANK_NONE && text_of(at->ifa_addr, text) && strcmp(text, wanted) == 0;
        if (found) {
            (void)snprintf(interface, DN_LINUX_INTERFACE_MAX, "%s", at->ifa_name);
        }
    }
    freeifaddrs(all);
    return found;
}

/* ---- routers ---- */

/* A line of /proc/net/route: interface, destination and gateway in hexadecimal of the host's byte order, flags, … */
static bool read_route(const char *line, char *interface, dn_linux_ip router)
{
    unsigned destination = 0;
    unsigned gateway = 0;
    unsigned flags = 0;
    /* NOLINTNEXTLINE(cert-err34-c): the kernel writes these numbers */
    if (sscanf(line, "%15s %x %x %x", interface, &destination, &gateway, &flags) != 4 || destination != 0 ||
        (flags & (ROUTE_UP | ROUTE_GATEWAY)) != (ROUTE_UP | ROUTE_GATEWAY)) {
        return false;
    }
    const struct in_addr address = {.s_addr = gateway};
    return inet_ntop(AF_INET, &address, router, DN_LINUX_IP_MAX) != NULL;
}

/* A line of /proc/net/ipv6_route: destination, its prefix, source, its prefix, next hop, metric, two counters, flags, interface. */
static bool read_route6(const char *line, char *interface, dn_linux_ip router)
{
    char destination[33];
    char hop[33];
    unsigned prefix = 0;
    unsigned flags = 0;
    struct in6_addr address;
    /* NOLINTNEXTLINE(cert-err34-c): the kernel writes these numbers */
    if (sscanf(line, "%32s %x %*s %*x %32s %*x %*x %*x %x %15s", destination, &prefix, hop, &flags,
               interface) != 5 ||
        prefix != 0 || (flags & (ROUTE_UP | ROUTE_GATEWAY)) != (ROUTE_UP | ROUTE_GATEWAY)) {
        return false;
    }
    for (size_t i = 0; i < sizeof address.s6_addr; i++) {
        unsigned byte = 0;
        /* NOLINTNEXTLINE(cert-err34-c): the kernel writes these numbers */
        if (sscanf(hop + 2 * i, "%2x", &byte) != 1) {
            return false;
        }
        address.s6_addr[i] = (uint8_t)byte;
    }
    return inet_ntop(AF_INET6, &address, router, DN_LINUX_IP_MAX) != NULL;
}

size_t dn_linux_routers(const char *root, dn_linux_ip *out, size_t max,
                        char interface[DN_LINUX_INTERFACE_MAX])
{
    static const struct {
        const char *file;
        bool (*read)(const char *line, char *interface, dn_linux_ip router);
    } tables[] = {{"/proc/net/route", read_route}, {"/proc/net/ipv6_route", read_route6}};
    char line[LINE_MAX_BYTES];
    char via[DN_LINUX_INTERFACE_MAX] = "";
    size_t count = 0;
    interface[0] = '\0';
    for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++) {
        FILE *in = open_below(root, tables[t].file);
        while (in != NULL && count < max && fgets(line, sizeof line, in) != NULL) {
            if (tables[t].read(line, via, out[count])) {
                if (count++ == 0) {
                    memcpy(interface, via, sizeof via);
                }
            }
        }
        if (in != NULL) {
            (void)fclose(in);
        }
    }
    return count;
}

/* ---- traffic and radio ---- */

/* A line of /proc/net/dev: "eth0: bytes packets … (8 of receiving) bytes packets …". */
static bool read_device(const char *line, char *name, uint64_t *tx, uint64_t *rx)
{
    unsigned long long in = 0;
    unsigned long long out = 0;
    /* NOLINTNEXTLINE(cert-err34-c): the kernel writes these numbers */
    const int fields = sscanf(line, " %15[^: ]: %llu %*u %*u %*u %*u %*u %*u %*u %llu", name, &in,
                              &out); /* 15: IFNAMSIZ less its NUL */
    *rx = in;
    *tx = out;
    return fields == 3;
}

bool dn_linux_traffic(const char *root, const char *interface, uint64_t *tx_bytes, uint64_t *rx_bytes)
{
    char line[LINE_MAX_BYTES];
    char name[DN_LINUX_INTERFACE_MAX];
    const bool all = interface == NULL || interface[0] == '\0';
    bool found = false;
    FILE *in = open_below(root, "/proc/net/dev");
    *tx_bytes = *rx_bytes = 0;
    while (in != NULL && fgets(line, sizeof line, in) != NULL) {
        uint64_t tx = 0;
        uint64_t rx = 0;
        if (read_device(line, name, &tx, &rx) &&
            (all ? strcmp(name, "lo") != 0 : strcmp(name, interface) == 0)) {
            *tx_bytes += tx;
            *rx_bytes += rx;
            found = true;
        }
    }
    if (in != NULL) {
        (void)fclose(in);
    }
    return found;
}

bool dn_linux_is_wireless(const char *root, const char *interface)
{
    char path[PATH_MAX];
    struct stat info;
    const int len = snprintf(path, sizeof path, "%s/sys/class/net/%s/wireless", root, interface);
    return len > 0 && (size_t)len < sizeof path && stat(path, &info) == 0;
}

bool dn_linux_signal(const char *root, const char *interface, int *dbm, int *quality)
{
    char line[LINE_MAX_BYTES];
    char name[DN_LINUX_INTERFACE_MAX];
    bool found = false;
    FILE *in = open_below(root, "/proc/net/wireless");
    while (in != NULL && !found && fgets(line, sizeof line, in) != NULL) {
        double link = 0;
        double level = 0;
        /* NOLINTNEXTLINE(cert-err34-c): the kernel writes these numbers */
        if (sscanf(line, " %15[^: ]: %*x %lf %lf", name, &link, &level) == 3 &&
            strcmp(name, interface) == 0) {
            *quality = (int)link;
            *dbm = (int)level;
            found = true;
        }
    }
    if (in != NULL) {
        (void)fclose(in);
    }
    return found;
}
