/* SPDX-License-Identifier: Apache-2.0 */
/* Defaults and words. */
#include "apps/dunlin/client_bootstrap_options.h"

#include "codec/format.h"
#include <string.h>

dn_sim_bootstrap_options dn_sim_bootstrap_none(void)
{
    return (dn_sim_bootstrap_options){.security = dn_sim_security_none(),
                                      .format = dunlin_client_config_default().bootstrap_format};
}

bool dn_sim_bootstrap_wanted(const dn_sim_bootstrap_options *options)
{
    return options->url != NULL || options->factory != NULL || options->smartcard != NULL;
}

bool dn_sim_bootstrap_format_read(const char *word, uint16_t *format)
{
    static const struct {
        const char *word;
        uint16_t format;
    } rows[] = {
        {"senml-cbor", DN_FORMAT_SENML_CBOR},
        {"senml-json", DN_FORMAT_SENML_JSON},
        {"tlv", DN_FORMAT_TLV},
        {"none", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(word, rows[i].word) == 0) {
            *format = rows[i].format;
            return true;
        }
    }
    return false;
}
