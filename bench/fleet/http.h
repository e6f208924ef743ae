/* SPDX-License-Identifier: Apache-2.0 */
/* One HTTP/1.1 connection kept alive, one request at a time, as a caller of the REST interface has it. */
#ifndef BENCH_FLEET_HTTP_H
#define BENCH_FLEET_HTTP_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

#define HTTP_ANSWER_MAX 16384

typedef struct {
    int fd;
    size_t len; /* bytes in `answer` */
    size_t head_len, body_len;
    int status;
    char answer[HTTP_ANSWER_MAX + 1];
} http_connection;

typedef enum { HTTP_MORE, HTTP_DONE, HTTP_BROKEN } http_progress;

/* Connects; non-blocking from then on. Ends the program if it can't. */
void http_open(http_connection *c, const struct sockaddr_in *server);
void http_close(http_connection *c);
/* Sends GET `path`. False: the connection is broken. */
bool http_get(http_connection *c, const char *path);
/* Reads what is there. DONE: status and body (NUL-terminated, http_body) are whole. */
http_progress http_read(http_connection *c);
const char *http_body(const http_connection *c);
/* A GET that waits for its answer on a connection of its own; ends the program unless that is 200. */
void http_fetch(const struct sockaddr_in *server, const char *path, http_connection *c);

#endif
