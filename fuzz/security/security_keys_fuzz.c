/* SPDX-License-Identifier: Apache-2.0 */
/* What an operator or a bootstrap server hands over: keys, certificates, lists, responses, credentials, in any bytes. */
#include "security/gnutls_names.h"
#include "security/gnutls_trust.h"
#include "security/testworld.h"

#include <string.h>

static void as_server(dn_testworld *world, unsigned which, dunlin_slice bytes)
{
    dn_tls_key_pair pair = world->pair;
    dn_tls_server_config config = dn_testworld_server(world);
    config.pairs = &pair;
    switch (which) {
    case 0:
        pair.key = bytes;
        break;
    case 1:
        pair.chain = bytes;
        break;
    case 2:
        config.trusted = bytes;
        break;
    default:
        config.revoked = bytes;
        break;
    }
    dn_tls_context *context = NULL;
    char error[160];
    (void)dn_tls_server_create(&config, &context, error, sizeof error);
    dn_tls_context_give_up(context);
}

static void as_client(dn_testworld *world, unsigned which, dunlin_slice bytes)
{
    static char name[256];
    dn_tls_client_config config =
        dn_testworld_client(world, which % 2 == 0 ? DN_SECURITY_RPK : DN_SECURITY_X509, 2);
    switch (which) {
    case 0:
    case 1:
        config.own = bytes;
        break;
    case 2:
    case 3:
        config.server = bytes;
        break;
    default:
        memset(name, 0, sizeof name);
        memcpy(name, bytes.data, bytes.len < sizeof name - 1 ? bytes.len : sizeof name - 1);
        config.name = name;
        break;
    }
    dn_tls_context *context = NULL;
    char error[160];
    (void)dn_tls_client_create(&config, &context, error, sizeof error);
    dn_tls_context_give_up(context);
}

/* A certificate as the other end would send it. */
static void as_peer(const dn_testworld *world, dunlin_slice bytes)
{
    gnutls_datum_t der = {NULL, (unsigned)bytes.len};
    memcpy(&der.data, &bytes.data, sizeof der.data);
    dn_chain chain;
    if (!dn_chain_import(&chain, &der, 1)) {
        return;
    }
    dunlin_slice names[4];
    char text[512];
    (void)dn_names_collect(chain.certs[0], names, 4, text, sizeof text);
    (void)dn_names_match(chain.certs[0], DN_TESTWORLD_NAME, false);
    (void)dn_names_match(chain.certs[0], "192.0.2.1", true);
    (void)dn_cert_is_signed_by(chain.certs[0], dunlin_slice_make(bytes.data, bytes.len / 2));
    (void)dn_cert_is_signed_by(chain.certs[0], dn_testpki_key_spki(world->middle_key));
    const dn_path_rules rules = {.purpose = GNUTLS_KP_TLS_WWW_CLIENT, .wall_s = TESTPKI_NOW_S};
    (void)dn_trust_check_leaf(chain.certs[0], &rules);
    dn_trust *trust = dn_trust_create();
    (void)dn_trust_add_anchor(trust, chain.certs[0]);
    const dn_path path = dn_trust_check(trust, &chain, &rules);
    (void)path;
    dn_chain_free(&chain);
    dn_trust_free(trust);
}

static void as_credential(dunlin_slice bytes)
{
    dn_credential credential;
    memset(&credential, 0, sizeof credential);
    memcpy(&credential, bytes.data, bytes.len < sizeof credential ? bytes.len : sizeof credential);
    /* Booleans of other values than 0 and 1 cannot come from anywhere. */
    credential.is_pattern = (bytes.len & 1u) != 0;
    credential.has_fingerprint = false;
    if (dn_credential_check(&credential) == NULL) {
        const dn_identity identity = dn_credential_identity(&credential);
        (void)dn_identity_allows(&identity, dunlin_slice_of("urn:dev:1"));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static dn_testworld *world;
    world = world == NULL ? dn_testworld_make() : world;
    if (size == 0) {
        return 0;
    }
    const dunlin_slice bytes = dunlin_slice_make(data + 1, size - 1);
    const unsigned which = data[0] % 12u;
    if (which < 4) {
        as_server(world, which, bytes);
    } else if (which < 9) {
        as_client(world, which - 4, bytes);
    } else if (which < 11) {
        as_peer(world, bytes);
    } else {
        as_credential(bytes);
    }
    return 0;
}
