/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a request to a device must know of it: its LwM2M version, the content formats it announced and which objects in which version it
 * has. Read from the registration's link list; kept in a cache, so that a request costs one visit to the shard and not two.
 *
 * The cache is told of every change (events). A profile is immutable and counted, so readers need no lock while they use one.
 */
#ifndef DN_API_PROFILE_H
#define DN_API_PROFILE_H

#include "model/object.h"
#include "server/fleet.h"

#define DN_PROFILE_FORMATS  8u
#define DN_PROFILE_ROOT_MAX 64u

typedef struct {
    uint16_t object;
    uint16_t instance;  /* DUNLIN_ID_NONE: the object's own link */
    dn_version version; /* of the object, named or implied */
} dn_profile_entry;

typedef struct {
    dn_version lwm2m;
    char root[DN_PROFILE_ROOT_MAX]; /* "/" or the alternate path */
    uint16_t formats[DN_PROFILE_FORMATS];
    size_t format_count; /* 0: none announced */
    size_t entry_count;
    const dn_profile_entry
        *entries; /* by object, then instance; an object without instances has its own link only */
} dn_profile;

/* Reads a registration's version and links. NULL: no memory. Links that are not LwM2M paths are skipped. Release it with
   dn_profile_release. */
dn_profile *dn_profile_create(dn_version lwm2m, dunlin_slice links);
dn_profile *dn_profile_hold(dn_profile *profile);
void dn_profile_release(dn_profile *profile); /* NULL is fine */
/* The version of `object` that the client has; false when it named none such. */
bool dn_profile_version(const dn_profile *profile, uint16_t object, dn_version *version);
/* "1.1" and a NUL. */
void dn_version_text(dn_version version, char out[16]);
bool dn_profile_announced(const dn_profile *profile, uint16_t format);

typedef struct dn_profiles dn_profiles;

/* A cache of `slots` profiles by endpoint and as many by content (rounded up to a power of two). NULL: no memory. */
dn_profiles *dn_profiles_create(uint32_t slots, const dn_random *random);
void dn_profiles_free(dn_profiles *profiles);
/* The profile with this content, held for the caller: devices of a kind share one. NULL: no memory. */
dn_profile *dn_profiles_take(dn_profiles *profiles, dn_version lwm2m, dunlin_slice links);
/* The cached profile of an endpoint, held for the caller, or NULL; `ticket` then lets the caller put what it fetches. */
dn_profile *dn_profiles_get(dn_profiles *profiles, dunlin_slice endpoint, uint64_t *ticket);
/* Keeps `profile` (holding it) unless something was forgotten since `ticket` was given. */
void dn_profiles_put(dn_profiles *profiles, dunlin_slice endpoint, dn_profile *profile, uint64_t ticket);
void dn_profiles_forget(dn_profiles *profiles, dunlin_slice endpoint);
void dn_profiles_forget_all(dn_profiles *profiles);

#endif
