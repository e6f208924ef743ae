/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/server/devices.h"

#include "coap/option.h"
#include "fuzz/must.h"

#include <string.h>

#define STEP_HEAD 4u

/* ---- callbacks ---- */

uint64_t devices_clock_ms(void *context)
{
    return ((const devices *)context)->now_ms;
}

int64_t devices_wall_ms(void *context)
{
    return INT64_C(1790000000000) + (int64_t)((const devices *)context)->now_ms;
}

static size_t number_of(const dn_peer *peer)
{
    return peer->bytes[0] & 15u; /* without the transport */
}

static bool is_current(const devices *of, const dn_peer *peer)
{
    const dn_peer now = devices_peer(of, (uint8_t)number_of(peer));
    return dn_peer_equal(&now, peer) &&
           (dn_peer_transport(peer) == DN_TRANSPORT_UDP || of->way[number_of(peer)].is_open);
}

bool devices_reach(void *context, const dn_peer *peer)
{
    return dn_peer_transport(peer) == DN_TRANSPORT_UDP || is_current(context, peer);
}

const dn_identity *devices_identity(void *context, const dn_peer *peer)
{
    const devices *of = context;
    const size_t number = number_of(peer);
    return is_current(of, peer) && of->way[number].has_proved ? &of->way[number].identity : NULL;
}

void devices_end_peer(void *context, const dn_peer *peer)
{
    devices *of = context;
    if (is_current(of, peer)) {
        of->way[number_of(peer)].is_open = false;
    }
}

void devices_peer_text(const dn_peer *peer, char *out, size_t size)
{
    (void)snprintf(out, size, "peer%u", peer->bytes[0]); /* with its transport */
}

void devices_hear(devices *of, const dn_peer *peer, dunlin_slice message)
{
    if (dn_transport_is_stream(dn_peer_transport(peer))) {
        must(message.len >= 2 && message.len <= STREAM_MESSAGE_MAX);
        return;
    }
    must(message.len >= 4 && message.len <= DATAGRAM_MAX);
    const uint8_t code = message.data[1];
    const size_t token_len = message.data[0] & 15u;
    if (code > 0 && code < DN_COAP_CODE(1, 0) && token_len <= 8) {
        must_that(devices_reach(of, peer), "who has no session is not asked");
        of->asked_peer = *peer;
        of->asked_len = 4 + token_len;
        memcpy(of->asked, message.data, of->asked_len);
    }
}

/* ---- what devices do ---- */

dn_peer devices_peer(const devices *of, uint8_t number)
{
    dn_peer peer = {.len = 1, .bytes = {(uint8_t)(number % DEVICES)}};
    dn_peer_set_transport(&peer, of->way[number % DEVICES].transport);
    return peer;
}

/* A datagram's message as a stream has it (RFC 8323 section 3.2): without type and id, with its length. */
static size_t frame(dunlin_slice datagram, uint8_t *out)
{
    const uint8_t *bytes = datagram.data;
    const size_t token_len = datagram.len > 0 ? bytes[0] & 15u : 0;
    if (datagram.len < 4 + token_len) {
        memcpy(out, bytes, datagram.len);
        return datagram.len;
    }
    const size_t rest = datagram.len - 4 - token_len;
    size_t at = 1;
    const unsigned nibble = rest < 13 ? (unsigned)rest : rest < 269 ? 13u : 14u;
    if (nibble == 13) {
        out[at++] = (uint8_t)(rest - 13);
    } else if (nibble == 14) {
        out[at++] = (uint8_t)((rest - 269) >> 8);
        out[at++] = (uint8_t)(rest - 269);
    }
    out[0] = (uint8_t)(nibble << 4 | token_len);
    out[at++] = bytes[1];
    memcpy(out + at, bytes + 4, token_len + rest);
    return at + token_len + rest;
}

void devices_send(devices *of, const dn_peer *from, dunlin_slice datagram)
{
    uint8_t framed[DATAGRAM_MAX + 8];
    if (!devices_reach(of, from) || datagram.len > DATAGRAM_MAX) {
        return;
    }
    if (dn_transport_is_stream(dn_peer_transport(from))) {
        datagram = dunlin_slice_make(framed, frame(datagram, framed));
    }
    of->server->begin(of);
    of->server->receive(of, from, datagram);
    of->server->settle(of);
}

