/* SPDX-License-Identifier: Apache-2.0 */
/* The server's life; see daemon.h. */
#include "daemon.h"

#include "api/json_write.h"
#include "api/listener.h"
#include "api/model_files.h"
#include "bootstrap.h"
#include "config.h"
#include "keys.h"
#include "logging.h"
#include "places.h"
#include "port/clock.h"
#include "port/entropy.h"
#include "store/memory.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#define ERROR_MAX        512u
#define LOOK_AT_FILES_MS 5000 /* how often keys and certificates are looked at */
#define URIS_MAX         (4 * LIST_MAX)
#define URI_MAX          96u

typedef struct {
    const options *given;
    settings *set;
    logging logging;
    char console[PATH_MAX], upload[PATH_MAX], packages[PATH_MAX];
    dn_registry *registry;
    dn_fleet *fleet;
    dn_api *api;
    dn_entropy fleet_entropy, api_entropy; /* one for each: neither is shared by threads */
    keys *keys;
    bootstrap *bootstrap;
    const char *coap[LIST_MAX];
    size_t coap_count;
    char uri_text[URIS_MAX][URI_MAX];
    const char *uris[URIS_MAX]; /* of every transport, plain CoAP first */
    size_t uri_count;
    reached_places reached; /* by devices */
    uint64_t look_ms;       /* at the files of the keys, next */
    int signals, failure;   /* signalfd, eventfd */
    pthread_mutex_t lock;
    char failed[ERROR_MAX]; /* under the lock: why the fleet failed */
} daemon_state;

bool daemon_settings(const options *given, settings *set, char *error, size_t error_size)
{
    if (!settings_init(set)) {
        snprintf(error, error_size, "no memory");
        return false;
    }
    if (given->config_file != NULL && !config_load(given->config_file, set, error, error_size)) {
        return false;
    }
    if (!options_apply(given, set, error, error_size)) {
        return false;
    }
    if (!settings_complete(set)) {
        snprintf(error, error_size, "no memory");
        return false;
    }
    return settings_check(set, error, error_size);
}

/* ---- parts -------------------------------------------------------------------------------- */

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

static void load_dir(daemon_state *state, const char *dir, bool required)
{
    const dn_log *log = &state->logging.log;
    size_t count;
    dunlin_status status = dn_models_load(state->registry, dir, log, &count);
    if (status == DUNLIN_OK) {
        dn_log_at(log, DN_LOG_INFO, "models", "%zu object definitions from %s", count, dir);
    } else if (required) {
        dn_log_at(log, DN_LOG_WARN, "models", "the folder %s cannot be read: %s", dir, strerror(errno));
    }
}

/* What is installed, what the operator adds, what was uploaded: later ones replace earlier ones. */
static void load_models(daemon_state *state, const settings *set)
{
    char installed[PATH_MAX];
    if (places_shared("models", installed, sizeof installed)) {
        load_dir(state, installed, true);
    } else {
        dn_log_at(&state->logging.log, DN_LOG_WARN, "models",
                  "no object definitions are installed: resources will have no names");
    }
    for (size_t i = 0; i < set->models.count; i++) {
        load_dir(state, set->models.item[i], true);
    }
    if (state->upload[0] != 0) {
        load_dir(state, state->upload, false);
    }
}

static dn_store *open_store(daemon_state *state, char *error, size_t error_size)
{
    const settings *set = state->set;
    dn_store *store = NULL;
    if (set->store == STORE_MEMORY) {
        store = dn_memory_store_create();
        snprintf(error, error_size, "no memory");
        return store;
    }
    int len = snprintf(state->upload, sizeof state->upload, "%s/models", set->data);
    int packages =
        set->packages_serve ? snprintf(state->packages, sizeof state->packages, "%s/packages", set->data) : 0;
    if (len < 0 || (size_t)len >= sizeof state->upload || packages < 0 ||
        (size_t)packages >= sizeof state->packages) {
        snprintf(error, error_size, "the name of the data folder is too long");
        return NULL;
    }
    dn_sqlite_config config = settings_sqlite(set);
    if (!places_make(set->data, error, error_size) ||
        dn_sqlite_store_open(set->data, &config, &store, error, error_size) != DUNLIN_OK) {
        return NULL;
    }
    if (!places_make(state->upload, error, error_size) ||
        (packages > 0 && !places_make(state->packages, error, error_size))) {
        store->ops->close(store);
        return NULL;
    }
    return store;
}

