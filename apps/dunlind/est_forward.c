/* SPDX-License-Identifier: Apache-2.0 */
/* An EST server over HTTPS is asked; see est_forward.h. */
#include "est_forward.h"

#include "codec/base64.h"
#include "security/enroll.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define AREA          "est"
#define QUEUE_MAX     256u
#define TIMEOUT_S     30u
#define URL_MAX       2048u
#define ANSWER_MAX    (DN_ENROLL_SET_MAX * 2u) /* base64 with its line ends */
#define HTTP_OK       200
#define HTTP_ACCEPTED 202
#define DER_SEQUENCE  0x30

typedef struct {
    uint64_t number;
    bool is_crts;
    size_t len;
    uint8_t request[DN_ENROLL_REQUEST_MAX];
} asked;

struct est_forward {
    est_forward_config config; /* its strings are owned */
    dn_est *est;
    CURL *curl;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool is_running, is_ending; /* with the lock */
    asked *queue;               /* [QUEUE_MAX], a ring */
    size_t first, count;
    char curl_error[CURL_ERROR_SIZE];
};

/* ---- an exchange ---- */

typedef struct {
    uint8_t bytes[ANSWER_MAX];
    size_t len;
} body;

static size_t on_body(char *data, size_t size, size_t count, void *context)
{
    body *b = context;
    const size_t len = size * count;
    if (len > sizeof b->bytes - b->len) {
        return 0;
    }
    memcpy(b->bytes + b->len, data, len);
    b->len += len;
    return len;
}

static int on_progress(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    est_forward *f = context;
    (void)a, (void)b, (void)c, (void)d;
    pthread_mutex_lock(&f->lock);
    const bool is_ending = f->is_ending;
    pthread_mutex_unlock(&f->lock);
    return is_ending;
}

/* RFC 7030 section 4.1.3: base64; RFC 8951 knows of servers that break it into lines, and of some that send DER. */
static bool decode(body *b)
{
    size_t len = 0;
    if (b->len > 0 && b->bytes[0] == DER_SEQUENCE) {
        return true;
    }
    for (size_t i = 0; i < b->len; i++) {
        const uint8_t c = b->bytes[i];
        if (c != '\n' && c != '\r' && c != ' ' && c != '\t') {
            b->bytes[len++] = c;
        }
    }
    const bool good =
        len > 0 && dn_base64_decode(dunlin_slice_make(b->bytes, len), b->bytes, &len) == DUNLIN_OK;
    b->len = good ? len : 0;
    return good;
}

static struct curl_slist *headers_of(const asked *a)
{
    struct curl_slist *list = curl_slist_append(NULL, "Accept: application/pkcs7-mime");
    if (list != NULL && !a->is_crts) {
        struct curl_slist *more = curl_slist_append(list, "Content-Type: application/pkcs10");
        more = more == NULL ? NULL : curl_slist_append(more, "Content-Transfer-Encoding: base64");
        if (more == NULL) {
            curl_slist_free_all(list);
        }
        list = more;
    }
    return list;
}

static bool set_up(est_forward *f, const asked *a, const char *digits, size_t digits_len, body *answer)
{
    char url[URL_MAX];
    CURL *c = f->curl;
    const int len =
        snprintf(url, sizeof url, "%s/%s", f->config.url, a->is_crts ? "cacerts" : "simpleenroll");
    curl_easy_reset(c);
    bool good = len > 0 && (size_t)len < sizeof url && curl_easy_setopt(c, CURLOPT_URL, url) == CURLE_OK &&
                curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https") == CURLE_OK &&
                curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
                curl_easy_setopt(c, CURLOPT_WRITEDATA, answer) == CURLE_OK &&
                curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress) == CURLE_OK &&
                curl_easy_setopt(c, CURLOPT_XFERINFODATA, f) == CURLE_OK &&
                curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L) == CURLE_OK &&
                curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
                curl_easy_setopt(c, CURLOPT_TIMEOUT, (long)f->config.timeout_s) == CURLE_OK &&
                curl_easy_setopt(c, CURLOPT_ERRORBUFFER, f->curl_error) == CURLE_OK;
    if (good && f->config.authorities != NULL) {
        good = curl_easy_setopt(c, CURLOPT_CAINFO, f->config.authorities) == CURLE_OK;
    }
    if (good && f->config.certificate != NULL) {
        good = curl_easy_setopt(c, CURLOPT_SSLCERT, f->config.certificate) == CURLE_OK &&
               curl_easy_setopt(c, CURLOPT_SSLKEY, f->config.key) == CURLE_OK;
    }
    if (good && !a->is_crts) {
        good = curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE, (long)digits_len) == CURLE_OK &&
               curl_easy_setopt(c, CURLOPT_POSTFIELDS, digits) == CURLE_OK;
    }
    return good;
}

