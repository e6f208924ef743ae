/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a session gives is gathered while it runs and handed on when it has returned: who takes a message may then answer at once, or close
 * the link.
 */
#include "endpoint/link.h"

#include <stdlib.h>
#include <string.h>

#define AREA          "link"
#define CHUNK         4096u  /* bytes of a stream that a session gets at a time */
#define GATHERED_MAX  65536u /* plain bytes out of one chunk: that, and the record of 16 KiB which it ends */
#define GATHERED_HEAD sizeof(uint32_t)

struct dn_link {
    dn_link_config config;
    dn_link_state state;
    uint32_t opening; /* counts them: what is under way for an earlier one ends */
    dn_peer peer;
    dn_tls_context *tls; /* of a stream: its session begins later */
    dn_tls_session *session;
    uint64_t began_ms, handshake_ms;
    dn_coap_assembler assembler; /* its memory is there from the first stream on */
    struct {
        uint8_t *bytes; /* pieces, each behind its length */
        size_t used, size;
        bool overrun;
    } gathered;
    uint8_t resume[DN_TLS_RESUME_MAX];
    size_t resume_len;
    dn_transport resume_transport;
    bool is_resumed;
};

dn_link *dn_link_create(const dn_link_config *config)
{
    dn_link *link = calloc(1, sizeof *link);
    if (link != NULL) {
        link->config = *config;
    }
    return link;
}

/* The compiler must not leave it out as a store that nobody reads. */
static void wipe(void *memory, size_t len)
{
    volatile uint8_t *at = memory;
    for (; len > 0; len--) {
        *at++ = 0;
    }
}

void dn_link_forget(dn_link *link)
{
    wipe(link->resume, sizeof link->resume);
    link->resume_len = 0;
}

void dn_link_destroy(dn_link *link)
{
    if (link == NULL) {
        return;
    }
    dn_tls_free(link->session);
    dn_tls_context_give_up(link->tls);
    dn_link_forget(link);
    free(link->assembler.memory);
    free(link->gathered.bytes);
    free(link);
}

/* ---- beginning and ending ---- */

static bool is_stream(const dn_link *link)
{
    return dn_transport_is_stream(dn_peer_transport(&link->peer));
}

/* A session that is left tells what resumes it; tickets of TLS may have come late. */
static void keep_resumption(dn_link *link)
{
    uint8_t fresh[DN_TLS_RESUME_MAX];
    const size_t len = dn_tls_resumption(link->session, fresh, sizeof fresh);
    if (len > 0) {
        memcpy(link->resume, fresh, len);
        link->resume_len = len;
        link->resume_transport = dn_peer_transport(&link->peer);
    }
    wipe(fresh, sizeof fresh);
}

static void become_closed(dn_link *link)
{
    dn_tls_free(link->session);
    link->session = NULL;
    dn_tls_context_give_up(link->tls);
    link->tls = NULL;
    link->state = DN_LINK_CLOSED;
    link->gathered.used = 0;
    link->opening++;
}

static void go_down(dn_link *link, dunlin_status status, int alert, const char *why)
{
    dn_log_at(link->config.log, DN_LOG_DEBUG, AREA, "down: %s", why);
    become_closed(link);
    link->config.call.down(link->config.call.context, status, alert, why);
}

/* After a fatal alert a session must not be resumed (RFC 5246 section 7.2.2), and what could not be resumed is not tried twice. Silence and
   a goodbye say nothing against it. */
static void end_session(dn_link *link)
{
    const dn_tls_ending ending = *dn_tls_ending_of(link->session);
    const bool innocent = ending.status == DUNLIN_END || ending.status == DUNLIN_ERR_TIMEOUT;
    if (!innocent) {
        dn_link_forget(link);
    } else if (link->state == DN_LINK_UP) {
        keep_resumption(link);
    }
    go_down(link, ending.status, ending.alert, ending.why);
}

static void gather(void *context, dunlin_slice plain)
{
    dn_link *link = context;
    const size_t need = link->gathered.used + GATHERED_HEAD + plain.len;
    const uint32_t len = (uint32_t)plain.len;
    if (need > GATHERED_MAX) {
        link->gathered.overrun = true;
        return;
    }
    if (need > link->gathered.size) {
        const size_t size = need * 2;
        uint8_t *bytes = realloc(link->gathered.bytes, size);
        if (bytes == NULL) {
            link->gathered.overrun = true;
            return;
        }
        link->gathered.bytes = bytes;
        link->gathered.size = size;
    }
    memcpy(link->gathered.bytes + link->gathered.used, &len, GATHERED_HEAD);
    if (len > 0) {
        memcpy(link->gathered.bytes + link->gathered.used + GATHERED_HEAD, plain.data, len);
    }
    link->gathered.used = need;
}

