/* SPDX-License-Identifier: Apache-2.0 */
/* What security/credentials.h promises, asked of both keepers; and what a restart leaves. */
#include "store/credentials.h"
#include "store/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct {
    bool on_disk;
    char dir[SCRATCH_MAX];
    dn_credentials *keeper;
    int64_t now_ms;
    uint64_t changed;
    bool changed_new;
    unsigned changes;
} fixture;

static int64_t now_ms(void *context)
{
    return ((fixture *)context)->now_ms;
}

static void changed(void *context, uint64_t number, bool is_new)
{
    fixture *f = context;
    f->changed = number;
    f->changed_new = is_new;
    f->changes++;
}

static void open_keeper(fixture *f)
{
    char error[400] = "";
    dn_credential_store_config config = dn_credential_store_config_default();
    config.dir = f->on_disk ? f->dir : NULL;
    config.wall_ms = now_ms;
    config.wall_context = f;
    if (dn_credential_store_open(&config, &f->keeper, error, sizeof error) != DUNLIN_OK) {
        fail_msg("%s", error);
    }
    f->keeper->changed = changed;
    f->keeper->changed_context = f;
}

static int set_up(void **state, bool on_disk)
{
    fixture *f = calloc(1, sizeof *f);
    f->on_disk = on_disk;
    f->now_ms = 1000;
    scratch_make(f->dir);
    open_keeper(f);
    *state = f;
    return 0;
}

static int set_up_memory(void **state)
{
    return set_up(state, false);
}

static int set_up_disk(void **state)
{
    return set_up(state, true);
}

static int tear_down(void **state)
{
    fixture *f = *state;
    f->keeper->ops->close(f->keeper);
    scratch_remove(f->dir);
    free(f);
    return 0;
}

static void restart(fixture *f)
{
    if (f->on_disk) {
        f->keeper->ops->close(f->keeper);
        open_keeper(f);
    }
}

/* ---- credentials ---- */

static dn_credential of_endpoint(const char *endpoint, unsigned mode)
{
    dn_credential c = {.mode = (uint8_t)mode, .endpoint_len = (uint8_t)strlen(endpoint)};
    memcpy(c.endpoint, endpoint, strlen(endpoint));
    c.is_pattern = dn_endpoint_is_pattern(dunlin_slice_of(endpoint));
    return c;
}

static dn_credential psk(const char *endpoint, const char *identity, uint8_t fill)
{
    dn_credential c = of_endpoint(endpoint, DN_SECURITY_PSK);
    c.identity_len = (uint8_t)strlen(identity);
    memcpy(c.identity, identity, strlen(identity));
    c.key_len = 16;
    memset(c.key, fill, c.key_len);
    return c;
}

static dn_credential rpk(const char *endpoint, uint8_t fill)
{
    static const uint8_t head[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                   0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                   0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04};
    dn_credential c = of_endpoint(endpoint, DN_SECURITY_RPK);
    c.public_key_len = 91;
    memset(c.public_key, fill, c.public_key_len);
    memcpy(c.public_key, head, sizeof head);
    return c;
}

/* `name` may be NULL; `fingerprint` 0: none. */
static dn_credential x509(const char *endpoint, const char *name, uint8_t fingerprint)
{
    dn_credential c = of_endpoint(endpoint, DN_SECURITY_X509);
    if (name != NULL) {
        c.name_len = (uint8_t)strlen(name);
        memcpy(c.name, name, strlen(name));
    }
    c.has_fingerprint = fingerprint != 0;
    memset(c.fingerprint, fingerprint, sizeof c.fingerprint);
    return c;
}

static void put(fixture *f, dn_credential c)
{
    assert_int_equal(f->keeper->ops->put(f->keeper, &c, NULL), DUNLIN_OK);
}

static dn_credential get(fixture *f, const char *endpoint)
{
    dn_credential c;
    assert_int_equal(f->keeper->ops->get(f->keeper, dunlin_slice_of(endpoint), &c), DUNLIN_OK);
    return c;
}

