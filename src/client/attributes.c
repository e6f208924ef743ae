/* SPDX-License-Identifier: Apache-2.0 */
/* Write-Attributes, and the table of what was written. */
#include "client/attributes.h"

#include "client/image.h"
#include "client/observe.h"
#include "client/operation.h"
#include "client/resource.h"
#include "codec/format.h"
#include <math.h>
#include <string.h>

/* The attributes by name. Exactly one of the offsets counts: whole seconds, or a decimal. */
static const struct attribute {
    const char *name;
    uint8_t bit;
    bool decimal;
    size_t offset;
} attribute_table[] = {
    {"pmin", DN_ATTR_PMIN, false, offsetof(dn_attributes, pmin_s)},
    {"pmax", DN_ATTR_PMAX, false, offsetof(dn_attributes, pmax_s)},
    {"gt", DN_ATTR_GT, true, offsetof(dn_attributes, gt)},
    {"lt", DN_ATTR_LT, true, offsetof(dn_attributes, lt)},
    {"st", DN_ATTR_ST, true, offsetof(dn_attributes, st)},
    {"epmin", DN_ATTR_EPMIN, false, offsetof(dn_attributes, epmin_s)},
    {"epmax", DN_ATTR_EPMAX, false, offsetof(dn_attributes, epmax_s)},
};
#define ATTRIBUTE_COUNT (sizeof attribute_table / sizeof attribute_table[0])

#define CODE_OK 0

static uint8_t *member(dn_attributes *attributes, const struct attribute *attribute)
{
    return (uint8_t *)attributes + attribute->offset;
}

static const uint8_t *const_member(const dn_attributes *attributes, const struct attribute *attribute)
{
    return (const uint8_t *)attributes + attribute->offset;
}

static size_t member_size(const struct attribute *attribute)
{
    return attribute->decimal ? sizeof(double) : sizeof(uint32_t);
}

dn_attributes *dn_client_attributes_at(dunlin_client *client, uint16_t server, dunlin_path path)
{
    for (uint16_t i = 0; i < client->config.attributes; i++) {
        dn_attributes *entry = &client->attributes[i];
        if (entry->server == server && dunlin_path_equal(entry->path, path)) {
            return entry;
        }
    }
    return NULL;
}

dn_attributes dn_client_attributes_effective(dunlin_client *client, uint16_t server, dunlin_path path)
{
    dn_attributes result;
    memset(&result, 0, sizeof result);
    result.path = path;
    result.server = server;
    for (uint8_t depth = path.depth; depth >= 1; depth--) {
        dunlin_path level = path;
        level.depth = depth;
        const dn_attributes *own = dn_client_attributes_at(client, server, level);
        for (size_t i = 0; own != NULL && i < ATTRIBUTE_COUNT; i++) {
            const struct attribute *attribute = &attribute_table[i];
            if ((own->set & attribute->bit) == 0 || (result.set & attribute->bit) != 0) {
                continue;
            }
            memcpy(member(&result, attribute), const_member(own, attribute), member_size(attribute));
            result.set |= attribute->bit;
        }
    }
    return result;
}

void dn_client_attributes_drop(dunlin_client *client, dunlin_path path)
{
    for (uint16_t i = 0; i < client->config.attributes; i++) {
        if (client->attributes[i].server != 0 && dunlin_path_within(client->attributes[i].path, path)) {
            memset(&client->attributes[i], 0, sizeof client->attributes[i]);
            dn_client_image_touch(client);
        }
    }
}

void dn_client_attributes_forget(dunlin_client *client, uint16_t server)
{
    for (uint16_t i = 0; i < client->config.attributes; i++) {
        if (client->attributes[i].server == server) {
            memset(&client->attributes[i], 0, sizeof client->attributes[i]);
            dn_client_image_touch(client);
        }
    }
}

void dn_client_attributes_put(dn_link_writer *writer, const dn_attributes *attributes)
{
    for (size_t i = 0; i < ATTRIBUTE_COUNT; i++) {
        const struct attribute *attribute = &attribute_table[i];
        uint32_t seconds = 0;
        double decimal = 0;
        if ((attributes->set & attribute->bit) == 0) {
            continue;
        }
        if (attribute->decimal) {
            memcpy(&decimal, const_member(attributes, attribute), sizeof decimal);
            dn_link_put_decimal(writer, attribute->name, decimal);
        } else {
            memcpy(&seconds, const_member(attributes, attribute), sizeof seconds);
            dn_link_put_number(writer, attribute->name, seconds);
        }
    }
}

static const struct attribute *find_attribute(dunlin_slice name)
{
    for (size_t i = 0; i < ATTRIBUTE_COUNT; i++) {
        if (dunlin_slice_equal(name, dunlin_slice_of(attribute_table[i].name))) {
            return &attribute_table[i];
        }
    }
    return NULL;
}

