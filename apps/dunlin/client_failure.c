/* SPDX-License-Identifier: Apache-2.0 */
/* The words for ways in which an update fails. */
#include "apps/dunlin/client_failure.h"

#include <stddef.h>
#include <string.h>

bool dn_sim_failure_read(const char *word, dn_sim_failure *out)
{
    static const char *const words[] = {
        [DN_SIM_FAIL_NOT] = "not",
        [DN_SIM_FAIL_FLASH] = "flash",
        [DN_SIM_FAIL_RAM] = "ram",
        [DN_SIM_FAIL_CONNECTION] = "connection",
        [DN_SIM_FAIL_INTEGRITY] = "integrity",
        [DN_SIM_FAIL_TYPE] = "type",
        [DN_SIM_FAIL_INSTALL] = "install",
        [DN_SIM_FAIL_DEFER] = "defer",
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(words[i], word) == 0) {
            *out = (dn_sim_failure)i;
            return true;
        }
    }
    return false;
}
