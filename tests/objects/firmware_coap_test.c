/* SPDX-License-Identifier: Apache-2.0 */
/* Packages that the device gets over CoAP from a repository, in virtual time: good links and bad, resets, other packages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/objects/firmware_rig.h"

static struct {
    _Alignas(16) uint8_t arena[4 * RIG_ARENA_MAX];
    dn_coap *coap;
    dn_seeded seed;
    uint64_t size;
    uint8_t etag;
    bool deaf;
    uint64_t asked;       /* blocks */
    uint64_t first_block; /* the first one since begin_repository, or since this was set to UINT64_MAX */
} repository;

static bool read_block(void *context, uint64_t offset, void *out, size_t len)
{
    (void)context;
    if (repository.first_block == UINT64_MAX) {
        repository.first_block = offset;
    }
    repository.asked++;
    memcpy(out, s.package + offset, len);
    return true;
}

static dn_coap_answered serve(void *context, const dn_coap_incoming *request, dunlin_buf *body,
                              dn_coap_reply *reply)
{
    static dn_coap_source source;
    static dn_coap_option etag; /* until the engine has sent it */
    dn_coap_options options = request->options;
    dunlin_slice path;
    (void)context;
    (void)body;
    const bool known = dn_coap_option_find(&options, DN_OPTION_URI_PATH, &path) == DUNLIN_OK &&
                       dunlin_slice_equal(path, dunlin_slice_of("fw"));
    reply->code = known ? DN_COAP_CONTENT : DN_COAP_NOT_FOUND;
    if (known) {
        source = (dn_coap_source){.size = repository.size, .read = read_block};
        etag = (dn_coap_option){DN_OPTION_ETAG, dunlin_slice_make(&repository.etag, 1)};
        reply->options = &etag;
        reply->option_count = 1;
        reply->source = &source;
    }
    return DN_COAP_ANSWERED;
}

static void repository_send(void *context, const dn_peer *peer, dunlin_slice datagram)
{
    (void)context;
    dn_simlink_send(s.r.link, &s.r.other_address, peer, datagram);
}

static void repository_receive(void *context, const dn_peer *from, dunlin_slice datagram, uint64_t now_ms)
{
    (void)context;
    if (!repository.deaf) {
        dn_coap_receive(repository.coap, from, datagram, now_ms);
    }
}

static uint64_t repository_deadline(void *context)
{
    (void)context;
    return dn_coap_deadline(repository.coap);
}

static void repository_expire(void *context, uint64_t now_ms)
{
    (void)context;
    dn_coap_expire(repository.coap, now_ms);
}

/* Puts one of `size` bytes on the link as "coap://other". */
static void begin_repository(uint64_t size)
{
    static const dn_simlink_endpoint endpoint = {repository_receive, repository_deadline, repository_expire,
                                                 NULL};
    const dn_coap_callbacks callbacks = {.send = repository_send, .request = serve};
    const dn_coap_config config = dn_coap_config_default();
    memset(&repository, 0, sizeof repository);
    repository.size = size;
    repository.etag = 'a';
    repository.first_block = UINT64_MAX;
    dn_seeded_init(&repository.seed, 5);
    const dn_random random = dn_seeded_random(&repository.seed);
    repository.coap = dn_coap_create(repository.arena, sizeof repository.arena, &config, &callbacks, &random,
                                     NULL, dn_simlink_now(s.r.link));
    assert_non_null(repository.coap);
    assert_int_equal(dn_simlink_attach(s.r.link, &endpoint, &s.r.other_address), DUNLIN_OK);
}

static bool not_downloading(void *context)
{
    (void)context;
    return dunlin_firmware_state_of(&s.firmware) != DOWNLOADING &&
           dunlin_firmware_deadline(&s.firmware) == DUNLIN_NEVER;
}

static void finish_pull(void)
{
    assert_true(
        dn_simlink_run(s.r.link, dn_simlink_now(s.r.link) + UINT64_C(1000000000), not_downloading, NULL));
}

static void pull_over_coap(void **state)
{
    (void)state;
    begin_repository(30001);
    assert_string_equal(write_uri("coap://other/fw"), "2.04");
    finish_pull();
    expect_state(DOWNLOADED, GOOD);
    assert_int_equal(s.verified_size, 30001);
    assert_memory_equal(s.flash, s.package, 30001);
    assert_string_equal(write_uri(""), "2.04");
    assert_string_equal(write_uri("coap://other/nothing"), "2.04");
    finish_pull();
    expect_state(IDLE, DUNLIN_FIRMWARE_URI);
    assert_string_equal(write_uri("coap://nowhere/fw"), "2.04");
    finish_pull();
    expect_state(IDLE, DUNLIN_FIRMWARE_URI);
}

