/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Firmware Update (Object 5, version 1.0, or 1.1 which can be cancelled and deferred; Core 1.1.1 appendix E.6). The library
 * runs the state machine, takes pushed packages a piece at a time, gets packages over CoAP itself and continues them after an
 * interruption or a reset; the application stores, verifies and installs. It takes no more memory for a large package than for
 * a small one.
 *
 *     Idle -> Downloading -> Downloaded -> Updating -> Idle (success) or Downloaded (failure)
 *
 *     firmware.call = (dunlin_firmware_callbacks){.begin = …, .write = …, .verify = …, .apply = …, .context = &flash};
 *     dunlin_firmware_add(client, &firmware);
 *     … after each dunlin_client_receive, and when dunlin_firmware_deadline has come:
 *     dunlin_firmware_step(&firmware, now_ms);
 *     … after the reboot into the new firmware, or when it was rolled back:
 *     dunlin_firmware_installed(&firmware, DUNLIN_FIRMWARE_SUCCESS);
 *
 * Packages come by "coap://" from any host, and by "coaps://", "coap+tcp://" and "coaps+tcp://" from the LwM2M servers that the device has
 * accounts with, by the session or connection that is there (dunlin_client_download); while there is none, it waits. At any other place
 * such a URI gives Result 7, for there are no credentials for it; a scheme that /5/0/8 does not name gives Result 9.
 *
 * Nothing of this is called from within the callbacks, unless it says so. After each call to the client look at dunlin_firmware_deadline.
 */
#ifndef DUNLIN_OMA_FIRMWARE_H
#define DUNLIN_OMA_FIRMWARE_H

#include <dunlin/client.h>

#define DUNLIN_FIRMWARE_ETAG_MAX      64u
#define DUNLIN_FIRMWARE_PROTOCOLS_MAX 6

typedef enum {
    DUNLIN_FIRMWARE_IDLE = 0,
    DUNLIN_FIRMWARE_DOWNLOADING = 1,
    DUNLIN_FIRMWARE_DOWNLOADED = 2,
    DUNLIN_FIRMWARE_UPDATING = 3
} dunlin_firmware_state;

/* Update Result. In callbacks INITIAL stands for "fine". */
typedef enum {
    DUNLIN_FIRMWARE_INITIAL = 0,
    DUNLIN_FIRMWARE_SUCCESS = 1,
    DUNLIN_FIRMWARE_NO_FLASH = 2,
    DUNLIN_FIRMWARE_NO_RAM = 3,
    DUNLIN_FIRMWARE_CONNECTION_LOST = 4,
    DUNLIN_FIRMWARE_INTEGRITY = 5,
    DUNLIN_FIRMWARE_TYPE = 6,
    DUNLIN_FIRMWARE_URI = 7,
    DUNLIN_FIRMWARE_FAILED = 8,
    DUNLIN_FIRMWARE_PROTOCOL = 9,
    DUNLIN_FIRMWARE_CANCELLED = 10, /* version 1.1 */
    DUNLIN_FIRMWARE_DEFERRED = 11   /* version 1.1 */
} dunlin_firmware_result;

typedef enum {
    DUNLIN_FIRMWARE_PULL = 0,
    DUNLIN_FIRMWARE_PUSH = 1,
    DUNLIN_FIRMWARE_BOTH = 2
} dunlin_firmware_delivery;

/* What survives a reset. Keep it as it is; it has no pointers. */
typedef struct {
    uint8_t state, result; /* dunlin_firmware_state, dunlin_firmware_result */
    bool push;             /* how the package comes */
    uint64_t offset;       /* bytes stored so far */
    uint64_t size;         /* of the package; 0: not known */
    uint8_t etag_len;
    uint8_t etag[DUNLIN_FIRMWARE_ETAG_MAX]; /* by which a server knows that it is still the same package */
    char uri[DUNLIN_URI_MAX + 1];
} dunlin_firmware_kept;

