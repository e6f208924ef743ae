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
