// SPDX-License-Identifier: MIT
// services.mjs - Parlor's processes, each started again when it ends, as under any supervisor.

import { spawn } from "node:child_process";
import { createWriteStream, mkdirSync } from "node:fs";
import path from "node:path";

const BIN = path.join(process.env.PARLOR_BUILD, "bin");
const RESTART_MS = 250;

export class Services {
  #children = new Map();
  #isStopping = false;

  /** @param counts { gateway, roomd, historyd } */
  constructor(network, data, counts) {
    this.data = data;
    this.names = [];
    const port = (n) => 17000 + n * 10; // a service uses five in a row
    const hosts = new Map();
    const place = (service, base) => Array.from({ length: counts[service] }, (_, n) => {
      const name = `${service}-${n}`;
      this.names.push(name);
      hosts.set(name, network.host(name));
      return `tcp://${hosts.get(name).address}:${port(base + n)}`;
    });
    const historyds = place("historyd", 0);
    const roomds = place("roomd", 10);
    place("gateway", 20);
    const listen = (address) => (network.isolated ? address.replace(/[\d.]+(?=:\d+$)/, "0.0.0.0") : address);
    mkdirSync(path.join(data, "log"), { recursive: true });
    historyds.forEach((address, n) => this.#start(`historyd-${n}`, hosts, "parlor-historyd", [
      "--bind", listen(address), "--shard", n, "--shards", counts.historyd,
      "--data", path.join(data, `historyd-${n}`), "--min-free", 1048576,
    ]));
    roomds.forEach((address, n) => this.#start(`roomd-${n}`, hosts, "parlor-roomd", [
      "--bind", listen(address), "--shard", n, "--historyd", historyds.join(","),
    ]));
    this.urls = Array.from({ length: counts.gateway }, (_, n) => {
      const { address } = hosts.get(`gateway-${n}`);
      const clients = 18080 + n;
      this.#start(`gateway-${n}`, hosts, "parlor-gateway", [
        "--host", network.isolated ? "0.0.0.0" : address, "--port", clients, "--id", n,
        "--roomd", roomds.join(","), "--historyd", historyds.join(","), "--rate", 0,
      ]);
      return `http://${address}:${clients}`;
    });
  }

  #start(name, hosts, program, args) {
    const log = createWriteStream(path.join(this.data, "log", `${name}.log`), { flags: "a" });
    const command = [...hosts.get(name).prefix, "setpriv", "--pdeathsig", "KILL", "--",
      path.join(BIN, program), ...args.map(String)];
    const run = () => {
      if (this.#isStopping) return;
      // Each of the words before the program's name replaces itself, so the pid is the program's.
      const child = spawn(command[0], command.slice(1), { stdio: ["ignore", "pipe", "pipe"] });
      child.stdout.pipe(log, { end: false });
      child.stderr.pipe(log, { end: false });
      child.on("exit", (code, signal) => {
        if (!this.#isStopping && signal !== "SIGKILL") console.log(`${name} ended by itself: ${code ?? signal}`);
        setTimeout(run, RESTART_MS);
      });
      this.#children.set(name, child);
    };
    run();
  }

  signal(name, signal) {
    process.kill(this.#children.get(name).pid, signal);
  }

  /** Every gateway says that all shards are in reach. */
  async ready() {
    for (const url of this.urls) {
      for (;;) {
        const status = await fetch(`${url}/readyz`).then((answer) => answer.status, () => 0);
        if (status === 200) break;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  }

  async stop() {
    this.#isStopping = true;
    await Promise.all([...this.#children.values()].map((child) => new Promise((resolve) => {
      if (child.exitCode !== null || child.signalCode !== null) return resolve();
      child.on("exit", resolve);
      child.kill("SIGCONT");
      child.kill("SIGTERM");
      setTimeout(() => child.kill("SIGKILL"), 15_000).unref();
    })));
  }
}
