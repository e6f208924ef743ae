/* SPDX-License-Identifier: Apache-2.0 */
/* One session among many: how it begins, succeeds, takes another's place, and ends. */
#include "endpoint/secure_inside.h"

#include "bearer/udp.h"

#include <stdlib.h>
#include <string.h>

#define PLACE_MS   1000u  /* how exact the order of established sessions is */
#define PLAIN_KEEP 32768u /* more memory than this is not kept from one call to the next */

/* Where it stands. */

dn_secure_session *dn_secure_find(const dn_peer_table *table, const dn_peer *peer)
{
    dn_peer_node *node = dn_peer_table_find(table, peer);
    return node != NULL ? DN_CONTAINER(node, dn_secure_session, node) : NULL;
}

dn_secure_session *dn_secure_open_of(const dn_secure *secure, const dn_peer *peer)
{
    dn_secure_session *current = secure->current;
    if (current != NULL && current->is_open && dn_peer_equal(&current->node.peer, peer)) {
        return current;
    }
    return dn_secure_find(&secure->open, peer);
}

static void append(dn_secure_list *list, dn_secure_session *session)
{
    session->list = list;
    session->newer = NULL;
    session->older = list->newest;
    *(list->newest != NULL ? &list->newest->newer : &list->oldest) = session;
    list->newest = session;
}

static void take_out(dn_secure_session *session)
{
    dn_secure_list *list = session->list;
    if (list == NULL) {
        return;
    }
    *(session->older != NULL ? &session->older->newer : &list->oldest) = session->newer;
    *(session->newer != NULL ? &session->newer->older : &list->newest) = session->older;
    session->list = NULL;
}

void dn_secure_session_doom(dn_secure *secure, dn_secure_session *session)
{
    take_out(session);
    append(&secure->revoked_list, session);
}

/* Out of its table and list, and out of the counts. */
static void detach(dn_secure *secure, dn_secure_session *session)
{
    if (session->list == NULL) {
        return;
    }
    dn_peer_table_remove(session->is_open ? &secure->open : &secure->half, &session->node);
    take_out(session);
    if (session->host != NULL) {
        dn_host_leave(&secure->hosts, session->host);
        session->host = NULL;
    }
    secure->counters.sessions = secure->open.count;
    secure->counters.half_open = secure->half.count;
}

void dn_secure_session_drop(dn_secure *secure, dn_secure_session *session)
{
    if (secure->current == session) {
        secure->current = NULL;
    }
    detach(secure, session);
    dn_deadline_cancel(&secure->wheel, &session->deadline);
    dn_tls_free(session->tls);
    free(session);
}

void dn_secure_session_end(dn_secure *secure, dn_secure_session *session, dunlin_status status, bool say_so,
                           uint64_t now_ms)
{
    dn_peer peer = session->node.peer;
    if (say_so) {
        dn_tls_close(session->tls, now_ms);
    }
    dn_secure_session_drop(secure, session);
    secure->call.closed(secure->call.context, &peer, status);
}

/* As dn_tls_callbacks. */

static void on_output(void *context, dunlin_slice bytes)
{
    const dn_secure_session *session = context;
    session->owner->call.output(session->owner->call.context, &session->node.peer, bytes);
}

static void on_input(void *context, dunlin_slice bytes)
{
    const dn_secure_session *session = context;
    dn_secure_plain *plain = &session->owner->plain;
    size_t needed = plain->len + sizeof bytes.len + bytes.len;
    if (needed > plain->size) {
        size_t size = plain->size * 2 > needed ? plain->size * 2 : needed;
        uint8_t *memory = realloc(plain->memory, size);
        if (memory == NULL) {
            plain->lost = true;
            return;
        }
        plain->memory = memory;
        plain->size = size;
    }
    memcpy(plain->memory + plain->len, &bytes.len, sizeof bytes.len);
    if (bytes.len > 0) {
        memcpy(plain->memory + plain->len + sizeof bytes.len, bytes.data, bytes.len);
    }
    plain->len = needed;
}

/* Beginning. */

