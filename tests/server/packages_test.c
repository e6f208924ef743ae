/* SPDX-License-Identifier: Apache-2.0 */
/* Packages: fetched by devices and pushed to them, with constant memory; which names lead to a file; what ends a push. */
#include "tests/server/rig_queue.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define NAME       "00112233445566778899aabbccddeeff"
#define OTHER      "ffeeddccbbaa99887766554433221100"
#define LARGE      20000001u
#define MEDIUM     200000u
#define MEMORY_MAX 262144 /* how much more than before a transfer may take */

static rig r;
static rig_device *const device = &r.devices[0];
static char directory[64];

static void path_of(const char *name, char out[128])
{
    (void)snprintf(out, 128, "%s/%s", directory, name);
}

/* Writes a file of bytes that depend on name and place; gives their hash. */
static uint64_t put_file(const char *name, size_t size)
{
    char path[128];
    uint8_t block[4096];
    uint64_t hash = 0;
    uint64_t state = (uint64_t)name[0] << 8 | (uint8_t)name[31];
    path_of(name, path);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    for (size_t at = 0; at < size;) {
        size_t len = size - at < sizeof block ? size - at : sizeof block;
        for (size_t i = 0; i < len; i++) {
            state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
            block[i] = (uint8_t)(state >> 56);
        }
        assert_int_equal(fwrite(block, 1, len, file), len);
        hash = rig_piece_hash(hash, dunlin_slice_make(block, len));
        at += len;
    }
    assert_int_equal(fclose(file), 0);
    return hash;
}

static void remove_file(const char *name)
{
    char path[128];
    path_of(name, path);
    (void)unlink(path);
}

static void with_packages(dn_fleet_config *config)
{
    config->packages = directory;
}

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(directory, sizeof directory, "/tmp/dunlin-packages-XXXXXX");
    assert_non_null(mkdtemp(directory));
    rig_start(&r, 51, with_packages);
    rig_register(&r, device, "a", 864000);
    rig_skip_events(&r);
    device->takes_pieces = true;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    rig_end(&r);
    char command[128];
    (void)snprintf(command, sizeof command, "rm -r %s", directory);
    assert_int_equal(system(command), 0);
    return 0;
}

static size_t memory_in_use(void)
{
    return mallinfo2().uordblks;
}

static void expect_downloaded(rig_device *by, uint64_t hash, uint64_t size)
{
    assert_int_equal(by->status, DUNLIN_OK);
    assert_int_equal(by->code, DN_COAP_CONTENT);
    assert_int_equal(by->taken, size);
    assert_true(by->taken_hash == hash);
}

static void a_small_one_comes_whole(void **state)
{
    (void)state;
    uint64_t hash = put_file(NAME, 100);
    rig_download(&r, device, "fw/" NAME);
    expect_downloaded(device, hash, 100);
    assert_memory_equal(device->taken_etag, "\x00\x11\x22\x33\x44\x55\x66\x77", 8);
    rig_ask(&r, &r.devices[1], DN_COAP_GET, "fw/" NAME, NULL, DN_COAP_NO_FORMAT, NULL); /* nobody we know */
    assert_int_equal(r.devices[1].code, DN_COAP_CONTENT);
    assert_int_equal(r.devices[1].text_len, 100);
    uint64_t empty = put_file(OTHER, 0);
    rig_download(&r, device, "fw/" OTHER);
    expect_downloaded(device, empty, 0);
    assert_int_equal(rig_count(&r).package_bytes, 200);
}

typedef struct {
    size_t before, most;
} memory_watch;

static void on_datagram(void *context, uint64_t now_ms, const dn_peer *from, const dn_peer *to,
                        uint64_t number, dunlin_slice datagram, dn_simlink_fate fate)
{
    memory_watch *watch = context;
    (void)now_ms;
    (void)from;
    (void)to;
    (void)datagram;
    (void)fate;
    if (number % 256 == 0 && memory_in_use() > watch->most) {
        watch->most = memory_in_use();
    }
}

static void a_large_one_takes_no_memory(void **state)
{
    memory_watch watch;
    (void)state;
    uint64_t hash = put_file(NAME, LARGE);
    watch.before = watch.most = memory_in_use();
    dn_simlink_watch(r.link, on_datagram, &watch);
    rig_download(&r, device, "fw/" NAME);
    expect_downloaded(device, hash, LARGE);
    assert_int_equal(device->taken_size, LARGE);
    assert_true(watch.most - watch.before < MEMORY_MAX);
    assert_int_equal(rig_count(&r).package_bytes, LARGE);
}

