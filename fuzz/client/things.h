/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Instances of an object with a resource of each type, whose structures have guards before, between and behind the values: what the
 * library writes past a field is seen.
 */
#ifndef FUZZ_CLIENT_THINGS_H
#define FUZZ_CLIENT_THINGS_H

#include <dunlin/object.h>

#define THINGS_ID 33000

typedef char things_label[8];

typedef struct {
    uint8_t before[16];
    int32_t number;
    double real;
    char text[12];
    DUNLIN_BYTES(8) blob;
    dunlin_objlnk link;
    uint8_t between[16];
    DUNLIN_MANY(int16_t, 3) counts;
    DUNLIN_MANY(things_label, 2) labels;
    int32_t stubborn; /* a write of 13 fails: it stays what it was */
    int64_t hidden;   /* reached by callbacks alone */
    uint8_t after[16];
} things;

/* The rows of a table that all fuzzers have; what a resource from 7 on is, is their own affair. */
#define THINGS_RESOURCES(link_operations)                                                              \
    {DUNLIN_FIELD(0, INTEGER, DUNLIN_RW | DUNLIN_MANDATORY, things, number), .min = -100, .max = 100}, \
        {DUNLIN_FIELD(1, FLOAT, DUNLIN_RW, things, real)},                                             \
        {DUNLIN_FIELD(2, STRING, DUNLIN_RW, things, text)},                                            \
        {DUNLIN_FIELD(3, OPAQUE, DUNLIN_RW, things, blob)},                                            \
        {DUNLIN_FIELD(4, OBJLNK, (link_operations), things, link)},                                    \
        {DUNLIN_LIST(5, INTEGER, DUNLIN_RW, things, counts)},                                          \
    {                                                                                                  \
        DUNLIN_LIST(6, STRING, DUNLIN_RW, things, labels)                                              \
    }

#define THINGS_STUBBORN(number)                                                                  \
    {                                                                                            \
        DUNLIN_FIELD((number), INTEGER, DUNLIN_RW, things, stubborn), .set = things_set_stubborn \
    }

dunlin_status things_set_stubborn(const dunlin_call *call, const dunlin_value *value);
/* For an object's `created`: the instance's guards. */
dunlin_status things_created(const dunlin_call *call);
void things_guard(things *one);
/* Each is either as the library leaves what it has taken back, all zero, or between its guards with values in their bounds. */
void things_check(const things *list, size_t count);

#endif
