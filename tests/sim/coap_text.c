/* SPDX-License-Identifier: Apache-2.0 */
/* Reads and writes CoAP messages as text. Independent of the engine's own reader and writer, so that a
 * mistake there shows. */
#include "tests/sim/coap_text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint8_t sim_pattern(size_t at)
{
    return (uint8_t)(at * 7 + (at >> 4) * 31 + (at >> 10) * 13);
}

void sim_pattern_fill(uint8_t *out, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        out[i] = sim_pattern(i);
    }
}

static void give_up(const char *text, const char *why)
{
    (void)fprintf(stderr, "not a CoAP message in text: %s\n  %s\n", text, why);
    abort();
}

static unsigned hex_digit(char c)
{
    const char *digits = "0123456789abcdef";
    const char *found = c == '\0' ? NULL : strchr(digits, c);
    return found == NULL ? 16 : (unsigned)(found - digits);
}

/* Hex, 'text' or ~OFFSET+LENGTH; the length. */
static size_t read_value(const char *word, const char *line, uint8_t *out, size_t cap)
{
    size_t len = 0;
    if (word[0] == '\'') {
        const char *end = strrchr(word + 1, '\'');
        if (end == NULL || (size_t)(end - word - 1) > cap) {
            give_up(line, word);
            return 0;
        }
        len = (size_t)(end - word - 1);
        memcpy(out, word + 1, len);
        return len;
    }
    if (word[0] == '~') {
        char *rest;
        size_t offset = strtoul(word + 1, &rest, 10);
        len = *rest == '+' ? strtoul(rest + 1, NULL, 10) : 0;
        for (size_t i = 0; i < len && i < cap; i++) {
            out[i] = sim_pattern(offset + i);
        }
        return len;
    }
    for (; word[0] != '\0'; word += 2) {
        if (hex_digit(word[0]) > 15 || hex_digit(word[1]) > 15 || len >= cap) {
            give_up(line, word);
            return 0;
        }
        out[len++] = (uint8_t)(hex_digit(word[0]) << 4 | hex_digit(word[1]));
    }
    return len;
}

static unsigned read_type(const char *word, const char *line)
{
    static const char *const names[] = {"CON", "NON", "ACK", "RST"};
    if (strcmp(word, "TCP") == 0) {
        return 0;
    }
    for (unsigned i = 0; i < 4; i++) {
        if (strcmp(word, names[i]) == 0) {
            return i;
        }
    }
    give_up(line, word);
    return 0;
}

static size_t put_extended(unsigned value, unsigned *nibble, uint8_t *out)
{
    if (value < 13) {
        *nibble = value;
        return 0;
    }
    if (value < 269) {
        *nibble = 13;
        out[0] = (uint8_t)(value - 13);
        return 1;
    }
    *nibble = 14;
    out[0] = (uint8_t)((value - 269) >> 8);
    out[1] = (uint8_t)(value - 269);
    return 2;
}

typedef struct {
    uint8_t *bytes;
    size_t len, cap;
    unsigned number;
} message;

static void put_option(message *to, const char *word, const char *line)
{
    char *rest;
    unsigned number = (unsigned)strtoul(word, &rest, 10);
    uint8_t value[1200], more[4];
    unsigned delta, length;
    if (*rest != '=' || number < to->number) {
        give_up(line, word);
    }
    size_t len = read_value(rest + 1, line, value, sizeof value);
    size_t delta_more = put_extended(number - to->number, &delta, more);
    size_t length_more = put_extended((unsigned)len, &length, more + delta_more);
    if (to->cap - to->len < 1 + delta_more + length_more + len) {
        give_up(line, "no room");
    }
    to->bytes[to->len++] = (uint8_t)(delta << 4 | length);
    memcpy(to->bytes + to->len, more, delta_more + length_more);
    to->len += delta_more + length_more;
    memcpy(to->bytes + to->len, value, len);
    to->len += len;
    to->number = number;
}

