/* SPDX-License-Identifier: Apache-2.0 */
/* From a definition to a table: each resource gets a field in a structure that is laid out here. */
#include "apps/dunlin/client_models.h"

#include "apps/dunlin/client_device.h"
#include "model/ddf/ddf.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FILE_MAX      (4 * 1024 * 1024)
#define INSTANCES_MAX 8     /* of an Object that may have several */
#define ELEMENTS_MAX  8     /* of a multiple resource */
#define STRUCTURE_MAX 60000 /* offsets are 16 bit */
#define BYTES_MAX     4096  /* of one text or opaque, if the structure has room for as many */
#define BYTES_MIN     64
#define ALIGNMENT     8
#define RANGE_MAX     1000000000

struct dn_sim_model {
    dunlin_object object;
    dunlin_resource *table;
    uint8_t *storage;
    uint16_t capacity;
};

void dn_sim_models_init(dn_sim_models *models)
{
    memset(models, 0, sizeof *models);
    models->ids[0] = DUNLIN_ID_NONE;
}

bool dn_sim_models_has(const uint16_t *ids, uint16_t object)
{
    for (; *ids != DUNLIN_ID_NONE; ids++) {
        if (*ids == object) {
            return true;
        }
    }
    return false;
}

static void free_model(dn_sim_model *model)
{
    if (model != NULL) {
        free(model->table);
        free(model->storage);
        free(model);
    }
}

void dn_sim_models_free(dn_sim_models *models)
{
    for (size_t i = 0; i < models->count; i++) {
        free_model(models->at[i]);
    }
    dn_sim_models_init(models);
}

static bool has_bytes(dunlin_type type)
{
    return type == DUNLIN_TYPE_STRING || type == DUNLIN_TYPE_CORELNK || type == DUNLIN_TYPE_OPAQUE;
}

/* ---- layout ---- */

static uint16_t value_size(dunlin_type type, uint16_t bytes)
{
    if (has_bytes(type)) {
        return bytes;
    }
    if (type == DUNLIN_TYPE_BOOLEAN) {
        return sizeof(bool);
    }
    return type == DUNLIN_TYPE_OBJLNK ? sizeof(dunlin_objlnk) : sizeof(int64_t);
}

/* "1..100" of whole numbers becomes a range, anything else is left open. */
static void read_range(const char *text, dunlin_resource *row)
{
    char *end = NULL;
    const long long min = strtoll(text, &end, 10);
    if (end == text || strncmp(end, "..", 2) != 0) {
        return;
    }
    const char *second = end + 2;
    const long long max = strtoll(second, &end, 10);
    if (end == second || *end != '\0' || max < min || min < -RANGE_MAX || max > 4 * (long long)RANGE_MAX) {
        return;
    }
    row->min = min;
    row->max = max;
}

static dunlin_status executed(const dunlin_call *call, const dunlin_arguments *arguments)
{
    (void)call;
    (void)arguments;
    return DUNLIN_OK; /* whoever listens is told by the event */
}

