/* SPDX-License-Identifier: Apache-2.0 */
/* Preconditions; see conditions.h. */
#include "api/conditions.h"

#include "api/call.h"

#include <string.h>
#include <strings.h>

/* RFC 9110 section 8.8.3. */
static bool is_tag_char(unsigned char c)
{
    return c == 0x21 || (c >= 0x23 && c != 0x7f);
}

static const char *skip_separators(const char *at)
{
    return at + strspn(at, " \t,");
}

/* Behind the entity tag at `at`, or NULL. `tag` is it with its quotes, without W/. */
static const char *read_tag(const char *at, const char **tag, size_t *len, bool *is_weak)
{
    *is_weak = at[0] == 'W' && at[1] == '/';
    at += *is_weak ? 2 : 0;
    if (*at != '"') {
        return NULL;
    }
    *tag = at++;
    while (is_tag_char((unsigned char)*at)) {
        at++;
    }
    if (*at != '"') {
        return NULL;
    }
    at++;
    *len = (size_t)(at - *tag);
    const char *next = skip_separators(at);
    return *next == '\0' || memchr(at, ',', (size_t)(next - at)) != NULL ? next : NULL;
}

bool dn_condition_is_formed(const char *text)
{
    const char *tag;
    size_t len;
    bool is_weak;
    if (strcmp(text, "*") == 0) {
        return true;
    }
    const char *at = skip_separators(text);
    if (*at == '\0') {
        return false;
    }
    while (at != NULL && *at != '\0') {
        at = read_tag(at, &tag, &len, &is_weak);
    }
    return at != NULL;
}

bool dn_condition_add(char header[DN_CONDITION_MAX], const char *line, size_t len)
{
    const size_t there = strlen(header);
    const size_t comma = there > 0 ? 1 : 0;
    if (len >= DN_CONDITION_MAX - there - comma) {
        return false;
    }
    memcpy(header + there, ",", comma);
    memcpy(header + there + comma, line, len);
    header[there + comma + len] = '\0';
    return true;
}

bool dn_conditions_any(const dn_conditions *conditions)
{
    return conditions->match[0] != '\0' || conditions->none_match[0] != '\0';
}

/* Whether one of a list is what is there. A weak one is none by the strong comparison, which If-Match asks for. */
static bool names(const char *text, const char *etag, bool is_strong)
{
    const char *tag;
    size_t len;
    bool is_weak;
    if (etag == NULL || strcmp(text, "*") == 0) {
        return etag != NULL;
    }
    const char *at = skip_separators(text);
    while (at != NULL && *at != '\0') {
        at = read_tag(at, &tag, &len, &is_weak);
        if (at != NULL && len == strlen(etag) && memcmp(tag, etag, len) == 0 && !(is_weak && is_strong)) {
            return true;
        }
    }
    return false;
}

dn_condition_result dn_conditions_check(const dn_conditions *conditions, const char *etag)
{
    if (conditions->match[0] != '\0' && !names(conditions->match, etag, true)) {
        return DN_CONDITION_NO_MATCH;
    }
    return conditions->none_match[0] != '\0' && names(conditions->none_match, etag, false)
               ? DN_CONDITION_MATCH
               : DN_CONDITION_HOLDS;
}

typedef struct {
    dn_conditions *out;
    bool good;
} gathering;

static enum MHD_Result gather(void *context, enum MHD_ValueKind kind, const char *name, const char *value)
{
    gathering *g = context;
    (void)kind;
    char *header = strcasecmp(name, MHD_HTTP_HEADER_IF_MATCH) == 0        ? g->out->match
                   : strcasecmp(name, MHD_HTTP_HEADER_IF_NONE_MATCH) == 0 ? g->out->none_match
                                                                          : NULL;
    if (header != NULL) {
        const char *text = value != NULL ? value : "";
        g->good = g->good && dn_condition_add(header, text, strlen(text)) && dn_condition_is_formed(header);
    }
    return MHD_YES;
}

bool dn_call_conditions(dn_call *call, dn_conditions *out)
{
    gathering g = {.out = out, .good = true};
    *out = (dn_conditions){.match = ""};
    (void)MHD_get_connection_values(call->connection, MHD_HEADER_KIND, gather, &g);
    if (!g.good) {
        dn_call_problem(call, DN_PROBLEM_INVALID_PARAMETER,
                        "If-Match and If-None-Match take * or ETags, such as \"3\" with its quotes.");
    }
    return g.good;
}
