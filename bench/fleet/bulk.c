/* SPDX-License-Identifier: Apache-2.0 */
/* One epoll loop for the caller's connection and the devices' socket. */
#include "fleet/bulk.h"

#include "fleet/reads.h"
#include "fleet/wire.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define CALL_MAX    50000u
#define NAME_TEXT   (DEVICE_NAME_MAX + 3) /* with quotes and comma */
#define WAIT_MS     20000
#define IN_MAX      (256 * 1024)
#define FLIGHTS_MAX 1024u

typedef struct {
    int fd;
    size_t len;      /* bytes in `in` */
    size_t chunk;    /* bytes left of the chunk that is being read */
    bool head, over; /* the answer's head has come; its last chunk has */
    size_t line_len;
    char line[4096];
    char in[IN_MAX + 1];
} stream;

typedef struct {
    stream *http;
    devices *devices;
    stats *stats;
    uint32_t in_flight;
    uint64_t times[FLIGHTS_MAX]; /* a ring: when the latest lines came */
    uint64_t lines;
} bulk;

static _Noreturn void fail(const char *what, const char *text)
{
    fprintf(stderr, "bulk reads: %s: %.200s\n", what, text);
    exit(1);
}

static void connect_to(stream *s, const struct sockaddr_in *server)
{
    int one = 1;
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (s->fd < 0 || connect(s->fd, (const struct sockaddr *)server, sizeof *server) != 0 ||
        setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) != 0) {
        fail("connection", strerror(errno));
    }
}

/* Sends while the socket blocks: the server reads the whole request before it asks a device. */
static void send_all(const stream *s, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = send(s->fd, bytes, len, MSG_NOSIGNAL);
        if (n <= 0) {
            fail("sending", strerror(errno));
        }
        bytes += n;
        len -= (size_t)n;
    }
}

static void ask(const bulk *b, uint32_t first, uint32_t count)
{
    size_t room = (size_t)count * NAME_TEXT + 256;
    char *body = malloc(room);
    char head[256];
    if (body == NULL) {
        fail("request", "no memory");
    }
    size_t len = (size_t)snprintf(body, room, "{\"path\":\"%s\",\"inFlight\":%u,\"clients\":[",
                                  WIRE_SERIAL_PATH, b->in_flight);
    for (uint32_t i = 0; i < count; i++) {
        char name[DEVICE_NAME_MAX];
        devices_name(b->devices->order[(first + i) % b->devices->count], name);
        len += (size_t)snprintf(body + len, room - len, "%s\"%s\"", i > 0 ? "," : "", name);
    }
    len += (size_t)snprintf(body + len, room - len, "]}");
    int head_len =
        snprintf(head, sizeof head,
                 "POST /api/v1/reads HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                 "Content-Length: %zu\r\n\r\n",
                 len);
    send_all(b->http, head, (size_t)head_len);
    send_all(b->http, body, len);
    free(body);
}

/* {"endpoint":"urn:dev:ops:…","code":"2.05",…"value":"…"}}: the value is the serial number of the endpoint. */
static void take_line(bulk *b)
{
    stream *s = b->http;
    static const char start[] = "{\"endpoint\":\"";
    char value[DEVICE_NAME_MAX + 16];
    char name[DEVICE_NAME_MAX];
    s->line[s->line_len] = '\0';
    const char *end =
        strncmp(s->line, start, sizeof start - 1) == 0 ? strchr(s->line + sizeof start - 1, '"') : NULL;
    size_t len = end != NULL ? (size_t)(end - s->line) - (sizeof start - 1) : DEVICE_NAME_MAX;
    if (len >= DEVICE_NAME_MAX) {
        fail("a line without an endpoint", s->line);
    }
    memcpy(name, s->line + sizeof start - 1, len);
    name[len] = '\0';
    snprintf(value, sizeof value, "\"value\":\"%s\"", devices_serial(name));
    if (strstr(s->line, value) == NULL) {
        fail("a line without the serial number", s->line);
    }
    uint64_t *time = &b->times[b->lines++ % b->in_flight];
    stats_done(b->stats, *time);
    *time = stats_now_ns();
    s->line_len = 0;
}