static bool is_known(fixture *f, const char *endpoint)
{
    return f->keeper->ops->is_known(f->keeper, dunlin_slice_of(endpoint));
}

static bool is_current(fixture *f, const dn_credential *c)
{
    return f->keeper->ops->is_current(f->keeper, c->number, c->generation);
}

/* ---- tests ---- */

static void test_psk(void **state)
{
    fixture *f = *state;
    dn_credential found;
    put(f, psk("dev-1", "id-1", 7));
    restart(f);
    assert_int_equal(f->keeper->ops->find_psk(f->keeper, dunlin_slice_of("id-1"), &found), DUNLIN_OK);
    assert_int_equal(found.key_len, 16);
    for (size_t i = 0; i < 16; i++) {
        assert_int_equal(found.key[i], 7);
    }
    assert_memory_equal(found.endpoint, "dev-1", 5);
    assert_int_equal(found.created_ms, 1000);
    assert_int_equal(f->keeper->ops->find_psk(f->keeper, dunlin_slice_of("id-2"), &found),
                     DUNLIN_ERR_NOT_FOUND);
    assert_int_equal(f->keeper->ops->find_psk(f->keeper, dunlin_slice_of("id-"), &found),
                     DUNLIN_ERR_NOT_FOUND);
    assert_int_equal(f->keeper->ops->find_psk(f->keeper, dunlin_slice_of(""), &found), DUNLIN_ERR_NOT_FOUND);
}

static void test_any_bytes(void **state)
{
    fixture *f = *state;
    dn_credential c = of_endpoint("dev", DN_SECURITY_PSK);
    dn_credential found;
    c.identity_len = DN_PSK_IDENTITY_MAX;
    c.key_len = DN_PSK_KEY_MAX;
    for (size_t i = 0; i < DN_PSK_IDENTITY_MAX; i++) {
        c.identity[i] = (uint8_t)(i * 2); /* zeros and bytes that are no UTF-8 among them */
        c.key[i % DN_PSK_KEY_MAX] = (uint8_t)i;
    }
    put(f, c);
    restart(f);
    dunlin_slice identity = dunlin_slice_make(c.identity, c.identity_len);
    assert_int_equal(f->keeper->ops->find_psk(f->keeper, identity, &found), DUNLIN_OK);
    assert_int_equal(found.key_len, DN_PSK_KEY_MAX);
    assert_memory_equal(found.key, c.key, DN_PSK_KEY_MAX);
    identity.len--;
    assert_int_equal(f->keeper->ops->find_psk(f->keeper, identity, &found), DUNLIN_ERR_NOT_FOUND);
}

static void test_no_keys_but_for_handshakes(void **state)
{
    fixture *f = *state;
    static const uint8_t zeros[DN_PSK_KEY_MAX] = {0};
    put(f, psk("dev-1", "id-1", 7));
    dn_credential c = get(f, "dev-1");
    assert_int_equal(c.key_len, 16);
    assert_memory_equal(c.key, zeros, sizeof zeros);
}

static void test_rpk(void **state)
{
    fixture *f = *state;
    dn_credential c = rpk("dev-1", 5);
    dn_credential found;
    put(f, c);
    restart(f);
    const dunlin_slice key = dunlin_slice_make(c.public_key, c.public_key_len);
    assert_int_equal(f->keeper->ops->find_key(f->keeper, key, &found), DUNLIN_OK);
    assert_memory_equal(found.public_key, c.public_key, 91);
    c = rpk("dev-2", 6);
    assert_int_equal(f->keeper->ops->find_key(f->keeper, key, &found), DUNLIN_ERR_NOT_FOUND);
}

