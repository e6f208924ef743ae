/* SPDX-License-Identifier: Apache-2.0 */
/* A dunlind of its own on free ports with devices, started and stopped by the tests. The programs
 * come from DUNLIN_BIN_DIR (or DUNLIN_BIN), else from the build directories of the source tree. */
import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const START_MS = 120_000;
const STOP_MS = 60_000;
/** How long a device in queue mode listens after its last message. */
export const AWAKE_S = 2;
const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

function binDir(): string {
  const named = process.env["DUNLIN_BIN_DIR"] ?? process.env["DUNLIN_BIN"];
  const found = (named ? [named] : [join(ROOT, "build/dev/bin"), join(ROOT, "build/bin")]).find((dir) => existsSync(join(dir, "dunlind")));
  if (!found) throw new Error(`no dunlind in ${named ?? "build/dev/bin or build/bin"}: build it first (./dev build), or set DUNLIN_BIN_DIR`);
  return resolve(found);
}

async function until<T>(what: string, probe: () => T | undefined | Promise<T | undefined>): Promise<T> {
  const end = Date.now() + START_MS;
  for (;;) {
    const value = await probe();
    if (value !== undefined) return value;
    if (Date.now() > end) throw new Error(`waited in vain for ${what}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}

/** One that the kernel gives to nobody who asks for any, so that a server which is started again has it again. */
async function lastingPort(): Promise<number> {
  for (;;) {
    const port = 12_000 + Math.floor(Math.random() * 20_000);
    const free = await new Promise<boolean>((done) => {
      const probe = createServer().once("error", () => done(false)).listen(port, "127.0.0.1", () => probe.close(() => done(true)));
    });
    if (free) return port;
  }
}

class Program {
  private readonly process: ChildProcess;
  private readonly ended: Promise<void>;

  constructor(private readonly name: string, args: string[], private readonly log: string) {
    const out = openSync(log, "a");
    // Standard input stays open: a device's console takes its end as a wish to stop.
    this.process = spawn(join(binDir(), name), args, { stdio: ["pipe", out, out] });
    closeSync(out);
    this.ended = new Promise((done) => this.process.once("exit", () => done()));
  }

  check(): void {
    if (this.process.exitCode !== null) throw new Error(`${this.name} ended with ${this.process.exitCode}:\n${readFileSync(this.log, "utf8").slice(-3000)}`);
  }

  /** A line for its console. */
  tell(line: string): void {
    this.process.stdin?.write(`${line}\n`);
  }

  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    this.process.kill(signal);
    const timer = setTimeout(() => this.process.kill("SIGKILL"), STOP_MS);
    await this.ended;
    clearTimeout(timer);
  }
}

export class Rig {
  readonly dir = mkdtempSync(join(tmpdir(), "dunlin-console-"));
  private server: Program | undefined;
  private coap = "127.0.0.1:0";
  private coaps = "127.0.0.1:0";
  private bootstrap = "127.0.0.1:0";
  private http = "127.0.0.1:0";
  private readonly devices = new Map<string, Program>();

  get url(): string {
    return `http://${this.http}`;
  }

  /** Starts dunlind; the second time on the same data and the same addresses. */
  async start(): Promise<void> {
    const ready = join(this.dir, "ready.json");
    const config = join(this.dir, "dunlind.yaml");
    rmSync(ready, { force: true });
    if (this.server === undefined) {
      this.coap = `127.0.0.1:${await lastingPort()}`;
      this.http = `127.0.0.1:${await lastingPort()}`;
    }
    writeFileSync(config, `queue:\n  awake-ms: ${AWAKE_S * 1000}\n`);
    const server = new Program("dunlind", ["--config", config, "--data", join(this.dir, "data"), "--coap", this.coap, "--coaps", this.coaps,
      "--bootstrap-coaps", this.bootstrap, "--http", this.http, "--ready-file", ready],
      join(this.dir, "dunlind.log"));
    this.server = server;
    const addresses = await until("dunlind", () => {
      server.check();
      try {
        return JSON.parse(readFileSync(ready, "utf8")) as { coap: string; coaps: string; "bootstrap-coaps": string; http: string };
      } catch {
        return undefined; // not there yet, or half written
      }
    });
    this.coap = addresses.coap;
    this.coaps = addresses.coaps;
    this.bootstrap = addresses["bootstrap-coaps"];
    this.http = addresses.http;
  }

  async stopServer(signal?: NodeJS.Signals): Promise<void> {
    await this.server?.stop(signal);
  }

  /** Gives the server an object definition. */
  async model(file: string): Promise<void> {
    const answer = await fetch(`${this.url}/api/v1/models`, { method: "POST", headers: { "Content-Type": "application/xml" }, body: readFileSync(file) });
    if (!answer.ok) throw new Error(`${file}: ${answer.status} ${await answer.text()}`);
  }

  /** Runs a device and waits until it is registered. */
  async device(name: string, ...args: string[]): Promise<void> {
    await this.deviceWith(name, ["client", "-e", name, "-u", `coap://${this.coap}`, "--period", "1", ...args]);
  }

  /** The same with a whole command of the tool. */
  async deviceWith(name: string, command: readonly string[]): Promise<void> {
    const device = new Program("dunlin", [...command], join(this.dir, `${name}.log`));
    this.devices.set(name, device);
    await until(`the registration of ${name}`, async () => {
      device.check();
      return (await fetch(`${this.url}/api/v1/clients/${encodeURIComponent(name)}`)).ok ? true : undefined;
    });
  }

  tell(name: string, line: string): void {
    this.devices.get(name)?.tell(line);
  }

  async stopDevice(name: string): Promise<void> {
    await this.devices.get(name)?.stop();
    this.devices.delete(name);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.devices.values()].map((device) => device.stop()));
    await this.server?.stop();
    if (process.env["DUNLIN_KEEP"] === undefined) rmSync(this.dir, { recursive: true, force: true });
  }
}