static const struct {
    const char *what;
    uint8_t method;
    const char *path;
    uint8_t code;
} requests[] = {
    {"a package", DN_COAP_GET, "fw/" NAME, DN_COAP_CONTENT},
    {"no such package", DN_COAP_GET, "fw/" OTHER, DN_COAP_NOT_FOUND},
    {"the list", DN_COAP_GET, "fw", DN_COAP_NOT_FOUND},
    {"no name", DN_COAP_GET, "fw/", DN_COAP_NOT_FOUND},
    {"a name too short", DN_COAP_GET, "fw/00112233445566778899aabbccddeef", DN_COAP_NOT_FOUND},
    {"a name too long", DN_COAP_GET, "fw/" NAME "0", DN_COAP_NOT_FOUND},
    {"capital letters", DN_COAP_GET, "fw/00112233445566778899AABBCCDDEEFF", DN_COAP_NOT_FOUND},
    {"no digit", DN_COAP_GET, "fw/00112233445566778899aabbccddeefg", DN_COAP_NOT_FOUND},
    {"a segment more", DN_COAP_GET, "fw/" NAME "/", DN_COAP_NOT_FOUND},
    {"two segments", DN_COAP_GET, "fw/../secret", DN_COAP_NOT_FOUND},
    {"the directory", DN_COAP_GET, "fw/.", DN_COAP_NOT_FOUND},
    {"the one above", DN_COAP_GET, "fw/..", DN_COAP_NOT_FOUND},
    {"a file of another name", DN_COAP_GET, "fw/secret", DN_COAP_NOT_FOUND},
    {"a link", DN_COAP_GET, "fw/11111111111111111111111111111111", DN_COAP_NOT_FOUND},
    {"a directory", DN_COAP_GET, "fw/22222222222222222222222222222222", DN_COAP_NOT_FOUND},
    {"a pipe", DN_COAP_GET, "fw/33333333333333333333333333333333", DN_COAP_NOT_FOUND},
    {"one that is not to be read", DN_COAP_GET, "fw/44444444444444444444444444444444", DN_COAP_NOT_FOUND},
    {"PUT", DN_COAP_PUT, "fw/" NAME, DN_COAP_METHOD_NOT_ALLOWED},
    {"POST", DN_COAP_POST, "fw/" NAME, DN_COAP_METHOD_NOT_ALLOWED},
    {"DELETE", DN_COAP_DELETE, "fw/" NAME, DN_COAP_METHOD_NOT_ALLOWED},
    {"DELETE of none", DN_COAP_DELETE, "fw/" OTHER, DN_COAP_NOT_FOUND},
};

static void only_names_of_packages_lead_to_a_file(void **state)
{
    char path[128], target[128];
    (void)state;
    (void)put_file(NAME, 10);
    (void)put_file("secretsecretsecretsecretsecretse", 10);
    path_of("secret", path);
    path_of("secretsecretsecretsecretsecretse", target);
    assert_int_equal(rename(target, path), 0);
    path_of(NAME, target);
    path_of("11111111111111111111111111111111", path);
    assert_int_equal(symlink(target, path), 0);
    path_of("22222222222222222222222222222222", path);
    assert_int_equal(mkdir(path, 0700), 0);
    path_of("33333333333333333333333333333333", path);
    assert_int_equal(mkfifo(path, 0600), 0);
    if (geteuid() != 0) { /* who may read everything */
        (void)put_file("44444444444444444444444444444444", 10);
        path_of("44444444444444444444444444444444", path);
        assert_int_equal(chmod(path, 0), 0);
    }
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        rig_ask(&r, device, requests[i].method, requests[i].path, NULL, DN_COAP_NO_FORMAT, NULL);
        if (device->code != requests[i].code) {
            print_error("%s: %u.%02u\n", requests[i].what, device->code >> 5, device->code & 31u);
        }
        assert_int_equal(device->code, requests[i].code);
    }
    rig_expect_no_event(&r);
}

