/* SPDX-License-Identifier: Apache-2.0 */
/* Steps of security and transports: how the device comes to its server, and what it refuses. */
#include "ets/run.h"
#include "ets/text.h"

#include <stdio.h>
#include <string.h>

#define SECOND_MS  1000u
#define SIGNAL_CSM 0xe1u

typedef struct {
    dn_transport transport;
    uint8_t mode;
    const char *text;
    const char *suites[2]; /* those that Transport 1.1.1 section 5.2.8 mandates */
} way_row;

#define PSK_SUITES                                                      \
    {                                                                   \
        "TLS_PSK_WITH_AES_128_CCM_8", "TLS_PSK_WITH_AES_128_CBC_SHA256" \
    }
#define ECDHE_SUITES                                                                    \
    {                                                                                   \
        "TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8", "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256" \
    }

static const way_row WAYS[] = {
    [DN_ETS_WAY_ANY] = {DN_TRANSPORT_UDP, DN_SECURITY_NOSEC, "UDP without security", {NULL, NULL}},
    [DN_ETS_WAY_PSK] = {DN_TRANSPORT_DTLS, DN_SECURITY_PSK, "DTLS with a pre-shared key", PSK_SUITES},
    [DN_ETS_WAY_X509] = {DN_TRANSPORT_DTLS, DN_SECURITY_X509, "DTLS with certificates", ECDHE_SUITES},
    [DN_ETS_WAY_X509_OTHER] = {DN_TRANSPORT_DTLS, DN_SECURITY_X509, "DTLS with certificates", ECDHE_SUITES},
    [DN_ETS_WAY_TCP] = {DN_TRANSPORT_TCP, DN_SECURITY_NOSEC, "TCP without security", {NULL, NULL}},
    [DN_ETS_WAY_TLS_PSK] = {DN_TRANSPORT_TLS, DN_SECURITY_PSK, "TLS over TCP with a pre-shared key",
                            PSK_SUITES},
    [DN_ETS_WAY_TLS_X509] = {DN_TRANSPORT_TLS, DN_SECURITY_X509, "TLS over TCP with certificates",
                             ECDHE_SUITES},
};

static bool connection_of(const dn_ets_run *run, unsigned server, dn_ets_connection *out)
{
    const dn_ets_world *world = run->world;
    if (world->connection != NULL) {
        return world->connection(world->context, server, out);
    }
    *out = (dn_ets_connection){.transport = DN_TRANSPORT_UDP, .mode = DN_SECURITY_NOSEC};
    return true;
}

static void say_comes(const dn_ets_step *step, char *out, size_t size)
{
    (void)snprintf(out, size, "Device comes to the server over %s", WAYS[step->operation].text);
}

static void act_comes(dn_ets_run *run, const dn_ets_step *step)
{
    const way_row *way = &WAYS[step->operation];
    dn_ets_connection is;
    if (!connection_of(run, step->server, &is)) {
        (void)dn_ets_expect(run, false, "there is a session or a connection between device and server");
        return;
    }
    /* A foreign device comes as it is configured: then the case is about another one. */
    if (run->world->device == NULL && (is.transport != way->transport || is.mode != way->mode)) {
        dn_ets_end_as(run, DN_ETS_NOT_APPLICABLE, "the device does not come over %s", way->text);
        return;
    }
    (void)dn_ets_expect(run, is.transport == way->transport && is.mode == way->mode, "it is one over %s",
                        way->text);
    if (way->suites[0] != NULL && is.suite[0] != '\0') {
        (void)dn_ets_expect(run,
                            strcmp(is.suite, way->suites[0]) == 0 || strcmp(is.suite, way->suites[1]) == 0,
                            "its suite is one that the specification mandates: %s", is.suite);
    }
}

const dn_ets_kind dn_ets_kind_comes = {say_comes, act_comes};

/* ---- all of it over one transport ---- */

static void say_stays(const dn_ets_step *step, char *out, size_t size)
{
    (void)snprintf(out, size, "All messages of the case have gone over %s", WAYS[step->operation].text);
}

