/* SPDX-License-Identifier: Apache-2.0 */
/* Files of the factory and of the state; the bootstrap server's account. */
#include "apps/dunlin/client_bootstrap.h"

#include "codec/format.h"
#include "port/card_file.h"
#include "port/state_restore.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define CREDENTIAL_MAX 4096u
#define IMAGE_MAX      65536u
#define FACTORY_MAX    65536u
#define TEXT_MAX       512u
#define STATE_FILE     "accounts"

static const dn_sim_bootstrap_options *options_of(const dn_sim_bootstrap *b)
{
    return &b->options->bootstrap;
}

/* ---- the state ---- */

static bool open_state(dn_sim_bootstrap *b)
{
    char name[4096];
    char error[TEXT_MAX] = "";
    const char *folder = b->options->state_dir;
    if (folder == NULL) {
        return true;
    }
    if (mkdir(folder, 0700) != 0 && errno != EEXIST) {
        (void)fprintf(stderr, "dunlin client: cannot make the directory %s: %s\n", folder, strerror(errno));
        return false;
    }
    const int len = snprintf(name, sizeof name, "%s/%s", folder, STATE_FILE);
    if (len < 0 || (size_t)len >= sizeof name) {
        (void)fputs("dunlin client: the name of the --state directory is too long\n", stderr);
        return false;
    }
    if (dn_state_file_open(name, &b->state, error, sizeof error) != DUNLIN_OK) {
        (void)fprintf(stderr, "dunlin client: --state %s: %s\n", folder, error);
        return false;
    }
    return true;
}

dunlin_status dn_sim_bootstrap_save(dn_sim_bootstrap *b, dunlin_slice image)
{
    const dunlin_status status = dn_state_file_save(b->state, image);
    if (status == DUNLIN_ERR_IO) {
        (void)fprintf(stderr, "dunlin client: the state in %s cannot be written: %s\n", b->options->state_dir,
                      strerror(errno));
    }
    return status;
}

dunlin_status dn_sim_bootstrap_restore(dn_sim_bootstrap *b, dunlin_client *client)
{
    char error[TEXT_MAX] = "";
    if (b->state == NULL) {
        return DUNLIN_ERR_NOT_FOUND;
    }
    const dunlin_status status = dn_state_restore(b->state, client, error, sizeof error);
    switch (status) {
    case DUNLIN_OK:
        (void)printf("going on from the state in %s\n", b->options->state_dir);
        return DUNLIN_OK;
    case DUNLIN_ERR_NOT_FOUND:
        return status;
    case DUNLIN_ERR_MALFORMED:
        (void)fprintf(stderr, "dunlin client: %s\n", error);
        return DUNLIN_ERR_NOT_FOUND;
    default:
        (void)fprintf(stderr, "dunlin client: --state %s: %s\n", b->options->state_dir, error);
        return status;
    }
}

bool dn_sim_bootstrap_forget(dn_sim_bootstrap *b)
{
    if (b->state == NULL || dn_state_file_remove(b->state) == DUNLIN_OK) {
        return true;
    }
    (void)fprintf(stderr, "dunlin client: the state in %s cannot be removed: %s\n", b->options->state_dir,
                  strerror(errno));
    return false;
}

void dn_sim_bootstrap_refine(const dn_sim_bootstrap *b, uint16_t server, dn_tls_client_config *config)
{
    if (b->enrolling != NULL) {
        dn_enrolling_refine(b->enrolling, server, config);
    }
}

/* ---- the card ---- */

dunlin_status dn_sim_bootstrap_card(dn_sim_bootstrap *b, dunlin_buf *file)
{
    return dn_card_file_read(options_of(b)->smartcard, file);
}

/* ---- the factory ---- */

