/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SenML names as paths: base name and name are one text, of which either may hold a part of an id. The base
 * name is read once and each name continues from there, so that nothing is copied and names have no length
 * limit. (RFC 8428 section 4.5.1, Core 1.1.1 section 7.4.4)
 */
#ifndef DN_CODEC_NAME_H
#define DN_CODEC_NAME_H

#include <dunlin/value.h>

typedef struct {
    uint16_t id[4];
    uint8_t depth;     /* ids, with the one that is being read */
    bool absolute;     /* the text starts with '/' */
    bool begun;        /* the last id has digits already */
    bool broken;       /* not a path, whatever follows */
    bool empty;        /* no text yet */
    bool root_decided; /* nothing of the alternate path follows: it was there, or is not */
    bool root_whole;   /* the text is the alternate path so far */
    size_t root_at;    /* how many characters of the alternate path the text has matched */
} dn_name;

/* The state before any text. */
void dn_name_start(dn_name *name);
/* Continues with `text`. `root` is the alternate path ("/lwm2m") or empty, the same for all calls. */
void dn_name_feed(dn_name *name, dunlin_slice text, dunlin_slice root);
/*
 * The path that the text so far names: below `base` if it does not start with '/', else absolute, with or
 * without the alternate path in front. A slash at the end is tolerated. PATH if it is none.
 */
dunlin_status dn_name_path(const dn_name *name, dunlin_path base, dunlin_path *out);

#define DN_NAME_TEXT_MAX (DUNLIN_PATH_TEXT_MAX + 1u)

/* Writes the ids of `path` from index `from` on, "5700/0", without NUL. Returns the length. */
size_t dn_name_format(dunlin_path path, unsigned from, char *out);

#endif
