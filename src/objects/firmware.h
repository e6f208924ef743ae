/* SPDX-License-Identifier: Apache-2.0 */
/* What the Firmware Update Object and its downloads share. */
#ifndef DN_OBJECTS_FIRMWARE_H
#define DN_OBJECTS_FIRMWARE_H

#include "objects/firmware_machine.h"

/* Makes the move of `event`, with `result` for those that come with one. False: it is not allowed in this state. */
bool dn_firmware_happens(dunlin_firmware *firmware, dn_firmware_event event, dunlin_firmware_result result);
/* Stores a piece; at offset 0 it makes room first. INITIAL, or the Result with which the download has failed: the move is up to
 * the caller. */
dunlin_firmware_result dn_firmware_store(dunlin_firmware *firmware, uint64_t offset, uint64_t size,
                                         dunlin_slice piece);
/* All bytes are there: verifies them and makes the move. */
void dn_firmware_complete(dunlin_firmware *firmware);
/* Writes down what has to survive a reset. */
void dn_firmware_save(dunlin_firmware *firmware);

/* Gets the package that kept.uri names, as soon as the next step. */
void dn_firmware_pull_start(dunlin_firmware *firmware);
/* Ends it, without a word. */
void dn_firmware_pull_stop(dunlin_firmware *firmware);
/* It waits for the way to a server, and need not any more. */
bool dn_firmware_pull_may_go_on(const dunlin_firmware *firmware);
/* Does what is due of it. */
void dn_firmware_pull_step(dunlin_firmware *firmware, uint64_t now_ms);

#endif
