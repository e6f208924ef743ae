/* SPDX-License-Identifier: Apache-2.0 */
#include "apps/dunlin/rest.h"

#include "apps/dunlin/command.h"

#include <curl/curl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

dn_text dn_rest_url(const dn_options *options, const char *path, bool device)
{
    dn_text url = {0};
    dn_text_puts(&url, options->server);
    while (url.len > 0 && url.data[url.len - 1] == '/') {
        url.data[--url.len] = '\0';
    }
    dn_text_puts(&url, "/api/v1");
    dn_text_puts(&url, path);
    const struct {
        const char *name, *value;
    } query[] = {{"timeout", options->timeout},
                 {"format", options->format},
                 {"wait", options->wait},
                 {"expires", options->expires}};
    for (size_t i = 0; device && i < sizeof query / sizeof query[0]; i++) {
        if (query[i].value != NULL) {
            dn_text_puts(&url, strchr(url.data, '?') == NULL ? "?" : "&");
            dn_text_printf(&url, "%s=", query[i].name);
            dn_text_percent(&url, query[i].value);
        }
    }
    return url;
}

static size_t gather(char *bytes, size_t size, size_t count, void *context)
{
    dn_text_add(context, bytes, size * count);
    return size * count;
}

static void explain(dn_answer *answer, CURLcode code, const char *curl_text, const char *url)
{
    (void)snprintf(answer->trouble, sizeof answer->trouble, "no answer from %.120s: %.100s", url,
                   curl_text[0] != '\0' ? curl_text : curl_easy_strerror(code));
}

/* An answer whose lines are given away. */
typedef struct {
    CURL *curl;
    dn_line_handler *handler;
    void *context;
    dn_text line;
    dn_text *body; /* of an answer that is no 2xx */
} splitter;

static bool give_line(splitter *s)
{
    const bool more = s->line.len == 0 || s->handler(s->context, s->line.data, s->line.len);
    dn_text_clear(&s->line);
    return more;
}

static size_t split(char *bytes, size_t size, size_t count, void *context)
{
    splitter *s = context;
    long status = 0;
    (void)curl_easy_getinfo(s->curl, CURLINFO_RESPONSE_CODE, &status);
    if (status < 200 || status > 299) {
        dn_text_add(s->body, bytes, size * count);
        return size * count;
    }
    size_t from = 0;
    for (size_t i = 0; i < size * count; i++) {
        if (bytes[i] == '\n') {
            dn_text_add(&s->line, bytes + from, i - from);
            from = i + 1;
            if (!give_line(s)) {
                return 0;
            }
        }
    }
    dn_text_add(&s->line, bytes + from, size * count - from);
    return size * count;
}

/* What of a request is not there each time. */
typedef struct {
    splitter *lines;    /* NULL: the whole answer */
    CURL *kept;         /* NULL: a connection of its own */
    const char *header; /* NULL: no further one */
} extras;

static dn_answer perform(const char *method, const char *url, const char *body, size_t body_len,
                         const char *type, const extras *more)
{
    dn_answer answer = {0};
    dn_text_clear(&answer.body);
    char curl_text[CURL_ERROR_SIZE] = "";
    splitter *lines = more->lines;
    CURL *curl = more->kept != NULL ? more->kept : curl_easy_init();
    if (curl == NULL) {
        explain(&answer, CURLE_OUT_OF_MEMORY, "", url);
        return answer;
    }
    curl_easy_reset(curl);
    struct curl_slist *headers = more->header != NULL ? curl_slist_append(NULL, more->header) : NULL;
    dn_text content_type = {0};
    if (body != NULL) {
        dn_text_printf(&content_type, "Content-Type: %s", type);
        headers = curl_slist_append(headers, content_type.data);
        headers = curl_slist_append(headers, "Expect:");
        (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body_len);
        (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    }
    (void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    (void)curl_easy_setopt(curl, CURLOPT_URL, url);
    (void)curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    (void)curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, curl_text);
    if (lines != NULL) {
        lines->curl = curl;
        lines->body = &answer.body;
        (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, split);
        (void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, lines);
    } else {
        (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, gather);
        (void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer.body);
    }
    (void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 10L);
    const CURLcode code = curl_easy_perform(curl);
    if (code == CURLE_OK) {
        (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer.status);
    } else {
        explain(&answer, code, curl_text, url);
    }
    curl_slist_free_all(headers);
    dn_text_free(&content_type);
    if (more->kept == NULL) {
        curl_easy_cleanup(curl);
    }
    return answer;
}

dn_answer dn_rest(const char *method, const char *url, const char *body, size_t body_len, const char *type)
{
    return perform(method, url, body, body_len, type, &(extras){0});
}

dn_answer dn_rest_on(dn_rest_connection *connection, const char *method, const char *url, const char *body,
                     size_t body_len, const char *header)
{
    if (connection->curl == NULL) {
        connection->curl = curl_easy_init();
    }
    return perform(method, url, body, body_len, "application/json",
                   &(extras){.kept = connection->curl, .header = header});
}

void dn_rest_close(dn_rest_connection *connection)
{
    curl_easy_cleanup(connection->curl);
    connection->curl = NULL;
}

dn_answer dn_rest_lines(const char *method, const char *url, const char *body, size_t body_len,
                        dn_line_handler *handler, void *context)
{
    splitter lines = {.handler = handler, .context = context};
    dn_text_clear(&lines.line);
    dn_answer answer = perform(method, url, body, body_len, "application/json", &(extras){.lines = &lines});
    if (answer.status >= 200 && answer.status <= 299) {
        (void)give_line(&lines); /* a last line without an end */
    }
    dn_text_free(&lines.line);
    return answer;
}

void dn_answer_free(dn_answer *answer)
{
    dn_text_free(&answer->body);
}

static const char *field(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text == NULL ? "" : text;
}

int dn_rest_trouble(const dn_options *options, const dn_answer *answer)
{
    if (answer->status == 0) {
        (void)fprintf(stderr, "dunlin: %s\nIs dunlind running there? Set --server URL or DUNLIN_SERVER.\n",
                      answer->trouble);
        return EXIT_CODE_UNREACHABLE;
    }
    if (options->json) {
        (void)printf("%s\n", answer->body.data);
    }
    json_t *problem = json_loadb(answer->body.data, answer->body.len, 0, NULL);
    const char *title = field(problem, "title");
    const char *detail = field(problem, "detail");
    const char *coap = field(problem, "coapCode");
    if (title[0] == '\0') {
        (void)fprintf(stderr, "dunlin: %s answered %ld, which is no answer of a dunlind\n", options->server,
                      answer->status);
    } else {
        (void)fprintf(stderr, "dunlin: %s%s%s%s%s%s\n", title, detail[0] != '\0' ? ": " : "", detail,
                      coap[0] != '\0' ? " (CoAP " : "", coap, coap[0] != '\0' ? ")" : "");
    }
    json_decref(problem);
    return answer->status == 504 ? EXIT_CODE_TIMEOUT : EXIT_CODE_REFUSED;
}
