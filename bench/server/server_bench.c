/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A shard alone, without sockets: nanoseconds for a Register, an Update in shuffled order, a Send, a notification, a request into the
 * durable queue and a De-register, resident bytes for a registration and for such a request, and megabytes of a package served in a second. Names are scrambled. Usage: server_bench [DEVICES
 * [SQLITE-DIRECTORY]]; without a directory the store keeps nothing.
 */
#include "server/registrations.h"
#include "server/shard.h"
#include "store/sqlite.h"
#include "tests/server/no_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define BATCH        32u
#define DATAGRAM_MAX 512
#define PACKAGE      "00112233445566778899aabbccddeeff"
#define PACKAGE_SIZE 20000000u
#define BLOCK        1024u
#define BLOCK_SZX    6u

typedef struct {
    dn_shard *shard;
    dn_events *events;
    uint32_t devices;
    uint32_t *order;
    char (*locations)[DN_REGISTRATION_ID_TEXT + 1];
    dn_seeded seeded;
    uint8_t code;
    uint64_t bad;
    char location[DN_REGISTRATION_ID_TEXT + 1];
    uint8_t token[8]; /* of the observation asked for last */
    uint8_t asked[12];
    bool has_asked;
    uint64_t sent_bytes;
    char packages[32]; /* a directory with one package */
} bench;

static uint64_t now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static uint64_t clock_ms(void *context)
{
    (void)context;
    return now_ns() / 1000000;
}

