/* SPDX-License-Identifier: Apache-2.0 */
/* As much of HTTP as a known server needs: Content-Length, no chunks. */
#include "fleet/http.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define REQUEST_MAX 512
#define WAIT_MS     30000

void http_open(http_connection *c, const struct sockaddr_in *server)
{
    int one = 1;
    memset(c, 0, sizeof *c);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || connect(c->fd, (const struct sockaddr *)server, sizeof *server) != 0 ||
        setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) != 0 ||
        ioctl(c->fd, FIONBIO, &one) != 0) {
        perror("HTTP connection");
        exit(1);
    }
}

void http_close(http_connection *c)
{
    close(c->fd);
}

bool http_get(http_connection *c, const char *path)
{
    char request[REQUEST_MAX];
    int len = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path);
    c->len = c->head_len = c->body_len = 0;
    c->status = 0;
    return len < REQUEST_MAX && send(c->fd, request, (size_t)len, MSG_NOSIGNAL) == len;
}

static bool parse_head(http_connection *c)
{
    const char *end = strstr(c->answer, "\r\n\r\n");
    if (end == NULL) {
        return true;
    }
    bool has_length = false;
    c->head_len = (size_t)(end - c->answer) + 4;
    for (const char *line = strstr(c->answer, "\r\n"); line != NULL && line < end;
         line = strstr(line + 2, "\r\n")) {
        if (strncasecmp(line + 2, "Content-Length:", 15) == 0) {
            c->body_len = strtoul(line + 17, NULL, 10);
            has_length = true;
        }
    }
    return has_length && sscanf(c->answer, "HTTP/1.1 %d", &c->status) == 1 &&
           c->head_len + c->body_len <= HTTP_ANSWER_MAX;
}

http_progress http_read(http_connection *c)
{
    for (;;) {
        ssize_t n = recv(c->fd, c->answer + c->len, HTTP_ANSWER_MAX - c->len, 0);
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
            return HTTP_MORE;
        }
        if (n <= 0) {
            return HTTP_BROKEN;
        }
        c->len += (size_t)n;
        c->answer[c->len] = '\0';
        if (c->head_len == 0 && !parse_head(c)) {
            return HTTP_BROKEN;
        }
        if (c->head_len > 0 && c->len >= c->head_len + c->body_len) {
            return HTTP_DONE;
        }
    }
}

const char *http_body(const http_connection *c)
{
    return c->answer + c->head_len;
}

void http_fetch(const struct sockaddr_in *server, const char *path, http_connection *c)
{
    http_open(c, server);
    http_progress progress = http_get(c, path) ? HTTP_MORE : HTTP_BROKEN;
    while (progress == HTTP_MORE) {
        struct pollfd wait = {.fd = c->fd, .events = POLLIN};
        if (poll(&wait, 1, WAIT_MS) == 0) {
            break;
        }
        progress = http_read(c);
    }
    http_close(c);
    if (progress != HTTP_DONE || c->status != 200) {
        fprintf(stderr, "GET %s: status %d: %s\n", path, c->status,
                c->head_len > 0 ? http_body(c) : "no answer");
        exit(1);
    }
}
