/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is around a client that is fuzzed: virtual time, ways to its servers which come and go, and servers which answer what it asks. The first
 * member of a fuzzer's own world, so that the context of a callback is the one as well as the other.
 */
#ifndef FUZZ_CLIENT_SURROUNDINGS_H
#define FUZZ_CLIENT_SURROUNDINGS_H

#include <dunlin/client.h>

#define WAYS      3u
#define ANSWER    32
#define ANSWERS   16
#define STEPS_MAX 2000u /* until nothing is due any more */

/* Codes of CoAP (RFC 7252 section 12.1) which servers meet or answer with. */
enum {
    GET = 1,
    POST = 2,
    PUT = 3,
    DELETE = 4,
    CREATED = 0x41,
    DELETED = 0x42,
    CHANGED = 0x44,
    CONTENT = 0x45,
    FORBIDDEN = 0x83,
    NOT_FOUND = 0x84
};

typedef enum { WAY_NONE, WAY_ASKED, WAY_UP } way_state;

typedef struct {
    way_state state;
    bool is_stream;
    uint8_t generation; /* of the peer: a new session has a new one */
} way;

typedef struct {
    dunlin_peer to;
    uint8_t bytes[ANSWER];
    size_t len;
} answer;

typedef struct {
    dunlin_client *client;
    uint64_t now_ms;
    uint32_t random;
    way ways[WAYS];
    dunlin_status connect; /* what `connect` returns */
    bool within;           /* one of the calls from which no way may be asked for */
    answer answers[ANSWERS];
    size_t answer_count;
} surroundings;

/* ---- callbacks of the client; the context is a surroundings ---- */

void surroundings_random(void *context, void *out, size_t len);
/* With a callback `connect` nobody asks for this. */
dunlin_status surroundings_never_resolve(void *context, const char *uri, dunlin_peer *peer);
/* The callbacks of a device that nobody hears: what it sends is lost, and every URI is one peer. */
dunlin_client_callbacks surroundings_of_nobody(void);

/* ---- ways ---- */

dunlin_peer way_peer(const surroundings *around, size_t at);
/* What `connect` has to do for the way `at`. */
dunlin_status way_connect(surroundings *around, size_t at, const dunlin_way *asked, dunlin_peer *peer);
/* Nothing, where nobody has asked for the way; `anew`: over another session than before. */
void way_connected(surroundings *around, size_t at, uint16_t server, bool anew);
void way_disconnected(surroundings *around, size_t at, uint16_t server, dunlin_status status, int alert);
void way_receive(surroundings *around, size_t at, dunlin_slice message);

/* ---- servers ---- */

/* A request of the client; what it points to is the message's. */
typedef struct {
    uint8_t code;
    uint8_t mid[2]; /* of a datagram */
    bool is_stream;
    dunlin_slice token, options; /* and payload */
    bool registers;
} client_request;

/* False: the message is no request. */
bool client_request_read(client_request *out, dunlin_slice message, bool is_stream);
bool client_request_is_to(const client_request *request, const char *path);
/* Notes the answer, for surroundings_settle; CREATED has a location. Lost, where too many wait. */
void client_request_answer(const client_request *request, surroundings *around, const dunlin_peer *to,
                           uint8_t code);
/* What a server that does as expected answers. */
uint8_t client_request_success(const client_request *request);

/* ---- time ---- */

/* Delivers what was answered, and does what is due, until nothing is. */
void surroundings_settle(surroundings *around);
/* Ends everything, whether or not somebody answers. */
void surroundings_stop(surroundings *around);

#endif
