/* SPDX-License-Identifier: Apache-2.0 */
/* Identities, and an answer to GetAuthData that tells whose it is and what was asked. */
#include "apps/dunlin/client_identity.h"

#include <stdio.h>
#include <string.h>

static void identify(dunlin_portfolio *portfolio, uint16_t id, const char *text)
{
    dunlin_identity_text cut;
    (void)snprintf(cut, sizeof cut, "%s", text == NULL ? "" : text);
    (void)dunlin_portfolio_identify(portfolio, id, cut); /* four of eight, and cut to size */
}

/* The first identity, and what argument 0 says, as two pieces. */
static dunlin_status authenticate(void *context, dunlin_portfolio *portfolio,
                                  const dunlin_arguments *arguments)
{
    const size_t name = portfolio->identities.count == 0 ? 0 : strlen(portfolio->identities.value[0]);
    const dunlin_slice asked =
        (arguments->present & 1) != 0 ? arguments->value[0] : dunlin_slice_make(NULL, 0);
    (void)context;
    if (asked.len > DUNLIN_AUTH_PIECE_MAX) {
        return DUNLIN_ERR_RANGE;
    }
    portfolio->auth_data.count = 2;
    portfolio->auth_data.id[0] = 0;
    portfolio->auth_data.id[1] = 1;
    portfolio->auth_data.value[0].len = (uint16_t)name;
    memcpy(portfolio->auth_data.value[0].data, portfolio->identities.value[0], name);
    portfolio->auth_data.value[1].len = (uint16_t)asked.len;
    if (asked.len > 0) {
        memcpy(portfolio->auth_data.value[1].data, asked.data, asked.len);
    }
    return DUNLIN_OK;
}

void dn_sim_identity_init(dn_sim_identity *identity, const char *endpoint, const dunlin_device *device)
{
    dunlin_portfolio *first = &identity->portfolios[0];
    memset(identity, 0, sizeof *identity);
    identify(first, DUNLIN_IDENTITY_HOST, endpoint);
    identify(first, DUNLIN_IDENTITY_MANUFACTURER, device->manufacturer);
    identify(first, DUNLIN_IDENTITY_MODEL, device->model);
    identify(first, DUNLIN_IDENTITY_SOFTWARE, device->software);
    identity->config.authenticate = authenticate;
}

dunlin_status dn_sim_identity_add(dunlin_client *client, dn_sim_identity *identity)
{
    return dunlin_portfolio_add(client, identity->portfolios, DN_SIM_PORTFOLIOS_MAX, 1, &identity->config);
}
