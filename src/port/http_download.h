/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A download over HTTP or HTTPS with libcurl that never blocks, one at a time: a file descriptor to wait for, a deadline, and a
 * step. It follows redirections (to http and https only, and from an https:// URI to https alone), verifies certificates, and continues an interrupted download with a
 * range if the server still has the same ETag (RFC 9110 sections 13.1.5 and 14).
 *
 * Threads: one downloader belongs to one thread.
 */
#ifndef DN_PORT_HTTP_DOWNLOAD_H
#define DN_PORT_HTTP_DOWNLOAD_H

#include <dunlin/slice.h>
#include <dunlin/status.h>

#define DN_HTTP_ETAG_MAX 64

typedef struct dn_http_download dn_http_download;

typedef enum {
    DN_HTTP_COMPLETE,
    DN_HTTP_LOST, /* no connection, time-out, cut off, a certificate that is not trusted, 5xx: later it may work */
    DN_HTTP_NOT_FOUND /* not a URI, no such host, 4xx */
} dn_http_end;

typedef struct {
    /* A piece at `offset` of `size` bytes (0: not known); pieces are in order, and offset 0 begins anew. `etag` may be empty.
       False: stop; `ended` is not called. It may call dn_http_download_cancel, nothing else. */
    bool (*take)(void *context, uint64_t offset, uint64_t size, dunlin_slice etag, dunlin_slice piece);
    /* Once for each that was started and not stopped. `why` is a text for people. May start the next. */
    void (*ended)(void *context, dn_http_end end, const char *why);
    void *context;
} dn_http_sink;

/* NULL: out of memory or descriptors. `ca_file` (may be NULL) has certificates to trust in place of the system's; copied. */
dn_http_download *dn_http_download_create(const dn_http_sink *sink, const char *ca_file);
void dn_http_download_destroy(dn_http_download *download); /* NULL: nothing */

/* Begins. With `from` and an ETag it asks for the rest only. STATE: one is under way; ARGUMENT: not an http(s) URI; MEMORY. */
dunlin_status dn_http_download_start(dn_http_download *download, const char *uri, uint64_t from,
                                     dunlin_slice etag);
/* Ends it without a word. */
void dn_http_download_cancel(dn_http_download *download);

/* Readable when dn_http_download_step has something to do. */
int dn_http_download_fd(const dn_http_download *download);
/* When it is due otherwise (dn_clock_ms); UINT64_MAX: never. */
uint64_t dn_http_download_deadline(const dn_http_download *download);
void dn_http_download_step(dn_http_download *download, uint64_t now_ms);

#endif
