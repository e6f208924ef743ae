/* SPDX-License-Identifier: Apache-2.0 */
/* The settings; see settings.h. */
#include "settings.h"

#include "api/listener.h"
#include "bearer/udp.h"
#include "bootstrap/est.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IN_coap      coap
#define IN_security  security
#define IN_tcp       tcp
#define IN_http      http
#define IN_limits    limits
#define IN_store     stored
#define IN_queue     queue
#define IN_packages  packages
#define IN_bootstrap bootstrap
#define IN_est       est
/* As the file has them: one is within another. */
#define NAME_coap      "coap"
#define NAME_security  "security"
#define NAME_tcp       "tcp"
#define NAME_http      "http"
#define NAME_limits    "limits"
#define NAME_store     "store"
#define NAME_queue     "queue"
#define NAME_packages  "packages"
#define NAME_bootstrap "bootstrap"
#define NAME_est       "bootstrap.est"
#define NUMBER_ROW(section, key, member, least, most) \
    {NAME_##section, key, offsetof(settings, IN_##section.member), least, most},

const char *const settings_transports[4] = {"coap", "coaps", "coap-tcp", "coaps-tcp"};
const number_setting number_settings[] = {ALL_NUMBERS(NUMBER_ROW)};
const size_t number_setting_count = sizeof number_settings / sizeof number_settings[0];

uint32_t *settings_number(settings *set, const number_setting *number)
{
    return (uint32_t *)(void *)((char *)set + number->offset);
}

bool settings_string(char **place, const char *value)
{
    char *copy = strdup(value);
    if (copy == NULL) {
        return false;
    }
    free(*place);
    *place = copy;
    return true;
}

bool settings_add(string_list *list, const char *value)
{
    if (list->count == LIST_MAX) {
        return false;
    }
    list->item[list->count] = strdup(value);
    if (list->item[list->count] == NULL) {
        return false;
    }
    list->count++;
    return true;
}

void settings_clear(string_list *list)
{
    while (list->count > 0) {
        free(list->item[--list->count]);
    }
}

static void init_coap(settings *set, const dn_coap_config *coap)
{
    set->coap.ack_timeout_ms = coap->ack_timeout_ms;
    set->coap.ack_random_percent = coap->ack_random_percent;
    set->coap.max_retransmit = coap->max_retransmit;
    set->coap.nstart = coap->nstart;
    set->coap.exchange_lifetime_ms = coap->exchange_lifetime_ms;
    set->coap.separate_ack_ms = coap->separate_ack_ms;
    set->coap.response_timeout_ms = coap->response_timeout_ms;
    set->coap.transfer_timeout_ms = coap->transfer_timeout_ms;
    set->coap.exchanges = coap->exchanges;
    set->coap.transfers = coap->transfers;
    set->coap.dedup_slots = coap->dedup_slots;
    set->coap.dedup_per_peer = coap->dedup_per_peer;
    set->coap.max_message = coap->max_message;
    set->coap.max_body = coap->max_body;
    set->coap.block_size = 16u << coap->block_szx;
}

static void init_security(settings *set, const dn_fleet_config *fleet)
{
    const dn_tls_server_config tls = dn_tls_server_config_default();
    set->nosec = fleet->nosec;
    set->suites = tls.suites;
    set->keep_changed_sessions = fleet->keep_changed_sessions;
    set->security.max_sessions = fleet->dtls.max_sessions;
    set->security.max_handshakes = fleet->dtls.max_handshakes;
    set->security.max_handshakes_per_host = fleet->dtls.max_handshakes_per_host;
    set->security.handshake_ms = tls.handshake_ms;
    set->security.idle_s = fleet->dtls.idle_s;
    set->security.resumable = tls.resumable;
    set->security.ticket_lifetime_s = tls.ticket_lifetime_s;
    set->security.mtu = tls.mtu;
    set->security.retransmit_ms = tls.retransmit_ms;
    set->tcp.max_connections = fleet->tcp.max_connections;
    set->tcp.max_per_host = fleet->tcp.max_per_host;
    set->tcp.max_unsent_bytes = fleet->tcp.max_unsent;
    set->tcp.keepalive_s = fleet->tcp.keepalive_s;
    set->tcp.max_message = fleet->coap.max_stream_message;
}

static void init_http(settings *set)
{
    dn_api_config api = dn_api_config_default();
    set->http.threads = api.threads;
    set->http.max_connections = api.max_connections;
    set->http.max_connections_per_ip = api.max_connections_per_ip;
    set->http.connection_timeout_s = api.connection_timeout_s;
    set->http.max_body_bytes = api.max_body_bytes;
    set->http.max_list_bytes = api.max_list_bytes;
    set->packages.max_bytes = api.max_package_bytes;
    set->packages_serve = true;
    set->http.max_bulk_reads = api.max_bulk_reads;
    set->http.max_event_streams = api.max_event_streams;
    set->http.event_history_bytes = api.event_history_bytes;
    set->http.profile_slots = api.profile_slots;
    set->http.request_timeout_s = api.request_timeout_s;
}

static void init_bootstrap(settings *set)
{
    const dn_bs_engine_config engine = dn_bs_engine_config_default();
    set->bootstrap.max_runs = engine.max_runs;
    set->bootstrap.max_ended = engine.max_ended;
    set->bootstrap.step_timeout_ms = engine.step_timeout_ms;
    set->est.days = dn_est_config_default().days;
}

bool settings_init(settings *set)
{
    enum { STOP_GRACE_MS = 2000 };
    dn_fleet_config fleet = dn_fleet_config_default();
    dn_sqlite_config sqlite = dn_sqlite_config_default();
    *set = (settings){.log_level = DN_LOG_INFO, .format = LOG_TEXT, .durability = sqlite.durability};
    init_coap(set, &fleet.coap);
    init_security(set, &fleet);
    init_http(set);
    init_bootstrap(set);
    set->limits.registrations = fleet.max_registrations;
    set->limits.link_list_bytes = fleet.max_link_list_bytes;
    set->limits.link_lists = fleet.max_link_lists;
    set->limits.observations = fleet.max_observations;
    set->limits.requests = fleet.max_requests;
    set->limits.lifetime_s = fleet.max_lifetime_s;
    set->limits.event_buffer_bytes = fleet.event_buffer_bytes;
    set->limits.stop_grace_ms = STOP_GRACE_MS;
    set->queue.awake_ms = fleet.awake_ms;
    set->queue.expires_s = fleet.queue_expires_s;
    set->queue.keep_s = fleet.queue_keeps_s;
    set->queue.requests = fleet.max_queued;
    set->queue.requests_per_client = fleet.max_queued_per_client;
    set->queue.bytes = fleet.max_queued_bytes;
    set->stored.cache_kib = sqlite.cache_kib;
    set->stored.log_kib = sqlite.log_kib;
    set->stored.journal_kib = sqlite.journal_kib;
    set->stored.sweep_percent = sqlite.sweep_percent;
    /* A service manager names the folder for what must stay (systemd.exec, StateDirectory=). */
    const char *state = getenv("STATE_DIRECTORY");
    return settings_string(&set->data, state != NULL && state[0] == '/' ? state : "./dunlin-data") &&
           settings_string(&set->http_listen, "127.0.0.1:8080");
}

bool settings_complete(settings *set)
{
    if (set->only_bootstrap) {
        return true; /* addresses of the LwM2M server are not asked for */
    }
    bool plain = set->at[DN_TRANSPORT_UDP].is_named || set->nosec == DN_NOSEC_OFF ||
                 settings_add(&set->at[DN_TRANSPORT_UDP].listen, "[::]:5683");
    return plain && (set->at[DN_TRANSPORT_DTLS].is_named || set->only_coap ||
                     settings_add(&set->at[DN_TRANSPORT_DTLS].listen, "[::]:5684"));
}

bool settings_bootstraps(const settings *set)
{
    size_t count = 0;
    for (size_t i = 0; i < 4; i++) {
        count += set->bootstrap.listen[i].count;
    }
    return count > 0;
}

int settings_public(const char *uri, const char **place)
{
    static const char *const schemes[] = {"coap://", "coaps://", "coap+tcp://", "coaps+tcp://"};
    for (int i = 0; i < 4; i++) {
        const size_t len = strlen(schemes[i]);
        if (strncmp(uri, schemes[i], len) == 0) {
            *place = uri + len;
            return i;
        }
    }
    return -1;
}

void settings_free(settings *set)
{
    free(set->data);
    free(set->console);
    free(set->http_listen);
    settings_clear(&set->models);
    for (size_t i = 0; i < sizeof set->at / sizeof set->at[0]; i++) {
        settings_clear(&set->at[i].listen);
        settings_clear(&set->bootstrap.listen[i]);
        free(set->public[i]);
    }
    settings_clear(&set->bootstrap.certificates);
    settings_clear(&set->bootstrap.keys);
    free(set->bootstrap.client_cas);
    free(set->est.authority);
    free(set->est.authority_key);
    free(set->est.forward);
    free(set->est.forward_ca);
    free(set->est.forward_certificate);
    free(set->est.forward_key);
    settings_clear(&set->coap_public);
    settings_clear(&set->certificates);
    settings_clear(&set->keys);
    free(set->client_cas);
    free(set->crls);
    free(set->ocsp);
    free(set->seal_key);
    settings_clear(&set->http_names);
    *set = (settings){0};
}

static void swap_text(char **a, char **b)
{
    char *kept = *a;
    *a = *b;
    *b = kept;
}

static void swap_list(string_list *a, string_list *b)
{
    const string_list kept = *a;
    *a = *b;
    *b = kept;
}

void settings_swap_keys(settings *a, settings *b)
{
    const dn_tls_suites suites = a->suites;
    a->suites = b->suites;
    b->suites = suites;
    swap_list(&a->certificates, &b->certificates);
    swap_list(&a->keys, &b->keys);
    swap_text(&a->client_cas, &b->client_cas);
    swap_text(&a->crls, &b->crls);
    swap_text(&a->ocsp, &b->ocsp);
    swap_list(&a->bootstrap.certificates, &b->bootstrap.certificates);
    swap_list(&a->bootstrap.keys, &b->bootstrap.keys);
    swap_text(&a->bootstrap.client_cas, &b->bootstrap.client_cas);
}

/* "host:port" as it stands in a URI: a name, an IPv4 address, or an IPv6 address in brackets. */
static bool is_authority(const char *text)
{
    const char *colon = strrchr(text, ':');
    size_t host = colon != NULL ? (size_t)(colon - text) : 0;
    bool brackets = host > 2 && text[0] == '[' && text[host - 1] == ']';
    size_t plain = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-");
    size_t inner = brackets ? strspn(text + 1, "0123456789abcdefABCDEF:.") + 2 : plain;
    unsigned long port = colon != NULL && strspn(colon + 1, "0123456789") == strlen(colon + 1)
                             ? strtoul(colon + 1, NULL, 10)
                             : 0;
    return host > 0 && host <= 253 && inner == host && port > 0 && port < 65536;
}

static bool check_pairs(const string_list *certificates, const string_list *keys, const char *section,
                        char *error, size_t error_size)
{
    if (certificates->count != keys->count) {
        snprintf(error, error_size, "%s.certificate: there are %zu, but %zu in %s.key: each needs its own",
                 section, certificates->count, keys->count, section);
        return false;
    }
    if (certificates->count > DN_TLS_KEY_PAIRS_MAX) {
        snprintf(error, error_size, "%s.certificate: %u at most", section, DN_TLS_KEY_PAIRS_MAX);
        return false;
    }
    return true;
}

/* An address with a scope is left to the start: the interface may not be there yet. */
static bool check_addresses(const string_list list[4], const char *above, char *error, size_t error_size)
{
    dn_peer peer;
    for (size_t i = 0; i < 4; i++) {
        for (size_t j = 0; j < list[i].count; j++) {
            const char *text = list[i].item[j];
            if (strchr(text, '%') == NULL && dn_udp_peer_parse(text, &peer) != DUNLIN_OK) {
                snprintf(
                    error, error_size,
                    "%s%s.listen: \"%.100s\" must be a numeric address with its port, as 127.0.0.1:5684 or [::1]:5684",
                    above, settings_transports[i], text);
                return false;
            }
        }
    }
    return true;
}

static bool check_listen(const settings *set, char *error, size_t error_size)
{
    string_list own[4];
    for (size_t i = 0; i < 4; i++) {
        own[i] = set->at[i].listen;
    }
    return check_addresses(own, "", error, error_size) &&
           check_addresses(set->bootstrap.listen, "bootstrap.", error, error_size);
}

static bool check_security(const settings *set, char *error, size_t error_size)
{
    size_t plain = set->at[DN_TRANSPORT_UDP].listen.count + set->at[DN_TRANSPORT_TCP].listen.count;
    size_t secure = set->at[DN_TRANSPORT_DTLS].listen.count + set->at[DN_TRANSPORT_TLS].listen.count;
    if (set->nosec == DN_NOSEC_OFF && plain > 0) {
        snprintf(error, error_size,
                 "security.nosec: off leaves nothing for coap.listen and coap-tcp.listen to do: remove them");
        return false;
    }
    if (plain + secure == 0 && !set->only_bootstrap) {
        snprintf(error, error_size,
                 "no address is left on which devices could be heard: see coap.listen, coaps.listen");
        return false;
    }
    return check_pairs(&set->certificates, &set->keys, "security", error, error_size);
}

static bool check_est(const est_settings *est, char *error, size_t error_size)
{
    const char *wrong = NULL;
    if ((est->authority == NULL) != (est->authority_key == NULL)) {
        wrong = "bootstrap.est.authority: it needs its authority-key, and the other way round";
    } else if (est->forward != NULL && est->authority != NULL) {
        wrong = "bootstrap.est.forward: either another authority is asked, or this one issues";
    } else if (est->forward != NULL && strncmp(est->forward, "https://", 8) != 0) {
        wrong = "bootstrap.est.forward: must be an https: URL, as https://ca.example/.well-known/est";
    } else if ((est->forward_certificate == NULL) != (est->forward_key == NULL)) {
        wrong = "bootstrap.est.forward-certificate: it needs its forward-key, and the other way round";
    } else if (est->forward == NULL && (est->forward_ca != NULL || est->forward_key != NULL)) {
        wrong = "bootstrap.est.forward: what goes with it is given, but it is not";
    }
    snprintf(error, error_size, "%s", wrong != NULL ? wrong : "");
    return wrong == NULL;
}

static bool check_bootstrap(const settings *set, char *error, size_t error_size)
{
    const size_t lwm2m = set->at[DN_TRANSPORT_UDP].listen.count + set->at[DN_TRANSPORT_DTLS].listen.count +
                         set->at[DN_TRANSPORT_TCP].listen.count + set->at[DN_TRANSPORT_TLS].listen.count;
    if (set->only_bootstrap && !settings_bootstraps(set)) {
        snprintf(
            error, error_size,
            "only: bootstrap leaves nothing to listen on: see bootstrap.coaps.listen, --bootstrap-coaps");
        return false;
    }
    if (set->only_bootstrap && lwm2m > 0) {
        snprintf(
            error, error_size,
            "only: bootstrap, and addresses for an LwM2M server: remove coap.listen, coaps.listen, coap-tcp.listen and coaps-tcp.listen, or this");
        return false;
    }
    if (set->est.enabled && !settings_bootstraps(set)) {
        snprintf(
            error, error_size,
            "bootstrap.est: devices enrol at the bootstrap server, and there is none: see bootstrap.coaps.listen");
        return false;
    }
    for (size_t i = 0; i < 4; i++) {
        if (set->public[i] != NULL && !is_authority(set->public[i])) {
            snprintf(error, error_size, "public.%s: \"%.100s\" must be HOST:PORT", settings_transports[i],
                     set->public[i]);
            return false;
        }
    }
    return check_pairs(&set->bootstrap.certificates, &set->bootstrap.keys, "bootstrap", error, error_size) &&
           check_est(&set->est, error, error_size);
}

bool settings_check(const settings *set, char *error, size_t error_size)
{
    if (!check_listen(set, error, error_size) || !check_security(set, error, error_size) ||
        !check_bootstrap(set, error, error_size)) {
        return false;
    }
    for (size_t i = 0; i < set->coap_public.count; i++) {
        if (!is_authority(set->coap_public.item[i])) {
            snprintf(error, error_size, "coap.public: \"%.100s\" must be HOST:PORT",
                     set->coap_public.item[i]);
            return false;
        }
    }
    if ((set->coap.block_size & (set->coap.block_size - 1)) != 0) {
        snprintf(error, error_size, "coap.block-size: must be a power of two from 16 to 1024");
        return false;
    }
    if (!set->http_open && !dn_listener_is_loopback(set->http_listen)) {
        snprintf(
            error, error_size,
            "http.listen: %s is not an address of this host only. The API has no passwords yet: whoever reaches "
            "it controls all devices. Use 127.0.0.1:PORT or [::1]:PORT, or allow it with --http-open",
            set->http_listen);
        return false;
    }
    return true;
}

static void set_coap(const settings *set, dn_coap_config *coap)
{
    coap->ack_timeout_ms = set->coap.ack_timeout_ms;
    coap->ack_random_percent = set->coap.ack_random_percent;
    coap->max_retransmit = set->coap.max_retransmit;
    coap->nstart = set->coap.nstart;
    coap->exchange_lifetime_ms = set->coap.exchange_lifetime_ms;
    coap->separate_ack_ms = set->coap.separate_ack_ms;
    coap->response_timeout_ms = set->coap.response_timeout_ms;
    coap->transfer_timeout_ms = set->coap.transfer_timeout_ms;
    coap->exchanges = set->coap.exchanges;
    coap->transfers = set->coap.transfers;
    coap->dedup_slots = set->coap.dedup_slots;
    coap->dedup_per_peer = set->coap.dedup_per_peer;
    coap->max_message = set->coap.max_message;
    coap->max_body = set->coap.max_body;
    coap->block_szx = 0;
    while ((16u << coap->block_szx) < set->coap.block_size) {
        coap->block_szx++;
    }
}

static void limit_sessions(const settings *set, dn_secure_config *config)
{
    config->max_sessions = set->security.max_sessions;
    config->max_handshakes = set->security.max_handshakes;
    config->max_handshakes_per_host = set->security.max_handshakes_per_host;
    config->idle_s = set->security.idle_s;
}

static void limit_streams(const settings *set, dn_tcp_config *config)
{
    config->max_connections = set->tcp.max_connections;
    config->max_per_host = set->tcp.max_per_host;
    config->max_unsent = set->tcp.max_unsent_bytes;
    config->keepalive_s = set->tcp.keepalive_s;
}

static dn_ports_addresses addresses_of(const settings *set, dn_transport transport)
{
    const string_list *listen = &set->at[transport].listen;
    return (dn_ports_addresses){.addresses = (const char *const *)listen->item, .count = listen->count};
}

/* All but CoAP's own numbers: who is listened to, and on what terms. */
static void fleet_streams(const settings *set, dn_fleet_config *config)
{
    config->coap_addresses = addresses_of(set, DN_TRANSPORT_UDP).addresses;
    config->coap_address_count = addresses_of(set, DN_TRANSPORT_UDP).count;
    config->dtls_addresses = addresses_of(set, DN_TRANSPORT_DTLS);
    config->tcp_addresses = addresses_of(set, DN_TRANSPORT_TCP);
    config->tls_addresses = addresses_of(set, DN_TRANSPORT_TLS);
    config->may_be_deaf = set->only_bootstrap;
    config->nosec = set->nosec;
    config->keep_changed_sessions = set->keep_changed_sessions;
    limit_sessions(set, &config->dtls);
    limit_sessions(set, &config->tls_streams);
    limit_streams(set, &config->tcp);
    config->coap.max_stream_message = set->tcp.max_message;
}

void settings_bootstrap(const settings *set, dn_bootstrap_config *config)
{
    set_coap(set, &config->engine.coap);
    config->engine.coap.max_stream_message = set->tcp.max_message;
    config->engine.max_runs = set->bootstrap.max_runs;
    config->engine.max_ended = set->bootstrap.max_ended;
    config->engine.step_timeout_ms = set->bootstrap.step_timeout_ms;
    for (size_t i = 0; i < 4; i++) {
        const string_list *listen = &set->bootstrap.listen[i];
        config->listen[i] =
            (dn_ports_addresses){.addresses = (const char *const *)listen->item, .count = listen->count};
    }
    config->is_nosec_open = set->bootstrap.nosec_on;
    limit_sessions(set, &config->dtls);
    limit_sessions(set, &config->tls_streams);
    limit_streams(set, &config->tcp);
}

void settings_tls(const settings *set, dn_tls_server_config *config)
{
    config->suites = set->suites;
    config->resumable = set->security.resumable;
    config->ticket_lifetime_s = set->security.ticket_lifetime_s;
    config->mtu = (uint16_t)set->security.mtu;
    config->retransmit_ms = set->security.retransmit_ms;
    config->handshake_ms = set->security.handshake_ms;
}

void settings_fleet(const settings *set, dn_fleet_config *config)
{
    set_coap(set, &config->coap);
    fleet_streams(set, config);
    config->max_registrations = set->limits.registrations;
    config->max_link_list_bytes = set->limits.link_list_bytes;
    config->max_link_lists = set->limits.link_lists;
    config->max_observations = set->limits.observations;
    config->max_requests = set->limits.requests;
    config->max_lifetime_s = set->limits.lifetime_s;
    config->event_buffer_bytes = set->limits.event_buffer_bytes;
    config->awake_ms = set->queue.awake_ms;
    config->queue_expires_s = set->queue.expires_s;
    config->queue_keeps_s = set->queue.keep_s;
    config->max_queued = set->queue.requests;
    config->max_queued_per_client = set->queue.requests_per_client;
    config->max_queued_bytes = set->queue.bytes;
}

void settings_api(const settings *set, dn_api_config *config)
{
    config->listen = set->http_listen;
    config->host_names = (const char *const *)set->http_names.item;
    config->host_name_count = set->http_names.count;
    config->threads = set->http.threads;
    config->max_connections = set->http.max_connections;
    config->max_connections_per_ip = set->http.max_connections_per_ip;
    config->connection_timeout_s = set->http.connection_timeout_s;
    config->max_body_bytes = set->http.max_body_bytes;
    config->max_list_bytes = set->http.max_list_bytes;
    config->max_package_bytes = set->packages.max_bytes;
    config->max_bulk_reads = set->http.max_bulk_reads;
    config->max_device_body = set->coap.max_body;
    config->max_event_streams = set->http.max_event_streams;
    config->event_history_bytes = set->http.event_history_bytes;
    config->profile_slots = set->http.profile_slots;
    config->request_timeout_s = set->http.request_timeout_s;
}

dn_sqlite_config settings_sqlite(const settings *set)
{
    dn_sqlite_config config = dn_sqlite_config_default();
    config.durability = set->durability;
    config.cache_kib = set->stored.cache_kib;
    config.log_kib = set->stored.log_kib;
    config.journal_kib = set->stored.journal_kib;
    config.sweep_percent = set->stored.sweep_percent;
    return config;
}
