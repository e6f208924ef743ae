/* SPDX-License-Identifier: Apache-2.0 */
/* The server as an embedding program sees it: a fleet with the system's clocks and randomness. */
#include "security/key_material.h"
#include "server/fleet.h"
#include "server/listen.h"
#include "server/registrations.h"

#include <dunlin/server.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#define MS_PER_S  1000
#define NS_PER_MS 1000000

_Static_assert((int)DUNLIN_SERVER_LOG_ERROR == (int)DN_LOG_ERROR, "levels are the same");
_Static_assert((int)DUNLIN_SERVER_GAP == (int)DN_EVENT_GAP, "events are the same");
_Static_assert((int)DUNLIN_SERVER_NOSEC_ON == (int)DN_NOSEC_ON, "policies are the same");
_Static_assert((int)DUNLIN_SERVER_SUITES_MORE == (int)DN_TLS_SUITES_MORE, "suites are the same");
_Static_assert(DUNLIN_SERVER_KEYS_MAX == DN_TLS_KEY_PAIRS_MAX, "limits are the same");
_Static_assert(DUNLIN_SERVER_NO_FORMAT == DN_COAP_NO_FORMAT, "formats are the same");

struct dunlin_lwm2m_server {
    dn_fleet *fleet;
    dn_log log;
    void (*write_log)(void *context, dunlin_server_log_level level, const char *message);
    void *log_context;
    dn_credentials *credentials;
    bool is_secured;
    size_t address_count;
    char addresses[4 * DN_PORTS_MAX][DN_LISTEN_URI_MAX]; /* as they are bound */
    char address[DN_LISTEN_URI_MAX];                     /* of the last event */
};

static uint64_t clock_ms(void *context)
{
    struct timespec now;
    (void)context;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * MS_PER_S + (uint64_t)now.tv_nsec / NS_PER_MS;
}

static int64_t wall_ms(void *context)
{
    struct timespec now;
    (void)context;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * MS_PER_S + now.tv_nsec / NS_PER_MS;
}

/* Without randomness there are no tokens that strangers cannot guess: better to end than to go on. */
static void fill(void *context, void *out, size_t len)
{
    (void)context;
    for (size_t at = 0; at < len;) {
        ssize_t got = getrandom((uint8_t *)out + at, len - at, 0);
        if (got < 0) {
            abort();
        }
        at += (size_t)got;
    }
}

static void write_log(void *context, dn_log_level level, const char *area, const char *message)
{
    const dunlin_lwm2m_server *server = context;
    (void)area;
    server->write_log(server->log_context, (dunlin_server_log_level)level, message);
}

dunlin_server_config dunlin_server_config_default(void)
{
    dn_fleet_config fleet = dn_fleet_config_default();
    return (dunlin_server_config){.nosec = DUNLIN_SERVER_NOSEC_LOOPBACK,
                                  .max_registrations = fleet.max_registrations,
                                  .max_observations = fleet.max_observations,
                                  .max_requests = fleet.max_requests,
                                  .max_sessions = fleet.dtls.max_sessions,
                                  .max_connections = fleet.tcp.max_connections,
                                  .max_lifetime_s = fleet.max_lifetime_s};
}

/* ---- keys and certificates ---- */

static int64_t wall_s(void *context)
{
    return wall_ms(context) / MS_PER_S;
}

static dn_source source_of(const dunlin_server_source *from)
{
    return (dn_source){.bytes = from->bytes, .file = from->file};
}

static dunlin_status make_context(const dunlin_lwm2m_server *server, const dunlin_server_security *security,
                                  dn_tls_context **context, char *error, size_t error_size)
{
    dn_sources sources = {.pair_count = security->key_count,
                          .trusted = source_of(&security->client_cas),
                          .revoked = source_of(&security->revoked)};
    dn_tls_server_config config = dn_tls_server_config_default();
    dn_material *material = NULL;
    if ((unsigned)security->suites > DUNLIN_SERVER_SUITES_MORE) {
        (void)snprintf(error, error_size, "security.suites: there are no such ones");
        return DUNLIN_ERR_ARGUMENT;
    }
    for (size_t i = 0; i < security->key_count && i < DN_TLS_KEY_PAIRS_MAX; i++) {
        sources.pairs[i] = (dn_key_source){.chain = source_of(&security->keys[i].certificate),
                                           .key = source_of(&security->keys[i].key),
                                           .ocsp = source_of(&security->keys[i].ocsp)};
    }
    dunlin_status status = dn_material_read(&sources, server->log.write != NULL ? &server->log : NULL,
                                            &material, error, error_size);
    if (status == DUNLIN_OK) {
        dn_material_fill(material, &config);
        config.suites = (dn_tls_suites)security->suites;
        config.credentials = server->credentials;
        config.wall_s = wall_s;
        status = dn_tls_server_create(&config, context, error, error_size);
    }
    dn_material_free(material);
    return status;
}