/* 1*DIGIT for periods; a decimal, with a sign since signal strengths are negative, for the others. */
static bool read_number(const struct attribute *attribute, dunlin_slice text, dn_attributes *out)
{
    if (attribute->decimal) {
        dunlin_value value;
        dunlin_buf none = dunlin_buf_make(NULL, 0);
        if (dn_value_from_text(text, DUNLIN_TYPE_FLOAT, &none, &value) != DUNLIN_OK ||
            !isfinite(value.as.number)) {
            return false;
        }
        memcpy(member(out, attribute), &value.as.number, sizeof value.as.number);
        return true;
    }
    uint64_t number = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return false;
        }
        number = number * 10 + (uint64_t)(text.data[i] - '0');
        if (number > UINT32_MAX) {
            return false;
        }
    }
    const uint32_t seconds = (uint32_t)number;
    memcpy(member(out, attribute), &seconds, sizeof seconds);
    return text.len > 0;
}

/* One `name=value` (sets) or `name` (unsets). `touched` collects what was named, so that none is named twice.
 */
static bool read_query(dunlin_slice query, dn_attributes *out, uint8_t *touched)
{
    const uint8_t *equals = query.len == 0 ? NULL : memchr(query.data, '=', query.len);
    const size_t name_len = equals == NULL ? query.len : (size_t)(equals - query.data);
    const struct attribute *attribute = find_attribute(dunlin_slice_make(query.data, name_len));
    if (attribute == NULL || (*touched & attribute->bit) != 0) {
        return false;
    }
    *touched |= attribute->bit;
    if (equals == NULL) {
        out->set &= (uint8_t)~attribute->bit;
        return true;
    }
    out->set |= attribute->bit;
    return read_number(attribute, dunlin_slice_make(equals + 1, query.len - name_len - 1), out);
}

/* lt < gt, lt + 2 st < gt, epmin < epmax, st not negative (Core 1.1.1 section 5.1.2). */
static bool consistent(const dn_attributes *a)
{
    const bool step = (a->set & DN_ATTR_ST) != 0;
    if (step && a->st < 0) {
        return false;
    }
    if ((a->set & DN_ATTR_GT) != 0 && (a->set & DN_ATTR_LT) != 0) {
        if (!(a->lt < a->gt) || (step && !(a->lt + 2 * a->st < a->gt))) {
            return false;
        }
    }
    return (a->set & DN_ATTR_EPMIN) == 0 || (a->set & DN_ATTR_EPMAX) == 0 || a->epmin_s < a->epmax_s;
}

/* Which attributes may stand where. 4.05 when the resource cannot be read at all, as it then cannot be
 * observed. */
static uint8_t check_level(const dn_operation *op, uint8_t touched)
{
    const dunlin_resource *resource = op->at.resource;
    const bool v1_0 = op->client->config.lwm2m == DUNLIN_LWM2M_1_0;
    if ((touched & DN_ATTR_STEPS) != 0 && (resource == NULL || !dn_client_resource_numeric(resource) ||
                                           !dn_client_resource_readable(resource))) {
        return DN_COAP_BAD_REQUEST;
    }
    if (v1_0 && (touched & (DN_ATTR_EPMIN | DN_ATTR_EPMAX)) != 0) {
        return DN_COAP_BAD_REQUEST;
    }
    if (resource != NULL && !dn_client_resource_readable(resource)) {
        return DN_COAP_METHOD_NOT_ALLOWED;
    }
    return CODE_OK;
}

static uint8_t store(dunlin_client *client, dn_attributes *old, const dn_attributes *written)
{
    if (old == NULL) {
        if (written->set == 0) {
            return DN_COAP_CHANGED;
        }
        old = dn_client_attributes_at(client, 0, (dunlin_path){{0}, 0});
        if (old == NULL) {
            return DN_COAP_INTERNAL_ERROR; /* config.attributes is used up */
        }
    }
    *old = *written;
    if (written->set == 0) {
        memset(old, 0, sizeof *old);
    }
    dn_client_image_touch(client);
    return DN_COAP_CHANGED;
}

uint8_t dn_client_operation_write_attributes(dn_operation *op)
{
    dn_attributes written;
    dunlin_slice query;
    uint8_t touched = 0;
    dn_attributes *old = dn_client_attributes_at(op->client, op->at.server, op->at.path);
    memset(&written, 0, sizeof written);
    if (old != NULL) {
        written = *old;
    }
    written.server = op->at.server;
    written.path = op->at.path;

    dn_coap_options walk = op->request->options;
    while (dn_coap_option_find(&walk, DN_OPTION_URI_QUERY, &query) == DUNLIN_OK) {
        if (!read_query(query, &written, &touched)) {
            return DN_COAP_BAD_REQUEST;
        }
    }
    uint8_t code = check_level(op, touched);
    if (code == CODE_OK) {
        code = consistent(&written) ? store(op->client, old, &written) : DN_COAP_BAD_REQUEST;
    }
    return dn_client_image_settle(op->client, code);
}
