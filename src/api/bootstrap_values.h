/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values in the member "write" of a bootstrap configuration. Configurations know no models (bootstrap/config.h): a value there is what its JSON shows, or
 * an object that names its type, {"float":5}. Here the models are at hand, so plain values may be written as for a PUT of a resource.
 */
#ifndef DN_API_BOOTSTRAP_VALUES_H
#define DN_API_BOOTSTRAP_VALUES_H

#include "model/ddf/registry.h"

#include <jansson.h>

/*
 * Gives the values of `document` the types of the newest definitions in `registry`, in place; resources that no model knows stay as they are. False:
 * a value does not fit, or a number is too large for anything that takes one; `error` names the member, and never repeats a value.
 */
bool dn_bootstrap_values_type(json_t *document, dn_registry *registry, char *error, size_t error_size);

#endif