dunlin_status dunlin_server_reload(dunlin_lwm2m_server *server, const dunlin_server_security *security,
                                   char *error, size_t error_size)
{
    dn_tls_context *context = NULL;
    if (!server->is_secured) {
        (void)snprintf(error, error_size, "it listens on no coaps:// or coaps+tcp:// address");
        return DUNLIN_ERR_STATE;
    }
    const dunlin_status status = make_context(server, security, &context, error, error_size);
    if (status == DUNLIN_OK) {
        dn_fleet_use_tls(server->fleet, context);
        dn_tls_context_give_up(context);
    }
    return status;
}

/* ---- life ---- */

/* NULL, or the name of a limit that cannot be. */
static const char *bad_limit(const dunlin_server_config *config)
{
    const struct {
        const char *name;
        uint32_t value, least, most;
    } limits[] = {
        {"max_registrations", config->max_registrations, 1, DN_REGISTRATIONS_MAX},
        {"max_observations", config->max_observations, 0, INT32_MAX},
        {"max_requests", config->max_requests, 1, INT32_MAX / 2},
        {"max_sessions", config->max_sessions, 1, UINT32_MAX},
        {"max_connections", config->max_connections, 1, UINT32_MAX},
    };
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        if (limits[i].value < limits[i].least || limits[i].value > limits[i].most) {
            return limits[i].name;
        }
    }
    return NULL;
}

/* What the parts would refuse as well, in the words of the configuration. */
static dunlin_status check(const dunlin_server_config *config, const dn_listen *listen, char *error,
                           size_t error_size)
{
    const char *wrong = NULL;
    if ((unsigned)config->nosec > DUNLIN_SERVER_NOSEC_ON) {
        wrong = "nosec: there is no such policy";
    } else if (dn_listen_is_secured(listen) && config->credentials == NULL) {
        wrong = "coaps:// and coaps+tcp:// need `credentials`";
    } else if (config->nosec == DUNLIN_SERVER_NOSEC_OFF &&
               listen->count[DN_TRANSPORT_UDP] + listen->count[DN_TRANSPORT_TCP] > 0) {
        wrong = "nosec is OFF: there must be no coap:// or coap+tcp:// address";
    }
    if (wrong != NULL) {
        (void)snprintf(error, error_size, "%s", wrong);
        return DUNLIN_ERR_ARGUMENT;
    }
    wrong = bad_limit(config);
    if (wrong != NULL) {
        (void)snprintf(error, error_size, "%s: it is out of its range", wrong);
        return DUNLIN_ERR_ARGUMENT;
    }
    return DUNLIN_OK;
}

static dn_ports_addresses addresses_of(const dn_listen *listen, dn_transport transport)
{
    return (dn_ports_addresses){.addresses = listen->at[transport], .count = listen->count[transport]};
}

static dn_fleet_config fleet_config(const dunlin_server_config *config, const dn_listen *listen)
{
    dn_fleet_config fleet = dn_fleet_config_default();
    fleet.coap_addresses = listen->at[DN_TRANSPORT_UDP];
    fleet.coap_address_count = listen->count[DN_TRANSPORT_UDP];
    fleet.dtls_addresses = addresses_of(listen, DN_TRANSPORT_DTLS);
    fleet.tcp_addresses = addresses_of(listen, DN_TRANSPORT_TCP);
    fleet.tls_addresses = addresses_of(listen, DN_TRANSPORT_TLS);
    fleet.credentials = config->credentials;
    fleet.nosec = (dn_nosec)config->nosec;
    fleet.keep_changed_sessions = config->keep_changed_sessions;
    fleet.store = config->store;
    fleet.max_registrations = config->max_registrations;
    fleet.max_observations = config->max_observations;
    fleet.max_requests = config->max_requests;
    fleet.max_lifetime_s = config->max_lifetime_s;
    fleet.dtls.max_sessions = fleet.tls_streams.max_sessions = config->max_sessions;
    fleet.tcp.max_connections = config->max_connections;
    fleet.packages = config->packages;
    fleet.random = (dn_random){.fill = fill};
    fleet.clock_ms = clock_ms;
    fleet.wall_ms = wall_ms;
    return fleet;
}

static void name_addresses(dunlin_lwm2m_server *server, const dn_listen *listen)
{
    server->address_count = listen->total;
    for (size_t i = 0; i < listen->total; i++) {
        const dn_transport transport = (dn_transport)listen->transport[i];
        (void)snprintf(server->addresses[i], sizeof server->addresses[i], "%s://%s",
                       dn_listen_scheme(transport),
                       dn_fleet_address_of(server->fleet, transport, dn_listen_place(listen, i)));
    }
}

