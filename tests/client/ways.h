/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A rig whose client asks for ways: what it asks is written down together with what it tells, second by second, and a
 * script says what becomes of it. A way over datagrams is the simulated link itself; a stream is the same link
 * without loss, with the engine's streams at both ends.
 */
#ifndef TESTS_CLIENT_WAYS_H
#define TESTS_CLIENT_WAYS_H

#include "tests/client/rig.h"
#include <dunlin/client_access.h>

#define WAYS_LOG_MAX 1024
#define WAYS_ACCESS  4

typedef struct {
    rig r;
    dunlin_status answer; /* [OK] of `connect` */
    dunlin_access access[WAYS_ACCESS];
    bool dumb;   /* the server's end of a stream says nothing */
    bool chatty; /* `connect` and `disconnect` tell from within what they have done, which nobody needs */
    unsigned connects, disconnects;
    uint16_t asked_server; /* of the last `connect` */
    char asked_uri[DUNLIN_URI_MAX + 8];
    dunlin_security asked; /* its slices are views of what the client holds */
    bool anew;
    dunlin_status send_status; /* how the last Send ended; END: it has not */
    uint8_t send_code;
    /* "0c 0C 0R 5L 5c": the second, and what: c asked for a way, d gave it back, C connected, L disconnected,
       R registered, U updated, X refused, N unreachable, F failed, D de-registered, B bootstrap, z asleep, a awake,
       S a Send ended well, s not well. With several servers their id stands between: "0:2c". */
    char log[WAYS_LOG_MAX];
    bool several;
} ways;

typedef struct {
    const char *uri; /* [coaps://server] with an "s" it has credentials */
    bool lwm2m_1_0;
    const char *binding;   /* NULL: the default */
    const char *preferred; /* NULL: none */
    bool no_store;         /* Notification Storing is off */
    bool no_connect;       /* the surroundings have no `connect` */
    bool no_bootstrap;     /* /1/x/16 is false */
    uint32_t retries;      /* [3] 10 s apart, then 20 s … */
    int32_t priority;      /* 0: none */
    bool blocks;           /* /1/x/15 */
} ways_account;

/* Makes the client with `count` accounts of ssid 1, 2, … and starts it not. */
void ways_open(ways *w, const ways_account *accounts, size_t count);
/* The same client anew by w->r.config. */
void ways_remake(ways *w, const ways_account *accounts, size_t count);
void ways_close(ways *w);
/*
 * Carries out a script "0 start; 1 up; 5 cut 49; 9 stop": at which second, what, and to which server ("cut@2 49"; [1]).
 *   start, stop, restart, update        the calls of that name
 *   up                                  dunlin_client_connected
 *   move                                the server has another address from now on
 *   cut [alert], end [alert]            dunlin_client_disconnected, with IO, with END
 *   ok, later, none                     what `connect` answers from now on: OK, END, IO
 *   mute, hear                          whether the server hears anything
 *   refuse, accept, forget, know, keep  what it answers to Register, to Update, and to De-register: nothing
 *   send, value                         the device sends 3303/0/5700; it changes
 *   disable, trigger, trigger-t, observe   the server does that
 *   run                                 nothing
 */
void ways_play(ways *w, const char *script);

#endif
