/* SPDX-License-Identifier: Apache-2.0 */
/* The clocks that the application injects into the engines. */
#ifndef DN_PORT_CLOCK_H
#define DN_PORT_CLOCK_H

#include <stdint.h>

/* Monotonic milliseconds: for every deadline. Its zero means nothing, and it does not survive a restart. */
uint64_t dn_clock_ms(void);
/* Monotonic microseconds: for measuring. */
uint64_t dn_clock_us(void);
/* Milliseconds since 1970-01-01 UTC: for people, certificates and what is stored. It may jump. */
int64_t dn_clock_wall_ms(void);

#endif
