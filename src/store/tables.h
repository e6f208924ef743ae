/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of the server's store.
 *
 * Rows are keyed by small dense numbers only. There is no index by endpoint: an index by random names costs a
 * page per write, and the server keeps names unique in memory. `journal` holds changes that are newer than
 * the rows they are about.
 */
#ifndef DN_STORE_TABLES_H
#define DN_STORE_TABLES_H

#include "store/schema.h"

extern const dn_schema dn_tables;

#endif
