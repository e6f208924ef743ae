/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The credentials of an instance of Object 0: resources 2 to 5 and 13 to 15 of Object 0 (Transport 1.1.1 section 5.2.8). They lie in
 * config.credential_max bytes for each of three, and the name for SNI behind them; without credential_max there
 * is no room for any. What of 13 and 15 is there the Object's table of presence says.
 */
#ifndef DN_CLIENT_SECURITY_H
#define DN_CLIENT_SECURITY_H

#include "base/peer.h"
#include "client/state.h"

enum { DN_CREDENTIAL_IDENTITY, DN_CREDENTIAL_SERVER_KEY, DN_CREDENTIAL_SECRET, DN_CREDENTIALS };

/* Bytes of the arena that the credentials of one instance take. */
size_t dn_client_security_size(const dunlin_client_config *config);

/*
 * Whether `security` is complete and of one piece. UNSUPPORTED: EST without config.enroll; RANGE: no such mode, matching type or usage, a PSK
 * identity above 128 bytes or a key above 64; LIMIT: more than config.credential_max; ARGUMENT: what the mode needs is
 * missing, or there is what it has no use for (a key with NoSec is more likely a mode that was forgotten).
 */
dunlin_status dn_client_security_check(const dunlin_client_config *config, const dunlin_security *security);
/* Whether it goes with a URI of that transport: ARGUMENT if not (Object 0 resource 0). */
dunlin_status dn_client_security_fits(const dunlin_security *security, dn_transport transport);

/* Keeps a checked one, its bytes too; the instance in Object 0 is there already. */
void dn_client_security_keep(const dunlin_client *client, dn_security_instance *instance,
                             const dunlin_security *security);
/* What is kept, with views of it. */
void dn_client_security_view(const dunlin_client *client, const dn_security_instance *instance,
                             dunlin_security *security);
/* Tells a server at one place with some credentials from the same one at another place, or with others. */
uint64_t dn_client_security_identity(const dunlin_client *client, const dn_security_instance *instance);
/* Nothing stays of its bytes; the instance is about to go, or to begin. */
void dn_client_security_wipe(const dunlin_client *client, const dn_security_instance *instance);

/* One of DN_CREDENTIAL_…, and setting it: LIMIT, as the header of the configuration says. */
dunlin_slice dn_client_security_credential(const dunlin_client *client, const dn_security_instance *instance,
                                           unsigned which);
dunlin_status dn_client_security_set_credential(const dunlin_client *client, dn_security_instance *instance,
                                                unsigned which, dunlin_slice bytes);
/* "" if there is none; RANGE: longer than DUNLIN_SNI_MAX; LIMIT: no credential_max. */
const char *dn_client_security_sni(const dunlin_client *client, const dn_security_instance *instance);
dunlin_status dn_client_security_set_sni(const dunlin_client *client, const dn_security_instance *instance,
                                         dunlin_slice name);

#endif
