/* SPDX-License-Identifier: Apache-2.0 */
import { expect, inList, test } from "./test";

test.describe("the list of devices", () => {
  test("shows what is registered, and finds by name", async ({ page }) => {
    await page.goto("/");
    await expect(page).toHaveTitle("Devices · Dunlin");
    const list = page.getByRole("list", { name: "Devices" });
    await expect(list.getByText("greenhouse-7")).toBeVisible();
    await expect(list.getByText("bench-1")).toBeVisible();
    await page.getByRole("searchbox", { name: "Search devices" }).fill("GREEN");
    await expect(list.getByText("bench-1")).toBeHidden();
    await expect(list.getByText("greenhouse-7")).toBeVisible();
    await page.getByRole("searchbox", { name: "Search devices" }).fill("no such thing");
    await expect(page.getByText("No device matches")).toBeVisible();
  });

  test("sees a device come and go without a reload", async ({ page, rig }) => {
    await page.goto("/");
    await expect(page.locator(".badge.stream")).toHaveText("Live");
    const device = inList(page, /wanderer/);
    await expect(device).toBeHidden();
    await rig.device("wanderer");
    await expect(device).toBeVisible();
    await expect(device).toContainText("Registered");
    await rig.stopDevice("wanderer");
    await expect(device).toContainText("De-registered");
    await rig.device("wanderer");
    await expect(device).not.toContainText("De-registered");
    await rig.stopDevice("wanderer");
  });

  test("opens a device", async ({ page }) => {
    await page.goto("/");
    await inList(page, /greenhouse-7/).click();
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("greenhouse-7");
    await expect(page).toHaveTitle("greenhouse-7 · Dunlin");
    await expect(page.getByRole("treegrid")).toBeVisible();
  });
});

test.describe("a device that is not there", () => {
  test.use({ allowed: /404/ });
  test("is said to be unknown", async ({ page }) => {
    await page.goto("/#/devices/nobody");
    await expect(page.getByRole("alert")).toBeVisible();
    await expect(page.getByRole("button", { name: "Try again" })).toBeVisible();
  });
});