static void on_failure(void *context, const char *detail)
{
    daemon_state *state = context;
    pthread_mutex_lock(&state->lock);
    snprintf(state->failed, sizeof state->failed, "%s",
             detail != NULL && detail[0] != 0 ? detail : "unknown");
    pthread_mutex_unlock(&state->lock);
    uint64_t one = 1;
    ssize_t written = write(state->failure, &one, sizeof one);
    (void)written;
}

static const char *const schemes[] = {"coap", "coaps", "coap+tcp", "coaps+tcp"};

static void name_addresses(daemon_state *state)
{
    while ((state->coap[state->coap_count] = dn_fleet_address(state->fleet, state->coap_count)) != NULL &&
           state->coap_count + 1 < LIST_MAX) {
        state->coap_count++;
    }
    for (size_t transport = 0; transport < 4; transport++) {
        const char *address;
        for (size_t i = 0; state->uri_count < URIS_MAX &&
                           (address = dn_fleet_address_of(state->fleet, (dn_transport)transport, i)) != NULL;
             i++) {
            char *text = state->uri_text[state->uri_count];
            snprintf(text, URI_MAX, "%s://%s", schemes[transport], address);
            state->uris[state->uri_count++] = text;
        }
    }
}

static bool start_fleet(daemon_state *state, char *error, size_t error_size)
{
    dn_store *store = open_store(state, error, error_size); /* it locks the data folder */
    if (store == NULL) {
        return false;
    }
    state->bootstrap = bootstrap_open(state->set, &state->logging.log, state->registry, error, error_size);
    const bool is_served = !state->set->only_bootstrap; /* else there is nothing to be proved to anybody */
    if (state->bootstrap != NULL && is_served) {
        state->keys = keys_open(KEYS_SERVER, state->set, bootstrap_authority(state->bootstrap),
                                &state->logging.log, error, error_size);
    }
    if (state->bootstrap == NULL || (is_served && state->keys == NULL)) {
        store->ops->close(store);
        return false;
    }
    dn_fleet_config config = dn_fleet_config_default();
    settings_fleet(state->set, &config);
    config.tls = keys_tls(state->keys);
    config.credentials = keys_credentials(state->keys);
    config.store = store;
    config.packages = state->packages[0] != 0 ? state->packages : NULL;
    config.random = dn_entropy_random(&state->fleet_entropy);
    config.log = &state->logging.log;
    config.wall_ms = wall_ms;
    config.clock_ms = clock_ms;
    if (dn_fleet_start(&config, &state->fleet, error, error_size) != DUNLIN_OK) {
        return false;
    }
    dn_fleet_on_failure(state->fleet, on_failure, state);
    name_addresses(state);
    return true;
}

static bool start_bootstrap(daemon_state *state, char *error, size_t error_size)
{
    const char *bound[4];
    reached at = {0};
    for (size_t i = 0; i < 4; i++) {
        bound[i] = dn_fleet_address_of(state->fleet, (dn_transport)i, 0);
    }
    if (settings_bootstraps(state->set)) {
        reached_find(state->set, bound, &state->logging.log, &at);
    }
    return bootstrap_start(state->bootstrap, state->keys, &at, error, error_size);
}

static const char *address_bound(const void *fleet, dn_transport transport, size_t index)
{
    return dn_fleet_address_of(fleet, transport, index);
}

static void show_identity(daemon_state *state)
{
    if (state->keys == NULL) {
        return;
    }
    const dn_api_identity identity = keys_identity(state->keys);
    dunlin_status status = dn_api_set_identity(state->api, &identity);
    if (status != DUNLIN_OK) {
        dn_log_at(&state->logging.log, DN_LOG_ERROR, "security", "the server's identity cannot be shown: %s",
                  dunlin_status_text(status));
    }
}

