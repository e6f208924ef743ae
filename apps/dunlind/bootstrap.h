/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dunlind's bootstrap server: its stores, its keys and the credentials of devices towards it, enrolment, and its ports. Without an address for it in the
 * settings there is none, and every function here does nothing.
 *
 * In this order: open; start, once the LwM2M server runs; show, once the API runs; hide, before the API ends; stop, before the LwM2M server
 * ends, whose credentials it changes; close. Threads: the main thread.
 */
#ifndef DUNLIND_BOOTSTRAP_H
#define DUNLIND_BOOTSTRAP_H

#include "api/api.h"
#include "keys.h"
#include "reached.h"
#include "settings.h"

typedef struct bootstrap bootstrap;

/* Nothing is listened to yet. The settings, the log and the registry outlive it. NULL: `error` says why. */
bootstrap *bootstrap_open(const settings *set, const dn_log *log, dn_registry *registry, char *error,
                          size_t error_size);
void bootstrap_close(bootstrap *held); /* may be NULL */
/* PEM of the authority whose certificates the LwM2M server is to trust; empty: none. */
dunlin_slice bootstrap_authority(const bootstrap *held);

/* `server`: what devices are told of the LwM2M server, and where minted credentials go; `at`: where they reach it. False: `error` says why. */
bool bootstrap_start(bootstrap *held, const keys *server, const reached *at, char *error, size_t error_size);
/* Lets runs under way end for at most `grace_ms`. */
void bootstrap_stop(bootstrap *held, uint32_t grace_ms);

/* What the API needs to know of it, before it is started. */
void bootstrap_tell_api(const bootstrap *held, dn_api_config *config);
/* Its events go to the API from now on. */
void bootstrap_show(bootstrap *held, dn_api *api);
void bootstrap_hide(bootstrap *held);

/* The n-th address of a transport; NULL: no such. */
const char *bootstrap_address(const bootstrap *held, dn_transport transport, size_t index);
bool bootstrap_healthy(const bootstrap *held, const char **detail);

/* The LwM2M server's key or certificate is another one now. */
void bootstrap_use_server(bootstrap *held, const keys *server);
/* True when a file of its keys has changed: then bootstrap_reload is due. */
bool bootstrap_has_changed(bootstrap *held);
/* Reads keys and certificates anew, by these settings. */
void bootstrap_reload(bootstrap *held, const settings *set);

#endif
