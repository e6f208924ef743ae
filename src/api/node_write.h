/* SPDX-License-Identifier: Apache-2.0 */
/* A device's payload as a JSON tree with names: object, instance, resource or resource instance, by the depth of the path. */
#ifndef DN_API_NODE_WRITE_H
#define DN_API_NODE_WRITE_H

#include "api/json_write.h"
#include "api/naming.h"

/*
 * Decodes the whole `payload` first, so that nothing is written of one that is bad in its middle; then writes the node. Records may come in
 * any order; of several values for one path (a time series) the newest counts. Errors: the decoder's, MEMORY.
 */
dunlin_status dn_node_write(dn_jsonw *json, dn_naming *naming, dunlin_path path, uint16_t format,
                            dunlin_slice payload);

#endif
