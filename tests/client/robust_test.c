/* SPDX-License-Identifier: Apache-2.0 */
/* Random and mutated datagrams: unless the answer is a success, nothing has changed; and the client goes on working. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "tests/client/rig.h"

#define NO       (-1)
#define SAMPLES  64
#define ROUNDS   10000
#define DATAGRAM 512
#define SUCCESS  2u

typedef struct {
    uint8_t bytes[DATAGRAM];
    size_t len;
} sample;

typedef struct {
    sample samples[SAMPLES];
    size_t count;
    dn_peer client;
    unsigned successes; /* answers of class 2 that the client has sent */
    unsigned answers;
} recorder;

static void watch(void *context, uint64_t now_ms, const dn_peer *from, const dn_peer *to, uint64_t number,
                  dunlin_slice datagram, dn_simlink_fate fate)
{
    recorder *rec = context;
    (void)now_ms;
    (void)number;
    (void)fate;
    if (dn_peer_equal(to, &rec->client) && rec->count < SAMPLES && datagram.len <= DATAGRAM &&
        datagram.len > 4) {
        memcpy(rec->samples[rec->count].bytes, datagram.data, datagram.len);
        rec->samples[rec->count++].len = datagram.len;
    }
    if (dn_peer_equal(from, &rec->client) && datagram.len > 1) {
        rec->answers++;
        rec->successes += datagram.data[1] >> 5 == SUCCESS ? 1 : 0;
    }
}