static bool start_api(daemon_state *state, char *error, size_t error_size)
{
    dn_api_config config = dn_api_config_default();
    settings_api(state->set, &config);
    if (state->set->console != NULL) {
        config.console_dir = state->set->console;
    } else if (places_shared("console", state->console, sizeof state->console)) {
        config.console_dir = state->console;
    } else {
        dn_log_at(&state->logging.log, DN_LOG_WARN, "http",
                  "the console's files are not installed: there is no web page");
    }
    config.upload_dir = state->upload[0] != 0 ? state->upload : NULL;
    config.package_dir = state->packages[0] != 0 ? state->packages : NULL;
    config.version = DUNLIN_VERSION;
    config.coap_addresses = state->coap;
    config.coap_address_count = state->coap_count;
    config.uris = state->uris;
    config.uri_count = state->uri_count;
    reached_places_find(state->set, address_bound, state->fleet, &state->reached);
    config.places = state->reached.places;
    config.place_count = state->reached.count;
    config.credentials = keys_credentials(state->keys);
    bootstrap_tell_api(state->bootstrap, &config);
    config.fleet = state->fleet;
    config.registry = state->registry;
    config.random = dn_entropy_random(&state->api_entropy);
    config.log = &state->logging.log;
    config.wall_ms = wall_ms;
    config.clock_ms = clock_ms;
    if (dn_api_start(&config, &state->api, error, error_size) != DUNLIN_OK) {
        return false;
    }
    show_identity(state);
    bootstrap_show(state->bootstrap, state->api);
    return true;
}

/* ---- announcing ----------------------------------------------------------------------------- */

static bool write_ready_file(const daemon_state *state)
{
    dn_text text = {0};
    dn_jsonw json;
    dn_jsonw_start(&json, &text);
    dn_jsonw_begin(&json, '{');
    for (size_t transport = 0; transport < 4; transport++) {
        const char *first = dn_fleet_address_of(state->fleet, (dn_transport)transport, 0);
        if (first != NULL) {
            dn_jsonw_pair(&json, schemes[transport], first);
        }
    }
    for (size_t transport = 0; transport < 4; transport++) {
        char name[32];
        const char *first = bootstrap_address(state->bootstrap, (dn_transport)transport, 0);
        snprintf(name, sizeof name, "bootstrap-%s", schemes[transport]);
        if (first != NULL) {
            dn_jsonw_pair(&json, name, first);
        }
    }
    dn_jsonw_pair(&json, "http", dn_api_address(state->api));
    dn_jsonw_pair_unsigned(&json, "pid", (uint64_t)getpid());
    dn_jsonw_end(&json, '}');
    dn_text_char(&text, '\n');
    bool good = !text.failed && places_write(state->given->ready_file, text.data, text.len);
    dn_text_free(&text);
    return good;
}

typedef const char *address_of(const daemon_state *state, dn_transport transport, size_t index);

static const char *server_address(const daemon_state *state, dn_transport transport, size_t index)
{
    return dn_fleet_address_of(state->fleet, transport, index);
}

static const char *bootstrap_server_address(const daemon_state *state, dn_transport transport, size_t index)
{
    return bootstrap_address(state->bootstrap, transport, index);
}

/* True when one of the addresses for plain CoAP can be reached from elsewhere. */
static bool is_open_to_others(const daemon_state *state, address_of *of)
{
    for (size_t transport = DN_TRANSPORT_UDP; transport <= DN_TRANSPORT_TCP; transport += DN_TRANSPORT_TCP) {
        const char *address;
        for (size_t i = 0; (address = of(state, (dn_transport)transport, i)) != NULL; i++) {
            if (!dn_listener_is_loopback(address)) {
                return true;
            }
        }
    }
    return false;
}

static void speak_of_nosec(const daemon_state *state)
{
    const dn_log *log = &state->logging.log;
    if (state->set->bootstrap.nosec_on && is_open_to_others(state, bootstrap_server_address)) {
        dn_log_at(
            log, DN_LOG_WARN, "bootstrap",
            "WARNING: bootstrap.nosec is on: to endpoints whose configuration allows it their keys go as plain text, to whoever says that he is the device");
    }
    if (!is_open_to_others(state, server_address)) {
        return;
    }
    if (state->set->nosec == DN_NOSEC_ON) {
        dn_log_at(
            log, DN_LOG_WARN, "security",
            "WARNING: security.nosec is on: devices without a credential are believed whoever they say they are, and what they send and get can be read and changed by anybody on the way");
    } else {
        dn_log_at(
            log, DN_LOG_INFO, "security",
            "CoAP without security is for devices on this host only: others get 4.03 and have to use DTLS or TLS (security.nosec)");
    }
}

