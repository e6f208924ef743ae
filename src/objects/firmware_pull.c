/* SPDX-License-Identifier: Apache-2.0 */
/* How a package is fetched from its URI: by the client over CoAP, by the application over HTTP; tried again, and continued. */
#include "objects/firmware.h"

#include <string.h>

#define DOUBLINGS_MAX 16u   /* of the wait between tries */
#define BUSY_MS       1000u /* another download of the client is under way: look again then */

typedef enum { SCHEME_BAD, SCHEME_OTHER, SCHEME_COAP, SCHEME_HTTP } scheme;

static bool begins(const char *text, const char *with, size_t *len)
{
    *len = strlen(with);
    return strncmp(text, with, *len) == 0;
}

/* A scheme, "://" and a host, of visible characters. */
static bool well_formed(const char *uri)
{
    const char *colon = strchr(uri, ':');
    for (const char *c = uri; *c != '\0'; c++) {
        if (*c <= ' ' || *c == 0x7F) {
            return false;
        }
    }
    return colon != NULL && colon != uri && strncmp(colon, "://", 3) == 0 && strchr("/:?#", colon[3]) == NULL;
}

static scheme scheme_of(const char *uri)
{
    size_t len = 0;
    if (!well_formed(uri)) {
        return SCHEME_BAD;
    }
    if (begins(uri, "coap://", &len) || begins(uri, "coaps://", &len) || begins(uri, "coap+tcp://", &len) ||
        begins(uri, "coaps+tcp://", &len)) {
        return SCHEME_COAP;
    }
    return begins(uri, "http://", &len) || begins(uri, "https://", &len) ? SCHEME_HTTP : SCHEME_OTHER;
}

static void fail(dunlin_firmware *f, dunlin_firmware_result result)
{
    (void)dn_firmware_happens(f, DN_FIRMWARE_BROKEN, result);
}

/* False: that was the last try. */
static bool lost_a_try(dunlin_firmware *f)
{
    if (++f->tried >= f->tries) {
        fail(f, DUNLIN_FIRMWARE_CONNECTION_LOST);
        return false;
    }
    dn_firmware_save(f);
    return true;
}

/* The connection was lost: try again later. */
static void lost(dunlin_firmware *f)
{
    if (lost_a_try(f)) {
        f->retry = true;
        f->timed = false; /* the step knows the time */
    }
}

static bool pulling(const dunlin_firmware *f)
{
    return f->kept.state == DUNLIN_FIRMWARE_DOWNLOADING && !f->kept.push;
}

static void begin_anew(dunlin_firmware *f)
{
    f->kept.offset = f->kept.size = 0;
    f->kept.etag_len = 0;
}

static dunlin_status take(dunlin_firmware *f, uint64_t offset, uint64_t size, dunlin_slice piece)
{
    if (offset != 0 && offset != f->kept.offset) {
        return DUNLIN_ERR_MALFORMED;
    }
    const dunlin_firmware_result result = dn_firmware_store(f, offset, size, piece);
    if (result != DUNLIN_FIRMWARE_INITIAL) {
        fail(f, result);
        return DUNLIN_ERR_CANCELLED;
    }
    f->tried = 0; /* it gets on */
    if (f->kept.offset - f->saved_offset >= f->save_every || f->kept.offset < f->saved_offset) {
        dn_firmware_save(f);
    }
    return DUNLIN_OK;
}

/* ---- CoAP, by the client ---- */

static dunlin_status coap_take(void *context, uint64_t offset, uint64_t size, dunlin_slice piece, bool more)
{
    dunlin_firmware *f = context;
    (void)more;
    if (!pulling(f)) {
        return DUNLIN_ERR_CANCELLED;
    }
    if (f->kept.etag_len == 0) {
        uint8_t etag[8];
        f->kept.etag_len = (uint8_t)dunlin_client_download_etag(f->client, etag);
        memcpy(f->kept.etag, etag, f->kept.etag_len);
    }
    return take(f, offset, size, piece);
}

static void coap_done(void *context, dunlin_status status, uint8_t code)
{
    dunlin_firmware *f = context;
    f->fetching = false;
    if (!pulling(f)) {
        return; /* it has failed, or was cancelled */
    }
    if (status == DUNLIN_OK) {
        dn_firmware_complete(f);
    } else if ((status == DUNLIN_ERR_MALFORMED || code >> 5 == 4) && f->kept.offset > 0 && !f->restarted) {
        f->restarted = true; /* another package by now, or a shorter one: from the start, but only once */
        begin_anew(f);
        f->start_pull = true;
    } else if (code >> 5 == 4) {
        fail(f, DUNLIN_FIRMWARE_URI); /* the server says that it is not there */
    } else if (status == DUNLIN_ERR_IO) {
        f->start_pull = lost_a_try(f); /* it goes on when there is another way, which takes its time */
    } else {
        lost(f);
    }
}

