/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The form of an image: magic, version, sections and a digest behind all of it. Written from the client, or out of another image with a
 * change of its Objects; read, checked and applied.
 */
#ifndef DN_CLIENT_IMAGE_FORM_H
#define DN_CLIENT_IMAGE_FORM_H

#include "client/image_edit.h"
#include "client/state.h"

/* Writes what the client is now into `out`; `whole`: with all Objects, else with those that survive a restart. SPACE: it is too small. */
dunlin_status dn_image_form_write(dunlin_client *client, dunlin_buf *out, bool whole);
/* Writes `image`, which is one of ours, anew with a change. SPACE; MALFORMED: it is none. */
dunlin_status dn_image_form_edit(dunlin_client *client, dunlin_slice image, const dn_image_edit *edit,
                                 dunlin_buf *out);
/*
 * Makes the client so: instances that are not in it go, those in it are as they are there; `created`, `set` and `removed` of Objects are
 * told of what differs. What is already so stays untouched, where it is in memory. MALFORMED, UNSUPPORTED, LIMIT, ACCESS: nothing is changed.
 * Accounts have to be paired anew after it.
 */
dunlin_status dn_image_form_apply(dunlin_client *client, dunlin_slice image);

#endif
