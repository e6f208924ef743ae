/* SPDX-License-Identifier: Apache-2.0 */
/* What a client needs of memory, printed, and held below what is promised. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "tests/client/rig.h"

/* Bytes without bodies and messages, for eight Objects. On a 64 bit host pointers make it more. */
#define PROMISED (sizeof(void *) == 8 ? 14u * 1024 : 10u * 1024 + 512)
#define SMALL    (sizeof(void *) == 8 ? 14u * 1024 : 11u * 1024)

static const dunlin_resource one[] = {{DUNLIN_CONSTANT(1, "x")}};

static void eight_objects_fit_into_what_is_promised(void **state)
{
    static const dunlin_object object = {.id = 5, DUNLIN_TABLE(one)};
    dunlin_client_config config = dunlin_client_config_default();
    (void)state;
    config.endpoint = "x";
    config.objects = 8;
    const size_t objects = 6 * dunlin_client_object_size(&object, 2);
    const size_t all = dunlin_client_arena_size(&config) + objects;
    const size_t buffers = dunlin_client_buffer_size(&config);
    print_message(
        "arena of a client with 8 objects: %zu bytes, of which messages and bodies %zu, the rest %zu; "
        "one more object of 2 instances: %zu\n",
        all, buffers, all - buffers, dunlin_client_object_size(&object, 2));
    assert_true(all - buffers <= PROMISED);
}

/* What security and streams add to that, beside the credentials themselves. */
static void security_and_streams_take_little(void **state)
{
    dunlin_client_config config = dunlin_client_config_default();
    (void)state;
    config.endpoint = "x";
    const size_t bare = dunlin_client_arena_size(&config);
    config.credential_max = 128;
    const size_t secured = dunlin_client_arena_size(&config);
    config.stream_message = 1152;
    const size_t streams = dunlin_client_arena_size(&config);
    print_message("arena by default: %zu bytes; with a PSK: %zu; and streams: %zu\n", bare, secured, streams);
    assert_in_range(secured - bare, 3 * 128, 3 * 128 + 300);
    assert_in_range(streams - secured, 1, 300);
}

/* A small device: short messages, one block-wise transfer at a time, and nothing that it can do without. */
static void a_small_device(void **state)
{
    dunlin_client_config config = dunlin_client_config_default();
    (void)state;
    config.objects = 6;
    config.observations = 4;
    config.attributes = 4;
    config.list_max = 256;
    config.max_message = 320;
    config.max_body = 512;
    config.block_size = 256;
    config.exchanges = 2;
    config.transfers = 1;
    config.undo_max = 128;
    config.composites = 0;
    config.stored = 0;
    config.stored_max = 0;
    config.sends = 0;
    const size_t all = dunlin_client_arena_size(&config);
    print_message("arena of a small one: %zu bytes in all\n", all);
    assert_in_range(all, 1, SMALL);
}

static void the_arena_is_used_as_announced(void **state)
{
    static _Alignas(16) uint8_t arena[RIG_ARENA_MAX];
    static rig r;
    (void)state;
    rig_open(&r, DUNLIN_LWM2M_1_1, 1);
    const size_t size = dunlin_client_arena_size(&r.config);
    dunlin_client *client = dunlin_client_create(arena, sizeof arena, &r.config, 0);
    assert_non_null(client);
    assert_int_equal(dunlin_client_arena_used(client), size);
    const dunlin_object object = {.id = 5, DUNLIN_TABLE(one)};
    assert_int_equal(dunlin_client_add_object(client, &object, NULL, 1, 1, NULL), DUNLIN_OK);
    assert_int_equal(dunlin_client_arena_used(client), size + dunlin_client_object_size(&object, 1));

    memset(arena, 0, sizeof arena);
    client = dunlin_client_create(arena, size, &r.config, 0);
    assert_non_null(client);
    assert_int_equal(dunlin_client_add_object(client, &object, NULL, 1, 1, NULL), DUNLIN_ERR_MEMORY);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eight_objects_fit_into_what_is_promised),
        cmocka_unit_test(security_and_streams_take_little),
        cmocka_unit_test(a_small_device),
        cmocka_unit_test(the_arena_is_used_as_announced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