static bool announce(daemon_state *state)
{
    const dn_log *log = &state->logging.log;
    for (size_t i = 0; i < state->uri_count; i++) {
        printf("%.*s listening on %s\n", (int)strcspn(state->uris[i], ":"), state->uris[i], state->uris[i]);
    }
    for (size_t transport = 0; transport < 4; transport++) {
        const char *address;
        for (size_t i = 0;
             (address = bootstrap_address(state->bootstrap, (dn_transport)transport, i)) != NULL; i++) {
            printf("bootstrap %s listening on %s://%s\n", schemes[transport], schemes[transport], address);
        }
    }
    speak_of_nosec(state);
    printf("console on http://%s/\n", dn_api_address(state->api));
    fflush(stdout);
    if (!dn_listener_is_loopback(dn_api_address(state->api))) {
        dn_log_at(log, DN_LOG_WARN, "http",
                  "WARNING: HTTP listens on %s without any password: whoever reaches it controls all devices",
                  dn_api_address(state->api));
    }
    dn_log_at(log, DN_LOG_INFO, "dunlind", "version %s is ready, data in %s", DUNLIN_VERSION,
              state->set->store == STORE_MEMORY ? "memory" : state->set->data);
    if (state->given->ready_file != NULL && !write_ready_file(state)) {
        dn_log_at(log, DN_LOG_ERROR, "dunlind", "cannot write %s: %s", state->given->ready_file,
                  strerror(errno));
        return false;
    }
    sd_notifyf(0, "READY=1\nMAINPID=%ld\nSTATUS=Listening on %s and http://%s/", (long)getpid(),
               state->uri_count > 0 ? state->uris[0] : "bootstrap ports", dn_api_address(state->api));
    return true;
}

/* ---- reload --------------------------------------------------------------------------------- */

static bool lists_differ(const string_list *a, const string_list *b)
{
    if (a->count != b->count) {
        return true;
    }
    for (size_t i = 0; i < a->count; i++) {
        if (strcmp(a->item[i], b->item[i]) != 0) {
            return true;
        }
    }
    return false;
}

static bool texts_differ(const char *a, const char *b)
{
    return (a == NULL) != (b == NULL) || (a != NULL && strcmp(a, b) != 0);
}

static void warn_fixed(daemon_state *state, bool differs, const char *section, const char *key)
{
    if (differs) {
        dn_log_at(&state->logging.log, DN_LOG_WARN, "dunlind",
                  "%s%s%s has changed: it takes effect at the next start", section,
                  section[0] != 0 ? "." : "", key);
    }
}

static void compare_bootstrap(daemon_state *state, const settings *fresh)
{
    const settings *now = state->set;
    for (size_t i = 0; i < 4; i++) {
        char key[32];
        snprintf(key, sizeof key, "%s.listen", settings_transports[i]);
        warn_fixed(state, lists_differ(&now->bootstrap.listen[i], &fresh->bootstrap.listen[i]), "bootstrap",
                   key);
        warn_fixed(state, texts_differ(now->public[i], fresh -> public[i]), "public", settings_transports[i]);
    }
    warn_fixed(state, now->only_bootstrap != fresh->only_bootstrap, "", "only");
    warn_fixed(state, now->bootstrap.nosec_on != fresh->bootstrap.nosec_on, "bootstrap", "nosec");
    const est_settings *a = &now->est;
    const est_settings *b = &fresh->est;
    warn_fixed(state,
               a->enabled != b->enabled || a->takes_any != b->takes_any ||
                   texts_differ(a->authority, b->authority) ||
                   texts_differ(a->authority_key, b->authority_key) || texts_differ(a->forward, b->forward) ||
                   texts_differ(a->forward_ca, b->forward_ca) ||
                   texts_differ(a->forward_certificate, b->forward_certificate) ||
                   texts_differ(a->forward_key, b->forward_key),
               "bootstrap", "est");
}

