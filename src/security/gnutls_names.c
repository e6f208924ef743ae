/* SPDX-License-Identifier: Apache-2.0 */
/* Names in certificates; see the header. */
#include "security/gnutls_names.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#define NAME_MAX_BYTES 512u

bool dn_names_is_address(const char *host)
{
    uint8_t bytes[16];
    return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

/* The n-th name of the SubjectAltName, with a NUL behind it. 1: it is one of `type`; 0: another; -1: there is none. */
static int alternative(gnutls_x509_crt_t cert, unsigned index, gnutls_x509_subject_alt_name_t type,
                       char name[NAME_MAX_BYTES], size_t *len)
{
    *len = NAME_MAX_BYTES - 1;
    unsigned found = 0;
    const int result = gnutls_x509_crt_get_subject_alt_name2(cert, index, name, len, &found, NULL);
    if (result == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE) {
        return -1;
    }
    if (result < 0 || found != (unsigned)type || *len >= NAME_MAX_BYTES) {
        return 0;
    }
    name[*len] = 0;
    return 1;
}

static int digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

size_t dn_names_unescape(char *text, size_t len)
{
    size_t out = 0;
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\\' && i + 2 < len && digit(text[i + 1]) >= 0 && digit(text[i + 2]) >= 0) {
            text[out++] = (char)(digit(text[i + 1]) * 16 + digit(text[i + 2]));
            i += 2;
        } else {
            i += text[i] == '\\' && i + 1 < len;
            text[out++] = text[i];
        }
    }
    return out;
}

static bool common_name(gnutls_x509_crt_t cert, char name[NAME_MAX_BYTES], size_t *len)
{
    *len = NAME_MAX_BYTES - 1;
    if (gnutls_x509_crt_get_dn_by_oid(cert, GNUTLS_OID_X520_COMMON_NAME, 0, 0, name, len) < 0 ||
        *len >= NAME_MAX_BYTES) {
        return false;
    }
    *len = dn_names_unescape(name, *len);
    name[*len] = 0;
    return true;
}

typedef struct {
    dunlin_slice *names;
    size_t count, max;
    char *bytes;
    size_t used, size;
} collection;

static void collect(collection *into, const char *name, size_t len)
{
    if (into->count == into->max || len == 0 || into->size - into->used < len ||
        memchr(name, 0, len) != NULL) {
        return;
    }
    memcpy(into->bytes + into->used, name, len);
    into->names[into->count++] = dunlin_slice_make(into->bytes + into->used, len);
    into->used += len;
}

size_t dn_names_collect(gnutls_x509_crt_t cert, dunlin_slice *names, size_t names_max, char *bytes,
                        size_t bytes_max)
{
    static const gnutls_x509_subject_alt_name_t types[] = {GNUTLS_SAN_DNSNAME, GNUTLS_SAN_URI};
    collection into = {names, 0, names_max, bytes, 0, bytes_max};
    char name[NAME_MAX_BYTES];
    size_t len = 0;
    if (common_name(cert, name, &len)) {
        collect(&into, name, len);
    }
    for (size_t t = 0; t < sizeof types / sizeof types[0]; t++) {
        int found = 0;
        for (unsigned i = 0; (found = alternative(cert, i, types[t], name, &len)) >= 0; i++) {
            if (found == 1) {
                collect(&into, name, len);
            }
        }
    }
    return into.count;
}

/* A dot at the end says that the name is complete, and nothing else. */
static size_t without_dot(const char *name, size_t len)
{
    return len > 0 && name[len - 1] == '.' ? len - 1 : len;
}

/* `presented` may begin with "*.": that stands for one whole label, and two labels must follow (no "*.com"). No other '*' means anything. */
static bool dns_matches(const char *presented, size_t presented_len, const char *host, size_t host_len)
{
    presented_len = without_dot(presented, presented_len);
    host_len = without_dot(host, host_len);
    if (presented_len == 0 || memchr(presented, 0, presented_len) != NULL) {
        return false;
    }
    if (presented_len > 2 && presented[0] == '*' && presented[1] == '.') {
        const char *dot = memchr(host, '.', host_len);
        if (dot == NULL || dot == host || memchr(presented + 2, '.', presented_len - 2) == NULL) {
            return false;
        }
        host_len -= (size_t)(dot - host);
        host = dot;
        presented++;
        presented_len--;
    }
    if (memchr(presented, '*', presented_len) != NULL) {
        return false;
    }
    return presented_len == host_len && strncasecmp(presented, host, host_len) == 0;
}

/* The host of "coaps://host:port/…"; brackets and user names are no part of it. */
static bool uri_matches(const char *uri, size_t len, const char *host, size_t host_len)
{
    const char *authority = strstr(uri, "://");
    if (authority == NULL || memchr(uri, 0, len) != NULL) {
        return false;
    }
    authority += 3;
    size_t authority_len = strcspn(authority, "/?#");
    const char *at = memchr(authority, '@', authority_len);
    if (at != NULL) {
        authority_len -= (size_t)(at + 1 - authority);
        authority = at + 1;
    }
    const char *colon = memchr(authority, ':', authority_len);
    if (colon != NULL) {
        authority_len = (size_t)(colon - authority);
    }
    return memchr(authority, '*', authority_len) == NULL &&
           dns_matches(authority, authority_len, host, host_len);
}

static bool address_matches(gnutls_x509_crt_t cert, const char *host)
{
    uint8_t bytes[16];
    size_t bytes_len = 4;
    if (inet_pton(AF_INET, host, bytes) != 1) {
        bytes_len = 16;
        if (inet_pton(AF_INET6, host, bytes) != 1) {
            return false;
        }
    }
    char name[NAME_MAX_BYTES];
    size_t len = 0;
    int found = 0;
    for (unsigned i = 0; (found = alternative(cert, i, GNUTLS_SAN_IPADDRESS, name, &len)) >= 0; i++) {
        if (found == 1 && len == bytes_len && memcmp(name, bytes, len) == 0) {
            return true;
        }
    }
    return false;
}

bool dn_names_match(gnutls_x509_crt_t cert, const char *host, bool is_address)
{
    if (is_address) {
        return address_matches(cert, host);
    }
    const size_t host_len = strlen(host);
    if (host_len == 0) {
        return false;
    }
    char name[NAME_MAX_BYTES];
    size_t len = 0;
    int found = 0;
    bool has_names = false;
    for (unsigned i = 0; (found = alternative(cert, i, GNUTLS_SAN_DNSNAME, name, &len)) >= 0; i++) {
        has_names = has_names || found == 1;
        if (found == 1 && dns_matches(name, len, host, host_len)) {
            return true;
        }
    }
    for (unsigned i = 0; (found = alternative(cert, i, GNUTLS_SAN_URI, name, &len)) >= 0; i++) {
        has_names = has_names || found == 1;
        if (found == 1 && uri_matches(name, len, host, host_len)) {
            return true;
        }
    }
    /* RFC 6125 section 6.4.4: the Common Name as the last resort only. */
    return !has_names && common_name(cert, name, &len) && dns_matches(name, len, host, host_len);
}
