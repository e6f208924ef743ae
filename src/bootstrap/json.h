/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON by tables: which members an object may have, of what kind, and where each goes. An error names the member by its way from the top
 * ("servers[0].security.key: …") and never repeats a value. Texts of a document may be secrets: they are wiped with it.
 */
#ifndef DN_BOOTSTRAP_JSON_H
#define DN_BOOTSTRAP_JSON_H

#include <dunlin/slice.h>

#include <jansson.h>

#define DN_BS_JSON_AT_MAX 96u

typedef struct {
    char at[DN_BS_JSON_AT_MAX]; /* the way to where we are */
    size_t len;
    char *error;
    size_t error_size;
} dn_bs_json;

typedef enum {
    DN_BS_JSON_BOOL,   /* bool */
    DN_BS_JSON_MAYBE,  /* a boolean into an int8_t: 0 or 1 */
    DN_BS_JSON_INT16,  /* int16_t, and so on, within least and most */
    DN_BS_JSON_UINT16, /* uint16_t */
    DN_BS_JSON_INT32,
    DN_BS_JSON_INT64,
    DN_BS_JSON_TEXT, /* char *, allocated; `most` bytes at most */
    DN_BS_JSON_OTHER /* `read` takes it */
} dn_bs_json_kind;

typedef struct {
    const char *name;
    dn_bs_json_kind kind;
    size_t offset; /* within what the object goes into */
    int64_t least, most;
    bool (*read)(dn_bs_json *json, const json_t *value, void *target);
} dn_bs_json_member;

/* NULL: it is none, as the error says. To be freed with dn_bs_json_free. */
json_t *dn_bs_json_parse(dn_bs_json *json, dunlin_slice document);
/* Wipes its texts. May be NULL. */
void dn_bs_json_free(json_t *document);

/* Goes down to a member or to an element, and back by what was returned. */
size_t dn_bs_json_into(dn_bs_json *json, const char *member);
size_t dn_bs_json_at(dn_bs_json *json, size_t index);
void dn_bs_json_back(dn_bs_json *json, size_t to);
/* False, with the error set: `what` behind where we are. */
bool dn_bs_json_bad(dn_bs_json *json, const char *what);
/* The same for a member of where we are. */
bool dn_bs_json_bad_at(dn_bs_json *json, const char *member, const char *what);

/* Reads an object's members into `target`. Others than those of the table are errors. */
bool dn_bs_json_object(dn_bs_json *json, const json_t *value, const dn_bs_json_member *table, size_t count,
                       void *target);
/* Reads each element of an array of at most `most`. */
bool dn_bs_json_array(dn_bs_json *json, const json_t *value, size_t most,
                      bool (*element)(dn_bs_json *json, const json_t *value, size_t index, void *target),
                      void *target);
/* The text of a string without NULs. */
bool dn_bs_json_string(dn_bs_json *json, const json_t *value, dunlin_slice *out);
bool dn_bs_json_integer(dn_bs_json *json, const json_t *value, int64_t least, int64_t most, int64_t *out);
/* Hex digits. `out` gets malloc'd bytes. */
bool dn_bs_json_hex(dn_bs_json *json, dunlin_slice digits, uint8_t **out, size_t *len);

#endif