/* Room for one more handshake, or for nobody. */
static bool make_room(dn_secure *secure, uint64_t now_ms)
{
    if (secure->half.count < secure->config.max_handshakes) {
        return true;
    }
    dn_secure_session *oldest = secure->half_list.oldest;
    secure->counters.limits++;
    if (oldest == NULL || now_ms - oldest->since_ms < secure->config.handshake_grace_ms) {
        return false;
    }
    secure->counters.failed++;
    if (dn_secure_is_stream(secure)) {
        dn_secure_session_end(secure, oldest, DUNLIN_ERR_LIMIT, false, now_ms);
    } else {
        dn_secure_session_drop(secure, oldest);
    }
    return true;
}

dn_secure_session *dn_secure_session_begin(dn_secure *secure, const dn_peer *peer, dunlin_slice hello,
                                           uint64_t hello_hash, uint64_t now_ms)
{
    if (!make_room(secure, now_ms)) {
        return NULL;
    }
    dn_host *host = dn_host_enter(&secure->hosts, peer, secure->config.max_handshakes_per_host);
    if (host == NULL) {
        secure->counters.limits++;
        return NULL;
    }
    dn_secure_session *session = calloc(1, sizeof *session);
    if (session == NULL) {
        dn_host_leave(&secure->hosts, host);
        return NULL;
    }
    session->owner = secure;
    session->host = host;
    session->since_ms = now_ms;
    session->hello = hello_hash;
    session->revocations = secure->revocations;
    dn_peer_table_add(&secure->half, &session->node, peer);
    append(&secure->half_list, session);
    secure->counters.half_open = secure->half.count;
    dn_secure_session_enter(secure, session);
    const dn_tls_opening opening = {
        .datagram = !dn_secure_is_stream(secure),
        .peer = dunlin_slice_make(session->node.peer.bytes, session->node.peer.len),
        .hello = hello,
        .call = {
            .output = on_output, .input = on_input, .context = session}}; /* logged here, with the peer */
    session->tls = dn_tls_open(secure->context, &opening, now_ms);
    if (session->tls == NULL) {
        dn_secure_session_drop(secure, session);
        return NULL;
    }
    return session;
}

/* Success. */

static bool same_identity(const dn_identity *a, const dn_identity *b)
{
    return a->mode == b->mode && a->credential == b->credential && a->is_pattern == b->is_pattern &&
           a->endpoint_len == b->endpoint_len && memcmp(a->endpoint, b->endpoint, a->endpoint_len) == 0;
}

/* True when its credential was revoked after it began: it may have been proved by what holds no longer. */
static bool is_revoked(const dn_secure *secure, const dn_secure_session *session, uint64_t credential)
{
    uint64_t since = session->revocations;
    if (secure->revocations - since > DN_SECURE_REVOCATIONS) {
        return true; /* nobody knows any more */
    }
    for (; since < secure->revocations; since++) {
        uint64_t revoked = secure->revoked[since % DN_SECURE_REVOCATIONS];
        if (revoked == DN_SECURE_EVERYBODY || (revoked == credential && !dn_tls_is_current(session->tls))) {
            return true;
        }
    }
    return false;
}

static void refuse(dn_secure *secure, dn_secure_session *session, uint64_t now_ms)
{
    secure->counters.revoked++;
    if (dn_secure_is_stream(secure)) {
        dn_secure_session_end(secure, session, DUNLIN_ERR_ACCESS, true, now_ms);
    } else {
        dn_tls_close(session->tls, now_ms);
        dn_secure_session_drop(secure, session);
    }
}

/* The peer's session until now makes way; the other end has lost it, so that nothing is said to it. */
static void replace(dn_secure *secure, const dn_identity *identity, const dn_peer *peer)
{
    dn_secure_session *old = dn_secure_find(&secure->open, peer);
    if (old == NULL) {
        return;
    }
    const dn_identity *before = dn_tls_identity(old->tls);
    bool same = before != NULL && same_identity(before, identity);
    dn_secure_session_drop(secure, old);
    if (!same) {
        secure->call.closed(secure->call.context, peer, DUNLIN_END);
    }
}

