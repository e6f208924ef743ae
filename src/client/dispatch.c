/* SPDX-License-Identifier: Apache-2.0 */
/* From a CoAP request to the operation it is (Transport 1.1.1 section 6.4.4), and the checks that come before
 * all of them. */
#include "client/access.h"
#include "client/formats.h"
#include "client/image.h"
#include "client/operation.h"
#include "client/resource.h"
#include "client/stream.h"
#include "client/tree.h"
#include <string.h>

#define CODE_OK     0
#define PATH_DEPTHS 4

/* Depths of a path, as a set. */
enum { AT_ROOT = 1, AT_OBJECT = 2, AT_INSTANCE = 4, AT_RESOURCE = 8, AT_ELEMENT = 16 };
#define AT_TREE   (AT_OBJECT | AT_INSTANCE | AT_RESOURCE)
#define AT_VALUES (AT_INSTANCE | AT_RESOURCE | AT_ELEMENT)

/* What else must be so for a row to be the one. A POST to a STREAM, which cannot be executed, is the Write of a
   package that older servers send (Core 1.1.1 appendix E.6). */
typedef enum { ALWAYS, IF_LINK, IF_QUERY_ONLY, IF_STREAM, FROM_1_1 } route_condition;

/* How much of the path must be there. A Write may instantiate a resource that the Object defines. */
typedef enum { MUST_EXIST, MAY_BE_ABSENT } route_target;

typedef struct {
    uint8_t method;
    uint8_t depths;
    route_condition condition;
    route_target target;
    bool takes_query;
    uint8_t right; /* that the server must have on the target, DUNLIN_ACCESS_…; 0: none */
    uint8_t (*run)(dn_operation *);
} route;

/* The first row that fits is the operation; none: 4.05. Composites ask for the rights of each path that they
   name. */
static const route routes[] = {
    {DN_COAP_GET, AT_TREE, IF_LINK, MUST_EXIST, false, 0, dn_client_operation_discover},
    {DN_COAP_GET, AT_OBJECT | AT_VALUES, ALWAYS, MUST_EXIST, false, DUNLIN_ACCESS_READ,
     dn_client_operation_read},
    {DN_COAP_PUT, AT_OBJECT | AT_VALUES, IF_QUERY_ONLY, MUST_EXIST, true, DUNLIN_ACCESS_READ,
     dn_client_operation_write_attributes},
    {DN_COAP_PUT, AT_VALUES, ALWAYS, MAY_BE_ABSENT, false, DUNLIN_ACCESS_WRITE,
     dn_client_operation_write_replace},
    {DN_COAP_POST, AT_OBJECT, ALWAYS, MUST_EXIST, false, DUNLIN_ACCESS_CREATE, dn_client_operation_create},
    {DN_COAP_POST, AT_INSTANCE, ALWAYS, MUST_EXIST, false, DUNLIN_ACCESS_WRITE,
     dn_client_operation_write_update},
    {DN_COAP_POST, AT_RESOURCE, IF_STREAM, MUST_EXIST, false, DUNLIN_ACCESS_WRITE,
     dn_client_operation_write_replace},
    {DN_COAP_POST, AT_RESOURCE, ALWAYS, MUST_EXIST, true, DUNLIN_ACCESS_EXECUTE, dn_client_operation_execute},
    {DN_COAP_DELETE, AT_INSTANCE, ALWAYS, MUST_EXIST, false, DUNLIN_ACCESS_DELETE,
     dn_client_operation_delete},
    {DN_COAP_FETCH, AT_ROOT, FROM_1_1, MUST_EXIST, false, 0, dn_client_operation_read_composite},
    {DN_COAP_IPATCH, AT_ROOT, FROM_1_1, MUST_EXIST, false, 0, dn_client_operation_write_composite},
};

uint8_t dn_client_code_of(dunlin_status status)
{
    if (status == DUNLIN_OK) {
        return DN_COAP_CHANGED;
    }
    if (dunlin_is_bad_input(status)) {
        return DN_COAP_BAD_REQUEST;
    }
    switch (status) {
    case DUNLIN_ERR_STATE:
        return DN_COAP_METHOD_NOT_ALLOWED;
    case DUNLIN_ERR_NOT_FOUND:
        return DN_COAP_NOT_FOUND;
    default:
        return DN_COAP_INTERNAL_ERROR;
    }
}

/* One segment: an id in decimal, below 65535. */
static bool read_segment(dunlin_slice text, uint16_t *id)
{
    uint32_t number = 0;
    if (text.len == 0 || text.len > 5 || (text.len > 1 && text.data[0] == '0')) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return false;
        }
        number = number * 10 + (uint32_t)(text.data[i] - '0');
    }
    *id = (uint16_t)number;
    return number < DUNLIN_ID_NONE;
}

/* Takes the segments of the alternate path off, if this client's Objects stand below one (Core 1.1.1
 * section 6.4.1). */
static bool leave_root(dn_coap_options *options, const char *root)
{
    while (*root == '/') {
        dunlin_slice segment;
        const char *name = ++root;
        while (*root != '\0' && *root != '/') {
            root++;
        }
        if (dn_coap_option_find(options, DN_OPTION_URI_PATH, &segment) != DUNLIN_OK ||
            !dunlin_slice_equal(segment, dunlin_slice_make(name, (size_t)(root - name)))) {
            return false;
        }
    }
    return true;
}

