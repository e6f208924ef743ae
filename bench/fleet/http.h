/* SPDX-License-Identifier: Apache-2.0 */
/* An HTTP/1.1 connection kept alive, with requests pipelined, as a caller of the REST interface may have it. */
#ifndef BENCH_FLEET_HTTP_H
#define BENCH_FLEET_HTTP_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

#define HTTP_ANSWERS_MAX  32768
#define HTTP_REQUESTS_MAX 8192

typedef struct {
    int fd;
    size_t out_len;
    size_t at, len; /* answers that are not taken yet: in[at..len) */
    int status;     /* of the answer taken last */
    const char *body;
    size_t body_len;
    char out[HTTP_REQUESTS_MAX];
    char in[HTTP_ANSWERS_MAX + 1];
} http_connection;

typedef enum { HTTP_MORE, HTTP_DONE, HTTP_BROKEN } http_progress;

/* Connects; non-blocking from then on. Ends the program if it can't. */
void http_open(http_connection *c, const struct sockaddr_in *server);
void http_close(http_connection *c);
/* Queues GET `path`, behind those that wait for their answers. False: too many at once. */
bool http_get(http_connection *c, const char *path);
/* Sends what is queued. False: the connection is broken. */
bool http_flush(http_connection *c);
/* Receives what is there. False: the connection is broken. */
bool http_receive(http_connection *c);
/* Takes the next answer: DONE with status and body (valid until the next call), MORE when none is whole yet. */
http_progress http_take(http_connection *c);
/* One GET that waits for its answer; ends the program unless that is 200. The body is NUL-terminated. */
const char *http_fetch(http_connection *c, const struct sockaddr_in *server, const char *path);

#endif
