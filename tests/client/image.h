/* SPDX-License-Identifier: Apache-2.0 */
/* All that a request could change in a client, as bytes to compare: values as they are read, and what lies behind them. */
#ifndef TESTS_CLIENT_IMAGE_H
#define TESTS_CLIENT_IMAGE_H

#include "tests/client/rig.h"

#define IMAGE_MAX 16384

typedef struct {
    uint8_t bytes[IMAGE_MAX];
    size_t len;
} image;

void image_take(const rig *r, image *i);
bool image_equal(const image *a, const image *b);

#endif
