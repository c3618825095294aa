// SPDX-License-Identifier: MIT
// hand.mjs - services started one by one with whatever lists a test gives them, as an operator would by hand on several
// machines. Not here: a whole Parlor as deploy/up starts it (stack.mjs).

import { rmSync } from "node:fs";
import path from "node:path";
import { Program } from "./program.mjs";
import { REPO, Stack, bin, freePort, tempDir } from "./stack.mjs";
import { until } from "./wait.mjs";

export class Hand {
  dir = tempDir();
  #programs = new Map();
  #bin;

  /** `programs`: the directory of the binaries, if they are not those of this build. */
  constructor({ programs } = {}) { this.#bin = (name) => (programs ? path.join(programs, name) : bin(name)); }

  address(name) { return `ipc://${this.dir}/${name}`; }
  #list(service, numbers) { return numbers.map((n) => this.address(typeof n === "number" ? `${service}-${n}` : n)).join(","); }

  #start(name, program, args, options) {
    const started = new Program(this.#bin(program), args, options);
    this.#programs.set(name, started);
    return started;
  }

  /** The data directory is made if `create` names a cluster. */
  historyd(n, of, { create = "test", data = `data-${n}`, name = `historyd-${n}`, options = [] } = {}) {
    return this.#start(name, "parlor-historyd", ["--bind", this.address(name), "--shard", n, "--shards", of,
      "--data", path.join(this.dir, data), ...(create ? ["--create", create] : []), ...options]);
  }

  roomd(n, of, historyds, { name = `roomd-${n}`, options = [] } = {}) {
    return this.#start(name, "parlor-roomd", ["--bind", this.address(name), "--shard", n, "--roomds", of,
      "--historyd", this.#list("historyd", historyds), ...options]);
  }

  /** Resolves to what tests use of a Stack: url, get, metrics. */
  async gateway(id, roomds, historyds, { name = `gateway-${id}`, port, options = [] } = {}) {
    port ??= await freePort();
    const program = this.#start(name, "parlor-gateway", ["--port", port, "--id", id, "--bind", this.address(name), "--rate", 0,
      "--roomd", this.#list("roomd", roomds), "--historyd", this.#list("historyd", historyds),
      "--web", path.join(REPO, "gateway/web"), ...options]);
    await program.says(/what=listening/);
    const gateway = Object.assign(new Stack(), { url: `http://127.0.0.1:${port}`, port, program });
    return gateway;
  }

  program(name) { return this.#programs.get(name); }
  log(name) { return this.program(name).stderr; }

  async stop(name, signal = "SIGTERM") {
    const program = this.program(name);
    this.#programs.delete(name);
    return program.stop(signal);
  }

  async stopAll() {
    for (const { child } of this.#programs.values()) child.kill("SIGCONT");
    for (const name of [...this.#programs.keys()].reverse()) await this.stop(name, "SIGKILL");
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** What /readyz says: { status, state, missing }. */
export async function readiness(gateway, query = "") {
  const { status, body } = await gateway.get(`/readyz${query}`);
  const { status: state, missing = [] } = JSON.parse(body);
  return { status, state, missing };
}

/** Waits until the gateway says this word; resolves to all that it says. */
export function untilReadiness(gateway, state) {
  let last;
  return until(`${gateway.url} is ${state}, last: ${JSON.stringify(last)}`, async () => {
    last = await readiness(gateway);
    return last.state === state && last;
  }, 20_000);
}
