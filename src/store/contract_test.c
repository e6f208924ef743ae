/* SPDX-License-Identifier: Apache-2.0 */
/* What server/store.h promises, asked of every store. */
#include "store/memory.h"
#include "store/scratch.h"
#include "store/sqlite.h"
#include "store/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CHANGES_SEED  7u
#define COMMITS       600u
#define COMPARE_EVERY 10u

/* A kind of store, and one of it. */
typedef struct {
    const char *name;
    dn_store *(*open)(const char *dir);
    dn_store *(*after_kill)(dn_store *store, const char *dir,
                            const char *other_dir); /* what kill -9 now would leave */
} kind;

typedef struct {
    const kind *kind;
    char dir[SCRATCH_MAX], other_dir[SCRATCH_MAX];
    dn_store *store;
    world now, committed, loaded;
} fixture;

static dn_store *open_memory(const char *dir)
{
    (void)dir;
    return dn_memory_store_create();
}

static dn_store *memory_after_kill(dn_store *store, const char *dir, const char *other_dir)
{
    (void)dir;
    (void)other_dir;
    return dn_memory_store_snapshot(store);
}

/* Small sizes, so that sweeps, trimming and checkpoints happen all the time. */
static dn_store *open_sqlite(const char *dir)
{
    char error[400];
    dn_store *store = NULL;
    dn_sqlite_config config = dn_sqlite_config_default();
    config.log_kib = 64;
    config.journal_kib = 4;
    if (dn_sqlite_store_open(dir, &config, &store, error, sizeof error) != DUNLIN_OK) {
        fail_msg("%s", error);
    }
    return store;
}

static dn_store *sqlite_after_kill(dn_store *store, const char *dir, const char *other_dir)
{
    (void)store;
    scratch_copy_store(dir, other_dir);
    return open_sqlite(other_dir);
}

static const kind memory_kind = {"memory", open_memory, memory_after_kill};
static const kind sqlite_kind = {"sqlite", open_sqlite, sqlite_after_kill};

static fixture *begin(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->kind = *state;
    scratch_make(f->dir);
    scratch_make(f->other_dir);
    f->store = f->kind->open(f->dir);
    assert_non_null(f->store);
    assert_int_equal(world_load(&f->loaded, f->store), DUNLIN_OK);
    dn_store_source source = world_source(&f->now);
    f->store->ops->attach(f->store, &source);
    return f;
}

static void end(fixture *f)
{
    if (f->store != NULL) {
        f->store->ops->close(f->store);
    }
    scratch_remove(f->dir);
    scratch_remove(f->other_dir);
    free(f);
}

static void assert_same(const world *loaded, const world *expected)
{
    char difference[128];
    if (!world_equal(loaded, expected, difference)) {
        fail_msg("loaded/expected: %s", difference);
    }
}

/* What a restart after kill -9 would find is `expected`. */
static void assert_kept(fixture *f, const world *expected)
{
    dn_store *store = f->kind->after_kill(f->store, f->dir, f->other_dir);
    assert_non_null(store);
    memset(&f->loaded, 0, sizeof f->loaded);
    assert_int_equal(world_load(&f->loaded, store), DUNLIN_OK);
    assert_same(&f->loaded, expected);
    store->ops->close(store);
}

static void a_new_store_is_empty(void **state)
{
    fixture *f = begin(state);
    assert_same(&f->loaded, &f->committed);
    assert_int_equal(f->store->ops->commit(f->store), DUNLIN_OK);
    assert_string_equal(f->store->ops->error(f->store), "");
    assert_kept(f, &f->committed);
    end(f);
}