void devices_answer(devices *of, uint8_t detail, dunlin_slice script)
{
    uint8_t datagram[DATAGRAM_MAX];
    const size_t len = of->asked_len + script.len - 1;
    if (of->asked_len == 0 || script.len == 0 || len > sizeof datagram) {
        return;
    }
    memcpy(datagram, of->asked, of->asked_len);
    datagram[0] = (uint8_t)((datagram[0] & 0x0f) | 0x40 | (detail & 3) << 4);
    datagram[1] = script.data[0];
    if ((detail & 3) < 2) {
        datagram[2] = (uint8_t)(of->mid >> 8); /* its own message id */
        datagram[3] = (uint8_t)of->mid++;
    }
    memcpy(datagram + of->asked_len, script.data + 1, script.len - 1);
    const dn_peer from = detail & 0x80 ? devices_peer(of, detail >> 2) : of->asked_peer;
    devices_send(of, &from, dunlin_slice_make(datagram, len));
}

void devices_close(devices *of, size_t number)
{
    const dn_peer peer = devices_peer(of, (uint8_t)number);
    if (of->way[number].is_open) {
        of->way[number].is_open = false;
        of->server->closed(of, &peer);
    }
}

void devices_open(devices *of, size_t number, dn_transport transport, dunlin_slice name)
{
    static const uint8_t csm[] = {0x40, 0xe1, 0, 0}; /* what a stream begins with (RFC 8323 section 5.3) */
    devices_close(of, number);
    of->way[number].transport = transport;
    dn_identity *identity = &of->way[number].identity;
    *identity = (dn_identity){.mode = DN_SECURITY_PSK};
    of->way[number].has_proved = name.len > 0 && name.len <= sizeof identity->endpoint;
    if (of->way[number].has_proved) {
        identity->endpoint_len = (uint8_t)name.len;
        memcpy(identity->endpoint, name.data, name.len);
        identity->is_pattern = dn_endpoint_is_pattern(name);
    }
    const dn_peer peer = devices_peer(of, (uint8_t)number);
    if (transport != DN_TRANSPORT_UDP) {
        of->way[number].is_open = true;
        of->server->opened(of, &peer);
        of->server->settle(of);
    }
    if (dn_transport_is_stream(transport)) {
        devices_send(of, &peer, dunlin_slice_make(csm, sizeof csm));
    }
}

device_request device_request_start(devices *of, uint8_t method)
{
    const uint16_t mid = of->mid++;
    return (device_request){
        .bytes = {0x41, method, (uint8_t)(mid >> 8), (uint8_t)mid, 0x77}, .len = 5, .fits = true};
}

void device_request_option(device_request *request, unsigned delta, dunlin_slice value)
{
    uint8_t *out = request->bytes;
    request->fits = request->fits && delta <= 268 && value.len <= 268 &&
                    request->len + 5 + value.len <= sizeof request->bytes;
    if (!request->fits) {
        return;
    }
    out[request->len++] = (uint8_t)((delta < 13 ? delta : 13) << 4 | (value.len < 13 ? value.len : 13));
    if (delta >= 13) {
        out[request->len++] = (uint8_t)(delta - 13);
    }
    if (value.len >= 13) {
        out[request->len++] = (uint8_t)(value.len - 13);
    }
    if (value.len > 0) {
        memcpy(out + request->len, value.data, value.len);
    }
    request->len += value.len;
}

void device_request_queries(device_request *request, unsigned delta, dunlin_slice text)
{
    for (size_t at = 0; at < text.len && request->fits; delta = 0) {
        const uint8_t *cut = memchr(text.data + at, '&', text.len - at);
        const size_t end = cut != NULL ? (size_t)(cut - text.data) : text.len;
        device_request_option(request, delta, dunlin_slice_make(text.data + at, end - at));
        at = end + 1;
    }
}

void device_request_send(const device_request *request, devices *of, uint8_t from, dunlin_slice payload)
{
    device_request whole = *request;
    const dn_peer peer = devices_peer(of, from);
    if (!whole.fits || whole.len + 1 + payload.len > sizeof whole.bytes) {
        return;
    }
    if (payload.len > 0) {
        whole.bytes[whole.len++] = 0xff;
        memcpy(whole.bytes + whole.len, payload.data, payload.len);
        whole.len += payload.len;
    }
    devices_send(of, &peer, dunlin_slice_make(whole.bytes, whole.len));
}

/* ---- the script ---- */

bool script_next(dunlin_slice *script, script_step *out)
{
    const uint8_t *bytes = script->data;
    if (script->len < STEP_HEAD) {
        return false;
    }
    size_t len = (size_t)bytes[2] << 8 | bytes[3];
    len = len < script->len - STEP_HEAD ? len : script->len - STEP_HEAD;
    *out = (script_step){bytes[0], bytes[1], dunlin_slice_make(bytes + STEP_HEAD, len)};
    *script = dunlin_slice_make(bytes + STEP_HEAD + len, script->len - STEP_HEAD - len);
    return true;
}
