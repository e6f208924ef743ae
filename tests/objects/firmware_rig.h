/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device with Firmware Update whose flash is memory, and the server's side of an update, over the rig of tests/client. One at
 * a time: its state is `s`, which the tests read and which says what is to go wrong.
 */
#ifndef TESTS_OBJECTS_FIRMWARE_RIG_H
#define TESTS_OBJECTS_FIRMWARE_RIG_H

#include "tests/client/rig.h"
#include <dunlin/oma_firmware.h>

#define GET         DN_COAP_GET
#define PUT         DN_COAP_PUT
#define POST        DN_COAP_POST
#define IDLE        DUNLIN_FIRMWARE_IDLE
#define DOWNLOADING DUNLIN_FIRMWARE_DOWNLOADING
#define DOWNLOADED  DUNLIN_FIRMWARE_DOWNLOADED
#define UPDATING    DUNLIN_FIRMWARE_UPDATING
#define GOOD        DUNLIN_FIRMWARE_INITIAL
#define PACKAGE_MAX (20u * 1024 * 1024)
#define LARGE       3000u

enum { TEXT = 0, LINK = 40, OPAQUE = 42, JSON = 110 };

/* The device's flash, its boot memory and its HTTP client; and what goes wrong. */
typedef struct {
    rig r;
    dunlin_firmware firmware;
    uint8_t *flash; /* [PACKAGE_MAX] */
    uint64_t stored, begun_size, verified_size;
    unsigned begins, applies, discards, saves;
    dunlin_firmware_result begin_gives, write_gives, verify_gives, apply_gives;
    uint64_t write_fails_at;
    bool has_kept;
    dunlin_firmware_kept kept;
    int64_t clock_s;
    unsigned fetches, cancels;
    bool fetch_refuses;
    char fetch_uri[DUNLIN_URI_MAX + 1];
    uint64_t fetch_from;
    char fetch_etag[DUNLIN_FIRMWARE_ETAG_MAX + 1];
    uint8_t *package; /* [PACKAGE_MAX] what the server has */
    bool done;
    uint8_t code;
    uint64_t pieces;
    dunlin_status put_status;
} firmware_rig;
extern firmware_rig s;

/* A registered device; for cmocka's set-up and teardown. With version 1.1 of the Object. */
int open_device(void **state);
int open_1_1(void **state);
int close_device(void **state);
/* After the last test. */
void free_device(void);
/* The power goes, and comes back: only what was saved is left. */
void reset_device(void);

/* What the server reads in /5/0/3 and /5/0/5. */
void expect_state(dunlin_firmware_state state, dunlin_firmware_result result);
/* Requests of the server; the code as a text. */
const char *put(const char *path, int format, const void *payload, size_t len);
const char *push(size_t len);
const char *write_uri(const char *uri);
const char *execute(const char *path);
/* A push of any size that goes on while the rig runs, and its end: s.put_status and s.code. */
void begin_push(uint64_t size);
void finish_push(void);

#endif
