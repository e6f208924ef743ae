/* SPDX-License-Identifier: Apache-2.0 */
/* Peers of the UDP bearer: from and to socket addresses, text and names. */
#include "bearer/udp_address.h"
#include <arpa/inet.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    FAMILY_AT = 0, /* and, in TRANSPORT_BITS, what base/peer.h keeps there */
    TRANSPORT_BITS = 0x30,
    PORT_AT = 1,
    ADDRESS_AT = 3,
    V4_LEN = 7,
    V6_PREFIX_LEN = 8, /* a subscriber's own network, RFC 6177 */
    SCOPE_AT = 19,
    V6_LEN = 23,
    LOCAL_LEN = 4
};

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static bool is_mapped(const uint8_t address[16])
{
    return memcmp(address, mapped_prefix, sizeof mapped_prefix) == 0;
}

dn_udp_local dn_udp_local_of(const uint8_t address[16])
{
    dn_udp_local local;
    if (is_mapped(address)) {
        memcpy(local.bytes, address + 12, LOCAL_LEN);
        return local;
    }
    /* FNV-1a: a host has few addresses and chooses them itself, so nobody gains by collisions. */
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < 16; i++) {
        hash = (hash ^ address[i]) * 16777619u;
    }
    memcpy(local.bytes, &hash, LOCAL_LEN);
    return local;
}

static void put_local(dn_peer *peer, const dn_udp_local *local)
{
    if (local != NULL) {
        memcpy(peer->bytes + peer->len, local->bytes, LOCAL_LEN);
        peer->len = (uint8_t)(peer->len + LOCAL_LEN);
    }
}

static void make_v4(dn_peer *peer, const void *address, in_port_t port)
{
    memset(peer, 0, sizeof *peer);
    peer->len = V4_LEN;
    peer->bytes[FAMILY_AT] = 4;
    memcpy(peer->bytes + PORT_AT, &port, 2);
    memcpy(peer->bytes + ADDRESS_AT, address, 4);
}

bool dn_udp_peer_from_sockaddr(const struct sockaddr_storage *address, const dn_udp_local *local,
                               dn_peer *peer)
{
    if (address->ss_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, address, sizeof v4);
        make_v4(peer, &v4.sin_addr, v4.sin_port);
        put_local(peer, local);
        return true;
    }
    if (address->ss_family != AF_INET6) {
        return false;
    }
    struct sockaddr_in6 v6;
    memcpy(&v6, address, sizeof v6);
    if (is_mapped(v6.sin6_addr.s6_addr)) {
        make_v4(peer, v6.sin6_addr.s6_addr + 12, v6.sin6_port);
    } else {
        memset(peer, 0, sizeof *peer);
        peer->len = V6_LEN;
        peer->bytes[FAMILY_AT] = 6;
        memcpy(peer->bytes + PORT_AT, &v6.sin6_port, 2);
        memcpy(peer->bytes + ADDRESS_AT, v6.sin6_addr.s6_addr, 16);
        memcpy(peer->bytes + SCOPE_AT, &v6.sin6_scope_id, 4);
    }
    put_local(peer, local);
    return true;
}

int dn_udp_peer_family(const dn_peer *peer)
{
    uint8_t family = peer->bytes[FAMILY_AT] & (uint8_t)~TRANSPORT_BITS;
    if (peer->len >= V4_LEN && family == 4) {
        return peer->len == V4_LEN || peer->len == V4_LEN + LOCAL_LEN ? 4 : 0;
    }
    if (peer->len >= V6_LEN && family == 6) {
        return peer->len == V6_LEN || peer->len == V6_LEN + LOCAL_LEN ? 6 : 0;
    }
    return 0;
}

bool dn_udp_peer_host(const dn_peer *peer, dn_peer *host)
{
    int family = dn_udp_peer_family(peer);
    memset(host, 0, sizeof *host);
    if (family == 0) {
        return false;
    }
    host->len = family == 4 ? V4_LEN : V6_LEN;
    host->bytes[FAMILY_AT] = (uint8_t)family;
    memcpy(host->bytes + ADDRESS_AT, peer->bytes + ADDRESS_AT, family == 4 ? 4 : V6_PREFIX_LEN);
    return true;
}

bool dn_udp_is_loopback(const dn_peer *peer)
{
    static const uint8_t v6[16] = {[15] = 1};
    int family = dn_udp_peer_family(peer);
    return family == 4 ? peer->bytes[ADDRESS_AT] == 127
                       : family == 6 && memcmp(peer->bytes + ADDRESS_AT, v6, sizeof v6) == 0;
}

