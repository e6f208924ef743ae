/* SPDX-License-Identifier: Apache-2.0 */
/* The two images that are held, and when one is saved. Their form: image_form.h. */
#include "client/image.h"

#include "client/access.h"
#include "client/account.h"
#include "client/image_form.h"
#include "client/image_objects.h"
#include "client/tree.h"

#define IMAGE_LEAST 256u   /* bytes: less has no room for an account */
#define AGAIN_MS    60000u /* before a save that has failed is tried again */

typedef enum { NOTHING, NOTED, SAVED } image_standing;

struct dn_image {
    dunlin_buf kept, next;   /* the one to go back to; the one being written */
    image_standing standing; /* of `kept`: SAVED is what `save` has */
    bool whole;              /* `kept` is a note of all Objects */
    bool touched;
    bool held;        /* nothing is saved by itself: a bootstrap is under way */
    bool loose;       /* `kept` lacks what the device itself has set or added since it was noted */
    bool owed;        /* something of that is to survive a restart, and is not saved yet */
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

dunlin_status dn_client_image_write(dunlin_client *client, dunlin_buf *out)
{
    return dn_image_form_write(client, out, false);
}

dunlin_status dunlin_client_restore(dunlin_client *client, dunlin_slice image)
{
    const dunlin_status status = dn_image_form_apply(client, image);
    if (status != DUNLIN_OK) {
        return status;
    }
    dn_client_pair_accounts(client);
    /* An account that was here before and is another one now has taken its attributes along. */
    (void)dn_image_form_apply(client, image);
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
    const dunlin_status status = dn_image_form_write(client, &image->next, whole);
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
    client->image->loose = false;
    client->image->owed = client->image->touched; /* it is in the note */
    return status;
}

void dn_client_image_return(dunlin_client *client)
{
    dn_image *image = client->image;
    if (image == NULL || image->standing == NOTHING) {
        return;
    }
    image->held = false;
    const dunlin_status status = dn_image_form_apply(client, dunlin_buf_view(&image->kept));
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

/* ---- what the device does meanwhile ---- */

/* While operations are carried out, and while it is taken back, callbacks of the application belong to that. */
static bool follows(const dunlin_client *client)
{
    return client->image != NULL && client->image->held && !client->bootstrap.operating;
}

static dunlin_status edit(dunlin_client *client, const dn_image_edit *change)
{
    dn_image *image = client->image;
    const dunlin_status status =
        dn_image_form_edit(client, dunlin_buf_view(&image->kept), change, &image->next);
    if (status == DUNLIN_OK) {
        swap(image);
    } else {
        dn_log_at(&client->log, DN_LOG_ERROR, DN_CLIENT_AREA, "the image has no room in image_max, %lu bytes",
                  (unsigned long)client->config.image_max);
    }
    return status;
}

static void owe(dunlin_client *client, dunlin_path path)
{
    const dn_object_slot *slot = dn_client_tree_object(client, path.id[0]);
    client->image->owed = client->image->owed || (slot != NULL && dn_client_image_keeps(slot->def));
}

dunlin_status dn_client_image_added(dunlin_client *client, dunlin_path instance)
{
    if (!follows(client)) {
        return DUNLIN_OK;
    }
    const dunlin_status status = edit(client, &(dn_image_edit){.added = instance});
    client->image->loose = true;
    owe(client, instance);
    return status;
}

/* It becomes no longer by that. */
void dn_client_image_removed(dunlin_client *client, dunlin_path instance)
{
    if (follows(client)) {
        (void)edit(client, &(dn_image_edit){.removed = instance});
        owe(client, instance);
        client->image->owed = client->image->owed || dn_client_access_controlled(client);
    }
}

void dn_client_image_changed(dunlin_client *client, dunlin_path path)
{
    if (!follows(client) || path.depth < 3) {
        return;
    }
    const dn_object_slot *slot = dn_client_tree_object(client, path.id[0]);
    const dunlin_resource *resource = slot == NULL ? NULL : dn_client_tree_resource(slot->def, path.id[2]);
    if (resource != NULL && dn_image_row_kept(slot->def, resource)) {
        path.depth = 3;
        (void)edit(client, &(dn_image_edit){.changed = path});
        client->image->loose = true;
        owe(client, path);
    }
}

dunlin_status dn_client_image_complete(dunlin_client *client)
{
    dn_image *image = client->image;
    if (image == NULL || !image->held || !image->loose) {
        return DUNLIN_OK;
    }
    const dunlin_status status = edit(client, &(dn_image_edit){.fill = true});
    image->loose = status != DUNLIN_OK;
    return status;
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
    dunlin_status status = dn_image_form_write(client, &image->next, false);
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

/* What is durable follows the device, but not the bootstrap server, whose work may yet be undone. */
static void save_owed(dunlin_client *client)
{
    dn_image *image = client->image;
    const dn_image_edit change = {.fill = true, .kept_only = true};
    dunlin_status status = dn_image_form_edit(client, dunlin_buf_view(&image->kept), &change, &image->next);
    if (status == DUNLIN_OK) {
        status = client->config.call.save(client->config.call.context, dunlin_buf_view(&image->next));
    }
    if (status != DUNLIN_OK) {
        (void)failed(client, status);
        return;
    }
    client->counters.saves++;
    image->owed = false;
    image->wait_ms = 0;
}

static bool owes(const dunlin_client *client)
{
    return client->image != NULL && client->config.call.save != NULL && client->image->held &&
           client->image->owed;
}

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
    } else if (owes(client) && client->now_ms >= client->image->wait_ms) {
        save_owed(client);
    }
}

uint64_t dn_client_image_deadline(const dunlin_client *client)
{
    const bool due = (saves(client) && client->image->touched) || owes(client);
    return due ? client->image->wait_ms : DUNLIN_NEVER;
}
