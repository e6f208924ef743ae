/* SPDX-License-Identifier: Apache-2.0 */
/* The image as a whole: its form, the two that are held, and when one is saved. */
#include "client/image.h"

#include "base/hash.h"
#include "client/access.h"
#include "client/account.h"
#include "client/image_section.h"
#include "client/tree.h"
#include <string.h>

#define MAJOR       1u
#define MINOR       0u
#define IMAGE_LEAST 256u   /* bytes: less has no room for an account */
#define AGAIN_MS    60000u /* before a save that has failed is tried again */

/*
 * Behind all of it: SipHash-1-3 with a key that everybody knows. It is to notice what a worn flash cell, a torn write or a wrong file make of
 * an image, and 64 bits of it are enough for that. It is no seal: who can write the image has the device's credentials in it anyway.
 */
#define DIGEST_BYTES 8u
static const dn_hash_key digest_key = {0x64756e6c696e2069u, 0x6d61676520763100u};
static const uint8_t magic[] = {'D', 'L', 'I', 'M'};

/* In the order in which they are applied. */
static const dn_image_section *const sections[] = {
    &dn_image_objects, &dn_image_bindings, &dn_image_attributes,
    &dn_image_card,    &dn_image_est,      &dn_image_tries,
};
#define SECTIONS (sizeof sections / sizeof sections[0])

typedef struct {
    dunlin_slice parts[SECTIONS]; /* of the sections that we know */
    bool whole;
} image_view;

typedef enum { NOTHING, NOTED, SAVED } image_standing;

struct dn_image {
    dunlin_buf kept, next;   /* the one to go back to; the one being written */
    image_standing standing; /* of `kept`: SAVED is what `save` has */
    bool whole;              /* `kept` is a note of all Objects */
    bool touched;
    bool held;        /* nothing is saved by itself: a bootstrap is under way */
    uint64_t wait_ms; /* not before: the last save has failed */
};

/* ---- memory ---- */

static bool has_image(const dunlin_client_config *config)
{
    return config->bootstrap || config->call.save != NULL;
}

size_t dn_client_image_buffer_size(const dunlin_client_config *config)
{
    return has_image(config) ? 2 * dn_client_round(config->image_max) : 0;
}

size_t dn_client_image_size(const dunlin_client_config *config)
{
    return has_image(config) ? dn_client_round(sizeof(dn_image)) + dn_client_image_buffer_size(config) : 0;
}

bool dn_client_image_valid(const dunlin_client_config *config)
{
    return !has_image(config) || config->image_max >= IMAGE_LEAST;
}

bool dn_client_image_create(dunlin_client *client)
{
    const size_t max = client->config.image_max;
    if (!has_image(&client->config)) {
        return true;
    }
    dn_image *image = dn_client_take(client, sizeof *image);
    void *kept = dn_client_take(client, max);
    void *next = dn_client_take(client, max);
    if (image == NULL || kept == NULL || next == NULL) {
        return false;
    }
    image->kept = dunlin_buf_make(kept, max);
    image->next = dunlin_buf_make(next, max);
    client->image = image;
    return true;
}

/* ---- the form ---- */

static void digest_of(dunlin_slice bytes, uint8_t out[DIGEST_BYTES])
{
    const uint64_t digest = dn_hash(&digest_key, bytes);
    for (size_t i = 0; i < DIGEST_BYTES; i++) {
        out[i] = (uint8_t)(digest >> (8 * (DIGEST_BYTES - 1 - i)));
    }
}

static void write_section(dunlin_client *client, const dn_image_section *section, dn_image_out *out,
                          bool whole)
{
    const size_t before = out->out->len;
    dn_image_put_number(out, section->id);
    const size_t part = dn_image_open(out);
    const size_t begin = out->out->len;
    section->write(client, out, whole);
    dn_image_close(out, part);
    if (out->out->len == begin) {
        out->out->len = before; /* empty */
    }
}

static dunlin_status write_image(dunlin_client *client, dunlin_buf *buf, bool whole)
{
    dn_image_out out = {.out = buf};
    uint8_t digest[DIGEST_BYTES];
    buf->len = 0;
    out.full = !dunlin_buf_append(buf, dunlin_slice_make(magic, sizeof magic));
    dn_image_put_number(&out, MAJOR);
    dn_image_put_number(&out, MINOR);
    dn_image_put_number(&out, whole ? 1 : 0);
    for (size_t i = 0; i < SECTIONS && !out.full; i++) {
        write_section(client, sections[i], &out, whole);
    }
    digest_of(dunlin_buf_view(buf), digest);
    if (out.full || !dunlin_buf_append(buf, dunlin_slice_make(digest, sizeof digest))) {
        buf->len = 0;
        return DUNLIN_ERR_SPACE;
    }
    return DUNLIN_OK;
}

