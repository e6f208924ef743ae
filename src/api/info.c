/* SPDX-License-Identifier: Apache-2.0 */
/* GET /server, /healthz, /metrics, /openapi.json. */
#include "api/call.h"
#include "api/handlers.h"
#include "api/json_write.h"
#include "api/metrics.h"
#include "api/openapi.h"
#include "api/uris.h"

#include <stdio.h>

static void write_bootstrap(dn_jsonw *json, const dn_api_config *config)
{
    dn_jsonw_key(json, "bootstrap");
    if (config->bootstrap_store == NULL) {
        dn_jsonw_null(json);
        return;
    }
    dn_jsonw_begin(json, '{');
    dn_uris_all_bootstrap(json, config);
    dn_jsonw_pair_unsigned(json, "configs", config->bootstrap_store->ops->count(config->bootstrap_store));
    dn_jsonw_end(json, '}');
}

void dn_handle_server(dn_call *call)
{
    const dn_api *api = call->api;
    dn_fleet_counters counters = {0};
    dn_text body = {0};
    dn_jsonw json;
    dn_fleet_count(api->config.fleet, &counters);
    dn_jsonw_start(&json, &body);
    dn_jsonw_begin(&json, '{');
    dn_jsonw_pair(&json, "version", api->config.version);
    dn_jsonw_pair_time(&json, "startedAt", api->started_ms);
    dn_jsonw_key(&json, "coap");
    dn_jsonw_begin(&json, '[');
    for (size_t i = 0; i < api->config.coap_address_count; i++) {
        char text[96];
        snprintf(text, sizeof text, "coap://%s", api->config.coap_addresses[i]);
        dn_jsonw_text(&json, text);
    }
    dn_jsonw_end(&json, ']');
    dn_uris_all(&json, &api->config);
    dn_jsonw_pair(&json, "http", api->address);
    dn_jsonw_pair_unsigned(&json, "registrations", counters.registrations);
    write_bootstrap(&json, &api->config);
    dn_jsonw_end(&json, '}');
    dn_call_reply_json(call, MHD_HTTP_OK, &body);
}

void dn_handle_health(dn_call *call)
{
    const char *detail = NULL;
    dn_text body = {0};
    dn_jsonw json;
    const dn_bootstrap *bootstrap = call->api->config.bootstrap;
    bool healthy = dn_fleet_healthy(call->api->config.fleet, &detail) &&
                   (bootstrap == NULL || dn_bootstrap_healthy(bootstrap, &detail));
    dn_jsonw_start(&json, &body);
    dn_jsonw_begin(&json, '{');
    dn_jsonw_pair(&json, "status", healthy ? "ok" : "failing");
    if (!healthy) {
        dn_jsonw_pair(&json, "detail", detail != NULL ? detail : "");
    }
    dn_jsonw_end(&json, '}');
    dn_call_reply_json(call, healthy ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE, &body);
}

void dn_handle_metrics(dn_call *call)
{
    dn_text body = {0};
    dn_metrics_write(call->api, &body);
    dn_call_reply(call, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8", &body);
}

void dn_handle_openapi(dn_call *call)
{
    dn_text body = {0};
    dn_text_add(&body, dn_openapi, dn_openapi_len);
    dn_call_reply(call, MHD_HTTP_OK, "application/json", &body);
}
