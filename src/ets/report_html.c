/* SPDX-License-Identifier: Apache-2.0 */
/* Results as one HTML page that needs nothing else: a table of verdicts, and each case with its procedure, what was said on
 * the wire, and each criterion. */
#include "ets/ets.h"
#include "ets/report_text.h"

#include <stdlib.h>
#include <string.h>

#define MS_PER_S 1000.0

static const char STYLE[] =
    "body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem}\n"
    "body{color:#1b1f24;background:#fff;overflow-wrap:anywhere}\n"
    "h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}\n"
    "table{border-collapse:collapse;width:100%}\n"
    "td,th{text-align:left;padding:.25rem .6rem;border-bottom:1px solid #d8dee4;vertical-align:top}\n"
    "td a{white-space:nowrap}td:nth-child(2){min-width:18rem}\n"
    ".v{font-weight:600;white-space:nowrap}div.v{white-space:normal}\n"
    ".pass{color:#116329}.fail{color:#a40e26}.not{color:#57606a}.needs{color:#7d4e00}\n"
    "details{border:1px solid #d8dee4;border-radius:6px;margin:.5rem 0;padding:.3rem .8rem}\n"
    "summary{cursor:pointer}\n"
    "pre{margin:.2rem 0;white-space:pre-wrap;font-size:12.5px}\n"
    "pre{background:#f6f8fa;padding:.4rem .6rem;border-radius:4px}\n"
    ".step{font-weight:600;margin:.7rem 0 .1rem}.note{color:#57606a}\n"
    ".t{color:#57606a;font-variant-numeric:tabular-nums;font-weight:400;margin-right:.6rem}\n"
    "@media(prefers-color-scheme:dark){body{background:#0d1117;color:#e6edf3}\n"
    "pre{background:#161b22}td,th,details{border-color:#30363d}\n"
    ".pass{color:#3fb950}.fail{color:#ff7b72}.needs{color:#d29922}\n"
    ".not,.t,.note{color:#8b949e}a{color:#58a6ff}}\n";

static const char *class_of(dn_ets_verdict verdict)
{
    static const char *const names[] = {"pass", "fail", "not", "needs"};
    return names[verdict];
}

static void put_summary(FILE *out, const dn_ets_results *results)
{
    (void)fputs("<p>", out);
    for (dn_ets_verdict v = DN_ETS_PASSED; v <= DN_ETS_NEEDS_HANDS; v++) {
        (void)fprintf(out, "<span class=\"v %s\">%zu %s</span>%s", class_of(v),
                      dn_ets_results_count(results, v), dn_ets_verdict_name(v),
                      v < DN_ETS_NEEDS_HANDS ? " · " : "");
    }
    (void)fputs("</p>\n", out);
}

static void put_row(FILE *out, const dn_ets_result *result)
{
    char id[64];
    dn_ets_case_id(result->what, id, sizeof id);
    (void)fprintf(out, "<tr><td><a href=\"#%s\">%s</a></td><td>", id, id);
    dn_ets_put_escaped(out, dn_ets_case_title(result->what));
    (void)fprintf(out, "</td><td class=\"v %s\">%s</td><td>", class_of(result->verdict),
                  dn_ets_verdict_name(result->verdict));
    dn_ets_put_escaped(out, result->reason);
    (void)fputs("</td></tr>\n", out);
}

static void put_entry(FILE *out, const dn_ets_entry *entry)
{
    const double at_s = (double)entry->at_ms / MS_PER_S;
    switch (entry->kind) {
    case DN_ETS_ENTRY_STEP:
        (void)fprintf(out, "<p class=\"step\"><span class=\"t\">%.3f s</span>", at_s);
        dn_ets_put_escaped(out, entry->text);
        (void)fputs("</p>\n", out);
        break;
    case DN_ETS_ENTRY_MESSAGE:
        (void)fprintf(out, "<pre><span class=\"t\">%.3f s</span>", at_s);
        dn_ets_put_escaped(out, entry->text);
        (void)fputs("</pre>\n", out);
        break;
    case DN_ETS_ENTRY_MET:
    case DN_ETS_ENTRY_UNMET: {
        const bool met = entry->kind == DN_ETS_ENTRY_MET;
        (void)fprintf(out, "<div class=\"v %s\">%s ", met ? "pass" : "fail", met ? "✓" : "✗");
        dn_ets_put_escaped(out, entry->text);
        (void)fputs("</div>\n", out);
        break;
    }
    default:
        (void)fputs("<div class=\"note\">", out);
        dn_ets_put_escaped(out, entry->text);
        (void)fputs("</div>\n", out);
    }
}

static void put_procedure(FILE *out, const dn_ets_case *what)
{
    char *procedure = dn_ets_procedure(what);
    if (procedure == NULL || procedure[0] == '\0') {
        free(procedure);
        return;
    }
    (void)fputs("<p>Procedure</p>\n<ol>\n", out);
    for (char *line = strtok(procedure, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        (void)fputs("<li>", out);
        dn_ets_put_escaped(out, line);
        (void)fputs("</li>\n", out);
    }
    (void)fputs("</ol>\n", out);
    free(procedure);
}

static void put_case(FILE *out, const dn_ets_result *result)
{
    char id[64], roles[8], versions[16], config[8];
    dn_ets_case_id(result->what, id, sizeof id);
    dn_ets_case_facts(result->what, roles, versions, config, sizeof config);
    (void)fprintf(out, "<details id=\"%s\"%s><summary>%s ", id,
                  result->verdict == DN_ETS_FAILED ? " open" : "", id);
    dn_ets_put_escaped(out, dn_ets_case_title(result->what));
    (void)fprintf(out,
                  " <span class=\"v %s\">%s</span></summary>\n<p>LwM2M %s, roles %s, configuration %s</p>\n",
                  class_of(result->verdict), dn_ets_verdict_name(result->verdict), versions, roles, config);
    if (result->reason != NULL) {
        (void)fprintf(out, "<p class=\"%s\">", class_of(result->verdict));
        dn_ets_put_escaped(out, result->reason);
        (void)fputs("</p>\n", out);
    }
    put_procedure(out, result->what);
    for (size_t i = 0; i < result->entry_count; i++) {
        put_entry(out, &result->entries[i]);
    }
    (void)fputs("</details>\n", out);
}

bool dn_ets_report_html(const dn_ets_results *results, FILE *out)
{
    (void)fprintf(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
        "content=\"width=device-width\"><title>OMA LwM2M test cases</title><style>%s</style></head><body>\n"
        "<h1>OMA LwM2M test cases, %s under test</h1>\n<p>",
        STYLE, results->setting);
    dn_ets_put_escaped(out, results->peer[0] != '\0' ? results->peer : "nobody came");
    (void)fputs("</p>\n", out);
    put_summary(out, results);
    (void)fputs(
        "<table><thead><tr><th>Case</th><th>Title</th><th>Verdict</th><th></th></tr></thead><tbody>\n", out);
    for (size_t i = 0; i < results->count; i++) {
        put_row(out, &results->list[i]);
    }
    (void)fputs("</tbody></table>\n", out);
    const dn_ets_group *group = NULL;
    for (size_t i = 0; i < results->count; i++) {
        if (results->list[i].group != group) {
            group = results->list[i].group;
            (void)fputs("<h2>", out);
            dn_ets_put_escaped(out, dn_ets_group_title(group));
            (void)fputs("</h2>\n", out);
        }
        put_case(out, &results->list[i]);
    }
    (void)fputs("</body></html>\n", out);
    return fflush(out) == 0 && ferror(out) == 0;
}
