/* SPDX-License-Identifier: Apache-2.0 */
/* A store that keeps nothing, where what is tested or measured is what stands before it. */
#ifndef TESTS_SERVER_NO_STORE_H
#define TESTS_SERVER_NO_STORE_H

#include "server/store.h"

extern const dn_store_ops no_store_ops;

#endif
