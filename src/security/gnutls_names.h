/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names in certificates: which ones there are, and whether one of them is the one that was asked for (RFC 6125, RFC 7925 section 4.4.1,
 * RFC 7252 section 9.1.3.3).
 */
#ifndef DN_SECURITY_GNUTLS_NAMES_H
#define DN_SECURITY_GNUTLS_NAMES_H

#include <dunlin/slice.h>
#include <gnutls/x509.h>

/* The library gives strings of names and attributes as RFC 4514 writes them, with backslashes: takes these away, in place. Gives the new length. */
size_t dn_names_unescape(char *text, size_t len);
/* The Common Name, then dNSNames and URIs, as bytes in `bytes`; how many. Names that do not fit or hold a NUL byte are left out. */
size_t dn_names_collect(gnutls_x509_crt_t cert, dunlin_slice *names, size_t names_max, char *bytes,
                        size_t bytes_max);
/*
 * True when the certificate is for `host`: a dNSName equals it, or has '*' for its whole leftmost label and at least two more; or a URI has it
 * as host; or, when it has neither dNSName nor URI, its Common Name equals it. An address is looked for among iPAddresses alone.
 */
bool dn_names_match(gnutls_x509_crt_t cert, const char *host, bool is_address);
/* True for an IPv4 or IPv6 address without brackets. */
bool dn_names_is_address(const char *host);

#endif