/* Says which changes need a restart. */
static void compare(daemon_state *state, settings *fresh)
{
    settings *now = state->set;
    warn_fixed(state, texts_differ(now->data, fresh->data), "", "data");
    warn_fixed(state, texts_differ(now->console, fresh->console), "", "console");
    for (size_t i = 0; i < sizeof now->at / sizeof now->at[0]; i++) {
        warn_fixed(state, lists_differ(&now->at[i].listen, &fresh->at[i].listen), settings_transports[i],
                   "listen");
    }
    warn_fixed(state, now->nosec != fresh->nosec, "security", "nosec");
    warn_fixed(state, texts_differ(now->seal_key, fresh->seal_key), "security", "seal-key");
    warn_fixed(state, now->keep_changed_sessions != fresh->keep_changed_sessions, "security",
               "on-credential-change");
    warn_fixed(state, lists_differ(&now->coap_public, &fresh->coap_public), "coap", "public");
    warn_fixed(state, now->packages_serve != fresh->packages_serve, "packages", "serve");
    compare_bootstrap(state, fresh);
    warn_fixed(state, texts_differ(now->http_listen, fresh->http_listen), "http", "listen");
    warn_fixed(state, lists_differ(&now->http_names, &fresh->http_names), "http", "names");
    warn_fixed(state, now->store != fresh->store, "store", "type");
    warn_fixed(state, now->durability != fresh->durability, "store", "durability");
    warn_fixed(state, now->format != fresh->format, "log", "format");
    for (size_t i = 0; i < number_setting_count; i++) {
        const number_setting *number = &number_settings[i];
        warn_fixed(state, *settings_number(now, number) != *settings_number(fresh, number), number->section,
                   number->key);
    }
}

/* Keys and certificates from the files that the settings name now. */
static void reload_keys(daemon_state *state)
{
    if (keys_reload(state->keys, state->set)) {
        dn_fleet_use_tls(state->fleet, keys_tls(state->keys));
        show_identity(state);
        bootstrap_use_server(state->bootstrap, state->keys);
    }
}

static void look_at_files(daemon_state *state)
{
    uint64_t now_ms = dn_clock_ms();
    if (now_ms >= state->look_ms) {
        state->look_ms = now_ms + LOOK_AT_FILES_MS;
        if (keys_have_changed(state->keys)) {
            reload_keys(state);
        }
        if (bootstrap_has_changed(state->bootstrap)) {
            bootstrap_reload(state->bootstrap, state->set);
        }
    }
}

static void reload(daemon_state *state)
{
    const dn_log *log = &state->logging.log;
    char error[ERROR_MAX];
    settings fresh;
    sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu", (unsigned long long)dn_clock_us());
    if (daemon_settings(state->given, &fresh, error, sizeof error)) {
        compare(state, &fresh);
        settings_swap_keys(state->set, &fresh);
        reload_keys(state);
        bootstrap_reload(state->bootstrap, state->set);
        logging_level(&state->logging, fresh.log_level);
        load_models(state, &fresh);
        if (dn_api_reload(state->api, error, sizeof error) != DUNLIN_OK) {
            dn_log_at(log, DN_LOG_ERROR, "dunlind", "%s", error);
        }
        dn_log_at(log, DN_LOG_INFO, "dunlind", "reloaded");
    } else {
        dn_log_at(log, DN_LOG_ERROR, "dunlind", "not reloaded: %s", error);
    }
    settings_free(&fresh);
    sd_notify(0, "READY=1");
}

/* ---- running -------------------------------------------------------------------------------- */

/* True when the process is to stop. */
static bool take_signal(daemon_state *state)
{
    struct signalfd_siginfo info;
    if (read(state->signals, &info, sizeof info) != (ssize_t)sizeof info) {
        return false;
    }
    if (info.ssi_signo == SIGHUP) {
        reload(state);
        return false;
    }
    dn_log_at(&state->logging.log, DN_LOG_INFO, "dunlind", "stopping: %s",
              info.ssi_signo == SIGINT ? "SIGINT" : "SIGTERM");
    return true;
}

