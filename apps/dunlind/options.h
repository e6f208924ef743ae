/* SPDX-License-Identifier: Apache-2.0 */
/* dunlind's command line. */
#ifndef DUNLIND_OPTIONS_H
#define DUNLIND_OPTIONS_H

#include "settings.h"

typedef enum { OPTIONS_RUN, OPTIONS_DONE, OPTIONS_BAD } options_result;

typedef struct {
    const char *text[LIST_MAX];
    size_t count;
} addresses;

/* Texts view argv. */
typedef struct {
    const char *config_file; /* NULL: none */
    const char *ready_file;
    bool check_config;
    const char *data, *http, *console, *store, *durability, *log_level, *log_format;
    bool http_open;
    addresses at[4],
        bootstrap[4];      /* --coap and the others, by dn_transport; --bootstrap-coap and the others */
    const char *public[4]; /* "host:port", by dn_transport */
    const char *only, *bootstrap_nosec;
    bool est;
    const char *nosec, *client_cas, *seal_key;
    const char *certificates[LIST_MAX], *keys[LIST_MAX];
    size_t certificate_count, key_count;
    const char *coap_public[LIST_MAX];
    size_t coap_public_count;
    const char *models[LIST_MAX];
    size_t model_count;
} options;

/* DONE: --help or --version was printed; BAD: what is wrong was printed to standard error. */
options_result options_parse(options *given, int argc, char **argv);
/* Puts what was given over `set`. False: `error` says what is wrong. */
bool options_apply(const options *given, settings *set, char *error, size_t error_size);

#endif
