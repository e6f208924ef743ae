/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes that an image is made of: numbers of seven bits to a byte, least ones first, lengths before what they are of, values behind
 * their type. Writing and reading go on after an error and are asked once at the end.
 */
#ifndef DN_CLIENT_IMAGE_BYTES_H
#define DN_CLIENT_IMAGE_BYTES_H

#include <dunlin/value.h>

typedef struct {
    dunlin_buf *out;
    bool full; /* something did not fit */
} dn_image_out;

void dn_image_put_number(dn_image_out *out, uint64_t number);
void dn_image_put_bytes(dn_image_out *out, dunlin_slice bytes); /* with their length */
void dn_image_put_float(dn_image_out *out, double number);
/* Of any type but NONE. */
void dn_image_put_value(dn_image_out *out, const dunlin_value *value);
/* Leaves room for the length of what follows, four bytes; returns where, for dn_image_close. */
size_t dn_image_open(dn_image_out *out);
void dn_image_close(dn_image_out *out, size_t at);

typedef struct {
    const uint8_t *at;
    size_t left;
    bool bad; /* it is not what was asked for; all that is read from then on is zero */
} dn_image_in;

dn_image_in dn_image_read(dunlin_slice bytes);
/* Above `max`: bad. */
uint64_t dn_image_get_number(dn_image_in *in, uint64_t max);
/* Views of what is read. */
dunlin_slice dn_image_get_bytes(dn_image_in *in);
double dn_image_get_float(dn_image_in *in);
dunlin_value dn_image_get_value(dn_image_in *in);
/* What was written between dn_image_open and dn_image_close. */
dn_image_in dn_image_get_part(dn_image_in *in);
bool dn_image_more(const dn_image_in *in);

#endif
