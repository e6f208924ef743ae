/* SPDX-License-Identifier: Apache-2.0 */
/* What every fuzz target of a content format does with its input. */
#ifndef FUZZ_CODEC_ROUND_H
#define FUZZ_CODEC_ROUND_H

#include <stddef.h>
#include <stdint.h>

/*
 * The first byte chooses the path that the payload is for and the types that the model gives; the rest is the
 * payload. It is decoded; what comes out is checked, encoded in every format, and in its own decoded again,
 * which must give the same. Aborts when anything is not as it should be.
 */
void fuzz_round(uint16_t format, const uint8_t *data, size_t size);

#endif
