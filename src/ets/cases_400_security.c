/* SPDX-License-Identifier: Apache-2.0 */
/* Security [400-499]. */
#include "ets/steps.h"

/* clang-format off: in these tables a line is a step and what must come of it */

#define CS   (DN_ETS_CLIENT | DN_ETS_SERVER)
#define BOTH (DN_ETS_V10 | DN_ETS_V11)

/* Register and a Read of the Device over a session that was proved. */
#define EXCHANGE_OVER(way_)                                                                               \
    COMES_BY(way_), REGISTERS(), IS_REGISTERED(), READ("/3/0", NO_ACCEPT), HAS("/3/0/0 /3/0/11 /3/0/16"), \
        STAYS_ON(way_)

static const dn_ets_step INT_401[] = {EXCHANGE_OVER(DN_ETS_WAY_PSK)};
static const dn_ets_step INT_402[] = {EXCHANGE_OVER(DN_ETS_WAY_X509)};
static const dn_ets_step INT_403[] = {REFUSES_SERVER(30)};
static const dn_ets_step INT_404[] = {SIGNALS(), EXCHANGE_OVER(DN_ETS_WAY_TLS_X509)};
static const dn_ets_step INT_406[] = {SIGNALS(), EXCHANGE_OVER(DN_ETS_WAY_TLS_PSK)};

static const char WITHOUT_BOOTSTRAP[] = "the account is there from the beginning: the bootstrap of the text "
                                        "is that of the group 0 to 99, over the same transport";

static const dn_ets_case cases[] = {
    {.id = "int-401",
     .title = "DTLS with a pre-shared key",
     .roles = CS,
     .versions = BOTH,
     .config = DN_ETS_C1,
     .way = DN_ETS_WAY_PSK,
     DN_ETS_STEPS(INT_401)},
    {.id = "int-402",
     .title = "DTLS with certificates",
     .roles = CS,
     .versions = BOTH,
     .config = DN_ETS_C17,
     .way = DN_ETS_WAY_X509,
     DN_ETS_STEPS(INT_402)},
    {.id = "int-403",
     .title = "DTLS with a certificate of another name",
     .roles = DN_ETS_CLIENT,
     .versions = BOTH,
     .config = DN_ETS_C18,
     .way = DN_ETS_WAY_X509_OTHER,
     .apart = true,
     .erratum = "the configuration has the issuer's certificate as trust anchor (Certificate Usage 2) in "
                "/0/x/4, not the server's own: a client "
                "compares no names when the server shows the very certificate that it was given (Transport "
                "1.1.1 section 5.2.8.3)",
     DN_ETS_STEPS(INT_403)},
    {.id = "int-404",
     .title = "TLS over TCP with certificates",
     .roles = CS,
     .versions = DN_ETS_V11,
     .config = DN_ETS_C19,
     .way = DN_ETS_WAY_TLS_X509,
     .erratum = WITHOUT_BOOTSTRAP,
     DN_ETS_STEPS(INT_404)},
    {.id = "int-405",
     .title = "OSCORE",
     .roles = CS,
     .versions = DN_ETS_V11,
     .why_not = "this tool does not speak OSCORE"},
    {.id = "int-406",
     .title = "TLS over TCP with a pre-shared key",
     .roles = CS,
     .versions = DN_ETS_V11,
     .config = DN_ETS_C20,
     .way = DN_ETS_WAY_TLS_PSK,
     .erratum = WITHOUT_BOOTSTRAP,
     DN_ETS_STEPS(INT_406)},
};

const dn_ets_group dn_ets_group_security = {
    .title = "Security", .cases = cases, .count = sizeof cases / sizeof cases[0]};
