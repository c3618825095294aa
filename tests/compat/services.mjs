// SPDX-License-Identifier: MIT
// services.mjs - two gateways, two roomds and two historyds, each the previous release's or this one's, and swapped one by
// one as CHANGELOG.md says.
//
// Next: swaps.mjs, the orders.

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, openSync, readFileSync, rmSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import path from "node:path";
import { LastWords } from "../e2e/lib/last_words.mjs";
import { BUILD, FAULTS, freePort, serviceEnv, tempDir } from "../e2e/lib/stack.mjs";
import { PATIENCE_MS, until, within } from "../e2e/lib/wait.mjs";

export const KINDS = ["historyd", "roomd", "gateway"];
const PROBE_MS = 1_000;
const DRAIN_MS = 300; // clients of the test need no more
const BUS_PORTS = 6;
const CLUSTER = "compat"; // which data of 0.1.0 is given at its first start here

/** Whether the gateway at `url` reaches everything; otherwise what it says. */
function missing(url) {
  return new Promise((resolve) => {
    const request = http.get(`${url}/readyz`, { agent: false, timeout: PROBE_MS }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text) => { body += text; }).on("error", () => {});
      response.on("close", () => resolve(body.includes('"ready"') ? undefined : body));
    });
    request.on("timeout", () => request.destroy());
    request.on("error", (error) => resolve(error.message));
  });
}

/** The first of as many free ports in a row as an address of the bus takes. */
async function busPort() {
  const base = 20_000 + Math.floor(Math.random() * 2_000) * BUS_PORTS;
  const servers = Array.from({ length: BUS_PORTS }, (_, i) => net.createServer().listen(base + i, "127.0.0.1"));
  const isFree = await Promise.all(servers.map((server) => once(server, "listening").then(() => true, () => false)));
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return isFree.every(Boolean) ? base : busPort();
}

export class Services {
  #running = new Map(); // name → { child, ended, isOld }
  #ports = [];
  #addresses = {}; // on the bus
  #bins;
  #counts;

  /** All of the previous release; their bus on TCP, or on Unix sockets. */
  static async start({ counts, previous, isTcp = false }) {
    const services = new Services();
    services.#counts = counts;
    services.#bins = { old: previous, new: path.join(BUILD, "bin") };
    services.data = tempDir();
    for (const dir of ["log", "bus"]) mkdirSync(path.join(services.data, dir));
    for (let n = 0; n < counts.gateway; n++) services.#ports.push(await freePort());
    const names = KINDS.flatMap((kind) => services.of(kind));
    for (const name of names) {
      services.#addresses[name] = isTcp ? `tcp://127.0.0.1:${await busPort()}` : `ipc://${path.join(services.data, "bus", name)}`;
    }
    for (const name of names) services.#start(name, true);
    new LastWords(() => Object.fromEntries(names.map((name) => [name, services.log(name)])));
    await services.ready();
    return services;
  }

  of(kind) { return Array.from({ length: this.#counts[kind] }, (_, n) => `${kind}-${n}`); }
  get urls() { return this.#ports.map((port) => `http://127.0.0.1:${port}`); }
  log(name) { return readFileSync(path.join(this.data, "log", name), "utf8"); }

  #all(kind) { return this.of(kind).map((name) => this.#addresses[name]).join(","); }
  #dir(name) { return path.join(this.data, name); }

  /** This version knows some more: which cluster the data belongs to, and how many roomds there are. */
  #options(name, isOld) {
    const [kind, n] = name.split("-");
    const bind = ["--bind", this.#addresses[name]];
    const more = { historyd: ["--create", CLUSTER], roomd: ["--roomds", this.#counts.roomd], gateway: [] }[kind];
    return [...this.#commonOptions(kind, n, bind), ...(isOld ? [] : more)];
  }

  #commonOptions(kind, n, bind) {
    if (kind === "historyd") {
      return [...bind, "--shard", n, "--shards", this.#counts.historyd, "--data", this.#dir(`${kind}-${n}`)];
    }
    if (kind === "roomd") return [...bind, "--shard", n, "--historyd", this.#all("historyd")];
    return [...bind, "--id", n, "--port", this.#ports[n], "--rate", 0, "--drain-ms", DRAIN_MS,
      "--roomd", this.#all("roomd"), "--historyd", this.#all("historyd")];
  }

  #start(name, isOld) {
    const program = path.join(this.#bins[isOld ? "old" : "new"], `parlor-${name.split("-")[0]}`);
    const log = openSync(path.join(this.data, "log", name), "a");
    const child = spawn("setpriv", ["--pdeathsig", "KILL", "--", program, ...this.#options(name, isOld).map(String)],
      { env: serviceEnv(), stdio: ["ignore", log, log] });
    closeSync(log);
    const ended = new Promise((resolve) => child.on("close", (code, signal) => resolve(code ?? signal)));
    this.#running.set(name, { child, ended, isOld });
  }

  /** Another version takes this one's place. 0.1.0's data may be read by anybody, which this one refuses. */
  async swap(name, isOld) {
    await this.#stop(name);
    if (name.startsWith("historyd") && !isOld) execFileSync("chmod", ["-R", "go=", this.#dir(name)]);
    this.#start(name, isOld);
    await this.ready();
  }

  async #stop(name) {
    const { child, ended } = this.#running.get(name);
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`${name} has ended by itself with ${await ended}:\n${this.log(name).slice(-4000)}`);
    }
    child.kill("SIGTERM");
    const status = await within(ended, `${name} stops`, 2 * PATIENCE_MS);
    if (status !== 0) throw new Error(`${name} ends with ${status}:\n${this.log(name).slice(-4000)}`);
  }

  /** Every gateway reaches everything. */
  async ready() {
    let says;
    const isReady = async () => {
      for (const [name, { child }] of this.#running) {
        if (child.exitCode !== null) throw new Error(`${name} has ended: ${this.log(name).slice(-4000)}`);
      }
      says = (await Promise.all(this.urls.map(missing))).filter(Boolean);
      return says.length === 0;
    };
    await until("all gateways are ready", isReady, 2 * PATIENCE_MS).catch((error) => {
      throw new Error(`${error.message}; they say ${says}`, { cause: error });
    });
  }

  /** Stops all; throws when one ends badly, or a log holds a sanitizer's report or a failed CHECK. */
  async stop() {
    for (const kind of [...KINDS].reverse()) await Promise.all(this.of(kind).map((name) => this.#stop(name)));
    for (const name of this.#running.keys()) {
      const fault = this.log(name).split("\n").find((line) => FAULTS.test(line));
      if (fault) throw new Error(`${name} reports a fault: ${fault}`);
    }
  }

  /** Whatever happened. */
  kill() {
    for (const { child } of this.#running.values()) child.kill("SIGKILL");
  }

  remove() { rmSync(this.data, { recursive: true, force: true }); }
}
