/* SPDX-License-Identifier: Apache-2.0 */
/* Object definitions as data: what an Object's resources are called, what they hold and what may be done to
 * them. */
#ifndef DN_MODEL_OBJECT_H
#define DN_MODEL_OBJECT_H

#include <dunlin/value.h>

enum { DN_OP_READ = 1, DN_OP_WRITE = 2, DN_OP_EXECUTE = 4 }; /* a set; none: bootstrap interface only */

typedef struct {
    uint8_t major;
    uint8_t minor;
} dn_version;

typedef struct {
    uint16_t id;
    dunlin_type type; /* NONE: executable */
    uint8_t operations;
    bool multiple;
    bool mandatory;
    const char *name;
    const char *range;       /* as the definition prints it, "" if none */
    const char *unit;        /* "" if none */
    const char *description; /* "" if none */
} dn_resource_def;

typedef struct {
    uint16_t id;
    dn_version version;
    bool multiple;
    bool mandatory;
    const char *name;
    const char *urn;
    const char *description;
    const dn_resource_def *resources; /* ascending ids */
    size_t resource_count;
} dn_object_def;

/* The resource with `id`, or NULL. */
const dn_resource_def *dn_object_resource(const dn_object_def *object, uint16_t id);
/* Reads "1", "1.0", "1.1" (quotes allowed: checklist V4). MALFORMED otherwise. */
dunlin_status dn_version_parse(dunlin_slice text, dn_version *out);
int dn_version_compare(dn_version a, dn_version b);
/* The version that a core Object without `ver` has for a client of `lwm2m` (1.0, 1.1): checklist V3; 1.0 for
 * any other Object. */
dn_version dn_version_implied(uint16_t object, dn_version lwm2m);

#endif
