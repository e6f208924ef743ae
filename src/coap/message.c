/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a message in one pass: grammar, the options' forms, and the values that the engine itself uses. */
#include "coap/message.h"
#include "coap/frame.h"

enum { KNOWN = 1, REPEATABLE = 2 };

/* RFC 7252 table 4, RFC 7959 table 1, RFC 7641 section 2: lengths out of range make an option an unknown one
 * (section 5.4.3). */
typedef struct {
    uint8_t flags;
    uint8_t min;
    uint16_t max;
} option_rule;

static const option_rule option_rules[] = {
    [DN_OPTION_IF_MATCH] = {KNOWN | REPEATABLE, 0, 8},
    [DN_OPTION_URI_HOST] = {KNOWN, 1, 255},
    [DN_OPTION_ETAG] = {KNOWN | REPEATABLE, 1, 8},
    [DN_OPTION_IF_NONE_MATCH] = {KNOWN, 0, 0},
    [DN_OPTION_OBSERVE] = {KNOWN, 0, 3},
    [DN_OPTION_URI_PORT] = {KNOWN, 0, 2},
    [DN_OPTION_LOCATION_PATH] = {KNOWN | REPEATABLE, 0, 255},
    [DN_OPTION_URI_PATH] = {KNOWN | REPEATABLE, 0, 255},
    [DN_OPTION_CONTENT_FORMAT] = {KNOWN, 0, 2},
    [DN_OPTION_MAX_AGE] = {KNOWN, 0, 4},
    [DN_OPTION_URI_QUERY] = {KNOWN | REPEATABLE, 0, 255},
    [DN_OPTION_ACCEPT] = {KNOWN, 0, 2},
    [DN_OPTION_LOCATION_QUERY] = {KNOWN | REPEATABLE, 0, 255},
    [DN_OPTION_BLOCK2] = {KNOWN, 0, 3},
    [DN_OPTION_BLOCK1] = {KNOWN, 0, 3},
    [DN_OPTION_SIZE2] = {KNOWN, 0, 4},
    [DN_OPTION_PROXY_URI] = {KNOWN, 1, 1034},
    [DN_OPTION_PROXY_SCHEME] = {KNOWN, 1, 255},
    [DN_OPTION_SIZE1] = {KNOWN, 0, 4},
};

#define RULE_COUNT (sizeof option_rules / sizeof option_rules[0])

static bool acceptable(const dn_coap_option *option, uint16_t previous)
{
    if (option->number >= RULE_COUNT || (option_rules[option->number].flags & KNOWN) == 0) {
        return false;
    }
    const option_rule *rule = &option_rules[option->number];
    return option->value.len >= rule->min && option->value.len <= rule->max &&
           (option->number != previous || (rule->flags & REPEATABLE) != 0);
}

static dn_coap_block block_from(uint32_t value)
{
    dn_coap_block block = {value >> 4, (uint8_t)(value & 7u), (value & 8u) != 0};
    return block;
}

/* Keeps what the engine uses of an acceptable option. */
static void keep_option(dn_coap_message *message, const dn_coap_option *option)
{
    uint32_t value = 0;
    (void)dn_coap_option_uint(option->value, &value);
    switch (option->number) {
    case DN_OPTION_ETAG:
        if ((message->has & DN_COAP_HAS_ETAG) == 0) {
            message->etag = option->value;
            message->has |= DN_COAP_HAS_ETAG;
        }
        break;
    case DN_OPTION_OBSERVE:
        message->observe = (int32_t)value;
        break;
    case DN_OPTION_CONTENT_FORMAT:
        message->content_format = (uint16_t)value;
        break;
    case DN_OPTION_ACCEPT:
        message->accept = (uint16_t)value;
        break;
    case DN_OPTION_BLOCK2:
        message->block2 = block_from(value);
        message->has |= DN_COAP_HAS_BLOCK2;
        break;
    case DN_OPTION_BLOCK1:
        message->block1 = block_from(value);
        message->has |= DN_COAP_HAS_BLOCK1;
        break;
    case DN_OPTION_SIZE2:
        message->size2 = value;
        message->has |= DN_COAP_HAS_SIZE2;
        break;
    case DN_OPTION_SIZE1:
        message->size1 = value;
        message->has |= DN_COAP_HAS_SIZE1;
        break;
    case DN_OPTION_PROXY_URI:
    case DN_OPTION_PROXY_SCHEME:
        message->has |= DN_COAP_HAS_PROXY;
        break;
    default:
        break;
    }
}