/* begin, write, verify and apply are needed, the others may be NULL. */
typedef struct {
    /* Make room for a package of `size` bytes (0: not known), and drop what was there. INITIAL, NO_FLASH, NO_RAM. */
    dunlin_firmware_result (*begin)(void *context, uint64_t size);
    /* Store a piece. They come in order; after a reset some may come again. INITIAL, NO_FLASH, NO_RAM, TYPE, INTEGRITY. */
    dunlin_firmware_result (*write)(void *context, uint64_t offset, dunlin_slice bytes);
    /* All `size` bytes are stored: is it good? INITIAL, INTEGRITY, TYPE. */
    dunlin_firmware_result (*verify)(void *context, uint64_t size);
    /* A server wants it installed. Note it down: the answer leaves after this returned. INITIAL: dunlin_firmware_installed
       will follow; FAILED; DEFERRED (1.1): not now, dunlin_firmware_update will follow. */
    dunlin_firmware_result (*apply)(void *context);
    /* The package is not needed any more. */
    void (*discard)(void *context);

    /* Write `kept` where it survives a reset; called when it changes, and every `save_every` bytes of a pull. What was given
       to `write` before must survive too. */
    void (*save)(void *context, const dunlin_firmware_kept *kept);
    /* Read it back; false: there is none. `offset` may be made smaller, to what is really stored. */
    bool (*load)(void *context, dunlin_firmware_kept *kept);

    /* Begin to get "http://…" or "https://…" from byte `from` on, if it still has the ETag `etag` (a text, may be empty),
       else from byte 0; then dunlin_firmware_fetched and dunlin_firmware_fetch_ended follow. False: it cannot be begun, the
       URI is not valid. NULL: HTTP is not supported. */
    bool (*fetch)(void *context, const char *uri, uint64_t from, dunlin_slice etag);
    void (*fetch_cancel)(void *context); /* needed with `fetch` */

    int64_t (*clock)(void *context); /* seconds since 1970, for Last State Change Time (1.1) */
    void *context;
} dunlin_firmware_callbacks;

typedef struct {
    dunlin_firmware_callbacks call;
    uint8_t delivery; /* [BOTH] dunlin_firmware_delivery */
    bool version_1_1; /* [false] announced as 1.1, with Cancel, Severity and deferring */
    const char *package_name,
        *package_version; /* [NULL] shown as PkgName and PkgVersion; `verify` may set them */
    uint32_t tries;       /* [3] of a pull before it counts as lost */
    uint32_t retry_ms;    /* [10000] before the second try; doubled for each further one */
    uint32_t save_every;  /* [65536] bytes */
    int8_t severity;      /* [1] 0 critical, 1 mandatory, 2 optional; a server writes it */
    uint32_t defer_max_s; /* [0] Maximum Defer Period; a server writes it */

    /* The library's. */
    dunlin_firmware_kept kept;
    DUNLIN_MANY(int8_t, DUNLIN_FIRMWARE_PROTOCOLS_MAX) protocols;
    int64_t changed_s; /* Last State Change Time */
    dunlin_client *client;
    bool uri_written, start_pull, fetching, by_http, retry, timed, restarted, waiting;
    uint32_t tried;
    uint64_t retry_at_ms, saved_offset;
} dunlin_firmware;

extern const dunlin_object dunlin_firmware_object;     /* 1.0 */
extern const dunlin_object dunlin_firmware_object_1_1; /* 1.1 */

/* Makes `firmware` one with the values in brackets and no callbacks. */
void dunlin_firmware_init(dunlin_firmware *firmware);
/*
 * Adds Object 5, in the state that `load` gives: a pull goes on, a push that was under way has failed (Result 4), and in the
 * state Updating dunlin_firmware_installed has to be called. `firmware` must outlive the client. ARGUMENT: a callback is missing;
 * others as dunlin_client_add_object.
 */
dunlin_status dunlin_firmware_add(dunlin_client *client, dunlin_firmware *firmware);
/* Does what was asked for and what is due: begins, continues and repeats downloads. */
void dunlin_firmware_step(dunlin_firmware *firmware, uint64_t now_ms);
/* When that is; DUNLIN_NEVER. */
uint64_t dunlin_firmware_deadline(const dunlin_firmware *firmware);
dunlin_firmware_state dunlin_firmware_state_of(const dunlin_firmware *firmware);

/* In the state Updating: how the installation went, SUCCESS or another Result (as a rule FAILED). In other states nothing. Before
   it, after a success, give Device its new firmware version. */
void dunlin_firmware_installed(dunlin_firmware *firmware, dunlin_firmware_result result);
/* Updates as Execute Update does, after a deferral: the user agrees, or the Maximum Defer Period is over. STATE. */
dunlin_status dunlin_firmware_update(dunlin_firmware *firmware);

/* What `fetch` has got: a piece at `offset` of a package of `size` bytes (0: not known). `offset` is where the last piece ended,
   or 0 to begin anew. `etag` (at most DUNLIN_FIRMWARE_ETAG_MAX bytes, longer ones are as none) may be empty. Not OK: stop, it
   has failed; dunlin_firmware_fetch_ended need not be called. */
dunlin_status dunlin_firmware_fetched(dunlin_firmware *firmware, uint64_t offset, uint64_t size,
                                      dunlin_slice etag, dunlin_slice piece);
/* How it ended: INITIAL: all is there; CONNECTION_LOST: tried again as `tries` says; any other Result is the end. */
void dunlin_firmware_fetch_ended(dunlin_firmware *firmware, dunlin_firmware_result result);

#endif
