/* SPDX-License-Identifier: Apache-2.0 */
/* Values to and from the fields of the application's structures. */
#include "client/resource.h"

#include "client/stream.h"
#include "client/tree.h"
#include "codec/format.h"
#include "codec/utf8.h"
#include <math.h>
#include <string.h>

/* A list begins with its count and ids, whatever its elements are: DUNLIN_MANY. */
#define LIST_IDS sizeof(uint16_t)

bool dn_client_resource_multiple(const dunlin_resource *resource)
{
    return resource->capacity != 0;
}

bool dn_client_resource_numeric(const dunlin_resource *resource)
{
    return resource->type == DUNLIN_TYPE_INTEGER || resource->type == DUNLIN_TYPE_UNSIGNED ||
           resource->type == DUNLIN_TYPE_FLOAT;
}

bool dn_client_resource_readable(const dunlin_resource *resource)
{
    return (resource->flags & DUNLIN_R) != 0 && resource->kept != DUNLIN_KEPT_NONE;
}

static bool is_text(uint8_t type)
{
    return type == DUNLIN_TYPE_STRING || type == DUNLIN_TYPE_CORELNK;
}

/* Whether a C field of `size` bytes can hold a value of `type`. */
static bool field_fits(uint8_t type, size_t size)
{
    switch (type) {
    case DUNLIN_TYPE_INTEGER:
    case DUNLIN_TYPE_UNSIGNED:
    case DUNLIN_TYPE_TIME:
        return size == 1 || size == 2 || size == 4 || size == 8;
    case DUNLIN_TYPE_FLOAT:
        return size == sizeof(float) || size == sizeof(double);
    case DUNLIN_TYPE_BOOLEAN:
        return size == sizeof(bool);
    case DUNLIN_TYPE_OBJLNK:
        return size == sizeof(dunlin_objlnk);
    case DUNLIN_TYPE_OPAQUE:
        return size > sizeof(uint16_t);
    case DUNLIN_TYPE_STRING:
    case DUNLIN_TYPE_CORELNK:
        return size > 0;
    default:
        return false;
    }
}

static bool field_valid(const dunlin_object *def, const dunlin_resource *r)
{
    return field_fits(r->type, r->size) && r->capacity == 0 && (size_t)r->offset + r->size <= def->size;
}

/* Count, ids and elements follow one another, whatever gaps are between them. */
static bool list_valid(const dunlin_object *def, const dunlin_resource *r)
{
    const size_t ids_end = r->offset + LIST_IDS + r->capacity * sizeof(uint16_t);
    return field_fits(r->type, r->size) && r->capacity != 0 && r->values >= ids_end &&
           r->values + (size_t)r->size * r->capacity <= def->size;
}

static bool call_valid(const dunlin_resource *r)
{
    const bool multiple = r->capacity != 0;
    const bool readable = (r->flags & DUNLIN_R) == 0 || r->get != NULL;
    const bool writable = (r->flags & DUNLIN_W) == 0 || (r->set != NULL && !multiple);
    return r->type != DUNLIN_TYPE_NONE && readable && writable && (!multiple || r->next != NULL);
}

static bool kept_valid(const dunlin_object *def, const dunlin_resource *r)
{
    switch (r->kept) {
    case DUNLIN_KEPT_FIELD:
        return field_valid(def, r);
    case DUNLIN_KEPT_LIST:
        return list_valid(def, r);
    case DUNLIN_KEPT_POINTER:
        return (r->flags & DUNLIN_W) == 0 && r->offset + sizeof(char *) <= def->size;
    case DUNLIN_KEPT_CONSTANT:
        return (r->flags & DUNLIN_W) == 0 && r->constant != NULL;
    case DUNLIN_KEPT_CALL:
        return call_valid(r);
    case DUNLIN_KEPT_STREAM:
        return (r->flags & DUNLIN_RW) == DUNLIN_W && r->type == DUNLIN_TYPE_OPAQUE && r->take != NULL &&
               r->capacity == 0;
    default:
        return r->kept == DUNLIN_KEPT_NONE && r->execute != NULL && r->capacity == 0;
    }
}

