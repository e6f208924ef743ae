/* SPDX-License-Identifier: Apache-2.0 */
/* Queued requests as JSON, and copies of them for threads other than the shard's. */
#ifndef DN_API_REQUEST_JSON_H
#define DN_API_REQUEST_JSON_H

#include "api/json_write.h"
#include "api/profile.h"
#include "model/ddf/registry.h"
#include "server/fleet.h"

/* A copy of a view with all that it views. */
typedef struct {
    dn_queued_view view;
    uint8_t bytes[];
} dn_queued_copy;

/* From malloc; NULL: no memory. */
dn_queued_copy *dn_queued_copy_make(const dn_queued_view *view);

/* The outcome as the response of a direct request would have given it. */
dn_device_response dn_queued_response(const dn_queued_view *view);

/* The object; with a registry also "result", what the direct call would have answered. `profile` may be NULL: the newest definitions serve then. */
void dn_request_write(dn_jsonw *json, const dn_queued_view *view, dn_registry *registry,
                      const dn_profile *profile);

#endif
