/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes to a store as bytes: what the journal of the SQLite store keeps, and what the memory store keeps
 * everything as. A sequence of changes is one run of bytes; little endian, lengths before what they measure.
 *
 * The format of what the journal holds (registrations and values) is part of the database's schema: a change
 * of it needs a new schema version.
 */
#ifndef DN_STORE_CHANGE_H
#define DN_STORE_CHANGE_H

#include "server/store.h"

typedef enum {
    DN_CHANGE_REGISTRATION = 1,
    DN_CHANGE_TOUCH = 2,
    DN_CHANGE_DROP_REGISTRATION = 3,
    DN_CHANGE_VALUE = 4,
    DN_CHANGE_DROP_VALUE = 5,
    DN_CHANGE_LINKS = 6,
    DN_CHANGE_DROP_LINKS = 7,
    DN_CHANGE_OBSERVATION = 8,
    DN_CHANGE_DROP_OBSERVATION = 9,
    DN_CHANGE_REQUEST = 10,
    DN_CHANGE_PROGRESS = 11,
    DN_CHANGE_DROP_REQUEST = 12,
    DN_CHANGE_REQUEST_IDS = 13
} dn_change_type;

/* One write. Views in it belong to whoever made it; those of dn_change_next view the bytes it read. */
typedef struct {
    dn_change_type type;
    union {
        dn_store_registration registration;
        struct {
            uint32_t slot;
            int64_t updated_ms;
        } touch;
        dn_store_value value;
        struct {
            uint32_t number;
            dunlin_slice text;
        } links;
        dn_store_observation observation;
        dn_store_request request;
        dn_store_progress progress;
        uint64_t bound;  /* REQUEST_IDS */
        uint32_t number; /* of what is dropped: slot, link list, observation, request */
    } as;
} dn_change;

/* Bytes that grow. Zero-initialise; free with dn_bytes_free. */
typedef struct {
    uint8_t *data;
    size_t len, cap;
} dn_bytes;

void dn_bytes_free(dn_bytes *bytes);

/* Appends a change. False, and `bytes` as before: no memory, or a text longer than its length field can say.
 */
bool dn_change_append(dn_bytes *bytes, const dn_change *change);
/* Takes the first change off `rest`. END: none left; MALFORMED: not what dn_change_append writes. */
dunlin_status dn_change_next(dunlin_slice *rest, dn_change *out);

#endif
