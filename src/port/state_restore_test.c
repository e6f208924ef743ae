/* SPDX-License-Identifier: Apache-2.0 */
/* A client's image and its file: what is restored, set aside, or left alone so that nothing is saved over it; and the file that stands for a card. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "port/card_file.h"
#include "port/state_restore.h"

#define DIGEST   8u
#define MAJOR_AT 4u

typedef struct {
    char folder[64];
    char name[96];
    _Alignas(DUNLIN_ARENA_ALIGN) uint8_t arena[64 * 1024];
    dn_state_file *file;
    uint8_t image[4096];
    size_t len;
    const char *endpoint; /* NULL: "state" */
} device;

static void on_send(void *context, const dunlin_peer *peer, dunlin_slice datagram)
{
    (void)context;
    (void)peer;
    (void)datagram;
}

static void on_random(void *context, void *out, size_t len)
{
    (void)context;
    memset(out, 1, len);
}

static dunlin_status on_resolve(void *context, const char *uri, dunlin_peer *peer)
{
    (void)context;
    (void)uri;
    (void)peer;
    return DUNLIN_ERR_NOT_FOUND;
}

static dunlin_status on_save(void *context, dunlin_slice image)
{
    device *d = context;
    assert_true(image.len <= sizeof d->image);
    memcpy(d->image, image.data, image.len);
    d->len = image.len;
    return dn_state_file_save(d->file, image);
}

static dunlin_client *make(device *d, uint16_t credential_max)
{
    dunlin_client_config config = dunlin_client_config_default();
    config.endpoint = d->endpoint == NULL ? "state" : d->endpoint;
    config.call = (dunlin_client_callbacks){
        .send = on_send, .random = on_random, .resolve = on_resolve, .save = on_save, .context = d};
    config.credential_max = credential_max;
    dunlin_client *client = dunlin_client_create(d->arena, sizeof d->arena, &config, 0);
    assert_non_null(client);
    return client;
}

static void add_server(dunlin_client *client)
{
    dunlin_server server = dunlin_server_default();
    memcpy(server.uri, "coaps://host", sizeof "coaps://host");
    server.security.mode = DUNLIN_PSK;
    server.security.identity = dunlin_slice_of("who");
    server.security.secret = dunlin_slice_of("a secret of some length");
    assert_int_equal(dunlin_client_add_server(client, &server), DUNLIN_OK);
}

static int set_up(void **state)
{
    char error[128];
    device *d = calloc(1, sizeof *d);
    (void)snprintf(d->folder, sizeof d->folder, "/tmp/dunlin-restore-XXXXXX");
    if (mkdtemp(d->folder) == NULL) {
        free(d);
        return -1;
    }
    (void)snprintf(d->name, sizeof d->name, "%s/state", d->folder);
    *state = d;
    return dn_state_file_open(d->name, &d->file, error, sizeof error) == DUNLIN_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    static const char *const suffixes[] = {"", ".new", ".lock", ".damaged"};
    device *d = *state;
    dn_state_file_close(d->file);
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        char name[128];
        (void)snprintf(name, sizeof name, "%s%s", d->name, suffixes[i]);
        (void)unlink(name);
    }
    const int result = rmdir(d->folder);
    free(d);
    return result;
}

static dunlin_status restore(device *d, dunlin_client *client)
{
    char error[512] = "";
    const dunlin_status status = dn_state_restore(d->file, client, error, sizeof error);
    assert_int_equal(status == DUNLIN_OK, error[0] == '\0');
    return status;
}

static bool knows_server(dunlin_client *client)
{
    dunlin_value value;
    return dunlin_client_get(client, dunlin_path_resource(1, 0, 0), &value) == DUNLIN_OK;
}

/* Saves a device with an account. */
static void save(device *d)
{
    dunlin_client *client = make(d, 32);
    assert_int_equal(restore(d, client), DUNLIN_ERR_NOT_FOUND);
    add_server(client);
    dunlin_client_step(client, 1);
    assert_true(d->len > 0);
}

static void put(const device *d)
{
    FILE *file = fopen(d->name, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(d->image, 1, d->len, file), d->len);
    assert_int_equal(fclose(file), 0);
}

static bool is_there(const device *d, const char *suffix)
{
    char name[128];
    (void)snprintf(name, sizeof name, "%s%s", d->name, suffix);
    return access(name, F_OK) == 0;
}

