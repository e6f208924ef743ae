/* SPDX-License-Identifier: Apache-2.0 */
/* A registration as JSON: in lists, by itself, in events. */
#ifndef DN_API_CLIENT_JSON_H
#define DN_API_CLIENT_JSON_H

#include "api/json_write.h"
#include "api/profile.h"
#include "model/ddf/registry.h"

/* The members of a Client, without the braces. */
const char *dn_presence_name(dn_presence presence); /* "awake" … */
void dn_client_members(dn_jsonw *json, const dn_client_view *client);
/* The members that a single client has in addition: objects, root path, formats, links. */
void dn_client_detail_members(dn_jsonw *json, const dn_client_view *client, const dn_profile *profile,
                              dn_registry *registry);

#endif
