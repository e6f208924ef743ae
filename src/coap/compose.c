/* SPDX-License-Identifier: Apache-2.0 */
/* Merges two ascending lists of options into a message. */
#include "coap/compose.h"

/* Writes own options from *next on whose number is below `limit`. */
static void write_own(dn_coap_writer *writer, const dn_coap_own *own, size_t *next, uint32_t limit)
{
    for (; *next < own->count && own->option[*next].number < limit; (*next)++) {
        dn_coap_write_option(writer, own->option[*next].number, own->option[*next].value);
    }
}

void dn_coap_write_merged(dn_coap_writer *writer, const dn_coap_option *options, size_t count,
                          const dn_coap_own *own)
{
    size_t next = 0;
    for (size_t i = 0; i < count; i++) {
        write_own(writer, own, &next, options[i].number);
        dn_coap_write_option(writer, options[i].number, options[i].value);
    }
    write_own(writer, own, &next, UINT32_MAX);
}

void dn_coap_write_again(dn_coap_writer *writer, dn_coap_options earlier, bool (*drop)(uint16_t number),
                         const dn_coap_own *own)
{
    dn_coap_option option;
    size_t next = 0;
    while (dn_coap_option_next(&earlier, &option) == DUNLIN_OK) {
        if (!drop(option.number)) {
            write_own(writer, own, &next, option.number);
            dn_coap_write_option(writer, option.number, option.value);
        }
    }
    write_own(writer, own, &next, UINT32_MAX);
}