static uint8_t read_path(const dunlin_client *client, dn_coap_options options, dunlin_path *path)
{
    dunlin_slice segment;
    *path = dunlin_path_root();
    if (!leave_root(&options, client->config.root_path)) {
        return DN_COAP_NOT_FOUND;
    }
    while (dn_coap_option_find(&options, DN_OPTION_URI_PATH, &segment) == DUNLIN_OK) {
        if (path->depth == PATH_DEPTHS) {
            return DN_COAP_METHOD_NOT_ALLOWED;
        }
        if (!read_segment(segment, &path->id[path->depth])) {
            return DN_COAP_BAD_REQUEST;
        }
        path->depth++;
    }
    return CODE_OK;
}

bool dn_client_path_of(const dunlin_client *client, const dn_coap_incoming *request, dunlin_path *path)
{
    return read_path(client, request->options, path) == CODE_OK;
}

static bool has_query(const dn_coap_incoming *request)
{
    dn_coap_options walk = request->options;
    dunlin_slice query;
    return dn_coap_option_find(&walk, DN_OPTION_URI_QUERY, &query) == DUNLIN_OK;
}

static bool names_stream(dunlin_client *client, dunlin_path path)
{
    dn_place place;
    return dn_client_tree_find(client, path, true, &place) == DUNLIN_OK && place.resource != NULL &&
           place.resource->kept == DUNLIN_KEPT_STREAM;
}

static bool condition_met(dunlin_client *client, const dn_coap_incoming *request, dunlin_path path,
                          route_condition condition)
{
    switch (condition) {
    case IF_LINK:
        return request->accept == DN_FORMAT_LINK;
    case IF_QUERY_ONLY:
        return request->payload.len == 0 && has_query(request);
    case IF_STREAM:
        return names_stream(client, path);
    case FROM_1_1:
        return client->config.lwm2m != DUNLIN_LWM2M_1_0;
    default:
        return true;
    }
}

static const route *find_route(dunlin_client *client, const dn_coap_incoming *request, dunlin_path path)
{
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        const route *row = &routes[i];
        if (row->method == request->code && (row->depths >> path.depth & 1) != 0 &&
            condition_met(client, request, path, row->condition)) {
            return row;
        }
    }
    return NULL;
}

/* Finds what the path names. Before 1.1 there was no access to resource instances. */
static uint8_t find_target(dn_operation *op, dunlin_path path, const route *row)
{
    const bool instantiated = row == NULL || row->target == MUST_EXIST;
    const dunlin_status status = dn_client_tree_find(op->client, path, instantiated, &op->at);
    op->at.server = op->account->ssid;
    if (status != DUNLIN_OK) {
        return dn_client_code_of(status);
    }
    return path.depth == 4 && op->client->config.lwm2m == DUNLIN_LWM2M_1_0 ? DN_COAP_METHOD_NOT_ALLOWED
                                                                           : CODE_OK;
}

/* Security and OSCORE are nobody's business, whether they are there or not (Core 1.1.1 section 6.3). */
bool dn_client_hidden(dunlin_client *client, uint16_t object)
{
    const dn_object_slot *slot = dn_client_tree_object(client, object);
    return object == DN_SECURITY_OBJECT || object == DN_OSCORE_OBJECT ||
           (slot != NULL && (slot->def->flags & DUNLIN_HIDDEN) != 0);
}

/* What an Execute does is the application's, and cannot be taken back. */
static bool may_change(const route *row)
{
    return row->method != DN_COAP_GET && row->method != DN_COAP_FETCH && row->right != DUNLIN_ACCESS_EXECUTE;
}

static uint8_t operate(dn_operation *op)
{
    dunlin_path path;
    const dn_coap_incoming *request = op->request;
    uint8_t code = read_path(op->client, request->options, &path);
    if (code != CODE_OK) {
        return code;
    }
    op->at.server = op->account->ssid;
    if (path.depth > 0 && dn_client_hidden(op->client, path.id[0])) {
        return DN_COAP_UNAUTHORIZED;
    }
    const route *row = find_route(op->client, request, path);
    code = path.depth > 0 ? find_target(op, path, row) : CODE_OK;
    if (code != CODE_OK) {
        return code;
    }
    if (row == NULL) {
        return DN_COAP_METHOD_NOT_ALLOWED;
    }
    if (row->right != 0 && !dn_client_access_may(op->client, op->at.server, path, row->right)) {
        op->client->counters.denied++;
        return DN_COAP_UNAUTHORIZED;
    }
    if (!row->takes_query && has_query(request)) {
        return DN_COAP_BAD_REQUEST;
    }
    if (may_change(row) && !dn_client_image_ready(op->client)) {
        return DN_COAP_INTERNAL_ERROR;
    }
    return row->run(op);
}

void dn_client_dispatch(dunlin_client *client, dn_account *account, const dn_coap_incoming *request,
                        const dunlin_piece *piece, dunlin_buf *body, dn_coap_reply *reply)
{
    dn_operation op;
    memset(&op, 0, sizeof op);
    op.client = client;
    op.account = account;
    op.request = request;
    op.piece = piece;
    op.body = body;
    op.reply = reply;

    client->counters.requests += piece == NULL || piece->offset == 0 ? 1 : 0;
    reply->code = operate(&op);
    if (piece != NULL && reply->code != DN_COAP_CONTINUE) {
        dn_client_stream_lost(client, request->key); /* refused in its midst: the rest will not come */
    }
    if (reply->code >= DN_COAP_BAD_REQUEST) {
        client->counters.refused++;
    }
    dn_client_image_step(client); /* what an Execute has changed, or a callback beside what was written */
}
