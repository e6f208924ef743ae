/* SPDX-License-Identifier: Apache-2.0 */
/* Profiles of devices, their cache, and the content format that follows from them. */
#include "api/profile.h"

#include "api/content_format.h"
#include "codec/format.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static dn_profile *make(const char *links, uint8_t minor)
{
    dn_profile *profile = dn_profile_create((dn_version){1, minor}, dunlin_slice_of(links));
    assert_non_null(profile);
    return profile;
}

static void reads_a_registration(void **state)
{
    (void)state;
    dn_profile *profile =
        make("</lw>;rt=\"oma.lwm2m\";ct=\"110 112\",</lw/3303/1>;ver=\"1.1\",</lw/3303>,</lw/3/0>,"
             "</other>,</lw/5>;ver=1.0,</3311/0>,</lw/3/0/1>",
             1);
    dn_version version;
    assert_string_equal(profile->root, "/lw");
    assert_int_equal(profile->format_count, 2);
    assert_true(dn_profile_announced(profile, 112));
    assert_false(dn_profile_announced(profile, 11542));
    assert_int_equal(profile->entry_count, 4);
    assert_int_equal(profile->entries[0].object, 3);
    assert_true(dn_profile_version(profile, 3303, &version));
    assert_int_equal(version.minor, 1);
    assert_true(dn_profile_version(profile, 3, &version)); /* implied by LwM2M 1.1 */
    assert_int_equal(version.minor, 1);
    assert_false(dn_profile_version(profile, 3311, &version));
    dn_profile_release(profile);
    profile = make("", 0);
    assert_int_equal(profile->entry_count, 0);
    assert_string_equal(profile->root, "/");
    dn_profile_release(profile);
    dn_profile_release(make(",,,<<>>;;\"", 1)); /* rubbish is skipped */
}

static void picks_a_format(void **state)
{
    (void)state;
    static const struct {
        const char *links;
        uint8_t minor;
        uint16_t format;
    } rows[] = {{"</3/0>", 0, DN_FORMAT_TLV},
                {"</>;ct=112,</3/0>", 0, DN_FORMAT_TLV},
                {"</3/0>", 1, DN_FORMAT_SENML_CBOR},
                {"</>;ct=\"110 11542\",</3/0>", 1, DN_FORMAT_SENML_JSON},
                {"</>;rt=\"oma.lwm2m\";ct=11542", 1, DN_FORMAT_TLV},
                {"</>;ct=0", 1, DN_FORMAT_TLV},
                {"</>;ct=\"\"", 1, DN_FORMAT_SENML_CBOR}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        dn_profile *profile = make(rows[i].links, rows[i].minor);
        assert_int_equal(dn_format_for(profile), rows[i].format);
        dn_profile_release(profile);
    }
    assert_int_equal(dn_format_second(DN_FORMAT_SENML_CBOR, DUNLIN_TYPE_STRING), DN_FORMAT_TLV);
    assert_int_equal(dn_format_second(DN_FORMAT_TLV, DUNLIN_TYPE_STRING), DN_FORMAT_TEXT);
    assert_int_equal(dn_format_second(DN_FORMAT_TLV, DUNLIN_TYPE_OPAQUE), DN_FORMAT_OPAQUE);
    assert_int_equal(dn_format_second(DN_FORMAT_TLV, DUNLIN_TYPE_NONE), DN_FORMAT_SENML_JSON);
}

static void the_cache_keeps_and_forgets(void **state)
{
    (void)state;
    dn_seeded seeded;
    dn_seeded_init(&seeded, 1);
    dn_random random = dn_seeded_random(&seeded);
    dn_profiles *cache = dn_profiles_create(5, &random);
    dunlin_slice name = dunlin_slice_of("one");
    uint64_t ticket;
    assert_null(dn_profiles_get(cache, name, &ticket));
    dn_profile *profile = make("</3/0>", 1);
    dn_profiles_put(cache, name, profile, ticket);
    dn_profile *found = dn_profiles_get(cache, name, &ticket);
    assert_ptr_equal(found, profile);
    dn_profile_release(found);
    dn_profiles_forget(cache, name);
    assert_null(dn_profiles_get(cache, name, &ticket));
    /* The device registers anew between the look at the shard and the put: what was fetched is old. */
    dn_profiles_forget(cache, name);
    dn_profiles_put(cache, name, profile, ticket);
    assert_null(dn_profiles_get(cache, name, &ticket));
    dn_profiles_forget_all(cache);
    dn_profiles_put(cache, name, profile, ticket);
    assert_null(dn_profiles_get(cache, name, &ticket));
    dn_profiles_put(cache, name, profile, ticket);
    dn_profiles_free(cache);
    assert_int_equal(profile->entry_count, 1); /* ours still */
    dn_profile_release(profile);
}

static void devices_of_a_kind_share_one(void **state)
{
    (void)state;
    dn_seeded seeded;
    dn_seeded_init(&seeded, 1);
    dn_random random = dn_seeded_random(&seeded);
    dn_profiles *cache = dn_profiles_create(1, &random); /* one place: everybody pushes everybody out */
    dunlin_slice links = dunlin_slice_of("</>;ct=110,</3/0>");
    dn_profile *first = dn_profiles_take(cache, (dn_version){1, 1}, links);
    dn_profile *second = dn_profiles_take(cache, (dn_version){1, 1}, links);
    dn_profile *older = dn_profiles_take(cache, (dn_version){1, 0}, links);
    dn_profile *other = dn_profiles_take(cache, (dn_version){1, 0}, dunlin_slice_of("</3/0>"));
    dn_profile *again = dn_profiles_take(cache, (dn_version){1, 1}, links);
    assert_ptr_equal(first, second);
    assert_ptr_not_equal(first, older);
    assert_int_equal(older->lwm2m.minor, 0);
    assert_int_equal(other->format_count, 0);
    assert_int_equal(again->formats[0], 110);
    dn_profile *all[] = {first, second, older, other, again};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        dn_profile_release(all[i]);
    }
    dn_profiles_free(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_registration), cmocka_unit_test(picks_a_format),
        cmocka_unit_test(the_cache_keeps_and_forgets), cmocka_unit_test(devices_of_a_kind_share_one)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
