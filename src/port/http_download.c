/* SPDX-License-Identifier: Apache-2.0 */
/* libcurl's multi interface behind one descriptor: its sockets are in an epoll of ours, its timer is our deadline. */
#include "port/http_download.h"

#include "port/clock.h"
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <unistd.h>

#define EVENTS_PER_STEP   8
#define REDIRECTIONS_MAX  5L
#define CONNECT_TIMEOUT_S 30L
#define STALL_BYTES_PER_S 1L
#define STALL_S           60L
#define RANGE_MAX         32
#define HEADER_MAX        128
#define STATUS_OK         200L
#define STATUS_PARTIAL    206L
#define STATUS_NO_RANGE   416L

struct dn_http_download {
    dn_http_sink sink;
    CURLM *multi;
    CURL *easy; /* NULL: idle */
    struct curl_slist *headers;
    char *ca_file;
    char *uri;
    int epoll_fd;
    uint64_t deadline_ms;
    char etag[DN_HTTP_ETAG_MAX + 1]; /* of the answer that is coming */
    uint64_t from;                   /* asked for */
    uint64_t range_from, range_size; /* what Content-Range says */
    uint64_t offset;                 /* of the next piece */
    bool begun;                      /* the body has begun */
    bool inside;                     /* libcurl calls us: it must not be called back */
    bool stopped;                    /* from inside */
    char error[CURL_ERROR_SIZE];
};

