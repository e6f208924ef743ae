/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client on a POSIX system: sockets, sessions, clock and randomness, so that an application is its Objects and little else. Servers are
 * reached over UDP, DTLS, TCP and TLS, with pre-shared keys, raw public keys and X.509 certificates (GnuTLS; Transport 1.1.1 sections 5.2 and 6.8).
 *
 *     dunlin_posix *posix;
 *     dunlin_posix_config own = dunlin_posix_config_default();
 *     dunlin_posix_create(&own, &posix);
 *     dunlin_client_config config = dunlin_client_config_default();
 *     dunlin_posix_fill(posix, &config);            config.call and the limits that security needs
 *     config.endpoint = "thermo-1";
 *     client = dunlin_client_create(arena, sizeof arena, &config, dunlin_posix_now_ms());
 *     …                                             Objects and server accounts, as in dunlin/client.h
 *     dunlin_client_start(client, dunlin_posix_now_ms());
 *     while (!dunlin_client_stopped(client)) {
 *         dunlin_posix_turn(posix, client, 1000);   waits, receives, sends, steps
 *     }
 *
 * Names are looked up with getaddrinfo, which blocks. Threads: one, that of the client.
 */
#ifndef DUNLIN_POSIX_H
#define DUNLIN_POSIX_H

#include <dunlin/client.h>

typedef struct dunlin_posix dunlin_posix;

typedef enum {
    DUNLIN_POSIX_UP,   /* a session or a connection is there: `suite`, `resumed`, `handshake_ms` */
    DUNLIN_POSIX_DOWN, /* it is gone, or did not come about: `status`, `alert`, `why` */
    DUNLIN_POSIX_FAULT /* it cannot be begun: credentials that cannot be used, no address: `status`, `why` */
} dunlin_posix_event_kind;

/* Views are valid during the call. */
typedef struct {
    dunlin_posix_event_kind kind;
    uint16_t server; /* Short Server ID */
    const char *uri;
    const char *suite; /* "TLS_PSK_WITH_AES_128_CCM_8"; "" without security */
    bool resumed;      /* without a full handshake */
    uint64_t handshake_ms;
    dunlin_status status;
    int alert; /* of TLS, -1: none */
    const char *why;
} dunlin_posix_event;

typedef struct {
    const char *local; /* [NULL] "192.0.2.7:0", "[::]:56830": where UDP and DTLS are bound; NULL: any */
    bool cbc; /* [false] offer the CBC suites as well; a client should not (Transport 1.1.1 section 5.2.8) */
    dunlin_slice
        roots; /* [empty] PEM: the roots for certificate usages 0 and 1; empty: the system's. Copied */
    /*
     * [NULL] The file that keeps the client's image, written anew as a whole after each change; a power cut leaves the old one or the new
     * one. A lock beside it (".lock") keeps other processes away. dunlin_posix_restore has to be called before the start.
     */
    const char *state;
    const char *
        smartcard; /* [NULL] a file that stands for the card (Core 1.1.1 appendix G); while it is not there, no card is */
    /* Each may be NULL; they get `context`. */
    void (*ways)(void *context, const dunlin_posix_event *event);
    void (*event)(void *context, const dunlin_client_event *event); /* as in dunlin_client_callbacks */
    void (*log)(void *context, dunlin_log_level level, const char *area, const char *message);
    void *context;
} dunlin_posix_config;

dunlin_posix_config dunlin_posix_config_default(void);
/* ARGUMENT: no such local address, or `state` is no name of a file; STATE: another process uses `state`; IO: errno says why; MEMORY. `log`
   is told of what is wrong with `state`. The strings are copied. */
dunlin_status dunlin_posix_create(const dunlin_posix_config *config, dunlin_posix **posix);
/* Says goodbye on each session. The client must not be used any more. May be NULL. */
void dunlin_posix_destroy(dunlin_posix *posix);

/* Sets `config->call`, and room for credentials (2048 bytes each) and for messages over TCP and TLS, where there is none; at least
   16 KiB for the image, which are taken with `state` or `config->bootstrap`. */
void dunlin_posix_fill(dunlin_posix *posix, dunlin_client_config *config);
/*
 * After the Objects and what comes from the factory were added, before dunlin_client_start: makes the client what it was when `state` was
 * saved last. OK: so it is. NOT_FOUND: nothing was saved yet, or there is no `state`; MALFORMED: the file is damaged, and was renamed to
 * end in ".damaged": the device starts as it is. Anything else: do not start; nothing is saved over what is there. `log` is told.
 */
dunlin_status dunlin_posix_restore(dunlin_posix *posix, dunlin_client *client);

/* Does what has come and what is due, and waits for it at most `most_ms`. `client` is always the one made with the filled configuration. */
void dunlin_posix_turn(dunlin_posix *posix, dunlin_client *client, uint32_t most_ms);

/* The monotonic clock in milliseconds, for the calls of dunlin/client.h. */
uint64_t dunlin_posix_now_ms(void);

#endif