static bool row_valid(const dunlin_object *def, const dunlin_resource *r)
{
    const uint16_t contradiction = DUNLIN_MANDATORY | DUNLIN_ABSENT;
    const bool executable = (r->flags & DUNLIN_E) != 0;
    if (r->id == DUNLIN_ID_NONE || r->type > DUNLIN_TYPE_CORELNK ||
        (r->flags & contradiction) == contradiction) {
        return false;
    }
    if (executable != (r->kept == DUNLIN_KEPT_NONE) || (executable && (r->flags & DUNLIN_RW) != 0)) {
        return false;
    }
    return kept_valid(def, r);
}

bool dn_client_resource_table_valid(const dunlin_object *def)
{
    if (def->id == DUNLIN_ID_NONE || def->resource_count > DUNLIN_RESOURCES_MAX) {
        return false;
    }
    for (size_t i = 0; i < def->resource_count; i++) {
        if ((i > 0 && def->resources[i].id <= def->resources[i - 1].id) ||
            !row_valid(def, &def->resources[i])) {
            return false;
        }
    }
    return true;
}

dunlin_call dn_client_resource_call(const dn_place *place)
{
    dunlin_call call = {
        .client = place->client,
        .context = place->object->context,
        .instance = dn_client_tree_structure(place->object, place->index),
        .path = place->path,
        .server = place->server,
    };
    return call;
}

static uint8_t *structure_of(const dn_place *place)
{
    return dn_client_tree_structure(place->object, place->index);
}

static uint16_t list_u16(const uint8_t *list, size_t at)
{
    uint16_t value = 0;
    memcpy(&value, list + at, sizeof value);
    return value;
}

static void list_set_u16(uint8_t *list, size_t at, uint16_t value)
{
    memcpy(list + at, &value, sizeof value);
}

/* Position of the first id that is `from` or above; the count if there is none. */
static uint16_t list_position(const uint8_t *list, uint32_t from)
{
    const uint16_t count = list_u16(list, 0);
    uint16_t i = 0;
    while (i < count && list_u16(list, LIST_IDS + i * sizeof(uint16_t)) < from) {
        i++;
    }
    return i;
}

uint16_t dn_client_resource_next(const dn_place *place, uint32_t from)
{
    const dunlin_resource *r = place->resource;
    if (from >= DUNLIN_ID_NONE) {
        return DUNLIN_ID_NONE;
    }
    if (r->kept == DUNLIN_KEPT_CALL) {
        const dunlin_call call = dn_client_resource_call(place);
        return r->next(&call, (uint16_t)from);
    }
    const uint8_t *list = structure_of(place) + r->offset;
    const uint16_t i = list_position(list, from);
    return i < list_u16(list, 0) ? list_u16(list, LIST_IDS + i * sizeof(uint16_t)) : DUNLIN_ID_NONE;
}

void dn_client_resource_clear(const dn_place *place)
{
    const dunlin_buf memory = dn_client_resource_memory(place);
    if (memory.cap > 0) {
        memset(memory.data, 0, memory.cap);
    }
}

dunlin_buf dn_client_resource_memory(const dn_place *place)
{
    const dunlin_resource *r = place->resource;
    if (r->kept == DUNLIN_KEPT_FIELD) {
        return dunlin_buf_make(structure_of(place) + r->offset, r->size);
    }
    if (r->kept == DUNLIN_KEPT_LIST) {
        return dunlin_buf_make(structure_of(place) + r->offset,
                               (size_t)(r->values - r->offset) + (size_t)r->size * r->capacity);
    }
    return dunlin_buf_make(NULL, 0);
}

static int64_t load_signed(const uint8_t *field, size_t size)
{
    int8_t s8 = 0;
    int16_t s16 = 0;
    int32_t s32 = 0;
    int64_t s64 = 0;
    switch (size) {
    case 1:
        memcpy(&s8, field, size);
        return s8;
    case 2:
        memcpy(&s16, field, size);
        return s16;
    case 4:
        memcpy(&s32, field, size);
        return s32;
    default:
        memcpy(&s64, field, sizeof s64);
        return s64;
    }
}

