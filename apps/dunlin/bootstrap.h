/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of `dunlin bootstrap` share. */
#ifndef DUNLIN_APP_BOOTSTRAP_H
#define DUNLIN_APP_BOOTSTRAP_H

#include "apps/dunlin/credentials.h"

#define DN_BOOTSTRAP_COMMAND "bootstrap"

/* The options of all its subcommands. */
typedef struct {
    dn_credential_options credential; /* with those that all commands share */
    const char *file;                 /* a document; "-": standard input */
    const char *ssid, *lifetime, *binding, *uri;
    bool nosec, est, allow_insecure;
    const char *if_version, *version;
    bool follow;
    const char *count;
    const char *by; /* "server", "trigger"; NULL: whichever is possible */
} dn_bootstrap_options;

/* The words behind `dunlin bootstrap config`. */
int dn_bootstrap_config(const dn_bootstrap_options *options, int count, char **words);
/* The last runs, of one endpoint or all (NULL); with --follow as they go on. */
int dn_bootstrap_runs(const dn_bootstrap_options *options, const char *endpoint);
int dn_bootstrap_trigger(const dn_bootstrap_options *options, const char *endpoint);
/* By the bootstrap server if it has a way to the device, else by the trigger; or as --by says. */
int dn_bootstrap_rerun(const dn_bootstrap_options *options, const char *endpoint);

#endif