/* The HTTP status; 0: there was none. */
static unsigned exchange(est_forward *f, const asked *a, body *answer, uint32_t *retry_s)
{
    char digits[DN_ENROLL_REQUEST_MAX / 3 * 4 + 8];
    const size_t len =
        dn_base64_encode(DN_BASE64_PADDED, dunlin_slice_make(a->request, a->len), (uint8_t *)digits);
    struct curl_slist *headers = headers_of(a);
    long status = 0;
    curl_off_t retry = 0;
    f->curl_error[0] = '\0';
    bool good = headers != NULL && set_up(f, a, digits, len, answer) &&
                curl_easy_setopt(f->curl, CURLOPT_HTTPHEADER, headers) == CURLE_OK;
    const CURLcode code = good ? curl_easy_perform(f->curl) : CURLE_OUT_OF_MEMORY;
    if (code == CURLE_OK) {
        (void)curl_easy_getinfo(f->curl, CURLINFO_RESPONSE_CODE, &status);
        (void)curl_easy_getinfo(f->curl, CURLINFO_RETRY_AFTER, &retry);
    } else {
        dn_log_at(f->config.log, DN_LOG_WARN, AREA, "the authority cannot be asked: %s",
                  f->curl_error[0] != '\0' ? f->curl_error : curl_easy_strerror(code));
    }
    curl_slist_free_all(headers);
    *retry_s = retry > 0 && retry < UINT32_MAX ? (uint32_t)retry : 0;
    return status > 0 && status < 1000 ? (unsigned)status : 0;
}

static void serve(est_forward *f, const asked *a)
{
    body answer = {.len = 0};
    uint32_t retry_s = 0;
    unsigned status = exchange(f, a, &answer, &retry_s);
    if (status == HTTP_OK && !decode(&answer)) {
        dn_log_at(f->config.log, DN_LOG_WARN, AREA, "the authority's answer is no base64");
        status = 0;
    }
    if (status != HTTP_OK && status != HTTP_ACCEPTED && status != 0) {
        dn_log_at(f->config.log, DN_LOG_WARN, AREA, "the authority answers with HTTP %u", status);
    }
    dn_est_answer(f->est, a->number, status, retry_s,
                  status == HTTP_OK ? dunlin_slice_make(answer.bytes, answer.len)
                                    : dunlin_slice_make(NULL, 0));
}

/* ---- the thread ---- */

static bool take(est_forward *f, asked *out)
{
    pthread_mutex_lock(&f->lock);
    while (f->count == 0 && !f->is_ending) {
        pthread_cond_wait(&f->wake, &f->lock);
    }
    const bool is_there = !f->is_ending;
    if (is_there) {
        *out = f->queue[f->first];
        f->first = (f->first + 1) % QUEUE_MAX;
        f->count--;
    }
    pthread_mutex_unlock(&f->lock);
    return is_there;
}

static void *work(void *context)
{
    est_forward *f = context;
    asked a;
    while (take(f, &a)) {
        serve(f, &a);
    }
    return NULL;
}

dunlin_status est_forward_ask(void *context, uint64_t number, bool is_crts, bool is_renewal,
                              dunlin_slice request)
{
    est_forward *f = context;
    (void)is_renewal;
    if (request.len > DN_ENROLL_REQUEST_MAX) {
        return DUNLIN_ERR_SPACE;
    }
    pthread_mutex_lock(&f->lock);
    const dunlin_status status = !f->is_running          ? DUNLIN_ERR_STATE
                                 : f->count == QUEUE_MAX ? DUNLIN_ERR_LIMIT
                                                         : DUNLIN_OK;
    if (status == DUNLIN_OK) {
        asked *a = &f->queue[(f->first + f->count++) % QUEUE_MAX];
        a->number = number;
        a->is_crts = is_crts;
        a->len = request.len;
        if (request.len > 0) {
            memcpy(a->request, request.data, request.len);
        }
        pthread_cond_signal(&f->wake);
    }
    pthread_mutex_unlock(&f->lock);
    return status;
}

