/* SPDX-License-Identifier: Apache-2.0 */
/* Prints a configuration with its blanks filled in. */
#include "apps/dunlin/cmd_ets_config.h"
#include "apps/dunlin/command.h"
#include "ets/configurations.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OUT_MAX   65536u
#define SERVER    "coaps://server.example.com"
#define BOOTSTRAP "coaps://bootstrap.example.com"

static int complain(const char *what, const char *text)
{
    (void)fprintf(stderr, "dunlin ets config: %s%s%s\n", what, text != NULL ? " " : "",
                  text != NULL ? text : "");
    return EXIT_CODE_USAGE;
}

static int print_list(void)
{
    dn_ets_config config;
    const char *title;
    for (size_t i = 0; (title = dn_ets_configuration_title(i, &config)) != NULL; i++) {
        (void)puts(title);
    }
    return 0;
}

static bool find(const char *name, dn_ets_config *config)
{
    const char *title;
    for (size_t i = 0; (title = dn_ets_configuration_title(i, config)) != NULL; i++) {
        const size_t len = strcspn(title, ":");
        if (strlen(name) == len && strncmp(title, name, len) == 0) {
            return true;
        }
    }
    return false;
}

/* The account's security as it goes with its URI: NULL without an "s". */
static bool dress(const char *uri, const dn_ets_security *from, dunlin_security *out,
                  const dunlin_security **used)
{
    *used = NULL;
    if (strncmp(uri, "coaps", strlen("coaps")) != 0) {
        return true;
    }
    *out = (dunlin_security){
        .mode = DUNLIN_PSK, .identity = from->identity, .secret = from->secret, .matching = -1, .usage = -1};
    if (from->certificate.len > 0) {
        out->mode = DUNLIN_X509;
        out->identity = from->certificate;
        out->secret = from->key;
        out->server_key = from->server_certificate;
    }
    *used = out;
    return out->identity.len > 0;
}

static int print_values(dn_ets_config config, const dn_ets_blanks *blanks, uint16_t format)
{
    static char memory[OUT_MAX];
    dn_ets_values values = {.list = NULL};
    dunlin_buf out = dunlin_buf_make(memory, sizeof memory);
    dunlin_status status =
        dn_ets_configuration(config, blanks, true, &values) && !values.failed ? DUNLIN_OK : DUNLIN_ERR_MEMORY;
    if (status == DUNLIN_OK) {
        status = dn_ets_values_encode(&values, format, dunlin_path_root(), &out);
    }
    dn_ets_values_clear(&values);
    if (status != DUNLIN_OK) {
        return complain("it cannot be written:", dunlin_status_text(status));
    }
    (void)printf("%.*s\n", (int)out.len, memory);
    explicit_bzero(memory, sizeof memory);
    return 0;
}

static int print_document(dn_ets_config config, const dn_ets_blanks *blanks)
{
    dn_ets_text text = {.data = NULL};
    if (config != DN_ETS_C1 && config != DN_ETS_C17) {
        return complain("only C.1 and C.17 are what a bootstrap server writes", NULL);
    }
    dn_ets_configuration_document(blanks, false, &text);
    if (text.failed) {
        free(text.data);
        return complain("no memory", NULL);
    }
    (void)puts(text.data);
    explicit_bzero(text.data, text.len);
    free(text.data);
    return 0;
}

int dn_ets_print_config(const dn_ets_config_options *options)
{
    dn_ets_config config;
    dunlin_security server;
    dunlin_security bootstrap;
    dn_ets_blanks blanks = {.server_uri = options->target != NULL ? options->target : SERVER,
                            .bootstrap_uri = options->bootstrap != NULL ? options->bootstrap : BOOTSTRAP};
    if (options->name == NULL) {
        return print_list();
    }
    if (!find(options->name, &config)) {
        return complain("there is no configuration as data named", options->name);
    }
    if (!dress(blanks.server_uri, options->security, &server, &blanks.server_security) ||
        !dress(blanks.bootstrap_uri, options->security, &bootstrap, &blanks.bootstrap_security)) {
        return complain("coaps needs credentials: --psk ID:HEX, or --cert, --key and --server-cert", NULL);
    }
    const char *format = options->format != NULL ? options->format : "lwm2m-json";
    if (strcmp(format, "document") == 0) {
        return print_document(config, &blanks);
    }
    if (strcmp(format, "lwm2m-json") != 0 && strcmp(format, "senml-json") != 0) {
        return complain("--format is lwm2m-json, senml-json or document, not", format);
    }
    return print_values(config, &blanks,
                        strcmp(format, "lwm2m-json") == 0 ? DN_FORMAT_LWM2M_JSON : DN_FORMAT_SENML_JSON);
}
