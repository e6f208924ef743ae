/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing a configuration: the payload of a Bootstrap-Write, of factory data, of an Object on a smartcard (Core 1.1.1 section
 * 6.1.7.4). Nobody's rights count, nor which operations a resource has. What the payload does not name stays; a resource that
 * it names is as the payload has it, a multiple one as a whole. Instances are made by need, and then have no optional
 * resources but those that were given, and no mandatory ones that nobody has given a value: bootstrap_check.c finds these.
 * Links to other instances may come before what they lead to.
 */
#ifndef DN_CLIENT_BOOTSTRAP_WRITE_H
#define DN_CLIENT_BOOTSTRAP_WRITE_H

#include "client/state.h"

#define DN_BOOTSTRAP_ADDED_MAX   32u  /* instances that one payload can add */
#define DN_BOOTSTRAP_RECORDS_MAX 512u /* values that it can hold */

typedef struct {
    dunlin_client *client;
    dunlin_path base; /* the root: names say where; an Object, an instance or a resource that there is */
    uint16_t format;
    dunlin_slice payload;
    dunlin_buf scratch; /* for strings of JSON and opaques of Base64 */
    bool factory; /* what only the device can tell (its model) is left as it is, instead of being refused */

    /* the write's own, and what has been added once it is done */
    size_t added_count;
    dunlin_objlnk added[DN_BOOTSTRAP_ADDED_MAX];
    size_t records, at, seen, in_list; /* in the search for what comes twice */
    dunlin_path path;                  /* in that, and of the last record applied */
    int bootstraps;                    /* accounts of bootstrap servers that there would be */
    bool tells_bootstrap;
    bool fallible; /* of which Objects the round is */
} dn_bootstrap_write;

/*
 * All or nothing. Bad input: the payload, a value, a second bootstrap server's account; NOT_FOUND: an Object that is not there;
 * STATE: something that cannot be written at all; LIMIT: no room for an instance or an element; SPACE: a value too long for `scratch`;
 * others: what a `set` has refused with.
 */
dunlin_status dn_client_bootstrap_put(dn_bootstrap_write *write);

/* The code of an answer for what it gave. */
uint8_t dn_client_bootstrap_code(dunlin_status status);

#endif