static void put_out(void *context, dunlin_slice bytes)
{
    const dn_link *link = context;
    link->config.call.output(link->config.call.context, &link->peer, bytes);
}

static dunlin_status begin_session(dn_link *link, dn_tls_context *tls, uint64_t now_ms)
{
    const dn_transport transport = dn_peer_transport(&link->peer);
    if (link->resume_transport != transport) {
        dn_link_forget(link); /* a session of DTLS is none of TLS */
    }
    const dn_tls_opening opening = {.datagram = transport == DN_TRANSPORT_DTLS,
                                    .resume = dunlin_slice_make(link->resume, link->resume_len),
                                    .call = {put_out, gather, link},
                                    .log = link->config.log};
    link->began_ms = now_ms;
    link->is_resumed = false;
    link->gathered.used = 0;
    link->gathered.overrun = false;
    link->state = DN_LINK_HANDSHAKE;
    link->session = dn_tls_open(tls, &opening, now_ms);
    return link->session == NULL ? DUNLIN_ERR_MEMORY : DUNLIN_OK;
}

static dunlin_status make_assembler(dn_link *link)
{
    if (link->config.max_stream_message == 0) {
        return DUNLIN_ERR_UNSUPPORTED;
    }
    link->assembler.used = 0;
    if (link->assembler.memory == NULL) {
        link->assembler.memory = malloc(link->config.max_stream_message);
        link->assembler.size = link->config.max_stream_message;
    }
    return link->assembler.memory == NULL ? DUNLIN_ERR_MEMORY : DUNLIN_OK;
}

dunlin_status dn_link_open(dn_link *link, const dn_peer *peer, dn_tls_context *tls, uint64_t now_ms)
{
    const dn_transport transport = dn_peer_transport(peer);
    if (link->state != DN_LINK_CLOSED) {
        return DUNLIN_ERR_STATE;
    }
    if (dn_transport_is_secure(transport) && tls == NULL) {
        return DUNLIN_ERR_ARGUMENT;
    }
    dunlin_status status = dn_transport_is_stream(transport) ? make_assembler(link) : DUNLIN_OK;
    if (status != DUNLIN_OK) {
        return status;
    }
    link->peer = *peer;
    link->opening++;
    if (dn_transport_is_stream(transport)) {
        link->tls = tls == NULL ? NULL : dn_tls_context_keep(tls);
        link->state = DN_LINK_CONNECTING;
    } else if (transport == DN_TRANSPORT_DTLS) {
        status = begin_session(link, tls, now_ms);
    } else {
        link->state = DN_LINK_UP;
    }
    if (status != DUNLIN_OK) {
        become_closed(link);
    }
    return status;
}

static void become_up(dn_link *link, uint64_t now_ms)
{
    link->state = DN_LINK_UP;
    link->handshake_ms = now_ms - link->began_ms;
    if (link->session != NULL) {
        link->is_resumed = dn_tls_is_resumed(link->session);
        keep_resumption(link); /* now, should it end without a goodbye */
    }
    link->config.call.up(link->config.call.context);
}

/* ---- messages in ---- */

typedef struct {
    dn_link *link;
    uint32_t opening;
} taking;

/* False: it has been closed meanwhile. */
static bool take_message(void *context, dunlin_slice message)
{
    const taking *t = context;
    dn_link *link = t->link;
    link->config.call.message(link->config.call.context, &link->peer, message);
    return link->opening == t->opening && link->state == DN_LINK_UP;
}

/* Plain bytes: a datagram is a message, a stream is cut into them. False: the link is closed by now. */
static bool take_plain(dn_link *link, dunlin_slice plain)
{
    taking t = {link, link->opening};
    if (!is_stream(link)) {
        return take_message(&t, plain);
    }
    const dunlin_status status = dn_coap_assemble(&link->assembler, plain, take_message, &t);
    if (link->opening != t.opening) {
        link->assembler.used = 0; /* nothing of the stream that is gone is left for the next */
        return false;
    }
    if (status != DUNLIN_OK) {
        go_down(link, status, DN_TLS_NO_ALERT,
                status == DUNLIN_ERR_RANGE ? "a message is larger than can be taken"
                                           : "what comes is no CoAP over a stream");
    }
    return status == DUNLIN_OK;
}

static void hand_on(dn_link *link)
{
    const uint32_t opening = link->opening;
    size_t at = 0;
    while (link->opening == opening && at < link->gathered.used) {
        uint32_t len;
        memcpy(&len, link->gathered.bytes + at, sizeof len);
        const dunlin_slice plain = dunlin_slice_make(link->gathered.bytes + at + GATHERED_HEAD, len);
        at += GATHERED_HEAD + len;
        if (!take_plain(link, plain)) {
            return;
        }
    }
    link->gathered.used = 0;
}

