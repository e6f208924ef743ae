/* SPDX-License-Identifier: Apache-2.0 */
/* What only shows of a configuration when all of it is read: a device must end with accounts that are whole and apart (checklist of Finish). */
#include "bootstrap/config_parts.h"

#include <stdio.h>
#include <string.h>

#define SSID_BOOTSTRAP 65535u /* who owns what only a bootstrap server may change */

static bool bad_server(dn_bs_json *json, size_t index, const char *member, const char *what)
{
    size_t back = dn_bs_json_into(json, "servers");
    (void)dn_bs_json_at(json, index);
    (void)dn_bs_json_bad_at(json, member, what);
    dn_bs_json_back(json, back);
    return false;
}

/* Of two accounts what may not be the same. */
static bool check_apart(dn_bs_json *json, const dn_bs_config *config, size_t a, size_t b)
{
    const dn_bs_server *one = &config->servers[a];
    const dn_bs_server *other = &config->servers[b];
    if (one->ssid == other->ssid) {
        return bad_server(json, b, "ssid", "this Short Server ID stands twice");
    }
    if (one->security_instance >= 0 && one->security_instance == other->security_instance) {
        return bad_server(json, b, "instances.security", "this stands twice");
    }
    if (one->server_instance >= 0 && one->server_instance == other->server_instance) {
        return bad_server(json, b, "instances.server", "this stands twice");
    }
    if (one->security.is_minted && other->security.is_minted) {
        return bad_server(json, b, "security.mint", "a device has one minted key for this server");
    }
    return true;
}

static bool check_servers(dn_bs_json *json, const dn_bs_config *config)
{
    for (size_t i = 0; i < config->server_count; i++) {
        const dn_bs_server *server = &config->servers[i];
        for (size_t k = 0; k < i; k++) {
            if (!check_apart(json, config, k, i)) {
                return false;
            }
        }
        if (server->pmin_s >= 0 && server->pmax_s > 0 && server->pmin_s > server->pmax_s) {
            return bad_server(json, i, "pmin", "this is more than pmax");
        }
        if (config->account.uri != NULL && config->account.instance >= 0 &&
            server->security_instance == config->account.instance) {
            return bad_server(json, i, "instances.security", "the account of the bootstrap server is there");
        }
    }
    return config->server_count <= 1 || config->access_count > 0 ||
           dn_bs_json_bad_at(json, "access", "with more than one server it must be said who may do what");
}

static bool has_ssid(const dn_bs_config *config, unsigned ssid)
{
    for (size_t i = 0; i < config->server_count; i++) {
        if (config->servers[i].ssid == ssid) {
            return true;
        }
    }
    return config->server_count == 0; /* the device's accounts stay: they are not known here */
}

static bool check_rights(dn_bs_json *json, const dn_bs_config *config, const dn_bs_access *access)
{
    if (access->object == 2 || access->object == 21) { /* Core 1.1.1 section 8.1; Object 0 is out of range */
        return dn_bs_json_bad_at(json, "object", "Objects 0, 2 and 21 have no access control");
    }
    if (access->owner != SSID_BOOTSTRAP && !has_ssid(config, access->owner)) {
        return dn_bs_json_bad_at(json, "owner", "there is no server of this Short Server ID");
    }
    for (size_t i = 0; i < access->count; i++) {
        const uint16_t ssid = access->entry[i].ssid;
        if (ssid != 0 && !has_ssid(config, ssid)) {
            return dn_bs_json_bad_at(json, "rights", "there is no server of one of these Short Server IDs");
        }
        for (size_t k = 0; k < i; k++) {
            if (access->entry[k].ssid == ssid) {
                return dn_bs_json_bad_at(json, "rights", "a Short Server ID stands twice");
            }
        }
    }
    return true;
}

static bool check_access(dn_bs_json *json, const dn_bs_config *config)
{
    for (size_t i = 0; i < config->access_count; i++) {
        const dn_bs_access *access = &config->access[i];
        size_t back = dn_bs_json_into(json, "access");
        (void)dn_bs_json_at(json, i);
        if (!check_rights(json, config, access)) {
            return false;
        }
        for (size_t k = 0; k < i; k++) {
            if (config->access[k].object == access->object &&
                config->access[k].instance == access->instance) {
                return dn_bs_json_bad_at(json, "instance", "this stands twice");
            }
        }
        dn_bs_json_back(json, back);
    }
    return true;
}

/* Without a server, what is deleted must leave the device one. */
static bool check_deletes(dn_bs_json *json, const dn_bs_config *config)
{
    for (size_t i = 0; i < config->delete_count && config->server_count == 0; i++) {
        if (config->deletes[i].depth == 0 ||
            (config->deletes[i].depth == 1 && config->deletes[i].id[0] <= 1)) {
            return dn_bs_json_bad_at(json, "delete",
                                     "all server accounts would go, and there are no servers");
        }
    }
    return true;
}

bool dn_bs_config_check(dn_bs_json *json, const dn_bs_config *config, bool tells_deletes)
{
    bool does_something = config->server_count > 0 || config->account.uri != NULL ||
                          config->access_count > 0 || config->write_count > 0 ||
                          (tells_deletes && config->delete_count > 0);
    if (!does_something) {
        return dn_bs_json_bad_at(json, "servers", "there are none, and nothing else is to be done");
    }
    return check_servers(json, config) && check_access(json, config) && check_deletes(json, config);
}
