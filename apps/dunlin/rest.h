/* SPDX-License-Identifier: Apache-2.0 */
/* Calls to the REST API of a dunlind, by libcurl. */
#ifndef DUNLIN_APP_REST_H
#define DUNLIN_APP_REST_H

#include "apps/dunlin/options.h"
#include "apps/dunlin/text.h"

typedef struct {
    long status; /* HTTP; 0: no answer, `trouble` says why */
    dn_text body;
    char trouble[256];
} dn_answer;

/* Makes the URL of `path` ("/clients") below the server's /api/v1, with ?timeout= and ?format= of the options
   where they are set and `device` says that the call goes to a device. Free with dn_text_free. */
dn_text dn_rest_url(const dn_options *options, const char *path, bool device);

/* One request; `body` NULL for none, `type` its media type. Free the answer with dn_answer_free. */
dn_answer dn_rest(const char *method, const char *url, const char *body, size_t body_len, const char *type);
void dn_answer_free(dn_answer *answer);

/* A connection that stays for the next request. Zero-initialised is a new one. */
typedef struct {
    void *curl;
} dn_rest_connection;
/* A request with a JSON body (NULL: none) and a further header (NULL: none). */
dn_answer dn_rest_on(dn_rest_connection *connection, const char *method, const char *url, const char *body,
                     size_t body_len, const char *header);
void dn_rest_close(dn_rest_connection *connection);

/* One line of an answer, without its end. Return false to stop. */
typedef bool dn_line_handler(void *context, const char *line, size_t len);
/* As dn_rest, but the body of a 2xx is given away line by line as it comes. */
dn_answer dn_rest_lines(const char *method, const char *url, const char *body, size_t body_len,
                        dn_line_handler *handler, void *context);

/* For an answer that is no success: prints the problem to stderr in words (with --json the document to
 * stdout) and gives the exit code. */
int dn_rest_trouble(const dn_options *options, const dn_answer *answer);

/* One Server-Sent Event; views end with the call. Return false to stop. */
typedef bool dn_event_handler(void *context, const char *id, const char *type, const char *data);
typedef bool dn_stream_opened(void *context);

/*
 * Follows an event stream, reconnecting with the last id when the connection breaks, until a handler says
 * stop or the process gets SIGINT or SIGTERM. `opened` (may be NULL) is called once, as soon as the stream
 * stands. Gives the exit code.
 */
int dn_rest_follow(const dn_options *options, const char *url, dn_stream_opened *opened,
                   dn_event_handler *handler, void *context);

#endif
