/* SPDX-License-Identifier: Apache-2.0 */
/* Real time and real random numbers, as servers take them; for tests with a thread, over loopback. */
#ifndef TESTS_ENDPOINT_REAL_H
#define TESTS_ENDPOINT_REAL_H

#include <stddef.h>
#include <stdint.h>

/* How long a test waits for what must come: longer than the slowest machine takes. */
#define PATIENCE_MS 60000

uint64_t real_clock_ms(void *context); /* monotonic */
int64_t real_wall_ms(void *context);   /* since the epoch */
void real_random(void *context, void *out, size_t len);

#endif
