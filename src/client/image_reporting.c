/* SPDX-License-Identifier: Apache-2.0 */
/* What servers have set beside the Objects, in an image: attributes, and that a binding was chosen. */
#include "client/image_section.h"

#include "client/attributes.h"
#include "client/tree.h"
#include <math.h>
#include <string.h>

#define SERVER_OBJECT 1u
#define ALL_BITS      (DN_ATTR_PMIN | DN_ATTR_PMAX | DN_ATTR_EPMIN | DN_ATTR_EPMAX | DN_ATTR_STEPS)

/* ---- attributes ---- */

/* Those of an instance that is gone, or is about to go, are gone too. */
static bool has_place(dunlin_client *client, const dn_attributes *a)
{
    dn_place place;
    dunlin_path path = a->path;
    path.depth = path.depth > 2 ? 2 : path.depth;
    return a->server != 0 && dn_client_tree_find(client, path, true, &place) == DUNLIN_OK;
}

static void write_attributes(dunlin_client *client, dn_image_out *out, bool whole)
{
    (void)whole;
    for (uint16_t i = 0; i < client->config.attributes; i++) {
        const dn_attributes *a = &client->attributes[i];
        if (!has_place(client, a)) {
            continue;
        }
        dn_image_put_number(out, a->server);
        dn_image_put_number(out, a->path.depth);
        for (uint8_t level = 0; level < a->path.depth; level++) {
            dn_image_put_number(out, a->path.id[level]);
        }
        dn_image_put_number(out, a->set);
        const uint32_t periods[] = {a->pmin_s, a->pmax_s, a->epmin_s, a->epmax_s};
        for (size_t k = 0; k < sizeof periods / sizeof periods[0]; k++) {
            dn_image_put_number(out, periods[k]);
        }
        if ((a->set & DN_ATTR_STEPS) != 0) {
            dn_image_put_float(out, a->gt);
            dn_image_put_float(out, a->lt);
            dn_image_put_float(out, a->st);
        }
    }
}

static bool next_attributes(dn_image_in *in, dn_attributes *a)
{
    memset(a, 0, sizeof *a);
    if (!dn_image_more(in)) {
        return false;
    }
    a->server = (uint16_t)dn_image_get_number(in, DUNLIN_ID_NONE - 1);
    a->path.depth = (uint8_t)dn_image_get_number(in, DUNLIN_PATH_DEPTH_MAX);
    for (uint8_t level = 0; level < a->path.depth; level++) {
        a->path.id[level] = (uint16_t)dn_image_get_number(in, DUNLIN_ID_NONE - 1);
    }
    a->set = (uint8_t)dn_image_get_number(in, ALL_BITS);
    uint32_t *periods[] = {&a->pmin_s, &a->pmax_s, &a->epmin_s, &a->epmax_s};
    for (size_t k = 0; k < sizeof periods / sizeof periods[0]; k++) {
        *periods[k] = (uint32_t)dn_image_get_number(in, UINT32_MAX);
    }
    if ((a->set & DN_ATTR_STEPS) != 0) {
        a->gt = dn_image_get_float(in);
        a->lt = dn_image_get_float(in);
        a->st = dn_image_get_float(in);
    }
    in->bad = in->bad || a->server == 0 || a->path.depth == 0 || a->set == 0 || !isfinite(a->gt) ||
              !isfinite(a->lt) || !isfinite(a->st);
    return !in->bad;
}

static dunlin_status check_attributes(dunlin_client *client, dn_image_in in, bool whole)
{
    dn_attributes a;
    uint32_t count = 0;
    (void)whole;
    while (next_attributes(&in, &a)) {
        if (++count > client->config.attributes) {
            return DUNLIN_ERR_LIMIT;
        }
    }
    return in.bad ? DUNLIN_ERR_MALFORMED : DUNLIN_OK;
}

static void apply_attributes(dunlin_client *client, dn_image_in in, bool whole)
{
    uint16_t i = 0;
    dn_attributes a;
    (void)whole;
    if (client->config.attributes > 0) {
        memset(client->attributes, 0, client->config.attributes * sizeof *client->attributes);
    }
    while (next_attributes(&in, &a)) {
        if (has_place(client, &a)) {
            client->attributes[i++] = a;
        }
    }
}

const dn_image_section dn_image_attributes = {DN_IMAGE_ATTRIBUTES, write_attributes, check_attributes,
                                              apply_attributes};

/* ---- chosen bindings: the ids of Object 1 ---- */

static void write_bindings(dunlin_client *client, dn_image_out *out, bool whole)
{
    const dn_object_slot *slot = dn_client_tree_object(client, SERVER_OBJECT);
    uint16_t index = 0;
    (void)whole;
    for (uint16_t id = 0; (id = dn_client_tree_next(slot, id, &index)) != DUNLIN_ID_NONE; id++) {
        if (client->servers[index].binding_chosen) {
            dn_image_put_number(out, id);
        }
    }
}

static dunlin_status check_bindings(dunlin_client *client, dn_image_in in, bool whole)
{
    (void)client;
    (void)whole;
    while (dn_image_more(&in)) {
        (void)dn_image_get_number(&in, DUNLIN_ID_NONE - 1);
    }
    return in.bad ? DUNLIN_ERR_MALFORMED : DUNLIN_OK;
}

static void apply_bindings(dunlin_client *client, dn_image_in in, bool whole)
{
    const dn_object_slot *slot = dn_client_tree_object(client, SERVER_OBJECT);
    (void)whole;
    for (uint16_t i = 0; i < slot->capacity; i++) {
        client->servers[i].binding_chosen = false;
    }
    while (dn_image_more(&in)) {
        const uint16_t id = (uint16_t)dn_image_get_number(&in, DUNLIN_ID_NONE - 1);
        const uint16_t index = dn_client_tree_instance(slot, id);
        if (index != DN_NO_INDEX) {
            client->servers[index].binding_chosen = true;
        }
    }
}

const dn_image_section dn_image_bindings = {DN_IMAGE_BINDINGS, write_bindings, check_bindings,
                                            apply_bindings};
