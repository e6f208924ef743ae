/* SPDX-License-Identifier: Apache-2.0 */
import { expect, inspector, openDevice, row, test } from "./test";

test.describe("a device", () => {
  test("shows its objects by name with their values", async ({ page }) => {
    await openDevice(page, "greenhouse-7");
    await expect(row(page, "/3")).toContainText("Device");
    await expect(row(page, "/3/0/0")).toContainText("Manufacturer");
    await expect(row(page, "/3303/0/5700")).toContainText("Sensor Value");
    await expect(row(page, "/3303/0/5700").locator(".value")).toHaveText(/^-?\d+(\.\d+)? °C$/);
  });

  test("is read at every level", async ({ page }) => {
    await openDevice(page, "greenhouse-7");
    for (const path of ["/3303", "/3303/0", "/3303/0/5700"]) {
      await row(page, path).click();
      await inspector(page).getByRole("button", { name: "Read", exact: true }).click();
      await expect(inspector(page).locator(".outcome")).toContainText(`2.05 Read ${path}`);
    }
  });

  test("is written, and reads back what it took", async ({ page }) => {
    await openDevice(page, "greenhouse-7", "/3/0/14");
    await expect(inspector(page).locator(".big")).toBeVisible();
    const field = inspector(page).getByRole("textbox", { name: "UTC Offset" });
    await field.fill("+05:45");
    await inspector(page).getByRole("button", { name: "Write", exact: true }).click();
    await expect(inspector(page).locator(".outcome")).toContainText("2.04 Written /3/0/14");
    await expect(row(page, "/3/0/14").locator(".value")).toHaveText("+05:45");
  });

  test("executes", async ({ page }) => {
    await openDevice(page, "greenhouse-7", "/3303/0/5605");
    await inspector(page).getByRole("button", { name: "Execute", exact: true }).click();
    await expect(inspector(page).locator(".outcome")).toContainText("2.04 Executed /3303/0/5605");
  });

  test("discovers attributes and presence", async ({ page }) => {
    await openDevice(page, "greenhouse-7", "/3303/0");
    await inspector(page).getByRole("button", { name: "Discover" }).click();
    await expect(inspector(page).locator(".outcome")).toContainText("2.05 Discovered /3303/0");
  });

  test("moves a chart while it is observed", async ({ page }) => {
    await openDevice(page, "greenhouse-7", "/3303/0/5700");
    await inspector(page).getByRole("button", { name: "Observe", exact: true }).click();
    const chart = inspector(page).locator('.chart[data-path="/3303/0/5700"]');
    await expect(chart.locator("canvas")).toBeVisible();
    await expect(row(page, "/3303/0/5700").locator(".watch")).toBeVisible();
    await expect.poll(async () => Number(await chart.getAttribute("data-points")), { timeout: 120_000 }).toBeGreaterThan(2);
    const before = await chart.locator(".plot").screenshot();
    const points = Number(await chart.getAttribute("data-points"));
    await expect.poll(async () => Number(await chart.getAttribute("data-points")), { timeout: 120_000 }).toBeGreaterThan(points);
    await expect.poll(async () => before.equals(await chart.locator(".plot").screenshot())).toBe(false);
    await inspector(page).getByRole("button", { name: "Stop observing" }).click();
    await expect(inspector(page).locator(".outcome")).toContainText("No longer observed");
    await expect(row(page, "/3303/0/5700").locator(".watch")).toBeHidden();
  });

  test("is observed as an instance, and shows it on the live panel", async ({ page }) => {
    await openDevice(page, "greenhouse-7");
    await row(page, "/3303/0").getByRole("button", { name: /^Observe/ }).click();
    const live = page.getByRole("region", { name: "Live" });
    await expect(live.getByRole("list", { name: "Observations" })).toContainText("/3303/0");
    await expect(row(page, "/3303/0/5700").locator(".watch")).toBeVisible();
    await expect(live.locator(".chart").first()).toBeVisible({ timeout: 120_000 });
    await live.getByRole("button", { name: "Stop observing /3303/0" }).click();
    await expect(live.getByText("Nothing is observed")).toBeVisible();
  });
});

