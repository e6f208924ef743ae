/* SPDX-License-Identifier: Apache-2.0 */
#include "apps/dunlin/upload.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PERCENT 100

typedef struct {
    FILE *in;
    bool shown; /* progress, on a terminal */
    int last;   /* per cent */
} sending;

static size_t on_read(char *out, size_t size, size_t count, void *context)
{
    sending *s = context;
    const size_t got = fread(out, size, count, s->in);
    return got == 0 && ferror(s->in) != 0 ? CURL_READFUNC_ABORT : got * size;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
    dn_text_add(context, bytes, size * count);
    return size * count;
}

static int on_progress(void *context, curl_off_t down_total, curl_off_t down, curl_off_t up_total,
                       curl_off_t up)
{
    sending *s = context;
    const int now = up_total > 0 ? (int)(up * PERCENT / up_total) : 0;
    (void)down_total;
    (void)down;
    if (s->shown && now != s->last) {
        s->last = now;
        (void)fprintf(stderr, "\ruploading %3d %%%s", now, now == PERCENT ? "\n" : "");
    }
    return 0;
}

static void prepare(CURL *curl, const char *url, sending *s, curl_off_t size, struct curl_slist *headers,
                    dn_answer *answer)
{
    (void)curl_easy_setopt(curl, CURLOPT_URL, url);
    (void)curl_easy_setopt(curl, CURLOPT_POST, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, size);
    (void)curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_read);
    (void)curl_easy_setopt(curl, CURLOPT_READDATA, s);
    (void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer->body);
    (void)curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    (void)curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    (void)curl_easy_setopt(curl, CURLOPT_XFERINFODATA, s);
    (void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 10L);
}

static void perform(const char *url, sending *s, curl_off_t size, dn_answer *answer)
{
    CURL *curl = curl_easy_init();
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/octet-stream");
    headers = curl_slist_append(headers, "Expect:");
    CURLcode code = CURLE_OUT_OF_MEMORY;
    if (curl != NULL) {
        prepare(curl, url, s, size, headers, answer);
        code = curl_easy_perform(curl);
    }
    if (code == CURLE_OK) {
        (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer->status);
    } else {
        (void)snprintf(answer->trouble, sizeof answer->trouble, "no answer from %.120s: %.100s", url,
                       curl_easy_strerror(code));
    }
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
}

bool dn_upload(const char *command, const char *url, const char *file, dn_answer *answer)
{
    struct stat about;
    sending s = {.in = fopen(file, "rb"), .shown = isatty(STDERR_FILENO) == 1, .last = -1};
    *answer = (dn_answer){0};
    dn_text_clear(&answer->body);
    if (s.in == NULL || fstat(fileno(s.in), &about) != 0 || !S_ISREG(about.st_mode)) {
        (void)fprintf(stderr, "dunlin %s: cannot read %s: %s\n", command, file,
                      s.in == NULL ? strerror(errno) : "it is no file");
        if (s.in != NULL) {
            (void)fclose(s.in);
        }
        dn_answer_free(answer);
        return false;
    }
    perform(url, &s, (curl_off_t)about.st_size, answer);
    (void)fclose(s.in);
    return true;
}
