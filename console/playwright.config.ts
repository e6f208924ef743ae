/* SPDX-License-Identifier: Apache-2.0 */
/* The console in a real browser (Debian's Chromium) against a real dunlind with real devices. */
import { defineConfig } from "@playwright/test";

/** A file for the outcomes in JUnit XML. */
const junit = process.env["DUNLIN_JUNIT"];

export default defineConfig({
  testDir: "e2e",
  outputDir: "test-results",
  workers: 1,
  // What must happen is waited for long enough for a machine that does much besides.
  timeout: 300_000,
  expect: { timeout: 45_000 },
  forbidOnly: process.env["CI"] !== undefined,
  reporter: [["list"], ...(junit === undefined ? [] : [["junit", { outputFile: junit }] as const]), ["./e2e/reporter.ts"]],
  use: {
    viewport: { width: 1440, height: 900 },
    colorScheme: "light",
    screenshot: "only-on-failure",
    launchOptions: {
      executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
      args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync"],
    },
  },
});
