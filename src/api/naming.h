/* SPDX-License-Identifier: Apache-2.0 */
/* Which definition stands behind a path of one device: its objects' versions from its profile, the definitions from the registry. */
#ifndef DN_API_NAMING_H
#define DN_API_NAMING_H

#include "api/profile.h"
#include "codec/format.h"
#include "model/ddf/registry.h"

typedef struct {
    dn_registry *registry;
    const dn_profile *profile; /* NULL: not known; the newest definitions then serve */
    /* The object asked for last: records come object by object. */
    bool looked_up;
    uint16_t object;
    const dn_object_def *definition;
} dn_naming;

dn_naming dn_naming_make(dn_registry *registry, const dn_profile *profile);
/* The definition of `object` in this device's version, or NULL. */
const dn_object_def *dn_naming_object(dn_naming *naming, uint16_t object);
/* The definition behind a path of depth 3 or more, or NULL. */
const dn_resource_def *dn_naming_resource(dn_naming *naming, dunlin_path path);
/* For the decoders; `naming` must outlive its use. */
dn_types dn_naming_types(dn_naming *naming);

#endif
