/* SPDX-License-Identifier: Apache-2.0 */
import { expect, expectAccessible, expectFits, inList, test } from "./test";

test.describe("the credentials", () => {
  test("let a device in with a key that was made here, and are gone when removed", async ({ page, rig }) => {
    await page.goto("/#/credentials");
    await expect(page.getByText("No device has a credential yet")).toBeVisible();
    await page.getByRole("link", { name: "New credential" }).click();
    await page.getByRole("textbox", { name: "Endpoint name" }).fill("vault-1");
    await page.getByRole("button", { name: "Generate a key" }).click();
    await page.getByRole("button", { name: "Store" }).click();
    const once = page.getByRole("region", { name: /shown this once/ });
    await expect(once).toContainText("dunlin client -e vault-1 -u coaps://");
    await expect(page.getByRole("textbox", { name: "Key (hexadecimal)" })).toHaveValue("");
    await expectAccessible(page, "a credential that was just stored");
    await expectFits(page);

    const [, ...command] = (await once.locator("code").innerText()).split(" "); // without the program's name
    await rig.deviceWith("vault-1", command);
    await page.goto("/#/devices/vault-1");
    await expect(page.locator(".device-head")).toContainText("pre-shared key, DTLS");

    await page.goto("/#/credentials/vault-1");
    await expect(page.getByText("identity vault-1, key of 128 bits")).toBeVisible();
    await expect(page.locator("body")).not.toContainText(/hex:[0-9a-f]{32}/);
    await page.getByRole("button", { name: "Remove" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
    await expect(page.getByText("No device has a credential yet")).toBeVisible();
    await rig.stopDevice("vault-1");
  });

  test("say which field is wrong before anything is sent", async ({ page }) => {
    await page.goto("/#/credentials/%2B");
    await page.getByRole("textbox", { name: "Endpoint name" }).fill("pump-*");
    await page.getByRole("textbox", { name: "Key (hexadecimal)" }).fill("no key");
    await page.getByRole("button", { name: "Store" }).click();
    await expect(page.getByRole("textbox", { name: "Identity" })).toBeFocused();
    await expect(page.getByText("A pattern has no name of its own")).toBeVisible();
    await page.getByRole("textbox", { name: "Identity" }).fill("shared");
    await page.getByRole("button", { name: "Store" }).click();
    await expect(page.getByText("The key is pairs of hexadecimal digits.")).toBeVisible();
  });

  test.describe("that the server does not take", () => {
    test.use({ allowed: /400/ });
    test("show its reason", async ({ page }) => {
      await page.goto("/#/credentials/%2B");
      await page.getByRole("textbox", { name: "Endpoint name" }).fill("raw-1");
      await page.getByRole("radio", { name: "Raw public key" }).check();
      await page.getByRole("textbox", { name: "The device’s public key" }).fill("this is no key");
      await page.getByRole("button", { name: "Store" }).click();
      await expect(page.getByRole("alert")).toBeVisible();
    });
  });

  test("are reached from every page", async ({ page }) => {
    await page.goto("/");
    await expect(inList(page, /greenhouse-7/)).toBeVisible();
    await page.getByRole("link", { name: "Credentials" }).click();
    await expect(page.getByRole("heading", { level: 1, name: "Credentials" })).toBeVisible();
    await expectAccessible(page, "the credentials");
  });
});
