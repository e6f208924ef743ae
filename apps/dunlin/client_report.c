/* SPDX-License-Identifier: Apache-2.0 */
/* Events in words. */
#include "apps/dunlin/client_report.h"

#include "apps/dunlin/client_accounts.h"
#include "apps/dunlin/client_report_bootstrap.h"
#include "apps/dunlin/command.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define MS_PER_S 1000

/* As its account has it now; those of the command line have Short Server IDs in its order, from 1 on. */
static const char *url_of(dn_sim_report *r, uint16_t server)
{
    const char *none = server == DUNLIN_BOOTSTRAP_SERVER ? "the bootstrap server" : "the server";
    if (r->client != NULL) {
        dn_sim_account_uri(r->client, server, r->uri);
    }
    return r->client == NULL || r->uri[0] == '\0' ? none : r->uri;
}

/* Servers come and go with a bootstrap: each gets a bit when it is spoken of first. */
static uint16_t bit_of(dn_sim_report *r, uint16_t server)
{
    for (unsigned i = 0; server != 0 && i < DN_SIM_KNOWN_MAX; i++) {
        if (r->known[i] == 0) {
            r->known[i] = server;
        }
        if (r->known[i] == server) {
            return (uint16_t)(1u << i);
        }
    }
    return 0;
}

static const char *advice(uint8_t code)
{
    static const struct {
        uint8_t code;
        const char *text;
    } rows[] = {
        {0x80,
         "4.00 Bad Request: does the server know this endpoint name, and may it come without security?"},
        {0x81, "4.01 Unauthorized: the server wants credentials"},
        {0x83,
         "4.03 Forbidden: the server does not let this endpoint name in; see its list of allowed devices"},
        {0x84, "4.04 Not Found: there is no /rd at that address; is it an LwM2M server's port?"},
        {0x85, "4.05 Method Not Allowed: is it an LwM2M server's port, and not a bootstrap server's?"},
        {0x89,
         "4.09 Conflict: another device is registered under this name, or the server is configured otherwise"},
        {0x8C, "4.12 Precondition Failed: the server does not speak this version; try --lwm2m 1.0"},
        {0x8D,
         "4.13 Request Entity Too Large: the list of objects is too long for the server; use fewer --object files"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].code == code) {
            return rows[i].text;
        }
    }
    return NULL;
}

/* A mistake of the command line stays the reason, whatever follows from it. */
static void end_with(dn_sim_report *r, int exit_code)
{
    if (r->exit_code != EXIT_CODE_USAGE) {
        r->exit_code = exit_code;
    }
}

static void say_next(dn_sim_report *r, const dunlin_client_event *event)
{
    const uint64_t retry_ms = event->retry_ms;
    if (retry_ms == DUNLIN_NEVER) {
        r->told_end |= bit_of(r, event->server);
    }
    if (retry_ms == DUNLIN_NEVER) {
        (void)fputs("; giving up\n", stderr);
    } else if (retry_ms == 0) {
        (void)fputs("; registering anew\n", stderr);
    } else {
        (void)fprintf(stderr, "; trying again in %llu s\n", (unsigned long long)(retry_ms / MS_PER_S));
    }
}

static void say_refused(dn_sim_report *r, const dunlin_client_event *event)
{
    const char *known = advice(event->code);
    if (known != NULL) {
        (void)fprintf(stderr, "dunlin client: refused: %s", known);
    } else {
        (void)fprintf(stderr, "dunlin client: refused with %u.%02u", event->code >> 5, event->code & 31u);
    }
    say_next(r, event);
}

static void say_unreachable(dn_sim_report *r, const dunlin_client_event *event)
{
    const char *url = url_of(r, event->server);
    if ((r->way_left & bit_of(r, event->server)) != 0 && event->retry_ms != DUNLIN_NEVER) {
        (void)printf("connecting to %s again in %llu s\n", url,
                     (unsigned long long)(event->retry_ms / MS_PER_S));
        return; /* nothing has failed */
    }
    end_with(r, EXIT_CODE_UNREACHABLE);
    if ((r->way_failed & bit_of(r, event->server)) != 0) {
        (void)fprintf(stderr, "dunlin client: there is no way to %s", url);
    } else if (event->status == DUNLIN_ERR_NOT_FOUND) {
        (void)fprintf(stderr, "dunlin client: the host of %s has no address (of this kind)", url);
    } else if (event->status == DUNLIN_ERR_TIMEOUT) {
        (void)fprintf(stderr, "dunlin client: no answer from %s: is a server running there?", url);
    } else {
        (void)fprintf(stderr, "dunlin client: cannot register with %s: %s", url,
                      dunlin_status_text(event->status));
    }
    say_next(r, event);
}

