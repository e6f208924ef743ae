/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: text payloads. */
#include "codec/format.h"
#include "fuzz/codec/round.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_round(DN_FORMAT_TEXT, data, size);
    return 0;
}
