/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of values to and from the JSON nodes of the REST API, which programs behind `--operator exec:` use too. */
#ifndef DUNLIN_APP_CMD_ETS_JSON_H
#define DUNLIN_APP_CMD_ETS_JSON_H

#include "ets/operator.h"

#include <jansson.h>

/* {"value":…}, {"values":[…]} or {"id":…,"resources":[…]} of what lies at and below `path` (an instance: `path` or the only
 * one in the set). Each has its type. NULL: no memory. */
json_t *dn_ets_json_node(const dn_ets_values *values, dunlin_path path);
/* A bare value. */
json_t *dn_ets_json_value(dunlin_type type, const char *text);
/* Adds what a node at `path` holds. False: it is no such node. */
bool dn_ets_json_read(const json_t *node, dunlin_path path, dn_ets_values *values);
/* Adds one value. */
bool dn_ets_json_read_value(const json_t *value, dunlin_path path, dn_ets_values *values);
/* 0x45 of "2.05"; 0: it is no code. */
uint8_t dn_ets_json_code(const char *text);

#endif
