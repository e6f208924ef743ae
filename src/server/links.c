/* SPDX-License-Identifier: Apache-2.0 */
/* Interning by content, and the one look at a list that finds its alternate path, its formats and its
 * instances. */
#include "server/links.h"

#include "codec/link.h"

#include <stdlib.h>
#include <string.h>

#define OBJECT_SERVER 1
#define OBJECT_DEVICE 3

/* Content formats that we read (Core 1.1.1 section 7.4). */
static const uint16_t known_formats[] = {0, 40, 42, 60, 110, 112, 11542, 11543};

bool dn_link_lists_init(dn_link_lists *lists, uint32_t max_lists, uint32_t max_bytes, const dn_hash_key *key,
                        dn_durable *durable)
{
    *lists = (dn_link_lists){.key = *key, .max_bytes = max_bytes, .durable = durable};
    return dn_slab_init(&lists->slab, sizeof(dn_link_list), max_lists) &&
           dn_index_init(&lists->by_content, 0);
}

static dn_link_list *at(dn_link_lists *lists, uint32_t number)
{
    return dn_slab_at(&lists->slab, number);
}

static void unmake(dn_link_list *list)
{
    free(list->instances);
    free(list->text);
}

void dn_link_lists_free(dn_link_lists *lists)
{
    for (uint32_t number = 0; number < lists->slab.used; number++) {
        unmake(at(lists, number));
    }
    dn_slab_free(&lists->slab);
    dn_index_free(&lists->by_content);
}

dunlin_slice dn_link_lists_text(const dn_link_lists *lists, uint32_t number)
{
    const dn_link_list *list = dn_link_lists_at(lists, number);
    return dunlin_slice_make(list->text, list->len);
}

dunlin_slice dn_link_lists_root(const dn_link_lists *lists, uint32_t number)
{
    const dn_link_list *list = dn_link_lists_at(lists, number);
    return dunlin_slice_make(list->text + list->root_at, list->root_len);
}

/* Takes the next word of a blank-separated list (RFC 6690 section 3.1: rt and ct may hold several). */
static dunlin_slice next_word(dunlin_slice *rest)
{
    size_t start = 0;
    if (rest->len == 0) {
        return *rest; /* there may be nothing to point into */
    }
    while (start < rest->len && rest->data[start] == ' ') {
        start++;
    }
    size_t end = start;
    while (end < rest->len && rest->data[end] != ' ') {
        end++;
    }
    dunlin_slice word = dunlin_slice_make(rest->data + start, end - start);
    *rest = dunlin_slice_make(rest->data + end, rest->len - end);
    return word;
}

static bool has_word(dunlin_slice list, dunlin_slice wanted)
{
    for (dunlin_slice word = next_word(&list); word.len > 0; word = next_word(&list)) {
        if (dunlin_slice_equal(word, wanted)) {
            return true;
        }
    }
    return false;
}

static bool is_known_format(dunlin_slice word)
{
    uint32_t number = 0;
    if (word.len == 0 || word.len > 5) {
        return false;
    }
    for (size_t i = 0; i < word.len; i++) {
        if (word.data[i] < '0' || word.data[i] > '9') {
            return false;
        }
        number = number * 10 + (uint32_t)(word.data[i] - '0');
    }
    for (size_t i = 0; i < sizeof known_formats / sizeof known_formats[0]; i++) {
        if (known_formats[i] == number) {
            return true;
        }
    }
    return false;
}

static bool knows_a_format(dunlin_slice list)
{
    for (dunlin_slice word = next_word(&list); word.len > 0; word = next_word(&list)) {
        if (is_known_format(word)) {
            return true;
        }
    }
    return false;
}

/*
 * Takes `target` as the alternate path (Transport 1.1.1 section 6.4.1): segments that are not numbers, so
 * that it cannot be taken for an object. "/" is the ordinary root. Percent-escapes are not supported in it.
 */