static uint64_t load_unsigned(const uint8_t *field, size_t size)
{
    const uint64_t sign_extended = (uint64_t)load_signed(field, size);
    return size == 8 ? sign_extended : sign_extended & (((uint64_t)1 << size * 8) - 1);
}

/* The lowest `size` bytes of a two's complement number, in the machine's own order. */
static void store_bits(uint8_t *field, size_t size, uint64_t bits)
{
    const uint8_t u8 = (uint8_t)bits;
    const uint16_t u16 = (uint16_t)bits;
    const uint32_t u32 = (uint32_t)bits;
    const void *from = size == 1   ? (const void *)&u8
                       : size == 2 ? (const void *)&u16
                       : size == 4 ? (const void *)&u32
                                   : &bits;
    memcpy(field, from, size);
}

static size_t text_length(const uint8_t *text, size_t size)
{
    const uint8_t *end = memchr(text, 0, size);
    return end == NULL ? size : (size_t)(end - text);
}

static void load_field(const dunlin_resource *r, const uint8_t *field, dunlin_value *value)
{
    float single = 0;
    value->type = (dunlin_type)r->type;
    switch (r->type) {
    case DUNLIN_TYPE_INTEGER:
    case DUNLIN_TYPE_TIME:
        value->as.integer = load_signed(field, r->size);
        return;
    case DUNLIN_TYPE_UNSIGNED:
        value->as.uinteger = load_unsigned(field, r->size);
        return;
    case DUNLIN_TYPE_FLOAT:
        if (r->size == sizeof single) {
            memcpy(&single, field, sizeof single);
            value->as.number = (double)single;
        } else {
            memcpy(&value->as.number, field, sizeof value->as.number);
        }
        return;
    case DUNLIN_TYPE_BOOLEAN:
        memcpy(&value->as.boolean, field, sizeof value->as.boolean);
        return;
    case DUNLIN_TYPE_OBJLNK:
        memcpy(&value->as.link, field, sizeof value->as.link);
        return;
    case DUNLIN_TYPE_OPAQUE:
        value->as.bytes = dunlin_slice_make(field + sizeof(uint16_t), list_u16(field, 0));
        return;
    default:
        value->as.bytes = dunlin_slice_make(field, text_length(field, r->size));
        return;
    }
}

static void store_field(const dunlin_resource *r, uint8_t *field, const dunlin_value *value)
{
    const float single = value->type == DUNLIN_TYPE_FLOAT ? (float)value->as.number : 0;
    switch (r->type) {
    case DUNLIN_TYPE_INTEGER:
    case DUNLIN_TYPE_TIME:
        store_bits(field, r->size, (uint64_t)value->as.integer);
        return;
    case DUNLIN_TYPE_UNSIGNED:
        store_bits(field, r->size, value->as.uinteger);
        return;
    case DUNLIN_TYPE_FLOAT:
        memcpy(field, r->size == sizeof single ? (const void *)&single : &value->as.number, r->size);
        return;
    case DUNLIN_TYPE_BOOLEAN:
        memcpy(field, &value->as.boolean, sizeof value->as.boolean);
        return;
    case DUNLIN_TYPE_OBJLNK:
        memcpy(field, &value->as.link, sizeof value->as.link);
        return;
    case DUNLIN_TYPE_OPAQUE:
        memset(field, 0, r->size);
        list_set_u16(field, 0, (uint16_t)value->as.bytes.len);
        field += sizeof(uint16_t);
        break;
    default:
        memset(field, 0, r->size);
        break;
    }
    if (value->as.bytes.len > 0) {
        memcpy(field, value->as.bytes.data, value->as.bytes.len);
    }
}

