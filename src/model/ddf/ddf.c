/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DDF files are small and shallow: <LWM2M><Object><…/><Resources><Item
 * ID="…"><…/></Item></Resources></Object></LWM2M>. Expat walks them; texts of leaf elements gather in one
 * buffer; each element's end stores what it is about.
 */
#include "model/ddf/ddf.h"

#include <expat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FILE_BYTES (4u << 20)
#define MAX_TEXT_BYTES 65536u
#define MAX_RESOURCES  4096u
#define MAX_OBJECTS    256u
#define MAX_DEPTH      12u

/* A definition in the making; its texts are owned one by one. */
typedef struct {
    dn_object_def def;
    dn_resource_def *resources;
    size_t capacity;
    bool has_id, has_version;
} draft;

typedef enum { IN_DOCUMENT, IN_OBJECT, IN_ITEM } place;

typedef struct {
    XML_Parser expat;
    place where;
    unsigned depth;
    draft *objects;
    size_t count;
    char *text;
    size_t text_len;
    dunlin_status status;
    dn_ddf_error *error;
} reader;

static void fail(reader *r, dunlin_status status, const char *what, const char *detail)
{
    if (r->status != DUNLIN_OK) {
        return;
    }
    r->status = status;
    r->error->line = XML_GetCurrentLineNumber(r->expat);
    (void)snprintf(r->error->text, sizeof r->error->text, "%s%.80s", what, detail);
    (void)XML_StopParser(r->expat, XML_FALSE);
}

static draft *current(reader *r)
{
    return &r->objects[r->count - 1];
}

static dn_resource_def *current_item(reader *r)
{
    return &current(r)->resources[current(r)->def.resource_count - 1];
}

static void add_object(reader *r)
{
    if (r->count == MAX_OBJECTS) {
        fail(r, DUNLIN_ERR_MALFORMED, "too many objects in one file", "");
        return;
    }
    draft *grown = realloc(r->objects, (r->count + 1) * sizeof *grown);
    if (grown == NULL) {
        fail(r, DUNLIN_ERR_MEMORY, "no memory", "");
        return;
    }
    r->objects = grown;
    memset(&grown[r->count], 0, sizeof *grown);
    grown[r->count].def.version = (dn_version){1, 0};
    r->count++;
    r->where = IN_OBJECT;
}

/* Reads a whole decimal of at most `max`. */
static bool read_number(const char *text, unsigned long max, unsigned long *out)
{
    if (text[0] < '0' || text[0] > '9') {
        return false;
    }
    char *end = NULL;
    *out = strtoul(text, &end, 10);
    return *end == '\0' && strlen(text) <= 9 && *out <= max;
}

static void add_item(reader *r, const char **attributes)
{
    const char *id_text = NULL;
    for (size_t i = 0; attributes[i] != NULL; i += 2) {
        if (strcmp(attributes[i], "ID") == 0) {
            id_text = attributes[i + 1];
        }
    }
    unsigned long id = 0;
    if (id_text == NULL || !read_number(id_text, DUNLIN_ID_NONE - 1, &id)) {
        fail(r, DUNLIN_ERR_MALFORMED, "an Item needs an ID of 0 to 65534, found ",
             id_text == NULL ? "none" : id_text);
        return;
    }
    draft *d = current(r);
    if (d->def.resource_count == MAX_RESOURCES) {
        fail(r, DUNLIN_ERR_MALFORMED, "too many resources in one object", "");
        return;
    }
    if (d->def.resource_count == d->capacity) {
        const size_t capacity = d->capacity == 0 ? 16 : d->capacity * 2;
        dn_resource_def *grown = realloc(d->resources, capacity * sizeof *grown);
        if (grown == NULL) {
            fail(r, DUNLIN_ERR_MEMORY, "no memory", "");
            return;
        }
        d->resources = grown;
        d->capacity = capacity;
    }
    d->resources[d->def.resource_count++] = (dn_resource_def){.id = (uint16_t)id};
    r->where = IN_ITEM;
}