/* ---- what libcurl asks for ---- */

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *socket_context)
{
    dn_http_download *d = context;
    struct epoll_event event = {.data.fd = fd};
    (void)easy;
    (void)socket_context;
    if (what == CURL_POLL_REMOVE) {
        (void)epoll_ctl(d->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
        return 0;
    }
    event.events = ((what & CURL_POLL_IN) != 0 ? (unsigned)EPOLLIN : 0u) |
                   ((what & CURL_POLL_OUT) != 0 ? (unsigned)EPOLLOUT : 0u);
    if (epoll_ctl(d->epoll_fd, EPOLL_CTL_MOD, fd, &event) != 0) {
        (void)epoll_ctl(d->epoll_fd, EPOLL_CTL_ADD, fd, &event);
    }
    return 0;
}

static int on_timer(CURLM *multi, long timeout_ms, void *context)
{
    dn_http_download *d = context;
    (void)multi;
    d->deadline_ms = timeout_ms < 0 ? UINT64_MAX : dn_clock_ms() + (uint64_t)timeout_ms;
    return 0;
}

/* The value of header `name` in a line; false: another header. */
static bool header_value(const char *line, size_t len, const char *name, char *out, size_t cap)
{
    const size_t name_len = strlen(name);
    if (len <= name_len || strncasecmp(line, name, name_len) != 0 || line[name_len] != ':') {
        return false;
    }
    size_t at = name_len + 1;
    while (at < len && (line[at] == ' ' || line[at] == '\t')) {
        at++;
    }
    while (len > at && (line[len - 1] == '\r' || line[len - 1] == '\n' || line[len - 1] == ' ')) {
        len--;
    }
    if (len - at >= cap) {
        return false; /* longer than we keep: as if it were not there */
    }
    memcpy(out, line + at, len - at);
    out[len - at] = '\0';
    return true;
}

/* "bytes 1000-2999/3000"; the last may be "*". What is none leaves a range that begins nowhere. */
static void read_range(dn_http_download *d, const char *value)
{
    char *end = NULL;
    d->range_from = UINT64_MAX;
    if (strncmp(value, "bytes ", 6) != 0 || value[6] < '0' || value[6] > '9') {
        return;
    }
    const unsigned long long from = strtoull(value + 6, &end, 10);
    const char *whole = strchr(end, '/');
    if (*end == '-' && whole != NULL) {
        d->range_from = from;
        d->range_size = whole[1] >= '0' && whole[1] <= '9' ? strtoull(whole + 1, NULL, 10) : 0;
    }
}

static size_t on_header(char *line, size_t size, size_t count, void *context)
{
    dn_http_download *d = context;
    const size_t len = size * count;
    char value[HEADER_MAX] = "";
    if (len >= 5 && strncmp(line, "HTTP/", 5) == 0) { /* each answer of a chain of redirections begins so */
        d->etag[0] = '\0';
        d->range_from = d->range_size = 0;
    } else if (header_value(line, len, "ETag", value, sizeof d->etag)) {
        memcpy(d->etag, value, strlen(value) + 1);
    } else if (header_value(line, len, "Content-Range", value, sizeof value)) {
        read_range(d, value);
    }
    return len;
}

/* The first bytes of the body: where do they belong? False: they are of no answer that we asked for. */
static bool begin_body(dn_http_download *d)
{
    long status = 0;
    (void)curl_easy_getinfo(d->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status == STATUS_PARTIAL && d->range_from == d->from) {
        d->offset = d->from;
    } else if (status == STATUS_OK) {
        d->offset = 0;
    } else {
        return false;
    }
    d->begun = true;
    return true;
}

static uint64_t whole_size(const dn_http_download *d)
{
    curl_off_t length = -1;
    if (d->range_size > 0) {
        return d->range_size;
    }
    (void)curl_easy_getinfo(d->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    return length > 0 ? (uint64_t)length : 0;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
    dn_http_download *d = context;
    const size_t len = size * count;
    if (d->stopped) {
        return CURL_WRITEFUNC_ERROR;
    }
    if (!d->begun && !begin_body(d)) {
        return len; /* the text of an error page */
    }
    if (!d->sink.take(d->sink.context, d->offset, whole_size(d), dunlin_slice_of(d->etag),
                      dunlin_slice_make(bytes, len))) {
        d->stopped = true;
        return CURL_WRITEFUNC_ERROR;
    }
    d->offset += len;
    return d->stopped ? CURL_WRITEFUNC_ERROR : len;
}

/* ---- beginning and ending ---- */

static void close_transfer(dn_http_download *d)
{
    if (d->easy != NULL) {
        (void)curl_multi_remove_handle(d->multi, d->easy);
        curl_easy_cleanup(d->easy);
    }
    curl_slist_free_all(d->headers);
    free(d->uri);
    d->easy = NULL;
    d->headers = NULL;
    d->uri = NULL;
    d->deadline_ms = UINT64_MAX;
    d->stopped = false;
}

/* A range is asked for only with a strong ETag, so that no parts of two packages are put together. */
static bool set_range(dn_http_download *d, uint64_t from, dunlin_slice etag)
{
    char range[RANGE_MAX];
    char condition[sizeof "If-Range: " + DN_HTTP_ETAG_MAX];
    if (from == 0 || etag.len == 0 || etag.len > DN_HTTP_ETAG_MAX || etag.data[0] != '"') {
        return true;
    }
    d->from = from;
    (void)snprintf(condition, sizeof condition, "If-Range: %.*s", (int)etag.len, (const char *)etag.data);
    (void)snprintf(range, sizeof range, "%llu-", (unsigned long long)from);
    d->headers = curl_slist_append(NULL, condition);
    return d->headers != NULL && curl_easy_setopt(d->easy, CURLOPT_RANGE, range) == CURLE_OK &&
           curl_easy_setopt(d->easy, CURLOPT_HTTPHEADER, d->headers) == CURLE_OK;
}

static bool set_options(dn_http_download *d)
{
    CURL *easy = d->easy;
    /* Who was told to come by https:// is not led away from it. */
    const char *redirections = strncasecmp(d->uri, "http:", 5) == 0 ? "http,https" : "https";
    bool good = curl_easy_setopt(easy, CURLOPT_URL, d->uri) == CURLE_OK;
    good = good && curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK;
    good = good && curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, redirections) == CURLE_OK;
    good = good && curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L) == CURLE_OK;
    good = good && curl_easy_setopt(easy, CURLOPT_MAXREDIRS, REDIRECTIONS_MAX) == CURLE_OK;
    good = good && curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK;
    good = good && curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, CONNECT_TIMEOUT_S) == CURLE_OK;
    good = good && curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, STALL_BYTES_PER_S) == CURLE_OK;
    good = good && curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, STALL_S) == CURLE_OK;
    good = good && curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, d->error) == CURLE_OK;
    good = good && curl_easy_setopt(easy, CURLOPT_USERAGENT, "dunlin") == CURLE_OK;
    good = good && curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK;
    good = good && curl_easy_setopt(easy, CURLOPT_WRITEDATA, d) == CURLE_OK;
    good = good && curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK;
    good = good && curl_easy_setopt(easy, CURLOPT_HEADERDATA, d) == CURLE_OK;
    if (d->ca_file != NULL) {
        good = good && curl_easy_setopt(easy, CURLOPT_CAINFO, d->ca_file) == CURLE_OK;
    }
    return good;
}

dn_http_download *dn_http_download_create(const dn_http_sink *sink, const char *ca_file)
{
    dn_http_download *d = calloc(1, sizeof *d);
    if (d == NULL) {
        return NULL;
    }
    d->sink = *sink;
    d->deadline_ms = UINT64_MAX;
    d->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    d->multi = curl_multi_init();
    d->ca_file = ca_file == NULL ? NULL : strdup(ca_file);
    if (d->epoll_fd < 0 || d->multi == NULL || (ca_file != NULL && d->ca_file == NULL) ||
        curl_multi_setopt(d->multi, CURLMOPT_SOCKETFUNCTION, on_socket) != CURLM_OK ||
        curl_multi_setopt(d->multi, CURLMOPT_SOCKETDATA, d) != CURLM_OK ||
        curl_multi_setopt(d->multi, CURLMOPT_TIMERFUNCTION, on_timer) != CURLM_OK ||
        curl_multi_setopt(d->multi, CURLMOPT_TIMERDATA, d) != CURLM_OK) {
        dn_http_download_destroy(d);
        return NULL;
    }
    return d;
}

