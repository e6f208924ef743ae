/* SPDX-License-Identifier: Apache-2.0 */
/* Changes to and from bytes: a writer that reserves once, a reader with a sticky error. */
#include "store/change.h"

#include <stdlib.h>
#include <string.h>

#define FIXED_MAX   160u /* bytes of any change besides its texts */
#define GROW_MIN    512u
#define TEXT_MAX    UINT16_MAX
#define PAYLOAD_MAX (UINT32_MAX / 2)

void dn_bytes_free(dn_bytes *bytes)
{
    free(bytes->data);
    *bytes = (dn_bytes){0};
}

static bool reserve(dn_bytes *bytes, size_t more)
{
    if (bytes->cap - bytes->len >= more) {
        return true;
    }
    size_t cap = bytes->cap < GROW_MIN ? GROW_MIN : bytes->cap;
    while (cap - bytes->len < more) {
        cap *= 2;
    }
    uint8_t *data = realloc(bytes->data, cap);
    if (data == NULL) {
        return false;
    }
    bytes->data = data;
    bytes->cap = cap;
    return true;
}

/* ---- writing: into memory that was reserved ---- */

/* Inlined, so that `width` is a constant and the loop one store. */
static inline void put(dn_bytes *bytes, uint64_t value, unsigned width)
{
    uint8_t *at = bytes->data + bytes->len;
    for (unsigned i = 0; i < width; i++) {
        at[i] = (uint8_t)(value >> (8 * i));
    }
    bytes->len += width;
}

static void put_bytes(dn_bytes *bytes, dunlin_slice slice, unsigned length_width)
{
    put(bytes, slice.len, length_width);
    if (slice.len > 0) {
        memcpy(bytes->data + bytes->len, slice.data, slice.len);
        bytes->len += slice.len;
    }
}

static void put_registration(dn_bytes *bytes, const dn_store_registration *r)
{
    put(bytes, r->slot, 4);
    put(bytes, r->id, 8);
    put(bytes, (uint64_t)r->updated_ms, 8);
    put(bytes, (uint64_t)r->registered_ms, 8);
    put(bytes, r->lifetime_s, 4);
    put(bytes, r->links, 4);
    put(bytes, r->version_major, 1);
    put(bytes, r->version_minor, 1);
    put(bytes, r->binding, 1);
    put(bytes, r->flags, 1);
    put_bytes(bytes, dunlin_slice_make(r->peer.bytes, r->peer.len), 1);
    put_bytes(bytes, r->endpoint, 2);
    put_bytes(bytes, r->sms, 2);
}

static void put_path(dn_bytes *bytes, dunlin_path path)
{
    put(bytes, path.depth, 1);
    for (unsigned i = 0; i < 4; i++) {
        put(bytes, path.id[i], 2);
    }
}

static void put_observation(dn_bytes *bytes, const dn_store_observation *o)
{
    put(bytes, o->number, 4);
    put_path(bytes, o->path);
    put(bytes, o->format, 2);
    put(bytes, (uint64_t)o->since_ms, 8);
    put(bytes, o->token, 8);
    put_bytes(bytes, o->endpoint, 2);
    put_bytes(bytes, o->paths, 2);
}

static void put_value(dn_bytes *bytes, const dn_store_value *v)
{
    put(bytes, v->observation, 4);
    put(bytes, (uint64_t)v->received_ms, 8);
    put(bytes, v->code, 1);
    put(bytes, v->format, 2);
    put_bytes(bytes, v->payload, 4);
}

static void put_progress(dn_bytes *bytes, const dn_store_progress *p)
{
    put(bytes, p->request, 4);
    put(bytes, p->state, 1);
    put(bytes, p->attempts, 4);
    put(bytes, (uint64_t)p->ended_ms, 8);
    put(bytes, (uint32_t)p->status, 4);
    put(bytes, p->code, 1);
    put(bytes, p->format, 2);
    put_bytes(bytes, p->location, 2);
    put_bytes(bytes, p->payload, 4);
}

static void put_request(dn_bytes *bytes, const dn_store_request *r)
{
    put(bytes, r->number, 4);
    put(bytes, r->id, 8);
    put(bytes, r->method, 1);
    put(bytes, r->auto_accept, 1);
    put_path(bytes, r->path);
    put(bytes, r->content_format, 2);
    put(bytes, r->accept, 2);
    put(bytes, (uint64_t)r->created_ms, 8);
    put(bytes, (uint64_t)r->expires_ms, 8);
    put_bytes(bytes, r->endpoint, 2);
    put_bytes(bytes, r->query, 2);
    put_bytes(bytes, r->package, 2);
    put_bytes(bytes, r->body, 4);
    put_progress(bytes, &r->progress);
}

