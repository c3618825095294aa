// SPDX-License-Identifier: MIT
// netstack.mjs - the processes with the bus on TCP, in network namespaces that can be cut off: each in its own, or several
// in one as on a host. tests/chaos/netns has made the namespaces; this process runs in the hub.
//
// See also: upstack.mjs, the same without namespaces.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { bin, FAULTS, REPO, serviceEnv, tempDir } from "../e2e/lib/stack.mjs";
import { LastWords } from "../e2e/lib/last_words.mjs";
import { PATIENCE_MS, until, within } from "../e2e/lib/wait.mjs";
import { probe } from "./upstack.mjs";

const BUS_PORTS = { historyd: 7100, roomd: 7200, gateway: 7300 }; // each and the five above it
export const WEB_PORT = 8080;
const FIRST_HOST = 10; // as in tests/chaos/netns
const LAST_LINES = 60; // of each log when the run fails: what is done to the services makes them talk

export class NetStack {
  services = [];
  #prefix;
  #hosts; // [[namespace, services]], in the order of their addresses
  #firstGatewayId;
  #loops = new Map(); // service → { child, ended }
  #words = new LastWords(() => Object.fromEntries(this.services.map((name) => [name, this.log(name)])), LAST_LINES);

  /**
   * @param options  { counts, prefix: of the namespaces, gatewayOptions, hosts: { namespace: services } if not each service has
   *                   its own, firstGatewayId }
   */
  static async start({ counts, prefix, gatewayOptions, hosts, firstGatewayId = 0 }) {
    const stack = new NetStack();
    stack.#prefix = prefix;
    stack.services = ["gateway", "roomd", "historyd"].flatMap((service) =>
      Array.from({ length: counts[service] }, (_, n) => `${service}-${n}`));
    stack.#hosts = Object.entries(hosts ?? Object.fromEntries(stack.services.map((service) => [service, [service]])));
    stack.#firstGatewayId = firstGatewayId;
    stack.data = tempDir();
    for (const dir of ["log", "run"]) mkdirSync(path.join(stack.data, dir));
    stack.#startAll(counts, gatewayOptions);
    await until("all gateways are ready", async () => {
      for (const [service, { child }] of stack.#loops) {
        if (child.exitCode !== null) return `${service} cannot run`;
      }
      return !(await stack.missing());
    }, 60_000);
    for (const [service, { child }] of stack.#loops) assert.equal(child.exitCode, null, `${service}: ${stack.log(service)}`);
    return stack;
  }

  #startAll(counts, gatewayOptions) {
    for (const [n, name] of this.#named("historyd").entries()) {
      this.#start(name, "parlor-historyd", ["--bind", this.#bus(name), "--shard", n, "--shards", counts.historyd,
        "--data", path.join(this.data, name), "--create", "chaos"]);
    }
    for (const [n, name] of this.#named("roomd").entries()) {
      this.#start(name, "parlor-roomd", ["--bind", this.#bus(name), "--shard", n, "--roomds", counts.roomd,
        "--historyd", this.addresses("historyd")]);
    }
    for (const [n, name] of this.#named("gateway").entries()) {
      this.#start(name, "parlor-gateway", [...gatewayOptions, "--id", this.#firstGatewayId + n, "--host", this.#address(name),
        "--port", WEB_PORT, "--roomd", this.addresses("roomd"), "--historyd", this.addresses("historyd"), "--bind", this.#bus(name),
        "--web", path.join(REPO, "gateway/web")]);
    }
  }

  #start(name, program, options) {
    const child = spawn("setpriv", ["--pdeathsig", "TERM", "--", "ip", "netns", "exec", `${this.#prefix}-${this.#hostOf(name)[0]}`,
      "bash", path.join(REPO, "deploy/run-service"), this.data, name, bin(program), ...options.map(String)],
    { env: serviceEnv({ PARLOR_BUS_INSECURE: "yes" }), stdio: "ignore", detached: true });
    this.#loops.set(name, { child, ended: new Promise((resolve) => child.on("close", resolve)) });
  }

  #named(service) { return this.services.filter((name) => name.startsWith(`${service}-`)); }
  #hostOf(name) { return this.#hosts.find(([, services]) => services.includes(name)); }
  #address(name) { return `10.97.0.${FIRST_HOST + this.#hosts.indexOf(this.#hostOf(name))}`; }

  #bus(name) { return `tcp://${this.#address(name)}:${BUS_PORTS[name.split("-")[0]]}`; }
  /** Of all of a service, on the bus, as options list them. */
  addresses(service) { return this.#named(service).map((name) => this.#bus(name)).join(","); }

  get name() { return "namespaces, TCP"; }
  get urls() { return this.#named("gateway").map((name) => `http://${this.#address(name)}:${WEB_PORT}`); }
  pid(service) { return Number(readFileSync(path.join(this.data, "run", `${service}.pid`), "utf8")); }

  log(service) {
    const file = path.join(this.data, "log", `${service}.log`);
    return existsSync(file) ? readFileSync(file, "utf8") : "";
  }

  /** Every gateway reaches every service: undefined, or what they say otherwise. */
  async missing() {
    const answers = await Promise.all(this.urls.map((url) => probe(url)));
    return answers.filter(({ isReady }) => !isReady).map(({ says }) => says).join("; ") || undefined;
  }

  /** @param host  a namespace: a service's name where each has its own */
  cut(host) { execFileSync("ip", ["link", "set", host, "down"]); }
  mend(host) { execFileSync("ip", ["link", "set", host, "up"]); }

  /** Stops everything; throws when a log holds a sanitizer's report or a failed CHECK. */
  async stop({ keepData }) {
    for (const service of ["gateway", "roomd", "historyd"]) {
      const loops = this.#named(service).map((name) => this.#loops.get(name));
      for (const { child } of loops) child.kill("SIGTERM");
      await within(Promise.all(loops.map(({ ended }) => ended)), `${service}s stop`, 2 * PATIENCE_MS);
    }
    const lines = this.services.flatMap((service) => this.log(service).split("\n"));
    this.#words.keep();
    if (!keepData) rmSync(this.data, { recursive: true, force: true });
    const fault = lines.findIndex((line) => FAULTS.test(line));
    assert.equal(fault, -1, `a service reports a fault:\n${lines.slice(Math.max(0, fault - 3), fault + 40).join("\n")}`);
  }
}
