/* SPDX-License-Identifier: Apache-2.0 */
/* CoAP by hand (RFC 7252 section 3), as much as a device of the bench says and hears. */
#include "fleet/wire.h"

#include <string.h>

enum { LOCATION_PATH = 8, URI_PATH = 11, CONTENT_FORMAT = 12, URI_QUERY = 15, ACCEPT = 17, BLOCK2 = 23 };
enum { TEXT = 0, LINK_FORMAT = 40, SENML_JSON = 110, SENML_CBOR = 112, TLV = 11542, LWM2M_JSON = 11543 };

static const char object_links[] = "</>;rt=\"oma.lwm2m\";ct=110,</1/0>,</3/0>,</3303/0>";

typedef struct {
    uint8_t *bytes;
    size_t len;
    unsigned number; /* of the last option */
} writer;

static void put(writer *w, const void *bytes, size_t len)
{
    memcpy(w->bytes + w->len, bytes, len);
    w->len += len;
}

static void put_byte(writer *w, unsigned byte)
{
    w->bytes[w->len++] = (uint8_t)byte;
}

static void put_head(writer *w, unsigned type, unsigned code, uint16_t message_id, const void *token,
                     unsigned token_len)
{
    put_byte(w, 0x40u | type << 4 | token_len);
    put_byte(w, code);
    put_byte(w, message_id >> 8);
    put_byte(w, message_id & 0xffu);
    put(w, token, token_len);
}

/* Deltas here are below 13, lengths below 269. */
static void put_option(writer *w, unsigned number, const void *value, size_t len)
{
    unsigned delta = number - w->number;
    w->number = number;
    if (len < 13) {
        put_byte(w, delta << 4 | (unsigned)len);
    } else {
        put_byte(w, delta << 4 | 13);
        put_byte(w, (unsigned)len - 13);
    }
    put(w, value, len);
}

static void put_format(writer *w, unsigned format)
{
    uint8_t value[2] = {(uint8_t)(format >> 8), (uint8_t)format};
    size_t len = format > 255 ? 2 : format > 0 ? 1 : 0;
    put_option(w, CONTENT_FORMAT, value + 2 - len, len);
}

size_t wire_register(uint8_t *out, uint16_t message_id, uint64_t token, const char *name, size_t name_len)
{
    char query[64] = "ep=";
    writer w = {out, 0, 0};
    memcpy(query + 3, name, name_len);
    put_head(&w, WIRE_CON, WIRE_POST, message_id, &token, WIRE_TOKEN_LEN);
    put_option(&w, URI_PATH, "rd", 2);
    put_format(&w, LINK_FORMAT);
    put_option(&w, URI_QUERY, query, 3 + name_len);
    put_option(&w, URI_QUERY, "lt=86400", 8);
    put_option(&w, URI_QUERY, "lwm2m=1.1", 9);
    put_option(&w, URI_QUERY, "b=U", 3);
    put_byte(&w, 0xff);
    put(&w, object_links, sizeof object_links - 1);
    return w.len;
}

size_t wire_update(uint8_t *out, uint16_t message_id, uint64_t token, const char *location,
                   size_t location_len)
{
    writer w = {out, 0, 0};
    put_head(&w, WIRE_CON, WIRE_POST, message_id, &token, WIRE_TOKEN_LEN);
    put_option(&w, URI_PATH, "rd", 2);
    put_option(&w, URI_PATH, location, location_len);
    return w.len;
}

size_t wire_send(uint8_t *out, uint16_t message_id, uint64_t token, uint16_t value)
{
    /* [{bn: "/3303/0/", n: "5700", v: value}, {n: "5701", vs: "Cel"}] */
    static const uint8_t start[] = "\xff\x82\xa3\x21\x68/3303/0/\x00\x64"
                                   "5700\x02\x19";
    static const uint8_t end[] = "\xa2\x00\x64"
                                 "5701\x03\x63"
                                 "Cel";
    writer w = {out, 0, 0};
    put_head(&w, WIRE_CON, WIRE_POST, message_id, &token, WIRE_TOKEN_LEN);
    put_option(&w, URI_PATH, "dp", 2);
    put_format(&w, SENML_CBOR);
    put(&w, start, sizeof start - 1);
    put_byte(&w, value >> 8);
    put_byte(&w, value & 0xffu);
    put(&w, end, sizeof end - 1);
    return w.len;
}

size_t wire_block(uint8_t *out, uint16_t message_id, uint64_t token, uint32_t block)
{
    const uint32_t option = block << 4 | 6; /* of 1024 bytes */
    const uint8_t value[3] = {(uint8_t)(option >> 16), (uint8_t)(option >> 8), (uint8_t)option};
    size_t skip = option > 0xffff ? 0 : option > 0xff ? 1 : 2;
    writer w = {out, 0, 0};
    put_head(&w, WIRE_CON, WIRE_GET, message_id, &token, WIRE_TOKEN_LEN);
    put_option(&w, URI_PATH, "fw", 2);
    put_option(&w, URI_PATH, WIRE_PACKAGE, sizeof WIRE_PACKAGE - 1);
    put_option(&w, BLOCK2, value + skip, sizeof value - skip);
    return w.len;
}

