/* SPDX-License-Identifier: Apache-2.0 */
/* PEM (RFC 7468): DER in base64 between two lines with a label. The one place that reads and writes it. */
#ifndef DN_SECURITY_PEM_H
#define DN_SECURITY_PEM_H

#include <dunlin/slice.h>
#include <dunlin/status.h>

#include <stdbool.h>

#define DN_PEM_CERTIFICATE "CERTIFICATE"
#define DN_PEM_PUBLIC_KEY  "PUBLIC KEY"
#define DN_PEM_PRIVATE_KEY "PRIVATE KEY"

/* Whether there is such a line in it at all. */
bool dn_pem_is(dunlin_slice text);
/* Appends the next block with this label; NULL: with any. *text goes on behind it, after a success. NOT_FOUND: no more; MALFORMED; SPACE. */
dunlin_status dn_pem_read(dunlin_slice *text, const char *label, dunlin_buf *der);
/* Characters that `len` bytes take. */
size_t dn_pem_length(const char *label, size_t len);
/* Appends, without a NUL. SPACE: nothing is appended. */
dunlin_status dn_pem_write(const char *label, dunlin_slice der, dunlin_buf *out);

#endif
