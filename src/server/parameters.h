/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The query parameters of Register and Update (Core 1.1.1 section 6.2, Transport 1.1.1 section 6.4.3): ep,
 * lt, lwm2m, b, Q, sms. Which of them an operation needs or allows is for the caller to say; here each is
 * read by its own grammar.
 */
#ifndef DN_SERVER_PARAMETERS_H
#define DN_SERVER_PARAMETERS_H

#include "coap/option.h"

#define DN_ENDPOINT_MAX 255u /* bytes of an endpoint name */
#define DN_SMS_MAX      15u  /* digits of an MSISDN (E.164) */

enum {
    DN_PARAMETER_EP = 1,
    DN_PARAMETER_LT = 2,
    DN_PARAMETER_LWM2M = 4,
    DN_PARAMETER_B = 8,
    DN_PARAMETER_Q = 16,
    DN_PARAMETER_SMS = 32,
    DN_PARAMETER_PID = 64 /* 1.2: read over */
};

/* Bits of a binding: the letters of "UTSNMH". */
enum {
    DN_BINDING_U = 1,
    DN_BINDING_T = 2,
    DN_BINDING_S = 4,
    DN_BINDING_N = 8,
    DN_BINDING_M = 16,
    DN_BINDING_H = 32
};

typedef struct {
    unsigned present; /* DN_PARAMETER_ set */
    dunlin_slice endpoint;
    uint32_t lifetime_s; /* 0: never ends */
    uint8_t version_major, version_minor;
    uint8_t binding;
    bool queue_mode; /* Q by itself, or within b as 1.0 writes it; either way is taken from any client */
    dunlin_slice sms;
} dn_parameters;

/*
 * Reads every Uri-Query of `options`. The views go into the options. MALFORMED: one has a value that breaks
 * its grammar or range; DUPLICATE; UNSUPPORTED: one is not known here, but the others were read (a client of
 * a later version may have new ones: its version says so). `culprit` then views the parameter.
 *
 *   ep     1..255 bytes of UTF-8 without control characters
 *   lt     decimal digits, up to 4294967295
 *   lwm2m  digits.digits
 *   b      letters of UTSNMHQ, each at most once, at least one besides Q
 *   Q      no value
 *   sms    1..15 digits
 */
dunlin_status dn_parameters_read(dn_coap_options options, dn_parameters *parameters, dunlin_slice *culprit);

/* True when it has the grammar of `ep`. */
bool dn_parameters_is_endpoint(dunlin_slice name);
/* Writes the letters of a binding into out[7], with a NUL. */
void dn_binding_text(uint8_t binding, char *out);

#endif