static void every_field_comes_back_at_its_limits(void **state)
{
    fixture *f = begin(state);
    dn_store *s = f->store;
    static const char odd_name[] = "a\0b'\"\xff\xc3\xa4";
    world_registration *r = &f->now.registrations[0];
    r->used = true;
    r->fixed = (dn_store_registration){.id = UINT64_MAX,
                                       .lifetime_s = UINT32_MAX,
                                       .registered_ms = INT64_MIN,
                                       .updated_ms = INT64_MAX,
                                       .links = UINT32_MAX,
                                       .version_major = 255,
                                       .version_minor = 254,
                                       .binding = 253,
                                       .flags = 252};
    r->fixed.peer.len = DN_PEER_MAX;
    memset(r->fixed.peer.bytes, 0xee, DN_PEER_MAX);
    r->endpoint_len = sizeof odd_name - 1;
    memcpy(r->endpoint, odd_name, sizeof odd_name - 1);
    r->sms_len = 3;
    memcpy(r->sms, "+49", 3);
    world_registration *empty = &f->now.registrations[1];
    empty->used = true;
    empty->fixed.slot = 1;
    world_observation *o = &f->now.observations[3];
    o->used = true;
    o->fixed = (dn_store_observation){
        .number = 3, .path = dunlin_path_root(), .format = 65535, .since_ms = -1, .token = UINT64_MAX};
    world_value *v = &f->now.values[3];
    v->used = true;
    v->fixed = (dn_store_value){.observation = 3, .received_ms = INT64_MAX, .code = 255, .format = 65535};
    world_links *l = &f->now.links[2];
    l->used = true;
    world_request *q = &f->now.requests[1];
    q->used = true;
    q->fixed = (dn_store_request){.number = 1,
                                  .id = UINT64_MAX,
                                  .method = 255,
                                  .auto_accept = true,
                                  .path = dunlin_path_root(),
                                  .content_format = 65535,
                                  .accept = 65535,
                                  .created_ms = INT64_MIN,
                                  .expires_ms = INT64_MAX};
    q->fixed.progress = (dn_store_progress){.request = 1,
                                            .state = 255,
                                            .attempts = UINT32_MAX,
                                            .ended_ms = INT64_MIN,
                                            .status = (dunlin_status)INT32_MIN,
                                            .code = 255,
                                            .format = 65535};
    f->now.request_ids = UINT64_MAX;

    dn_store_registration view = world_registration_view(r);
    s->ops->put_registration(s, &view);
    view = world_registration_view(empty);
    s->ops->put_registration(s, &view);
    s->ops->put_observation(s, &o->fixed);
    dn_store_value value = world_value_view(v);
    s->ops->put_value(s, &value);
    s->ops->put_links(s, 2, dunlin_slice_make(NULL, 0));
    dn_store_request request = world_request_view(q);
    s->ops->put_request(s, &request);
    s->ops->put_request_ids(s, UINT64_MAX);
    assert_int_equal(s->ops->commit(s), DUNLIN_OK);
    assert_kept(f, &f->now);

    /* The same once more takes the way of changes instead of that of new ones. */
    view = world_registration_view(r);
    s->ops->put_registration(s, &view);
    s->ops->put_value(s, &value);
    assert_int_equal(s->ops->commit(s), DUNLIN_OK);
    assert_kept(f, &f->now);
    end(f);
}

static void what_was_not_committed_is_not_kept(void **state)
{
    fixture *f = begin(state);
    dn_seeded seeded;
    dn_seeded_init(&seeded, CHANGES_SEED);
    dn_random random = dn_seeded_random(&seeded);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(world_commit(&f->now, &random, f->store), DUNLIN_OK);
    }
    f->committed = f->now;
    for (int i = 0; i < 100; i++) {
        world_change(&f->now, &random, f->store);
    }
    assert_kept(f, &f->committed);
    assert_int_equal(f->store->ops->commit(f->store), DUNLIN_OK);
    assert_kept(f, &f->now);
    end(f);
}

static void random_changes_are_kept_at_every_commit(void **state)
{
    fixture *f = begin(state);
    dn_seeded seeded;
    dn_seeded_init(&seeded, CHANGES_SEED + 1);
    dn_random random = dn_seeded_random(&seeded);
    for (uint32_t i = 1; i <= COMMITS; i++) {
        assert_int_equal(world_commit(&f->now, &random, f->store), DUNLIN_OK);
        if (i % COMPARE_EVERY == 0) {
            assert_kept(f, &f->now);
        }
    }
    end(f);
}

static void a_dropped_observation_takes_its_value_along(void **state)
{
    fixture *f = begin(state);
    dn_store *s = f->store;
    world_observation *o = &f->now.observations[0];
    o->used = true;
    o->fixed.path = dunlin_path_resource(3303, 0, 5700);
    world_value *v = &f->now.values[0];
    v->used = true;
    v->payload_len = 1;
    v->payload[0] = 'x';
    dn_store_value value = world_value_view(v);
    for (int i = 0; i < 2; i++) { /* a first value goes another way than a second one */
        s->ops->put_observation(s, &o->fixed);
        s->ops->put_value(s, &value);
        assert_int_equal(s->ops->commit(s), DUNLIN_OK);
    }
    assert_kept(f, &f->now);
    memset(o, 0, sizeof *o);
    memset(v, 0, sizeof *v);
    s->ops->drop_observation(s, 0);
    assert_int_equal(s->ops->commit(s), DUNLIN_OK);
    assert_kept(f, &f->now);
    /* Its number's next owner starts without a value. */
    o->used = true;
    o->fixed.path = dunlin_path_object(5);
    s->ops->put_observation(s, &o->fixed);
    assert_int_equal(s->ops->commit(s), DUNLIN_OK);
    assert_kept(f, &f->now);
    end(f);
}

