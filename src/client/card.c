/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the smartcard. */
#include "client/card.h"

#include "client/account.h"
#include "client/bootstrap_operation.h"
#include "client/image.h"
#include <string.h>

static void tell(dunlin_client *client, dunlin_status status)
{
    const dunlin_client_event event = {.kind = DUNLIN_CLIENT_CARD,
                                       .server = DUNLIN_BOOTSTRAP_SERVER,
                                       .location = "",
                                       .status = status,
                                       .retry_ms = DN_NEVER};
    dn_client_tell(client, &event);
}

void dn_client_card_read(dunlin_client *client)
{
    const dunlin_client_callbacks *call = &client->config.call;
    bool changed = false;
    if (client->card_file == NULL) {
        return;
    }
    dunlin_buf file = dunlin_buf_make(client->card_file, client->config.max_body);
    dunlin_status status = call->smartcard(call->context, &file);
    if (status == DUNLIN_ERR_NOT_FOUND) {
        file.len = 0;
    } else if (status != DUNLIN_OK) {
        dn_log_at(&client->log, DN_LOG_WARN, DN_CLIENT_AREA, "the smartcard cannot be read: %s",
                  dunlin_status_text(status));
        return;
    }
    status = dn_client_card_apply(client, dunlin_buf_view(&file), &changed);
    memset(client->card_file, 0, client->config.max_body); /* there are secrets in it */
    if (status != DUNLIN_OK) {
        dn_log_at(&client->log, DN_LOG_ERROR, DN_CLIENT_AREA, "what the smartcard holds is of no use: %s",
                  dunlin_status_text(status));
        tell(client, status);
    } else if (changed) {
        client->pair_due = true;
        dn_client_image_touch(client);
        (void)dn_client_image_save(client); /* the card itself says it again after a restart */
        tell(client, DUNLIN_OK);
    }
}

bool dn_client_card_holds(dn_account *account)
{
    dunlin_client *client = account->client;
    if (client->card_file == NULL || !dn_client_card_gave(client, account->ssid)) {
        return true;
    }
    dn_client_card_read(client);
    return dn_client_account_stands(account);
}