/* One of each operation, as the mutations' starting points. */
static void record(rig *r)
{
    static const struct {
        uint8_t method;
        const char *path, *query;
        int format, accept;
        const char *payload;
    } rows[] = {
        {DN_COAP_GET, "/3/0", NULL, NO, 110, NULL},
        {DN_COAP_GET, "/3", NULL, NO, 40, NULL},
        {DN_COAP_GET, "/33000/0/8/5", NULL, NO, 0, NULL},
        {DN_COAP_PUT, "/33000/0/0", NULL, 0, NO, "5"},
        {DN_COAP_PUT, "/33000/0/4", NULL, 0, NO, "text"},
        {DN_COAP_PUT, "/33000/0", NULL, 110, NO,
         "[{\"bn\":\"/33000/0/\",\"n\":\"0\",\"v\":3},{\"n\":\"8/1\",\"v\":3},{\"n\":\"4\",\"vs\":\"abc\"}]"},
        {DN_COAP_POST, "/33000/0", NULL, 11542, NO, "\xC1\x01\x05\x84\x08\x04\x41\x01\x02"},
        {DN_COAP_POST, "/33000/0", NULL, 112, NO,
         "\x81\xA3\x21\x69/33000/0/\x61"
         "0\x02\x18\x3D"},
        {DN_COAP_POST, "/33000", NULL, 110, NO, "[{\"n\":\"/33000/2/0\",\"v\":4}]"},
        {DN_COAP_DELETE, "/33000/2", NULL, NO, NO, NULL},
        {DN_COAP_POST, "/33000/0/15", NULL, 0, NO, "1='abc',2"},
        {DN_COAP_PUT, "/3/0/9", "pmin=1&pmax=20&gt=5&lt=2&st=0.5", NO, NO, NULL},
        {DN_COAP_FETCH, "", NULL, 110, 112,
         "[{\"n\":\"/33000/0\"},{\"n\":\"/3/0/9\"},{\"n\":\"/33000/1/8/5\"}]"},
        {DN_COAP_FETCH, "", NULL, 110, NO, "[{\"n\":\"/\"}]"},
        {DN_COAP_IPATCH, "", NULL, 110, NO,
         "[{\"n\":\"/33000/0/0\",\"v\":5},{\"n\":\"/33000/1/8/7\",\"v\":3},{\"n\":\"/33000/1/"
         "11\",\"v\":12}]"},
        {DN_COAP_IPATCH, "", NULL, 112, NO,
         "\x82\xA2\x21\x6A/33000/0/1\x02\x05\xA2\x21\x6A/33000/1/4\x03\x61\x61"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const rig_request request = {
            .method = rows[i].method,
            .path = rows[i].path,
            .query = rows[i].query,
            .has_format = rows[i].format >= 0,
            .format = (uint16_t)rows[i].format,
            .has_accept = rows[i].accept >= 0,
            .accept = (uint16_t)rows[i].accept,
            .payload = rows[i].payload,
            .len = rows[i].payload == NULL ? 0 : strlen(rows[i].payload),
        };
        (void)rig_ask(r, &request);
    }
}

static size_t mutate(dn_random *random, const sample *from, uint8_t *out)
{
    size_t len = from->len;
    memcpy(out, from->bytes, len);
    const uint64_t changes = dn_random_between(random, 1, 4);
    for (uint64_t i = 0; i < changes; i++) {
        const size_t at = (size_t)dn_random_between(random, 0, len - 1);
        switch (dn_random_between(random, 0, 4)) {
        case 0:
            out[at] = (uint8_t)dn_random_u32(random);
            break;
        case 1:
            out[at] ^= (uint8_t)(1u << dn_random_between(random, 0, 7));
            break;
        case 2:
            len = at + 1;
            break;
        case 3:
            if (len < DATAGRAM) {
                memmove(out + at + 1, out + at, len - at);
                len++;
            }
            break;
        default:
            memmove(out + at, out + at + 1, len - at - 1);
            len = len > 1 ? len - 1 : len;
            break;
        }
    }
    if (len > 4) { /* a new message id: not a repetition */
        out[2] = (uint8_t)dn_random_u32(random);
        out[3] = (uint8_t)dn_random_u32(random);
    }
    return len;
}

static void bombard(bool mutated)
{
    rig *r = malloc(sizeof *r);
    recorder *rec = calloc(1, sizeof *rec);
    dn_seeded seeded;
    rig_things before[RIG_THINGS];
    dunlin_device device;
    assert_non_null(r);
    assert_non_null(rec);
    dn_seeded_init(&seeded, 4711);
    dn_random random = dn_seeded_random(&seeded);
    rig_register(r, DUNLIN_LWM2M_1_1);
    rec->client = r->client_address;
    dn_simlink_watch(r->link, watch, rec);
    record(r);
    assert_true(rec->count >= 12);
    const size_t samples = rec->count;
    unsigned unchanged = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint8_t datagram[DATAGRAM + 1];
        size_t len = 0;
        if (mutated) {
            len = mutate(&random, &rec->samples[dn_random_between(&random, 0, samples - 1)], datagram);
        } else {
            len = (size_t)dn_random_between(&random, 0, 100);
            random.fill(random.context, datagram, len);
        }
        memcpy(before, r->things, sizeof before);
        device = r->device;
        const unsigned successes = rec->successes;
        const dunlin_peer *peer = (const dunlin_peer *)(const void *)&r->server_address;
        dunlin_client_receive(r->client, peer, dunlin_slice_make(datagram, len), dn_simlink_now(r->link));
        if (rec->successes == successes) {
            unchanged++;
            assert_memory_equal(before, r->things, sizeof before);
            assert_memory_equal(&device, &r->device, sizeof device);
        }
        rig_run(r, 20);
    }
    assert_true(unchanged > ROUNDS / 4);
    /* It still serves; a Disable or so among the mutations would have had it de-register. */
    dunlin_client_restart(r->client, dn_simlink_now(r->link));
    rig_run(r, 1000);
    assert_true(dunlin_client_registered(r->client));
    assert_string_equal(rig_code(rig_get(r, "/3/0/0", NO)->code), "2.05");
    rig_close(r);
    free(rec);
    free(r);
}

static void random_datagrams_change_nothing(void **state)
{
    (void)state;
    bombard(false);
}

static void mutated_datagrams_change_nothing_unless_acknowledged(void **state)
{
    (void)state;
    bombard(true);
}

static void strangers_are_not_heard(void **state)
{
    static const uint8_t get[] = {0x40, 0x01, 0x12, 0x34, 0xB1, '3', 0x01, '0', 0x01, '0'};
    dunlin_peer stranger = {.len = 3, .bytes = {9, 9, 9}};
    rig *r = malloc(sizeof *r);
    (void)state;
    assert_non_null(r);
    rig_register(r, DUNLIN_LWM2M_1_1);
    const uint64_t sent = dunlin_client_count(r->client).datagrams_sent;
    dunlin_client_receive(r->client, &stranger, dunlin_slice_make(get, sizeof get), dn_simlink_now(r->link));
    rig_run(r, 1000);
    assert_int_equal(dunlin_client_count(r->client).datagrams_sent, sent);
    assert_int_equal(dunlin_client_count(r->client).strangers, 1);
    rig_close(r);
    free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_datagrams_change_nothing),
        cmocka_unit_test(mutated_datagrams_change_nothing_unless_acknowledged),
        cmocka_unit_test(strangers_are_not_heard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
