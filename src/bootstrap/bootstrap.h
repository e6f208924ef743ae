/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bootstrap server as others see it: a thread with ports of its own around the engine. Its sessions are its own, and so are the credentials
 * of devices towards it.
 *
 * Threads: every function may be called from any thread but the completions'. `event` and completions run on the bootstrap server's thread and must only
 * copy and wake someone.
 */
#ifndef DN_BOOTSTRAP_BOOTSTRAP_H
#define DN_BOOTSTRAP_BOOTSTRAP_H

#include "bootstrap/engine.h"
#include "endpoint/ports.h"

typedef struct dn_bootstrap dn_bootstrap;

typedef struct {
    dn_bs_engine_config
        engine; /* without the functions that ports give: send, identity, reaches, is_loopback, end_peer, peer_text */
    dn_ports_addresses listen[4]; /* by dn_transport */
    dn_tls_context *tls;          /* counted; NULL: neither DTLS nor TLS */
    dn_credentials
        *own_credentials; /* of devices towards the bootstrap server; `changed` is set. NULL: none */
    bool
        is_nosec_open; /* false: plain CoAP and TCP from this host only. Either way the endpoint's configuration must allow it, too */
    dn_tcp_config tcp;
    dn_secure_config dtls, tls_streams;
} dn_bootstrap_config;

dn_bootstrap_config dn_bootstrap_config_default(void);
/* ARGUMENT, IO (the text names the address), MEMORY. */
dunlin_status dn_bootstrap_start(const dn_bootstrap_config *config, dn_bootstrap **out, char *error,
                                 size_t error_size);
/* Lets runs under way end for at most `grace_ms`. */
void dn_bootstrap_stop(dn_bootstrap *bootstrap, uint32_t grace_ms);
const char *dn_bootstrap_address_of(const dn_bootstrap *bootstrap, dn_transport transport, size_t index);
void dn_bootstrap_use_tls(dn_bootstrap *bootstrap, dn_tls_context *tls);
/* Copies `own`. */
void dn_bootstrap_use_own(dn_bootstrap *bootstrap, const dn_bs_own *own);
bool dn_bootstrap_healthy(const dn_bootstrap *bootstrap, const char **detail);

/* dn_bs_runs on its thread. LIMIT: too many wait; STATE: it is stopping; then `done` does not run. `end` runs last. */
dunlin_status dn_bootstrap_runs(dn_bootstrap *bootstrap, dunlin_slice endpoint, uint64_t before,
                                uint32_t limit, bool (*done)(void *context, const dn_bs_run_view *run),
                                void (*end)(void *context), void *context);

/* dn_bs_rerun on its thread; errors as above. `started` runs there. */
dunlin_status dn_bootstrap_rerun(dn_bootstrap *bootstrap, dunlin_slice endpoint,
                                 void (*started)(void *context, const dn_bs_start *start), void *context);

typedef struct {
    dn_bs_counters engine;
    dn_ports_counters ports;
} dn_bootstrap_counters;
void dn_bootstrap_count(const dn_bootstrap *bootstrap, dn_bootstrap_counters *out);

#endif
