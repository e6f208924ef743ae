/* SPDX-License-Identifier: Apache-2.0 */
/* For tests and fuzzers: an object whose resources 0 to 8 are of one type each; 9 is of several instances, 10 is executed. */
#ifndef DN_API_EVERY_TYPE_H
#define DN_API_EVERY_TYPE_H

#include "model/object.h"

dn_object_def every_type(uint16_t id);

#endif
