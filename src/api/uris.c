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

/* The URI at `index`, in `text` or where it is; NULL: no more. */
static const char *uri_at(const dn_api_config *config, size_t index, char text[URI_MAX])
{
    if (config->uri_count > 0) {
        return index < config->uri_count ? config->uris[index] : NULL;
    }
    if (index >= config->coap_address_count) {
        return NULL;
    }
    snprintf(text, URI_MAX, "coap://%s", config->coap_addresses[index]);
    return text;
}

static bool has_scheme(const char *uri, const char *scheme)
{
    size_t len = strlen(scheme);
    return strncmp(uri, scheme, len) == 0 && strncmp(uri + len, "://", 3) == 0;
}

/* Writes those of `scheme` (NULL: all); gives how many. */
static size_t write_uris(dn_jsonw *json, const dn_api_config *config, const char *scheme)
{
    char text[URI_MAX];
    size_t count = 0;
    const char *uri;
    for (size_t i = 0; (uri = uri_at(config, i, text)) != NULL; i++) {
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

void dn_uris_all(dn_jsonw *json, const dn_api_config *config)
{
    dn_jsonw_key(json, "addresses");
    dn_jsonw_begin(json, '[');
    (void)write_uris(json, config, NULL);
    dn_jsonw_end(json, ']');
}

void dn_uris_by_scheme(dn_jsonw *json, const dn_api_config *config)
{
    dn_jsonw_key(json, "addresses");
    dn_jsonw_begin(json, '{');
    for (unsigned transport = 0; transport < TRANSPORTS; transport++) {
        if (write_uris(json, config, dn_uri_scheme(transport)) > 0) {
            dn_jsonw_end(json, ']');
        }
    }
    dn_jsonw_end(json, '}');
}