static void test_unique(void **state)
{
    fixture *f = *state;
    bool created = false;
    put(f, psk("dev-1", "id-1", 1));
    put(f, rpk("dev-2", 2));
    dn_credential c = psk("dev-3", "id-1", 1);
    assert_int_equal(f->keeper->ops->put(f->keeper, &c, &created), DUNLIN_ERR_DUPLICATE);
    c = rpk("dev-3", 2);
    assert_int_equal(f->keeper->ops->put(f->keeper, &c, &created), DUNLIN_ERR_DUPLICATE);
    c = psk("dev-2", "id-1", 1); /* replacing another one makes no difference */
    assert_int_equal(f->keeper->ops->put(f->keeper, &c, &created), DUNLIN_ERR_DUPLICATE);
    assert_int_equal(get(f, "dev-2").mode, DN_SECURITY_RPK);
    assert_int_equal(f->keeper->ops->count(f->keeper), 2);
    assert_int_equal(f->changes, 2);
    c = psk("dev-1", "id-1", 9);
    assert_int_equal(f->keeper->ops->put(f->keeper, &c, &created), DUNLIN_OK);
    assert_false(created);
    /* What another kind gave up is free. */
    put(f, x509("dev-1", NULL, 0));
    put(f, psk("dev-3", "id-1", 1));
}

static void test_bad_ones(void **state)
{
    fixture *f = *state;
    static const struct {
        const char *what;
        const char *endpoint;
        unsigned mode, identity_len, key_len;
    } table[] = {
        {"no endpoint", "", DN_SECURITY_PSK, 3, 16},       {"no identity", "dev", DN_SECURITY_PSK, 0, 16},
        {"no key", "dev", DN_SECURITY_PSK, 3, 0},          {"short key", "dev", DN_SECURITY_PSK, 3, 7},
        {"long key", "dev", DN_SECURITY_PSK, 3, 65},       {"long identity", "dev", DN_SECURITY_PSK, 129, 16},
        {"no mode", "dev", DN_SECURITY_NOSEC, 3, 16},      {"no public key", "dev", DN_SECURITY_RPK, 0, 0},
        {"bad UTF-8", "\xff\xfe", DN_SECURITY_X509, 0, 0},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        dn_credential c = of_endpoint(table[i].endpoint, table[i].mode);
        c.identity_len = (uint8_t)table[i].identity_len;
        memset(c.identity, 'x', sizeof c.identity);
        c.key_len = (uint8_t)table[i].key_len;
        memset(c.key, 1, sizeof c.key);
        if (f->keeper->ops->put(f->keeper, &c, NULL) != DUNLIN_ERR_ARGUMENT) {
            fail_msg("%s was taken", table[i].what);
        }
    }
    dn_credential pattern = rpk("dev-*", 1);
    assert_int_equal(f->keeper->ops->put(f->keeper, &pattern, NULL), DUNLIN_ERR_ARGUMENT);
    assert_int_equal(f->keeper->ops->count(f->keeper), 0);
}

static void test_generations(void **state)
{
    fixture *f = *state;
    put(f, psk("dev-1", "id-1", 1));
    dn_credential first = get(f, "dev-1");
    assert_true(is_current(f, &first));
    f->now_ms = 2000;
    assert_true(f->changed_new);
    put(f, psk("dev-1", "id-1", 1)); /* proves what it proved */
    assert_false(f->changed_new);
    assert_true(is_current(f, &first));
    assert_int_equal(get(f, "dev-1").created_ms, 1000);
    assert_int_equal(get(f, "dev-1").changed_ms, 2000);
    put(f, psk("dev-1", "id-1", 2));
    assert_false(is_current(f, &first));
    dn_credential second = get(f, "dev-1");
    assert_int_equal(second.number, first.number);
    assert_true(is_current(f, &second));
    restart(f);
    assert_true(is_current(f, &second));
    assert_int_equal(f->keeper->ops->remove(f->keeper, dunlin_slice_of("dev-1")), DUNLIN_OK);
    assert_int_equal(f->changed, first.number);
    assert_false(f->changed_new);
    assert_false(is_current(f, &second));
    restart(f);
    put(f, psk("dev-1", "id-1", 2));
    dn_credential third = get(f, "dev-1");
    assert_int_not_equal(third.number, second.number);
    assert_true(third.generation > second.generation);
    assert_false(f->keeper->ops->is_current(f->keeper, 0, 0));
    assert_false(f->keeper->ops->is_current(f->keeper, UINT64_MAX, 0));
}

