/* SPDX-License-Identifier: Apache-2.0 */
/* How the Objects lie in an image, for those who walk over them: image_objects.c, and image_edit.c, which changes an image that there is. */
#ifndef DN_CLIENT_IMAGE_OBJECTS_H
#define DN_CLIENT_IMAGE_OBJECTS_H

#include "client/image_bytes.h"
#include "client/state.h"

typedef enum { DN_ROW_ABSENT, DN_ROW_SINGLE, DN_ROW_MANY, DN_ROW_KINDS } dn_row_kind;

/* A resource as it is in the image. */
typedef struct {
    uint16_t id;
    dn_row_kind kind;
    dunlin_value value;   /* SINGLE */
    dn_image_in elements; /* MANY */
} dn_image_row;

/* An id and what is behind it: an Object with its instances, an instance with its resources. `*from` is the least that it may be, 0 at first.
   False: there are no more, or it is none (in->bad). */
bool dn_image_next_part(dn_image_in *in, uint32_t *from, uint16_t *id, dn_image_in *part);
/* The same for a resource of an instance. */
bool dn_image_next_row(dn_image_in *in, uint32_t *from, dn_image_row *row);

/* Whether the image speaks of that resource of an Object at all. */
bool dn_image_row_kept(const dunlin_object *def, const dunlin_resource *resource);
/* Writes the resource that `place` is about as it is now. */
void dn_image_put_row(dn_place *place, dn_image_out *out);

#endif