/* Accept: 42 is what there is (RFC 7252 section 5.10.4). Thrown as bytes: GET fw/NAME, Accept, piggybacked answer. */
static void only_octets_are_to_be_had(void **state)
{
    static const struct {
        const char *accept;
        unsigned len;
        uint64_t bytes;
    } wishes[] = {{"\x61\x2a", 2, 10}, {"\x61\x3c", 2, 10}, {"\x60", 1, 10}};
    (void)state;
    (void)put_file(NAME, 10);
    for (unsigned i = 0; i < 3; i++) {
        uint8_t datagram[64] = {0x40, 0x01, 0x70, (uint8_t)i, 0xb2, 'f', 'w', 0x0d, 32 - 13};
        memcpy(datagram + 9, NAME, 32);
        memcpy(datagram + 41, wishes[i].accept, wishes[i].len);
        rig_throw(&r, device, dunlin_slice_make(datagram, 41 + wishes[i].len));
        assert_int_equal(rig_count(&r).package_bytes, wishes[i].bytes);
    }
}

static void a_file_that_is_gone_is_not_served(void **state)
{
    char from[128], to[128];
    (void)state;
    (void)put_file(NAME, 100);
    rig_download(&r, device, "fw/" NAME);
    remove_file(NAME);
    rig_download(&r, device, "fw/" NAME);
    assert_int_equal(device->code, DN_COAP_NOT_FOUND);
    uint64_t hash = put_file(OTHER, 150); /* and another one in its place is that other one */
    path_of(OTHER, from);
    path_of(NAME, to);
    assert_int_equal(rename(from, to), 0);
    rig_download(&r, device, "fw/" NAME);
    expect_downloaded(device, hash, 150);
}

static unsigned open_files(void)
{
    unsigned count = 0;
    for (int fd = 0; fd < 256; fd++) {
        struct stat about;
        count += fstat(fd, &about) == 0;
    }
    return count;
}

static void few_files_stay_open(void **state)
{
    char name[33], path[64];
    uint64_t hashes[40];
    (void)state;
    unsigned before = open_files();
    for (unsigned i = 0; i < 40; i++) {
        (void)snprintf(name, sizeof name, "%032x", i);
        hashes[i] = put_file(name, 5000 + i);
    }
    for (unsigned i = 0; i < 120; i++) {
        (void)snprintf(path, sizeof path, "fw/%032x", i % 40);
        rig_download(&r, device, path);
        expect_downloaded(device, hashes[i % 40], 5000 + i % 40);
    }
    assert_true(open_files() - before <= 16);
    for (unsigned i = 0; i < 40; i++) {
        (void)snprintf(name, sizeof name, "%032x", i);
        remove_file(name);
    }
}

static void without_a_directory_there_are_none(void **state)
{
    rig_outcome outcome;
    (void)state;
    rig_end(&r);
    rig_start(&r, 52, NULL);
    rig_register(&r, device, "a", 60);
    rig_ask(&r, device, DN_COAP_GET, "fw/" NAME, NULL, DN_COAP_NO_FORMAT, NULL);
    assert_int_equal(device->code, DN_COAP_NOT_FOUND);
    const dn_device_request ask = {
        .endpoint = dunlin_slice_of("a"), .method = DN_COAP_PUT, .package = dunlin_slice_of(NAME)};
    (void)rig_post_request(&r, &ask, &outcome);
    assert_true(outcome.done);
    assert_int_equal(outcome.status, DUNLIN_ERR_NOT_FOUND);
}

/* Many at once, while others go about their business. */
static void downloads_do_not_keep_others_waiting(void **state)
{
    const dn_simlink_rules rules = {.delay_min_ms = 1, .delay_max_ms = 3};
    (void)state;
    uint64_t hash = put_file(NAME, MEDIUM);
    dn_simlink_rule(r.link, &rules);
    for (size_t i = 1; i < RIG_DEVICES; i++) {
        rig_begin_download(&r, &r.devices[i], "fw/" NAME);
    }
    for (unsigned i = 0; i < 50; i++) {
        uint64_t before_ms = dn_simlink_now(r.link);
        rig_ask(&r, device, DN_COAP_POST, device->location, NULL, DN_COAP_NO_FORMAT, NULL);
        assert_int_equal(device->code, DN_COAP_CHANGED);
        assert_true(dn_simlink_now(r.link) - before_ms <= 6);
    }
    assert_false(r.devices[1].answered);
    rig_run(&r, 60000);
    for (size_t i = 1; i < RIG_DEVICES; i++) {
        expect_downloaded(&r.devices[i], hash, MEDIUM);
    }
}

