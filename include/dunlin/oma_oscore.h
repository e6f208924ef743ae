/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OSCORE (Object 21, version 1.0): keys of a security context, which Security (0) refers to. It is data only: nothing is
 * encrypted with it. No server sees it; it is in no list, and every operation on it is answered 4.01 (Core 1.1.1 appendix
 * E.10, Transport 1.1.1 section 5.5).
 */
#ifndef DUNLIN_OMA_OSCORE_H
#define DUNLIN_OMA_OSCORE_H

#include <dunlin/client.h>

#define DUNLIN_OSCORE_SECRET_MAX 64 /* bytes */
#define DUNLIN_OSCORE_ID_MAX     7  /* bytes: the nonce of AES-CCM has no room for more */
#define DUNLIN_OSCORE_SALT_MAX   32

enum {
    DUNLIN_OSCORE_AES_CCM_16_64_128 = 10, /* the default AEAD algorithm */
    DUNLIN_OSCORE_HMAC_256 = 5            /* the default HMAC algorithm, with SHA-256 */
};

/* Bytes, although version 1.0 calls them strings. The ids are the device's: `sender` is its own. */
typedef struct {
    DUNLIN_BYTES(DUNLIN_OSCORE_SECRET_MAX) master_secret;
    DUNLIN_BYTES(DUNLIN_OSCORE_ID_MAX) sender;
    DUNLIN_BYTES(DUNLIN_OSCORE_ID_MAX) recipient;
    int32_t aead;                                     /* [10] COSE algorithms */
    int32_t hmac;                                     /* [5] */
    DUNLIN_BYTES(DUNLIN_OSCORE_SALT_MAX) master_salt; /* [empty] */
} dunlin_oscore;

extern const dunlin_object dunlin_oscore_object;

/* Makes `oscore` one with the values in brackets. */
void dunlin_oscore_init(dunlin_oscore *oscore);
/* Adds Object 21 over `storage` of `capacity` structures of which `used` are instances 0, 1, … Errors as
 * dunlin_client_add_object. */
dunlin_status dunlin_oscore_add(dunlin_client *client, dunlin_oscore *storage, uint16_t capacity,
                                uint16_t used);

#endif
