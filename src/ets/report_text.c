/* SPDX-License-Identifier: Apache-2.0 */
#include "ets/report_text.h"

void dn_ets_put_escaped(FILE *out, const char *text)
{
    for (; text != NULL && *text != '\0'; text++) {
        switch (*text) {
        case '<':
            (void)fputs("&lt;", out);
            break;
        case '>':
            (void)fputs("&gt;", out);
            break;
        case '&':
            (void)fputs("&amp;", out);
            break;
        case '"':
            (void)fputs("&quot;", out);
            break;
        default:
            if ((unsigned char)*text < 0x20 && *text != '\n' && *text != '\t') {
                (void)fputs("\xEF\xBF\xBD", out);
            } else {
                (void)fputc(*text, out);
            }
        }
    }
}