test.describe("a device", () => {
  // A request that is on its way when the device leaves is answered so.
  test.use({ allowed: /40[49]/ });
  test("that goes away is marked, and comes back", async ({ page, rig }) => {
    await rig.device("ferry");
    await openDevice(page, "ferry");
    await expect(row(page, "/3")).toBeVisible();
    await rig.stopDevice("ferry");
    await expect(page.getByText("This device is not registered any more.")).toBeVisible();
    await expect(row(page, "/3").getByRole("button", { name: /^Read/ })).toBeDisabled();
    await rig.device("ferry");
    await expect(page.getByText("This device is not registered any more.")).toBeHidden();
    await expect(row(page, "/3").getByRole("button", { name: /^Read/ })).toBeEnabled();
    await rig.stopDevice("ferry");
  });
});

test.describe("an error of the device", () => {
  test.use({ allowed: /40[045]/ });
  test("is shown with its CoAP code", async ({ page }) => {
    await openDevice(page, "greenhouse-7", "/3/0/4711");
    await page.getByRole("button", { name: "Read /3/0/4711" }).click();
    const alert = page.getByRole("alert");
    await expect(alert).toBeVisible();
    await expect(alert.locator(".code")).toHaveText("4.04");
  });
});

test.describe("every type", () => {
  const write = async (page: Parameters<typeof openDevice>[0], path: string, fill: () => Promise<void>): Promise<void> => {
    await openDevice(page, "bench-1", path);
    await expect(row(page, path).locator(".value").first()).toBeVisible();
    await fill();
    await inspector(page).getByRole("button", { name: "Write", exact: true }).click();
    await expect(inspector(page).locator(".outcome")).toContainText(`2.04 Written ${path}`);
  };
  const value = (page: Parameters<typeof openDevice>[0], path: string) => row(page, path).locator(".value");

  test("64-bit integers stay exact", async ({ page }) => {
    for (const [path, name, number] of [["/31000/0/1", "Signed", "-9223372036854775808"], ["/31000/0/1", "Signed", "9007199254740993"], ["/31000/0/2", "Unsigned", "18446744073709551615"]] as const) {
      await write(page, path, () => inspector(page).getByRole("textbox", { name, exact: true }).fill(number));
      await expect(value(page, path)).toHaveText(number);
    }
  });

  test("what does not fit is refused before it is sent", async ({ page }) => {
    await openDevice(page, "bench-1", "/31000/0/1");
    await inspector(page).getByRole("textbox", { name: "Signed" }).fill("9223372036854775808");
    await inspector(page).getByRole("button", { name: "Write", exact: true }).click();
    await expect(inspector(page).getByRole("alert")).toContainText("between -9223372036854775808 and 9223372036854775807");
  });

  test("float, with a warning outside the model's range", async ({ page }) => {
    await write(page, "/31000/0/3", async () => {
      await inspector(page).getByRole("textbox", { name: "Ratio" }).fill("1.25");
      await expect(inspector(page).getByText("The model gives the range 0..1")).toBeVisible();
      await inspector(page).getByRole("textbox", { name: "Ratio" }).fill("0.125");
      await expect(inspector(page).getByText("The model gives the range 0..1")).toBeHidden();
    });
    await expect(value(page, "/31000/0/3")).toHaveText("0.125");
  });

  test("boolean by a switch", async ({ page }) => {
    await openDevice(page, "bench-1", "/31000/0/4");
    const before = await value(page, "/31000/0/4").innerText();
    await write(page, "/31000/0/4", () => inspector(page).getByRole("switch", { name: "Switch" }).press("Space"));
    await expect(value(page, "/31000/0/4")).toHaveText(before === "true" ? "false" : "true");
  });

  test("opaque as hex, base64 and from a file", async ({ page }) => {
    await write(page, "/31000/0/5", async () => {
      await inspector(page).getByRole("radio", { name: "Hex" }).check();
      await inspector(page).getByRole("textbox", { name: "Blob" }).fill("00 ff 10 20");
      await inspector(page).getByRole("radio", { name: "Base64" }).check();
      await expect(inspector(page).getByRole("textbox", { name: "Blob" })).toHaveValue("AP8QIA==");
    });
    await expect(value(page, "/31000/0/5")).toHaveText("00 ff 10 20 4 B");
    await write(page, "/31000/0/5", () =>
      inspector(page).getByLabel("File for Blob").setInputFiles({ name: "x.bin", mimeType: "application/octet-stream", buffer: Buffer.from([1, 2, 3]) }));
    await expect(value(page, "/31000/0/5")).toHaveText("01 02 03 3 B");
  });

  test("time by a picker", async ({ page }) => {
    await write(page, "/31000/0/6", () => inspector(page).getByLabel("Moment").fill("2031-05-06T07:08:09"));
    await expect(value(page, "/31000/0/6")).toHaveText("2031-05-06 07:08:09");
  });

  test("object link", async ({ page }) => {
    await write(page, "/31000/0/7", () => inspector(page).getByRole("combobox", { name: "Target" }).fill("3303:0"));
    await value(page, "/31000/0/7").click();
    await expect(page).toHaveURL(/#\/devices\/bench-1\/3303\/0$/);
  });

  test("several instances of a resource", async ({ page }) => {
    await openDevice(page, "bench-1", "/31000/0/8");
    const items = inspector(page).getByRole("button", { name: /^Remove value/ });
    // What the device has would come between else.
    await expect(row(page, "/31000/0/1").locator(".value")).toBeVisible();
    await expect(inspector(page).getByRole("button", { name: "Add value" })).toBeVisible();
    while (await items.count() > 0) await items.first().click();
    for (const [index, number] of ["7", "9223372036854775807"].entries()) {
      await inspector(page).getByRole("button", { name: "Add value" }).click();
      await inspector(page).getByRole("textbox", { name: `List: value ${index}`, exact: true }).fill(number);
    }
    await inspector(page).getByRole("button", { name: "Write", exact: true }).click();
    await expect(inspector(page).locator(".outcome")).toContainText("2.04 Written /31000/0/8");
    await page.keyboard.press("Escape");
    await row(page, "/31000/0/8").press("ArrowRight");
    await expect(value(page, "/31000/0/8/1")).toHaveText("9223372036854775807");
    await expect(value(page, "/31000/0/8/0")).toHaveText("7");
  });

  test("the form of an instance may be opened before its model has come", async ({ page }) => {
    let release = (): void => undefined;
    const released = new Promise<void>((done) => { release = done; });
    await page.route(/\/api\/v1\/models\/31000/, async (route) => {
      await released;
      await route.continue();
    });
    await openDevice(page, "bench-1", "/31000");
    await inspector(page).getByRole("button", { name: "Create…" }).click();
    const form = inspector(page).getByRole("form", { name: "Create /31000" });
    await form.getByLabel("Instance id (empty: the device chooses)").fill("9");
    await expect(form.getByRole("checkbox")).toHaveCount(0);
    release();
    await expect(form.getByRole("textbox", { name: "Label" })).toBeVisible();
    await expect(form.getByLabel("Instance id (empty: the device chooses)")).toHaveValue("9");
  });

  test("an instance is created, written and deleted", async ({ page }) => {
    await openDevice(page, "bench-1", "/31000");
    await inspector(page).getByRole("button", { name: "Create…" }).click();
    const form = inspector(page).getByRole("form", { name: "Create /31000" });
    await form.getByLabel("Instance id (empty: the device chooses)").fill("7");
    await form.getByRole("textbox", { name: "Label" }).fill("made here");
    await form.getByRole("textbox", { name: "Signed", exact: true }).fill("-1");
    await form.getByRole("textbox", { name: "Unsigned" }).fill("18446744073709551615");
    await form.getByRole("textbox", { name: "Ratio" }).fill("0.5");
    await form.getByRole("button", { name: "Now" }).click();
    await form.getByRole("combobox", { name: "Target" }).fill("3:0");
    await form.getByRole("button", { name: "Create instance" }).click();
    await expect(inspector(page).locator(".outcome")).toContainText("2.01 Created /31000");
    await expect(value(page, "/31000/7/0")).toHaveText("made here");
    await expect(value(page, "/31000/7/2")).toHaveText("18446744073709551615");

    await row(page, "/31000/7").click();
    await inspector(page).getByRole("button", { name: "Write…" }).click();
    const change = inspector(page).getByRole("form", { name: "Write /31000/7" });
    await change.getByRole("textbox", { name: "Label" }).fill("changed here");
    await change.getByRole("button", { name: "Write", exact: true }).click();
    await expect(inspector(page).locator(".outcome")).toContainText("2.04 Written /31000/7");
    await expect(value(page, "/31000/7/0")).toHaveText("changed here");

    await inspector(page).getByRole("button", { name: "Delete" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
    await expect(row(page, "/31000/7")).toBeVisible();
    await inspector(page).getByRole("button", { name: "Delete" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await expect(row(page, "/31000/7")).toBeHidden();
  });
});
