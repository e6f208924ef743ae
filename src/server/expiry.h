/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When registrations end: a wheel of one-second buckets over the records of a slab. It costs 12 bytes a
 * record, against 24 of dn_deadline, and a refresh only writes the new second: a record that comes up too
 * early is put back then.
 *
 * Seconds are of the shard's monotonic clock. Threads: one wheel belongs to one thread.
 */
#ifndef DN_SERVER_EXPIRY_H
#define DN_SERVER_EXPIRY_H

#include "server/slab.h"

#define DN_EXPIRY_BUCKETS 65536u
#define DN_EXPIRY_NEVER   UINT32_MAX

/* Every record of the slab begins with it. */
typedef struct {
    uint32_t next; /* the slab's while free */
    uint32_t prev; /* 0: not in a bucket; else a number + 1, or the bucket it is the head of, with the top bit
                      set */
    uint32_t due_s; /* DN_EXPIRY_NEVER: none */
} dn_expiry_link;

typedef struct {
    dn_slab *slab;
    uint32_t cursor_s; /* buckets of earlier seconds are empty */
    uint32_t *heads;   /* number + 1, 0: empty */
    uint64_t occupied[DN_EXPIRY_BUCKETS / 64];
    uint64_t groups[DN_EXPIRY_BUCKETS / 4096]; /* which words of `occupied` are not 0 */
} dn_expiry;

/* False: no memory. `slab` must outlive the wheel. */
bool dn_expiry_init(dn_expiry *expiry, dn_slab *slab, uint32_t now_s);
void dn_expiry_free(dn_expiry *expiry);
/* Sets when `number` is due; DN_EXPIRY_NEVER takes it out. */
void dn_expiry_set(dn_expiry *expiry, uint32_t number, uint32_t due_s);
/*
 * Takes out a record that is due at `now_s`: its number, or DN_SLAB_NONE when none is left or `*budget`
 * records were looked at (it counts down); then dn_expiry_next tells which.
 */
uint32_t dn_expiry_take(dn_expiry *expiry, uint32_t now_s, uint32_t *budget);
/* The second at which dn_expiry_take is to be called next, never too late; DN_EXPIRY_NEVER: no record waits.
 */
uint32_t dn_expiry_next(const dn_expiry *expiry);

#endif