/* ---- making one ---- */

static bool copy_text(const char **text)
{
    *text = *text == NULL ? NULL : strdup(*text);
    return *text != NULL;
}

static void free_text(const char **text)
{
    free((void *)(uintptr_t)*text);
    *text = NULL;
}

static bool is_usable(const est_forward_config *config, char *error, size_t error_size)
{
    const char *const files[] = {config->authorities, config->certificate, config->key};
    if (strncmp(config->url, "https://", 8) != 0 || strlen(config->url) > URL_MAX - 32) {
        (void)snprintf(error, error_size, "an EST server has an https:// URL");
        return false;
    }
    if ((config->certificate == NULL) != (config->key == NULL)) {
        (void)snprintf(error, error_size, "a certificate and its key go together");
        return false;
    }
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        if (files[i] != NULL && access(files[i], R_OK) != 0) {
            (void)snprintf(error, error_size, "%s cannot be read", files[i]);
            return false;
        }
    }
    return true;
}

static bool copy_config(est_forward *f, const est_forward_config *config)
{
    const char **texts[] = {&f->config.url, &f->config.authorities, &f->config.certificate, &f->config.key};
    bool good = true;
    f->config = *config;
    f->config.timeout_s = config->timeout_s == 0 ? TIMEOUT_S : config->timeout_s;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const bool is_given = *texts[i] != NULL;
        good = (copy_text(texts[i]) || !is_given) && good;
    }
    if (good) { /* "…/est/" means "…/est" */
        char *url = (char *)(uintptr_t)f->config.url;
        for (size_t len = strlen(url); len > 8 && url[len - 1] == '/'; len--) {
            url[len - 1] = '\0';
        }
    }
    return good;
}

bool est_forward_open(const est_forward_config *config, est_forward **out, char *error, size_t error_size)
{
    *out = NULL;
    if (!is_usable(config, error, error_size)) {
        return false;
    }
    est_forward *f = calloc(1, sizeof *f);
    const bool has_locks =
        f != NULL && pthread_mutex_init(&f->lock, NULL) == 0 && pthread_cond_init(&f->wake, NULL) == 0;
    if (!has_locks) {
        free(f);
    } else if (copy_config(f, config) && curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK) {
        f->queue = calloc(QUEUE_MAX, sizeof *f->queue);
        f->curl = curl_easy_init();
    }
    if (!has_locks || f->queue == NULL || f->curl == NULL) {
        (void)snprintf(error, error_size, "no memory");
        est_forward_close(has_locks ? f : NULL);
        return false;
    }
    *out = f;
    return true;
}

bool est_forward_start(est_forward *forward, dn_est *est, char *error, size_t error_size)
{
    forward->est = est;
    forward->is_running = true;
    if (pthread_create(&forward->thread, NULL, work, forward) != 0) {
        forward->is_running = false;
        (void)snprintf(error, error_size, "no thread for the EST server");
    }
    return forward->is_running;
}

void est_forward_close(est_forward *forward)
{
    const char **texts[4];
    if (forward == NULL) {
        return;
    }
    pthread_mutex_lock(&forward->lock);
    const bool is_running = forward->is_running;
    forward->is_ending = true;
    forward->is_running = false;
    pthread_cond_signal(&forward->wake);
    pthread_mutex_unlock(&forward->lock);
    if (is_running) {
        (void)pthread_join(forward->thread, NULL);
    }
    if (forward->curl != NULL) {
        curl_easy_cleanup(forward->curl);
    }
    texts[0] = &forward->config.url;
    texts[1] = &forward->config.authorities;
    texts[2] = &forward->config.certificate;
    texts[3] = &forward->config.key;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        free_text(texts[i]);
    }
    free(forward->queue);
    (void)pthread_cond_destroy(&forward->wake);
    (void)pthread_mutex_destroy(&forward->lock);
    free(forward);
}