static void coap_start(dunlin_firmware *f, uint64_t now_ms)
{
    const dunlin_download download = {coap_take, coap_done, f};
    const dunlin_status status = dunlin_client_download(f->client, f->kept.uri, f->kept.offset, f->kept.etag,
                                                        f->kept.etag_len, &download);
    switch (status) {
    case DUNLIN_OK:
        f->fetching = true;
        f->by_http = false;
        break;
    case DUNLIN_ERR_STATE:
    case DUNLIN_ERR_LIMIT:
        f->retry = f->timed = true;
        f->retry_at_ms = now_ms + BUSY_MS;
        break;
    case DUNLIN_ERR_IO: /* no try: nobody has been asked */
        f->waiting = true;
        break;
    case DUNLIN_ERR_UNSUPPORTED:
        fail(f, DUNLIN_FIRMWARE_PROTOCOL);
        break;
    case DUNLIN_ERR_NOT_FOUND: /* the host has no address, or no account: at the moment, if it had one before */
        if (f->kept.offset > 0) {
            lost(f);
        } else {
            fail(f, DUNLIN_FIRMWARE_URI);
        }
        break;
    default: /* not a URI */
        fail(f, DUNLIN_FIRMWARE_URI);
        break;
    }
}

/* ---- HTTP, by the application ---- */

static void http_start(dunlin_firmware *f)
{
    if (f->call.fetch == NULL) {
        fail(f, DUNLIN_FIRMWARE_PROTOCOL);
        return;
    }
    f->fetching = f->by_http = true;
    if (!f->call.fetch(f->call.context, f->kept.uri, f->kept.offset,
                       dunlin_slice_make(f->kept.etag, f->kept.etag_len))) {
        f->fetching = false;
        fail(f, DUNLIN_FIRMWARE_URI);
    }
}

dunlin_status dunlin_firmware_fetched(dunlin_firmware *f, uint64_t offset, uint64_t size, dunlin_slice etag,
                                      dunlin_slice piece)
{
    if (!pulling(f) || !f->fetching) {
        return DUNLIN_ERR_CANCELLED;
    }
    if (offset == 0) {
        f->kept.etag_len = etag.len <= DUNLIN_FIRMWARE_ETAG_MAX ? (uint8_t)etag.len : 0;
        if (f->kept.etag_len > 0) {
            memcpy(f->kept.etag, etag.data, f->kept.etag_len);
        }
    }
    return take(f, offset, size, piece);
}

void dunlin_firmware_fetch_ended(dunlin_firmware *f, dunlin_firmware_result result)
{
    if (!f->fetching) {
        return;
    }
    f->fetching = false;
    if (!pulling(f)) {
        return;
    }
    if (result == DUNLIN_FIRMWARE_INITIAL) {
        dn_firmware_complete(f);
    } else if (result == DUNLIN_FIRMWARE_CONNECTION_LOST) {
        lost(f);
    } else {
        fail(f, result);
    }
}

/* ---- both ---- */

void dn_firmware_pull_start(dunlin_firmware *f)
{
    f->start_pull = true;
    f->retry = f->restarted = f->waiting = false;
    f->tried = 0;
}

void dn_firmware_pull_stop(dunlin_firmware *f)
{
    const bool fetching = f->fetching; /* by what began it: the URI may have been written since */
    f->start_pull = f->retry = f->fetching = f->waiting = false;
    if (fetching && f->by_http) {
        f->call.fetch_cancel(f->call.context);
    } else if (fetching) {
        dunlin_client_download_cancel(f->client);
    }
}

static void start(dunlin_firmware *f, uint64_t now_ms)
{
    switch (scheme_of(f->kept.uri)) {
    case SCHEME_COAP:
        coap_start(f, now_ms);
        break;
    case SCHEME_HTTP:
        http_start(f);
        break;
    case SCHEME_OTHER:
        fail(f, DUNLIN_FIRMWARE_PROTOCOL);
        break;
    default:
        fail(f, DUNLIN_FIRMWARE_URI);
        break;
    }
}

static void time_retry(dunlin_firmware *f, uint64_t now_ms)
{
    const uint32_t doublings = f->tried == 0 ? 0 : f->tried - 1;
    f->timed = true;
    f->retry_at_ms =
        now_ms + ((uint64_t)f->retry_ms << (doublings > DOUBLINGS_MAX ? DOUBLINGS_MAX : doublings));
}

bool dn_firmware_pull_may_go_on(const dunlin_firmware *f)
{
    return f->waiting && !dunlin_client_download_waits(f->client, f->kept.uri);
}

void dn_firmware_pull_step(dunlin_firmware *f, uint64_t now_ms)
{
    if (dn_firmware_pull_may_go_on(f)) {
        f->waiting = false;
        f->start_pull = true;
    }
    if (f->retry && !f->timed) {
        time_retry(f, now_ms);
    }
    if (f->retry && now_ms >= f->retry_at_ms) {
        f->retry = false;
        f->start_pull = true;
    }
    if (f->start_pull) {
        f->start_pull = false;
        start(f, now_ms);
    }
    if (f->retry && !f->timed) {
        time_retry(f, now_ms);
    }
}