static bool set_root(dn_link_list *list, dunlin_slice text, dunlin_slice target)
{
    while (target.len > 0 && target.data[target.len - 1] == '/') {
        target.len--;
    }
    if (target.len > DN_LINKS_ROOT_MAX || (target.len > 0 && target.data[0] != '/')) {
        return false;
    }
    bool numeric = true;
    for (size_t i = 1; i <= target.len; i++) {
        uint8_t c = i < target.len ? target.data[i] : '/';
        if (c == '/') {
            if (target.len > 0 && (numeric || target.data[i - 1] == '/')) {
                return false;
            }
            numeric = true;
        } else if (c <= ' ' || c >= 0x7f || c == '%' || c == '?' || c == '#') {
            return false;
        } else if (c < '0' || c > '9') {
            numeric = false;
        }
    }
    list->root_at = target.len > 0 ? (uint32_t)(target.data - text.data) : 0;
    list->root_len = (uint16_t)target.len;
    return true;
}

static bool is_root_target(dunlin_slice target)
{
    return target.len == 0 || (target.len == 1 && target.data[0] == '/');
}

/* Reads all parameters, so that a broken one is found now; keeps what we use of them. */
static bool study_link(dn_link_list *list, dunlin_slice text, const dn_link *link)
{
    dn_link_param param;
    bool is_root = is_root_target(link->target);
    dunlin_slice formats = {NULL, 0};
    dunlin_status status;
    for (size_t position = 0; (status = dn_link_param_next(link, &position, &param)) == DUNLIN_OK;) {
        if (dunlin_slice_equal(param.name, dunlin_slice_of("rt")) &&
            has_word(param.value, dunlin_slice_of("oma.lwm2m"))) {
            is_root = true;
            if (!set_root(list, text, link->target)) {
                return false;
            }
        } else if (dunlin_slice_equal(param.name, dunlin_slice_of("ct"))) {
            formats = param.value;
        }
    }
    if (status != DUNLIN_END) {
        return false;
    }
    if (is_root && formats.len > 0) {
        list->formats_unknown = !knows_a_format(formats);
    }
    return true;
}

static int compare_instances(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return left < right ? -1 : left > right;
}

/* The objects below the root. Links that are no LwM2M paths are left alone. */
static bool study_objects(dn_link_list *list, dunlin_slice text, size_t links)
{
    dn_link_reader reader;
    dn_link link;
    dunlin_slice root = list->root_len > 0 ? dunlin_slice_make(text.data + list->root_at, list->root_len)
                                           : dunlin_slice_of("/");
    bool server = false, device = false;
    list->instances = malloc((links > 0 ? links : 1) * sizeof *list->instances);
    if (list->instances == NULL) {
        return false;
    }
    dn_links_read(&reader, text);
    while (dn_links_next(&reader, &link) == DUNLIN_OK) {
        dunlin_path path;
        if (dn_link_path(&link, root, &path) != DUNLIN_OK || path.depth == 0) {
            continue;
        }
        server = server || path.id[0] == OBJECT_SERVER;
        device = device || path.id[0] == OBJECT_DEVICE;
        if (path.depth == 2) {
            list->instances[list->instance_count++] = (uint32_t)path.id[0] << 16 | path.id[1];
        }
    }
    qsort(list->instances, list->instance_count, sizeof *list->instances, compare_instances);
    list->lacks_core = !server || !device;
    return true;
}

bool dn_link_lists_have(const dn_link_lists *lists, uint32_t number, uint16_t object, uint16_t instance)
{
    const dn_link_list *list = dn_link_lists_at(lists, number);
    uint32_t wanted = (uint32_t)object << 16 | instance;
    return bsearch(&wanted, list->instances, list->instance_count, sizeof wanted, compare_instances) != NULL;
}

/* One pass for grammar and root, a second for the objects below that root. */
static dunlin_status study(dn_link_list *list, dunlin_slice text)
{
    dn_link_reader reader;
    dn_link link;
    dunlin_status status;
    size_t links = 0;
    dn_links_read(&reader, text);
    while ((status = dn_links_next(&reader, &link)) == DUNLIN_OK) {
        if (!study_link(list, text, &link)) {
            return DUNLIN_ERR_MALFORMED;
        }
        links++;
    }
    if (status != DUNLIN_END) {
        return DUNLIN_ERR_MALFORMED;
    }
    return study_objects(list, text, links) ? DUNLIN_OK : DUNLIN_ERR_MEMORY;
}

