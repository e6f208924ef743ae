/* SPDX-License-Identifier: Apache-2.0 */
/* GET /events: Server-Sent Events (WHATWG HTML section 9.2) from the feed. */
#include "api/call.h"
#include "api/feed_item.h"
#include "api/handlers.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define STREAM_BLOCK ((size_t)16 * 1024)
#define SEND_BUFFER  (128 * 1024)

typedef struct {
    dn_api *api;
    struct MHD_Connection *connection;
    int socket;
    dn_feed_stream *stream;
} connected;

static void suspend(void *context)
{
    MHD_suspend_connection(((connected *)context)->connection);
}

static void resume(void *context)
{
    MHD_resume_connection(((connected *)context)->connection);
}

/* Only asked while suspended: the socket is open then. */
static bool gone(void *context)
{
    struct pollfd at = {.fd = ((connected *)context)->socket, .events = POLLRDHUP};
    return poll(&at, 1, 0) > 0;
}

static ssize_t read_events(void *context, uint64_t position, char *out, size_t size)
{
    (void)position;
    connected *peer = context;
    ssize_t len = dn_feed_read(peer->stream, out, size, peer->api->pump_wake, dn_api_now_ms(peer->api));
    return len < 0 ? MHD_CONTENT_READER_END_OF_STREAM : len;
}

static void close_stream(void *context)
{
    connected *peer = context;
    dn_feed_shut(peer->stream);
    free(peer);
}

/* "registered,updated" as a set; false for an unknown name. */
static bool parse_types(const char *text, unsigned *types)
{
    *types = 0;
    while (*text != 0) {
        size_t len = strcspn(text, ",");
        unsigned type;
        if (!dn_feed_type_named(dunlin_slice_make(text, len), &type)) {
            return false;
        }
        *types |= 1u << type;
        text += len;
        text += *text == ',';
    }
    return *types != 0;
}

static bool read_filter(dn_call *call, dn_feed_filter *filter)
{
    const char *types = dn_query_get(&call->query, "type");
    const char *last = dn_query_get(&call->query, "lastEventId");
    /* The header is what a browser sends when it connects anew: newer than what stands in the URL. */
    const char *header = MHD_lookup_connection_value(call->connection, MHD_HEADER_KIND, "Last-Event-ID");
    last = header != NULL && header[0] != 0 ? header : last;
    *filter = (dn_feed_filter){.types = ~0u, .endpoint = dunlin_slice_of(dn_query_get(&call->query, "ep"))};
    if (types != NULL && !parse_types(types, &filter->types)) {
        dn_call_problem(call, DN_PROBLEM_INVALID_PARAMETER,
                        "type must be a list of registered, updated, deregistered, expired, notification, "
                        "send, presence, "
                        "request, gap, bootstrap-requested, bootstrap-step, bootstrap-repairing, "
                        "bootstrap-finished, bootstrap-failed, bootstrap-refused, enrolled, "
                        "enrolment-refused.");
        return false;
    }
    filter->resume = last != NULL;
    if (last != NULL && !dn_query_number(last, 0, UINT64_MAX, &filter->after)) {
        dn_call_problem(call, DN_PROBLEM_INVALID_PARAMETER, "lastEventId must be the id of an event.");
        return false;
    }
    return true;
}

/* What a reader does not take stays in the feed, which has a limit, and not in the system's memory. */
static void bound_buffer(int socket)
{
    int bytes = SEND_BUFFER;
    (void)setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
}

void dn_handle_events(dn_call *call)
{
    dn_feed_filter filter;
    if (!read_filter(call, &filter)) {
        return;
    }
    connected *peer = calloc(1, sizeof *peer);
    if (peer == NULL) {
        dn_call_problem(call, DN_PROBLEM_INTERNAL, "There is no memory.");
        return;
    }
    *peer = (connected){.api = call->api, .connection = call->connection, .socket = call->socket};
    dn_feed_reader reader = {.suspend = suspend, .resume = resume, .gone = gone, .context = peer};
    peer->stream = dn_feed_open(call->api->feed, &filter, &reader, dn_api_now_ms(call->api));
    if (peer->stream == NULL) {
        free(peer);
        dn_call_problem(call, DN_PROBLEM_BUSY, "As many event streams as the server may have are open.");
        return;
    }
    struct MHD_Response *response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, read_events, peer, close_stream);
    if (response == NULL) {
        close_stream(peer);
        return;
    }
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "text/event-stream");
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(response, "X-Accel-Buffering", "no"); /* proxies must not hold events back */
    bound_buffer(call->socket);
    dn_call_queue(call, MHD_HTTP_OK, response);
    MHD_destroy_response(response);
}