/* Walks all options and finds the payload. `rest` starts behind the token. */
static dunlin_status read_options(dn_coap_message *message, dunlin_slice rest)
{
    dn_coap_options walk = {rest, 0, 0};
    dn_coap_option option;
    uint16_t previous = 0;
    dunlin_status status;
    message->content_format = message->accept = DN_COAP_NO_FORMAT;
    message->observe = DN_COAP_NO_OBSERVE;
    message->has = 0;
    message->bad_option = 0;
    message->etag = dunlin_slice_make(NULL, 0);
    while ((status = dn_coap_option_next(&walk, &option)) == DUNLIN_OK) {
        if (acceptable(&option, previous)) {
            keep_option(message, &option);
        } else if ((option.number & 1u) != 0 && message->bad_option == 0) {
            message->bad_option = option.number; /* critical; elective ones are ignored (section 5.4.1) */
        }
        previous = option.number;
    }
    if (status != DUNLIN_END) {
        return DUNLIN_ERR_MALFORMED;
    }
    message->options = (dn_coap_options){dunlin_slice_make(rest.data, walk.at), 0, 0};
    message->payload = dunlin_slice_make(rest.data + walk.at, 0);
    if (walk.at < rest.len) {
        /* The walk stopped at a payload marker: at least a byte must follow. */
        message->payload = dunlin_slice_make(rest.data + walk.at + 1, rest.len - walk.at - 1);
        return message->payload.len > 0 ? DUNLIN_OK : DUNLIN_ERR_MALFORMED;
    }
    return DUNLIN_OK;
}

/* Section 4.2, 4.3 and table 1: which type may carry which class of code. */
static bool code_fits_type(uint8_t type, uint8_t code)
{
    unsigned code_class = code >> 5;
    if (code == DN_COAP_EMPTY) {
        return type != DN_COAP_NON;
    }
    switch (type) {
    case DN_COAP_RST:
        return false;
    case DN_COAP_ACK:
        return code_class >= 2 && code_class <= 5;
    default:
        return code_class == 0 || (code_class >= 2 && code_class <= 5);
    }
}

dunlin_status dn_coap_message_read(dn_coap_message *message, dunlin_slice datagram)
{
    const uint8_t *bytes = datagram.data;
    if (datagram.len < DN_COAP_HEADER_LEN || bytes[0] >> 6 != 1) {
        return DUNLIN_ERR_TRUNCATED;
    }
    message->type = bytes[0] >> 4 & 3;
    message->code = bytes[1];
    message->mid = (uint16_t)(bytes[2] << 8 | bytes[3]);
    size_t token_len = bytes[0] & 15u;
    if (token_len > DN_COAP_TOKEN_MAX || datagram.len - DN_COAP_HEADER_LEN < token_len ||
        !code_fits_type(message->type, message->code)) {
        return DUNLIN_ERR_MALFORMED;
    }
    if (message->code == DN_COAP_EMPTY && datagram.len != DN_COAP_HEADER_LEN) {
        return DUNLIN_ERR_MALFORMED; /* section 4.1: an Empty message has nothing behind the message id */
    }
    memset(&message->token, 0, sizeof message->token);
    message->token.len = (uint8_t)token_len;
    if (token_len > 0) {
        memcpy(message->token.bytes, bytes + DN_COAP_HEADER_LEN, token_len);
    }
    size_t at = DN_COAP_HEADER_LEN + token_len;
    return read_options(message, dunlin_slice_make(bytes + at, datagram.len - at));
}

/* RFC 8323 section 3.2: what a length of 4 more bytes counts from. */
#define BASE_OF_FOUR 65805u

/* Splits a delta or length into its nibble and 0 to 2 more bytes. */
static unsigned extend(uint32_t value, uint8_t out[2], size_t *len)
{
    if (value < 13) {
        *len = 0;
        return value;
    }
    if (value < 269) {
        out[0] = (uint8_t)(value - 13);
        *len = 1;
        return 13;
    }
    out[0] = (uint8_t)((value - 269) >> 8);
    out[1] = (uint8_t)(value - 269);
    *len = 2;
    return 14;
}

