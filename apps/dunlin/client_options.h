/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of `dunlin client`. */
#ifndef DUNLIN_APP_CLIENT_OPTIONS_H
#define DUNLIN_APP_CLIENT_OPTIONS_H

#include "apps/dunlin/client_bootstrap_options.h"
#include "apps/dunlin/client_failure.h"
#include "apps/dunlin/client_security.h"
#include "port/uri.h"
#include <dunlin/client.h>

#define DN_SIM_OBJECT_FILES_MAX 32

typedef struct {
    const char *endpoint;
    const char *urls[DUNLIN_SERVERS_MAX]; /* as given; the first has the Short Server ID 1 */
    dn_transport transports[DUNLIN_SERVERS_MAX];
    dn_sim_security_options security[DUNLIN_SERVERS_MAX]; /* by server, with what is common to all */
    dn_sim_security_options common;
    size_t url_count;
    dn_sim_bootstrap_options bootstrap;
    bool bootstrap_named;   /* later than the last URL: what follows of credentials is about it */
    const char *local;      /* address to bind UDP and DTLS to, NULL: any */
    const char *ready_file; /* NULL: none */
    const char *objects[DN_SIM_OBJECT_FILES_MAX];
    size_t object_count;
    dunlin_lwm2m lwm2m;
    int32_t lifetime_s;
    uint32_t period_ms; /* between movements of the simulated values; 0: they stand still */
    uint32_t retry_s;
    uint32_t tries; /* 0: five to register, and no end of those to bootstrap */
    uint64_t seed;
    const char *binding;   /* NULL: what fits, see dn_sim_binding_of */
    const char *root_path; /* "": the Objects are at the root */
    bool queue;
    uint32_t awake_ms;     /* 0: as the library has it */
    bool cellular;         /* a modem: Objects 10 and 11 */
    const char *state_dir; /* what survives a restart; NULL: nothing */
    const char *ca_file;   /* certificates to trust for https, NULL: the system's */
    dn_sim_failure firmware_fail;
    uint32_t firmware_time_ms; /* that an installation takes */
    bool firmware_1_1;         /* version 1.1 of Firmware Update */
    bool confirmable;          /* all notifications */
    bool console;
    bool verbose;
} dn_sim_options;

/* Reads it. False: what is wrong was printed to stderr, the caller exits with EXIT_CODE_USAGE. */
bool dn_sim_options_read(int argc, char **argv, dn_sim_options *out);
/* What a server is told, and the device as a whole. */
const char *dn_sim_binding_of(const dn_sim_options *options, size_t server);
const char *dn_sim_bindings(const dn_sim_options *options);

#endif
