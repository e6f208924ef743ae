/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads of one path from many devices, so many in flight at a time, as lines of JSON (NDJSON) in the order in which the devices answer. HTTP
 * pulls the lines: one who reads slowly slows the reads, and what is kept is bounded by the number in flight.
 *
 * Threads: the HTTP thread of the connection asks the fleet and writes the lines; the fleet's completions only keep the answer and wake it, once
 * for all that have come by then.
 */
#ifndef DN_API_BULK_H
#define DN_API_BULK_H

#include "api/text.h"
#include "server/fleet.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

typedef struct dn_api dn_api;
typedef struct dn_bulk dn_bulk;
struct MHD_Connection;

/* What is asked of whom. `names` holds the endpoints one after the other; name i is names[starts[i]..starts[i + 1]). Both are taken over. */
typedef struct {
    dunlin_path path;
    uint16_t format; /* DN_FORMAT_NONE: what each device announced */
    uint32_t timeout_ms;
    uint32_t in_flight;
    dn_text names;
    uint32_t *starts; /* count + 1 */
    uint32_t count;
} dn_bulk_ask;

/* All that are open, so that they can be ended. */
typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    dn_bulk *first;
    atomic_uint count;
    uint64_t opened;
    bool closed;
} dn_bulks;

void dn_bulks_init(dn_bulks *bulks);
void dn_bulks_destroy(dn_bulks *bulks);
/* Wakes those that have answers: once a cycle of the shard, after its completions. */
void dn_bulks_wake(dn_bulks *bulks);
/* Ends those whose callers hung up while nothing was there to be sent; lets those that found no room try again. */
void dn_bulks_sweep(dn_bulks *bulks);
/* No device is asked any more; the streams break off, so that nobody takes them for whole. */
void dn_bulks_end(dn_bulks *bulks);
/* Cancels what is under way and waits until no connection of ours is suspended. After dn_bulks_end. */
void dn_bulks_close(dn_bulks *bulks);

/* Takes over what `ask` holds in any case. NOT_FOUND is never given. LIMIT: as many are open as may be, or the server stops; MEMORY. */
dunlin_status dn_bulk_open(dn_api *api, struct MHD_Connection *connection, int socket, dn_bulk_ask *ask,
                           dn_bulk **bulk);
void dn_bulk_ask_free(dn_bulk_ask *ask);
/* As MHD_ContentReaderCallback: fills `out`; 0: nothing now, the connection was suspended; negative: the end. */
ssize_t dn_bulk_read(void *bulk, uint64_t position, char *out, size_t size);
/* As MHD_ContentReaderFreeCallback: cancels what is under way. */
void dn_bulk_shut(void *bulk);

#endif
