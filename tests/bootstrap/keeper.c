/* SPDX-License-Identifier: Apache-2.0 */
/* Two arrays; see keeper.h. */
#include "tests/bootstrap/keeper.h"

#include <stdlib.h>
#include <string.h>

static dunlin_slice endpoint_of(const dn_credential *credential)
{
    return dunlin_slice_make(credential->endpoint, credential->endpoint_len);
}

static dn_credential *find(dn_credential *list, size_t count, dunlin_slice endpoint)
{
    for (size_t i = 0; i < count; i++) {
        if (dunlin_slice_equal(endpoint_of(&list[i]), endpoint)) {
            return &list[i];
        }
    }
    return NULL;
}

static void put(dn_credential *list, size_t *count, const dn_credential *credential)
{
    dn_credential *at = find(list, *count, endpoint_of(credential));
    list[at != NULL ? (size_t)(at - list) : (*count)++] = *credential;
}

static dunlin_status stage(dn_credentials *credentials, const dn_credential *list, size_t count)
{
    bs_keeper *keeper = (bs_keeper *)credentials;
    keeper->stages++;
    if (keeper->fails) {
        return DUNLIN_ERR_STORE;
    }
    if (count > 1 && keeper->refuses_many) {
        return DUNLIN_ERR_DUPLICATE;
    }
    for (size_t i = 0; i < count; i++) {
        if (dn_credential_check(&list[i]) != NULL || keeper->staged_count == keeper->room) {
            return DUNLIN_ERR_ARGUMENT;
        }
        put(keeper->staged, &keeper->staged_count, &list[i]);
    }
    return DUNLIN_OK;
}

static dunlin_status promote(dn_credentials *credentials, const dunlin_slice *endpoints, size_t count)
{
    bs_keeper *keeper = (bs_keeper *)credentials;
    keeper->promotes++;
    if (keeper->fails) {
        return DUNLIN_ERR_STORE;
    }
    for (size_t i = 0; i < count; i++) {
        dn_credential *staged = find(keeper->staged, keeper->staged_count, endpoints[i]);
        if (staged != NULL) {
            put(keeper->list, &keeper->count, staged);
            *staged = keeper->staged[--keeper->staged_count];
        }
    }
    return DUNLIN_OK;
}

static dunlin_status get_staged(dn_credentials *credentials, dunlin_slice endpoint, dn_credential *out)
{
    bs_keeper *keeper = (bs_keeper *)credentials;
    const dn_credential *staged = find(keeper->staged, keeper->staged_count, endpoint);
    if (staged == NULL) {
        memset(out, 0, sizeof *out);
        return DUNLIN_ERR_NOT_FOUND;
    }
    *out = *staged;
    return DUNLIN_OK;
}

static const char *error(dn_credentials *credentials)
{
    (void)credentials;
    return "the disk is full";
}

void bs_keeper_init(bs_keeper *keeper, size_t room)
{
    static const dn_credentials_ops ops = {
        .stage = stage, .promote = promote, .get_staged = get_staged, .error = error};
    *keeper = (bs_keeper){.base = {.ops = &ops}, .room = room};
    keeper->list = calloc(room, sizeof *keeper->list);
    keeper->staged = calloc(room, sizeof *keeper->staged);
    if (keeper->list == NULL || keeper->staged == NULL) {
        abort();
    }
}

void bs_keeper_free(bs_keeper *keeper)
{
    free(keeper->list);
    free(keeper->staged);
}

const dn_credential *bs_keeper_of(const bs_keeper *keeper, const char *endpoint, bool is_staged)
{
    return is_staged ? find(keeper->staged, keeper->staged_count, dunlin_slice_of(endpoint))
                     : find(keeper->list, keeper->count, dunlin_slice_of(endpoint));
}
