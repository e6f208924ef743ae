/* SPDX-License-Identifier: Apache-2.0 */
/* The metrics page; see metrics.h. */
#include "api/metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct {
    const char *name;
    const char *type; /* "counter" or "gauge" */
    const char *help;
    uint64_t value;
} metric;

static void write_metric(dn_text *text, const metric *one)
{
    dn_text_format(text, "# HELP %s %s\n# TYPE %s %s\n%s %llu\n", one->name, one->help, one->name, one->type,
                   one->name, (unsigned long long)one->value);
}

static void write_all(dn_text *text, const metric *metrics, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        write_metric(text, &metrics[i]);
    }
}

#define COUNT(metrics) (sizeof(metrics) / sizeof((metrics)[0]))

static void write_fleet(dn_text *text, const dn_fleet_counters *c)
{
    const metric metrics[] = {
        {"dunlin_registrations", "gauge", "Devices registered now.", c->registrations},
        {"dunlin_observations", "gauge", "Observations wanted now.", c->observations},
        {"dunlin_link_lists", "gauge", "Different object lists among the registrations.", c->link_lists},
        {"dunlin_registers_total", "counter", "Register requests accepted.", c->registers},
        {"dunlin_updates_total", "counter", "Update requests accepted.", c->updates},
        {"dunlin_deregisters_total", "counter", "De-register requests accepted.", c->deregisters},
        {"dunlin_expiries_total", "counter", "Registrations whose lifetime ended.", c->expiries},
        {"dunlin_registers_refused_total", "counter", "Register requests refused.", c->refused_registers},
        {"dunlin_updates_refused_total", "counter", "Update requests refused.", c->refused_updates},
        {"dunlin_device_requests_total", "counter", "Requests sent to devices.", c->requests_sent},
        {"dunlin_device_requests_ok_total", "counter", "Requests that a device answered.", c->requests_ok},
        {"dunlin_device_requests_failed_total", "counter", "Requests that failed, time-outs left out.",
         c->requests_failed},
        {"dunlin_device_requests_timeout_total", "counter", "Requests that no device answered.",
         c->requests_timeout},
        {"dunlin_notifications_total", "counter", "Notifications received.", c->notifications},
        {"dunlin_notifications_unknown_total", "counter", "Notifications of no observation of ours.",
         c->unknown_notifications},
        {"dunlin_sends_total", "counter", "Send operations of devices accepted.", c->sends_received},
        {"dunlin_sends_refused_total", "counter", "Send operations refused.", c->sends_refused},
        {"dunlin_queued_requests", "gauge", "Requests that wait in the durable queue.", c->queued},
        {"dunlin_queued_answered_total", "counter", "Queued requests that a device answered.",
         c->queued_answered},
        {"dunlin_queued_failed_total", "counter", "Queued requests that could not be delivered.",
         c->queued_failed},
        {"dunlin_queued_expired_total", "counter", "Queued requests whose time was over.", c->queued_expired},
        {"dunlin_package_bytes_total", "counter", "Bytes of packages served and pushed to devices.",
         c->package_bytes},
        {"dunlin_events_total", "counter", "Events made.", c->events},
        {"dunlin_events_dropped_total", "counter", "Events dropped because nobody took them in time.",
         c->events_dropped},
        {"dunlin_store_commits_total", "counter", "Transactions committed.", c->commits},
        {"dunlin_packet_batches_total", "counter", "Batches of packets handled.", c->batches},
        {"dunlin_sends_failed_total", "counter", "Packets that could not be sent.", c->sends_failed},
    };
    write_all(text, metrics, COUNT(metrics));
    dn_text_format(
        text,
        "# HELP dunlin_store_commit_seconds_total Time spent in commits.\n"
        "# TYPE dunlin_store_commit_seconds_total counter\ndunlin_store_commit_seconds_total %llu.%06llu\n",
        (unsigned long long)(c->commit_us_total / 1000000),
        (unsigned long long)(c->commit_us_total % 1000000));
}