/* The store is closed when it fails, by whoever has it then. */
static dunlin_status start(const dunlin_server_config *config, dunlin_lwm2m_server *made, char *error,
                           size_t error_size)
{
    dn_listen listen;
    dn_tls_context *context = NULL;
    dunlin_status status =
        dn_listen_parse(config->addresses, config->address_count, &listen, error, error_size);
    if (status == DUNLIN_OK) {
        status = check(config, &listen, error, error_size);
    }
    if (status == DUNLIN_OK && dn_listen_is_secured(&listen)) {
        status = make_context(made, &config->security, &context, error, error_size);
    }
    if (status != DUNLIN_OK) {
        config->store->ops->close(config->store);
        return status;
    }
    dn_fleet_config fleet = fleet_config(config, &listen);
    fleet.tls = context;
    fleet.log = config->log != NULL ? &made->log : NULL;
    status = dn_fleet_start(&fleet, &made->fleet, error, error_size);
    dn_tls_context_give_up(context);
    if (status == DUNLIN_OK) {
        made->is_secured = dn_listen_is_secured(&listen);
        name_addresses(made, &listen);
    }
    return status;
}

dunlin_status dunlin_server_start(const dunlin_server_config *config, dunlin_lwm2m_server **server,
                                  char *error, size_t error_size)
{
    if (config->store == NULL) {
        (void)snprintf(error, error_size, "there is no store");
        return DUNLIN_ERR_ARGUMENT;
    }
    dunlin_lwm2m_server *made = calloc(1, sizeof *made);
    if (made == NULL) {
        config->store->ops->close(config->store);
        (void)snprintf(error, error_size, "no memory");
        return DUNLIN_ERR_MEMORY;
    }
    made->write_log = config->log;
    made->log_context = config->context;
    made->log =
        (dn_log){.write = config->log != NULL ? write_log : NULL, .context = made, .least = DN_LOG_DEBUG};
    made->credentials = config->credentials;
    const dunlin_status status = start(config, made, error, error_size);
    if (status != DUNLIN_OK) {
        free(made);
        return status;
    }
    if (config->failed != NULL) {
        dn_fleet_on_failure(made->fleet, config->failed, config->context);
    }
    *server = made;
    return DUNLIN_OK;
}

void dunlin_server_stop(dunlin_lwm2m_server *server, uint32_t grace_ms)
{
    if (server != NULL) {
        dn_fleet_stop(server->fleet, grace_ms);
        free(server);
    }
}

const char *dunlin_server_address(const dunlin_lwm2m_server *server, size_t index)
{
    return index < server->address_count ? server->addresses[index] : NULL;
}

/* ---- events ---- */

bool dunlin_server_next_event(dunlin_lwm2m_server *server, dunlin_server_event *event)
{
    dn_event from;
    if (!dn_fleet_next_event(server->fleet, &from)) {
        return false;
    }
    const bool has_client = from.client.address[0] != 0;
    (void)snprintf(server->address, sizeof server->address, "%s://%s",
                   dn_listen_scheme((dn_transport)from.client.transport), from.client.address);
    *event = (dunlin_server_event){.kind = (dunlin_server_event_kind)from.type,
                                   .at_ms = from.at_ms,
                                   .endpoint = from.client.endpoint,
                                   .request = from.request.id,
                                   .request_state = (dunlin_server_queued_state)from.request.state,
                                   .presence = (dunlin_server_presence)from.client.presence,
                                   .address = has_client ? server->address : "",
                                   .security = has_client ? (dunlin_credential_mode)from.client.security
                                                          : DUNLIN_CREDENTIAL_NONE,
                                   .version_major = from.client.version_major,
                                   .version_minor = from.client.version_minor,
                                   .lifetime_s = from.client.lifetime_s,
                                   .links = from.client.links,
                                   .path = from.path,
                                   .code = from.code,
                                   .content_format = from.content_format,
                                   .payload = from.payload};
    return true;
}

int dunlin_server_event_fd(const dunlin_lwm2m_server *server)
{
    return dn_fleet_event_fd(server->fleet);
}

/* A caller's completion on its way. */
typedef struct {
    dunlin_server_done *done;
    void *context;
} waiter;

static waiter *wait_for(dunlin_server_done *done, void *context)
{
    waiter *made = malloc(sizeof *made);
    if (made != NULL) {
        *made = (waiter){done, context};
    }
    return made;
}

static void on_device(void *context, const dn_device_response *response)
{
    waiter *waiting = context;
    const dunlin_server_response answer = {.status = response->status,
                                           .code = response->code,
                                           .content_format = response->content_format,
                                           .payload = response->payload,
                                           .location = response->location};
    waiting->done(waiting->context, &answer);
    free(waiting);
}

