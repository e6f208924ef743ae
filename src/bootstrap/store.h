/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a bootstrap server needs of whoever keeps its configurations. Documents are kept with every version of them, the last `versions` at
 * least, and hold secrets: a keeper seals them.
 *
 * Threads: every function may be called from any thread. A change is durable when the call returns.
 */
#ifndef DN_BOOTSTRAP_STORE_H
#define DN_BOOTSTRAP_STORE_H

#include <dunlin/slice.h>
#include <dunlin/status.h>

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    dunlin_slice endpoint; /* a name, or a pattern */
    bool is_pattern;
    uint32_t version; /* 1, 2, … of this endpoint, and never again another document's; also over a removal */
    int64_t created_ms, changed_ms; /* since the epoch */
    dunlin_slice document;          /* with secrets; empty in lists */
    bool is_removed;                /* in a list of versions: at this one it was removed */
} dn_bs_entry;

typedef struct {
    const dn_bs_entry *list; /* in order of their endpoints, or of versions, newest first */
    size_t count;
    bool more;
} dn_bs_page;

typedef struct dn_bs_store dn_bs_store;

typedef struct {
    /* The configuration that counts for a device of that name (config.h says which); `done` before it returns, once. NOT_FOUND; STORE. */
    dunlin_status (*find)(dn_bs_store *store, dunlin_slice endpoint,
                          void (*done)(void *context, const dn_bs_entry *entry), void *context);
    /* The one of exactly this name or pattern, `version` 0: the current one. */
    dunlin_status (*get)(dn_bs_store *store, dunlin_slice endpoint, uint32_t version,
                         void (*done)(void *context, const dn_bs_entry *entry), void *context);
    /* A new version. `expected`: the version that must be the current one, 0: whatever, UINT32_MAX: there must be none. STATE: it is not;
       LIMIT; STORE; MEMORY. `version` may be NULL. */
    dunlin_status (*put)(dn_bs_store *store, dunlin_slice endpoint, dunlin_slice document, uint32_t expected,
                         uint32_t *version);
    dunlin_status (*remove)(dn_bs_store *store, dunlin_slice endpoint, uint32_t expected);
    dunlin_status (*list)(dn_bs_store *store, dunlin_slice after, uint32_t limit, dunlin_slice substring,
                          void (*done)(void *context, const dn_bs_page *page), void *context);
    dunlin_status (*versions)(dn_bs_store *store, dunlin_slice endpoint,
                              void (*done)(void *context, const dn_bs_page *page), void *context);
    uint64_t (*count)(dn_bs_store *store);
    /* Another number after each change of any of them. */
    uint64_t (*generation)(dn_bs_store *store);
    const char *(*error)(dn_bs_store *store); /* text of the last failure with STORE, never a secret */
    void (*close)(dn_bs_store *store);
} dn_bs_store_ops;

/* Every keeper begins with this. */
struct dn_bs_store {
    const dn_bs_store_ops *ops;
};

#endif