/* Transports, sessions and who was let in. */
static void write_security(dn_text *text, const dn_fleet_counters *c)
{
    const metric metrics[] = {
        {"dunlin_nosec_refused_total", "counter", "Requests without security from who may not.",
         c->nosec_refused},
        {"dunlin_identity_refused_total", "counter",
         "Requests for an endpoint that the proved identity is not entitled to.", c->identity_refused},
        {"dunlin_tcp_connections", "gauge", "TCP connections open now, with and without TLS.",
         c->tcp_connections},
        {"dunlin_tcp_accepted_total", "counter", "TCP connections accepted.", c->tcp_accepted},
        {"dunlin_tcp_refused_total", "counter", "TCP connections refused because of a limit.",
         c->tcp_refused},
        {"dunlin_tcp_malformed_total", "counter", "TCP connections ended because of what was sent.",
         c->tcp_malformed},
        {"dunlin_tcp_overrun_total", "counter", "TCP connections ended because the peer did not read.",
         c->tcp_overrun},
        {"dunlin_dtls_sessions", "gauge", "DTLS sessions open now.", c->dtls_sessions},
        {"dunlin_dtls_half_open", "gauge", "DTLS handshakes under way.", c->dtls_half_open},
        {"dunlin_tls_sessions", "gauge", "TLS sessions open now.", c->tls_sessions},
        {"dunlin_tls_half_open", "gauge", "TLS handshakes under way.", c->tls_half_open},
        {"dunlin_handshakes_total", "counter", "Handshakes completed, resumed ones included.", c->handshakes},
        {"dunlin_handshakes_resumed_total", "counter", "Handshakes that resumed a session.",
         c->handshakes_resumed},
        {"dunlin_handshakes_failed_total", "counter", "Handshakes that failed, for whatever reason.",
         c->handshakes_failed},
        {"dunlin_handshakes_unknown_psk_total", "counter",
         "Handshakes with a PSK identity that is not known.", c->handshakes_unknown_psk},
        {"dunlin_handshakes_bad_key_total", "counter",
         "Handshakes with a wrong key, or that were tampered with.", c->handshakes_bad_key},
        {"dunlin_handshakes_bad_certificate_total", "counter",
         "Handshakes with a certificate or public key that is not accepted.", c->handshakes_bad_certificate},
        {"dunlin_handshakes_timeout_total", "counter", "Handshakes that took too long.",
         c->handshakes_timeout},
        {"dunlin_handshake_limits_total", "counter", "Handshakes not begun, or given up, because of a limit.",
         c->handshake_limits},
        {"dunlin_dtls_cookies_total", "counter", "HelloVerifyRequests sent.", c->cookies},
        {"dunlin_session_evictions_total", "counter", "Sessions that gave way to others.",
         c->session_evictions},
        {"dunlin_session_strangers_total", "counter", "Datagrams of no session that begin none.",
         c->session_strangers},
        {"dunlin_sessions_revoked_total", "counter", "Sessions ended because their credential changed.",
         c->sessions_revoked},
    };
    write_all(text, metrics, COUNT(metrics));
}