void wire_fill_block(uint8_t out[WIRE_BLOCK], uint32_t block)
{
    memset(out, (int)(block % 251u), WIRE_BLOCK);
    memcpy(out, &block, sizeof block);
}

bool wire_is_block(const wire_message *answer, uint32_t block)
{
    uint8_t expected[WIRE_BLOCK];
    wire_fill_block(expected, block);
    return answer->payload_len == WIRE_BLOCK && memcmp(answer->payload, expected, WIRE_BLOCK) == 0;
}

/* The serial number is up to 23 bytes, which CBOR and TLV say in their first bytes. */
static bool put_serial(writer *w, unsigned format, const char *serial, size_t len)
{
    static const char json_start[] = "[{\"n\":\"/3/0/2\",\"vs\":\"";
    static const char old_json_start[] = "{\"bn\":\"/3/0/2\",\"e\":[{\"sv\":\"";
    switch (format) {
    case TEXT:
        put(w, serial, len);
        return true;
    case SENML_JSON:
        put(w, json_start, sizeof json_start - 1);
        put(w, serial, len);
        put(w, "\"}]", 3);
        return true;
    case SENML_CBOR: /* [{n: "/3/0/2", vs: serial}] */
        put(w, "\x81\xa2\x00\x66/3/0/2\x03", 11);
        put_byte(w, 0x60u | (unsigned)len);
        put(w, serial, len);
        return true;
    case TLV: /* resource with value, 8-bit id, 8-bit length */
        put(w, "\xc8\x02", 2);
        put_byte(w, (unsigned)len);
        put(w, serial, len);
        return true;
    case LWM2M_JSON:
        put(w, old_json_start, sizeof old_json_start - 1);
        put(w, serial, len);
        put(w, "\"}]}", 4);
        return true;
    default:
        return false;
    }
}

size_t wire_serial(uint8_t *out, const wire_message *request, const char *serial, size_t serial_len)
{
    writer w = {out, 0, 0};
    unsigned format = request->accept == WIRE_NO_FORMAT ? TEXT : request->accept;
    put_head(&w, request->type == WIRE_CON ? WIRE_ACK : WIRE_NON, WIRE_CONTENT, request->message_id,
             request->token, request->token_len);
    put_format(&w, format);
    put_byte(&w, 0xff);
    return put_serial(&w, format, serial, serial_len) ? w.len : 0;
}

/* A delta or length nibble with its extension; false when the datagram ends first or the nibble is reserved. */
static bool extend(const uint8_t **at, const uint8_t *end, unsigned *value)
{
    unsigned more = *value == 13 ? 1 : *value == 14 ? 2 : 0;
    if (*value == 15 || (size_t)(end - *at) < more) {
        return false;
    }
    if (more == 1) {
        *value = 13u + (*at)[0];
    } else if (more == 2) {
        *value = 269u + ((unsigned)(*at)[0] << 8 | (*at)[1]);
    }
    *at += more;
    return true;
}

static void note_option(wire_message *out, unsigned number, const uint8_t *value, size_t len)
{
    if (number == LOCATION_PATH) {
        out->location = value;
        out->location_len = len;
        out->location_count++;
    } else if (number == ACCEPT) {
        out->accept = 0;
        for (size_t i = 0; i < len; i++) {
            out->accept = (uint16_t)(out->accept << 8 | value[i]);
        }
    }
}

bool wire_read(const uint8_t *bytes, size_t len, wire_message *out)
{
    *out = (wire_message){.accept = WIRE_NO_FORMAT};
    if (len < 4 || bytes[0] >> 6 != 1 || (bytes[0] & 15) > 8 || len < 4u + (bytes[0] & 15u)) {
        return false;
    }
    out->type = bytes[0] >> 4 & 3;
    out->token_len = bytes[0] & 15;
    out->code = bytes[1];
    out->message_id = (uint16_t)(bytes[2] << 8 | bytes[3]);
    out->token = bytes + 4;
    const uint8_t *at = bytes + 4 + out->token_len;
    const uint8_t *end = bytes + len;
    unsigned number = 0;
    while (at < end && *at != 0xff) {
        unsigned delta = *at >> 4;
        unsigned size = *at & 15u;
        at++;
        if (!extend(&at, end, &delta) || !extend(&at, end, &size) || (size_t)(end - at) < size) {
            return false;
        }
        number += delta;
        note_option(out, number, at, size);
        at += size;
    }
    if (at < end) {
        out->payload = at + 1;
        out->payload_len = (size_t)(end - at - 1);
    }
    return true;
}