uint16_t dn_udp_peer_port(const dn_peer *peer)
{
    return dn_udp_peer_family(peer) == 0 ? 0
                                         : (uint16_t)(peer->bytes[PORT_AT] << 8 | peer->bytes[PORT_AT + 1]);
}

bool dn_udp_peer_local(const dn_peer *peer, dn_udp_local *local)
{
    int family = dn_udp_peer_family(peer);
    size_t at = family == 4 ? V4_LEN : V6_LEN;
    if (family == 0 || peer->len == at) {
        return false;
    }
    memcpy(local->bytes, peer->bytes + at, LOCAL_LEN);
    return true;
}

bool dn_udp_peer_local_text(const dn_peer *peer, char out[DN_UDP_TEXT_MAX])
{
    static const dn_udp_local unspecified;
    dn_udp_local local;
    out[0] = '\0';
    return dn_udp_peer_family(peer) == 4 && dn_udp_peer_local(peer, &local) &&
           memcmp(&local, &unspecified, sizeof local) != 0 &&
           inet_ntop(AF_INET, local.bytes, out, DN_UDP_TEXT_MAX) != NULL;
}

bool dn_udp_same_host(const dn_peer *a, const dn_peer *b)
{
    int family = dn_udp_peer_family(a);
    size_t len = (size_t)(family == 4 ? V4_LEN : V6_LEN) - ADDRESS_AT;
    return family != 0 && family == dn_udp_peer_family(b) &&
           memcmp(a->bytes + ADDRESS_AT, b->bytes + ADDRESS_AT, len) == 0;
}

bool dn_udp_serves(const dn_udp *udp, const dn_peer *peer)
{
    dn_udp_local local;
    int family = dn_udp_peer_family(peer);
    bool reaches = udp->family == AF_INET ? family == 4 : family == 6 || (family == 4 && udp->wildcard);
    if (!reaches || udp->wildcard || !dn_udp_peer_local(peer, &local)) {
        return reaches;
    }
    return memcmp(local.bytes, udp->bound.bytes, sizeof local.bytes) == 0;
}

socklen_t dn_udp_peer_to_sockaddr(const dn_peer *peer, int family, struct sockaddr_storage *address)
{
    int of_peer = dn_udp_peer_family(peer);
    if (of_peer == 4 && family == AF_INET) {
        struct sockaddr_in v4 = {.sin_family = AF_INET};
        memcpy(&v4.sin_port, peer->bytes + PORT_AT, 2);
        memcpy(&v4.sin_addr, peer->bytes + ADDRESS_AT, 4);
        memcpy(address, &v4, sizeof v4);
        return sizeof v4;
    }
    if (of_peer == 0 || family != AF_INET6) {
        return 0;
    }
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    memcpy(&v6.sin6_port, peer->bytes + PORT_AT, 2);
    if (of_peer == 4) {
        memcpy(v6.sin6_addr.s6_addr, mapped_prefix, sizeof mapped_prefix);
        memcpy(v6.sin6_addr.s6_addr + 12, peer->bytes + ADDRESS_AT, 4);
    } else {
        memcpy(v6.sin6_addr.s6_addr, peer->bytes + ADDRESS_AT, 16);
        memcpy(&v6.sin6_scope_id, peer->bytes + SCOPE_AT, 4);
    }
    memcpy(address, &v6, sizeof v6);
    return sizeof v6;
}

static void scope_text(uint32_t scope, char out[IF_NAMESIZE + 1])
{
    char name[IF_NAMESIZE];
    out[0] = '\0';
    if (scope != 0 && if_indextoname(scope, name) != NULL) {
        (void)snprintf(out, IF_NAMESIZE + 1, "%%%s", name);
    } else if (scope != 0) {
        (void)snprintf(out, IF_NAMESIZE + 1, "%%%u", (unsigned)scope);
    }
}

static char *put_decimal(char *at, unsigned value, char end)
{
    char digits[5];
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    while (count > 0) {
        *at++ = digits[--count];
    }
    *at++ = end;
    return at;
}

/* By hand, since each event of a device has one, and formatting by the C library takes longer than the rest of the event. */
static void v4_text(const dn_peer *peer, char *out)
{
    const uint8_t *address = peer->bytes + ADDRESS_AT;
    for (size_t i = 0; i < 4; i++) {
        out = put_decimal(out, address[i], i < 3 ? '.' : ':');
    }
    (void)put_decimal(out, dn_udp_peer_port(peer), '\0');
}

