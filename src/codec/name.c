/* SPDX-License-Identifier: Apache-2.0 */
/* SenML names as paths. */
#include "codec/name.h"

#include "codec/number.h"

#include <string.h>

void dn_name_start(dn_name *name)
{
    memset(name, 0, sizeof *name);
    name->empty = true;
}

static void feed_digit(dn_name *name, unsigned digit)
{
    if (!name->begun) {
        if (name->depth == DUNLIN_PATH_DEPTH_MAX) {
            name->broken = true;
            return;
        }
        name->begun = true;
        name->id[name->depth++] = (uint16_t)digit;
        return;
    }
    uint32_t id = name->id[name->depth - 1];
    id = id * 10 + digit;
    /* A leading zero would give one path two names. */
    name->broken = name->broken || id == digit || id >= DUNLIN_ID_NONE;
    name->id[name->depth - 1] = (uint16_t)id;
}

static void feed_slash(dn_name *name)
{
    if (name->empty) {
        name->absolute = true;
    } else if (!name->begun) {
        name->broken = true;
    }
    name->begun = false;
}

/* Behind the alternate path everything starts anew, as if the text so far had not been. */
static void leave_root(dn_name *name, uint8_t letter)
{
    dn_name_start(name);
    name->absolute = true;
    name->root_decided = true;
    name->empty = false;
    name->broken = letter != '/';
}

static void feed_root(dn_name *name, uint8_t letter, dunlin_slice root)
{
    name->root_decided = letter != root.data[name->root_at++];
    name->root_whole = !name->root_decided && name->root_at == root.len;
}

static void feed_letter(dn_name *name, uint8_t letter, dunlin_slice root)
{
    if (name->root_whole) {
        leave_root(name, letter);
        return;
    }
    if (!name->root_decided) {
        feed_root(name, letter, root);
    }
    if (letter >= '0' && letter <= '9') {
        feed_digit(name, letter - (unsigned)'0');
    } else if (letter == '/') {
        feed_slash(name);
    } else {
        name->broken = true;
    }
    name->empty = false;
}

void dn_name_feed(dn_name *name, dunlin_slice text, dunlin_slice root)
{
    name->root_decided = name->root_decided || root.len <= 1; /* "/" is no alternate path */
    for (size_t i = 0; i < text.len; i++) {
        feed_letter(name, text.data[i], root);
    }
}

dunlin_status dn_name_path(const dn_name *name, dunlin_path base, dunlin_path *out)
{
    if (name->root_whole) {
        *out = dunlin_path_root();
        return DUNLIN_OK;
    }
    if (name->broken) {
        return DUNLIN_ERR_PATH;
    }
    dunlin_path path = name->absolute ? dunlin_path_root() : base;
    if (path.depth + name->depth > DUNLIN_PATH_DEPTH_MAX) {
        return DUNLIN_ERR_PATH;
    }
    for (unsigned i = 0; i < name->depth; i++) {
        path.id[path.depth++] = name->id[i];
    }
    *out = path;
    return DUNLIN_OK;
}

size_t dn_name_format(dunlin_path path, unsigned from, char *out)
{
    size_t len = 0;
    for (unsigned i = from; i < path.depth; i++) {
        if (i > from) {
            out[len++] = '/';
        }
        len += dn_unsigned_format(path.id[i], out + len);
    }
    return len;
}
