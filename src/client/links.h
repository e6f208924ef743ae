/* SPDX-License-Identifier: Apache-2.0 */
/* The list of Objects and instances that Register and Update carry (Core 1.1.1 section 6.2.1). */
#ifndef DN_CLIENT_LINKS_H
#define DN_CLIENT_LINKS_H

#include "client/state.h"
#include "codec/link.h"

/* Writes the list into `out`. SPACE: config.list_max is too small. */
dunlin_status dn_client_links_list(dunlin_client *client, dunlin_buf out, dunlin_slice *payload);
/* Adds the parameter `ver` when it must be said (Core 1.1.1 section 7.2.3). */
void dn_client_links_version(const dunlin_client *client, const dunlin_object *def, dn_link_writer *writer);

#endif
