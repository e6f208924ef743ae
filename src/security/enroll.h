/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What enrolment takes of cryptography, on both sides: requests (PKCS#10), certificates for them, and sets of certificates (PKCS#7 certs-only).
 * All in DER; keys are P-256 (RFC 7925 section 4.4). GnuTLS writes the inner content type of such a set differently from RFC 9148's examples:
 * that is mended here.
 */
#ifndef DN_SECURITY_ENROLL_H
#define DN_SECURITY_ENROLL_H

#include <dunlin/slice.h>
#include <dunlin/status.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DN_ENROLL_REQUEST_MAX 1024u
#define DN_ENROLL_SET_MAX     8192u

/* A request with `common_name` (up to 64 bytes, as X.520 has it) as its subject, signed by `key` (PKCS#8 DER or "pkcs11:…"). ARGUMENT: the name;
   MALFORMED: the key; SPACE. */
dunlin_status dn_enroll_request(dunlin_slice key, const char *common_name, dunlin_buf *out);

typedef struct {
    char common_name[256];   /* "": none */
    uint8_t public_key[128]; /* SubjectPublicKeyInfo */
    size_t public_key_len;
    bool has_challenge; /* it names the session it was made for */
    char challenge[64]; /* "": longer than anything that names a session */
} dn_enroll_asked;
/* Reads a request and checks its signature. MALFORMED: it is none; REJECTED: its signature does not hold; UNSUPPORTED: not a P-256 key. */
dunlin_status dn_enroll_read(dunlin_slice request, dn_enroll_asked *out);

typedef struct {
    dunlin_slice authority, authority_key; /* certificate; PKCS#8 DER or "pkcs11:…" */
    dunlin_slice request;
    const char *common_name; /* of the certificate, whatever the request says */
    int64_t from_s, until_s; /* since 1970; not beyond the authority's own */
    uint8_t serial[16];      /* random; made positive */
} dn_enroll_terms;
/* A certificate for the request: clientAuth, not an authority, nothing taken over from the request but its key. As above; ARGUMENT: the name, or no time is left;
   IO: the authority; SPACE. */
dunlin_status dn_enroll_issue(const dn_enroll_terms *terms, dunlin_buf *out);
/* NULL, or why this cannot be the authority that issues: what is no CA, a key of another. */
const char *dn_enroll_check_authority(dunlin_slice certificate, dunlin_slice key);

/* Certs-only PKCS#7 of `count` certificates, and how many one holds with the n-th of them (into `out`). MALFORMED; SPACE; NOT_FOUND. */
dunlin_status dn_enroll_pack(const dunlin_slice *certificates, size_t count, dunlin_buf *out);
dunlin_status dn_enroll_count(dunlin_slice set, size_t *count);
dunlin_status dn_enroll_unpack(dunlin_slice set, size_t index, dunlin_buf *out);
/* Those of a set that are certification authorities, as PEM. NOT_FOUND: none is; as above. */
dunlin_status dn_enroll_authorities(dunlin_slice set, dunlin_buf *pem);
/* The certificate of `key` in what was issued: a set, or one certificate by itself. MALFORMED; NOT_FOUND: none is of this key; ACCESS: its name
   is another; SPACE. Validity is told, not judged. */
dunlin_status dn_enroll_find(dunlin_slice issued, dunlin_slice key, const char *common_name, dunlin_buf *out,
                             int64_t *from_s, int64_t *until_s);
/* The same for whoever has only the public key (SubjectPublicKeyInfo). */
dunlin_status dn_enroll_find_public(dunlin_slice issued, dunlin_slice public_key, const char *common_name,
                                    dunlin_buf *out, int64_t *from_s, int64_t *until_s);

#endif