static void act_stays(dn_ets_run *run, const dn_ets_step *step)
{
    const dn_ets_trace *trace = &run->world->trace;
    size_t count = 0;
    size_t astray = 0;
    for (size_t i = run->registration.request; i < trace->count; i++) {
        count += trace->list[i]->server == step->server;
        astray += trace->list[i]->server == step->server &&
                  dn_peer_transport(&trace->list[i]->device) != WAYS[step->operation].transport;
    }
    (void)dn_ets_expect(run, count > 0 && astray == 0, "%zu messages, %zu of them in another way", count,
                        astray);
}

const dn_ets_kind dn_ets_kind_stays = {say_stays, act_stays};

/* ---- RFC 8323 ---- */

static void say_signals(const dn_ets_step *step, char *out, size_t size)
{
    (void)step;
    (void)snprintf(out, size, "Each side's first message is its CSM (7.01)");
}

/* The first message in a direction on the connection by which the device has registered. */
static const dn_ets_message *first_message(const dn_ets_run *run, bool to_device)
{
    const dn_ets_trace *trace = &run->world->trace;
    for (size_t i = 0; i < trace->count; i++) {
        const dn_ets_message *one = trace->list[i];
        if (one->to_device == to_device && one->server == 0 &&
            dn_peer_equal(&one->device, &run->registration.device)) {
            return one;
        }
    }
    return NULL;
}

static void act_signals(dn_ets_run *run, const dn_ets_step *step)
{
    static const char *const sides[] = {"the device", "the server"};
    dn_ets_connection is;
    if (run->world->device == NULL &&
        (!connection_of(run, step->server, &is) || !dn_transport_is_stream(is.transport))) {
        dn_ets_end_as(run, DN_ETS_NOT_APPLICABLE, "the device does not come over TCP or TLS");
        return;
    }
    for (unsigned to_device = 0; to_device <= 1; to_device++) {
        const dn_ets_message *first = first_message(run, to_device != 0);
        (void)dn_ets_expect(run, first != NULL && first->readable && first->is.code == SIGNAL_CSM,
                            "the first message of %s is a CSM", sides[to_device]);
    }
}

const dn_ets_kind dn_ets_kind_signals = {say_signals, act_signals};

/* ---- a handshake that must fail ---- */

static void say_refuses(const dn_ets_step *step, char *out, size_t size)
{
    (void)step;
    (void)snprintf(out, size,
                   "Device begins a handshake, and ends it because of the name in the server's certificate");
}

static bool has_failed(void *context)
{
    const dn_ets_run *run = context;
    dn_ets_refusal refusal;
    return run->world->refusal(run->world->context, 0, &refusal);
}

static void act_refuses(dn_ets_run *run, const dn_ets_step *step)
{
    dn_ets_refusal refusal = {.alert = DN_TLS_NO_ALERT};
    if (run->world->refusal == NULL) {
        dn_ets_end_as(run, DN_ETS_NOT_APPLICABLE, "nobody listens for DTLS here: see --listen");
        return;
    }
    if (!dn_ets_world_run(run->world, dn_ets_patience_ms(run, step->to_s), has_failed, run) &&
        run->world->device == NULL) {
        dn_ets_end_as(
            run, DN_ETS_NEEDS_HANDS,
            "give the device a URI whose host is not the name in the server's certificate, and let it "
            "start; no handshake has failed within %u s",
            (unsigned)(dn_ets_patience_ms(run, step->to_s) / SECOND_MS));
        return;
    }
    const bool failed = run->world->refusal(run->world->context, 0, &refusal);
    (void)dn_ets_expect(run, failed, "the handshake fails%s%s", failed ? ": " : "", refusal.why);
    (void)dn_ets_expect(run, refusal.by_device, "it is the device that ends it, with the alert %s",
                        refusal.alert == DN_TLS_NO_ALERT ? "that got lost"
                                                         : dn_tls_alert_name(refusal.alert));
    (void)dn_ets_expect(
        run, dn_ets_trace_request(&run->world->trace, run->begin, 0, false, DN_COAP_POST, "/rd") == SIZE_MAX,
        "the device does not register");
}

const dn_ets_kind dn_ets_kind_refuses = {say_refuses, act_refuses};