const char *dn_udp_peer_text(const dn_peer *peer, char out[DN_UDP_TEXT_MAX])
{
    char address[INET6_ADDRSTRLEN];
    int family = dn_udp_peer_family(peer);
    memcpy(out, "?", sizeof "?");
    if (family == 4) {
        v4_text(peer, out);
    } else if (family == 6 &&
               inet_ntop(AF_INET6, peer->bytes + ADDRESS_AT, address, sizeof address) != NULL) {
        char scope[IF_NAMESIZE + 1];
        uint32_t index;
        memcpy(&index, peer->bytes + SCOPE_AT, 4);
        scope_text(index, scope);
        (void)snprintf(out, DN_UDP_TEXT_MAX, "[%s%s]:%u", address, scope, dn_udp_peer_port(peer));
    }
    return out;
}

/* Decimal digits only, 0 to 65535. */
static bool parse_port(const char *text, uint16_t *port)
{
    unsigned value = 0;
    if (*text == '\0') {
        return false;
    }
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9') {
            return false;
        }
        value = value * 10 + (unsigned)(*text - '0');
        if (value > UINT16_MAX) {
            return false;
        }
    }
    *port = (uint16_t)value;
    return true;
}

/* `host` without brackets: numeric, with a scope or not. */
static bool parse_host(char *host, uint16_t port, dn_peer *peer)
{
    struct sockaddr_storage address = {0};
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    if (inet_pton(AF_INET, host, &v4.sin_addr) == 1) {
        memcpy(&address, &v4, sizeof v4);
        return dn_udp_peer_from_sockaddr(&address, NULL, peer);
    }
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    char *scope = strchr(host, '%');
    if (scope != NULL) {
        *scope++ = '\0';
        uint16_t number;
        v6.sin6_scope_id = if_nametoindex(scope);
        if (v6.sin6_scope_id == 0 && parse_port(scope, &number)) {
            v6.sin6_scope_id = number;
        }
        if (v6.sin6_scope_id == 0) {
            return false;
        }
    }
    if (inet_pton(AF_INET6, host, &v6.sin6_addr) != 1) {
        return false;
    }
    memcpy(&address, &v6, sizeof v6);
    return dn_udp_peer_from_sockaddr(&address, NULL, peer);
}

dunlin_status dn_udp_peer_parse(const char *text, dn_peer *peer)
{
    char host[DN_UDP_TEXT_MAX];
    size_t length = strlen(text);
    if (length >= sizeof host) {
        return DUNLIN_ERR_ARGUMENT;
    }
    memcpy(host, text, length + 1);
    char *colon = strrchr(host, ':');
    uint16_t port;
    if (colon == NULL || !parse_port(colon + 1, &port)) {
        return DUNLIN_ERR_ARGUMENT;
    }
    *colon = '\0';
    char *start = host;
    bool bracketed = host[0] == '[' && colon > host + 1 && colon[-1] == ']';
    if (bracketed) {
        colon[-1] = '\0';
        start++;
    }
    /* "::1:5683" could be read in two ways: an IPv6 address wants its brackets, an IPv4 one has none. */
    if (bracketed != (strchr(start, ':') != NULL)) {
        return DUNLIN_ERR_ARGUMENT;
    }
    return parse_host(start, port, peer) ? DUNLIN_OK : DUNLIN_ERR_ARGUMENT;
}

dunlin_status dn_udp_resolve(const char *host, uint16_t port, int family, dn_peer *peer)
{
    char plain[256];
    size_t length = strlen(host);
    if (length >= 2 && host[0] == '[' && host[length - 1] == ']') {
        host++;
        length -= 2;
    }
    if (length == 0 || length >= sizeof plain) {
        return DUNLIN_ERR_NOT_FOUND;
    }
    memcpy(plain, host, length);
    plain[length] = '\0';
    struct addrinfo hints = {.ai_family = family, .ai_socktype = SOCK_DGRAM};
    struct addrinfo *found = NULL;
    if (getaddrinfo(plain, NULL, &hints, &found) != 0) {
        return DUNLIN_ERR_NOT_FOUND;
    }
    dunlin_status status = DUNLIN_ERR_NOT_FOUND;
    for (const struct addrinfo *entry = found; entry != NULL && status != DUNLIN_OK; entry = entry->ai_next) {
        struct sockaddr_storage address = {0};
        if (entry->ai_addrlen > sizeof address) {
            continue;
        }
        memcpy(&address, entry->ai_addr, entry->ai_addrlen);
        if (dn_udp_peer_from_sockaddr(&address, NULL, peer)) {
            in_port_t wire = htons(port);
            memcpy(peer->bytes + PORT_AT, &wire, 2);
            status = DUNLIN_OK;
        }
    }
    freeaddrinfo(found);
    return status;
}