static const dn_simlink_rules bad_link = {.loss_permille = 100,
                                          .duplicate_permille = 50,
                                          .reorder_permille = 50,
                                          .delay_min_ms = 5,
                                          .delay_max_ms = 50};

static void loss_is_made_good_in_a_download(void **state)
{
    (void)state;
    uint64_t hash = put_file(NAME, MEDIUM / 2);
    dn_simlink_rule(r.link, &bad_link);
    rig_download(&r, device, "fw/" NAME);
    expect_downloaded(device, hash, MEDIUM / 2);
}

/* Push. */

static bool is_done(void *context)
{
    return ((rig_outcome *)context)->done;
}

static uint64_t begin_push(const char *name, uint32_t timeout_ms, rig_outcome *outcome)
{
    const dn_device_request ask = {.endpoint = dunlin_slice_of("a"),
                                   .method = DN_COAP_PUT,
                                   .path = dunlin_path_resource(5, 0, 0),
                                   .content_format = 42,
                                   .accept = DN_COAP_NO_FORMAT,
                                   .package = dunlin_slice_of(name),
                                   .timeout_ms = timeout_ms};
    return rig_post_request(&r, &ask, outcome);
}

static void end_push(rig_outcome *outcome)
{
    assert_true(outcome->done ||
                dn_simlink_run(r.link, dn_simlink_now(r.link) + 100000000u, is_done, outcome));
}

static rig_outcome push(const char *name, uint32_t timeout_ms)
{
    rig_outcome outcome;
    (void)begin_push(name, timeout_ms, &outcome);
    end_push(&outcome);
    return outcome;
}

static void a_push_arrives(void **state)
{
    static const size_t sizes[] = {0, 1, 1024, 1025, 5000};
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint64_t hash = put_file(NAME, sizes[i]);
        device->taken = device->taken_hash = 0;
        device->asked_text[0] = '\0';
        rig_outcome outcome = push(NAME, 10000);
        assert_int_equal(outcome.status, DUNLIN_OK);
        assert_int_equal(outcome.code, DN_COAP_CHANGED);
        assert_int_equal(device->asked_method, DN_COAP_PUT);
        assert_string_equal(device->asked_path, "/5/0/0");
        assert_int_equal(device->asked_format, sizes[i] > 0 ? 42 : device->asked_format);
        if (sizes[i] > 1024) { /* the rest comes in one piece, as any request */
            assert_int_equal(device->taken, sizes[i]);
            assert_true(device->taken_hash == hash);
        }
        remove_file(NAME);
    }
}

/* It lasts far longer than its time-out, which is for each step. */
static void a_large_push_takes_no_memory_and_its_time(void **state)
{
    const dn_simlink_rules slow = {.delay_min_ms = 20, .delay_max_ms = 20};
    memory_watch watch;
    (void)state;
    uint64_t hash = put_file(NAME, LARGE);
    dn_simlink_rule(r.link, &slow);
    watch.before = watch.most = memory_in_use();
    dn_simlink_watch(r.link, on_datagram, &watch);
    uint64_t begun_ms = dn_simlink_now(r.link);
    rig_outcome outcome = push(NAME, 5000);
    assert_int_equal(outcome.status, DUNLIN_OK);
    assert_int_equal(outcome.code, DN_COAP_CHANGED);
    assert_int_equal(device->taken, LARGE);
    assert_true(device->taken_hash == hash);
    assert_true(watch.most - watch.before < MEMORY_MAX);
    assert_true(dn_simlink_now(r.link) - begun_ms > 100 * 5000);
    assert_int_equal(rig_count(&r).package_bytes, LARGE);
}