/* After an alert that makes more tries useless, nothing else was told. */
static void say_failed(dn_sim_report *r, const dunlin_client_event *event)
{
    if ((r->told_end & bit_of(r, event->server)) == 0) {
        (void)fprintf(stderr, "dunlin client: no further try with %s would help; giving up\n",
                      url_of(r, event->server));
        end_with(r, EXIT_CODE_UNREACHABLE);
    }
    r->told_end &= (uint16_t)~bit_of(r, event->server);
}

/* The server's words: they make no second line, and the terminal does not take them for commands. */
static void put_plain(FILE *out, const char *location)
{
    for (const char *at = location; *at != '\0'; at++) {
        (void)fputc((unsigned char)*at < 0x20 || (unsigned char)*at >= 0x7f ? '?' : *at, out);
    }
}

static void write_ready(const dn_sim_report *r, const char *location)
{
    FILE *out = r->options->ready_file == NULL ? NULL : fopen(r->options->ready_file, "w");
    if (out != NULL) {
        put_plain(out, location);
        (void)fputc('\n', out);
    }
    if (r->options->ready_file != NULL && (out == NULL || fclose(out) != 0)) {
        (void)fprintf(stderr, "dunlin client: cannot write %s: %s\n", r->options->ready_file,
                      strerror(errno));
    }
}

/* As the server has written them: arguments 0,1='text'. */
static void print_arguments(const dunlin_arguments *arguments)
{
    const char *separator = "arguments ";
    if (arguments == NULL || arguments->present == 0) {
        return;
    }
    for (unsigned i = 0; i < sizeof arguments->value / sizeof arguments->value[0]; i++) {
        const dunlin_slice value = arguments->value[i];
        if ((arguments->present >> i & 1) == 0) {
            continue;
        }
        (void)printf("%s%u", separator, i);
        if (value.data != NULL) {
            (void)printf("='%.*s'", (int)value.len, (const char *)value.data);
        }
        separator = ",";
    }
    (void)printf("\n");
}

static void say_change(const dunlin_client_event *event)
{
    char path[DUNLIN_PATH_TEXT_MAX + 1];
    (void)dunlin_path_format(event->path, path);
    (void)printf("%s %s\n", event->kind == DUNLIN_CLIENT_EXECUTED ? "executed" : "written", path);
    print_arguments(event->arguments);
}

/* What is told only with --verbose. */
static void say_more(const dunlin_client_event *event)
{
    switch (event->kind) {
    case DUNLIN_CLIENT_UPDATED:
        (void)printf("updated\n");
        break;
    case DUNLIN_CLIENT_ASLEEP:
        (void)printf("asleep\n");
        break;
    case DUNLIN_CLIENT_AWAKE:
        (void)printf("awake\n");
        break;
    case DUNLIN_CLIENT_CHANGED:
    case DUNLIN_CLIENT_EXECUTED:
        say_change(event);
        break;
    default:
        break;
    }
}

void dn_sim_report_event(dn_sim_report *r, const dunlin_client_event *event)
{
    const uint16_t bit = bit_of(r, event->server);
    switch (event->kind) {
    case DUNLIN_CLIENT_REGISTERED:
        r->failed &= (uint16_t)~bit;
        r->told_end &= (uint16_t)~bit;
        (void)fputs("registered as ", stdout);
        put_plain(stdout, event->location);
        (void)printf(" with %s\n", url_of(r, event->server));
        write_ready(r, event->location);
        break;
    case DUNLIN_CLIENT_REFUSED:
        say_refused(r, event);
        end_with(r, EXIT_CODE_REFUSED);
        break;
    case DUNLIN_CLIENT_UNREACHABLE:
        say_unreachable(r, event);
        break;
    case DUNLIN_CLIENT_FAILED:
        say_failed(r, event);
        r->failed |= bit;
        break;
    case DUNLIN_CLIENT_DEREGISTERED:
        (void)printf("de-registered\n");
        break;
    default:
        dn_sim_report_bootstrap(r, event);
        if (r->options->verbose) {
            say_more(event);
        }
        break;
    }
    (void)fflush(stdout);
}

