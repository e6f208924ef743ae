/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The devices that a fuzzed server hears, in virtual time: each over plain UDP, or over a session or stream which comes and goes, with a
 * name that is proved or none. The first member of a fuzzer's own world, so that the context of a callback is the one as well as the
 * other.
 */
#ifndef FUZZ_SERVER_DEVICES_H
#define FUZZ_SERVER_DEVICES_H

#include "base/peer.h"
#include "security/identity.h"

#define DEVICES            4u
#define DATAGRAM_MAX       1400
#define STREAM_MESSAGE_MAX 8192
#define SCRIPT_STEPS_MAX   200

/* The server: what is done between `begin` and `settle` is one turn of its loop. The argument is the devices. */
typedef struct {
    void (*begin)(void *world);
    void (*receive)(void *world, const dn_peer *from, dunlin_slice message);
    void (*opened)(void *world, const dn_peer *peer);
    void (*closed)(void *world, const dn_peer *peer);
    void (*settle)(void *world);
} devices_server;

typedef struct {
    const devices_server *server;
    uint64_t now_ms;
    uint16_t mid;
    /* The head of the server's last request in a datagram: to be answered. */
    dn_peer asked_peer;
    size_t asked_len;
    uint8_t asked[16];
    struct {
        dn_transport transport;
        bool is_open, has_proved;
        dn_identity identity;
    } way[DEVICES];
} devices;

/* ---- callbacks of the server; the context is a devices ---- */

uint64_t devices_clock_ms(void *context);
int64_t devices_wall_ms(void *context);
/* Whether something that is sent to the peer arrives: in plain datagrams always. */
bool devices_reach(void *context, const dn_peer *peer);
const dn_identity *devices_identity(void *context, const dn_peer *peer);
void devices_end_peer(void *context, const dn_peer *peer);
void devices_peer_text(const dn_peer *peer, char *out, size_t size);

/* What the server sends to a device has a sane size, and a request goes to one that hears it. */
void devices_hear(devices *of, const dn_peer *peer, dunlin_slice message);

/* ---- what devices do ---- */

dn_peer devices_peer(const devices *of, uint8_t number);
/* Delivers a datagram's message; over a stream in the form that streams have. */
void devices_send(devices *of, const dn_peer *from, dunlin_slice datagram);
/* Answers what the server asked last: an Acknowledgement, a separate message or a Reset, by `detail`; the script gives code, options and
   payload. */
void devices_answer(devices *of, uint8_t detail, dunlin_slice script);
/* Ends a session or stream; within a turn of the server. */
void devices_close(devices *of, size_t number);
/* From now on the device speaks over that transport, with that proved name (empty: none); within a turn of the server. */
void devices_open(devices *of, size_t number, dn_transport transport, dunlin_slice name);

/* A request of a device; one that does not fit is not sent. */
typedef struct {
    uint8_t bytes[DATAGRAM_MAX];
    size_t len;
    bool fits;
} device_request;

device_request device_request_start(devices *of, uint8_t method);
void device_request_option(device_request *request, unsigned delta, dunlin_slice value);
/* Uri-Query options of a text cut at '&'. */
void device_request_queries(device_request *request, unsigned delta, dunlin_slice text);
void device_request_send(const device_request *request, devices *of, uint8_t from, dunlin_slice payload);

/* ---- the script ---- */

/* A step of an input: one byte of kind, one of detail, two of length, and that many bytes. */
typedef struct {
    uint8_t kind, detail;
    dunlin_slice bytes;
} script_step;

/* False: there is none any more. */
bool script_next(dunlin_slice *script, script_step *out);

#endif
