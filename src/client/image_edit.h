/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A change of the Objects in an image that there is: what the device itself does while a bootstrap server is at work must not be undone with the
 * bootstrap, so the note of what was before has to follow it (image.h).
 *
 * A resource that an image does not speak of is left as it is when the image is applied. So an instance which the device has added gets an entry
 * without resources, and a resource that it has set goes out of the image. Before the bootstrap server changes anything more, what is
 * missing is filled in.
 */
#ifndef DN_CLIENT_IMAGE_EDIT_H
#define DN_CLIENT_IMAGE_EDIT_H

#include "client/image_bytes.h"
#include "client/state.h"

/* Paths of depth 0 mean: nothing. */
typedef struct {
    dunlin_path added;   /* an instance that gets an entry, in the place of what was there */
    dunlin_path removed; /* an instance that goes, with what Object 2 says of it */
    dunlin_path changed; /* a resource that goes */
    bool fill;           /* resources that are missing come in as they are in the client now */
    bool kept_only;      /* Objects that do not survive a restart go */
} dn_image_edit;

/* Writes the section `in` of the Objects into `out`, with the change. */
void dn_image_edit_objects(dunlin_client *client, dn_image_in in, const dn_image_edit *edit,
                           dn_image_out *out);

#endif