/* While one goes on, the device can be asked for its state, and answers soon. */
static void a_push_does_not_keep_reads_waiting(void **state)
{
    const dn_simlink_rules slow = {.delay_min_ms = 10, .delay_max_ms = 10};
    rig_outcome outcome;
    (void)state;
    uint64_t hash = put_file(NAME, MEDIUM);
    dn_simlink_rule(r.link, &slow);
    (void)begin_push(NAME, 5000, &outcome);
    for (unsigned i = 0; i < 5; i++) {
        rig_run(&r, 200);
        uint64_t before_ms = dn_simlink_now(r.link);
        rig_outcome read = rig_read(&r, "a", "/5/0/3");
        assert_int_equal(read.status, DUNLIN_OK);
        assert_true(dn_simlink_now(r.link) - before_ms <= 100);
        assert_false(outcome.done);
    }
    end_push(&outcome);
    assert_int_equal(outcome.status, DUNLIN_OK);
    assert_true(device->taken_hash == hash);
}

static void loss_is_made_good_in_a_push(void **state)
{
    (void)state;
    uint64_t hash = put_file(NAME, MEDIUM / 2);
    dn_simlink_rule(r.link, &bad_link);
    rig_outcome outcome = push(NAME, 120000);
    assert_int_equal(outcome.status, DUNLIN_OK);
    assert_int_equal(device->taken, MEDIUM / 2);
    assert_true(device->taken_hash == hash);
}

static void without_a_package_nothing_is_sent(void **state)
{
    static const char *const names[] = {OTHER, "..", "../" NAME, "/etc/passwd", NAME "0", "x"};
    (void)state;
    (void)put_file(NAME, 10);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        rig_outcome outcome = push(names[i], 1000);
        assert_int_equal(outcome.status, DUNLIN_ERR_NOT_FOUND);
    }
    assert_int_equal(device->asked, 0);
    assert_int_equal(rig_count(&r).requests_sent, 0);
}

static void the_device_may_refuse(void **state)
{
    static const uint8_t codes[] = {DN_COAP_TOO_LARGE, DN_COAP_INTERNAL_ERROR, DN_COAP_UNAUTHORIZED,
                                    DN_COAP_METHOD_NOT_ALLOWED};
    (void)state;
    (void)put_file(NAME, MEDIUM);
    for (size_t i = 0; i < sizeof codes; i++) {
        device->ends_at = i * 10240 + 2048;
        device->ends_with = codes[i];
        rig_outcome outcome = push(NAME, 5000);
        assert_int_equal(outcome.status, DUNLIN_OK);
        assert_int_equal(outcome.code, codes[i]);
        assert_int_equal(device->taken, device->ends_at);
    }
}

/* Gone in the middle: the time-out counts from there. A file in use is let go at the end. */
static void a_push_that_comes_no_further_ends(void **state)
{
    rig_outcome outcome;
    (void)state;
    (void)put_file(NAME, MEDIUM);
    unsigned before = open_files();
    device->ends_at = 50 * 1024;
    uint64_t begun_ms = dn_simlink_now(r.link);
    (void)begin_push(NAME, 30000, &outcome);
    end_push(&outcome);
    assert_int_equal(outcome.status, DUNLIN_ERR_TIMEOUT);
    uint64_t lasted_ms = dn_simlink_now(r.link) - begun_ms;
    assert_true(lasted_ms >= 30000 && lasted_ms <= 31000);
    assert_int_equal(rig_count(&r).requests_timeout, 1);
    assert_false(dn_shard_is_busy(r.shard));
    remove_file(NAME);
    assert_true(open_files() <= before + 1);
    rig_run(&r, 3600000);
    assert_int_equal(rig_count(&r).requests_timeout, 1);
}

static void no_timeout_is_the_protocols(void **state)
{
    (void)state;
    (void)put_file(NAME, MEDIUM);
    device->ends_at = 50 * 1024;
    uint64_t begun_ms = dn_simlink_now(r.link);
    rig_outcome outcome = push(NAME, 0);
    assert_int_equal(outcome.status, DUNLIN_ERR_TIMEOUT);
    assert_true(dn_simlink_now(r.link) - begun_ms <= 93000 + 1000);
}

static void what_ends_a_registration_ends_its_pushes(void **state)
{
    rig_outcome pushes[3];
    (void)state;
    (void)put_file(NAME, MEDIUM);
    (void)put_file(OTHER, MEDIUM);
    const dn_simlink_rules slow = {.delay_min_ms = 10, .delay_max_ms = 10};
    dn_simlink_rule(r.link, &slow);
    (void)begin_push(NAME, 5000, &pushes[0]);
    uint64_t second = begin_push(OTHER, 5000, &pushes[1]);
    (void)begin_push(NAME, 5000, &pushes[2]);
    rig_run(&r, 200);
    rig_post_cancel(&r, second);
    assert_int_equal(pushes[1].status, DUNLIN_ERR_CANCELLED);
    assert_false(pushes[0].done);
    device->takes_pieces = false;
    rig_ask(&r, device, DN_COAP_DELETE, device->location, NULL, DN_COAP_NO_FORMAT, NULL);
    assert_true(pushes[0].done && pushes[2].done);
    assert_int_equal(pushes[0].status, DUNLIN_ERR_CANCELLED);
    assert_int_equal(pushes[2].status, DUNLIN_ERR_CANCELLED);
}

