/* SPDX-License-Identifier: Apache-2.0 */
/* Packages: files that the server keeps for devices to get. */
#ifndef DUNLIN_APP_PACKAGES_H
#define DUNLIN_APP_PACKAGES_H

#include "apps/dunlin/options.h"

#include <jansson.h>

/* Uploads `file` under `name` (NULL: the file's own). Gives the package's document, to be json_decref'ed, or NULL
 * with the exit code, the reason told on stderr. */
json_t *dn_package_add(const char *command, const dn_options *options, const char *file, const char *name,
                       int *exit_code);
/* The package with this id, in the same way. */
json_t *dn_package_get(const dn_options *options, const char *id, int *exit_code);

#endif