static void write_coap(dn_text *text, const dn_fleet_counters *counters)
{
    const metric metrics[] = {
        {"dunlin_coap_received_total", "counter", "CoAP messages received.", counters->coap.received},
        {"dunlin_coap_sent_total", "counter", "CoAP messages sent.", counters->coap.sent},
        {"dunlin_coap_received_bytes_total", "counter", "Bytes received in CoAP messages.",
         counters->coap.bytes_received},
        {"dunlin_coap_sent_bytes_total", "counter", "Bytes sent in CoAP messages.",
         counters->coap.bytes_sent},
        {"dunlin_coap_malformed_total", "counter", "Datagrams that are not CoAP or break its rules.",
         counters->coap.malformed},
        {"dunlin_coap_oversized_total", "counter", "Datagrams larger than the limit.",
         counters->coap.oversized},
        {"dunlin_coap_duplicates_total", "counter", "Messages received again.", counters->coap.duplicates},
        {"dunlin_coap_retransmissions_total", "counter", "Messages sent again.",
         counters->coap.retransmissions},
        {"dunlin_coap_timeouts_total", "counter", "Messages that were never acknowledged.",
         counters->coap.timeouts},
        {"dunlin_coap_resets_received_total", "counter", "Resets received.", counters->coap.resets_received},
        {"dunlin_coap_resets_sent_total", "counter", "Resets sent.", counters->coap.resets_sent},
        {"dunlin_coap_bad_options_total", "counter",
         "Requests with a critical option that is not understood.", counters->coap.bad_options},
        {"dunlin_coap_limits_total", "counter", "Requests refused because a limit was reached.",
         counters->coap.limits},
        {"dunlin_coap_unmatched_total", "counter", "Responses that nobody waited for.",
         counters->coap.unmatched},
        {"dunlin_coap_requests_total", "counter", "Requests received.", counters->coap.requests},
        {"dunlin_coap_responses_total", "counter", "Responses received.", counters->coap.responses},
        {"dunlin_coap_notifications_total", "counter", "Notifications received.",
         counters->coap.notifications},
        {"dunlin_coap_incomplete_total", "counter", "Block-wise transfers answered 4.08.",
         counters->coap.incomplete},
    };
    write_all(text, metrics, COUNT(metrics));
}

static void write_bootstrap(const dn_api *api, dn_text *text)
{
    dn_bs_store *store = api->config.bootstrap_store;
    dn_credentials *keeper = api->config.bootstrap_credentials;
    dn_bootstrap_counters counters = {0};
    const dn_bs_counters *c = &counters.engine;
    const dn_secure_counters *dtls = &counters.ports.dtls;
    const dn_secure_counters *tls = &counters.ports.tls;
    if (store == NULL) {
        return;
    }
    if (api->config.bootstrap != NULL) {
        dn_bootstrap_count(api->config.bootstrap, &counters);
    }
    const metric metrics[] = {
        {"dunlin_bootstrap_configs", "gauge", "Bootstrap configurations, patterns included.",
         store->ops->count(store)},
        {"dunlin_bootstrap_credentials", "gauge", "Credentials of devices towards the bootstrap server.",
         keeper != NULL ? keeper->ops->count(keeper) : 0},
        {"dunlin_bootstrap_running", "gauge", "Bootstraps of devices under way.", c->running},
        {"dunlin_bootstrap_requests_total", "counter", "Bootstrap-Requests received.", c->requests},
        {"dunlin_bootstrap_refused_total", "counter", "Bootstrap-Requests answered with an error.",
         c->refused},
        {"dunlin_bootstrap_insecure_refused_total", "counter",
         "Bootstrap-Requests without security from who may not.", c->insecure_refused},
        {"dunlin_bootstrap_limited_total", "counter", "Bootstrap-Requests put off because of a limit.",
         c->limited},
        {"dunlin_bootstrap_runs_total", "counter", "Bootstraps begun.", c->runs},
        {"dunlin_bootstrap_finished_total", "counter", "Bootstraps that the device has taken.", c->finished},
        {"dunlin_bootstrap_failed_total", "counter", "Bootstraps that failed.", c->failed},
        {"dunlin_bootstrap_repaired_total", "counter", "Bootstraps written once more after a refused Finish.",
         c->repaired},
        {"dunlin_bootstrap_restarted_total", "counter", "Bootstraps begun anew by a second request.",
         c->restarted},
        {"dunlin_bootstrap_steps_total", "counter", "Operations sent to devices.", c->steps},
        {"dunlin_bootstrap_step_errors_total", "counter", "Operations answered with an error.",
         c->step_errors},
        {"dunlin_bootstrap_timeouts_total", "counter", "Operations that no device answered.", c->timeouts},
        {"dunlin_bootstrap_minted_total", "counter", "Pre-shared keys made for devices.", c->minted},
        {"dunlin_bootstrap_promoted_total", "counter", "Pre-shared keys that took the place of former ones.",
         c->promoted},
        {"dunlin_bootstrap_enrolled_total", "counter", "Certificates issued.", c->enrolled},
        {"dunlin_bootstrap_enrolments_refused_total", "counter", "Certificates asked for and refused.",
         c->enrol_refused},
        {"dunlin_bootstrap_coap_retransmissions_total", "counter", "Messages sent again.",
         c->coap.retransmissions},
        {"dunlin_bootstrap_handshakes_total", "counter", "Handshakes completed, resumed ones included.",
         dtls->handshakes + tls->handshakes},
        {"dunlin_bootstrap_handshakes_failed_total", "counter",
         "Handshakes that failed, for whatever reason.", dtls->failed + tls->failed},
        {"dunlin_bootstrap_tcp_connections", "gauge", "TCP connections open now, with and without TLS.",
         counters.ports.tcp_connections},
    };
    write_all(text, metrics, COUNT(metrics));
}

