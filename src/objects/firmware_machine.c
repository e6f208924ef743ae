/* SPDX-License-Identifier: Apache-2.0 */
/* The states of a firmware update, as a table. */
#include "objects/firmware_machine.h"

#define IDLE        DUNLIN_FIRMWARE_IDLE
#define DOWNLOADING DUNLIN_FIRMWARE_DOWNLOADING
#define DOWNLOADED  DUNLIN_FIRMWARE_DOWNLOADED
#define UPDATING    DUNLIN_FIRMWARE_UPDATING
#define STOP        DN_FIRMWARE_STOP
#define DROP        DN_FIRMWARE_DROP
#define APPLY       DN_FIRMWARE_APPLY
/* Moves that are not in the table are zero, so not allowed. */
#define GO(state, verdict, act)                     \
    {                                               \
        true, (state), DN_FIRMWARE_##verdict, (act) \
    }

static const dn_firmware_move moves[DN_FIRMWARE_STATES][DN_FIRMWARE_EVENTS] = {
    [IDLE] = {[DN_FIRMWARE_RESET] = GO(IDLE, CLEAR, 0),
              [DN_FIRMWARE_PUSHED] = GO(DOWNLOADING, CLEAR, 0),
              [DN_FIRMWARE_URI_GIVEN] = GO(DOWNLOADING, CLEAR, 0)},
    [DOWNLOADING] = {[DN_FIRMWARE_RESET] = GO(IDLE, CLEAR, STOP | DROP),
                     [DN_FIRMWARE_CANCEL] = GO(IDLE, IS_CANCELLED, STOP | DROP),
                     [DN_FIRMWARE_COMPLETE] = GO(DOWNLOADED, CLEAR, 0),
                     [DN_FIRMWARE_BROKEN] = GO(IDLE, GIVEN, STOP | DROP)},
    [DOWNLOADED] = {[DN_FIRMWARE_RESET] = GO(IDLE, CLEAR, DROP),
                    [DN_FIRMWARE_EXECUTED] = GO(UPDATING, CLEAR, APPLY),
                    [DN_FIRMWARE_CANCEL] = GO(IDLE, IS_CANCELLED, DROP)},
    [UPDATING] = {[DN_FIRMWARE_POSTPONED] = GO(DOWNLOADED, IS_DEFERRED, 0),
                  [DN_FIRMWARE_INSTALLED] = GO(IDLE, IS_SUCCESS, DROP),
                  [DN_FIRMWARE_NOT_INSTALLED] = GO(DOWNLOADED, GIVEN, 0)},
};

const dn_firmware_move *dn_firmware_move_of(dunlin_firmware_state state, dn_firmware_event event)
{
    return &moves[state][event];
}
