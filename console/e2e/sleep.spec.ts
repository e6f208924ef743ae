/* SPDX-License-Identifier: Apache-2.0 */
/* Devices in queue mode, and attributes. */
import { AWAKE_S } from "./rig";
import { expect, expectAccessible, inList, inspector, openDevice, row, test } from "./test";

/** It speaks when it is told to. */
const SLEEPER = ["--queue", "--awake", String(AWAKE_S)];

test.describe("a device that sleeps", () => {
  test("is asked when it wakes, and its request can be followed", async ({ page, rig }) => {
    await rig.device("owl-1", ...SLEEPER);
    await openDevice(page, "owl-1", "/3/0/14");
    const badge = page.locator(".device-head .badge");
    await expect(badge).toHaveText("Registered, asleep");
    await expect(inList(page, /owl-1/)).toContainText("asleep");
    await row(page, "/3").click();
    await inspector(page).getByRole("button", { name: "Read", exact: true }).click();
    const outcome = inspector(page).locator(".outcome");
    await expect(outcome).toContainText("waits for the device");
    await inspector(page).getByRole("link", { name: "Close the inspector" }).click();
    const queue = page.getByRole("list", { name: "Queued requests" });
    await expect(queue).toContainText("/3");
    await expectAccessible(page, "a device with queued requests");
    await expect(async () => { // as often as it takes: it may be asleep again before it is asked
      rig.tell("owl-1", "update");
      await expect(queue).toContainText("answered", { timeout: 5_000 });
    }).toPass();
    await expect(queue).toContainText("2.05");
    await rig.stopDevice("owl-1");
  });

  test("is spared a request that was taken back", async ({ page, rig }) => {
    await rig.device("owl-2", ...SLEEPER);
    await openDevice(page, "owl-2");
    await expect(page.locator(".device-head .badge")).toHaveText("Registered, asleep");
    await row(page, "/3303/0/5605").click();
    await inspector(page).getByRole("button", { name: "Execute", exact: true }).click();
    await expect(inspector(page).locator(".outcome")).toContainText("waits for the device");
    await inspector(page).getByRole("link", { name: "Close the inspector" }).click();
    const queue = page.getByRole("list", { name: "Queued requests" });
    await queue.getByRole("button", { name: /^Take back request/ }).click();
    await expect(queue).toContainText("cancelled");
    await rig.stopDevice("owl-2");
  });
});

test.describe("attributes", () => {
  test.use({ allowed: /400/ });
  test("are set, shown and taken away", async ({ page }) => {
    await openDevice(page, "greenhouse-7", "/3303/0/5700");
    await inspector(page).getByRole("button", { name: "Attributes…" }).click();
    const form = inspector(page).getByRole("form", { name: "Attributes of /3303/0/5700" });
    await form.getByRole("textbox", { name: /^pmin/ }).fill("2");
    await form.getByRole("textbox", { name: /^st/ }).fill("0.25");
    await form.getByRole("button", { name: "Set attributes" }).click();
    await expect(inspector(page).locator(".outcome")).toContainText("2.04 Attributes set on /3303/0/5700");
    await expect(inspector(page).locator(".facts")).toContainText("0.25");
    await expectAccessible(page, "the form of attributes");
    await form.getByRole("textbox", { name: /^gt/ }).fill("1");
    await form.getByRole("textbox", { name: /^lt/ }).fill("5");
    await form.getByRole("button", { name: "Set attributes" }).click();
    await expect(inspector(page).locator(".outcome")).toContainText("4.00");
    await form.getByRole("textbox", { name: /^gt/ }).fill("");
    await form.getByRole("textbox", { name: /^lt/ }).fill("");
    await form.getByRole("textbox", { name: /^st/ }).fill("");
    await form.getByRole("textbox", { name: /^pmin/ }).fill("");
    await form.getByRole("button", { name: "Set attributes" }).click();
    await expect(inspector(page).locator(".facts")).not.toContainText("0.25");
  });
});