dunlin_status dn_client_image_write(dunlin_client *client, dunlin_buf *out)
{
    return write_image(client, out, false);
}

static void keep_section(image_view *view, uint64_t id, dunlin_slice part)
{
    for (size_t i = 0; i < SECTIONS; i++) {
        if (sections[i]->id == id) {
            view->parts[i] = part;
        }
    }
}

/* The digest comes first: what is damaged is no image of any version. */
static dunlin_status read_image(dunlin_slice image, image_view *view)
{
    uint8_t digest[DIGEST_BYTES];
    memset(view, 0, sizeof *view);
    if (image.len < sizeof magic + DIGEST_BYTES || memcmp(image.data, magic, sizeof magic) != 0) {
        return DUNLIN_ERR_MALFORMED;
    }
    const size_t len = image.len - DIGEST_BYTES;
    digest_of(dunlin_slice_make(image.data, len), digest);
    if (memcmp(digest, image.data + len, DIGEST_BYTES) != 0) {
        return DUNLIN_ERR_MALFORMED;
    }
    dn_image_in in = dn_image_read(dunlin_slice_make(image.data + sizeof magic, len - sizeof magic));
    const uint64_t major = dn_image_get_number(&in, UINT64_MAX);
    if (in.bad || major != MAJOR) {
        return in.bad ? DUNLIN_ERR_MALFORMED : DUNLIN_ERR_UNSUPPORTED;
    }
    (void)dn_image_get_number(&in, UINT64_MAX);
    view->whole = dn_image_get_number(&in, 1) == 1;
    while (dn_image_more(&in)) {
        const uint64_t id = dn_image_get_number(&in, UINT64_MAX);
        const dn_image_in part = dn_image_get_part(&in);
        keep_section(view, id, dunlin_slice_make(part.at, part.left));
    }
    return in.bad ? DUNLIN_ERR_MALFORMED : DUNLIN_OK;
}

/* Makes the client so: instances that are not in it go, those in it are as they are there; `created`, `set` and `removed` of Objects are
   told of what differs. What is already so stays untouched, where it is in memory. MALFORMED,
   UNSUPPORTED, LIMIT: nothing is changed. Accounts have to be paired anew after it. */
static dunlin_status apply(dunlin_client *client, dunlin_slice image)
{
    image_view view;
    dunlin_status status = read_image(image, &view);
    for (size_t i = 0; i < SECTIONS && status == DUNLIN_OK; i++) {
        status = sections[i]->check(client, dn_image_read(view.parts[i]), view.whole);
    }
    for (size_t i = 0; i < SECTIONS && status == DUNLIN_OK; i++) {
        sections[i]->apply(client, dn_image_read(view.parts[i]), view.whole);
    }
    return status;
}

dunlin_status dunlin_client_restore(dunlin_client *client, dunlin_slice image)
{
    const dunlin_status status = apply(client, image);
    if (status != DUNLIN_OK) {
        return status;
    }
    dn_client_pair_accounts(client);
    /* An account that was here before and is another one now has taken its attributes along. */
    (void)apply(client, image);
    dn_image *own = client->image;
    if (own != NULL) {
        own->kept.len = 0;
        own->standing = dunlin_buf_append(&own->kept, image) ? SAVED : NOTHING;
        own->whole = own->held = false;
        own->touched = own->standing == NOTHING;
    }
    return DUNLIN_OK;
}

/* ---- notes ---- */

static void swap(dn_image *image)
{
    const dunlin_buf former = image->kept;
    image->kept = image->next;
    image->next = former;
}

static dunlin_status note(dunlin_client *client, bool whole)
{
    dn_image *image = client->image;
    const dunlin_status status = write_image(client, &image->next, whole);
    if (status == DUNLIN_OK) {
        swap(image);
        image->standing = NOTED;
        image->whole = whole;
    } else {
        dn_log_at(&client->log, DN_LOG_ERROR, DN_CLIENT_AREA, "the image has no room in image_max, %lu bytes",
                  (unsigned long)client->config.image_max);
    }
    return status;
}

dunlin_status dn_client_image_note(dunlin_client *client)
{
    if (client->image == NULL) {
        return DUNLIN_ERR_SPACE;
    }
    const dunlin_status status = note(client, true);
    client->image->held = status == DUNLIN_OK;
    return status;
}

void dn_client_image_return(dunlin_client *client)
{
    dn_image *image = client->image;
    if (image == NULL || image->standing == NOTHING) {
        return;
    }
    image->held = false;
    const dunlin_status status = apply(client, dunlin_buf_view(&image->kept));
    if (status != DUNLIN_OK) { /* it was written by us, for these Objects */
        dn_log_at(&client->log, DN_LOG_ERROR, DN_CLIENT_AREA, "what was noted cannot be taken back: %s",
                  dunlin_status_text(status));
    }
}

