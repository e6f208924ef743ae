/* SPDX-License-Identifier: Apache-2.0 */
/* Each question is asked of the peer's session and of the credentials as they are now. */
#include "server/authority.h"

#include "server/shard_inside.h"

#define SHARERS_LOOKED_AT 64u /* registrations of one address, such as a gateway's */

/* NULL: it has proved nothing, or has no session now. Valid until the next call that may reach the ports. */
static const dn_identity *identity_of(const dn_shard *shard, const dn_peer *peer)
{
    if (!dn_transport_is_secure(dn_peer_transport(peer)) || shard->config.identity == NULL) {
        return NULL;
    }
    return shard->config.identity(shard->config.context, peer);
}

static bool is_known(const dn_shard *shard, dunlin_slice endpoint)
{
    dn_credentials *credentials = shard->config.fleet.credentials;
    return shard->has_credentials && credentials->ops->is_known(credentials, endpoint);
}

/* A shared credential must not become whoever has one of its own. */
static bool has_own(const dn_shard *shard, dunlin_slice endpoint)
{
    dn_credentials *credentials = shard->config.fleet.credentials;
    dn_credential found;
    if (credentials == NULL || dn_endpoint_is_pattern(endpoint)) {
        return false;
    }
    return credentials->ops->get(credentials, endpoint, &found) != DUNLIN_ERR_NOT_FOUND; /* without its key */
}

static bool is_entitled(const dn_shard *shard, const dn_identity *identity, dunlin_slice endpoint)
{
    return dn_identity_allows(identity, endpoint) && !(identity->is_pattern && has_own(shard, endpoint));
}

void dn_shard_credentials_changed(dn_shard *shard)
{
    dn_credentials *credentials = shard->config.fleet.credentials;
    shard->has_credentials = credentials != NULL && credentials->ops->count(credentials) > 0;
}

/* Without security. */
static bool may_speak(const dn_shard *shard, const dn_peer *peer)
{
    switch (shard->config.fleet.nosec) {
    case DN_NOSEC_ON:
        return true;
    case DN_NOSEC_LOOPBACK:
        return shard->config.is_loopback != NULL && shard->config.is_loopback(peer);
    default:
        return false;
    }
}

dn_refusal dn_authority_admit(dn_shard *shard, const dn_peer *peer)
{
    if (dn_transport_is_secure(dn_peer_transport(peer))) {
        if (identity_of(shard, peer) != NULL) {
            return (dn_refusal){.code = 0};
        }
        shard->counters.identity_refused++;
        return (dn_refusal){DN_COAP_UNAUTHORIZED, "it has no session"};
    }
    if (may_speak(shard, peer)) {
        return (dn_refusal){.code = 0};
    }
    shard->counters.nosec_refused++;
    return (dn_refusal){DN_COAP_FORBIDDEN, "without security nobody is served here"};
}

dn_refusal dn_authority_enrol(dn_shard *shard, const dn_peer *peer, dn_parameters *terms,
                              char name[DN_ENDPOINT_NAME_MAX])
{
    bool says_name = (terms->present & DN_PARAMETER_EP) != 0;
    const dn_identity *identity = identity_of(shard, peer);
    if (identity == NULL) {
        if (says_name && is_known(shard, terms->endpoint)) {
            shard->counters.nosec_refused++;
            return (dn_refusal){DN_COAP_FORBIDDEN,
                                "this endpoint has a credential: it cannot register without security"};
        }
        return (dn_refusal){.code = 0};
    }
    if (says_name) {
        if (is_entitled(shard, identity, terms->endpoint)) {
            return (dn_refusal){.code = 0};
        }
        shard->counters.identity_refused++;
        return (dn_refusal){DN_COAP_BAD_REQUEST, "its credential does not stand for this endpoint"};
    }
    dunlin_slice only = dn_identity_name(identity);
    if (only.len == 0 || !dn_parameters_is_endpoint(only)) {
        return (dn_refusal){DN_COAP_BAD_REQUEST,
                            "ep is missing, and its credential stands for no single name"};
    }
    memcpy(name, only.data, only.len);
    terms->endpoint = dunlin_slice_make(name, only.len);
    terms->present |= DN_PARAMETER_EP;
    return (dn_refusal){.code = 0};
}

void dn_authority_served(const dn_shard *shard, const dn_peer *peer)
{
    dn_credentials *credentials = shard->config.fleet.credentials;
    const dn_identity *identity = identity_of(shard, peer);
    if (identity != NULL && credentials != NULL && credentials->ops->proved != NULL) {
        credentials->ops->proved(credentials, identity->credential);
    }
}

unsigned dn_authority_mode(const dn_shard *shard, const dn_peer *peer)
{
    const dn_identity *identity = identity_of(shard, peer);
    return identity != NULL ? identity->mode : DN_SECURITY_NOSEC;
}

bool dn_authority_owns(const dn_shard *shard, const dn_peer *peer, uint32_t slot)
{
    const dn_registration *registration = dn_registrations_at(&shard->registrations, slot);
    dunlin_slice endpoint = dn_registration_endpoint(&shard->registrations, registration);
    if (dn_transport_is_secure(dn_peer_transport(peer))) {
        const dn_identity *identity = identity_of(shard, peer);
        return identity != NULL && is_entitled(shard, identity, endpoint);
    }
    return dn_registration_security(registration->flags) == DN_SECURITY_NOSEC && may_speak(shard, peer) &&
           !is_known(shard, endpoint);
}

bool dn_authority_holds(dn_shard *shard, const dn_peer *peer, uint32_t slot)
{
    const dn_peer *known = &dn_registrations_at(&shard->registrations, slot)->peer;
    if (!dn_authority_owns(shard, peer, slot)) {
        shard->counters.identity_refused++;
        return false;
    }
    return dn_transport_is_secure(dn_peer_transport(peer)) || dn_peer_equal(peer, known) ||
           shard->config.same_host(peer, known);
}

uint32_t dn_authority_registration(dn_shard *shard, const dn_peer *peer)
{
    const dn_registrations *table = &shard->registrations;
    uint32_t first = dn_registrations_by_peer(table, peer);
    uint32_t slot = first;
    for (uint32_t budget = SHARERS_LOOKED_AT; slot != DN_SLOT_NONE && budget > 0; budget--) {
        if (dn_authority_owns(shard, peer, slot)) {
            return slot;
        }
        slot = dn_registrations_at(table, slot)->peer_next;
    }
    shard->counters.identity_refused += first != DN_SLOT_NONE;
    return DN_SLOT_NONE;
}

bool dn_authority_reaches(const dn_shard *shard, uint32_t slot)
{
    const dn_peer *peer = &dn_registrations_at(&shard->registrations, slot)->peer;
    bool (*reaches)(void *context, const dn_peer *peer) = shard->config.reaches;
    return (reaches == NULL || reaches(shard->config.context, peer)) && dn_authority_owns(shard, peer, slot);
}
