/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes requests and responses: the caller's options and the engine's own (Observe, Content-Format, Block,
 * Size…) in one ascending order, then a payload. It decides nothing and keeps nothing.
 */
#ifndef DN_COAP_COMPOSE_H
#define DN_COAP_COMPOSE_H

#include "coap/message.h"

#define DN_COAP_OWN_MAX 8

/* Options the engine adds; ascending numbers. Not to be copied: values may view `bytes`. */
typedef struct {
    size_t count;
    dn_coap_option option[DN_COAP_OWN_MAX];
    uint8_t bytes[DN_COAP_OWN_MAX][4];
} dn_coap_own;

static inline void dn_coap_own_bytes(dn_coap_own *own, uint16_t number, dunlin_slice value)
{
    own->option[own->count++] = (dn_coap_option){number, value};
}

static inline void dn_coap_own_uint(dn_coap_own *own, uint16_t number, uint32_t value)
{
    dn_coap_own_bytes(own, number, dn_coap_option_from_uint(value, own->bytes[own->count]));
}

/* Writes `count` options and the own ones, merged. */
void dn_coap_write_merged(dn_coap_writer *writer, const dn_coap_option *options, size_t count,
                          const dn_coap_own *own);
/* The same with the options of an earlier message, leaving out those that `drop` names. */
void dn_coap_write_again(dn_coap_writer *writer, dn_coap_options earlier, bool (*drop)(uint16_t number),
                         const dn_coap_own *own);

#endif
