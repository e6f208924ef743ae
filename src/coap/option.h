/* SPDX-License-Identifier: Apache-2.0 */
/* CoAP codes, option numbers, and options as a walk over their bytes (RFC 7252 sections 3.1 and 12). */
#ifndef DN_COAP_OPTION_H
#define DN_COAP_OPTION_H

#include <dunlin/slice.h>
#include <dunlin/status.h>

#define DN_COAP_CODE(c, dd) ((uint8_t)((c) << 5 | (dd)))

enum {
    DN_COAP_EMPTY = 0,
    DN_COAP_GET = DN_COAP_CODE(0, 1),
    DN_COAP_POST = DN_COAP_CODE(0, 2),
    DN_COAP_PUT = DN_COAP_CODE(0, 3),
    DN_COAP_DELETE = DN_COAP_CODE(0, 4),
    DN_COAP_FETCH = DN_COAP_CODE(0, 5),
    DN_COAP_PATCH = DN_COAP_CODE(0, 6),
    DN_COAP_IPATCH = DN_COAP_CODE(0, 7),
    DN_COAP_CREATED = DN_COAP_CODE(2, 1),
    DN_COAP_DELETED = DN_COAP_CODE(2, 2),
    DN_COAP_VALID = DN_COAP_CODE(2, 3),
    DN_COAP_CHANGED = DN_COAP_CODE(2, 4),
    DN_COAP_CONTENT = DN_COAP_CODE(2, 5),
    DN_COAP_CONTINUE = DN_COAP_CODE(2, 31),
    DN_COAP_BAD_REQUEST = DN_COAP_CODE(4, 0),
    DN_COAP_UNAUTHORIZED = DN_COAP_CODE(4, 1),
    DN_COAP_BAD_OPTION = DN_COAP_CODE(4, 2),
    DN_COAP_FORBIDDEN = DN_COAP_CODE(4, 3),
    DN_COAP_NOT_FOUND = DN_COAP_CODE(4, 4),
    DN_COAP_METHOD_NOT_ALLOWED = DN_COAP_CODE(4, 5),
    DN_COAP_NOT_ACCEPTABLE = DN_COAP_CODE(4, 6),
    DN_COAP_INCOMPLETE = DN_COAP_CODE(4, 8),
    DN_COAP_CONFLICT = DN_COAP_CODE(4, 9),
    DN_COAP_PRECONDITION_FAILED = DN_COAP_CODE(4, 12),
    DN_COAP_TOO_LARGE = DN_COAP_CODE(4, 13),
    DN_COAP_UNSUPPORTED_FORMAT = DN_COAP_CODE(4, 15),
    DN_COAP_UNPROCESSABLE = DN_COAP_CODE(4, 22),
    DN_COAP_TOO_MANY = DN_COAP_CODE(4, 29),
    DN_COAP_INTERNAL_ERROR = DN_COAP_CODE(5, 0),
    DN_COAP_NOT_IMPLEMENTED = DN_COAP_CODE(5, 1),
    DN_COAP_UNAVAILABLE = DN_COAP_CODE(5, 3),
    DN_COAP_PROXYING_NOT_SUPPORTED = DN_COAP_CODE(5, 5)
};

enum {
    DN_OPTION_IF_MATCH = 1,
    DN_OPTION_URI_HOST = 3,
    DN_OPTION_ETAG = 4,
    DN_OPTION_IF_NONE_MATCH = 5,
    DN_OPTION_OBSERVE = 6,
    DN_OPTION_URI_PORT = 7,
    DN_OPTION_LOCATION_PATH = 8,
    DN_OPTION_OSCORE = 9,
    DN_OPTION_URI_PATH = 11,
    DN_OPTION_CONTENT_FORMAT = 12,
    DN_OPTION_MAX_AGE = 14,
    DN_OPTION_URI_QUERY = 15,
    DN_OPTION_ACCEPT = 17,
    DN_OPTION_LOCATION_QUERY = 20,
    DN_OPTION_BLOCK2 = 23,
    DN_OPTION_BLOCK1 = 27,
    DN_OPTION_SIZE2 = 28,
    DN_OPTION_PROXY_URI = 35,
    DN_OPTION_PROXY_SCHEME = 39,
    DN_OPTION_SIZE1 = 60,
    DN_OPTION_ECHO = 252,
    DN_OPTION_REQUEST_TAG = 292
};

typedef struct {
    uint16_t number;
    dunlin_slice value;
} dn_coap_option;

/* A walk over the encoded options of a message that was checked when it was parsed. */
typedef struct {
    dunlin_slice raw;
    size_t at;
    uint16_t number;
} dn_coap_options;

/* OK with the next option, or END. A copy of the walk restarts where it was copied. */
dunlin_status dn_coap_option_next(dn_coap_options *walk, dn_coap_option *option);
/* The next option with `number` (for repeatable ones call again), or END. */
dunlin_status dn_coap_option_find(dn_coap_options *walk, uint16_t number, dunlin_slice *value);
/* RFC 7252 section 3.2: an unsigned integer of 0 to 4 bytes; false when longer. */
bool dn_coap_option_uint(dunlin_slice value, uint32_t *out);
/* Writes `value` in as few bytes as it needs into out[4]; gives the view. */
dunlin_slice dn_coap_option_from_uint(uint32_t value, uint8_t out[4]);

#endif