static void pull_of_20_mb(void **state)
{
    const dn_simlink_rules rules = {.delay_min_ms = 5, .delay_max_ms = 20};
    const size_t before = dunlin_client_arena_used(s.r.client);
    (void)state;
    begin_repository(PACKAGE_MAX);
    dn_simlink_rule(s.r.link, &rules);
    assert_string_equal(write_uri("coap://other/fw"), "2.04");
    finish_pull();
    expect_state(DOWNLOADED, GOOD);
    assert_int_equal(s.verified_size, PACKAGE_MAX);
    assert_memory_equal(s.flash, s.package, PACKAGE_MAX);
    assert_int_equal(dunlin_client_arena_used(s.r.client), before);
}

static void coap_pull_over_a_lossy_link(void **state)
{
    const dn_simlink_rules rules = {.loss_permille = 100, .delay_min_ms = 5, .delay_max_ms = 20};
    const dn_simlink_rules good = {.loss_permille = 0};
    (void)state;
    begin_repository(200000);
    assert_string_equal(write_uri("coap://other/fw"), "2.04");
    dn_simlink_rule(s.r.link, &rules);
    finish_pull();
    dn_simlink_rule(s.r.link, &good);
    expect_state(DOWNLOADED, GOOD);
    assert_memory_equal(s.flash, s.package, 200000);
}

/* int-775: the link goes while downloading. What is there is continued, until the tries are used up. */
static void coap_pull_is_cut(void **state)
{
    const dn_simlink_rules rules = {.delay_min_ms = 5, .delay_max_ms = 20};
    (void)state;
    begin_repository(8000000);
    dn_simlink_rule(s.r.link, &rules);
    assert_string_equal(write_uri("coap://other/fw"), "2.04");
    rig_run(&s.r, 5000);
    expect_state(DOWNLOADING, GOOD);
    repository.deaf = true;
    rig_run(&s.r, 150000); /* one try is given up by then, and not yet the last */
    repository.deaf = false;
    repository.first_block = UINT64_MAX;
    rig_run(&s.r, 100000);
    assert_true(repository.first_block > 0 && repository.first_block != UINT64_MAX);
    expect_state(DOWNLOADING, GOOD);
    repository.deaf = true;
    finish_pull();
    expect_state(IDLE, DUNLIN_FIRMWARE_CONNECTION_LOST);
}

static void coap_pull_over_a_reset(void **state)
{
    const dn_simlink_rules rules = {.delay_min_ms = 5, .delay_max_ms = 20};
    (void)state;
    begin_repository(400000);
    dn_simlink_rule(s.r.link, &rules);
    assert_string_equal(write_uri("coap://other/fw"), "2.04");
    rig_run(&s.r, 5000);
    assert_true(s.kept.offset > 0 && s.kept.offset < 400000);
    reset_device();
    begin_repository(400000);
    finish_pull();
    expect_state(DOWNLOADED, GOOD);
    assert_true(repository.first_block > 0);
    assert_int_equal(s.begins, 1);
    assert_memory_equal(s.flash, s.package, 400000);
}

/* The ETag says that it is another package: from the start. */
static void coap_pull_begins_anew(void **state)
{
    const dn_simlink_rules rules = {.delay_min_ms = 5, .delay_max_ms = 20};
    (void)state;
    begin_repository(400000);
    dn_simlink_rule(s.r.link, &rules);
    assert_string_equal(write_uri("coap://other/fw"), "2.04");
    rig_run(&s.r, 5000);
    reset_device();
    begin_repository(100000);
    repository.etag = 'b';
    finish_pull();
    expect_state(DOWNLOADED, GOOD);
    assert_int_equal(s.begins, 2);
    assert_int_equal(s.verified_size, 100000);
    assert_memory_equal(s.flash, s.package, 100000);
}

static void coap_pull_is_cancelled(void **state)
{
    const dn_simlink_rules rules = {.delay_min_ms = 5, .delay_max_ms = 20};
    (void)state;
    begin_repository(4000000);
    dn_simlink_rule(s.r.link, &rules);
    assert_string_equal(write_uri("coap://other/fw"), "2.04");
    rig_run(&s.r, 2000);
    assert_string_equal(write_uri(""), "2.04");
    expect_state(IDLE, GOOD);
    const uint64_t asked = repository.asked;
    rig_run(&s.r, 60000);
    assert_int_equal(repository.asked, asked);
    repository.size = 5000; /* and the next one can begin */
    assert_string_equal(write_uri("coap://other/fw"), "2.04");
    finish_pull();
    expect_state(DOWNLOADED, GOOD);
    assert_memory_equal(s.flash, s.package, 5000);
}

int main(void)
{
#define ONE(test) cmocka_unit_test_setup_teardown(test, open_device, close_device)
    const struct CMUnitTest tests[] = {
        ONE(pull_over_coap),         ONE(pull_of_20_mb),          ONE(coap_pull_over_a_lossy_link),
        ONE(coap_pull_is_cut),       ONE(coap_pull_over_a_reset), ONE(coap_pull_begins_anew),
        ONE(coap_pull_is_cancelled),
    };
    const int failed = cmocka_run_group_tests_name("oma_firmware_coap", tests, NULL, NULL);
    free_device();
    return failed;
}
