/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which session bytes belong to. Of a datagram only its first record is looked at: what stands together in a datagram was sent by one
 * session.
 */
#include "endpoint/secure_inside.h"

#include <stdlib.h>
#include <string.h>

/* How long a cookie is good: at least this, at most twice. */
#define COOKIE_KEY_MS UINT64_C(300000)
#define ANSWER_MAX    256u

/* A DTLS record's header (RFC 6347 section 4.1), and where in a ClientHello the client's random is. */
enum {
    TYPE_AT = 0,
    EPOCH_AT = 3,
    HEADER_LEN = 13,
    RANDOM_AT = HEADER_LEN + 12 + 2,
    RANDOM_LEN = 32,
    SESSION_ID_AT = RANDOM_AT + RANDOM_LEN,
    TYPE_CHANGE_CIPHER_SPEC = 20,
    TYPE_HANDSHAKE = 22,
    CLIENT_HELLO = 1
};

dn_secure_config dn_secure_config_default(dn_transport transport)
{
    return (dn_secure_config){.transport = transport,
                              .max_sessions = 100000,
                              .max_handshakes = 1000,
                              .max_handshakes_per_host = 64,
                              .handshake_grace_ms = 2000,
                              .max_cookies_per_s = 10000};
}

static void draw(dn_secure *secure, void *out, size_t len)
{
    secure->config.random.fill(secure->config.random.context, out, len);
}

dn_secure *dn_secure_create(const dn_secure_config *config, dn_tls_context *context,
                            const dn_secure_callbacks *callbacks, uint64_t now_ms)
{
    dn_hash_key key;
    dn_secure *secure = calloc(1, sizeof *secure);
    if (secure == NULL) {
        return NULL;
    }
    secure->config = *config;
    secure->call = *callbacks;
    secure->context = dn_tls_context_keep(context);
    dn_wheel_init(&secure->wheel, now_ms);
    draw(secure, &key, sizeof key);
    draw(secure, secure->cookie_key, sizeof secure->cookie_key);
    secure->cookie_since_ms = now_ms;
    secure->answers = (uint64_t)config->max_cookies_per_s * 100;
    secure->answers_ms = now_ms;
    if (!dn_peer_table_init(&secure->open, &key) || !dn_peer_table_init(&secure->half, &key) ||
        !dn_host_count_init(&secure->hosts, &key)) {
        dn_secure_destroy(secure);
        return NULL;
    }
    return secure;
}

void dn_secure_destroy(dn_secure *secure)
{
    if (secure == NULL) {
        return;
    }
    while (secure->open_list.oldest != NULL) {
        dn_secure_session_drop(secure, secure->open_list.oldest);
    }
    while (secure->half_list.oldest != NULL) {
        dn_secure_session_drop(secure, secure->half_list.oldest);
    }
    dn_peer_table_free(&secure->open);
    dn_peer_table_free(&secure->half);
    dn_host_count_free(&secure->hosts);
    dn_tls_context_give_up(secure->context);
    free(secure->plain.memory);
    free(secure);
}

void dn_secure_use(dn_secure *secure, dn_tls_context *context)
{
    dn_tls_context *before = secure->context;
    secure->context = dn_tls_context_keep(context);
    dn_tls_context_give_up(before);
}

/* Streams. */

static dn_secure_session *either(const dn_secure *secure, const dn_peer *peer)
{
    dn_secure_session *session = dn_secure_find(&secure->half, peer);
    return session != NULL ? session : dn_secure_find(&secure->open, peer);
}

void dn_secure_disconnected(dn_secure *secure, const dn_peer *peer)
{
    dn_secure_session *session = either(secure, peer);
    if (session != NULL) {
        secure->counters.failed += !session->is_open;
        dn_secure_session_drop(secure, session);
    }
}

bool dn_secure_connected(dn_secure *secure, const dn_peer *peer, uint64_t now_ms)
{
    dn_secure_disconnected(secure, peer);
    dn_secure_session *session = dn_secure_session_begin(secure, peer, dunlin_slice_make(NULL, 0), 0, now_ms);
    if (session == NULL) {
        return false;
    }
    dn_secure_session_settle(secure, session, now_ms);
    return true;
}

/* Datagrams. */

static void age_cookies(dn_secure *secure, uint64_t now_ms)
{
    uint64_t age = now_ms - secure->cookie_since_ms;
    if (age < COOKIE_KEY_MS) {
        return;
    }
    memcpy(secure->cookie_key[1], secure->cookie_key[0], DN_TLS_COOKIE_KEY);
    if (age >= 2 * COOKIE_KEY_MS) { /* nobody asked for long */
        draw(secure, secure->cookie_key[1], DN_TLS_COOKIE_KEY);
    }
    draw(secure, secure->cookie_key[0], DN_TLS_COOKIE_KEY);
    secure->cookie_since_ms = now_ms;
}

