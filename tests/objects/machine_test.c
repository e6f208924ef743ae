/* SPDX-License-Identifier: Apache-2.0 */
/* The firmware update's state machine: every event in every state. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "objects/firmware_machine.h"

#define IDLE        DUNLIN_FIRMWARE_IDLE
#define DOWNLOADING DUNLIN_FIRMWARE_DOWNLOADING
#define DOWNLOADED  DUNLIN_FIRMWARE_DOWNLOADED
#define UPDATING    DUNLIN_FIRMWARE_UPDATING
#define SAME        DN_FIRMWARE_KEEP
#define NOT_ALLOWED 9
#define STOP        DN_FIRMWARE_STOP
#define DROP        DN_FIRMWARE_DROP
#define APPLY       DN_FIRMWARE_APPLY

/* As the figure and the table of appendix E.6 have it, one row for each pair. */
static const struct {
    const char *name;
    uint8_t from, event, to, verdict, act;
} rows[] = {
    {"idle: reset", IDLE, DN_FIRMWARE_RESET, IDLE, DN_FIRMWARE_CLEAR, 0},
    {"idle: push", IDLE, DN_FIRMWARE_PUSHED, DOWNLOADING, DN_FIRMWARE_CLEAR, 0},
    {"idle: uri", IDLE, DN_FIRMWARE_URI_GIVEN, DOWNLOADING, DN_FIRMWARE_CLEAR, 0},
    {"idle: update", IDLE, DN_FIRMWARE_EXECUTED, NOT_ALLOWED, SAME, 0},
    {"idle: cancel", IDLE, DN_FIRMWARE_CANCEL, NOT_ALLOWED, SAME, 0},
    {"idle: complete", IDLE, DN_FIRMWARE_COMPLETE, NOT_ALLOWED, SAME, 0},
    {"idle: broken", IDLE, DN_FIRMWARE_BROKEN, NOT_ALLOWED, SAME, 0},
    {"idle: postponed", IDLE, DN_FIRMWARE_POSTPONED, NOT_ALLOWED, SAME, 0},
    {"idle: installed", IDLE, DN_FIRMWARE_INSTALLED, NOT_ALLOWED, SAME, 0},
    {"idle: not installed", IDLE, DN_FIRMWARE_NOT_INSTALLED, NOT_ALLOWED, SAME, 0},

    {"downloading: reset", DOWNLOADING, DN_FIRMWARE_RESET, IDLE, DN_FIRMWARE_CLEAR, STOP | DROP},
    {"downloading: push", DOWNLOADING, DN_FIRMWARE_PUSHED, NOT_ALLOWED, SAME, 0},
    {"downloading: uri", DOWNLOADING, DN_FIRMWARE_URI_GIVEN, NOT_ALLOWED, SAME, 0},
    {"downloading: update", DOWNLOADING, DN_FIRMWARE_EXECUTED, NOT_ALLOWED, SAME, 0},
    {"downloading: cancel", DOWNLOADING, DN_FIRMWARE_CANCEL, IDLE, DN_FIRMWARE_IS_CANCELLED, STOP | DROP},
    {"downloading: complete", DOWNLOADING, DN_FIRMWARE_COMPLETE, DOWNLOADED, DN_FIRMWARE_CLEAR, 0},
    {"downloading: broken", DOWNLOADING, DN_FIRMWARE_BROKEN, IDLE, DN_FIRMWARE_GIVEN, STOP | DROP},
    {"downloading: postponed", DOWNLOADING, DN_FIRMWARE_POSTPONED, NOT_ALLOWED, SAME, 0},
    {"downloading: installed", DOWNLOADING, DN_FIRMWARE_INSTALLED, NOT_ALLOWED, SAME, 0},
    {"downloading: not installed", DOWNLOADING, DN_FIRMWARE_NOT_INSTALLED, NOT_ALLOWED, SAME, 0},

    {"downloaded: reset", DOWNLOADED, DN_FIRMWARE_RESET, IDLE, DN_FIRMWARE_CLEAR, DROP},
    {"downloaded: push", DOWNLOADED, DN_FIRMWARE_PUSHED, NOT_ALLOWED, SAME, 0},
    {"downloaded: uri", DOWNLOADED, DN_FIRMWARE_URI_GIVEN, NOT_ALLOWED, SAME, 0},
    {"downloaded: update", DOWNLOADED, DN_FIRMWARE_EXECUTED, UPDATING, DN_FIRMWARE_CLEAR, APPLY},
    {"downloaded: cancel", DOWNLOADED, DN_FIRMWARE_CANCEL, IDLE, DN_FIRMWARE_IS_CANCELLED, DROP},
    {"downloaded: complete", DOWNLOADED, DN_FIRMWARE_COMPLETE, NOT_ALLOWED, SAME, 0},
    {"downloaded: broken", DOWNLOADED, DN_FIRMWARE_BROKEN, NOT_ALLOWED, SAME, 0},
    {"downloaded: postponed", DOWNLOADED, DN_FIRMWARE_POSTPONED, NOT_ALLOWED, SAME, 0},
    {"downloaded: installed", DOWNLOADED, DN_FIRMWARE_INSTALLED, NOT_ALLOWED, SAME, 0},
    {"downloaded: not installed", DOWNLOADED, DN_FIRMWARE_NOT_INSTALLED, NOT_ALLOWED, SAME, 0},

    {"updating: reset", UPDATING, DN_FIRMWARE_RESET, NOT_ALLOWED, SAME, 0},
    {"updating: push", UPDATING, DN_FIRMWARE_PUSHED, NOT_ALLOWED, SAME, 0},
    {"updating: uri", UPDATING, DN_FIRMWARE_URI_GIVEN, NOT_ALLOWED, SAME, 0},
    {"updating: update", UPDATING, DN_FIRMWARE_EXECUTED, NOT_ALLOWED, SAME, 0},
    {"updating: cancel", UPDATING, DN_FIRMWARE_CANCEL, NOT_ALLOWED, SAME, 0},
    {"updating: complete", UPDATING, DN_FIRMWARE_COMPLETE, NOT_ALLOWED, SAME, 0},
    {"updating: broken", UPDATING, DN_FIRMWARE_BROKEN, NOT_ALLOWED, SAME, 0},
    {"updating: postponed", UPDATING, DN_FIRMWARE_POSTPONED, DOWNLOADED, DN_FIRMWARE_IS_DEFERRED, 0},
    {"updating: installed", UPDATING, DN_FIRMWARE_INSTALLED, IDLE, DN_FIRMWARE_IS_SUCCESS, DROP},
    {"updating: not installed", UPDATING, DN_FIRMWARE_NOT_INSTALLED, DOWNLOADED, DN_FIRMWARE_GIVEN, 0},
};

static void every_pair(void **state)
{
    bool seen[DN_FIRMWARE_STATES][DN_FIRMWARE_EVENTS] = {{false}};
    (void)state;
    assert_int_equal(sizeof rows / sizeof rows[0], DN_FIRMWARE_STATES * DN_FIRMWARE_EVENTS);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const dn_firmware_move *move =
            dn_firmware_move_of((dunlin_firmware_state)rows[i].from, (dn_firmware_event)rows[i].event);
        const bool good = rows[i].to == NOT_ALLOWED
                              ? !move->allowed
                              : move->allowed && move->next == rows[i].to &&
                                    move->verdict == rows[i].verdict && move->act == rows[i].act;
        if (!good) {
            fail_msg("%s", rows[i].name);
        }
        assert_false(seen[rows[i].from][rows[i].event]);
        seen[rows[i].from][rows[i].event] = true;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_pair)};
    return cmocka_run_group_tests_name("firmware_machine", tests, NULL, NULL);
}