static void XMLCALL on_start(void *user, const char *name, const char **attributes)
{
    reader *r = user;
    r->text_len = 0;
    if (++r->depth > MAX_DEPTH) {
        fail(r, DUNLIN_ERR_MALFORMED, "elements nest too deep at ", name);
    } else if (r->depth == 1 && strcmp(name, "LWM2M") != 0) {
        fail(r, DUNLIN_ERR_MALFORMED, "the root element must be LWM2M, found ", name);
    } else if (r->where == IN_DOCUMENT && strcmp(name, "Object") == 0) {
        add_object(r);
    } else if (r->where == IN_OBJECT && strcmp(name, "Item") == 0) {
        add_item(r, attributes);
    }
}

static void XMLCALL on_text(void *user, const char *text, int len)
{
    reader *r = user;
    if (r->text_len + (size_t)len > MAX_TEXT_BYTES) {
        fail(r, DUNLIN_ERR_MALFORMED, "a text is too long", "");
        return;
    }
    memcpy(r->text + r->text_len, text, (size_t)len);
    r->text_len += (size_t)len;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The gathered text without blanks around it, NUL-terminated. */
static const char *trimmed(reader *r)
{
    size_t start = 0;
    while (start < r->text_len && is_blank(r->text[start])) {
        start++;
    }
    while (r->text_len > start && is_blank(r->text[r->text_len - 1])) {
        r->text_len--;
    }
    r->text[r->text_len] = '\0';
    return r->text + start;
}

static void keep(reader *r, const char **field, const char *text)
{
    char *copy = strdup(text);
    if (copy == NULL) {
        fail(r, DUNLIN_ERR_MEMORY, "no memory", "");
        return;
    }
    free((void *)(uintptr_t)*field);
    *field = copy;
}

static void keep_choice(reader *r, bool *field, const char *text, const char *yes, const char *no)
{
    if (strcmp(text, yes) == 0 || strcmp(text, no) == 0) {
        *field = strcmp(text, yes) == 0;
    } else {
        fail(r, DUNLIN_ERR_MALFORMED,
             strcmp(yes, "Multiple") == 0 ? "expected Multiple or Single, found "
                                          : "expected Mandatory or Optional, found ",
             text);
    }
}

static void end_object_field(reader *r, const char *name, const char *text)
{
    draft *d = current(r);
    unsigned long number = 0;
    if (strcmp(name, "Name") == 0) {
        keep(r, &d->def.name, text);
    } else if (strcmp(name, "Description1") == 0) {
        keep(r, &d->def.description, text);
    } else if (strcmp(name, "ObjectURN") == 0) {
        keep(r, &d->def.urn, text);
    } else if (strcmp(name, "ObjectID") == 0) {
        if (!read_number(text, DUNLIN_ID_NONE - 1, &number)) {
            fail(r, DUNLIN_ERR_MALFORMED, "ObjectID must be 0 to 65534, found ", text);
        }
        d->def.id = (uint16_t)number;
        d->has_id = true;
    } else if (strcmp(name, "ObjectVersion") == 0) {
        if (text[0] != '\0' && dn_version_parse(dunlin_slice_of(text), &d->def.version) != DUNLIN_OK) {
            fail(r, DUNLIN_ERR_MALFORMED, "ObjectVersion must be like 1.0, found ", text);
        }
    } else if (strcmp(name, "MultipleInstances") == 0) {
        keep_choice(r, &d->def.multiple, text, "Multiple", "Single");
    } else if (strcmp(name, "Mandatory") == 0) {
        keep_choice(r, &d->def.mandatory, text, "Mandatory", "Optional");
    }
}

static void set_operations(reader *r, dn_resource_def *item, const char *text)
{
    static const struct {
        const char *text;
        uint8_t operations;
    } known[] = {{"", 0},
                 {"R", DN_OP_READ},
                 {"W", DN_OP_WRITE},
                 {"RW", DN_OP_READ | DN_OP_WRITE},
                 {"E", DN_OP_EXECUTE}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(text, known[i].text) == 0) {
            item->operations = known[i].operations;
            return;
        }
    }
    fail(r, DUNLIN_ERR_MALFORMED, "Operations must be R, W, RW, E or empty, found ", text);
}

