/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of `dunlin client`. */
#ifndef DUNLIN_APP_CLIENT_OPTIONS_H
#define DUNLIN_APP_CLIENT_OPTIONS_H

#include <dunlin/client.h>

#define DN_SIM_OBJECT_FILES_MAX 32
#define DN_SIM_HOST_MAX         256

typedef struct {
    const char *endpoint;
    const char *url;            /* as given */
    char host[DN_SIM_HOST_MAX]; /* out of it */
    uint16_t port;
    const char *local;      /* address to bind, NULL: any */
    const char *ready_file; /* NULL: none */
    const char *objects[DN_SIM_OBJECT_FILES_MAX];
    size_t object_count;
    dunlin_lwm2m lwm2m;
    int32_t lifetime_s;
    uint32_t period_ms; /* between movements of the simulated values; 0: they stand still */
    uint32_t retry_s;
    uint64_t seed;
    bool confirmable; /* all notifications */
    bool console;
    bool verbose;
} dn_sim_options;

/* Reads it. False: what is wrong was printed to stderr, the caller exits with EXIT_CODE_USAGE. */
bool dn_sim_options_read(int argc, char **argv, dn_sim_options *out);
/* Takes "coap://host[:port]" apart. NULL, or what is wrong with it. */
const char *dn_sim_url_read(const char *url, dn_sim_options *out);

#endif
