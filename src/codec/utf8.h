/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8 (RFC 3629): strings on every side of this folder are checked, so that nobody downstream has to. */
#ifndef DN_CODEC_UTF8_H
#define DN_CODEC_UTF8_H

#include <dunlin/slice.h>

/* True for well-formed UTF-8: no overlong form, no surrogate, nothing above U+10FFFF. The empty view is
 * valid. */
bool dn_utf8_valid(dunlin_slice text);

/* The length (2-4) of the well-formed sequence at `at`, which starts with a byte of 0x80 or more; 0 if there
 * is none. */
size_t dn_utf8_sequence(const uint8_t *at, const uint8_t *end);

/* Writes the code point (not a surrogate, at most U+10FFFF) into `out` and returns its length, 1 to 4. */
size_t dn_utf8_put(uint32_t code_point, uint8_t out[4]);

#endif
