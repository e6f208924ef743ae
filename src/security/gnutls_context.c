/* SPDX-License-Identifier: Apache-2.0 */
/* What contexts of servers and clients have in common: priorities, defaults, counting of owners. */
#include "security/gnutls_inside.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PRIORITY_MAX 512u

/* By dn_tls_suites: ciphers in the order of preference, with what signs and which groups. */
static const char *const suite_strings[] = {
    [DN_TLS_SUITES_MANDATED] =
        "+AES-128-CCM-8:+AES-128-CBC:+AEAD:+SHA256:+SIGN-ECDSA-SHA256:+GROUP-SECP256R1",
    [DN_TLS_SUITES_CCM8] = "+AES-128-CCM-8:+AEAD:+SIGN-ECDSA-SHA256:+GROUP-SECP256R1",
    [DN_TLS_SUITES_CBC] = "+AES-128-CBC:+SHA256:+SIGN-ECDSA-SHA256:+GROUP-SECP256R1",
    /* No CBC with SHA-384: its records are longer than DN_TLS_RECORD_EXTRA says. */
    [DN_TLS_SUITES_MORE] =
        "+AES-128-CCM-8:+AES-128-GCM:+AES-256-CCM-8:+AES-256-GCM:+AES-128-CCM:+AES-256-CCM:"
        "+AES-128-CBC:+AEAD:+SHA256:"
        "+SIGN-ECDSA-SHA256:+SIGN-ECDSA-SHA384:+GROUP-SECP256R1:+GROUP-SECP384R1",
};

void dn_tls_error(char *error, size_t size, const char *format, ...)
{
    if (error == NULL || size == 0) {
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(error, size, format, arguments);
    va_end(arguments);
}

dn_tls_server_config dn_tls_server_config_default(void)
{
    return (dn_tls_server_config){.suites = DN_TLS_SUITES_MANDATED,
                                  .resumption = true,
                                  .resumable = 10000,
                                  .ticket_lifetime_s = 86400,
                                  .mtu = 1280,
                                  .retransmit_ms = 1000,
                                  .handshake_ms = 60000};
}

dn_tls_client_config dn_tls_client_config_default(void)
{
    return (dn_tls_client_config){.mode = DN_SECURITY_PSK,
                                  .usage = 3,
                                  .suites = DN_TLS_SUITES_MANDATED,
                                  .mtu = 1280,
                                  .retransmit_ms = 1000,
                                  .handshake_ms = 60000};
}

dn_tls_context *dn_tls_context_create(bool is_server, dn_tls_suites suites, const char *kinds)
{
    if ((unsigned)suites >= sizeof suite_strings / sizeof suite_strings[0]) {
        return NULL;
    }
    dn_tls_context *context = calloc(1, sizeof *context);
    if (context == NULL) {
        return NULL;
    }
    atomic_init(&context->owners, 1);
    context->is_server = is_server;
    context->suites = suites;
    char priority[PRIORITY_MAX];
    (void)snprintf(priority, sizeof priority, "NONE:+VERS-DTLS1.2:+VERS-TLS1.2:+COMP-NULL:%s:%s%s",
                   suite_strings[suites], kinds, is_server ? ":%SERVER_PRECEDENCE" : "");
    if (gnutls_priority_init(&context->priority, priority, NULL) < 0) {
        free(context);
        return NULL;
    }
    return context;
}

dn_tls_context *dn_tls_context_keep(dn_tls_context *context)
{
    (void)atomic_fetch_add_explicit(&context->owners, 1, memory_order_relaxed);
    return context;
}

void dn_tls_context_give_up(dn_tls_context *context)
{
    if (context == NULL || atomic_fetch_sub_explicit(&context->owners, 1, memory_order_acq_rel) != 1) {
        return;
    }
    if (context->certificates != NULL) {
        gnutls_certificate_free_credentials(context->certificates);
    }
    if (context->psk_server != NULL) {
        gnutls_psk_free_server_credentials(context->psk_server);
    }
    if (context->psk_client != NULL) {
        gnutls_psk_free_client_credentials(context->psk_client);
    }
    for (size_t i = 0; i < context->pair_count; i++) {
        dn_keys_free(&context->pairs[i]);
    }
    dn_trust_free(context->trust);
    dn_resume_free(context->resume);
    gnutls_priority_deinit(context->priority);
    free(context->expect.expected);
    free(context);
}

void dn_tls_context_drop_tickets(dn_tls_context *context)
{
    if (context->resume != NULL) {
        dn_resume_drop(context->resume);
    }
}

int64_t dn_tls_context_wall(const dn_tls_context *context)
{
    return context->wall_s != NULL ? context->wall_s(context->wall_context) : -1;
}
