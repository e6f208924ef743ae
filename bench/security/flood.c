/* SPDX-License-Identifier: Apache-2.0 */
/* The attacks. */
#include "security/flood.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_ATTACKER 0x10000u /* behind the devices' addresses */
#define ATTACKERS      0x40000u
#define HELLO_RANDOM   27u /* where in the datagram of a ClientHello its random is */
#define RANDOM_LEN     32u
#define HALF_OPEN      32u /* that are asked for a cookie at a time */

const char *const flood_names[FLOOD_KINDS] = {"forged ClientHellos", "garbage", "half-open handshakes"};

static _Noreturn void stop(const char *what)
{
    fprintf(stderr, "flood: %s\n", what);
    exit(1);
}

/* xorshift64*: the attacks are the same each time. */
static uint64_t draw(flood *f)
{
    f->random ^= f->random >> 12;
    f->random ^= f->random << 25;
    f->random ^= f->random >> 27;
    return f->random * UINT64_C(2685821657736338717);
}

static uint32_t next_address(flood *f)
{
    f->from = (f->from + 1) % ATTACKERS;
    return FIRST_ATTACKER + f->from;
}

static void send_bytes(flood *f, const void *bytes, size_t len, uint32_t from)
{
    memcpy(endpoint_next(&f->endpoint), bytes, len);
    endpoint_send(&f->endpoint, len, from, &f->server);
    atomic_fetch_add_explicit(&f->sent, 1, memory_order_relaxed);
}

static void send_hello(flood *f)
{
    for (size_t i = 0; i < RANDOM_LEN; i += sizeof(uint64_t)) {
        uint64_t word = draw(f);
        memcpy(f->hello + HELLO_RANDOM + i, &word, sizeof word);
    }
    send_bytes(f, f->hello, f->hello_len, next_address(f));
}

static void send_garbage(flood *f)
{
    uint8_t bytes[256];
    for (size_t i = 0; i < sizeof bytes; i += sizeof(uint64_t)) {
        uint64_t word = draw(f);
        memcpy(bytes + i, &word, sizeof word);
    }
    uint64_t how = draw(f);
    size_t len = 14 + (how >> 8) % (sizeof bytes - 14);
    if (how % 4 != 0) {
        const uint8_t header[] = {(uint8_t)(20 + how % 5), 0xfe, 0xfd, 0, (uint8_t)(how >> 4 & 1)};
        memcpy(bytes, header, sizeof header);
        bytes[11] = 0;
        bytes[12] = (uint8_t)(len - 13);
    }
    send_bytes(f, bytes, len, next_address(f));
}

/* ---- half-open handshakes: real devices until they have sent their cookie ---- */

typedef struct {
    flood *flood;
    uint32_t from;
    unsigned sent;
    dn_tls_session *session;
} shy;

static void on_output(void *context, dunlin_slice bytes)
{
    shy *one = context;
    one->sent++;
    send_bytes(one->flood, bytes.data, bytes.len, one->from);
}

static void on_input(void *context, dunlin_slice plain)
{
    (void)context;
    (void)plain;
}

static void begin(flood *f, shy *one)
{
    *one = (shy){.flood = f, .from = next_address(f)};
    const dn_tls_opening opening = {.datagram = true,
                                    .call = {.output = on_output, .input = on_input, .context = one}};
    one->session = dn_tls_open(f->client, &opening, 0);
    if (one->session == NULL) {
        stop("no memory");
    }
}

static void begin_and_leave(flood *f)
{
    shy all[HALF_OPEN];
    uint32_t first = FIRST_ATTACKER + (f->from + 1) % ATTACKERS;
    for (size_t i = 0; i < HALF_OPEN; i++) {
        begin(f, &all[i]);
    }
    endpoint_flush(&f->endpoint);
    for (size_t asked = 0; asked < HALF_OPEN;) {
        unsigned count = endpoint_receive(&f->endpoint, true);
        for (unsigned i = 0; i < count; i++) {
            uint32_t at = endpoint_device(&f->endpoint, i) - first;
            if (at < HALF_OPEN && all[at].sent == 1) {
                size_t len = f->endpoint.in.messages[i].msg_len;
                dn_tls_receive(all[at].session, dunlin_slice_make(f->endpoint.in.bytes[i], len), 0);
                asked++;
            }
        }
        if (count == 0) {
            break; /* 100 ms of silence: the rest was lost */
        }
    }
    endpoint_flush(&f->endpoint);
    for (size_t i = 0; i < HALF_OPEN; i++) {
        dn_tls_free(all[i].session);
    }
}

/* ---- the thread ---- */

static void *run(void *context)
{
    flood *f = context;
    while (!atomic_load_explicit(&f->stop, memory_order_relaxed)) {
        if (f->kind == FLOOD_HELLOS) {
            send_hello(f);
        } else if (f->kind == FLOOD_GARBAGE) {
            send_garbage(f);
        } else {
            begin_and_leave(f);
        }
    }
    endpoint_flush(&f->endpoint);
    return NULL;
}

static void keep_hello(void *context, dunlin_slice bytes)
{
    flood *f = context;
    if (f->hello_len == 0 && bytes.len <= sizeof f->hello) {
        memcpy(f->hello, bytes.data, bytes.len);
        f->hello_len = bytes.len;
    }
}

static void take_hello(flood *f)
{
    const dn_tls_opening opening = {.datagram = true,
                                    .call = {.output = keep_hello, .input = on_input, .context = f}};
    dn_tls_session *session = dn_tls_open(f->client, &opening, 0);
    if (session == NULL || f->hello_len < HELLO_RANDOM + RANDOM_LEN) {
        stop("no ClientHello");
    }
    dn_tls_free(session);
}

void flood_start(flood *f, flood_kind kind, const struct sockaddr_in *server, dn_tls_context *client)
{
    f->kind = kind;
    f->server = *server;
    f->client = client;
    f->random = 88172645463325252u + kind;
    f->hello_len = 0;
    f->from = 0;
    atomic_store(&f->stop, false);
    atomic_store(&f->sent, 0);
    endpoint_open(&f->endpoint);
    take_hello(f);
    if (pthread_create(&f->thread, NULL, run, f) != 0) {
        stop("no thread");
    }
}

void flood_end(flood *f)
{
    atomic_store(&f->stop, true);
    (void)pthread_join(f->thread, NULL);
    endpoint_close(&f->endpoint);
}