static void put_word(message *to, const char *word, size_t index, const char *line, uint16_t mid,
                     dunlin_slice token)
{
    unsigned class, detail;
    if (index == 0) {
        to->bytes[0] = (uint8_t)(0x40u | read_type(word, line) << 4);
    } else if (index == 1) {
        if (sscanf(word, "%u.%u", &class, &detail) != 2) {
            give_up(line, word);
        }
        to->bytes[1] = (uint8_t)(class << 5 | detail);
    } else if (word[0] == '#') {
        unsigned id = strcmp(word, "#L") == 0 ? mid : (unsigned)strtoul(word + 1, NULL, 16);
        to->bytes[2] = (uint8_t)(id >> 8);
        to->bytes[3] = (uint8_t)id;
    } else if (word[0] == '@') {
        size_t len = token.len;
        if (strcmp(word, "@L") != 0) {
            len = read_value(word + 1, line, to->bytes + 4, 8);
        } else if (len > 0) {
            memcpy(to->bytes + 4, token.data, len);
        }
        to->bytes[0] = (uint8_t)(to->bytes[0] | len);
        to->len = 4 + len;
    } else if (strncmp(word, "p=", 2) == 0) {
        to->bytes[to->len++] = 0xff;
        to->len += read_value(word + 2, line, to->bytes + to->len, to->cap - to->len);
    } else {
        put_option(to, word, line);
    }
}

/* Puts the head of RFC 8323 section 3.2 in place of a datagram's; the length. */
static size_t frame(uint8_t *out, size_t len, size_t cap, const char *line)
{
    uint8_t head[8];
    size_t token_len = out[0] & 15u, rest = len - 4 - token_len, at = 1;
    unsigned nibble = rest < 13 ? (unsigned)rest : rest < 269 ? 13 : rest < 65805 ? 14 : 15;
    size_t more = rest < 13 ? 0 : rest < 269 ? 1 : rest < 65805 ? 2 : 4;
    size_t value = rest - (more == 0 ? rest : more == 1 ? 13 : more == 2 ? 269 : 65805);
    head[0] = (uint8_t)(nibble << 4 | token_len);
    for (size_t i = more; i > 0; i--) {
        head[at++] = (uint8_t)(value >> (8 * (i - 1)));
    }
    head[at++] = out[1];
    if (len - 4 + at > cap) {
        give_up(line, "no room");
    }
    memmove(out + at, out + 4, len - 4);
    memcpy(out, head, at);
    return len - 4 + at;
}

size_t coap_text_read(const char *text, uint16_t mid, dunlin_slice token, uint8_t *out, size_t cap)
{
    char line[COAP_TEXT_MAX];
    message to = {out, 4, cap, 0};
    char *save = NULL;
    size_t index = 0;
    (void)snprintf(line, sizeof line, "%s", text);
    if (strncmp(line, "raw:", 4) == 0) {
        return read_value(line + 4, text, out, cap);
    }
    memset(out, 0, 4);
    for (char *word = strtok_r(line, " ", &save); word != NULL; word = strtok_r(NULL, " ", &save)) {
        put_word(&to, word, index++, text, mid, token);
    }
    return strncmp(text, "TCP", 3) == 0 ? frame(out, to.len, cap, text) : to.len;
}

/* Numbers and tags are shown in hex even when they happen to be letters. */
static bool is_binary_option(unsigned number)
{
    static const unsigned binary[] = {1, 4, 6, 7, 9, 12, 14, 17, 23, 27, 28, 60, 252, 258, 292};
    for (size_t i = 0; i < sizeof binary / sizeof binary[0]; i++) {
        if (binary[i] == number) {
            return true;
        }
    }
    return false;
}

static void print_bytes(dunlin_slice bytes, bool text, char *out, size_t cap)
{
    text = text && bytes.len > 0;
    for (size_t i = 0; i < bytes.len; i++) {
        text = text && bytes.data[i] > ' ' && bytes.data[i] < 0x7f && bytes.data[i] != '\'';
    }
    if (text && bytes.len + 3 < cap) {
        (void)snprintf(out, cap, "'%.*s'", (int)bytes.len, (const char *)bytes.data);
        return;
    }
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < bytes.len && used + 3 < cap; i++) {
        used += (size_t)snprintf(out + used, cap - used, "%02x", bytes.data[i]);
    }
}

/* The place of `bytes` in the pattern, or -1. */
static long find_in_pattern(dunlin_slice bytes)
{
    for (size_t start = 0; bytes.len >= 16 && start <= 65536; start += 16) {
        size_t same = 0;
        while (same < bytes.len && bytes.data[same] == sim_pattern(start + same)) {
            same++;
        }
        if (same == bytes.len) {
            return (long)start;
        }
    }
    return -1;
}