/* True when one more HelloVerifyRequest may go out now. */
static bool may_answer(dn_secure *secure, uint64_t now_ms)
{
    uint64_t rate = secure->config.max_cookies_per_s, burst = rate * 100;
    uint64_t passed_ms = now_ms - secure->answers_ms < 1000 ? now_ms - secure->answers_ms : 1000;
    secure->answers += passed_ms * rate;
    secure->answers = secure->answers > burst ? burst : secure->answers;
    secure->answers_ms = now_ms;
    return rate == 0 || secure->answers >= 1000;
}

/* Cheap to see; whatever is no ClientHello brings none either. */
static bool brings_cookie(dunlin_slice datagram)
{
    if (datagram.len <= SESSION_ID_AT) {
        return false;
    }
    size_t cookie_at = SESSION_ID_AT + 1 + (size_t)datagram.data[SESSION_ID_AT];
    return cookie_at < datagram.len && datagram.data[cookie_at] > 0;
}

static bool is_client_hello(dunlin_slice datagram)
{
    return datagram.len > HEADER_LEN && datagram.data[HEADER_LEN] == CLIENT_HELLO;
}

static dn_tls_cookie check_cookie(dn_secure *secure, const dn_peer *peer, dunlin_slice datagram,
                                  uint64_t now_ms)
{
    uint8_t answer[ANSWER_MAX], unused[ANSWER_MAX];
    size_t answer_len = 0, unused_len = 0;
    dunlin_slice name = dunlin_slice_make(peer->bytes, peer->len);
    bool answer_it = may_answer(secure, now_ms);
    if (!answer_it && is_client_hello(datagram) && !brings_cookie(datagram)) {
        secure->counters.limits++; /* not even looked at */
        return DN_TLS_COOKIE_CHALLENGE;
    }
    age_cookies(secure, now_ms);
    dn_tls_cookie verdict =
        dn_tls_cookie_check(secure->cookie_key[0], name, datagram, answer, sizeof answer, &answer_len);
    if (verdict != DN_TLS_COOKIE_CHALLENGE) {
        return verdict;
    }
    if (brings_cookie(datagram) && dn_tls_cookie_check(secure->cookie_key[1], name, datagram, unused,
                                                       sizeof unused, &unused_len) == DN_TLS_COOKIE_GENUINE) {
        return DN_TLS_COOKIE_GENUINE;
    }
    if (!answer_it) {
        secure->counters.limits++;
        return DN_TLS_COOKIE_CHALLENGE;
    }
    secure->answers -= secure->config.max_cookies_per_s > 0 ? 1000 : 0;
    secure->counters.cookies++;
    secure->call.output(secure->call.context, peer, dunlin_slice_make(answer, answer_len));
    return DN_TLS_COOKIE_CHALLENGE;
}

static uint64_t hash_hello(const dn_secure *secure, dunlin_slice datagram)
{
    dunlin_slice random = datagram;
    if (datagram.len >= RANDOM_AT + RANDOM_LEN) {
        random = dunlin_slice_make(datagram.data + RANDOM_AT, RANDOM_LEN);
    }
    return dn_hash(&secure->open.key, random);
}

/*
 * A handshake record in the clear. What continues a handshake, or repeats the last flight of one that we think complete, belongs there. A
 * ClientHello with the right cookie begins another one, unless it is the one that a session began with, sent or arriving a second time.
 */
static dn_secure_session *for_handshake(dn_secure *secure, const dn_peer *peer, dunlin_slice datagram,
                                        dn_secure_session *half, dn_secure_session *open, uint64_t now_ms,
                                        bool *begun)
{
    dn_tls_cookie verdict = check_cookie(secure, peer, datagram, now_ms);
    if (verdict == DN_TLS_COOKIE_CHALLENGE) {
        return NULL;
    }
    if (verdict == DN_TLS_COOKIE_OTHER) {
        secure->counters.strangers += half == NULL && open == NULL;
        return half != NULL ? half : open;
    }
    uint64_t hello = hash_hello(secure, datagram);
    if (half != NULL && half->hello == hello) {
        return half;
    }
    if (open != NULL && open->hello == hello) {
        return open;
    }
    if (half != NULL) {
        secure->counters.failed++;
        dn_secure_session_drop(secure, half);
    }
    *begun = true;
    return dn_secure_session_begin(secure, peer, datagram, hello, now_ms);
}

/* A record that is no handshake in the clear, while a handshake runs beside a session: keys change with the handshake's last flight, and
   only that is sent under the new ones before it is complete. */
static bool is_for_handshake(dunlin_slice datagram)
{
    if (datagram.len < HEADER_LEN) {
        return false;
    }
    bool in_the_clear = datagram.data[EPOCH_AT] == 0 && datagram.data[EPOCH_AT + 1] == 0;
    return in_the_clear || datagram.data[TYPE_AT] == TYPE_HANDSHAKE;
}

