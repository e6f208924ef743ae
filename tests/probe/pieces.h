/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies of any size that are in no memory: the numbered text, and files. */
#ifndef TESTS_PROBE_PIECES_H
#define TESTS_PROBE_PIECES_H

#include "coap/engine.h"

/* A source of `size` bytes of "line 0000001 of the body\n"…: line N is N * 25 bytes from the start. */
dn_coap_source probe_text(uint64_t size);
/* Whether `bytes` are those at `offset` of the text. */
bool probe_is_text(dunlin_slice bytes, uint64_t offset);
/* A source of a file's bytes; false: it cannot be opened. It stays open. */
bool probe_file(const char *path, dn_coap_source *out);

#endif
