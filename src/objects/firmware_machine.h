/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The states of a firmware update, as a table: what each event does in each state (Core 1.1.1 appendix E.6, figure
 * "Firmware Update Mechanisms"). Pure data, so that it can be read and tested as a whole.
 */
#ifndef DN_OBJECTS_FIRMWARE_MACHINE_H
#define DN_OBJECTS_FIRMWARE_MACHINE_H

#include <dunlin/oma_firmware.h>

#define DN_FIRMWARE_STATES 4

typedef enum {
    DN_FIRMWARE_RESET,         /* Package written with one NUL byte, or Package URI with nothing */
    DN_FIRMWARE_PUSHED,        /* the first piece of a Package came */
    DN_FIRMWARE_URI_GIVEN,     /* Package URI was written */
    DN_FIRMWARE_EXECUTED,      /* Update was executed */
    DN_FIRMWARE_CANCEL,        /* Cancel was executed (1.1) */
    DN_FIRMWARE_COMPLETE,      /* the last byte is stored, and the package is good */
    DN_FIRMWARE_BROKEN,        /* the download failed, for the reason that comes with it */
    DN_FIRMWARE_POSTPONED,     /* the device will not install it now (1.1) */
    DN_FIRMWARE_INSTALLED,     /* the new firmware runs */
    DN_FIRMWARE_NOT_INSTALLED, /* it does not, for the reason that comes with it */
    DN_FIRMWARE_EVENTS
} dn_firmware_event;

/* What becomes of the Result. */
typedef enum {
    DN_FIRMWARE_KEEP,  /* stays */
    DN_FIRMWARE_CLEAR, /* 0 */
    DN_FIRMWARE_GIVEN, /* what comes with the event */
    DN_FIRMWARE_IS_SUCCESS,
    DN_FIRMWARE_IS_CANCELLED,
    DN_FIRMWARE_IS_DEFERRED
} dn_firmware_verdict;

/* What is to be done on the way. A set. */
enum { DN_FIRMWARE_STOP = 1, DN_FIRMWARE_DROP = 2, DN_FIRMWARE_APPLY = 4 };

typedef struct {
    bool allowed; /* false: answered 4.05, or not expected; nothing changes */
    uint8_t next; /* dunlin_firmware_state */
    uint8_t verdict;
    uint8_t act; /* STOP the transfer, DROP the package, APPLY it */
} dn_firmware_move;

const dn_firmware_move *dn_firmware_move_of(dunlin_firmware_state state, dn_firmware_event event);

#endif