static void log_success(const dn_secure *secure, const dn_secure_session *session,
                        const dn_identity *identity)
{
    char text[DN_UDP_TEXT_MAX];
    if (dn_log_wants(secure->config.log, DN_LOG_DEBUG)) {
        dn_log_at(secure->config.log, DN_LOG_DEBUG, DN_SECURE_AREA, "%s: session of %.*s: %s%s",
                  dn_udp_peer_text(&session->node.peer, text), (int)identity->endpoint_len,
                  identity->endpoint, dn_tls_suite(session->tls),
                  dn_tls_is_resumed(session->tls) ? ", resumed" : "");
    }
}

/* The handshake is complete. */
static void succeed(dn_secure *secure, dn_secure_session *session, uint64_t now_ms)
{
    dn_peer peer = session->node.peer;
    const dn_identity *identity = dn_tls_identity(session->tls);
    bool resumed = dn_tls_is_resumed(session->tls);
    secure->counters.handshakes++;
    secure->counters.resumed += resumed;
    if (identity == NULL || is_revoked(secure, session, identity->credential)) {
        refuse(secure, session, now_ms);
        return;
    }
    detach(secure, session);
    replace(secure, identity, &peer);
    session->is_open = true;
    session->since_ms = session->placed_ms = now_ms;
    dn_peer_table_add(&secure->open, &session->node, &peer);
    append(&secure->open_list, session);
    secure->counters.sessions = secure->open.count;
    log_success(secure, session, identity);
    secure->call.opened(secure->call.context, &peer, identity, resumed);
    while (secure->open.count > secure->config.max_sessions && secure->open_list.oldest != NULL) {
        secure->counters.evicted++;
        dn_secure_session_end(secure, secure->open_list.oldest, DUNLIN_ERR_LIMIT, true, now_ms);
    }
}

/* Ending. */

static uint64_t *counter_for(dn_secure_counters *counters, const dn_tls_ending *ending)
{
    static const struct {
        uint8_t first, last;
        enum { UNKNOWN_PSK, BAD_MAC, CERTIFICATE } cause;
    } alerts[] = {
        {20, 21, BAD_MAC},       /* bad_record_mac, decryption_failed */
        {41, 46, CERTIFICATE},   /* no_certificate to certificate_unknown */
        {48, 49, CERTIFICATE},   /* unknown_ca, access_denied */
        {51, 51, BAD_MAC},       /* decrypt_error */
        {111, 114, CERTIFICATE}, /* certificate_unobtainable to bad_certificate_hash_value */
        {115, 115, UNKNOWN_PSK}, /* unknown_psk_identity */
        {116, 116, CERTIFICATE}, /* certificate_required */
    };
    if (ending->keys_differ) { /* with DTLS that makes no alert */
        return &counters->bad_psk_or_mac;
    }
    for (size_t i = 0; i < sizeof alerts / sizeof alerts[0]; i++) {
        if (ending->alert >= alerts[i].first && ending->alert <= alerts[i].last) {
            return alerts[i].cause == UNKNOWN_PSK ? &counters->unknown_psk
                   : alerts[i].cause == BAD_MAC   ? &counters->bad_psk_or_mac
                                                  : &counters->bad_certificate;
        }
    }
    return ending->status == DUNLIN_ERR_TIMEOUT ? &counters->timeouts : NULL;
}

static void log_end(const dn_secure *secure, const dn_secure_session *session, const dn_tls_ending *ending)
{
    char text[DN_UDP_TEXT_MAX];
    bool is_ordinary = session->is_open || ending->status == DUNLIN_END;
    dn_log_level level = is_ordinary ? DN_LOG_DEBUG : DN_LOG_INFO;
    if (!dn_log_wants(secure->config.log, level)) {
        return;
    }
    dn_log_at(secure->config.log, level, DN_SECURE_AREA, "%s: %s ended: %s%s%s",
              dn_udp_peer_text(&session->node.peer, text), session->is_open ? "session" : "handshake",
              ending->why,
              ending->alert == DN_TLS_NO_ALERT ? ""
              : ending->received               ? "; received alert "
                                               : "; sent alert ",
              ending->alert == DN_TLS_NO_ALERT ? "" : dn_tls_alert_name(ending->alert));
}

