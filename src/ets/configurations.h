/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configurations of the test specification (its appendix C) with which a device is provisioned, as data: values with blanks for
 * addresses and credentials, and the same thing as a document for our bootstrap server. `dunlin ets config` prints them.
 */
#ifndef DN_ETS_CONFIGURATIONS_H
#define DN_ETS_CONFIGURATIONS_H

#include "ets/device.h"
#include "ets/text.h"
#include "ets/values.h"

/* What the blanks stand for; NULL: without security. */
typedef struct {
    const char *server_uri;
    const dunlin_security *server_security;
    const char *bootstrap_uri;
    const dunlin_security *bootstrap_security;
    uint32_t lifetime_s; /* 0: 86400 */
} dn_ets_blanks;

/* Those that there are as data, in order; NULL behind the last. */
const char *dn_ets_configuration_title(size_t index, dn_ets_config *config);
/* Adds the values of the accounts and of access control, and with `device` those of Object 3. False: there is no such configuration. */
bool dn_ets_configuration(dn_ets_config config, const dn_ets_blanks *blanks, bool device, dn_ets_values *out);
/* What a blank stands for, "$server-uri", "$bootstrap-secret": credentials in base64. To be freed; NULL: no memory. */
char *dn_ets_configuration_fill(const dn_ets_blanks *blanks, const char *blank);
/* Adds the JSON document with which our bootstrap server makes C.1, or C.17, of a device; `enrols`: with security mode 4. It lets
   credentials go in the clear only when `bootstrap_uri` is without security. */
void dn_ets_configuration_document(const dn_ets_blanks *blanks, bool enrols, dn_ets_text *out);

#endif