/* It goes on with the file that it began with; what is cut off under its hands ends it. */
static void a_file_may_go_but_not_shrink(void **state)
{
    rig_outcome outcome;
    char path[128];
    (void)state;
    uint64_t hash = put_file(NAME, MEDIUM);
    const dn_simlink_rules slow = {.delay_min_ms = 10, .delay_max_ms = 10};
    dn_simlink_rule(r.link, &slow);
    (void)begin_push(NAME, 5000, &outcome);
    rig_run(&r, 200);
    remove_file(NAME);
    rig_ask(&r, &r.devices[1], DN_COAP_GET, "fw/" NAME, NULL, DN_COAP_NO_FORMAT, NULL);
    assert_int_equal(r.devices[1].code, DN_COAP_NOT_FOUND);
    end_push(&outcome);
    assert_int_equal(outcome.status, DUNLIN_OK);
    assert_true(device->taken_hash == hash);
    (void)put_file(NAME, MEDIUM);
    (void)begin_push(NAME, 5000, &outcome);
    rig_run(&r, 200);
    path_of(NAME, path);
    assert_int_equal(truncate(path, 100), 0);
    end_push(&outcome);
    assert_int_equal(outcome.status, DUNLIN_ERR_IO);
}

/* Through the durable queue: pushed when it can be, begun anew after a sudden end, and failed when the package is gone by then. */
static void queued_pushes_survive(void **state)
{
    dn_device_request ask = {.endpoint = dunlin_slice_of("a"),
                             .method = DN_COAP_PUT,
                             .path = dunlin_path_resource(5, 0, 0),
                             .content_format = 42,
                             .accept = DN_COAP_NO_FORMAT,
                             .package = dunlin_slice_of(NAME)};
    (void)state;
    uint64_t hash = put_file(NAME, MEDIUM);
    const dn_simlink_rules slow = {.delay_min_ms = 10, .delay_max_ms = 10};
    dn_simlink_rule(r.link, &slow);
    rig_queued first = rig_enqueue(&r, &ask, 0);
    assert_int_equal(first.call, DUNLIN_OK);
    ask.package = dunlin_slice_of(OTHER);
    rig_queued second = rig_enqueue(&r, &ask, 0);
    assert_int_equal(second.call, DUNLIN_OK);
    rig_run(&r, 300);
    assert_int_equal(rig_state_of(&r, first.id), DN_QUEUED_DELIVERING);
    assert_true(device->taken > 0 && device->taken < MEDIUM);
    rig_crash(&r, 1000);
    rig_run(&r, 60000);
    rig_queued done = rig_queued_of(&r, first.id);
    assert_int_equal(done.state, DN_QUEUED_ANSWERED);
    assert_int_equal(done.code, DN_COAP_CHANGED);
    assert_int_equal(done.attempts, 2);
    assert_string_equal(done.package, NAME);
    assert_int_equal(device->taken, MEDIUM);
    assert_true(device->taken_hash == hash);
    done = rig_queued_of(&r, second.id);
    assert_int_equal(done.state, DN_QUEUED_FAILED);
    assert_int_equal(done.status, DUNLIN_ERR_NOT_FOUND);
    assert_false(dn_shard_is_busy(r.shard));
}

static void register_sleeper(void)
{
    rig_ask(&r, device, DN_COAP_POST, "rd", "ep=a&lt=864000&lwm2m=1.1&b=U&Q", 40, "</1/0>,</3/0>,</5/0>");
    assert_int_equal(device->code, DN_COAP_CREATED);
}