static int64_t wall_ms(void *context)
{
    struct timespec now;
    (void)context;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void fill(void *context, void *out, size_t len)
{
    dn_random random = dn_seeded_random(&((bench *)context)->seeded);
    random.fill(random.context, out, len);
}

static void peer_text(const dn_peer *peer, char *out, size_t size)
{
    (void)snprintf(out, size, "%u", peer->bytes[1]);
}

static bool same_host(const dn_peer *a, const dn_peer *b)
{
    return dn_peer_equal(a, b);
}

static void on_send(void *context, const dn_peer *peer, dunlin_slice datagram)
{
    bench *b = context;
    (void)peer;
    b->code = datagram.data[1];
    b->sent_bytes += datagram.len;
    if (b->code == DN_COAP_CREATED) {
        memcpy(b->location, datagram.data + datagram.len - DN_REGISTRATION_ID_TEXT, DN_REGISTRATION_ID_TEXT);
    } else if (b->code == DN_COAP_GET) {
        memcpy(b->asked, datagram.data, sizeof b->asked);
        b->has_asked = true;
    }
}

static long resident_bytes(void)
{
    long pages = 0, ignored;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fscanf(file, "%ld %ld", &ignored, &pages) != 2) {
        pages = 0;
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return pages * sysconf(_SC_PAGESIZE);
}

static dn_peer peer_of(uint32_t device)
{
    /* As the UDP bearer writes an IPv4 peer with its local address: 11 bytes. */
    dn_peer peer = {.len = 11, .bytes = {4, 0x16, 0x33, 127}};
    memcpy(peer.bytes + 4, &device, sizeof device);
    return peer;
}

static size_t put_head(uint8_t *out, uint8_t method, uint16_t mid)
{
    const uint8_t head[] = {0x44, method, (uint8_t)(mid >> 8), (uint8_t)mid, 't', 'o', 'k', 'n', 0xb2,
                            'r',  'd'};
    memcpy(out, head, sizeof head);
    return sizeof head;
}

static size_t name_of(uint32_t device, char *out, size_t size)
{
    return (size_t)snprintf(out, size, "urn:imei:86%010u",
                            (unsigned)(device * UINT64_C(387420489) % 1000000007u));
}

static size_t register_datagram(uint8_t *out, uint32_t device, uint16_t mid)
{
    static const char rest[] = "\x08lt=86400\x09lwm2m=1.1\x03"
                               "b=U\xff</>;rt=\"oma.lwm2m\";ct=110,</1/0>,</3/0>,</3303/0>";
    char name[32] = "ep=";
    size_t name_len = 3 + name_of(device, name + 3, sizeof name - 3);
    size_t len = put_head(out, DN_COAP_POST, mid);
    out[len++] = 0x11; /* Content-Format 40 */
    out[len++] = 40;
    out[len++] = 0x3d;
    out[len++] = (uint8_t)(name_len - 13);
    memcpy(out + len, name, name_len);
    len += name_len;
    memcpy(out + len, rest, sizeof rest - 1);
    return len + sizeof rest - 1;
}

static size_t location_datagram(const bench *b, uint8_t *out, uint8_t method, uint32_t device, uint16_t mid)
{
    size_t len = put_head(out, method, mid);
    out[len++] = 0x0d;
    out[len++] = DN_REGISTRATION_ID_TEXT - 13;
    memcpy(out + len, b->locations[device], DN_REGISTRATION_ID_TEXT);
    return len + DN_REGISTRATION_ID_TEXT;
}

/* A temperature in SenML CBOR. */
static size_t send_datagram(uint8_t *out, uint16_t mid)
{
    static const char rest[] = "\xb2"
                               "dp\x11\x70\xff\x81\xa2\x21\x6c/3303/0/5700\x02\xfa\x41\xac\0";
    size_t len = put_head(out, DN_COAP_POST, mid) - 3; /* without its path */
    memcpy(out + len, rest, sizeof rest);              /* with the NUL: the number's last byte */
    return len + sizeof rest;
}

static size_t block_datagram(uint8_t *out, uint16_t mid, uint32_t block)
{
    uint32_t value = block << 4 | BLOCK_SZX;
    size_t len = put_head(out, DN_COAP_GET, mid);
    memcpy(out + len - 2, "fw", 2);
    out[len++] = 0x0d;
    out[len++] = sizeof PACKAGE - 1 - 13;
    memcpy(out + len, PACKAGE, sizeof PACKAGE - 1);
    len += sizeof PACKAGE - 1;
    out[len++] = 0xc3; /* Block2 */
    out[len++] = (uint8_t)(value >> 16);
    out[len++] = (uint8_t)(value >> 8);
    out[len++] = (uint8_t)value;
    return len;
}

typedef enum { REGISTER, UPDATE, SEND, DEREGISTER } operation;

static const struct {
    const char *name;
    uint8_t code;
} operations[] = {{"register", DN_COAP_CREATED},
                  {"update", DN_COAP_CHANGED},
                  {"send", DN_COAP_CHANGED},
                  {"deregister", DN_COAP_DELETED}};

static size_t datagram_of(const bench *b, uint8_t *out, operation op, uint32_t device, uint16_t mid)
{
    switch (op) {
    case REGISTER:
        return register_datagram(out, device, mid);
    case SEND:
        return send_datagram(out, mid);
    default:
        return location_datagram(b, out, op == UPDATE ? DN_COAP_POST : DN_COAP_DELETE, device, mid);
    }
}

static void finish_cycle(bench *b)
{
    dn_event_record record;
    dn_shard_work(b->shard);
    b->bad += dn_shard_commit(b->shard) != DUNLIN_OK;
    dn_shard_publish(b->shard);
    while (dn_events_next(b->events, &record)) {
    }
}

/* Each device sends one message of each kind, so one id for all of a kind is new to each. */
static void run(bench *b, operation op, uint16_t mid)
{
    uint8_t datagram[DATAGRAM_MAX];
    uint64_t start = now_ns(), tenth_ns = 0, ninth_ns = 0;
    for (uint32_t i = 0; i < b->devices; i++) {
        uint32_t device = b->order[i];
        dn_peer peer = peer_of(device);
        size_t len = datagram_of(b, datagram, op, device, mid);
        if (i % BATCH == 0) {
            dn_shard_begin(b->shard);
        }
        dn_shard_receive(b->shard, &peer, dunlin_slice_make(datagram, len));
        b->bad += b->code != operations[op].code;
        if (op == REGISTER) {
            memcpy(b->locations[device], b->location, sizeof b->location);
        }
        if (i % BATCH == BATCH - 1 || i == b->devices - 1) {
            finish_cycle(b);
        }
        if (i == b->devices / 10) {
            tenth_ns = now_ns() - start;
        } else if (i == b->devices - b->devices / 10) {
            ninth_ns = now_ns() - start;
        }
    }
    double total = (double)(now_ns() - start), share = b->devices / 10.0;
    printf("%-12s %8.0f ns  %9.0f /s   first tenth %5.0f ns, last %5.0f ns\n", operations[op].name,
           total / b->devices, b->devices / total * 1e9, (double)tenth_ns / share,
           (total - (double)ninth_ns) / share);
}

static void on_taken(void *context, dunlin_status status, const dn_queued_view *queued)
{
    bench *b = context;
    b->bad += status != DUNLIN_OK || queued == NULL || queued->state != DN_QUEUED_WAITING;
}

/* A small Write for each device into the durable queue, which delivers nothing meanwhile. */
static void run_queue(bench *b)
{
    char name[32];
    long before = resident_bytes();
    uint64_t start = now_ns();
    dn_shard_drain(b->shard);
    for (uint32_t i = 0; i < b->devices; i++) {
        const dn_device_request ask = {.endpoint =
                                           dunlin_slice_make(name, name_of(b->order[i], name, sizeof name)),
                                       .method = DN_COAP_PUT,
                                       .path = dunlin_path_resource(3311, 0, 5850),
                                       .content_format = 0,
                                       .accept = DN_COAP_NO_FORMAT,
                                       .payload = dunlin_slice_of("1")};
        dn_command *command = dn_command_create(DN_COMMAND_ENQUEUE, &ask);
        if (command == NULL) {
            b->bad++;
            break;
        }
        command->done.queued = on_taken;
        command->context = b;
        if (i % BATCH == 0) {
            dn_shard_begin(b->shard);
        }
        dn_shard_submit(b->shard, command);
        if (i % BATCH == BATCH - 1 || i == b->devices - 1) {
            finish_cycle(b);
        }
    }
    double total = (double)(now_ns() - start);
    printf("%-12s %8.0f ns  %9.0f /s   %.0f bytes for a queued request\n", "enqueue", total / b->devices,
           b->devices / total * 1e9, (double)(resident_bytes() - before) / b->devices);
}

/* The whole package, by devices that each ask for another block of it. */
static void run_package(bench *b, uint16_t mid)
{
    uint8_t datagram[DATAGRAM_MAX];
    uint32_t blocks = (PACKAGE_SIZE + BLOCK - 1) / BLOCK;
    uint64_t before = b->sent_bytes, start = now_ns();
    for (uint32_t i = 0; i < blocks; i++) {
        dn_peer peer = peer_of(i % b->devices);
        size_t len = block_datagram(datagram, (uint16_t)(mid + i / b->devices), i);
        if (i % BATCH == 0) {
            dn_shard_begin(b->shard);
        }
        dn_shard_receive(b->shard, &peer, dunlin_slice_make(datagram, len));
        b->bad += b->code != DN_COAP_CONTENT;
        if (i % BATCH == BATCH - 1 || i == blocks - 1) {
            finish_cycle(b);
        }
    }
    double total = (double)(now_ns() - start);
    b->bad += b->sent_bytes - before < PACKAGE_SIZE;
    printf("%-12s %8.0f ns  %9.0f MB/s\n", "package", total / blocks, PACKAGE_SIZE / total * 1e3);
}

static bool make_package(bench *b)
{
    static const uint8_t bytes[BLOCK];
    char path[sizeof b->packages + sizeof PACKAGE];
    (void)snprintf(b->packages, sizeof b->packages, "/tmp/dunlin-bench-XXXXXX");
    if (mkdtemp(b->packages) == NULL) {
        return false;
    }
    (void)snprintf(path, sizeof path, "%s/%s", b->packages, PACKAGE);
    FILE *file = fopen(path, "wb");
    for (uint32_t at = 0; file != NULL && at < PACKAGE_SIZE; at += BLOCK) {
        size_t len = PACKAGE_SIZE - at < BLOCK ? PACKAGE_SIZE - at : BLOCK;
        b->bad += fwrite(bytes, 1, len, file) != len;
    }
    return file != NULL && fclose(file) == 0;
}

static void remove_package(const bench *b)
{
    char path[sizeof b->packages + sizeof PACKAGE];
    (void)snprintf(path, sizeof path, "%s/%s", b->packages, PACKAGE);
    (void)unlink(path);
    (void)rmdir(b->packages);
}

static void on_observed(void *context, const dn_device_response *response, bool existed)
{
    (void)existed;
    *(bool *)context = response->status == DUNLIN_OK;
}

/* One device's observation, fed as fast as the shard takes it. */
static void run_notifications(bench *b, uint32_t count)
{
    static const uint8_t rest[] = {0x61, 0, 0x61, 112,  0xff, 0x81, 0xa2, 0x21,
                                   'm',  2, 0xfa, 0x41, 0xac, 0,    0};
    uint8_t datagram[64];
    bool agreed = false;
    const dn_device_request ask = {.endpoint = dunlin_slice_of("urn:imei:860000000000"),
                                   .method = DN_COAP_GET,
                                   .path = dunlin_path_resource(3303, 0, 5700),
                                   .content_format = DN_COAP_NO_FORMAT,
                                   .accept = 112};
    dn_peer peer = peer_of(0);
    dn_command *command = dn_command_create(DN_COMMAND_OBSERVE, &ask);
    if (command == NULL) {
        return;
    }
    command->done.observe = on_observed;
    command->context = &agreed;
    dn_shard_begin(b->shard);
    dn_shard_submit(b->shard, command);
    finish_cycle(b);
    uint64_t start = now_ns();
    for (uint32_t i = 0; i <= count && b->has_asked; i++) {
        memcpy(datagram, b->asked, 12);
        memcpy(datagram + 12, rest, sizeof rest);
        datagram[0] = i == 0 ? 0x68 : 0x58; /* the answer is an ACK, notifications are NON */
        datagram[1] = DN_COAP_CONTENT;
        if (i > 0) {
            datagram[2] = (uint8_t)(i >> 8);
            datagram[3] = (uint8_t)i;
        }
        datagram[12] = 0x62; /* a two-byte sequence number */
        memmove(datagram + 15, datagram + 14, sizeof rest - 2);
        datagram[13] = (uint8_t)(i >> 8);
        datagram[14] = (uint8_t)i;
        if (i % BATCH == 0) {
            dn_shard_begin(b->shard);
        }
        dn_shard_receive(b->shard, &peer, dunlin_slice_make(datagram, 13 + sizeof rest));
        if (i % BATCH == BATCH - 1) {
            finish_cycle(b);
        }
    }
    finish_cycle(b);
    dn_fleet_counters counters;
    dn_shard_count(b->shard, &counters);
    b->bad += !agreed || counters.notifications < count / 2;
    printf("%-12s %8.0f ns  (%llu taken)\n", "notify", (double)(now_ns() - start) / count,
           (unsigned long long)counters.notifications);
}

static void shuffle(bench *b)
{
    dn_random random = dn_seeded_random(&b->seeded);
    for (uint32_t i = b->devices - 1; i > 0; i--) {
        uint32_t other = (uint32_t)dn_random_between(&random, 0, i), kept = b->order[i];
        b->order[i] = b->order[other];
        b->order[other] = kept;
    }
}

static dn_store no_store = {&no_store_ops};

static dn_store *open_store(const char *directory)
{
    char error[256];
    dn_store *store = NULL;
    if (directory == NULL) {
        return &no_store;
    }
    dn_sqlite_config config = dn_sqlite_config_default();
    if (dn_sqlite_store_open(directory, &config, &store, error, sizeof error) != DUNLIN_OK) {
        fprintf(stderr, "server_bench: %s\n", error);
    }
    return store;
}

static bool start(bench *b, const char *directory)
{
    char error[256];
    dn_shard_config config = {.fleet = dn_fleet_config_default(),
                              .send = on_send,
                              .context = b,
                              .peer_text = peer_text,
                              .same_host = same_host,
                              .events = b->events};
    config.fleet.nosec = DN_NOSEC_ON;
    config.fleet.store = open_store(directory);
    config.fleet.packages = b->packages;
    config.fleet.random = (dn_random){fill, b};
    config.fleet.clock_ms = clock_ms;
    config.fleet.wall_ms = wall_ms;
    config.fleet.max_registrations = b->devices;
    if (config.fleet.store == NULL) {
        return false;
    }
    if (dn_shard_create(&config, &b->shard, error, sizeof error) != DUNLIN_OK) {
        fprintf(stderr, "server_bench: %s\n", error);
        config.fleet.store->ops->close(config.fleet.store);
        return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    bench b = {.devices = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 100000};
    b.order = calloc(b.devices, sizeof *b.order);
    b.locations = calloc(b.devices, sizeof *b.locations);
    b.events = dn_events_create(8u << 20);
    dn_seeded_init(&b.seeded, 20261122);
    if (b.devices == 0 || b.order == NULL || b.locations == NULL || b.events == NULL || !make_package(&b) ||
        !start(&b, argc > 2 ? argv[2] : NULL)) {
        remove_package(&b);
        return 1;
    }
    for (uint32_t i = 0; i < b.devices; i++) {
        b.order[i] = i;
        b.locations[i][0] = '-'; /* touched, so that they do not count as the shard's */
    }
    long before = resident_bytes();
    run(&b, REGISTER, 60001);
    printf("resident     %8.0f bytes for a registration, %.1f MiB in all\n",
           (double)(resident_bytes() - before) / b.devices, (double)resident_bytes() / (1 << 20));
    shuffle(&b);
    run(&b, UPDATE, 60002);
    shuffle(&b);
    run(&b, SEND, 60003);
    run_package(&b, 61000);
    run_notifications(&b, 50000);
    shuffle(&b);
    run_queue(&b);
    run(&b, DEREGISTER, 60004);
    dn_shard_destroy(b.shard);
    dn_events_destroy(b.events);
    remove_package(&b);
    free(b.order);
    free(b.locations);
    if (b.bad > 0) {
        fprintf(stderr, "server_bench: %llu wrong answers\n", (unsigned long long)b.bad);
        return 1;
    }
    return 0;
}
