/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CoAP messages as lines of text, for tests that are read as conversations:
 *
 *   CON 0.01 #1234 @a1b2 6= 11='temp' 12=28 23=0e p='hello'
 *
 * type, code, message id (hex), token (hex, "@" alone: none), options by number with a value in hex or
 * 'text', payload in hex or 'text', or p=~OFFSET+LENGTH for a piece of the pattern that sim_pattern() makes.
 * "raw:4001…" is any datagram in hex. "TCP 0.01 @a1 …", without an id, is a message on a stream (RFC 8323).
 */
#ifndef TESTS_SIM_COAP_TEXT_H
#define TESTS_SIM_COAP_TEXT_H

#include <dunlin/slice.h>

#define COAP_TEXT_MAX 4096

/* The byte at `at` of the pattern that large bodies have: no two blocks of it are equal. */
uint8_t sim_pattern(size_t at);
void sim_pattern_fill(uint8_t *out, size_t len);

/* Writes the datagram that `text` describes; its length. Stops the program when the text is not understood.
   "#L" and "@L" stand for `mid` and `token` (may be empty). */
size_t coap_text_read(const char *text, uint16_t mid, dunlin_slice token, uint8_t *out, size_t cap);
/* The line for a datagram. */
void coap_text_write(dunlin_slice datagram, char out[COAP_TEXT_MAX]);
/* The line for a whole message on a stream. */
void coap_text_write_framed(dunlin_slice framed, char out[COAP_TEXT_MAX]);
/* True when `actual` is what `expected` says; in `expected` "#*", "@*" and "=*" stand for any message id,
 * token and value.
 */
bool coap_text_matches(const char *expected, const char *actual);

#endif
