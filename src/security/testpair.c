/* SPDX-License-Identifier: Apache-2.0 */
/* Two sessions and a link between them; see the header. */
#include "security/testpair.h"

#include <stdlib.h>
#include <string.h>

static const uint8_t peer_bytes[] = {0x04, 127, 0, 0, 1, 0x16, 0x34};

static bool chance(dn_testpair *pair, uint32_t permille)
{
    const dn_random random = dn_seeded_random(&pair->seeded);
    return permille > 0 && dn_random_between(&random, 0, 999) < permille;
}

static void enqueue(dn_testpair *pair, bool to_server, const uint8_t *bytes, size_t len)
{
    if (pair->queued == DN_TESTPAIR_QUEUE || len > DN_TESTPAIR_BYTES) {
        abort();
    }
    dn_testpair_item *item = &pair->queue[pair->queued++];
    item->to_server = to_server;
    item->number = pair->numbers++;
    item->due_ms = pair->now_ms + pair->delay_ms;
    if (chance(pair, pair->reorder_permille)) {
        item->due_ms += pair->delay_ms + 30;
    }
    item->len = len;
    memcpy(item->bytes, bytes, len);
}

static void send_piece(dn_testpair *pair, bool to_server, const uint8_t *bytes, size_t len)
{
    dn_testpair_end *from = to_server ? &pair->client : &pair->server;
    from->sent++;
    from->longest = len > from->longest ? len : from->longest;
    uint8_t copy[DN_TESTPAIR_BYTES];
    memcpy(copy, bytes, len);
    if (pair->tap != NULL) {
        pair->tap(pair->tap_context, to_server, copy, &len);
    }
    if (len == 0 || (pair->datagram && chance(pair, pair->loss_permille))) {
        return;
    }
    enqueue(pair, to_server, copy, len);
    if (pair->datagram && chance(pair, pair->double_permille)) {
        enqueue(pair, to_server, copy, len);
    }
}

static void output(void *context, dunlin_slice bytes)
{
    dn_testpair_end *end = context;
    dn_testpair *pair = end->pair;
    const size_t most = pair->datagram ? bytes.len : pair->chunk > 0 ? pair->chunk : DN_TESTPAIR_BYTES;
    while (bytes.len > 0) {
        const size_t len = bytes.len < most ? bytes.len : most;
        send_piece(pair, end == &pair->client, bytes.data, len);
        bytes.data += len;
        bytes.len -= len;
    }
}

static void input(void *context, dunlin_slice plain)
{
    dn_testpair_end *end = context;
    if (sizeof end->got - end->got_len < plain.len) {
        abort();
    }
    memcpy(end->got + end->got_len, plain.data, plain.len);
    end->got_len += plain.len;
    end->got_count++;
}

void dn_testpair_init(dn_testpair *pair, dn_tls_context *server, dn_tls_context *client, bool datagram,
                      uint64_t seed)
{
    memset(pair, 0, sizeof *pair);
    pair->server_context = server;
    pair->client_context = client;
    pair->datagram = datagram;
    pair->delay_ms = 10;
    pair->now_ms = 1000;
    pair->server.pair = pair->client.pair = pair;
    dn_seeded_init(&pair->seeded, seed);
    memset(pair->cookie_key, 0x5a, sizeof pair->cookie_key);
    pair->queue = calloc(DN_TESTPAIR_QUEUE, sizeof *pair->queue);
    if (pair->queue == NULL) {
        abort();
    }
}

void dn_testpair_clear(dn_testpair *pair)
{
    dn_tls_free(pair->client.session);
    dn_tls_free(pair->server.session);
    free(pair->queue);
    memset(pair, 0, sizeof *pair);
}

static dn_tls_session *open_end(dn_testpair *pair, dn_testpair_end *end, dn_tls_context *context,
                                dunlin_slice hello)
{
    const dn_tls_opening opening = {.datagram = pair->datagram,
                                    .peer = dunlin_slice_make(peer_bytes, sizeof peer_bytes),
                                    .hello = hello,
                                    .resume =
                                        end == &pair->client ? pair->resume : dunlin_slice_make(NULL, 0),
                                    .call = {output, input, end},
                                    .log = pair->log};
    end->session = dn_tls_open(context, &opening, pair->now_ms);
    if (end->session == NULL) {
        abort();
    }
    return end->session;
}

