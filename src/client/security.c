/* SPDX-License-Identifier: Apache-2.0 */
/* Checking credentials, and their memory. */
#include "client/security.h"

#include "client/objects.h"
#include "client/tree.h"
#include <string.h>

#define PSK_IDENTITY_MAX 128u /* what every server takes (Transport 1.1.1 section 5.2.8.1) */
#define PSK_KEY_MAX      64u
#define MATCHING_MAX     3                   /* SHA-512 */
#define USAGE_MAX        3                   /* domain-issued */
#define HASH_START       0xcbf29ce484222325u /* FNV-1a, 64 bit */
#define HASH_PRIME       0x100000001b3u

enum { MATCHING = 13, SNI = 14, USAGE = 15 };

/* Which of the three each mode needs; what it does not need must not be there. */
static const bool needs[][DN_CREDENTIALS] = {
    [DUNLIN_PSK] = {true, false, true},  [DUNLIN_RPK] = {true, true, true},
    [DUNLIN_X509] = {true, true, true},  [DUNLIN_NOSEC] = {false, false, false},
    [DUNLIN_EST] = {false, true, false},
};

/* What an enrolment brings. */
static bool may_come(dunlin_security_mode mode, size_t which)
{
    return mode == DUNLIN_EST && which != DN_CREDENTIAL_SERVER_KEY;
}

size_t dn_client_security_size(const dunlin_client_config *config)
{
    return config->credential_max == 0 ? 0
                                       : (size_t)DN_CREDENTIALS * config->credential_max + DUNLIN_SNI_MAX + 1;
}

static dunlin_status check_ranges(const dunlin_client_config *config, const dunlin_security *security)
{
    if ((unsigned)security->mode > DUNLIN_EST || security->matching < -1 ||
        security->matching > MATCHING_MAX || security->usage < -1 || security->usage > USAGE_MAX) {
        return DUNLIN_ERR_RANGE;
    }
    if (security->mode == DUNLIN_EST && config->enroll.request == NULL) {
        return DUNLIN_ERR_UNSUPPORTED;
    }
    return memchr(security->sni, 0, sizeof security->sni) == NULL ? DUNLIN_ERR_ARGUMENT : DUNLIN_OK;
}

