/* SPDX-License-Identifier: Apache-2.0 */
/* Factory data (Core 1.1.1 section 6.1.2.1): written as a bootstrap server would, before anything begins. */
#include "client/bootstrap_operation.h"

#include "client/account.h"
#include "client/bootstrap_write.h"
#include "client/image.h"
#include "codec/format.h"

/* Those that hold more than one value, whatever the version of LwM2M: nobody has to agree on it. */
static bool is_taken(uint16_t format)
{
    switch (dn_format_canonical(format)) {
    case DN_FORMAT_TLV:
    case DN_FORMAT_SENML_JSON:
    case DN_FORMAT_SENML_CBOR:
    case DN_FORMAT_LWM2M_JSON:
        return true;
    default:
        return false;
    }
}

dunlin_status dunlin_client_provision(dunlin_client *client, dunlin_path base, uint16_t format,
                                      dunlin_slice payload)
{
    if (!is_taken(format)) {
        return DUNLIN_ERR_UNSUPPORTED;
    }
    if (base.depth > 2) {
        return DUNLIN_ERR_PATH;
    }
    dn_bootstrap_write write = {
        .client = client,
        .base = base,
        .format = format,
        .payload = payload,
        .scratch = dunlin_buf_make(client->work, client->config.max_body),
        .factory = true,
    };
    if (client->started) {
        return DUNLIN_ERR_STATE; /* who is registered by what is there would not know of it */
    }
    const dunlin_status status = dn_client_bootstrap_put(&write);
    if (status == DUNLIN_OK) {
        dn_client_pair_accounts(client);
        dn_client_image_touch(client);
    }
    return status;
}
