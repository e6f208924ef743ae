/* SPDX-License-Identifier: Apache-2.0 */
/* Renews docs/console.png: starts a dunlind with a few devices, observes some values for a while and
 * takes the picture. Programs: DUNLIN_BIN_DIR, else build/bin, else build/dev/bin. */
import { chromium } from "@playwright/test";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const bin = [process.env.DUNLIN_BIN_DIR, join(root, "build/bin"), join(root, "build/dev/bin")]
  .find((dir) => dir && existsSync(join(dir, "dunlind")));
if (!bin) throw new Error("build dunlind first: ./dev build");
const out = process.argv[2] ?? join(root, "docs/console.png");
const seconds = Number(process.argv[3] ?? 120);
const dir = mkdtempSync(join(tmpdir(), "dunlin-shot-"));
const running = [];
const run = (name, ...args) => running.push(spawn(join(bin, name), args, { stdio: ["pipe", "ignore", "ignore"] }));
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

try {
  const ready = join(dir, "ready.json");
  const config = join(dir, "dunlind.yaml");
  writeFileSync(config, "queue:\n  awake-ms: 20000\n");
  run("dunlind", "--config", config, "--data", join(dir, "data"), "--coap", "127.0.0.1:0", "--http", "127.0.0.1:0", "--ready-file", ready);
  for (let i = 0; i < 200 && !existsSync(ready); i++) await sleep(50);
  const { coap, http } = JSON.parse(readFileSync(ready, "utf8"));
  for (const name of ["greenhouse-7", "cellar-door", "weather-mast", "boiler-room-2", "cold-store-11", "urn:imei:350490000000017",
    "urn:imei:350490000007936", "street-light-0412", "pump-station-3"]) {
    const sleeps = name.startsWith("urn:imei:") ? ["--queue", "--awake", "20"] : [];
    run("dunlin", "client", "-e", name, "-u", `coap://${coap}`, "--lifetime", "300", "--period", "1", ...sleeps);
  }
  await sleep(2000);
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync"],
  });
  const page = await browser.newPage({ viewport: { width: 1600, height: 1000 }, colorScheme: "light" });
  await page.goto(`http://${http}/#/devices/greenhouse-7`);
  for (const path of ["/3303/0", "/3311/0"]) {
    const row = page.locator(`.tree [data-path="${path}"]`);
    if (await row.waitFor({ timeout: 5000 }).then(() => true, () => false)) await row.getByRole("button", { name: /^Observe/ }).click();
  }
  await sleep(seconds * 1000);
  await page.locator('.tree [data-path="/3303"]').evaluate((element) => element.scrollIntoView({ block: "start" }));
  await page.locator(".tree .grid").evaluate((element) => element.scrollBy(0, -220));
  await page.mouse.move(700, 60);
  await sleep(300);
  await page.screenshot({ path: out });
  await browser.close();
} finally {
  for (const child of running) child.kill();
  await sleep(500);
  rmSync(dir, { recursive: true, force: true });
}
