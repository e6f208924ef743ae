/* SPDX-License-Identifier: Apache-2.0 */
/* coap_probe: a CoAP server and client made of the engine and the UDP port, for checks against other
 * implementations. */
#ifndef TESTS_PROBE_H
#define TESTS_PROBE_H

#include "coap/engine.h"
#include "port/coap_socket.h"

#define PROBE_BODY_MAX 262144
#define PROBE_SEGMENTS 16
#define PROBE_URI_MAX  512

/* Exit codes. */
enum { PROBE_OK = 0, PROBE_ERROR_CODE = 1, PROBE_USAGE = 2, PROBE_NO_ANSWER = 3, PROBE_SYSTEM = 4 };

/* A coap:// URI taken apart; slices view `text`. */
typedef struct {
    char text[PROBE_URI_MAX]; /* percent-decoded pieces */
    char host[256];
    bool host_is_name;
    uint16_t port;
    dn_coap_option option[2 * PROBE_SEGMENTS + 1];
    size_t option_count;
} probe_uri;

/* False: not a coap URI, or too long. */
bool probe_uri_parse(const char *uri, probe_uri *out);

typedef struct {
    const char *listen, *ready_file;
    uint8_t szx;
    uint32_t tick_ms, separate_ms;
} probe_server_options;

int probe_server(const probe_server_options *options);

typedef struct {
    const char *uri;
    uint8_t code;
    bool observe, confirmable, show_options;
    uint16_t format, accept;
    uint8_t szx;
    uint32_t count, timeout_s;
    dunlin_slice payload;
    dn_coap_source source; /* `read` not NULL: the body, in place of payload */
    bool sink;             /* write the answer's body as it comes */
    uint64_t from;         /* with `sink`: from there on */
} probe_client_options;

int probe_client(const probe_client_options *options);

#endif
