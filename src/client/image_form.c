/* SPDX-License-Identifier: Apache-2.0 */
/* The image as a whole: its version, its sections, its digest. */
#include "client/image_form.h"

#include "base/hash.h"
#include "client/image_section.h"
#include <string.h>

#define MAJOR 1u
#define MINOR 0u

/*
 * Behind all of it: SipHash-1-3 with a key that everybody knows. It is to notice what a worn flash cell, a torn write or a wrong file make of
 * an image, and 64 bits of it are enough for that. It is no seal: who can write the image has the device's credentials in it anyway.
 */
#define DIGEST_BYTES 8u
static const dn_hash_key digest_key = {0x64756e6c696e2069u, 0x6d61676520763100u};
static const uint8_t magic[] = {'D', 'L', 'I', 'M'};

/* In the order in which they are applied. */
static const dn_image_section *const sections[] = {
    &dn_image_endpoint, &dn_image_objects, &dn_image_bindings, &dn_image_attributes,
    &dn_image_card,     &dn_image_est,     &dn_image_tries,
};
#define SECTIONS (sizeof sections / sizeof sections[0])

typedef struct {
    dunlin_slice parts[SECTIONS]; /* of the sections that we know */
    bool whole;
} image_view;

static void digest_of(dunlin_slice bytes, uint8_t out[DIGEST_BYTES])
{
    const uint64_t digest = dn_hash(&digest_key, bytes);
    for (size_t i = 0; i < DIGEST_BYTES; i++) {
        out[i] = (uint8_t)(digest >> (8 * (DIGEST_BYTES - 1 - i)));
    }
}

/* What a section is made of: the client as it is now; or a part of an image that there is. */
typedef struct {
    const image_view *view; /* NULL: the client */
    const dn_image_edit *edit;
    bool whole;
} source;

static void write_part(dunlin_client *client, size_t section, const source *from, dn_image_out *out)
{
    if (from->view == NULL) {
        sections[section]->write(client, out, from->whole);
    } else if (sections[section] == &dn_image_objects) {
        dn_image_edit_objects(client, dn_image_read(from->view->parts[section]), from->edit, out);
    } else if (!dunlin_buf_append(out->out, from->view->parts[section])) {
        out->full = true;
    }
}

static void write_section(dunlin_client *client, size_t section, const source *from, dn_image_out *out)
{
    const size_t before = out->out->len;
    dn_image_put_number(out, sections[section]->id);
    const size_t part = dn_image_open(out);
    const size_t begin = out->out->len;
    write_part(client, section, from, out);
    dn_image_close(out, part);
    if (out->out->len == begin) {
        out->out->len = before; /* empty */
    }
}

static dunlin_status write_image(dunlin_client *client, const source *from, dunlin_buf *buf)
{
    dn_image_out out = {.out = buf};
    uint8_t digest[DIGEST_BYTES];
    buf->len = 0;
    out.full = !dunlin_buf_append(buf, dunlin_slice_make(magic, sizeof magic));
    dn_image_put_number(&out, MAJOR);
    dn_image_put_number(&out, MINOR);
    dn_image_put_number(&out, from->whole ? 1 : 0);
    for (size_t i = 0; i < SECTIONS && !out.full; i++) {
        write_section(client, i, from, &out);
    }
    digest_of(dunlin_buf_view(buf), digest);
    if (out.full || !dunlin_buf_append(buf, dunlin_slice_make(digest, sizeof digest))) {
        buf->len = 0;
        return DUNLIN_ERR_SPACE;
    }
    return DUNLIN_OK;
}

dunlin_status dn_image_form_write(dunlin_client *client, dunlin_buf *out, bool whole)
{
    return write_image(client, &(source){.whole = whole}, out);
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

dunlin_status dn_image_form_apply(dunlin_client *client, dunlin_slice image)
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

dunlin_status dn_image_form_edit(dunlin_client *client, dunlin_slice image, const dn_image_edit *edit,
                                 dunlin_buf *out)
{
    image_view view;
    const dunlin_status status = read_image(image, &view);
    if (status != DUNLIN_OK) {
        return status;
    }
    const source from = {.view = &view, .edit = edit, .whole = view.whole && !edit->kept_only};
    return write_image(client, &from, out);
}