static dn_secure_session *for_datagram(dn_secure *secure, const dn_peer *peer, dunlin_slice datagram,
                                       uint64_t now_ms, bool *begun)
{
    dn_secure_session *half = dn_secure_find(&secure->half, peer);
    dn_secure_session *open = dn_secure_find(&secure->open, peer);
    if (dn_tls_begins_anew(datagram)) {
        return for_handshake(secure, peer, datagram, half, open, now_ms, begun);
    }
    secure->counters.strangers += half == NULL && open == NULL;
    return half != NULL && (open == NULL || is_for_handshake(datagram)) ? half : open;
}

void dn_secure_receive(dn_secure *secure, const dn_peer *peer, dunlin_slice bytes, uint64_t now_ms)
{
    bool begun = false;
    dn_secure_session *session;
    if (dn_secure_is_stream(secure)) {
        session = either(secure, peer);
        secure->counters.strangers += session == NULL;
    } else {
        session = for_datagram(secure, peer, bytes, now_ms, &begun);
    }
    if (session == NULL) {
        return;
    }
    if (!begun) {
        dn_secure_session_enter(secure, session);
        dn_tls_receive(session->tls, bytes, now_ms);
    }
    dn_secure_session_settle(secure, session, now_ms);
}

/* Output, time, and those who may not stay. */

dunlin_status dn_secure_send(dn_secure *secure, const dn_peer *peer, dunlin_slice plain, uint64_t now_ms)
{
    dn_secure_session *session = dn_secure_open_of(secure, peer);
    if (session == NULL || dn_tls_state_of(session->tls) != DN_TLS_OPEN) {
        return DUNLIN_ERR_NOT_FOUND;
    }
    dunlin_status status = dn_tls_send(session->tls, plain, now_ms);
    if (dn_tls_state_of(session->tls) == DN_TLS_ENDED) {
        dn_deadline_set(&secure->wheel, &session->deadline, 0); /* `closed` comes from the next expire */
    }
    return status;
}

void dn_secure_close(dn_secure *secure, const dn_peer *peer, uint64_t now_ms)
{
    dn_secure_session *session =
        dn_secure_is_stream(secure) ? either(secure, peer) : dn_secure_find(&secure->open, peer);
    if (session != NULL) {
        dn_tls_close(session->tls, now_ms);
        dn_secure_session_drop(secure, session);
    }
}

static bool is_idle(const dn_secure *secure, const dn_secure_session *session, uint64_t now_ms)
{
    return session->is_open && secure->config.idle_s > 0 &&
           now_ms - session->since_ms >= (uint64_t)secure->config.idle_s * 1000;
}

void dn_secure_expire(dn_secure *secure, uint64_t now_ms)
{
    dn_deadline *due;
    while ((due = dn_wheel_expire(&secure->wheel, now_ms)) != NULL) {
        dn_secure_session *session = DN_CONTAINER(due, dn_secure_session, deadline);
        if (is_idle(secure, session, now_ms)) {
            dn_secure_session_end(secure, session, DUNLIN_ERR_TIMEOUT, true, now_ms);
            continue;
        }
        dn_secure_session_enter(secure, session);
        dn_tls_expire(session->tls, now_ms);
        dn_secure_session_settle(secure, session, now_ms);
    }
}

uint64_t dn_secure_deadline(const dn_secure *secure)
{
    return dn_wheel_next(&secure->wheel);
}

const dn_identity *dn_secure_identity(const dn_secure *secure, const dn_peer *peer)
{
    const dn_secure_session *session = dn_secure_open_of(secure, peer);
    return session != NULL && dn_tls_state_of(session->tls) == DN_TLS_OPEN ? dn_tls_identity(session->tls)
                                                                           : NULL;
}

size_t dn_secure_revoke(dn_secure *secure, uint64_t credential, uint64_t now_ms)
{
    size_t count = 0;
    secure->revoked[secure->revocations++ % DN_SECURE_REVOCATIONS] = credential;
    for (dn_secure_session *session = secure->open_list.oldest; session != NULL;) {
        dn_secure_session *newer = session->newer;
        const dn_identity *identity = dn_tls_identity(session->tls);
        if (credential == DN_SECURE_EVERYBODY || identity == NULL ||
            (identity->credential == credential && !dn_tls_is_current(session->tls))) {
            dn_secure_session_doom(secure, session);
            count++;
        }
        session = newer;
    }
    /* The callbacks may end sessions, those to come as well: so the list is looked at anew each time. */
    while (secure->revoked_list.oldest != NULL) {
        secure->counters.revoked++;
        dn_secure_session_end(secure, secure->revoked_list.oldest, DUNLIN_ERR_ACCESS, true, now_ms);
    }
    return count;
}

const dn_secure_counters *dn_secure_count(const dn_secure *secure)
{
    return &secure->counters;
}
