/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the operator of an LwM2M server can ask of it. The test cases speak to this alone; behind it is our own shard
 * (shard_side.h), a server's REST interface, or a program on the other end of a pipe.
 */
#ifndef DN_ETS_OPERATOR_H
#define DN_ETS_OPERATOR_H

#include "ets/values.h"

#include <stdatomic.h>

#define DN_ETS_PATHS_MAX 8u

typedef enum {
    DN_ETS_READ,
    DN_ETS_DISCOVER,
    DN_ETS_WRITE,      /* replace (PUT) */
    DN_ETS_UPDATE,     /* partial update (POST) of an instance */
    DN_ETS_ATTRIBUTES, /* Write-Attributes, `query` */
    DN_ETS_EXECUTE,    /* `query`: arguments */
    DN_ETS_CREATE,
    DN_ETS_DELETE,
    DN_ETS_OBSERVE,
    DN_ETS_CANCEL, /* Observe with 1 */
    DN_ETS_FORGET, /* the observation is forgotten: the next notification gets a Reset */
    DN_ETS_READ_COMPOSITE,
    DN_ETS_WRITE_COMPOSITE,
    DN_ETS_OBSERVE_COMPOSITE,
    DN_ETS_CANCEL_COMPOSITE,
    DN_ETS_IS_REGISTERED, /* does the server know the device? `registered` */
    DN_ETS_FINISH,        /* Bootstrap-Finish: of a bootstrap server alone */
    DN_ETS_SENT           /* what the device sent by itself since the case began: `values` */
} dn_ets_operation;

/* Views stay valid until the answer is done. */
typedef struct {
    dn_ets_operation operation;
    const char *endpoint;
    dunlin_path path;
    dunlin_path paths[DN_ETS_PATHS_MAX]; /* composite ones, ascending */
    size_t path_count;
    const char *query;
    uint16_t format; /* Accept, or the Content-Format of `values`; DN_FORMAT_NONE: as the server likes */
    const dn_ets_values *values;
    dunlin_slice bytes; /* of an opaque resource, which is in `values` as well */
    uint32_t timeout_ms;
    bool queued; /* for a device that sleeps: it waits until the device is there */
} dn_ets_ask;

typedef struct {
    atomic_bool done;
    bool unsupported;     /* this operator cannot ask for that */
    dunlin_status status; /* OK: the device answered */
    uint8_t code;         /* CoAP */
    uint16_t content_format;
    bool decoded; /* the server understood the payload: `values` */
    dn_ets_values values;
    char *links; /* of a Discover */
    char location[DUNLIN_PATH_TEXT_MAX + 1];
    bool registered;
    char trouble[200];
} dn_ets_answer;

void dn_ets_answer_clear(dn_ets_answer *answer);

typedef struct {
    const char *name;
    /* Begins; `answer`, which is empty and stays in place, is filled while the world goes on, `done` last. */
    void (*ask)(void *context, const dn_ets_ask *ask, dn_ets_answer *answer);
    void *context;
} dn_ets_operator;

#endif
