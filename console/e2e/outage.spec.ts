/* SPDX-License-Identifier: Apache-2.0 */
/* What the page does while the server is away, and after. */
import { Rig } from "./rig";
import { expect, expectAccessible, row, test } from "./test";

test.use({ allowed: /ERR_|Failed to fetch|Failed to load/ });

test("the page says that the server is away, and mends itself", async ({ page }) => {
  const rig = new Rig();
  try {
    await rig.start();
    await rig.device("survivor");
    await page.goto(`${rig.url}/#/devices/survivor`);
    await expect(page.locator(".badge.stream")).toHaveText("Live");
    await expect(row(page, "/3303/0/5700").locator(".value")).toBeVisible();
    await rig.stopServer("SIGKILL");
    await expect(page.getByText("The server does not answer")).toBeVisible();
    await expectAccessible(page, "without a server");
    await row(page, "/3303/0/5700").getByRole("button", { name: /^Read/ }).click();
    await row(page, "/3303/0/5700").click();
    await expect(page.getByRole("alert")).toContainText("The server can’t be reached");
    await rig.start();
    await page.getByRole("button", { name: "Try now" }).click({ timeout: 5000 }).catch(() => undefined);
    await expect(page.locator(".badge.stream")).toHaveText("Live");
    await expect(page.getByText("The server does not answer")).toBeHidden();
    await page.locator(".inspector").getByRole("button", { name: "Read", exact: true }).click();
    await expect(page.locator(".inspector .outcome")).toContainText("2.05 Read");
  } finally {
    await rig.stop();
  }
});