/* What has become of the session by a call to it, or by one that could not tell (see dn_link_deadline). */
static void follow(dn_link *link, uint64_t now_ms)
{
    const uint32_t opening = link->opening;
    if (link->state == DN_LINK_HANDSHAKE && dn_tls_state_of(link->session) == DN_TLS_OPEN) {
        become_up(link, now_ms);
    }
    if (link->opening == opening && link->state == DN_LINK_UP) {
        hand_on(link);
    }
    if (link->opening != opening) {
        return;
    }
    if (link->gathered.overrun) {
        go_down(link, DUNLIN_ERR_MEMORY, DN_TLS_NO_ALERT, "no memory for what came");
    } else if (dn_tls_state_of(link->session) == DN_TLS_ENDED) {
        end_session(link);
    }
}

static void receive_secured(dn_link *link, dunlin_slice bytes, uint64_t now_ms)
{
    const uint32_t opening = link->opening;
    const size_t step = is_stream(link) ? CHUNK : bytes.len;
    size_t at = 0;
    do {
        const size_t len = bytes.len - at < step ? bytes.len - at : step;
        dn_tls_receive(link->session, dunlin_slice_make(bytes.data + at, len), now_ms);
        follow(link, now_ms);
        at += len;
    } while (at < bytes.len && link->opening == opening);
}

void dn_link_receive(dn_link *link, dunlin_slice bytes, uint64_t now_ms)
{
    if (bytes.len == 0 || link->state == DN_LINK_CLOSED || link->state == DN_LINK_CONNECTING) {
        return;
    }
    if (link->session == NULL) {
        (void)take_plain(link, bytes);
    } else {
        receive_secured(link, bytes, now_ms);
    }
}

void dn_link_connected(dn_link *link, uint64_t now_ms)
{
    if (link->state != DN_LINK_CONNECTING) {
        return;
    }
    if (dn_peer_transport(&link->peer) == DN_TRANSPORT_TCP) {
        link->began_ms = now_ms;
        become_up(link, now_ms);
    } else if (begin_session(link, link->tls, now_ms) != DUNLIN_OK) {
        go_down(link, DUNLIN_ERR_MEMORY, DN_TLS_NO_ALERT, "no memory for a session");
    } else {
        follow(link, now_ms);
    }
}

/* ---- messages out, time, ending ---- */

dunlin_status dn_link_send(dn_link *link, dunlin_slice message, uint64_t now_ms)
{
    if (link->state != DN_LINK_UP) {
        return DUNLIN_ERR_STATE;
    }
    if (link->session == NULL) {
        put_out(link, message);
        return DUNLIN_OK;
    }
    return dn_tls_send(link->session, message, now_ms);
}

void dn_link_close(dn_link *link, uint64_t now_ms)
{
    if (link->state == DN_LINK_CLOSED) {
        return;
    }
    if (link->session != NULL) {
        if (link->state == DN_LINK_UP) {
            keep_resumption(link);
        }
        dn_tls_close(link->session, now_ms);
    }
    become_closed(link);
}

void dn_link_lost(dn_link *link, dunlin_status status)
{
    if (link->state == DN_LINK_CLOSED) {
        return;
    }
    if (link->session != NULL && link->state == DN_LINK_UP) {
        keep_resumption(link);
    }
    go_down(link, status, DN_TLS_NO_ALERT,
            link->state == DN_LINK_CONNECTING ? "no connection came about" : "the connection was closed");
}

void dn_link_expire(dn_link *link, uint64_t now_ms)
{
    if (link->session != NULL) {
        dn_tls_expire(link->session, now_ms);
        follow(link, now_ms);
    }
}

/* A session that ended while something was sent tells it at once, but not from within that. */
uint64_t dn_link_deadline(const dn_link *link)
{
    if (link->session == NULL) {
        return UINT64_MAX;
    }
    const dn_tls_state expected = link->state == DN_LINK_UP ? DN_TLS_OPEN : DN_TLS_HANDSHAKE;
    return dn_tls_state_of(link->session) == expected ? dn_tls_deadline(link->session) : 0;
}

dn_link_state dn_link_state_of(const dn_link *link)
{
    return link->state;
}

const dn_peer *dn_link_peer(const dn_link *link)
{
    return &link->peer;
}

bool dn_link_is_resumed(const dn_link *link)
{
    return link->session != NULL && link->is_resumed;
}

const char *dn_link_suite(const dn_link *link)
{
    return link->session == NULL ? "" : dn_tls_suite(link->session);
}

uint64_t dn_link_handshake_ms(const dn_link *link)
{
    return link->handshake_ms;
}
