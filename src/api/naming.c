/* SPDX-License-Identifier: Apache-2.0 */
/* Definitions behind paths; see naming.h. */
#include "api/naming.h"

dn_naming dn_naming_make(dn_registry *registry, const dn_profile *profile)
{
    return (dn_naming){.registry = registry, .profile = profile};
}

const dn_object_def *dn_naming_object(dn_naming *naming, uint16_t object)
{
    if (naming->looked_up && naming->object == object) {
        return naming->definition;
    }
    dn_version version;
    naming->looked_up = true;
    naming->object = object;
    if (naming->profile != NULL && dn_profile_version(naming->profile, object, &version)) {
        naming->definition = dn_registry_find(naming->registry, object, version);
    } else {
        naming->definition = dn_registry_newest(naming->registry, object);
    }
    return naming->definition;
}

const dn_resource_def *dn_naming_resource(dn_naming *naming, dunlin_path path)
{
    if (path.depth < 3) {
        return NULL;
    }
    const dn_object_def *object = dn_naming_object(naming, path.id[0]);
    return object == NULL ? NULL : dn_object_resource(object, path.id[2]);
}

static dunlin_type type_of(void *context, dunlin_path resource, bool *multiple)
{
    const dn_resource_def *definition = dn_naming_resource(context, resource);
    if (definition == NULL) {
        return DUNLIN_TYPE_NONE;
    }
    *multiple = definition->multiple;
    return definition->type;
}

dn_types dn_naming_types(dn_naming *naming)
{
    return (dn_types){.type_of = type_of, .context = naming};
}
