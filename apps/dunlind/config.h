/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration file: YAML, read with libcyaml against a schema (docs/adr/0008-libcyaml.md). */
#ifndef DUNLIND_CONFIG_H
#define DUNLIND_CONFIG_H

#include "settings.h"

/* Puts what the file says over what `set` holds. False: `error` says "file:line: key: what". */
bool config_load(const char *path, settings *set, char *error, size_t error_size);

#endif