dunlin_status dn_client_security_check(const dunlin_client_config *config, const dunlin_security *security)
{
    const dunlin_slice parts[DN_CREDENTIALS] = {security->identity, security->server_key, security->secret};
    const dunlin_status status = check_ranges(config, security);
    if (status != DUNLIN_OK) {
        return status;
    }
    for (size_t i = 0; i < DN_CREDENTIALS; i++) {
        if ((parts[i].len > 0) != needs[security->mode][i] && !may_come(security->mode, i)) {
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

static uint8_t *place_for(const dunlin_client *client, const dn_security_instance *instance, unsigned which)
{
    const size_t index = (size_t)(instance - client->securities);
    return client->credentials + index * dn_client_security_size(&client->config) +
           (size_t)which * client->config.credential_max;
}

static char *sni_of(const dunlin_client *client, const dn_security_instance *instance)
{
    return (char *)place_for(client, instance, DN_CREDENTIALS);
}

dunlin_slice dn_client_security_credential(const dunlin_client *client, const dn_security_instance *instance,
                                           unsigned which)
{
    const uint16_t len = instance->security.len[which];
    return len == 0 ? dunlin_slice_make(NULL, 0) : dunlin_slice_make(place_for(client, instance, which), len);
}

dunlin_status dn_client_security_set_credential(const dunlin_client *client, dn_security_instance *instance,
                                                unsigned which, dunlin_slice bytes)
{
    const size_t max = client->config.credential_max;
    if (bytes.len > max) {
        return DUNLIN_ERR_LIMIT;
    }
    if (bytes.len > 0) {
        memmove(place_for(client, instance, which), bytes.data, bytes.len);
    }
    if (max > 0) { /* nothing stays of a longer one */
        memset(place_for(client, instance, which) + bytes.len, 0, max - bytes.len);
    }
    instance->security.len[which] = (uint16_t)bytes.len;
    return DUNLIN_OK;
}

const char *dn_client_security_sni(const dunlin_client *client, const dn_security_instance *instance)
{
    return client->credentials == NULL ? "" : sni_of(client, instance);
}

dunlin_status dn_client_security_set_sni(const dunlin_client *client, const dn_security_instance *instance,
                                         dunlin_slice name)
{
    if (name.len > DUNLIN_SNI_MAX) {
        return DUNLIN_ERR_RANGE;
    }
    if (client->credentials == NULL) {
        return name.len == 0 ? DUNLIN_OK : DUNLIN_ERR_LIMIT;
    }
    if (name.len > 0) {
        memmove(sni_of(client, instance), name.data, name.len);
    }
    memset(sni_of(client, instance) + name.len, 0, DUNLIN_SNI_MAX + 1 - name.len);
    return DUNLIN_OK;
}

void dn_client_security_wipe(const dunlin_client *client, const dn_security_instance *instance)
{
    if (client->credentials != NULL) {
        memset(place_for(client, instance, 0), 0, dn_client_security_size(&client->config));
    }
}

/* ---- what is there of the optional resources ---- */

/* The row of one, with the instance's place in the Object. */
static const dn_object_slot *row_of(const dunlin_client *client, const dn_security_instance *instance,
                                    uint16_t id, uint16_t *index, const dunlin_resource **row)
{
    const dn_object_slot *slot = &client->objects[0]; /* ids ascend, and Object 0 comes with the client */
    *index = (uint16_t)(instance - client->securities);
    *row = dn_client_tree_resource(slot->def, id);
    return slot;
}

static bool is_there(const dunlin_client *client, const dn_security_instance *instance, uint16_t id)
{
    const dunlin_resource *row = NULL;
    uint16_t index = 0;
    const dn_object_slot *slot = row_of(client, instance, id, &index, &row);
    return dn_client_tree_present(slot, index, row);
}

static void put_there(const dunlin_client *client, const dn_security_instance *instance, uint16_t id,
                      bool present)
{
    const dunlin_resource *row = NULL;
    uint16_t index = 0;
    const dn_object_slot *slot = row_of(client, instance, id, &index, &row);
    dn_client_tree_set_present(slot, index, row, present);
}

/* ---- as a whole ---- */

void dn_client_security_keep(const dunlin_client *client, dn_security_instance *instance,
                             const dunlin_security *security)
{
    instance->security.mode = (int8_t)security->mode;
    instance->security.matching = security->matching < 0 ? 0 : (uint8_t)security->matching;
    instance->security.usage = security->usage < 0 ? 0 : (uint8_t)security->usage;
    (void)dn_client_security_set_credential(client, instance, DN_CREDENTIAL_IDENTITY, security->identity);
    (void)dn_client_security_set_credential(client, instance, DN_CREDENTIAL_SERVER_KEY, security->server_key);
    (void)dn_client_security_set_credential(client, instance, DN_CREDENTIAL_SECRET, security->secret);
    (void)dn_client_security_set_sni(client, instance, dunlin_slice_of(security->sni));
    put_there(client, instance, MATCHING, security->matching >= 0);
    put_there(client, instance, SNI, security->sni[0] != '\0');
    put_there(client, instance, USAGE, security->usage >= 0);
}

void dn_client_security_view(const dunlin_client *client, const dn_security_instance *instance,
                             dunlin_security *security)
{
    memset(security, 0, sizeof *security);
    security->mode = (dunlin_security_mode)instance->security.mode;
    security->identity = dn_client_security_credential(client, instance, DN_CREDENTIAL_IDENTITY);
    security->server_key = dn_client_security_credential(client, instance, DN_CREDENTIAL_SERVER_KEY);
    security->secret = dn_client_security_credential(client, instance, DN_CREDENTIAL_SECRET);
    security->matching = is_there(client, instance, MATCHING) ? instance->security.matching : -1;
    security->usage = is_there(client, instance, USAGE) ? instance->security.usage : -1;
    if (is_there(client, instance, SNI)) {
        const char *sni = dn_client_security_sni(client, instance);
        memcpy(security->sni, sni, strlen(sni));
    }
}

static uint64_t mix(uint64_t hash, const void *bytes, size_t len)
{
    const uint8_t *byte = bytes;
    hash = (hash ^ len) * HASH_PRIME;
    for (size_t i = 0; i < len; i++) {
        hash = (hash ^ byte[i]) * HASH_PRIME;
    }
    return hash;
}

uint64_t dn_client_security_identity(const dunlin_client *client, const dn_security_instance *instance)
{
    dunlin_security security;
    dn_client_security_view(client, instance, &security);
    const dunlin_slice parts[] = {security.identity, security.server_key, security.secret};
    const int16_t numbers[] = {(int16_t)security.mode, security.matching, security.usage};
    uint64_t hash = mix(HASH_START, instance->uri, strlen(instance->uri));
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        hash = mix(hash, parts[i].data, parts[i].len);
    }
    hash = mix(hash, numbers, sizeof numbers);
    return mix(hash, security.sni, strlen(security.sni));
}
