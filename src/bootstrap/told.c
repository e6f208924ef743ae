/* SPDX-License-Identifier: Apache-2.0 */
/* A device's links, as far as a bootstrap needs them; see told.h. */
#include "bootstrap/told.h"

#include "codec/link.h"
#include "model/object.h"

#include <stdlib.h>

static int32_t number_of(dunlin_slice digits)
{
    int32_t number = 0;
    for (size_t i = 0; i < digits.len; i++) {
        if (digits.data[i] < '0' || digits.data[i] > '9' || number > UINT16_MAX) {
            return -1;
        }
        number = number * 10 + (digits.data[i] - '0');
    }
    return digits.len > 0 && number <= UINT16_MAX ? number : -1;
}

static void read_version(dn_bs_told *told, const dn_link *link)
{
    dn_link_param param;
    dn_version version;
    if (dn_link_param_find(link, "lwm2m", &param) == DUNLIN_OK && param.has_value &&
        dn_version_parse(param.value, &version) == DUNLIN_OK) {
        told->major = version.major;
        told->minor = version.minor;
    }
}

static dunlin_status add(dn_bs_told *told, const dn_link *link, dunlin_path path)
{
    dn_link_param param;
    if (told->count == DN_BS_TOLD_MAX) {
        return DUNLIN_ERR_LIMIT;
    }
    /* Grows when the count reaches a power of two. */
    if ((told->count & (told->count - 1)) == 0) {
        size_t room = told->count > 0 ? told->count * 2 : 1;
        dn_bs_told_instance *grown = realloc(told->list, room * sizeof *grown);
        if (grown == NULL) {
            return DUNLIN_ERR_MEMORY;
        }
        told->list = grown;
    }
    bool has_ssid = dn_link_param_find(link, "ssid", &param) == DUNLIN_OK && param.has_value;
    told->list[told->count++] =
        (dn_bs_told_instance){path.id[0], path.id[1], has_ssid ? number_of(param.value) : -1};
    return DUNLIN_OK;
}

static uint32_t key_of(uint16_t object, uint16_t instance)
{
    return (uint32_t)object << 16 | instance;
}

static int by_key(const void *a, const void *b)
{
    const dn_bs_told_instance *one = a;
    const dn_bs_told_instance *other = b;
    const uint32_t first = key_of(one->object, one->instance);
    const uint32_t second = key_of(other->object, other->instance);
    return first < second ? -1 : first > second;
}

dunlin_status dn_bs_told_read(dn_bs_told *told, dunlin_slice links)
{
    dn_link_reader reader;
    dn_link link;
    dunlin_path path;
    dn_bs_told_free(told);
    dn_links_read(&reader, links);
    dunlin_status status = dn_links_next(&reader, &link);
    for (; status == DUNLIN_OK; status = dn_links_next(&reader, &link)) {
        /* The head of 1.0 has no target, that of 1.1 the root's. */
        bool is_path = link.target.len > 0 && dn_link_path(&link, dunlin_slice_of("/"), &path) == DUNLIN_OK;
        if (!is_path || path.depth == 0) {
            read_version(told, &link);
        } else if (path.depth == 2) {
            status = add(told, &link, path);
        }
        if (status != DUNLIN_OK) {
            break;
        }
    }
    if (status != DUNLIN_END) {
        dn_bs_told_free(told);
        return status;
    }
    if (told->count > 0) {
        qsort(told->list, told->count, sizeof *told->list, by_key);
    }
    return DUNLIN_OK;
}

void dn_bs_told_free(dn_bs_told *told)
{
    free(told->list);
    told->list = NULL;
    told->count = 0;
    told->major = told->minor = 0;
}

const dn_bs_told_instance *dn_bs_told_find(const dn_bs_told *told, uint16_t object, uint16_t instance)
{
    const dn_bs_told_instance wanted = {.object = object, .instance = instance};
    return told->count > 0 ? bsearch(&wanted, told->list, told->count, sizeof wanted, by_key) : NULL;
}

int32_t dn_bs_told_account(const dn_bs_told *told)
{
    for (size_t i = 0; i < told->count && told->list[i].object == 0; i++) {
        if (told->list[i].ssid < 0) {
            return told->list[i].instance;
        }
    }
    return -1;
}
