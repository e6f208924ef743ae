/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All settings of dunlind in one structure: defaults, then the configuration file (config.c), then the command line (options.c). Every
 * number has its name, bounds and place in one table, from which the file's schema is made and which docs/reference/configuration.md
 * is tested against.
 */
#ifndef DUNLIND_SETTINGS_H
#define DUNLIND_SETTINGS_H

#include "api/api.h"
#include "bootstrap/bootstrap.h"
#include "server/fleet.h"
#include "store/sqlite.h"

#include <stdbool.h>
#include <stdint.h>

#define LIST_MAX 16u

/* X(section, key, member, least, most) */
#define COAP_NUMBERS(X)                                                 \
    X(coap, "ack-timeout-ms", ack_timeout_ms, 100, 600000)              \
    X(coap, "ack-random-percent", ack_random_percent, 100, 1000)        \
    X(coap, "max-retransmit", max_retransmit, 0, 20)                    \
    X(coap, "nstart", nstart, 1, 64)                                    \
    X(coap, "exchange-lifetime-ms", exchange_lifetime_ms, 1000, 600000) \
    X(coap, "separate-ack-ms", separate_ack_ms, 0, 10000)               \
    X(coap, "response-timeout-ms", response_timeout_ms, 1000, 600000)   \
    X(coap, "transfer-timeout-ms", transfer_timeout_ms, 1000, 600000)   \
    X(coap, "exchanges", exchanges, 16, 1000000)                        \
    X(coap, "transfers", transfers, 1, 65536)                           \
    X(coap, "dedup-slots", dedup_slots, 16, 16777216)                   \
    X(coap, "dedup-per-peer", dedup_per_peer, 1, 1024)                  \
    X(coap, "max-message", max_message, 128, 2048)                      \
    X(coap, "max-body", max_body, 1024, 16777216)                       \
    X(coap, "block-size", block_size, 16, 1024)

#define SECURITY_NUMBERS(X)                                                     \
    X(security, "max-sessions", max_sessions, 1, 16777216)                      \
    X(security, "max-handshakes", max_handshakes, 1, 1000000)                   \
    X(security, "max-handshakes-per-host", max_handshakes_per_host, 1, 1000000) \
    X(security, "handshake-ms", handshake_ms, 1000, 600000)                     \
    X(security, "idle-s", idle_s, 0, 31536000)                                  \
    X(security, "resumable", resumable, 0, 16777216)                            \
    X(security, "ticket-lifetime-s", ticket_lifetime_s, 60, 604800)             \
    X(security, "mtu", mtu, 576, 2048)                                          \
    X(security, "retransmit-ms", retransmit_ms, 100, 60000)

#define TCP_NUMBERS(X)                                            \
    X(tcp, "max-connections", max_connections, 1, 1000000)        \
    X(tcp, "max-per-host", max_per_host, 1, 1000000)              \
    X(tcp, "max-unsent-bytes", max_unsent_bytes, 16384, 16777216) \
    X(tcp, "keepalive-s", keepalive_s, 0, 86400)                  \
    X(tcp, "max-message", max_message, 1152, 1048576)

#define HTTP_NUMBERS(X)                                                    \
    X(http, "threads", threads, 1, 64)                                     \
    X(http, "max-connections", max_connections, 1, 65536)                  \
    X(http, "max-connections-per-ip", max_connections_per_ip, 0, 65536)    \
    X(http, "connection-timeout-s", connection_timeout_s, 1, 3600)         \
    X(http, "max-body-bytes", max_body_bytes, 1024, 67108864)              \
    X(http, "max-list-bytes", max_list_bytes, 1024, 1073741824)            \
    X(http, "max-bulk-reads", max_bulk_reads, 1, 1024)                     \
    X(http, "max-event-streams", max_event_streams, 1, 65536)              \
    X(http, "event-history-bytes", event_history_bytes, 65536, 1073741824) \
    X(http, "profile-slots", profile_slots, 64, 16777216)                  \
    X(http, "request-timeout-s", request_timeout_s, 1, 300)

#define LIMIT_NUMBERS(X)                                                   \
    X(limits, "registrations", registrations, 1, 16777216)                 \
    X(limits, "link-list-bytes", link_list_bytes, 256, 1048576)            \
    X(limits, "link-lists", link_lists, 1, 16777216)                       \
    X(limits, "observations", observations, 1, 16777216)                   \
    X(limits, "requests", requests, 1, 65536)                              \
    X(limits, "lifetime-s", lifetime_s, 0, 4294967295)                     \
    X(limits, "event-buffer-bytes", event_buffer_bytes, 65536, 1073741824) \
    X(limits, "stop-grace-ms", stop_grace_ms, 0, 600000)

#define QUEUE_NUMBERS(X)                                           \
    X(queue, "awake-ms", awake_ms, 100, 86400000)                  \
    X(queue, "expires-s", expires_s, 1, 31536000)                  \
    X(queue, "keep-s", keep_s, 1, 31536000)                        \
    X(queue, "requests", requests, 1, 16777216)                    \
    X(queue, "requests-per-client", requests_per_client, 1, 65536) \
    X(queue, "bytes", bytes, 1048576, 4294967295)

#define PACKAGE_NUMBERS(X) X(packages, "max-bytes", max_bytes, 1024, 1073741824)

#define STORE_NUMBERS(X)                                \
    X(store, "cache-kib", cache_kib, 256, 16777216)     \
    X(store, "log-kib", log_kib, 256, 1048576)          \
    X(store, "journal-kib", journal_kib, 256, 16777216) \
    X(store, "sweep-percent", sweep_percent, 1, 1000)