static void it_comes_back(void **state)
{
    device *d = *state;
    save(d);
    dunlin_client *client = make(d, 32);
    assert_false(knows_server(client));
    assert_int_equal(restore(d, client), DUNLIN_OK);
    assert_true(knows_server(client));
}

static void what_is_damaged_is_set_aside(void **state)
{
    device *d = *state;
    save(d);
    d->image[d->len / 2] ^= 1;
    put(d);
    dunlin_client *client = make(d, 32);
    assert_int_equal(restore(d, client), DUNLIN_ERR_MALFORMED);
    assert_false(knows_server(client));
    assert_true(is_there(d, ".damaged"));
    assert_false(is_there(d, ""));
    add_server(client); /* and it goes on from the factory's */
    dunlin_client_step(client, 1);
    assert_true(is_there(d, ""));
}

/* Not replaced by a device that does not understand it: the next release, or the right configuration, will. */
static void what_is_not_understood_stays(void **state)
{
    device *d = *state;
    uint8_t before[sizeof d->image];
    save(d);
    d->image[MAJOR_AT]++;
    const dn_hash_key key = {0x64756e6c696e2069u, 0x6d61676520763100u};
    const uint64_t digest = dn_hash(&key, dunlin_slice_make(d->image, d->len - DIGEST));
    for (size_t i = 0; i < DIGEST; i++) {
        d->image[d->len - DIGEST + i] = (uint8_t)(digest >> (8 * (DIGEST - 1 - i)));
    }
    put(d);
    const size_t len = d->len;
    memcpy(before, d->image, len);
    dunlin_client *client = make(d, 32);
    assert_int_equal(restore(d, client), DUNLIN_ERR_UNSUPPORTED);
    add_server(client);
    dunlin_client_step(client, 1);
    assert_int_equal(dunlin_client_count(client).saves_failed, 1);
    uint8_t *bytes = NULL;
    size_t now = 0;
    char error[64];
    assert_int_equal(dn_state_file_load(d->file, &bytes, &now, error, sizeof error), DUNLIN_OK);
    assert_int_equal(now, len);
    assert_memory_equal(bytes, before, len);
    free(bytes);
}

static void what_does_not_fit_stays(void **state)
{
    device *d = *state;
    save(d);
    assert_int_equal(restore(d, make(d, 8)), DUNLIN_ERR_LIMIT);
    assert_true(is_there(d, ""));
    assert_int_equal(restore(d, make(d, 32)), DUNLIN_OK);
}

/* Two devices, and one directory by mistake: the second one does not take the first one's accounts, nor write over them. */
static void what_is_of_another_device_stays(void **state)
{
    device *d = *state;
    save(d);
    d->endpoint = "stat";
    dunlin_client *client = make(d, 32);
    assert_int_equal(restore(d, client), DUNLIN_ERR_ACCESS);
    assert_false(knows_server(client));
    add_server(client);
    dunlin_client_step(client, 1);
    assert_int_equal(dunlin_client_count(client).saves_failed, 1);
    d->endpoint = NULL;
    client = make(d, 32);
    assert_int_equal(restore(d, client), DUNLIN_OK);
    assert_true(knows_server(client));
}

/* ---- the card ---- */

static void a_card_is_read_anew_each_time(void **state)
{
    device *d = *state;
    uint8_t memory[16];
    dunlin_buf file = dunlin_buf_make(memory, sizeof memory);
    assert_int_equal(dn_card_file_read(d->name, &file), DUNLIN_ERR_NOT_FOUND);
    d->len = 16;
    memset(d->image, 7, d->len);
    put(d);
    assert_int_equal(dn_card_file_read(d->name, &file), DUNLIN_OK);
    assert_int_equal(file.len, 16);
    assert_memory_equal(memory, d->image, 16);
    d->len = 17;
    put(d);
    assert_int_equal(dn_card_file_read(d->name, &file), DUNLIN_ERR_SPACE);
    d->len = 0;
    put(d);
    assert_int_equal(dn_card_file_read(d->name, &file), DUNLIN_OK);
    assert_int_equal(file.len, 0);
    assert_int_equal(dn_card_file_read(d->folder, &file), DUNLIN_ERR_IO);
    assert_int_equal(errno, EISDIR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_comes_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_damaged_is_set_aside, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_not_understood_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_does_not_fit_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_of_another_device_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_card_is_read_anew_each_time, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
