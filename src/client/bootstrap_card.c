/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bootstrap file of a smartcard (Core 1.1.1 appendix G): how many Objects, how many bytes; then for each Object its id, a version, a length and the
 * TLV of its instances, all in big endian. What stands behind is padding. A card is made for many kinds of devices: Objects that this one does not have are
 * passed over. Its accounts come before those that the device has otherwise: what has the same id, the same Short Server ID or is a
 * bootstrap server's account as well gives way.
 */
#include "client/bootstrap_operation.h"

#include "base/hash.h"
#include "client/bootstrap.h"
#include "client/bootstrap_remove.h"
#include "client/bootstrap_write.h"
#include "client/formats.h"
#include "client/image.h"
#include "client/operation.h"
#include "client/resource.h"
#include "client/tree.h"

#define FILE_MAX     32768u
#define HEAD_LEN     4u /* of the file */
#define ID_LEN       2u
#define LENGTH_LEN   2u
#define ERASED       0xFFu /* what a file holds that was never written */
#define OBJECTS_MAX  16u
#define SSID         10u
#define IS_BOOTSTRAP 1u
#define NOTHING      0u /* in place of a digest */

typedef struct {
    uint16_t object;
    dunlin_slice tlv;
} card_object;

typedef struct {
    size_t count;
    card_object objects[OBJECTS_MAX];
} card_file;

