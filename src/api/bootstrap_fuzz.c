/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies of PUT /bootstrap/configs: any bytes as JSON, typed by a model, checked; what was taken is shown without its secrets, and can be put back. */
#include "api/bootstrap_values.h"
#include "api/every_type.h"
#include "api/json_read.h"
#include "bootstrap/config.h"

#include <stdlib.h>
#include <string.h>

static dn_registry *registry;

/* What was shown takes its secrets from what it was shown of. */
static void must_go_back(const char *text)
{
    char error[256];
    char *shown = NULL;
    char *merged = NULL;
    dn_bs_config *config = NULL;
    if (dn_bs_config_show(dunlin_slice_of(text), &shown) != DUNLIN_OK ||
        dn_bs_config_merge(dunlin_slice_of(shown), dunlin_slice_of(text), &merged) != DUNLIN_OK ||
        !dn_bs_config_parse(dunlin_slice_of(merged), &config, error, sizeof error)) {
        abort();
    }
    dn_bs_config_free(config);
    free(merged);
    free(shown);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static dn_object_def object;
    char error[DN_JSON_ERROR_MAX];
    dn_bs_config *config = NULL;
    if (registry == NULL) {
        object = every_type(5);
        registry = dn_registry_create();
        if (registry == NULL || dn_registry_add(registry, &object) != DUNLIN_OK) {
            abort();
        }
    }
    json_t *body = dn_jsonr_parse(dunlin_slice_make(data, size), error);
    if (body == NULL) {
        return 0;
    }
    if (json_is_object(body) && dn_bootstrap_values_type(body, registry, error, sizeof error)) {
        char *text = json_dumps(body, JSON_COMPACT | JSON_REAL_PRECISION(17));
        if (text == NULL) {
            abort();
        }
        if (dn_bs_config_parse(dunlin_slice_of(text), &config, error, sizeof error)) {
            dn_bs_config_free(config);
            must_go_back(text);
        }
        free(text);
    }
    json_decref(body);
    return 0;
}
