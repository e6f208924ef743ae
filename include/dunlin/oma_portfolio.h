/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Portfolio (Object 16, version 1.0): names under which services know the device, and data to authenticate it with. Servers
 * may create and delete instances.
 */
#ifndef DUNLIN_OMA_PORTFOLIO_H
#define DUNLIN_OMA_PORTFOLIO_H

#include <dunlin/client.h>

#define DUNLIN_IDENTITIES_MAX 8
#define DUNLIN_AUTH_DATA_MAX  4  /* pieces */
#define DUNLIN_AUTH_PIECE_MAX 64 /* bytes of each */

/* What the identities mean by their resource instance, in the use that the GSMA makes of them. */
enum {
    DUNLIN_IDENTITY_HOST = 0,
    DUNLIN_IDENTITY_MANUFACTURER = 1,
    DUNLIN_IDENTITY_MODEL = 2,
    DUNLIN_IDENTITY_SOFTWARE = 3
};

typedef char dunlin_identity_text[64];
typedef DUNLIN_BYTES(DUNLIN_AUTH_PIECE_MAX) dunlin_auth_piece;

typedef struct {
    DUNLIN_MANY(dunlin_identity_text, DUNLIN_IDENTITIES_MAX) identities;
    DUNLIN_MANY(dunlin_auth_piece, DUNLIN_AUTH_DATA_MAX) auth_data;
    int8_t auth_status; /* 0 nothing asked for, 1 data is available, 2 error */
} dunlin_portfolio;

/* What GetAuthData does: fills `auth_data` from the arguments now and gives OK, or an error, which makes the status 2. */
typedef dunlin_status dunlin_portfolio_authenticate(void *context, dunlin_portfolio *portfolio,
                                                    const dunlin_arguments *arguments);

typedef struct {
    dunlin_portfolio_authenticate *authenticate; /* NULL: GetAuthData is answered 4.05 */
    void *context;
} dunlin_portfolio_config;

extern const dunlin_object dunlin_portfolio_object;

/* Adds Object 16 over `storage` of `capacity` structures of which `used` are instances 0, 1, …; `config`, like `storage`, must
   outlive the client. Errors as dunlin_client_add_object. */
dunlin_status dunlin_portfolio_add(dunlin_client *client, dunlin_portfolio *storage, uint16_t capacity,
                                   uint16_t used, dunlin_portfolio_config *config);
/* Sets identity `id`; false: no room, or too long. */
bool dunlin_portfolio_identify(dunlin_portfolio *portfolio, uint16_t id, const char *text);

#endif
