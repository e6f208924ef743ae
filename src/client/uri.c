/* SPDX-License-Identifier: Apache-2.0 */
/* Taking a CoAP URI apart. */
#include "client/uri.h"

#include <string.h>

#define PORT_MAX    65535u
#define PORT_DIGITS 5

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static int hex_digit(char c)
{
    c = lower(c);
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Adds an option with `len` characters of `text`, percent-decoded (RFC 7252 section 6.4). */
static bool add(dn_uri *uri, uint16_t number, const char *text, size_t len)
{
    const size_t start = uri->text_len;
    if (uri->option_count == DN_URI_OPTIONS_MAX) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (c == '%') {
            const int high = len - i > 2 ? hex_digit(text[i + 1]) : -1;
            const int low = high < 0 ? -1 : hex_digit(text[i + 2]);
            if (low < 0) {
                return false;
            }
            c = (char)(high * 16 + low);
            i += 2;
        }
        uri->text[uri->text_len++] = (uint8_t)(number == DN_OPTION_URI_HOST ? lower(c) : c);
    }
    uri->options[uri->option_count].number = number;
    uri->options[uri->option_count++].value = dunlin_slice_make(uri->text + start, uri->text_len - start);
    return true;
}

/* One option for each part between separators. */
static bool split(dn_uri *uri, uint16_t number, const char *text, size_t len, char separator)
{
    size_t start = 0;
    for (size_t i = 0; i <= len; i++) {
        if (i == len || text[i] == separator) {
            if (!add(uri, number, text + start, i - start)) {
                return false;
            }
            start = i + 1;
        }
    }
    return true;
}

/* An address in brackets or of numbers says itself where to go. */
static bool is_address(const char *host, size_t len)
{
    return host[0] == '[' || strspn(host, "0123456789.") >= len;
}

static bool port_valid(const char *text, size_t len)
{
    uint32_t port = 0;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9' || i == PORT_DIGITS) {
            return false;
        }
        port = port * 10 + (uint32_t)(text[i] - '0');
    }
    return port <= PORT_MAX && (len == 0 || port > 0);
}

static bool read_authority(dn_uri *uri, const char *text, size_t len)
{
    size_t host = 0;
    if (len > 0 && text[0] == '[') {
        const char *end = memchr(text, ']', len);
        host = end == NULL ? 0 : (size_t)(end - text) + 1;
    } else {
        const char *end = len == 0 ? NULL : memchr(text, ':', len);
        host = end == NULL ? len : (size_t)(end - text);
    }
    if (host == 0 || (host < len && text[host] != ':') ||
        (host < len && !port_valid(text + host + 1, len - host - 1))) {
        return false;
    }
    return is_address(text, host) || add(uri, DN_OPTION_URI_HOST, text, host);
}

static dunlin_status read_scheme(const char *text, size_t *len, dn_transport *transport)
{
    const char *end = strstr(text, "://");
    if (end == NULL || end == text || strlen(text) > DUNLIN_URI_MAX || strpbrk(text, "#@ ") != NULL) {
        return DUNLIN_ERR_ARGUMENT;
    }
    *len = (size_t)(end - text);
    for (size_t i = 0; i < *len; i++) {
        const char c = lower(text[i]);
        if ((c < 'a' || c > 'z') && (i == 0 || strchr("0123456789+-.", c) == NULL)) {
            return DUNLIN_ERR_ARGUMENT;
        }
    }
    return dn_client_uri_transport(text, transport);
}

dunlin_status dn_client_uri_read(dn_uri *uri, const char *text)
{
    size_t scheme = 0;
    memset(uri, 0, sizeof *uri);
    const dunlin_status status = read_scheme(text, &scheme, &uri->transport);
    if (status != DUNLIN_OK) {
        return status;
    }
    const char *authority = text + scheme + strlen("://");
    const size_t authority_len = strcspn(authority, "/?");
    const char *path = authority + authority_len;
    const size_t path_len = strcspn(path, "?");
    const char *query = path + path_len;
    memcpy(uri->server, text, (size_t)(path - text));
    if (!read_authority(uri, authority, authority_len) ||
        (path_len > 1 && !split(uri, DN_OPTION_URI_PATH, path + 1, path_len - 1, '/')) ||
        (query[0] == '?' && !split(uri, DN_OPTION_URI_QUERY, query + 1, strlen(query + 1), '&'))) {
        return DUNLIN_ERR_ARGUMENT;
    }
    return DUNLIN_OK;
}

