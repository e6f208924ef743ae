/* SPDX-License-Identifier: Apache-2.0 */
/* Following an event stream (WHATWG HTML, server-sent events) by libcurl's multi interface. */
#include "apps/dunlin/command.h"
#include "apps/dunlin/rest.h"

#include <curl/curl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_RETRY_MS = 500, LAST_RETRY_MS = 15000, POLL_MS = 1000 };

typedef struct {
    dn_event_handler *handler;
    void *context;
    dn_text line, id, type, data;
    dn_answer refusal; /* a body that is no stream */
    long status;
    bool opened, stop;
    CURL *curl;
} follower;

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

static void dispatch(follower *f)
{
    if (f->data.len > 0) {
        if (f->data.data[f->data.len - 1] == '\n') {
            f->data.data[--f->data.len] = '\0';
        }
        const char *type = f->type.len > 0 ? f->type.data : "message";
        if (!f->handler(f->context, f->id.len > 0 ? f->id.data : "", type, f->data.data)) {
            f->stop = true;
        }
    }
    dn_text_clear(&f->data);
    dn_text_clear(&f->type);
}

static void take_line(follower *f)
{
    if (f->line.len == 0) {
        dispatch(f);
        return;
    }
    const size_t name_len = strcspn(f->line.data, ":");
    const char *value = f->line.data + name_len;
    value += *value == ':' ? 1 : 0;
    value += *value == ' ' ? 1 : 0;
    if (name_len == 2 && strncmp(f->line.data, "id", 2) == 0) {
        dn_text_clear(&f->id);
        dn_text_puts(&f->id, value);
    } else if (name_len == 5 && strncmp(f->line.data, "event", 5) == 0) {
        dn_text_clear(&f->type);
        dn_text_puts(&f->type, value);
    } else if (name_len == 4 && strncmp(f->line.data, "data", 4) == 0) {
        dn_text_puts(&f->data, value);
        dn_text_puts(&f->data, "\n");
    }
}

static size_t on_bytes(char *bytes, size_t size, size_t count, void *context)
{
    follower *f = context;
    (void)curl_easy_getinfo(f->curl, CURLINFO_RESPONSE_CODE, &f->status);
    if (f->status != 200) {
        dn_text_add(&f->refusal.body, bytes, size * count);
        return size * count;
    }
    for (size_t i = 0; i < size * count && !f->stop; i++) {
        if (bytes[i] == '\n') {
            take_line(f);
            dn_text_clear(&f->line);
        } else if (bytes[i] != '\r') {
            dn_text_add(&f->line, &bytes[i], 1);
        }
    }
    return f->stop ? 0 : size * count;
}

static void prepare(follower *f, const char *url, struct curl_slist **headers)
{
    *headers = curl_slist_append(NULL, "Accept: text/event-stream");
    if (f->id.len > 0) {
        dn_text header = {0};
        dn_text_printf(&header, "Last-Event-ID: %s", f->id.data);
        *headers = curl_slist_append(*headers, header.data);
        dn_text_free(&header);
    }
    (void)curl_easy_setopt(f->curl, CURLOPT_URL, url);
    (void)curl_easy_setopt(f->curl, CURLOPT_HTTPHEADER, *headers);
    (void)curl_easy_setopt(f->curl, CURLOPT_WRITEFUNCTION, on_bytes);
    (void)curl_easy_setopt(f->curl, CURLOPT_WRITEDATA, f);
    (void)curl_easy_setopt(f->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(f->curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(f->curl, CURLOPT_CONNECTTIMEOUT, 10L);
    dn_text_clear(&f->line);
    dn_text_clear(&f->data);
    dn_text_clear(&f->type);
}

/* Reads one connection to its end. */
static void read_stream(follower *f, CURLM *multi, dn_stream_opened *opened)
{
    int running = 1;
    while (running > 0 && !f->stop && !interrupted) {
        if (curl_multi_perform(multi, &running) != CURLM_OK) {
            return;
        }
        (void)curl_easy_getinfo(f->curl, CURLINFO_RESPONSE_CODE, &f->status);
        if (f->status == 200 && !f->opened) {
            f->opened = true;
            if (opened != NULL && !opened(f->context)) {
                f->stop = true;
            }
        }
        if (running > 0 && !f->stop) {
            (void)curl_multi_poll(multi, NULL, 0, POLL_MS, NULL);
        }
    }
}

/* True when the connection was refused for good: the first one failed, or the server answered with an error.
 */
static bool connect_once(follower *f, const char *url, dn_stream_opened *opened, CURLM *multi)
{
    struct curl_slist *headers = NULL;
    f->curl = curl_easy_init();
    if (f->curl == NULL) {
        return true;
    }
    f->status = 0;
    prepare(f, url, &headers);
    (void)curl_multi_add_handle(multi, f->curl);
    read_stream(f, multi, opened);
    (void)curl_multi_remove_handle(multi, f->curl);
    curl_easy_cleanup(f->curl);
    curl_slist_free_all(headers);
    return (f->status != 200 && f->status != 0) || !f->opened;
}

static void wait_before_retry(CURLM *multi, int *delay_ms)
{
    (void)fprintf(stderr, "dunlin: the event stream broke; trying again in %d ms\n", *delay_ms);
    for (int waited = 0; waited < *delay_ms && !interrupted; waited += 100) {
        (void)curl_multi_poll(multi, NULL, 0, 100, NULL);
    }
    *delay_ms = *delay_ms * 2 > LAST_RETRY_MS ? LAST_RETRY_MS : *delay_ms * 2;
}

int dn_rest_follow(const dn_options *options, const char *url, dn_stream_opened *opened,
                   dn_event_handler *handler, void *context)
{
    follower f = {.handler = handler, .context = context};
    struct sigaction action = {.sa_handler = on_signal};
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    CURLM *multi = curl_multi_init();
    int exit_code = EXIT_CODE_OK;
    int delay_ms = FIRST_RETRY_MS;
    dn_text_clear(&f.refusal.body);
    while (multi != NULL && !f.stop && !interrupted) {
        const bool refused = connect_once(&f, url, opened, multi);
        if (f.stop || interrupted) {
            break;
        }
        if (refused) {
            f.refusal.status = f.status;
            (void)snprintf(f.refusal.trouble, sizeof f.refusal.trouble, "no event stream at %.180s", url);
            exit_code = dn_rest_trouble(options, &f.refusal);
            break;
        }
        if (f.status == 200) {
            delay_ms = f.id.len > 0 ? FIRST_RETRY_MS : delay_ms;
        }
        wait_before_retry(multi, &delay_ms);
    }
    (void)curl_multi_cleanup(multi);
    dn_answer_free(&f.refusal);
    dn_text_free(&f.line);
    dn_text_free(&f.id);
    dn_text_free(&f.type);
    dn_text_free(&f.data);
    return exit_code;
}
