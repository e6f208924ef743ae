/* SPDX-License-Identifier: Apache-2.0 */
/* GET /server-identity and /bootstrap/server-identity: what a device must know of the server. The answer is made when the identity is set. */
#include "api/call.h"
#include "api/credential_json.h"
#include "api/handlers.h"
#include "api/pem.h"
#include "api/uris.h"

#include <stdlib.h>

static void write_certificates(dn_jsonw *json, const dn_api_identity *identity)
{
    dn_jsonw_key(json, "certificates");
    dn_jsonw_begin(json, '[');
    for (size_t i = 0; i < identity->certificate_count; i++) {
        dn_jsonw_text(json, identity->certificates[i]);
    }
    dn_jsonw_end(json, ']');
}

static dunlin_status write_fingerprints(dn_jsonw *json, const dn_api_identity *identity)
{
    uint8_t digest[DN_PEM_SHA256_LEN];
    dn_jsonw_key(json, "fingerprints");
    dn_jsonw_begin(json, '[');
    for (size_t i = 0; i < identity->certificate_count; i++) {
        dunlin_status status = dn_pem_fingerprint(dunlin_slice_of(identity->certificates[i]), digest);
        if (status != DUNLIN_OK) {
            return status;
        }
        dn_jsonw_hex(json, dunlin_slice_make(digest, sizeof digest));
    }
    dn_jsonw_end(json, ']');
    return DUNLIN_OK;
}

/* Puts the answer in the place of `shown`. */
static dunlin_status set(dn_api *api, const dn_api_identity *identity,
                         void (*addresses)(dn_jsonw *json, const dn_api_config *config), dn_text *shown)
{
    dn_text text = {0};
    dn_jsonw json;
    dn_jsonw_start(&json, &text);
    dn_jsonw_begin(&json, '{');
    dn_jsonw_key(&json, "public_key");
    if (identity->public_key.len > 0) {
        dn_jsonw_hex(&json, identity->public_key);
    } else {
        dn_jsonw_null(&json);
    }
    write_certificates(&json, identity);
    dunlin_status status = write_fingerprints(&json, identity);
    if (status != DUNLIN_OK) {
        dn_text_free(&text);
        return status;
    }
    dn_jsonw_pair_bool(&json, "psk", identity->psk);
    addresses(&json, &api->config);
    dn_jsonw_pair(&json, "nosec", identity->nosec);
    dn_jsonw_end(&json, '}');
    if (text.failed) {
        dn_text_free(&text);
        return DUNLIN_ERR_MEMORY;
    }
    pthread_mutex_lock(&api->identity_lock);
    dn_text old = *shown;
    *shown = text;
    pthread_mutex_unlock(&api->identity_lock);
    dn_text_free(&old);
    return DUNLIN_OK;
}

dunlin_status dn_api_set_identity(dn_api *api, const dn_api_identity *identity)
{
    return set(api, identity, dn_uris_by_scheme, &api->identity);
}

dunlin_status dn_api_set_bootstrap_identity(dn_api *api, const dn_api_identity *identity)
{
    return set(api, identity, dn_uris_by_scheme_bootstrap, &api->bootstrap_identity);
}

void dn_handle_server_identity(dn_call *call)
{
    dn_api *api = call->api;
    const bool bootstrap = (call->route->flags & DN_ROUTE_BOOTSTRAP) != 0;
    const dn_text *shown = bootstrap ? &api->bootstrap_identity : &api->identity;
    dn_text body = {0};
    if (bootstrap && !dn_bootstrap_served(call)) {
        return;
    }
    pthread_mutex_lock(&api->identity_lock);
    const bool known = shown->len > 0;
    dn_text_slice(&body, dn_text_view(shown));
    pthread_mutex_unlock(&api->identity_lock);
    if (known) {
        dn_call_reply_json(call, MHD_HTTP_OK, &body);
    } else {
        dn_text_free(&body);
        dn_call_problem(call, DN_PROBLEM_NO_SECURITY, "This server has no secured transport.");
    }
}
