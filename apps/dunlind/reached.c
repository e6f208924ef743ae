/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses of this server as devices know them; see reached.h. */
#include "reached.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define HOST_MAX 256

static const char *const schemes[] = {"coap", "coaps", "coap+tcp", "coaps+tcp"};

static bool is_for_all(const char *address)
{
    return strncmp(address, "[::]:", 5) == 0 || strncmp(address, "0.0.0.0:", 8) == 0;
}

/* A name that may mean something to others. */
static void name_host(const settings *set, char out[HOST_MAX])
{
    if (set->http_names.count > 0) {
        snprintf(out, HOST_MAX, "%s", set->http_names.item[0]);
    } else if (gethostname(out, HOST_MAX - 1) != 0 || out[0] == 0) {
        snprintf(out, HOST_MAX, "localhost");
    }
}

static void find(const settings *set, size_t transport, const char *bound, const dn_log *log,
                 char out[REACHED_MAX])
{
    const char *said = set->public[transport];
    if (said == NULL && transport == DN_TRANSPORT_UDP && set->coap_public.count > 0) {
        said = set->coap_public.item[0];
    }
    out[0] = 0;
    if (said != NULL) {
        snprintf(out, REACHED_MAX, "%s://%s", schemes[transport], said);
    } else if (bound != NULL && !is_for_all(bound)) {
        snprintf(out, REACHED_MAX, "%s://%s", schemes[transport], bound);
    } else if (bound != NULL) {
        char host[HOST_MAX] = "";
        name_host(set, host);
        snprintf(out, REACHED_MAX, "%s://%s%s", schemes[transport], host, strrchr(bound, ':'));
        dn_log_at(log, DN_LOG_WARN, "bootstrap",
                  "devices that get an account here are told %s: say with public.%s how they reach this host",
                  out, settings_transports[transport]);
    }
}

void reached_find(const settings *set, const char *const bound[4], const dn_log *log, reached *out)
{
    for (size_t transport = 0; transport < 4; transport++) {
        find(set, transport, bound[transport], log, out->uri[transport]);
    }
}

/* ---- places ---- */

static void add(reached_places *out, size_t transport, bool guessed, const char *host, const char *port)
{
    if (out->count < REACHED_PLACES_MAX) {
        char *text = out->text[out->count];
        snprintf(text, REACHED_MAX, "%s%s", host, port);
        out->places[out->count++] =
            (dn_api_place){.transport = (uint8_t)transport, .guessed = guessed, .place = text};
    }
}

/* False: the settings say nothing of it. */
static bool add_said(const settings *set, size_t transport, reached_places *out)
{
    const size_t before = out->count;
    if (set->public[transport] != NULL) {
        add(out, transport, false, set->public[transport], "");
    }
    for (size_t i = 0; transport == DN_TRANSPORT_UDP && i < set->coap_public.count; i++) {
        add(out, transport, false, set->coap_public.item[i], "");
    }
    return out->count > before;
}

static void add_bound(const settings *set, size_t transport, const char *bound, reached_places *out)
{
    char host[HOST_MAX] = "";
    if (!is_for_all(bound)) {
        add(out, transport, false, bound, "");
        return;
    }
    name_host(set, host);
    add(out, transport, !settings_bootstraps(set), host, strrchr(bound, ':'));
}

void reached_places_find(const settings *set, reached_bound *bound, const void *context, reached_places *out)
{
    out->count = 0;
    for (size_t transport = 0; transport < 4; transport++) {
        const char *address = bound(context, (dn_transport)transport, 0);
        if (address == NULL || add_said(set, transport, out)) {
            continue;
        }
        for (size_t i = 0; address != NULL; address = bound(context, (dn_transport)transport, ++i)) {
            add_bound(set, transport, address, out);
        }
    }
}
