/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The image: what a client is apart from its code, as bytes. It is saved after each change of it, so that a restart goes on from there, and a
 * bootstrap that fails is taken back to the one from before. In it: the instances of Objects 0, 1, 2 and 21 and of Objects with DUNLIN_KEEP with
 * every resource that is kept, attributes, the digest and origin of what came from a card, how often the bootstrap
 * server is tried, the certificates of enrolment with their keys. It begins with a version and ends with a digest; a reader checks both first.
 * Each part of it is a section (image_section.h).
 *
 * The client holds two: the one to go back to, which is what was saved last (or noted), and the one being written.
 */
#ifndef DN_CLIENT_IMAGE_H
#define DN_CLIENT_IMAGE_H

#include "client/state.h"

/* Bytes of the arena: two images, if the configuration has any. */
size_t dn_client_image_size(const dunlin_client_config *config);
/* Of those, the images themselves. */
size_t dn_client_image_buffer_size(const dunlin_client_config *config);
/* Whether config.image_max can be. */
bool dn_client_image_valid(const dunlin_client_config *config);
/* Takes them. False: the arena is too small. */
bool dn_client_image_create(dunlin_client *client);

/* Writes what the client is now. SPACE: `out` is too small. */
dunlin_status dn_client_image_write(dunlin_client *client, dunlin_buf *out);

/* Keeps the state of now in memory, for dn_client_image_return: that of all Objects, whatever a bootstrap server could change. Until
   the next save or return nothing is saved by itself but what the device does. SPACE. */
dunlin_status dn_client_image_note(dunlin_client *client);
/* Back to what was noted. */
void dn_client_image_return(dunlin_client *client);
/* What was noted is not gone back to any more: changes are saved as they come again. */
void dn_client_image_go_on(dunlin_client *client);

/* ---- what the device itself does while a bootstrap server is at work; nothing otherwise ---- */

/* The instance that it has just added stays when the bootstrap is taken back. SPACE: there is no room to note that. */
dunlin_status dn_client_image_added(dunlin_client *client, dunlin_path instance);
/* The instance that it has just removed stays away. */
void dn_client_image_removed(dunlin_client *client, dunlin_path instance);
/* The resource, or an instance of it, that it has just set stays as it is. */
void dn_client_image_changed(dunlin_client *client, dunlin_path path);
/* Before an operation that changes something: all of it can be taken back, to what the device has made of it by now. SPACE: it must not be
   carried out. */
dunlin_status dn_client_image_complete(dunlin_client *client);

/* ---- saving ---- */

/* Something that is in it has changed. */
void dn_client_image_touch(dunlin_client *client);
/* The same, if what is at `path` is in it; the root: all. */
void dn_client_image_touch_path(dunlin_client *client, dunlin_path path);
/* Whether what an Object holds is in it. */
bool dn_client_image_keeps(const dunlin_object *def);
/* Saves it, if it was touched and config.call.save is there. Else than OK: what `save` said, or SPACE; it stays touched. */
dunlin_status dn_client_image_save(dunlin_client *client);

/* ---- around the requests of servers ---- */

/* Before a request that may change something: there is something to go back to. False: there cannot be (config.image_max is
   too small), and the request must not be carried out. */
bool dn_client_image_ready(dunlin_client *client);
/* After one that has changed nothing but what is in the image, before anybody is told: the code of the answer. If it cannot be saved
   all is as it was, and it is 5.00. */
uint8_t dn_client_image_settle(dunlin_client *client, uint8_t code);
/* Before an instance is deleted, which cannot be taken back since its observers are told at once: saves the image as it will be without it and
   what Object 2 says about it. Else than OK: it must stay. */
dunlin_status dn_client_image_save_without(const dn_place *instance);

/* Saves what the device itself has changed; when that has failed, again after a while. */
void dn_client_image_step(dunlin_client *client);
uint64_t dn_client_image_deadline(const dunlin_client *client);

#endif
