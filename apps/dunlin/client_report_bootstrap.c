/* SPDX-License-Identifier: Apache-2.0 */
/* Events of a bootstrap in words. */
#include "apps/dunlin/client_report_bootstrap.h"

#include "apps/dunlin/client_accounts.h"
#include "apps/dunlin/command.h"
#include <stdio.h>

#define MS_PER_S 1000

static const char *uri_of(dn_sim_report *r, uint16_t server)
{
    if (r->client != NULL) {
        dn_sim_account_uri(r->client, server, r->uri);
    }
    if (r->client == NULL || r->uri[0] == '\0') {
        return server == DUNLIN_BOOTSTRAP_SERVER ? "the bootstrap server" : "the server";
    }
    return r->uri;
}

static void end_with(dn_sim_report *r, int exit_code)
{
    if (r->exit_code != EXIT_CODE_USAGE) {
        r->exit_code = exit_code;
    }
}

/* "; bootstrap in 10 s" and the like. */
static void put_when(FILE *out, const char *what, uint64_t retry_ms)
{
    if (retry_ms == 0) {
        (void)fprintf(out, "; %s now\n", what);
    } else {
        (void)fprintf(out, "; %s in %llu s\n", what,
                      (unsigned long long)((retry_ms + MS_PER_S - 1) / MS_PER_S));
    }
}

static void say_needed(dn_sim_report *r, const dunlin_client_event *event)
{
    const bool comes = r->client != NULL && event->retry_ms != DUNLIN_NEVER;
    if (event->path.depth > 0) {
        (void)printf("%s asks for a bootstrap\n", uri_of(r, event->server));
        return;
    }
    if (!dn_sim_bootstrap_wanted(&r->options->bootstrap)) {
        return; /* that the registration failed was told */
    }
    if (event->server != DUNLIN_BOOTSTRAP_SERVER) {
        (void)printf("there is no registration with %s", uri_of(r, event->server));
    } else {
        (void)printf("there is no account to register with");
    }
    if (comes) {
        put_when(stdout, "bootstrap", event->retry_ms);
    } else if (r->client != NULL && dn_sim_account_has_bootstrap(r->client)) {
        (void)printf("\n"); /* one is under way, or its tries are used up, which is told */
    } else {
        (void)printf("; a bootstrap might help, but there is no bootstrap server to ask (--bootstrap)\n");
        if (r->exit_code == EXIT_CODE_OK) {
            end_with(r, EXIT_CODE_UNREACHABLE);
        }
    }
}

static const char *advice(uint8_t code)
{
    static const struct {
        uint8_t code;
        const char *text;
    } rows[] = {
        {0x80, "4.00 Bad Request: does the bootstrap server know this endpoint name?"},
        {0x81, "4.01 Unauthorized: the bootstrap server wants other credentials"},
        {0x83,
         "4.03 Forbidden: the bootstrap server does not let this endpoint name in by these credentials"},
        {0x84, "4.04 Not Found: there is no /bs at that address; is it a bootstrap server's port?"},
        {0x85, "4.05 Method Not Allowed: is it a bootstrap server's port?"},
        {0x8F, "4.15 Unsupported Content-Format: try another --bootstrap-format"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].code == code) {
            return rows[i].text;
        }
    }
    return NULL;
}

static void say_failed(dn_sim_report *r, const dunlin_client_event *event)
{
    const char *known = advice(event->code);
    (void)fprintf(stderr, "dunlin client: no bootstrap by %s: ", uri_of(r, event->server));
    if (known != NULL) {
        (void)fputs(known, stderr);
    } else if (event->code != 0) {
        (void)fprintf(stderr, "refused with %u.%02u", event->code >> 5, event->code & 31u);
    } else if (event->status == DUNLIN_ERR_TIMEOUT) {
        (void)fputs("it does not answer, or has broken off; all is as it was before", stderr);
    } else {
        (void)fputs(dunlin_status_text(event->status), stderr);
    }
    end_with(r, event->code != 0 ? EXIT_CODE_REFUSED : EXIT_CODE_UNREACHABLE);
    if (event->retry_ms == DUNLIN_NEVER) {
        (void)fputs("; giving up\n", stderr);
        r->bootstrap_over = true;
    } else {
        put_when(stderr, "trying again", event->retry_ms);
    }
}

static void say_done(dn_sim_report *r)
{
    uint16_t servers[DUNLIN_SERVERS_MAX];
    const size_t count = r->client == NULL ? 0 : dn_sim_account_servers(r->client, servers);
    r->failed = r->told_end = 0; /* they are others now */
    r->bootstrap_over = false;
    (void)printf("bootstrapped: %zu server%s\n", count, count == 1 ? "" : "s");
    for (size_t i = 0; i < count; i++) {
        (void)printf("  %u %s\n", (unsigned)servers[i], uri_of(r, servers[i]));
    }
}

static void say_card(const dunlin_client_event *event)
{
    if (event->status == DUNLIN_OK) {
        (void)printf("smartcard: what comes from it has changed\n");
    } else {
        (void)fprintf(stderr, "dunlin client: the smartcard is of no use: %s\n",
                      dunlin_status_text(event->status));
    }
}

void dn_sim_report_bootstrap(dn_sim_report *r, const dunlin_client_event *event)
{
    switch (event->kind) {
    case DUNLIN_CLIENT_BOOTSTRAP:
        say_needed(r, event);
        break;
    case DUNLIN_CLIENT_BOOTSTRAPPING:
        r->bootstrap_over = false;
        (void)printf("bootstrapping by %s\n", uri_of(r, event->server));
        break;
    case DUNLIN_CLIENT_BOOTSTRAPPED:
        say_done(r);
        break;
    case DUNLIN_CLIENT_BOOTSTRAP_FAILED:
        say_failed(r, event);
        break;
    case DUNLIN_CLIENT_PURGED:
        (void)printf("the bootstrap server's account is gone: its time is over\n");
        break;
    case DUNLIN_CLIENT_ENROLLED:
        (void)printf("a certificate was issued for %s\n", uri_of(r, event->server));
        break;
    case DUNLIN_CLIENT_CARD:
        say_card(event);
        break;
    default:
        break;
    }
}
