/* SPDX-License-Identifier: Apache-2.0 */
/* The credentials of a device and a server in the simulated setting: made anew, for one way. */
#ifndef DN_ETS_SIM_KEYS_H
#define DN_ETS_SIM_KEYS_H

#include "ets/device.h"
#include "security/issue.h"
#include "security/tls.h"

#define DN_ETS_PSK_LEN 16u

typedef struct {
    uint8_t key[DN_KEY_DER_MAX], certificate[DN_CERTIFICATE_DER_MAX];
    size_t key_len, certificate_len;
} dn_ets_party;

typedef struct {
    uint8_t psk[DN_ETS_PSK_LEN];
    dn_ets_party authority, server, device;
    dunlin_security security; /* of the device's account; views this structure */
    dn_credentials *credentials;
    dn_tls_context *server_context, *device_context;
} dn_ets_keys;

/* `host`: that of the account's URI. Time of day from `wall_s`. False: `error` says why; free it all the same. */
bool dn_ets_keys_make(dn_ets_keys *keys, dn_ets_way way, const char *endpoint, const char *host,
                      int64_t (*wall_s)(void *context), void *context, char *error, size_t error_size);
/* The device's side from now on: with what its client has been given. Status as dn_tls_client_create. */
dunlin_status dn_ets_keys_use(dn_ets_keys *keys, const dunlin_security *security, const char *host,
                              int64_t (*wall_s)(void *context), void *context, char *why, size_t why_size);
void dn_ets_keys_free(dn_ets_keys *keys);

#endif
