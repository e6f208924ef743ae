/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Access control: Object 2, and the authorization of every operation by it (Core 1.1.1 chapter 8; appendix
 * E.3). A client with one server account does not need it; a second account cannot be added without. The
 * Object is a table of the application's memory, so that a device without it pays nothing.
 */
#ifndef DUNLIN_CLIENT_ACCESS_H
#define DUNLIN_CLIENT_ACCESS_H

#include <dunlin/client.h>

#define DUNLIN_ACCESS_ENTRIES_MAX 8u /* entries of one instance: servers, and the default */

/* Bits of an entry, /2/x/2. */
enum {
    DUNLIN_ACCESS_READ = 1, /* Read, Observe, Write-Attributes */
    DUNLIN_ACCESS_WRITE = 2,
    DUNLIN_ACCESS_EXECUTE = 4,
    DUNLIN_ACCESS_DELETE = 8,
    DUNLIN_ACCESS_CREATE = 16 /* on an Object, never on an instance */
};

#define DUNLIN_ACCESS_DEFAULT         0u     /* entry id: servers without an entry of their own */
#define DUNLIN_ACCESS_OWNER_BOOTSTRAP 65535u /* owner: only a bootstrap server changes it */

/* An instance of Object 2. `instance` 65535: about the Object itself, whose entries say who may Create. */
typedef struct {
    uint16_t object, instance;
    uint16_t owner;
    DUNLIN_MANY(uint16_t, DUNLIN_ACCESS_ENTRIES_MAX) rights; /* id: Short Server ID, value: a set of bits */
} dunlin_access;

/*
 * Adds Object 2 over `storage`, of whose `capacity` structures the first `used` are instances 0, 1, … Errors
 * as dunlin_client_add_object. Add it before the second server account.
 *
 * With several accounts an instance of which Object 2 says nothing is nobody's: there must be one for each that
 * servers are to reach, those of Objects 1 and 3 included. For what a server creates the library makes one and
 * takes it away again; for what the device itself adds the application does, by dunlin_client_add_instance of
 * Object 2. An instance of Object 2 of which none is can be read by all servers and written by its owner.
 */
dunlin_status dunlin_access_add(dunlin_client *client, dunlin_access *storage, uint16_t capacity,
                                uint16_t used);

/* The bits that `server` has on an instance (Core 1.1.1 section 8.2), or with `instance` 65535 on the Object. */
uint8_t dunlin_access_rights(const dunlin_client *client, uint16_t server, uint16_t object,
                             uint16_t instance);

#endif