static void test_remove(void **state)
{
    fixture *f = *state;
    dn_credential c;
    assert_int_equal(f->keeper->ops->remove(f->keeper, dunlin_slice_of("dev-1")), DUNLIN_ERR_NOT_FOUND);
    put(f, psk("dev-*", "shared", 1));
    assert_true(is_known(f, "dev-1"));
    assert_int_equal(f->keeper->ops->remove(f->keeper, dunlin_slice_of("dev-1")), DUNLIN_ERR_NOT_FOUND);
    assert_int_equal(f->keeper->ops->remove(f->keeper, dunlin_slice_of("dev-*")), DUNLIN_OK);
    assert_false(is_known(f, "dev-1"));
    assert_int_equal(f->keeper->ops->count(f->keeper), 0);
    assert_int_equal(f->keeper->ops->find_psk(f->keeper, dunlin_slice_of("shared"), &c),
                     DUNLIN_ERR_NOT_FOUND);
    assert_int_equal(f->keeper->ops->get(f->keeper, dunlin_slice_of("dev-*"), &c), DUNLIN_ERR_NOT_FOUND);
}

static void test_known(void **state)
{
    fixture *f = *state;
    put(f, psk("dev-1", "id-1", 1));
    put(f, psk("meter-*-?", "id-2", 1));
    put(f, x509("x*", NULL, 0));
    restart(f);
    assert_true(is_known(f, "dev-1"));
    assert_false(is_known(f, "dev-2"));
    assert_true(is_known(f, "meter-north-7"));
    assert_false(is_known(f, "meter-7"));
    assert_true(is_known(f, "x"));
    put(f, rpk("dev-2", 4));
    assert_true(is_known(f, "dev-2"));
}

typedef struct {
    dn_credential list[8];
    size_t count;
    bool more;
} copy;

static void take_page(void *context, const dn_credential_page *page)
{
    copy *c = context;
    c->count = page->count;
    c->more = page->more;
    memcpy(c->list, page->list, page->count * sizeof c->list[0]);
}

static void list(fixture *f, const char *after, uint32_t limit, const char *substring, copy *out)
{
    assert_int_equal(f->keeper->ops->list(f->keeper, dunlin_slice_of(after), limit,
                                          dunlin_slice_of(substring), take_page, out),
                     DUNLIN_OK);
}

static void test_list(void **state)
{
    fixture *f = *state;
    static const char *const names[] = {"b", "a", "ab", "\xc3\xa9t\xc3\xa9", "B", "c*"};
    static const char *const order[] = {"B", "a", "ab", "b", "c*", "\xc3\xa9t\xc3\xa9"};
    copy page;
    list(f, "", 1, "", &page);
    assert_int_equal(page.count, 0);
    for (size_t i = 0; i < 6; i++) {
        put(f, psk(names[i], names[i], 1));
    }
    list(f, "", 6, "", &page);
    assert_int_equal(page.count, 6);
    assert_false(page.more);
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(page.list[i].endpoint_len, strlen(order[i]));
        assert_memory_equal(page.list[i].endpoint, order[i], strlen(order[i]));
        assert_int_equal(page.list[i].key[0], 0);
    }
    list(f, "a", 2, "", &page);
    assert_int_equal(page.count, 2);
    assert_true(page.more);
    assert_memory_equal(page.list[0].endpoint, "ab", 2);
    list(f, "", 8, "b", &page);
    assert_int_equal(page.count, 2);
    list(f, "", 8, "*", &page);
    assert_int_equal(page.count, 1);
    list(f, "", 8, "%", &page);
    assert_int_equal(page.count, 0);
    assert_int_equal(
        f->keeper->ops->list(f->keeper, dunlin_slice_of(""), 0, dunlin_slice_of(""), take_page, &page),
        DUNLIN_ERR_ARGUMENT);
    assert_int_equal(
        f->keeper->ops->list(f->keeper, dunlin_slice_of(""), 1001, dunlin_slice_of(""), take_page, &page),
        DUNLIN_ERR_ARGUMENT);
}

