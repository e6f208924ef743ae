/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/client/things.h"

#include "fuzz/must.h"

#include <string.h>

#define GUARD 0xA5

void things_guard(things *one)
{
    memset(one->before, GUARD, sizeof one->before);
    memset(one->between, GUARD, sizeof one->between);
    memset(one->after, GUARD, sizeof one->after);
}

dunlin_status things_created(const dunlin_call *call)
{
    things_guard(call->instance);
    return DUNLIN_OK;
}

dunlin_status things_set_stubborn(const dunlin_call *call, const dunlin_value *value)
{
    (void)call;
    return value->as.integer == 13 ? DUNLIN_ERR_IO : DUNLIN_OK;
}

static bool guarded(const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] != GUARD) {
            return false;
        }
    }
    return true;
}

static bool ascends(const uint16_t *ids, uint16_t count)
{
    for (uint16_t i = 1; i < count; i++) {
        if (ids[i] <= ids[i - 1]) {
            return false;
        }
    }
    return true;
}

static bool taken_back(const things *one)
{
    const uint8_t *bytes = (const uint8_t *)one;
    for (size_t i = 0; i < sizeof *one; i++) {
        if (bytes[i] != 0) {
            return false;
        }
    }
    return true;
}

void things_check(const things *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const things *one = &list[i];
        if (taken_back(one)) {
            continue;
        }
        must(guarded(one->before, sizeof one->before));
        must(guarded(one->between, sizeof one->between));
        must(guarded(one->after, sizeof one->after));
        must(one->number >= -100 && one->number <= 100 && one->stubborn != 13);
        must(one->blob.len <= sizeof one->blob.data && memchr(one->text, 0, sizeof one->text) != NULL);
        must(one->counts.count <= 3 && ascends(one->counts.id, one->counts.count));
        must(one->labels.count <= 2 && ascends(one->labels.id, one->labels.count));
    }
}
