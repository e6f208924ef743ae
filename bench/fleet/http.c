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

#define WAIT_MS 30000

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
    size_t room = sizeof c->out - c->out_len;
    int len = snprintf(c->out + c->out_len, room, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path);
    if (len < 0 || (size_t)len >= room) {
        return false;
    }
    c->out_len += (size_t)len;
    return true;
}

/* A few requests always fit the socket's buffer. */
bool http_flush(http_connection *c)
{
    size_t len = c->out_len;
    c->out_len = 0;
    return len == 0 || send(c->fd, c->out, len, MSG_NOSIGNAL) == (ssize_t)len;
}

bool http_receive(http_connection *c)
{
    if (c->at > 0) {
        memmove(c->in, c->in + c->at, c->len - c->at);
        c->len -= c->at;
        c->at = 0;
    }
    ssize_t n = recv(c->fd, c->in + c->len, HTTP_ANSWERS_MAX - c->len, 0);
    if (n <= 0) {
        return n < 0 && (errno == EAGAIN || errno == EINTR);
    }
    c->len += (size_t)n;
    c->in[c->len] = '\0';
    return true;
}

http_progress http_take(http_connection *c)
{
    const char *head = c->in + c->at;
    const char *end = strstr(head, "\r\n\r\n");
    if (end == NULL) {
        return c->len - c->at < HTTP_ANSWERS_MAX ? HTTP_MORE : HTTP_BROKEN;
    }
    bool has_length = false;
    for (const char *line = strstr(head, "\r\n"); line < end; line = strstr(line + 2, "\r\n")) {
        if (strncasecmp(line + 2, "Content-Length:", 15) == 0) {
            c->body_len = strtoul(line + 17, NULL, 10);
            has_length = true;
        }
    }
    if (!has_length || sscanf(head, "HTTP/1.1 %d", &c->status) != 1) {
        return HTTP_BROKEN;
    }
    c->body = end + 4;
    size_t after = (size_t)(c->body - c->in) + c->body_len;
    if (after > c->len) {
        return after - c->at <= HTTP_ANSWERS_MAX ? HTTP_MORE : HTTP_BROKEN;
    }
    c->at = after;
    return HTTP_DONE;
}

const char *http_fetch(http_connection *c, const struct sockaddr_in *server, const char *path)
{
    http_open(c, server);
    bool well = http_get(c, path) && http_flush(c);
    http_progress progress = HTTP_MORE;
    while (well && progress == HTTP_MORE) {
        struct pollfd wait = {.fd = c->fd, .events = POLLIN};
        well = poll(&wait, 1, WAIT_MS) > 0 && http_receive(c);
        progress = well ? http_take(c) : HTTP_BROKEN;
    }
    http_close(c);
    if (progress != HTTP_DONE || c->status != 200) {
        fprintf(stderr, "GET %s: status %d: %s\n", path, c->status,
                progress == HTTP_DONE ? c->body : "no answer");
        exit(1);
    }
    return c->body;
}
