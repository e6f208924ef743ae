/* SPDX-License-Identifier: Apache-2.0 */
/* A JSON tree from an API caller, checked against the model, as records and then as a payload for a device. */
#ifndef DN_API_NODE_READ_H
#define DN_API_NODE_READ_H

#include "api/json_read.h"
#include "api/naming.h"
#include "api/text.h"

typedef struct {
    char pointer[128]; /* RFC 6901, into the body; "" is the whole of it */
    char detail[200];
} dn_node_error;

typedef struct {
    dn_record *records; /* in path order, no path twice */
    size_t count, cap;
    uint8_t *scratch;
    bool named_instance; /* create: the body says which instance */
} dn_node_input;

/*
 * Reads `body` (`body_len` bytes of JSON text) as the node at `path`; with depth 1 as the instance to create, whose records get
 * instance 0 when the body names none. Values view `body`, which must outlive the input. False: `error` says where and why.
 * Free with dn_node_input_free in either case.
 */
bool dn_node_read(const json_t *body, size_t body_len, dunlin_path path, dn_naming *naming,
                  dn_node_input *input, dn_node_error *error);
void dn_node_input_free(dn_node_input *input);
/* Gives the records another instance: for a create whose instance the server picks. */
void dn_node_input_place(dn_node_input *input, uint16_t instance);
/* The payload in `format` for a request on `base`. Errors: dn_encode's, MEMORY. */
dunlin_status dn_node_encode(const dn_node_input *input, uint16_t format, dunlin_path base, dn_text *payload);

#endif
