/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests: a file system for SQLite that passes everything to the system's own, until a write, a change of
 * size or a sync that was chosen; that one and all after it fail.
 */
#ifndef DN_STORE_FAULT_H
#define DN_STORE_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#define FAULT_VFS "dn-fault"

typedef enum { FAULT_IO, FAULT_DISK_FULL } fault_kind;

/* Makes SQLite know the file system; once in a program. */
bool fault_register(void);
/* The operation number `at` from now (0: the next one) and all after it fail. INT64_MAX: none. */
void fault_arm(int64_t at, fault_kind kind);
/* True when something failed since fault_arm. */
bool fault_happened(void);

#endif
