/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices with sessions and streams: what a handshake would have proved is simply said. And a keeper of credentials that knows names
 * alone.
 */
#ifndef TESTS_SERVER_RIG_SECURE_H
#define TESTS_SERVER_RIG_SECURE_H

#include "tests/server/rig.h"

/* The device speaks by `transport` from now on, and, unless `endpoint` is NULL, has proved to be that name, or one of that pattern. */
void rig_open(rig *r, rig_device *device, dn_transport transport, const char *endpoint);
void rig_open_as(rig *r, rig_device *device, dn_transport transport, dn_security_mode mode,
                 const char *endpoint);
/* Its session or stream is gone; it keeps its transport. */
void rig_close(rig *r, rig_device *device);
/* From another port of its host, by a new session of the same identity. */
void rig_roam(rig *r, rig_device *device);
/* It speaks without security over UDP again; the server is not told of any end. */
void rig_speak_plainly(rig_device *device);

/* Credentials for names or patterns, NULL at the end. It must outlive the rig. */
typedef struct {
    dn_credentials head;
    const char *endpoints[8];
} rig_credentials;
void rig_credentials_init(rig_credentials *credentials);
/* Adds a credential; the shard hears of it. */
void rig_credentials_add(rig *r, rig_credentials *credentials, const char *endpoint);
void rig_credentials_clear(rig *r, rig_credentials *credentials);

#endif