static void take_bytes(bulk *b, const char *bytes, size_t len)
{
    stream *s = b->http;
    while (len > 0) {
        const char *newline = memchr(bytes, '\n', len);
        size_t part = newline != NULL ? (size_t)(newline - bytes) : len;
        if (s->line_len + part >= sizeof s->line) {
            fail("a long line", s->line);
        }
        memcpy(s->line + s->line_len, bytes, part);
        s->line_len += part;
        if (newline != NULL) {
            take_line(b);
            part++;
        }
        bytes += part;
        len -= part;
    }
}

/* Takes what is whole: the head, chunk sizes, chunk data (RFC 9112 section 7.1). Returns how many bytes. */
static size_t take(bulk *b, const char *in, size_t len)
{
    stream *s = b->http;
    if (!s->head) {
        const char *end = strstr(in, "\r\n\r\n");
        if (end == NULL) {
            return 0;
        }
        if (strncmp(in, "HTTP/1.1 200 ", 13) != 0) {
            fail("the answer", in);
        }
        s->head = true;
        return (size_t)(end - in) + 4;
    }
    if (s->chunk > 2) {
        size_t part = s->chunk - 2 < len ? s->chunk - 2 : len;
        take_bytes(b, in, part);
        s->chunk -= part;
        return part;
    }
    if (s->chunk > 0) { /* the line end behind the data */
        size_t part = s->chunk < len ? s->chunk : len;
        s->chunk -= part;
        return part;
    }
    const char *end = strstr(in, "\r\n");
    if (end == NULL) {
        return 0;
    }
    s->chunk = strtoul(in, NULL, 16) + 2;
    s->over = s->chunk == 2;
    return (size_t)(end - in) + 2;
}

static void hear(bulk *b)
{
    stream *s = b->http;
    ssize_t n = recv(s->fd, s->in + s->len, IN_MAX - s->len, MSG_DONTWAIT);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
        fail("the connection", n == 0 ? "ended early" : strerror(errno));
    }
    s->len += n > 0 ? (size_t)n : 0;
    s->in[s->len] = '\0';
    size_t at = 0;
    size_t part;
    while (at < s->len && (part = take(b, s->in + at, s->len - at)) > 0) {
        at += part;
    }
    memmove(s->in, s->in + at, s->len - at);
    s->len -= at;
}

static void run_call(bulk *b, endpoint *e, uint32_t first, uint32_t count)
{
    uint64_t end = b->lines + count;
    stream *s = b->http;
    s->head = s->over = false;
    s->chunk = 0;
    ask(b, first, count);
    while (b->lines < end || !s->over) {
        struct pollfd at[2] = {{.fd = s->fd, .events = POLLIN}, {.fd = e->fd, .events = POLLIN}};
        if (poll(at, 2, WAIT_MS) == 0) {
            fail("no line for 20 s", s->line);
        }
        if ((at[1].revents & POLLIN) != 0) {
            reads_answer(e, false);
        }
        if (at[0].revents != 0) {
            hear(b);
        }
    }
}

void bulk_run(endpoint *e, devices *d, const struct sockaddr_in *http, uint32_t in_flight, uint64_t total,
              stats *out)
{
    bulk b = {.devices = d, .stats = out, .in_flight = in_flight < FLIGHTS_MAX ? in_flight : FLIGHTS_MAX};
    b.http = calloc(1, sizeof *b.http);
    if (b.http == NULL) {
        fail("connection", "no memory");
    }
    devices_shuffle(d);
    connect_to(b.http, http);
    stats_resume(out);
    uint64_t start_ns = stats_now_ns();
    for (uint32_t i = 0; i < b.in_flight; i++) {
        b.times[i] = start_ns;
    }
    for (uint64_t done = 0; done < total;) {
        uint32_t most = d->count < CALL_MAX ? d->count : CALL_MAX;
        uint32_t count = total - done < most ? (uint32_t)(total - done) : most;
        run_call(&b, e, (uint32_t)(done % d->count), count);
        done += count;
    }
    stats_pause(out);
    close(b.http->fd);
    free(b.http);
}
