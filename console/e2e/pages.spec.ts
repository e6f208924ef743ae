/* SPDX-License-Identifier: Apache-2.0 */
import { join } from "node:path";
import { expect, expectAccessible, expectFits, FIXTURES, inList, inspector, openDevice, row, test } from "./test";

test.describe("the event log", () => {
  test("shows what happens, filters, pauses, and opens an event", async ({ page, rig }) => {
    await page.goto("/#/events");
    await expect(page.locator(".badge.stream")).toHaveText("Live");
    await rig.device("visitor");
    const log = page.getByRole("list", { name: "Events" });
    const came = log.getByRole("button", { name: /Registered.*visitor/ });
    await expect(came).toBeVisible();
    await came.click();
    await expect(page.getByRole("region", { name: "The event as JSON" })).toContainText('"endpoint": "visitor"');
    await page.getByRole("button", { name: "Close the event" }).click();

    await page.getByRole("button", { name: "Pause" }).click();
    await rig.stopDevice("visitor");
    await expect(page.getByText(/Paused, [1-9]\d* more/)).toBeVisible();
    await expect(log.getByRole("button", { name: /De-registered.*visitor/ })).toBeHidden();
    await page.getByRole("button", { name: "Resume" }).click();
    await expect(log.getByRole("button", { name: /De-registered.*visitor/ })).toBeVisible();

    await page.getByRole("checkbox", { name: "De-registered" }).uncheck();
    await expect(log.getByRole("button", { name: /De-registered/ })).toBeHidden();
    await page.getByRole("searchbox").fill("visitor");
    await expect(came).toBeVisible();
    await page.getByRole("searchbox").fill("somebody else");
    await expect(page.getByText("No event matches")).toBeVisible();
  });
});

test.describe("the models", () => {
  test("are listed and shown with their resources", async ({ page }) => {
    await page.goto("/#/models");
    await page.getByRole("searchbox").fill("Device");
    await page.getByRole("link", { name: /^3\s*Device\s*v1\.1/ }).click();
    await expect(page.getByRole("heading", { level: 2, name: "Device" })).toBeVisible();
    await expect(page.getByRole("rowheader", { name: "Manufacturer" })).toBeVisible();
  });

  test("can be added, and then name what a device has", async ({ page }) => {
    await page.goto("/#/models");
    await page.locator('input[type="file"]').setInputFiles(join(FIXTURES, "31000.xml"));
    await expect(page.getByText("Test Bench (31000, version 1.0)")).toBeVisible();
    await openDevice(page, "bench-1");
    await expect(row(page, "/31000")).toContainText("Test Bench");
    await expect(row(page, "/31000/0/2")).toContainText("Unsigned");
  });

  test.describe("that are broken", () => {
    test.use({ allowed: /400/ });
    test("are refused with the reason", async ({ page }) => {
      await page.goto("/#/models");
      await page.locator('input[type="file"]').setInputFiles({ name: "bad.xml", mimeType: "application/xml", buffer: Buffer.from("<nonsense>") });
      await expect(page.getByRole("alert")).toBeVisible();
      await expect(page.getByText("bad.xml")).toBeVisible();
    });
  });
});

test("the server tells of itself", async ({ page, rig }) => {
  await page.goto("/#/server");
  await expect(page.getByText(rig.url.replace("http://", ""))).toBeVisible();
  await expect(page.getByRole("table")).toContainText("dunlin_");
});

test.describe("looks", () => {
  test("follow the system, and the reader's choice over it", async ({ page }) => {
    const background = (): Promise<string> => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    await page.goto("/");
    const light = await background();
    await page.emulateMedia({ colorScheme: "dark" });
    const dark = await background();
    expect(dark).not.toBe(light);
    await page.getByRole("button", { name: /Change to light/ }).click();
    expect(await background()).toBe(light);
    await page.reload();
    expect(await background()).toBe(light);
    await page.getByRole("button", { name: /Change to dark/ }).click();
    expect(await background()).toBe(dark);
  });

  test("fit a phone of 360 pixels, from the list down to a value", async ({ page }) => {
    await page.setViewportSize({ width: 360, height: 740 });
    await page.goto("/");
    await expectFits(page);
    await inList(page, /greenhouse-7/).click();
    await expect(page.getByRole("heading", { level: 1 })).toBeFocused();
    await expect(page.getByRole("list", { name: "Devices" })).toBeHidden();
    await expectFits(page);
    await row(page, "/3303/0/5700").click();
    await expect(inspector(page).getByRole("heading", { name: "Sensor Value" })).toBeFocused();
    await inspector(page).getByRole("button", { name: "Read", exact: true }).click();
    await expect(inspector(page).locator(".outcome")).toContainText("2.05");
    await expectFits(page);
    await page.getByRole("link", { name: "Close the inspector" }).click();
    await page.getByRole("radio", { name: /^Live/ }).check();
    await expect(page.getByRole("region", { name: "Live" })).toBeVisible();
    await page.getByRole("link", { name: "All devices", exact: true }).click();
    await expect(page.getByRole("list", { name: "Devices" })).toBeVisible();
  });

  test("fit 320 pixels, a laptop and a wall of 3840", async ({ page }) => {
    for (const [width, height] of [[320, 568], [1280, 720], [3840, 2160]] as const) {
      await page.setViewportSize({ width, height });
      for (const path of ["/#/devices", "/#/devices/greenhouse-7", "/#/devices/bench-1/31000/0/5", "/#/events", "/#/models/3/1.1", "/#/credentials/%2B", "/#/server"]) {
        await page.goto(path);
        await expect(page.locator("main")).toBeVisible();
        await page.waitForTimeout(300);
        await expectFits(page);
      }
    }
    await openDevice(page, "greenhouse-7", "/3/0");
    await expect(page.locator(".tree")).toBeVisible();
    await expect(inspector(page)).toBeVisible();
    await expect(page.getByRole("region", { name: "Live" })).toBeVisible();
  });
});

