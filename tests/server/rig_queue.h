/* SPDX-License-Identifier: Apache-2.0 */
/* The durable queue through the rig: what callers of the fleet do with it, and its events. */
#ifndef TESTS_SERVER_RIG_QUEUE_H
#define TESTS_SERVER_RIG_QUEUE_H

#include "tests/server/rig.h"

/* A queued request as a caller gets it, with the status of the call. */
typedef struct {
    bool done;  /* the completion ran */
    bool found; /* with a request */
    dunlin_status call;
    uint64_t id;
    dn_queued_state state;
    uint8_t method, code;
    bool auto_accept;
    uint16_t content_format, accept, format;
    char endpoint[64], path[DUNLIN_PATH_TEXT_MAX + 1], query[64], package[64], body[256];
    char payload[256], location[DUNLIN_PATH_TEXT_MAX + 1];
    size_t payload_len;
    int64_t created_ms, expires_ms, ended_ms;
    uint32_t attempts;
    dunlin_status status;
} rig_queued;

/* Takes a request; the cycle ends, so that it may be under way. */
rig_queued rig_enqueue(rig *r, const dn_device_request *ask, uint32_t expires_s);
/* The same for a text that expires when the configuration says; it must be taken. */
uint64_t rig_enqueue_text(rig *r, const char *endpoint, uint8_t method, const char *path, const char *text);
rig_queued rig_dequeue(rig *r, uint64_t id);
/* Waits for it in virtual time; `out` is filled when the completion runs. */
void rig_post_await(rig *r, uint64_t id, uint32_t timeout_ms, rig_queued *out);
/* As it stands; it must be there. */
rig_queued rig_queued_of(rig *r, uint64_t id);
dn_queued_state rig_state_of(rig *r, uint64_t id);

typedef struct {
    size_t count;
    uint64_t next;
    rig_queued list[32];
} rig_queue_page;
rig_queue_page *rig_queue(rig *r, const char *endpoint, uint64_t after, uint32_t limit); /* static memory */

/* The next event that is no notice of a registration or presence is about this request in this state. */
dn_event rig_expect_request(rig *r, uint64_t id, dn_queued_state state);
/* None of those is left. */
void rig_expect_no_request(rig *r);

#endif
