/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/server/no_store.h"

static dunlin_status none_load(dn_store *store, const dn_store_loader *loader)
{
    (void)store;
    (void)loader;
    return DUNLIN_OK;
}

static void none_attach(dn_store *store, const dn_store_source *source)
{
    (void)store;
    (void)source;
}

static void none_put_links(dn_store *store, uint32_t number, dunlin_slice text)
{
    (void)store;
    (void)number;
    (void)text;
}

static void none_drop(dn_store *store, uint32_t number)
{
    (void)store;
    (void)number;
}

static void none_put_registration(dn_store *store, const dn_store_registration *registration)
{
    (void)store;
    (void)registration;
}

static void none_touch(dn_store *store, uint32_t slot, int64_t updated_ms)
{
    (void)store;
    (void)slot;
    (void)updated_ms;
}

static void none_put_observation(dn_store *store, const dn_store_observation *observation)
{
    (void)store;
    (void)observation;
}

static void none_put_value(dn_store *store, const dn_store_value *value)
{
    (void)store;
    (void)value;
}

static void none_put_request(dn_store *store, const dn_store_request *request)
{
    (void)store;
    (void)request;
}

static void none_mark_request(dn_store *store, const dn_store_progress *progress)
{
    (void)store;
    (void)progress;
}

static void none_request_ids(dn_store *store, uint64_t bound)
{
    (void)store;
    (void)bound;
}

static dunlin_status none_commit(dn_store *store)
{
    (void)store;
    return DUNLIN_OK;
}

static const char *none_error(dn_store *store)
{
    (void)store;
    return "";
}

static void none_close(dn_store *store)
{
    (void)store;
}

const dn_store_ops no_store_ops = {.load = none_load,
                                   .attach = none_attach,
                                   .put_links = none_put_links,
                                   .drop_links = none_drop,
                                   .put_registration = none_put_registration,
                                   .touch_registration = none_touch,
                                   .drop_registration = none_drop,
                                   .put_observation = none_put_observation,
                                   .drop_observation = none_drop,
                                   .put_value = none_put_value,
                                   .put_request = none_put_request,
                                   .mark_request = none_mark_request,
                                   .drop_request = none_drop,
                                   .put_request_ids = none_request_ids,
                                   .commit = none_commit,
                                   .error = none_error,
                                   .close = none_close};