/* ---- certificates ---- */

typedef struct {
    const char *what;
    const char *names[3];
    uint8_t fingerprint;
    bool is_trusted;
    dunlin_status status;
    const char *endpoint;
    bool is_pattern;
} certificate_case;

static void check_certificates(fixture *f, const certificate_case *table, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        dunlin_slice names[3];
        uint8_t fingerprint[DN_FINGERPRINT_LEN];
        dn_certificate_claims claims = {
            .fingerprint = fingerprint, .names = names, .is_trusted = table[i].is_trusted};
        memset(fingerprint, table[i].fingerprint, sizeof fingerprint);
        while (claims.count < 3 && table[i].names[claims.count] != NULL) {
            names[claims.count] = dunlin_slice_of(table[i].names[claims.count]);
            claims.count++;
        }
        dn_credential found = {.mode = 99};
        const dunlin_status status = f->keeper->ops->find_names(f->keeper, &claims, &found);
        if (status != table[i].status) {
            fail_msg("%s: status %d instead of %d", table[i].what, (int)status, (int)table[i].status);
        }
        if (status == DUNLIN_OK && (found.endpoint_len != strlen(table[i].endpoint) ||
                                    memcmp(found.endpoint, table[i].endpoint, found.endpoint_len) != 0 ||
                                    found.is_pattern != table[i].is_pattern)) {
            fail_msg("%s: found %.*s", table[i].what, (int)found.endpoint_len, found.endpoint);
        }
    }
}

static void test_certificates(void **state)
{
    fixture *f = *state;
    static const certificate_case table[] = {
        {"by its name", {"dev-1"}, 1, true, DUNLIN_OK, "dev-1", false},
        {"by the second name", {"x", "dev-1"}, 1, true, DUNLIN_OK, "dev-1", false},
        {"not trusted", {"dev-1"}, 1, false, DUNLIN_ERR_ACCESS, NULL, false},
        {"unknown", {"dev-9"}, 1, true, DUNLIN_ERR_NOT_FOUND, NULL, false},
        {"unknown, not trusted", {"dev-9"}, 1, false, DUNLIN_ERR_NOT_FOUND, NULL, false},
        {"no names", {NULL}, 1, true, DUNLIN_ERR_NOT_FOUND, NULL, false},
        {"the name given for it", {"host.example"}, 1, true, DUNLIN_OK, "dev-2", false},
        {"its endpoint, where a name is given", {"dev-2"}, 1, true, DUNLIN_ERR_ACCESS, NULL, false},
        {"pinned, not trusted", {"whoever"}, 0x33, false, DUNLIN_OK, "dev-3", false},
        {"pinned, another certificate", {"dev-3"}, 0x34, true, DUNLIN_ERR_ACCESS, NULL, false},
        {"pinned for several: by the name", {"dev-5"}, 0x44, false, DUNLIN_OK, "dev-5", false},
        {"pinned for several: the oldest", {"dev-9"}, 0x44, false, DUNLIN_OK, "dev-4", false},
        {"for all of a pattern", {"meter-7"}, 1, true, DUNLIN_OK, "meter-7", false},
        {"a pattern, not trusted", {"meter-7"}, 1, false, DUNLIN_ERR_ACCESS, NULL, false},
        {"a pattern that is pinned, and its certificate", {"meter-7"}, 0x55, false, DUNLIN_OK, "pin-*", true},
        {"a pattern that is pinned, another certificate", {"pin-7"}, 1, true, DUNLIN_ERR_ACCESS, NULL, false},
        {"a name of another kind", {"meter-psk"}, 1, true, DUNLIN_ERR_ACCESS, NULL, false},
        {"a name that looks like the pattern", {"meter-*"}, 1, true, DUNLIN_ERR_NOT_FOUND, NULL, false},
        {"the name of a PSK", {"dev-6"}, 1, true, DUNLIN_ERR_ACCESS, NULL, false},
    };
    put(f, x509("dev-1", NULL, 0));
    put(f, x509("dev-2", "host.example", 0));
    put(f, x509("dev-3", NULL, 0x33));
    put(f, x509("dev-4", NULL, 0x44));
    put(f, x509("dev-5", NULL, 0x44));
    put(f, psk("dev-6", "id-6", 1));
    put(f, x509("meter-*", NULL, 0));
    put(f, x509("pin-*", NULL, 0x55));
    put(f, psk("meter-psk", "id-1", 1));
    restart(f);
    check_certificates(f, table, sizeof table / sizeof table[0]);
}

