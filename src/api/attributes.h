/* SPDX-License-Identifier: Apache-2.0 */
/* Notification attributes in a JSON body as the query of a Write-Attributes (Core 1.1.1 sections 5.1.2 and 6.3.4). */
#ifndef DN_API_ATTRIBUTES_H
#define DN_API_ATTRIBUTES_H

#include "api/json_read.h"
#include "api/node_read.h"

/*
 * {"pmin":5,"pmax":null,"gt":2.5} becomes "pmin=5&pmax&gt=2.5": null unsets. False: `error` says where and why. What the device has to judge, such
 * as whether they fit together with those that it has, is left to it.
 */
bool dn_attributes_query(const json_t *body, dn_text *query, dn_node_error *error);

#endif
