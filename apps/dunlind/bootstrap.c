/* SPDX-License-Identifier: Apache-2.0 */
/* The bootstrap server as part of dunlind; see bootstrap.h. */
#include "bootstrap.h"

#include "api/pem.h"
#include "authority.h"
#include "bootstrap/bootstrap.h"
#include "bootstrap/est.h"
#include "est_forward.h"
#include "port/clock.h"
#include "port/entropy.h"
#include "store/bootstrap.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AREA     "bootstrap"
#define URIS_MAX (4 * LIST_MAX)
#define URI_MAX  96u

struct bootstrap {
    const settings *set;
    const dn_log *log;
    dn_registry *registry;
    bool is_served;
    authority authority;
    dn_bs_store *store;
    keys *keys;
    dn_credentials *credentials; /* of the LwM2M server; NULL: there is none here */
    dn_entropy entropy;          /* of the bootstrap server's thread, and of enrolment, which is on it, too */
    dn_est *est;
    est_forward *forward; /* NULL: the authority is here */
    dn_bootstrap *server;
    reached at;
    char uri_text[URIS_MAX][URI_MAX];
    const char *uris[URIS_MAX];
    size_t uri_count;
    pthread_mutex_t lock; /* guards what follows */
    dn_api *api;          /* NULL: it does not run */
};

static int64_t wall_ms(void *context)
{
    (void)context;
    return dn_clock_wall_ms();
}

static uint64_t clock_ms(void *context)
{
    (void)context;
    return dn_clock_ms();
}

/* ---- opening ---- */

static void on_seal(void *context)
{
    bootstrap *held = context;
    char error[512];
    if (dn_bs_store_reload(held->store, error, sizeof error) != DUNLIN_OK) {
        dn_log_at(held->log, DN_LOG_ERROR, AREA, "the former sealing keys stay in use: %s", error);
    }
}

static bool open_parts(bootstrap *held, char *error, size_t error_size)
{
    const settings *set = held->set;
    dn_bs_store_config config = dn_bs_store_config_default();
    config.dir = set->store == STORE_MEMORY ? NULL : set->data;
    config.seal_key = set->seal_key;
    config.log = held->log;
    if (set->est.enabled && set->est.forward == NULL &&
        !authority_load(set, held->log, &held->authority, error, error_size)) {
        return false;
    }
    if (dn_bs_store_open(&config, &held->store, error, error_size) != DUNLIN_OK) {
        return false;
    }
    held->keys = keys_open(KEYS_BOOTSTRAP, set, bootstrap_authority(held), held->log, error, error_size);
    if (held->keys != NULL) {
        keys_on_seal(held->keys, on_seal, held);
    }
    return held->keys != NULL;
}

bootstrap *bootstrap_open(const settings *set, const dn_log *log, dn_registry *registry, char *error,
                          size_t error_size)
{
    bootstrap *made = calloc(1, sizeof *made);
    if (made == NULL) {
        snprintf(error, error_size, "no memory");
        return NULL;
    }
    made->set = set;
    made->log = log;
    made->registry = registry;
    made->is_served = settings_bootstraps(set);
    pthread_mutex_init(&made->lock, NULL);
    if (made->is_served && !open_parts(made, error, error_size)) {
        bootstrap_close(made);
        return NULL;
    }
    return made;
}

void bootstrap_close(bootstrap *held)
{
    if (held == NULL) {
        return;
    }
    est_forward_close(held->forward);
    dn_est_destroy(held->est);
    keys_close(held->keys);
    if (held->store != NULL) {
        held->store->ops->close(held->store);
    }
    authority_free(&held->authority);
    pthread_mutex_destroy(&held->lock);
    free(held);
}

dunlin_slice bootstrap_authority(const bootstrap *held)
{
    return dunlin_slice_make(held->authority.pem, held->authority.pem_len);
}

/* ---- enrolment ---- */

/*
 * The device may register by its certificate as well from now on; once it has, by that alone. Whatever it could prove before goes on to hold until
 * then: the certificate may never reach it.
 */
