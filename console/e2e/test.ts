/* SPDX-License-Identifier: Apache-2.0 */
/* Playwright's test with a running server, pages whose errors fail the test, and axe. */
import { test as base, expect, type Locator, type Page } from "@playwright/test";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Rig } from "./rig";

export const FIXTURES = resolve(dirname(fileURLToPath(import.meta.url)), "fixtures");
const axeSource = readFileSync(createRequire(join(FIXTURES, "x.js")).resolve("axe-core/axe.min.js"), "utf8");

interface Options {
  /** Console messages that a test expects, e.g. of requests that are meant to fail. */
  allowed: RegExp | undefined;
}

export const test = base.extend<Options, { rig: Rig }>({
  allowed: [undefined, { option: true }],
  rig: [async ({}, use) => {
    const rig = new Rig();
    await rig.start();
    await rig.model(join(FIXTURES, "31000.xml"));
    await rig.device("greenhouse-7");
    await rig.device("bench-1", "--object", join(FIXTURES, "31000.xml"));
    await use(rig);
    await rig.stop();
  }, { scope: "worker" }],
  baseURL: async ({ rig }, use) => use(rig.url),
  page: async ({ page, allowed }, use) => {
    const errors: string[] = [];
    page.on("pageerror", (error) => errors.push(error.message));
    page.on("console", (message) => {
      // A policy that is violated, a file that is missing, an exception: all end up here.
      if (message.type() === "error" && !allowed?.test(message.text())) errors.push(message.text());
    });
    await use(page);
    expect(errors, "errors in the browser's console").toEqual([]);
  },
});

export { expect };

export const row = (page: Page, path: string): Locator => page.locator(`.tree [data-path="${path}"]`);
export const inList = (page: Page, name: RegExp): Locator => page.getByRole("list", { name: "Devices" }).getByRole("link", { name });
export const inspector = (page: Page): Locator => page.locator(".inspector");

/** Opens a device. Its objects are read meanwhile, as for anybody who clicks at once. */
export async function openDevice(page: Page, name: string, path = ""): Promise<void> {
  await page.goto(`/#/devices/${encodeURIComponent(name)}${path}`);
  await expect(page.locator(".badge.stream")).toHaveText("Live");
  await expect(page.locator(".device-head h1, .inspector h2").first()).toBeVisible();
}

/** No violation of axe's rules, best practices included. */
export async function expectAccessible(page: Page, what: string): Promise<void> {
  await page.evaluate(axeSource);
  const violations = await page.evaluate(async () => {
    const { axe } = window as unknown as { axe: { run: (node: Document) => Promise<{ violations: { id: string; nodes: { target: unknown; failureSummary: string }[] }[] }> } };
    const result = await axe.run(document);
    return result.violations.map((v) => `${v.id}: ${v.nodes.map((n) => `${JSON.stringify(n.target)} ${n.failureSummary}`).join(" | ")}`);
  });
  expect(violations, what).toEqual([]);
}

/** The page itself never scrolls, only panes inside it. */
export async function expectFits(page: Page): Promise<void> {
  const size = await page.evaluate(() => {
    const { scrollWidth, clientWidth, scrollHeight, clientHeight } = document.documentElement;
    return { sideways: scrollWidth - clientWidth, down: scrollHeight - clientHeight };
  });
  expect(size).toEqual({ sideways: 0, down: 0 });
}