dunlin_status dn_client_resource_load(const dn_place *place, dunlin_value *value)
{
    const dunlin_resource *r = place->resource;
    if (!dn_client_tree_present(place->object, place->index, r)) {
        return DUNLIN_ERR_NOT_FOUND;
    }
    if (r->kept == DUNLIN_KEPT_NONE || r->kept == DUNLIN_KEPT_STREAM ||
        dn_client_resource_multiple(r) != (place->path.depth == 4)) {
        return DUNLIN_ERR_STATE;
    }
    if (r->kept == DUNLIN_KEPT_CALL) {
        if (r->get == NULL) {
            return DUNLIN_ERR_STATE;
        }
        const dunlin_call call = dn_client_resource_call(place);
        return r->get(&call, value);
    }
    if (r->kept == DUNLIN_KEPT_CONSTANT) {
        *value = dunlin_string(dunlin_slice_of(r->constant));
        return DUNLIN_OK;
    }
    if (r->kept == DUNLIN_KEPT_POINTER) {
        const char *text = NULL;
        memcpy(&text, structure_of(place) + r->offset, sizeof text);
        *value = dunlin_string(dunlin_slice_of(text));
        return DUNLIN_OK;
    }
    if (r->kept == DUNLIN_KEPT_FIELD) {
        load_field(r, structure_of(place) + r->offset, value);
        return DUNLIN_OK;
    }
    const uint8_t *list = structure_of(place) + r->offset;
    const uint16_t i = list_position(list, place->path.id[3]);
    if (i >= list_u16(list, 0) || list_u16(list, LIST_IDS + i * sizeof(uint16_t)) != place->path.id[3]) {
        return DUNLIN_ERR_NOT_FOUND;
    }
    load_field(r, structure_of(place) + r->values + (size_t)i * r->size, value);
    return DUNLIN_OK;
}

/* Objlnk: a link to something must lead somewhere (Core 1.1.1 appendix C). */
static dunlin_status check_link(const dn_place *place, dunlin_objlnk link)
{
    if (link.object == DUNLIN_ID_NONE) {
        return link.instance == DUNLIN_ID_NONE ? DUNLIN_OK : DUNLIN_ERR_RANGE;
    }
    const dn_object_slot *object = dn_client_tree_object(place->client, link.object);
    if (object == NULL) {
        return DUNLIN_ERR_RANGE;
    }
    return link.instance == DUNLIN_ID_NONE || dn_client_tree_instance(object, link.instance) != DN_NO_INDEX
               ? DUNLIN_OK
               : DUNLIN_ERR_RANGE;
}

static bool has_range(const dunlin_resource *r)
{
    return r->min != 0 || r->max != 0;
}

/* A value in the structure, where its size is limited by that of the field. */
static bool is_field(const dunlin_resource *r)
{
    return r->kept == DUNLIN_KEPT_FIELD || r->kept == DUNLIN_KEPT_LIST;
}

static dunlin_status check_bytes(const dunlin_resource *r, dunlin_slice bytes)
{
    if (has_range(r) && ((uint64_t)bytes.len < (uint64_t)r->min || (uint64_t)bytes.len > (uint64_t)r->max)) {
        return DUNLIN_ERR_RANGE;
    }
    const size_t taken = is_text(r->type) ? 1 : sizeof(uint16_t);
    if (is_field(r) && (bytes.len + taken > r->size || bytes.len > UINT16_MAX)) {
        return DUNLIN_ERR_RANGE;
    }
    if (!is_text(r->type)) {
        return DUNLIN_OK;
    }
    const bool has_nul = bytes.len > 0 && memchr(bytes.data, 0, bytes.len) != NULL;
    return has_nul || !dn_utf8_valid(bytes) ? DUNLIN_ERR_TYPE : DUNLIN_OK;
}

/* A C field narrower than 64 bit. */
static bool is_narrow(const dunlin_resource *r)
{
    return is_field(r) && r->size < sizeof(int64_t);
}

/* What is no number could not be told in text or JSON any more. */
static bool float_fits(const dunlin_resource *r, double number)
{
    return isfinite(number) && (!has_range(r) || (number >= (double)r->min && number <= (double)r->max));
}

static bool unsigned_fits(const dunlin_resource *r, uint64_t number)
{
    if (is_narrow(r) && number >> r->size * 8 != 0) {
        return false;
    }
    return !has_range(r) || (number >= (uint64_t)r->min && number <= (uint64_t)r->max);
}

static bool signed_fits(const dunlin_resource *r, int64_t number)
{
    const int64_t limit = is_narrow(r) ? (int64_t)1 << (r->size * 8 - 1) : 0;
    if (is_narrow(r) && (number < -limit || number >= limit)) {
        return false;
    }
    return !has_range(r) || (number >= r->min && number <= r->max);
}