static void set_type(reader *r, dn_resource_def *item, const char *text)
{
    static const struct {
        const char *text;
        dunlin_type type;
    } known[] = {
        {"", DUNLIN_TYPE_NONE},
        {"String", DUNLIN_TYPE_STRING},
        {"Integer", DUNLIN_TYPE_INTEGER},
        {"Float", DUNLIN_TYPE_FLOAT},
        {"Boolean", DUNLIN_TYPE_BOOLEAN},
        {"Opaque", DUNLIN_TYPE_OPAQUE},
        {"Time", DUNLIN_TYPE_TIME},
        {"Objlnk", DUNLIN_TYPE_OBJLNK},
        {"Unsigned Integer", DUNLIN_TYPE_UNSIGNED},
        {"Corelnk", DUNLIN_TYPE_CORELNK},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(text, known[i].text) == 0) {
            item->type = known[i].type;
            return;
        }
    }
    fail(r, DUNLIN_ERR_MALFORMED, "Type is not one of the LwM2M data types: ", text);
}

static void end_item_field(reader *r, const char *name, const char *text)
{
    dn_resource_def *item = current_item(r);
    if (strcmp(name, "Name") == 0) {
        keep(r, &item->name, text);
    } else if (strcmp(name, "RangeEnumeration") == 0) {
        keep(r, &item->range, text);
    } else if (strcmp(name, "Units") == 0) {
        keep(r, &item->unit, text);
    } else if (strcmp(name, "Description") == 0) {
        keep(r, &item->description, text);
    } else if (strcmp(name, "Operations") == 0) {
        set_operations(r, item, text);
    } else if (strcmp(name, "MultipleInstances") == 0) {
        keep_choice(r, &item->multiple, text, "Multiple", "Single");
    } else if (strcmp(name, "Mandatory") == 0) {
        keep_choice(r, &item->mandatory, text, "Mandatory", "Optional");
    } else if (strcmp(name, "Type") == 0) {
        set_type(r, item, text);
    }
}

static int by_id(const void *a, const void *b)
{
    return ((const dn_resource_def *)a)->id - ((const dn_resource_def *)b)->id;
}

static void finish_object(reader *r)
{
    draft *d = current(r);
    r->where = IN_DOCUMENT;
    if (!d->has_id || d->def.name == NULL) {
        fail(r, DUNLIN_ERR_MALFORMED, "an Object needs a Name and an ObjectID", "");
        return;
    }
    if (d->def.resource_count == 0) {
        return;
    }
    qsort(d->resources, d->def.resource_count, sizeof *d->resources, by_id);
    for (size_t i = 0; i < d->def.resource_count; i++) {
        if (i > 0 && d->resources[i].id == d->resources[i - 1].id) {
            fail(r, DUNLIN_ERR_MALFORMED,
                 "two Items have the same ID: ", d->resources[i].name == NULL ? "" : d->resources[i].name);
        }
    }
}

/* Core 1.1.1 section 7.1: only an executable Resource has no type, and it has nothing else. */
static void finish_item(reader *r)
{
    dn_resource_def *item = current_item(r);
    r->where = IN_OBJECT;
    if (item->name == NULL) {
        fail(r, DUNLIN_ERR_MALFORMED, "an Item needs a Name", "");
    } else if (item->operations == DN_OP_EXECUTE) {
        item->type = DUNLIN_TYPE_NONE;
    } else if (item->type == DUNLIN_TYPE_NONE) {
        fail(r, DUNLIN_ERR_MALFORMED, "a resource that can't be executed needs a Type: ", item->name);
    }
}

static void XMLCALL on_end(void *user, const char *name)
{
    reader *r = user;
    const char *text = trimmed(r);
    r->depth--;
    if (r->status != DUNLIN_OK) {
        return;
    }
    if (r->where == IN_ITEM) {
        if (strcmp(name, "Item") == 0) {
            finish_item(r);
        } else {
            end_item_field(r, name, text);
        }
    } else if (r->where == IN_OBJECT) {
        if (strcmp(name, "Object") == 0) {
            finish_object(r);
        } else {
            end_object_field(r, name, text);
        }
    }
    r->text_len = 0;
}