/* A row for a resource; its field begins at `*offset`, which moves behind it. */
static void lay_out(const dn_resource_def *def, uint16_t bytes, size_t *offset, dunlin_resource *row)
{
    memset(row, 0, sizeof *row);
    row->id = def->id;
    row->flags = def->mandatory ? DUNLIN_MANDATORY : 0;
    if ((def->operations & DN_OP_EXECUTE) != 0 || def->type == DUNLIN_TYPE_NONE) {
        row->flags |= DUNLIN_E;
        row->kept = DUNLIN_KEPT_NONE;
        row->execute = executed;
        return;
    }
    row->flags |= (def->operations & DN_OP_READ) != 0 ? DUNLIN_R : 0;
    row->flags |= (def->operations & DN_OP_WRITE) != 0 ? DUNLIN_W : 0;
    row->type = (uint8_t)def->type;
    row->size = value_size(def->type, def->multiple ? BYTES_MIN : bytes);
    row->offset = (uint16_t)*offset;
    if (!has_bytes(def->type)) {
        read_range(def->range, row);
    }
    size_t length = row->size;
    if (def->multiple) {
        row->kept = DUNLIN_KEPT_LIST;
        row->capacity = ELEMENTS_MAX;
        /* As DUNLIN_MANY lays it out: count, ids, then values at their alignment. */
        const size_t head = (1 + ELEMENTS_MAX) * sizeof(uint16_t);
        const size_t values = (head + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        row->values = (uint16_t)(*offset + values);
        length = values + (size_t)row->size * ELEMENTS_MAX;
    }
    *offset += (length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static size_t lay_out_all(const dn_object_def *def, uint16_t bytes, dunlin_resource *table, uint16_t *count)
{
    size_t offset = 0;
    *count = 0;
    for (size_t i = 0; i < def->resource_count && offset <= STRUCTURE_MAX; i++) {
        if (def->resources[i].operations != 0) { /* else it is for bootstrap servers only */
            lay_out(&def->resources[i], bytes, &offset, &table[(*count)++]);
        }
    }
    return offset;
}

/* ---- first values ---- */

static void put_bytes(const dunlin_resource *row, uint8_t *field, const char *text)
{
    const uint16_t len = (uint16_t)strlen(text);
    if (row->type == DUNLIN_TYPE_OPAQUE) {
        memcpy(field, &len, sizeof len);
        /* NOLINTNEXTLINE(bugprone-not-null-terminated-result): an opaque has no NUL */
        memcpy(field + sizeof len, text, len);
    } else {
        (void)snprintf((char *)field, row->size, "%s", text);
    }
}

static void put_default(const dunlin_resource *row, uint8_t *field)
{
    const bool ranged = row->min != 0 || row->max != 0;
    const int64_t whole = ranged && (row->min > 0 || row->max < 0) ? row->min : 0;
    const double real = (double)whole;
    const int64_t now = (int64_t)time(NULL);
    const dunlin_objlnk device = {3, 0};
    switch (row->type) {
    case DUNLIN_TYPE_INTEGER:
    case DUNLIN_TYPE_UNSIGNED:
        memcpy(field, &whole, sizeof whole);
        break;
    case DUNLIN_TYPE_FLOAT:
        memcpy(field, &real, sizeof real);
        break;
    case DUNLIN_TYPE_TIME:
        memcpy(field, &now, sizeof now);
        break;
    case DUNLIN_TYPE_OBJLNK:
        memcpy(field, &device, sizeof device);
        break;
    case DUNLIN_TYPE_STRING:
        put_bytes(row, field, "text");
        break;
    case DUNLIN_TYPE_CORELNK:
        put_bytes(row, field, "</3/0>");
        break;
    case DUNLIN_TYPE_OPAQUE:
        put_bytes(row, field, "\x01\x02\x03");
        break;
    default: /* a boolean is false */
        break;
    }
}

static void fill(const dn_sim_model *model, uint8_t *structure)
{
    for (uint16_t i = 0; i < model->object.resource_count; i++) {
        const dunlin_resource *row = &model->table[i];
        if (row->kept == DUNLIN_KEPT_FIELD) {
            put_default(row, structure + row->offset);
        } else if (row->kept == DUNLIN_KEPT_LIST) {
            const uint16_t one = 1;
            memcpy(structure + row->offset, &one, sizeof one); /* one element, its id is 0 */
            put_default(row, structure + row->values);
        }
    }
}

static dunlin_status created(const dunlin_call *call)
{
    fill(call->context, call->instance);
    return DUNLIN_OK;
}

/* ---- reading ---- */

typedef struct {
    dn_sim_models *models;
    const char *file;
} reading;

static bool refuse(const reading *in, const dn_object_def *def, const char *why)
{
    (void)fprintf(stderr, "dunlin client: %s: object %u (%s) %s\n", in->file, def->id, def->name, why);
    return false;
}

static bool may_take(const reading *in, const dn_object_def *def)
{
    if (def->id == 0 || def->id == 1 || def->id == 3 || def->id == 21) {
        return refuse(in, def, "is the device's own already: leave it out");
    }
    for (size_t i = 0; i < in->models->count; i++) {
        if (in->models->ids[i] == def->id) {
            return refuse(in, def, "has been defined twice");
        }
    }
    if (in->models->count == DN_SIM_MODELS_MAX) {
        return refuse(in, def, "is one too many: 64 can be read");
    }
    if (def->resource_count > DUNLIN_RESOURCES_MAX) {
        return refuse(in, def, "has more than 128 resources, which is the most an object can have here");
    }
    return true;
}

/* As much room for texts and opaques as fits into the structure. */
static bool make_table(const dn_object_def *def, dn_sim_model *model)
{
    model->table = calloc(def->resource_count == 0 ? 1 : def->resource_count, sizeof *model->table);
    if (model->table == NULL) {
        return false;
    }
    for (uint16_t bytes = BYTES_MAX; bytes >= BYTES_MIN; bytes /= 2) {
        model->object.size = lay_out_all(def, bytes, model->table, &model->object.resource_count);
        if (model->object.size <= STRUCTURE_MAX) {
            return true;
        }
    }
    return false;
}

static dunlin_status take(void *context, const dn_object_def *def)
{
    reading *in = context;
    dn_sim_models *models = in->models;
    if (!may_take(in, def)) {
        return DUNLIN_ERR_LIMIT;
    }
    dn_sim_model *model = calloc(1, sizeof *model);
    if (model == NULL || !make_table(def, model)) {
        free_model(model);
        (void)refuse(in, def, "is too large");
        return DUNLIN_ERR_MEMORY;
    }
    model->capacity = def->multiple ? INSTANCES_MAX : 1;
    model->object.id = def->id;
    model->object.resources = model->table;
    model->object.flags = def->multiple ? DUNLIN_MULTIPLE | DUNLIN_DYNAMIC : 0;
    model->object.major = def->version.major;
    model->object.minor = def->version.minor;
    model->object.created = created;
    model->storage = calloc(model->capacity, model->object.size == 0 ? 1 : model->object.size);
    if (model->storage == NULL) {
        free_model(model);
        return DUNLIN_ERR_MEMORY;
    }
    fill(model, model->storage);
    models->ids[models->count] = def->id;
    models->at[models->count++] = model;
    models->ids[models->count] = DUNLIN_ID_NONE;
    return DUNLIN_OK;
}

/* The whole of a file; NULL with errno set. */
static char *read_file(const char *file, size_t *len)
{
    FILE *in = fopen(file, "rb");
    if (in == NULL) {
        return NULL;
    }
    char *text = malloc(FILE_MAX);
    *len = text == NULL ? 0 : fread(text, 1, FILE_MAX, in);
    if (text != NULL && (ferror(in) != 0 || *len == FILE_MAX)) {
        errno = *len == FILE_MAX ? EFBIG : EIO;
        free(text);
        text = NULL;
    }
    (void)fclose(in);
    return text;
}

bool dn_sim_models_read(dn_sim_models *models, const char *file)
{
    size_t len = 0;
    dn_ddf_error error = {0};
    reading in = {models, file};
    char *text = read_file(file, &len);
    if (text == NULL) {
        (void)fprintf(stderr, "dunlin client: cannot read %s: %s\n", file, strerror(errno));
        return false;
    }
    const dunlin_status status = dn_ddf_parse(dunlin_slice_make(text, len), take, &in, &error);
    free(text);
    if (status == DUNLIN_ERR_MALFORMED) {
        (void)fprintf(stderr, "dunlin client: %s:%lu: %s\n", file, error.line, error.text);
    } else if (status != DUNLIN_OK && status != DUNLIN_ERR_LIMIT) {
        (void)fprintf(stderr, "dunlin client: %s: %s\n", file, dunlin_status_text(status));
    }
    return status == DUNLIN_OK;
}

size_t dn_sim_models_arena(const dn_sim_models *models)
{
    size_t size = 0;
    for (size_t i = 0; i < models->count; i++) {
        size += dunlin_client_object_size(&models->at[i]->object, models->at[i]->capacity);
    }
    return size;
}

dunlin_status dn_sim_models_add(dunlin_client *client, dn_sim_models *models)
{
    for (size_t i = 0; i < models->count; i++) {
        dn_sim_model *model = models->at[i];
        const dunlin_status status =
            dunlin_client_add_object(client, &model->object, model->storage, model->capacity, 1, model);
        if (status != DUNLIN_OK) {
            return status;
        }
    }
    return DUNLIN_OK;
}

/* ---- movement ---- */

typedef struct {
    dunlin_client *client;
    dn_seeded *seeded;
} moving;

static bool move_one(void *context, dunlin_path path, const dunlin_resource *row, const dunlin_value *value)
{
    const moving *m = context;
    if (row == NULL || value == NULL || row->type != DUNLIN_TYPE_FLOAT || (row->flags & DUNLIN_W) != 0) {
        return true;
    }
    const bool ranged = row->min != 0 || row->max != 0;
    const double base = ranged ? ((double)row->min + (double)row->max) / 2 : 20;
    const double spread = ranged ? ((double)row->max - (double)row->min) / 2 : 5;
    const double walked = dn_sim_walk(m->seeded, value->as.number, base, spread);
    const dunlin_value next = dunlin_float((double)(int64_t)(walked * 100) / 100);
    (void)dunlin_client_set(m->client, path, &next); /* out of its range for once: it stays */
    return true;
}

void dn_sim_models_move(dunlin_client *client, dn_sim_models *models, dn_seeded *seeded)
{
    moving m = {client, seeded};
    for (size_t i = 0; i < models->count; i++) {
        (void)dunlin_client_walk(client, dunlin_path_object(models->at[i]->object.id), move_one, &m);
    }
}