static int serve(daemon_state *state)
{
    uint64_t watchdog_us = 0;
    bool watched = sd_watchdog_enabled(0, &watchdog_us) > 0;
    int timeout_ms =
        watched && watchdog_us / 2000 < LOOK_AT_FILES_MS ? (int)(watchdog_us / 2000) : LOOK_AT_FILES_MS;
    for (;;) {
        struct pollfd at[2] = {{.fd = state->signals, .events = POLLIN},
                               {.fd = state->failure, .events = POLLIN}};
        int ready = poll(at, 2, timeout_ms);
        const char *detail = NULL;
        look_at_files(state);
        if (watched && dn_fleet_healthy(state->fleet, &detail) &&
            bootstrap_healthy(state->bootstrap, &detail)) {
            sd_notify(0, "WATCHDOG=1");
        }
        if (ready > 0 && (at[1].revents & POLLIN) != 0) {
            pthread_mutex_lock(&state->lock);
            dn_log_at(&state->logging.log, DN_LOG_ERROR, "dunlind", "the server failed: %s", state->failed);
            sd_notifyf(0, "STATUS=Failed: %s", state->failed);
            pthread_mutex_unlock(&state->lock);
            return EXIT_FAILED;
        }
        if (ready > 0 && (at[0].revents & POLLIN) != 0 && take_signal(state)) {
            return EXIT_STOPPED;
        }
    }
}

/* Each device that waits and each HTTP connection may hold a descriptor: take as many as the system lets us. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* Blocks the signals in this thread, and so in all it starts: they come through signalfd. */
static bool take_signals(daemon_state *state)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file at its limit is the store's error to report */
    state->failure = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return pthread_sigmask(SIG_BLOCK, &set, NULL) == 0 &&
           (state->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)) >= 0 && state->failure >= 0;
}

static uint32_t left_ms(uint64_t end_ms)
{
    const uint64_t now_ms = dn_clock_ms();
    return now_ms < end_ms ? (uint32_t)(end_ms - now_ms) : 0;
}

/* Whoever uses another part ends before it: the API both servers, the bootstrap server the credentials and sessions of the LwM2M server. */
static void stop(daemon_state *state)
{
    uint32_t grace_ms = state->set->limits.stop_grace_ms;
    uint64_t end_ms = dn_clock_ms() + grace_ms;
    sd_notify(0, "STOPPING=1");
    if (state->given->ready_file != NULL) {
        unlink(state->given->ready_file);
    }
    bootstrap_hide(state->bootstrap);
    if (state->api != NULL) {
        dn_api_stop(state->api, grace_ms);
    }
    bootstrap_stop(state->bootstrap, left_ms(end_ms));
    if (state->fleet != NULL) {
        dn_fleet_stop(state->fleet, left_ms(end_ms));
    }
    keys_close(state->keys);
    bootstrap_close(state->bootstrap);
    dn_registry_free(state->registry);
    close(state->signals);
    close(state->failure);
}

int daemon_run(const options *given, settings *set)
{
    char error[ERROR_MAX] = "no memory";
    daemon_state *state = calloc(1, sizeof *state);
    if (state == NULL) {
        fprintf(stderr, "dunlind: %s\n", error);
        return EXIT_NOT_STARTED;
    }
    state->given = given;
    state->set = set;
    pthread_mutex_init(&state->lock, NULL);
    logging_init(&state->logging, set->log_level, set->format);
    raise_descriptor_limit();
    state->registry = dn_registry_create();
    int status = EXIT_NOT_STARTED;
    if (!take_signals(state) || state->registry == NULL) {
        dn_log_at(&state->logging.log, DN_LOG_ERROR, "dunlind", "cannot start: %s", strerror(errno));
    } else if (!start_fleet(state, error, sizeof error)) {
        dn_log_at(&state->logging.log, DN_LOG_ERROR, "dunlind", "cannot start: %s", error);
    } else {
        load_models(state, set);
        if (!start_bootstrap(state, error, sizeof error) || !start_api(state, error, sizeof error)) {
            dn_log_at(&state->logging.log, DN_LOG_ERROR, "dunlind", "cannot start: %s", error);
        } else if (announce(state)) {
            status = serve(state);
        }
    }
    stop(state);
    pthread_mutex_destroy(&state->lock);
    free(state);
    return status;
}