test("everything can be done by keyboard", async ({ page }) => {
  await page.goto("/");
  await expect(inList(page, /greenhouse-7/)).toBeVisible();
  await page.keyboard.press("Tab");
  await expect(page.getByText("Skip to the content")).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.locator("main")).toBeFocused();
  await page.keyboard.press("Tab");
  await expect(page.getByRole("searchbox", { name: "Search devices" })).toBeFocused();
  await page.keyboard.type("greenhouse");
  await expect(inList(page, /bench-1/)).toBeHidden();
  await page.keyboard.press("Tab");
  await expect(inList(page, /greenhouse-7/)).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(row(page, "/3303/0/5700").locator(".value")).toBeVisible();

  // From the list into the tree by Tab alone.
  for (let i = 0; i < 12 && !(await page.evaluate(() => document.activeElement?.getAttribute("role") === "row")); i++) await page.keyboard.press("Tab");
  await expect(row(page, "/1")).toBeFocused();
  const outline = await row(page, "/1").evaluate((element) => getComputedStyle(element).outlineStyle);
  expect(outline).not.toBe("none");
  await page.keyboard.press("ArrowLeft");
  await expect(row(page, "/1")).toHaveAttribute("aria-expanded", "false");
  await expect(row(page, "/1/0")).toBeHidden();
  for (let i = 0; i < 60 && !(await row(page, "/3/0/14").evaluate((element) => element === document.activeElement)); i++) await page.keyboard.press("ArrowDown");
  await expect(row(page, "/3/0/14")).toBeFocused();
  await page.keyboard.press("r");
  await page.keyboard.press("w");
  const field = inspector(page).getByRole("textbox", { name: "UTC Offset" });
  await expect(field).toBeFocused();
  await page.keyboard.press("Control+a");
  await page.keyboard.type("-03:30");
  await page.keyboard.press("Enter");
  await expect(row(page, "/3/0/14").locator(".value")).toHaveText("-03:30");
});

test.describe("axe finds nothing to complain about", () => {
  const pages: [string, string][] = [
    ["the devices", "/#/devices"], ["a device", "/#/devices/greenhouse-7"], ["a resource", "/#/devices/greenhouse-7/3303/0/5700"],
    ["an editor of bytes", "/#/devices/bench-1/31000/0/5"], ["a resource of several values", "/#/devices/bench-1/31000/0/8"],
    ["the events", "/#/events"], ["the models", "/#/models"], ["a model", "/#/models/3/1.1"], ["the server", "/#/server"],
  ];
  for (const [name, path] of pages) {
    test(`on ${name}`, async ({ page }) => {
      await page.goto(path);
      await expect(page.locator(".badge.stream")).toHaveText("Live");
      await page.waitForTimeout(800);
      for (const [theme, width, height] of [["light", 1440, 900], ["dark", 1440, 900], ["light", 360, 740]] as const) {
        await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
        await page.setViewportSize({ width, height });
        await page.waitForTimeout(200);
        await expectAccessible(page, `${name}, ${theme}, ${width} wide`);
      }
    });
  }

  test("while something is observed, created, and asked", async ({ page }) => {
    await page.emulateMedia({ reducedMotion: "reduce" });
    await openDevice(page, "greenhouse-7", "/3303/0");
    await inspector(page).getByRole("button", { name: "Observe", exact: true }).click();
    await expect(inspector(page).locator(".outcome")).toContainText("2.05");
    await page.locator(".tree summary").click();
    await expectAccessible(page, "observing, with the menu");
    await page.locator(".tree summary").click();
    await inspector(page).getByRole("button", { name: "Delete" }).click();
    await expectAccessible(page, "the question");
    await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
    await inspector(page).getByRole("button", { name: "Stop observing" }).click();
    await openDevice(page, "bench-1", "/31000");
    await inspector(page).getByRole("button", { name: "Create…" }).click();
    await expectAccessible(page, "creating");
  });
});