static dunlin_status fill(dn_link_list *list, dunlin_slice text, uint32_t hash)
{
    dunlin_status status = study(list, text);
    if (status != DUNLIN_OK) {
        return status;
    }
    list->text = malloc(text.len > 0 ? text.len : 1);
    if (list->text == NULL) {
        unmake(list);
        return DUNLIN_ERR_MEMORY;
    }
    if (text.len > 0) {
        memcpy(list->text, text.data, text.len);
    }
    list->len = (uint32_t)text.len;
    list->hash = hash;
    return DUNLIN_OK;
}

static uint32_t find(const dn_link_lists *lists, dunlin_slice text, uint32_t hash)
{
    uint32_t number;
    dn_index_walk walk = dn_index_find(&lists->by_content, hash);
    while (dn_index_next(&walk, &number)) {
        if (dunlin_slice_equal(dn_link_lists_text(lists, number), text)) {
            return number;
        }
    }
    return DN_LINKS_NONE;
}

dunlin_status dn_link_lists_take(dn_link_lists *lists, dunlin_slice text, uint32_t *number)
{
    uint32_t hash = (uint32_t)dn_hash(&lists->key, text);
    *number = find(lists, text, hash);
    if (*number != DN_LINKS_NONE) {
        at(lists, *number)->refs++;
        return DUNLIN_OK;
    }
    if (text.len > lists->max_bytes) {
        return DUNLIN_ERR_SPACE;
    }
    dn_link_list list = {0};
    dunlin_status status = fill(&list, text, hash);
    if (status != DUNLIN_OK) {
        return status;
    }
    uint32_t slot = dn_slab_take(&lists->slab);
    if (slot == DN_SLAB_NONE || !dn_index_put(&lists->by_content, hash, slot)) {
        unmake(&list);
        if (slot == DN_SLAB_NONE) {
            return DUNLIN_ERR_LIMIT;
        }
        dn_slab_give(&lists->slab, slot);
        return DUNLIN_ERR_MEMORY;
    }
    list.refs = 1;
    *at(lists, slot) = list;
    dn_store *store = dn_durable_write(lists->durable);
    store->ops->put_links(store, slot, dunlin_slice_make(list.text, list.len));
    *number = slot;
    return DUNLIN_OK;
}

static void drop(dn_link_lists *lists, uint32_t number)
{
    dn_link_list *list = at(lists, number);
    dn_store *store = dn_durable_write(lists->durable);
    store->ops->drop_links(store, number);
    dn_index_remove(&lists->by_content, list->hash, number);
    unmake(list);
    dn_slab_give(&lists->slab, number);
}

void dn_link_lists_give(dn_link_lists *lists, uint32_t number)
{
    if (--at(lists, number)->refs == 0) {
        drop(lists, number);
    }
}

dunlin_status dn_link_lists_load(dn_link_lists *lists, uint32_t number, dunlin_slice text)
{
    dn_link_list list = {0};
    uint32_t hash = (uint32_t)dn_hash(&lists->key, text);
    dunlin_status status = fill(&list, text, hash);
    if (status != DUNLIN_OK) {
        return status;
    }
    if ((number < lists->slab.used && at(lists, number)->text != NULL) ||
        !dn_slab_place(&lists->slab, number)) {
        unmake(&list);
        return DUNLIN_ERR_LIMIT;
    }
    *at(lists, number) = list;
    return dn_index_put(&lists->by_content, hash, number) ? DUNLIN_OK : DUNLIN_ERR_MEMORY;
}

bool dn_link_lists_load_user(dn_link_lists *lists, uint32_t number)
{
    if (number >= lists->slab.used || at(lists, number)->text == NULL) {
        return false;
    }
    at(lists, number)->refs++;
    return true;
}

static bool in_use(const void *record)
{
    return ((const dn_link_list *)record)->text != NULL;
}

void dn_link_lists_loaded(dn_link_lists *lists)
{
    dn_slab_placed(&lists->slab, in_use);
    for (uint32_t number = 0; number < lists->slab.used; number++) {
        if (at(lists, number)->text != NULL && at(lists, number)->refs == 0) {
            drop(lists, number);
        }
    }
}
