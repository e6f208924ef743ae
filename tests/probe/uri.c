/* SPDX-License-Identifier: Apache-2.0 */
/* coap URIs into options (RFC 7252 section 6.4). */
#include "tests/probe/probe.h"
#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define SCHEME       "coap://"
#define DEFAULT_PORT 5683

static int hex_value(char c)
{
    return isdigit((unsigned char)c)    ? c - '0'
           : isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10
                                        : -1;
}

/* Decodes up to `end` into *room. */
static bool decode(const char *start, const char *end, char **room, const char *limit, dunlin_slice *out)
{
    char *to = *room;
    for (; start < end && to < limit; start++) {
        if (*start == '%' && end - start > 2 && hex_value(start[1]) >= 0 && hex_value(start[2]) >= 0) {
            *to++ = (char)(hex_value(start[1]) << 4 | hex_value(start[2]));
            start += 2;
        } else if (*start == '%') {
            return false;
        } else {
            *to++ = *start;
        }
    }
    *out = dunlin_slice_make(*room, (size_t)(to - *room));
    *room = to;
    return start >= end;
}

/* Splits start..end at `separator` into options with `number`. */
static bool split(probe_uri *out, const char *start, const char *end, char separator, uint16_t number,
                  char **room)
{
    const char *limit = out->text + sizeof out->text;
    while (start < end) {
        const char *next = memchr(start, separator, (size_t)(end - start));
        const char *stop = next == NULL ? end : next;
        if (out->option_count == sizeof out->option / sizeof out->option[0]) {
            return false;
        }
        dn_coap_option *option = &out->option[out->option_count++];
        option->number = number;
        if (!decode(start, stop, room, limit, &option->value)) {
            return false;
        }
        start = next == NULL ? end : next + 1;
    }
    return true;
}

/* host, host:port, [v6], [v6]:port */
static bool parse_authority(probe_uri *out, const char *start, const char *end)
{
    size_t length;
    const char *rest;
    if (*start == '[') {
        const char *bracket = memchr(start, ']', (size_t)(end - start));
        if (bracket == NULL) {
            return false;
        }
        length = (size_t)(bracket - start - 1);
        rest = bracket + 1;
        start++;
    } else {
        const char *colon = memchr(start, ':', (size_t)(end - start));
        rest = colon == NULL ? end : colon;
        length = (size_t)(rest - start);
    }
    if (length == 0 || length >= sizeof out->host || (rest < end && *rest != ':')) {
        return false;
    }
    memcpy(out->host, start, length);
    out->host[length] = '\0';
    uint8_t address[16];
    out->host_is_name =
        inet_pton(AF_INET, out->host, address) != 1 && inet_pton(AF_INET6, out->host, address) != 1;
    out->port = DEFAULT_PORT;
    if (rest + 1 < end) {
        char *stop;
        unsigned long port = strtoul(rest + 1, &stop, 10);
        out->port = (uint16_t)port;
        return stop == end && port > 0 && port <= UINT16_MAX;
    }
    return true;
}

bool probe_uri_parse(const char *uri, probe_uri *out)
{
    memset(out, 0, sizeof *out);
    if (strncmp(uri, SCHEME, strlen(SCHEME)) != 0 || strlen(uri) >= sizeof out->text) {
        return false;
    }
    const char *start = uri + strlen(SCHEME);
    const char *end = start + strlen(start);
    const char *path = start + strcspn(start, "/?");
    const char *query = path + strcspn(path, "?");
    char *room = out->text;
    if (!parse_authority(out, start, path)) {
        return false;
    }
    if (out->host_is_name) {
        out->option[out->option_count++] = (dn_coap_option){DN_OPTION_URI_HOST, dunlin_slice_of(out->host)};
    }
    if (path < query && !split(out, path + 1, query, '/', DN_OPTION_URI_PATH, &room)) {
        return false;
    }
    return query >= end || split(out, query + 1, end, '&', DN_OPTION_URI_QUERY, &room);
}
