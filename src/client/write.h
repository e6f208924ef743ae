/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Putting a payload into an instance, all or nothing (Core 1.1.1 sections 6.3.3 and 6.3.6). The payload is
 * decoded twice: the first pass checks everything and changes nothing, the second one applies. Only a `set`
 * of the application can still fail then, and its Object's old values are logged to be put back.
 */
#ifndef DN_CLIENT_WRITE_H
#define DN_CLIENT_WRITE_H

#include "client/state.h"
#include "codec/format.h"

typedef enum {
    DN_WRITE_REPLACE, /* what is not in the payload goes, if it is optional and writable */
    DN_WRITE_UPDATE,  /* what is not in the payload stays */
    DN_WRITE_CREATE   /* as REPLACE; what servers may not write is ignored instead of refused */
} dn_write_mode;

typedef struct {
    dn_place target; /* an instance, a resource or a resource instance */
    dn_write_mode mode;
    uint16_t format;  /* DN_FORMAT_NONE: there is no payload */
    dunlin_path base; /* the request's path, to which the payload is relative */
    dunlin_slice payload;
    dunlin_buf scratch; /* at least as large as the payload */

    /* the write's own */
    uint32_t seen[DUNLIN_RESOURCES_MAX / 32];
    uint16_t added[DUNLIN_RESOURCES_MAX]; /* elements that a list would gain */
    size_t elements;                      /* that were named; which ones is noted in client->work */
    bool undoable;
    bool has_stream, streams; /* a STREAM has a value; it is being applied, after all that can be undone */
} dn_write;

/* CHANGED, or the code of what is wrong; observers have been marked. */
uint8_t dn_client_write_payload(dn_write *write);

/* One value for a single resource, values of instances for a multiple one, which may also be emptied as a
 * whole. */
bool dn_client_write_shape_fits(const dunlin_resource *resource, const dn_record *record);
/* Stores a value that was checked, converted to the resource's type. 0, or the code of what was refused. */
uint8_t dn_client_write_store(const dn_place *place, dunlin_value *value);
/* Whether something of the Object can refuse a value that was checked, so that old values have to be kept. */
bool dn_client_write_may_fail(const dunlin_object *def);

#endif