/* The range of the table, and of the C field. */
static dunlin_status check_number(const dunlin_resource *r, const dunlin_value *value)
{
    bool fits = false;
    switch (r->type) {
    case DUNLIN_TYPE_FLOAT:
        fits = float_fits(r, value->as.number);
        break;
    case DUNLIN_TYPE_UNSIGNED:
        fits = unsigned_fits(r, value->as.uinteger);
        break;
    default:
        fits = signed_fits(r, value->as.integer);
        break;
    }
    return fits ? DUNLIN_OK : DUNLIN_ERR_RANGE;
}

dunlin_status dn_client_resource_fits(const dunlin_resource *r, dunlin_value *value)
{
    dunlin_status status = DUNLIN_OK;
    if (value->type != r->type) {
        status = dn_value_convert(value, (dunlin_type)r->type);
    }
    if (status != DUNLIN_OK) {
        return status;
    }
    if (is_text(r->type) || r->type == DUNLIN_TYPE_OPAQUE) {
        return check_bytes(r, value->as.bytes);
    }
    return dn_client_resource_numeric(r) || r->type == DUNLIN_TYPE_TIME ? check_number(r, value) : DUNLIN_OK;
}

dunlin_status dn_client_resource_check(const dn_place *place, dunlin_value *value)
{
    const dunlin_resource *r = place->resource;
    if (r->kept == DUNLIN_KEPT_NONE || r->kept == DUNLIN_KEPT_CONSTANT || r->kept == DUNLIN_KEPT_POINTER) {
        return DUNLIN_ERR_STATE;
    }
    dunlin_status status = dn_client_resource_fits(r, value);
    if (status == DUNLIN_OK && r->type == DUNLIN_TYPE_OBJLNK) {
        status = check_link(place, value->as.link);
    }
    if (status != DUNLIN_OK || r->check == NULL) {
        return status;
    }
    const dunlin_call call = dn_client_resource_call(place);
    return r->check(&call, value);
}

/* The place of the element `id`, made if it is not there; NULL: the list is full. */
static uint8_t *list_element(const dn_place *place, uint16_t id)
{
    const dunlin_resource *r = place->resource;
    uint8_t *list = structure_of(place) + r->offset;
    uint8_t *values = structure_of(place) + r->values;
    const uint16_t count = list_u16(list, 0);
    const uint16_t i = list_position(list, id);
    if (i < count && list_u16(list, LIST_IDS + i * sizeof(uint16_t)) == id) {
        return values + (size_t)i * r->size;
    }
    if (count >= r->capacity) {
        return NULL;
    }
    uint8_t *ids = list + LIST_IDS;
    memmove(ids + (i + 1) * sizeof(uint16_t), ids + i * sizeof(uint16_t),
            (size_t)(count - i) * sizeof(uint16_t));
    memmove(values + (size_t)(i + 1) * r->size, values + (size_t)i * r->size, (size_t)(count - i) * r->size);
    list_set_u16(list, LIST_IDS + i * sizeof(uint16_t), id);
    list_set_u16(list, 0, (uint16_t)(count + 1));
    return values + (size_t)i * r->size;
}

dunlin_status dn_client_resource_store(const dn_place *place, const dunlin_value *value)
{
    const dunlin_resource *r = place->resource;
    if (r->kept == DUNLIN_KEPT_FIELD) {
        store_field(r, structure_of(place) + r->offset, value);
    } else if (r->kept == DUNLIN_KEPT_LIST) {
        uint8_t *element = list_element(place, place->path.id[3]);
        if (element == NULL) {
            return DUNLIN_ERR_LIMIT;
        }
        store_field(r, element, value);
    } else if (r->kept == DUNLIN_KEPT_STREAM) {
        return dn_client_stream_store(place, value->as.bytes);
    } else if (r->set == NULL) {
        return DUNLIN_ERR_STATE;
    }
    dn_client_tree_set_present(place->object, place->index, r, true);
    if (r->set == NULL) {
        return DUNLIN_OK;
    }
    const dunlin_call call = dn_client_resource_call(place);
    return r->set(&call, value);
}
