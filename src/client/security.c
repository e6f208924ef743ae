/* SPDX-License-Identifier: Apache-2.0 */
/* Checking credentials, and their memory. */
#include "client/security.h"

#include "client/objects.h"
#include "client/tree.h"
#include <string.h>

#define PSK_IDENTITY_MAX 128u /* what every server takes (Transport 1.1.1 section 5.2.8.1) */
#define PSK_KEY_MAX      64u
#define MATCHING_MAX     3 /* SHA-512 */
#define USAGE_MAX        3 /* domain-issued */

enum { SECURITY_OBJECT = 0, MATCHING = 13, SNI = 14, USAGE = 15 };

/* Which of the three each mode needs; what it does not need must not be there. */
static const bool needs[][DN_CREDENTIALS] = {
    [DUNLIN_PSK] = {true, false, true},
    [DUNLIN_RPK] = {true, true, true},
    [DUNLIN_X509] = {true, true, true},
    [DUNLIN_NOSEC] = {false, false, false},
};

size_t dn_client_security_size(const dunlin_client_config *config)
{
    return config->credential_max == 0 ? 0
                                       : (size_t)DN_CREDENTIALS * config->credential_max + DUNLIN_SNI_MAX + 1;
}

static dunlin_status check_ranges(const dunlin_security *security)
{
    if ((unsigned)security->mode > DUNLIN_EST || security->matching < -1 ||
        security->matching > MATCHING_MAX || security->usage < -1 || security->usage > USAGE_MAX) {
        return DUNLIN_ERR_RANGE;
    }
    if (security->mode == DUNLIN_EST) {
        return DUNLIN_ERR_UNSUPPORTED;
    }
    return memchr(security->sni, 0, sizeof security->sni) == NULL ? DUNLIN_ERR_ARGUMENT : DUNLIN_OK;
}

dunlin_status dn_client_security_check(const dunlin_client_config *config, const dunlin_security *security)
{
    const dunlin_slice parts[DN_CREDENTIALS] = {security->identity, security->server_key, security->secret};
    const dunlin_status status = check_ranges(security);
    if (status != DUNLIN_OK) {
        return status;
    }
    for (size_t i = 0; i < DN_CREDENTIALS; i++) {
        if ((parts[i].len > 0) != needs[security->mode][i]) {
            return DUNLIN_ERR_ARGUMENT;
        }
    }
    if (security->mode == DUNLIN_PSK &&
        (security->identity.len > PSK_IDENTITY_MAX || security->secret.len > PSK_KEY_MAX)) {
        return DUNLIN_ERR_RANGE;
    }
    for (size_t i = 0; i < DN_CREDENTIALS; i++) {
        if (parts[i].len > config->credential_max) {
            return DUNLIN_ERR_LIMIT;
        }
    }
    return security->sni[0] != '\0' && config->credential_max == 0 ? DUNLIN_ERR_LIMIT : DUNLIN_OK;
}

dunlin_status dn_client_security_fits(const dunlin_security *security, dn_transport transport)
{
    const bool secure = dn_transport_is_secure(transport);
    return secure == (security->mode != DUNLIN_NOSEC) ? DUNLIN_OK : DUNLIN_ERR_ARGUMENT;
}

/* ---- memory ---- */

static uint8_t *place_for(const dn_account *account, unsigned which)
{
    return account->security.bytes + (size_t)which * account->client->config.credential_max;
}

static char *sni_of(const dn_account *account)
{
    return (char *)place_for(account, DN_CREDENTIALS);
}

dunlin_slice dn_client_security_credential(const dn_account *account, unsigned which)
{
    const uint16_t len = account->security.len[which];
    return len == 0 ? dunlin_slice_make(NULL, 0) : dunlin_slice_make(place_for(account, which), len);
}

dunlin_status dn_client_security_set_credential(dn_account *account, unsigned which, dunlin_slice bytes)
{
    const size_t max = account->client->config.credential_max;
    if (bytes.len > max) {
        return DUNLIN_ERR_LIMIT;
    }
    if (max > 0) { /* nothing stays of a longer one */
        memset(place_for(account, which) + bytes.len, 0, max - bytes.len);
    }
    if (bytes.len > 0) {
        memmove(place_for(account, which), bytes.data, bytes.len);
    }
    account->security.len[which] = (uint16_t)bytes.len;
    return DUNLIN_OK;
}

const char *dn_client_security_sni(const dn_account *account)
{
    return account->security.bytes == NULL ? "" : sni_of(account);
}

dunlin_status dn_client_security_set_sni(dn_account *account, dunlin_slice name)
{
    if (name.len > DUNLIN_SNI_MAX) {
        return DUNLIN_ERR_RANGE;
    }
    if (account->security.bytes == NULL) {
        return name.len == 0 ? DUNLIN_OK : DUNLIN_ERR_LIMIT;
    }
    if (name.len > 0) {
        memmove(sni_of(account), name.data, name.len);
    }
    memset(sni_of(account) + name.len, 0, DUNLIN_SNI_MAX + 1 - name.len);
    return DUNLIN_OK;
}

/* ---- what is there of the optional resources ---- */

static dunlin_path resource_of(const dn_account *account, uint16_t id)
{
    return dunlin_path_resource(SECURITY_OBJECT, (uint16_t)(account - account->client->accounts), id);
}

static bool is_there(const dn_account *account, uint16_t id)
{
    dn_place place;
    return dn_client_tree_find(account->client, resource_of(account, id), true, &place) == DUNLIN_OK;
}

static void put_there(const dn_account *account, uint16_t id, bool present)
{
    dn_place place;
    if (dn_client_tree_find(account->client, resource_of(account, id), false, &place) == DUNLIN_OK) {
        dn_client_tree_set_present(place.object, place.index, place.resource, present);
    }
}

void dn_client_security_keep(dn_account *account, const dunlin_security *security)
{
    account->security.mode = (int8_t)security->mode;
    account->security.matching = security->matching < 0 ? 0 : (uint8_t)security->matching;
    account->security.usage = security->usage < 0 ? 0 : (uint8_t)security->usage;
    (void)dn_client_security_set_credential(account, DN_CREDENTIAL_IDENTITY, security->identity);
    (void)dn_client_security_set_credential(account, DN_CREDENTIAL_SERVER_KEY, security->server_key);
    (void)dn_client_security_set_credential(account, DN_CREDENTIAL_SECRET, security->secret);
    (void)dn_client_security_set_sni(account, dunlin_slice_of(security->sni));
    put_there(account, MATCHING, security->matching >= 0);
    put_there(account, SNI, security->sni[0] != '\0');
    put_there(account, USAGE, security->usage >= 0);
}

void dn_client_security_view(const dn_account *account, dunlin_security *security)
{
    memset(security, 0, sizeof *security);
    security->mode = (dunlin_security_mode)account->security.mode;
    security->identity = dn_client_security_credential(account, DN_CREDENTIAL_IDENTITY);
    security->server_key = dn_client_security_credential(account, DN_CREDENTIAL_SERVER_KEY);
    security->secret = dn_client_security_credential(account, DN_CREDENTIAL_SECRET);
    security->matching = is_there(account, MATCHING) ? account->security.matching : -1;
    security->usage = is_there(account, USAGE) ? account->security.usage : -1;
    if (is_there(account, SNI)) {
        memcpy(security->sni, dn_client_security_sni(account), strlen(dn_client_security_sni(account)));
    }
}