#define BOOTSTRAP_NUMBERS(X)                         \
    X(bootstrap, "max-runs", max_runs, 1, 1000000)   \
    X(bootstrap, "max-ended", max_ended, 0, 1000000) \
    X(bootstrap, "step-timeout-ms", step_timeout_ms, 1000, 600000)

#define EST_NUMBERS(X) X(est, "days", days, 1, 36500)

#define ALL_NUMBERS(X)  \
    COAP_NUMBERS(X)     \
    SECURITY_NUMBERS(X) \
    TCP_NUMBERS(X)      \
    HTTP_NUMBERS(X)     \
    LIMIT_NUMBERS(X) QUEUE_NUMBERS(X) PACKAGE_NUMBERS(X) STORE_NUMBERS(X) BOOTSTRAP_NUMBERS(X) EST_NUMBERS(X)

#define NUMBER_MEMBER(section, key, member, least, most) uint32_t member;

typedef enum { STORE_SQLITE, STORE_MEMORY } store_type;
typedef enum { LOG_TEXT, LOG_JSON, LOG_JOURNAL } log_format;

typedef struct {
    char *item[LIST_MAX];
    size_t count;
} string_list;

/* Enrolment over secure transport; NULL: not given. */
typedef struct {
    bool enabled;
    bool takes_any; /* devices that proved themselves by a pre-shared or raw public key may enrol, too */
    char *authority, *authority_key;
    char *forward, *forward_ca, *forward_certificate, *forward_key;
    EST_NUMBERS(NUMBER_MEMBER)
} est_settings;

typedef struct {
    string_list listen[4]; /* by dn_transport; none: there is no bootstrap server */
    bool nosec_on;
    string_list certificates, keys; /* in the same order */
    char *client_cas;
    BOOTSTRAP_NUMBERS(NUMBER_MEMBER)
} bootstrap_settings;

/* Strings are owned. */
typedef struct {
    char *data;
    char *console; /* NULL: where it is installed */
    string_list models;
    /* Where devices are listened to, by dn_transport; `is_named`: the file or the command line has said, maybe that there is none. */
    struct {
        string_list listen;
        bool is_named;
    } at[4];
    bool only_coap;          /* --coap was given: nothing is served on default addresses beside it */
    string_list coap_public; /* "host:port" */
    char *public[4];     /* "host:port" by which devices reach the server, by dn_transport; NULL: not said */
    bool only_bootstrap; /* no LwM2M server here */
    bootstrap_settings bootstrap;
    est_settings est;
    dn_nosec nosec;
    string_list certificates, keys; /* in the same order */
    char *client_cas, *crls, *ocsp; /* NULL: none */
    char *seal_key;                 /* NULL: in the data folder */
    dn_tls_suites suites;
    bool keep_changed_sessions;
    char *http_listen;
    bool http_open;
    string_list http_names;
    bool packages_serve;
    store_type store;
    dn_durability durability;
    dn_log_level log_level;
    log_format format;
    struct {
        COAP_NUMBERS(NUMBER_MEMBER)
    } coap;
    struct {
        SECURITY_NUMBERS(NUMBER_MEMBER)
    } security;
    struct {
        TCP_NUMBERS(NUMBER_MEMBER)
    } tcp;
    struct {
        HTTP_NUMBERS(NUMBER_MEMBER)
    } http;
    struct {
        LIMIT_NUMBERS(NUMBER_MEMBER)
    } limits;
    struct {
        QUEUE_NUMBERS(NUMBER_MEMBER)
    } queue;
    struct {
        PACKAGE_NUMBERS(NUMBER_MEMBER)
    } packages;
    struct {
        STORE_NUMBERS(NUMBER_MEMBER)
    } stored;
} settings;

typedef struct {
    const char *section;
    const char *key;
    size_t offset; /* in settings */
    uint32_t least, most;
} number_setting;

/* Of each dn_transport: the section of its addresses, "coap-tcp", which is its URI scheme with another sign. */
extern const char *const settings_transports[4];
extern const number_setting number_settings[];
extern const size_t number_setting_count;

/* The defaults, which are those of the libraries. False: no memory. */
bool settings_init(settings *set);
/* What stays open after file and command line gets its default: addresses. False: no memory. */
bool settings_complete(settings *set);
void settings_free(settings *set);
uint32_t *settings_number(settings *set, const number_setting *number);
/* Replaces *place by a copy. False: no memory. */
bool settings_string(char **place, const char *value);
/* Adds a copy; false: no memory or the list is full. */
bool settings_add(string_list *list, const char *value);
void settings_clear(string_list *list);
/* Exchanges what names keys and certificates, and the suites. */
void settings_swap_keys(settings *a, settings *b);
/* True when there is a bootstrap server. */
bool settings_bootstraps(const settings *set);
/* "coaps://host:port" to its transport and place behind the scheme; -1: it is none. */
int settings_public(const char *uri, const char **place);
/* Checks what depends on more than one setting. False: `error` says what is wrong. */
bool settings_check(const settings *set, char *error, size_t error_size);

/* The configurations of the parts. */
void settings_fleet(const settings *set, dn_fleet_config *config);
void settings_tls(const settings *set, dn_tls_server_config *config);
void settings_bootstrap(const settings *set, dn_bootstrap_config *config);
void settings_api(const settings *set, dn_api_config *config);
dn_sqlite_config settings_sqlite(const settings *set);

#endif