/* Adds to `sum`, which SIZE_MAX marks as too long. */
static size_t with(size_t sum, dunlin_slice text, size_t most)
{
    return sum == SIZE_MAX || text.len > most ? SIZE_MAX : sum + text.len;
}

static size_t progress_text_bytes(const dn_store_progress *p)
{
    return with(with(0, p->location, TEXT_MAX), p->payload, PAYLOAD_MAX);
}

static size_t request_text_bytes(const dn_store_request *r)
{
    size_t sum = progress_text_bytes(&r->progress);
    sum = with(sum, r->endpoint, TEXT_MAX);
    sum = with(sum, r->query, TEXT_MAX);
    sum = with(sum, r->package, TEXT_MAX);
    return with(sum, r->body, PAYLOAD_MAX);
}

/* Bytes that the change's texts take; SIZE_MAX when one is too long for its length field. */
static size_t text_bytes(const dn_change *change)
{
    size_t a = 0;
    size_t b = 0;
    size_t most = TEXT_MAX;
    switch (change->type) {
    case DN_CHANGE_REGISTRATION:
        if (change->as.registration.peer.len > DN_PEER_MAX) {
            return SIZE_MAX;
        }
        a = change->as.registration.endpoint.len;
        b = change->as.registration.sms.len;
        break;
    case DN_CHANGE_OBSERVATION:
        a = change->as.observation.endpoint.len;
        b = change->as.observation.paths.len;
        break;
    case DN_CHANGE_REQUEST:
        return request_text_bytes(&change->as.request);
    case DN_CHANGE_PROGRESS:
        return progress_text_bytes(&change->as.progress);
    case DN_CHANGE_VALUE:
        a = change->as.value.payload.len;
        most = PAYLOAD_MAX;
        break;
    case DN_CHANGE_LINKS:
        a = change->as.links.text.len;
        most = PAYLOAD_MAX;
        break;
    default:
        break;
    }
    return a > most || b > most ? SIZE_MAX : a + b;
}

bool dn_change_append(dn_bytes *bytes, const dn_change *change)
{
    size_t texts = text_bytes(change);
    if (texts == SIZE_MAX || !reserve(bytes, texts + FIXED_MAX)) {
        return false;
    }
    put(bytes, change->type, 1);
    switch (change->type) {
    case DN_CHANGE_REGISTRATION:
        put_registration(bytes, &change->as.registration);
        break;
    case DN_CHANGE_TOUCH:
        put(bytes, change->as.touch.slot, 4);
        put(bytes, (uint64_t)change->as.touch.updated_ms, 8);
        break;
    case DN_CHANGE_VALUE:
        put_value(bytes, &change->as.value);
        break;
    case DN_CHANGE_LINKS:
        put(bytes, change->as.links.number, 4);
        put_bytes(bytes, change->as.links.text, 4);
        break;
    case DN_CHANGE_OBSERVATION:
        put_observation(bytes, &change->as.observation);
        break;
    case DN_CHANGE_REQUEST:
        put_request(bytes, &change->as.request);
        break;
    case DN_CHANGE_PROGRESS:
        put_progress(bytes, &change->as.progress);
        break;
    case DN_CHANGE_REQUEST_IDS:
        put(bytes, change->as.bound, 8);
        break;
    default:
        put(bytes, change->as.number, 4);
        break;
    }
    return true;
}

/* ---- reading ---- */

typedef struct {
    dunlin_slice rest;
    bool bad;
} reader;

static inline uint64_t get(reader *r, unsigned width)
{
    if (r->bad || r->rest.len < width) {
        r->bad = true;
        return 0;
    }
    uint64_t value = 0;
    for (unsigned i = 0; i < width; i++) {
        value |= (uint64_t)r->rest.data[i] << (8 * i);
    }
    r->rest = dunlin_slice_make(r->rest.data + width, r->rest.len - width);
    return value;
}

static dunlin_slice get_bytes(reader *r, unsigned length_width)
{
    size_t len = get(r, length_width);
    if (r->bad || r->rest.len < len) {
        r->bad = true;
        return dunlin_slice_make(NULL, 0);
    }
    dunlin_slice bytes = dunlin_slice_make(r->rest.data, len);
    r->rest = dunlin_slice_make(r->rest.data + len, r->rest.len - len);
    return bytes;
}

