/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands that drive one device share. */
#ifndef DUNLIN_APP_DEVICE_H
#define DUNLIN_APP_DEVICE_H

#include "apps/dunlin/options.h"
#include "apps/dunlin/rest.h"

#include <jansson.h>
#include <stdint.h>

/* The help of what every command to a device takes. */
#define DN_QUEUE_HELP                                                                               \
    "  --timeout S     seconds to wait for the device (1 to 300)\n"                                 \
    "  --wait S        put it in the device's queue, which survives restarts, and wait S seconds\n" \
    "                  for the answer (0 to 300); a sleeping device's requests always go there\n"   \
    "  --expires S     give it up if it could not be delivered after S seconds\n"

/* The ids of a path, checked before anything is sent. */
typedef struct {
    uint16_t id[4];
    int depth;
    char text[32]; /* "/3/0/1" */
} dn_device_path;

/* Reads "/3/0" or "3/0" of `least` to `most` levels; false: said on stderr why not. */
bool dn_device_path_read(const char *command, const char *text, int least, int most, dn_device_path *out);
/* The URL of `path` on `endpoint`; `infix` is "" or "/observations", `query` "" or "?mode=update". */
dn_text dn_device_url(const dn_options *options, const char *endpoint, const char *infix,
                      const dn_device_path *path, const char *query);
/* One call; prints the trouble or, with --json, the answer. *answer is the parsed body (NULL on trouble, and when
 * the request waits in the server's queue, which is printed), to be json_decref'ed. */
int dn_device_call(const dn_options *options, const char *method, const dn_text *url, const json_t *body,
                   json_t **answer);

/* Turns what people type into the JSON of a write, asking the server for the resource's type. */
typedef struct {
    const dn_options *options;
    const char *endpoint;
    const char *type; /* --type, or NULL */
    json_t *model;    /* of the object; NULL: not known. Borrowed by calls, freed by dn_typing_end */
} dn_typing;

/* Fetches the object's model as the device has it; false with *exit_code when the server or the endpoint is
 * not there. */
bool dn_typing_start(dn_typing *typing, const dn_options *options, const char *endpoint, uint16_t object,
                     const char *type, int *exit_code);
void dn_typing_end(dn_typing *typing);
/* {"value":X}; NULL: `text` is no value of the type, said on stderr. */
json_t *dn_typing_value(dn_typing *typing, uint16_t resource, const char *text);
bool dn_typing_is_multiple(const dn_typing *typing, uint16_t resource);
/* A resource node out of "5700=21.5" or "6/0=1": into `resources`. False: said on stderr. */
bool dn_typing_assign(dn_typing *typing, const char *text, json_t *resources);

#endif
