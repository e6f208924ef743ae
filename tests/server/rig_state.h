/* SPDX-License-Identifier: Apache-2.0 */
/* All of a server's state as text: what its store has committed, and what it shows, but for the time
 * when it last heard a client, which any message changes. For tests that nothing has changed. */
#ifndef TESTS_SERVER_RIG_STATE_H
#define TESTS_SERVER_RIG_STATE_H

#include "tests/server/rig.h"

/* The caller frees it. */
char *rig_state(rig *r);

#endif
