/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: lwm2m_json payloads. */
#include "codec/format.h"
#include "fuzz/codec/round.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_round(DN_FORMAT_LWM2M_JSON, data, size);
    return 0;
}
