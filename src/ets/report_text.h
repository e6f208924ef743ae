/* SPDX-License-Identifier: Apache-2.0 */
/* A text in a report, between tags or in quotes of HTML or XML. */
#ifndef DN_ETS_REPORT_TEXT_H
#define DN_ETS_REPORT_TEXT_H

#include <stdio.h>

/* Characters that XML 1.0 cannot hold become U+FFFD. Texts are UTF-8 of ours, or bytes of a peer in hexadecimal. NULL: nothing. */
void dn_ets_put_escaped(FILE *out, const char *text);

#endif
