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

/* One value, or the mark that something is there without one. */
typedef struct {
    dunlin_path path;
    bool empty, multiple, has_time;
    double time_s;
    size_t order;
    dunlin_value value;
} dn_node_item;

/* A decoded payload, which may hold values of many objects: a composite's answer, what a device sent. */
typedef struct {
    dn_node_item *items; /* by path, then time */
    size_t count, cap;
    dunlin_buf bytes; /* copies of what values view: a decoder's view ends with its next record */
} dn_nodes;

/* Decodes it; free with dn_nodes_free unless that failed. Errors: the decoder's, MEMORY. */
dunlin_status dn_nodes_read(dn_nodes *nodes, dn_naming *naming, dunlin_path base, uint16_t format,
                            dunlin_slice payload);
void dn_nodes_free(dn_nodes *nodes);
/* Of several values for one path leaves the newest. */
void dn_nodes_newest(dn_nodes *nodes);
/* The member "nodes": {"path", "node"} of each of `paths` that has something; with none, of each resource. After dn_nodes_newest. */
void dn_nodes_write(const dn_nodes *nodes, dn_jsonw *json, dn_naming *naming, const dunlin_path *paths,
                    size_t path_count);
/* The member "values": {PATH: value}. After dn_nodes_newest. */
void dn_nodes_write_values(const dn_nodes *nodes, dn_jsonw *json);
/* The member "records": [{"path", "value", "time"}], all values with their times; relative ones count from `now_ms`. */
void dn_nodes_write_records(const dn_nodes *nodes, dn_jsonw *json, int64_t now_ms);

#endif