static void finish(dn_secure *secure, dn_secure_session *session, uint64_t now_ms)
{
    const dn_tls_ending *ending = dn_tls_ending_of(session->tls);
    log_end(secure, session, ending);
    if (!session->is_open) {
        uint64_t *cause = counter_for(&secure->counters, ending);
        secure->counters.failed++;
        if (cause != NULL) {
            ++*cause;
        }
    }
    if (session->is_open || dn_secure_is_stream(secure)) {
        dn_secure_session_end(secure, session, ending->status, false, now_ms);
    } else {
        dn_secure_session_drop(secure, session);
    }
}

/* Between a call of the library and the callbacks. */

void dn_secure_session_enter(dn_secure *secure, dn_secure_session *session)
{
    secure->current = session;
    secure->plain.len = 0;
    secure->plain.lost = false;
}

/* Its neighbours in the list lie anywhere in memory: it is not moved with each message. */
static void touch(dn_secure_session *session, uint64_t now_ms)
{
    dn_secure_list *list = session->list;
    session->since_ms = now_ms;
    if (list != NULL && session->is_open && now_ms - session->placed_ms >= PLACE_MS) {
        session->placed_ms = now_ms;
        take_out(session);
        append(list, session);
    }
}

static void deliver(dn_secure *secure, dn_secure_session *session, uint64_t now_ms)
{
    dn_secure_plain *plain = &secure->plain;
    dn_peer peer = session->node.peer;
    if (plain->len > 0) {
        touch(session, now_ms);
    }
    for (size_t at = 0; at < plain->len && secure->current == session;) {
        size_t len;
        memcpy(&len, plain->memory + at, sizeof len);
        dunlin_slice bytes = dunlin_slice_make(plain->memory + at + sizeof len, len);
        at += sizeof len + len;
        secure->call.input(secure->call.context, &peer, bytes);
    }
    plain->len = 0;
    if (plain->size > PLAIN_KEEP) {
        free(plain->memory);
        plain->memory = NULL;
        plain->size = 0;
    }
}

static void arm(dn_secure *secure, dn_secure_session *session, uint64_t now_ms)
{
    uint64_t at = dn_tls_deadline(session->tls);
    if (session->is_open && secure->config.idle_s > 0) {
        uint64_t idle = session->since_ms + (uint64_t)secure->config.idle_s * 1000;
        at = idle < at ? idle : at;
    }
    /* Never twice at one time, whatever the library thinks. */
    dn_deadline_set(&secure->wheel, &session->deadline, at > now_ms ? at : now_ms + 1);
}

/* It may have ended since, with the same bytes. */
static bool has_opened(const dn_tls_session *tls)
{
    dn_tls_state state = dn_tls_state_of(tls);
    return state == DN_TLS_OPEN || (state == DN_TLS_ENDED && dn_tls_suite(tls)[0] != '\0');
}

/* NOLINTBEGIN(clang-analyzer-unix.Malloc): it does not see that a session which is freed is no longer the current one */
void dn_secure_session_settle(dn_secure *secure, dn_secure_session *session, uint64_t now_ms)
{
    if (!session->is_open && has_opened(session->tls)) {
        succeed(secure, session, now_ms);
    }
    if (secure->current == session && session->is_open) {
        deliver(secure, session, now_ms);
    }
    if (secure->current == session && secure->plain.lost && dn_secure_is_stream(secure)) {
        dn_secure_session_end(secure, session, DUNLIN_ERR_MEMORY, true, now_ms);
    }
    if (secure->current == session && dn_tls_state_of(session->tls) == DN_TLS_ENDED) {
        finish(secure, session, now_ms);
    }
    if (secure->current == session) {
        arm(secure, session, now_ms);
    }
    secure->current = NULL;
}
/* NOLINTEND(clang-analyzer-unix.Malloc) */
