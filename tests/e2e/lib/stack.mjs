// SPDX-License-Identifier: MIT
// stack.mjs - a whole Parlor of its own for one test file, started by deploy/up on a free port.
//
// Next: client.mjs, what talks to it.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { makeCertificates } from "./certificates.mjs";
import { LastWords } from "./last_words.mjs";
import { PATIENCE_MS, until, within } from "./wait.mjs";

export const REPO = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../../..");
export const BUILD = path.resolve(process.env.PARLOR_BUILD ?? path.join(REPO, "build/debug"));
// All tests may be run through TLS.
const IS_TLS = process.env.PARLOR_E2E_TLS === "1";
export const bin = (name) => path.join(BUILD, "bin", name);

// What the services must never write into their logs.
export const FAULTS = /(ERROR|WARNING): \w+Sanitizer|runtime error:|LeakSanitizer|\bfailed=/;

export const tempDir = () => mkdtempSync(path.join(tmpdir(), "parlor-e2e-"));

export function freePort() {
  return new Promise((resolve, reject) => {
    const server = net.createServer().on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** The first of `count` ports on end that are free, below those that the system gives to outgoing connections. */
export async function freePorts(count) {
  const isFree = (port) => new Promise((resolve) => {
    const server = net.createServer().on("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
  for (;;) {
    const first = 10_000 + Math.floor(Math.random() * 20_000);
    const ports = Array.from({ length: count }, (_, n) => first + n);
    if ((await Promise.all(ports.map(isFree))).every(Boolean)) return first;
  }
}

/** The environment of the services: no settings of ours leak in, and a small disk is enough. */
export function serviceEnv(more = {}) {
  const env = {
    ...process.env,
    PARLOR_MIN_FREE: "1048576",
    LSAN_OPTIONS: `suppressions=${path.join(REPO, "tests", "lsan.supp")}:print_suppressions=0`,
    ...more,
  };
  delete env.PARLOR_BUILD;
  delete env.PARLOR_E2E_TLS;
  delete env.NODE_OPTIONS;
  return env;
}

export class Stack {
  #up;
  counts = {}; // service → how many
  #output = "";
  #exit;
  #words = new LastWords(() => ({
    "deploy/up": this.#output,
    ...Object.fromEntries(this.services.map((name) => [`${name} in ${this.data}`, this.log(name)])),
  }));

  /**
   * @param options  { gateways, roomds, historyds, gatewayOptions: ["--rate", "0"], env, data, port, tls }; `tls`: the
   * gateways end TLS, with a certificate of a CA made for it
   */
  static async start(options = {}) {
    const stack = new Stack();
    await stack.#start(options);
    return stack;
  }

  async #start({ gateways = 1, roomds = 1, historyds = 1, gatewayOptions = [], upOptions = [], env = {}, data, port, tls = IS_TLS }) {
    this.data = data ?? tempDir();
    this.port = port ?? (await freePort());
    this.url = `${tls ? "https" : "http"}://127.0.0.1:${this.port}`;
    if (tls) {
      this.certificates = await makeCertificates();
      gatewayOptions = ["--tls-cert", this.certificates.cert, "--tls-key", this.certificates.key, ...gatewayOptions];
    }
    this.counts = { gateway: gateways, roomd: roomds, historyd: historyds };
    const metricsPort = await freePorts(historyds + roomds + gateways);
    const inOrder = ["historyd", "roomd", "gateway"].flatMap((service) => this.services.filter((name) => name.startsWith(service)));
    this.metricsAt = Object.fromEntries(inOrder.map((name, n) => [name, `http://127.0.0.1:${metricsPort + n}`]));
    const args = [
      "--no-install", "--no-build", "--preset", path.basename(BUILD),
      "--port", this.port, "--metrics-port", metricsPort, "--data", this.data,
      "--gateways", gateways, "--roomds", roomds, "--historyds", historyds, ...upOptions,
      "--", ...gatewayOptions,
    ];
    // Whatever ends this process, deploy/up gets a TERM and stops everything.
    this.#up = spawn("setpriv", ["--pdeathsig", "TERM", "--", path.join(REPO, "deploy/up"), ...args.map(String)], {
      env: serviceEnv(env), stdio: ["ignore", "pipe", "pipe"],
    });
    this.#exit = new Promise((resolve) => this.#up.on("close", (code, signal) => resolve(code ?? signal)));
    for (const stream of [this.#up.stdout, this.#up.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => { this.#output += text; });
    }
    let ended;
    this.#exit.then((status) => { ended = status; });
    await until("deploy/up is ready", () => {
      if (ended !== undefined) return true;
      return this.#output.includes("Parlor is ready: ");
    }, 60_000);
    if (ended !== undefined) throw new Error(`deploy/up ended with ${ended}`);
  }

  get output() { return this.#output; }

  /** Whom its clients trust, where it speaks TLS. */
  get ca() { return this.certificates?.ca; }

  /** "historyd-0" and so on. */
  get services() {
    return Object.entries(this.counts).flatMap(([service, count]) =>
      Array.from({ length: count }, (_, n) => `${service}-${n}`));
  }

  pid(name) {
    return Number(readFileSync(path.join(this.data, "run", `${name}.pid`), "utf8"));
  }

  /** The address of a service on the bus. */
  address(name) {
    const bus = readFileSync(path.join(this.data, "run/bus.path"), "utf8").trim();
    return `ipc://${bus}/${name}`;
  }

  get bus() {
    return readFileSync(path.join(this.data, "run/bus.path"), "utf8").trim();
  }

  log(name) {
    const file = path.join(this.data, "log", `${name}.log`);
    return existsSync(file) ? readFileSync(file, "utf8") : "";
  }

  logs() {
    const dir = path.join(this.data, "log");
    const names = existsSync(dir) ? readdirSync(dir).filter((file) => file.endsWith(".log")) : [];
    return names.map((file) => `--- ${file}\n${readFileSync(path.join(dir, file), "utf8")}`).join("");
  }

  /** Signals a service; deploy/up starts it again. Returns when another process has its place. */
  async restart(name, signal = "SIGKILL") {
    const old = this.pid(name);
    process.kill(old, signal);
    await until(`${name} runs again`, () => this.pid(name) !== old);
  }

  /** Every gateway says that all is in reach. */
  async ready() {
    const seen = new Set();
    let says;
    await until("all gateways are ready", async () => {
      const { status, headers, body } = await this.get("/readyz");
      says = body;
      if (status === 200) seen.add(headers["x-parlor-gateway"]);
      else seen.clear();
      return seen.size >= this.counts.gateway;
    }, 30_000).catch((error) => {
      throw new Error(`${error.message}; those that are: ${[...seen]}; the last one says: ${says}`, { cause: error });
    });
  }

  /** One HTTP request on a connection of its own: { status, headers, body }. */
  get(target, { method = "GET", headers = {}, url = this.url } = {}) {
    return within(new Promise((resolve, reject) => {
      const { request: begin } = url.startsWith("https") ? https : http;
      const request = begin(url, { path: target, method, headers, agent: false, ca: this.ca }, (response) => {
        const chunks = [];
        response.on("data", (chunk) => chunks.push(chunk)).on("error", reject);
        response.on("end", () => resolve({
          status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks).toString(),
        }));
      });
      request.on("error", reject).end();
    }), `${method} ${target}`);
  }

  /** The metrics of these services, of all gateways if none is named, as { name: number }; labels are part of the name. */
  async metrics(...names) {
    if (names.length === 0) names = Object.keys(this.metricsAt).filter((name) => name.startsWith("gateway-"));
    const texts = await Promise.all(names.map((name) => this.get("/metrics", { url: this.metricsAt[name] })));
    const lines = texts.flatMap(({ body }) => body.split("\n")).filter((line) => line && !line.startsWith("#"));
    return Object.fromEntries(lines.map((line) => {
      const at = line.lastIndexOf(" ");
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }));
  }

  /** Stops all in order, and looks at what they left behind. */
  async stop({ keepData = false } = {}) {
    const pids = this.services.map((name) => { try { return this.pid(name); } catch { return 0; } });
    this.#up.kill("SIGTERM");
    const status = await within(this.#exit, "deploy/up stops", 3 * PATIENCE_MS);
    const logs = this.logs();
    this.certificates?.remove();
    this.#words.keep();
    if (!keepData) rmSync(this.data, { recursive: true, force: true });
    const fault = logs.split("\n").findIndex((line) => FAULTS.test(line));
    assert.equal(fault, -1, `a service reports a fault:\n${logs.split("\n").slice(Math.max(0, fault - 3), fault + 40).join("\n")}`);
    assert.equal(status, 0, `deploy/up: ${this.#output}`);
    assert.deepEqual(pids.filter((pid) => pid && existsSync(`/proc/${pid}`)), [], "processes left behind");
  }
}