static dunlin_status on_issued(void *context, dunlin_slice endpoint, dunlin_slice certificate)
{
    const bootstrap *held = context;
    dn_credential credential = {.mode = DN_SECURITY_X509, .endpoint_len = (uint8_t)endpoint.len};
    if (held->credentials == NULL) {
        return DUNLIN_OK;
    }
    if (endpoint.len > sizeof credential.endpoint) {
        return DUNLIN_ERR_ARGUMENT;
    }
    memcpy(credential.endpoint, endpoint.data, endpoint.len);
    if (held->forward !=
        NULL) { /* nobody here has said that every certificate of that authority is to be trusted: this one is */
        credential.has_fingerprint = true;
        if (dn_pem_sha256(certificate, credential.fingerprint) != DUNLIN_OK) {
            return DUNLIN_ERR_IO;
        }
    }
    return held->credentials->ops->stage(held->credentials, &credential, 1);
}

static bool open_forward(bootstrap *held, char *error, size_t error_size)
{
    const est_settings *est = &held->set->est;
    const est_forward_config config = {.url = est->forward,
                                       .authorities = est->forward_ca,
                                       .certificate = est->forward_certificate,
                                       .key = est->forward_key,
                                       .log = held->log};
    return est->forward == NULL || est_forward_open(&config, &held->forward, error, error_size);
}

static bool start_est(bootstrap *held, char *error, size_t error_size)
{
    const est_settings *est = &held->set->est;
    dn_est_config config = dn_est_config_default();
    if (!est->enabled) {
        return true;
    }
    if (!open_forward(held, error, error_size)) {
        return false;
    }
    if (held->forward != NULL) {
        config.forward = est_forward_ask;
        config.context = held->forward;
    }
    config.authority = dunlin_slice_make(held->authority.certificate, held->authority.certificate_len);
    config.authority_key = dunlin_slice_make(held->authority.key, held->authority.key_len);
    config.days = est->days;
    config.takes_psk = est->takes_any;
    config.issued = on_issued;
    config.issued_context = held;
    config.random = dn_entropy_random(&held->entropy);
    config.wall_ms = wall_ms;
    config.log = held->log;
    return dn_est_create(&config, &held->est, error, error_size) == DUNLIN_OK &&
           (held->forward == NULL || est_forward_start(held->forward, held->est, error, error_size));
}

/* ---- running ---- */

/* On the bootstrap server's thread. */
static void on_event(void *context, const dn_bs_event *event)
{
    bootstrap *held = context;
    pthread_mutex_lock(&held->lock);
    if (held->api != NULL) {
        dn_api_bootstrap_event(held->api, event);
    }
    pthread_mutex_unlock(&held->lock);
}

static dunlin_type type_of(void *context, dunlin_path resource, bool *multiple)
{
    dn_registry *registry = context;
    const dn_object_def *object = resource.depth >= 3 ? dn_registry_newest(registry, resource.id[0]) : NULL;
    const dn_resource_def *definition = object != NULL ? dn_object_resource(object, resource.id[2]) : NULL;
    if (definition == NULL) {
        return DUNLIN_TYPE_NONE;
    }
    *multiple = definition->multiple;
    return definition->type;
}

static dn_bs_own own_of(const bootstrap *held, const keys *server)
{
    dn_bs_own own = {.public_key = keys_identity(server).public_key, .certificate = keys_certificate(server)};
    for (size_t i = 0; i < 4; i++) {
        own.uris[i] = held->at.uri[i][0] != 0 ? held->at.uri[i] : NULL;
    }
    return own;
}

static void name_addresses(bootstrap *held)
{
    static const char *const schemes[] = {"coap", "coaps", "coap+tcp", "coaps+tcp"};
    for (size_t transport = 0; transport < 4; transport++) {
        const char *address;
        for (size_t i = 0; held->uri_count < URIS_MAX &&
                           (address = bootstrap_address(held, (dn_transport)transport, i)) != NULL;
             i++) {
            char *text = held->uri_text[held->uri_count];
            snprintf(text, URI_MAX, "%s://%s", schemes[transport], address);
            held->uris[held->uri_count++] = text;
        }
    }
}

