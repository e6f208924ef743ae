/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The few CoAP messages that the generator needs, built and read by hand: what measures and checks the server shares no code with it.
 */
#ifndef BENCH_FLEET_WIRE_H
#define BENCH_FLEET_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WIRE_TOKEN_LEN 8
#define WIRE_NO_FORMAT 65535u

enum { WIRE_CON = 0, WIRE_NON = 1, WIRE_ACK = 2, WIRE_RST = 3 };
enum { WIRE_GET = 0x01, WIRE_POST = 0x02, WIRE_CREATED = 0x41, WIRE_CHANGED = 0x44, WIRE_CONTENT = 0x45 };

/* What the generator looks at in a message. Pointers are into the datagram. */
typedef struct {
    uint8_t type, code, token_len;
    uint16_t message_id;
    const uint8_t *token;
    const uint8_t *location; /* the last Location-Path */
    size_t location_len;
    unsigned location_count;
    uint16_t accept; /* WIRE_NO_FORMAT if absent */
    const uint8_t *payload;
    size_t payload_len;
} wire_message;

/* False: not a CoAP message. */
bool wire_read(const uint8_t *bytes, size_t len, wire_message *out);

/* Each writes a whole datagram and returns its length; `out` holds 512 bytes. */
size_t wire_register(uint8_t *out, uint16_t message_id, uint64_t token, const char *name, size_t name_len);
size_t wire_update(uint8_t *out, uint16_t message_id, uint64_t token, const char *location,
                   size_t location_len);
/* Two values of /3303/0, one of them `value`, in SenML CBOR. */
size_t wire_send(uint8_t *out, uint16_t message_id, uint64_t token, uint16_t value);
/* A package of blocks that each begin with their number, so that an answer can be checked. */
#define WIRE_PACKAGE        "00112233445566778899aabbccddeeff"
#define WIRE_PACKAGE_BLOCKS 20000u
#define WIRE_BLOCK          1024u
/* GET /fw/WIRE_PACKAGE, this block of it. */
size_t wire_block(uint8_t *out, uint16_t message_id, uint64_t token, uint32_t block);
void wire_fill_block(uint8_t out[WIRE_BLOCK], uint32_t block);
bool wire_is_block(const wire_message *answer, uint32_t block);
/* The answer to a request to read /3/0/2, in the format that it accepts (plain text if it names none); 0: none of ours. */
size_t wire_serial(uint8_t *out, const wire_message *request, const char *serial, size_t serial_len);
#define WIRE_SERIAL_PATH "/3/0/2"

#endif