static void test_overlapping_patterns(void **state)
{
    fixture *f = *state;
    static const certificate_case table[] = {
        {"the wide one", {"dev-7"}, 1, true, DUNLIN_OK, "dev-7", false},
        {"the more particular pattern decides", {"meter-7"}, 1, true, DUNLIN_ERR_ACCESS, NULL, false},
    };
    put(f, x509("*", NULL, 0));
    put(f, x509("meter-*", NULL, 0x12));
    put(f, psk("dev-?", "shared", 1)); /* a PSK of a pattern stands in nobody's way */
    check_certificates(f, table, 2);
}

static void test_limits(void **state)
{
    fixture *f = *state;
    char name[32];
    for (unsigned i = 0; i < 1000; i++) {
        if (f->on_disk && i == 40) { /* each waits for the disk; the rest is the same */
            return;
        }
        snprintf(name, sizeof name, "p%u-*", i);
        put(f, psk(name, name, 1));
    }
    dn_credential c = psk("one-more-*", "one-more", 1);
    assert_int_equal(f->keeper->ops->put(f->keeper, &c, NULL), DUNLIN_ERR_LIMIT);
    put(f, psk("p0-*", "again", 1));
    put(f, psk("plain", "plain", 1));
}

static void test_limit_of_all(void **state)
{
    char error[200];
    dn_credentials *keeper = NULL;
    dn_credential_store_config config = dn_credential_store_config_default();
    (void)state;
    config.max = 1;
    assert_int_equal(dn_credential_store_open(&config, &keeper, error, sizeof error), DUNLIN_OK);
    dn_credential c = psk("a", "a", 1);
    assert_int_equal(keeper->ops->put(keeper, &c, NULL), DUNLIN_OK);
    c = psk("b", "b", 1);
    assert_int_equal(keeper->ops->put(keeper, &c, NULL), DUNLIN_ERR_LIMIT);
    c = psk("a", "b", 1);
    assert_int_equal(keeper->ops->put(keeper, &c, NULL), DUNLIN_OK);
    keeper->ops->close(keeper);
}

#define BOTH(test)                                                   \
    cmocka_unit_test_setup_teardown(test, set_up_memory, tear_down), \
        cmocka_unit_test_setup_teardown(test, set_up_disk, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(test_psk),
        BOTH(test_any_bytes),
        BOTH(test_no_keys_but_for_handshakes),
        BOTH(test_rpk),
        BOTH(test_unique),
        BOTH(test_bad_ones),
        BOTH(test_generations),
        BOTH(test_remove),
        BOTH(test_known),
        BOTH(test_list),
        BOTH(test_certificates),
        BOTH(test_overlapping_patterns),
        BOTH(test_limits),
        cmocka_unit_test(test_limit_of_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