static bool ends_with(const char *text, const char *end)
{
    const size_t len = strlen(text);
    return len >= strlen(end) && strcmp(text + len - strlen(end), end) == 0;
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* TLV has nothing to know it by but the name; the others begin with an array, LwM2M JSON with an object. */
static uint16_t format_of(const char *name, dunlin_slice bytes)
{
    size_t at = 0;
    if (ends_with(name, ".tlv")) {
        return DN_FORMAT_TLV;
    }
    if (ends_with(name, ".cbor") || (bytes.len > 0 && bytes.data[0] >> 5 == 4)) {
        return DN_FORMAT_SENML_CBOR;
    }
    while (at < bytes.len && is_blank(bytes.data[at])) {
        at++;
    }
    if (at < bytes.len && bytes.data[at] == '[') {
        return DN_FORMAT_SENML_JSON;
    }
    return at < bytes.len && bytes.data[at] == '{' ? DN_FORMAT_LWM2M_JSON : DN_FORMAT_NONE;
}

static bool wrong(const char *file, const char *why)
{
    (void)fprintf(stderr, "dunlin client: --factory %s: %s\n", file, why);
    return false;
}

static bool provision(dunlin_client *client, const dn_sim_bootstrap_options *o, dunlin_slice bytes)
{
    dunlin_path base = dunlin_path_root();
    const uint16_t format = format_of(o->factory, bytes);
    if (format == DN_FORMAT_NONE) {
        return wrong(
            o->factory,
            "it is neither SenML JSON, SenML CBOR nor LwM2M JSON; is it TLV, its name must end in .tlv");
    }
    if (o->factory_path != NULL && dunlin_path_parse(dunlin_slice_of(o->factory_path), &base) != DUNLIN_OK) {
        return wrong(o->factory, "--factory-path takes a path like /0 or /1/0");
    }
    if (format == DN_FORMAT_TLV && base.depth == 0) {
        return wrong(o->factory, "TLV has no names: say with --factory-path what it is about, as /0");
    }
    const dunlin_status status = dunlin_client_provision(client, base, format, bytes);
    return status == DUNLIN_OK || wrong(o->factory, dunlin_status_text(status));
}

bool dn_sim_bootstrap_provision(dn_sim_bootstrap *b, dunlin_client *client)
{
    const dn_sim_bootstrap_options *o = options_of(b);
    if (o->factory == NULL) {
        return true;
    }
    dunlin_buf bytes = dunlin_buf_make(malloc(FACTORY_MAX), FACTORY_MAX);
    if (bytes.data == NULL) {
        return wrong(o->factory, "out of memory");
    }
    bool good = false;
    switch (dn_card_file_read(o->factory, &bytes)) {
    case DUNLIN_OK:
        good = provision(client, o, dunlin_buf_view(&bytes));
        break;
    case DUNLIN_ERR_SPACE:
        good = wrong(o->factory, "it is larger than 64 KiB");
        break;
    default:
        good = wrong(o->factory, strerror(errno));
        break;
    }
    explicit_bzero(bytes.data, bytes.cap);
    free(bytes.data);
    return good;
}

/* ---- the account ---- */

bool dn_sim_bootstrap_open(dn_sim_bootstrap *b, const dn_sim_options *options)
{
    b->options = options;
    if (!dn_sim_bootstrap_wanted(&options->bootstrap)) {
        return true;
    }
    b->enrolling = dn_enrolling_create(NULL, NULL);
    if (b->enrolling == NULL) {
        (void)fputs("dunlin client: out of memory\n", stderr);
        return false;
    }
    return dn_sim_security_load(&options->bootstrap.security, &b->security) && open_state(b);
}

void dn_sim_bootstrap_close(dn_sim_bootstrap *b)
{
    dn_state_file_close(b->state);
    dn_enrolling_destroy(b->enrolling);
    dn_sim_security_free(&b->security);
}

void dn_sim_bootstrap_configure(const dn_sim_bootstrap *b, dunlin_client_config *config)
{
    config->bootstrap = true;
    config->enroll = dn_enrolling_callbacks(b->enrolling);
    config->bootstrap_format = options_of(b)->format;
    config->bootstrap_stays = options_of(b)->stays;
    config->bootstrap_retry_s = b->options->retry_s;
    config->bootstrap_tries = b->options->tries;
    config->servers = DUNLIN_SERVERS_MAX;
    config->credential_max =
        config->credential_max > CREDENTIAL_MAX ? config->credential_max : CREDENTIAL_MAX;
    config->image_max = IMAGE_MAX;
    if (b->state == NULL) {
        config->call.save = NULL;
    }
    if (options_of(b)->smartcard == NULL) {
        config->call.smartcard = NULL;
    }
}

dunlin_status dn_sim_bootstrap_add(dn_sim_bootstrap *b, dunlin_client *client)
{
    const dn_sim_bootstrap_options *o = options_of(b);
    dunlin_server server = dunlin_server_default();
    if (o->url == NULL) {
        return DUNLIN_OK;
    }
    (void)snprintf(server.uri, sizeof server.uri, "%s", o->url);
    server.bootstrap = true;
    server.security = b->security.security;
    server.hold_off_s = o->hold_off_s;
    return dunlin_client_add_server(client, &server);
}