void dn_client_image_go_on(dunlin_client *client)
{
    if (client->image != NULL) {
        client->image->held = false;
    }
}

/* ---- saving ---- */

void dn_client_image_touch(dunlin_client *client)
{
    if (client->image != NULL) {
        client->image->touched = true;
    }
}

void dn_client_image_touch_path(dunlin_client *client, dunlin_path path)
{
    if (client->image == NULL || client->image->touched) {
        return;
    }
    const dn_object_slot *slot = path.depth == 0 ? NULL : dn_client_tree_object(client, path.id[0]);
    if (path.depth == 0 || (slot != NULL && dn_client_image_keeps(slot->def))) {
        client->image->touched = true;
    }
}

static dunlin_status failed(dunlin_client *client, dunlin_status status)
{
    client->counters.saves_failed++;
    client->image->wait_ms = client->now_ms + AGAIN_MS;
    dn_log_at(&client->log, DN_LOG_ERROR, DN_CLIENT_AREA, "what has changed cannot be saved: %s",
              dunlin_status_text(status));
    return status;
}

/* What is saved already wears no flash. */
static dunlin_status save_now(dunlin_client *client)
{
    dn_image *image = client->image;
    dunlin_status status = write_image(client, &image->next, false);
    if (status != DUNLIN_OK) {
        return failed(client, status);
    }
    const dunlin_slice bytes = dunlin_buf_view(&image->next);
    if (image->standing != SAVED || !dunlin_slice_equal(bytes, dunlin_buf_view(&image->kept))) {
        status = client->config.call.save(client->config.call.context, bytes);
        if (status != DUNLIN_OK) {
            image->standing =
                image->standing == SAVED ? NOTED : image->standing; /* it may be half way there */
            return failed(client, status);
        }
        client->counters.saves++;
        swap(image);
    }
    image->standing = SAVED;
    image->whole = image->touched = false;
    image->wait_ms = 0;
    return DUNLIN_OK;
}

dunlin_status dn_client_image_save(dunlin_client *client)
{
    dn_image *image = client->image;
    if (image == NULL) {
        return DUNLIN_OK;
    }
    const dunlin_status status =
        image->touched && client->config.call.save != NULL ? save_now(client) : DUNLIN_OK;
    image->held = image->held && status != DUNLIN_OK;
    return status;
}

/* ---- around requests ---- */

static bool saves(const dunlin_client *client)
{
    return client->image != NULL && client->config.call.save != NULL && !client->image->held;
}

bool dn_client_image_ready(dunlin_client *client)
{
    const dn_image *image = client->image;
    return !saves(client) || (image->standing != NOTHING && !image->whole && !image->touched) ||
           note(client, false) == DUNLIN_OK;
}

uint8_t dn_client_image_settle(dunlin_client *client, uint8_t code)
{
    if (code >= DN_COAP_BAD_REQUEST || !saves(client) || dn_client_image_save(client) == DUNLIN_OK) {
        return code;
    }
    dn_client_image_return(client);
    return DN_COAP_INTERNAL_ERROR;
}

dunlin_status dn_client_image_save_without(const dn_place *instance)
{
    dunlin_client *client = instance->client;
    const dn_object_slot *rights = NULL;
    uint16_t entry = DN_NO_INDEX;
    if (!saves(client) || !(dn_client_image_keeps(instance->object->def) ||
                            dn_client_access_of(client, instance->path, &rights, &entry))) {
        return DUNLIN_OK;
    }
    (void)dn_client_access_of(client, instance->path, &rights, &entry);
    const uint16_t id = instance->object->ids[instance->index];
    const uint16_t entry_id = entry == DN_NO_INDEX ? DUNLIN_ID_NONE : rights->ids[entry];
    instance->object->ids[instance->index] = DUNLIN_ID_NONE;
    if (entry != DN_NO_INDEX) {
        rights->ids[entry] = DUNLIN_ID_NONE;
    }
    const dunlin_status status = save_now(client);
    instance->object->ids[instance->index] = id;
    if (entry != DN_NO_INDEX) {
        rights->ids[entry] = entry_id;
    }
    return status;
}

void dn_client_image_step(dunlin_client *client)
{
    if (saves(client) && client->image->touched && client->now_ms >= client->image->wait_ms) {
        (void)dn_client_image_save(client);
    }
}

uint64_t dn_client_image_deadline(const dunlin_client *client)
{
    return saves(client) && client->image->touched ? client->image->wait_ms : DUNLIN_NEVER;
}
