/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client with two server accounts and Object 2: the rig's server is number 1, and here is number 2. Both may read and write
 * what is not about the other one's account; who may do what else is up to the test.
 */
#ifndef TESTS_CLIENT_SECOND_H
#define TESTS_CLIENT_SECOND_H

#include "tests/client/rig.h"
#include <dunlin/client_access.h>

#define SECOND_ACCESS_MAX 12

typedef struct {
    rig *r;
    dn_coap *coap;
    dn_peer address;
    dn_seeded seed;
    _Alignas(16) uint8_t arena[2 * RIG_ARENA_MAX];
    dunlin_access access[SECOND_ACCESS_MAX];
    unsigned registers, updates, sends, notified;
    char told[RIG_TEXT_MAX]; /* payload of the last notification */
} second;

/* Opens the rig with `access` as the first instances of Object 2, both accounts, and runs until both are registered. */
void second_open(second *s, rig *r, const dunlin_access *access, uint16_t count);
void second_close(second *s);
/* A request of server 1 or 2. */
const rig_answer *second_ask(second *s, unsigned server, const rig_request *request);
const rig_answer *second_get(second *s, unsigned server, const char *path, int accept);
const rig_answer *second_send(second *s, unsigned server, uint8_t method, const char *path, int format,
                              const char *payload);

#endif
