/* SPDX-License-Identifier: Apache-2.0 */
/* The options of `dunlin client` that are about how it comes to its accounts. */
#ifndef DUNLIN_APP_CLIENT_BOOTSTRAP_OPTIONS_H
#define DUNLIN_APP_CLIENT_BOOTSTRAP_OPTIONS_H

#include "apps/dunlin/client_security.h"
#include "base/peer.h"

typedef struct {
    const char *url; /* of the bootstrap server; NULL: none is named */
    dn_transport transport;
    dn_sim_security_options security;
    const char *factory;      /* file with what the factory has put in; NULL: nothing */
    const char *factory_path; /* what a TLV file is about; NULL: not given */
    const char *smartcard;    /* file that stands for the card; NULL: there is no reader */
    uint32_t hold_off_s;
    bool stays;      /* the way to the bootstrap server is kept, so that it can speak first */
    uint16_t format; /* preferred, of the bootstrap server's Writes; 0: none is told */
} dn_sim_bootstrap_options;

dn_sim_bootstrap_options dn_sim_bootstrap_none(void);
/* Whether any of it is given. */
bool dn_sim_bootstrap_wanted(const dn_sim_bootstrap_options *options);
/* True when `word` names a format. */
bool dn_sim_bootstrap_format_read(const char *word, uint16_t *format);
#define DN_SIM_BOOTSTRAP_FORMATS "senml-cbor, senml-json, tlv or none"

#endif