/* A client in queue mode listens while it takes or fetches blocks, for longer than it would after one message. */
static void transfers_keep_a_device_awake(void **state)
{
    const dn_simlink_rules slow = {.delay_min_ms = 900, .delay_max_ms = 900};
    rig_outcome outcome;
    (void)state;
    uint64_t hash = put_file(NAME, MEDIUM);
    register_sleeper();
    dn_simlink_rule(r.link, &slow);
    (void)begin_push(NAME, 10000, &outcome);
    for (unsigned i = 0; i < 3; i++) {
        rig_run(&r, 100000);
        assert_false(outcome.done);
        assert_int_equal(rig_get(&r, "a").presence, DN_PRESENCE_AWAKE);
    }
    end_push(&outcome);
    assert_int_equal(outcome.status, DUNLIN_OK);
    assert_true(device->taken_hash == hash);
    rig_run(&r, 90000);
    assert_int_equal(rig_get(&r, "a").presence, DN_PRESENCE_AWAKE);
    rig_run(&r, 5000);
    assert_int_equal(rig_get(&r, "a").presence, DN_PRESENCE_ASLEEP);
    rig_begin_download(&r, device, "fw/" NAME);
    for (unsigned i = 0; i < 3; i++) {
        rig_run(&r, 100000);
        assert_false(device->answered);
        assert_int_equal(rig_get(&r, "a").presence, DN_PRESENCE_AWAKE);
    }
}

typedef struct {
    uint64_t number; /* of the datagram to catch, counted from the device */
    uint64_t last;
    size_t len;
    uint8_t bytes[64];
} trap;

static void on_trapped(void *context, uint64_t now_ms, const dn_peer *from, const dn_peer *to,
                       uint64_t number, dunlin_slice datagram, dn_simlink_fate fate)
{
    trap *t = context;
    (void)now_ms;
    (void)to;
    (void)fate;
    if (!dn_peer_equal(from, &device->address)) {
        return;
    }
    t->last = number;
    if (number == t->number) {
        assert_true(datagram.len <= sizeof t->bytes);
        memcpy(t->bytes, datagram.data, datagram.len);
        t->len = datagram.len;
    }
}

/* A block is acknowledged and the push cancelled before the cycle's work: nothing of it is left to be looked at. */
static void a_push_may_end_right_after_a_block(void **state)
{
    trap t = {0};
    rig_outcome outcome;
    (void)state;
    (void)put_file(NAME, MEDIUM);
    dn_simlink_watch(r.link, on_trapped, &t);
    rig_ask(&r, device, DN_COAP_POST, device->location, NULL, DN_COAP_NO_FORMAT, NULL);
    t.number = t.last + 3;
    assert_int_equal(dn_simlink_drop(r.link, &device->address, &r.address, t.number), DUNLIN_OK);
    uint64_t number = begin_push(NAME, 5000, &outcome);
    rig_run(&r, 100);
    assert_true(t.len > 0);
    assert_int_equal(device->taken, 3 * 1024);
    dn_shard_begin(r.shard);
    dn_shard_receive(r.shard, &device->address, dunlin_slice_make(t.bytes, t.len));
    rig_post_cancel(&r, number);
    assert_true(outcome.done);
    assert_int_equal(outcome.status, DUNLIN_ERR_CANCELLED);
    rig_run(&r, 10000);
    assert_false(dn_shard_is_busy(r.shard));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_small_one_comes_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_large_one_takes_no_memory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_names_of_packages_lead_to_a_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_octets_are_to_be_had, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_is_gone_is_not_served, set_up, tear_down),
        cmocka_unit_test_setup_teardown(few_files_stay_open, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_a_directory_there_are_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(downloads_do_not_keep_others_waiting, set_up, tear_down),
        cmocka_unit_test_setup_teardown(loss_is_made_good_in_a_download, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_push_arrives, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_large_push_takes_no_memory_and_its_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_push_does_not_keep_reads_waiting, set_up, tear_down),
        cmocka_unit_test_setup_teardown(loss_is_made_good_in_a_push, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_a_package_nothing_is_sent, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_device_may_refuse, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_push_that_comes_no_further_ends, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_timeout_is_the_protocols, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_ends_a_registration_ends_its_pushes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_may_go_but_not_shrink, set_up, tear_down),
        cmocka_unit_test_setup_teardown(queued_pushes_survive, set_up, tear_down),
        cmocka_unit_test_setup_teardown(transfers_keep_a_device_awake, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_push_may_end_right_after_a_block, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
