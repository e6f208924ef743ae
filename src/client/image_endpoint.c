/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In the image: whose it is. The credentials in it are those of that endpoint name; another device that went on from it would be turned away by
 * each of its servers, and have overwritten the state of the first one. Images of former releases do not say it.
 */
#include "client/image_section.h"

static void write_endpoint(dunlin_client *client, dn_image_out *out, bool whole)
{
    (void)whole;
    dn_image_put_bytes(out, dunlin_slice_of(client->config.endpoint));
}

static dunlin_status check_endpoint(dunlin_client *client, dn_image_in in, bool whole)
{
    (void)whole;
    if (!dn_image_more(&in)) {
        return DUNLIN_OK;
    }
    const dunlin_slice name = dn_image_get_bytes(&in);
    if (in.bad) {
        return DUNLIN_ERR_MALFORMED;
    }
    return dunlin_slice_equal(name, dunlin_slice_of(client->config.endpoint)) ? DUNLIN_OK : DUNLIN_ERR_ACCESS;
}

static void apply_nothing(dunlin_client *client, dn_image_in in, bool whole)
{
    (void)client;
    (void)in;
    (void)whole;
}

const dn_image_section dn_image_endpoint = {DN_IMAGE_ENDPOINT, write_endpoint, check_endpoint, apply_nothing};
