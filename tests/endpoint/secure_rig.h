/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A dn_secure and many clients with real sessions, joined by a network in memory: virtual time, losses by a seed, and a log of what
 * the server was told. For DTLS, or for TLS over streams that are cut anywhere.
 */
#ifndef TESTS_ENDPOINT_SECURE_RIG_H
#define TESTS_ENDPOINT_SECURE_RIG_H

#include "endpoint/secure.h"
#include "tests/endpoint/keeper.h"

#define RIG_NOTES_MAX 4096u
#define RIG_START_MS  1000u

typedef enum { RIG_OPENED, RIG_CLOSED, RIG_INPUT } rig_kind;

typedef struct {
    rig_kind kind;
    dn_peer peer;
    dunlin_status status;
    bool resumed;
    char endpoint[32];
    size_t len;
    uint8_t bytes[64];
} rig_note;

typedef struct rig rig;

typedef struct rig_client {
    rig *rig;
    dn_peer peer;
    dn_tls_context *context;
    dn_tls_session *tls;
    bool deaf; /* nothing reaches it */
    bool gone; /* its peer's datagrams are somebody else's now */
    uint8_t got[4096];
    size_t got_len;
    size_t flights;      /* outputs */
    uint8_t first[2048]; /* its first output */
    size_t first_len;
    struct rig_client *next;
} rig_client;

typedef struct rig_packet {
    struct rig_packet *next;
    uint64_t at_ms;
    bool to_server;
    dn_peer peer;
    size_t len;
    uint8_t bytes[];
} rig_packet;

struct rig {
    keeper keeper;
    dn_tls_context *context;
    dn_secure *secure;
    dn_secure_config config;
    uint64_t now_ms;
    dn_seeded seed;
    unsigned loss_percent;
    uint32_t delay_ms;
    bool split;                       /* datagrams: one for each record, as some libraries send them */
    size_t cut;                       /* streams: bytes that arrive together */
    bool echo;                        /* the server sends back what it gets */
    bool end_in_input, end_in_opened; /* the callbacks end the session that calls */
    size_t server_outputs, drop_server_output_at; /* the n-th output, from 1, is lost */
    rig_packet *first, *last;
    rig_client *clients;
    dn_log log;
    char logged[256]; /* the last message of INFO or more */
    rig_note notes[RIG_NOTES_MAX];
    size_t note_count;
};

/* With 200 devices "d0" to "d199", whose identities and keys follow from their names. `change`, may be NULL, alters the configuration. */
rig *rig_create(dn_transport transport, void (*change)(dn_secure_config *config));
void rig_destroy(rig *r);
/* The server's context anew, with or without the material for raw public keys. */
dn_tls_context *rig_server_context(rig *r);
/* The device's credential has changed for the server: another generation of it, with the same key. */
void rig_change(rig *r, unsigned device);

dn_peer rig_peer(dn_transport transport, unsigned host, unsigned port);
/* A client of the device's credentials; one that had the peer before is gone. NULL `identity` and `key`: the device's right ones. */
rig_client *rig_dial(rig *r, unsigned device, const dn_peer *peer, const char *identity, const char *key,
                     dunlin_slice resume);
/* The next event, if it is not after `until_ms`. False: there is none. */
bool rig_step(rig *r, uint64_t until_ms);
void rig_run(rig *r, uint64_t ms);
/* A datagram from that peer, now. */
void rig_inject(rig *r, const dn_peer *peer, dunlin_slice bytes);
void rig_say(rig_client *client, const char *text);
bool rig_is_open(const rig_client *client);
/* How many notes of a kind of that peer (NULL: any) there are. */
size_t rig_count(const rig *r, rig_kind kind, const dn_peer *peer);
const rig_note *rig_last(const rig *r, rig_kind kind);

#endif
