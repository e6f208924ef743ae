/* SPDX-License-Identifier: Apache-2.0 */
/* Several paths of a device in one request: Read-Composite, Write-Composite, Observe-Composite. */
#ifndef DUNLIN_APP_COMPOSITE_H
#define DUNLIN_APP_COMPOSITE_H

#include "apps/dunlin/device.h"

#define DN_PATHS_MAX 32 /* paths in one request */

/* `arguments` are EP PATH PATH …; prints, and gives the exit code. */
int dn_composite_read(const dn_options *options);
/* `arguments` are EP PATH=VALUE …; `type` of all of them, NULL: as the definitions say. */
int dn_composite_write(const dn_options *options, const char *type);

/* {"paths":["/3/0",…]} out of the arguments from `first` on; NULL: one of them is no path, said on stderr. */
json_t *dn_composite_paths(const char *command, const dn_options *options, int first);

#endif