/* A document type could define entities that expand without end; no DDF needs one. */
static void XMLCALL on_doctype(void *user, const char *name, const char *system, const char *public_id,
                               int internal)
{
    (void)system;
    (void)public_id;
    (void)internal;
    fail(user, DUNLIN_ERR_MALFORMED, "a document type is not allowed: ", name);
}

static void free_draft(draft *d)
{
    for (size_t i = 0; i < d->def.resource_count; i++) {
        dn_resource_def *item = &d->resources[i];
        free((void *)(uintptr_t)item->name);
        free((void *)(uintptr_t)item->range);
        free((void *)(uintptr_t)item->unit);
        free((void *)(uintptr_t)item->description);
    }
    free(d->resources);
    free((void *)(uintptr_t)d->def.name);
    free((void *)(uintptr_t)d->def.urn);
    free((void *)(uintptr_t)d->def.description);
}

static void fill_blank(const char **field)
{
    static const char blank[] = "";
    if (*field == NULL) {
        *field = blank;
    }
}

/* Hands out a view in which no text is NULL. */
static dunlin_status hand_out(draft *d, dunlin_status (*take)(void *context, const dn_object_def *object),
                              void *context)
{
    dn_object_def view = d->def;
    dn_resource_def *resources = malloc((d->def.resource_count + 1) * sizeof *resources);
    if (resources == NULL) {
        return DUNLIN_ERR_MEMORY;
    }
    fill_blank(&view.urn);
    fill_blank(&view.description);
    for (size_t i = 0; i < d->def.resource_count; i++) {
        resources[i] = d->resources[i];
        fill_blank(&resources[i].range);
        fill_blank(&resources[i].unit);
        fill_blank(&resources[i].description);
    }
    view.resources = resources;
    const dunlin_status status = take(context, &view);
    free(resources);
    return status;
}

static void parse_text(reader *r, dunlin_slice xml)
{
    XML_SetUserData(r->expat, r);
    XML_SetElementHandler(r->expat, on_start, on_end);
    XML_SetCharacterDataHandler(r->expat, on_text);
    XML_SetStartDoctypeDeclHandler(r->expat, on_doctype);
    if (XML_Parse(r->expat, (const char *)xml.data, (int)xml.len, 1) != XML_STATUS_OK &&
        r->status == DUNLIN_OK) {
        fail(r, DUNLIN_ERR_MALFORMED, "not well-formed XML: ", XML_ErrorString(XML_GetErrorCode(r->expat)));
    }
    if (r->status == DUNLIN_OK && r->count == 0) {
        fail(r, DUNLIN_ERR_MALFORMED, "there is no Object in it", "");
    }
}

dunlin_status dn_ddf_parse(dunlin_slice xml,
                           dunlin_status (*take)(void *context, const dn_object_def *object), void *context,
                           dn_ddf_error *error)
{
    reader r = {.error = error, .status = DUNLIN_OK};
    *error = (dn_ddf_error){0, ""};
    if (xml.len > MAX_FILE_BYTES) {
        (void)snprintf(error->text, sizeof error->text, "larger than %u bytes", MAX_FILE_BYTES);
        return DUNLIN_ERR_MALFORMED;
    }
    r.expat = XML_ParserCreate(NULL);
    r.text = malloc(MAX_TEXT_BYTES + 1);
    if (r.expat == NULL || r.text == NULL) {
        r.status = DUNLIN_ERR_MEMORY;
    } else {
        parse_text(&r, xml);
    }
    for (size_t i = 0; i < r.count && r.status == DUNLIN_OK; i++) {
        r.objects[i].def.resources = r.objects[i].resources;
        r.status = hand_out(&r.objects[i], take, context);
    }
    for (size_t i = 0; i < r.count; i++) {
        free_draft(&r.objects[i]);
    }
    free(r.objects);
    free(r.text);
    if (r.expat != NULL) {
        XML_ParserFree(r.expat);
    }
    return r.status;
}