/* Resident memory, which is what an operator watches first. */
static uint64_t resident_bytes(void)
{
    char line[128] = "";
    FILE *file = fopen("/proc/self/statm", "re");
    if (file != NULL) {
        if (fgets(line, sizeof line, file) == NULL) {
            line[0] = 0;
        }
        (void)fclose(file);
    }
    const char *second = strchr(line, ' '); /* the first number is the size of the address space */
    uint64_t pages = second == NULL ? 0 : strtoull(second, NULL, 10);
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void write_api(dn_api *api, dn_text *text)
{
    dn_feed_counters feed;
    dn_feed_count(api->feed, &feed);
    pthread_mutex_lock(&api->flights.lock);
    uint64_t waiting = api->flights.count;
    pthread_mutex_unlock(&api->flights.lock);
    dn_credentials *keeper = api->config.credentials;
    const metric metrics[] = {
        {"dunlin_credentials", "gauge", "Credentials of devices, patterns included.",
         keeper != NULL ? keeper->ops->count(keeper) : 0},
        {"dunlin_http_waiting", "gauge", "HTTP requests that wait for the fleet.", waiting},
        {"dunlin_bulk_reads", "gauge", "Reads of many devices open now.", atomic_load(&api->bulks.count)},
        {"dunlin_event_streams", "gauge", "Event streams open now.", feed.streams},
        {"dunlin_event_streams_total", "counter", "Event streams opened.", feed.opened},
        {"dunlin_event_history_bytes", "gauge", "Bytes of events kept for resuming.", feed.kept_bytes},
        {"process_resident_memory_bytes", "gauge", "Resident memory.", resident_bytes()},
    };
    write_all(text, metrics, COUNT(metrics));
    dn_text_format(
        text,
        "# HELP process_start_time_seconds Start of the server.\n# TYPE process_start_time_seconds gauge\n"
        "process_start_time_seconds %lld.%03lld\n",
        (long long)(api->started_ms / 1000), (long long)(api->started_ms % 1000));
}

void dn_metrics_write(dn_api *api, dn_text *text)
{
    dn_fleet_counters counters = {0};
    dn_fleet_count(api->config.fleet, &counters);
    dn_text_format(text,
                   "# HELP dunlin_info The version of the server.\n# TYPE dunlin_info gauge\n"
                   "dunlin_info{version=\"%s\"} 1\n",
                   api->config.version);
    write_fleet(text, &counters);
    write_security(text, &counters);
    write_coap(text, &counters);
    write_bootstrap(api, text);
    write_api(api, text);
    dn_http_metrics_write(api->metrics, text);
}
