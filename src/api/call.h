/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One HTTP request on its way through the API. A handler runs on an HTTP thread with the whole body at hand. It answers with dn_call_reply or
 * dn_call_problem, or, when it needs the fleet, says dn_call_wait and hands the work on; the fleet's completion (on another thread)
 * fills call->answer and says dn_call_wake, after which `next` runs on the HTTP thread again. Nothing blocks in between.
 */
#ifndef DN_API_CALL_H
#define DN_API_CALL_H

#include "api/answer.h"
#include "api/problem.h"
#include "api/profile.h"
#include "api/request_json.h"
#include "api/route.h"
#include "api/service.h"

#include <microhttpd.h>

#define DN_CALL_HEADERS 3u

struct dn_call {
    dn_api *api;
    struct MHD_Connection *connection;
    const char *host; /* the Host header, or NULL */
    char *target;     /* the request's URI as it came, cut and decoded in place */
    char *query_text;
    dn_route_result found;
    unsigned methods; /* that the URL has */
    const dn_route *route;
    dunlin_slice endpoint;
    dunlin_slice name; /* the {id} of the route */
    dn_query query;
    dn_text body;
    size_t discarded; /* bytes of a body that is too large */
    bool (*take)(dn_call *call, const char *data,
                 size_t size); /* a streamed body's next bytes; NULL: gathered in `body` */
    uint64_t started_ms;
    uint64_t started_us;
    void (*next)(dn_call *call);

    /* While it waits: guarded by the service's flights. */
    dn_call *older, *newer;
    uint64_t number; /* of the fleet's request, 0: cannot be cancelled */

    dn_answer answer;
    dn_device_request asked;      /* the last request to the device */
    dn_text asked_bytes;          /* what it views */
    void (*after)(dn_call *call); /* runs with its answer */

    /* The durable queue (queueing.h). */
    dn_queued_copy *queued;
    uint64_t queued_id;
    uint64_t until_ms;
    void (*awaited)(dn_call *call);
    uint32_t wait_ms, expires_s;
    bool wait_given;

    dn_profile *profile;
    void (*with_profile)(dn_call *call);
    uint64_t ticket;
    void *state; /* the handler's own, freed with free_state */
    void (*free_state)(void *state);
    struct {
        const char *name;
        char *value;
    } headers[DN_CALL_HEADERS]; /* further ones of the answer */

    dn_method method;
    int socket;
    uint32_t timeout_ms; /* of requests to a device */
    dunlin_path path;
    bool begun, bad_url, too_large, replied;
    bool deferring; /* an answer is kept for dn_call_reply_deferred */
    unsigned deferred_status;
    const char *deferred_type;
    dn_text deferred;
    bool waiting;      /* guarded by the flights, too */
    bool guess;        /* a read's content format is our choice */
    bool lenient;      /* with_profile runs without a profile too */
    bool asleep;       /* the device, when its profile was fetched */
    uint8_t transport; /* by which it was registered then, and with which address of ours */
    char local[DN_UDP_TEXT_MAX];

    /* Observations (observing.h). */
    const dunlin_path *sought;
    size_t sought_count;
    bool known;
};

/* Makes call->state, all zero. NULL: there is no memory, and that has been answered. */
void *dn_call_make_state(dn_call *call, size_t size, void (*free_state)(void *state));

/* Answers; takes the text's memory. */
void dn_call_reply(dn_call *call, unsigned status, const char *media_type, dn_text *body);
/* Gives the answer that was made while call->deferring. */
void dn_call_reply_deferred(dn_call *call);
/* Answers 200 or `status` with JSON. */
void dn_call_reply_json(dn_call *call, unsigned status, dn_text *body);
void dn_call_problem(dn_call *call, dn_problem_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same with the parts that only some problems have. Fills in endpoint and path from the route. */
void dn_call_problem_with(dn_call *call, dn_problem problem);
/* A header that the answer will carry. Copies `value`; a second of the name replaces the first. */
void dn_call_header(dn_call *call, const char *name, const char *value);
/* False: this server is no bootstrap server, and that has been answered. */
bool dn_bootstrap_served(dn_call *call);
/* Queues a ready-made response; `response` stays the caller's. */
void dn_call_queue(dn_call *call, unsigned status, struct MHD_Response *response);

/* As dn_call_wait, but does not answer when the server stops. */
bool dn_call_try_wait(dn_call *call, void (*next)(dn_call *call));
/* Before work is handed to the fleet. False: the server stops, the call has been answered. */
bool dn_call_wait(dn_call *call, void (*next)(dn_call *call));
/* After it was handed over: what to cancel when the caller hangs up. */
void dn_call_cancellable(dn_call *call, uint64_t number);
/* Has the worker run a job, with call->state as its context, which says dn_call_wake at its end; `next` goes on. */
void dn_call_work(dn_call *call, dn_worker_job *job, void (*run)(void *state), void (*next)(dn_call *call));
/* From any thread, once for each wait; `call` must not be touched afterwards by a thread other than its HTTP thread. */
void dn_call_wake(dn_call *call);

void dn_call_free(dn_call *call);

#endif
