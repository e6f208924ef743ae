/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bootstrap configuration: what a bootstrap server makes of a device. It is for one endpoint name, or for all that match a pattern ('*', '?'); of
 * several the exact one counts, else the pattern with the most bytes that are no wildcards, else the one that comes first in
 * order of bytes. Written and shown as a JSON document (docs/reference/rest.md); between servers and stores it travels as that text.
 *
 * A parsed one owns its strings and bytes. Secrets are wiped when it is freed, and are never shown.
 */
#ifndef DN_BOOTSTRAP_CONFIG_H
#define DN_BOOTSTRAP_CONFIG_H

#include "codec/format.h"
#include "security/identity.h"

#include <dunlin/value.h>

#define DN_BS_SERVERS_MAX  8u  /* accounts of one device */
#define DN_BS_ACCESS_MAX   64u /* instances of Object 2 */
#define DN_BS_WRITES_MAX   64u /* further paths written */
#define DN_BS_DELETES_MAX  16u
#define DN_BS_DOCUMENT_MAX 65536u /* bytes of a document */
#define DN_BS_ENTRIES_MAX  16u    /* of an access control instance */

/* Bytes that the configuration owns; data NULL: not given. */
typedef struct {
    uint8_t *data;
    size_t len;
} dn_bs_bytes;

/* What the device is to use with a server: resources 2 to 5, 13 to 15 of Object 0. */
typedef struct {
    uint8_t mode; /* dn_security_mode */
    bool
        is_minted; /* PSK: identity and key are made for each device, and given to this server's credentials too */
    dn_bs_bytes identity;   /* PSK identity, the device's public key (SPKI) or certificate (DER) */
    dn_bs_bytes secret;     /* PSK, or the device's private key (PKCS#8, DER) */
    dn_bs_bytes server_key; /* the server's public key or a certificate (DER); not given: this server's own */
    int16_t matching, usage; /* -1: not told */
    char *sni;               /* NULL: none */
} dn_bs_security;

/* A server account, Objects 0 and 1. What is -1 or NULL is not told to the device. */
typedef struct {
    uint16_t ssid;
    char *uri; /* NULL: this server, by the transport that goes with `security.mode` */
    int32_t security_instance, server_instance; /* -1: the smallest that are free */
    dn_bs_security security;
    int32_t lifetime_s; /* 86400 */
    int64_t pmin_s, pmax_s, disable_s;
    bool store_notifications;
    char binding[8];           /* "U" or "T", that of the URI, if not given */
    int8_t mute_send, trigger; /* -1, 0, 1 */
    char preferred_transport[2];
    int64_t priority, initial_delay_s, retry_count, retry_timer_s, sequence_delay_s, sequence_count;
    int8_t failure_blocks, failure_bootstraps;
} dn_bs_server;

/* A new account for the bootstrap server itself, in place of the one that the device has used. */
typedef struct {
    char *uri; /* NULL: the device keeps the one it has; nothing of this is written */
    int32_t instance;
    dn_bs_security security;
    int64_t hold_off_s, timeout_s; /* -1: not told */
} dn_bs_account;

typedef struct {
    uint16_t object, instance, owner;
    size_t count;
    struct {
        uint16_t ssid, rights;
    } entry[DN_BS_ENTRIES_MAX];
} dn_bs_access;

/* A value written at a resource or resource instance. Bytes are owned. */
typedef struct {
    dunlin_path path;
    dunlin_value value;
} dn_bs_write;

typedef struct {
    dn_bs_server servers[DN_BS_SERVERS_MAX];
    size_t server_count;
    dn_bs_account account;
    dunlin_path deletes[DN_BS_DELETES_MAX]; /* first of all: "/0" and "/1", and with access "/2", unless told
                                               otherwise */
    size_t delete_count;
    dn_bs_access *access; /* written as instances 0, 1, … of Object 2 */
    size_t access_count;
    dn_bs_write *writes; /* ascending paths */
    size_t write_count;
    bool writes_objects;  /* whole Objects in one Write, instead of instance by instance */
    bool is_verified;     /* true: Discover (and Read of 1 and 2 as 1.1 allows) before Finish, and compare */
    bool allows_insecure; /* the device may be served without (D)TLS */
    uint16_t format;      /* 0: what the device prefers; 110, 112, 11542 */
} dn_bs_config;

/*
 * Reads a document. False: `error` names the member and what is wrong with it, as "servers[0].security.key: not hexadecimal"; never a secret. Everything
 * is checked that can be: a configuration that was taken does not lead a device into an inconsistent account (checklist of Finish).
 */
bool dn_bs_config_parse(dunlin_slice document, dn_bs_config **out, char *error, size_t error_size);
void dn_bs_config_free(dn_bs_config *config);
/*
 * Values of "write" are of the type that their JSON shows: a string, a whole number, a number with a point, true and false; others are told
 * with their type: {"hex": "00ff"}, {"objlnk": "3:0"}, {"time": 1790000000}, {"unsigned": 5}, {"float": 5}. Numbers become what the model says
 * here, since TLV tells a 5 from a 5.0. False: `error` names the first that is not what its resource holds.
 */
bool dn_bs_config_fit(dn_bs_config *config, const dn_types *types, char *error, size_t error_size);
/*
 * The document as it may be shown: as it was given, with "key": "…" left out and "key_bits" in its place, and private keys likewise. The caller
 * frees *out with free. MEMORY; MALFORMED: not a document that dn_bs_config_parse has taken.
 */
dunlin_status dn_bs_config_show(dunlin_slice document, char **out);
/* The secrets of `former` for those places of `document` that leave them out (an account of the same "ssid" and mode without its key, as a shown document has
   them), so that what was shown can be edited and put back. `former` may be empty. As above. */
dunlin_status dn_bs_config_merge(dunlin_slice document, dunlin_slice former, char **out);

#endif
