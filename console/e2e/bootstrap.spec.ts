/* SPDX-License-Identifier: Apache-2.0 */
import { expect, expectAccessible, expectFits, test } from "./test";

test.describe("the bootstrap server", () => {
  test.describe("from its configuration to the device", () => {
    // While a device bootstraps again it is not registered, and its page asks for it all the same.
    test.use({ allowed: /404/ });
    test("is told what a device gets, lets it in, and shows each step as it is done", async ({ page, rig }) => {
      await page.goto("/");
      await page.getByRole("link", { name: "Bootstrap" }).click();
      await expect(page.getByText("Nothing is said yet of what devices are given")).toBeVisible();
      await expectAccessible(page, "no configurations");
      await page.getByRole("link", { name: "New configuration" }).click();
      await page.getByRole("textbox", { name: "Endpoint name" }).fill("cellar-*");
      await page.getByRole("textbox", { name: "Lifetime (seconds)" }).fill("600");
      await page.getByRole("button", { name: "Store" }).click();
      await expect(page.getByRole("heading", { level: 2, name: "cellar-*" })).toBeVisible();
      await expect(page.getByText("version 1, changed")).toBeVisible();
      await expectAccessible(page, "a configuration");
      await expectFits(page);

      // A second version, and what is another in it.
      await page.getByRole("textbox", { name: "Lifetime (seconds)" }).fill("900");
      await page.getByRole("button", { name: "Store a new version" }).click();
      await expect(page.getByText("Version 2 is stored")).toBeVisible();
      await page.getByRole("button", { name: "Compare version 1" }).click();
      await expect(page.getByRole("row", { name: "servers[0].lifetime 600 900" })).toBeVisible();

      // The device's credential towards the bootstrap server.
      await page.getByRole("navigation", { name: "Parts of the bootstrap server" }).getByRole("link", { name: "Credentials" }).click();
      await page.getByRole("link", { name: "New credential" }).click();
      await page.getByRole("textbox", { name: "Endpoint name" }).fill("cellar-1");
      await page.getByRole("button", { name: "Generate a key" }).click();
      await page.getByRole("button", { name: "Store" }).click();
      const once = page.getByRole("region", { name: /shown this once/ });
      await expect(once).toContainText("dunlin client -e cellar-1 --bootstrap coaps://");
      const [, ...command] = (await once.locator("code").innerText()).split(" ");

      await page.getByRole("link", { name: "Bootstraps" }).click();
      await expect(page.getByText("No device has been bootstrapped yet")).toBeVisible();
      await rig.deviceWith("cellar-1", [...command, "--stay"]);
      const steps = page.getByRole("list", { name: /Steps of bootstrap/ });
      await expect(steps.getByText("finish")).toBeVisible();
      await expect(steps.getByRole("listitem").first()).toContainText("discover");
      await expect(page.locator(".run summary")).toContainText("finished");
      await expectAccessible(page, "the steps of a bootstrap");
      await expectFits(page);
      // The device keeps the way: the bootstrap server can speak first.
      await page.getByRole("button", { name: "Bootstrap again" }).click();
      await expect(page.locator(".run")).toHaveCount(2);
      await expect(page.locator(".run").first()).toContainText("the bootstrap server");
      await expect(page.locator(".run summary").first()).toContainText("finished");
      await expect(page.getByRole("button", { name: "Bootstrap again" })).toBeEnabled();

      await page.goto("/#/devices/cellar-1");
      await expect(page.locator(".device-head")).toContainText("900 s");
      await page.getByRole("button", { name: "Bootstrap again" }).click();
      await expect(page.getByText("Told to bootstrap by")).toBeVisible();
      await page.goto("/#/bootstrap/runs");
      await expect(page.locator(".run")).toHaveCount(3);
      await expect(page.locator(".run summary").first()).toContainText("finished");
      await rig.stopDevice("cellar-1");
      await expect(page.getByText("The device has given up its way to the bootstrap server.")).toBeVisible();
      await expect(page.getByRole("button", { name: "Bootstrap again" })).toBeDisabled();
      // The key that was made for it lets it in at the LwM2M server; other tests begin without any.
      expect((await fetch(`${rig.url}/api/v1/credentials/cellar-1`, { method: "DELETE" })).status).toBe(204);

      await page.goto("/#/bootstrap/configs/cellar-*");
      await page.getByRole("button", { name: "Remove", exact: true }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
      await expect(page.getByText("Nothing is said yet of what devices are given")).toBeVisible();
    });
  });

  test("gets no account that would not work", async ({ page }) => {
    await page.goto("/#/bootstrap/configs/%2B");
    await page.getByRole("textbox", { name: "Endpoint name" }).fill("two");
    await page.getByRole("button", { name: "Add a server" }).click();
    const second = page.getByRole("group", { name: "Server 2" });
    await expect(second.getByRole("textbox", { name: "Short Server ID" })).toHaveValue("2");
    await expect(second.getByRole("checkbox", { name: "Make a key for each device" })).toHaveCount(0);
    await expect(page.getByRole("group", { name: "Access 1" })).toBeVisible();
    await second.getByRole("textbox", { name: "URI" }).fill("coap://other.example");
    await page.getByRole("button", { name: "Store" }).click();
    await expect(second.getByRole("textbox", { name: "URI" })).toBeFocused();
    await expect(page.getByText("With security the scheme is coaps or coaps+tcp.")).toBeVisible();
    await second.getByRole("radio", { name: "None" }).check();
    await expect(second.getByRole("textbox", { name: "Identity" })).toHaveCount(0);
    await expectAccessible(page, "a form with two servers");
    await expectFits(page);
  });

  test.describe("with what the server alone can tell", () => {
    test.use({ allowed: /400/ });
    test("shows where it is wrong", async ({ page }) => {
      await page.goto("/#/bootstrap/configs/%2B");
      await page.getByRole("textbox", { name: "Endpoint name" }).fill("raw");
      await page.getByRole("radio", { name: "Raw public key" }).check();
      await page.getByRole("textbox", { name: "The device’s private key" }).fill("this is no key");
      await page.getByRole("button", { name: "Store" }).click();
      await expect(page.getByRole("alert")).toBeVisible();
      await expect(page.getByRole("textbox", { name: "The device’s private key" })).toBeFocused();
    });
  });
});
