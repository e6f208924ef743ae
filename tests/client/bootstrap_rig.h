/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client with the account of a bootstrap server, two server accounts and access control, of which operations of a
 * bootstrap are asked without any network: by method, path and payload.
 *
 *   /0/1          the bootstrap server's: coaps://bs, PSK
 *   /0/0, /1/0    server 101: coaps://one, PSK
 *   /0/2, /1/1    server 102: coap://two, NoSec
 *   /2/0, /2/1    each server owns its instance of Object 1
 *   /2/2          /3/0 is of the bootstrap, both may do all
 *   /2/3          33000/0 is owned by 101, 102 may read it
 */
#ifndef TESTS_CLIENT_BOOTSTRAP_RIG_H
#define TESTS_CLIENT_BOOTSTRAP_RIG_H

#include "tests/client/rig.h"
#include <dunlin/client_access.h>
#include <dunlin/oma_oscore.h>

#define BOOTSTRAP_ACCESS 8
#define BOOTSTRAP_OSCORE 2

typedef struct {
    rig r;
    dunlin_access access[BOOTSTRAP_ACCESS];
    dunlin_oscore oscore[BOOTSTRAP_OSCORE];
    uint8_t body[8192];
    uint8_t answer[8193]; /* payload of the last answer, with a NUL behind it */
    size_t answer_len;
    uint16_t answer_format;
} bootstrap_rig;

/* What a request says; zero and NULL is: nothing. */
typedef struct {
    uint8_t method;
    const char *path; /* "/0/1", "/" */
    const char *query;
    int format, accept; /* with a number above 0: +1, so that text (0) can be said: BOOTSTRAP_FORMAT */
    const void *payload;
    size_t len; /* 0: that of the text */
} bootstrap_request;

#define BOOTSTRAP_FORMAT(number) ((number) + 1)

/* With all of the above, or with the bootstrap server's account alone. */
bootstrap_rig *bootstrap_rig_open(dunlin_lwm2m lwm2m, bool accounts);
void bootstrap_rig_close(bootstrap_rig *b);
/* "2.04", "4.00". */
const char *bootstrap_rig_ask(bootstrap_rig *b, const bootstrap_request *request);
/* The same with less to write: SenML JSON. */
const char *bootstrap_rig_put(bootstrap_rig *b, const char *path, const char *json);
const char *bootstrap_rig_delete(bootstrap_rig *b, const char *path);
/* Everything that there is, as text: "/0/0/0=coaps://one;/0/0/1=0;…" of `base` and below; secrets too. */
const char *bootstrap_rig_dump(bootstrap_rig *b, const char *base);

#endif