/* What an alert of the server tells about our credentials, as far as it is known. */
static const char *meaning(int alert)
{
    static const struct {
        int alert;
        const char *text;
    } rows[] = {
        {20, "the key may be another one than the server's"},
        {40, "there is no suite or kind of credential that both take"},
        {42, "the server does not take the certificate"},
        {43, "the server does not take this kind of certificate"},
        {44, "the certificate is revoked"},
        {45, "the certificate has expired, or is not yet valid"},
        {46, "the server does not take the certificate, or does not know the public key"},
        {48, "the server does not trust who issued the certificate"},
        {49, "the server does not let these credentials in"},
        {51, "the key is another one than the server's"},
        {70, "the server speaks another version of (D)TLS"},
        {71, "the server wants stronger keys or suites"},
        {115, "the server does not know this identity"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].alert == alert) {
            return rows[i].text;
        }
    }
    return NULL;
}

static void say_up(const dn_ways_event *event)
{
    if (event->suite[0] == '\0') {
        (void)printf("connected to %s\n", event->uri);
        return;
    }
    (void)printf("connected to %s with %s, %s handshake, %llu ms\n", event->uri, event->suite,
                 event->is_resumed ? "resumed" : "full", (unsigned long long)event->handshake_ms);
}

/* Nothing has failed: it was given up, by the server or by us. */
static bool is_farewell(dunlin_status status)
{
    return status == DUNLIN_END || status == DUNLIN_ERR_CANCELLED;
}

static void say_down(const dn_ways_event *event)
{
    if (is_farewell(event->status)) {
        (void)printf("disconnected from %s: %s\n", event->uri, event->why);
        return;
    }
    (void)fprintf(stderr, "dunlin client: no session with %s: %s", event->uri, event->why);
    if (event->alert != DN_TLS_NO_ALERT) {
        const char *means = event->status == DUNLIN_ERR_REJECTED ? meaning(event->alert) : NULL;
        (void)fprintf(stderr, " (alert %d, %s%s%s)", event->alert, dn_tls_alert_name(event->alert),
                      means == NULL ? "" : ": ", means == NULL ? "" : means);
    }
    (void)fputs("\n", stderr);
}

void dn_sim_report_way(dn_sim_report *r, const dn_ways_event *event)
{
    r->way_failed |= bit_of(r, event->server);
    r->way_left &= (uint16_t)~bit_of(r, event->server);
    switch (event->kind) {
    case DN_WAYS_UP:
        r->way_failed &= (uint16_t)~bit_of(r, event->server);
        r->was_up = true;
        say_up(event);
        break;
    case DN_WAYS_DOWN:
        r->way_left |= is_farewell(event->status) ? bit_of(r, event->server) : 0;
        say_down(event);
        break;
    default:
        (void)fprintf(stderr, "dunlin client: %s cannot be used: %s\n", event->uri, event->why);
        break;
    }
    (void)fflush(stdout);
}

bool dn_sim_report_all_failed(dn_sim_report *r, const dunlin_client_event *event)
{
    const bool ends = event->kind == DUNLIN_CLIENT_FAILED || event->kind == DUNLIN_CLIENT_BOOTSTRAP ||
                      event->kind == DUNLIN_CLIENT_BOOTSTRAP_FAILED;
    uint16_t servers[DUNLIN_SERVERS_MAX];
    const size_t count = r->client == NULL ? 0 : dn_sim_account_servers(r->client, servers);
    const bool hope = r->client != NULL && dn_sim_bootstrap_wanted(&r->options->bootstrap) &&
                      dn_sim_account_has_bootstrap(r->client);
    for (size_t i = 0; i < count; i++) {
        if ((r->failed & bit_of(r, servers[i])) == 0) {
            return false;
        }
    }
    return ends && r->client != NULL && (r->bootstrap_over || !hope);
}
