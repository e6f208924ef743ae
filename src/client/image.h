/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The image: what a client is apart from its code, as bytes. It is saved after each change of it, so that a restart goes on from there, and a
 * bootstrap that fails is taken back to the one from before. In it: the instances of Objects 0, 1, 2 and 21 and of Objects with DUNLIN_KEEP with
 * every resource that is instantiated and kept, attributes, the digest and origin of what came from a card, when the bootstrap account is to be
 * purged, the certificates of enrolment with their keys. It begins with a version and ends with a digest; a reader checks both first.
 */
#ifndef DN_CLIENT_IMAGE_H
#define DN_CLIENT_IMAGE_H

#include "client/state.h"

/* Bytes of the arena: two images, if the configuration has any. */
size_t dn_client_image_size(const dunlin_client_config *config);

/* Writes what the client is now. SPACE: `out` is too small. */
dunlin_status dn_client_image_write(dunlin_client *client, dunlin_buf *out);
/* Makes the client so: instances that are not in it go, those in it are as they are there; `set` and `removed` of Objects are told. MALFORMED,
   UNSUPPORTED, LIMIT: nothing is changed. Accounts have to be paired anew after it. */
dunlin_status dn_client_image_apply(dunlin_client *client, dunlin_slice image);

/* Keeps the state of now in memory, for dn_client_image_return. SPACE. */
dunlin_status dn_client_image_note(dunlin_client *client);
/* Back to what was noted. */
void dn_client_image_return(dunlin_client *client);

/* Something that is in it has changed. */
void dn_client_image_touch(dunlin_client *client);
/* Saves it, if it was touched and config.call.save is there. Else than OK: what `save` said, or SPACE; it stays touched. */
dunlin_status dn_client_image_save(dunlin_client *client);

#endif