static uint16_t load16(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

/* ---- the form of the file ---- */

/* One 00 for the version that goes without saying, or major and minor. */
static size_t version_len(const uint8_t *bytes)
{
    return bytes[0] == 0 ? 1 : 2;
}

static dunlin_status read_object(dunlin_slice *rest, card_object *object)
{
    if (rest->len < ID_LEN + 1) {
        return DUNLIN_ERR_TRUNCATED;
    }
    const size_t head = ID_LEN + version_len(rest->data + ID_LEN) + LENGTH_LEN;
    if (rest->len < head) {
        return DUNLIN_ERR_TRUNCATED;
    }
    const size_t len = load16(rest->data + head - LENGTH_LEN);
    if (rest->len - head < len) {
        return DUNLIN_ERR_TRUNCATED;
    }
    object->object = load16(rest->data);
    object->tlv = dunlin_slice_make(rest->data + head, len);
    *rest = dunlin_slice_make(rest->data + head + len, rest->len - head - len);
    return DUNLIN_OK;
}

static bool is_named(const card_file *card, size_t count, uint16_t object)
{
    for (size_t i = 0; i < count; i++) {
        if (card->objects[i].object == object) {
            return true;
        }
    }
    return false;
}

static dunlin_status read_objects(dunlin_slice rest, size_t count, card_file *card)
{
    for (size_t i = 0; i < count; i++) {
        const dunlin_status status = read_object(&rest, &card->objects[i]);
        if (status != DUNLIN_OK) {
            return status;
        }
        if (is_named(card, i, card->objects[i].object)) {
            return DUNLIN_ERR_DUPLICATE;
        }
    }
    card->count = count;
    return rest.len == 0 ? DUNLIN_OK : DUNLIN_ERR_MALFORMED; /* there are more than were counted */
}

/* Nothing, or a file that nobody has written yet. */
static bool is_blank(dunlin_slice file)
{
    const uint8_t first = file.len > 0 ? file.data[0] : 0;
    for (size_t i = 0; i < file.len; i++) {
        if (file.data[i] != first) {
            return false;
        }
    }
    return first == 0 || first == ERASED;
}

static dunlin_status read_file(dunlin_slice file, card_file *card)
{
    card->count = 0;
    if (is_blank(file)) {
        return DUNLIN_OK;
    }
    if (file.len < HEAD_LEN) {
        return DUNLIN_ERR_TRUNCATED;
    }
    const size_t count = load16(file.data);
    const size_t size = load16(file.data + 2);
    if (size > file.len - HEAD_LEN) {
        return DUNLIN_ERR_TRUNCATED;
    }
    if (HEAD_LEN + size > FILE_MAX || count > OBJECTS_MAX) {
        return DUNLIN_ERR_LIMIT;
    }
    return read_objects(dunlin_slice_make(file.data + HEAD_LEN, size), count, card);
}

/* ---- what gives way to it ---- */

/* By the records of an Object on the card, one after the other; more is told once an error has been. */
typedef dunlin_status look(dunlin_client *client, const dn_record *record);

static dunlin_status each_record(dunlin_client *client, const card_object *object, look *at)
{
    dn_decoder decoder;
    dn_record record;
    const dunlin_buf none = dunlin_buf_make(NULL, 0); /* TLV needs none */
    const dunlin_path base = dunlin_path_object(object->object);
    dunlin_status status =
        dn_decode(&decoder, DN_FORMAT_TLV, base, object->tlv, dn_client_formats_types(client), none);
    while (status == DUNLIN_OK && (status = dn_decode_next(&decoder, &record)) == DUNLIN_OK) {
        status = record.path.depth < 2 || record.path.id[1] == DUNLIN_ID_NONE ? DUNLIN_ERR_MALFORMED
                                                                              : at(client, &record);
    }
    return status == DUNLIN_END ? DUNLIN_OK : status;
}

static dunlin_status look_only(dunlin_client *client, const dn_record *record)
{
    (void)client;
    (void)record;
    return DUNLIN_OK;
}

static void remove(const dn_place *place)
{
    if (place->path.id[0] == DN_SECURITY_OBJECT) {
        dn_client_bootstrap_remove_security(place);
    } else {
        dn_client_bootstrap_remove(place);
    }
}

/* The instance of Object 0 that is in the way of an account with this Short Server ID, 0: of a bootstrap server's. */
static bool find_rival(dunlin_client *client, int32_t ssid, dn_place *rival)
{
    uint16_t index = 0;
    const dn_object_slot *slot = dn_client_tree_object(client, DN_SECURITY_OBJECT);
    for (uint16_t id = 0; (id = dn_client_tree_next(slot, id, &index)) != DUNLIN_ID_NONE; id++) {
        const bool same = ssid == 0 ? client->securities[index].bootstrap
                                    : dn_client_bootstrap_ssid_of(client, index) == ssid;
        if (same) {
            return dn_client_tree_find(client, dunlin_path_instance(DN_SECURITY_OBJECT, id), true, rival) ==
                   DUNLIN_OK;
        }
    }
    return false;
}

/* Before anything of the card is written: what is in its way goes, accounts as a whole. */
static dunlin_status make_way(dunlin_client *client, const dn_record *record)
{
    dn_place place;
    dunlin_path instance = record->path;
    instance.depth = 2;
    if (dn_client_tree_find(client, instance, true, &place) == DUNLIN_OK &&
        dn_client_bootstrap_removes(place.object->def)) {
        remove(&place);
    }
    if (record->path.id[0] != DN_SECURITY_OBJECT || record->kind != DN_RECORD_VALUE ||
        record->path.depth != 3) {
        return DUNLIN_OK;
    }
    const dunlin_value *value = &record->value;
    int32_t ssid = -1;
    if (record->path.id[2] == SSID && value->type == DUNLIN_TYPE_INTEGER && value->as.integer > 0 &&
        value->as.integer < (int64_t)DUNLIN_ID_NONE) {
        ssid = (int32_t)value->as.integer;
    } else if (record->path.id[2] == IS_BOOTSTRAP && value->type == DUNLIN_TYPE_BOOLEAN &&
               value->as.boolean) {
        ssid = 0;
    }
    if (ssid >= 0 && find_rival(client, ssid, &place)) {
        remove(&place);
    }
    return DUNLIN_OK;
}

/* What came from the card before. An account takes more of it along. */
static void remove_given(dunlin_client *client)
{
    dn_card *card = &client->card;
    while (card->count > 0) {
        dn_place place;
        const dunlin_objlnk link = card->given[card->count - 1];
        if (dn_client_tree_find(client, dunlin_path_instance(link.object, link.instance), true, &place) ==
                DUNLIN_OK &&
            dn_client_bootstrap_removes(place.object->def)) {
            remove(&place); /* which takes it off the list */
        } else {
            card->count--;
        }
    }
    card->digest = NOTHING;
}

/* ---- applying it ---- */

/* Whether all of it can be read, before anything goes. */
static dunlin_status check_records(dunlin_client *client, const card_file *card)
{
    for (size_t i = 0; i < card->count; i++) {
        const dunlin_status status = each_record(client, &card->objects[i], look_only);
        if (status != DUNLIN_OK) {
            return status;
        }
    }
    return DUNLIN_OK;
}

/* An account without an address is none. */
static dunlin_status check_uris(const dunlin_client *client)
{
    for (uint16_t i = 0; i < client->card.count; i++) {
        const dunlin_objlnk link = client->card.given[i];
        const dn_object_slot *slot =
            &client->objects[DN_SECURITY_OBJECT]; /* ids ascend, and Object 0 comes with the client */
        if (link.object == DN_SECURITY_OBJECT &&
            client->securities[dn_client_tree_instance(slot, link.instance)].uri[0] == '\0') {
            return DUNLIN_ERR_MALFORMED;
        }
    }
    return DUNLIN_OK;
}

static dunlin_status put_object(dunlin_client *client, const card_object *object)
{
    dn_bootstrap_write write = {
        .client = client,
        .base = dunlin_path_object(object->object),
        .format = DN_FORMAT_TLV,
        .payload = object->tlv,
        .scratch = dunlin_buf_make(client->work, client->config.max_body),
        .factory = true,
    };
    if (object->tlv.len == 0 || dn_client_tree_object(client, object->object) == NULL) {
        return DUNLIN_OK;
    }
    const dunlin_status status = dn_client_bootstrap_put(&write);
    for (size_t i = 0; status == DUNLIN_OK && i < write.added_count; i++) {
        if (client->card.count == DN_CARD_INSTANCES_MAX) {
            return DUNLIN_ERR_LIMIT;
        }
        client->card.given[client->card.count++] = write.added[i];
    }
    return status;
}

static dunlin_status put_file(dunlin_client *client, const card_file *card)
{
    dunlin_status status = DUNLIN_OK;
    for (size_t i = 0; i < card->count && status == DUNLIN_OK; i++) {
        status = each_record(client, &card->objects[i], make_way);
    }
    for (size_t i = 0; i < card->count && status == DUNLIN_OK; i++) {
        status = put_object(client, &card->objects[i]);
    }
    return status == DUNLIN_OK ? check_uris(client) : status;
}

static uint64_t digest_of(dunlin_slice file, const card_file *card)
{
    static const dn_hash_key key = {0x64756e6c696e2063u, 0x6172642066696c65u}; /* only compared with itself */
    if (card->count == 0) {
        return NOTHING;
    }
    const uint64_t digest = dn_hash(&key, dunlin_slice_make(file.data, HEAD_LEN + load16(file.data + 2)));
    return digest == NOTHING ? 1 : digest;
}

/* What only bad input was meant to be is that for whoever asks; anything else stays what it is. */
static dunlin_status result_of(dunlin_status status)
{
    return dunlin_is_bad_input(status) || status == DUNLIN_ERR_STATE ? DUNLIN_ERR_MALFORMED
           : status == DUNLIN_ERR_SPACE                              ? DUNLIN_ERR_LIMIT
                                                                     : status;
}

/* Without memory for images there is no way back: then what is left of a card that is of no use is nothing. */
static dunlin_status replace(dunlin_client *client, const card_file *card, uint64_t digest, bool *changed)
{
    const bool noted = dn_client_image_note(client) == DUNLIN_OK;
    remove_given(client);
    const dunlin_status status = put_file(client, card);
    if (status == DUNLIN_OK) {
        client->card.digest = digest;
        *changed = true;
        dn_client_image_go_on(client);
    } else if (noted) {
        dn_client_image_return(client);
    } else {
        remove_given(client);
        *changed = true;
    }
    if (*changed) {
        dn_client_image_touch(client);
    }
    return result_of(status);
}

dunlin_status dn_client_card_apply(dunlin_client *client, dunlin_slice file, bool *changed)
{
    card_file card;
    *changed = false;
    if (dn_client_bootstrap_active(client)) {
        return DUNLIN_ERR_STATE; /* what is there may be taken back yet */
    }
    dunlin_status status = read_file(file, &card);
    if (status == DUNLIN_OK) {
        status = check_records(client, &card);
    }
    if (status != DUNLIN_OK) {
        return result_of(status);
    }
    const uint64_t digest = digest_of(file, &card);
    if (digest == client->card.digest) {
        return DUNLIN_OK;
    }
    return replace(client, &card, digest, changed);
}

bool dn_client_card_gave(const dunlin_client *client, uint16_t ssid)
{
    const dn_object_slot *slot = &client->objects[DN_SECURITY_OBJECT];
    for (uint16_t i = 0; i < client->card.count; i++) {
        const dunlin_objlnk link = client->card.given[i];
        const uint16_t index =
            link.object == DN_SECURITY_OBJECT ? dn_client_tree_instance(slot, link.instance) : DN_NO_INDEX;
        if (index != DN_NO_INDEX && dn_client_bootstrap_ssid_of(client, index) == ssid) {
            return true;
        }
    }
    return false;
}
