/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cookies of DTLS (RFC 6347 section 4.2.1). The library computes and compares them; what it takes for granted, that the bytes are a
 * ClientHello at all, is checked here. Nothing is kept.
 *
 *   record:    type 22 | version | epoch 0 | sequence (6) | length (2)
 *   handshake: type 1 | length (3) | message sequence (2) | fragment offset (3), 0 | fragment length (3)
 */
#include "security/gnutls_inside.h"

#include <gnutls/dtls.h>
#include <string.h>

#define RECORD_HEADER     13u
#define HANDSHAKE_HEADER  12u
#define RANDOM_END        34u /* of the ClientHello: version and random */
#define HELLO_MAX         2048u
#define CONTENT_HANDSHAKE 22u

typedef struct {
    uint8_t *bytes;
    size_t size;
    size_t len;
} answer_buf;

static ssize_t take_answer(gnutls_transport_ptr_t to, const void *bytes, size_t len)
{
    answer_buf *answer = to;
    if (len > answer->size) {
        return -1;
    }
    memcpy(answer->bytes, bytes, len);
    answer->len = len;
    return (ssize_t)len;
}

static size_t u16_at(const uint8_t *at)
{
    return (size_t)at[0] << 8 | at[1];
}

static size_t u24_at(const uint8_t *at)
{
    return (size_t)at[0] << 16 | (size_t)at[1] << 8 | at[2];
}

bool dn_tls_begins_anew(dunlin_slice datagram)
{
    return datagram.len > RECORD_HEADER && datagram.data[0] == CONTENT_HANDSHAKE &&
           datagram.data[1] == 0xfe && u16_at(datagram.data + 3) == 0;
}

/* The first record holds the beginning of a ClientHello, as far as its session id. A later fragment alone says nothing. */
static bool is_client_hello(dunlin_slice datagram)
{
    if (!dn_tls_begins_anew(datagram) || datagram.len < RECORD_HEADER + HANDSHAKE_HEADER + RANDOM_END + 1) {
        return false;
    }
    const uint8_t version = datagram.data[2];
    const size_t length = u16_at(datagram.data + 11);
    const uint8_t *hello = datagram.data + RECORD_HEADER;
    return (version == 0xff || version == 0xfd) && RECORD_HEADER + length <= datagram.len &&
           length >= HANDSHAKE_HEADER + RANDOM_END + 1 && hello[0] == GNUTLS_HANDSHAKE_CLIENT_HELLO &&
           u24_at(hello + 6) == 0 && u24_at(hello + 9) + HANDSHAKE_HEADER <= length &&
           u24_at(hello + 9) <= u24_at(hello + 1);
}

dn_tls_cookie dn_tls_cookie_check(const uint8_t key[DN_TLS_COOKIE_KEY], dunlin_slice peer,
                                  dunlin_slice datagram, uint8_t *answer, size_t answer_size,
                                  size_t *answer_len)
{
    *answer_len = 0;
    if (!is_client_hello(datagram) || datagram.len > HELLO_MAX) {
        return DN_TLS_COOKIE_OTHER;
    }
    gnutls_datum_t secret = dn_datum(dunlin_slice_make(key, DN_TLS_COOKIE_KEY));
    gnutls_datum_t who = dn_datum(peer);
    gnutls_datum_t message = dn_datum(datagram);
    gnutls_dtls_prestate_st state;
    memset(&state, 0, sizeof state);
    const int verified =
        gnutls_dtls_cookie_verify(&secret, who.data, who.size, message.data, message.size, &state);
    if (verified == 0) {
        return DN_TLS_COOKIE_GENUINE;
    }
    if (verified != GNUTLS_E_BAD_COOKIE) {
        return DN_TLS_COOKIE_OTHER; /* its lengths do not fit each other */
    }
    /* The answer's record number is that of what it answers (RFC 6347 section 4.2.1); verify fills it in only when the cookie is right. */
    state.record_seq = datagram.data[10];
    answer_buf buffer = {answer, answer_size, 0};
    if (gnutls_dtls_cookie_send(&secret, who.data, who.size, &state, &buffer, take_answer) < 0) {
        return DN_TLS_COOKIE_OTHER;
    }
    *answer_len = buffer.len;
    return DN_TLS_COOKIE_CHALLENGE;
}
