/* SPDX-License-Identifier: Apache-2.0 */
/* Walks over Objects 0 and 1. */
#include "apps/dunlin/client_accounts.h"

#include <string.h>

enum { SECURITY_OBJECT = 0, SERVER_OBJECT = 1, URI = 0, BOOTSTRAP = 1, SERVER_SSID = 0, SSID = 10 };

typedef struct {
    uint16_t wanted;
    bool found;
    char uri[DUNLIN_URI_MAX + 1]; /* of the instance that is being walked over */
    bool bootstrap;
    char *out;
} search;

/* Resources come by ascending ids: URI, whether it is the bootstrap server's, and then the Short Server ID, which that one need not have. */
static bool visit_security(void *context, dunlin_path path, const dunlin_resource *resource,
                           const dunlin_value *value)
{
    search *s = context;
    (void)resource;
    if (path.depth != 3 || value == NULL) {
        return true;
    }
    if (path.id[2] == URI && value->as.bytes.len <= DUNLIN_URI_MAX) {
        memcpy(s->uri, value->as.bytes.data, value->as.bytes.len);
        s->uri[value->as.bytes.len] = '\0';
    }
    if (path.id[2] == BOOTSTRAP) {
        s->bootstrap = value->as.boolean;
        s->found = s->bootstrap && s->wanted == DUNLIN_BOOTSTRAP_SERVER;
    }
    if (path.id[2] == SSID && !s->bootstrap) {
        s->found = value->as.integer == s->wanted;
    }
    return !s->found;
}

void dn_sim_account_uri(dunlin_client *client, uint16_t server, char uri[DUNLIN_URI_MAX + 1])
{
    search s = {.wanted = server};
    uri[0] = '\0';
    (void)dunlin_client_walk(client, dunlin_path_object(SECURITY_OBJECT), visit_security, &s);
    if (s.found) {
        memcpy(uri, s.uri, sizeof s.uri);
    }
}

bool dn_sim_account_has_bootstrap(dunlin_client *client)
{
    char uri[DUNLIN_URI_MAX + 1];
    dn_sim_account_uri(client, DUNLIN_BOOTSTRAP_SERVER, uri);
    return uri[0] != '\0';
}

typedef struct {
    uint16_t *servers;
    size_t count;
} list;

static bool visit_server(void *context, dunlin_path path, const dunlin_resource *resource,
                         const dunlin_value *value)
{
    list *l = context;
    (void)resource;
    if (path.depth == 3 && path.id[2] == SERVER_SSID && value != NULL && l->count < DUNLIN_SERVERS_MAX) {
        l->servers[l->count++] = (uint16_t)value->as.integer;
    }
    return true;
}

size_t dn_sim_account_servers(dunlin_client *client, uint16_t servers[DUNLIN_SERVERS_MAX])
{
    list l = {.servers = servers};
    (void)dunlin_client_walk(client, dunlin_path_object(SERVER_OBJECT), visit_server, &l);
    return l.count;
}
