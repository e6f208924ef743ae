/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packages (firmware, software) as files in a directory, each named by 32 lower-case hexadecimal digits: read
 * a piece at a time, for devices that fetch them (Core 1.1.1 section E.6, pull) and for requests that carry
 * one (push). Whoever puts files there never changes one: another content is another name. A file that is
 * removed, or replaced all the same, is not served any longer, though a push that has begun goes on with what
 * it began with.
 *
 * Who may fetch: any peer that knows the name. Devices fetch from other ports and through other addresses
 * than the one that they registered from, so an address says nothing; the name is 128 bits that nobody
 * guesses: who knows it was told it, or has the content that it was made from. There is no list of them.
 * Nothing but such a name is ever looked up, so no path leads out of the directory.
 *
 * Threads: one shard's.
 */
#ifndef DN_SERVER_PACKAGES_H
#define DN_SERVER_PACKAGES_H

#include "coap/engine.h"

#define DN_PACKAGE_NAME     32u
#define DN_PACKAGES_CACHED  16u /* files kept open though nobody uses them now */
#define DN_PACKAGE_ETAG_LEN 8u  /* the first 16 digits of the name, as bytes */

typedef struct dn_package dn_package; /* an open file */

typedef struct {
    int directory;      /* -1: there are no packages */
    dn_package *open;   /* the one used last comes first */
    uint32_t idle;      /* of those open, not in use */
    uint64_t bytes;     /* read and sent so far */
    dn_coap_source out; /* the piece that is being answered with */
    dn_coap_option etag;
    uint8_t etag_bytes[DN_PACKAGE_ETAG_LEN];
} dn_packages;

/* `directory` NULL: there are no packages. False: it cannot be opened (errno says why). */
bool dn_packages_init(dn_packages *packages, const char *directory);
/* Closes all; none may be in use. */
void dn_packages_free(dn_packages *packages);

bool dn_package_is_name(dunlin_slice name);
/* The package of that name, in use until dn_packages_give. NULL: there is none, or it cannot be opened. */
dn_package *dn_packages_take(dn_packages *packages, dunlin_slice name);
void dn_packages_give(dn_packages *packages, dn_package *package);
uint64_t dn_package_size(const dn_package *package);
/* False: the file cannot be read, or has become shorter. */
bool dn_package_read(dn_packages *packages, const dn_package *package, uint64_t offset, void *out,
                     size_t len);

/*
 * Answers a request to /fw/NAME: GET, by Block2, with ETag and Size2, as octets. 4.04: there is no such
 * package; 4.05: another method; 4.06: another format is wanted.
 */
void dn_packages_answer(dn_packages *packages, const dn_coap_incoming *request, dunlin_slice name,
                        dn_coap_reply *reply);

#endif
