/* SPDX-License-Identifier: Apache-2.0 */
/* The table of everything the API serves. openapi.json describes the same; route_test.c compares the two. */
#ifndef DN_API_ROUTE_H
#define DN_API_ROUTE_H

#include "api/query.h"

#include <dunlin/value.h>

typedef enum {
    DN_METHOD_OTHER = 0,
    DN_METHOD_GET = 1,
    DN_METHOD_PUT = 2,
    DN_METHOD_POST = 4,
    DN_METHOD_DELETE = 8,
    DN_METHOD_HEAD = 16,
    DN_METHOD_OPTIONS = 32
} dn_method;

typedef struct dn_call dn_call;

enum {
    DN_ROUTE_JSON = 1,      /* takes a JSON body */
    DN_ROUTE_XML = 2,       /* takes an XML body */
    DN_ROUTE_NO_HEAD = 4,   /* a HEAD would do the work of the GET, at a device or without end */
    DN_ROUTE_OPTIONAL = 8,  /* the body may be absent */
    DN_ROUTE_LONG = 16,     /* the body may be a long list */
    DN_ROUTE_STREAM = 32,   /* takes an application/octet-stream of any length as it comes */
    DN_ROUTE_BOOTSTRAP = 64 /* that of the bootstrap server, where both servers have it */
};

#define DN_ROUTE_PARAMETERS 8u

typedef struct {
    dn_method method;
    uint8_t flags;
    const char *
        pattern; /* "/api/v1/clients/{endpoint}"; ids of an LwM2M path are {object} {instance} {resource} {resourceInstance}; {id} is any name */
    void (*handle)(dn_call *call);
    const char *parameters[DN_ROUTE_PARAMETERS]; /* query parameters it knows */
} dn_route;

extern const dn_route dn_routes[];
extern const size_t dn_route_count;

typedef enum {
    DN_ROUTE_FOUND,
    DN_ROUTE_NONE,       /* no such URL */
    DN_ROUTE_BAD_PATH,   /* where an LwM2M path belongs there is none */
    DN_ROUTE_BAD_METHOD, /* `methods` says which there are */
} dn_route_result;

typedef struct {
    const dn_route *route;
    unsigned methods; /* those of all routes with this path */
    dunlin_slice endpoint;
    dunlin_path path;
    dunlin_slice name;
} dn_route_match;

/* Finds the route; HEAD finds that of GET unless it has NO_HEAD. */
dn_route_result dn_route_find(dn_method method, const dn_segments *segments, dn_route_match *match);
/* "GET, HEAD, OPTIONS" of a set of methods. */
void dn_methods_text(unsigned methods, char out[64]);
const char *dn_method_name(dn_method method);
dn_method dn_method_named(const char *name);
bool dn_route_knows(const dn_route *route, const char *parameter);

#endif