dunlin_status dn_coap_message_read_framed(dn_coap_message *message, dunlin_slice bytes)
{
    static const uint8_t extension[] = {[13] = 1, [14] = 2, [15] = 4};
    uint64_t length;
    if (dn_coap_frame_length(bytes, &length) != DUNLIN_OK) {
        return DUNLIN_ERR_MALFORMED;
    }
    if (length != bytes.len) {
        return DUNLIN_ERR_RANGE;
    }
    size_t at = 1u + extension[bytes.data[0] >> 4];
    size_t token_len = bytes.data[0] & 15u;
    message->type = DN_COAP_CON;
    message->mid = 0;
    message->code = bytes.data[at++];
    memset(&message->token, 0, sizeof message->token);
    message->token.len = (uint8_t)token_len;
    if (token_len > 0) {
        memcpy(message->token.bytes, bytes.data + at, token_len);
    }
    at += token_len;
    if (message->code == DN_COAP_EMPTY) {
        return DUNLIN_OK; /* section 3.4: to be ignored, whatever it holds */
    }
    return read_options(message, dunlin_slice_make(bytes.data + at, bytes.len - at));
}

dunlin_slice dn_coap_message_frame(uint8_t *message, size_t len)
{
    uint8_t token_len = message[0] & 15u;
    uint8_t code = message[1];
    uint8_t more[4];
    size_t more_len = 4;
    uint32_t rest = (uint32_t)(len - DN_COAP_HEADER_LEN - token_len);
    unsigned nibble = 15;
    if (rest < BASE_OF_FOUR) {
        nibble = extend(rest, more, &more_len);
    } else {
        for (unsigned i = 0; i < 4; i++) {
            more[i] = (uint8_t)((rest - BASE_OF_FOUR) >> (24 - 8 * i));
        }
    }
    uint8_t *start = message + DN_COAP_HEADER_LEN - 2 - more_len;
    start[0] = (uint8_t)(nibble << 4 | token_len);
    memcpy(start + 1, more, more_len);
    message[DN_COAP_HEADER_LEN - 1] = code;
    return dunlin_slice_make(start, (size_t)(message + len - start));
}

void dn_coap_write_header(dn_coap_writer *writer, uint8_t *data, size_t cap, dn_coap_type type, uint8_t code,
                          uint16_t mid, const dn_coap_token *token)
{
    *writer = (dn_coap_writer){data, DN_COAP_HEADER_LEN + (size_t)token->len, cap, 0, false};
    if (writer->len > cap) {
        writer->failed = true;
        return;
    }
    data[0] = (uint8_t)(1u << 6 | (unsigned)type << 4 | token->len);
    data[1] = code;
    data[2] = (uint8_t)(mid >> 8);
    data[3] = (uint8_t)mid;
    memcpy(data + DN_COAP_HEADER_LEN, token->bytes, token->len);
}

void dn_coap_write_option(dn_coap_writer *writer, uint16_t number, dunlin_slice value)
{
    uint8_t delta_more[2], length_more[2];
    size_t delta_len, length_len;
    if (writer->failed || number < writer->number || value.len > UINT16_MAX + 269u) {
        writer->failed = true;
        return;
    }
    unsigned delta = extend((uint32_t)(number - writer->number), delta_more, &delta_len);
    unsigned length = extend((uint32_t)value.len, length_more, &length_len);
    if (writer->cap - writer->len < 1 + delta_len + length_len + value.len) {
        writer->failed = true;
        return;
    }
    uint8_t *out = writer->data + writer->len;
    *out++ = (uint8_t)(delta << 4 | length);
    memcpy(out, delta_more, delta_len);
    out += delta_len;
    memcpy(out, length_more, length_len);
    out += length_len;
    if (value.len > 0) {
        memcpy(out, value.data, value.len);
    }
    writer->len += 1 + delta_len + length_len + value.len;
    writer->number = number;
}

uint8_t *dn_coap_write_room(dn_coap_writer *writer, size_t len)
{
    if (len == 0) {
        return NULL;
    }
    if (writer->failed || writer->cap - writer->len < 1 || writer->cap - writer->len - 1 < len) {
        writer->failed = true;
        return NULL;
    }
    uint8_t *room = writer->data + writer->len + 1;
    room[-1] = 0xff;
    writer->len += 1 + len;
    return room;
}

void dn_coap_write_payload(dn_coap_writer *writer, dunlin_slice payload)
{
    uint8_t *room = dn_coap_write_room(writer, payload.len);
    if (room != NULL) {
        memcpy(room, payload.data, payload.len);
    }
}

void dn_coap_write_empty(uint8_t out[DN_COAP_HEADER_LEN], dn_coap_type type, uint16_t mid)
{
    out[0] = (uint8_t)(1u << 6 | (unsigned)type << 4);
    out[1] = DN_COAP_EMPTY;
    out[2] = (uint8_t)(mid >> 8);
    out[3] = (uint8_t)mid;
}
