/* SPDX-License-Identifier: Apache-2.0 */
/* The types of the resources that the test cases touch, from the registry's definitions: a tool that judges devices
 * brings its own, so that it runs without files. */
#include "ets/values.h"

enum { R = 0, W = 1, M = 2 }; /* readable, writable, multiple */

typedef struct {
    uint16_t object, resource;
    dunlin_type type;
    uint8_t flags;
} row;

#define TEXT   DUNLIN_TYPE_STRING
#define INT    DUNLIN_TYPE_INTEGER
#define UINT   DUNLIN_TYPE_UNSIGNED
#define FLOAT  DUNLIN_TYPE_FLOAT
#define BOOL   DUNLIN_TYPE_BOOLEAN
#define OPAQUE DUNLIN_TYPE_OPAQUE
#define TIME   DUNLIN_TYPE_TIME
#define LINK   DUNLIN_TYPE_OBJLNK

static const row rows[] = {
    {0, 0, TEXT, R},       {0, 1, BOOL, R},       {0, 2, INT, R},        {0, 3, OPAQUE, R},
    {0, 4, OPAQUE, R},     {0, 5, OPAQUE, R},     {0, 10, INT, R},       {0, 11, INT, R},
    {0, 12, INT, R},       {0, 13, UINT, R},      {0, 14, TEXT, R},      {0, 15, UINT, R},
    {1, 0, INT, R},        {1, 1, INT, W},        {1, 2, INT, W},        {1, 3, INT, W},
    {1, 5, INT, W},        {1, 6, BOOL, W},       {1, 7, TEXT, W},       {1, 10, LINK, W},
    {1, 11, UINT, R},      {1, 12, TIME, R},      {1, 13, UINT, R},      {1, 14, UINT, R},
    {1, 15, BOOL, R},      {1, 16, BOOL, R},      {1, 17, UINT, R},      {1, 18, UINT, R},
    {1, 19, UINT, R},      {1, 20, UINT, R},      {1, 21, BOOL, W},      {1, 22, TEXT, W},
    {1, 23, BOOL, W},      {2, 0, INT, R},        {2, 1, INT, R},        {2, 2, INT, W | M},
    {2, 3, INT, W},        {3, 0, TEXT, R},       {3, 1, TEXT, R},       {3, 2, TEXT, R},
    {3, 3, TEXT, R},       {3, 6, INT, M},        {3, 7, INT, M},        {3, 8, INT, M},
    {3, 9, INT, R},        {3, 10, INT, R},       {3, 11, INT, M},       {3, 13, TIME, W},
    {3, 14, TEXT, W},      {3, 15, TEXT, W},      {3, 16, TEXT, R},      {3, 17, TEXT, R},
    {3, 18, TEXT, R},      {3, 19, TEXT, R},      {3, 20, INT, R},       {3, 21, INT, R},
    {3, 22, LINK, M},      {4, 0, INT, R},        {4, 1, INT, M},        {4, 2, INT, R},
    {4, 3, INT, R},        {4, 4, TEXT, M},       {4, 5, TEXT, M},       {4, 6, INT, R},
    {4, 7, TEXT, M},       {4, 8, INT, R},        {4, 9, INT, R},        {4, 10, INT, R},
    {4, 11, INT, R},       {4, 12, INT, R},       {5, 0, OPAQUE, W},     {5, 1, TEXT, W},
    {5, 3, INT, R},        {5, 5, INT, R},        {5, 6, TEXT, R},       {5, 7, TEXT, R},
    {5, 8, INT, M},        {5, 9, INT, R},        {6, 0, FLOAT, R},      {6, 1, FLOAT, R},
    {6, 2, FLOAT, R},      {6, 3, FLOAT, R},      {6, 4, OPAQUE, R},     {6, 5, TIME, R},
    {6, 6, FLOAT, R},      {7, 0, INT, R},        {7, 1, INT, R},        {7, 2, INT, R},
    {7, 3, INT, R},        {7, 4, INT, R},        {7, 5, INT, R},        {7, 8, INT, W},
    {10, 0, TEXT, W},      {10, 1, INT, W},       {10, 2, TEXT, W},      {10, 3, LINK, R},
    {10, 4, INT, W},       {10, 5, INT, W},       {10, 7, OPAQUE, W},    {10, 8, OPAQUE, W},
    {10, 9, OPAQUE, W},    {10, 10, OPAQUE, W},   {10, 11, LINK, M},     {10, 12, UINT, R},
    {10, 13, UINT, W},     {10, 14, UINT, W},     {11, 0, TEXT, W},      {11, 1, TEXT, W},
    {11, 2, BOOL, W},      {11, 3, BOOL, W},      {11, 4, INT, W},       {11, 5, TEXT, W},
    {11, 6, TEXT, W},      {11, 7, TEXT, W},      {11, 8, TEXT, W | M},  {11, 9, TIME, M},
    {11, 10, INT, M},      {11, 11, INT, M},      {11, 12, TIME, M},     {11, 13, INT, R},
    {11, 14, INT, R},      {11, 15, TEXT, W | M}, {11, 16, TEXT, W | M}, {11, 17, TEXT, W | M},
    {11, 18, TEXT, W | M}, {11, 19, TEXT, W | M}, {11, 20, TEXT, W | M}, {11, 21, INT, R},
    {11, 22, LINK, R},     {11, 23, INT, R},      {11, 24, INT, W},      {11, 25, INT, R},
    {11, 26, UINT, W},     {11, 27, UINT, W},     {11, 28, INT, R},      {11, 29, UINT, W},
    {11, 30, UINT, W | M}, {11, 31, TEXT, W | M}, {11, 32, INT, W | M},  {11, 33, INT, W | M},
    {16, 0, TEXT, W | M},  {16, 2, OPAQUE, M},    {16, 3, INT, R},
};

dunlin_type dn_ets_type_of(dunlin_path resource, bool *multiple, bool *writable)
{
    const row *found = NULL;
    for (size_t i = 0; resource.depth >= 3 && found == NULL && i < sizeof rows / sizeof rows[0]; i++) {
        found = rows[i].object == resource.id[0] && rows[i].resource == resource.id[2] ? &rows[i] : NULL;
    }
    if (multiple != NULL) {
        *multiple = found != NULL && (found->flags & M) != 0;
    }
    if (writable != NULL) {
        *writable = found != NULL && (found->flags & W) != 0;
    }
    return found != NULL ? found->type : DUNLIN_TYPE_NONE;
}
