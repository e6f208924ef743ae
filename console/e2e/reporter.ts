/* SPDX-License-Identifier: Apache-2.0 */
/* One last line that says how it went, for logs and for scripts that read them. */
import type { FullResult, Reporter, TestCase, TestResult } from "@playwright/test/reporter";

export default class ClosingLine implements Reporter {
  private readonly last = new Map<string, TestResult["status"]>();

  onTestEnd(test: TestCase, result: TestResult): void {
    this.last.set(test.id, result.status);
  }

  onEnd(_: FullResult): void {
    const count = (...wanted: TestResult["status"][]): number => [...this.last.values()].filter((status) => wanted.includes(status)).length;
    console.log(`${count("passed")} passed, ${count("failed", "timedOut", "interrupted")} failed, ${count("skipped")} skipped`);
  }
}
