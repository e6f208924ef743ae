/* SPDX-License-Identifier: Apache-2.0 */
/* Many peers' sessions. */
#include "endpoint/secure.h"

dn_secure_config dn_secure_config_default(dn_transport transport)
{
    return (dn_secure_config){.transport = transport,
                              .max_sessions = 100000,
                              .max_handshakes = 1000,
                              .max_handshakes_per_host = 64,
                              .handshake_grace_ms = 2000};
}

const dn_secure_counters *dn_secure_count(const dn_secure *secure)
{
    return (const dn_secure_counters *)secure;
}