/* ---- servers ---- */

static const char *const schemes[] = {
    [DN_TRANSPORT_UDP] = "coap",
    [DN_TRANSPORT_DTLS] = "coaps",
    [DN_TRANSPORT_TCP] = "coap+tcp",
    [DN_TRANSPORT_TLS] = "coaps+tcp",
};

static bool has_scheme(const char *uri, const char *scheme)
{
    size_t i = 0;
    while (scheme[i] != '\0' && lower(uri[i]) == scheme[i]) {
        i++;
    }
    return scheme[i] == '\0' && strncmp(uri + i, "://", 3) == 0;
}

dunlin_status dn_client_uri_transport(const char *uri, dn_transport *transport)
{
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        if (has_scheme(uri, schemes[i])) {
            *transport = (dn_transport)i;
            return DUNLIN_OK;
        }
    }
    return DUNLIN_ERR_UNSUPPORTED;
}

bool dn_client_uri_scheme(const char *scheme, dn_transport *transport)
{
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        if (strcmp(schemes[i], scheme) == 0) {
            *transport = (dn_transport)i;
            return true;
        }
    }
    return false;
}

/* Where the port of a URI's authority begins, behind its colon; NULL: none is said. An address of IPv6 has colons of its own. */
static const char *port_of(const char *authority, size_t len)
{
    size_t at = len;
    while (at > 0 && authority[at - 1] >= '0' && authority[at - 1] <= '9') {
        at--;
    }
    return at > 0 && authority[at - 1] == ':' ? authority + at : NULL;
}

typedef struct {
    const char *host;
    size_t host_len;
    uint32_t port;
    bool secure;
} place;

/* RFC 7252 sections 6.1 and 6.2, RFC 8323 sections 8.1 and 8.2: the ports of UDP and of TCP are the same. */
static bool read_place(const char *uri, place *out)
{
    enum { PORT_PLAIN = 5683, PORT_SECURE = 5684 };
    dn_transport transport;
    if (dn_client_uri_transport(uri, &transport) != DUNLIN_OK) {
        return false;
    }
    out->host = strstr(uri, "://") + strlen("://");
    const size_t len = strcspn(out->host, "/?#");
    const char *port = port_of(out->host, len);
    out->host_len = port == NULL ? len : (size_t)(port - out->host) - 1;
    out->secure = dn_transport_is_secure(transport);
    out->port = 0;
    for (; port != NULL && port < out->host + len && out->port <= PORT_MAX; port++) {
        out->port = out->port * 10 + (uint32_t)(*port - '0');
    }
    if (out->port == 0) {
        out->port = out->secure ? PORT_SECURE : PORT_PLAIN;
    }
    return out->host_len > 0;
}

bool dn_client_uri_same_place(const char *a, const char *b)
{
    place one;
    place other;
    if (!read_place(a, &one) || !read_place(b, &other) || one.secure != other.secure ||
        one.port != other.port || one.host_len != other.host_len) {
        return false;
    }
    size_t i = 0;
    while (i < one.host_len && lower(one.host[i]) == lower(other.host[i])) {
        i++;
    }
    return i == one.host_len;
}

void dn_client_uri_with(const char *uri, dn_transport transport, char out[DN_WAY_URI_MAX + 1])
{
    dunlin_buf buf = dunlin_buf_make(out, DN_WAY_URI_MAX);
    const char *rest = strstr(uri, "://");
    (void)dunlin_buf_append(&buf, dunlin_slice_of(schemes[transport]));
    (void)dunlin_buf_append(&buf, dunlin_slice_of(rest));
    out[buf.len] = '\0';
}
