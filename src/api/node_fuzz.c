/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies from strangers: any bytes as JSON, as a node of any depth, and encoded in any format; and as a URL's path and query. */
#include "api/node_read.h"
#include "api/query.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_url(const uint8_t *data, size_t size)
{
    char *text = calloc(1, size + 1);
    if (text != NULL && size > 0) {
        dn_segments segments;
        dn_query query;
        memcpy(text, data, size);
        (void)dn_segments_parse(text, &segments);
        memcpy(text, data, size);
        (void)dn_query_parse(text, &query);
    }
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint16_t formats[] = {
        DN_FORMAT_TEXT,       DN_FORMAT_OPAQUE, DN_FORMAT_CBOR,       DN_FORMAT_SENML_JSON,
        DN_FORMAT_SENML_CBOR, DN_FORMAT_TLV,    DN_FORMAT_LWM2M_JSON, 9999};
    if (size < 2) {
        return 0;
    }
    try_url(data, size);
    const dunlin_path path = {.id = {3, 0, 1, 2}, .depth = (uint8_t)(1 + data[0] % 4)};
    uint16_t format = formats[data[1] % 8];
    char text[DN_JSON_ERROR_MAX];
    json_t *body = dn_jsonr_parse(dunlin_slice_make(data + 2, size - 2), text);
    dn_registry *registry = dn_registry_create();
    dn_naming naming = dn_naming_make(registry, NULL);
    dn_node_input input = {0};
    dn_node_error error;
    dn_text payload = {0};
    if (body != NULL && dn_node_read(body, size - 2, path, &naming, &input, &error)) {
        (void)dn_node_encode(&input, format, path, &payload);
    }
    dn_text_free(&payload);
    dn_node_input_free(&input);
    json_decref(body);
    dn_registry_free(registry);
    return 0;
}
