/* SPDX-License-Identifier: Apache-2.0 */
/* For tests: an LwM2M server's credentials in memory, as far as a bootstrap server uses them: staged ones beside those that hold. */
#ifndef TESTS_BOOTSTRAP_KEEPER_H
#define TESTS_BOOTSTRAP_KEEPER_H

#include "security/credentials.h"

typedef struct {
    dn_credentials base;
    dn_credential *list, *staged;
    size_t count, staged_count, room;
    unsigned stages, promotes; /* calls */
    bool fails;                /* with STORE */
    bool refuses_many;         /* more than one at a time: DUPLICATE */
} bs_keeper;

void bs_keeper_init(bs_keeper *keeper, size_t room);
void bs_keeper_free(bs_keeper *keeper);
/* NULL: none. */
const dn_credential *bs_keeper_of(const bs_keeper *keeper, const char *endpoint, bool is_staged);

#endif