/* Reads an extended delta or length. */
static unsigned take_extended(unsigned nibble, dunlin_slice bytes, size_t *at)
{
    if (nibble == 13 && *at < bytes.len) {
        return 13u + bytes.data[(*at)++];
    }
    if (nibble == 14 && *at + 1 < bytes.len) {
        *at += 2;
        return 269u + ((unsigned)bytes.data[*at - 2] << 8 | bytes.data[*at - 1]);
    }
    return nibble;
}

/* Token, options and payload, behind what `out` has already. */
static void write_rest(dunlin_slice datagram, size_t at, size_t token_len, char *out, size_t used)
{
    const uint8_t *bytes = datagram.data;
    unsigned number = 0;
    char value[2600];
    used += (size_t)snprintf(out + used, COAP_TEXT_MAX - used, " @");
    for (size_t i = 0; i < token_len; i++) {
        used += (size_t)snprintf(out + used, COAP_TEXT_MAX - used, "%02x", bytes[at++]);
    }
    while (at < datagram.len && bytes[at] != 0xff && used + 2700 < COAP_TEXT_MAX) {
        unsigned head = bytes[at++];
        number += take_extended(head >> 4, datagram, &at);
        size_t len = take_extended(head & 15u, datagram, &at);
        print_bytes(dunlin_slice_make(bytes + at, len), !is_binary_option(number), value, sizeof value);
        used += (size_t)snprintf(out + used, COAP_TEXT_MAX - used, " %u=%s", number, value);
        at += len;
    }
    if (at < datagram.len) {
        dunlin_slice payload = dunlin_slice_make(bytes + at + 1, datagram.len - at - 1);
        long place = find_in_pattern(payload);
        print_bytes(payload, true, value, sizeof value);
        if (place >= 0) {
            (void)snprintf(value, sizeof value, "~%ld+%zu", place, payload.len);
        }
        (void)snprintf(out + used, COAP_TEXT_MAX - used, " p=%s", value);
    }
}

void coap_text_write(dunlin_slice datagram, char out[COAP_TEXT_MAX])
{
    static const char *const types[] = {"CON", "NON", "ACK", "RST"};
    const uint8_t *bytes = datagram.data;
    size_t token_len = datagram.len < 4 ? 0 : bytes[0] & 15u;
    if (datagram.len < 4 + token_len) {
        (void)snprintf(out, COAP_TEXT_MAX, "short");
        return;
    }
    int used = snprintf(out, COAP_TEXT_MAX, "%s %u.%02u #%x", types[bytes[0] >> 4 & 3], bytes[1] >> 5,
                        bytes[1] & 31u, (unsigned)bytes[2] << 8 | bytes[3]);
    write_rest(datagram, 4, token_len, out, (size_t)used);
}

void coap_text_write_framed(dunlin_slice framed, char out[COAP_TEXT_MAX])
{
    const uint8_t *bytes = framed.data;
    unsigned nibble = framed.len < 2 ? 0 : bytes[0] >> 4;
    size_t more = nibble < 13 ? 0 : (size_t)1 << (nibble - 13);
    size_t token_len = framed.len < 2 ? 0 : bytes[0] & 15u;
    size_t value = 0;
    if (framed.len < 2 + more + token_len) {
        (void)snprintf(out, COAP_TEXT_MAX, "short");
        return;
    }
    for (size_t i = 0; i < more; i++) {
        value = value << 8 | bytes[1 + i];
    }
    value += more == 0 ? nibble : more == 1 ? 13 : more == 2 ? 269 : 65805;
    if (value != framed.len - 2 - more - token_len) {
        (void)snprintf(out, COAP_TEXT_MAX, "of another length");
        return;
    }
    int used = snprintf(out, COAP_TEXT_MAX, "TCP %u.%02u", bytes[1 + more] >> 5, bytes[1 + more] & 31u);
    write_rest(framed, 2 + more, token_len, out, (size_t)used);
}

bool coap_text_matches(const char *expected, const char *actual)
{
    while (*expected != '\0') {
        if ((expected[0] == '#' || expected[0] == '@' || expected[0] == '=') && expected[1] == '*' &&
            actual[0] == expected[0]) {
            expected += 2;
            actual += strcspn(actual, " ");
        } else if (*expected == *actual) {
            expected++;
            actual++;
        } else {
            return false;
        }
    }
    return *actual == '\0';
}