static void on_observed(void *context, const dn_device_response *response, bool existed)
{
    (void)existed;
    on_device(context, response);
}

static dunlin_status posted(dunlin_status status, waiter *waiting)
{
    if (status != DUNLIN_OK) {
        free(waiting);
    }
    return status;
}

static dn_device_request ask_of(const dunlin_server_request *request)
{
    return (dn_device_request){.endpoint = request->endpoint,
                               .method = request->method,
                               .path = request->path,
                               .query = request->query,
                               .content_format = request->content_format,
                               .accept = request->accept,
                               .payload = request->payload,
                               .package = request->package,
                               .timeout_ms = request->timeout_ms};
}

dunlin_status dunlin_server_send(dunlin_lwm2m_server *server, const dunlin_server_request *request,
                                 dunlin_server_done *done, void *context)
{
    waiter *waiting = wait_for(done, context);
    if (waiting == NULL) {
        return DUNLIN_ERR_MEMORY;
    }
    const dn_device_request ask = ask_of(request);
    return posted(dn_fleet_request(server->fleet, &ask, on_device, waiting, NULL), waiting);
}

dunlin_status dunlin_server_observe(dunlin_lwm2m_server *server, dunlin_slice endpoint, dunlin_path path,
                                    uint16_t accept, uint32_t timeout_ms, dunlin_server_done *done,
                                    void *context)
{
    waiter *waiting = wait_for(done, context);
    if (waiting == NULL) {
        return DUNLIN_ERR_MEMORY;
    }
    return posted(dn_fleet_observe(server->fleet, endpoint, path, accept, timeout_ms, on_observed, waiting),
                  waiting);
}

dunlin_status dunlin_server_unobserve(dunlin_lwm2m_server *server, dunlin_slice endpoint, dunlin_path path,
                                      uint32_t timeout_ms, dunlin_server_done *done, void *context)
{
    waiter *waiting = wait_for(done, context);
    if (waiting == NULL) {
        return DUNLIN_ERR_MEMORY;
    }
    return posted(dn_fleet_unobserve(server->fleet, endpoint, path, timeout_ms, on_device, waiting), waiting);
}

/* The durable queue. */

typedef struct {
    dunlin_server_queued_done *done;
    void *context;
} queued_waiter;

static queued_waiter *wait_for_queued(dunlin_server_queued_done *done, void *context)
{
    queued_waiter *made = malloc(sizeof *made);
    if (made != NULL) {
        *made = (queued_waiter){done, context};
    }
    return made;
}

static void on_queued(void *context, dunlin_status status, const dn_queued_view *view)
{
    queued_waiter *waiting = context;
    dunlin_server_queued queued;
    if (view != NULL) {
        queued = (dunlin_server_queued){.id = view->id,
                                        .state = (dunlin_server_queued_state)view->state,
                                        .attempts = view->attempts,
                                        .response = {.status = view->status,
                                                     .code = view->code,
                                                     .content_format = view->content_format,
                                                     .payload = view->payload,
                                                     .location = view->location}};
    }
    waiting->done(waiting->context, status, view != NULL ? &queued : NULL);
    free(waiting);
}

static dunlin_status posted_queued(dunlin_status status, queued_waiter *waiting)
{
    if (status != DUNLIN_OK) {
        free(waiting);
    }
    return status;
}

dunlin_status dunlin_server_enqueue(dunlin_lwm2m_server *server, const dunlin_server_request *request,
                                    uint32_t expires_s, dunlin_server_queued_done *done, void *context)
{
    queued_waiter *waiting = wait_for_queued(done, context);
    if (waiting == NULL) {
        return DUNLIN_ERR_MEMORY;
    }
    const dn_device_request ask = ask_of(request);
    return posted_queued(dn_fleet_enqueue(server->fleet, &ask, expires_s, on_queued, waiting), waiting);
}

dunlin_status dunlin_server_await(dunlin_lwm2m_server *server, uint64_t id, uint32_t wait_ms,
                                  dunlin_server_queued_done *done, void *context)
{
    queued_waiter *waiting = wait_for_queued(done, context);
    if (waiting == NULL) {
        return DUNLIN_ERR_MEMORY;
    }
    return posted_queued(dn_fleet_await(server->fleet, id, wait_ms, on_queued, waiting), waiting);
}

dunlin_status dunlin_server_dequeue(dunlin_lwm2m_server *server, uint64_t id, dunlin_server_queued_done *done,
                                    void *context)
{
    queued_waiter *waiting = wait_for_queued(done, context);
    if (waiting == NULL) {
        return DUNLIN_ERR_MEMORY;
    }
    return posted_queued(dn_fleet_dequeue(server->fleet, id, on_queued, waiting), waiting);
}
