/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every datagram between the device and the server, as our side saw it: kept, decoded, and searched by the pass criteria.
 * What a device has registered, and which notifications belong to which observation, is known from here alone, so that it
 * is the same in every setting. It allocates. One thread.
 */
#ifndef DN_ETS_TRACE_H
#define DN_ETS_TRACE_H

#include "base/peer.h"
#include "coap/message.h"
#include "ets/values.h"

#define DN_ETS_PATH_TEXT  256u
#define DN_ETS_QUERY_TEXT 512u

typedef struct {
    uint64_t at_ms;
    bool to_device;
    bool lost;       /* sent by our side, and it did not arrive (a simulated link) */
    bool readable;   /* `is` and the texts are set */
    bool again;      /* a repetition of the same message */
    unsigned server; /* which of the test's servers it is from or for */
    dn_peer device;
    dn_coap_message is;            /* views into `bytes` */
    char path[DN_ETS_PATH_TEXT];   /* "/rd/5a"; of a request */
    char query[DN_ETS_QUERY_TEXT]; /* "ep=a&lt=60" */
    char location[DN_ETS_PATH_TEXT];
    size_t len;
    uint8_t bytes[];
} dn_ets_message;

typedef struct {
    dn_ets_message **list;
    size_t count, capacity;
    void (*added)(void *context, const dn_ets_message *message); /* may be NULL */
    void *context;
} dn_ets_trace;

/* Takes a datagram; with no memory it is not kept. */
void dn_ets_trace_add(dn_ets_trace *trace, uint64_t at_ms, bool to_device, unsigned server,
                      const dn_peer *device, bool lost, dunlin_slice datagram);
void dn_ets_trace_clear(dn_ets_trace *trace);

/* The answer to the request at `request` (its index), or NULL: none yet. An empty acknowledgement is none. */
const dn_ets_message *dn_ets_trace_answer(const dn_ets_trace *trace, size_t request);
/* The first request from `from` on with this direction, method and path ("/rd"; NULL: any), not a repetition, from or for
 * `server`; SIZE_MAX: none. */
size_t dn_ets_trace_request(const dn_ets_trace *trace, size_t from, unsigned server, bool to_device,
                            uint8_t method, const char *path);
/* The parameter `name` of a query "a=1&b" into `out`; false: it is not there. A name without value gives "". */
bool dn_ets_query(const char *query, const char *name, char *out, size_t size);

/* What a device told a server of itself, by the Register and the Updates that were accepted. */
typedef struct {
    bool registered;
    size_t request; /* index of the Register */
    char endpoint[256], location[DN_ETS_PATH_TEXT];
    uint32_t lifetime_s;
    unsigned minor; /* LwM2M 1.x */
    char binding[8];
    bool queue_mode;
    char root[64]; /* "/" or the alternate path */
    dn_peer device;
    dunlin_slice links; /* the list; a view into the trace */
    uint16_t formats[8];
    size_t format_count; /* of the root link's ct */
} dn_ets_registration;
/* The newest one with `server`; with `endpoint` not NULL of that name only. registered: false if it was never accepted, or
 * ended by a De-register since. */
dn_ets_registration dn_ets_trace_registration(const dn_ets_trace *trace, unsigned server,
                                              const char *endpoint);
/* Whether it lists `path` (an Object or an instance), and its lowest instance of an Object (DUNLIN_ID_NONE: none). */
bool dn_ets_registration_lists(const dn_ets_registration *registration, dunlin_path path);
uint16_t dn_ets_registration_instance(const dn_ets_registration *registration, uint16_t object);

/* The notification of the observation on `path` that comes next after `after` (an index; start with the request's), not
 * counting the answer to the Observe itself; SIZE_MAX: none. `composite`: of an Observe-Composite. */
size_t dn_ets_trace_notification(const dn_ets_trace *trace, size_t after, size_t observe);
/* The newest request to observe `path` (composite: the root by FETCH) from `from` on that was answered; SIZE_MAX. */
size_t dn_ets_trace_observe(const dn_ets_trace *trace, size_t from, unsigned server, const char *path,
                            bool composite);

/* A message as text for people: a line of what it is, then one line for each option, then its payload decoded. `base` is
 * the path that its payload is about. Free it. NULL: no memory. */
char *dn_ets_message_text(const dn_ets_message *message, dunlin_path base);
/* The path that the payload of `message` is about: the request's, also for its answer and notifications. */
dunlin_path dn_ets_trace_base(const dn_ets_trace *trace, const dn_ets_message *message);

#endif
