/* SPDX-License-Identifier: Apache-2.0 */
/* Object 16, Portfolio, over dunlin_portfolio. */
#include <dunlin/oma_portfolio.h>
#include <string.h>

#define PORTFOLIO 16

enum { IDENTITY = 0, GET_AUTH_DATA = 1, AUTH_DATA = 2, AUTH_STATUS = 3 };
enum { STATUS_IDLE = 0, STATUS_AVAILABLE = 1, STATUS_ERROR = 2 };

/* A new trigger makes the status fall back to idle before it is known how this one ends. */
static dunlin_status get_auth_data(const dunlin_call *call, const dunlin_arguments *arguments)
{
    const dunlin_portfolio_config *config = call->context;
    dunlin_portfolio *portfolio = call->instance;
    if (config->authenticate == NULL) {
        return DUNLIN_ERR_STATE;
    }
    memset(&portfolio->auth_data, 0, sizeof portfolio->auth_data);
    portfolio->auth_status = STATUS_IDLE;
    const dunlin_status status = config->authenticate(config->context, portfolio, arguments);
    portfolio->auth_status = status == DUNLIN_OK ? STATUS_AVAILABLE : STATUS_ERROR;
    dunlin_changed(call->client, dunlin_path_resource(PORTFOLIO, call->path.id[1], AUTH_DATA));
    dunlin_changed(call->client, dunlin_path_resource(PORTFOLIO, call->path.id[1], AUTH_STATUS));
    return DUNLIN_OK;
}

static const dunlin_resource resources[] = {
    {DUNLIN_LIST(IDENTITY, STRING, DUNLIN_RW | DUNLIN_MANDATORY, dunlin_portfolio, identities)},
    {DUNLIN_EXECUTE(GET_AUTH_DATA, 0, get_auth_data)},
    {DUNLIN_LIST(AUTH_DATA, OPAQUE, DUNLIN_R, dunlin_portfolio, auth_data)},
    {DUNLIN_FIELD(AUTH_STATUS, INTEGER, DUNLIN_R, dunlin_portfolio, auth_status), .max = STATUS_ERROR},
};

const dunlin_object dunlin_portfolio_object = {
    .id = PORTFOLIO,
    DUNLIN_TABLE(resources),
    .flags = DUNLIN_MULTIPLE | DUNLIN_DYNAMIC,
    .size = sizeof(dunlin_portfolio),
};

dunlin_status dunlin_portfolio_add(dunlin_client *client, dunlin_portfolio *storage, uint16_t capacity,
                                   uint16_t used, dunlin_portfolio_config *config)
{
    return dunlin_client_add_object(client, &dunlin_portfolio_object, storage, capacity, used, config);
}

bool dunlin_portfolio_identify(dunlin_portfolio *portfolio, uint16_t id, const char *text)
{
    uint16_t at = 0;
    if (strlen(text) >= sizeof portfolio->identities.value[0]) {
        return false;
    }
    while (at < portfolio->identities.count && portfolio->identities.id[at] < id) {
        at++;
    }
    const bool there = at < portfolio->identities.count && portfolio->identities.id[at] == id;
    if (!there) {
        if (portfolio->identities.count == DUNLIN_IDENTITIES_MAX) {
            return false;
        }
        for (uint16_t i = portfolio->identities.count++; i > at; i--) {
            portfolio->identities.id[i] = portfolio->identities.id[i - 1];
            memcpy(portfolio->identities.value[i], portfolio->identities.value[i - 1],
                   sizeof portfolio->identities.value[i]);
        }
    }
    portfolio->identities.id[at] = id;
    memset(portfolio->identities.value[at], 0, sizeof portfolio->identities.value[at]);
    memcpy(portfolio->identities.value[at], text, strlen(text));
    return true;
}
