/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request of a server, and the operations it may be (Core 1.1.1 section 6.3, Transport 1.1.1
 * section 6.4.4). Each gives the CoAP code of the answer. The order of checks is the same for all: path,
 * hidden Objects 4.01, existence 4.04, rights 4.01, operation 4.05, format 4.15 or 4.06, payload 4.00; nothing
 * is changed unless the code is a 2.xx.
 */
#ifndef DN_CLIENT_OPERATION_H
#define DN_CLIENT_OPERATION_H

#include "client/state.h"

#define DN_SECURITY_OBJECT 0u
#define DN_OSCORE_OBJECT   21u

typedef struct {
    dunlin_client *client;
    dn_account *account; /* who asks */
    const dn_coap_incoming *request;
    dn_place at;               /* what stands at the request's path */
    const dunlin_piece *piece; /* of a body that is taken in pieces; NULL: request->payload is all of it */
    dunlin_buf *body;          /* for the payload of the answer, or as scratch for decoding */
    dn_coap_reply *reply;
} dn_operation;

uint8_t dn_client_operation_read(dn_operation *operation); /* and Observe, Cancel Observation */
uint8_t dn_client_operation_discover(dn_operation *operation);
uint8_t dn_client_operation_write_replace(dn_operation *operation);
uint8_t dn_client_operation_write_update(dn_operation *operation);
uint8_t dn_client_operation_write_attributes(dn_operation *operation);
uint8_t dn_client_operation_execute(dn_operation *operation);
uint8_t dn_client_operation_create(dn_operation *operation);
uint8_t dn_client_operation_delete(dn_operation *operation);
uint8_t dn_client_operation_read_composite(dn_operation *operation); /* and Observe-Composite, its cancel */
uint8_t dn_client_operation_write_composite(dn_operation *operation);

/* Answers a request of the server behind `account`, of whose body this may be but a piece (NULL: all of it). */
void dn_client_dispatch(dunlin_client *client, dn_account *account, const dn_coap_incoming *request,
                        const dunlin_piece *piece, dunlin_buf *body, dn_coap_reply *reply);
/* The path that a request is about, without the alternate path; false: it is none. */
bool dn_client_path_of(const dunlin_client *client, const dn_coap_incoming *request, dunlin_path *path);
/* Whether an Object is out of every server's reach: Security, OSCORE and others that are HIDDEN. */
bool dn_client_hidden(dunlin_client *client, uint16_t object);
/* The code for what a callback or a check answered: dunlin/object.h. */
uint8_t dn_client_code_of(dunlin_status status);

#endif
