/* SPDX-License-Identifier: Apache-2.0 */
/* The table of content formats, by LwM2M version and by what can be said in them. */
#include "client/formats.h"

#include "client/resource.h"
#include "client/tree.h"

enum { V1_0 = 1, V1_1 = 2 };

/* LwM2M JSON is of 1.0: a 1.1 client may take it, but must not send it. */
typedef struct {
    uint16_t number;
    uint8_t in, out;  /* the versions that take it, and that send it */
    bool many;        /* carries more than one value */
    bool opaque_only; /* can say nothing but an Opaque */
} format_row;

static const format_row formats[] = {
    {DN_FORMAT_TEXT, V1_0 | V1_1, V1_0 | V1_1, false, false},
    {DN_FORMAT_OPAQUE, V1_0 | V1_1, V1_0 | V1_1, false, true},
    {DN_FORMAT_CBOR, V1_1, V1_1, false, false},
    {DN_FORMAT_SENML_JSON, V1_1, V1_1, true, false},
    {DN_FORMAT_SENML_CBOR, V1_1, V1_1, true, false},
    {DN_FORMAT_TLV, V1_0 | V1_1, V1_0 | V1_1, true, false},
    {DN_FORMAT_LWM2M_JSON, V1_0 | V1_1, V1_0, true, false},
};

/* One value stands there, not a set of them. */
static bool is_single(const dn_place *place)
{
    return place->path.depth == 4 ||
           (place->path.depth == 3 && !dn_client_resource_multiple(place->resource));
}

static uint8_t version_of(const dunlin_client *client)
{
    return client->config.lwm2m == DUNLIN_LWM2M_1_0 ? V1_0 : V1_1;
}

/* The row of a format that can say what stands at `place`, or NULL. */
static const format_row *find(const dn_place *place, uint16_t format)
{
    const uint16_t canonical = dn_format_canonical(format);
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        const format_row *row = &formats[i];
        if (row->number == canonical) {
            const bool fits = (row->many || is_single(place)) &&
                              (!row->opaque_only || place->resource->type == DUNLIN_TYPE_OPAQUE);
            return fits ? row : NULL;
        }
    }
    return NULL;
}

bool dn_client_formats_takes(const dunlin_client *client, const dn_place *place, uint16_t format)
{
    const format_row *row = find(place, format);
    return row != NULL && (row->in & version_of(client)) != 0;
}

uint16_t dn_client_formats_answer(const dunlin_client *client, const dn_place *place, uint16_t accept)
{
    if (accept != DN_FORMAT_NONE) {
        const format_row *row = find(place, accept);
        return row != NULL && (row->out & version_of(client)) != 0 ? accept : DN_FORMAT_NONE;
    }
    if (is_single(place)) {
        return place->resource->type == DUNLIN_TYPE_OPAQUE ? DN_FORMAT_OPAQUE : DN_FORMAT_TEXT;
    }
    return client->config.lwm2m == DUNLIN_LWM2M_1_0 ? DN_FORMAT_TLV : DN_FORMAT_SENML_CBOR;
}

static dunlin_type type_of(void *context, dunlin_path path, bool *multiple)
{
    const dn_object_slot *object = dn_client_tree_object(context, path.id[0]);
    const dunlin_resource *resource =
        object == NULL || path.depth < 3 ? NULL : dn_client_tree_resource(object->def, path.id[2]);
    if (resource == NULL) {
        return DUNLIN_TYPE_NONE;
    }
    *multiple = dn_client_resource_multiple(resource);
    return (dunlin_type)resource->type;
}

dn_types dn_client_formats_types(dunlin_client *client)
{
    const dn_types types = {type_of, client};
    return types;
}

dunlin_status dn_client_formats_decode(dn_decoder *decoder, dunlin_client *client, uint16_t format,
                                       dunlin_path base, dunlin_slice payload, dunlin_buf scratch)
{
    const dunlin_status status =
        dn_decode(decoder, format, base, payload, dn_client_formats_types(client), scratch);
    decoder->root = dunlin_slice_of(client->config.root_path);
    return status;
}
