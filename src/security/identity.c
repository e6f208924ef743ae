/* SPDX-License-Identifier: Apache-2.0 */
/* Identities and the endpoint names that they entitle to. */
#include "security/identity.h"

/* The usual greedy match: on a mismatch go back to the last '*', which takes a byte more. */
bool dn_endpoint_matches(dunlin_slice pattern, dunlin_slice name)
{
    size_t p = 0;
    size_t n = 0;
    size_t star = SIZE_MAX;
    size_t resume = 0;
    while (n < name.len) {
        if (p < pattern.len && pattern.data[p] == '*') {
            star = p++;
            resume = n;
        } else if (p < pattern.len && (pattern.data[p] == '?' || pattern.data[p] == name.data[n])) {
            p++;
            n++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            n = ++resume;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.data[p] == '*') {
        p++;
    }
    return p == pattern.len;
}

static dunlin_slice endpoint_of(const dn_identity *identity)
{
    return dunlin_slice_make((const uint8_t *)identity->endpoint, identity->endpoint_len);
}

bool dn_identity_allows(const dn_identity *identity, dunlin_slice endpoint)
{
    const dunlin_slice own = endpoint_of(identity);
    return identity->is_pattern ? dn_endpoint_matches(own, endpoint) : dunlin_slice_equal(own, endpoint);
}

dunlin_slice dn_identity_name(const dn_identity *identity)
{
    return identity->is_pattern ? dunlin_slice_make(NULL, 0) : endpoint_of(identity);
}

const char *dn_security_mode_text(unsigned mode)
{
    static const char *const texts[] = {"psk", "rpk", "x509", "nosec", "est"};
    return mode < sizeof texts / sizeof texts[0] ? texts[mode] : "?";
}