bool bootstrap_start(bootstrap *held, const keys *server, const reached *at, char *error, size_t error_size)
{
    if (!held->is_served) {
        return true;
    }
    held->at = *at;
    held->credentials = held->set->only_bootstrap ? NULL : keys_credentials(server);
    if (!start_est(held, error, error_size)) {
        return false;
    }
    dn_bootstrap_config config = dn_bootstrap_config_default();
    settings_bootstrap(held->set, &config);
    config.tls = keys_tls(held->keys);
    config.own_credentials = keys_credentials(held->keys);
    config.engine.store = held->store;
    config.engine.credentials = held->credentials;
    config.engine.types = (dn_types){.type_of = type_of, .context = held->registry};
    config.engine.own = own_of(held, server);
    config.engine.est = held->est;
    config.engine.random = dn_entropy_random(&held->entropy);
    config.engine.log = held->log;
    config.engine.wall_ms = wall_ms;
    config.engine.clock_ms = clock_ms;
    config.engine.event = on_event;
    config.engine.context = held;
    if (dn_bootstrap_start(&config, &held->server, error, error_size) != DUNLIN_OK) {
        return false;
    }
    name_addresses(held);
    return true;
}

void bootstrap_stop(bootstrap *held, uint32_t grace_ms)
{
    if (held != NULL && held->server != NULL) {
        dn_bootstrap_stop(held->server, grace_ms);
        held->server = NULL;
    }
}

void bootstrap_tell_api(const bootstrap *held, dn_api_config *config)
{
    if (held->server != NULL) {
        config->bootstrap = held->server;
        config->bootstrap_store = held->store;
        config->bootstrap_credentials = keys_credentials(held->keys);
        config->bootstrap_uris = held->uris;
        config->bootstrap_uri_count = held->uri_count;
        config->is_bootstrap_alone = held->set->only_bootstrap;
    }
}

static void set_api(bootstrap *held, dn_api *api)
{
    pthread_mutex_lock(&held->lock);
    held->api = api;
    pthread_mutex_unlock(&held->lock);
}

static void show_identity(const bootstrap *held, dn_api *api)
{
    const dn_api_identity identity = keys_identity(held->keys);
    dunlin_status status = dn_api_set_bootstrap_identity(api, &identity);
    if (status != DUNLIN_OK) {
        dn_log_at(held->log, DN_LOG_ERROR, AREA, "the bootstrap server's identity cannot be shown: %s",
                  dunlin_status_text(status));
    }
}

void bootstrap_show(bootstrap *held, dn_api *api)
{
    if (held->server != NULL) {
        show_identity(held, api);
        set_api(held, api);
    }
}

void bootstrap_hide(bootstrap *held)
{
    if (held != NULL) {
        set_api(held, NULL);
    }
}

const char *bootstrap_address(const bootstrap *held, dn_transport transport, size_t index)
{
    return held->server != NULL ? dn_bootstrap_address_of(held->server, transport, index) : NULL;
}

bool bootstrap_healthy(const bootstrap *held, const char **detail)
{
    return held->server == NULL || dn_bootstrap_healthy(held->server, detail);
}

/* ---- what changes ---- */

void bootstrap_use_server(bootstrap *held, const keys *server)
{
    if (held->server != NULL) {
        const dn_bs_own own = own_of(held, server);
        dn_bootstrap_use_own(held->server, &own);
    }
}

bool bootstrap_has_changed(bootstrap *held)
{
    return held->server != NULL && keys_have_changed(held->keys);
}

void bootstrap_reload(bootstrap *held, const settings *set)
{
    if (held->server == NULL || !keys_reload(held->keys, set)) {
        return;
    }
    dn_bootstrap_use_tls(held->server, keys_tls(held->keys));
    pthread_mutex_lock(&held->lock);
    dn_api *api = held->api;
    pthread_mutex_unlock(&held->lock);
    if (api != NULL) { /* it ends on this thread alone */
        show_identity(held, api);
    }
}
