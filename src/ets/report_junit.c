/* SPDX-License-Identifier: Apache-2.0 */
/* Results as JUnit XML: a testsuite for each group, a testcase for each case. */
#include "ets/ets.h"
#include "ets/report_text.h"

#include <string.h>

#define MS_PER_S 1000.0

static void put_output(FILE *out, const dn_ets_result *result)
{
    static const char *const marks[] = {"== ", "", "met: ", "NOT MET: ", "note: "};
    (void)fputs("      <system-out>", out);
    for (size_t i = 0; i < result->entry_count; i++) {
        (void)fprintf(out, "%9.3f %s", (double)result->entries[i].at_ms / MS_PER_S,
                      marks[result->entries[i].kind]);
        dn_ets_put_escaped(out, result->entries[i].text);
        (void)fputc('\n', out);
    }
    (void)fputs("</system-out>\n", out);
}

static void put_case(FILE *out, const dn_ets_results *results, const dn_ets_result *result)
{
    char id[64];
    dn_ets_case_id(result->what, id, sizeof id);
    (void)fprintf(out, "    <testcase classname=\"ets.%s\" name=\"%s ", results->setting, id);
    dn_ets_put_escaped(out, dn_ets_case_title(result->what));
    (void)fprintf(out, "\" time=\"%.3f\">\n", (double)result->took_ms / MS_PER_S);
    if (result->verdict != DN_ETS_PASSED) {
        const char *element = result->verdict == DN_ETS_FAILED ? "failure" : "skipped";
        (void)fprintf(out, "      <%s message=\"%s%s", element,
                      result->verdict == DN_ETS_FAILED ? "" : dn_ets_verdict_name(result->verdict),
                      result->verdict == DN_ETS_FAILED ? "" : ": ");
        dn_ets_put_escaped(out, result->reason);
        (void)fputs("\"/>\n", out);
    }
    if (result->entry_count > 0) {
        put_output(out, result);
    }
    (void)fputs("    </testcase>\n", out);
}

static void put_group(FILE *out, const dn_ets_results *results, const dn_ets_group *group)
{
    size_t tests = 0, failures = 0, skipped = 0;
    for (size_t i = 0; i < results->count; i++) {
        const dn_ets_result *result = &results->list[i];
        if (result->group == group) {
            tests++;
            failures += result->verdict == DN_ETS_FAILED;
            skipped += result->verdict == DN_ETS_NOT_APPLICABLE || result->verdict == DN_ETS_NEEDS_HANDS;
        }
    }
    if (tests == 0) {
        return;
    }
    (void)fputs("  <testsuite name=\"", out);
    dn_ets_put_escaped(out, dn_ets_group_title(group));
    (void)fprintf(out, "\" tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"%zu\">\n", tests, failures,
                  skipped);
    for (size_t i = 0; i < results->count; i++) {
        if (results->list[i].group == group) {
            put_case(out, results, &results->list[i]);
        }
    }
    (void)fputs("  </testsuite>\n", out);
}

bool dn_ets_report_junit(const dn_ets_results *results, FILE *out)
{
    (void)fprintf(
        out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"OMA LwM2M test cases: %s\">\n",
        results->setting);
    for (size_t i = 0; i < dn_ets_group_count; i++) {
        put_group(out, results, dn_ets_groups[i]);
    }
    (void)fputs("</testsuites>\n", out);
    return fflush(out) == 0 && ferror(out) == 0;
}
