/* SPDX-License-Identifier: Apache-2.0 */
/* The check, the time of it, and saving it. */
#include "client/bootstrap_finish.h"

#include "client/account.h"
#include "client/bootstrap_account.h"
#include "client/bootstrap_operation.h"
#include "client/image.h"

/* Kept before it is answered, or not answered with success: a device that loses its power right after has both or none (section 6.1.8). */
uint8_t dn_client_bootstrap_finish(dunlin_client *client, dn_coap_reply *reply)
{
    dn_bootstrap_fault fault = {dunlin_path_root(), ""};
    char path[DUNLIN_PATH_TEXT_MAX + 1];
    if (!dn_client_bootstrap_consistent(client, &fault)) {
        (void)dunlin_path_format(fault.path, path);
        dn_log_at(&client->log, DN_LOG_WARN, DN_CLIENT_AREA, "the configuration is not consistent: %s %s",
                  path, fault.why);
        reply->payload = dunlin_slice_of(fault.why);
        return DN_COAP_NOT_ACCEPTABLE;
    }
    const uint64_t purge_ms = client->bootstrap.purge_ms;
    const int64_t now_s = dn_client_unix_s(client);
    if (now_s >= 0) {
        dn_client_accounts_bootstrapped(client, now_s);
    }
    dn_client_bootstrap_account_limit(client);
    dn_client_image_touch(client);
    if (dn_client_image_save(client) != DUNLIN_OK) {
        client->bootstrap.purge_ms = purge_ms;
        return DN_COAP_INTERNAL_ERROR;
    }
    client->bootstrap.finished = true;
    return DN_COAP_CHANGED;
}
