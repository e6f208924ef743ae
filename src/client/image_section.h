/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of an image. To add one: a row here with an id that was never used, and its line in the table of image.c. Unknown ones are
 * passed over, so that an image of a later minor version can be read; one that is empty is not written, one that is missing is empty.
 */
#ifndef DN_CLIENT_IMAGE_SECTION_H
#define DN_CLIENT_IMAGE_SECTION_H

#include "client/image_bytes.h"
#include "client/state.h"

enum {
    DN_IMAGE_OBJECTS = 1,
    DN_IMAGE_ATTRIBUTES = 2,
    DN_IMAGE_BINDINGS = 3, /* accounts whose binding was chosen */
    DN_IMAGE_CARD = 4,     /* digest and origin of what came from a smartcard */
    DN_IMAGE_EST = 6,      /* certificates issued to us, and their keys */
    DN_IMAGE_TRIES = 7,    /* how often the bootstrap server is tried */
    DN_IMAGE_ENDPOINT = 8  /* the name of the device that it is of */
};

typedef struct {
    uint16_t id;
    /* `whole`: not for a restart but to take a bootstrap back. */
    void (*write)(dunlin_client *client, dn_image_out *out, bool whole);
    /* Whether `apply` can make the client so: MALFORMED, UNSUPPORTED, LIMIT, ACCESS. Changes nothing. */
    dunlin_status (*check)(dunlin_client *client, dn_image_in in, bool whole);
    /* Of what was checked, in the order of the table. */
    void (*apply)(dunlin_client *client, dn_image_in in, bool whole);
} dn_image_section;

extern const dn_image_section dn_image_objects;
extern const dn_image_section dn_image_attributes;
extern const dn_image_section dn_image_bindings;
extern const dn_image_section dn_image_card;
extern const dn_image_section dn_image_est;
extern const dn_image_section dn_image_tries;
extern const dn_image_section dn_image_endpoint;

#endif