/* Marking keeps the question, dropping takes the progress along, and a new owner of the number starts anew. */
static void a_request_is_marked_and_dropped_whole(void **state)
{
    fixture *f = begin(state);
    dn_store *s = f->store;
    world_request *r = &f->now.requests[0];
    for (int round = 0; round < 2; round++) {
        memset(r, 0, sizeof *r);
        r->used = true;
        r->fixed.id = (uint64_t)round + 1;
        r->body_len = 5000;
        memset(r->body, 'b', r->body_len);
        dn_store_request request = world_request_view(r);
        s->ops->put_request(s, &request);
        assert_int_equal(s->ops->commit(s), DUNLIN_OK);
        assert_kept(f, &f->now);
        for (uint8_t mark = 1; mark < 4; mark++) {
            r->fixed.progress.state = mark;
            r->fixed.progress.attempts = mark;
            r->payload_len = mark;
            memset(r->payload, 'p', mark);
            request = world_request_view(r);
            s->ops->mark_request(s, &request.progress);
            assert_int_equal(s->ops->commit(s), DUNLIN_OK);
            assert_kept(f, &f->now);
        }
        memset(r, 0, sizeof *r);
        s->ops->drop_request(s, 0);
        assert_int_equal(s->ops->commit(s), DUNLIN_OK);
        assert_kept(f, &f->now);
    }
    end(f);
}

/* A number may be dropped before it ever got a value; the first value that comes later counts all the same.
 */
static void a_first_value_after_a_drop_is_kept(void **state)
{
    fixture *f = begin(state);
    dn_store *s = f->store;
    s->ops->put_observation(s, &f->now.observations[0].fixed);
    s->ops->drop_observation(s, 0);
    s->ops->drop_registration(s, 0);
    assert_int_equal(s->ops->commit(s), DUNLIN_OK);
    world_observation *o = &f->now.observations[0];
    o->used = true;
    o->fixed.path = dunlin_path_object(5);
    s->ops->put_observation(s, &o->fixed);
    world_value *v = &f->now.values[0];
    v->used = true;
    dn_store_value value = world_value_view(v);
    s->ops->put_value(s, &value);
    world_registration *r = &f->now.registrations[0];
    r->used = true;
    dn_store_registration view = world_registration_view(r);
    s->ops->put_registration(s, &view);
    assert_int_equal(s->ops->commit(s), DUNLIN_OK);
    assert_kept(f, &f->now);
    end(f);
}

static void touching_and_dropping_nothing_changes_nothing(void **state)
{
    fixture *f = begin(state);
    f->store->ops->touch_registration(f->store, 5, 1);
    f->store->ops->drop_registration(f->store, 6);
    f->store->ops->drop_observation(f->store, 7);
    f->store->ops->drop_links(f->store, 8);
    f->store->ops->drop_request(f->store, 9);
    assert_int_equal(f->store->ops->commit(f->store), DUNLIN_OK);
    assert_kept(f, &f->now);
    end(f);
}

static dunlin_status refuse(void *context, const dn_store_registration *registration)
{
    (void)registration;
    ++*(int *)context;
    return DUNLIN_ERR_LIMIT;
}

static dunlin_status accept_links(void *context, uint32_t number, dunlin_slice text)
{
    (void)context;
    (void)number;
    (void)text;
    return DUNLIN_OK;
}

static void a_loader_that_refuses_ends_the_load(void **state)
{
    fixture *f = begin(state);
    world_registration *r = &f->now.registrations[0];
    r->used = true;
    for (uint32_t slot = 0; slot < 3; slot++) {
        r->fixed.slot = slot;
        dn_store_registration view = world_registration_view(r);
        f->store->ops->put_registration(f->store, &view);
    }
    assert_int_equal(f->store->ops->commit(f->store), DUNLIN_OK);
    dn_store *store = f->kind->after_kill(f->store, f->dir, f->other_dir);
    int calls = 0;
    dn_store_loader loader = {.links = accept_links, .registration = refuse, .context = &calls};
    assert_int_equal(store->ops->load(store, &loader), DUNLIN_ERR_LIMIT);
    assert_int_equal(calls, 1);
    store->ops->close(store);
    r->fixed.slot = 0;
    end(f);
}

#define FOR(kind_name, test)                                                          \
    {                                                                                 \
#kind_name ": " #test, test, NULL, NULL, (void *)(uintptr_t)&kind_name##_kind \
    }
#define FOR_EVERY_KIND(test) FOR(memory, test), FOR(sqlite, test)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FOR_EVERY_KIND(a_new_store_is_empty),
        FOR_EVERY_KIND(every_field_comes_back_at_its_limits),
        FOR_EVERY_KIND(what_was_not_committed_is_not_kept),
        FOR_EVERY_KIND(random_changes_are_kept_at_every_commit),
        FOR_EVERY_KIND(a_dropped_observation_takes_its_value_along),
        FOR_EVERY_KIND(a_request_is_marked_and_dropped_whole),
        FOR_EVERY_KIND(a_first_value_after_a_drop_is_kept),
        FOR_EVERY_KIND(touching_and_dropping_nothing_changes_nothing),
        FOR_EVERY_KIND(a_loader_that_refuses_ends_the_load),
    };
    return cmocka_run_group_tests_name("store_contract", tests, NULL, NULL);
}
