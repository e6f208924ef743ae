/* SPDX-License-Identifier: Apache-2.0 */
/* URIs of the server's addresses; see uris.h. */
#include "api/uris.h"

#include "base/peer.h"

#include <stdio.h>
#include <string.h>

#define URI_MAX    96u
#define TRANSPORTS 4u

const char *dn_uri_scheme(unsigned transport)
{
    static const char *const schemes[TRANSPORTS] = {[DN_TRANSPORT_UDP] = "coap",
                                                    [DN_TRANSPORT_DTLS] = "coaps",
                                                    [DN_TRANSPORT_TCP] = "coap+tcp",
                                                    [DN_TRANSPORT_TLS] = "coaps+tcp"};
    return schemes[transport % TRANSPORTS];
}

const char *dn_transport_name(unsigned transport)
{
    static const char *const names[TRANSPORTS] = {[DN_TRANSPORT_UDP] = "udp",
                                                  [DN_TRANSPORT_DTLS] = "dtls",
                                                  [DN_TRANSPORT_TCP] = "tcp",
                                                  [DN_TRANSPORT_TLS] = "tls"};
    return names[transport % TRANSPORTS];
}

/* Whose addresses. */
typedef struct {
    const char *const *uris;
    size_t count;
    const char *const *coap; /* without a scheme, when there are no URIs */
    size_t coap_count;
} server;

static server lwm2m(const dn_api_config *config)
{
    return (server){config->uris, config->uri_count, config->coap_addresses, config->coap_address_count};
}

static server bootstrap(const dn_api_config *config)
{
    return (server){config->bootstrap_uris, config->bootstrap_uri_count, NULL, 0};
}

/* The URI at `index`, in `text` or where it is; NULL: no more. */
static const char *uri_at(const server *of, size_t index, char text[URI_MAX])
{
    if (of->count > 0) {
        return index < of->count ? of->uris[index] : NULL;
    }
    if (index >= of->coap_count) {
        return NULL;
    }
    snprintf(text, URI_MAX, "coap://%s", of->coap[index]);
    return text;
}

static bool has_scheme(const char *uri, const char *scheme)
{
    size_t len = strlen(scheme);
    return strncmp(uri, scheme, len) == 0 && strncmp(uri + len, "://", 3) == 0;
}

/* Writes those of `scheme` (NULL: all); gives how many. */
static size_t write_uris(dn_jsonw *json, const server *of, const char *scheme)
{
    char text[URI_MAX];
    size_t count = 0;
    const char *uri;
    for (size_t i = 0; (uri = uri_at(of, i, text)) != NULL; i++) {
        if (scheme == NULL || has_scheme(uri, scheme)) {
            if (count++ == 0 && scheme != NULL) {
                dn_jsonw_key(json, scheme);
                dn_jsonw_begin(json, '[');
            }
            dn_jsonw_text(json, uri);
        }
    }
    return count;
}

static void write_all(dn_jsonw *json, const server *of)
{
    dn_jsonw_key(json, "addresses");
    dn_jsonw_begin(json, '[');
    (void)write_uris(json, of, NULL);
    dn_jsonw_end(json, ']');
}

static void write_by_scheme(dn_jsonw *json, const server *of)
{
    dn_jsonw_key(json, "addresses");
    dn_jsonw_begin(json, '{');
    for (unsigned transport = 0; transport < TRANSPORTS; transport++) {
        if (write_uris(json, of, dn_uri_scheme(transport)) > 0) {
            dn_jsonw_end(json, ']');
        }
    }
    dn_jsonw_end(json, '}');
}

void dn_uris_all(dn_jsonw *json, const dn_api_config *config)
{
    const server of = lwm2m(config);
    write_all(json, &of);
}

void dn_uris_by_scheme(dn_jsonw *json, const dn_api_config *config)
{
    const server of = lwm2m(config);
    write_by_scheme(json, &of);
}

void dn_uris_all_bootstrap(dn_jsonw *json, const dn_api_config *config)
{
    const server of = bootstrap(config);
    write_all(json, &of);
}

void dn_uris_by_scheme_bootstrap(dn_jsonw *json, const dn_api_config *config)
{
    const server of = bootstrap(config);
    write_by_scheme(json, &of);
}
