/* SPDX-License-Identifier: Apache-2.0 */
/* Links as sets, as the expected texts are examples (supersets are allowed, blanks and quotes differ). */
#include "ets/links.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_attribute(dunlin_slice name)
{
    static const char *const names[] = {"pmin", "pmax", "gt", "lt", "st", "epmin", "epmax"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (dunlin_slice_equal(name, dunlin_slice_of(names[i]))) {
            return true;
        }
    }
    return false;
}

bool dn_ets_find_link(const char *links, const char *root, dunlin_path path, dn_ets_link *out)
{
    dn_link_reader reader;
    dunlin_path target;
    dn_links_read(&reader, dunlin_slice_of(links));
    while (dn_links_next(&reader, out) == DUNLIN_OK) {
        if (dn_link_path(out, dunlin_slice_of(root), &target) == DUNLIN_OK &&
            dunlin_path_equal(target, path)) {
            return true;
        }
    }
    return false;
}

static double number(dunlin_slice text)
{
    char copy[32];
    (void)snprintf(copy, sizeof copy, "%.*s", (int)(text.len < 31 ? text.len : 31), (const char *)text.data);
    return strtod(copy, NULL);
}

static bool same(const dn_link_param *a, const dn_link_param *b)
{
    return dunlin_slice_equal(a->value, b->value) ||
           (a->value.len > 0 && b->value.len > 0 && number(a->value) == number(b->value));
}

/* Every parameter of `want` is in `got` with the same value. */
static bool has_parameters(const dn_ets_link *want, const dn_ets_link *got, char *why, size_t why_size)
{
    size_t at = 0;
    dn_link_param wanted, found;
    while (dn_link_param_next(want, &at, &wanted) == DUNLIN_OK) {
        char name[32];
        (void)snprintf(name, sizeof name, "%.*s", (int)(wanted.name.len < 31 ? wanted.name.len : 31),
                       (const char *)wanted.name.data);
        if (dn_link_param_find(got, name, &found) != DUNLIN_OK || !same(&wanted, &found)) {
            (void)snprintf(why, why_size, "%s=%.*s is missing, or other, at <%.*s>", name,
                           (int)wanted.value.len, (const char *)wanted.value.data, (int)want->target.len,
                           (const char *)want->target.data);
            return false;
        }
    }
    return true;
}

static bool has_no_more(const dn_ets_link *want, const dn_ets_link *got, char *why, size_t why_size)
{
    size_t at = 0;
    dn_link_param found, wanted;
    while (dn_link_param_next(got, &at, &found) == DUNLIN_OK) {
        char name[32];
        (void)snprintf(name, sizeof name, "%.*s", (int)(found.name.len < 31 ? found.name.len : 31),
                       (const char *)found.name.data);
        if (is_attribute(found.name) && dn_link_param_find(want, name, &wanted) != DUNLIN_OK) {
            (void)snprintf(why, why_size, "%s should not be at <%.*s>", name, (int)want->target.len,
                           (const char *)want->target.data);
            return false;
        }
    }
    return true;
}

bool dn_ets_links_match(const char *links, const char *root, const char *expected, char *why, size_t why_size)
{
    dn_link_reader reader;
    dn_ets_link want, got;
    dunlin_path path;
    why[0] = '\0';
    dn_links_read(&reader, dunlin_slice_of(expected));
    while (dn_links_next(&reader, &want) == DUNLIN_OK) {
        if (dn_link_path(&want, dunlin_slice_of("/"), &path) != DUNLIN_OK ||
            !dn_ets_find_link(links, root, path, &got)) {
            (void)snprintf(why, why_size, "<%.*s> is missing", (int)want.target.len,
                           (const char *)want.target.data);
            return false;
        }
        if (!has_parameters(&want, &got, why, why_size) || !has_no_more(&want, &got, why, why_size)) {
            return false;
        }
    }
    return true;
}