static void get_registration(reader *in, dn_store_registration *r)
{
    r->slot = (uint32_t)get(in, 4);
    r->id = get(in, 8);
    r->updated_ms = (int64_t)get(in, 8);
    r->registered_ms = (int64_t)get(in, 8);
    r->lifetime_s = (uint32_t)get(in, 4);
    r->links = (uint32_t)get(in, 4);
    r->version_major = (uint8_t)get(in, 1);
    r->version_minor = (uint8_t)get(in, 1);
    r->binding = (uint8_t)get(in, 1);
    r->flags = (uint8_t)get(in, 1);
    dunlin_slice peer = get_bytes(in, 1);
    if (peer.len > DN_PEER_MAX) {
        in->bad = true;
    } else if (peer.len > 0) {
        r->peer.len = (uint8_t)peer.len;
        memcpy(r->peer.bytes, peer.data, peer.len);
    }
    r->endpoint = get_bytes(in, 2);
    r->sms = get_bytes(in, 2);
}

static dunlin_path get_path(reader *in)
{
    dunlin_path path = {.depth = (uint8_t)get(in, 1)};
    for (unsigned i = 0; i < 4; i++) {
        path.id[i] = (uint16_t)get(in, 2);
    }
    in->bad = in->bad || path.depth > 4;
    return path;
}

static void get_observation(reader *in, dn_store_observation *o)
{
    o->number = (uint32_t)get(in, 4);
    o->path = get_path(in);
    o->format = (uint16_t)get(in, 2);
    o->since_ms = (int64_t)get(in, 8);
    o->token = get(in, 8);
    o->endpoint = get_bytes(in, 2);
    o->paths = get_bytes(in, 2);
}

static void get_value(reader *in, dn_store_value *v)
{
    v->observation = (uint32_t)get(in, 4);
    v->received_ms = (int64_t)get(in, 8);
    v->code = (uint8_t)get(in, 1);
    v->format = (uint16_t)get(in, 2);
    v->payload = get_bytes(in, 4);
}

static void get_progress(reader *in, dn_store_progress *p)
{
    p->request = (uint32_t)get(in, 4);
    p->state = (uint8_t)get(in, 1);
    p->attempts = (uint32_t)get(in, 4);
    p->ended_ms = (int64_t)get(in, 8);
    p->status = (dunlin_status)(int32_t)(uint32_t)get(in, 4);
    p->code = (uint8_t)get(in, 1);
    p->format = (uint16_t)get(in, 2);
    p->location = get_bytes(in, 2);
    p->payload = get_bytes(in, 4);
}

static void get_request(reader *in, dn_store_request *r)
{
    r->number = (uint32_t)get(in, 4);
    r->id = get(in, 8);
    r->method = (uint8_t)get(in, 1);
    r->auto_accept = get(in, 1) != 0;
    r->path = get_path(in);
    r->content_format = (uint16_t)get(in, 2);
    r->accept = (uint16_t)get(in, 2);
    r->created_ms = (int64_t)get(in, 8);
    r->expires_ms = (int64_t)get(in, 8);
    r->endpoint = get_bytes(in, 2);
    r->query = get_bytes(in, 2);
    r->package = get_bytes(in, 2);
    r->body = get_bytes(in, 4);
    get_progress(in, &r->progress);
}

dunlin_status dn_change_next(dunlin_slice *rest, dn_change *out)
{
    if (rest->len == 0) {
        return DUNLIN_END;
    }
    reader in = {*rest, false};
    *out = (dn_change){.type = (dn_change_type)get(&in, 1)};
    switch (out->type) {
    case DN_CHANGE_REGISTRATION:
        get_registration(&in, &out->as.registration);
        break;
    case DN_CHANGE_TOUCH:
        out->as.touch.slot = (uint32_t)get(&in, 4);
        out->as.touch.updated_ms = (int64_t)get(&in, 8);
        break;
    case DN_CHANGE_VALUE:
        get_value(&in, &out->as.value);
        break;
    case DN_CHANGE_LINKS:
        out->as.links.number = (uint32_t)get(&in, 4);
        out->as.links.text = get_bytes(&in, 4);
        break;
    case DN_CHANGE_OBSERVATION:
        get_observation(&in, &out->as.observation);
        break;
    case DN_CHANGE_REQUEST:
        get_request(&in, &out->as.request);
        break;
    case DN_CHANGE_PROGRESS:
        get_progress(&in, &out->as.progress);
        break;
    case DN_CHANGE_REQUEST_IDS:
        out->as.bound = get(&in, 8);
        break;
    case DN_CHANGE_DROP_REGISTRATION:
    case DN_CHANGE_DROP_VALUE:
    case DN_CHANGE_DROP_LINKS:
    case DN_CHANGE_DROP_OBSERVATION:
    case DN_CHANGE_DROP_REQUEST:
        out->as.number = (uint32_t)get(&in, 4);
        break;
    default:
        in.bad = true;
        break;
    }
    if (in.bad) {
        return DUNLIN_ERR_MALFORMED;
    }
    *rest = in.rest;
    return DUNLIN_OK;
}