/* What a server does with a datagram that no session is there for. */
static void first_contact(dn_testpair *pair, dunlin_slice datagram)
{
    uint8_t answer[256];
    size_t answer_len = 0;
    switch (dn_tls_cookie_check(pair->cookie_key, dunlin_slice_make(peer_bytes, sizeof peer_bytes), datagram,
                                answer, sizeof answer, &answer_len)) {
    case DN_TLS_COOKIE_GENUINE:
        (void)open_end(pair, &pair->server, pair->server_context, datagram);
        break;
    case DN_TLS_COOKIE_CHALLENGE:
        send_piece(pair, false, answer, answer_len);
        break;
    default:
        break;
    }
}

static void deliver(dn_testpair *pair, size_t index)
{
    dn_testpair_item item = pair->queue[index];
    pair->queue[index] = pair->queue[--pair->queued];
    const dunlin_slice bytes = dunlin_slice_make(item.bytes, item.len);
    dn_testpair_end *end = item.to_server ? &pair->server : &pair->client;
    if (end->session != NULL) {
        dn_tls_receive(end->session, bytes, pair->now_ms);
    } else if (item.to_server) {
        if (pair->datagram) {
            first_contact(pair, bytes);
        } else {
            dn_tls_receive(open_end(pair, end, pair->server_context, dunlin_slice_make(NULL, 0)), bytes,
                           pair->now_ms);
        }
    }
}

static uint64_t deadline_of(const dn_testpair_end *end)
{
    return end->session == NULL ? UINT64_MAX : dn_tls_deadline(end->session);
}

/* Does what comes next, if it comes until `until_ms`. */
static bool step(dn_testpair *pair, uint64_t until_ms)
{
    const dn_testpair_item *first = NULL;
    for (size_t i = 0; i < pair->queued; i++) {
        const dn_testpair_item *a = &pair->queue[i];
        if (first == NULL || a->due_ms < first->due_ms ||
            (a->due_ms == first->due_ms && a->number < first->number)) {
            first = a;
        }
    }
    const uint64_t at = first == NULL ? UINT64_MAX : first->due_ms;
    const uint64_t client = deadline_of(&pair->client);
    const uint64_t server = deadline_of(&pair->server);
    const uint64_t timer = client < server ? client : server;
    const uint64_t next = at <= timer ? at : timer;
    if (next == UINT64_MAX || next > until_ms) {
        return false;
    }
    pair->now_ms = next > pair->now_ms ? next : pair->now_ms;
    if (first != NULL && at <= timer) {
        deliver(pair, (size_t)(first - pair->queue));
    } else {
        dn_tls_expire(client <= server ? pair->client.session : pair->server.session, pair->now_ms);
    }
    return true;
}

static bool is_in(const dn_testpair_end *end, dn_tls_state state)
{
    return end->session != NULL && dn_tls_state_of(end->session) == state;
}

bool dn_testpair_run(dn_testpair *pair)
{
    if (pair->client.session == NULL) {
        (void)open_end(pair, &pair->client, pair->client_context, dunlin_slice_make(NULL, 0));
    }
    while (!(is_in(&pair->client, DN_TLS_OPEN) && is_in(&pair->server, DN_TLS_OPEN)) &&
           step(pair, UINT64_MAX - 1)) {
    }
    return is_in(&pair->client, DN_TLS_OPEN) && is_in(&pair->server, DN_TLS_OPEN);
}

void dn_testpair_settle(dn_testpair *pair, uint64_t ms)
{
    const uint64_t until = pair->now_ms + ms;
    while (step(pair, until)) {
    }
    pair->now_ms = until;
}

static bool one_way(dn_testpair *pair, dn_testpair_end *from, dn_testpair_end *to, const char *text)
{
    const size_t len = strlen(text);
    const size_t before = to->got_len;
    return dn_tls_send(from->session, dunlin_slice_of(text), pair->now_ms) == DUNLIN_OK &&
           (dn_testpair_settle(pair, pair->delay_ms), to->got_len == before + len) &&
           memcmp(to->got + before, text, len) == 0;
}

bool dn_testpair_echo(dn_testpair *pair)
{
    return one_way(pair, &pair->client, &pair->server, "how warm is it") &&
           one_way(pair, &pair->server, &pair->client, "twenty one degrees");
}

const dn_tls_ending *dn_testpair_ending(const dn_testpair_end *end)
{
    return end->session == NULL ? NULL : dn_tls_ending_of(end->session);
}