void dn_http_download_destroy(dn_http_download *d)
{
    if (d == NULL) {
        return;
    }
    close_transfer(d);
    if (d->multi != NULL) {
        (void)curl_multi_cleanup(d->multi);
    }
    if (d->epoll_fd >= 0) {
        (void)close(d->epoll_fd);
    }
    free(d->ca_file);
    free(d);
}

dunlin_status dn_http_download_start(dn_http_download *d, const char *uri, uint64_t from, dunlin_slice etag)
{
    if (d->easy != NULL) {
        return DUNLIN_ERR_STATE;
    }
    if (strncasecmp(uri, "http://", 7) != 0 && strncasecmp(uri, "https://", 8) != 0) {
        return DUNLIN_ERR_ARGUMENT;
    }
    d->uri = strdup(uri);
    d->easy = curl_easy_init();
    d->from = d->offset = 0;
    d->begun = false;
    d->etag[0] = d->error[0] = '\0';
    if (d->uri == NULL || d->easy == NULL || !set_options(d) || !set_range(d, from, etag) ||
        curl_multi_add_handle(d->multi, d->easy) != CURLM_OK) {
        close_transfer(d);
        return DUNLIN_ERR_MEMORY;
    }
    return DUNLIN_OK;
}

void dn_http_download_cancel(dn_http_download *d)
{
    if (d->inside) {
        d->stopped = true;
    } else {
        close_transfer(d);
    }
}

/* ---- the way of it ---- */

/* A host that was there when the download began is only gone for a while. */
static dn_http_end end_of(CURLcode code, long status, bool continued)
{
    if (code == CURLE_URL_MALFORMAT || (code == CURLE_COULDNT_RESOLVE_HOST && !continued) ||
        code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_TOO_MANY_REDIRECTS) {
        return DN_HTTP_NOT_FOUND;
    }
    if (code != CURLE_OK) {
        return DN_HTTP_LOST;
    }
    if (status == STATUS_OK || status == STATUS_PARTIAL) {
        return DN_HTTP_COMPLETE;
    }
    return status / 100 == 4 ? DN_HTTP_NOT_FOUND : DN_HTTP_LOST;
}

/* What was kept does not fit what the server has: once more, from the start. */
static bool begins_anew(dn_http_download *d, long status)
{
    char *uri = d->uri;
    if (d->from == 0 || d->begun || (status != STATUS_NO_RANGE && status != STATUS_PARTIAL)) {
        return false;
    }
    d->uri = NULL;
    close_transfer(d);
    const bool begun = dn_http_download_start(d, uri, 0, dunlin_slice_make(NULL, 0)) == DUNLIN_OK;
    free(uri);
    return begun;
}

static void end(dn_http_download *d, CURLcode code)
{
    long status = 0;
    char why[CURL_ERROR_SIZE];
    if (d->stopped) {
        close_transfer(d);
        return;
    }
    (void)curl_easy_getinfo(d->easy, CURLINFO_RESPONSE_CODE, &status);
    if (code == CURLE_OK && begins_anew(d, status)) {
        return;
    }
    const dn_http_end how = end_of(code, status, d->from > 0);
    if (how == DN_HTTP_COMPLETE && !d->begun) { /* an empty body is a body */
        (void)d->sink.take(d->sink.context, 0, 0, dunlin_slice_of(d->etag), dunlin_slice_make(NULL, 0));
    }
    if (code == CURLE_OK) {
        (void)snprintf(why, sizeof why, "status %ld", status);
    } else {
        (void)snprintf(why, sizeof why, "%s", d->error[0] != '\0' ? d->error : curl_easy_strerror(code));
    }
    close_transfer(d);
    d->sink.ended(d->sink.context, how, why);
}

int dn_http_download_fd(const dn_http_download *d)
{
    return d->epoll_fd;
}

uint64_t dn_http_download_deadline(const dn_http_download *d)
{
    return d->easy == NULL ? UINT64_MAX : d->deadline_ms;
}

void dn_http_download_step(dn_http_download *d, uint64_t now_ms)
{
    struct epoll_event events[EVENTS_PER_STEP];
    int running = 0;
    int left = 0;
    if (d->easy == NULL) {
        return;
    }
    const int count = epoll_wait(d->epoll_fd, events, EVENTS_PER_STEP, 0);
    d->inside = true;
    for (int i = 0; i < count; i++) {
        const int what = ((events[i].events & (EPOLLIN | EPOLLHUP)) != 0 ? CURL_CSELECT_IN : 0) |
                         ((events[i].events & EPOLLOUT) != 0 ? CURL_CSELECT_OUT : 0) |
                         ((events[i].events & EPOLLERR) != 0 ? CURL_CSELECT_ERR : 0);
        (void)curl_multi_socket_action(d->multi, events[i].data.fd, what, &running);
    }
    if (now_ms >= d->deadline_ms) {
        d->deadline_ms = UINT64_MAX; /* until libcurl sets it again */
        (void)curl_multi_socket_action(d->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    }
    d->inside = false;
    const CURLMsg *message = curl_multi_info_read(d->multi, &left);
    if (message != NULL && message->msg == CURLMSG_DONE) {
        end(d, message->data.result);
    } else if (d->stopped) {
        close_transfer(d);
    }
}
