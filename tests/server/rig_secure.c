/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions and credentials of the rig's devices. */
#include "tests/server/rig_secure.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void open_stream(rig *r, rig_device *device)
{
    if (dn_transport_is_stream(device->transport)) {
        const dn_peer server = rig_server(device);
        assert_int_equal(dn_coap_open(device->coap, &server, dn_simlink_now(r->link)), DUNLIN_OK);
    }
}

static void close_stream(rig_device *device)
{
    if (dn_transport_is_stream(device->transport)) {
        const dn_peer server = rig_server(device);
        dn_coap_close(device->coap, &server);
    }
}

void rig_open_as(rig *r, rig_device *device, dn_transport transport, dn_security_mode mode,
                 const char *endpoint)
{
    device->transport = transport;
    device->is_open = true;
    device->has_proved = endpoint != NULL;
    device->identity = (dn_identity){.mode = (uint8_t)mode};
    if (endpoint != NULL) {
        dunlin_slice name = dunlin_slice_of(endpoint);
        device->identity.is_pattern = dn_endpoint_is_pattern(name);
        device->identity.endpoint_len = (uint8_t)name.len;
        memcpy(device->identity.endpoint, name.data, name.len);
    }
    open_stream(r, device);
    const dn_peer peer = rig_peer(device);
    rig_session(r, &peer, true);
}

void rig_open(rig *r, rig_device *device, dn_transport transport, const char *endpoint)
{
    rig_open_as(r, device, transport, DN_SECURITY_PSK, endpoint);
}

void rig_close(rig *r, rig_device *device)
{
    const dn_peer peer = rig_peer(device);
    device->is_open = false;
    close_stream(device);
    rig_session(r, &peer, false);
}

void rig_roam(rig *r, rig_device *device)
{
    close_stream(device);
    rig_rebind(r, device);
    device->is_open = true;
    open_stream(r, device);
    const dn_peer peer = rig_peer(device);
    rig_session(r, &peer, true);
}

void rig_speak_plainly(rig_device *device)
{
    device->transport = DN_TRANSPORT_UDP;
    device->is_open = device->has_proved = false;
}

static bool is_known(dn_credentials *head, dunlin_slice endpoint)
{
    const rig_credentials *credentials = (const rig_credentials *)head;
    for (size_t i = 0; credentials->endpoints[i] != NULL; i++) {
        if (dn_endpoint_matches(dunlin_slice_of(credentials->endpoints[i]), endpoint)) {
            return true;
        }
    }
    return false;
}

static dunlin_status get(dn_credentials *head, dunlin_slice endpoint, dn_credential *out)
{
    const rig_credentials *credentials = (const rig_credentials *)head;
    *out = (dn_credential){.number = 1};
    for (size_t i = 0; credentials->endpoints[i] != NULL; i++) {
        if (dunlin_slice_equal(dunlin_slice_of(credentials->endpoints[i]), endpoint)) {
            return DUNLIN_OK;
        }
    }
    return DUNLIN_ERR_NOT_FOUND;
}

static uint64_t count(dn_credentials *head)
{
    const rig_credentials *credentials = (const rig_credentials *)head;
    uint64_t number = 0;
    while (credentials->endpoints[number] != NULL) {
        number++;
    }
    return number;
}

void rig_credentials_init(rig_credentials *credentials)
{
    static const dn_credentials_ops ops = {.is_known = is_known, .get = get, .count = count};
    *credentials = (rig_credentials){.head = {.ops = &ops}};
}

void rig_credentials_add(rig *r, rig_credentials *credentials, const char *endpoint)
{
    uint64_t at = count(&credentials->head);
    assert_true(at + 1 < sizeof credentials->endpoints / sizeof credentials->endpoints[0]);
    credentials->endpoints[at] = endpoint;
    dn_shard_credentials_changed(r->shard);
}

void rig_credentials_clear(rig *r, rig_credentials *credentials)
{
    credentials->endpoints[0] = NULL;
    dn_shard_credentials_changed(r->shard);
}
