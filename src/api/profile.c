/* SPDX-License-Identifier: Apache-2.0 */
/* Profiles of devices; see profile.h. */
#include "api/profile.h"

#include "codec/link.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    dn_profile shown; /* first, so that a dn_profile is one of these */
    atomic_uint references;
    dn_profile_entry entries[];
} counted;

/* The number that `text` starts with, and what follows a blank or comma; false at the end or for anything else. */
static bool next_number(dunlin_slice text, size_t *at, uint32_t *number)
{
    while (*at < text.len && (text.data[*at] == ' ' || text.data[*at] == ',')) {
        (*at)++;
    }
    size_t first = *at;
    *number = 0;
    while (*at < text.len && *at - first < 6 && text.data[*at] >= '0' && text.data[*at] <= '9') {
        *number = *number * 10 + (text.data[(*at)++] - '0');
    }
    return *at > first;
}

/* The root link: </lwm2m>;rt="oma.lwm2m";ct="110 112" (Core 1.1.1 section 6.2.1). */
static void read_root(dn_profile *profile, const dn_link *link)
{
    dn_link_param param;
    bool named = dn_link_param_find(link, "rt", &param) == DUNLIN_OK &&
                 dunlin_slice_equal(param.value, dunlin_slice_of("oma.lwm2m"));
    bool bare = link->target.len == 1 && link->target.data[0] == '/';
    if (!named && !bare) {
        return;
    }
    if (named && link->target.len > 0 && link->target.len < DN_PROFILE_ROOT_MAX) {
        memcpy(profile->root, link->target.data, link->target.len);
        profile->root[link->target.len] = 0;
    }
    if (dn_link_param_find(link, "ct", &param) != DUNLIN_OK) {
        return;
    }
    uint32_t number;
    size_t at = 0;
    while (profile->format_count < DN_PROFILE_FORMATS && next_number(param.value, &at, &number)) {
        if (number < UINT16_MAX) {
            profile->formats[profile->format_count++] = (uint16_t)number;
        }
    }
}

static int compare_entries(const void *a, const void *b)
{
    const dn_profile_entry *left = a;
    const dn_profile_entry *right = b;
    if (left->object != right->object) {
        return left->object < right->object ? -1 : 1;
    }
    /* The object's own link has the largest instance number: it comes last. */
    return left->instance == right->instance ? 0 : left->instance < right->instance ? -1 : 1;
}

/* Gives every entry of an object the version that one of its links names, else the implied one (Core 1.1.1 section 7.2.2). */
static void settle_versions(counted *made)
{
    size_t first = 0;
    while (first < made->shown.entry_count) {
        size_t end = first;
        dn_version version = dn_version_implied(made->entries[first].object, made->shown.lwm2m);
        for (; end < made->shown.entry_count && made->entries[end].object == made->entries[first].object;
             end++) {
            if (made->entries[end].version.major != 0) { /* 0.0: its link named none */
                version = made->entries[end].version;
            }
        }
        for (; first < end; first++) {
            made->entries[first].version = version;
        }
    }
}

static size_t count_links(dunlin_slice links)
{
    size_t count = 1;
    for (size_t i = 0; i < links.len; i++) {
        count += links.data[i] == ',';
    }
    return count;
}

static void read_links(counted *made, dunlin_slice links)
{
    dn_link_reader reader;
    dn_link link;
    dn_links_read(&reader, links);
    while (dn_links_next(&reader, &link) == DUNLIN_OK) {
        read_root(&made->shown, &link);
    }
    dunlin_slice root = dunlin_slice_of(made->shown.root);
    dn_links_read(&reader, links);
    while (dn_links_next(&reader, &link) == DUNLIN_OK) {
        dunlin_path path;
        if (dn_link_path(&link, root, &path) != DUNLIN_OK || path.depth < 1 || path.depth > 2) {
            continue;
        }
        dn_profile_entry *entry = &made->entries[made->shown.entry_count++];
        *entry = (dn_profile_entry){.object = path.id[0],
                                    .instance = path.depth == 2 ? path.id[1] : (uint16_t)DUNLIN_ID_NONE};
        dn_link_param param;
        if (dn_link_param_find(&link, "ver", &param) == DUNLIN_OK) {
            dn_version version;
            if (dn_version_parse(param.value, &version) == DUNLIN_OK) {
                entry->version = version;
            }
        }
    }
}

dn_profile *dn_profile_create(dn_version lwm2m, dunlin_slice links)
{
    counted *made = calloc(1, sizeof *made + count_links(links) * sizeof made->entries[0]);
    if (made == NULL) {
        return NULL;
    }
    atomic_init(&made->references, 1);
    dn_profile *profile = &made->shown;
    profile->lwm2m = lwm2m;
    profile->root[0] = '/';
    profile->entries = made->entries;
    read_links(made, links);
    if (profile->entry_count > 0) {
        qsort(made->entries, profile->entry_count, sizeof made->entries[0], compare_entries);
    }
    settle_versions(made);
    return profile;
}

dn_profile *dn_profile_hold(dn_profile *profile)
{
    counted *made = (counted *)(void *)profile;
    atomic_fetch_add_explicit(&made->references, 1, memory_order_relaxed);
    return profile;
}

void dn_profile_release(dn_profile *profile)
{
    counted *made = (counted *)(void *)profile;
    if (made != NULL && atomic_fetch_sub_explicit(&made->references, 1, memory_order_acq_rel) == 1) {
        free(made);
    }
}

bool dn_profile_version(const dn_profile *profile, uint16_t object, dn_version *version)
{
    size_t low = 0;
    size_t high = profile->entry_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (profile->entries[middle].object < object) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == profile->entry_count || profile->entries[low].object != object) {
        return false;
    }
    *version = profile->entries[low].version;
    return true;
}

bool dn_profile_announced(const dn_profile *profile, uint16_t format)
{
    for (size_t i = 0; i < profile->format_count; i++) {
        if (profile->formats[i] == format) {
            return true;
        }
    }
    return false;
}

void dn_version_text(dn_version version, char out[16])
{
    snprintf(out, 16, "%u.%u", version.major, version.minor);
}
